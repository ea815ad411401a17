//! The promises: nothing evaporates, same in same out, again is free, weak evidence stays weak.

use std::collections::BTreeMap;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

use super::small_world::{self, row, runner};
use super::workspace::{Workspace, assert_same_files, assert_same_text, fixtures, table};

const ANNA: &str = "a1,2026-11-18T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,+48600000101,Przyklad,PL,Prosze o wycene,yes";
const ANNA_AGAIN: &str =
    "a2,2026-11-19T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,,Przyklad,PL,Kiedy?,";
const JAN: &str =
    "j1,2026-11-18T10:00:00Z,Jan Testowski,jan@example.com,+48600000102,,PL,Ile to kosztuje?,no";
const EWA: &str =
    "e1,2026-11-19T11:00:00Z,Ewa Nowa,ewa@example.org,+48600000103,,DE,Demo bitte,yes";

/// How many leads, submissions, tasks and consent records there are.
fn counts(workspace: &Workspace) -> Vec<i64> {
    ["leads", "submissions", "tasks", "consents"]
        .map(|view| workspace.number(&format!("SELECT count(*) FROM {view}")))
        .to_vec()
}

/// What the shuffling of rows and files must not change about the leads.
fn canonical_leads(workspace: &Workspace) -> String {
    lines(workspace.sql(
        "SELECT id, fields, score, segment, fit, intent, behavior, quality, owner, queue, \
         routing_reason, n_submissions, first_submitted_at, last_submitted_at FROM leads ORDER BY id",
    ))
}

/// What does not depend on the order of nights: ids given out stay, and so do owners.
fn leads_whenever_they_came(workspace: &Workspace) -> String {
    lines(workspace.sql(
        "SELECT fields, score, segment, fit, intent, behavior, quality, n_submissions, \
         first_submitted_at, last_submitted_at FROM leads ORDER BY fields, first_submitted_at",
    ))
}

