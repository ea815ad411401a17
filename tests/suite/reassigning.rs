//! A lead that its owner leaves lying goes to somebody else, once its time is up and to nobody who has had it.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::dealing::{FADING, dealt, lead, mail, with_routing};
use super::small_world::runner;
use super::undo::{assert_rebuild_changes_nothing, undo};
use super::workspace::{Workspace, assert_fits_a_terminal, assert_same_text};

/// Anna and Jan work from nine to five in Warsaw, Ola in the afternoon; whoever leaves a lead lying for four
/// hours of work loses it.
const TEAM: &str = "triage = 'triage'
[[owner]]
id = 'anna'
[[owner]]
id = 'jan'
[[owner]]
id = 'ola'
hours = 'Mo-Fr 13:00-17:00; PH off'
[[queue]]
id = 'pl'
pool = [{ owner = 'anna' }, { owner = 'jan' }, { owner = 'ola' }]
because = 'b'
[[queue]]
id = 'triage'
because = 'b'
[[route]]
id = 'pl'
queue = 'pl'
because = 'b'
[[reassign]]
id = 'late'
untouched-for = '4h'
because = 'b'
";

/// Lets a run take the rows and events in; returns its id and the leads that time made it look at.
fn run(workspace: &Workspace, at: &str, leads: &[(usize, &str)], events: &[&str]) -> (String, u64) {
    workspace.clear_or_make_inbox();
    if !leads.is_empty() {
        let rows: Vec<String> = leads.iter().map(|(no, country)| lead(*no, country)).collect();
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        workspace.table(&format!("at-{}.csv", at.replace(':', "")), &rows);
    }
    if !events.is_empty() {
        let text = format!("timestamp,event,url,email\n{}\n", events.join("\n"));
        workspace.input(&format!("events-{}.csv", at.replace(':', "")), text);
    }
    let outcome = workspace.run(&["run", "--json", "--as-of", at]);
    assert!([0, 3].contains(&outcome.code), "{}", outcome.stderr);
    let told = outcome.json();
    (told["run"].as_str().unwrap().to_owned(), told["looked_again"]["leads"].as_u64().unwrap())
}

fn time(workspace: &Workspace, at: &str) -> u64 {
    run(workspace, at, &[], &[]).1
}

fn reason(workspace: &Workspace, number: usize) -> String {
    let query = format!("SELECT routing_reason FROM leads WHERE email = '{}'", mail(number));
    workspace.sql(&query)[0][0].clone()
}

fn event(number: usize, at: &str, name: &str) -> String {
    format!("{at},{name},,{}", mail(number))
}

