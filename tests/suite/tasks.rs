//! Tasks between two imports: handed out once, done, put off, written, and taken back like any run.

use std::collections::BTreeMap;

use super::undo::{assert_rebuild_changes_nothing, undo};
use super::workspace::{Outcome, Workspace, assert_fits_a_terminal};

/// A hot lead that wrote on Tuesday 2026-11-17 at 09:00 in Warsaw, and a cold one ten minutes later.
const LEADS: &str = "\
id,created_at,full_name,email,phone,company,country,message,budget
1,2026-11-17T08:00:00Z,Łucja Wzorcowa,lucja@wzorcowa.example,+48600000101,Wzorcowa sp. z o.o.,PL,Prosze o oferte,50000
2,2026-11-17T08:10:00Z,Jan Klon,jan@klon.example,+48600000102,Klon SA,DE,Pilne,
";

const STEPS: &str = "
[[plan.step]]
id = 'confirmation'
channel = 'email'
after = '5m'
subject = 'Thank you, {name}'
subject-in = { pl = 'Dziękujemy, {name}' }
template = 'confirmation'
because = 'b'
[[plan.step]]
id = 'call'
channel = 'call'
after = '2h'
window = 'any'
subject = 'Zadzwoń: {name}'
because = 'b'
[[plan.step]]
id = 'reminder'
channel = 'task'
after = '1h'
window = 'any'
from = 'step-above'
unless-contacted = true
subject = 'Brak kontaktu: {name}'
because = 'b'
";

fn workspace() -> Workspace {
    let workspace = Workspace::new();
    workspace.file(
        "rules/followup.toml",
        format!("max-age = '3d'\n[[plan]]\nid = 'all'\nbecause = 'b'\n{STEPS}"),
    );
    workspace.input("a.csv", LEADS);
    workspace.ok(&["run", "--as-of", "2026-11-17T08:03:00Z"]);
    workspace.clear_inbox();
    workspace
}

fn at(workspace: &Workspace, time: &str, args: &[&str]) -> Outcome {
    workspace.ok(&[args, &["--as-of", &format!("2026-11-{time}Z")]].concat())
}

/// What became due in the latest run: step and mailbox.
fn due(workspace: &Workspace) -> Vec<String> {
    let text = workspace.latest("due.csv");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows = reader.records().map(|row| {
        let row = row.unwrap();
        let step = row[0].split_once('/').unwrap().1.to_owned();
        format!("{step} {}", &row[14])
    });
    rows.collect()
}

fn task(workspace: &Workspace, mailbox: &str, key: &str) -> String {
    let sql = format!("SELECT id FROM leads WHERE email = '{mailbox}'");
    format!("{}/{key}", workspace.sql(&sql)[0][0])
}

/// Steps of the first lead with their states.
fn states(workspace: &Workspace) -> String {
    let sql = "SELECT t.step || ' ' || t.due_at || ' ' || t.state FROM tasks AS t JOIN leads AS l USING (lead_no)
               WHERE l.email = 'lucja@wzorcowa.example' ORDER BY t.due_at, t.step";
    workspace.sql(sql).concat().join("; ")
}

