//! Other rules can be tried on all leads, and applied: the one says exactly what the other does.

use std::collections::BTreeMap;
use std::fs;

use proptest::prelude::*;

use super::small_world::{row, runner, texts};
use super::undo::{assert_rebuild_changes_nothing, take_in, undo};
use super::workspace::{Workspace, assert_fits_a_terminal, assert_same_text};

const LATER: &str = "2026-11-24T08:00:00Z";

/// Rule sets that differ in points, thresholds, routes, pools, plans and in what becomes of owners.
const VARIANTS: usize = 5;

/// Writes the shipped rules with changes into `folder` of the workspace.
fn write_rules(workspace: &Workspace, folder: &str, variant: usize) {
    let source = super::workspace::package().join("rules");
    let read = |name: &str| fs::read_to_string(source.join(name)).unwrap();
    let change = |name: &str, from: &str, to: &str| {
        let text = read(name);
        assert!(text.contains(from), "{name} no longer has `{from}`");
        workspace.file(&format!("{folder}/{name}"), text.replace(from, to));
    };
    match variant {
        0 => change("workspace.toml", "[limits]", "# nothing decides otherwise\n[limits]"),
        1 => change("scoring.toml", "from = 40", "from = 15"),
        2 => change(
            "routing.toml",
            "pool = [{ owner = \"marek\", weight = 2 }, { owner = \"ola\", weight = 1 }]",
            "pool = [{ owner = \"anna\", weight = 2 }, { owner = \"ola\", weight = 1 }]",
        ),
        3 => {
            change("routing.toml", "keep-owner = true", "keep-owner = false");
            change("followup.toml", "after = \"24h\"", "after = \"26h\"");
        }
        _ => {
            change("scoring.toml", "from = 70", "from = 45");
            change("followup.toml", "max-age = \"3d\"", "max-age = \"9d\"");
        }
    }
}

type Held = BTreeMap<String, [String; 4]>;

/// What holds of every lead: score, segment, owner and queue by id.
fn held(workspace: &Workspace) -> Held {
    let rows = workspace.sql("SELECT id, score, segment, owner, queue FROM leads ORDER BY id");
    let text = |cell: &String| if cell == "NULL" { String::new() } else { cell.clone() };
    rows.iter().map(|row| (row[0].clone(), [1, 2, 3, 4].map(|at| text(&row[at])))).collect()
}

fn open_tasks(workspace: &Workspace) -> BTreeMap<String, String> {
    let rows = workspace.sql(
        "SELECT l.id || '/' || t.plan || '/' || t.step, t.due_at || ' ' || t.subject || ' ' || t.channel
         FROM tasks AS t JOIN leads AS l USING (lead_no) WHERE t.state = 'open' ORDER BY 1",
    );
    rows.into_iter().map(|mut row| (row.remove(0), row.remove(0))).collect()
}

/// Rows of a CSV by their first cell.
fn by_lead(csv: &str) -> BTreeMap<String, Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(csv.as_bytes());
    let rows = reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect());
    rows.map(|row: Vec<String>| (row[0].clone(), row)).collect()
}

