//! What other systems import: every file parsed back by a parser of another hand, what they refuse, what they have.

use std::collections::BTreeMap;

use calamine::{Data, Reader as _};
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::Field;
use serde_json::Value;

use super::workspace::Workspace;

const ANNA: &str =
    "1,2026-11-18T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,600000101,Firma,PL,Prosze o wycene,yes";
const JAN: &str = "2,2026-11-18T10:00:00Z,Jan Nowak,jan@przyklad.pl,,,PL,,";

/// Switches these targets on and no others.
pub fn with_targets(ids: &[&str]) -> Workspace {
    let workspace = Workspace::new();
    switch(&workspace, ids);
    workspace
}

fn switch(workspace: &Workspace, ids: &[&str]) {
    let list: Vec<String> = ids.iter().map(|id| format!("\"{id}\"")).collect();
    workspace.file("rules/workspace.toml", format!("targets = [{}]\n", list.join(", ")));
}

/// Returns what `run.json` says that a target was given.
pub fn delivery(workspace: &Workspace, target: &str) -> BTreeMap<String, u64> {
    let run = workspace.run_json();
    let all = run["deliveries"].as_array().unwrap();
    let one = all.iter().find(|one| one["target"] == target).unwrap();
    let counts = one.as_object().unwrap().iter();
    counts.filter_map(|(key, value)| Some((key.clone(), value.as_u64()?))).collect()
}

#[track_caller]
pub fn check_delivery(workspace: &Workspace, target: &str, expected: &[(&str, u64)]) {
    let found = delivery(workspace, target);
    for (key, count) in expected {
        assert_eq!(found[*key], *count, "{target}: {key} of {found:?}");
    }
}

/// Reads CSV byte by byte as RFC 4180 says, and nothing else: a machine of five states, unlike what wrote the file.
fn strict(name: &str, bytes: &[u8], delimiter: u8, line_end: &[u8]) -> Vec<Vec<String>> {
    #[derive(PartialEq)]
    enum State {
        Start,
        Plain,
        Quoted,
        Closed,
    }
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), Vec::new());
    let (mut state, mut at) = (State::Start, 0);
    let text = |cell: &mut Vec<u8>| String::from_utf8(std::mem::take(cell)).unwrap();
    while at < bytes.len() {
        let byte = bytes[at];
        let ends_line = state != State::Quoted && bytes[at..].starts_with(line_end);
        if ends_line {
            row.push(text(&mut cell));
            rows.push(std::mem::take(&mut row));
            (state, at) = (State::Start, at + line_end.len());
            continue;
        }
        at += 1;
        match (&state, byte) {
            (State::Start, b'"') => state = State::Quoted,
            (State::Quoted, b'"') => state = State::Closed,
            (State::Closed, b'"') => {
                cell.push(b'"');
                state = State::Quoted;
            }
            (State::Start | State::Plain | State::Closed, byte) if byte == delimiter => {
                row.push(text(&mut cell));
                state = State::Start;
            }
            (State::Quoted, byte) => cell.push(byte),
            (State::Start | State::Plain, byte) if !matches!(byte, b'"' | b'\r' | b'\n') => {
                cell.push(byte);
                state = State::Plain;
            }
            _ => panic!("{name}: byte {byte} at {at} is none that may stand there"),
        }
    }
    assert!(state == State::Start && row.is_empty(), "{name} ends in the middle of a row");
    rows
}

#[test]
fn the_strict_parser_is_strict() {
    let rows = strict("x", b"a,\"b,\"\"c\"\"\r\n\"\r\n,\r\n", b',', b"\r\n");
    assert_eq!(rows, [vec!["a", "b,\"c\"\r\n"], vec!["", ""]]);
    for bad in [&b"a\"b\n"[..], b"\"a\"b\n", b"\"a\n", b"a\r\n", b"a"] {
        let read = std::panic::catch_unwind(|| strict("x", bad, b',', b"\n"));
        assert!(read.is_err(), "{bad:?} was read");
    }
}