fn lines(rows: Vec<Vec<String>>) -> String {
    rows.into_iter().map(|row| row.join(" | ") + "\n").collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[track_caller]
fn outcomes_of(rows: &serde_json::Value) -> (u64, u64) {
    let count = |name: &str| rows[name].as_u64().unwrap_or_else(|| panic!("{name} in {rows}"));
    let outcomes = ["created", "merged", "repeated", "quarantined", "held", "touches", "skipped"];
    (count("read"), outcomes.iter().map(|name| count(name)).sum())
}

#[test]
fn every_row_read_has_exactly_one_outcome() {
    let workspace = Workspace::fixtures_run();
    let run = workspace.run_json();
    let (read, outcomes) = outcomes_of(&run["rows"]);
    assert_eq!(read, outcomes, "the run's books");
    let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
    for input in run["inputs"].as_array().unwrap() {
        let (read, outcomes) = outcomes_of(&input["rows"]);
        assert_eq!(read, outcomes, "the books of {}", input["name"]);
        for (name, count) in input["rows"].as_object().unwrap() {
            *sums.entry(name).or_default() += count.as_u64().unwrap();
        }
    }
    for (name, sum) in sums {
        assert_eq!(run["rows"][name].as_u64(), Some(sum), "{name} summed over the inputs");
    }
    let stored = workspace.number(
        "SELECT (SELECT count(*) FROM submission) + (SELECT count(*) FROM quarantine) \
         + (SELECT count(*) FROM held) + (SELECT count(*) FROM touch) + (SELECT count(*) FROM repeat)",
    );
    let skipped = run["rows"]["skipped"].as_u64().unwrap();
    assert_eq!(stored as u64 + skipped, read, "the store against the run");
}

#[test]
fn the_drop_off_report_adds_up_at_every_step_and_source() {
    let workspace = Workspace::fixtures_run();
    let text = workspace.latest("dropoff.csv");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let (mut seen, mut read) = (0, 0);
    for record in reader.records() {
        let record = record.unwrap();
        if &record[3] == "unknown" {
            continue;
        }
        let figure = |at: usize| record[at].parse::<u64>().unwrap();
        assert_eq!(figure(3), figure(4) + figure(5), "{record:?}");
        seen += 1;
        if &record[0] == "source" {
            read += figure(3);
        }
    }
    assert!(seen > 15, "only {seen} lines in {text}");
    assert_eq!(workspace.run_json()["rows"]["read"].as_u64(), Some(read), "rows over the sources");
}

#[test]
fn every_lead_has_an_owner_or_a_queue_and_every_submission_a_lead() {
    let workspace = Workspace::fixtures_run();
    assert!(workspace.number("SELECT count(*) FROM leads") > 100);
    let nowhere =
        "SELECT count(*) FROM leads WHERE coalesce(owner, '') = '' AND coalesce(queue, '') = ''";
    assert_eq!(workspace.number(nowhere), 0);
    assert_eq!(workspace.number("SELECT count(*) FROM submissions WHERE lead_no IS NULL"), 0);
    assert_eq!(workspace.number("SELECT count(*) FROM leads WHERE routing_reason = ''"), 0);
    let known = "SELECT count(*) FROM submissions AS s LEFT JOIN leads AS l USING (lead_no) WHERE l.id IS NULL";
    assert_eq!(workspace.number(known), 0);
}

#[test]
fn the_same_file_again_adds_nothing_whatever_its_name_and_compression() {
    let workspace = Workspace::with_fixtures();
    workspace.ok(&["run"]);
    let before = (counts(&workspace), canonical_leads(&workspace));
    workspace.ok(&["run"]);
    assert_eq!((counts(&workspace), canonical_leads(&workspace)), before, "the same files");
    workspace.clear_inbox();
    for (name, bytes) in fixtures() {
        let (folder, file) = name.split_once('/').unwrap();
        workspace.input(&format!("{folder}/again-{file}.gz"), gzip(&bytes));
    }
    workspace.ok(&["run"]);
    assert_eq!((counts(&workspace), canonical_leads(&workspace)), before, "renamed and gzipped");
    assert_eq!(workspace.run_json()["rows"]["read"], 0, "known files are not read again");
}

#[test]
fn an_appended_export_adds_only_its_new_rows() {
    let workspace = Workspace::new();
    workspace.table("leads.csv", &[ANNA, JAN]);
    workspace.ok(&["run"]);
    assert_eq!(workspace.number("SELECT count(*) FROM submissions"), 2);
    workspace.table("leads.csv", &[ANNA, JAN, EWA]);
    workspace.ok(&["run"]);
    let rows = &workspace.run_json()["rows"];
    assert_eq!((rows["repeated"].as_u64(), rows["created"].as_u64()), (Some(2), Some(1)), "{rows}");
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 3);
    assert_eq!(workspace.number("SELECT count(*) FROM submissions"), 3);
}

#[test]
fn overlapping_exports_count_each_row_once() {
    let workspace = Workspace::new();
    workspace.table("monday.csv", &[ANNA, JAN]).table("tuesday.csv", &[JAN, EWA]);
    workspace.ok(&["run"]);
    assert_eq!(workspace.number("SELECT count(*) FROM submissions"), 3);
    assert_eq!(workspace.run_json()["rows"]["repeated"], 1);
}

/// Returns the records of a CSV or the lines of a JSONL file in another order, the header first.
fn reversed(name: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(bytes).ok()?;
    if name.ends_with(".jsonl") {
        let mut lines: Vec<&str> = text.lines().collect();
        lines.reverse();
        return Some((lines.join("\n") + "\n").into_bytes());
    }
    // Title lines and totals belong where they are.
    if name.contains("targi") {
        return None;
    }
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    let mut records: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().ok()?;
    if records[0].len() < 4 {
        return None;
    }
    records[1..].reverse();
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    for record in &records {
        writer.write_record(record).unwrap();
    }
    Some(writer.into_inner().unwrap())
}

