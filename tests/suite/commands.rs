//! Each command as a user or a cron job meets it.

use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::process::Stdio;

use serde_json::Value;

use super::workspace::{Workspace, assert_fits_a_terminal, code_of, files_below, fixtures, table};

const ROWS: &[&str] = &[
    "1,2026-11-20T18:30:00Z,Anna Wzorcowa,anna@przyklad.pl,600000101,Firma,PL,Prosze o wycene,yes",
    "2,2026-11-20T18:40:00Z,Jan Testowski,jan@example.com,,,DE,,no",
];

fn with_two_leads() -> Workspace {
    let workspace = Workspace::new();
    workspace.table("leads.csv", ROWS);
    workspace.ok(&["run"]);
    workspace
}

#[test]
fn init_makes_a_workspace_that_runs_as_it_is() {
    let workspace = Workspace::new();
    let outcome = workspace.ok(&["init"]);
    assert!(outcome.stdout.contains("next:"), "{}", outcome.stdout);
    workspace.ok(&["check"]);
    let run = workspace.ok(&["run", "--json"]).json();
    assert_eq!(run["rows"]["created"], 2, "{run}");
}

#[test]
fn init_again_leaves_what_is_there() {
    let workspace = Workspace::new();
    workspace.ok(&["init"]);
    workspace.file("rules/alerts.toml", "# mine\n");
    let before = files_below(&workspace.path(""));
    let outcome = workspace.ok(&["init"]);
    assert!(outcome.stdout.starts_with("0 files made"), "{}", outcome.stdout);
    assert_eq!(files_below(&workspace.path("")), before);
}

#[test]
fn sniff_knows_every_fixture() {
    let workspace = Workspace::new();
    let expected = [
        ("cf7-flamingo", "wordpress/"),
        ("google-ads-webhook", "google-ads/"),
        ("google-forms", "google-forms/"),
        ("hubspot-contacts", "hubspot/"),
        ("meta-lead-ads", "meta/"),
        ("ms-forms", "ms-forms/"),
        ("segment", "segment/"),
        ("typeform-csv", "typeform/"),
    ];
    for (name, bytes) in fixtures() {
        let file = name.replace('/', "-");
        workspace.file(&file, &bytes);
        let found = workspace.ok(&["sniff", &file, "--json"]).json();
        if let Some((source, _)) = expected.iter().find(|(_, folder)| name.starts_with(folder)) {
            assert_eq!(found["source"], *source, "{name}");
        }
        assert!(!found["encoding"].as_str().unwrap().is_empty(), "{name}");
        let is_json = name.ends_with(".jsonl");
        assert_eq!(found["delimiter"].is_null(), is_json, "{name}: {}", found["delimiter"]);
        assert!(found["rows"]["lead"].as_u64().unwrap() > 10, "{name}: {}", found["rows"]);
    }
    assert!(!workspace.path("leadmill.db").exists(), "sniff stores nothing");
}

#[test]
fn sniff_foresees_what_a_run_does() {
    let run = Workspace::fixtures_run().run_json();
    for input in run["inputs"].as_array().unwrap() {
        let name = input["name"].as_str().unwrap();
        let found = Workspace::fixtures_run().ok(&["sniff", name, "--json"]).json();
        let (run, sniff) = (&input["rows"], &found["rows"]);
        let count = |rows: &Value, name: &str| rows[name].as_u64().unwrap();
        assert_eq!(count(run, "quarantined"), count(sniff, "quarantined"), "{name}: {sniff}");
        assert_eq!(count(run, "skipped"), count(sniff, "skipped"), "{name}: {sniff}");
        assert_eq!(count(run, "created") + count(run, "merged"), count(sniff, "lead"), "{name}");
        assert_eq!(
            count(run, "held"),
            count(sniff, "held") + count(sniff, "test"),
            "{name}: {sniff}"
        );
    }
}