/// Every target on, every file read back: by the machine above, `serde_json` and `calamine`.
#[test]
fn every_target_file_reads_back_by_another_hand() {
    let all = leadmill::rules::RuleSet::parse(&leadmill::rules::embedded::texts()).unwrap().0;
    let ids: Vec<&str> = all.targets.iter().map(|target| target.id.as_str()).collect();
    assert!(ids.len() >= 23, "{ids:?}");
    let workspace = with_targets(&ids);
    let partner = "id,created_at,full_name,email,phone,company,country,message,gclid,Wyrażam zgodę na przekazanie moich danych partnerom firmy";
    workspace.input(
        "hard.csv",
        format!(
            "{partner}\n1,2026-11-18T09:00:00Z,\"Łęcka, \"\"Ania\"\" Anna\",anna@przyklad.pl,600000101,\"=1+1; \"\"X\"\"\",PL,\"Prosze o wycene,\r\nteraz\",g1,tak\n\
             2,2026-11-18T10:00:00Z,Jan Nowak,jan@przyklad.pl,600000102,@firma,PL,+48 600,g2,tak\n"
        ),
    );
    workspace.run(&["run"]);
    let leads = workspace.number("SELECT count(*) FROM leads");
    assert_eq!(leads, 2);
    let mut read = 0;
    for target in all.targets.iter() {
        let bytes = std::fs::read(workspace.path("out/latest").join(&target.file)).unwrap();
        let rows = rows_of(target, &bytes);
        let written = delivery(&workspace, &target.id)["written"];
        assert_eq!(rows, written, "{}", target.id);
        read += u64::from(rows > 0);
        let path = format!("out/latest/{}", target.file);
        let checked = workspace.run(&["target", "check", &path, "--target", &target.id]);
        assert_eq!(checked.code, 0, "{}: {}{}", target.id, checked.stdout, checked.stderr);
        assert!(checked.stdout.contains("takes all of it"), "{}: {}", target.id, checked.stdout);
    }
    assert!(read >= 20, "only {read} files have rows");
}

/// Returns how many rows a target's file has; panics where it is none of its format.
fn rows_of(target: &leadmill::rules::target::Target, bytes: &[u8]) -> u64 {
    use leadmill::rules::target::{LineEnd, TargetFormat};
    let width = target.columns.len();
    match target.format {
        TargetFormat::Csv => {
            assert_eq!(bytes.starts_with(b"\xef\xbb\xbf"), target.bom, "{}", target.id);
            let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            let end: &[u8] = if target.line_end == LineEnd::Lf { b"\n" } else { b"\r\n" };
            let rows = strict(&target.id, bytes, target.delimiter, end);
            let (before, rows) = rows.split_at(target.preamble.len());
            assert_eq!(before.len(), target.preamble.len());
            let header: Vec<&str> = target.columns.iter().map(|one| one.header.as_str()).collect();
            assert_eq!(rows[0], header, "{}", target.id);
            assert!(rows.iter().all(|row| row.len() == width), "{}", target.id);
            rows.len() as u64 - 1
        }
        TargetFormat::Jsonl => {
            let text = std::str::from_utf8(bytes).unwrap();
            let objects = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
            objects.filter(Value::is_object).count() as u64
        }
        TargetFormat::Json => serde_json::from_slice::<Vec<Value>>(bytes).unwrap().len() as u64,
        TargetFormat::Xlsx => {
            let mut book = calamine::Xlsx::new(std::io::Cursor::new(bytes)).unwrap();
            let sheet = book.worksheet_range("Sheet1").unwrap();
            let header: Vec<String> =
                sheet.rows().next().unwrap().iter().map(ToString::to_string).collect();
            let wanted: Vec<&str> = target.columns.iter().map(|one| one.header.as_str()).collect();
            assert_eq!(header, wanted);
            let phone = header.iter().position(|name| name == "phone").unwrap();
            let score = header.iter().position(|name| name == "score").unwrap();
            for row in sheet.rows().skip(1) {
                assert!(matches!(&row[phone], Data::String(text) if text.starts_with("+48")));
                assert!(matches!(row[score], Data::Float(_) | Data::Int(_)), "{:?}", row[score]);
            }
            sheet.rows().count() as u64 - 1
        }
        TargetFormat::Parquet => {
            let reader = SerializedFileReader::new(bytes::Bytes::copy_from_slice(bytes)).unwrap();
            let schema = reader.metadata().file_metadata().schema().get_fields();
            let header: Vec<&str> = schema.iter().map(|field| field.name()).collect();
            let wanted: Vec<&str> = target.columns.iter().map(|one| one.header.as_str()).collect();
            assert_eq!(header, wanted);
            reader.get_row_iter(None).unwrap().map(Result::unwrap).count() as u64
        }
    }
}