#[test]
fn shuffled_rows_and_files_give_the_same_leads() {
    let straight = Workspace::fixtures_run();
    let shuffled = Workspace::new();
    let mut turned = 0;
    for (number, (name, bytes)) in fixtures().iter().enumerate() {
        let (folder, file) = name.split_once('/').unwrap();
        let back = reversed(name, bytes);
        turned += u32::from(back.is_some());
        let bytes = back.unwrap_or_else(|| bytes.clone());
        shuffled.input(&format!("{:02}-{folder}/{file}", 99 - number), bytes);
    }
    assert!(turned >= 6, "only {turned} files turned");
    shuffled.ok(&["run"]);
    assert_same_text("leads", &canonical_leads(straight), &canonical_leads(&shuffled));
    let rows = |workspace: &Workspace| workspace.run_json()["rows"].clone();
    assert_eq!(rows(straight), rows(&shuffled));
}

#[test]
fn one_thread_and_eight_give_the_same_bytes() {
    let [one, eight] = ["1", "8"].map(|threads| {
        let workspace = Workspace::with_fixtures();
        workspace.ok(&["run", "--threads", threads]);
        workspace
    });
    assert_same_files(&one.published(), &eight.published());
    assert_same_text("store", &one.dump(), &eight.dump());
}

#[test]
fn the_same_inputs_give_the_same_bytes_in_another_workspace() {
    let (here, there) = (Workspace::fixtures_run(), Workspace::with_fixtures());
    there.ok(&["run"]);
    assert_same_files(&here.published(), &there.published());
    assert_same_text("store", &here.dump(), &there.dump());
}

#[test]
fn two_nights_give_the_same_bytes_in_another_workspace() {
    let [here, there] = [(), ()].map(|()| {
        let workspace = Workspace::new();
        workspace.table("monday.csv", &[ANNA, JAN]);
        workspace.ok(&["run"]);
        workspace.table("tuesday.csv", &[ANNA_AGAIN, JAN, EWA]);
        workspace.ok(&["run", "--as-of", "2026-11-21T06:00:00Z"]);
        workspace
    });
    assert_eq!(here.published().keys().filter(|name| name.ends_with("run.json")).count(), 2);
    assert_same_files(&here.published(), &there.published());
    assert_same_text("store", &here.dump(), &there.dump());
}

#[test]
fn one_run_for_each_input_forms_the_same_leads_as_one_run_for_all() {
    let batch = Workspace::fixtures_run();
    let nightly = Workspace::with_fixtures();
    for (name, _) in fixtures().into_iter().rev() {
        let outcome = nightly.run(&["run", "--quiet", &format!("./inbox/{name}")]);
        assert!([0, 3].contains(&outcome.code), "{name}: {}", outcome.stderr);
    }
    assert_eq!(batch.clusters(), nightly.clusters());
    assert_same_text(
        "leads",
        &leads_whenever_they_came(batch),
        &leads_whenever_they_came(&nightly),
    );
}

#[test]
fn a_returning_lead_keeps_its_id_and_owner() {
    let workspace = Workspace::new();
    workspace.table("monday.csv", &[ANNA, JAN, EWA]);
    workspace.ok(&["run", "--as-of", "2026-11-18T12:00:00Z"]);
    let query = "SELECT id, owner FROM leads WHERE email = 'anna@przyklad.pl'";
    let before = workspace.sql(query);
    assert_ne!(before[0][1], "NULL", "she has an owner");
    workspace.table("tuesday.csv", &[ANNA_AGAIN]);
    workspace.ok(&["run", "--as-of", "2026-11-19T12:00:00Z"]);
    assert_eq!(workspace.sql(query), before);
    let submissions = "SELECT n_submissions FROM leads WHERE email = 'anna@przyklad.pl'";
    assert_eq!(workspace.number(submissions), 2);
}

#[test]
fn ids_survive_a_new_store_fed_with_the_same_rows() {
    let [first, second] = [["a.csv", "b.csv"], ["y.csv", "x.csv"]].map(|names| {
        let workspace = Workspace::new();
        workspace.table(names[0], &[ANNA, JAN]).table(names[1], &[ANNA_AGAIN, EWA]);
        workspace.ok(&["run"]);
        workspace.sql("SELECT email, id FROM leads ORDER BY email")
    });
    assert_eq!(first.len(), 3);
    assert_eq!(first, second);
}

/// Fails unless the two rows form as many leads as expected.
#[track_caller]
fn check_leads(expected: i64, first: &str, second: &str) {
    let workspace = Workspace::new();
    workspace.table("leads.csv", &[first, second]);
    workspace.ok(&["run"]);
    assert_eq!(workspace.number("SELECT count(*) FROM submissions"), 2, "{first} / {second}");
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), expected, "{first} / {second}");
}