#[test]
fn leads_are_listed_and_filtered() {
    let workspace = with_two_leads();
    let table = workspace.ok(&["leads"]).stdout;
    assert!(table.contains("Anna Wzorcowa") && table.contains("Jan Testowski"), "{table}");
    let csv = workspace.ok(&["leads", "--format", "csv"]).stdout;
    assert_eq!(csv::Reader::from_reader(csv.as_bytes()).records().count(), 2);
    let jsonl = workspace.ok(&["leads", "--format", "jsonl"]).stdout;
    let emails: Vec<String> = jsonl
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["email"].to_string())
        .collect();
    assert_eq!(emails.len(), 2);
    assert!(
        emails.iter().all(|email| email.contains("@example.com") || email.contains("@przyklad.pl")),
        "{emails:?}"
    );
    let limited = workspace.ok(&["leads", "--format", "jsonl", "--limit", "1"]).stdout;
    assert_eq!(limited.lines().count(), 1);
    let mut by_segment = 0;
    for segment in ["hot", "warm", "cold"] {
        let query = format!("SELECT count(*) FROM leads WHERE segment = '{segment}'");
        let listed = workspace.ok(&["leads", "--segment", segment, "--format", "jsonl"]).stdout;
        assert_eq!(listed.lines().count() as i64, workspace.number(&query), "{segment}");
        by_segment += listed.lines().count();
    }
    assert_eq!(by_segment, 2);
    let owner =
        workspace.sql("SELECT owner FROM leads WHERE email = 'anna@przyklad.pl'")[0][0].clone();
    let hers = workspace.ok(&["leads", "--owner", &owner]).stdout;
    assert!(hers.contains("Anna Wzorcowa") && !hers.contains("Jan Testowski"), "{hers}");
}

#[test]
fn tasks_are_listed_in_every_form() {
    let workspace = with_two_leads();
    let open = workspace.number("SELECT count(*) FROM tasks WHERE state = 'open'");
    assert!(open > 0, "{:?}", workspace.sql("SELECT DISTINCT state FROM tasks"));
    assert!(workspace.ok(&["tasks"]).stdout.contains("Anna"));
    let jsonl = workspace.ok(&["tasks", "--format", "jsonl"]).stdout;
    assert!(jsonl.lines().count() > 0);
    jsonl.lines().for_each(|line| drop(serde_json::from_str::<Value>(line).unwrap()));
    assert!(workspace.ok(&["tasks", "--format", "ics"]).stdout.starts_with("BEGIN:VCALENDAR"));
    let csv = workspace.ok(&["tasks", "--format", "csv"]).stdout;
    assert_eq!(csv::Reader::from_reader(csv.as_bytes()).records().count(), jsonl.lines().count());
}

#[test]
fn explain_finds_a_lead_by_id_address_and_number() {
    let workspace = with_two_leads();
    let id = workspace.sql("SELECT id FROM leads WHERE email = 'anna@przyklad.pl'")[0][0].clone();
    for word in [id.as_str(), "anna@przyklad.pl", "600 000 101", "+48600000101"] {
        let story = workspace.ok(&["explain", word, "--json"]).json();
        assert_eq!(story["lead"], id.as_str(), "{word}");
    }
    let told = workspace.ok(&["explain", &id]).stdout;
    for word in ["Anna Wzorcowa", "./inbox/leads.csv:2", "points", "score"] {
        assert!(told.contains(word), "{word} in {told}");
    }
    workspace
        .run(&["explain", "nobody@example.com"])
        .expect_code(2)
        .says(&["nobody@example.com", "hint:"]);
}

#[test]
fn reports_come_as_tables_and_csv() {
    let workspace = with_two_leads();
    assert!(workspace.ok(&["report", "dropoff"]).stdout.contains("received"));
    let duplicates = workspace.ok(&["report", "duplicates", "--format", "csv"]).stdout;
    assert!(duplicates.contains("generic-csv"), "{duplicates}");
    let table = workspace.ok(&["report", "duplicates"]);
    assert!(table.stdout.contains("campaign") && table.flat().contains("resubmit: the same form"));
    let header = table.stdout.lines().next().unwrap();
    assert!(header.contains(" sent ") && header.contains(" resubmit "), "{header}");
    let csv = workspace.ok(&["report", "dropoff", "--format", "csv"]).stdout;
    let file = workspace.latest("dropoff.csv");
    assert!(csv.lines().count() > 6, "{csv}");
    for line in csv.lines().skip(1) {
        assert!(
            file.contains(&format!("funnel,{line}")),
            "the run's own file says otherwise: {line}"
        );
    }
    let json = workspace.ok(&["report", "dropoff", "--format", "json"]).json();
    assert_eq!((&json[0][0]["step"], &json[0][0]["in"]), (&"received".into(), &2.into()));
    let markdown = workspace.ok(&["report", "duplicates", "--format", "markdown"]).stdout;
    assert!(markdown.starts_with("| source | submissions | "), "{markdown}");
    workspace
        .run(&["report", "dropoff", "--run", "1999-01-01-0001"])
        .expect_code(2)
        .says(&["1999-01-01-0001"]);
}

