//! Reads a TOML document while collecting every mistake in it, with its place.
//!
//! A [`Table`] hands out values by key and remembers which keys were asked for; when it is dropped it
//! reports the keys that nobody asked for, with a suggestion. Getters that find nothing usable
//! report it and return a stand-in, so one pass finds all mistakes.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::{Range, RangeInclusive};
use std::rc::Rc;

use serde_spanned::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnostics::{Diagnostic, Place, RuleText, Severity, did_you_mean};
use super::shape::{Kind, Recording, SharedShape, kind_of_file};

/// The file that says which fields there are.
pub const FIELDS: &str = "fields.toml";
/// The file that says how leads are scored.
pub const SCORING: &str = "scoring.toml";
/// The file that says who may be contacted for what.
pub const CONSENT: &str = "consent.toml";

/// Collects diagnostics while files are read.
#[derive(Debug, Clone, Default)]
pub struct Sink {
    found: Rc<RefCell<Vec<Diagnostic>>>,
    /// What could not be parsed: a file of the rules folder, or a folder of it that has such a file.
    unread: Rc<RefCell<BTreeSet<String>>>,
    recording: Option<Recording>,
    /// Whether absent tables are read, too, as if they were empty; only for finding shapes out.
    reads_absent: bool,
}

impl Sink {
    /// Returns a sink that notes in `recording` what readers ask for, with `reads_absent` of tables that are
    /// not there, too.
    pub fn noting(recording: &Recording, reads_absent: bool) -> Self {
        Self { recording: Some(recording.clone()), reads_absent, ..Self::default() }
    }

    /// Records an error at `place`.
    pub fn error(&self, place: &Place, message: impl Into<String>, hint: Option<String>) {
        self.push(Severity::Error, place, message.into(), hint);
    }

    /// Records an error at `place`: what stands there is nowhere in `of`, a file or a folder of the rules. Where that
    /// could not be parsed nobody knows, and nothing is recorded.
    pub fn lacks(&self, of: &str, place: &Place, message: impl Into<String>, hint: Option<String>) {
        let unread = self.unread.borrow();
        // Where no field is known, hardly any rule can be read.
        if !unread.contains(of) && !unread.contains(FIELDS) {
            self.error(place, message, hint);
        }
    }

    /// Records a warning at `place`.
    pub fn warning(&self, place: &Place, message: impl Into<String>, hint: Option<String>) {
        self.push(Severity::Warning, place, message.into(), hint);
    }

    /// Returns whether an error was recorded.
    pub fn has_errors(&self) -> bool {
        self.found.borrow().iter().any(|found| found.severity == Severity::Error)
    }

    /// Takes everything recorded so far.
    pub fn take(&self) -> Vec<Diagnostic> {
        self.found.take()
    }

    /// Takes back what was recorded at `place` with this message.
    fn withdraw(&self, place: &Place, message: &str) {
        self.found.borrow_mut().retain(|one| one.place != *place || one.message != message);
    }

    fn push(&self, severity: Severity, place: &Place, message: String, hint: Option<String>) {
        self.found.borrow_mut().push(Diagnostic { severity, place: place.clone(), message, hint });
    }
}

/// Parses `file` and hands its root table to `read`; with a syntax error, which goes to `sink`, it
/// does not.
pub fn document(file: &RuleText, sink: &Sink, read: impl FnOnce(&Table<'_>)) {
    let (root, errors) = DeTable::parse_recoverable(&file.text);
    for error in &errors {
        let span = error.span().unwrap_or(0..0);
        sink.error(
            &Place { file: file.clone(), span },
            error.message().trim().replace('\n', "; "),
            None,
        );
    }
    // What could not be parsed would be reported as missing, too, and be it a comma's fault.
    if errors.is_empty() {
        let mut table = Table::new(root.get_ref(), root.span(), file, sink);
        table.shape = sink.recording.as_ref().map(|shapes| shapes.file(&kind_of_file(&file.path)));
        read(&table);
    } else {
        let inside = file.path.split('/').nth(1).unwrap_or(&file.path);
        sink.unread.borrow_mut().insert(inside.to_owned());
    }
}

/// A TOML table under the reader's eyes.
pub struct Table<'a> {
    entries: &'a DeTable<'a>,
    place: Place,
    sink: Sink,
    asked: RefCell<BTreeSet<String>>,
    lenient: RefCell<bool>,
    /// Where it is noted what readers ask for, when somebody wants to know.
    shape: Option<SharedShape>,
}

