//! The files of a run: what programs and people may rely on in them.

use std::collections::BTreeSet;
use std::fs;

use sha2::{Digest as _, Sha256};

use super::workspace::{Workspace, files_below};

const RUN: &str = "2026-11-20-0001";

fn published(name: &str) -> Vec<u8> {
    fs::read(Workspace::fixtures_run().path("out/latest").join(name)).unwrap()
}

fn text(name: &str) -> String {
    String::from_utf8(published(name)).unwrap()
}

/// Returns a CSV file's header and rows; every row must be as wide as the header.
#[track_caller]
fn records(name: &str, text: &str) -> (Vec<String>, Vec<csv::StringRecord>) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let rows: Vec<csv::StringRecord> =
        reader.records().map(|row| row.unwrap_or_else(|fault| panic!("{name}: {fault}"))).collect();
    (header, rows)
}

#[test]
fn every_table_reads_back_with_rows_as_wide_as_its_header() {
    let files = files_below(&Workspace::fixtures_run().path("out/runs").join(RUN));
    let mut tables = 0;
    for (name, bytes) in files {
        // duplicates.csv holds several tables, and rows in quarantine/ are as they were received.
        if !name.ends_with(".csv") || name.starts_with("quarantine/") || name == "duplicates.csv" {
            continue;
        }
        let (header, rows) = records(&name, std::str::from_utf8(&bytes).unwrap());
        assert!(header.len() > 3 && !rows.is_empty(), "{name}: {} rows", rows.len());
        tables += 1;
    }
    assert_eq!(tables, 15, "tables looked at");
}

#[test]
fn hubspot_gets_what_its_import_expects() {
    let text = text("crm/hubspot-contacts.csv");
    assert!(text.starts_with('\u{feff}'), "a byte order mark, or Excel garbles the names");
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count(), "CRLF everywhere");
    let (header, rows) = records("hubspot", &text);
    let expected = [
        "Email",
        "First Name",
        "Last Name",
        "Phone Number",
        "Lifecycle Stage",
        "Lead Status",
        "Contact owner",
        "Original lead source detail",
        "Legal basis for processing contact's data",
        "Leadmill key",
    ];
    assert_eq!(header, expected);
    assert_eq!(rows.len() as i64, Workspace::fixtures_run().number("SELECT count(*) FROM leads"));
}

#[test]
fn salesforce_gets_what_its_data_loader_expects() {
    let bytes = published("crm/salesforce-lead.csv");
    assert!(
        !bytes.starts_with(b"\xef\xbb\xbf"),
        "no byte order mark: it would become part of a column"
    );
    assert!(!bytes.windows(2).any(|pair| pair == b"\r\n"), "LF, as the template says");
    let (header, rows) = records("salesforce", &text("crm/salesforce-lead.csv"));
    let column = |name: &str| header.iter().position(|cell| cell == name).unwrap();
    for row in &rows {
        assert_ne!(&row[column("LastName")], "", "Salesforce refuses a lead without: {row:?}");
        assert_ne!(&row[column("Company")], "", "Salesforce refuses a lead without: {row:?}");
    }
}

#[test]
fn crm_files_hold_only_what_is_new_since_the_last_run() {
    let workspace = Workspace::new();
    workspace.table("one.csv", &["1,2026-11-18T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,,,PL,,"]);
    workspace.ok(&["run"]);
    workspace.table("two.csv", &["2,2026-11-19T09:00:00Z,Jan Nowy,jan@przyklad.pl,,,PL,,"]);
    workspace.ok(&["run"]);
    let crm = workspace.latest("crm/leads.csv");
    assert!(crm.contains("jan@przyklad.pl") && !crm.contains("anna@przyklad.pl"), "{crm}");
    workspace.table("three.csv", &["3,2026-11-19T10:00:00Z,Ewa Nowa,ewa@przyklad.pl,,,PL,,"]);
    workspace.ok(&["run", "--full"]);
    let crm = workspace.latest("crm/leads.csv");
    for name in ["anna@", "jan@", "ewa@"] {
        assert!(crm.contains(name), "{name} in {crm}");
    }
}