#[test]
fn a_shared_key_does_not_merge_two_people() {
    // A switchboard.
    check_leads(
        2,
        "1,2026-11-18T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,+48221234567,,PL,,",
        "2,2026-11-18T10:00:00Z,Piotr Inny,piotr@przyklad.pl,+48221234567,,PL,,",
    );
    // The mailbox of a function.
    check_leads(
        2,
        "1,2026-11-18T09:00:00Z,Anna Wzorcowa,info@przyklad.pl,,,PL,,",
        "2,2026-11-18T10:00:00Z,Piotr Inny,info@przyklad.pl,,,PL,,",
    );
    // A placeholder.
    check_leads(
        2,
        "1,2026-11-18T09:00:00Z,Anna Wzorcowa,brak@brak.pl,+48600000101,,PL,,",
        "2,2026-11-18T10:00:00Z,Piotr Inny,brak@brak.pl,+48600000102,,PL,,",
    );
}

#[test]
fn a_key_of_one_person_merges() {
    check_leads(
        1,
        "1,2026-11-18T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,,,PL,,",
        "2,2026-11-18T10:00:00Z,WZORCOWA Anna, ANNA@Przyklad.PL,,,PL,,",
    );
    check_leads(
        1,
        "1,2026-11-18T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,600 000 101,,PL,,",
        "2,2026-11-18T10:00:00Z,Ania Wzorcowa,ania@example.com,0048600000101,,PL,,",
    );
}

#[test]
fn a_key_that_becomes_shared_later_splits_what_it_joined() {
    let workspace = Workspace::new();
    let phone = "+48221234567";
    // Without an address either: a nameless row with one joins nobody by phone in the first place.
    let nameless = format!("1,2026-11-18T09:00:00Z,,,{phone},,PL,,");
    let anna = format!("2,2026-11-18T10:00:00Z,Anna Wzorcowa,anna@przyklad.pl,{phone},,PL,,");
    let piotr = format!("3,2026-11-19T10:00:00Z,Piotr Inny,piotr@przyklad.pl,{phone},,PL,,");
    workspace.table("monday.csv", &[&nameless, &anna]);
    workspace.done(&["run", "--as-of", "2026-11-18T12:00:00Z"]);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 1, "the number is one person's");
    let old_id = workspace.sql("SELECT id FROM leads")[0][0].clone();
    workspace.table("tuesday.csv", &[&piotr]);
    workspace.done(&["run", "--as-of", "2026-11-19T12:00:00Z"]);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 3, "the number is a switchboard's");
    assert_eq!(workspace.ok(&["explain", &old_id, "--json"]).json()["lead"], old_id.as_str());

    let batch = Workspace::new();
    batch.table("monday.csv", &[&nameless, &anna]).table("tuesday.csv", &[&piotr]);
    batch.done(&["run", "--as-of", "2026-11-19T12:00:00Z"]);
    assert_eq!(batch.clusters(), workspace.clusters());
}

#[test]
fn however_rows_arrive_they_form_the_same_leads() {
    let mut runner = runner(8);
    let worlds = prop::collection::vec(row(), 4..14).prop_flat_map(|rows| {
        let numbered = small_world::texts(rows);
        let cut = 1..numbered.len();
        (Just(numbered.clone()), Just(numbered).prop_shuffle(), cut)
    });
    let outcome = runner.run(&worlds, |(rows, shuffled, cut)| {
        let batch = Workspace::new();
        batch.input("all.csv", table(&texts(&rows)));
        batch.run(&["run", "--quiet"]);
        let nightly = Workspace::new();
        for night in [&shuffled[..cut], &shuffled[cut..]] {
            nightly.input("night.csv", table(&texts(night)));
            nightly.run(&["run", "--quiet"]);
        }
        prop_assert_eq!(batch.clusters_by_raw(), nightly.clusters_by_raw());
        prop_assert_eq!(leads_whenever_they_came(&batch), leads_whenever_they_came(&nightly));
        let together = Workspace::new();
        together.input("z.csv", table(&texts(&shuffled[..cut])));
        together.input("a.csv", table(&texts(&shuffled[cut..])));
        together.run(&["run", "--quiet"]);
        prop_assert_eq!(canonical_leads(&batch), canonical_leads(&together));
        Ok(())
    });
    outcome.unwrap();
}

