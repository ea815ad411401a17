//! What people drop into an inbox by mistake: refused or quarantined, named, and never in the way of
//! the good rows.

use std::fs::File;
use std::io::{BufWriter, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::workspace::{Outcome, Workspace, table};

const GOOD: &str =
    "1,2026-11-18T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,600000101,Firma,PL,Prosze o wycene,yes";
const GOOD_TOO: &str = "9,2026-11-18T10:00:00Z,Jan Testowski,jan@example.com,,,DE,,no";

/// Runs on an inbox with one bad file and one good one; the good one is taken in any case.
#[track_caller]
fn run_beside_good(name: &str, bytes: &[u8]) -> (Workspace, Outcome) {
    let workspace = Workspace::new();
    workspace.input(name, bytes).table("good.csv", &[GOOD]);
    let outcome = workspace.run(&["run"]);
    let anna = "SELECT count(*) FROM leads WHERE email = 'anna@przyklad.pl'";
    assert_eq!(workspace.number(anna), 1, "{name}: {}", outcome.stderr);
    (workspace, outcome)
}

/// Fails unless the file is refused whole, by name, with a way out, and leaves nothing behind.
#[track_caller]
fn check_refused(name: &str, bytes: &[u8], words: &[&str]) {
    let (workspace, outcome) = run_beside_good(name, bytes);
    outcome.expect_code(6).says(&[name, "refused"]).says(words);
    assert_eq!(workspace.number("SELECT count(*) FROM submissions"), 1, "{name} left rows");
    let input = &workspace.run_json()["inputs"].as_array().unwrap().clone();
    let refused =
        input.iter().find(|input| input["name"].as_str().unwrap().ends_with(name)).unwrap();
    assert_eq!(refused["status"], "refused");
    assert!(!refused["detail"].as_str().unwrap().is_empty());
    workspace.run(&["sniff", &format!("inbox/{name}")]).expect_code(6).says(&[name, "hint:"]);
}

/// Fails unless exactly the row at `line` is in quarantine, under `code`, with what was received; the
/// other rows of the file become leads.
#[track_caller]
fn check_quarantined(name: &str, bytes: &[u8], code: &str, line: u32, raw: &str) {
    let (workspace, outcome) = run_beside_good(name, bytes);
    assert!([0, 3].contains(&outcome.code), "{name}: {} {}", outcome.code, outcome.stderr);
    let overview = workspace.latest("quarantine.csv");
    let rows: Vec<csv::StringRecord> =
        csv::Reader::from_reader(overview.as_bytes()).records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 1, "{name}: {overview}");
    assert!(rows[0][0].ends_with(name), "{name}: {:?}", rows[0]);
    assert_eq!((&rows[0][2], &rows[0][3]), (line.to_string().as_str(), code), "{name}: {overview}");
    assert!(rows[0][7].contains(raw), "{name}: {raw:?} in {:?}", &rows[0][7]);
    assert!(!rows[0][6].is_empty());
    let jan = "SELECT count(*) FROM leads WHERE email = 'jan@example.com'";
    assert_eq!(workspace.number(jan), 1, "{name}: the good row of the same file");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_file_that_is_not_there_is_exit_code_2() {
    let workspace = Workspace::new();
    workspace.run(&["run", "no-such.csv"]).expect_code(2).says(&["no-such.csv", "hint:"]);
    assert!(!workspace.path("leadmill.db").exists(), "and makes no store");
    workspace.run(&["sniff", "no-such.csv"]).expect_code(2).says(&["no-such.csv"]);
}

#[cfg(unix)]
#[test]
fn a_folder_of_the_inbox_that_cannot_be_read_is_said_and_the_rest_is_taken() {
    let workspace = Workspace::new();
    workspace.table("good.csv", &[GOOD]).table("meta/too.csv", &[GOOD_TOO]);
    // Whoever runs the tests may read anything, but nobody follows a link that leads to itself.
    std::os::unix::fs::symlink("google", workspace.path("inbox/google")).unwrap();
    for args in [&["run"][..], &["run", "--json"]] {
        workspace.run(args).expect_code(1).says(&["inbox/google", "cannot be read", "hint:"]);
        assert_eq!(workspace.number("SELECT count(*) FROM leads"), 2);
    }
    std::fs::remove_file(workspace.path("inbox/google")).unwrap();
    workspace.ok(&["run"]);
}

#[cfg(unix)]
#[test]
fn an_inbox_that_cannot_be_read_is_no_empty_one() {
    use std::os::unix::fs::PermissionsExt as _;
    let workspace = Workspace::new();
    workspace.table("good.csv", &[GOOD]);
    let inbox = workspace.path("inbox");
    let allow = |mode| std::fs::set_permissions(&inbox, std::fs::Permissions::from_mode(mode));
    allow(0o000).unwrap();
    let is_root = std::fs::read_dir(&inbox).is_ok();
    let outcome = workspace.run(&["run"]);
    allow(0o700).unwrap();
    if is_root {
        return;
    }
    outcome.expect_code(1).says(&["inbox", "cannot be read", "hint:"]);
    assert!(!workspace.path("leadmill.db").exists(), "and makes no store");
}

#[cfg(target_os = "linux")]
#[test]
fn a_workspace_may_be_called_what_is_no_text() {
    use std::os::unix::ffi::OsStrExt as _;
    let around = Workspace::new();
    let folder = around.path(".").join(std::ffi::OsStr::from_bytes(b"sprzeda\xbf"));
    let workspace = Workspace::at(folder);
    workspace.table("good.csv", &[GOOD]);
    let named = around.command(&["run"]).arg("--workspace").arg(workspace.path(".")).output();
    Outcome::from(named.unwrap()).expect_code(0);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 1);
}

