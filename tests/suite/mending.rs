//! Rows that were not accepted: listed, shown, given back, mended and taken again.

use serde_json::Value;

use super::workspace::{Workspace, assert_fits_a_terminal};

const LEADS: &str = "E-mail;Telefon;Imię;Data zgłoszenia\n\
    anna@example.com;600000101;Anna;12.09.2026 15:05\n\
    jan(at);;Jan;12.09.2026 15:06\n\
    eva@example.com;600000102;Eva;12.09.2026 15:07;za dużo\n";
const HOOKS: &str = "{\"email\": \"ola@example.com\", \"id\": 1}\n\
    {\"name\": \"Bez kontaktu\", \"id\": 2}\n\
    {\"email\": \"ela@example.com\",, \"id\": 3}\n";

fn with_quarantine() -> Workspace {
    let workspace = Workspace::new();
    workspace.input("zgłoszenia.csv", LEADS).input("hooks.jsonl", HOOKS);
    workspace.run(&["run"]);
    assert_eq!(workspace.number("SELECT count(*) FROM quarantine"), 4);
    workspace.clear_inbox();
    workspace
}

fn open(workspace: &Workspace) -> Vec<Value> {
    let listed = workspace.ok(&["quarantine", "--json"]).stdout;
    listed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Replaces text in a file of the workspace; it must be there.
#[track_caller]
fn edit(workspace: &Workspace, name: &str, changes: &[(&str, &str)]) {
    let mut text = std::fs::read_to_string(workspace.path(name)).unwrap();
    for (from, to) in changes {
        assert!(text.contains(from), "no {from:?} in {text}");
        text = text.replace(from, to);
    }
    workspace.file(name, text);
}

#[test]
fn a_row_says_what_is_wrong_where_and_what_to_do() {
    let workspace = with_quarantine();
    let rows = open(&workspace);
    let found: Vec<(&str, u64, &str)> = rows
        .iter()
        .map(|row| {
            let text = |name: &str| row[name].as_str().unwrap();
            (text("input"), row["line"].as_u64().unwrap(), text("code"))
        })
        .collect();
    assert_eq!(
        found,
        [
            ("./inbox/hooks.jsonl", 2, "no-contact"),
            ("./inbox/hooks.jsonl", 3, "broken-json"),
            ("./inbox/zgłoszenia.csv", 3, "email-invalid"),
            ("./inbox/zgłoszenia.csv", 4, "ragged-row"),
        ]
    );
    let no = rows[2]["no"].to_string();
    let shown = workspace.ok(&["quarantine", "show", &no]).stdout;
    for part in ["inbox/zgłoszenia.csv, line 3", "email-invalid", "E-mail", "jan(at)", "open"] {
        assert!(shown.contains(part), "no {part} in {shown}");
    }
    let missing = workspace.run(&["quarantine", "show", "99"]);
    missing.expect_code(2).says(&["99", "hint:"]);
}

#[test]
fn the_list_can_be_narrowed() {
    let workspace = with_quarantine();
    let listed = |args: &[&str]| workspace.ok(&[&["quarantine"], args].concat()).stdout;
    assert!(listed(&["--code", "ragged-row"]).contains("\n1 row\n"));
    assert!(listed(&["list", "--input", "hooks"]).contains("\n2 rows\n"));
    assert!(listed(&["--run", "2026-11-20-0001"]).contains("\n4 rows\n"));
    assert!(listed(&["--code", "no-such-code"]).contains("no row"));
    assert_fits_a_terminal(&listed(&[]));
    workspace.run(&["quarantine", "--run", "2020-01-01"]).expect_code(2).says(&["2020-01-01"]);
}

#[test]
fn mended_rows_are_taken_and_leave_the_list() {
    let workspace = with_quarantine();
    let said = workspace.ok(&["quarantine", "export", "fix"]).stdout;
    assert!(said.contains("fix/generic-csv--zgloszenia.csv: 2 rows"), "{said}");
    assert!(said.contains("fix/generic-json--hooks.jsonl: 2 rows"), "{said}");
    edit(&workspace, "fix/generic-csv--zgloszenia.csv", &[("jan(at)", "jan@example.com")]);
    edit(&workspace, "fix/generic-json--hooks.jsonl", &[("\",, ", "\", ")]);
    let run = workspace.run(&["run", "fix", "--json"]).json();
    assert_eq!(run["rows"]["created"], 2, "{run}");
    // Two came back as they went: they are known, not quarantined a second time.
    assert_eq!(run["rows"]["repeated"], 2, "{run}");
    assert_eq!(run["rows"]["quarantined"], 0, "{run}");
    let codes: Vec<String> = open(&workspace).iter().map(|row| row["code"].to_string()).collect();
    assert_eq!(codes, ["\"no-contact\"", "\"broken-json\"", "\"ragged-row\""]);
    let all = workspace.ok(&["quarantine", "--all", "--json"]).stdout;
    let mended: Vec<Value> =
        all.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect();
    assert_eq!(mended[2]["mended_by"], "fix/generic-csv--zgloszenia.csv:2");
    let jan = workspace.sql("SELECT raw FROM submissions WHERE input LIKE 'fix/%csv'");
    assert_eq!(jan[0][0], "[\"jan@example.com\",\"\",\"Jan\",\"12.09.2026 15:06\"]");
}

#[test]
fn rows_under_a_later_header_are_given_back_under_it() {
    let workspace = Workspace::new();
    let text = "\u{feff}Id,Date,Status,Name,Email,Tel\n\
        4,2026-09-12 15:05:13,unread,Anna,anna@example.com,600000101\n\
        5,2026-09-12 15:05:14,unread,Bez,bez@example.com\n\
        \u{feff}Id,Date,Status,Email,Tel,Name\n\
        3,2026-09-12 15:04:13,read,jan@example.com,Jan\n\
        2,2026-09-12 15:03:13,read,ola(at)example,,Ola\n\
        \u{feff}Id,Date,Status,Email,Firma,Name\n\
        1,2026-09-12 15:02:13,read,ela(at)example,Firma,Ela\n";
    workspace.input("cf.csv", text);
    workspace.run(&["run"]);
    assert_eq!(workspace.number("SELECT count(*) FROM quarantine"), 4);
    workspace.clear_inbox();
    let said = workspace.ok(&["quarantine", "export", "fix"]).stdout;
    assert_eq!(said.matches("cfdb7--cf").count(), 4, "{said}");
    let read = |name: &str| std::fs::read_to_string(workspace.path(name)).unwrap();
    let files: Vec<String> = std::fs::read_dir(workspace.path("fix"))
        .unwrap()
        .map(|entry| format!("fix/{}", entry.unwrap().file_name().to_string_lossy()))
        .collect();
    let jans = files.iter().find(|name| read(name).contains("jan@")).unwrap();
    assert!(read(jans).contains("Id,Date,Status,Email,Tel,Name\n"), "{}", read(jans));
    let olas = files.iter().find(|name| read(name).contains("ola(at)")).unwrap();
    assert!(
        read(olas).contains("2,2026-09-12 15:03:13,read,Ola,ola(at)example,"),
        "{}",
        read(olas)
    );
    let elas = files.iter().find(|name| read(name).contains("ela(at)")).unwrap();
    assert!(read(elas).contains("Email,Firma,Name\n"), "{}", read(elas));
    // As they went they are known again.
    let run = workspace.run(&["run", "fix", "--json"]).json();
    assert_eq!(
        (&run["rows"]["repeated"], &run["rows"]["quarantined"]),
        (&4.into(), &0.into()),
        "{run}"
    );
    edit(&workspace, jans, &[("jan@example.com,Jan", "jan@example.com,,Jan")]);
    edit(&workspace, elas, &[("ela(at)example", "ela@example.com")]);
    workspace.run(&["run", "fix"]);
    let found = workspace.sql("SELECT first_name, email FROM leads ORDER BY email");
    let expected =
        [["Anna", "anna@example.com"], ["Ela", "ela@example.com"], ["Jan", "jan@example.com"]];
    assert_eq!(found, expected);
    assert_eq!(open(&workspace).len(), 2);
}

#[test]
fn a_row_that_is_changed_but_still_wrong_takes_the_place_of_the_first() {
    let workspace = with_quarantine();
    workspace.ok(&["quarantine", "export", "fix", "--code", "email-invalid"]);
    edit(&workspace, "fix/generic-csv--zgloszenia.csv", &[("jan(at)", "jan(at)example")]);
    workspace.run(&["run", "fix"]);
    let wrong: Vec<Value> =
        open(&workspace).into_iter().filter(|row| row["code"] == "email-invalid").collect();
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    assert_eq!(wrong[0]["value"], "jan(at)example");
    workspace.ok(&["quarantine", "export", "again", "--code", "email-invalid"]);
    let name = "again/generic-csv--zgloszenia.csv";
    edit(&workspace, name, &[("jan(at)example", "jan@example.com")]);
    workspace.run(&["run", "again"]);
    assert!(open(&workspace).iter().all(|row| row["code"] != "email-invalid"));
}

#[test]
fn the_files_of_a_run_can_be_mended_just_as_well() {
    let workspace = with_quarantine();
    let name = "out/latest/quarantine/generic-csv--zgloszenia.csv";
    let text = std::fs::read_to_string(workspace.path(name)).unwrap();
    workspace
        .input("generic-csv--poprawione.csv", text.replace(";za dużo", "").replace(",za dużo", ""));
    workspace.run(&["run"]);
    assert!(open(&workspace).iter().all(|row| row["code"] != "ragged-row"));
    assert_eq!(workspace.number("SELECT count(*) FROM leads WHERE email = 'eva@example.com'"), 1);
}

#[test]
fn files_that_somebody_mends_are_not_written_over() {
    let workspace = with_quarantine();
    workspace.ok(&["quarantine", "export"]);
    let name = "quarantine/generic-csv--zgloszenia.csv";
    edit(&workspace, name, &[("jan(at)", "jan@example.com")]);
    let again = workspace.run(&["quarantine", "export"]);
    again.expect_code(2).says(&["quarantine/", "hint:"]);
    let kept = std::fs::read_to_string(workspace.path(name)).unwrap();
    assert!(kept.contains("jan@example.com"), "{kept}");
}
