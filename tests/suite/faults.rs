//! `tests/FAULTS.md` against the tests that there are: every fault has a row, and every row is held by tests.

use std::collections::BTreeSet;
use std::fs;

use super::workspace::package;

/// Faults of the model, F1 to this one.
const FAULTS: usize = 34;

struct Row {
    number: String,
    cells: Vec<String>,
    tests: Vec<String>,
}

fn rows() -> Vec<Row> {
    let text = fs::read_to_string(package().join("tests/FAULTS.md")).unwrap();
    let mut rows = Vec::new();
    for line in text.lines().filter(|line| line.starts_with("| F")) {
        let cells: Vec<String> =
            line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect();
        assert_eq!(cells.len(), 5, "fault, what, behaviour, tests, reached: {line}");
        let quoted = cells[3].split('`').skip(1).step_by(2).map(str::to_owned);
        rows.push(Row { number: cells[0].clone(), tests: quoted.collect(), cells });
    }
    rows
}

/// Returns the names of the tests in a file.
fn tests_in(text: &str) -> BTreeSet<&str> {
    let mut is_test = false;
    let mut found = BTreeSet::new();
    for line in text.lines().map(str::trim) {
        if line == "#[test]" {
            is_test = true;
        } else if let Some(rest) = line.strip_prefix("fn ") {
            if is_test {
                found.extend(rest.split('(').next());
            }
            is_test = false;
        }
    }
    found
}

/// Returns whether there is a test of this name: `crash::a_run…` in the suite, `intake::tests::a_cut…` in a room.
fn exists(path: &str) -> bool {
    let Some((module, name)) = path.rsplit_once("::") else { return false };
    let file = module.replace("::", "/");
    [format!("tests/suite/{file}.rs"), format!("src/{file}.rs"), format!("src/{file}/mod.rs")]
        .iter()
        .filter_map(|path| fs::read_to_string(package().join(path)).ok())
        .any(|text| tests_in(&text).contains(name))
}

#[test]
fn every_fault_has_a_row_that_tests_hold() {
    let rows = rows();
    let numbers: Vec<&str> = rows.iter().map(|row| row.number.as_str()).collect();
    let expected: Vec<String> = (1..=FAULTS).map(|number| format!("F{number}")).collect();
    assert_eq!(numbers, expected);
    for row in &rows {
        assert!(!row.tests.is_empty(), "{} is held by no test", row.number);
        assert!(
            row.cells.iter().all(|cell| cell.len() > 1),
            "{} leaves something open",
            row.number
        );
        for test in &row.tests {
            assert!(exists(test), "{}: there is no test `{test}`", row.number);
        }
    }
}

#[test]
fn a_test_that_is_not_there_would_be_noticed() {
    assert!(exists("faults::every_fault_has_a_row_that_tests_hold"));
    assert!(exists("intake::tests::a_cut_file_is_refused_or_ends_at_a_row"));
    for path in ["faults::exists", "faults::no_such_test", "no_such_module::x", "x"] {
        assert!(!exists(path), "{path}");
    }
}