#[test]
fn what_becomes_due_is_handed_out_exactly_once() {
    let workspace = workspace();
    assert_eq!(due(&workspace), [""; 0]);
    let before = workspace.dump();
    assert!(at(&workspace, "17T08:04:59", &["tick"]).stdout.contains("nothing became due"));
    assert_eq!(workspace.dump(), before, "a tick without effect leaves nothing");
    let told = at(&workspace, "17T08:05:00", &["tick"]);
    assert!(told.flat().contains("1 task became due, listed in"), "{}", told.stdout);
    assert_fits_a_terminal(&told.stdout);
    assert_eq!(due(&workspace), ["all/confirmation lucja@wzorcowa.example"]);
    assert!(at(&workspace, "17T08:05:00", &["tick"]).stdout.contains("nothing became due"));
    // A run hands out, too, and nothing that a tick has handed out.
    at(&workspace, "17T10:05:00", &["run"]);
    assert_eq!(
        due(&workspace),
        ["all/confirmation jan@klon.example", "all/call lucja@wzorcowa.example"]
    );
    let line = at(&workspace, "17T10:10:00", &["tick", "--json"]).json();
    assert_eq!(line["tasks"]["handed_out"], 1);
    let line = at(&workspace, "17T10:10:00", &["tick", "--json"]).json();
    assert_eq!(line["run"], serde_json::Value::Null);
    assert_rebuild_changes_nothing(&workspace);
    // Other rules and a lead that comes again change nothing of it.
    workspace.input("b.csv", LEADS.replace("\n1,", "\n3,").replace("\n2,", "\n4,"));
    at(&workspace, "17T10:11:00", &["run"]);
    at(&workspace, "17T10:11:00", &["rescore"]);
    assert!(at(&workspace, "17T10:11:00", &["tick"]).stdout.contains("nothing became due"));
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn a_mail_is_drafted_when_it_becomes_due_in_the_language_of_the_lead() {
    let workspace = workspace();
    at(&workspace, "17T08:30:00", &["tick"]);
    let mails: Vec<String> =
        workspace.published().into_keys().filter(|name| name.contains("mails/")).collect();
    assert_eq!(mails.len(), 2, "{mails:?}");
    let draft = |mailbox: &str| {
        let id = task(&workspace, mailbox, "all/confirmation").replace('/', "_");
        workspace.latest(&format!("mails/{id}.eml"))
    };
    let mail = draft("lucja@wzorcowa.example");
    assert!(mail.contains("<lucja@wzorcowa.example>"), "{mail}");
    assert!(mail.contains("X-Unsent: 1\r\n"), "{mail}");
    // Subject and text are encoded; German has a template, and no subject of its own.
    assert!(!mail.contains("Dziękujemy") && mail.is_ascii(), "{mail}");
    assert!(draft("jan@klon.example").contains("Subject: Thank you, Jan Klon\r\n"));
    let told = at(&workspace, "17T08:30:00", &["tasks", "--format", "jsonl"]).stdout;
    assert!(told.contains("Dzień dobry, Łucja!"), "{told}");
    assert!(told.contains("Guten Tag, Jan Klon,"), "{told}");
    // The next tick has nothing to draft.
    at(&workspace, "17T10:10:00", &["tick"]);
    assert!(!workspace.latest("manifest.json").contains("mails/"));
}

#[test]
fn what_we_say_of_tasks_is_no_row_that_was_received() {
    let workspace = workspace();
    let imported = workspace.number("SELECT sum(rows_read) FROM input");
    let call = task(&workspace, "lucja@wzorcowa.example", "all/call");
    at(&workspace, "17T10:20:00", &["tasks", "done", &call]);
    let chain = super::metrics::report(&workspace, &["dropoff", "--all"]);
    assert_eq!(chain[0]["in"], imported.to_string());
    assert!(!chain[0]["because"].contains("touches"), "{:?}", chain[0]);
    let told = workspace.ok(&["undo", "2026-11-17-0002", "--dry-run"]).flat();
    assert!(told.contains("page views, calls and other events 2"), "{told}");
}

#[test]
fn a_task_that_is_done_ends_what_waits_for_contact() {
    let workspace = workspace();
    let call = task(&workspace, "lucja@wzorcowa.example", "all/call");
    assert_eq!(
        states(&workspace),
        "confirmation 2026-11-17T08:05:00Z open; call 2026-11-17T10:00:00Z open; \
         reminder 2026-11-17T11:00:00Z open"
    );
    let told = at(&workspace, "17T10:20:00", &["tasks", "done", &call, "--outcome", "no-answer"]);
    assert!(told.flat().contains("1 task done; `leadmill undo"), "{}", told.stdout);
    // Nobody answered: the reminder counts from the attempt.
    assert_eq!(
        states(&workspace),
        "confirmation 2026-11-17T08:05:00Z open; call 2026-11-17T10:00:00Z done; \
         reminder 2026-11-17T11:20:00Z open"
    );
    let again = workspace.run(&["tasks", "done", &call]).expect_code(2);
    assert!(
        again.stderr.contains("is not open but done: done on 2026-11-17 11:20"),
        "{}",
        again.stderr
    );
    let reminder = task(&workspace, "lucja@wzorcowa.example", "all/reminder");
    at(&workspace, "17T10:30:00", &["tasks", "done", &reminder, "--outcome", "contacted"]);
    assert!(states(&workspace).ends_with("reminder 2026-11-17T11:20:00Z done"));
    let story = workspace.ok(&["explain", "lucja@wzorcowa.example"]).stdout;
    assert!(story.contains("task-done") && story.contains("contacted"), "{story}");
    assert_rebuild_changes_nothing(&workspace);
    undo(&workspace, "2026-11-17-0003");
    assert!(states(&workspace).ends_with("reminder 2026-11-17T11:20:00Z open"));
    assert_rebuild_changes_nothing(&workspace);

    let hint =
        workspace.run(&["tasks", "done", &call.replace("call", "cal")]).expect_code(2).stderr;
    assert!(hint.contains("open for this lead are all/confirmation, all/reminder"), "{hint}");
    let hint = workspace.run(&["tasks", "done", "call"]).expect_code(2).stderr;
    assert!(hint.contains("write it as in LM-0123456789AB/hot/call"), "{hint}");
}

#[test]
fn a_task_that_is_put_off_becomes_due_again() {
    let workspace = workspace();
    at(&workspace, "17T10:00:00", &["tick"]);
    let call = task(&workspace, "lucja@wzorcowa.example", "all/call");
    let told =
        at(&workspace, "17T10:00:00", &["tasks", "snooze", &call, "--until", "2026-11-18 09:30"]);
    assert!(told.flat().contains("1 task put off until 2026-11-18 09:30"), "{}", told.stdout);
    assert!(states(&workspace).contains("call 2026-11-18T08:30:00Z open"));
    // The other calls are due meanwhile; this one is not.
    at(&workspace, "17T12:00:00", &["tick"]);
    assert!(!due(&workspace).contains(&"all/call lucja@wzorcowa.example".to_owned()));
    at(&workspace, "18T08:30:00", &["tick"]);
    assert!(due(&workspace).contains(&"all/call lucja@wzorcowa.example".to_owned()));
    assert!(at(&workspace, "18T08:30:00", &["tick"]).stdout.contains("nothing became due"));
    assert_rebuild_changes_nothing(&workspace);
    for wrong in ["2026-11-16", "soon", "0h", "9000d"] {
        let args = ["tasks", "snooze", &call, "--until", wrong, "--as-of", "2026-11-18T09:00:00Z"];
        workspace.run(&args).expect_code(2);
    }
}

#[test]
fn what_the_crm_says_about_a_task_is_taken_in_with_its_events() {
    let workspace = workspace();
    let call = task(&workspace, "lucja@wzorcowa.example", "all/call");
    workspace.input(
        "events.csv",
        format!(
            "time,event,email,task\n2026-11-17T09:00:00Z,task done,lucja@wzorcowa.example,{call}\n"
        ),
    );
    at(&workspace, "17T09:30:00", &["run"]);
    assert!(
        states(&workspace).contains("call 2026-11-17T10:00:00Z done"),
        "{}",
        states(&workspace)
    );
}

#[test]
fn who_comes_back_after_a_long_silence_gets_tasks_of_a_new_cycle() {
    let workspace = workspace();
    let call = task(&workspace, "lucja@wzorcowa.example", "all/call");
    at(&workspace, "17T10:00:00", &["tasks", "done", &call]);
    let later = LEADS.replace("2026-11-17T08", "2027-01-15T08").replace("\n1,", "\n5,");
    workspace.input("b.csv", later);
    workspace.ok(&["run", "--as-of", "2027-01-15T08:03:00Z"]);
    let told =
        workspace.ok(&["tasks", "--format", "csv", "--as-of", "2027-01-15T08:03:00Z"]).stdout;
    assert!(told.contains(&format!("{call}/2,")), "{told}");
    // The first call stays done; the reminder of then was called off by the contact.
    let first = workspace
        .sql("SELECT step, state FROM tasks WHERE cycle = 1 AND step = 'call' ORDER BY state");
    assert_eq!(first[0], ["call", "done"]);
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn rows_that_come_back_after_an_undo_are_not_written_to_again() {
    let workspace = workspace();
    at(&workspace, "17T08:30:00", &["tick"]);
    assert_eq!(due(&workspace).len(), 2);
    undo(&workspace, "2026-11-17-0001");
    workspace.input("a.csv", LEADS);
    at(&workspace, "17T08:40:00", &["run"]);
    assert_eq!(due(&workspace), [""; 0]);
    assert!(at(&workspace, "17T08:40:00", &["tick"]).stdout.contains("nothing became due"));
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn the_lists_of_a_run_end_at_the_tasks_that_are_due_last() {
    let workspace = workspace();
    let all = workspace.latest("tasks.csv");
    assert_eq!(all.lines().count(), 1 + 6, "{all}");
    workspace.file("rules/workspace.toml", "[limits]\ntasks-listed-max = 2\n");
    workspace.input("b.csv", "id,email\n3,ola@klon.example\n");
    let summary = at(&workspace, "18T08:00:00", &["run", "--json"]).json();
    let (open, listed) = (summary["tasks"]["open"].as_u64(), summary["tasks"]["listed"].as_u64());
    assert_eq!((open > Some(2), listed), (true, Some(2)), "{}", summary["tasks"]);
    let every = workspace.ok(&["tasks", "--format", "csv", "--as-of", "2026-11-18T08:00:00Z"]);
    let due = |text: &str| -> Vec<String> {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let at = reader.headers().unwrap().iter().position(|name| name == "due-utc").unwrap();
        reader.records().map(|row| row.unwrap()[at].to_owned()).collect()
    };
    let (every, listed) = (due(&every.stdout), due(&workspace.latest("tasks.csv")));
    assert_eq!(every.len() as u64, open.unwrap());
    assert_eq!(every[every.len() - 2..], listed, "the last of all that are open, in order");
    workspace.input("c.csv", "id,email\n4,ula@klon.example\n");
    let told = at(&workspace, "18T08:10:00", &["run"]);
    assert!(told.stdout.contains("in tasks.csv, those due last (all: leadmill tasks)"), "{told:?}");
    assert_fits_a_terminal(&told.stdout);
}

#[test]
fn a_call_that_becomes_possible_later_is_told_to_the_crm_then() {
    let workspace = Workspace::new();
    workspace.file("rules/workspace.toml", "targets = ['hubspot-tasks']\n");
    workspace.file(
        "rules/followup.toml",
        format!("max-age = '3d'\n[[plan]]\nid = 'all'\nbecause = 'b'\n{STEPS}"),
    );
    let calls = |workspace: &Workspace| {
        let text = workspace.latest("crm/hubspot-tasks.csv");
        text.lines().filter(|line| line.contains("Zadzwoń")).count()
    };
    let lead = |id: u32, phone: &str| {
        format!(
            "id,created_at,full_name,email,phone,company,country,message,budget\n\
             {id},2026-11-17T08:00:00Z,Łucja Wzorcowa,lucja@wzorcowa.example,{phone},,PL,Prosze o oferte {id},\n"
        )
    };
    workspace.input("a.csv", lead(1, ""));
    workspace.ok(&["run", "--as-of", "2026-11-17T08:03:00Z"]);
    assert_eq!(calls(&workspace), 0);
    assert!(states(&workspace).contains("not-allowed"), "{}", states(&workspace));
    workspace.input("b.csv", lead(2, "+48600000101"));
    workspace.ok(&["run", "--as-of", "2026-11-17T08:10:00Z"]);
    assert_eq!(calls(&workspace), 1);
    // Once.
    workspace.input("c.csv", lead(3, "+48600000101"));
    workspace.ok(&["run", "--as-of", "2026-11-17T08:20:00Z"]);
    assert_eq!(calls(&workspace), 0);
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn a_promise_counts_whether_it_was_kept_broken_or_taken_over() {
    let workspace = workspace();
    let kept = |as_of: &str| {
        let text = workspace.ok(&["report", "sla", "--format", "csv", "--as-of", as_of]).stdout;
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let rows = reader.deserialize::<BTreeMap<String, String>>().map(Result::unwrap);
        let groups: Vec<_> = rows.collect();
        ["promised", "met", "breached", "replaced"]
            .map(|column| groups.iter().map(|row| row[column].parse::<u64>().unwrap()).sum::<u64>())
    };
    // Two calls, due at 10:00 and 10:10, and two reminders an hour later each.
    let first = task(&workspace, "lucja@wzorcowa.example", "all/call");
    let second = task(&workspace, "jan@klon.example", "all/call");
    at(&workspace, "17T09:55:00", &["tasks", "done", &first, "--outcome", "no-answer"]);
    assert_eq!(kept("2026-11-17T09:56:00Z"), [4, 1, 0, 0], "done in time");
    at(&workspace, "17T12:30:00", &["tasks", "done", &second]);
    // The second call was late, its reminder met by the contact, and the first lead's reminder met by nothing.
    assert_eq!(kept("2026-11-17T12:31:00Z"), [4, 2, 2, 0]);
    // A plan without calls takes over, after all of it was due.
    workspace.file(
        "rules/followup.toml",
        "max-age = '3d'\n[[plan]]\nid = 'other'\nbecause = 'b'\n[[plan.step]]\nid = 'mail'\nchannel = 'email'\n\
         after = '5m'\nsubject = 's'\ntemplate = 'confirmation'\nbecause = 'b'\n",
    );
    at(&workspace, "18T08:00:00", &["rescore"]);
    assert_eq!(kept("2026-11-18T08:00:00Z"), [4, 2, 2, 0], "late is late");
}