/// The same leads as JSON lines and as Parquet: each value is the same, and of its type.
#[test]
fn parquet_holds_what_json_lines_hold_in_typed_columns() {
    let workspace = with_targets(&["leads-jsonl", "leads-parquet"]);
    workspace.table("one.csv", &[ANNA, JAN]);
    workspace.ok(&["run"]);
    let lines = workspace.latest("crm/leads.jsonl");
    let objects: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let bytes = std::fs::read(workspace.path("out/latest/crm/leads.parquet")).unwrap();
    let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).unwrap();
    let mut typed = BTreeMap::new();
    let rows: Vec<_> = reader.get_row_iter(None).unwrap().map(Result::unwrap).collect();
    assert_eq!(rows.len(), objects.len());
    for (row, object) in rows.iter().zip(&objects) {
        assert_eq!(row.len(), object.as_object().unwrap().len());
        for (name, field) in row.get_column_iter() {
            let expected = &object[name];
            let (found, kind) = match field {
                Field::Null => (Value::Null, "null"),
                Field::Str(text) => (text.as_str().into(), "text"),
                Field::Long(number) => ((*number).into(), "integer"),
                Field::Double(number) => ((*number).into(), "decimal"),
                Field::Bool(flag) => ((*flag).into(), "boolean"),
                Field::TimestampMillis(ms) => {
                    let text = expected.as_str().unwrap();
                    let at = chrono::DateTime::parse_from_rfc3339(text).unwrap();
                    assert_eq!(*ms, at.timestamp_millis(), "{name}");
                    (text.into(), "instant")
                }
                other => panic!("{name}: {other:?}"),
            };
            let is_equal = found == *expected
                || found.as_f64().is_some() && found.as_f64() == expected.as_f64();
            assert!(is_equal, "{name}: {found} is not {expected}");
            if kind != "null" {
                typed.insert(name.clone(), kind);
            }
        }
    }
    for (name, kind) in [
        ("phone", "text"),
        ("score", "integer"),
        ("is-new", "boolean"),
        ("consent-marketing-email", "boolean"),
        ("first-submitted-at", "instant"),
    ] {
        assert_eq!(typed[name], kind, "{name}");
    }
    assert_eq!(delivery(&workspace, "leads-parquet")["written"], objects.len() as u64);
}

#[test]
fn a_target_is_given_what_is_new_or_another_to_it_and_nothing_else() {
    let workspace = with_targets(&["salesforce-lead", "hubspot-contacts"]);
    workspace.table("one.csv", &[ANNA, JAN]);
    workspace.ok(&["run"]);
    let all = [("written", 2), ("new", 2), ("changed", 0), ("unchanged", 0)];
    check_delivery(&workspace, "salesforce-lead", &all);
    // A second enquiry that changes what one target shows, and nothing of the other.
    workspace.table("two.csv", &["3,2026-11-19T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,600000101,Firma,PL,Drugie pytanie o cene,yes"]);
    workspace.ok(&["run"]);
    check_delivery(&workspace, "salesforce-lead", &[("written", 1), ("changed", 1)]);
    check_delivery(&workspace, "hubspot-contacts", &[("written", 0), ("unchanged", 1)]);
    // Another target is given everything the first time.
    switch(&workspace, &["salesforce-lead", "zoho-leads"]);
    workspace.ok(&["run"]);
    check_delivery(&workspace, "salesforce-lead", &[("written", 0)]);
    check_delivery(&workspace, "zoho-leads", &[("written", 2), ("new", 2)]);
    let diff = workspace.ok(&["target", "diff", "zoho-leads"]).stdout;
    assert_eq!(diff.trim(), "2 unchanged");
    let told = workspace.ok(&["run", "--full", "--diff"]).stdout;
    let words = told.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("zoho-leads 0 0 2 0 0"), "{told}");
    check_delivery(&workspace, "zoho-leads", &[("written", 2), ("new", 0), ("unchanged", 2)]);
}

