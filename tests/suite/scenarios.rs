//! Scenarios: a folder with an inbox, rules over the shipped ones, steps, and the files expected.
//!
//! `fixtures/scenarios/<case>/scenario.toml` says what happens; `compare` names the files that the
//! last run must have published, byte for byte, and every step's stdout may be expected, too.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::workspace::{Workspace, assert_same_text, files_below, package};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Scenario {
    /// What it shows.
    because: String,
    step: Vec<Step>,
    /// Files of the last run, compared with `expected/`.
    #[serde(default)]
    compare: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Step {
    as_of: String,
    args: Vec<String>,
    #[serde(default)]
    exit_code: i32,
    /// Stdout is compared with this file of `expected/`.
    stdout: Option<String>,
}

fn folder() -> PathBuf {
    package().join("fixtures/scenarios")
}

#[track_caller]
fn check(case: &str) {
    let folder = folder().join(case);
    let text = fs::read_to_string(folder.join("scenario.toml")).unwrap();
    let scenario: Scenario =
        toml::from_str(&text).unwrap_or_else(|fault| panic!("{case}: {fault}"));
    assert!(!scenario.because.is_empty(), "{case} does not say what it shows");
    let workspace = Workspace::new();
    // The scenarios' own few rules for scoring and routing: what the shipped ones say is no matter here.
    for (name, bytes) in files_below(&self::folder().join("rules")) {
        workspace.file(&format!("rules/{name}"), bytes);
    }
    for part in ["inbox", "rules"] {
        for (name, bytes) in files_below(&folder.join(part)) {
            workspace.file(&format!("{part}/{name}"), bytes);
        }
    }
    let mut compared = 0;
    for step in &scenario.step {
        let mut args: Vec<&str> = step.args.iter().map(String::as_str).collect();
        args.extend(["--as-of", &step.as_of]);
        let outcome = workspace.run(&args);
        assert_eq!(outcome.code, step.exit_code, "{case} {args:?}: {}", outcome.stderr);
        if let Some(name) = &step.stdout {
            compare(&folder, case, name, &outcome.stdout.replace(&rules_hash(&workspace), "RULES"));
            compared += 1;
        }
    }
    let contacted = workspace.ok(&["consent", "gaps", "--contacted", "--format", "json"]);
    assert_eq!(contacted.stdout.trim(), "[]", "{case}: somebody was contacted without a consent");
    for name in &scenario.compare {
        let found = fs::read(workspace.path("out/latest").join(name))
            .unwrap_or_else(|fault| panic!("{case}: {name}: {fault}"));
        compare(&folder, case, name, std::str::from_utf8(&found).unwrap());
        compared += 1;
    }
    assert!(compared > 0, "{case} compares nothing");
    let there = files_below(&folder.join("expected")).len();
    assert_eq!(there, compared, "{case}: files in expected/ that nothing is compared with");
}

/// Which rules decided: it changes with every word of them and says nothing about the case.
fn rules_hash(workspace: &Workspace) -> String {
    if !workspace.path("out/latest/run.json").exists() {
        return "no run yet".to_owned();
    }
    workspace.run_json()["rules_hash"].as_str().unwrap().to_owned()
}

#[track_caller]
fn compare(folder: &Path, case: &str, name: &str, found: &str) {
    let path = folder.join("expected").join(name);
    if std::env::var_os("LEADMILL_BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, found).unwrap();
    }
    let expected = fs::read_to_string(&path)
        .unwrap_or_else(|fault| panic!("{}: {fault}; LEADMILL_BLESS=1 writes it", path.display()));
    assert_same_text(&format!("{case}: {name}"), &expected, found);
}

#[test]
fn no_scenario_is_forgotten() {
    let this = include_str!("scenarios.rs");
    let mut seen = 0;
    for entry in fs::read_dir(folder()).unwrap() {
        let entry = entry.unwrap();
        if !entry.path().join("scenario.toml").exists() {
            continue;
        }
        let name = entry.file_name().to_string_lossy().into_owned();
        seen += 1;
        assert!(this.contains(&format!("check(\"{name}\")")), "nothing runs {name}");
    }
    assert!(seen >= 6, "{seen} scenarios");
}

#[test]
fn one_person_from_two_sources_becomes_one_lead_that_says_where_each_value_is_from() {
    check("two-sources-one-person");
}

#[test]
fn colleagues_behind_one_switchboard_stay_apart() {
    check("switchboard");
}

#[test]
fn blank_is_no_consent_and_a_refusal_stops_the_mail() {
    check("consent-blank-and-refused");
}

#[test]
fn last_years_leads_get_no_mail() {
    check("late-backfill");
}

#[test]
fn the_night_the_clocks_go_back_moves_no_promise() {
    check("dst-night");
}

#[test]
fn a_polish_spreadsheet_is_read_as_its_author_meant_it() {
    check("polish-excel");
}

#[test]
fn people_of_one_company_are_linked_and_stay_leads_of_their_own() {
    check("one-company");
}

#[test]
fn who_comes_back_for_the_prices_becomes_hot_by_the_log_of_the_site() {
    check("came-back-for-prices");
}

#[test]
fn every_target_gets_the_bytes_that_its_import_takes() {
    check("every-target");
}
