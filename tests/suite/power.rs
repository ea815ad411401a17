//! A disk that may lose what was not flushed, played from the system calls of a whole command: what stands on it when
//! the power goes at any of them.
//!
//! A kill cannot show this, because what was written lives on in the system's memory. Of a file is on the disk for sure
//! what was there when the file was flushed last, of a folder the names that it had when the folder was; of what came
//! since, anything may be there or not (Pillai et al., "All File Systems Are Not Created Equal", OSDI 2014). Only the
//! changes of one folder keep their order, as every journal of a file system keeps them, and what moves from one folder
//! to another is in one of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::traced::{Arguments, Call, Log, MUTATING, number, under};
use super::workspace::{Outcome, Random, Workspace};

/// What a disk writes whole or not at all, bytes.
const BLOCK: usize = 4096;

/// What is on the disk of that which was not flushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kept {
    /// Nothing.
    Nothing,
    /// Every name, and no byte: the empty files that some file systems leave.
    Names,
    /// Some names, and some blocks, as drawn.
    Some,
}

/// When the power goes, and what is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// After so many calls.
    pub after: usize,
    pub kept: Kept,
}

/// A command that was watched, and the disk before it.
pub struct Watched {
    before: Disk,
    calls: Vec<Call>,
}

impl Watched {
    /// Runs `args` in `workspace`, all of whose files are on the disk by then.
    pub fn new(workspace: &Workspace, args: &[&str]) -> (Self, Outcome) {
        let root = workspace.path("").canonicalize().unwrap();
        let before = Disk::of(&root);
        let log = Log::whole(&[MUTATING, &["lseek"]].concat());
        let outcome = under(&log.options(), &workspace.command(args)).output().unwrap().into();
        let mut calls = log.calls();
        calls.retain(|call| !call.failed());
        let watched = Self { before, calls };
        watched.assert_true_to(&root);
        (watched, outcome)
    }

    /// Fails unless the calls, played, leave what the command left: else what a cut leaves is made up.
    fn assert_true_to(&self, root: &Path) {
        let played = self.played(self.calls.len());
        let (told, found) = (played.files(), Disk::of(root).files());
        assert_eq!(told.keys().collect::<Vec<_>>(), found.keys().collect::<Vec<_>>());
        for (path, bytes) in found {
            assert!(told[&path] == bytes, "{} is not what the calls say", path.display());
        }
    }

    /// Every cut that can make a difference: with nothing kept after each flush, else after each call.
    pub fn cuts(&self) -> Vec<Cut> {
        let mut cuts = Vec::new();
        for (at, call) in self.calls.iter().enumerate() {
            let after = at + 1;
            match call.name.as_str() {
                "fsync" | "fdatasync" => cuts.push(Cut { after, kept: Kept::Nothing }),
                "lseek" | "flock" => {}
                "openat"
                    if !["O_CREAT", "O_TRUNC"].iter().any(|flag| call.arguments.contains(flag)) => {
                }
                "write" | "writev" | "pwrite64" => cuts.push(Cut { after, kept: Kept::Some }),
                _ => {
                    cuts.push(Cut { after, kept: Kept::Some });
                    cuts.push(Cut { after, kept: Kept::Names });
                }
            }
        }
        cuts
    }

    /// Makes `workspace` what the cut leaves.
    pub fn cut(&self, cut: &Cut, workspace: &Workspace) {
        let mut disk = self.played(cut.after);
        disk.lose(cut);
        disk.write_to(&workspace.path(""));
    }

    /// The same command, had it flushed nothing below `folder`.
    pub fn without_flushes_below(mut self, folder: &str) -> Self {
        let folder = self.before.root.join(folder);
        let is_flush = |call: &Call| ["fsync", "fdatasync"].contains(&call.name.as_str());
        let is_below =
            |call: &Call| call.file().is_some_and(|file| Path::new(file).starts_with(&folder));
        self.calls.retain(|call| !(is_flush(call) && is_below(call)));
        self
    }

    /// When the command has ended, and nothing is kept that it did not flush.
    pub fn at_the_end(&self) -> Cut {
        Cut { after: self.calls.len(), kept: Kept::Nothing }
    }

