//! What the sales side did comes back: it ends what is planned, and it teaches which points are right.

use std::fmt::Write as _;

use super::undo::assert_rebuild_changes_nothing;
use super::workspace::{Workspace, assert_fits_a_terminal};

const PEOPLE: &str = "Submission id,Submitted at,Full name,E-mail,Job title,Product,Budget\n";
const ACTIVITY: &str = "E-mail,Activity,Activity date,Details\n";

/// A sequence that looks random and is always the same (splitmix64), each a number below 100.
fn dice(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % 100
    }
}

/// Leads of whom nearly all buy who named a product, hardly anybody for being a manager, and what became of them.
fn people_and_outcomes(n: usize) -> (String, String) {
    let mut next = dice(11);
    let (mut people, mut outcomes) = (PEOPLE.to_owned(), ACTIVITY.to_owned());
    for at in 0..n {
        let (has_product, is_manager, has_budget) = (next() < 40, next() < 40, next() < 30);
        let letter = |at: usize| char::from(b'a' + (at % 26) as u8);
        let name = format!("Anna W{}{}{}rowska", letter(at), letter(at / 26), letter(at / 676));
        let _ = writeln!(
            people,
            "s{at},2026-05-{:02}T09:00:00Z,{name},anna{at}@firma{at}.pl,{},{},{}",
            1 + at % 28,
            if is_manager { "Kierownik" } else { "" },
            if has_product { "AI" } else { "" },
            if has_budget { "5000" } else { "" },
        );
        let odds = 8 + 62 * u64::from(has_product) + 6 * u64::from(has_budget);
        if next() < odds {
            let _ = writeln!(outcomes, "anna{at}@firma{at}.pl,Closed won,2026-06-10T10:00:00Z,");
        } else if at % 3 == 0 {
            let _ = writeln!(outcomes, "anna{at}@firma{at}.pl,Closed lost,2026-06-20T10:00:00Z,");
        }
    }
    (people, outcomes)
}

fn world(n: usize) -> Workspace {
    let workspace = Workspace::new();
    let (people, outcomes) = people_and_outcomes(n);
    workspace.input("people.csv", people);
    workspace.ok(&["run"]);
    workspace.clear_inbox().input("activity.csv", outcomes);
    workspace.ok(&["run"]);
    workspace
}

