//! Mails that `deliver` sends: due, allowed, once, byte by byte as they were laid down.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::mail_sink::{MailSink, Manner};
use super::workspace::{AS_OF, Outcome, Workspace};

/// Somebody who enquired ten minutes before the run, so that the confirmation is due.
fn workspace(sink: &MailSink, more: &str) -> Workspace {
    let workspace = Workspace::new();
    workspace.table(
        "leads.csv",
        &["1,2026-11-20T18:50:00Z,Łucja Żak,lucja@przyklad.pl,600000101,Firma,PL,Proszę o wycenę,yes"],
    );
    let port = sink.port;
    workspace.file(
        "rules/outbox.toml",
        format!(
            "[[endpoint]]\nid = \"mail\"\nkind = \"smtp\"\nhost = \"127.0.0.1\"\nport = {port}\n\
             encryption = \"none\"\nsteps = [\"confirmation\"]\nbecause = \"a test\"\ntimeout = \"2s\"\n\
             sender = {{ name = \"Zespół\", address = \"leady@zespol.example\" }}\n{more}"
        ),
    );
    workspace
}

fn states(workspace: &Workspace) -> Vec<String> {
    let query = "SELECT state || ' ' || coalesce(nullif(code, ''), '-') FROM outbox_items ORDER BY outbox_no";
    workspace.sql(query).concat()
}

fn confirmation(workspace: &Workspace) -> String {
    workspace.sql("SELECT state FROM tasks WHERE step = 'confirmation'").concat().join(" ")
}

fn deliver_at(workspace: &Workspace, at: &str) -> Outcome {
    workspace.run(&["deliver", "--as-of", at])
}

#[test]
fn a_mail_that_is_due_is_sent_once_and_its_task_is_done() {
    let sink = MailSink::start(|_| Manner::Kind);
    let workspace = workspace(&sink, "unsubscribe-url = \"https://zespol.example/wypisz\"\n");
    workspace.done(&["run"]);
    assert_eq!(states(&workspace), ["pending -"]);
    let drafts = workspace.published().into_keys().filter(|name| name.ends_with(".eml")).count();
    assert_eq!(drafts, 0, "what is sent is not a draft as well");
    let kept = workspace.sql("SELECT CAST(part AS TEXT) FROM outbox").concat();

    deliver_at(&workspace, AS_OF).expect_code(0);
    let taken = sink.taken();
    assert_eq!(taken.len(), 1);
    assert_eq!(
        (&*taken[0].from, &taken[0].to),
        ("leady@zespol.example", &vec!["lucja@przyklad.pl".to_owned()])
    );
    assert_eq!(taken[0].text(), kept[0], "the bytes that were laid down");
    let id = workspace.sql("SELECT id FROM outbox_request").concat();
    let text = taken[0].text();
    assert!(text.contains(&format!("Message-ID: {}\r\n", id[0])), "{text}");
    assert!(id[0].ends_with("@zespol.example>"), "{id:?}");
    assert!(text.contains("List-Unsubscribe: <https://zespol.example/wypisz>"), "{text}");
    assert!(text.is_ascii() && !text.contains("X-Unsent"), "{text}");

    assert_eq!(states(&workspace), ["delivered -"]);
    assert_eq!(confirmation(&workspace), "done");
    let done = workspace.sql("SELECT at FROM touches WHERE kind = 'task-done'").concat();
    assert_eq!(done.len(), 1, "{done:?}");
    deliver_at(&workspace, AS_OF).expect_code(0);
    workspace.done(&["run", "--as-of", "2026-11-20T19:30:00Z"]);
    deliver_at(&workspace, "2026-11-20T19:31:00Z").expect_code(0);
    assert_eq!(sink.taken().len(), 1, "nobody gets it twice");
    workspace.ok(&["rebuild", "--check"]);
}

#[track_caller]
fn check(manner: Manner, expected: &str, then: &[&str], sent: usize) {
    let is_kind = Arc::new(AtomicBool::new(false));
    let kind = Arc::clone(&is_kind);
    let sink =
        MailSink::start(move |_| if kind.load(Ordering::Relaxed) { Manner::Kind } else { manner });
    let workspace = workspace(&sink, "concurrency = 1\n");
    workspace.done(&["run"]);
    workspace.run(&["deliver", "--budget", "1s"]);
    assert_eq!(states(&workspace)[0].split(' ').next().unwrap(), expected, "{manner:?}");
    is_kind.store(true, Ordering::Relaxed);
    deliver_at(&workspace, "2026-11-20T19:10:00Z");
    assert_eq!(states(&workspace), then, "{manner:?}");
    assert_eq!(sink.taken().len(), sent, "{manner:?}");
    let ids: Vec<String> = sink
        .taken()
        .iter()
        .map(|mail| {
            mail.text().lines().find(|line| line.starts_with("Message-ID")).unwrap().to_owned()
        })
        .collect();
    assert!(ids.windows(2).all(|pair| pair[0] == pair[1]), "{ids:?}");
}

