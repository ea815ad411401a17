//! How leads were dealt is told: by `explain` for one, by `report rotation` for all.

use super::dealing::{FADING, SHARED, dealt, lead, mail, night, with_routing};
use super::undo::{assert_rebuild_changes_nothing, take_in};
use super::workspace::assert_fits_a_terminal;

#[test]
fn explain_says_which_routes_were_not_taken_and_who_was_passed_over() {
    let workspace = with_routing(SHARED);
    night(&workspace, 1, &[(1, "PL"), (2, "PL"), (3, "PL"), (4, "PL"), (5, "DE")]);
    let told = |mailbox: &str| workspace.ok(&["explain", mailbox]).stdout;
    let story = told(&mail(5));
    for line in [
        "de               it matches, but nobody could take the lead",
        "big              employees is not known",
        "anna         de        lacks skill de",
        "anna         pl        cap of 3 a day reached",
        "ola          pl        away until 2026-11-30",
    ] {
        assert!(story.contains(line), "{line} is missing in\n{story}");
    }
    let second = told(&mail(2));
    for line in [
        "de               country is PL, not DE",
        "whose turn  weight  owed  cap left",
        "anna             4    -1         2  gets it, by weighted",
    ] {
        assert!(second.contains(line), "{line} is missing in\n{second}");
    }
    assert_fits_a_terminal(&story);
    assert_fits_a_terminal(&second);

    let told = workspace.ok(&["explain", &mail(2), "--json"]).json();
    let routing = &told["routing"];
    assert_eq!(routing["asked"][0]["misses"][0], "country is PL, not DE");
    let asked = workspace.ok(&["explain", &mail(5), "--json"]).json()["routing"]["asked"].clone();
    assert_eq!((&asked[0]["matched"], &asked[0]["had_nobody"]), (&true.into(), &true.into()));
    assert_eq!(routing["passed_over"][0]["why"], "away");
    let turn = &routing["turn"];
    assert_eq!((&turn["owner"], &turn["turn"]), (&"anna".into(), &2.into()));
    assert_eq!(turn["standings"][1]["owed"], 1);
}

/// Anna and Jan share what comes from abroad, and from home what is a day old.
const AGING: &str = "triage = 'triage'
[[owner]]
id = 'anna'
[[owner]]
id = 'jan'
cap = { leads = 9, per = 'day' }
[[queue]]
id = 'old'
pool = [{ owner = 'anna' }, { owner = 'jan' }]
because = 'b'
[[queue]]
id = 'new'
pool = [{ owner = 'anna' }]
because = 'b'
[[queue]]
id = 'triage'
because = 'b'
[[route]]
id = 'abroad'
when = { field = 'country', is = 'DE' }
queue = 'old'
because = 'b'
[[route]]
id = 'old'
when = { field = 'score', between = [0, 38] }
queue = 'old'
because = 'b'
[[route]]
id = 'new'
queue = 'new'
because = 'b'
";

#[test]
fn explain_does_not_say_that_nobody_could_take_what_stayed_with_its_owner() {
    let workspace = with_routing(AGING);
    workspace.file("rules/scoring.toml", FADING);
    night(&workspace, 0, &[(1, "PL")]);
    night(&workspace, 2, &[]);
    assert_eq!(dealt(&workspace), "1 anna new");
    let story = workspace.ok(&["explain", &mail(1)]).stdout;
    let line = "old              it matches now; the lead stays with its owner";
    assert!(story.contains(line), "{story}");
    let asked = workspace.ok(&["explain", &mail(1), "--json"]).json()["routing"]["asked"].clone();
    assert_eq!((&asked[1]["matched"], &asked[1]["had_nobody"]), (&true.into(), &false.into()));
}

