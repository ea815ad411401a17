//! Nights on which nothing comes in but time: what fades fades, and nothing else moves.

use super::undo::{assert_rebuild_changes_nothing, undo};
use super::workspace::{Workspace, assert_same_text};

const LEAD: &str = "a1,2026-11-16T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,+48600000101,,PL,,";
const JAN: &str = "j1,2026-11-16T10:00:00Z,Jan Testowski,jan@example.com,,,PL,,";
const EVENTS: &str = "timestamp,event,url,email\n";
const VIEW: &str = "2026-11-16T12:00:00Z,page_view,/pricing,anna@przyklad.pl\n";

/// Points that fade, a window that ends after ten days, and silence that counts after ninety.
const SCORING: &str = r#"
    [segment.cold]
    action = "wait"
    [segment.warm]
    from = 40
    action = "write"
    [segment.hot]
    from = 70
    action = "call"
    [[score]]
    id = "wrote"
    group = "intent"
    points = 40
    decay = { to-zero-after = "40d" }
    because = "Wrote to us"
    when = { field = "n-submissions", at-least = 1 }
    [[score]]
    id = "prices"
    group = "behavior"
    points = 10
    because = "Looked at prices"
    when = { touch = "page-view", within = "10d" }
    [[score]]
    id = "known"
    group = "quality"
    points = 9
    because = "Known by name"
    when = { field = "n-submissions", at-least = 1 }
    [[score]]
    id = "silent"
    group = "behavior"
    points = -5
    because = "Silent for 90 days"
    when = { field = "days-since-last-touch", at-least = 90 }
"#;

/// Makes a workspace with these scoring rules.
fn workspace() -> Workspace {
    let workspace = Workspace::new();
    let source = super::workspace::package().join("rules");
    for name in ["routing.toml", "followup.toml", "identity.toml", "consent.toml"] {
        workspace.file(&format!("rules/{name}"), std::fs::read(source.join(name)).unwrap());
    }
    workspace.file("rules/scoring.toml", SCORING).clear_or_make_inbox();
    workspace
}

/// Runs at 20 o'clock of that day, with whatever is in the inbox; returns `[looked at, changed]`.
fn night(workspace: &Workspace, day: &str) -> [u64; 2] {
    let outcome = workspace.ok(&["run", "--json", "--as-of", &format!("{day}T20:00:00Z")]);
    let looked = &outcome.json()["looked_again"];
    ["leads", "changed"].map(|key| looked[key].as_u64().unwrap())
}

/// Takes Anna, Jan and the page that she looked at in, and empties the inbox.
fn begun() -> Workspace {
    let workspace = workspace();
    workspace.table("people.csv", &[LEAD, JAN]);
    workspace.input("views.csv", format!("{EVENTS}{VIEW}"));
    assert_eq!(night(&workspace, "2026-11-16"), [0, 0]);
    workspace.clear_inbox();
    workspace
}

fn standing(workspace: &Workspace) -> String {
    workspace.standing("anna@przyklad.pl")
}

fn open_tasks(workspace: &Workspace) -> Vec<Vec<String>> {
    workspace.sql(
        "SELECT l.email, t.plan, t.step, t.due_at, t.subject FROM tasks AS t JOIN leads AS l USING (lead_no)
         WHERE t.state = 'open' AND t.channel IN ('call', 'task') ORDER BY 1, 2, 3",
    )
}

fn tasks_ever(workspace: &Workspace) -> i64 {
    workspace.number("SELECT count(*) FROM task")
}

