//! An import can be undone exactly, and what is derived follows from what was received.

use super::workspace::{Workspace, assert_same_text, fixtures};

const ANNA: &str = "a1,2026-11-16T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,+48600000101,Przyklad,PL,Prosze o wycene,yes";
const ANNA_AGAIN: &str =
    "a2,2026-11-17T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,,Przyklad Nowy,PL,Pilne demo,no";
const ANNA_BY_PHONE: &str =
    "a3,2026-11-17T10:00:00Z,Anna Wzorcowa,ania@example.com,+48600000101,Inna,DE,Kiedy?,";
const JAN: &str =
    "j1,2026-11-16T10:00:00Z,Jan Testowski,jan@example.com,+48600000102,,PL,Ile to kosztuje?,no";
const EWA: &str =
    "e1,2026-11-17T11:00:00Z,Ewa Nowa,ewa@example.org,+48600000103,,DE,Demo bitte,yes";

/// What deciding again hangs on, and what was not taken in, which no view shows.
const KEPT_BESIDE_VIEWS: &[&str] = &[
    "rotation",
    "turn",
    "no_taker",
    "account_claim",
    "load",
    "look",
    "quarantine",
    "held",
    "seen",
];

/// Every view but the two that tell of undone runs and the two that tell what targets were given, which no undo takes
/// back; and [`KEPT_BESIDE_VIEWS`]; as text.
pub(super) fn views(workspace: &Workspace) -> String {
    let views = "SELECT name FROM sqlite_schema WHERE type = 'view'
                 AND name NOT IN ('runs', 'withdrawn', 'deliveries', 'dead_letters') ORDER BY 1";
    let mut names = workspace.sql(views).concat();
    assert!(names.len() > 8, "{names:?}");
    names.extend(KEPT_BESIDE_VIEWS.iter().map(|name| (*name).to_owned()));
    workspace.dump_of(&names)
}

/// What does not depend on numbers, which are not given out twice.
fn told_by_id(workspace: &Workspace) -> String {
    let mut text = String::new();
    for query in [
        "SELECT id, fields, score, segment, fit, intent, behavior, quality, owner, queue, routing_reason,
                n_submissions, first_submitted_at, last_submitted_at FROM leads ORDER BY id",
        "SELECT l.id, t.plan, t.step, t.channel, t.subject, t.due_at, t.state, t.because
         FROM tasks AS t JOIN leads AS l USING (lead_no) ORDER BY l.id, t.plan, t.step",
        "SELECT l.id, c.purpose, c.channel, c.state, c.said_at, c.wording, c.mechanism
         FROM consents AS c JOIN leads AS l USING (lead_no) ORDER BY 1, 2, 3, 4, 5, 6",
        "SELECT * FROM rotation ORDER BY queue, owner",
    ] {
        for row in workspace.sql(query) {
            text.push_str(&(row.join(" | ") + "\n"));
        }
    }
    text
}

/// What a lead is, whoever has it: turns that others took meanwhile are not taken from them.
pub(super) fn leads_without_owners(workspace: &Workspace) -> String {
    let query = "SELECT id, fields, score, segment, fit, intent, behavior, quality, n_submissions,
                        first_submitted_at, last_submitted_at FROM leads ORDER BY id";
    workspace.sql(query).into_iter().map(|row| row.join(" | ") + "\n").collect()
}

/// The instant of a night.
pub(super) fn night(number: usize) -> String {
    format!("2026-11-{:02}T21:00:00Z", 17 + number)
}

/// Takes one table in, in a file of its own, and returns the run's id.
pub(super) fn take_in(workspace: &Workspace, number: usize, rows: &[&str]) -> String {
    workspace.clear_or_make_inbox();
    workspace.table(&format!("night-{number}.csv"), rows);
    let outcome = workspace.done(&["run", "--json", "--as-of", &night(number)]);
    outcome.json()["run"].as_str().unwrap().to_owned()
}

#[track_caller]
pub(super) fn undo(workspace: &Workspace, run: &str) -> serde_json::Value {
    workspace.done(&["undo", run, "--json"]).json()
}