#[test]
fn the_calendar_is_one_that_calendars_read() {
    let text = text("tasks.ics");
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count(), "CRLF everywhere");
    assert!(text.starts_with("BEGIN:VCALENDAR\r\n") && text.ends_with("END:VCALENDAR\r\n"));
    let mut open = Vec::new();
    let mut uids = BTreeSet::new();
    for line in text.split("\r\n") {
        assert!(line.len() <= 75, "{} octets: {line}", line.len());
        if let Some(part) = line.strip_prefix("BEGIN:") {
            open.push(part);
        } else if let Some(part) = line.strip_prefix("END:") {
            assert_eq!(open.pop(), Some(part));
        } else if let Some(uid) = line.strip_prefix("UID:") {
            assert!(uids.insert(uid.to_owned()), "{uid} twice");
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
    assert!(uids.len() > 50, "{} tasks", uids.len());
    let (_, rows) = records("tasks.csv", &self::text("tasks.csv"));
    assert!(rows.len() >= uids.len(), "{} rows, {} events", rows.len(), uids.len());
}

#[test]
fn a_task_keeps_its_uid_when_the_calendar_is_written_again() {
    let workspace = Workspace::new();
    workspace.table("one.csv", &["1,2026-11-20T18:55:00Z,Anna Wzorcowa,anna@przyklad.pl,600000101,Firma,PL,Prosze o wycene,yes"]);
    let uids = || {
        let ics = workspace.ok(&["tasks", "--format", "ics"]).stdout;
        ics.lines().filter(|line| line.starts_with("UID:")).map(str::to_owned).collect::<Vec<_>>()
    };
    workspace.ok(&["run"]);
    let first = uids();
    assert!(!first.is_empty());
    workspace.table("two.csv", &["2,2026-11-20T18:59:00Z,Anna Wzorcowa,anna@przyklad.pl,,,PL,,"]);
    workspace.ok(&["run"]);
    let second = uids();
    assert_eq!(second.iter().collect::<BTreeSet<_>>().len(), second.len());
    assert!(first.iter().all(|uid| second.contains(uid)), "{first:?} in {second:?}");
}

#[test]
fn the_manifest_tells_the_size_and_hash_of_every_file() {
    let folder = Workspace::fixtures_run().path("out/runs").join(RUN);
    let manifest: serde_json::Value = serde_json::from_str(&text("manifest.json")).unwrap();
    let mut files = files_below(&folder);
    files.remove("manifest.json");
    let listed = manifest["files"].as_array().unwrap();
    for entry in listed {
        let name = entry["path"].as_str().or(entry["name"].as_str()).unwrap();
        let bytes = files.remove(name).unwrap_or_else(|| panic!("{name} is listed, not there"));
        assert_eq!(entry["bytes"].as_u64(), Some(bytes.len() as u64), "{name}");
        let hash = leadmill::model::ids::hex(&Sha256::digest(&bytes));
        assert_eq!(entry["sha256"].as_str(), Some(hash.as_str()), "{name}");
    }
    assert!(listed.len() > 10);
    assert!(files.is_empty(), "not listed: {:?}", files.keys());
}

#[cfg(unix)]
#[test]
fn whatever_owners_and_steps_are_called_each_has_a_file_of_its_own() {
    let owners = ["Żak", "Łak", "Anna", "anna", "anna@zespol.example"];
    let declared = owners.map(|owner| format!("[[owner]]\nid = '{owner}'\n")).concat();
    let pool = owners.map(|owner| format!("{{ owner = '{owner}' }}")).join(", ");
    let routing = format!(
        "triage = 'triage'\n{declared}\
         [[queue]]\nid = 'all'\nbecause = 'b'\npool = [{pool}]\n\
         [[queue]]\nid = 'triage'\nbecause = 'b'\n\
         [[route]]\nid = 'all'\nqueue = 'all'\nbecause = 'b'\n"
    );
    let steps = ["żółta", "łąka", "a_b", "a-b"].map(|step| {
        format!(
            "[[plan.step]]\nid = '{step}'\nchannel = 'email'\nafter = '5m'\nsubject = 's'\n\
             template = 'confirmation'\nbecause = 'b'\n"
        )
    });
    let plan = format!("[[plan]]\nid = 'all'\nbecause = 'b'\n{}", steps.concat());
    let workspace = Workspace::new();
    workspace.file("rules/routing.toml", routing).file("rules/followup.toml", plan);
    let row = |at: usize| {
        format!(
            "{at},2026-11-20T09:00:00Z,Jan Testowski{at},jan@firma{at}.pl,,Firma {at},PL,Pilne,no"
        )
    };
    let rows: Vec<String> = (0..10).map(row).collect();
    workspace.table("leads.csv", &rows.iter().map(String::as_str).collect::<Vec<_>>());
    workspace.ok(&["run"]);
    let names: Vec<String> =
        workspace.published().into_keys().map(|name| name.to_lowercase()).collect();
    let of = |folder: &str, ending: &str| {
        let is_of = |name: &&String| name.contains(folder) && name.ends_with(ending);
        names.iter().filter(is_of).collect::<BTreeSet<_>>().len()
    };
    assert_eq!((of("/owners/", ".csv"), of("/owners/", ".ics")), (5, 5), "{names:?}");
    assert_eq!(of("/mails/", ".eml"), 40, "{names:?}");
    assert!(names.iter().any(|name| name.ends_with("/owners/anna.csv")), "{names:?}");
}

#[test]
fn latest_points_to_the_run() {
    let workspace = Workspace::fixtures_run();
    let target = fs::read_link(workspace.path("out/latest")).unwrap();
    assert_eq!(target, std::path::Path::new("runs").join(RUN));
    assert_eq!(workspace.run_json()["run"], RUN);
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_what_a_run_wrote() {
    use std::os::unix::fs::PermissionsExt as _;
    let workspace = Workspace::new();
    workspace.table(
        "one.csv",
        &["1,2026-11-18T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,,,PL,,", "2,,,,,,,,"],
    );
    workspace.run(&["run"]);
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&workspace.path("leadmill.db")), 0o600);
    let mut folders = vec![workspace.path("out")];
    let mut looked_at = 0;
    while let Some(folder) = folders.pop() {
        assert_eq!(mode(&folder), 0o700, "{}", folder.display());
        for entry in fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else if entry.file_type().unwrap().is_file() {
                assert_eq!(mode(&entry.path()), 0o600, "{}", entry.path().display());
                looked_at += 1;
            }
        }
    }
    assert!(looked_at > 8);
}