#[test]
fn explain_counts_what_time_dealt_after_what_came_in() {
    let rules = AGING.replace("id = 'new'\npool = [{ owner = 'anna' }]", "id = 'new'");
    let workspace = with_routing(&rules);
    workspace.file("rules/scoring.toml", FADING);
    night(&workspace, 0, &[(1, "PL")]);
    assert_eq!(dealt(&workspace), "1 - new");
    night(&workspace, 1, &[(2, "DE")]);
    assert_eq!(dealt(&workspace), "1 jan old; 2 anna old");
    let standings = |number: usize| {
        let told = workspace.ok(&["explain", &mail(number), "--json"]).json();
        let one = told["routing"]["turn"]["standings"].as_array().unwrap().clone();
        one.iter().map(|one| one["owed"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(standings(2), [0, 0]);
    assert_eq!(standings(1), [-1, 1]);
    assert_rebuild_changes_nothing(&workspace);

    let workspace = with_routing(&rules.replace("{ owner = 'anna' }, ", ""));
    workspace.file("rules/scoring.toml", FADING);
    night(&workspace, 0, &[(1, "PL")]);
    night(&workspace, 1, &[(2, "DE")]);
    assert_eq!(dealt(&workspace), "1 jan old; 2 jan old");
    let caps = |number: usize| {
        let told = workspace.ok(&["explain", &mail(number), "--json"]).json();
        told["routing"]["turn"]["standings"][0]["cap_left"].clone()
    };
    assert_eq!((caps(2), caps(1)), (9.into(), 8.into()));
    let told = workspace.ok(&["report", "rotation", "--format", "json"]).json();
    let first = workspace.sql("SELECT id FROM leads ORDER BY lead_no")[0][0].clone();
    assert_eq!(told["queues"][0]["owners"][0]["last_lead"], first, "his last turn");
}

#[test]
fn explain_goes_by_the_rules_that_decided() {
    let workspace = with_routing(SHARED);
    night(&workspace, 1, &[(1, "PL")]);
    workspace.file("rules/routing.toml", SHARED.replace("is = 'DE'", "is = 'AT'"));
    let story = workspace.ok(&["explain", &mail(1)]).stdout;
    assert!(story.contains("country is PL, not DE"), "{story}");
}

#[test]
fn report_rotation_shows_where_everybody_stands() {
    let workspace = with_routing(SHARED);
    let leads: Vec<(usize, &str)> = (1..=5).map(|number| (number, "PL")).collect();
    night(&workspace, 1, &leads);
    let report = |args: &[&str]| {
        workspace
            .ok(&[&["report", "rotation", "--as-of", "2026-11-18T21:30:00Z"], args].concat())
            .stdout
    };
    let table = report(&[]);
    assert!(table.starts_with("pl (weighted): next is ewa, "), "{table}");
    let line = table.lines().find(|line| line.starts_with("anna")).unwrap();
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(words[..6], ["anna", "4", "3", "60%", "67%", "1"], "{line}");
    assert!(line.ends_with("0 of 3 a day"), "{line}");
    let not_now = "not now: anna (cap of 3 a day reached), ola (away until 2026-11-30)";
    assert!(table.contains(not_now), "{table}");
    assert_fits_a_terminal(&table);

    let told: serde_json::Value = serde_json::from_str(&report(&["--format", "json"])).unwrap();
    let pl = &told["queues"][0];
    assert_eq!((&pl["next"], &pl["owners"][1]["turns"]), (&"ewa".into(), &2.into()));
    assert_eq!(pl["owners"][0]["leads_today"], 3);
    assert_eq!(pl["owners"][0]["last_at"], "2026-11-18 22:00");
    let last = pl["owners"][0]["last_lead"].as_str().unwrap();
    assert!(workspace.ok(&["explain", last]).stdout.contains("owner=anna; turn="));

    let csv = report(&["--format", "csv"]);
    assert_eq!(csv.lines().count(), 6, "{csv}");
    assert!(csv.lines().nth(1).unwrap().starts_with("pl,weighted,0,anna,4,3,60.0,66.7,"), "{csv}");
    // Before that day nothing counts, and the day after she has room again.
    let since = report(&["--since", "2026-11-19", "--format", "csv"]);
    assert!(since.lines().nth(1).unwrap().starts_with("pl,weighted,0,anna,4,0,,66.7,"), "{since}");
}

#[test]
fn a_lead_stays_in_the_queue_in_which_it_was_with_its_owner() {
    let queue = |id: &str, pool: &str| format!("[[queue]]\nid = '{id}'\nbecause = 'b'\n{pool}\n");
    let workspace = with_routing(&format!(
        "triage = 'triage'\n[[owner]]\nid = 'marek'\n{}{}{}[[route]]\nid = 'pl'\nqueue = 'small'\nbecause = 'b'\n\
         when = {{ field = 'country', is = 'PL' }}\n",
        queue("large", "pool = [{ owner = 'marek' }]"),
        queue("small", "pool = [{ owner = 'marek' }]"),
        queue("triage", ""),
    ));
    night(&workspace, 1, &[(1, "PL"), (2, "PL")]);
    // No route takes them any more.
    let moved = |number: usize| lead(number, "DE").replace("11-17T08", "11-18T08");
    take_in(&workspace, 2, &[&moved(1), &moved(2)]);
    let country = workspace.sql("SELECT DISTINCT country FROM leads").concat();
    assert_eq!(
        (country.concat().as_str(), dealt(&workspace).as_str()),
        ("DE", "1 marek small; 2 marek small")
    );
    assert_rebuild_changes_nothing(&workspace);
    workspace.done(&["merge", &mail(1), &mail(2)]);
    let queues = "SELECT DISTINCT queue FROM leads";
    assert_eq!(workspace.sql(queues), [["small"]]);
    workspace.done(&["split", &mail(1), "--rows", "2", "4"]);
    assert_eq!(dealt(&workspace), "1 marek small; 2 marek small");
    assert_rebuild_changes_nothing(&workspace);
}
