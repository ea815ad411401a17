//! Scores from end to end: grades, models, missing values, and how a score came to be.

use super::undo::assert_rebuild_changes_nothing;
use super::workspace::{Workspace, assert_fits_a_terminal};

const SEGMENTS: &str = "[segment.cold]\naction = 'wait'\n[segment.warm]\naction = 'write today'\n\
     [segment.hot]\naction = 'call at once'\n";

const MATRIX: &str = "[matrix.fit]\nA = 40\nB = 20\n[matrix.engagement]\n1 = 40\n2 = 20\n\
     [matrix.cells]\nA1 = { segment = 'hot' }\nA2 = { segment = 'hot', action = 'write, then call' }\n\
     A3 = { segment = 'warm' }\nB1 = { segment = 'hot' }\nB2 = { segment = 'warm' }\n\
     B3 = { segment = 'cold' }\nC1 = { segment = 'warm' }\nC2 = { segment = 'cold' }\n\
     C3 = { segment = 'cold' }\n";

const MODELS: &str = "[[model]]\nid = 'abroad'\nname = 'Abroad'\nbecause = 'Not from Poland'\n\
     when = { field = 'country', is-not = 'PL' }\n\
     [[model]]\nid = 'home'\nname = 'At home'\nbecause = 'From Poland, or nobody knows'\n";

const RULES: &str = "\
[[score]]\nid = 'poland'\ngroup = 'fit'\npoints = 45\nmodels = ['home']\nbecause = 'Poland'\n\
when = { field = 'country', is = 'PL' }\n\
[[score]]\nid = 'large'\ngroup = 'fit'\npoints = 20\nmissing = -3\nbecause = 'Large company'\n\
when = { field = 'employees', at-least = 250 }\n\
[[score]]\nid = 'quote'\ngroup = 'intent'\npoints = 30\nbecause = 'Asked for a quote'\n\
when = { field = 'message', contains = 'wycen' }\n\
[[score]]\nid = 'again'\ngroup = 'behavior'\npoints = 15\nbecause = 'Wrote again'\n\
when = { field = 'n-submissions', at-least = 2 }\n";

const ANNA: &str = "1,2026-11-19 09:00:00,Anna Nowak,anna@przyklad.pl,+48600000101,Przykład,PL,Proszę o WYCENĘ,yes";
const HANS: &str = "2,2026-11-19 09:05:00,Hans Muster,hans@beispiel.de,+4915112345678,Beispiel,DE,Angebot bitte,no";

fn workspace(scoring: &str) -> Workspace {
    let workspace = Workspace::new();
    workspace.file("rules/scoring.toml", scoring).table("a.csv", &[ANNA, HANS]);
    workspace
}

/// Returns the cell of the lead with this address in `crm/leads.csv`.
fn cell(workspace: &Workspace, email: &str, header: &str) -> Option<String> {
    let rows = workspace.leads_csv();
    rows.iter().find(|row| row["email"] == email).unwrap().get(header).cloned()
}

/// Fails unless `explain` says every one of `words` of Anna, wherever the lines are wrapped.
#[track_caller]
fn assert_told(workspace: &Workspace, words: &[&str]) {
    let told = workspace.ok(&["explain", "anna@przyklad.pl"]);
    assert_fits_a_terminal(&told.stdout);
    for word in words {
        assert!(told.flat().contains(word), "explain does not say {word:?}: {}", told.stdout);
    }
}

#[test]
fn a_matrix_grades_leads_and_says_what_to_do() {
    let workspace =
        workspace(&format!("{SEGMENTS}{MATRIX}{}", RULES.replace("models = ['home']\n", "")));
    workspace.ok(&["run"]);
    let anna = |header| cell(&workspace, "anna@przyklad.pl", header);
    assert_eq!(anna("grade").as_deref(), Some("A2"));
    assert_eq!(anna("segment").as_deref(), Some("hot"));
    assert_eq!(anna("action").as_deref(), Some("write, then call"));
    assert_eq!(anna("model"), None, "there are no models");
    let reasons = anna("score-reasons").unwrap();
    assert_eq!(reasons, "Poland (+45); Asked for a quote (+30); No employees given (-3)");
    assert_eq!(cell(&workspace, "hans@beispiel.de", "grade").as_deref(), Some("C3"));
    assert_told(
        &workspace,
        &["score 72 (hot, A2)", "what to do: write, then call", "No employees given"],
    );
    let grades = workspace.sql("SELECT grade, segment FROM scores ORDER BY grade");
    assert_eq!(grades, [["A2", "hot"], ["C3", "cold"]]);
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn every_model_keeps_a_score_and_one_decides() {
    let workspace = workspace(&format!(
        "{}{MODELS}{RULES}",
        SEGMENTS
            .replace("'write today'", "'write today'\nfrom = 40")
            .replace("once'", "once'\nfrom = 70")
    ));
    workspace.ok(&["run"]);
    let anna = |header| cell(&workspace, "anna@przyklad.pl", header);
    assert_eq!(anna("model").as_deref(), Some("home"));
    assert_eq!(anna("model-scores").as_deref(), Some("home=72; abroad=27"));
    assert_eq!((anna("segment").as_deref(), anna("grade")), (Some("hot"), None));
    assert_eq!(
        cell(&workspace, "hans@beispiel.de", "model-scores").as_deref(),
        Some("abroad=0; home=0")
    );
    assert_told(
        &workspace,
        &["scored as At home (home): From Poland, or nobody knows", "abroad 27"],
    );
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn explain_tells_what_changed_a_score() {
    let scoring = format!(
        "{}{}",
        SEGMENTS
            .replace("'write today'", "'write today'\nfrom = 40")
            .replace("once'", "once'\nfrom = 70"),
        RULES.replace("models = ['home']\n", "")
    );
    let workspace = workspace(&scoring);
    workspace.ok(&["run"]);
    workspace
        .file("rules/scoring.toml", scoring.replace("points = 30", "points = 25"))
        .clear_inbox()
        .table(
            "b.csv",
            &["3,2026-11-22 09:00:00,Anna Nowak,anna@przyklad.pl,,,PL,Kiedy wycena?,yes"],
        );
    workspace.ok(&["run", "--as-of", "2026-11-23T19:00:00Z"]);
    let told = workspace.ok(&["explain", "anna@przyklad.pl", "--json"]).json();
    let [now, before] = &told["decisions"].as_array().unwrap()[..] else { panic!("{told}") };
    assert_eq!((&now["score"], &before["score"]), (&82.into(), &72.into()));
    let change = &now["change"];
    assert_eq!(change["points"], 10);
    assert_eq!(change["seconds_passed"], 3 * 86_400);
    assert_eq!(change["other_rules"], true);
    let rules: Vec<String> =
        change["rules"].as_array().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(
        rules,
        [r#"{"rule":"again","before":0,"now":15}"#, r#"{"rule":"quote","before":30,"now":25}"#]
    );
    assert_ne!(now["rules"], before["rules"]);
    assert_told(
        &workspace,
        &[
            "how the score changed:",
            "10 more than before; again now gives +15; quote gives +25, not +30; 3 d 0 h later; rules",
            "at first",
        ],
    );
}