    fn played(&self, calls: usize) -> Disk {
        let mut disk = self.before.clone();
        for call in &self.calls[..calls] {
            disk.play(call);
        }
        disk
    }
}

/// The number of a file, folder or link, whatever its names.
type NodeNo = usize;

#[derive(Clone)]
enum Node {
    File(Content),
    Folder(Names),
    Link(PathBuf),
}

/// What a file holds.
#[derive(Clone, Default)]
struct Content {
    flushed: Arc<Vec<u8>>,
    now: Arc<Vec<u8>>,
    since: Vec<Change>,
}

#[derive(Clone)]
enum Change {
    Bytes { at: usize, bytes: Arc<[u8]> },
    Length(usize),
}

impl Change {
    fn apply(&self, to: &mut Vec<u8>) {
        match self {
            Self::Bytes { at, bytes } => {
                let end = at + bytes.len();
                to.resize(to.len().max(end), 0);
                to[*at..end].copy_from_slice(bytes);
            }
            Self::Length(length) => to.resize(*length, 0),
        }
    }

    /// The change block by block.
    fn torn(&self) -> Vec<Self> {
        let Self::Bytes { at, bytes } = self else { return vec![self.clone()] };
        let mut parts = Vec::new();
        let mut from = 0;
        while from < bytes.len() {
            let block = (BLOCK - (at + from) % BLOCK).min(bytes.len() - from);
            parts.push(Self::Bytes { at: at + from, bytes: bytes[from..from + block].into() });
            from += block;
        }
        parts
    }
}

impl Content {
    fn change(&mut self, change: Change) {
        change.apply(Arc::make_mut(&mut self.now));
        self.since.push(change);
    }

    fn flush(&mut self) {
        self.flushed = Arc::clone(&self.now);
        self.since.clear();
    }
}

/// What a folder lists.
#[derive(Clone, Default)]
struct Names {
    flushed: BTreeMap<String, NodeNo>,
    now: BTreeMap<String, NodeNo>,
    since: Vec<Entry>,
}

/// A change of what a folder lists, made as a whole.
#[derive(Clone)]
struct Entry {
    /// Names, each with what has it, if anything.
    names: Vec<(String, Option<NodeNo>)>,
    /// The number of the move from another folder or to one, of which this is a half: nothing ever has two places.
    moved: Option<usize>,
}

impl Names {
    fn change(&mut self, names: Vec<(String, Option<NodeNo>)>, moved: Option<usize>) {
        let entry = Entry { names, moved };
        entry.apply(&mut self.now);
        self.since.push(entry);
    }
}

impl Entry {
    fn apply(&self, to: &mut BTreeMap<String, NodeNo>) {
        for (name, no) in &self.names {
            match no {
                Some(no) => to.insert(name.clone(), *no),
                None => to.remove(name),
            };
        }
    }
}

/// Everything below a folder, as it is on the disk and as the system shows it.
#[derive(Clone)]
struct Disk {
    root: PathBuf,
    nodes: Vec<Node>,
    /// Where each handle writes next; `None` at the end, wherever that is.
    positions: BTreeMap<u32, Option<usize>>,
    /// Moves from folder to folder so far.
    moves: usize,
}

const ROOT: NodeNo = 0;

impl Disk {
    /// Everything that is below `root`, flushed.
    fn of(root: &Path) -> Self {
        let mut disk =
            Self { root: root.to_owned(), nodes: Vec::new(), positions: BTreeMap::new(), moves: 0 };
        disk.take_in(root);
        disk
    }