#[test]
fn contact_ends_what_waits_for_it() {
    let workspace = Workspace::new();
    let people = "Submission id,Submitted at,Full name,E-mail,Phone,Job title,Product,Budget\n\
        s1,2026-11-20T17:00:00Z,Anna Wzorcowa,anna@firma.pl,+48601000101,CEO,AI,5000\n\
        s2,2026-11-20T17:00:00Z,Jan Testowski,jan@firma-druga.pl,+48601000102,CEO,AI,5000\n";
    workspace.input("people.csv", people);
    workspace.ok(&["run"]);
    let waiting = "SELECT t.step || ' ' || t.state FROM tasks AS t JOIN leads AS l USING (lead_no)
                   WHERE l.email = 'anna@firma.pl' AND t.step IN ('call', 'second-touch') ORDER BY 1";
    assert!(workspace.sql(waiting).iter().all(|row| row[0].ends_with(" open")));
    workspace.clear_inbox().input(
        "activity.csv",
        format!("{ACTIVITY}anna@firma.pl,Call connected,2026-11-20T18:30:00Z,\n"),
    );
    workspace.ok(&["run"]);
    let states: Vec<String> =
        workspace.sql(waiting).into_iter().map(|mut row| row.remove(0)).collect();
    assert!(
        !states.is_empty() && states.iter().all(|state| state.ends_with(" superseded")),
        "{states:?}"
    );
    let others = workspace.number(
        "SELECT count(*) FROM tasks AS t JOIN leads AS l USING (lead_no)
         WHERE l.email = 'jan@firma-druga.pl' AND t.step = 'call' AND t.state = 'open'",
    );
    assert_eq!(others, 1, "nobody has spoken to the other one");
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn points_are_proposed_from_outcomes_and_nothing_is_changed() {
    let workspace = world(900);
    let before = workspace.dump();
    let told = workspace.ok(&["calibrate", "--format", "json"]).json();
    assert_eq!(told["leads"], 900);
    assert_eq!(told["is_better"], true, "{told}");
    let points = |id: &str| {
        let rules = told["rules"].as_array().unwrap();
        let rule = rules.iter().find(|rule| rule["rule"] == id).unwrap();
        (rule["points"].as_i64().unwrap(), rule["proposed"].as_i64().unwrap())
    };
    let (now, proposed) = points("product-chosen");
    assert!(proposed > now, "{told}");
    assert!(points("manager").1 <= points("manager").0, "{told}");

    let shown = workspace.ok(&["calibrate"]);
    assert!(shown.stdout.contains("+points = "), "{}", shown.stdout);
    assert_fits_a_terminal(&shown.stdout);
    assert_eq!(workspace.dump(), before);

    // What is proposed are rules that hold: they can be simulated.
    let diff = workspace.ok(&["calibrate", "--format", "diff"]).stdout;
    assert!(diff.starts_with("--- a/rules/scoring.toml\n+++ b/rules/scoring.toml\n@@ "), "{diff}");
    let next = workspace.path("next/scoring.toml");
    std::fs::create_dir(workspace.path("next")).unwrap();
    workspace.ok(&["calibrate", "--output", next.to_str().unwrap()]);
    let text = std::fs::read_to_string(&next).unwrap();
    assert!(text.contains(&format!("points = {proposed}\n")), "{text}");
    workspace.ok(&["simulate", "--rules", "next"]);
    // The diff makes of the shipped file what --output writes.
    let shipped = std::fs::read_to_string(super::workspace::package().join("rules/scoring.toml"));
    assert_eq!(patched(&shipped.unwrap(), &diff), text);
    // A file of somebody's is not overwritten.
    workspace.run(&["calibrate", "--output", next.to_str().unwrap()]).expect_code(1);
}

/// Applies a unified diff, strictly: every line of it has to be where and what it says.
fn patched(text: &str, diff: &str) -> String {
    let old: Vec<&str> = text.split_inclusive('\n').collect();
    let (mut new, mut at) = (String::new(), 0);
    let (mut left, mut right) = (0, 0);
    for line in diff.split_inclusive('\n').skip(2) {
        if let Some(numbers) = line.strip_prefix("@@ -") {
            assert_eq!((left, right), (0, 0), "a piece is shorter than it says");
            let (start, rest) = numbers.split_once(',').unwrap();
            let length = rest.split(' ').next().unwrap();
            (left, right) = (length.parse().unwrap(), length.parse().unwrap());
            let start = start.parse::<usize>().unwrap() - 1;
            new.extend(old[at..start].iter().copied());
            at = start;
            continue;
        }
        let (sign, content) = line.split_at(1);
        if sign != "+" {
            assert_eq!(old[at], content);
            (at, left) = (at + 1, left - 1);
        }
        if sign != "-" {
            new.push_str(content);
            right -= 1;
        }
    }
    assert_eq!((left, right), (0, 0), "the last piece is shorter than it says");
    new.extend(old[at..].iter().copied());
    new
}

#[test]
fn an_end_counts_in_its_window_only_and_does_not_explain_itself() {
    let workspace = Workspace::new();
    let mut people = format!("{}Lead Status,Last Modified Date\n", PEOPLE.replace('\n', ","));
    let mut activity = ACTIVITY.to_owned();
    for at in 0..400 {
        let (day, name) = (1 + at % 28, format!("anna{at}@firma{at}.pl"));
        let letter = |at: usize| char::from(b'a' + (at % 26) as u8);
        let who = format!("Anna W{}{}rowska", letter(at), letter(at / 26));
        // The last hundred are from November: their window is open, however they ended.
        let month = if at < 300 { 5 } else { 11 };
        let _ = writeln!(people, "s{at},2026-{month:02}-{day:02}T09:00:00Z,{who},{name},,,,,");
        let ended = match at {
            0..150 => "2026-06-10",
            150..200 => "2025-01-10", // a customer before, which says nothing of this enquiry
            200..300 => "2026-10-10", // too late
            _ => "2026-11-30",
        };
        let _ = writeln!(activity, "{name},Closed won,{ended}T10:00:00Z,");
    }
    workspace.input("people.csv", people).input("activity.csv", activity);
    workspace.run(&["run"]);
    let told = workspace.ok(&["calibrate", "--format", "json"]).json();
    assert_eq!(
        (&told["leads"], &told["succeeded"], &told["too_young"]),
        (&300.into(), &150.into(), &100.into())
    );
}

#[test]
fn too_few_outcomes_propose_nothing() {
    let workspace = world(120);
    workspace.run(&["calibrate"]).expect_code(2).says(&[
        "ended well",
        "at least 100 of each",
        "--success",
    ]);
    workspace
        .run(&["calibrate", "--window", "soon"])
        .expect_code(2)
        .says(&["--window soon is not a time"]);
}

#[test]
fn a_status_in_the_crm_is_an_outcome_too() {
    let workspace = Workspace::new();
    let mut next = dice(5);
    let mut text = "Record ID,First Name,Last Name,Email,Lead Status,Create Date,Last Modified Date,Job Title\n".to_owned();
    for at in 0..300 {
        let status = if next() < 50 { "Closed won" } else { "Open" };
        let letter = |at: usize| char::from(b'a' + (at % 26) as u8);
        let _ = writeln!(
            text,
            "{at},Anna,W{}{}rowska,a{at}@firma{at}.pl,{status},2026-05-03 10:00,2026-05-03 10:00,Kierownik",
            letter(at),
            letter(at / 26),
        );
    }
    workspace.input("hubspot.csv", text);
    workspace.ok(&["run"]);
    let told = workspace.ok(&["calibrate", "--format", "json"]).json();
    assert_eq!(told["leads"], 300);
    let won = workspace.number("SELECT count(*) FROM leads WHERE fields LIKE '%Closed won%'");
    assert_eq!(told["succeeded"], won);
}

#[test]
fn the_rule_report_tells_what_each_rule_is_worth() {
    let workspace = world(900);
    let meetings = "anna0@firma0.pl,Meeting held,2026-05-20T10:00:00Z,\n\
         anna1@firma1.pl,Meeting scheduled,2026-05-20T10:00:00Z,\n";
    workspace.clear_inbox().input("meetings.csv", format!("{ACTIVITY}{meetings}"));
    workspace.ok(&["run"]);
    let before = workspace.dump();
    let told = workspace.ok(&["report", "rules", "--format", "json"]).json();
    let learned = workspace.ok(&["calibrate", "--format", "json"]).json();
    let sums = &told["outcomes"];
    assert_eq!((&sums["won"]["leads"], &sums["meeting"]["well"]), (&900.into(), &2.into()));
    assert_eq!(sums["won"]["well"], learned["succeeded"]);
    let rule = |told: &serde_json::Value, id: &str| {
        told["rules"].as_array().unwrap().iter().find(|one| one["rule"] == id).unwrap().clone()
    };
    for id in ["product-chosen", "manager", "budget-given"] {
        let (worth, of) = (&rule(&told, id)["won"], rule(&learned, id));
        // What calibrate counts is what is compared here.
        assert_eq!(
            (&worth["fired"]["leads"], &worth["fired"]["well"]),
            (&of["leads"], &of["succeeded"])
        );
        let count = |side: &str, what: &str| worth[side][what].as_u64().unwrap();
        assert_eq!(count("fired", "leads") + count("others", "leads"), 900, "{id}");
        let share = |side: &str| count(side, "well") as f64 / count(side, "leads") as f64;
        let expected = share("fired") / share("others");
        assert!((worth["lift"].as_f64().unwrap() - expected).abs() < 1e-9, "{worth}");
    }
    assert!(rule(&told, "product-chosen")["won"]["lift"].as_f64().unwrap() > 3.0);
    assert_eq!(rule(&told, "product-chosen")["won"]["note"], serde_json::Value::Null);
    assert_eq!(rule(&told, "manager")["won"]["note"], "may be chance");
    assert_eq!(rule(&told, "pricing-twice")["won"]["note"], "few leads");

    let table = workspace.ok(&["report", "rules"]);
    assert_fits_a_terminal(&table.stdout);
    assert!(
        table.flat().contains("lift: how many times as often as the others"),
        "{}",
        table.stdout
    );
    let csv = workspace.ok(&["report", "rules", "--format", "csv"]).stdout;
    let row = csv.lines().find(|line| line.starts_with("manager,")).unwrap();
    assert!(row.ends_with(",may be chance"), "{csv}");
    // Within a week of coming nobody had bought yet.
    let soon = workspace.ok(&["report", "rules", "--window", "7d", "--format", "json"]).json();
    assert_eq!(soon["outcomes"]["won"]["well"], 0);
    assert_eq!(workspace.dump(), before, "a report changes nothing");
}

#[test]
fn without_outcomes_rules_are_not_compared() {
    let workspace = Workspace::new();
    workspace.input("people.csv", people_and_outcomes(20).0);
    workspace.ok(&["run"]);
    let told = workspace.ok(&["report", "rules", "--format", "json"]).json();
    assert_eq!(told["outcomes"], serde_json::Value::Null);
    assert!(told["rules"].as_array().unwrap().iter().all(|rule| rule["won"].is_null()));
    assert!(!workspace.ok(&["report", "rules"]).stdout.contains("lift"));
}
