//! Every scenario once more, with a hostile file among its exports: people whose every field is a canary, a command of
//! a terminal, markup, a formula, a line of a mail's head. Whatever the scenario does with them, none of it comes out
//! where it must not: on a terminal, in what is said about a run, as markup, as a formula, as a line of its own, or
//! outside the workspace.

use std::fs;
use std::path::Path;

use html5gum::{Token, Tokenizer};
use serde::Deserialize;

use super::workspace::{Outcome, Workspace, files_below, package};

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Scenario {
    step: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Step {
    as_of: String,
    args: Vec<String>,
}

/// A word that only the hostile rows hold, in lower case.
const CANARY: &str = "kanarek";

/// Files of a run that say how it went, and of whom nothing.
const ABOUT_THE_RUN: &[&str] = &["run.json", "manifest.json", "metrics.prom"];

/// Rows in which every field is a canary and more; times that any scenario takes.
fn hostile_table() -> String {
    let header = "id,created_at,full_name,email,phone,company,country,city,message,marketing_consent,source,campaign";
    let rows = [
        "kanarek-1,2026-11-18T09:00:00Z,\"\u{1b}[31mKanarek\u{7} \u{202e}Anna\",anna@kanarek.example,+48600000101,\
         \"=HYPERLINK(\"\"http://kanarek.example\"\";1)\",PL,@kanarek,\"<kanarek onload=alert(1)>\",yes,\
         \"-kanarek\",\"+kanarek\"",
        "kanarek-2,2026-11-18T10:00:00Z,\"Jan\r\nX-Kanarek: 1\",jan@kanarek.example,+48600000102,\
         \"\"\" onmouseover=\"\"kanarek\",PL,\"\tkanarek\",\"a\r\nBcc: x@kanarek.example\r\nBEGIN:X-KANAREK\",no,\
         \"'kanarek\",\"javascript:kanarek\"",
        "kanarek-3,kanarek,Ewa \u{9b}31mKanarek,ewa(at)kanarek,kanarek,\u{200b}kanarek,Kanarkowo,x,\u{2066}kanarek,\
         kanarek,../../kanarek,kanarek",
    ];
    format!("{header}\n{}\n", rows.join("\n"))
}

/// Fails where something for people to read holds what steers a terminal or hides itself.
#[track_caller]
fn assert_no_control(what: &str, text: &str) {
    let hostile = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    assert_eq!(text.chars().find(|c| hostile(*c)), None, "{what}: {text:?}");
}

#[track_caller]
fn assert_names_nobody(what: &str, text: &str) {
    assert!(!text.to_lowercase().contains(CANARY), "{what} names somebody: {text}");
}

/// Fails where the page has an element or an attribute that was born from data.
#[track_caller]
fn assert_no_markup(page: &str) {
    for token in Tokenizer::new(page).flatten() {
        let Token::StartTag(tag) = token else { continue };
        let name = String::from_utf8_lossy(&tag.name).into_owned();
        assert!(!name.contains(CANARY), "<{name}>");
        for (attribute, value) in &tag.attributes {
            let attribute = String::from_utf8_lossy(attribute).into_owned();
            assert!(
                !attribute.starts_with("on") && !attribute.contains(CANARY),
                "<{name} {attribute}>"
            );
            let value = String::from_utf8_lossy(value);
            assert!(!value.starts_with("javascript:"), "<{name} {attribute}={value}>");
        }
    }
}

/// Fails where a cell of a table that people open in a spreadsheet would be computed.
#[track_caller]
fn assert_no_formula(name: &str, text: &str) {
    let text = text.trim_start_matches('\u{feff}');
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    for cell in
        reader.records().flat_map(|row| row.unwrap().iter().map(str::to_owned).collect::<Vec<_>>())
    {
        let is_of_a_row = cell.to_lowercase().contains(CANARY);
        assert!(
            !is_of_a_row || !cell.starts_with(['=', '+', '-', '@', '\t', '\r']),
            "{name}: {cell:?}"
        );
    }
}

/// Fails where a value of a row became a line of its own in a mail or a calendar.
#[track_caller]
fn assert_no_line_of_its_own(name: &str, text: &str) {
    for line in text.lines() {
        let lower = line.to_lowercase();
        let is_injected =
            ["x-kanarek", "bcc:", "begin:x-kanarek"].iter().any(|start| lower.starts_with(start));
        assert!(!is_injected, "{name}: {line}");
    }
}

/// Looks through everything that the runs of a workspace left.
#[track_caller]
fn assert_files_are_harmless(workspace: &Workspace) -> usize {
    let mut with_canary = 0;
    for (name, bytes) in workspace.published() {
        let text = String::from_utf8_lossy(&bytes);
        with_canary += usize::from(text.to_lowercase().contains(CANARY));
        let file = name.split_once('/').map_or("", |(_, file)| file);
        assert!(!name.to_lowercase().contains(CANARY) || file.starts_with("quarantine/"), "{name}");
        if ABOUT_THE_RUN.contains(&file) {
            assert_names_nobody(&name, &text);
        }
        if file == "report.html" {
            assert_no_markup(&text);
        }
        let is_for_people = !file.starts_with("crm/") || file == "crm/leads.csv";
        if file.ends_with(".csv") && is_for_people && !file.starts_with("quarantine/") {
            assert_no_formula(&name, &text);
        }
        if file.ends_with(".eml") || file.ends_with(".ics") {
            assert_no_line_of_its_own(&name, &text);
        }
    }
    with_canary
}

/// Fails where anything lies beside what a workspace has.
#[track_caller]
fn assert_nothing_beside(around: &Path) {
    let ours = [
        "w/inbox/",
        "w/rules/",
        "w/out/runs/",
        "w/leadmill.db",
        "w/leadmill.key",
        "w/leadmill.erasures.log",
    ];
    for name in files_below(around).into_keys() {
        assert!(ours.iter().any(|place| name.starts_with(place)), "{name} was written");
    }
}

#[track_caller]
fn check(case: &Path, rules: &Path) -> usize {
    let text = fs::read_to_string(case.join("scenario.toml")).unwrap();
    let scenario: Scenario = toml::from_str(&text).unwrap();
    let around = Workspace::new();
    let workspace = Workspace::at(around.path("w"));
    for (name, bytes) in files_below(rules) {
        workspace.file(&format!("rules/{name}"), bytes);
    }
    for part in ["inbox", "rules"] {
        for (name, bytes) in files_below(&case.join(part)) {
            workspace.file(&format!("{part}/{name}"), bytes);
        }
    }
    workspace.input("generic-csv--hostile.csv", hostile_table());
    let mut said: Vec<(String, Outcome)> = Vec::new();
    let mut ask = |args: &[&str]| {
        let outcome = workspace.run(args);
        assert!(outcome.code < 70, "{}: {args:?}: {}", case.display(), outcome.stderr);
        said.push((args.join(" "), outcome));
    };
    let mut last = String::new();
    for step in &scenario.step {
        let args: Vec<&str> = step.args.iter().map(String::as_str).collect();
        ask(&[&args[..], &["--as-of", &step.as_of]].concat());
        last.clone_from(&step.as_of);
    }
    for args in [
        &["leads"][..],
        &["tasks"],
        &["explain", "anna@kanarek.example"],
        &["quarantine"],
        &["report", "duplicates"],
        &["consent", "show", "jan@kanarek.example"],
    ] {
        ask(&[args, &["--as-of", &last]].concat());
    }
    for (command, outcome) in &said {
        assert_no_control(command, &outcome.stdout);
        assert_no_control(command, &outcome.stderr);
        let is_a_run = command.starts_with("run ");
        if is_a_run || outcome.code == 0 {
            assert_names_nobody(&format!("stderr of {command}"), &outcome.stderr);
        }
    }
    assert!(said.iter().any(|(_, one)| one.stdout.contains(CANARY)), "nobody was shown: blind");
    let with_canary = assert_files_are_harmless(&workspace);
    assert_nothing_beside(&around.path(""));
    with_canary
}

#[test]
fn no_canary_sings_where_it_must_not_in_any_scenario() {
    let folder = package().join("fixtures/scenarios");
    let mut cases: Vec<_> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|case| case.join("scenario.toml").exists());
    cases.sort();
    assert!(cases.len() > 7, "{cases:?}");
    let found = cases.iter().map(|case| check(case, &folder.join("rules")));
    let with_canary: usize = found.sum();
    assert!(with_canary > cases.len(), "only {with_canary} files hold a canary: the test is blind");
}