#[track_caller]
pub(super) fn assert_rebuild_changes_nothing(workspace: &Workspace) {
    let outcome = workspace.run(&["rebuild", "--check"]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    // Open tasks are counted without a look at their leads.
    let of_merged = "SELECT count(*) FROM task JOIN lead USING (lead_no)
                     WHERE state = 'open' AND merged_into IS NOT NULL";
    assert_eq!(workspace.number(of_merged), 0, "a merged lead has something to be done");
}

#[track_caller]
fn check_undone(first: &[&str], second: &[&str]) {
    let workspace = Workspace::new();
    take_in(&workspace, 1, first);
    let before = views(&workspace);
    let run = take_in(&workspace, 2, second);
    assert_ne!(views(&workspace), before, "the second run changed nothing: {second:?}");
    undo(&workspace, &run);
    assert_same_text("after the undo", &before, &views(&workspace));
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn an_undone_run_leaves_the_store_as_it_was() {
    check_undone(&[ANNA, JAN], &[EWA]);
    check_undone(&[ANNA, JAN], &[ANNA_AGAIN, EWA]);
    // Two leads that it merged.
    check_undone(
        &[ANNA, "a4,2026-11-16T09:30:00Z,Anna Wzorcowa,ania@example.com,,,PL,,"],
        &[ANNA_BY_PHONE],
    );
    // A switchboard that it found out.
    let phone = "+48221234567";
    check_undone(
        &[
            &format!("s1,2026-11-16T09:00:00Z,,,{phone},,PL,,"),
            &format!("s2,2026-11-16T10:00:00Z,Anna Wzorcowa,anna@przyklad.pl,{phone},,PL,,"),
        ],
        &[&format!("s3,2026-11-17T10:00:00Z,Piotr Inny,piotr@przyklad.pl,{phone},,PL,,")],
    );
    // Rows that it refused, and rows that it had seen before.
    check_undone(&[ANNA, JAN], &[JAN, "x1,2026-11-17T09:00:00Z,,,,,PL,Halo,"]);
}

#[test]
fn leads_that_were_merged_come_back_with_their_ids_owners_and_tasks() {
    let workspace = Workspace::new();
    take_in(
        &workspace,
        1,
        &[ANNA, JAN, "a4,2026-11-16T09:30:00Z,Anna Wzorcowa,ania@example.com,,,PL,,"],
    );
    let query = "SELECT id, owner, queue, segment FROM leads ORDER BY id";
    let before = workspace.sql(query);
    assert_eq!(before.len(), 3);
    let run = take_in(&workspace, 2, &[ANNA_BY_PHONE]);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 2, "it merged them");
    let summary = undo(&workspace, &run);
    assert_eq!(workspace.sql(query), before);
    assert_eq!(summary["withdrawn"], serde_json::Value::Null, "nobody is gone");
    // Both are in the CRM's file again: one was changed, the other had been taken away.
    let crm = workspace.latest("crm/leads.csv");
    assert_eq!(crm.lines().count(), 3, "{crm}");
}

#[test]
fn an_earlier_run_can_be_undone_and_later_ones_stay() {
    let workspace = Workspace::new();
    let first = take_in(&workspace, 1, &[ANNA, JAN]);
    take_in(&workspace, 2, &[ANNA_AGAIN, JAN, EWA]);
    let owner = "SELECT owner FROM leads WHERE email = 'ewa@example.org'";
    let before = workspace.sql(owner);
    let summary = undo(&workspace, &first);
    assert_eq!(summary["undo"]["kept"], 1, "Jan's row came with the second run, too: {summary}");
    let alone = Workspace::new();
    take_in(&alone, 2, &[ANNA_AGAIN, JAN, EWA]);
    assert_same_text("leads", &leads_without_owners(&alone), &leads_without_owners(&workspace));
    assert_eq!(alone.clusters_by_raw(), workspace.clusters_by_raw());
    assert_eq!(workspace.sql(owner), before, "whoever had a lead keeps it");
    assert_rebuild_changes_nothing(&workspace);
    let places = "SELECT input, line FROM submissions WHERE raw LIKE '%j1%'";
    assert_eq!(workspace.sql(places), [["./inbox/night-2.csv", "3"]]);
}

#[test]
fn the_same_file_can_be_imported_again_after_an_undo() {
    let never = Workspace::new();
    take_in(&never, 1, &[ANNA, JAN]);
    take_in(&never, 2, &[ANNA_AGAIN, EWA]);
    let undone = Workspace::new();
    take_in(&undone, 1, &[ANNA, JAN]);
    let run = take_in(&undone, 2, &[ANNA_AGAIN, EWA]);
    undo(&undone, &run);
    take_in(&undone, 2, &[ANNA_AGAIN, EWA]);
    assert_same_text("leads", &told_by_id(&never), &told_by_id(&undone));
    assert_rebuild_changes_nothing(&undone);
}

#[test]
fn a_lead_that_is_gone_is_told_and_known_and_can_come_back() {
    let workspace = Workspace::new();
    take_in(&workspace, 1, &[ANNA]);
    let run = take_in(&workspace, 2, &[EWA, ANNA_AGAIN]);
    let id = workspace.sql("SELECT id FROM leads WHERE email = 'ewa@example.org'")[0][0].clone();
    let summary = undo(&workspace, &run);
    assert_eq!(summary["withdrawn"][0]["lead"], id.as_str(), "{summary}");
    assert_eq!(workspace.run_json()["withdrawn"][0]["lead"], id.as_str());
    assert_eq!(workspace.latest("crm/withdrawn.csv"), format!("lead-id,now-in\n{id},\n"));
    assert!(workspace.latest("crm/leads.csv").contains("anna@przyklad.pl"), "the correction");
    let told = workspace.ok(&["explain", &id]).stdout;
    assert!(told.contains(&run) && told.contains("undone"), "{told}");
    let json = workspace.ok(&["explain", &id, "--json"]).json();
    assert_eq!(json["undone"]["run"], run.as_str());
    workspace.run(&["explain", "ewa@example.org"]).expect_code(2);
    take_in(&workspace, 3, &[EWA]);
    let back = workspace.ok(&["explain", &id, "--json"]).json();
    assert_eq!(back["lead"], id.as_str());
    assert!(workspace.latest("crm/leads.csv").contains(&id), "it is delivered again");
}

#[test]
fn a_lead_whose_other_rows_stay_says_where_they_are() {
    let workspace = Workspace::new();
    let run = take_in(&workspace, 1, &[ANNA]);
    let id = workspace.sql("SELECT id FROM leads")[0][0].clone();
    take_in(&workspace, 2, &[ANNA_AGAIN]);
    let summary = undo(&workspace, &run);
    let now = workspace.sql("SELECT id FROM leads")[0][0].clone();
    assert_ne!(now, id);
    assert_eq!(summary["withdrawn"][0]["now_in"][0], now.as_str(), "{summary}");
    assert!(workspace.ok(&["explain", &id]).stdout.contains(&now));
}

#[test]
fn the_ledger_keeps_what_was_undone_and_says_so() {
    let workspace = Workspace::new();
    take_in(&workspace, 1, &[JAN]);
    let run = take_in(&workspace, 2, &[EWA]);
    let all = "SELECT count(*) FROM consent_record";
    let (before, counting) =
        (workspace.number(all), workspace.number("SELECT count(*) FROM consents"));
    let given = workspace.number(
        "SELECT count(*) FROM consent_record AS c JOIN run AS r USING (run_no) WHERE r.run_no = 2",
    );
    assert!(given > 0);
    let summary = undo(&workspace, &run);
    assert_eq!(summary["undo"]["consents"], given);
    assert_eq!(workspace.number(all), before + given, "appended to, never edited");
    assert_eq!(workspace.number("SELECT count(*) FROM consents"), counting - given);
    let evidence =
        "SELECT DISTINCT payload ->> 'place' FROM consent_record JOIN consent_payload USING (seq)
                    WHERE state = 'undone'";
    assert_eq!(workspace.sql(evidence), [["./inbox/night-2.csv:2"]]);
    let store = rusqlite::Connection::open(workspace.path("leadmill.db")).unwrap();
    for edit in ["DELETE FROM consent_record", "UPDATE consent_record SET state = 'given'"] {
        assert!(store.execute(edit, []).unwrap_err().to_string().contains("append-only"), "{edit}");
    }
}

#[test]
fn mails_that_a_run_let_go_are_open_again() {
    let workspace = Workspace::new();
    take_in(&workspace, 1, &[ANNA, JAN]);
    let open = "SELECT count(*) FROM tasks WHERE state = 'open' AND channel = 'email'";
    let before = (views(&workspace), workspace.number(open));
    workspace.clear_or_make_inbox();
    workspace.table("late.csv", &[EWA]);
    let late = workspace.run(&["run", "--json", "--as-of", "2027-03-01T21:00:00Z"]).json();
    assert!(workspace.number(open) < before.1, "the late run lets stale mails go");
    undo(&workspace, late["run"].as_str().unwrap());
    assert_same_text("after the undo", &before.0, &views(&workspace));
}

#[test]
fn what_cannot_be_undone_is_refused_with_the_way_out() {
    let workspace = Workspace::new();
    workspace.run(&["undo", "2026-11-18-0001"]).expect_code(2).says(&["no store", "hint:"]);
    assert!(!workspace.path("leadmill.db").exists());
    let run = take_in(&workspace, 1, &[ANNA]);
    let before = workspace.dump();
    workspace.run(&["undo", "2026-11-18-0009"]).expect_code(2).says(&[
        "no run `2026-11-18-0009`",
        "hint:",
        &run,
    ]);
    assert_eq!(workspace.dump(), before);
    let undone = undo(&workspace, &run)["run"].as_str().unwrap().to_owned();
    workspace.run(&["undo", &undone]).expect_code(2).says(&[
        "is itself an undo",
        "hint:",
        "leadmill run ./inbox/night-1.csv",
    ]);
    workspace.run(&["undo", &run]).expect_code(2).says(&["was undone by run", &undone, "hint:"]);
}

#[test]
fn a_store_of_an_older_leadmill_keeps_its_ledger_and_says_why_it_cannot_be_undone() {
    let workspace = Workspace::new();
    let store = rusqlite::Connection::open(workspace.path("leadmill.db")).unwrap();
    store.execute_batch(include_str!("../../src/store/migrations/0001_first_store.sql")).unwrap();
    store
        .execute_batch(
            "PRAGMA application_id = 1279544652; PRAGMA user_version = 1;
             INSERT INTO run VALUES (1, '2026-11-18-0001', 0, 'abc', '0.1.0', 'published', '', 1, '{}');
             INSERT INTO input (input_no, run_no, sha256, name, source, encoding, header, bytes)
                 VALUES (1, 1, x'00', 'a.csv', 'generic-csv', 'utf-8', '[]', 9);
             INSERT INTO submission VALUES (1, 1, 1, 2, x'00', 0, NULL, 0, 0, '{}', NULL, NULL, '{}');
             INSERT INTO wording VALUES (1, x'00', 'Zgoda');
             INSERT INTO consent_record VALUES (1, 1, 1, 'marketing', 'email', 'given', 0, 1, 'checkbox');",
        )
        .unwrap();
    drop(store);
    let refused = workspace.run(&["undo", "2026-11-18-0001"]).expect_code(2);
    refused.says(&["older leadmill", "did not keep the rules", "hint:"]);
    assert_eq!(
        workspace.sql("SELECT state, wording, input FROM consents"),
        [["given", "Zgoda", "a.csv"]]
    );
    assert_eq!(
        workspace.sql("SELECT id, kind, undone_by FROM runs"),
        [["2026-11-18-0001", "import", "NULL"]]
    );
}

#[test]
fn reports_are_about_runs_that_stand() {
    let workspace = Workspace::new();
    take_in(&workspace, 1, &[ANNA, JAN]);
    let before = workspace.ok(&["report", "dropoff", "--format", "csv"]).stdout;
    let run = take_in(&workspace, 2, &[EWA]);
    assert_ne!(workspace.ok(&["report", "dropoff", "--format", "csv"]).stdout, before);
    undo(&workspace, &run);
    let after = workspace.ok(&["report", "dropoff", "--format", "csv"]).stdout;
    let rows = |text: &str| text.lines().find(|line| line.contains("received")).map(str::to_owned);
    assert_eq!(rows(&after), rows(&before));
    workspace
        .run(&["report", "dropoff", "--run", &run])
        .expect_code(2)
        .says(&["was undone", "hint:"]);
}

#[test]
fn a_run_s_drop_off_stays_as_it_was_published() {
    let workspace = Workspace::new();
    let run = take_in(&workspace, 1, &[ANNA, JAN]);
    let asked = ["report", "dropoff", "--run", &run, "--format", "csv"];
    let published = workspace.ok(&asked).stdout;
    let file = workspace.latest("dropoff.csv");
    let funnel = file.lines().filter_map(|line| line.strip_prefix("funnel,"));
    assert_same_text(
        "the run's file",
        &funnel.collect::<Vec<_>>().join("\n"),
        &published.lines().skip(1).collect::<Vec<_>>().join("\n"),
    );
    // Whatever a later run changes is that run's.
    take_in(&workspace, 2, &[ANNA_AGAIN, EWA]);
    assert_same_text("after a later run", &published, &workspace.ok(&asked).stdout);
    // An older leadmill kept none.
    workspace.edit("UPDATE run SET books = json_remove(books, '$.funnel')");
    workspace.run(&asked).expect_code(0).says(&["no drop-off was kept", "hint:", "dropoff.csv"]);
}

#[test]
fn a_dry_undo_says_what_would_change_and_changes_nothing() {
    let workspace = Workspace::new();
    take_in(&workspace, 1, &[ANNA]);
    let run = take_in(&workspace, 2, &[EWA]);
    let before = (workspace.dump(), workspace.published());
    let outcome = workspace.ok(&["undo", &run, "--dry-run"]);
    for words in ["would undo", "gone", "nothing was stored"] {
        assert!(outcome.stdout.contains(words), "{}", outcome.stdout);
    }
    assert_eq!((workspace.dump(), workspace.published()), before);
}

#[test]
fn what_the_next_run_would_take_in_again_is_said() {
    let workspace = Workspace::new();
    let run = take_in(&workspace, 1, &[ANNA]);
    let again = workspace.run(&["run", "--as-of", &night(2)]);
    assert!(again.stderr.contains("already imported"), "{}", again.stderr);
    let outcome = workspace.ok(&["undo", &run]);
    for words in ["still where the run found it", "later runs passed over", "inbox/night-1.csv"] {
        assert!(outcome.stderr.contains(words), "{}", outcome.stderr);
    }
    workspace.run(&["run", "--as-of", &night(3)]);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 1);
}