#[test]
fn quarantine_lists_each_row_with_its_place() {
    let workspace = Workspace::new();
    workspace.table("leads.csv", &[ROWS[0], "2,2026-11-19T09:00:00Z,Jan Bezadresu,,,,PL,,"]);
    workspace.run(&["run"]);
    let table = workspace.ok(&["quarantine"]).stdout;
    assert!(table.contains("no-contact"), "{table}");
    let csv = workspace.ok(&["quarantine", "--csv"]).stdout;
    let row = csv::Reader::from_reader(csv.as_bytes()).records().next().unwrap().unwrap();
    assert_eq!((&row[0], &row[2], &row[3]), ("./inbox/leads.csv", "3", "no-contact"));
    let none = workspace.ok(&["quarantine", "--code", "no-kontakt"]).flat();
    assert_eq!(none, "no row with the code `no-kontakt` is in quarantine; there are: no-contact 1");
}

#[test]
fn a_store_that_cannot_be_is_said_with_the_way_out() {
    let workspace = with_two_leads();
    workspace.file("crm.csv", "id,name\n1,Anna\n");
    let at =
        |place: &str, command: &[&str]| workspace.run(&[command, &["--store", place]].concat());
    at("inbox", &["leads"]).expect_code(2).says(&["inbox is a folder", "hint:"]);
    at("inbox", &["run"]).expect_code(2).says(&["inbox is a folder", "hint:"]);
    at("no/where/x.db", &["run"]).expect_code(2).says(&["no folder no/where", "hint:"]);
    for command in ["leads", "run"] {
        let told =
            at("crm.csv", &[command]).expect_code(5).says(&["crm.csv is not a leadmill store"]);
        assert!(!told.stderr.contains("damaged"), "{}", told.stderr);
    }
    let told =
        workspace.run(&["restore", "crm.csv"]).expect_code(5).says(&["is no backup", "hint:"]);
    assert!(!told.stderr.contains("damaged"), "{}", told.stderr);
    assert_eq!(fs::read_to_string(workspace.path("crm.csv")).unwrap(), "id,name\n1,Anna\n");
}

#[test]
fn files_are_not_put_out_into_a_file_and_nothing_is_stored_then() {
    let workspace = Workspace::new();
    workspace.table("leads.csv", ROWS);
    workspace.file("taken", "x");
    for out in ["taken", "taken/out"] {
        workspace.run(&["run", "--out", out]).expect_code(2).says(&["taken is a file", "hint:"]);
    }
    assert!(!workspace.path("leadmill.db").exists());
}

#[test]
fn quiet_says_nothing_when_all_is_well() {
    let workspace = Workspace::new();
    workspace.table("leads.csv", ROWS);
    let outcome = workspace.ok(&["run", "--quiet"]);
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("", ""));
}

#[test]
fn json_is_one_line_and_the_only_one_on_stdout() {
    let workspace = Workspace::new();
    workspace.table("leads.csv", ROWS);
    let outcome = workspace.ok(&["run", "--json"]);
    assert_eq!(outcome.stdout.lines().count(), 1, "{}", outcome.stdout);
    let said = outcome.json();
    assert_eq!(said["rows"]["read"], 2);
    assert_eq!(said["run"], workspace.run_json()["run"]);
}

#[test]
fn a_dry_run_leaves_store_and_output_as_they_are() {
    let fresh = Workspace::new();
    fresh.table("leads.csv", ROWS);
    let said = fresh.ok(&["run", "--dry-run", "--json"]).json();
    assert_eq!((&said["dry_run"], &said["rows"]["created"]), (&Value::from(true), &Value::from(2)));
    assert!(!fresh.path("leadmill.db").exists() && !fresh.path("out").exists());

    let used = with_two_leads();
    let before = (used.dump(), used.published());
    used.table("more.csv", &["3,2026-11-20T09:00:00Z,Ewa Nowa,ewa@example.org,,,PL,,"]);
    let said = used.ok(&["run", "--dry-run", "--json"]).json();
    assert_eq!(said["rows"]["created"], 1, "{said}");
    assert_eq!((used.dump(), used.published()), before);
}

#[test]
fn stdin_is_an_input() {
    let workspace = Workspace::new();
    let outcome = workspace.run_with_stdin(&["run", "-", "--json"], table(ROWS).as_bytes());
    let said = outcome.expect_code(0).json();
    assert_eq!(
        (&said["inputs"][0]["name"], &said["rows"]["created"]),
        (&Value::from("-"), &Value::from(2))
    );
}

