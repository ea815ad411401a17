//! Alerts: what fires and what does not, that each opens once and closes once, and where they are told.

use std::fmt::Write as _;

use super::undo::assert_rebuild_changes_nothing;
use super::workspace::{Outcome, Workspace, assert_fits_a_terminal};

const RULES: &str = "
[[alert]]
id = 'fell'
kind = 'leads-fell'
threshold = 50
minimum = 5
because = 'look at the form'
[[alert]]
id = 'fell-by-campaign'
kind = 'leads-fell'
by = 'campaign'
threshold = 50
minimum = 3
because = 'look at the campaign'
[[alert]]
id = 'silent'
kind = 'silent'
for = '5d'
minimum = 5
because = 'look at the source'
[[alert]]
id = 'missing'
kind = 'input-missing'
source = 'generic-csv'
for = '30h'
because = 'the export did not come'
[[alert]]
id = 'canary'
kind = 'canary-missing'
for = '30h'
because = 'the test lead did not come'
[[alert]]
id = 'empty'
kind = 'input-empty'
because = 'a file without rows'
[[alert]]
id = 'overdue'
kind = 'tasks-overdue'
for = '2d'
threshold = 4
because = 'nobody calls'
";

/// Leads of these days, `n` each: half of a campaign called brand, half of one called search.
fn leads(days: &[(&str, usize)]) -> String {
    let mut text =
        "id,created_at,full_name,email,phone,company,country,message,campaign\n".to_owned();
    for (day, n) in days {
        for number in 0..*n {
            let mailbox = format!("x{number}.{}", day.replace('-', ""));
            let campaign = if number % 2 == 0 { "brand" } else { "search" };
            writeln!(
                text,
                "{day}-{number},{day}T09:{number:02}:00Z,,{mailbox}@p{number}.example,,,PL,Prosze,{campaign}"
            )
            .unwrap();
        }
    }
    text
}

/// Answers to a Typeform form of that day.
fn typeform(day: &str, n: usize) -> String {
    let mut text = "#,Your e-mail,Start Date (UTC),Submit Date (UTC),Network ID\n".to_owned();
    for number in 0..n {
        let at = format!("{day} 10:{number:02}:00");
        writeln!(text, "t{number},t{number}@q{number}.example,{at},{at},n{number}").unwrap();
    }
    text
}

fn workspace(days: &[(&str, usize)]) -> Workspace {
    let workspace = Workspace::new();
    workspace.file("rules/alerts.toml", RULES);
    workspace.input("a.csv", leads(days));
    workspace
}

fn run(workspace: &Workspace, command: &str, time: &str) -> Outcome {
    workspace.run(&[command, "--json", "--as-of", time])
}

/// The keys that somebody was told of in this run.
fn told(outcome: &Outcome) -> Vec<String> {
    let json = outcome.json();
    let alerts = json["alerts"].as_array().cloned().unwrap_or_default();
    alerts.iter().map(|alert| alert["key"].as_str().unwrap().to_owned()).collect()
}

/// Tuesdays before and of 2026-11-17.
const TUESDAYS: [&str; 4] = ["2026-10-20", "2026-10-27", "2026-11-03", "2026-11-10"];