#[test]
fn a_target_whose_file_says_otherwise_is_given_what_comes_out_otherwise() {
    let workspace = with_targets(&["zoho-leads"]);
    workspace.table("one.csv", &[ANNA, JAN]);
    workspace.ok(&["run"]);
    let (_, text) = leadmill::rules::embedded::FILES
        .iter()
        .find(|(path, _)| *path == "rules/targets/zoho-leads.toml")
        .unwrap();
    workspace.file("rules/targets/zoho-leads.toml", format!("# A remark.\n{text}"));
    workspace.ok(&["run"]);
    check_delivery(&workspace, "zoho-leads", &[("written", 0), ("unchanged", 2)]);
    let text = text.replace("default = \"[not provided]\"", "default = \"(brak)\"");
    workspace.file("rules/targets/zoho-leads.toml", text);
    let diff = workspace.ok(&["target", "diff", "zoho-leads"]).stdout;
    assert!(diff.contains("1 changed, 1 unchanged"), "{diff}");
    let words = diff.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("Company: [not provided] → (brak)"), "{diff}");
    workspace.ok(&["run"]);
    check_delivery(&workspace, "zoho-leads", &[("written", 1), ("changed", 1), ("unchanged", 1)]);
}

#[test]
fn what_is_no_more_is_taken_out_of_the_targets_that_have_it() {
    let workspace = with_targets(&["salesforce-lead"]);
    workspace.table("one.csv", &[ANNA, JAN]);
    workspace.ok(&["run"]);
    let ids: Vec<String> =
        workspace.sql("SELECT id FROM leads ORDER BY first_submitted_at").concat();
    // zoho-leads comes later and never had the lead that goes.
    workspace.ok(&["merge", "anna@przyklad.pl", "jan@przyklad.pl", "--because", "one person"]);
    let withdrawn = workspace.latest("crm/salesforce-lead-withdrawn.csv");
    assert_eq!(withdrawn, format!("lead-id,record-id,now-in\n{},,{}\n", ids[1], ids[0]));
    switch(&workspace, &["salesforce-lead", "zoho-leads"]);
    workspace.ok(&["run"]);
    check_delivery(&workspace, "salesforce-lead", &[("withdrawn", 0)]);
    check_delivery(&workspace, "zoho-leads", &[("new", 1), ("withdrawn", 0)]);
    // What was one is two again: the target gets back what it had been told to take out.
    workspace.ok(&["undo", "2026-11-20-0002"]);
    check_delivery(&workspace, "salesforce-lead", &[("new", 1), ("withdrawn", 0)]);
    let run = workspace.sql("SELECT id FROM runs WHERE kind = 'import' ORDER BY run_no LIMIT 1");
    workspace.ok(&["undo", &run[0][0]]);
    check_delivery(&workspace, "salesforce-lead", &[("written", 0), ("withdrawn", 2)]);
}

