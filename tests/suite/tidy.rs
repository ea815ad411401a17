//! The shape of the code: floors, lengths, what is embedded, what must not be left behind.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use super::workspace::package;

/// Rooms by floor: a room imports only lower floors, and never a room of its own.
const FLOORS: &[&[&str]] = &[
    &["model"],
    &["rules"],
    &["normalization", "identity", "consent", "scoring", "routing", "followup"],
    &["intake", "store", "delivery", "sending", "report"],
    &["pipeline", "receiving"],
    &["cli"],
];

/// A file that is longer has two subjects. 600 is what we aim for; the store's listing, one query after
/// another, is a little above.
const FILE_LINES_MAX: usize = 650;
/// A function that is longer does not fit a screen and a half. The longest are tables in disguise:
/// one struct with a line for each of its fields.
const FUNCTION_LINES_MAX: usize = 90;

/// A source file and its path in the package.
struct Source {
    path: String,
    text: String,
}

impl Source {
    /// Returns the text before its unit tests, which may do as they like.
    fn code(&self) -> &str {
        self.text.split("#[cfg(test)]\nmod tests {").next().unwrap()
    }

    fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.starts_with("tests/")
    }
}

fn sources(folder: &str) -> Vec<Source> {
    let found: Vec<Source> = files(&package().join(folder))
        .into_iter()
        .filter(|path| path.extension().is_some_and(|kind| kind == "rs"))
        .map(|path| Source { text: fs::read_to_string(&path).unwrap(), path: in_package(&path) })
        .collect();
    assert!(!found.is_empty(), "no sources in {folder}");
    found
}

fn in_package(path: &Path) -> String {
    path.strip_prefix(package()).unwrap().display().to_string().replace('\\', "/")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if name != "target" && name != ".git" {
                    folders.push(path);
                }
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn floor_of(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

/// Returns the rooms that a text names after `crate::`, with the line of each.
fn imports(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.split("//").next().unwrap();
        for part in line.split("crate::").skip(1) {
            let room: String =
                part.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            found.push((number + 1, room));
        }
    }
    found
}

#[track_caller]
fn assert_none(problems: &str) {
    assert!(problems.is_empty(), "\n{problems}");
}

#[test]
fn a_room_imports_only_lower_floors() {
    let (mut problems, mut seen) = (String::new(), 0);
    let mut rooms = BTreeSet::new();
    for source in sources("src") {
        let Some((room, _)) = source.path["src/".len()..].split_once('/') else { continue };
        let floor = floor_of(room).unwrap_or_else(|| panic!("{}: which floor?", source.path));
        rooms.insert(room.to_owned());
        if source.is_test() {
            continue;
        }
        for (line, imported) in imports(source.code()) {
            let Some(theirs) = floor_of(&imported) else { continue };
            seen += 1;
            if imported != room && theirs >= floor {
                writeln!(problems, "{}:{line}: {room} must not import {imported}", source.path)
                    .unwrap();
            }
        }
    }
    assert_eq!(rooms.len(), FLOORS.iter().map(|floor| floor.len()).sum::<usize>(), "{rooms:?}");
    assert!(seen > 100, "only {seen} imports found: the test is blind");
    assert_none(&problems);
}

/// Fails where a file below the command line holds one of `words` outside comments.
#[track_caller]
fn check_only_cli(words: &[&str]) {
    let mut problems = String::new();
    let mut in_cli = 0;
    for source in sources("src") {
        for (number, line) in source.code().lines().enumerate() {
            let line = line.split("//").next().unwrap();
            for word in words.iter().filter(|word| line.contains(**word)) {
                if source.path.starts_with("src/cli/") {
                    in_cli += 1;
                } else {
                    writeln!(problems, "{}:{}: {word}", source.path, number + 1).unwrap();
                }
            }
        }
    }
    assert!(in_cli > 0, "not even the command line does it: the test is blind");
    assert_none(&problems);
}

#[test]
fn only_the_command_line_prints() {
    check_only_cli(&["println!", "print!(", "eprint!(", "dbg!(", "io::stdout()", "io::stderr()"]);
}

#[test]
fn only_the_command_line_reads_the_clock() {
    check_only_cli(&["Utc::now", "Local::now", "SystemTime::now", "Instant::now"]);
}

#[test]
fn every_rule_file_is_embedded_and_every_embedded_file_exists() {
    let listed: BTreeSet<String> = leadmill::rules::embedded::FILES
        .iter()
        .map(|(path, text)| {
            assert_eq!(*text, fs::read_to_string(package().join(path)).unwrap(), "{path}");
            (*path).to_owned()
        })
        .collect();
    let there: BTreeSet<String> = files(&package().join("rules"))
        .iter()
        .map(|path| in_package(path))
        .filter(|path| path.ends_with(".toml") || path.ends_with(".txt"))
        .collect();
    assert_eq!(listed, there);
}

#[test]
fn files_and_functions_stay_short() {
    let mut problems = String::new();
    for source in sources("src").into_iter().chain(sources("tests")) {
        let length = source.text.lines().count();
        if length > FILE_LINES_MAX {
            writeln!(problems, "{}: {length} lines, at most {FILE_LINES_MAX}", source.path)
                .unwrap();
        }
        for (line, length) in functions(&source.text) {
            if length > FUNCTION_LINES_MAX {
                let path = &source.path;
                writeln!(problems, "{path}:{line}: {length} lines, at most {FUNCTION_LINES_MAX}")
                    .unwrap();
            }
        }
    }
    assert_none(&problems);
}

/// Returns the first line and the length of every function, as rustfmt lays them out: a function ends
/// with the first closing brace as far to the left as it began.
fn functions(text: &str) -> Vec<(usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let words = ["pub(crate) ", "pub(super) ", "pub ", "const ", "async "];
        let bare = words.iter().fold(code, |code, word| code.strip_prefix(word).unwrap_or(code));
        if !bare.starts_with("fn ") || code.ends_with(';') {
            continue;
        }
        let end = format!("{}}}", &line[..line.len() - code.len()]);
        if code.ends_with('}') {
            continue;
        }
        if let Some(length) = lines[number..].iter().position(|line| *line == end) {
            found.push((number + 1, length + 1));
        }
    }
    found
}