#[test]
fn a_server_that_is_busy_gets_it_later() {
    check(Manner::Busy, "claimed", &["delivered -"], 1);
    check(Manner::Greylisting, "claimed", &["delivered -"], 1);
    check(Manner::Endless, "claimed", &["delivered -"], 1);
}

#[test]
fn a_mailbox_that_is_not_there_is_a_dead_letter() {
    check(Manner::NoSuchMailbox, "dead", &["dead smtp-550"], 0);
    check(Manner::NoSuchMail, "dead", &["dead smtp-554"], 0);
}

#[test]
fn a_mail_of_which_nobody_knows_whether_it_arrived_is_not_sent_again_by_itself() {
    check(Manner::DropAfterData, "held", &["held unknown-outcome"], 1);
}

#[test]
fn a_mail_is_not_sent_once_it_must_not_be_or_need_not_be() {
    let sink = MailSink::start(|_| Manner::Kind);
    let lead =
        |workspace: &Workspace| workspace.sql("SELECT lead_id FROM outbox").concat()[0].clone();

    let taken_back = workspace(&sink, "");
    taken_back.done(&["run"]);
    let said = ["consent", "withdraw", "lucja@przyklad.pl", "--because", "rang"];
    taken_back.done(&[&said[..], &["--purpose", "enquiry-reply"]].concat());
    deliver_at(&taken_back, AS_OF);
    assert_eq!(states(&taken_back)[0].split(' ').next().unwrap(), "withdrawn");

    let done = workspace(&sink, "");
    done.done(&["run"]);
    done.done(&["tasks", "done", &format!("{}/{}", lead(&done), task_key(&done))]);
    deliver_at(&done, AS_OF);
    assert_eq!(states(&done), ["withdrawn task-closed"]);

    let late = workspace(&sink, "max-age = \"1h\"\n");
    late.done(&["run"]);
    deliver_at(&late, "2026-11-20T21:30:00Z");
    assert_eq!(states(&late), ["withdrawn too-old"]);
    assert_eq!(sink.taken().len(), 0);
    assert_eq!(sink.conversations(), 0);

    let backfill = workspace(&sink, "max-age = \"1h\"\n");
    backfill.done(&["run", "--as-of", "2026-11-21T05:00:00Z"]);
    assert_eq!(states(&backfill), Vec::<String>::new(), "what was due long ago is a draft");
}

fn task_key(workspace: &Workspace) -> String {
    let item = workspace.sql("SELECT item FROM outbox").concat()[0].clone();
    item.split_once('/').unwrap().1.to_owned()
}

#[test]
fn a_server_that_takes_no_encryption_when_it_must_gets_nothing() {
    let sink = MailSink::start(|_| Manner::Kind);
    let workspace = workspace(&sink, "");
    let rules = std::fs::read_to_string(workspace.path("rules/outbox.toml")).unwrap();
    workspace.file("rules/outbox.toml", rules.replace("\"none\"", "\"starttls\""));
    workspace.done(&["run"]);
    workspace.run(&["deliver"]).expect_code(3);
    assert_eq!(states(&workspace)[0].split(' ').next().unwrap(), "claimed");
    assert_eq!(sink.taken().len(), 0);
}

/// Two owners, one of them away, and whoever looks after all of it.
const TEAM: &str = "triage = 'triage'
[[owner]]
id = 'zofia'
name = 'Zofia Lis'
email = 'zofia@zespol.example'
[[owner]]
id = 'adam'
email = 'adam@zespol.example'
[[owner.absent]]
from = '2026-11-23'
to = '2026-11-23'
[[queue]]
id = 'all'
pool = [{ owner = 'zofia' }]
because = 'b'
[[queue]]
id = 'triage'
because = 'b'
[[route]]
id = 'all'
queue = 'all'
because = 'b'
";