#[test]
fn a_missing_file_does_not_stop_the_others() {
    let workspace = Workspace::new();
    workspace.table("good.csv", &[GOOD]);
    workspace.run(&["run", "no-such.csv", "inbox/good.csv"]).expect_code(2).says(&["no-such.csv"]);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 1);
}

#[test]
fn a_folder_without_exports_is_exit_code_2() {
    let workspace = Workspace::new();
    workspace.file("empty/readme.md", "nothing");
    workspace.run(&["run", "empty"]).expect_code(2).says(&["empty", "hint:", ".csv"]);
}

#[test]
fn what_is_no_export_is_refused() {
    check_refused(
        "login.csv",
        b"<!DOCTYPE html>\n<html><head><title>Log in</title></head><body>x</body></html>\n",
        &["web page"],
    );
    check_refused(
        "picture.csv",
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\0\0\0\x01\0\x08\x06\0\0\0\x5c\x72\xa8\x66",
        &[],
    );
    check_refused("book.csv", b"PK\x03\x04\x14\0\x06\0\x08\0\0\0!\0\xdf\xa4\xd2lZ\x01", &[]);
}

#[test]
fn a_cut_off_archive_is_refused() {
    let rows: Vec<String> = (0..400)
        .map(|number| {
            format!(
                "{number},2026-11-18T09:00:00Z,Ewa E{number},e{number}@example.com,,,PL,tekst {},",
                number * 7919
            )
        })
        .collect();
    let whole = gzip(table(&rows.iter().map(String::as_str).collect::<Vec<_>>()).as_bytes());
    check_refused("cut.csv.gz", &whole[..whole.len() / 2], &[]);
    check_refused("tail.csv.gz", &whole[..whole.len() - 4], &[]);
}

#[test]
fn an_archive_that_unpacks_without_end_is_refused() {
    let mut rows = table(&[GOOD_TOO]).into_bytes();
    rows.resize(12 << 20, b'\n');
    check_refused("bomb.csv.gz", &gzip(&rows), &[]);
}

#[test]
fn an_input_over_the_cap_is_refused() {
    let workspace = Workspace::new();
    workspace.file("rules/workspace.toml", "[caps]\ninput-bytes = 4096\n");
    let rows = vec![GOOD; 100];
    workspace.table("good.csv", &[GOOD_TOO]).table("big.csv", &rows);
    workspace.input("packed.csv.gz", gzip(table(&rows).as_bytes()));
    workspace.run(&["run"]).expect_code(6).says(&["big.csv", "packed.csv.gz"]);
    assert_eq!(workspace.sql("SELECT email FROM leads"), [["jan@example.com"]]);
}

#[test]
fn a_file_without_rows_is_no_failure() {
    for (name, text) in [("header.csv", table(&[])), ("blank.csv", table(&["", ""]))] {
        let (workspace, outcome) = run_beside_good(name, text.as_bytes());
        assert_eq!(outcome.code, 0, "{name}: {}", outcome.stderr);
        assert_eq!(workspace.number("SELECT count(*) FROM submissions"), 1, "{name}");
    }
}