fn texts(rows: &[String]) -> Vec<&str> {
    rows.iter().map(String::as_str).collect()
}

/// A CRM keeps the day on which it made a contact, so only the day of the last change tells two exports of
/// the contact apart; and who was unsubscribed since has said so later than the form of last year.
#[test]
fn of_two_exports_of_one_contact_the_later_state_counts() {
    let header = "Record ID,First Name,Last Name,Email,Create Date,Lifecycle Stage,\
                  Unsubscribed from all email,Last Modified Date";
    let before = "901,Anna,Wzorcowa,anna@przyklad.pl,2025-01-10 09:00,Lead,,2025-01-10 09:00";
    let after = "901,Anna,Wzorcowa,anna@przyklad.pl,2025-01-10 09:00,Customer,Yes,2026-11-18 09:00";
    let both_orders = [[before, after], [after, before]];
    for nights in both_orders {
        let workspace = Workspace::new();
        for (night, row) in nights.into_iter().enumerate() {
            workspace.input(&format!("hubspot-{night}.csv"), format!("{header}\n{row}\n"));
            workspace.run(&["run", "--as-of", "2026-11-20T18:00:00Z"]);
        }
        let stage = "SELECT json_extract(fields, '$.\"crm-status\"') FROM leads";
        assert_eq!(workspace.sql(stage), [["Customer"]], "{nights:?}");
        let refused = "SELECT DISTINCT said_at FROM consents WHERE state <> 'given'";
        assert_eq!(workspace.sql(refused), [["2026-11-18T08:00:00Z"]], "{nights:?}");
    }
}

#[test]
fn what_was_repaired_or_lost_is_counted_by_its_code() {
    let workspace = Workspace::new();
    workspace.table("form.csv", &[ANNA, "x1,some day,Ewa Inna,ewa@gmial.com,,,PL,Halo?,no"]);
    let outcome = workspace.run(&["run", "--as-of", "2026-11-20T18:00:00Z"]);
    let notices = &workspace.run_json()["notices"];
    assert_eq!(notices["time-unreadable"], 1, "{notices}");
    assert_eq!(notices["email-typo-suspected"], 1, "{notices}");
    let of_input = &workspace.run_json()["inputs"][0]["notices"];
    assert_eq!(of_input, notices, "one input has them all");
    for words in ["rows taken with a notice", "  time-unreadable"] {
        assert!(outcome.stdout.contains(words), "{}", outcome.stdout);
    }
}

#[test]
fn a_switchboard_found_out_is_named_in_the_summary() {
    let workspace = Workspace::new();
    let with_phone = |id: &str, name: &str, mail: &str| {
        format!("{id},2026-11-18T09:00:00Z,{name},{mail},+48221234567,,PL,Halo?,no")
    };
    // Whoever left a number and no name is taken for the only person who is known to have it.
    let (anna, nobody) =
        (with_phone("s1", "Anna Wzorcowa", "anna@przyklad.pl"), with_phone("s2", "", ""));
    workspace.table("one.csv", &[&anna, &nobody]);
    workspace.run(&["run", "--as-of", "2026-11-20T18:00:00Z"]);
    assert_eq!(workspace.run_json()["newly_shared_contacts"], 0);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 1);
    workspace.table("two.csv", &[&with_phone("s3", "Jan Testowski", "jan@przyklad.pl")]);
    let outcome = workspace.run(&["run", "--as-of", "2026-11-21T18:00:00Z"]);
    assert_eq!(workspace.run_json()["newly_shared_contacts"], 1);
    assert!(outcome.stdout.contains("contacts found to be shared"), "{}", outcome.stdout);
    let holders = "SELECT count(*) FROM leads WHERE phone = '+48221234567'";
    assert_eq!(workspace.number(holders), 3, "nobody in particular is nobody's any more");
}