    fn take_in(&mut self, path: &Path) -> NodeNo {
        let no = self.nodes.len();
        let kind = fs::symlink_metadata(path).unwrap().file_type();
        if kind.is_symlink() {
            self.nodes.push(Node::Link(fs::read_link(path).unwrap()));
        } else if kind.is_dir() {
            self.nodes.push(Node::Folder(Names::default()));
            let mut names = BTreeMap::new();
            for entry in fs::read_dir(path).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                if !is_made_anew(&name) {
                    names.insert(name.clone(), self.take_in(&path.join(&name)));
                }
            }
            self.nodes[no] =
                Node::Folder(Names { flushed: names.clone(), now: names, since: Vec::new() });
        } else {
            let bytes = Arc::new(fs::read(path).unwrap());
            self.nodes.push(Node::File(Content {
                flushed: Arc::clone(&bytes),
                now: bytes,
                since: Vec::new(),
            }));
        }
        no
    }

    /// What has the path now; `None` for what is elsewhere, gone, or made anew by whoever opens the store.
    fn find(&self, path: &Path) -> Option<NodeNo> {
        let below = path.strip_prefix(&self.root).ok()?;
        below.iter().try_fold(ROOT, |no, name| match &self.nodes[no] {
            Node::Folder(names) => names.now.get(name.to_str()?).copied(),
            _ => None,
        })
    }

    fn names(&mut self, folder: &Path) -> Option<&mut Names> {
        let no = self.find(folder)?;
        match &mut self.nodes[no] {
            Node::Folder(names) => Some(names),
            _ => None,
        }
    }

    fn content(&mut self, path: &Path) -> Option<&mut Content> {
        let no = self.find(path)?;
        match &mut self.nodes[no] {
            Node::File(content) => Some(content),
            _ => None,
        }
    }

    /// Gives `path` to `node`, in its folder; nothing of what is elsewhere or made anew.
    fn enter(&mut self, path: &Path, node: Node) {
        let name = name_of(path);
        let no = self.nodes.len();
        if is_made_anew(&name) {
            return;
        }
        if let Some(names) = self.names(path.parent().unwrap()) {
            names.change(vec![(name, Some(no))], None);
            self.nodes.push(node);
        }
    }

    fn remove(&mut self, path: &Path) {
        if self.find(path).is_some() {
            let names = self.names(path.parent().unwrap()).unwrap();
            names.change(vec![(name_of(path), None)], None);
        }
    }

    fn rename(&mut self, from: &Path, to: &Path) {
        let no = self.find(from).unwrap_or_else(|| panic!("{} is unknown", from.display()));
        let (gone, come) = ((name_of(from), None), (name_of(to), Some(no)));
        let (old, new) = (from.parent().unwrap(), to.parent().unwrap());
        if old == new {
            self.names(old).unwrap().change(vec![gone, come], None);
        } else {
            self.moves += 1;
            let moved = Some(self.moves);
            self.names(new).unwrap().change(vec![come], moved);
            self.names(old).unwrap().change(vec![gone], moved);
        }
    }

    fn play(&mut self, call: &Call) {
        let arguments = Arguments::of(&call.arguments, &self.root);
        let paths = &arguments.paths;
        match call.name.as_str() {
            "openat" => self.open(call),
            "write" | "writev" => {
                let (handle, path) = &arguments.handles[0];
                let at = self.position(*handle, path);
                let bytes = arguments.bytes(number(&call.answer));
                self.step(*handle, bytes.len());
                self.write(path, at, bytes);
            }
            "pwrite64" => {
                let bytes = arguments.bytes(number(&call.answer));
                self.write(&arguments.handles[0].1, arguments.last(), bytes);
            }
            "lseek" => {
                let at = number(&call.answer);
                self.positions.insert(arguments.handles[0].0, Some(at));
            }
            "copy_file_range" => {
                let (from, to) = (&arguments.handles[0], &arguments.handles[1]);
                self.copy(from, to, number(&call.answer));
            }
            "sendfile" => {
                let (to, from) = (&arguments.handles[0], &arguments.handles[1]);
                self.copy(from, to, number(&call.answer));
            }
            "ftruncate" => {
                let length = Change::Length(arguments.last());
                if let Some(content) = self.content(&arguments.handles[0].1) {
                    content.change(length);
                }
            }
            "fsync" | "fdatasync" => self.flush(&arguments.handles[0].1),
            "mkdir" | "mkdirat" => self.enter(&paths[0], Node::Folder(Names::default())),
            "symlink" | "symlinkat" => {
                let target = PathBuf::from(call.paths()[0]);
                self.enter(&paths[1], Node::Link(target));
            }
            "rename" | "renameat" | "renameat2" => self.rename(&paths[0], &paths[1]),
            "unlink" | "unlinkat" | "rmdir" => self.remove(&paths[0]),
            "flock" => {}
            other => panic!("nobody taught this disk what `{other}` does"),
        }
    }

    fn open(&mut self, call: &Call) {
        let (handle, path) = call.answer.split_once('<').unwrap();
        let (handle, path) = (handle.parse().unwrap(), PathBuf::from(path.trim_end_matches('>')));
        let appends = call.arguments.contains("O_APPEND");
        self.positions.insert(handle, (!appends).then_some(0));
        if call.arguments.contains("O_CREAT") && self.find(&path).is_none() {
            self.enter(&path, Node::File(Content::default()));
        } else if call.arguments.contains("O_TRUNC")
            && let Some(content) = self.content(&path)
        {
            content.change(Change::Length(0));
        }
    }

    fn position(&mut self, handle: u32, path: &Path) -> usize {
        match self.positions.get(&handle) {
            Some(Some(at)) => *at,
            _ => self.content(path).map_or(0, |content| content.now.len()),
        }
    }

    fn step(&mut self, handle: u32, bytes: usize) {
        if let Some(Some(at)) = self.positions.get_mut(&handle) {
            *at += bytes;
        }
    }

    fn write(&mut self, path: &Path, at: usize, bytes: Vec<u8>) {
        if let Some(content) = self.content(path) {
            content.change(Change::Bytes { at, bytes: bytes.into() });
        }
    }

    fn copy(&mut self, from: &(u32, PathBuf), to: &(u32, PathBuf), count: usize) {
        let (read, write) = (self.position(from.0, &from.1), self.position(to.0, &to.1));
        let source = self.content(&from.1).expect("a file of the workspace is copied");
        let bytes = source.now[read..read + count].to_vec();
        self.step(from.0, count);
        self.step(to.0, count);
        self.write(&to.1, write, bytes);
    }

    fn flush(&mut self, path: &Path) {
        let Some(no) = self.find(path) else { return };
        match &mut self.nodes[no] {
            Node::File(content) => content.flush(),
            Node::Folder(names) => {
                let all = names.since.len();
                self.keep(no, all);
            }
            Node::Link(_) => {}
        }
    }

    /// Brings the first `count` changes of a folder to the disk, and the other halves of moves among them.
    fn keep(&mut self, folder: NodeNo, count: usize) {
        let Node::Folder(names) = &mut self.nodes[folder] else { return };
        let kept: Vec<Entry> = names.since.drain(..count).collect();
        for entry in &kept {
            entry.apply(&mut names.flushed);
        }
        for moved in kept.iter().filter(|entry| entry.moved.is_some()).map(|entry| entry.moved) {
            let half = self.nodes.iter().enumerate().find_map(|(no, node)| match node {
                Node::Folder(names) => {
                    let at = names.since.iter().position(|entry| entry.moved == moved)?;
                    Some((no, at + 1))
                }
                _ => None,
            });
            if let Some((other, count)) = half {
                self.keep(other, count);
            }
        }
    }

    /// Lets the power go: what was not flushed is there as far as the cut keeps it.
    fn lose(&mut self, cut: &Cut) {
        let mut random = Random::new();
        // The first draws of neighbours are alike.
        for _ in 0..cut.after % 64 + 8 {
            random.next();
        }
        let mut draw = |below: u64| (random.next() ^ cut.after as u64) % below;
        for no in 0..self.nodes.len() {
            match &mut self.nodes[no] {
                Node::File(content) if cut.kept == Kept::Some => {
                    let bytes = Arc::make_mut(&mut content.flushed);
                    for part in content.since.iter().flat_map(Change::torn) {
                        if draw(2) == 0 {
                            part.apply(bytes);
                        }
                    }
                }
                Node::Folder(names) if cut.kept != Kept::Nothing => {
                    let all = names.since.len();
                    let kept = match cut.kept {
                        Kept::Names => all,
                        _ => draw(all as u64 + 1) as usize,
                    };
                    self.keep(no, kept);
                }
                _ => {}
            }
        }
    }

    fn write_to(&self, root: &Path) {
        let mut open = vec![(ROOT, root.to_owned())];
        while let Some((no, path)) = open.pop() {
            match &self.nodes[no] {
                Node::File(content) => {
                    fs::write(&path, &**content.flushed).unwrap();
                    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
                }
                Node::Link(target) => std::os::unix::fs::symlink(target, &path).unwrap(),
                Node::Folder(names) => {
                    fs::create_dir_all(&path).unwrap();
                    open.extend(names.flushed.iter().map(|(name, no)| (*no, path.join(name))));
                }
            }
        }
    }

    /// Every file by its path, as the system shows it.
    fn files(&self) -> BTreeMap<PathBuf, Arc<Vec<u8>>> {
        let mut files = BTreeMap::new();
        let mut open = vec![(ROOT, PathBuf::new())];
        while let Some((no, path)) = open.pop() {
            match &self.nodes[no] {
                Node::File(content) => drop(files.insert(path, Arc::clone(&content.now))),
                Node::Link(target) => {
                    let target = target.display().to_string().into_bytes();
                    files.insert(path, Arc::new(target));
                }
                Node::Folder(names) => {
                    open.extend(names.now.iter().map(|(name, no)| (*no, path.join(name))));
                }
            }
        }
        files
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

/// SQLite maps this file instead of writing to it, and makes it anew after a crash.
fn is_made_anew(name: &str) -> bool {
    name.ends_with("-shm")
}

#[test]
fn a_disk_keeps_what_was_flushed_and_may_lose_the_rest() {
    let workspace = Workspace::new();
    workspace.file("a.txt", "before");
    let root = workspace.path("").canonicalize().unwrap();
    let call = |name: &str, arguments: String, answer: &str| Call {
        thread: 1,
        name: name.to_owned(),
        arguments,
        answer: answer.to_owned(),
    };
    let path = |name: &str| root.join(name).display().to_string();
    let calls = vec![
        call(
            "openat",
            "AT_FDCWD, \"b.part\", O_WRONLY|O_CREAT, 0600".into(),
            &format!("5<{}>", path("b.part")),
        ),
        call("write", format!("5<{}>, \"za\\305\\274\\n\", 5", path("b.part")), "5"),
        call("fsync", format!("5<{}>", path("b.part")), "0"),
        call("rename", "\"b.part\", \"b.txt\"".into(), "0"),
        call(
            "openat",
            "AT_FDCWD, \"a.txt\", O_WRONLY|O_TRUNC".into(),
            &format!("6<{}>", path("a.txt")),
        ),
        call("write", format!("6<{}>, \"after\", 5", path("a.txt")), "5"),
        call("fsync", format!("7<{}>", root.display()), "0"),
    ];
    let watched = Watched { before: Disk::of(&root), calls };
    let left = |after: usize, kept: Kept| {
        let disk = Workspace::new();
        watched.cut(&Cut { after, kept }, &disk);
        let files = super::workspace::files_below(&disk.path(""));
        files
            .into_iter()
            .map(|(name, bytes)| format!("{name}: {}", String::from_utf8(bytes).unwrap()))
            .collect::<Vec<_>>()
    };
    assert_eq!(left(2, Kept::Nothing), ["a.txt: before"]);
    assert_eq!(left(2, Kept::Names), ["a.txt: before", "b.part: "]);
    assert_eq!(left(3, Kept::Names), ["a.txt: before", "b.part: zaż\n"]);
    assert_eq!(left(4, Kept::Nothing), ["a.txt: before"], "its name was not flushed");
    assert_eq!(left(7, Kept::Nothing), ["a.txt: before", "b.txt: zaż\n"]);
    let drawn: BTreeSet<Vec<String>> = (4..7).map(|after| left(after, Kept::Some)).collect();
    assert!(drawn.len() > 1, "{drawn:?}");
    assert_eq!(watched.cuts().len(), 2 + 1 + 1 + 2 + 2 + 1 + 1);
}