#[test]
fn what_a_target_would_refuse_is_a_dead_letter_until_it_is_sound() {
    let workspace = with_targets(&["salesforce-lead", "leads"]);
    workspace.table(
        "one.csv",
        &[ANNA, "9,2026-11-18T11:00:00Z,Ola Lis,żółw@przyklad.pl,600000109,,PL,,"],
    );
    let run = workspace.run(&["run"]);
    run.expect_code(3).says(&["dead-letters"]);
    check_delivery(&workspace, "salesforce-lead", &[("written", 1), ("refused", 1)]);
    check_delivery(&workspace, "leads", &[("written", 2), ("refused", 0)]);
    assert_eq!(workspace.run_json()["dead_letters"], 1);
    let list = workspace.ok(&["dead-letter"]).stdout;
    assert!(list.contains("Email") && list.contains("1 dead letter"), "{list}");
    assert!(!list.contains("żółw"), "{list}");
    workspace.ok(&["dead-letter", "show", "1"]);
    // Told once, not every day anew within its cooldown; nothing is written again meanwhile.
    assert_eq!(workspace.run(&["run"]).code, 0);
    // Dropped, it rests.
    workspace.ok(&["dead-letter", "drop", "1", "--because", "they write from elsewhere"]);
    assert_eq!(workspace.run(&["dead-letter", "drop", "1", "--because", "x"]).code, 2);
    workspace.ok(&["run"]);
    assert_eq!(workspace.sql("SELECT key FROM alerts WHERE closed_at IS NULL"), [[""; 0]; 0]);
    // They write from another address: the row is sound, goes out, and the letter is over by itself.
    workspace
        .table("two.csv", &["10,2026-11-19T11:00:00Z,Ola Lis,ola@przyklad.pl,600000109,,PL,,"]);
    workspace.ok(&["run"]);
    check_delivery(&workspace, "salesforce-lead", &[("written", 1), ("new", 1), ("refused", 0)]);
    let state = workspace.sql("SELECT state FROM dead_letters");
    assert_eq!(state, [["resolved"]]);
}

#[test]
fn a_file_that_is_full_goes_on_in_a_further_part() {
    let workspace = with_targets(&["small", "tiny"]);
    let target = |id: &str, limit: &str| {
        format!(
            "[target]\nid = \"{id}\"\nname = \"{id}\"\nbecause = \"x\"\nfile = \"crm/{id}.csv\"\n{limit}\n\
             [[column]]\nheader = \"email\"\nfrom = \"email\"\n"
        )
    };
    workspace.file("rules/targets/small.toml", target("small", "max-rows = 2"));
    workspace.file("rules/targets/tiny.toml", target("tiny", "max-bytes = 44"));
    let rows: Vec<String> = (0..5)
        .map(|n| format!("{n},2026-11-18T09:0{n}:00Z,Ewa Kruk{n},ewa{n}@przyklad.pl,,,PL,,"))
        .collect();
    workspace.table("one.csv", &rows.iter().map(String::as_str).collect::<Vec<_>>());
    workspace.ok(&["run"]);
    let mut found = Vec::new();
    for part in ["crm/small.csv", "crm/small-part-2.csv", "crm/small-part-3.csv"] {
        let text = workspace.latest(part);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "email", "{part}");
        assert!(lines.len() <= 3, "{part}: {text}");
        found.extend(lines[1..].iter().map(|line| (*line).to_owned()));
    }
    found.sort();
    let all: Vec<String> = (0..5).map(|n| format!("ewa{n}@przyklad.pl")).collect();
    assert_eq!(found, all);
    let part = workspace.latest("crm/tiny-part-2.csv");
    assert!(part.len() <= 44 && part.starts_with("email\n"), "{part}");
    check_delivery(&workspace, "tiny", &[("written", 5)]);
}

