//! Who gets which lead when people are away, full or lack what it needs, and that all of it can be done again.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::small_world::runner;
use super::undo::{assert_rebuild_changes_nothing, take_in, undo};
use super::workspace::{Workspace, assert_fits_a_terminal, assert_same_text};

/// Anna takes two leads a day; Jan takes the cold rest when she cannot.
const CAPPED: &str = "triage = 'triage'
[[owner]]
id = 'anna'
cap = { leads = 2, per = 'day' }
[[owner]]
id = 'jan'
skills = ['ai']
[[queue]]
id = 'pl'
pool = [{ owner = 'anna' }]
because = 'b'
[[queue]]
id = 'abroad'
pool = [{ owner = 'anna', cap = { leads = 1, per = 'day' } }]
when-nobody = 'next'
because = 'b'
[[queue]]
id = 'rest'
pool = [{ owner = 'jan' }]
needs-skill = 'ai'
because = 'b'
[[queue]]
id = 'triage'
because = 'b'
[[route]]
id = 'pl'
when = { field = 'country', is = 'PL' }
queue = 'pl'
because = 'b'
[[route]]
id = 'abroad'
queue = 'abroad'
when = { field = 'country', exists = true }
because = 'b'
[[route]]
id = 'rest'
when = { field = 'country', one-of = ['DE', 'AT'] }
queue = 'rest'
because = 'b'
";

/// Makes a workspace with these rules of routing.
pub(super) fn with_routing(rules: &str) -> Workspace {
    let workspace = Workspace::new();
    workspace.file("rules/routing.toml", rules);
    workspace
}

fn queues_of(rules: &str) -> Vec<String> {
    let rules: toml::Table = rules.parse().unwrap();
    let queues = rules["queue"].as_array().unwrap();
    queues.iter().map(|queue| queue["id"].as_str().unwrap().to_owned()).collect()
}

/// Names that are unlike each other, so that nobody is taken for somebody else.
const PEOPLE: &[[&str; 2]] = &[
    ["Anna", "Brzoza"],
    ["Marek", "Klon"],
    ["Zofia", "Wierzba"],
    ["Piotr", "Jesion"],
    ["Ewa", "Lipa"],
    ["Tomasz", "Olcha"],
    ["Iga", "Sosna"],
    ["Adam", "Modrzew"],
    ["Olga", "Jarzyna"],
    ["Jan", "Buk"],
    ["Maria", "Topola"],
    ["Pawel", "Grab"],
    ["Halina", "Kalina"],
    ["Roman", "Wiaz"],
    ["Julia", "Malina"],
    ["Oskar", "Dereń"],
    ["Nina", "Tarnina"],
    ["Igor", "Cis"],
    ["Wanda", "Leszczyna"],
    ["Filip", "Jawor"],
    ["Laura", "Czeremcha"],
    ["Hubert", "Tuja"],
    ["Sara", "Osika"],
    ["Emil", "Rokitnik"],
];

/// A row whose lead has nothing in common with others.
pub(super) fn lead(number: usize, country: &str) -> String {
    let [first, last] = PEOPLE[number - 1];
    format!(
        "{number},2026-11-17T08:00:{number:02}Z,{first} {last},{},,,{country},Prosze o oferte,",
        mail(number)
    )
}

pub(super) fn mail(number: usize) -> String {
    format!("info@p{number}.example")
}