#[test]
fn the_mail_of_a_day_comes_once_a_day_and_names_leads_by_their_ids_alone() {
    let sink = MailSink::start(|_| Manner::Kind);
    let more = "digest = [\"owners\", \"szef@zespol.example\"]\n\
                lead-url = \"https://crm.example/szukaj?q={lead}\"\n";
    let workspace = workspace(&sink, more);
    workspace.file("rules/routing.toml", TEAM);
    workspace.file("rules/workspace.toml", "language = \"pl\"\n");
    let run_at = |at: &str| workspace.done(&["run", "--as-of", at]);
    // A Friday's enquiry is to be answered on Monday morning, and nobody did.
    run_at("2026-11-23T11:00:00Z");
    deliver_at(&workspace, "2026-11-23T11:01:00Z").expect_code(0);
    let found = sink.taken();
    let to: Vec<&str> = found.iter().map(|mail| &*mail.to[0]).collect();
    assert_eq!(to, ["zofia@zespol.example", "szef@zespol.example"], "nobody who is away");
    let lead = workspace.sql("SELECT id FROM leads").concat();
    let own = decoded(&found[0]);
    let link = format!("telefon  {0}  ciepły  https://crm.example/szukaj?q={0}", lead[0]);
    assert!(own.contains(&link), "{link} is not in {own}");
    assert!(own.contains("Dzień dobry, Zofia Lis!") && own.contains("Po terminie:"), "{own}");
    let all = decoded(&found[1]);
    assert!(all.contains("- Zofia Lis: po terminie "), "{all}");
    assert!(!all.contains("LM-"), "{all}");
    for mail in [&own, &all] {
        for named in ["Łucja", "lucja", "600000101", "Firma", "wycenę"] {
            assert!(!mail.contains(named), "{named} in {mail}");
        }
    }
    // Another run of the day, and a night after.
    run_at("2026-11-23T15:00:00Z");
    deliver_at(&workspace, "2026-11-23T15:01:00Z").expect_code(0);
    assert_eq!(sink.taken().len(), 2);
    run_at("2026-11-24T05:00:00Z");
    deliver_at(&workspace, "2026-11-25T06:00:00Z");
    assert_eq!(sink.taken().len(), 2, "nobody needs yesterday's");
    assert!(states(&workspace).contains(&"withdrawn too-old".to_owned()));
    run_at("2026-11-25T06:30:00Z");
    deliver_at(&workspace, "2026-11-25T06:31:00Z").expect_code(0);
    assert_eq!(sink.taken().len(), 4, "who has nothing to do gets nothing");
    assert_eq!(workspace.number("SELECT count(*) FROM touches WHERE kind = 'task-done'"), 0);
}

#[test]
fn each_mail_of_a_day_is_a_mail_of_its_own() {
    let sink = MailSink::start(|_| Manner::Kind);
    let more = "digest = [\"owners\", \"a+b@zespol.example\", \"a_b@zespol.example\"]\n";
    let workspace = workspace(&sink, more);
    let rules = std::fs::read_to_string(workspace.path("rules/outbox.toml")).unwrap();
    let second = rules.replace("\"mail\"", "\"too\"").replace("steps = [\"confirmation\"]\n", "");
    workspace.file("rules/outbox.toml", rules + &second);
    workspace.file("rules/routing.toml", TEAM);
    workspace.done(&["run", "--as-of", "2026-11-23T11:00:00Z"]);
    deliver_at(&workspace, "2026-11-23T11:01:00Z").expect_code(0);
    let mut to: Vec<String> = sink.taken().iter().map(|mail| mail.to.concat()).collect();
    to.sort();
    let twice =
        ["a+b", "a+b", "a_b", "a_b", "zofia", "zofia"].map(|of| format!("{of}@zespol.example"));
    assert_eq!(to, twice, "each by both endpoints");
    assert_eq!(workspace.number("SELECT count(*) FROM outbox_request"), 6);
}

/// Returns the text of a mail, decoded.
fn decoded(mail: &super::mail_sink::Taken) -> String {
    let (head, body) = mail.text().split_once("\r\n\r\n").unwrap();
    let head = head.to_lowercase();
    if head.contains("base64") {
        let packed: String = body.split_whitespace().collect();
        let bytes = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, packed).unwrap();
        return String::from_utf8(bytes).unwrap();
    }
    let body = body.replace("=\r\n", "");
    if !head.contains("quoted-printable") {
        return body;
    }
    let mut bytes = Vec::new();
    let mut rest = body.as_bytes();
    while let Some((&byte, next)) = rest.split_first() {
        rest = next;
        if byte == b'=' {
            let code = std::str::from_utf8(&rest[..2]).unwrap();
            bytes.push(u8::from_str_radix(code, 16).unwrap());
            rest = &rest[2..];
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn nobody_can_write_a_line_into_a_mail() {
    let sink = MailSink::start(|_| Manner::Kind);
    let workspace = workspace(&sink, "");
    workspace.clear_inbox().table(
        "leads.csv",
        &[
            "1,2026-11-20T18:50:00Z,\"Anna\r\nBcc: x@example.org\",anna@przyklad.pl,,\"A\nSubject: x\",PL,\"a\r\n.\r\nQUIT\",yes",
            "2,2026-11-20T18:51:00Z,Jan,\"\"\"jan>\r\nRCPT TO:<x@example.org\"\"@przyklad.pl\",600000102,,PL,,yes",
            "3,2026-11-20T18:52:00Z,Ewa,\"ewa@przyklad.pl\r\nRCPT TO:<x@example.org>\",,,PL,,yes",
        ],
    );
    workspace.done(&["run"]);
    deliver_at(&workspace, AS_OF);
    // The sink itself fails at a bare line feed, and takes whatever stands between two of its dots.
    let taken = sink.taken();
    assert!(!taken.is_empty(), "nothing was sent: the test is blind");
    let known = workspace.sql("SELECT email FROM leads").concat();
    for mail in &taken {
        assert_eq!(mail.to.len(), 1, "{mail:?}");
        assert!(known.contains(&mail.to[0]), "{mail:?}");
        let head = mail.text().split("\r\n\r\n").next().unwrap().to_owned();
        assert!(!head.to_lowercase().contains("\nbcc:"), "{head}");
        assert_eq!(head.matches("\nSubject:").count(), 1, "{head}");
    }
}