/// A secret in a file, one in the environment; neither is ever shown, whatever goes wrong with them.
#[test]
fn no_secret_comes_out_whatever_goes_wrong() {
    const SECRET: &str = "whsec_c2VjcmV0LWthbmFyZWstMDEyMzQ1Njc4OQ==";
    const FORM_SECRET: &str = "tajny-kanarek-formularza-0123456789";
    let workspace = Workspace::new();
    workspace.input("generic-csv--hostile.csv", hostile_table());
    workspace.secret("secret", &format!("{SECRET}\n"));
    let endpoint = |url: &str| {
        format!(
            "[[endpoint]]\nid = \"hook\"\nkind = \"http\"\nrequest = \"webhook\"\ntarget = \"leads-json\"\n\
             url = \"{url}\"\nbecause = \"a test\"\ntimeout = \"1s\"\nsecret = {{ file = \"secret\" }}\n"
        )
    };
    let form = "[[form]]\nid = \"a\"\npath = \"/a\"\nsource = \"generic-json\"\ncheck = \"shared-secret\"\nheader = \"X-Kanarek\"\n\
                secret = { env = \"HOOK\" }\nbecause = \"b\"\n";
    workspace.file("rules/receive.toml", form);
    let mut said = String::new();
    // Nobody listens there, and there an address is that must not be called.
    for url in ["http://127.0.0.1:9/hook", "https://169.254.169.254/hook", "https://10.0.0.1/hook"]
    {
        workspace.file("rules/outbox.toml", endpoint(url));
        for args in [
            &["run"][..],
            &["deliver"],
            &["deliver", "--json"],
            &["dead-letter"],
            &["check"],
            &["rules", "schema", "--all"],
            &["target", "list"],
            // The form's secret is read, and then nobody can listen: the address is no machine's.
            &["receive", "--listen", "192.0.2.1:1"],
        ] {
            let mut command = workspace.command(args);
            let output = command.env("HOOK", FORM_SECRET).output().unwrap();
            said.push_str(&String::from_utf8_lossy(&output.stdout));
            said.push_str(&String::from_utf8_lossy(&output.stderr));
        }
    }
    // Both were asked for: the receiver came as far as its address, and the sender had something to sign.
    assert!(said.contains("cannot listen on"), "{said}");
    assert!(workspace.number("SELECT count(*) FROM outbox") > 0, "{said}");
    let inner = &SECRET["whsec_".len()..];
    assert!(!said.contains(inner) && !said.contains(FORM_SECRET), "{said}");
    for (name, bytes) in files_below(&workspace.path("")) {
        let holds =
            |secret: &str| bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
        assert_eq!(holds(inner), name == "secret", "{name}");
        assert!(!holds(FORM_SECRET), "{name}");
    }
}