#[test]
fn every_run_of_the_fixtures_can_be_undone() {
    let mut files: Vec<_> = fixtures().into_iter().collect();
    files.sort_by_key(|(name, _)| name.split_once('/').unwrap().1.to_owned());
    let nights: Vec<&[(String, Vec<u8>)]> = files.chunks(files.len().div_ceil(3)).collect();
    let workspace = Workspace::new();
    let (mut runs, mut after) = (Vec::new(), Vec::new());
    for (number, night_files) in nights.iter().enumerate() {
        workspace.clear_or_make_inbox();
        for (name, bytes) in *night_files {
            workspace.input(name, bytes);
        }
        let outcome = workspace.run(&["run", "--json", "--as-of", &night(number)]);
        runs.push(outcome.json()["run"].as_str().unwrap().to_owned());
        after.push(views(&workspace));
    }
    assert_rebuild_changes_nothing(&workspace);
    undo(&workspace, &runs[2]);
    assert_same_text("without the third", &after[1], &views(&workspace));
    undo(&workspace, &runs[0]);
    assert_rebuild_changes_nothing(&workspace);
    let alone = Workspace::new();
    for (name, bytes) in nights[1] {
        alone.input(name, bytes);
    }
    alone.run(&["run", "--as-of", &night(1)]);
    assert_same_text(
        "only the second",
        &leads_without_owners(&alone),
        &leads_without_owners(&workspace),
    );
    undo(&workspace, &runs[1]);
    for view in
        ["leads", "submissions", "tasks", "consents", "events", "seen", "rotation", "match_key"]
    {
        assert_eq!(workspace.number(&format!("SELECT count(*) FROM {view}")), 0, "{view}");
    }
}

