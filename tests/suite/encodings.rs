//! Letters as they arrive: in the character set of whatever program wrote them, or garbled by one.

use super::workspace::{Workspace, table};

fn lead(number: u32, name: &str) -> String {
    format!("{number},2026-11-18T09:00:00Z,{name},e{number}@example.com,,,PL,Prosze o wycene,yes")
}

/// Fails unless the file is taken for `encoding` and its lead is called `name`.
#[track_caller]
fn check(bytes: &[u8], encoding: &str, name: [&str; 2]) {
    let workspace = Workspace::new();
    workspace.input("leads.csv", bytes);
    workspace.ok(&["run"]);
    let found = workspace.sql("SELECT first_name, last_name FROM leads");
    assert_eq!(found, [name], "{encoding}");
    let sniffed = workspace.ok(&["sniff", "inbox/leads.csv", "--json"]).json();
    assert_eq!(sniffed["encoding"], encoding);
    assert_eq!(sniffed["notices"].as_array().unwrap().len(), 0, "{sniffed}");
}

/// Puts the bytes of a name into a table.
fn with_name(bytes: &[u8], line_end: &str) -> Vec<u8> {
    let text = table(&[&lead(1, "NAME")]).replace('\n', line_end);
    let (before, behind) = text.split_once("NAME").unwrap();
    [before.as_bytes(), bytes, behind.as_bytes()].concat()
}

#[test]
fn polish_is_read_in_every_encoding_that_programs_write() {
    let name = ["Świętosława", "Żółć"];
    for (bytes, encoding, line_end) in [
        ("Świętosława Żółć".as_bytes(), "UTF-8", "\n"),
        (b"\x8Cwi\xEAtos\xB3awa \xAF\xF3\xB3\xE6", "windows-1250", "\r\n"),
        (b"\xA6wi\xEAtos\xB3awa \xAF\xF3\xB3\xE6", "ISO-8859-2", "\n"),
        (b"\x97wi\xA9tos\x88awa \xBD\xA2\x88\x86", "IBM852", "\r\n"),
        (b"\xE5wi\xABtos\xB8awa \xFB\x97\xB8\x8D", "x-mac-ce", "\r"),
    ] {
        check(&with_name(bytes, line_end), encoding, name);
    }
    let text = table(&[&lead(1, "Świętosława Żółć")]);
    for (to_bytes, encoding) in
        [(u16::to_le_bytes as fn(u16) -> [u8; 2], "UTF-16LE"), (u16::to_be_bytes, "UTF-16BE")]
    {
        let bytes: Vec<u8> = text.encode_utf16().flat_map(to_bytes).collect();
        check(&bytes, encoding, name);
    }
}

#[test]
fn rows_of_another_encoding_are_read_and_said() {
    let workspace = Workspace::new();
    let mut bytes = table(&[&lead(1, "Łucja Żak"), &lead(2, "Paweł Świt")]).into_bytes();
    bytes.extend(b"3,2026-11-18T09:00:00Z,Pawe\xB3 \x8Cl\xB9ski,e3@example.com,,,PL,Prosze,yes\n");
    workspace.input("mixed.csv", &bytes);
    workspace.ok(&["run"]);
    let names = workspace.sql("SELECT first_name, last_name FROM leads ORDER BY email");
    assert_eq!(names, [["Łucja", "Żak"], ["Paweł", "Świt"], ["Paweł", "Śląski"]]);
    let sniffed = workspace.ok(&["sniff", "inbox/mixed.csv", "--json"]).json();
    let notice = &sniffed["notices"][0];
    assert_eq!((&notice["line"], &notice["code"]), (&4.into(), &"encoding-of-row".into()));
    assert!(notice["message"].as_str().unwrap().contains("windows-1250"), "{notice}");
}

#[test]
fn garbled_letters_are_mended_and_said() {
    for (garbled, mended) in [
        ("StanisÅ‚aw WÃ³jcik", ["Stanisław", "Wójcik"]),
        ("StanisĹ‚aw WĂłjcik", ["Stanisław", "Wójcik"]),
        ("Micha³ Paw³owski", ["Michał", "Pawłowski"]),
    ] {
        let workspace = Workspace::new();
        workspace.table("garbled.csv", &[&lead(1, garbled), &lead(2, "René Müller")]);
        workspace.ok(&["run"]);
        let names = workspace.sql("SELECT first_name, last_name FROM leads ORDER BY email");
        assert_eq!(names, [mended, ["René", "Müller"]]);
        let sniffed = workspace.ok(&["sniff", "inbox/garbled.csv", "--json"]).json();
        let notices = sniffed["notices"].as_array().unwrap();
        assert_eq!(notices.len(), 1, "{notices:?}");
        assert_eq!(
            (&notices[0]["code"], &notices[0]["column"], &notices[0]["value"]),
            (&"text-repaired".into(), &"full_name".into(), &garbled.into())
        );
    }
}

#[test]
fn garbled_headers_are_understood() {
    let workspace = Workspace::new();
    workspace.input(
        "headers.csv",
        "ImiÄ™;Nazwisko;Adres e-mail;Numer telefonu\nJan;Testowski;jan@example.com;600000102\n",
    );
    workspace.ok(&["run"]);
    let found = workspace.sql("SELECT first_name, last_name, phone FROM leads");
    assert_eq!(found, [["Jan", "Testowski", "+48600000102"]]);
}

#[test]
fn letters_that_are_lost_are_said() {
    let workspace = Workspace::new();
    workspace.table("lost.csv", &[&lead(1, "Micha\u{fffd} Kowalski")]);
    workspace.ok(&["run"]);
    let sniffed = workspace.ok(&["sniff", "inbox/lost.csv", "--json"]).json();
    assert_eq!(sniffed["notices"][0]["code"], "text-lost", "{sniffed}");
}

#[test]
fn padding_of_old_programs_ends_a_file_and_zeros_say_it_is_cut() {
    let mut padded = table(&[&lead(1, "Jan Testowski")]).into_bytes();
    let mut zeroed = padded.clone();
    padded.resize(padded.len() + 100, 0x1A);
    zeroed.resize(zeroed.len() + 5000, 0);
    let workspace = Workspace::new();
    workspace.input("padded.csv", &padded).input("zeroed.csv", &zeroed);
    workspace.run(&["run"]).expect_code(6).says(&["zeroed.csv", "refused"]);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 1);
}

#[test]
fn web_pages_under_the_name_of_an_export_are_told_apart() {
    for (name, page, word) in [
        (
            "table.xls",
            "<html><table><tr><td>E-mail</td></tr><tr><td>jan@example.com</td></tr></table></html>",
            "table on a web page",
        ),
        (
            "login.csv",
            "<!DOCTYPE html><html><form><table><tr><td><input type=\"password\"></td></tr></table></form>",
            "login page",
        ),
    ] {
        let workspace = Workspace::new();
        workspace.input(name, page);
        workspace.run(&["run"]).expect_code(6).says(&[name, word, "hint:"]);
    }
    // Many programs write tabs and call it a workbook.
    let workspace = Workspace::new();
    workspace.input("tabs.xls", table(&[&lead(1, "Jan Testowski")]).replace(',', "\t"));
    workspace.ok(&["run"]);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 1);
}
