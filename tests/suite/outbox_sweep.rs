//! Many deliveries, a fifth of them met by faults, and a process that is killed again and again: every one ends
//! delivered, dead or held, none twice under two ids, none with two bodies.
//!
//! `LEADMILL_DELIVERIES=10000` sends more, `LEADMILL_KILLS=200` kills more often.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;
use std::time::Duration;

use super::far_end::{Asked, Deed, Receiver, answer};
use super::workspace::{AS_OF, Workspace, code_of, table};

const DELIVERIES: u64 = 400;
const KILLS: u64 = 12;

fn asked_for(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap())
}

/// One fault in five; which one follows from what is sent and how often it came, so that every sweep is the same.
fn deed(asked: &Asked<'_>) -> Deed {
    let mut seed = asked.before_here as u64 ^ 0x9e37_79b9_7f4a_7c15;
    for byte in asked.body.bytes() {
        seed = (seed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    seed ^= seed >> 29;
    if !seed.is_multiple_of(5) {
        return answer(200);
    }
    match seed / 5 % 10 {
        0 | 1 => answer(500),
        2 => answer(503),
        3 => Deed::AnswerWith(429, "retry-after: 1".to_owned(), String::new()),
        4 | 5 => Deed::ResetAfterBody,
        6 => Deed::HalfBody,
        7 => Deed::Nonsense,
        8 => answer(404),
        _ => answer(422),
    }
}

#[test]
fn every_delivery_ends_somewhere_whatever_fails_and_dies() {
    let (people, kills) =
        (asked_for("LEADMILL_DELIVERIES", DELIVERIES), asked_for("LEADMILL_KILLS", KILLS));
    let workspace = Workspace::new();
    let rows: Vec<String> = (0..people)
        .map(|number| format!("{number},2026-11-18T09:00:00Z,,osoba{number}@przyklad.pl,,,PL,,"))
        .collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    workspace.input("leads.csv", table(&rows));
    plain_request(&workspace);
    let receiver = Receiver::start(deed);
    workspace.file(
        "rules/outbox.toml",
        format!(
            "[[endpoint]]\nid = \"hook\"\nkind = \"http\"\nrequest = \"plain\"\ntarget = \"leads-json\"\n\
             url = \"{}\"\nbecause = \"a test\"\nrate = 100000\ntimeout = \"2s\"\nconcurrency = 8\n",
            receiver.url("hook")
        ),
    );
    workspace.done(&["run", "--quiet"]);
    assert_eq!(workspace.number("SELECT count(*) FROM outbox") as u64, people);

    let run = chrono::DateTime::parse_from_rfc3339(AS_OF).unwrap();
    let (mut killed, mut minutes, mut rounds) = (0, 1, 0);
    let open = "SELECT count(*) FROM outbox WHERE state IN ('pending', 'claimed')";
    while workspace.number(open) > 0 {
        rounds += 1;
        assert!(
            minutes < 8 * 24 * 60,
            "{:?}",
            workspace.sql("SELECT state, count(*) FROM outbox GROUP BY 1")
        );
        let at = (run + chrono::TimeDelta::minutes(minutes)).to_rfc3339();
        let mut child = workspace
            .command(&["deliver", "--quiet", "--budget", "20s", "--as-of", &at])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        if killed < kills {
            std::thread::sleep(Duration::from_millis(60 + (rounds * 37) % 140));
            let _ = child.kill();
        }
        let was_killed = code_of(child.wait().unwrap()) == 137;
        killed += u64::from(was_killed);
        // A circuit that is open holds everything up, so time goes on in larger steps once nobody is killed any more.
        minutes += if killed < kills { 2 } else { 45 };
    }
    assert!(killed >= kills / 2, "only {killed} of {kills} were killed: the test is blind");
    check_books(&workspace, &receiver, people);
    let dead = workspace.number("SELECT count(*) FROM outbox WHERE state = 'dead'");
    assert!(dead > 0, "nothing was refused: the test is blind");
    eprintln!(
        "{people} deliveries, {killed} kills, {rounds} commands, {} requests",
        receiver.seen().len()
    );
}

/// Gives `workspace` a request of a lead and its row, with an id in its head.
pub fn plain_request(workspace: &Workspace) {
    workspace.file(
        "rules/requests/plain.toml",
        "[request]\nid = \"plain\"\nname = \"Plain\"\nbecause = \"a test\"\nsource = \"a test\"\n\
         id-header = \"webhook-id\"\neach = '{\"lead\":{{ lead | tojson }},\"row\":{{ row | tojson }}}'\n",
    );
}

/// Adds everything up, from the store's side and from the receiver's.
#[track_caller]
pub fn check_books(workspace: &Workspace, receiver: &Receiver, people: u64) {
    let states = workspace.sql("SELECT state, count(*) FROM outbox GROUP BY 1 ORDER BY 1");
    let count = |state: &str| {
        let found = states.iter().find(|row| row[0] == state);
        found.map_or(0, |row| row[1].parse::<u64>().unwrap())
    };
    assert_eq!(count("delivered") + count("dead") + count("held"), people, "{states:?}");
    assert!(count("delivered") > 0, "{states:?}: the test is blind");

    let (mut bodies, mut ids) = (BTreeMap::new(), BTreeMap::new());
    let mut taken: BTreeMap<String, u64> = BTreeMap::new();
    let mut silent: BTreeSet<String> = BTreeSet::new();
    for one in receiver.seen() {
        let body: serde_json::Value = serde_json::from_str(&one.body).unwrap();
        let lead = body["lead"].as_str().unwrap().to_owned();
        let known = bodies.entry(one.id().to_owned()).or_insert_with(|| one.body.clone());
        assert_eq!(*known, one.body, "{} came with two bodies", one.id());
        let known = ids.entry(lead.clone()).or_insert_with(|| one.id().to_owned());
        assert_eq!(known, one.id(), "{lead} came under two ids");
        match one.deed {
            Deed::Answer(200, _) => *taken.entry(lead).or_default() += 1,
            Deed::ResetAfterBody | Deed::HalfBody | Deed::Nonsense => drop(silent.insert(lead)),
            _ => {}
        }
    }
    let delivered = workspace.sql("SELECT item FROM outbox_items WHERE state = 'delivered'");
    for row in &delivered {
        assert!(taken.contains_key(&row[0]), "{} is said to be delivered", row[0]);
    }
    // What was taken twice is so because an answer was lost, or the process died before it could note it; in the end
    // the receiver may have refused it all the same.
    let items = workspace.sql("SELECT item, unknowns FROM outbox_items");
    let unknowns: BTreeMap<&str, u64> =
        items.iter().map(|row| (row[0].as_str(), row[1].parse().unwrap())).collect();
    for (lead, times) in taken.iter().filter(|(_, times)| **times > 1) {
        assert!(unknowns[lead.as_str()] > 0, "{lead} was taken {times} times and never unknown");
    }
    for lead in &silent {
        let query = format!("SELECT unknowns > 0 FROM outbox_items WHERE item = '{lead}'");
        assert_eq!(workspace.number(&query), 1, "{lead}: an answer was lost and nobody says so");
    }
    let kept = "SELECT count(*) FROM outbox WHERE state = 'delivered' AND length(part) > 0";
    assert_eq!(workspace.number(kept), 0);
}