#[test]
fn a_rebuild_mends_what_was_tampered_with_and_says_what_it_was() {
    let workspace = Workspace::new();
    take_in(&workspace, 1, &[ANNA, JAN]);
    take_in(&workspace, 2, &[ANNA_AGAIN, EWA]);
    let before = views(&workspace);
    let runs = workspace.number("SELECT count(*) FROM run");
    workspace.ok(&["rebuild"]);
    assert_eq!(
        workspace.number("SELECT count(*) FROM run"),
        runs,
        "nothing to do, nothing in the books"
    );
    workspace.edit(
        "UPDATE lead SET score = 99 WHERE email = 'jan@example.com'; DELETE FROM task WHERE lead_no = 1",
    );
    let tampered = workspace.dump();
    workspace.run(&["rebuild", "--check"]).expect_code(70).says(&[
        "table lead",
        "score=99",
        "table task",
    ]);
    assert_eq!(workspace.dump(), tampered, "it only looked");
    workspace.ok(&["rebuild"]);
    assert_same_text("after the rebuild", &before, &views(&workspace));
    assert!(
        !workspace.latest("crm/leads.csv").contains("jan@example.com"),
        "no file ever had the wrong score, so there is none to mend"
    );
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn a_row_that_a_later_run_received_in_other_words_says_what_it_said_there() {
    let edited =
        "a1,2026-11-16T09:00:00Z,Anna Wzorcowa,jan@example.com,+48600000101,Inna,PL,Poprawka,no";
    let again = "a1,2026-11-16T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,+48600000101,Przyklad,PL,Prosze o wycene,yes";
    let jan = "j1,2026-11-16T10:00:00Z,,jan@example.com,,,PL,Ile to kosztuje?,no";
    let workspace = Workspace::new();
    let first = take_in(&workspace, 1, &[ANNA]);
    let second = take_in(&workspace, 2, &[edited, jan]);
    take_in(&workspace, 3, &[again, EWA]);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 3, "the first row counts");
    undo(&workspace, &first);
    assert_rebuild_changes_nothing(&workspace);
    let alone = Workspace::new();
    take_in(&alone, 2, &[edited, jan]);
    take_in(&alone, 3, &[again, EWA]);
    assert_same_text("leads", &leads_without_owners(&alone), &leads_without_owners(&workspace));
    let said = "SELECT purpose, channel, state, wording FROM consents ORDER BY 1, 2, 3, 4";
    assert_eq!(workspace.sql(said), alone.sql(said));
    undo(&workspace, &second);
    assert_rebuild_changes_nothing(&workspace);
    let alone = Workspace::new();
    take_in(&alone, 3, &[again, EWA]);
    assert_same_text("leads", &leads_without_owners(&alone), &leads_without_owners(&workspace));
    assert_eq!(workspace.sql(said), alone.sql(said));
}