#[test]
fn a_glob_names_the_files_that_fit() {
    let workspace = Workspace::new();
    workspace.file("in/a-1.csv", table(&ROWS[..1])).file("in/b-1.csv", table(&ROWS[1..]));
    let said = workspace.ok(&["run", "in/a-*.csv", "--json"]).json();
    assert_eq!(said["inputs"].as_array().unwrap().len(), 1, "{said}");
    workspace.run(&["run", "in/z-*.csv"]).expect_code(2).says(&["in/z-*.csv", "hint:"]);
}

#[test]
fn an_alert_that_fires_makes_the_exit_code_3() {
    let workspace = Workspace::new();
    let rows: Vec<String> = (0..30)
        .map(|number| match number % 3 {
            0 => format!("{number},2026-11-19T09:00:00Z,Ktos Ktos{number},,,,PL,,"),
            _ => format!("{number},2026-11-19T09:00:00Z,,p{number}@example.com,,,PL,,"),
        })
        .collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    workspace.table("leads.csv", &rows);
    workspace.run(&["run"]).expect_code(3).says(&["alert many-rejected", "10"]);
    assert_eq!(workspace.run_json()["alerts"][0]["id"], "many-rejected");
}

#[test]
fn an_empty_inbox_is_a_quiet_night() {
    let workspace = Workspace::new();
    workspace.file("inbox/.keep", "");
    let said = workspace.ok(&["run", "--json"]).json();
    assert_eq!(said["rows"]["read"], 0);
}