#[test]
fn what_a_target_says_of_its_rows_is_kept() {
    let workspace = with_targets(&["salesforce-lead", "back"]);
    workspace.file(
        "rules/targets/back.toml",
        "[target]\nid = \"back\"\nname = \"Back\"\nbecause = \"x\"\nfile = \"crm/back.csv\"\n\
         [[column]]\nheader = \"Id\"\nfrom = \"record-id\"\n[[column]]\nheader = \"Key\"\nfrom = \"lead-id\"\n",
    );
    workspace.table("one.csv", &[ANNA, JAN]);
    workspace.ok(&["run"]);
    let ids: Vec<String> =
        workspace.sql("SELECT id FROM leads ORDER BY first_submitted_at").concat();
    workspace.file(
        "success.csv",
        format!("\"sf__Id\",\"sf__Created\",Leadmill_Key__c,LastName\n\"00Q5g00000AbCdE\",\"true\",{},Wzorcowa\n", ids[0]),
    );
    workspace.file(
        "failed.csv",
        format!(
            "\"sf__Id\",\"sf__Error\",Leadmill_Key__c,LastName,Email\n\"\",\"DUPLICATES_DETECTED:Use one of jan@przyklad.pl:Nowak --\",{},Nowak,jan@przyklad.pl\n\
             \"\",\"X\",LM-000000000000,Obcy,\n",
            ids[1]
        ),
    );
    let told = workspace.ok(&["target", "result", "success.csv"]).stdout;
    assert_eq!(told.trim(), "salesforce-lead: 1 row taken, 0 refused, 0 dead letters resolved");
    let outcome = workspace.run(&["target", "result", "failed.csv"]);
    outcome.expect_code(3).says(&["1 row not of leads", "line 3"]);
    let records =
        workspace.sql("SELECT item, record_id FROM deliveries WHERE record_id IS NOT NULL");
    assert_eq!(records, [[ids[0].as_str(), "00Q5g00000AbCdEEAV"]]);
    let letters = workspace.sql("SELECT item, reason FROM dead_letters WHERE state = 'open'");
    assert_eq!(letters, [[ids[1].as_str(), "DUPLICATES_DETECTED:Use one of [value]:[value] --"]]);
    // The target's own id is of use in a file for the same target only.
    workspace.file("good.csv", format!("Id,Key,Error\nR-7,{},\n", ids[1]));
    workspace.ok(&["target", "result", "good.csv", "--target", "back"]);
    workspace.ok(&["run", "--full"]);
    let back = workspace.latest("crm/back.csv");
    assert!(back.contains(&format!("R-7,{}\n", ids[1])), "{back}");
    workspace.file("foreign.csv", "a,b\n1,2\n");
    workspace.run(&["target", "result", "foreign.csv"]).expect_code(2).says(&["--target"]);
}

/// A workspace whose one lead the CRM has refused, and the file that says so.
fn refused_by_the_crm() -> (Workspace, String) {
    let workspace = with_targets(&["salesforce-lead"]);
    workspace.table("one.csv", &[ANNA]);
    workspace.ok(&["run"]);
    let id = workspace.sql("SELECT id FROM leads").concat().concat();
    workspace
        .file("failed.csv", format!("sf__Id,sf__Error,Leadmill_Key__c,LastName\n,LIMIT,{id},W\n"));
    workspace.file(
        "success.csv",
        format!("sf__Id,sf__Created,Leadmill_Key__c,LastName\n00Q5g00000AbCdE,true,{id},W\n"),
    );
    workspace.run(&["target", "result", "failed.csv"]).expect_code(3);
    (workspace, id)
}

#[test]
fn what_the_crm_refused_is_written_again_once_it_was_mended_there() {
    let (workspace, id) = refused_by_the_crm();
    let diff = workspace.ok(&["target", "diff", "salesforce-lead"]).flat();
    assert!(
        diff.contains(&format!("refused {id} LIMIT")) && diff.contains("1 refused, 0 unchanged"),
        "{diff}"
    );
    workspace.clear_inbox().done(&["run"]);
    check_delivery(&workspace, "salesforce-lead", &[("written", 0)]);
    assert_eq!(workspace.sql("SELECT state FROM dead_letters"), [["open"]]);
    let told = workspace.ok(&["dead-letter", "redrive", "1"]).stdout;
    assert!(
        told.contains("1 dead letter to be written again by the next `leadmill run`"),
        "{told}"
    );
    workspace.ok(&["run"]);
    check_delivery(&workspace, "salesforce-lead", &[("written", 1), ("changed", 1)]);
    assert_eq!(workspace.sql("SELECT state FROM dead_letters"), [["resolved"]]);
    workspace.ok(&["run"]);
    check_delivery(&workspace, "salesforce-lead", &[("written", 0)]);
}

#[test]
fn a_dropped_letter_is_open_again_when_the_crm_says_so_again() {
    let (workspace, _) = refused_by_the_crm();
    let state = || workspace.sql("SELECT state FROM dead_letters").concat().concat();
    workspace.ok(&["dead-letter", "drop", "1", "--because", "x"]);
    assert_eq!(state(), "dropped");
    workspace.run(&["target", "result", "failed.csv"]).expect_code(3);
    assert_eq!(state(), "open");
    workspace.ok(&["dead-letter", "drop", "1", "--because", "x"]);
    let told = workspace.ok(&["target", "result", "success.csv"]).stdout;
    assert!(told.contains("1 dead letter resolved"), "{told}");
    assert_eq!(state(), "resolved");
}