#[test]
fn every_run_decides_anew_by_the_rules_it_had() {
    let workspace = Workspace::new();
    let run = take_in(&workspace, 1, &[ANNA, JAN]);
    take_in(&workspace, 2, &[ANNA_AGAIN]);
    let company = "SELECT company FROM leads WHERE company LIKE 'Przyklad%'";
    assert_eq!(workspace.sql(company), [["Przyklad Nowy"]]);
    let first = "[[survivorship]]\nid = \"company\"\nfields = [\"company\"]\nby = \"first\"\n\
                 because = \"Whoever came first knew best\"\n";
    workspace.file("rules/identity.toml", first);
    assert_rebuild_changes_nothing(&workspace);
    let before = views(&workspace);
    let third = take_in(&workspace, 3, &[ANNA_BY_PHONE, EWA]);
    assert_eq!(workspace.sql(company), [["Przyklad"]], "the new rules count from the third run on");
    assert_rebuild_changes_nothing(&workspace);
    undo(&workspace, &third);
    assert_same_text("after the undo", &before, &views(&workspace));
    undo(&workspace, &run);
    assert_rebuild_changes_nothing(&workspace);
    assert_eq!(workspace.sql(company), [["Przyklad Nowy"]]);
}

#[test]
fn no_address_and_no_number_that_a_lead_was_given_is_lost() {
    let workspace = Workspace::new();
    take_in(&workspace, 1, &[ANNA]);
    take_in(&workspace, 2, &[ANNA_BY_PHONE]);
    let query =
        "SELECT kind, value, first_seen, last_seen, source FROM identifiers ORDER BY kind, value";
    let rows = [
        [
            "email",
            "ania@example.com",
            "2026-11-17T10:00:00Z",
            "2026-11-17T10:00:00Z",
            "generic-csv",
        ],
        [
            "email",
            "anna@przyklad.pl",
            "2026-11-16T09:00:00Z",
            "2026-11-16T09:00:00Z",
            "generic-csv",
        ],
        ["phone", "+48600000101", "2026-11-16T09:00:00Z", "2026-11-17T10:00:00Z", "generic-csv"],
    ];
    assert_eq!(workspace.sql(query), rows);
    let told = workspace.ok(&["explain", "ania@example.com", "--json"]).json();
    let identifiers = told["identifiers"].as_array().unwrap();
    let values: Vec<&str> = identifiers.iter().map(|one| one["value"].as_str().unwrap()).collect();
    assert_eq!(values, rows.map(|row| row[1]));
    assert_eq!(
        workspace.ok(&["explain", "anna@przyklad.pl", "--json"]).json()["lead"],
        told["lead"]
    );
}

