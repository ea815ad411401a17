//! `sniff --write-preset`: a draft that `check` accepts and `run` uses, for exports nobody knows.

use super::workspace::{AS_OF, Workspace, assert_fits_a_terminal};

/// Drafts a preset from a file, checks the rules with it and runs the file.
#[track_caller]
fn check(name: &str, text: &str, leads: i64, needs: &[&str]) {
    let workspace = Workspace::new();
    workspace.file(name, text);
    let first = workspace.run(&["sniff", name, "--json"]);
    let out = "rules/sources/nasz-system.toml";
    let drafted = workspace.ok(&["sniff", name, "--write-preset", out]);
    assert!(drafted.stderr.contains("leadmill check"), "{}", drafted.stderr);
    let draft = std::fs::read_to_string(workspace.path(out)).unwrap();
    for part in needs {
        assert!(draft.contains(part), "no {part} in\n{draft}");
    }
    workspace.ok(&["check"]);
    let now = workspace.ok(&["sniff", name, "--json"]).json();
    assert_eq!(now["source"], "nasz-system", "{draft}");
    assert_eq!(now["rows"], first.json()["rows"], "{draft}");
    workspace.run(&["run", name]);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), leads, "{draft}");
    let sources = workspace.sql("SELECT DISTINCT source FROM input");
    assert_eq!(sources[0][0], "nasz-system");
    // A second draft must not destroy what somebody has confirmed since.
    workspace.run(&["sniff", name, "--write-preset", out]).expect_code(2).says(&["hint:"]);
}

#[test]
fn a_table_with_unknown_columns() {
    check(
        "Zgłoszenia (targi).csv",
        "Nr;Kto;Kontakt mailowy;Tel.;Kiedy;Data zgłoszenia;=Formuła;Uwagi \"własne\";Zgoda na SMS\n\
         1;Anna Łęcka;anna@example.com;600 000 101;rano;25/09/2026 15:05;1;x;tak\n\
         2;Jan Nowak;jan@example.com;600 000 102;rano;01/09/2026 15:05;1;x;nie\n",
        2,
        &[
            "names = [\"Kontakt mailowy\"]\nfield = \"email\"  # confirm",
            "date-order = \"dmy\"",
            "zone = \"Europe/Warsaw\"  # confirm",
            "names = [\"Zgoda na SMS\"]\nrole = \"consent\"",
            "    \"Kto\",\n",
            "    \"==Formuła\",\n",
        ],
    );
}

#[test]
fn a_table_without_a_header() {
    check(
        "lista.csv",
        "Anna;anna@example.com;600000101\nJan;jan@example.com;600000102\n",
        2,
        &["headers = [\"column 1\"", "cells = { \"column 2\" = \"@\" }"],
    );
}

#[test]
fn records_with_unknown_keys() {
    check(
        "hook.jsonl",
        "{\"lead\": {\"kontakt_email\": \"anna@example.com\", \"email\": \"anna@example.com\"}, \"xyz\": 3}\n\
         {\"lead\": {\"email\": \"jan@example.com\"}}\n",
        2,
        &["json-keys = [\"lead.email\"", "    \"xyz\",\n"],
    );
}

#[test]
fn dates_that_could_be_either_are_left_to_confirm() {
    let workspace = Workspace::new();
    workspace.file("a.csv", "E-mail;Data\nanna@example.com;09/12/2025\n");
    let draft = workspace.ok(&["sniff", "a.csv", "--write-preset"]).stdout;
    assert!(draft.contains("# date-order = \"dmy\"  # confirm"), "{draft}");
    assert!(draft.contains("id = \"a\""), "{draft}");
}

#[test]
fn a_draft_needs_a_name_of_its_own_and_a_file() {
    let workspace = Workspace::new();
    workspace.file("tiktok.csv", "E-mail\nanna@example.com\n");
    let taken = workspace.run(&["sniff", "tiktok.csv", "--write-preset"]);
    taken.expect_code(2).says(&["tiktok", "hint:"]);
    let piped = workspace.run_with_stdin(&["sniff", "-", "--write-preset"], b"E-mail\na@b.pl\n");
    assert_eq!(piped.code, 2, "{}", piped.stderr);
}

#[test]
fn the_verdict_fits_a_terminal_and_shows_every_reason() {
    let workspace = Workspace::new();
    let question =
        "Czy wyraża Pani lub Pan zgodę na otrzymywanie informacji handlowych drogą elektroniczną?";
    workspace.file(
        "odpowiedzi_z_bardzo_długą_nazwą_pliku_z_formularza_kontaktowego.csv",
        format!(
            "Adres e-mail;Telefon;{question};Numer_referencyjny_bez_spacji_{x}\n\
             anna@example.com;brak;Tak;{x}\njan(at);4,86001E+10;Nie;1\ntest@test.com;;;1\n",
            x = "x".repeat(60)
        ),
    );
    let name = "odpowiedzi_z_bardzo_długą_nazwą_pliku_z_formularza_kontaktowego.csv";
    let shown = workspace.ok(&["sniff", name, "--as-of", AS_OF]).stdout;
    assert_fits_a_terminal(&shown);
    for part in ["alias in", "nobody", "marketing", "email-invalid", "test", ":3, column"] {
        assert!(shown.contains(part), "no {part} in\n{shown}");
    }
    let found = workspace.ok(&["sniff", name, "--json"]).json();
    assert_eq!(found["consents"][0]["purpose"], "marketing");
    assert_eq!(found["columns"][0]["because"], "alias in fields.toml");
    assert_eq!(found["columns"][2]["filled"], 2);
    assert_eq!(found["held"][0]["code"], "test");
}
