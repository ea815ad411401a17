//! No more of people than is needed: in logs, on screens, in what is kept.

use std::path::Path;

use super::workspace::{Workspace, files_below, fixtures};

/// Files of a run that say how it went, and of whom nothing.
const ABOUT_THE_RUN: &[&str] = &["run.json", "manifest.json", "metrics.prom"];

/// Fails where what is said about a run names any of `people`.
#[track_caller]
fn assert_names_nobody(workspace: &Workspace, stderr: &str, people: &[String]) {
    let mut texts = vec![("stderr".to_owned(), stderr.to_lowercase())];
    for name in ABOUT_THE_RUN {
        texts.push(((*name).to_owned(), workspace.latest(name).to_lowercase()));
    }
    for (name, text) in texts {
        for person in people {
            assert!(!text.contains(&person.to_lowercase()), "{person} in {name}: {text}");
        }
    }
}

#[test]
fn what_is_said_about_a_run_names_nobody() {
    let workspace = Workspace::new();
    let header = "id,created_at,full_name,email,phone,company,country,message,marketing_consent,ip";
    let rows = [
        "k1,2026-11-16T09:00:00Z,Anna Kanarek,anna@kanarek.example,+48600000101,Kanarek SA,PL,Kanarek,yes,203.0.113.7",
        "k2,2026-11-16T09:00:00Z,Jan Kanarek,jan(at)kanarek.example,600kanarek,Kanarek SA,PL,Kanarek,maybe,x",
        "k3,kanarek,Ewa Kanarek,ewa@kanarek.example,,Kanarek SA,Kanarkowo,Kanarek,kanarek,kanarek",
        "k4,2026-11-16T09:00:00Z,Ola Kanarek,ola@kanarek.example,+48600000102,Kanarek,PL,Kanarek,yes,1,kanarek,kanarek",
        "k5,2026-11-16T09:00:00Z,\"Olga Kanarek,olga@kanarek.example",
        "k6,2026-11-16T09:00:00Z,test kanarek,test@test.com,123456789,Kanarek,PL,test,yes,",
    ];
    workspace.input("leads.csv", format!("{header}\n{}\n", rows.join("\n")));
    workspace.input("broken.json", "{\"email\": \"kanarek@kanarek.example\", ");
    workspace
        .input("rows.jsonl", "{\"email\": \"kanarek@kanarek.example\"}\n{\"email\": \"kanarek\n");
    let outcome = workspace.run(&["run"]);
    assert!(workspace.number("SELECT count(*) FROM quarantine") > 1, "{}", outcome.stderr);
    assert_names_nobody(&workspace, &outcome.stderr, &["kanarek".to_owned()]);
    let check = workspace.run(&["rebuild", "--check"]);
    assert!(!check.stderr.to_lowercase().contains("kanarek"), "{}", check.stderr);
}

#[test]
fn runs_of_all_fixtures_name_nobody() {
    let workspace = Workspace::with_fixtures();
    let outcome = workspace.run(&["run"]);
    let people = workspace
        .sql("SELECT DISTINCT value FROM identifiers WHERE kind <> 'external-id'")
        .concat();
    assert!(people.len() > 200, "{}", people.len());
    assert_names_nobody(&workspace, &outcome.stderr, &people);
}

#[test]
fn a_difference_is_told_without_what_is_about_a_person() {
    let workspace = Workspace::new();
    let row =
        "k1,2026-11-16T09:00:00Z,Anna Kanarek,anna@kanarek.example,,Kanarek SA,PL,Kanarek,yes";
    workspace.table("leads.csv", &[row]);
    workspace.ok(&["run"]);
    workspace.edit("UPDATE lead SET name = 'Ala Kanarek', score = 1");
    let check = workspace.run(&["rebuild", "--check"]);
    assert_ne!(check.code, 0);
    let said = (check.stdout + &check.stderr).to_lowercase();
    assert!(said.contains("name=(not shown)") && !said.contains("kanarek"), "{said}");
}

#[test]
fn screens_and_reports_are_masked_when_asked() {
    let workspace = Workspace::new();
    workspace.table(
        "leads.csv",
        &[
            "k1,2026-11-16T09:00:00Z,Anna Kanarek,anna@kanarek.example,+48600000101,Firma,PL,Pilne demo,yes",
            "k2,2026-11-16T09:00:00Z,Jan Słowik,,0,Firma,PL,Pilne demo,yes",
        ],
    );
    // Half of it is quarantined, which is more than a limit.
    workspace.run(&["run"]).expect_code(3);
    for args in [
        &["leads"][..],
        &["leads", "--format", "csv"],
        &["leads", "--format", "jsonl"],
        &["tasks"],
        &["tasks", "--format", "csv"],
        &["tasks", "--format", "ics"],
        &["explain", "anna@kanarek.example"],
        &["explain", "anna@kanarek.example", "--json"],
        &["quarantine"],
        &["report", "duplicates"],
        &["subject", "export", "anna@kanarek.example"],
    ] {
        let plain = workspace.ok(args).stdout;
        let masked = workspace.ok(&[args, &["--mask"]].concat()).stdout;
        for person in ["Kanarek", "anna@kanarek", "600000101", "Słowik"] {
            assert!(!masked.contains(person), "{args:?}: {person} in {masked}");
        }
        assert!(!plain.contains("K.") || masked.contains("K."), "{args:?}");
    }
    for args in [&["report", "html"][..], &["subject", "export", "anna@kanarek.example"]] {
        workspace.ok(&[args, &["--output", "masked", "--mask"]].concat());
        let masked = std::fs::read_to_string(workspace.path("masked")).unwrap();
        for person in ["Kanarek", "anna@kanarek", "600000101", "Słowik"] {
            assert!(!masked.contains(person), "{args:?} --output: {person}");
        }
        assert!(masked.contains("K."), "{args:?} --output");
    }
    let told = workspace.ok(&["explain", "anna@kanarek.example", "--mask"]).stdout;
    assert!(told.contains("a***@k***.example") && told.contains("A. K."), "{told}");
    assert!(workspace.ok(&["leads"]).stdout.contains("Anna Kanarek"));
}