#[test]
fn what_cannot_be_meant_is_exit_code_2() {
    let workspace = Workspace::new();
    workspace.run(&["frobnicate"]).expect_code(2).says(&["frobnicate"]);
    workspace.run(&["run"]).expect_code(2).says(&["inbox", "leadmill init"]);
    workspace.run(&["leads"]).expect_code(2).says(&["leadmill.db"]);
    workspace.run(&["run", "--rules", "nowhere"]).expect_code(2).says(&["nowhere"]);
    workspace.run(&["run", "--as-of", "yesterday"]).expect_code(2).says(&["yesterday", "hint:"]);
    workspace.run(&["run", "--threads", "0"]).expect_code(2);
    for list in ["leads", "tasks"] {
        workspace.run(&[list, "--limit=-1"]).expect_code(2).says(&["-1", "--limit"]);
    }
    workspace.table("a.csv", ROWS);
    workspace.run(&["run", "--source", "no-such-source"]).says(&["no-such-source"]);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let workspace = Workspace::fixtures_run();
    let mut child = workspace
        .command(&["leads", "--format", "csv"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdout.take().unwrap();
    pipe.read_exact(&mut [0; 10]).unwrap();
    drop(pipe);
    let output = child.wait_with_output().unwrap();
    assert_eq!(code_of(output.status), 0, "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!String::from_utf8_lossy(&output.stderr).contains("panick"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_a_failure() {
    let full = || Stdio::from(fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    for args in [&["leads", "--format", "csv"][..], &["leads"], &["report", "dropoff"]] {
        let output = Workspace::fixtures_run().command(args).stdout(full()).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(code_of(output.status), 1, "{args:?}: {stderr}");
        assert!(stderr.contains("error:") && stderr.contains("space"), "{args:?}: {stderr}");
    }
}

#[test]
fn nobody_unknown_has_an_empty_list() {
    let workspace = with_two_leads();
    let owner =
        workspace.sql("SELECT owner FROM leads WHERE email = 'anna@przyklad.pl'")[0][0].clone();
    let misspelt = format!("{owner}x");
    for args in [["leads", "--owner"], ["tasks", "--owner"]] {
        let outcome = workspace.run(&[args[0], args[1], &misspelt]);
        outcome.expect_code(2).says(&[
            &format!("there is no owner `{misspelt}`"),
            &format!("did you mean `{owner}`?"),
            "known owners: ",
        ]);
        workspace.ok(&[args[0], args[1], &owner]);
    }
    let outcome = workspace.run(&["leads", "--queue", "no-such-queue"]);
    outcome.expect_code(2).says(&["there is no queue `no-such-queue`", "known queues: "]);
    let queue = workspace.sql("SELECT queue FROM leads ORDER BY lead_no")[0][0].clone();
    workspace.ok(&["leads", "--queue", &queue]);
}

#[test]
fn lists_end_with_how_many_there_are() {
    let workspace = with_two_leads();
    assert!(workspace.ok(&["leads"]).stdout.ends_with("\n2 leads\n"));
    assert!(workspace.ok(&["leads", "--limit", "1"]).stdout.ends_with("\n1 lead\n"));
    let tasks = workspace.ok(&["tasks"]).stdout;
    assert!(tasks.ends_with(" tasks\n") || tasks.ends_with("\n1 task\n"), "{tasks}");
}

#[test]
fn what_goes_into_a_pipe_is_no_wider_than_a_terminal() {
    let workspace = Workspace::new();
    let long =
        "inbox_z_dluga_nazwa_katalogu_i_pliku_ktory_ktos_zapisal_z_przegladarki_2026_11_20.csv";
    workspace.table(long, ROWS);
    workspace.ok(&["run"]);
    for args in [&["explain", "anna@przyklad.pl"][..], &["leads"], &["tasks"]] {
        for columns in ["80", "60"] {
            let output = workspace.command(args).env("COLUMNS", columns).output().unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            let widest = text.lines().map(|line| line.chars().count()).max().unwrap_or(0);
            assert!(widest > 0, "{args:?} says nothing");
            assert!(widest <= columns.parse().unwrap(), "{args:?} at {columns}: {widest}\n{text}");
        }
        let text = workspace.ok(args).stdout;
        assert_fits_a_terminal(&text);
    }
}

#[test]
fn rules_says_what_conditions_can_look_at_and_what_files_may_hold() {
    let workspace = Workspace::new();
    let fields = workspace.ok(&["rules", "fields", "--format", "json"]).json();
    let country = fields.as_array().unwrap().iter().find(|one| one["name"] == "country").unwrap();
    assert_eq!(country["example"], "{ field = \"country\", is = \"PL\" }");
    let all = workspace.ok(&["rules", "fields"]).stdout;
    assert_fits_a_terminal(&all);
    for word in ["segment", "page-view", "meeting-booked", "returned-within", "one-of-list"] {
        assert!(all.contains(word), "{word}: {all}");
    }
    let why = |name: &str| {
        let fields = fields.as_array().unwrap();
        fields.iter().find(|one| one["name"] == name).map(|one| one["because"].clone())
    };
    assert_eq!(why("call").unwrap(), "A touch; its detail says how it went, reached or not");
    // Every example is a condition that the rules take.
    let mut scoring = String::new();
    for (number, one) in fields.as_array().unwrap().iter().enumerate() {
        if ["score", "segment"].contains(&one["name"].as_str().unwrap()) {
            continue;
        }
        write!(
            scoring,
            "[[score]]\nid = \"r{number}\"\ngroup = \"fit\"\npoints = 1\nbecause = \"b\"\nwhen = {}\n",
            one["example"].as_str().unwrap()
        )
        .unwrap();
    }
    for segment in ["cold", "warm", "hot"] {
        write!(scoring, "[segment.{segment}]\naction = \"a\"\n").unwrap();
    }
    workspace.file("rules/scoring.toml", scoring);
    let checked = workspace.run(&["check"]).expect_code(0);
    assert!(!checked.stderr.contains("is never"), "{}", checked.stderr);

    let written = workspace.ok(&["rules", "schema", "--all"]).stdout;
    assert!(written.contains(", named in "), "{written}");
    let again = workspace.ok(&["rules", "schema", "--all"]).stdout;
    assert_eq!(written, again);
    let taplo = fs::read_to_string(workspace.path(".taplo.toml")).unwrap();
    for file in ["scoring.toml", "sources/*.toml"] {
        assert!(taplo.contains(&format!("rules/{file}")), "{taplo}");
    }
    let schema = workspace.ok(&["rules", "schema", "rules/scoring.toml"]).stdout;
    let kept = fs::read_to_string(workspace.path("rules/.schema/scoring.json")).unwrap();
    assert_eq!(schema.trim(), kept.trim());
    workspace.run(&["rules", "schema", "scorring"]).expect_code(2).says(&["`scoring`"]);
    // What editors need is no rule.
    workspace.ok(&["check"]);
    workspace.file(".taplo.toml", "# mine\n");
    let told = workspace.ok(&["rules", "schema", "--all"]).stdout;
    assert!(told.contains("but others are named in"), "{told}");
    assert_eq!(fs::read_to_string(workspace.path(".taplo.toml")).unwrap(), "# mine\n");
}