#[test]
fn a_fall_on_a_normal_weekday_fires_and_one_on_a_holiday_does_not() {
    let days: Vec<(&str, usize)> = TUESDAYS.iter().map(|day| (*day, 10)).collect();
    let with = |more: &[(&'static str, usize)]| workspace(&[&days[..], more].concat());
    // 60 % fewer.
    let fell = with(&[("2026-11-17", 4)]);
    let outcome = run(&fell, "run", "2026-11-18T05:00:00Z");
    let all = ["fell", "fell-by-campaign/brand", "fell-by-campaign/search"];
    assert_eq!(told(&outcome), all, "{}", outcome.stdout);
    assert_eq!(outcome.code, 3);
    let message = outcome.json()["alerts"][0]["message"].as_str().unwrap().to_owned();
    assert_eq!(
        message,
        "4 leads, 60 % below the 10 of the same weekday (median of 4 weeks): look at the form"
    );
    let usual = with(&[("2026-11-17", 8)]);
    assert_eq!(told(&run(&usual, "run", "2026-11-18T05:00:00Z")), [""; 0]);

    // 2026-11-11 is Independence Day, a Wednesday.
    let wednesdays = ["2026-10-14", "2026-10-21", "2026-10-28", "2026-11-04"].map(|day| (day, 10));
    let holiday = workspace(&[&wednesdays[..], &[("2026-11-11", 1)]].concat());
    assert_eq!(told(&run(&holiday, "run", "2026-11-12T05:00:00Z")), [""; 0]);
    // The week after, the holiday is no day to compare with.
    holiday.input("b.csv", leads(&[("2026-11-18", 4)]));
    assert_eq!(told(&run(&holiday, "run", "2026-11-19T05:00:00Z")), all);
}

#[test]
fn each_campaign_is_looked_at_by_itself() {
    let days: Vec<(&str, usize)> = TUESDAYS.iter().map(|day| (*day, 10)).collect();
    let workspace = workspace(&days);
    // Five leads of brand and none of search.
    let only_brand: String = leads(&[("2026-11-17", 10)])
        .lines()
        .filter(|line| !line.ends_with("search"))
        .fold(String::new(), |text, line| text + line + "\n");
    workspace.input("b.csv", only_brand);
    let outcome = run(&workspace, "run", "2026-11-18T05:00:00Z");
    assert_eq!(told(&outcome), ["fell-by-campaign/search"], "{}", outcome.stdout);
}

#[test]
fn history_begins_with_the_first_lead_be_it_of_another_weekday() {
    let since_a_monday = [("2026-10-19", 1), ("2026-10-27", 10), ("2026-11-03", 10)];
    let days = [&since_a_monday[..], &[("2026-11-10", 10), ("2026-11-17", 4)]].concat();
    let outcome = run(&workspace(&days), "run", "2026-11-18T05:00:00Z");
    let message = outcome.json()["alerts"][0]["message"].as_str().unwrap().to_owned();
    // On the first of the four Tuesdays nobody wrote, but somebody might have.
    assert!(message.contains("10 of the same weekday (median of 4 weeks)"), "{message}");
}

#[test]
fn a_silent_source_is_heard_of_while_another_is_not_silent() {
    let workspace = workspace(&[("2026-11-02", 6)]);
    workspace.input("typeform.csv", typeform("2026-11-02", 6));
    assert_eq!(told(&run(&workspace, "run", "2026-11-02T20:00:00Z")), [""; 0]);
    workspace.clear_inbox();
    workspace.input("b.csv", leads(&[("2026-11-08", 6)]));
    let outcome = run(&workspace, "run", "2026-11-08T20:00:00Z");
    assert_eq!(told(&outcome), ["silent/typeform-csv"], "{}", outcome.stdout);
}

#[test]
fn an_alert_opens_once_and_closes_once() {
    let workspace = workspace(&[("2026-11-02", 6)]);
    assert_eq!(told(&run(&workspace, "run", "2026-11-02T20:00:00Z")), [""; 0]);
    workspace.clear_inbox();
    let quiet = run(&workspace, "run", "2026-11-03T20:00:00Z");
    assert_eq!((told(&quiet), quiet.code), (vec![], 0));
    // No file for 48 hours, but leads may still come.
    let missing = run(&workspace, "tick", "2026-11-04T20:00:00Z");
    assert_eq!((told(&missing), missing.code), (vec!["missing/generic-csv".to_owned()], 3));
    let again = run(&workspace, "tick", "2026-11-05T05:00:00Z");
    assert_eq!((told(&again), again.code), (vec![], 0), "within its cooldown it is quiet");
    let next_day = run(&workspace, "tick", "2026-11-05T20:00:00Z");
    assert_eq!(told(&next_day), ["missing/generic-csv"]);
    // Five days without a lead are another matter than a file that did not come.
    let silent = run(&workspace, "run", "2026-11-07T20:00:00Z");
    assert_eq!(told(&silent), ["silent/generic-csv", "missing/generic-csv"]);
    let file: serde_json::Value = serde_json::from_str(&workspace.latest("alerts.json")).unwrap();
    assert_eq!(file["open"].as_array().unwrap().len(), 2);
    assert_eq!(file["open"][0]["opened_at"], "2026-11-04T20:00:00Z");

    workspace.input("b.csv", leads(&[("2026-11-08", 2)]));
    let closed = run(&workspace, "run", "2026-11-08T20:00:00Z");
    assert_eq!((told(&closed), closed.code), (vec![], 0));
    let file: serde_json::Value = serde_json::from_str(&workspace.latest("alerts.json")).unwrap();
    assert_eq!(
        (file["open"].as_array().unwrap().len(), file["closed"].as_array().unwrap().len()),
        (0, 2)
    );

    let report = |args: &[&str]| {
        workspace.ok(&[&["report", "alerts", "--as-of", "2026-11-09T00:00:00Z"], args].concat())
    };
    let table = report(&[]).stdout;
    assert_fits_a_terminal(&table);
    assert_eq!(table.matches("2026-11-08").count(), 2, "{table}");
    let json = report(&["--format", "json"]).json();
    assert_eq!(json["alerts"][0]["closed_at"], "2026-11-08T20:00:00Z");
    assert_eq!(report(&["--format", "csv"]).stdout.lines().count(), 3);
    assert_eq!(workspace.number("SELECT count(*) FROM alerts"), 2, "each once");
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn a_file_without_rows_is_named_as_such_and_told_each_time() {
    let workspace = workspace(&[("2026-11-02", 6)]);
    run(&workspace, "run", "2026-11-02T20:00:00Z").expect_code(0);
    for (file, time) in [("b.csv", "2026-11-03T05:00:00Z"), ("c.csv", "2026-11-03T06:00:00Z")] {
        let empty = format!("id,created_at,full_name,email,phone,company,country,message,{file}\n");
        workspace.input(file, empty);
        let outcome = run(&workspace, "run", time);
        assert_eq!(told(&outcome), ["empty"], "{}", outcome.stdout);
    }
}

#[test]
fn a_test_lead_can_be_required_each_day() {
    let workspace = workspace(&[("2026-11-02", 6)]);
    let canary = |day: &str| {
        format!(
            "id,created_at,full_name,email,phone,message\nc{day},{day}T10:00:00Z,Test Testowy,test@test.pl,,test\n"
        )
    };
    workspace.input("canary.csv", canary("2026-11-02"));
    let outcome = run(&workspace, "run", "2026-11-02T20:00:00Z");
    assert_eq!(outcome.json()["rows"]["held"], 1, "{}", outcome.stdout);
    assert_eq!(told(&run(&workspace, "tick", "2026-11-03T20:00:00Z")), [""; 0]);
    assert_eq!(
        told(&run(&workspace, "tick", "2026-11-04T08:00:00Z")),
        ["missing/generic-csv", "canary/generic-csv"]
    );
    workspace.input("canary2.csv", canary("2026-11-04"));
    run(&workspace, "run", "2026-11-04T10:30:00Z").expect_code(0);
    assert_eq!(workspace.number("SELECT count(*) FROM alerts WHERE closed_at IS NULL"), 0);
}

#[test]
fn tasks_that_nobody_does_are_an_alert_until_they_are_done() {
    let workspace = Workspace::new();
    workspace.file("rules/alerts.toml", RULES);
    let mut rows = "id,created_at,full_name,email,phone,company,country,message\n".to_owned();
    for (number, name) in ["Anna Buk", "Jan Klon", "Ewa Lipa"].iter().enumerate() {
        writeln!(
            rows,
            "{number},2026-11-02T09:0{number}:00Z,{name},a@p{number}.example,+4860000010{number},F{number} sp. z o.o.,PL,Prosze o oferte"
        )
        .unwrap();
    }
    workspace.file(
        "rules/followup.toml",
        "[[plan]]\nid = 'all'\nbecause = 'b'\n[[plan.step]]\nid = 'call'\nchannel = 'call'\nafter = '1h'\n\
         subject = 's'\nbecause = 'b'\n[[plan.step]]\nid = 'note'\nchannel = 'task'\nafter = '1h'\nsubject = 's'\nbecause = 'b'\n",
    );
    workspace.input("a.csv", rows);
    run(&workspace, "run", "2026-11-02T12:00:00Z").expect_code(0);
    // Six tasks are late by two days and two hours.
    let late = run(&workspace, "tick", "2026-11-04T12:30:00Z");
    assert!(told(&late).contains(&"overdue".to_owned()), "{}", late.stdout);
    let ids = workspace.ok(&["tasks", "--format", "csv"]).stdout;
    let calls: Vec<&str> = ids
        .lines()
        .filter_map(|line| line.split(',').next())
        .filter(|id| id.ends_with("/call"))
        .collect();
    let done = [&["tasks", "done"], &calls[..], &["--as-of", "2026-11-04T13:00:00Z"]].concat();
    workspace.ok(&done);
    let open = workspace.sql("SELECT key FROM alerts WHERE closed_at IS NULL").concat();
    assert!(!open.contains(&"overdue".to_owned()), "{open:?}");
}