#[test]
fn the_drop_off_says_what_the_rows_of_a_target_are() {
    let workspace = with_targets(&["leads", "hubspot-tasks", "google-offline-conversions"]);
    workspace.table("one.csv", &[ANNA]);
    workspace.done(&["run"]);
    let file = workspace.latest("dropoff.csv");
    for unit in ["leads,leads", "hubspot-tasks,tasks", "google-offline-conversions,conversions"] {
        assert!(file.contains(&format!("funnel,sent:{unit},")), "{unit}: {file}");
    }
}

/// A target takes nothing that it could not find again, and nobody is woken every night because of it.
#[test]
fn a_lead_with_a_number_alone_is_no_dead_letter_of_hubspot() {
    let workspace = with_targets(&["hubspot-contacts", "hubspot-contacts-api", "leads"]);
    workspace.table("one.csv", &[ANNA, "7,2026-11-18T11:00:00Z,,,600000107,,PL,,"]);
    workspace.ok(&["run"]);
    check_delivery(
        &workspace,
        "hubspot-contacts",
        &[("written", 1), ("left_out", 1), ("refused", 0)],
    );
    check_delivery(&workspace, "hubspot-contacts-api", &[("written", 1), ("left_out", 1)]);
    check_delivery(&workspace, "leads", &[("written", 2)]);
    assert_eq!(workspace.run_json()["dead_letters"], 0);
    let docs = workspace.ok(&["target", "docs", "hubspot-contacts"]).stdout;
    assert!(docs.contains("- **only what has**: `email` or `first-name` or `last-name`"), "{docs}");
}

/// Fails unless the check of a file says all of `words`, and ends with `code`.
#[track_caller]
fn check_file(target: &str, bytes: &[u8], code: i32, words: &[&str]) {
    let workspace = Workspace::new();
    workspace.file("x.csv", bytes);
    let outcome = workspace.run(&["target", "check", "x.csv", "--target", target]);
    assert_eq!(outcome.code, code, "{}{}", outcome.stdout, outcome.stderr);
    let text = outcome.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for word in words {
        assert!(text.contains(word), "{word} in {text}");
    }
}

#[test]
fn any_file_can_be_checked() {
    let head = "Leadmill_Key__c,LastName,Company,Email,Rating";
    let with = |rows: &str| format!("{head}\n{rows}").into_bytes();
    check_file(
        "salesforce-lead",
        &with("LM-1,Lis,X,a@b.pl,Hot\n"),
        0,
        &["1 row", "takes all of it"],
    );
    let bad = with("LM-1,Lis,X,żółw@b.pl,Boiling\nLM-1,,X,,\n");
    let words = [
        "x.csv:2:Email",
        "plain letters",
        "x.csv:2:Rating",
        "Hot, Warm, Cold",
        "x.csv:3:LastName",
        "x.csv:3:Leadmill_Key__c",
    ];
    check_file("salesforce-lead", &bad, 3, &words);
    let marked = [b"\xef\xbb\xbf".as_slice(), &with("LM-1,Lis,X,,\n")].concat();
    check_file("salesforce-lead", &marked, 3, &["byte order mark", "refuses the file"]);
    let crlf = with("LM-1,Lis,X,,\r\n");
    check_file("salesforce-lead", &crlf, 3, &["do not end with LF"]);
    check_file("salesforce-lead", b"Leadmill_Key__c;LastName\nLM-1;Lis\n", 3, &["parted by `,`"]);
    check_file("salesforce-lead", &with("LM-1,Lis\n"), 3, &["2 cells below 5 headers"]);
    check_file("salesforce-lead", &with("LM-1,Li\"s,X,,\n"), 3, &["a quote inside a cell"]);
    check_file(
        "salesforce-lead",
        b"Leadmill_Key__c,LastName\nLM-1,\xff\n",
        3,
        &["x.csv:2", "no UTF-8"],
    );
    check_file(
        "salesforce-lead",
        b"Leadmill_Key__c,LastNam,Company\n",
        3,
        &["did you mean `LastName`?", "`LastName` is missing"],
    );
    check_file(
        "google-offline-conversions",
        b"Google Click ID\n",
        3,
        &["Parameters:TimeZone=Europe/Warsaw"],
    );
    check_file(
        "meta-conversion-leads",
        b"{\"event_name\":\"x\"}\nno\n",
        3,
        &["no JSON object", "event_time"],
    );
    let workspace = Workspace::new();
    workspace.file("x.csv", "a\n");
    let missing = workspace.run(&["target", "check", "x.csv", "--target", "salesforce"]);
    missing.expect_code(2).says(&["there is no target `salesforce`", "hint:"]);
    let json =
        workspace.run(&["target", "check", "x.csv", "--target", "leads", "--format", "json"]);
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["is_refused"], true, "{json}");
}

