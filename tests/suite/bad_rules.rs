//! Mistakes in rules: one folder for each message that people see, all of them said at once.
//!
//! `fixtures/errors/<name>/rules/` lies over the shipped rules; `expected.txt` is what `check` says.

use std::fs;
use std::path::PathBuf;

use super::workspace::{Workspace, assert_same_text, files_below, package};

/// Makes a workspace with the rules of a case and a good input.
fn with_rules(case: &str) -> Workspace {
    let workspace = Workspace::new();
    let rules = files_below(&folder().join(case).join("rules"));
    assert!(!rules.is_empty(), "{case} has no rules");
    for (name, bytes) in rules {
        workspace.file(&format!("rules/{name}"), bytes);
    }
    workspace.table("good.csv", &["1,2026-11-18T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,,,PL,,"]);
    workspace
}

fn folder() -> PathBuf {
    package().join("fixtures/errors")
}

fn cases() -> Vec<String> {
    let mut cases: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    cases.sort();
    assert!(cases.len() >= 12, "{cases:?}");
    cases
}

#[test]
fn check_says_every_mistake_with_its_place_and_the_way_out() {
    let bless = std::env::var_os("LEADMILL_BLESS").is_some();
    let mut differing = Vec::new();
    for case in cases() {
        let workspace = with_rules(&case);
        let outcome = workspace.run(&["check"]);
        assert_eq!(outcome.code, 2, "{case}: {}{}", outcome.stdout, outcome.stderr);
        assert!(outcome.stderr.contains("rules/"), "{case} names no file: {}", outcome.stderr);
        assert!(
            !outcome.stderr.contains('\u{1b}'),
            "{case}: colors, and nobody is there to see them"
        );
        let path = folder().join(&case).join("expected.txt");
        if bless {
            fs::write(&path, &outcome.stderr).unwrap();
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        if expected != outcome.stderr {
            differing.push((case, expected, outcome.stderr));
        }
    }
    if let Some((case, expected, found)) = differing.first() {
        let names: Vec<&str> = differing.iter().map(|(case, ..)| case.as_str()).collect();
        eprintln!("{names:?} differ; LEADMILL_BLESS=1 writes them anew. {case}:\n{found}");
        assert_same_text(case, expected, found);
    }
}

#[test]
fn a_run_with_mistaken_rules_reads_and_writes_nothing() {
    for case in cases() {
        // Their rules compile; only what they are meant to do is not what they do.
        if case.starts_with("failing-") {
            continue;
        }
        let workspace = with_rules(&case);
        let outcome = workspace.run(&["run"]).expect_code(2).says(&["rules/"]);
        assert_eq!(outcome.stdout, "", "{case}");
        assert!(!workspace.path("leadmill.db").exists(), "{case} made a store");
        assert!(!workspace.path("out").exists(), "{case} made output");
    }
}

#[test]
fn check_says_the_same_to_programs_and_to_workflows() {
    let workspace = with_rules("unknown-queue");
    let told = workspace.run(&["check", "--format", "json"]).expect_code(2).json();
    assert_eq!(told["rules"], serde_json::Value::Null);
    let mistakes = told["mistakes"].as_array().unwrap();
    let mistake = mistakes.iter().find(|one| one["severity"] == "error").unwrap();
    let (line, column) = (&mistake["place"]["line"], &mistake["place"]["column"]);
    assert_eq!(mistake["place"]["file"], "rules/routing.toml");
    let said = workspace.run(&["check"]).stderr;
    assert!(said.contains(&format!("rules/routing.toml:{line}:{column}")), "{said}");
    let annotated = workspace.run(&["check", "--format", "github"]).expect_code(2).stdout;
    let message = mistake["message"].as_str().unwrap();
    let expected = format!("::error file=rules/routing.toml,line={line},col={column}::{message}");
    assert!(annotated.contains(&expected), "{annotated}");
    assert!(annotated.lines().all(|line| line.starts_with("::")), "{annotated}");

    let workspace = with_rules("failing-test");
    let told = workspace.run(&["check", "--format", "json"]).expect_code(2).json();
    let failed = &told["tests"]["failed"][0];
    assert!(!failed["differences"].as_array().unwrap().is_empty(), "{told}");
    let annotated = workspace.run(&["check", "--format", "github"]).expect_code(2).stdout;
    let name = failed["name"].as_str().unwrap();
    assert!(annotated.contains(&format!("::test `{name}` failed%0A")), "{annotated}");
}

#[test]
fn check_says_which_plans_and_steps_no_test_covers() {
    const MAIL: &str =
        "channel = 'email'\npurpose = 'marketing'\nafter = '24h'\nsubject = 'x'\nbecause = 'x'\n";
    const CALL: &str = "channel = 'call'\nafter = '1h'\nsubject = 'x'\nbecause = 'x'\n";
    let plan = |id: &str, segments: &str| {
        format!(
            "[[plan]]\nid = '{id}'\nsegments = [{segments}]\nbecause = 'x'\n\
             [[plan.step]]\nid = 'mail'\n{MAIL}[[plan.step]]\nid = 'call'\n{CALL}"
        )
    };
    let workspace = Workspace::new();
    let plans = plan("some", "'cold'") + &plan("others", "'warm', 'hot'");
    workspace.file("rules/followup.toml", plans);
    for test in ["scoring", "routing"] {
        workspace.file(&format!("rules/tests/{test}.toml"), "");
    }
    let test = |facts: &str| {
        format!(
            "[[test]]\nname = 'x'\ngiven = {{ email = 'a@b.pl', phone = '+48600000101'{facts} }}\nexpect = {{ segment = 'cold' }}\n"
        )
    };
    workspace.file("rules/tests/own.toml", test(""));
    let told = workspace.run(&["check", "--format", "json"]).expect_code(0).json();
    assert_eq!(told["untested"]["plans"], serde_json::json!(["others"]));
    // The mail is left out for want of a consent, so nobody saw it planned.
    assert_eq!(told["untested"]["steps"], serde_json::json!(["some/mail"]));
    workspace.file("rules/tests/own.toml", test(", consent-marketing-email = true"));
    let told = workspace.run(&["check", "--format", "json"]).expect_code(0).json();
    assert_eq!(told["untested"]["steps"], serde_json::json!([]));
    let said = workspace.ok(&["check"]).stdout;
    assert!(said.contains("no test covers these plans: others"), "{said}");
}

#[test]
fn the_tests_of_the_shipped_rules_leave_none_out() {
    let said = Workspace::new().ok(&["check"]).stdout;
    assert!(!said.contains("no test covers"), "{said}");
}

#[test]
fn a_mistake_is_shown_in_the_file_as_it_lies_on_the_disk() {
    let workspace = with_rules("unknown-queue");
    fs::rename(workspace.path("rules"), workspace.path("next-rules")).unwrap();
    let next = ["check", "--rules", "next-rules"];
    workspace.run(&next).expect_code(2).says(&["--> next-rules/routing.toml:"]);
    let annotated = workspace.run(&[&next[..], &["--format", "github"]].concat()).stdout;
    assert!(annotated.contains("::error file=next-rules/routing.toml,"), "{annotated}");
    fs::create_dir(workspace.path("sales")).unwrap();
    fs::rename(workspace.path("next-rules"), workspace.path("sales/rules")).unwrap();
    for command in ["check", "leads"] {
        workspace
            .run(&[command, "--workspace", "sales"])
            .expect_code(2)
            .says(&["--> sales/rules/routing.toml:"]);
    }
    let workspace = with_rules("failing-test");
    fs::rename(workspace.path("rules"), workspace.path("next-rules")).unwrap();
    workspace.run(&next).expect_code(2).says(&["next-rules/tests/"]);
}

#[test]
fn what_depends_on_a_file_that_cannot_be_read_is_not_checked_against_it() {
    for name in ["scoring", "routing", "fields", "consent", "followup", "workspace"] {
        let workspace = Workspace::new();
        workspace.ok(&["init"]);
        let path = format!("rules/{name}.toml");
        let text = fs::read_to_string(workspace.path(&path)).unwrap();
        workspace.file(&path, format!("x = \n{text}"));
        let told = workspace.run(&["check"]).expect_code(2).stderr;
        let places: Vec<&str> = told.lines().filter(|line| line.contains("--> ")).collect();
        assert_eq!(places.len(), 1, "{name}: {told}");
    }
}

#[cfg(unix)]
#[test]
fn rules_that_cannot_be_read_are_named_with_what_is_wrong() {
    let workspace = Workspace::new();
    workspace.file("rules/scoring.toml", b"# \xff\n");
    workspace.run(&["check"]).expect_code(2).says(&["rules/scoring.toml is not UTF-8", "hint:"]);
    fs::remove_file(workspace.path("rules/scoring.toml")).unwrap();
    std::os::unix::fs::symlink("scoring.toml", workspace.path("rules/scoring.toml")).unwrap();
    let told = workspace.run(&["check"]).stderr;
    assert!(told.contains("cannot read ") && !told.contains("UTF-8"), "{told}");
}