#[test]
fn points_fade_windows_end_and_silence_counts_though_nothing_comes_in() {
    let workspace = begun();
    let owners = "SELECT email, owner, queue, routing_reason FROM leads ORDER BY email";
    let (had, promised) = (workspace.sql(owners), open_tasks(&workspace));
    let ever = tasks_ever(&workspace);
    assert_eq!(standing(&workspace), "warm 59"); // 40 + 10 + 9, half a day old
    assert!(!promised.is_empty(), "somebody is to call");

    assert_eq!(night(&workspace, "2026-11-25"), [2, 2]);
    assert_eq!(standing(&workspace), "warm 50"); // 40 - 9.46, in whole points
    assert!(workspace.latest("crm/leads.csv").contains("anna@przyklad.pl"), "it shows the score");
    let contacts = workspace.latest("crm/hubspot-contacts.csv");
    assert!(!contacts.contains("anna@przyklad.pl"), "nothing of it is new to HubSpot: {contacts}");
    assert_eq!(night(&workspace, "2026-11-26"), [2, 2]);
    assert_eq!(standing(&workspace), "cold 39"); // the page view is ten days old
    assert_eq!(night(&workspace, "2027-01-01"), [2, 2]);
    assert_eq!(standing(&workspace), "cold 9");
    assert_eq!(night(&workspace, "2027-02-13"), [0, 0]); // 89 days
    assert_eq!(night(&workspace, "2027-02-14"), [2, 2]);
    assert_eq!(standing(&workspace), "cold 4");
    assert_eq!(night(&workspace, "2030-01-01"), [0, 0], "nothing is left to change");

    assert_eq!(workspace.sql(owners), had, "owners keep what cools down");
    assert_eq!(open_tasks(&workspace), promised, "what was promised stays promised");
    assert_eq!(tasks_ever(&workspace), ever, "and nothing is set off");
    let told = workspace.ok(&["explain", "anna@przyklad.pl"]).stdout;
    assert!(told.contains("Silent for 90 days"), "{told}");
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn the_same_night_again_adds_nothing_and_an_earlier_one_neither() {
    let workspace = begun();
    night(&workspace, "2026-11-26");
    let count = "SELECT (SELECT count(*) FROM decision) + (SELECT count(*) FROM look)";
    let (stands, decisions) = (standing(&workspace), workspace.number(count));
    for day in ["2026-11-26", "2026-11-20", "2026-11-16"] {
        assert_eq!(night(&workspace, day), [0, 0], "{day}");
    }
    assert_eq!((standing(&workspace), workspace.number(count)), (stands, decisions));
    assert!(!workspace.latest("crm/hubspot-contacts.csv").contains("anna@"), "nothing to send");
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn one_night_comes_to_the_same_as_many() {
    let (many, one) = (begun(), begun());
    for day in ["2026-11-18", "2026-11-19", "2026-11-25", "2026-11-26", "2026-12-24"] {
        night(&many, day);
    }
    night(&one, "2026-12-24");
    let query = "SELECT id, score, segment, fit, intent, behavior, quality, owner, queue FROM leads ORDER BY id";
    assert_eq!(many.sql(query), one.sql(query));
    let instants = "SELECT id, look_ms FROM lead ORDER BY id";
    assert_eq!(many.sql(instants), one.sql(instants), "both are looked at next at the same time");
    // And to the score that a rescore comes to, which may move tasks and queues, too.
    let scores = "SELECT id, score, segment, fit, intent, behavior, quality FROM leads ORDER BY id";
    let looked = many.sql(scores);
    many.ok(&["rescore", "--as-of", "2026-12-24T20:00:00Z"]);
    assert_eq!(many.sql(scores), looked);
}

#[test]
fn a_night_can_be_undone_wherever_it_lies() {
    for undone in [1, 3] {
        let (workspace, without) = (begun(), begun());
        for (number, day) in
            ["2026-11-20", "2026-11-25", "2026-11-26", "2026-12-10"].into_iter().enumerate()
        {
            night(&workspace, day);
            if number != undone {
                night(&without, day);
            }
        }
        let run = workspace.sql("SELECT id FROM run ORDER BY run_no")[undone + 1][0].clone();
        undo(&workspace, &run);
        let query = "SELECT l.id, l.score, l.segment, l.owner, l.look_ms, r.as_of_ms, d.score, d.contributions
                     FROM lead AS l JOIN decision AS d USING (lead_no) JOIN run AS r USING (run_no)
                     ORDER BY 1, r.as_of_ms";
        let text = |of: &Workspace| -> String {
            of.sql(query).into_iter().map(|row| row.join(" | ") + "\n").collect()
        };
        assert_same_text("without the night", &text(&without), &text(&workspace));
        assert_rebuild_changes_nothing(&workspace);
    }
}

#[test]
fn a_look_that_finds_nothing_leaves_only_its_instant_and_can_be_undone() {
    let workspace = workspace();
    let scoring = SCORING.replace(
        "when = { touch = \"page-view\", within = \"10d\" }",
        "when = { any = [{ touch = \"page-view\", within = \"5d\" }, { touch = \"page-view\", within = \"10d\" }] }",
    );
    let lasting = scoring.replace("decay = { to-zero-after = \"40d\" }\n", "");
    workspace.file("rules/scoring.toml", &lasting);
    workspace.table("people.csv", &[LEAD, JAN]);
    workspace.input("views.csv", format!("{EVENTS}{VIEW}"));
    night(&workspace, "2026-11-16");
    workspace.clear_inbox();
    let all = |workspace: &Workspace| {
        let queries = [
            "SELECT lead_no, run_no, score FROM decision ORDER BY 1, 2",
            "SELECT lead_no, look_ms FROM lead ORDER BY 1",
            "SELECT run_no, lead_no FROM look ORDER BY 1, 2",
        ];
        queries.map(|query| workspace.sql(query))
    };
    let latest = |workspace: &Workspace| {
        workspace.sql("SELECT id FROM run ORDER BY run_no DESC")[0][0].clone()
    };
    let begun = all(&workspace);
    assert_eq!(night(&workspace, "2026-11-22"), [1, 0], "one window ended, the other has not");
    let [decisions, instants, looks] = all(&workspace);
    assert_eq!((&decisions, looks.len()), (&begun[0], 1));
    assert_ne!(instants, begun[1]);
    assert_eq!(workspace.latest("crm/leads.csv").lines().count(), 1, "files have the header only");
    assert_rebuild_changes_nothing(&workspace);
    undo(&workspace, &latest(&workspace));
    assert_eq!(all(&workspace), begun);
    assert_rebuild_changes_nothing(&workspace);

    // A rescore by rules that only change the instant.
    workspace.file(
        "rules/scoring.toml",
        lasting.replace("\"10d\"", "\"12d\"").replace("\"5d\"", "\"6d\""),
    );
    let rescored = workspace.ok(&["rescore", "--json", "--as-of", "2026-11-16T20:00:00Z"]).json();
    assert_eq!(rescored["rescore"]["changed"], 0);
    assert_ne!(all(&workspace)[1], begun[1]);
    assert_rebuild_changes_nothing(&workspace);
    undo(&workspace, &latest(&workspace));
    assert_eq!(all(&workspace), begun);
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn other_rules_alone_are_no_reason_to_look() {
    let workspace = begun();
    workspace.file("rules/scoring.toml", SCORING.replace("points = 9", "points = 30"));
    assert_eq!(night(&workspace, "2026-11-16"), [0, 0]);
    assert_eq!(standing(&workspace), "warm 59");
}

#[test]
fn a_plan_that_asks_for_silence_begins_with_it_and_ends_with_it() {
    let workspace = workspace();
    let followup = std::fs::read_to_string(workspace.path("rules/followup.toml")).unwrap();
    let silent = "\n[[plan]]\nid = \"silent\"\nbecause = \"Nobody was in touch for a month\"\n\
         when = { field = \"days-since-last-touch\", between = [30, 59] }\n\
         [[plan.step]]\nid = \"wake\"\nchannel = \"task\"\nafter = \"30d\"\n\
         subject = \"Ask {name} again\"\nbecause = \"A month of silence\"\n\n";
    let first = followup.find("[[plan]]").unwrap();
    let followup = format!("{}{silent}{}", &followup[..first], &followup[first..]);
    workspace.file("rules/followup.toml", followup);
    workspace.table("people.csv", &[JAN]);
    night(&workspace, "2026-11-16");
    workspace.clear_inbox();
    let steps = |workspace: &Workspace| -> Vec<String> {
        open_tasks(workspace).into_iter().map(|row| format!("{} {}", row[1], row[2])).collect()
    };
    let before = steps(&workspace);
    assert!(!before.contains(&"silent wake".to_owned()));
    night(&workspace, "2026-12-10");
    assert_eq!(steps(&workspace), before);
    night(&workspace, "2026-12-17");
    assert_eq!(steps(&workspace), ["silent wake"]);
    night(&workspace, "2027-01-16");
    assert_eq!(steps(&workspace), [""; 0], "the plan has ended, and no other begins");
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn leads_of_an_older_leadmill_are_looked_at_once_and_its_runs_stay_as_they_were() {
    let workspace = begun();
    // What is left of a store that was brought up to date: its runs did not look, its leads have no instant.
    workspace.edit("UPDATE run SET looks_by_time = 0; UPDATE lead SET look_ms = 0;");
    assert_rebuild_changes_nothing(&workspace);
    assert_eq!(night(&workspace, "2026-11-16"), [2, 0]);
    assert_eq!(night(&workspace, "2026-11-16"), [0, 0]);
    assert_eq!(night(&workspace, "2026-11-26"), [2, 2]);
    assert_rebuild_changes_nothing(&workspace);
    let run = workspace.sql("SELECT id FROM run ORDER BY run_no DESC")[0][0].clone();
    undo(&workspace, &run);
    assert_eq!(standing(&workspace), "warm 59");
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn a_lead_in_triage_that_cools_down_is_nobodys_alarm() {
    let workspace = workspace();
    let nobody = "x1,2026-11-16T09:00:00Z,Jan Testowski,jan@mailinator.com,,,PL,,";
    workspace.table("people.csv", &[nobody]);
    let alarmed = workspace.run(&["run", "--as-of", "2026-11-16T20:00:00Z"]).expect_code(3);
    assert!(alarmed.stderr.contains("triage"), "{}", alarmed.stderr);
    workspace.clear_inbox();
    assert_eq!(night(&workspace, "2026-11-25"), [1, 1]);
    assert_eq!(workspace.sql("SELECT queue FROM leads")[0], ["triage"]);
}