#[test]
fn a_row_that_came_back_mended_is_open_again_when_that_is_undone() {
    let workspace = Workspace::new();
    take_in(&workspace, 1, &[ANNA, "x1,2026-11-17T09:00:00Z,Ewa Inna,,,,PL,Halo,"]);
    let before = workspace.ok(&["quarantine"]).stdout;
    let folder = workspace.path("fix").display().to_string();
    workspace.ok(&["quarantine", "export", &folder]);
    let fixed: Vec<_> = std::fs::read_dir(workspace.path("fix")).unwrap().collect();
    let path = fixed[0].as_ref().unwrap().path();
    let text =
        std::fs::read_to_string(&path).unwrap().replace("Ewa Inna,,", "Ewa Inna,inna@example.com,");
    std::fs::write(&path, text).unwrap();
    let run = workspace.run(&["run", "fix", "--json"]).json()["run"].as_str().unwrap().to_owned();
    assert_ne!(workspace.ok(&["quarantine"]).stdout, before, "the row came back");
    undo(&workspace, &run);
    assert_eq!(workspace.ok(&["quarantine"]).stdout, before);
}

#[test]
fn a_lead_that_speaks_in_a_later_runs_words_since_an_undo_is_delivered_again() {
    let moved = "a1,2026-11-16T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,+48600000199,Przyklad,PL,Prosze o wycene,yes";
    let workspace = Workspace::new();
    let first = take_in(&workspace, 1, &[ANNA]);
    take_in(&workspace, 2, &[moved, EWA]);
    let phone = "SELECT phone FROM leads WHERE email = 'anna@przyklad.pl'";
    assert_eq!(workspace.sql(phone), [["+48600000101"]], "the first row counts");
    let summary = undo(&workspace, &first);
    assert_eq!(workspace.sql(phone), [["+48600000199"]]);
    assert_eq!(summary["leads"]["updated"], 1, "{summary}");
    let crm = workspace.latest("crm/leads.csv");
    assert!(crm.contains("+48600000199") && !crm.contains("ewa@example.org"), "{crm}");
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn what_a_run_let_go_of_a_lead_that_was_merged_since_is_let_go_by_a_later_one() {
    let workspace = Workspace::new();
    let row = |id: u32, name: &str, day: u32| {
        format!("{id},2026-11-{day}T09:00:00Z,{name},{id}@example.com,,,PL,,")
    };
    workspace.table("a.csv", &[&row(1, "Anna Wzorcowa", 16), &row(2, "Piotr Nowak", 16)]);
    workspace.done(&["run", "--as-of", "2026-11-17T09:00:00Z"]);
    // By then nobody is thanked any more.
    workspace.table("b.csv", &[&row(3, "Ewa Kos", 20)]);
    workspace.done(&["run", "--as-of", "2026-11-20T19:00:00Z"]);
    assert!(workspace.number("SELECT count(*) FROM task WHERE expired_run = 2") > 1);
    let leads =
        workspace.sql("SELECT id FROM leads WHERE email <> '3@example.com' ORDER BY id").concat();
    workspace.done(&["merge", &leads[0], &leads[1], "--as-of", "2026-11-20T20:00:00Z"]);
    undo(&workspace, "2026-11-20-0002");
    assert_eq!(workspace.number("SELECT count(*) FROM task WHERE expired_run = 2"), 0);
    assert_rebuild_changes_nothing(&workspace);
}