#[test]
fn a_workbook_can_be_checked_like_any_file() {
    // The columns that are not in the file are not asked for, but for those that must be.
    let with_corner = |rows: &[[&str; 3]], corner: &str| {
        let mut sheet = rust_xlsxwriter::Worksheet::new();
        for (at, cells) in rows.iter().enumerate() {
            sheet.write_row(at as u32, 0, cells.iter().copied()).unwrap();
        }
        sheet.write_string((1 << 20) - 1, (1 << 14) - 1, corner).unwrap();
        let mut book = rust_xlsxwriter::Workbook::new();
        book.push_worksheet(sheet);
        book.save_to_buffer().unwrap()
    };
    let sheet = |rows: &[[&str; 3]]| with_corner(rows, "");
    let sound = sheet(&[["lead-id", "queue", "score"], ["LM-1", "sales", "82"]]);
    check_file("leads-xlsx", &sound, 0, &["1 row", "takes all of it"]);
    let bad = sheet(&[["lead-id", "queue", "score"], ["LM-1", "", "many"], ["LM-1", "sales", "8"]]);
    let words = ["x.csv:2:queue", "x.csv:2:score", "not a whole number", "x.csv:3:lead-id"];
    check_file("leads-xlsx", &bad, 3, &words);
    check_file("leads-xlsx", &sheet(&[["lead-id", "score", "x"]]), 3, &["`queue` is missing"]);
    check_file("leads-xlsx", b"lead-id,queue\n", 3, &["not of format `xlsx`", "refuses the file"]);
    check_file("leads-xlsx", &sound[..sound.len() / 2], 3, &["not of format `xlsx`"]);
    check_file("leads-parquet", b"PAR1 no more", 3, &["not of format `parquet`"]);
    // As a rectangle these would be 17 thousand million cells.
    let sparse = with_corner(&[["lead-id", "queue", "score"], ["LM-1", "sales", "82"]], "x");
    check_file("leads-xlsx", &sparse, 3, &["2 rows", "x.csv:1048576", "16384 cells below 3"]);
}

#[test]
fn targets_are_listed_and_documented() {
    let workspace = with_targets(&["leads"]);
    let list = workspace.ok(&["target", "list"]).stdout;
    assert!(list.contains("salesforce-lead") && list.contains("1 of them on"), "{list}");
    let docs = workspace.ok(&["target", "docs", "suitecrm-leads"]).stdout;
    assert!(docs.contains("| `id` | `lead-id` | uuid | yes | uuid |"), "{docs}");
    let all = workspace.ok(&["target", "docs"]).stdout;
    assert_eq!(
        all.matches("\n| column | from |").count(),
        leadmill_targets(),
        "one table for each"
    );
    switch(&workspace, &["salesforce-leed"]);
    workspace.run(&["target", "list"]).expect_code(2).says(&["did you mean `salesforce-lead`?"]);
}

fn leadmill_targets() -> usize {
    let files = leadmill::rules::embedded::FILES.iter();
    files.filter(|(path, _)| path.starts_with("rules/targets/")).count()
}
