//! What a rule file may hold, found out by watching those who read it.
//!
//! Every reader asks a [`Table`](super::decode::Table) for keys and says what it expects there; a recording
//! table notes both. What is noted is the file's schema, and cannot be another than what is read.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// What is expected at a key; ordered so that the more exact comes first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// One of some words.
    Choice(Vec<String>),
    /// Some of some words: an array, or one alone.
    Choices(Vec<String>),
    /// A duration such as `48h`.
    Duration,
    /// A text.
    Text,
    /// Texts: an array, or one alone.
    Texts,
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Integer,
    /// A number, whole or not.
    Number,
    /// A text, a number or a flag.
    Scalar,
    /// Several of these: an array, or one alone.
    Scalars,
    /// A table.
    Table,
    /// Tables: an array, or one alone.
    Tables,
}

/// What is known of one key.
#[derive(Debug, Clone, Default)]
pub struct KeyShape {
    /// Everything that is read there; nothing when it is only asked for.
    pub kinds: BTreeSet<Kind>,
    /// Whether its absence is a mistake.
    pub is_required: bool,
    /// The tables that stand there.
    pub table: Option<SharedShape>,
}

/// What is known of one table.
#[derive(Debug, Clone, Default)]
pub struct Shape {
    /// Its keys.
    pub keys: BTreeMap<String, KeyShape>,
    /// Whether any key may stand in it.
    pub is_open: bool,
    /// The name by which other tables of the same kind are the same.
    pub name: Option<&'static str>,
}

/// A shape that is still being found out.
pub type SharedShape = Rc<RefCell<Shape>>;

impl Shape {
    /// Notes that somebody asks for `key`.
    pub fn ask(&mut self, key: &str) -> &mut KeyShape {
        self.keys.entry(key.to_owned()).or_default()
    }
}

/// The shapes of files and of named tables.
#[derive(Debug, Clone, Default)]
pub struct Recording {
    files: Rc<RefCell<BTreeMap<String, SharedShape>>>,
    named: Rc<RefCell<BTreeMap<&'static str, SharedShape>>>,
}

impl Recording {
    /// Returns the shape of the files of this `kind`.
    pub fn file(&self, kind: &str) -> SharedShape {
        Rc::clone(self.files.borrow_mut().entry(kind.to_owned()).or_default())
    }

    /// Returns the shape of all tables called `name`.
    pub fn named(&self, name: &'static str) -> SharedShape {
        let mut named = self.named.borrow_mut();
        let shape = named.entry(name).or_default();
        shape.borrow_mut().name = Some(name);
        Rc::clone(shape)
    }

    /// Returns the shape of every kind of file.
    pub fn files(&self) -> BTreeMap<String, SharedShape> {
        self.files.borrow().clone()
    }

    /// Returns the named shapes.
    pub fn all_named(&self) -> BTreeMap<&'static str, SharedShape> {
        self.named.borrow().clone()
    }
}

/// Returns what kind of rule file stands at `path`: its name, or for files of a folder the folder's.
pub fn kind_of_file(path: &str) -> String {
    let inside = path.split_once('/').map_or(path, |(_, inside)| inside);
    let inside = inside.strip_suffix(".toml").unwrap_or(inside);
    match inside.split_once('/') {
        Some((folder @ ("requests" | "sources" | "targets" | "tests"), _)) => folder.to_owned(),
        _ => inside.to_owned(),
    }
}
