//! What a lead could still be, by the shipped rules: what is said is what happens then.

use super::workspace::{Outcome, Workspace, assert_fits_a_terminal};

const AS_OF: &str = "2026-11-20T09:00:00Z";
const HEADER: &str = "id,created_at,full_name,email,phone,company,country,job_title,message,budget,marketing_consent\n";
const ANNA: &str = "1,2026-11-20 08:00:00,Anna Nowak,anna@przyklad.pl,+48600000101,Przykład,PL,Dyrektor sprzedaży,\
                    Proszę o wycenę,,no\n";

fn workspace() -> Workspace {
    let workspace = Workspace::new();
    workspace.input("a.csv", format!("{HEADER}{ANNA}"));
    workspace.ok(&["run", "--as-of", AS_OF]);
    workspace
}

fn explain(workspace: &Workspace, options: &[&str]) -> Outcome {
    workspace.ok(&[&["explain", "anna@przyklad.pl", "--as-of", AS_OF], options].concat())
}

fn otherwise(workspace: &Workspace, options: &[&str]) -> serde_json::Value {
    explain(workspace, &[options, &["--json"]].concat()).json()["otherwise"].clone()
}

#[test]
fn a_way_to_hot_is_told_and_leads_there() {
    let workspace = workspace();
    let told = explain(&workspace, &[]).stdout;
    assert_fits_a_terminal(&told);
    assert!(told.contains("what is missing to be hot (now 64 points):"), "{told}");
    assert!(told.contains("  Named a budget (+10) would make 74: hot\n"), "{told}");
    assert!(!told.contains("out of reach"), "{told}");

    let missing = &otherwise(&workspace, &["--to-segment", "hot"])["missing"];
    let ways = missing["ways"].as_array().unwrap();
    let budget = ways.iter().find(|way| way["takes"] == serde_json::json!(["budget-given"]));
    assert_eq!(budget.unwrap()["then"]["score"], 74);
    let far = missing["out_of_reach"].as_array().unwrap();
    let boss = far.iter().find(|one| one["rule"] == "decision-maker").unwrap();
    assert_eq!(boss["misses"][0], "seniority is director, not c-level or owner");

    // What was said comes true: the same person names a budget.
    let named =
        ANNA.replace(",,no", ",5000,no").replace("1,2026-11-20 08:00", "2,2026-11-20 08:01");
    workspace.input("b.csv", format!("{HEADER}{named}"));
    workspace.ok(&["run", "--as-of", AS_OF]);
    let told = explain(&workspace, &["--to-segment", "hot"]).stdout;
    assert!(told.contains("it is hot with 74 points"), "{told}");
}

#[test]
fn what_keeps_a_lead_from_a_queue_is_told() {
    let workspace = workspace();
    let told = explain(&workspace, &["--to-queue", "dach"]).flat();
    assert!(told.contains("country is PL, not AT, CH, DE or LI; taken before by"), "{told}");
    let to = otherwise(&workspace, &["--to-queue", "dach"])["to_queue"].clone();
    assert!(to["kept_by"].is_string(), "{to}");
    assert_eq!(to["is_triage"], false);
    assert_eq!(to["routes"][0]["route"], "dach");
    assert_eq!(to["routes"][0]["misses"][0], "country is PL, not AT, CH, DE or LI");
    assert_eq!(otherwise(&workspace, &["--to-queue", "triage"])["to_queue"]["is_triage"], true);
    workspace
        .run(&["explain", "anna@przyklad.pl", "--to-queue", "dahc"])
        .expect_code(2)
        .says(&["there is no queue `dahc`", "did you mean `dach`?"]);
}

/// Anna works in the queue of routes that hand on what nobody takes; Jan in that below it.
const HANDING_ON: &str = "triage = 'triage'
[[owner]]
id = 'anna'
[[owner]]
id = 'jan'
[[queue]]
id = 'first'
pool = [{ owner = 'anna' }]
when-nobody = 'next'
because = 'b'
[[queue]]
id = 'rest'
pool = [{ owner = 'jan' }]
because = 'b'
[[queue]]
id = 'triage'
because = 'b'
[[route]]
id = 'first'
when = { field = 'country', is = 'PL' }
queue = 'first'
because = 'b'
[[route]]
id = 'rest'
when = { field = 'country', exists = true }
queue = 'rest'
because = 'b'
";

#[test]
fn an_owner_who_is_away_keeps_nothing_and_a_route_that_hands_on_may_not_take_it() {
    let workspace = Workspace::new();
    workspace.file("rules/routing.toml", HANDING_ON);
    workspace.input("a.csv", format!("{HEADER}{ANNA}"));
    workspace.ok(&["run", "--as-of", AS_OF]);
    let to_rest =
        |workspace: &Workspace| otherwise(workspace, &["--to-queue", "rest"])["to_queue"].clone();

    let to = to_rest(&workspace);
    assert_eq!(to["kept_by"], "anna");
    assert_eq!(to["routes"][0]["above"], serde_json::json!([]));
    assert_eq!(to["routes"][0]["above_perhaps"], serde_json::json!(["first"]));
    let told = explain(&workspace, &["--to-queue", "rest"]).flat();
    assert!(told.contains("taken before by first, if somebody there may take it"), "{told}");

    let away = HANDING_ON.replacen("id = 'anna'", "id = 'anna'\nactive = false", 1);
    workspace.file("rules/routing.toml", &away);
    assert_eq!(to_rest(&workspace)["kept_by"], serde_json::Value::Null);
    workspace.file("rules/routing.toml", format!("{away}[returning]\nwhen-owner-away = 'keep'\n"));
    assert_eq!(to_rest(&workspace)["kept_by"], "anna");
    let gone = HANDING_ON.replacen("id = 'anna'", "id = 'ola'", 1).replace("'anna'", "'ola'");
    workspace.file("rules/routing.toml", gone);
    assert_eq!(to_rest(&workspace)["kept_by"], serde_json::Value::Null);
}