#[test]
fn a_lead_left_lying_goes_on_until_everybody_has_had_it() {
    let workspace = with_routing(TEAM);
    // Tuesday 22:00 in Warsaw, for a form sent in the morning: Anna has until Wednesday 13:00.
    run(&workspace, "2026-11-17T21:00:00Z", &[(1, "PL")], &[]);
    assert_eq!(dealt(&workspace), "1 anna pl");
    assert_eq!(time(&workspace, "2026-11-18T11:59:59Z"), 0, "nobody is looked at too early");
    assert_eq!(time(&workspace, "2026-11-18T12:00:00Z"), 1);
    assert_eq!(dealt(&workspace), "1 jan pl");
    assert_eq!(
        reason(&workspace, 1),
        "rule=reassigned; by=late; queue=pl; owner=jan; turn=2/3; \
         because=anna had it for 4 working hours without contact"
    );
    assert!(workspace.latest("crm/leads.csv").contains(&mail(1)), "files show the new owner");
    // Jan's four hours begin with the run, at 13:00; a night that is left out changes nothing.
    assert_eq!(time(&workspace, "2026-11-18T15:59:00Z"), 0);
    assert_eq!(time(&workspace, "2026-11-19T12:00:00Z"), 1);
    assert_eq!(dealt(&workspace), "1 ola pl");
    assert_rebuild_changes_nothing(&workspace);
    // Ola has the afternoons of Thursday and Friday. Everybody has had it then: it stays, and is let be.
    assert_eq!(time(&workspace, "2026-11-20T16:00:00Z"), 1);
    assert_eq!(dealt(&workspace), "1 ola pl");
    assert!(reason(&workspace, 1).contains("owner=ola"), "{}", reason(&workspace, 1));
    assert_eq!(time(&workspace, "2026-11-30T16:00:00Z"), 0);
    assert_eq!(workspace.number("SELECT count(*) FROM turn"), 3);
    let loads = workspace.sql("SELECT owner, sum(leads) FROM load GROUP BY owner ORDER BY 1");
    assert_eq!(loads.concat(), ["anna", "1", "jan", "1", "ola", "1"]);
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn explain_tells_who_has_had_it_and_that_fits_a_terminal() {
    let workspace = with_routing(TEAM);
    run(&workspace, "2026-11-17T21:00:00Z", &[(1, "PL")], &[]);
    time(&workspace, "2026-11-18T12:00:00Z");
    let story = workspace.ok(&["explain", &mail(1)]).stdout;
    for line in [
        "anna had it for 4 working hours without contact",
        "jan is to be in contact by 2026-11-18 17:00 (rule late)",
        "anna         pl        has had the lead before",
        "jan              1     1  gets it, by weighted",
    ] {
        assert!(story.contains(line), "{line} is missing in\n{story}");
    }
    assert!(!story.contains("route not taken"), "no route was asked:\n{story}");
    assert_fits_a_terminal(&story);
}

#[test]
fn a_weekend_and_a_holiday_are_nobodys_delay() {
    let workspace = with_routing(TEAM);
    // Tuesday 10 November, 17:00; the eleventh is Independence Day.
    let early = lead(1, "PL").replace("2026-11-17", "2026-11-10");
    workspace.clear_or_make_inbox();
    workspace.table("a.csv", &[&early]);
    workspace.ok(&["run", "--as-of", "2026-11-10T16:00:00Z"]);
    assert_eq!(time(&workspace, "2026-11-12T11:59:59Z"), 0);
    assert_eq!(time(&workspace, "2026-11-12T12:00:00Z"), 1);
    assert_eq!(dealt(&workspace), "1 jan pl");
    // Jan has it from Friday 16:00: an hour then, three on Monday.
    let workspace = with_routing(TEAM);
    run(&workspace, "2026-11-20T15:00:00Z", &[(1, "PL")], &[]);
    assert_eq!(time(&workspace, "2026-11-23T10:59:59Z"), 0);
    assert_eq!(time(&workspace, "2026-11-23T11:00:00Z"), 1);
}

#[test]
fn a_contact_in_time_keeps_a_lead_where_it_is() {
    let workspace = with_routing(TEAM);
    run(&workspace, "2026-11-17T21:00:00Z", &[(1, "PL"), (2, "PL"), (3, "PL")], &[]);
    let contact = event(1, "2026-11-18T09:00:00Z", "contacted");
    let call = event(2, "2026-11-18T09:00:00Z", "no answer");
    let (came, _) = run(&workspace, "2026-11-18T10:00:00Z", &[], &[&contact, &call]);
    assert_eq!(time(&workspace, "2026-11-18T12:00:00Z"), 1, "who was reached is not looked at");
    assert_eq!(dealt(&workspace), "1 anna pl; 2 anna pl; 3 ola pl");
    assert_rebuild_changes_nothing(&workspace);
    // Without that contact, the run that found the other would have found this one, too.
    undo(&workspace, &came);
    assert_eq!(dealt(&workspace), "1 ola pl; 2 anna pl; 3 ola pl");
    assert_rebuild_changes_nothing(&workspace);
    // Where an attempt does, a call that nobody answered keeps the lead.
    let workspace = with_routing(&TEAM.replace("'4h'", "'4h'\nstopped-by = 'attempt'"));
    run(&workspace, "2026-11-17T21:00:00Z", &[(1, "PL"), (2, "PL")], &[]);
    run(&workspace, "2026-11-18T10:00:00Z", &[], &[&call]);
    time(&workspace, "2026-11-18T12:00:00Z");
    assert_eq!(dealt(&workspace), "1 ola pl; 2 jan pl");
    assert_rebuild_changes_nothing(&workspace);
}

fn open_tasks(workspace: &Workspace) -> Vec<Vec<String>> {
    workspace.sql(
        "SELECT plan, step, due_at, owner FROM tasks WHERE state = 'open' AND channel IN ('call', 'task')
         ORDER BY plan, step",
    )
}

/// A plan whose call is due after an hour of the owner's work.
const CALL: &str = "max-age = '3d'
[[plan]]
id = 'all'
because = 'b'
[[plan.step]]
id = 'call'
channel = 'task'
after = '1h'
window = 'owner-minutes'
unless-contacted = true
subject = 'Call {name}'
because = 'b'
[[plan.step]]
id = 'again'
channel = 'task'
after = '24h'
window = 'any'
subject = 'Call {name} again'
because = 'b'
";

#[test]
fn tasks_go_with_the_lead_and_keep_the_hours_of_whoever_has_it() {
    let workspace = with_routing(&TEAM.replace("{ owner = 'jan' }, ", ""));
    workspace.file("rules/followup.toml", CALL);
    run(&workspace, "2026-11-17T21:00:00Z", &[(1, "PL")], &[]);
    let tasks = |owner: &'static str, call: &'static str| {
        [["all", "again", "2026-11-18T08:00:01Z", owner], ["all", "call", call, owner]]
    };
    assert_eq!(open_tasks(&workspace), tasks("anna", "2026-11-17T09:00:01Z"));
    time(&workspace, "2026-11-18T12:00:00Z");
    // Ola begins at 13:00.
    assert_eq!(open_tasks(&workspace), tasks("ola", "2026-11-17T13:00:00Z"));
    assert_eq!(workspace.number("SELECT count(*) FROM task"), 2, "they are the same tasks");
    assert!(workspace.latest("tasks.csv").contains(",ola,"));
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn what_cooled_down_meanwhile_keeps_what_was_promised() {
    let workspace = with_routing(&TEAM.replace("{ owner = 'jan' }, ", ""));
    workspace.file("rules/scoring.toml", FADING);
    workspace.file(
        "rules/followup.toml",
        format!(
            "{}[[plan]]\nid = 'rest'\nbecause = 'b'\n[[plan.step]]\nid = 'wait'\nchannel = 'task'\n\
             after = '9d'\nsubject = 'Wait'\nbecause = 'b'\n",
            CALL.replace("id = 'all'", "id = 'all'\nsegments = ['warm']")
        ),
    );
    run(&workspace, "2026-11-17T08:30:00Z", &[(1, "PL")], &[]);
    let promised = open_tasks(&workspace);
    time(&workspace, "2026-11-18T12:00:00Z");
    assert_eq!(workspace.standing(&mail(1)), "cold 39");
    let kept = open_tasks(&workspace);
    let parts = |tasks: &[Vec<String>]| -> Vec<Vec<String>> {
        tasks.iter().map(|task| task[..3].to_vec()).collect()
    };
    assert_eq!((parts(&kept), kept[0][3].as_str()), (parts(&promised), "ola"));
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn what_nobody_can_take_over_stays_or_is_escalated() {
    let alone = TEAM.replace("{ owner = 'anna' }, { owner = 'jan' }, { owner = 'ola' }", "{ owner = 'anna' }")
        .replace("id = 'triage'\nbecause", "id = 'lead'\npool = [{ owner = 'jan' }, { owner = 'ola' }]\nbecause = 'b'\n[[queue]]\nid = 'triage'\nbecause")
        + "escalate";
    for (rule, expected, told) in [
        (
            "-to = 'jan'",
            "1 jan pl",
            "rule=escalated; by=late; queue=pl; owner=jan; because=anna had it",
        ),
        (
            "-to-queue = 'lead'",
            "1 jan lead",
            "rule=escalated; by=late; queue=lead; owner=jan; turn=1/2; because=anna",
        ),
        // She herself cannot take it over.
        ("-to = 'anna'", "1 anna pl", "rule=pl; "),
    ] {
        let workspace = with_routing(&format!("{alone}{rule}\n"));
        run(&workspace, "2026-11-17T21:00:00Z", &[(1, "PL")], &[]);
        time(&workspace, "2026-11-18T12:00:00Z");
        assert_eq!(dealt(&workspace), expected, "{rule}");
        assert!(reason(&workspace, 1).starts_with(told), "{}", reason(&workspace, 1));
        assert_rebuild_changes_nothing(&workspace);
        // Nor does a rescore give it back to whom the route would rather have.
        let at = ["rescore", "--reroute", "--json", "--as-of", "2026-11-18T12:30:00Z"];
        if !rule.contains("queue") {
            assert_eq!(workspace.run(&at).json()["rescore"]["changed"], 0, "{rule}");
        }
        // It comes to rest.
        time(&workspace, "2026-11-27T12:00:00Z");
        time(&workspace, "2026-12-04T12:00:00Z");
        assert_eq!(time(&workspace, "2026-12-11T12:00:00Z"), 0, "{rule}");
        assert_rebuild_changes_nothing(&workspace);
    }
}

#[test]
fn a_lead_that_nobody_can_take_over_now_goes_on_when_somebody_is_back() {
    let away = TEAM
        .replace(
            "id = 'jan'\n[[",
            "id = 'jan'\nabsent = [{ from = '2026-11-16', to = '2026-11-19' }]\n[[",
        )
        .replace(", { owner = 'ola' }", "");
    let workspace = with_routing(&away);
    run(&workspace, "2026-11-17T21:00:00Z", &[(1, "PL")], &[]);
    assert_eq!(time(&workspace, "2026-11-18T12:00:00Z"), 1);
    assert_eq!(time(&workspace, "2026-11-19T12:00:00Z"), 0, "he is away until the evening");
    assert_eq!(dealt(&workspace), "1 anna pl");
    assert_eq!(time(&workspace, "2026-11-19T23:00:00Z"), 1);
    assert_eq!(dealt(&workspace), "1 jan pl");
    assert_rebuild_changes_nothing(&workspace);
    // So does what is escalated to somebody who is away.
    let alone = away.replace("{ owner = 'anna' }, { owner = 'jan' }", "{ owner = 'anna' }");
    let workspace = with_routing(&format!("{alone}escalate-to = 'jan'\n"));
    run(&workspace, "2026-11-17T21:00:00Z", &[(1, "PL")], &[]);
    assert_eq!(time(&workspace, "2026-11-18T12:00:00Z"), 1);
    assert_eq!(dealt(&workspace), "1 anna pl");
    assert_rebuild_changes_nothing(&workspace);
    assert_eq!(time(&workspace, "2026-11-19T23:00:00Z"), 1);
    assert_eq!(dealt(&workspace), "1 jan pl");
    assert_rebuild_changes_nothing(&workspace);
    // Who is full has room on another day.
    let full = TEAM
        .replace("id = 'jan'\n[[", "id = 'jan'\ncap = { leads = 1, per = 'week' }\n[[")
        .replace(", { owner = 'ola' }", "");
    let workspace = with_routing(&full);
    run(&workspace, "2026-11-17T21:00:00Z", &[(1, "PL"), (2, "PL")], &[]);
    time(&workspace, "2026-11-18T12:00:00Z");
    assert_eq!(dealt(&workspace), "1 anna pl; 2 anna pl", "hers he cannot take, his she can");
    assert_eq!(time(&workspace, "2026-11-19T12:00:00Z"), 2);
    assert_eq!(time(&workspace, "2026-11-22T23:00:00Z"), 1);
    assert_eq!(dealt(&workspace), "1 jan pl; 2 anna pl");
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn whatever_decides_about_a_lead_sees_that_the_time_is_up() {
    // A row that comes back, a rescore, and a simulation of it.
    let workspace = with_routing(TEAM);
    run(&workspace, "2026-11-17T21:00:00Z", &[(1, "PL"), (2, "PL")], &[]);
    let back = lead(1, "PL").replace("1,2026-11-17T08", "9,2026-11-18T08");
    workspace.clear_or_make_inbox();
    workspace.table("back.csv", &[&back]);
    let told =
        workspace.ok(&["simulate", "--format", "json", "--as-of", "2026-11-18T12:00:00Z"]).json();
    assert_eq!(told["changed"], 2, "{told}");
    let outcome = workspace.run(&["run", "--json", "--as-of", "2026-11-18T12:00:00Z"]);
    assert_eq!(outcome.json()["looked_again"]["leads"], 1, "{}", outcome.stderr);
    assert_eq!(dealt(&workspace), "1 ola pl; 2 ola pl");
    assert_rebuild_changes_nothing(&workspace);
    let rescored = workspace.run(&["rescore", "--json", "--as-of", "2026-11-19T16:00:00Z"]).json();
    assert_eq!(dealt(&workspace), "1 jan pl; 2 anna pl");
    assert_rebuild_changes_nothing(&workspace);
    undo(&workspace, rescored["run"].as_str().unwrap());
    assert_eq!(dealt(&workspace), "1 ola pl; 2 ola pl");
    assert_rebuild_changes_nothing(&workspace);
    // With or without routes that would have it elsewhere, whoever took it over keeps it.
    let again = ["rescore", "--reroute", "--json", "--as-of", "2026-11-18T12:30:00Z"];
    assert_eq!(workspace.run(&again).json()["rescore"]["changed"], 0);
}

#[test]
fn an_enquiry_of_long_ago_is_left_alone_and_a_new_one_begins_anew() {
    let workspace = with_routing(TEAM);
    let long_ago = lead(1, "PL").replace("2026-11-17", "2026-09-01");
    workspace.clear_or_make_inbox();
    workspace.table("a.csv", &[&long_ago]);
    workspace.ok(&["run", "--as-of", "2026-11-17T21:00:00Z"]);
    assert_eq!(time(&workspace, "2026-11-27T12:00:00Z"), 0);
    workspace.ok(&["rescore", "--as-of", "2026-11-27T12:00:00Z"]);
    assert_eq!(dealt(&workspace), "1 anna pl");
    // It comes back: Anna, who keeps it, has four hours from when we heard of it.
    let back = lead(1, "PL").replace("1,2026-11-17T08", "9,2026-11-27T08");
    workspace.clear_or_make_inbox();
    workspace.table("b.csv", &[&back]);
    workspace.run(&["run", "--as-of", "2026-11-27T21:00:00Z"]);
    assert_eq!(dealt(&workspace), "1 anna pl");
    assert_eq!(time(&workspace, "2026-11-30T11:59:00Z"), 0);
    assert_eq!(time(&workspace, "2026-11-30T12:00:00Z"), 1);
    assert_eq!(dealt(&workspace), "1 jan pl");
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn rules_for_some_leads_are_asked_in_their_order() {
    let rules = TEAM.replace(
        "[[reassign]]",
        "[[reassign]]\nid = 'abroad'\nuntouched-for = '30m'\nwindow = 'any'\nqueues = 'pl'\n\
         when = { field = 'country', is = 'DE' }\nbecause = 'b'\n[[reassign]]",
    );
    let workspace = with_routing(&rules);
    run(&workspace, "2026-11-17T21:00:00Z", &[(1, "PL"), (2, "DE")], &[]);
    assert_eq!(time(&workspace, "2026-11-17T21:30:00Z"), 1);
    assert_eq!(dealt(&workspace), "1 anna pl; 2 ola pl");
    assert!(reason(&workspace, 2).ends_with("because=jan had it for 30 minutes without contact"));
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn an_alert_counts_each_lead_once() {
    let workspace = with_routing(&TEAM.replace(", { owner = 'jan' }, { owner = 'ola' }", ""));
    workspace.file(
        "rules/alerts.toml",
        "[[alert]]\nid = 'sla'\nkind = 'sla-breached'\nbecause = 'call'\n",
    );
    workspace.file("rules/scoring.toml", FADING);
    run(&workspace, "2026-11-17T21:00:00Z", &[(1, "PL"), (2, "PL")], &[]);
    let alerts = |at: &str| {
        workspace.clear_or_make_inbox();
        workspace.run(&["run", "--json", "--as-of", at]).json()["alerts"].to_string()
    };
    let fired = alerts("2026-11-18T12:00:00Z");
    assert!(fired.contains("leads whose owner was not in contact in time: 2"), "{fired}");
    // They are looked at again, for their points fade.
    assert_eq!(alerts("2026-11-20T12:00:00Z"), "[]");
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn a_batch_is_reassigned_like_one_lead_after_the_other() {
    let leads: Vec<(usize, &str)> = (1..=9).map(|number| (number, "PL")).collect();
    let batch = with_routing(TEAM);
    run(&batch, "2026-11-17T21:00:00Z", &leads, &[]);
    let parts = with_routing(TEAM);
    for part in leads.chunks(2) {
        let rows: Vec<String> = part.iter().map(|(no, country)| lead(*no, country)).collect();
        parts.clear_or_make_inbox();
        parts.table(
            &format!("part-{}.csv", part[0].0),
            &rows.iter().map(String::as_str).collect::<Vec<_>>(),
        );
        parts.ok(&["run", "--as-of", "2026-11-17T21:00:00Z"]);
    }
    for workspace in [&batch, &parts] {
        for at in ["2026-11-18T12:00:00Z", "2026-11-19T12:00:00Z", "2026-11-23T12:00:00Z"] {
            time(workspace, at);
        }
        assert_rebuild_changes_nothing(workspace);
    }
    let told = |workspace: &Workspace| {
        let query = "SELECT id, routing_reason FROM leads ORDER BY id";
        workspace.sql(query).iter().map(|row| row.join(" ") + "\n").collect::<String>()
    };
    assert_same_text("owners", &told(&batch), &told(&parts));
}

#[test]
fn whatever_is_run_and_undone_leads_stay_where_they_were_dealt() {
    let touches = prop::collection::vec((1..=6_usize, any::<bool>()), 0..3);
    let leads = prop::collection::vec(1..=6_usize, 0..4);
    let step = (leads, touches, prop::option::weighted(0.3, any::<prop::sample::Index>()));
    let worlds = (any::<bool>(), prop::collection::vec(step, 3..6));
    let outcome = runner(5).run(&worlds, |(is_capped, steps)| {
        let rules = if is_capped {
            TEAM.replace("id = 'jan'\n[[", "id = 'jan'\ncap = { leads = 1, per = 'day' }\n[[")
        } else {
            TEAM.replace("'4h'", "'4h'\nremember = 1\nescalate-to = 'ola'")
        };
        let workspace = with_routing(&rules);
        let mut standing: Vec<String> = Vec::new();
        for (number, (leads, touches, undone)) in steps.into_iter().enumerate() {
            let at = format!("2026-11-{}T12:30:00Z", 17 + number);
            let leads: BTreeSet<usize> = leads.into_iter().collect();
            let leads: Vec<(usize, &str)> = leads.into_iter().map(|lead| (lead, "PL")).collect();
            let done = format!("2026-11-{}T10:00:00Z", 17 + number);
            let word = |is_reached| if is_reached { "contacted" } else { "no answer" };
            let events: Vec<String> =
                touches.iter().map(|(lead, reached)| event(*lead, &done, word(*reached))).collect();
            let events: Vec<&str> = events.iter().map(String::as_str).collect();
            standing.push(run(&workspace, &at, &leads, &events).0);
            if let Some(which) = undone {
                let run = standing.remove(which.index(standing.len()));
                undo(&workspace, &run);
            }
            assert_rebuild_changes_nothing(&workspace);
        }
        Ok(())
    });
    outcome.unwrap();
}