#[test]
fn an_empty_file_is_said_to_be_empty() {
    let (_, outcome) = run_beside_good("empty.csv", b"");
    assert!([0, 6].contains(&outcome.code), "{outcome:?}");
    outcome.says(&["empty.csv", "empty"]);
}

#[test]
fn headers_that_nobody_knows_are_refused_or_quarantined_by_name() {
    let (workspace, outcome) = run_beside_good("odd.csv", b"foo;bar;baz\n1;2;3\n4;5;6\n");
    assert!(matches!(outcome.code, 3 | 6), "{outcome:?}");
    assert!(outcome.stderr.contains("odd.csv"), "{}", outcome.stderr);
    assert_eq!(workspace.number("SELECT count(*) FROM submissions"), 1);
}

#[test]
fn a_bad_row_is_kept_with_its_line_and_what_it_said() {
    let short = table(&[GOOD_TOO, "2,2026-11-18T09:00:00Z,Krotki Wiersz"]);
    check_quarantined("short.csv", short.as_bytes(), "ragged-row", 3, "Krotki Wiersz");
    let long =
        table(&[GOOD_TOO, "2,2026-11-18T09:00:00Z,Dlugi Wiersz,d@example.com,,,PL,,yes,za,duzo"]);
    check_quarantined("long.csv", long.as_bytes(), "ragged-row", 3, "duzo");
    let nobody = table(&["2,2026-11-18T09:00:00Z,Bez Adresu,,,,PL,,", GOOD_TOO]);
    check_quarantined("nobody.csv", nobody.as_bytes(), "no-contact", 2, "Bez Adresu");
    let no_mail = table(&["2,2026-11-18T09:00:00Z,Zly Adres,zly@@adres,,,PL,,", GOOD_TOO]);
    check_quarantined("no-mail.csv", no_mail.as_bytes(), "email-invalid", 2, "zly@@adres");
}

#[test]
fn a_broken_json_line_is_kept_with_what_it_said() {
    let lines = format!(
        "{}\n{}\n{}\n",
        r#"{"email":"jan@example.com","full_name":"Jan Testowski","created_at":"2026-11-18T09:00:00Z"}"#,
        r#"{"email":"kto@example.com","full_name":"#,
        r#"{"email":"ewa@example.com","full_name":"Ewa Nowa","created_at":"2026-11-18T10:00:00Z"}"#,
    );
    let workspace = Workspace::new();
    workspace.input("lines.jsonl", lines);
    let outcome = workspace.run(&["run"]);
    assert!([0, 3].contains(&outcome.code), "{outcome:?}");
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 2, "{}", outcome.stderr);
    let kept = workspace.sql("SELECT line, raw FROM quarantine");
    assert_eq!(kept.len(), 1);
    assert!(kept[0][0] == "2" && kept[0][1].contains("kto@example.com"), "{kept:?}");
}

#[test]
fn bytes_that_are_no_text_do_not_lose_the_row() {
    let mut bytes = table(&[GOOD_TOO]).into_bytes();
    bytes.extend(b"2,2026-11-18T09:00:00Z,Ewa \xff\xfe\xfdNowa,ewa@example.org,,,PL,,\n");
    bytes.extend(b"3,2026-11-18T09:00:00Z,Zen\0on Zero,zenon@example.org,,,PL,,\n");
    let (workspace, outcome) = run_beside_good("bytes.csv", &bytes);
    assert!([0, 3].contains(&outcome.code), "{outcome:?}");
    let kept = workspace
        .number("SELECT (SELECT count(*) FROM submissions) + (SELECT count(*) FROM quarantine)");
    assert_eq!(kept, 4, "{}", outcome.stderr);
    let jan = "SELECT count(*) FROM leads WHERE email = 'jan@example.com'";
    assert_eq!(workspace.number(jan), 1);
}