#[test]
fn what_a_simulation_says_is_what_a_rescore_does() {
    let mut runner = runner(4);
    let worlds = (
        prop::collection::vec(row(), 14),
        0..VARIANTS,
        0..VARIANTS,
        any::<bool>(),
        prop::option::of(15..18_u8),
    );
    let outcome = runner.run(&worlds, |(rows, first, second, reroute, since)| {
        let rows = texts(rows);
        let texts: Vec<&str> = rows.iter().map(String::as_str).collect();
        let workspace = Workspace::new();
        write_rules(&workspace, "rules", first);
        write_rules(&workspace, "tried", second);
        take_in(&workspace, 1, &texts[..9]);
        take_in(&workspace, 2, &texts[5..]);
        let before = (workspace.dump(), held(&workspace), open_tasks(&workspace));
        let bytes = fs::read(workspace.path("leadmill.db")).unwrap();

        let tried = workspace.path("tried");
        let tried = tried.to_str().unwrap();
        let since = since.map(|day| format!("2026-11-{day}"));
        let mut options = vec!["--rules", tried, "--as-of", LATER];
        options.extend(reroute.then_some("--reroute"));
        options.extend(since.iter().flat_map(|since| ["--since", since]));
        let ask = |words: &[&str]| workspace.done(&[words, &options].concat());
        let said = ask(&["simulate", "--format", "json"]).json();
        let listed = by_lead(&ask(&["simulate", "--format", "csv", "--threads", "3"]).stdout);
        prop_assert_eq!(&fs::read(workspace.path("leadmill.db")).unwrap(), &bytes);
        assert_same_text("a simulated store", &before.0, &workspace.dump());

        let done = ask(&["rescore", "--json"]).json();
        for (figure, value) in done["rescore"].as_object().unwrap() {
            prop_assert_eq!(value, &said[figure], "{}", figure);
        }
        assert_eq!(said["changed"], listed.len(), "{listed:?}");
        let after = held(&workspace);
        for (id, was) in &before.1 {
            let is = &after[id];
            let told = listed.get(id);
            prop_assert!(told.is_some() || was == is, "{} changed unsaid: {:?} {:?}", id, was, is);
            if let Some(row) = told {
                for (at, column) in [2, 4, 6, 8].into_iter().enumerate() {
                    prop_assert_eq!([&row[column], &row[column + 1]], [&was[at], &is[at]]);
                }
            }
        }
        let tasks = open_tasks(&workspace);
        let opened = tasks.keys().filter(|key| !before.2.contains_key(*key)).count();
        let moved =
            tasks.iter().filter(|(key, is)| before.2.get(*key).is_some_and(|was| was != *is));
        prop_assert_eq!(&said["tasks"]["opened"], opened);
        prop_assert_eq!(&said["tasks"]["moved"], moved.count());

        assert_rebuild_changes_nothing(&workspace);
        let again = ask(&["simulate", "--format", "json"]).json();
        prop_assert_eq!(&again["changed"], 0, "a rescore leaves nothing to rescore: {}", again);
        take_in(&workspace, 8, &texts[..3]);
        assert_rebuild_changes_nothing(&workspace);
        undo(&workspace, done["run"].as_str().unwrap());
        assert_rebuild_changes_nothing(&workspace);
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn a_rescore_that_is_undone_leaves_the_store_as_it_was() {
    let workspace = Workspace::with_fixtures();
    workspace.ok(&["run"]);
    write_rules(&workspace, "tried", 4);
    let before = (held(&workspace), open_tasks(&workspace));
    let rules = workspace.path("tried");
    let rules = rules.to_str().unwrap();
    let run = workspace.ok(&["rescore", "--json", "--rules", rules]).json();
    assert!(run["leads"]["updated"].as_u64().unwrap() > 5, "{run}");
    assert_ne!(held(&workspace), before.0);
    let id = run["run"].as_str().unwrap();
    let leads = workspace.latest("crm/leads.csv");
    assert_eq!(leads.lines().count() as u64 - 1, run["leads"]["updated"].as_u64().unwrap());
    undo(&workspace, id);
    assert_eq!((held(&workspace), open_tasks(&workspace)), before);
    assert_rebuild_changes_nothing(&workspace);
    let again = workspace.run(&["undo", id]);
    again.expect_code(2).says(&["leadmill rescore"]);
}

#[test]
fn a_rescore_gives_the_same_bytes_with_any_number_of_threads() {
    let made = |threads: &str| {
        let workspace = Workspace::with_fixtures();
        workspace.ok(&["run"]);
        write_rules(&workspace, "rules", 1);
        workspace.ok(&["rescore", "--reroute", "--threads", threads]);
        workspace
    };
    let (one, four) = (made("1"), made("4"));
    assert_same_text("the store", &one.dump(), &four.dump());
    assert_eq!(one.published(), four.published());
}

#[test]
fn mail_that_was_let_go_is_not_sent_after_all_and_open_mail_stays() {
    let workspace = Workspace::new();
    let jan = "j1,2026-11-16T10:00:00Z,Jan Testowski,jan@example.com,,,PL,Prosze o wycene,yes";
    let ewa = "e1,2026-11-18T20:30:00Z,Ewa Nowa,ewa@example.org,,,PL,Prosze o wycene,yes";
    take_in(&workspace, 1, &[jan]);
    take_in(&workspace, 2, &[ewa]);
    let mails = "SELECT l.email, t.step, t.state FROM tasks AS t JOIN leads AS l USING (lead_no)
                 WHERE t.channel = 'email' ORDER BY 1, 2";
    // By now Jan's confirmation is too old; more age allowed does not bring it back.
    workspace.ok(&["run", "--as-of", "2026-11-20T21:00:00Z"]);
    let before = workspace.sql(mails);
    let with_state = |state: &str| before.iter().filter(|row| row[2] == state).collect::<Vec<_>>();
    assert!(!with_state("too-old").is_empty(), "{before:?}");
    assert!(!with_state("open").is_empty(), "{before:?}");
    write_rules(&workspace, "rules", 4);
    workspace.ok(&["rescore", "--as-of", "2026-11-20T21:00:00Z"]);
    let after = workspace.sql(mails);
    for row in with_state("too-old").into_iter().chain(with_state("open")) {
        assert!(after.contains(row), "{row:?} is otherwise in {after:?}");
    }
}

#[test]
fn a_simulation_reads_while_a_run_holds_the_store_and_says_why() {
    let workspace = Workspace::with_fixtures();
    workspace.ok(&["run"]);
    write_rules(&workspace, "tried", 4);
    let lock = fs::File::open(workspace.path("leadmill.db.lock")).unwrap();
    lock.lock().unwrap();
    let rules = workspace.path("tried");
    let rules = rules.to_str().unwrap();
    let outcome = workspace.ok(&["simulate", "--rules", rules]);
    assert_fits_a_terminal(&outcome.stdout);
    for words in ["threshold", "70 → 45", "leads that change", "nothing was written"] {
        assert!(outcome.stdout.contains(words), "{words}: {}", outcome.stdout);
    }
    let page = workspace.ok(&["simulate", "--rules", rules, "--format", "html"]).stdout;
    assert!(page.starts_with("<!doctype html>\n"), "{page}");
    assert!(page.contains("70 → 45") && !page.contains("<script"), "{page}");
    workspace.run(&["rescore", "--rules", rules]).expect_code(4);
}

#[test]
fn the_rule_report_knows_how_often_each_rule_fired_and_which_never_did() {
    let workspace = Workspace::with_fixtures();
    workspace.ok(&["run"]);
    let report = workspace.ok(&["report", "rules", "--format", "csv"]).stdout;
    let (rules, routes) = report.split_at(report.find("route,").unwrap());
    for (id, row) in by_lead(rules) {
        let is_rule = format!("json_extract(c.value, '$[0]') = '{id}'");
        let query = format!(
            "SELECT count(DISTINCT d.lead_no) FROM decision AS d, json_each(d.contributions) AS c
             JOIN lead AS l ON l.lead_no = d.lead_no AND l.merged_into IS NULL WHERE {is_rule}"
        );
        if id != "cap" {
            assert_eq!(row[3], workspace.number(&query).to_string(), "{id}");
        }
        assert_eq!(row[6].is_empty(), row[3] == "0", "{id}: {row:?}");
    }
    let leads: i64 = by_lead(routes).values().map(|row| row[2].parse::<i64>().unwrap()).sum();
    assert_eq!(leads, workspace.number("SELECT count(*) FROM leads"));

    // A rule that nobody meets is dead, one that is gone stays in the books of the leads that have it.
    let scoring =
        fs::read_to_string(super::workspace::package().join("rules/scoring.toml")).unwrap();
    let scoring = scoring.replace("\"full-name\"", "\"called-in-full\"");
    workspace.file("rules/scoring.toml", scoring);
    let dead = workspace.ok(&["report", "rules", "--dead"]).stdout;
    assert!(dead.contains("called-in-full (no run yet)"), "{dead}");
    let report = by_lead(&workspace.ok(&["report", "rules", "--format", "csv"]).stdout);
    assert_eq!(report["full-name"][2], "");
    workspace.ok(&["rescore"]);
    let report = by_lead(&workspace.ok(&["report", "rules", "--format", "csv"]).stdout);
    assert_eq!(report["full-name"][3], "0");
    assert_ne!(report["called-in-full"][3], "0");
}