/// Takes leads in on a night of its own; returns the run's id.
pub(super) fn night(workspace: &Workspace, number: usize, leads: &[(usize, &str)]) -> String {
    let rows: Vec<String> = leads.iter().map(|(no, country)| lead(*no, country)).collect();
    take_in(workspace, number, &rows.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Who has which lead: `1 anna pl; 2 - pl`.
pub(super) fn dealt(workspace: &Workspace) -> String {
    let rows = workspace.sql(
        "SELECT substr(email, 7), coalesce(owner, '-'), queue FROM leads
         ORDER BY CAST(substr(email, 7) AS INTEGER)",
    );
    let mut text = String::new();
    for row in rows {
        write!(text, "{} {} {}; ", row[0].trim_end_matches(".example"), row[1], row[2]).unwrap();
    }
    text.trim_end_matches("; ").to_owned()
}

#[test]
fn leads_beyond_a_cap_wait_and_are_dealt_when_there_is_room() {
    let workspace = with_routing(CAPPED);
    let all: Vec<(usize, &str)> = (1..=5).map(|number| (number, "PL")).collect();
    night(&workspace, 1, &all);
    assert_eq!(dealt(&workspace), "1 anna pl; 2 anna pl; 3 - pl; 4 - pl; 5 - pl");
    // The next night two of those who wait come before a new one; in the end nobody waits.
    night(&workspace, 2, &[(6, "PL")]);
    assert_eq!(dealt(&workspace), "1 anna pl; 2 anna pl; 3 anna pl; 4 anna pl; 5 - pl; 6 - pl");
    night(&workspace, 3, &[]);
    assert_eq!(
        dealt(&workspace),
        "1 anna pl; 2 anna pl; 3 anna pl; 4 anna pl; 5 anna pl; 6 anna pl"
    );
    assert_rebuild_changes_nothing(&workspace);
    // A run at the same instant finds no room and decides about nobody.
    let before = workspace.number("SELECT count(*) FROM decision");
    night(&workspace, 3, &[(7, "PL")]);
    assert_eq!(workspace.number("SELECT count(*) FROM decision"), before + 1);
}

#[test]
fn a_lead_that_nobody_may_take_goes_on_to_the_next_route() {
    let workspace = with_routing(CAPPED);
    night(&workspace, 1, &[(1, "DE"), (2, "DE"), (3, "FR")]);
    assert_eq!(dealt(&workspace), "1 anna abroad; 2 jan rest; 3 - triage");
    let reason = |number: usize| {
        let query = format!("SELECT routing_reason FROM leads WHERE email = '{}'", mail(number));
        workspace.sql(&query)[0][0].clone()
    };
    assert!(reason(2).ends_with("owner=jan; turn=1/1; passed=abroad"), "{}", reason(2));
    assert!(
        reason(3).ends_with("queue=triage; passed=abroad; because=nobody is available"),
        "{}",
        reason(3)
    );
    // The next day there is room for it.
    night(&workspace, 2, &[]);
    assert_eq!(dealt(&workspace), "1 anna abroad; 2 jan rest; 3 anna abroad");
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn a_lead_that_nobody_may_take_is_an_alert() {
    let workspace = with_routing(CAPPED);
    let rows: Vec<String> = (1..=3).map(|number| lead(number, "PL")).collect();
    workspace.table("a.csv", &rows.iter().map(String::as_str).collect::<Vec<_>>());
    let outcome = workspace.run(&["run", "--json"]);
    assert_eq!(outcome.code, 3, "{}", outcome.stderr);
    let alerts = outcome.json()["alerts"].to_string();
    assert!(alerts.contains("leads that nobody of a pool could take: 1"), "{alerts}");
}

#[test]
fn an_undo_gives_turns_and_loads_back() {
    let workspace = with_routing(CAPPED);
    let first = night(&workspace, 1, &[(1, "PL"), (2, "DE")]);
    let only = with_routing(CAPPED);
    night(&only, 2, &[(3, "PL"), (4, "FR")]);
    night(&workspace, 2, &[(3, "PL"), (4, "FR")]);
    undo(&workspace, &first);
    let state = |workspace: &Workspace| {
        let mut text = dealt(workspace);
        for query in [
            "SELECT queue, owner, leads, as_of FROM load JOIN runs USING (run_no) ORDER BY 1, 2, 4",
            "SELECT * FROM rotation ORDER BY queue, owner",
        ] {
            for row in workspace.sql(query) {
                write!(text, "\n{}", row.join(" | ")).unwrap();
            }
        }
        text
    };
    assert_same_text("the desk", &state(&only), &state(&workspace));
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn loads_that_are_wrong_are_seen_and_put_right() {
    let workspace = with_routing(CAPPED);
    night(&workspace, 1, &[(1, "PL"), (2, "PL"), (3, "DE")]);
    let loads = "SELECT * FROM load ORDER BY run_no, queue, owner";
    let right = workspace.sql(loads);
    for damage in [
        "UPDATE load SET leads = 7",
        "DELETE FROM load",
        "INSERT INTO load VALUES (1, 'pl', 'x', 1)",
    ] {
        workspace.edit(damage);
        let found = workspace.run(&["rebuild", "--check"]).expect_code(70).stderr;
        assert!(found.contains("table load: "), "{damage}: {found}");
        workspace.run(&["rebuild"]);
        assert_eq!(workspace.sql(loads), right, "{damage}");
        assert_rebuild_changes_nothing(&workspace);
    }
}

/// Anna and Jan share what comes from home; Ola, who is away, would get the rest.
const TEAM: &str = "triage = 'triage'
[[owner]]
id = 'anna'
[[owner]]
id = 'jan'
[[owner]]
id = 'ola'
absent = [{ from = '2026-11-16', to = '2026-11-22' }]
[[queue]]
id = 'pl'
pool = [{ owner = 'anna' }, { owner = 'jan' }]
because = 'b'
[[queue]]
id = 'rest'
pool = [{ owner = 'ola' }]
because = 'b'
[[queue]]
id = 'triage'
because = 'b'
[[route]]
id = 'pl'
when = { field = 'country', is = 'PL' }
queue = 'pl'
because = 'b'
[[route]]
id = 'rest'
queue = 'rest'
because = 'b'
";

#[test]
fn a_store_from_before_leads_were_dealt_so_is_brought_up_to_date() {
    let workspace = with_routing(TEAM);
    let person = |id: &str, email: &str, phone: &str| {
        format!("{id},2026-11-17T09:00:0{}Z,Anna Wzorcowa,{email},{phone},,PL,,", &id[1..])
    };
    let (by_mail, by_phone) =
        (person("a1", "anna@przyklad.pl", ""), person("a2", "ania@example.com", "+48600000101"));
    take_in(&workspace, 1, &[&by_mail, &by_phone]);
    let owned = "SELECT owner FROM leads ORDER BY owner";
    assert_eq!(workspace.sql(owned).concat(), ["anna", "jan"]);
    // One person, after all: the first of her leads takes the other in, and stays Anna's.
    take_in(&workspace, 2, &[&person("a4", "anna@przyklad.pl", "+48600000101")]);
    // Anna leaves, and it comes to Jan, who had the other.
    workspace.file(
        "rules/routing.toml",
        TEAM.replace("id = 'anna'\n[", "id = 'anna'\nactive = false\n["),
    );
    take_in(&workspace, 3, &[&person("a5", "anna@przyklad.pl", ""), &lead(3, "DE")]);
    let owners = "SELECT owner, queue FROM leads ORDER BY queue";
    assert_eq!(workspace.sql(owners)[0][0], "jan");
    let facts = [
        "SELECT lead_no, run_no, steps FROM decision ORDER BY 1, 2",
        "SELECT * FROM load ORDER BY 1, 2, 3",
    ];
    let decided = facts.map(|query| workspace.sql(query));

    workspace.edit(
            "DROP INDEX submission_glance; DROP INDEX submission_identifying;
             DROP VIEW touches; ALTER TABLE touch DROP COLUMN amount; ALTER TABLE touch DROP COLUMN currency;
             CREATE VIEW touches AS SELECT 1;
             DROP TRIGGER lead_is_counted; DROP TRIGGER lead_is_counted_no_more; DROP TRIGGER lead_is_counted_elsewhere;
             DROP TABLE lead_total; DROP INDEX lead_by_first; DROP INDEX lead_by_last; DROP INDEX lead_glance; DROP INDEX lead_hot;
             DROP INDEX task_open; DROP INDEX task_handed; DROP INDEX task_by_opening;
             DROP VIEW tasks; ALTER TABLE task DROP COLUMN opened_run; ALTER TABLE task DROP COLUMN ended_ms; CREATE VIEW tasks AS SELECT 1; ALTER TABLE lead DROP COLUMN answers;
             ALTER TABLE run DROP COLUMN is_full;
             DROP VIEW outbox_items; DROP TABLE outbox; DROP TABLE outbox_request; DROP TABLE endpoint;
             DROP VIEW deliveries; DROP VIEW dead_letters; DROP TABLE delivered; DROP TABLE target_record;
             DROP TABLE dead_letter; DROP TABLE delivery_target;
             ALTER TABLE publication DROP COLUMN definition;
             DROP VIEW erasures; DROP VIEW turn_taken; DROP TABLE suppression; DROP TABLE erased_row;
             DROP TABLE erased_turn; DROP TABLE erased_load; DROP TABLE erasure;
             DROP VIEW consents; DROP TABLE consent_payload; DROP TABLE consent_denial; DROP TABLE consent_record;
             DROP TRIGGER wording_is_not_edited; DROP TRIGGER wording_is_not_deleted;
             CREATE TABLE consent_record (seq INTEGER PRIMARY KEY, submission_no INTEGER, run_no INTEGER,
                 purpose TEXT, channel TEXT, state TEXT, event_ms INTEGER, wording_no INTEGER, mechanism TEXT,
                 supersedes INTEGER, evidence TEXT);
             CREATE INDEX consent_by_submission ON consent_record (submission_no);
             CREATE INDEX consent_by_superseded ON consent_record (supersedes);
             CREATE TRIGGER consent_is_not_edited BEFORE UPDATE ON consent_record BEGIN SELECT 1; END;
             CREATE TRIGGER consent_is_not_deleted BEFORE DELETE ON consent_record BEGIN SELECT 1; END;
             CREATE VIEW consents AS SELECT 1;
             DROP TABLE account_claim; DROP TABLE no_taker; DROP TABLE load; DROP TABLE turn_passed;
             DROP TABLE handed_out; DROP TABLE alert; DROP VIEW alerts; DROP VIEW submissions;
             ALTER TABLE turn DROP COLUMN passed_no; ALTER TABLE run DROP COLUMN keeps_no_takers;
             ALTER TABLE input DROP COLUMN tells_contacts;
             UPDATE decision SET steps = steps & ~32; PRAGMA user_version = 9;",
    );
    assert_rebuild_changes_nothing(&workspace);
    assert_eq!(facts.map(|query| workspace.sql(query)), decided);
    // What waited has waited unseen; once a run has looked at it, it waits like any other.
    workspace.run(&["rescore", "--as-of", "2026-11-21T21:00:00Z"]);
    assert_eq!(workspace.sql(owners)[1], ["NULL", "rest"]);
    assert_rebuild_changes_nothing(&workspace);
    let back = night(&workspace, 6, &[]);
    assert_eq!(workspace.sql(owners)[1], ["ola", "rest"]);
    assert_rebuild_changes_nothing(&workspace);
    undo(&workspace, &back);
    assert_eq!(workspace.sql(owners)[1], ["NULL", "rest"]);
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn what_waited_because_of_a_run_that_is_gone_still_waits_until_the_next() {
    let workspace = with_routing(CAPPED);
    let first = night(&workspace, 1, &[(1, "PL"), (2, "PL")]);
    // The same night: a second file, and Anna is full.
    workspace.clear_inbox();
    workspace.table("more.csv", &[&lead(3, "PL")]);
    workspace.run(&["run", "--as-of", "2026-11-18T21:00:00Z"]);
    undo(&workspace, &first);
    assert_eq!(dealt(&workspace), "3 - pl");
    assert_rebuild_changes_nothing(&workspace);
    night(&workspace, 2, &[]);
    assert_eq!(dealt(&workspace), "3 anna pl");
    assert_rebuild_changes_nothing(&workspace);
}

/// Ola, who is away for a week, would get everything; the route names her, and nobody serves the queue beside her.
const ALONE: &str = "triage = 'triage'
[[owner]]
id = 'ola'
absent = [{ from = '2026-11-16', to = '2026-11-20' }]
[[queue]]
id = 'all'
because = 'b'
[[queue]]
id = 'triage'
because = 'b'
[[route]]
id = 'all'
owner = 'ola'
queue = 'all'
because = 'b'
";

/// Points that fade by one a day.
pub(super) const FADING: &str = "[segment.cold]
action = 'wait'
[segment.warm]
from = 40
action = 'write'
[segment.hot]
from = 70
action = 'call'
[[score]]
id = 'wrote'
group = 'intent'
points = 40
decay = { to-zero-after = '40d' }
because = 'Wrote to us'
when = { field = 'n-submissions', at-least = 1 }
";

#[test]
fn a_waiting_lead_at_which_time_alone_makes_a_run_look_is_decided_once() {
    // Nobody can take it whenever it is looked at: the route's owner is away, or the only one of a pool.
    let pool = ALONE
        .replace("owner = 'ola'\nqueue", "queue")
        .replace("id = 'all'\nbecause", "id = 'all'\npool = [{ owner = 'ola' }]\nbecause");
    for rules in [ALONE, &pool] {
        let workspace = with_routing(rules);
        workspace.file("rules/scoring.toml", FADING);
        let first = night(&workspace, 0, &[(1, "PL"), (2, "PL")]);
        assert_eq!(dealt(&workspace), "1 - all; 2 - all");
        let second = night(&workspace, 1, &[(3, "PL")]);
        let looked = "SELECT count(*) FROM decision WHERE steps & 16 <> 0";
        assert_eq!(workspace.number(looked), 2);
        assert_rebuild_changes_nothing(&workspace);
        night(&workspace, 2, &[]);
        assert_rebuild_changes_nothing(&workspace);
        undo(&workspace, &second);
        assert_rebuild_changes_nothing(&workspace);
        // She is back, and takes what waits whatever made the runs look at it meanwhile.
        night(&workspace, 4, &[]);
        assert_eq!(dealt(&workspace), "1 ola all; 2 ola all");
        assert_rebuild_changes_nothing(&workspace);
        undo(&workspace, &first);
        assert_eq!(dealt(&workspace), "");
        assert_rebuild_changes_nothing(&workspace);
    }
}

#[test]
fn a_waiting_lead_that_comes_to_somebody_without_a_turn_keeps_them() {
    let workspace = with_routing(ALONE);
    let first = night(&workspace, 1, &[(1, "PL")]);
    night(&workspace, 2, &[(2, "DE")]);
    assert_eq!(dealt(&workspace), "1 - all; 2 - all");
    night(&workspace, 4, &[]);
    assert_eq!(dealt(&workspace), "1 ola all; 2 ola all");
    assert_eq!(workspace.number("SELECT count(*) FROM turn"), 0);
    assert_rebuild_changes_nothing(&workspace);
    undo(&workspace, &first);
    assert_eq!(dealt(&workspace), "2 ola all");
    assert_rebuild_changes_nothing(&workspace);
    // Nor is one lost that other rules lead to a queue which nobody serves.
    let workspace = with_routing(ALONE);
    night(&workspace, 1, &[(1, "PL")]);
    workspace.file(
        "rules/routing.toml",
        ALONE.replace("owner = 'ola'\nqueue = 'all'", "queue = 'triage'"),
    );
    night(&workspace, 2, &[]);
    assert_eq!(dealt(&workspace), "1 - triage");
    assert_rebuild_changes_nothing(&workspace);
}

/// Four of five turns are Anna's, who takes three leads a day; Ewa knows the German market, Ola is away.
pub(super) const SHARED: &str = "triage = 'triage'
[[owner]]
id = 'anna'
cap = { leads = 3, per = 'day' }
[[owner]]
id = 'ewa'
skills = ['DE']
[[owner]]
id = 'ola'
absent = [{ from = '2026-11-16', to = '2026-11-30' }]
[[queue]]
id = 'pl'
pool = [{ owner = 'anna', weight = 4 }, { owner = 'ewa' }, { owner = 'ola' }]
because = 'b'
[[queue]]
id = 'de'
pool = [{ owner = 'ola' }, { owner = 'anna' }]
match-skill = 'country'
require = 'skill'
when-nobody = 'next'
because = 'b'
[[queue]]
id = 'triage'
because = 'b'
[[route]]
id = 'de'
when = { field = 'country', is = 'DE' }
queue = 'de'
because = 'b'
[[route]]
id = 'big'
when = { field = 'employees', at-least = 500 }
queue = 'pl'
because = 'b'
[[route]]
id = 'rest'
queue = 'pl'
because = 'b'
";

#[test]
fn a_rescore_deals_who_waits_and_is_undone_like_any_run() {
    let workspace = with_routing(CAPPED);
    let all: Vec<(usize, &str)> = (1..=4).map(|number| (number, "PL")).collect();
    night(&workspace, 1, &all);
    let before = dealt(&workspace);
    let outcome = workspace.run(&["rescore", "--json", "--as-of", "2026-11-19T21:00:00Z"]);
    assert!([0, 3].contains(&outcome.code), "{}", outcome.stderr);
    assert_eq!(dealt(&workspace), "1 anna pl; 2 anna pl; 3 anna pl; 4 anna pl");
    assert_rebuild_changes_nothing(&workspace);
    undo(&workspace, outcome.json()["run"].as_str().unwrap());
    assert_eq!(dealt(&workspace), before);
    assert_rebuild_changes_nothing(&workspace);
    // Who has a lead keeps it though she is full, and though routes count more than owners.
    night(&workspace, 2, &[(5, "PL")]);
    let reroute = ["rescore", "--reroute", "--json", "--as-of", "2026-11-19T22:00:00Z"];
    assert!([0, 3].contains(&workspace.run(&reroute).code));
    assert_eq!(dealt(&workspace), "1 anna pl; 2 anna pl; 3 anna pl; 4 anna pl; 5 - pl");
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn a_batch_is_dealt_like_one_lead_after_the_other() {
    // Everything that hangs on other leads at once: caps, loads, weights, claims, the next route.
    let rules = SHARED
        .replace(
            "{ owner = 'ola' }]\nbecause",
            "{ owner = 'ola' }]\nstrategy = 'least-loaded'\nper = 'week'\nbecause",
        )
        .replace("leads = 3, per = 'day'", "leads = 9, per = '7d'");
    let rows: Vec<String> =
        (1..=24).map(|number| lead(number, ["PL", "DE", "FR"][number % 3])).collect();
    let batch = with_routing(&rules);
    batch.table("a.csv", &rows.iter().map(String::as_str).collect::<Vec<_>>());
    assert!([0, 3].contains(&batch.run(&["run", "--threads", "2"]).code));
    let parts = with_routing(&rules);
    for (number, part) in rows.chunks(7).enumerate() {
        parts.clear_or_make_inbox();
        let part: Vec<&str> = part.iter().map(String::as_str).collect();
        parts.table(&format!("part-{number}.csv"), &part);
        assert!([0, 3].contains(&parts.run(&["run"]).code));
    }
    assert_eq!(dealt(&batch), dealt(&parts));
    for query in [
        "SELECT id, routing_reason FROM leads ORDER BY id",
        "SELECT * FROM rotation ORDER BY queue, owner",
        "SELECT queue, owner, sum(leads) FROM load GROUP BY queue, owner ORDER BY 1, 2",
    ] {
        assert_eq!(batch.sql(query), parts.sql(query), "{query}");
    }
    assert_rebuild_changes_nothing(&batch);
    assert_rebuild_changes_nothing(&parts);
}

#[test]
fn whatever_is_run_and_undone_how_leads_were_dealt_stands() {
    let rows = prop::collection::vec((1..=PEOPLE.len(), 0..3_usize), 1..6);
    let step = (rows, prop::option::weighted(0.4, any::<prop::sample::Index>()));
    let worlds = (any::<bool>(), prop::collection::vec(step, 2..5));
    let outcome = runner(3).run(&worlds, |(is_capped, steps)| {
        let rules = if is_capped { CAPPED } else { SHARED };
        let (workspace, known) = (with_routing(rules), queues_of(rules));
        let mut standing: Vec<String> = Vec::new();
        for (number, (leads, undone)) in steps.into_iter().enumerate() {
            let filler = (number + 1, "XX");
            let countries = leads.iter().map(|(no, at)| (*no, ["PL", "DE", "FR"][*at]));
            let leads: Vec<(usize, &str)> = countries.chain([filler]).collect();
            standing.push(night(&workspace, number, &leads));
            if let Some(which) = undone {
                let run = standing.remove(which.index(standing.len()));
                undo(&workspace, &run);
            }
            assert_rebuild_changes_nothing(&workspace);
            let queues = workspace.sql("SELECT DISTINCT queue FROM leads").concat();
            let unknown = queues.iter().find(|queue| !known.contains(queue));
            prop_assert_eq!(unknown, None);
        }
        Ok(())
    });
    outcome.unwrap();
}

/// Leads of whoever is away wait in the queue.
const WAITING: &str = "triage = 'triage'
[returning]
when-owner-away = 'queue'
[[owner]]
id = 'anna'
absent = [{ from = '2026-11-19', to = '2026-11-22' }]
cap = { leads = 1, per = '7d' }
[[owner]]
id = 'jan'
[[queue]]
id = 'pl'
pool = [{ owner = 'anna' }, { owner = 'jan' }]
because = 'b'
[[queue]]
id = 'triage'
because = 'b'
[[route]]
id = 'pl'
queue = 'pl'
because = 'b'
";

#[test]
fn what_waits_in_the_queue_for_its_owner_goes_to_them_when_they_are_back() {
    let workspace = with_routing(WAITING);
    // A row of the same lead that says something new.
    let again = |number: usize, night: usize| {
        lead(number, "PL").replacen(
            &format!("{number},2026-11-17"),
            &format!("9{night}{number},2026-11-18"),
            1,
        )
    };
    night(&workspace, 1, &[(1, "PL"), (2, "PL")]);
    assert_eq!(dealt(&workspace), "1 anna pl; 2 jan pl");
    let away = take_in(&workspace, 2, &[&again(1, 2), &again(2, 2)]);
    assert_eq!(dealt(&workspace), "1 - pl; 2 jan pl");
    let story = workspace.ok(&["explain", &mail(1)]).stdout;
    let line = "anna         pl        away until 2026-11-22; the lead waits for them";
    assert!(story.contains(line), "{story}");
    assert_fits_a_terminal(&story);
    // Nobody else gets it, though he is there, and though it comes back once more.
    night(&workspace, 3, &[(3, "PL")]);
    take_in(&workspace, 4, &[&again(1, 4)]);
    assert_eq!(dealt(&workspace), "1 - pl; 2 jan pl; 3 jan pl");
    assert_rebuild_changes_nothing(&workspace);
    let back = night(&workspace, 6, &[]);
    assert_eq!(dealt(&workspace), "1 anna pl; 2 jan pl; 3 jan pl");
    let loads = "SELECT owner, sum(leads) FROM load GROUP BY owner ORDER BY 1";
    assert_eq!(workspace.sql(loads).concat(), ["anna", "1", "jan", "2"], "it is no new lead");
    assert_rebuild_changes_nothing(&workspace);
    undo(&workspace, &back);
    assert_eq!(dealt(&workspace), "1 - pl; 2 jan pl; 3 jan pl");
    undo(&workspace, &away);
    assert_rebuild_changes_nothing(&workspace);

    // Of somebody who will not be back it goes to whoever is there, with the next run.
    let workspace = with_routing(WAITING);
    night(&workspace, 1, &[(1, "PL")]);
    let left = WAITING.replace("cap = { leads = 1, per = '7d' }", "active = false");
    workspace.file("rules/routing.toml", left);
    take_in(&workspace, 2, &[&again(1, 2)]);
    assert_eq!(dealt(&workspace), "1 - pl");
    night(&workspace, 3, &[]);
    assert_eq!(dealt(&workspace), "1 jan pl");
    assert_rebuild_changes_nothing(&workspace);
}