impl<'a> Table<'a> {
    fn new(entries: &'a DeTable<'a>, span: Range<usize>, file: &RuleText, sink: &Sink) -> Self {
        Self {
            entries,
            place: Place { file: file.clone(), span },
            sink: sink.clone(),
            asked: RefCell::default(),
            lenient: RefCell::new(false),
            shape: None,
        }
    }

    /// Hands the table to `read` as one of those called `name`, which may hold the same.
    pub fn as_named<T>(&self, name: &'static str, read: impl FnOnce(&Table<'_>) -> T) -> T {
        let Some(recording) = &self.sink.recording else { return read(self) };
        let mut same =
            Table::new(self.entries, self.place.span.clone(), &self.place.file, &self.sink);
        same.accept_all();
        same.shape = Some(recording.named(name));
        self.note_name(name);
        read(&same)
    }

    fn note_name(&self, name: &'static str) {
        if let Some(shape) = &self.shape {
            shape.borrow_mut().name = Some(name);
        }
        self.accept_all();
    }

    /// Notes what is expected at `key`.
    fn note(&self, key: &str, kind: impl FnOnce() -> Kind) {
        if let Some(shape) = &self.shape {
            shape.borrow_mut().ask(key).kinds.insert(kind());
        }
    }

    /// Notes for editors that one of these words belongs at `key`.
    pub(super) fn note_words<T>(&self, key: &str, choices: &[(&str, T)]) {
        self.note(key, || Kind::Choice(words(choices)));
    }

    fn note_required(&self, key: &str) {
        if let Some(shape) = &self.shape {
            shape.borrow_mut().ask(key).is_required = true;
        }
    }

    /// Returns where tables at `key` are noted.
    fn shape_at(&self, key: &str) -> Option<SharedShape> {
        let mut shape = self.shape.as_ref()?.borrow_mut();
        Some(Rc::clone(shape.ask(key).table.get_or_insert_default()))
    }

    /// Lets `read` look at an empty table in the place of the absent one at `key`.
    fn read_absent<T>(&self, key: &str, read: impl FnOnce(&Table<'_>) -> T) {
        if self.sink.reads_absent {
            let empty = DeTable::new();
            let mut child = self.child(&empty, self.place.span.clone());
            child.shape = self.shape_at(key);
            read(&child);
        }
    }

    /// Returns where the table stands.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Returns where `key`'s value stands, or the table when it is absent.
    pub fn place_of(&self, key: &str) -> Place {
        self.entry(key).map_or_else(|| self.place.clone(), |value| self.at(value.span()))
    }

    /// Returns the collector, for checks across values.
    pub fn sink(&self) -> &Sink {
        &self.sink
    }

    /// Stops the table from reporting missing and unknown keys.
    pub fn accept_all(&self) {
        *self.lenient.borrow_mut() = true;
    }

    /// Records an error at `key`'s value.
    pub fn error(&self, key: &str, message: impl Into<String>, hint: Option<String>) {
        self.sink.error(&self.place_of(key), message, hint);
    }

    /// Reports an error at `key`: what it names is nowhere in `of`, see [`Sink::lacks`].
    pub fn lacks(&self, of: &str, key: &str, message: impl Into<String>, hint: Option<String>) {
        self.sink.lacks(of, &self.place_of(key), message, hint);
    }

    /// Returns whether `key` is present; counts as asking for it.
    pub fn has(&self, key: &str) -> bool {
        self.ask(key).is_some()
    }

    /// Returns whether a string stands at `key`; does not count as asking for it.
    pub fn is_text(&self, key: &str) -> bool {
        self.entry(key).is_some_and(|value| value.get_ref().as_str().is_some())
    }

    /// Returns every key, in alphabetical order, without asking for any.
    pub fn keys(&self) -> Vec<String> {
        if let Some(shape) = &self.shape {
            shape.borrow_mut().is_open = true;
        }
        self.entries.keys().map(|key| key.get_ref().to_string()).collect()
    }

    /// Returns the string at `key`, reporting its absence; the stand-in is empty.
    pub fn string(&self, key: &str) -> String {
        self.note_required(key);
        if !self.has(key) {
            self.missing(key);
        }
        let text = self.opt_string(key);
        // Other texts may be blank on purpose; what has no id cannot be told apart.
        if key == "id" && text.as_ref().is_some_and(|text| text.trim().is_empty()) {
            self.error(key, "`id` is blank", None);
        }
        text.unwrap_or_default()
    }

    /// Returns the string at `key`.
    pub fn opt_string(&self, key: &str) -> Option<String> {
        self.note(key, || Kind::Text);
        let value = self.ask(key)?;
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.wrong_type(value, key, "a string in quotes");
        }
        text.map(str::to_owned)
    }

    /// Returns the boolean at `key`, or `default`.
    pub fn bool_or(&self, key: &str, default: bool) -> bool {
        self.note(key, || Kind::Flag);
        let Some(value) = self.ask(key) else { return default };
        value.get_ref().as_bool().unwrap_or_else(|| {
            self.wrong_type(value, key, "true or false");
            default
        })
    }

    /// Returns the whole number at `key`.
    pub fn opt_integer(&self, key: &str) -> Option<i64> {
        self.note(key, || Kind::Integer);
        let value = self.ask(key)?;
        let number = integer(value.get_ref());
        if number.is_none() && matches!(value.get_ref(), DeValue::Integer(_)) {
            self.sink.error(&self.at(value.span()), format!("`{key}` is far too large"), None);
        } else if number.is_none() {
            self.wrong_type(value, key, "a whole number");
        }
        number
    }

    /// Returns the whole number at `key` if it lies in `range`, and reports one that does not.
    pub fn opt_integer_in(&self, key: &str, range: RangeInclusive<i64>) -> Option<i64> {
        let number = self.opt_integer(key)?;
        if !range.contains(&number) {
            let message = format!("`{key}` goes from {} to {}", range.start(), range.end());
            self.error(key, message, None);
            return None;
        }
        Some(number)
    }

    /// Returns the whole number at `key`, reporting its absence; the stand-in is 0.
    pub fn integer(&self, key: &str) -> i64 {
        self.note_required(key);
        if !self.has(key) {
            self.missing(key);
        }
        self.opt_integer(key).unwrap_or_default()
    }

    /// Returns the number, whole or not, at `key`.
    pub fn opt_number(&self, key: &str) -> Option<f64> {
        self.note(key, || Kind::Number);
        let value = self.ask(key)?;
        let number = match value.get_ref() {
            DeValue::Float(float) => float.as_str().replace('_', "").parse().ok(),
            other => integer(other).map(|whole| whole as f64),
        };
        if number.is_none() {
            self.wrong_type(value, key, "a number");
        }
        number
    }

    /// Returns the strings at `key`: an array, or one string standing for an array of one.
    pub fn strings(&self, key: &str) -> Vec<String> {
        self.located_strings(key).into_iter().map(|(text, _)| text).collect()
    }

    /// Returns the strings at `key`, each with its place.
    pub fn located_strings(&self, key: &str) -> Vec<(String, Place)> {
        self.note(key, || Kind::Texts);
        let Some(value) = self.ask(key) else { return Vec::new() };
        match value.get_ref() {
            DeValue::String(text) => vec![(text.to_string(), self.at(value.span()))],
            DeValue::Array(items) => items
                .iter()
                .filter_map(|item| {
                    let text = item.get_ref().as_str();
                    if text.is_none() {
                        self.wrong_type(item, key, "strings in quotes");
                    }
                    text.map(|text| (text.to_owned(), self.at(item.span())))
                })
                .collect(),
            _ => {
                self.wrong_type(value, key, "a string or an array of strings");
                Vec::new()
            }
        }
    }

    /// Returns which of `choices` stands at `key`, with a suggestion when none does.
    pub fn opt_choice<T: Copy>(&self, key: &str, choices: &[(&str, T)]) -> Option<T> {
        self.note(key, || Kind::Choice(words(choices)));
        let text = self.opt_string(key)?;
        let found = choices.iter().find(|(word, _)| *word == text).map(|(_, choice)| *choice);
        if found.is_none() {
            self.no_such_choice(&self.place_of(key), key, &text, choices);
        }
        found
    }

    /// Returns which of `choices` stand at `key`.
    pub fn choices<T: Copy>(&self, key: &str, choices: &[(&str, T)]) -> Vec<T> {
        self.note(key, || Kind::Choices(words(choices)));
        let mut found = Vec::new();
        for (text, place) in self.located_strings(key) {
            match choices.iter().find(|(word, _)| *word == text) {
                Some((_, choice)) => found.push(*choice),
                None => self.no_such_choice(&place, key, &text, choices),
            }
        }
        found
    }

    /// Returns which of `choices` stands at `key`, reporting its absence.
    pub fn choice<T: Copy>(&self, key: &str, choices: &[(&str, T)], stand_in: T) -> T {
        self.note_required(key);
        self.note(key, || Kind::Choice(words(choices)));
        if !self.has(key) {
            self.missing(key);
            return stand_in;
        }
        self.opt_choice(key, choices).unwrap_or(stand_in)
    }

    /// Returns the duration at `key` in seconds: `90s`, `5m`, `48h`, `7d`, `2w`.
    pub fn opt_duration_seconds(&self, key: &str) -> Option<i64> {
        self.note(key, || Kind::Duration);
        let text = self.opt_string(key)?;
        let seconds = duration_seconds(&text);
        if seconds.is_none() {
            self.error(
                key,
                format!("`{text}` is not a duration"),
                Some("write a number and a unit: 90s, 5m, 48h, 7d, 2w".to_owned()),
            );
        }
        seconds
    }

    /// Hands the table at `key` to `read`.
    pub fn table<T>(&self, key: &str, read: impl FnOnce(&Table<'_>) -> T) -> Option<T> {
        self.note(key, || Kind::Table);
        let Some(value) = self.ask(key) else {
            self.read_absent(key, read);
            return None;
        };
        match value.get_ref() {
            DeValue::Table(entries) => Some(read(&self.child_at(key, entries, value.span()))),
            _ => {
                self.wrong_type(value, key, "a table");
                None
            }
        }
    }

    /// Hands every table of the array at `key` to `read`; a lone table stands for an array of one.
    pub fn tables<T>(&self, key: &str, mut read: impl FnMut(&Table<'_>) -> T) -> Vec<T> {
        self.note(key, || Kind::Tables);
        let Some(value) = self.ask(key) else {
            self.read_absent(key, read);
            return Vec::new();
        };
        match value.get_ref() {
            DeValue::Table(entries) => vec![read(&self.child_at(key, entries, value.span()))],
            DeValue::Array(items) => items
                .iter()
                .filter_map(|item| match item.get_ref() {
                    DeValue::Table(entries) => {
                        Some(read(&self.child_at(key, entries, item.span())))
                    }
                    _ => {
                        self.wrong_type(item, key, "tables");
                        None
                    }
                })
                .collect(),
            _ => {
                self.wrong_type(value, key, "an array of tables");
                Vec::new()
            }
        }
    }

    /// Returns the scalar at `key` as text, whatever its type: for values compared with field values.
    pub fn opt_scalar(&self, key: &str) -> Option<String> {
        self.note(key, || Kind::Scalar);
        let value = self.ask(key)?;
        let text = scalar(value.get_ref());
        if text.is_none() {
            self.wrong_type(value, key, "a string, a number or a boolean");
        }
        text
    }

    /// Returns the scalars of the array at `key` as text.
    pub fn scalars(&self, key: &str) -> Vec<String> {
        self.note(key, || Kind::Scalars);
        let Some(value) = self.ask(key) else { return Vec::new() };
        let DeValue::Array(items) = value.get_ref() else {
            return scalar(value.get_ref()).into_iter().collect();
        };
        items.iter().filter_map(|item| scalar(item.get_ref())).collect()
    }

    /// Reports that `key` is missing.
    pub fn missing(&self, key: &str) {
        if !*self.lenient.borrow() {
            self.sink.error(&self.heading(), is_missing(key), None);
        }
    }

    fn no_such_choice<T>(&self, place: &Place, key: &str, text: &str, choices: &[(&str, T)]) {
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let hint = did_you_mean(text, words.iter().copied()).map_or_else(
            || format!("one of: {}", words.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        self.sink.error(place, format!("`{key}` cannot be `{text}`"), Some(hint));
    }

    fn child<'b>(&self, entries: &'b DeTable<'b>, span: Range<usize>) -> Table<'b> {
        let child = Table::new(entries, span, &self.place.file, &self.sink);
        *child.lenient.borrow_mut() = *self.lenient.borrow();
        child
    }

    fn child_at<'b>(&self, key: &str, entries: &'b DeTable<'b>, span: Range<usize>) -> Table<'b> {
        let mut child = self.child(entries, span);
        child.shape = self.shape_at(key);
        child
    }

    fn entry(&self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.entries.get(key)
    }

    fn ask(&self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        if let Some(shape) = &self.shape {
            shape.borrow_mut().ask(key);
        }
        self.asked.borrow_mut().insert(key.to_owned());
        self.entry(key)
    }

    fn wrong_type(&self, value: &Spanned<DeValue<'_>>, key: &str, expected: &str) {
        let found = value.get_ref().type_str();
        self.sink.error(
            &self.at(value.span()),
            format!("`{key}` must be {expected}, not {article} {found}", article = article(found)),
            None,
        );
    }

    fn at(&self, span: Range<usize>) -> Place {
        Place { file: self.place.file.clone(), span }
    }

    /// The first line of the table, so that a caret does not underline a whole section.
    fn heading(&self) -> Place {
        let text = &self.place.file.text;
        let start = self.place.span.start.min(text.len());
        let end = text[start..].find('\n').map_or(text.len(), |line| start + line);
        self.at(start..end.max(start))
    }
}

impl Drop for Table<'_> {
    fn drop(&mut self) {
        if *self.lenient.borrow() {
            return;
        }
        let asked = self.asked.borrow();
        for (key, _) in self.entries {
            let word = key.get_ref();
            if asked.contains(&**word) {
                continue;
            }
            let near = did_you_mean(word, asked.iter().map(String::as_str));
            if let Some(near) = near {
                // It is there, and misspelt: one mistake.
                self.sink.withdraw(&self.heading(), &is_missing(near));
            }
            let hint = near.map_or_else(
                || format!("known here: {}", asked.iter().cloned().collect::<Vec<_>>().join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            self.sink.error(&self.at(key.span()), format!("unknown key `{word}`"), Some(hint));
        }
    }
}

fn is_missing(key: &str) -> String {
    format!("`{key}` is missing")
}

/// Returns the seconds that `text` means: a whole number and one of `s`, `m`, `h`, `d`, `w`.
pub fn duration_seconds(text: &str) -> Option<i64> {
    let text = text.trim();
    let unit = text.chars().last()?;
    let factor = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return None,
    };
    let number: i64 = text[..text.len() - 1].trim().parse().ok()?;
    if number < 0 { None } else { number.checked_mul(factor) }
}

fn words<T>(choices: &[(&str, T)]) -> Vec<String> {
    choices.iter().map(|(word, _)| (*word).to_owned()).collect()
}

fn integer(value: &DeValue<'_>) -> Option<i64> {
    let number = value.as_integer()?;
    i64::from_str_radix(&number.as_str().replace('_', ""), number.radix()).ok()
}

fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Boolean(flag) => Some(flag.to_string()),
        DeValue::Float(float) => Some(float.as_str().replace('_', "")),
        other => integer(other).map(|whole| whole.to_string()),
    }
}

fn article(noun: &str) -> &'static str {
    if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, read: impl FnOnce(&Table<'_>)) -> Vec<String> {
        let sink = Sink::default();
        let file = RuleText { path: "rules/x.toml".into(), text: text.into() };
        document(&file, &sink, read);
        sink.take()
            .into_iter()
            .map(|found| {
                let hint = found.hint.map(|hint| format!(" ({hint})")).unwrap_or_default();
                format!("{}: {}{hint}", found.place.line(), found.message)
            })
            .collect()
    }

    #[test]
    fn every_mistake_is_found_in_one_pass() {
        let found = read("pionts = 3\nid = 7\ngroup = \"fitt\"\n", |table| {
            table.string("id");
            table.integer("points");
            table.opt_choice("group", &[("fit", 1), ("intent", 2)]);
        });
        assert_eq!(
            found,
            [
                "2: `id` must be a string in quotes, not an integer",
                "3: `group` cannot be `fitt` (did you mean `fit`?)",
                "1: unknown key `pionts` (did you mean `points`?)",
            ]
        );
    }

    #[test]
    fn a_syntax_error_is_reported_once() {
        let found = read("id = \n", |table| {
            table.string("id");
        });
        assert_eq!(found.len(), 1, "{found:?}");
    }

    #[test]
    fn durations_have_one_unit() {
        assert_eq!(duration_seconds("48h"), Some(172_800));
        assert_eq!(duration_seconds("2w"), Some(1_209_600));
        assert_eq!(duration_seconds("7"), None);
        assert_eq!(duration_seconds("-1d"), None);
    }
}
