//! Exports as they are sent: compressed, bundled, as workbooks; told by what they are, not by their name.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::workspace::{Workspace, table};

const ANNA: &str =
    "1,2026-11-18T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,600000101,Firma,PL,Prosze o wycene,yes";
const JAN: &str = "9,2026-11-18T10:00:00Z,Jan Testowski,jan@example.com,,,DE,,no";

/// Packs files into a zip archive.
fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, bytes) in files {
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

/// The parts of a workbook that say which sheets it has; styles 1 and 2 are a date and a date with time.
const CONTENT_TYPES: &str = r#"<?xml version="1.0" encoding="UTF-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/></Types>"#;
const RELATIONS: &str = r#"<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
const STYLES: &str = r#"<?xml version="1.0" encoding="UTF-8"?><styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="22"/></cellXfs></styleSheet>"#;

/// Makes a workbook of sheets: a name, the rows as XML, and whether people see it.
fn workbook(sheets: &[(&str, &str, bool)], is_1904: bool) -> Vec<u8> {
    let (mut list, mut relations) = (String::new(), String::new());
    let mut parts = Vec::new();
    for (at, (name, rows, is_visible)) in sheets.iter().enumerate() {
        let number = at + 1;
        let state = if *is_visible { "" } else { r#" state="hidden""# };
        write!(list, r#"<sheet name="{name}" sheetId="{number}" r:id="rId{number}"{state}/>"#)
            .unwrap();
        write!(
            relations,
            r#"<Relationship Id="rId{number}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet{number}.xml"/>"#
        )
        .unwrap();
        let sheet = format!(
            r#"<?xml version="1.0" encoding="UTF-8"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{rows}</sheetData></worksheet>"#
        );
        parts.push((format!("xl/worksheets/sheet{number}.xml"), sheet));
    }
    let epoch = if is_1904 { r#"<workbookPr date1904="1"/>"# } else { "" };
    let book = format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">{epoch}<sheets>{list}</sheets></workbook>"#
    );
    relations += r#"<Relationship Id="rId99" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/>"#;
    let relations = format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{relations}</Relationships>"#
    );
    let mut files: Vec<(&str, &[u8])> = vec![
        ("[Content_Types].xml", CONTENT_TYPES.as_bytes()),
        ("_rels/.rels", RELATIONS.as_bytes()),
        ("xl/workbook.xml", book.as_bytes()),
        ("xl/_rels/workbook.xml.rels", relations.as_bytes()),
        ("xl/styles.xml", STYLES.as_bytes()),
    ];
    files.extend(parts.iter().map(|(name, text)| (name.as_str(), text.as_bytes())));
    zip(&files)
}

/// A row of cells: text as it is, numbers after `#`, dates after `d:` or `t:`, empty ones left out.
fn row(number: u32, cells: &[&str]) -> String {
    let mut xml = format!(r#"<row r="{number}">"#);
    for (column, cell) in ('A'..='Z').zip(cells).filter(|(_, cell)| !cell.is_empty()) {
        let (attributes, value) = if let Some(number) = cell.strip_prefix('#') {
            ("", format!("<v>{number}</v>"))
        } else if let Some(date) = cell.strip_prefix("d:") {
            (r#" s="1""#, format!("<v>{date}</v>"))
        } else if let Some(moment) = cell.strip_prefix("t:") {
            (r#" s="2""#, format!("<v>{moment}</v>"))
        } else {
            (r#" t="inlineStr""#, format!("<is><t>{cell}</t></is>"))
        };
        write!(xml, r#"<c r="{column}{number}"{attributes}>{value}</c>"#).unwrap();
    }
    xml + "</row>"
}

/// Serial numbers of 2026-11-18 11:30:00 in the calendars that start in 1900 and in 1904.
const NOON: [&str; 2] = ["t:46344.479166666664", "t:44882.479166666664"];

fn leads_sheet(moment: &str) -> String {
    [
        row(2, &["Leady, listopad"]),
        row(4, &["Imię i nazwisko", "E-mail", "Telefon", "Data zgłoszenia", "Zgoda marketingowa"]),
        row(5, &["Anna\nWzorcowa", "anna@przyklad.pl", "#48600000101", moment, "tak"]),
        row(6, &["Zły Adres", "zly@@adres", "", moment, "nie"]),
        row(8, &["Jan Testowski", "jan@example.com", "#600000102", "d:46344", "nie"]),
    ]
    .concat()
}

#[test]
fn a_workbook_is_read_as_a_person_sees_it() {
    for (is_1904, moment) in [(false, NOON[0]), (true, NOON[1])] {
        let workspace = Workspace::new();
        let sheets = [
            ("Pusty", "", true),
            ("Ukryty", &*leads_sheet(moment), false),
            ("Leady", &*leads_sheet(moment), true),
        ];
        workspace.input("leady.xlsx", workbook(&sheets, is_1904));
        let outcome = workspace.run(&["run"]);
        assert!([0, 3].contains(&outcome.code), "{outcome:?}");
        let found = workspace.sql(
            "SELECT email, phone, first_submitted_at FROM leads WHERE email LIKE 'anna%' ORDER BY email",
        );
        assert_eq!(
            found,
            [["anna@przyklad.pl", "+48600000101", "2026-11-18T10:30:00Z"]],
            "{}",
            outcome.stderr
        );
        let jan = workspace.sql("SELECT phone FROM leads WHERE email = 'jan@example.com'");
        assert_eq!(jan, [["+48600000102"]]);
        // The row that Excel shows, though a cell above it has two lines.
        let kept = workspace.sql("SELECT line, code FROM quarantine");
        assert_eq!(kept, [["6", "email-invalid"]]);
        let sniffed = workspace.ok(&["sniff", "inbox/leady.xlsx", "--json"]).json();
        assert_eq!(
            (&sniffed["encoding"], &sniffed["sheet"], &sniffed["header_line"]),
            (&"XLSX".into(), &"Leady".into(), &4.into()),
            "{sniffed}"
        );
    }
}

#[test]
fn a_workbook_saved_again_adds_nothing() {
    let workspace = Workspace::new();
    let sheet = leads_sheet(NOON[0]);
    workspace.input("leady.xlsx", workbook(&[("Leady", &sheet, true)], false));
    workspace.run(&["run"]);
    let before = workspace.number("SELECT count(*) FROM submissions");
    assert_eq!(before, 2);
    workspace.clear_inbox();
    let sheets = [("Uwagi", &*row(1, &["tekst"]), true), ("Inna nazwa", &*sheet, true)];
    workspace.input("kopia.xlsx", workbook(&sheets, false));
    workspace.ok(&["run"]).says(&["kopia.xlsx", "already imported"]);
    assert_eq!(workspace.number("SELECT count(*) FROM submissions"), before);
}

#[test]
fn sheets_with_the_same_header_are_read_and_others_named() {
    let other =
        [row(1, &["E-mail", "Firma", "Miasto"]), row(2, &["ala@example.com", "Ala", "Łódź"])];
    let (january, other) = (leads_sheet(NOON[0]), other.concat());
    let february = january.replace("anna@", "ewa@").replace("jan@", "ola@");
    let sheets = [
        ("Styczeń", &*january, true),
        ("Firmy", &*other, true),
        ("Luty", &*february, true),
        ("Ukryty", &*january, false),
    ];
    let book = workbook(&sheets, false);
    let zipped = zip(&[("dwa.xlsx", &book)]);
    for (file, name) in [("dwa.xlsx", "dwa.xlsx"), ("dwa.zip", "dwa.zip/dwa.xlsx")] {
        let workspace = Workspace::new();
        workspace.input(file, if file == "dwa.zip" { &zipped } else { &book });
        workspace.run(&["run"]).says(&["dwa", "`Firmy`", "not read"]);
        assert_eq!(workspace.number("SELECT count(*) FROM submissions"), 4);
        let inputs = workspace.run_json()["inputs"].to_string();
        for input in [format!("/{name}\""), format!("/{name}/Luty\"")] {
            assert!(inputs.contains(&input), "no {input} in {inputs}");
        }
        workspace.run(&["run"]);
        assert_eq!(workspace.number("SELECT count(*) FROM submissions"), 4);
        let sniffed = workspace.run(&["sniff", &format!("inbox/{file}"), "--json"]);
        assert_eq!(sniffed.stdout.lines().count(), 2, "{sniffed:?}");
    }
}

#[test]
fn a_piped_workbook_names_the_sheets_that_are_not_read() {
    let workspace = Workspace::new();
    let sheet = leads_sheet(NOON[0]);
    let book = workbook(&[("Styczeń", &sheet, true), ("Luty", &sheet, true)], false);
    workspace.run_with_stdin(&["run", "-"], &book).says(&["`Luty`", "not read"]);
}

#[test]
fn broken_workbooks_are_refused() {
    let whole = workbook(&[("Leady", &leads_sheet(NOON[0]), true)], false);
    let unfinished = workbook(&[("Leady", "<row r=\"1\"><c r=\"A1\"><v>1</v>", true)], false);
    let empty = workbook(&[("Leady", "", true)], false);
    let mut damaged = whole.clone();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 20].fill(0x55);
    for (name, bytes) in [
        ("cut.xlsx", &whole[..whole.len() / 2]),
        ("unfinished.xlsx", &unfinished),
        ("empty.xlsx", &empty),
        ("damaged.xlsx", &damaged),
    ] {
        let workspace = Workspace::new();
        workspace.input(name, bytes).table("good.csv", &[ANNA]);
        workspace.run(&["run"]).expect_code(6).says(&[name, "refused", "hint:"]);
        assert_eq!(workspace.number("SELECT count(*) FROM submissions"), 1, "{name}");
    }
}

#[test]
fn a_workbook_that_unpacks_without_end_is_refused() {
    let workspace = Workspace::new();
    let rows = format!("{}{}", leads_sheet(NOON[0]), " ".repeat(30 << 20));
    workspace.input("bomb.xlsx", workbook(&[("Leady", &rows, true)], false));
    workspace.run(&["run"]).expect_code(6).says(&["bomb.xlsx", "unpacks to far more"]);
}

#[test]
fn an_archive_is_read_export_by_export() {
    let workspace = Workspace::new();
    let nested = workbook(&[("Leady", &leads_sheet(NOON[0]), true)], false);
    let bundle = zip(&[
        ("eksport/anna.csv", table(&[ANNA]).as_bytes()),
        ("../../jan.csv", table(&[JAN]).as_bytes()),
        ("eksport/leady.xlsx", &nested),
        ("__MACOSX/eksport/._anna.csv", b"\0\x05\x16\x07"),
        ("eksport/.DS_Store", b"\0\0\0\x01Bud1"),
        ("eksport/logo.png", b"\x89PNG"),
    ]);
    workspace.input("bundle.zip", &bundle);
    let outcome = workspace.run(&["run"]);
    assert!([0, 3].contains(&outcome.code), "{outcome:?}");
    let outcome = outcome.says(&["logo.png", "left out", "bundle.zip/eksport/anna.csv"]);
    assert!(!outcome.stderr.contains("MACOSX") && !outcome.stderr.contains("DS_Store"));
    let names: Vec<String> = workspace.run_json()["inputs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|input| input["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names.len(), 3, "{names:?}");
    assert!(names.iter().all(|name| name.contains("bundle.zip/")), "{names:?}");
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 2);
    let sniffed = workspace.run(&["sniff", "inbox/bundle.zip", "--json"]);
    assert_eq!(sniffed.stdout.lines().count(), 3, "{sniffed:?}");
}

#[test]
fn the_same_export_in_any_wrapping_adds_nothing() {
    let workspace = Workspace::new();
    let text = table(&[ANNA, JAN]);
    workspace.input("leads.csv.zst", zstd(text.as_bytes()));
    workspace.ok(&["run"]);
    assert_eq!(workspace.number("SELECT count(*) FROM submissions"), 2);
    workspace.clear_inbox();
    workspace.input("again.csv", &text);
    workspace.input("again.zip", zip(&[("a/b.csv", text.as_bytes())]));
    workspace.input("packed.zip", zip(&[("b.csv.zst", &zstd(text.as_bytes()))]));
    let outcome = workspace.ok(&["run"]);
    assert_eq!(outcome.stderr.matches("already imported").count(), 3, "{}", outcome.stderr);
    assert_eq!(workspace.number("SELECT count(*) FROM submissions"), 2);
}

#[test]
fn an_archive_can_be_piped_in() {
    let workspace = Workspace::new();
    let bundle = zip(&[("leads.csv", table(&[ANNA]).as_bytes())]);
    let outcome = workspace.run_with_stdin(&["run", "-"], &bundle);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 1);
}

#[test]
fn archives_that_cannot_be_read_say_why() {
    let csv = table(&[JAN]);
    let whole = zip(&[("leads.csv", csv.as_bytes()), ("more.csv", csv.as_bytes())]);
    // The flag of encryption, in the local header and in the list of files.
    let mut locked = zip(&[("leads.csv", csv.as_bytes())]);
    let list = locked.windows(4).position(|four| four == b"PK\x01\x02").unwrap();
    locked[6] |= 1;
    locked[list + 8] |= 1;
    let mut damaged = zip(&[("leads.csv", csv.as_bytes())]);
    let data = 30 + "leads.csv".len();
    damaged[data + 10] ^= 0xFF;
    for (name, bytes, words) in [
        ("cut.zip", &whole[..whole.len() - 30], "cut or damaged"),
        ("locked.zip", &locked, "password"),
        ("damaged.zip", &damaged, "damaged"),
        ("none.zip", &zip(&[("photo.jpg", b"x")]), "no export"),
        ("nested.zip", &zip(&[("inner.zip", &whole)]), "archive inside an archive"),
    ] {
        let workspace = Workspace::new();
        workspace.input(name, bytes).table("good.csv", &[ANNA]);
        workspace.run(&["run"]).expect_code(6).says(&[name, words, "hint:"]);
        assert_eq!(workspace.sql("SELECT email FROM leads"), [["anna@przyklad.pl"]], "{name}");
    }
}

#[test]
fn bombs_are_refused() {
    let mut rows = table(&[JAN]).into_bytes();
    rows.resize(12 << 20, b'\n');
    for (name, bytes) in [("bomb.zip", zip(&[("leads.csv", &rows)])), ("bomb.csv.zst", zstd(&rows))]
    {
        let workspace = Workspace::new();
        workspace.input(name, bytes).table("good.csv", &[ANNA]);
        workspace.run(&["run"]).expect_code(6).says(&[name, "bomb"]);
        assert_eq!(workspace.sql("SELECT email FROM leads"), [["anna@przyklad.pl"]], "{name}");
    }
}

#[test]
fn a_cut_zstd_file_is_refused() {
    let rows: Vec<String> =
        (0..300).map(|number| format!("{number},,Ewa,e{number}@example.com,,,PL,,")).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let whole = zstd(table(&rows).as_bytes());
    let workspace = Workspace::new();
    workspace.input("cut.csv.zst", &whole[..whole.len() / 2]);
    workspace.run(&["run"]).expect_code(6).says(&["cut.csv.zst", "ends too early"]);
}

#[test]
fn a_file_that_somebody_is_still_writing_is_left_for_the_next_run() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let workspace = Workspace::new();
    // The last row is never whole while the run looks on.
    let cut = table(&[JAN]) + "10,2026-11-18T10:00:00Z,\"Ewa";
    workspace.table("good.csv", &[ANNA]).input("slow.csv", cut);
    let path = workspace.path("inbox/slow.csv");
    let mut slow = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
    let is_over = AtomicBool::new(false);
    let outcome = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                slow.write_all(b" i jeszcze").unwrap();
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
        });
        let outcome = workspace.run(&["run"]);
        is_over.store(true, Ordering::Relaxed);
        outcome
    });
    outcome.expect_code(0).says(&["slow.csv", "still writing"]);
    assert_eq!(workspace.sql("SELECT email FROM leads"), [["anna@przyklad.pl"]]);
    let inputs = workspace.run_json()["inputs"].as_array().unwrap().clone();
    assert!(inputs.iter().any(|input| input["status"] == "postponed"), "{inputs:?}");
    workspace.input("slow.csv", table(&[JAN]));
    workspace.ok(&["run"]);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 2);
}

#[test]
fn a_sheet_is_a_rectangle_however_its_rows_end() {
    let rows = row(1, &["Name", "Email", "Message"])
        + &row(2, &["Jan Wzorcowy", "jan@przyklad.pl", "hej"])
        + &row(3, &["Ola Nowa", "ola@przyklad.pl", ""])
        + &row(4, &["Ewa Inna", "ewa@przyklad.pl", ""]);
    let workspace = Workspace::new();
    workspace.input("forms.xlsx", workbook(&[("Form", &rows, true)], false));
    workspace.run(&["run"]);
    let run = workspace.run_json();
    assert_eq!(run["rows"]["created"], 3, "{run}");
    assert_eq!(run["rows"]["quarantined"], 0, "{run}");
    // Nobody is at the terminal when cron runs: what was not understood stands in run.json.
    let warning = run["inputs"][0]["warnings"][0].as_str().unwrap();
    assert!(warning.contains("no column says when a form was sent"), "{run}");
}