#[test]
fn a_file_of_people_whom_the_store_has_never_seen_is_masked_as_well() {
    let workspace = Workspace::new();
    let file = "Full name,E-mail,Phone\n\
        Anna Kanarek,anna@kanarek.example,+48600000101\n\
        Jan Słowik,brak,0\n\
        Test Kanarek,test@test.pl,\n";
    workspace.file("new.csv", file);
    for args in [&["sniff", "new.csv"][..], &["sniff", "new.csv", "--json"]] {
        let masked = workspace.ok(&[args, &["--mask"]].concat()).stdout;
        for person in ["Kanarek", "kanarek", "600000101", "Słowik"] {
            assert!(!masked.contains(person), "{args:?}: {person} in {masked}");
        }
    }
    let masked = workspace.ok(&["sniff", "new.csv", "--mask"]).stdout;
    assert!(masked.contains("A. K.") && masked.contains("test:"), "{masked}");
    assert!(workspace.ok(&["sniff", "new.csv"]).stdout.contains("Anna Kanarek"));
}

#[track_caller]
fn check_ip(rule: &str, text: &str, kept: Option<&str>) {
    let workspace = Workspace::new();
    workspace.file("rules/workspace.toml", format!("ip = \"{rule}\"\n"));
    workspace.input("leads.csv", text);
    assert!([0, 3].contains(&workspace.run(&["run"]).code));
    let ip =
        workspace.sql("SELECT DISTINCT json_extract(fields, '$.ip') FROM submissions").concat();
    assert_eq!(ip, [kept.unwrap_or("NULL")], "{rule}");
    let ours: Vec<(String, Vec<u8>)> = files_below(&workspace.path("."))
        .into_iter()
        .filter(|(name, _)| !name.contains("inbox/") && !name.contains("rules/"))
        .collect();
    let has = |needle: &str| {
        ours.iter()
            .any(|(_, bytes)| bytes.windows(needle.len()).any(|part| part == needle.as_bytes()))
    };
    assert_eq!(has("203.0.113.77"), rule == "full", "{rule}");
    assert_eq!(has("203.0.113.78"), rule == "full", "{rule}");
    // The row is the same one whatever was kept of it.
    workspace
        .clear_inbox()
        .input("again.csv", text.replace("k1,", "k2,") + &text[text.find('\n').unwrap() + 1..]);
    workspace.run(&["run"]);
    assert!(workspace.number("SELECT count(*) FROM repeat") >= 2, "{rule}");
}

#[test]
fn of_an_ip_address_only_what_the_rule_allows_is_kept() {
    let header = "id,created_at,full_name,email,ip";
    let row = |number: u8| {
        format!("k{number},2026-11-16T09:00:00Z,Anna Wzor,a{number}@example.com,203.0.113.77")
    };
    let broken = "x1,2026-11-16T09:00:00Z,Jan Wzor,nic,203.0.113.78";
    let text = format!("{header}\n{}\n{broken}\n", row(1));
    check_ip("full", &text, Some("203.0.113.77"));
    check_ip("truncated", &text, Some("203.0.113.0"));
    check_ip("none", &text, None);
}

#[cfg(unix)]
#[test]
fn only_the_owner_reads_what_is_written_whatever_the_umask() {
    use std::os::unix::fs::PermissionsExt as _;
    let workspace = Workspace::new();
    for (name, bytes) in fixtures().into_iter().take(4) {
        workspace.input(&name, bytes);
    }
    let shell = |command: &str| {
        let outcome = std::process::Command::new("sh")
            .args(["-c", &format!("umask 000; {command}")])
            .current_dir(workspace.path("."))
            .env("LEADMILL", env!("CARGO_BIN_EXE_leadmill"))
            .output()
            .unwrap();
        assert!(
            outcome.status.code().is_some_and(|code| [0, 3].contains(&code)),
            "{}",
            String::from_utf8_lossy(&outcome.stderr)
        );
    };
    let as_of = "--as-of 2026-11-20T20:00:00Z --quiet";
    shell(&format!("\"$LEADMILL\" --workspace new run inbox {as_of}"));
    let lead = "$(\"$LEADMILL\" --workspace new leads --format csv --limit 1 --quiet | sed -n 2p | cut -d, -f1)";
    shell(&format!(
        "\"$LEADMILL\" --workspace new subject export {lead} --output new/person.json {as_of}"
    ));
    shell(&format!("\"$LEADMILL\" --workspace new subject forget {lead} {as_of}"));
    shell(&format!("\"$LEADMILL\" --workspace new quarantine export new/fix {as_of}"));
    shell(&format!("\"$LEADMILL\" --workspace new ropa export --output new/ropa.md {as_of}"));
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let mut looked_at = 0;
    for name in files_below(&workspace.path("new")).keys() {
        let path = workspace.path("new").join(name);
        assert_eq!(mode(&path), 0o600, "{name}");
        assert_eq!(mode(path.parent().unwrap()), 0o700, "the folder of {name}");
        looked_at += 1;
    }
    assert!(looked_at > 15, "only {looked_at}");
}