#[test]
fn the_page_asks_for_nothing_and_runs_nothing() {
    check_page(&text("report.html"));
}

/// Fails when the page holds a script, or anything that makes a browser fetch.
#[track_caller]
fn check_page(page: &str) {
    let lower = page.to_lowercase();
    assert!(lower.contains("content-security-policy"), "no content security policy");
    for bad in [
        "<script",
        "javascript:",
        "src=\"http",
        "href=\"http",
        "src='http",
        "url(http",
        "src=\"//",
        "@import",
        "<iframe",
        "<link",
    ] {
        assert!(!lower.contains(bad), "the page holds {bad}");
    }
}

#[test]
fn markup_in_a_lead_stays_text() {
    let workspace = Workspace::new();
    let rows: Vec<String> = (0..4)
        .map(|number| {
            let name = ["Lis", "Kruk", "Wilk", "Dudek"][number];
            format!(
                "{number},2026-11-20T1{number}:00:00Z,<img src=x onerror=alert(1)> {name},\
                 evil{number}@example.com,60000010{number},\"<script>alert(2)</script> & \"\"Co\"\"\",PL,\
                 Prosze o wycene <b>teraz</b>,yes"
            )
        })
        .collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    workspace
        .table("<b>inbox<b>.csv", &rows)
        .table("bad.csv", &["9,2026-11-20T10:00:00Z,<u>x</u>,<i>no</i>,,,,,"]);
    let outcome = workspace.run(&["run"]);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 4, "{}", outcome.stderr);
    let page = workspace.latest("report.html");
    check_page(&page);
    for bad in ["<img", "<b>inbox", "<b>teraz", "<u>x", "<i>no"] {
        assert!(!page.contains(bad), "{bad} became markup");
    }
    assert!(page.contains("&lt;"), "the page shows none of the names: the test is blind");
}

#[test]
fn a_formula_in_a_lead_stays_text_in_a_spreadsheet() {
    let workspace = Workspace::new();
    workspace.table("one.csv", &["1,2026-11-18T09:00:00Z,\"=HYPERLINK(\"\"http://evil.example\"\",1) Nowak\",anna@przyklad.pl,,\"@SUM(1)\",PL,\"=1+1\",yes"]);
    workspace.ok(&["run"]);
    for name in ["crm/hubspot-contacts.csv", "crm/leads.csv", "tasks.csv"] {
        let (_, rows) = records(name, &workspace.latest(name));
        for cell in rows.iter().flatten() {
            assert!(!cell.starts_with(['=', '@']), "{name}: {cell}");
        }
    }
}

#[test]
fn no_control_byte_of_a_lead_reaches_a_terminal() {
    let workspace = Workspace::new();
    workspace.table(
        "one.csv",
        &[
            "1,2026-11-18T09:00:00Z,Anna\u{1b}[31m Wzorcowa\u{7},anna@przyklad.pl,600000101,Fir\u{1b}]0;x\u{7}ma,PL,\u{9b}31m,yes",
            "2,2026-11-18T09:00:00Z,Zly,zly\u{1b}[2J@,,,PL,,",
        ],
    );
    let run = workspace.run(&["run"]);
    let mut texts = vec![run.stdout, run.stderr];
    for args in [
        &["leads"][..],
        &["tasks"],
        &["quarantine"],
        &["explain", "anna@przyklad.pl"],
        &["sniff", "inbox/one.csv"],
        &["report", "dropoff"],
        &["report", "duplicates"],
        &["run", "no\u{1b}[31msuch.csv"],
    ] {
        let outcome = workspace.run(args);
        texts.extend([outcome.stdout, outcome.stderr]);
    }
    for text in &texts {
        let raw = text.chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(raw, None, "{text:?}");
    }
    assert!(texts.iter().any(|text| text.contains("Anna")), "the name is shown");
}