#[test]
fn functions_are_found_where_they_are() {
    let text = "fn one() {\n    a();\n}\n\nimpl X {\n    pub fn two(\n    ) {\n    }\n    fn none(&self);\n}\n";
    assert_eq!(functions(text), [(1, 3), (6, 3)]);
    let all: usize = sources("src").iter().map(|source| functions(&source.text).len()).sum();
    assert!(all > 500, "only {all} functions in src: the test is blind");
}

#[test]
fn nothing_is_left_to_be_done_later() {
    // Put together here, so that this file does not find itself.
    let words = [["to", "do!("], ["unimple", "mented!("], ["FIX", "ME"], ["XX", "X"]]
        .map(|word| word.concat());
    let mut problems = String::new();
    for source in sources("src").into_iter().chain(sources("tests")) {
        for (number, line) in source.text.lines().enumerate() {
            if words.iter().any(|word| line.contains(word.as_str())) {
                writeln!(problems, "{}:{}: {}", source.path, number + 1, line.trim()).unwrap();
            }
        }
    }
    assert_none(&problems);
}

#[test]
fn no_text_names_a_folder_of_somebodys_machine() {
    let words = [["/wo", "rk/"], ["/ho", "me/"], ["/Us", "ers/"], ["C:\\Us", "ers"]]
        .map(|word| word.concat());
    let (mut problems, mut looked_at) = (String::new(), 0);
    for path in files(package()) {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let name = in_package(&path);
        // Only the project: not what tools leave beside it.
        if name.split('/').any(|part| part.starts_with('.') && part != ".github" && part != ".ci") {
            continue;
        }
        looked_at += 1;
        for (number, line) in text.lines().enumerate() {
            // A web address may have such a part.
            if line.contains("://") {
                continue;
            }
            if words.iter().any(|word| line.contains(word.as_str())) {
                writeln!(problems, "{name}:{}: {}", number + 1, line.trim()).unwrap();
            }
        }
    }
    assert!(looked_at > 150);
    assert_none(&problems);
}

#[test]
fn every_rule_says_why() {
    let (mut problems, mut rules) = (String::new(), 0);
    for (path, text) in leadmill::rules::embedded::FILES {
        if !path.ends_with(".toml") || path.starts_with("rules/tables/") {
            continue;
        }
        let parsed: toml::Value =
            toml::from_str(text).unwrap_or_else(|fault| panic!("{path}: {fault}"));
        check_because(path, "", &parsed, &mut rules, &mut problems);
    }
    assert!(rules > 80, "only {rules} rules");
    assert_none(&problems);
}

/// People, and lists that only name things, are no rules.
const NO_RULES: &[&str] = &["owner", "field", "target", "labels"];

fn check_because(
    path: &str,
    kind: &str,
    value: &toml::Value,
    rules: &mut u32,
    problems: &mut String,
) {
    match value {
        toml::Value::Table(table) => {
            if let Some(id) = table.get("id")
                && !NO_RULES.contains(&kind)
            {
                *rules += 1;
                let because =
                    table.get("because").and_then(toml::Value::as_str).unwrap_or_default();
                if because.trim().is_empty() {
                    writeln!(problems, "{path}: {kind} {id} does not say why").unwrap();
                }
            }
            for (key, inner) in table {
                check_because(path, key, inner, rules, problems);
            }
        }
        toml::Value::Array(array) => {
            for inner in array {
                check_because(path, kind, inner, rules, problems);
            }
        }
        _ => {}
    }
}