#[cfg(target_os = "linux")]
#[test]
fn a_line_of_a_hundred_megabytes_is_quarantined_in_little_memory() {
    let workspace = Workspace::new();
    workspace.table("good.csv", &[GOOD]);
    let mut file = BufWriter::new(File::create(workspace.path("inbox/huge.csv")).unwrap());
    file.write_all(table(&[GOOD_TOO]).as_bytes()).unwrap();
    file.write_all(b"2,2026-11-18T09:00:00Z,Ewa Nowa,ewa@example.org,,,PL,").unwrap();
    for _ in 0..100 {
        file.write_all(&vec![b'x'; 1 << 20]).unwrap();
    }
    file.write_all(b",\n").unwrap();
    file.write_all(b"3,2026-11-18T09:00:00Z,Ola Ostatnia,ola@example.org,,,PL,,\n").unwrap();
    drop(file.into_inner().unwrap());

    let mut child = workspace
        .command(&["run", "--quiet"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut peak_kib = 0;
    while child.try_wait().unwrap().is_none() {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
        peak_kib = peak_kib.max(kib.unwrap_or(0));
        std::thread::yield_now();
    }
    assert!(peak_kib > 1_000, "the memory was not seen");
    assert!(peak_kib < 300 * 1024, "{} MiB for one line", peak_kib / 1024);
    let kept = workspace.sql("SELECT line, code, length(raw) < 2000000 FROM quarantine");
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert_eq!((kept[0][0].as_str(), kept[0][2].as_str()), ("3", "1"));
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 3, "the rows around it are taken");
}

#[test]
fn a_fixed_row_goes_in_from_the_quarantine_file() {
    let workspace = Workspace::new();
    workspace.table(
        "leads.csv",
        &[GOOD, "2,2026-11-19T09:00:00Z,Jan Poprawny,jan(at)example,,Firma,PL,Kiedy?,yes"],
    );
    workspace.run(&["run"]);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 1);
    let file = workspace.latest("quarantine/generic-csv--leads.csv");
    assert!(file.contains("jan(at)example"), "{file}");
    workspace.clear_inbox().input("fixed.csv", file.replace("jan(at)example", "jan@example.com"));
    let again = workspace.ok(&["run", "--json"]).json();
    assert_eq!(
        (again["rows"]["read"].as_u64(), again["rows"]["created"].as_u64()),
        (Some(1), Some(1)),
        "{again}"
    );
    let jan = workspace.sql(
        "SELECT first_name, company, first_submitted_at FROM leads WHERE email = 'jan@example.com'",
    );
    assert_eq!(jan, [["Jan", "Firma", "2026-11-19T09:00:00Z"]]);
}

#[test]
fn records_under_their_ids_are_as_many_leads() {
    let workspace = Workspace::new();
    let text = r#"{"-Nx1":{"name":"Jan Wzorcowy","email":"jan@przyklad.pl"},"-Nx2":{"name":"Ola Nowa","email":"ola@przyklad.pl"}}"#;
    workspace.input("firebase.json", text);
    workspace.run(&["run"]);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 2);
    let nested = r#"{"contact1":{"name":"Jan","email":"jan@przyklad.pl"},"company1":{"vat":"1","seat":"2"}}"#;
    let workspace = Workspace::new();
    workspace.input("one.json", nested);
    workspace.run(&["run"]);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 1);
}

#[test]
fn lists_without_names_are_refused_and_not_read_as_a_table() {
    let workspace = Workspace::new();
    workspace.input("rows.json", r#"[["name","email"],["Jan","jan@przyklad.pl"]]"#);
    let outcome = workspace.run(&["run"]);
    outcome.expect_code(6).says(&["records are lists without names", "hint"]);
}

#[test]
fn a_lead_id_alone_makes_no_table_a_crm_s() {
    let workspace = Workspace::new();
    workspace.file(
        "leads.csv",
        "Lead ID,Name,Email,Created at\n1,Jan,jan@przyklad.pl,2025-09-12 10:05:06\n",
    );
    let found = workspace.ok(&["sniff", "leads.csv", "--json"]).json();
    assert_eq!(found["source"], "generic-csv", "{found}");
}

#[test]
fn sniff_says_how_many_problems_it_does_not_show() {
    let workspace = Workspace::new();
    let rows: Vec<String> =
        (0..16).map(|n| format!("{n},2026-11-18T09:00:00Z,Ewa,,,,PL,,")).collect();
    workspace.table("many.csv", &rows.iter().map(String::as_str).collect::<Vec<_>>());
    let told = workspace.ok(&["sniff", "inbox/many.csv"]).stdout;
    assert!(told.lines().any(|line| line == "and 6 more"), "{told}");
    let json = workspace.ok(&["sniff", "inbox/many.csv", "--json"]).json();
    assert_eq!(json["rejected"].as_array().unwrap().len(), 10);
    assert_eq!(json["not_shown"], serde_json::json!({"rejected": 6, "held": 0, "notices": 0}));
}
