//! `deliver`: what is laid down goes out once, whatever the receiver does, and never when it must not.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::far_end::{Deed, Receiver, Seen, answer};
use super::workspace::{AS_OF, Outcome, Workspace, assert_fits_a_terminal, code_of};

const SHAPE: &str = "[request]
id = \"plain\"
name = \"Plain\"
because = \"a test\"
source = \"a test\"
id-header = \"webhook-id\"
batch = 100
before = '['
each = '{\"item\":{{ item | tojson }},\"row\":{{ row | tojson }}}'
after = ']'
";

/// A workspace with so many people in its inbox.
pub fn workspace(people: u32) -> Workspace {
    let workspace = Workspace::new();
    let rows: Vec<String> = (0..people)
        .map(|number| {
            format!(
                "{number},2026-11-18T09:00:00Z,Osoba Numer{number},osoba{number}@przyklad.pl,\
                 +486000{number:05},Firma {number},PL,Prosze o wycene,yes"
            )
        })
        .collect();
    workspace.table("leads.csv", &rows.iter().map(String::as_str).collect::<Vec<_>>());
    workspace.file("rules/requests/plain.toml", SHAPE);
    workspace
}

/// An endpoint of leads, one a request.
pub fn endpoint(id: &str, url: &str, more: &str) -> String {
    let batch = if more.contains("batch") { "" } else { "batch = 1\n" };
    format!(
        "[[endpoint]]\nid = \"{id}\"\nkind = \"http\"\nrequest = \"plain\"\ntarget = \"leads-json\"\n\
         url = \"{url}\"\nbecause = \"a test\"\nrate = 100000\ntimeout = \"1s\"\n{batch}{more}\n"
    )
}

/// Runs `deliver` so many minutes after the run.
pub fn deliver_after(workspace: &Workspace, minutes: i64) -> Outcome {
    let run = chrono::DateTime::parse_from_rfc3339(AS_OF).unwrap();
    let at = (run + chrono::TimeDelta::minutes(minutes)).to_rfc3339();
    workspace.run(&["deliver", "--json", "--as-of", &at])
}

/// How many items are in which state, at each endpoint.
pub fn states(workspace: &Workspace) -> BTreeMap<String, String> {
    let rows = workspace.sql(
        "SELECT endpoint, group_concat(state || ' ' || n, ', ') FROM
             (SELECT endpoint, state, count(*) AS n FROM outbox_items GROUP BY 1, 2 ORDER BY 1, 2)
         GROUP BY 1 ORDER BY 1",
    );
    rows.into_iter().map(|row| (row[0].clone(), row[1].clone())).collect()
}

/// Fails when an id came with two bodies, or an item under two ids.
#[track_caller]
pub fn assert_stable(receiver: &Receiver) {
    let (mut bodies, mut ids) = (BTreeMap::new(), BTreeMap::new());
    for one in receiver.seen() {
        let known =
            bodies.entry((one.path.clone(), one.id().to_owned())).or_insert(one.body.clone());
        assert_eq!(*known, one.body, "{} came with two bodies", one.id());
        let known = ids.entry((one.path.clone(), one.body.clone())).or_insert(one.id().to_owned());
        assert_eq!(known, one.id(), "one body came under two ids");
    }
}

#[test]
fn each_lead_goes_out_once_and_signed() {
    let workspace = workspace(3);
    let receiver = Receiver::start(|_| answer(204));
    let signed = endpoint("hook", &receiver.url("hook"), "secret = { file = \"secret\" }")
        .replace("\"plain\"", "\"webhook\"");
    workspace.file("rules/outbox.toml", signed);
    workspace.secret("secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
    let run = workspace.ok(&["run"]);
    assert!(run.stdout.contains("hook: 3 deliveries wait"), "{}", run.stdout);
    assert_eq!(receiver.seen(), [], "a run talks to nobody");

    let told = workspace.ok(&["deliver"]);
    assert_fits_a_terminal(&told.stdout);
    assert_eq!(states(&workspace)["hook"], "delivered 3");
    let seen = receiver.seen();
    assert_eq!(seen.len(), 3);
    for one in &seen {
        let body: serde_json::Value = serde_json::from_str(&one.body).unwrap();
        assert_eq!(body["type"], "lead");
        assert!(body["data"]["email"].as_str().unwrap().ends_with("@przyklad.pl"), "{body}");
        assert_eq!(one.header("content-type"), "application/json");
        let signed = leadmill::sending::signature::SigningKey::read(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        )
        .unwrap()
        .sign(
            one.id(),
            one.header("webhook-timestamp").parse().unwrap(),
            one.body.as_bytes(),
        );
        assert_eq!(one.header("webhook-signature"), signed);
    }
    assert_eq!(seen.iter().map(Seen::id).collect::<BTreeSet<_>>().len(), 3);
    workspace.ok(&["deliver"]);
    workspace.ok(&["run"]);
    workspace.ok(&["deliver"]);
    assert_eq!(receiver.seen().len(), 3, "again is free");
    let kept = "SELECT count(*) FROM outbox WHERE length(part) > 0";
    assert_eq!(workspace.number(kept), 0, "what was taken is not kept");
    assert_eq!(workspace.number("SELECT count(*) FROM outbox_request WHERE length(body) > 0"), 0);
}

/// What a receiver does, and what becomes of a lead that is sent to it.
const HOSTILE: &[(&str, &str)] = &[
    ("s200", "delivered 1"),
    ("s202", "delivered 1"),
    ("s301", "dead 1"),
    ("s302", "dead 1"),
    ("s400", "dead 1"),
    ("s401", "claimed 1"),
    ("s403", "claimed 1"),
    ("s404", "claimed 1"),
    ("s408", "claimed 1"),
    ("s409", "dead 1"),
    ("s410", "claimed 1"),
    ("s413", "dead 1"),
    ("s422", "dead 1"),
    ("s500", "claimed 1"),
    ("s503", "claimed 1"),
    ("busy", "claimed 1"),
    ("busy-for-ever", "claimed 1"),
    ("busy-bad-date", "claimed 1"),
    ("busy-past-date", "delivered 1"),
    ("thrice-500", "delivered 1"),
    ("silence", "claimed 1"),
    ("drip", "claimed 1"),
    ("reset-after-headers", "claimed 1"),
    ("reset-after-body", "delivered 1"),
    ("half-body", "claimed 1"),
    ("endless-headers", "claimed 1"),
    ("big-body", "delivered 1"),
    ("nonsense", "claimed 1"),
];

fn hostile_deed(path: &str, before_here: usize) -> Deed {
    let busy = |text: &str| {
        Deed::AnswerWith(429, format!("retry-after: {text}"), "{\"slow\": \"down\"}".to_owned())
    };
    match path {
        "busy" => busy("3600"),
        "busy-for-ever" => busy("1000000000000"),
        "busy-bad-date" => busy("the day after tomorrow"),
        "busy-past-date" if before_here == 0 => busy("Thu, 01 Jan 1970 00:00:00 GMT"),
        "thrice-500" if before_here < 3 => answer(500),
        "s302" => Deed::AnswerWith(302, "location: /caught".to_owned(), String::new()),
        "silence" => Deed::Silence,
        "drip" => Deed::Drip,
        "reset-after-body" if before_here == 0 => Deed::ResetAfterBody,
        "busy-past-date" | "thrice-500" | "reset-after-body" => answer(200),
        "half-body" => Deed::HalfBody,
        "endless-headers" => Deed::EndlessHeaders,
        "big-body" => Deed::BigBody,
        "nonsense" => Deed::Nonsense,
        status => answer(status.trim_start_matches('s').parse().unwrap()),
    }
}

#[test]
fn whatever_a_receiver_does_nothing_is_lost_and_nothing_changes_under_its_id() {
    let workspace = workspace(1);
    let receiver = Receiver::start(|asked| hostile_deed(asked.path, asked.before_here));
    let endpoints: Vec<String> =
        HOSTILE.iter().map(|(id, _)| endpoint(id, &receiver.url(id), "")).collect();
    workspace.file("rules/outbox.toml", endpoints.concat());
    workspace.ok(&["run"]);
    let began = Instant::now();
    // Ten seconds are enough for fast retries, and for one answer that does not come.
    workspace.run(&["deliver", "--budget", "10s", "--json"]).expect_code(3);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert_stable(&receiver);
    assert_eq!(receiver.count("caught"), 0, "a redirect was followed");
    let found = states(&workspace);
    for (id, expected) in HOSTILE {
        assert_eq!(found[*id], *expected, "{id}");
    }
    let unknown = workspace.sql(
        "SELECT endpoint FROM outbox_items WHERE unknowns > 0 AND state = 'claimed' ORDER BY 1",
    );
    let unknown: BTreeSet<String> = unknown.concat().into_iter().collect();
    for id in ["silence", "drip", "half-body", "endless-headers", "nonsense"] {
        assert!(unknown.contains(id), "{id} is of unknown fate: {unknown:?}");
    }
    for id in ["s401", "s403", "s410"] {
        let attempts = format!("SELECT attempts FROM outbox_items WHERE endpoint = '{id}'");
        assert_eq!(workspace.number(&attempts), 0, "{id}: it is not the item's fault");
        assert_eq!(receiver.count(id), 1, "{id}");
    }
    let letters =
        workspace.sql("SELECT target, code FROM dead_letters WHERE state = 'open' ORDER BY 1");
    let codes: Vec<String> = letters.iter().map(|row| row.join(" ")).collect();
    let dead = ["s301", "s302", "s400", "s409", "s413", "s422"];
    assert_eq!(codes, dead.map(|id| format!("{id} http-{}", &id[1..])));
}

#[test]
fn a_receiver_that_is_gone_is_not_asked_again_at_the_same_address() {
    let workspace = workspace(1);
    let receiver = Receiver::start(|asked| answer(if asked.path == "old" { 410 } else { 200 }));
    workspace.file("rules/outbox.toml", endpoint("hook", &receiver.url("old"), ""));
    workspace.ok(&["run"]);
    deliver_after(&workspace, 1).expect_code(3).says(&["410"]);
    deliver_after(&workspace, 2_000).expect_code(3).says(&["410"]);
    assert_eq!(receiver.count("old"), 1);
    workspace.file("rules/outbox.toml", endpoint("hook", &receiver.url("new"), ""));
    deliver_after(&workspace, 2_001).expect_code(0);
    assert_eq!(receiver.count("new"), 1);
}

#[test]
fn a_circuit_outlives_the_command() {
    let workspace = workspace(8);
    let receiver = Receiver::start(|asked| answer(if asked.before < 1 { 401 } else { 200 }));
    let slow = endpoint("hook", &receiver.url("hook"), "concurrency = 1\n");
    workspace.file("rules/outbox.toml", slow);
    workspace.ok(&["run"]);
    deliver_after(&workspace, 1).expect_code(3);
    assert_eq!(receiver.seen().len(), 1, "after one clear refusal nothing more is sent");
    let told = deliver_after(&workspace, 1).expect_code(3);
    assert_eq!(receiver.seen().len(), 1);
    assert_eq!(told.json()["endpoints"][0]["waiting"]["items"], 8);
    deliver_after(&workspace, 10).expect_code(0);
    assert_eq!(states(&workspace)["hook"], "delivered 8");
}

#[test]
fn what_is_tried_for_three_days_in_vain_is_a_dead_letter_and_can_be_sent_again_as_it_was() {
    let workspace = workspace(1);
    let receiver = Receiver::start(|asked| answer(if asked.before < 12 { 503 } else { 200 }));
    workspace.file("rules/outbox.toml", endpoint("hook", &receiver.url("hook"), ""));
    workspace.ok(&["run"]);
    let mut minutes = 1;
    while ["pending 1", "claimed 1"].contains(&&*states(&workspace)["hook"]) {
        deliver_after(&workspace, minutes);
        minutes += 120;
        assert!(minutes < 5 * 24 * 60, "{:?}", workspace.sql("SELECT * FROM outbox_items"));
    }
    assert_eq!(states(&workspace)["hook"], "dead 1");
    let tried = receiver.seen().len();
    assert!((9..=12).contains(&tried), "{tried} attempts");
    assert!(minutes > 50 * 60, "given up after {minutes} minutes");
    let listed = workspace.ok(&["dead-letter", "list"]);
    assert!(
        listed.stdout.contains("http-503") || listed.stdout.contains("503"),
        "{}",
        listed.stdout
    );

    workspace.run(&["dead-letter", "redrive"]).expect_code(2).says(&["hint:"]);
    let dry = workspace.ok(&["dead-letter", "redrive", "--code", "http-503", "--dry-run"]);
    assert!(dry.stdout.contains("1 dead letter would go out again"), "{}", dry.stdout);
    workspace.ok(&["dead-letter", "redrive", "--code", "http-503"]);
    while receiver.seen().len() < 13 {
        deliver_after(&workspace, minutes);
        minutes += 120;
    }
    assert_eq!(states(&workspace)["hook"], "delivered 1");
    assert_stable(&receiver);
    let ids: BTreeSet<String> = receiver.seen().iter().map(|one| one.id().to_owned()).collect();
    assert_eq!(ids.len(), 1, "redriving keeps the id");
    assert_eq!(workspace.number("SELECT count(*) FROM dead_letters WHERE state = 'open'"), 0);
}

#[test]
fn a_batch_is_settled_item_by_item_and_one_bad_item_damns_no_other() {
    let workspace = workspace(5);
    let is_bad = |body: &str| body.contains("osoba3@przyklad.pl");
    let receiver = Receiver::start(move |asked| answer(if is_bad(asked.body) { 422 } else { 200 }));
    workspace.file("rules/outbox.toml", endpoint("hook", &receiver.url("hook"), "batch = 5\n"));
    workspace.ok(&["run"]);
    workspace.run(&["deliver"]).expect_code(3);
    assert_eq!(states(&workspace)["hook"], "dead 1, delivered 4");
    assert_eq!(receiver.seen().len(), 6, "all in one, then each by itself");
    assert_stable(&receiver);
}

#[test]
fn a_reply_that_tells_of_each_item_is_read() {
    let workspace = workspace(4);
    let shape = SHAPE.replace("batch = 100", "batch = 100\nresults = \"in-order\"");
    workspace.file("rules/requests/plain.toml", shape);
    let receiver = Receiver::start(|asked| {
        let items: Vec<serde_json::Value> = serde_json::from_str(asked.body).unwrap();
        let results: Vec<String> = items
            .iter()
            .map(|item| {
                let is_bad = item["row"]["email"] == "osoba2@przyklad.pl";
                let error =
                    "{\"statusCode\":\"DUPLICATE_VALUE\",\"message\":\"osoba2@przyklad.pl\"}";
                let errors = if is_bad { error } else { "" };
                format!("{{\"success\":{},\"errors\":[{errors}]}}", !is_bad)
            })
            .collect();
        Deed::Answer(200, format!("[{}]", results.join(",")))
    });
    workspace.file("rules/outbox.toml", endpoint("crm", &receiver.url("crm"), "batch = 100\n"));
    workspace.ok(&["run"]);
    workspace.run(&["deliver"]).expect_code(3);
    assert_eq!(states(&workspace)["crm"], "dead 1, delivered 3");
    assert_eq!(receiver.seen().len(), 1);
    let reason = &workspace.sql("SELECT reason FROM dead_letters")[0][0];
    assert_eq!(reason, "the receiver refused it: DUPLICATE_VALUE");
    assert!(!workspace.dump_of(&["dead_letter".to_owned()]).contains("przyklad.pl"));
}

/// A target that only leads may go to who agreed to something.
fn with_consent_target(workspace: &Workspace, url: &str) {
    workspace.file(
        "rules/targets/partner.toml",
        "[target]\nid = \"partner\"\nname = \"Partner\"\nbecause = \"a test\"\nenabled = false\n\
         file = \"crm/partner.json\"\nformat = \"json\"\nonly-with-consent = \"enquiry-reply/email\"\n\
         [[column]]\nheader = \"email\"\nfrom = \"email\"\n",
    );
    let endpoint = endpoint("partner-hook", url, "").replace("leads-json", "partner");
    workspace.file("rules/outbox.toml", endpoint);
}

#[test]
fn what_was_agreed_to_and_taken_back_before_it_was_sent_is_never_sent() {
    let workspace = workspace(2);
    let receiver = Receiver::start(|_| answer(200));
    with_consent_target(&workspace, &receiver.url("hook"));
    workspace.ok(&["run"]);
    assert_eq!(states(&workspace)["partner-hook"], "pending 2");
    let at = ["--as-of", "2026-11-20T19:30:00Z"];
    let said = ["consent", "withdraw", "osoba1@przyklad.pl", "--because", "rang"];
    let said = [&said[..], &["--purpose", "enquiry-reply"]].concat();
    workspace.done(&[&said[..], &at[..]].concat());
    deliver_after(&workspace, 60).expect_code(0);
    assert_eq!(states(&workspace)["partner-hook"], "delivered 1, withdrawn 1");
    let seen = receiver.seen();
    assert!(seen.len() == 1 && !seen[0].body.contains("osoba1"), "{seen:?}");
    let why = workspace.sql("SELECT code FROM outbox_items WHERE state = 'withdrawn'");
    assert_eq!(why.concat(), ["not-allowed"]);
}

#[test]
fn what_an_endpoint_refused_stays_somebodys_to_look_at_when_its_lead_is_no_longer_meant() {
    let workspace = workspace(1);
    let receiver = Receiver::start(|_| answer(422));
    with_consent_target(&workspace, &receiver.url("hook"));
    workspace.ok(&["run"]);
    deliver_after(&workspace, 1).expect_code(3);
    let said = ["consent", "withdraw", "osoba0@przyklad.pl", "--because", "rang"];
    workspace.done(&[&said[..], &["--purpose", "enquiry-reply"]].concat());
    let open = "SELECT dead_letter_no FROM dead_letters WHERE state = 'open'";
    let letter = workspace.sql(open).concat();
    assert_eq!(letter.len(), 1, "the letter is the only way to what is stuck");
    deliver_after(&workspace, 2).expect_code(3);
    workspace.ok(&["dead-letter", "drop", &letter[0], "--because", "they took it back"]);
    assert_eq!(states(&workspace)["partner-hook"], "dropped 1");
    deliver_after(&workspace, 3).expect_code(0);
}

#[test]
fn a_dead_letter_that_is_over_is_nothing_to_look_at() {
    let workspace = workspace(1);
    let receiver = Receiver::start(|_| answer(422));
    workspace.file("rules/outbox.toml", endpoint("hook", &receiver.url("hook"), ""));
    let run = workspace.ok(&["run", "--json"]).json()["run"].as_str().unwrap().to_owned();
    deliver_after(&workspace, 1).expect_code(3);
    workspace.done(&["undo", &run]);
    let letter = workspace.sql("SELECT state, because FROM dead_letters").concat();
    assert_eq!(letter, ["resolved", "the lead is in no list any more"]);
    deliver_after(&workspace, 2).expect_code(0);
}

#[test]
fn a_lead_that_is_gone_is_not_sent_and_what_was_sent_stays_known() {
    let workspace = workspace(2);
    let receiver = Receiver::start(|_| answer(200));
    workspace.file("rules/outbox.toml", endpoint("hook", &receiver.url("hook"), ""));
    workspace.ok(&["run"]);
    workspace.ok(&["deliver"]);
    workspace.clear_inbox();
    workspace.table("more.csv", &["9,2026-11-19T09:00:00Z,Jan Nowy,jan@example.com,,,PL,,"]);
    let run = workspace.done(&["run", "--json"]).json()["run"].as_str().unwrap().to_owned();
    assert_eq!(states(&workspace)["hook"], "delivered 2, pending 1");
    workspace.done(&["undo", &run]);
    workspace.done(&["deliver"]);
    assert_eq!(states(&workspace)["hook"], "delivered 2, withdrawn 1");
    assert_eq!(receiver.seen().len(), 2);
}

#[test]
fn an_erased_person_is_in_no_delivery_any_more() {
    let workspace = workspace(4);
    let receiver = Receiver::start(|asked| match asked.path {
        "fails" => answer(503),
        "lost" => Deed::ResetAfterBody,
        _ => answer(422),
    });
    let fails = endpoint("fails", &receiver.url("fails"), "batch = 4\n");
    let lost = endpoint("lost", &receiver.url("lost"), "batch = 4\n");
    let refuses = endpoint("refuses", &receiver.url("refuses"), "");
    let waits = endpoint("waits", "http://127.0.0.1:9/nobody", "enabled = true\n");
    workspace.file("rules/outbox.toml", [fails, lost, refuses, waits].concat());
    workspace.ok(&["run"]);
    workspace.run(&["deliver", "--budget", "2s"]).expect_code(3);
    let holds = |needle: &str| {
        ["leadmill.db", "leadmill.db-wal"].iter().any(|name| {
            let bytes = fs::read(workspace.path(name)).unwrap_or_default();
            bytes.windows(needle.len()).any(|window| window == needle.as_bytes())
        })
    };
    assert!(holds("osoba1@przyklad.pl"));
    workspace.done(&["subject", "forget", "osoba1@przyklad.pl"]);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 3);
    assert!(!holds("osoba1@przyklad.pl"), "the address is still in the store");
    assert!(!holds("Numer1\""), "the name is still in the store");
    let found = states(&workspace);
    assert_eq!(found["fails"], "pending 3", "what surely was not taken goes on without");
    assert_eq!(found["lost"], "held 3", "what may have been taken is for somebody to look at");
    assert_eq!(found["refuses"], "dead 3");
}

#[test]
fn a_process_that_dies_on_the_way_leaves_what_it_sent_as_unknown() {
    let workspace = workspace(1);
    let receiver =
        Receiver::start(|asked| if asked.before == 0 { Deed::Silence } else { answer(200) });
    let slow = endpoint("hook", &receiver.url("hook"), "").replace("\"1s\"", "\"30s\"");
    workspace.file("rules/outbox.toml", slow);
    workspace.ok(&["run"]);
    kill_while_sending(&workspace, &receiver, 1);
    assert_eq!(states(&workspace)["hook"], "claimed 1");
    workspace.ok(&["deliver"]);
    assert_eq!(states(&workspace)["hook"], "delivered 1");
    let seen = receiver.seen();
    assert_eq!((seen[0].id(), &seen[0].body), (seen[1].id(), &seen[1].body));
    assert_eq!(workspace.number("SELECT unknowns FROM outbox_request"), 1, "known to be unknown");
}

#[test]
fn who_would_rather_look_first_is_not_sent_anything_twice() {
    let workspace = workspace(1);
    let receiver =
        Receiver::start(|asked| if asked.before == 0 { Deed::Silence } else { answer(200) });
    let careful = endpoint("hook", &receiver.url("hook"), "on-unknown = \"hold\"\n");
    workspace.file("rules/outbox.toml", careful.replace("\"1s\"", "\"30s\""));
    workspace.ok(&["run"]);
    kill_while_sending(&workspace, &receiver, 1);
    workspace.run(&["deliver"]).expect_code(3);
    assert_eq!(states(&workspace)["hook"], "held 1");
    assert_eq!(receiver.seen().len(), 1);
    workspace.ok(&["dead-letter", "redrive", "--code", "unknown-outcome"]);
    workspace.ok(&["deliver"]);
    assert_eq!(states(&workspace)["hook"], "delivered 1");
    assert_stable(&receiver);
}

/// Starts `deliver` and kills it once the receiver has got so many requests.
fn kill_while_sending(workspace: &Workspace, receiver: &Receiver, requests: usize) {
    let mut child = workspace
        .command(&["deliver"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let began = Instant::now();
    while receiver.seen().len() < requests {
        assert!(began.elapsed() < Duration::from_secs(20), "nothing was sent");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    assert_eq!(code_of(child.wait().unwrap()), 137);
}

#[test]
fn a_run_goes_on_while_something_is_sent_and_a_second_deliver_does_not() {
    let workspace = workspace(1);
    let receiver = Receiver::start(|asked| {
        if asked.before == 0 {
            std::thread::sleep(Duration::from_secs(4));
        }
        answer(200)
    });
    let slow = endpoint("hook", &receiver.url("hook"), "").replace("\"1s\"", "\"30s\"");
    workspace.file("rules/outbox.toml", slow);
    workspace.ok(&["run"]);
    let child = workspace.command(&["deliver", "--quiet"]).spawn().unwrap();
    while workspace.number("SELECT count(*) FROM outbox_request") == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    workspace.run(&["deliver"]).expect_code(4);
    workspace.table("more.csv", &["9,2026-11-19T09:00:00Z,Jan Nowy,jan@example.com,,,PL,,"]);
    workspace.done(&["run"]);
    assert_eq!(code_of(child.wait_with_output().unwrap().status), 0);
    workspace.ok(&["deliver"]);
    assert_eq!(states(&workspace)["hook"], "delivered 2");
}

#[test]
fn nothing_is_sent_where_it_must_not_go_and_no_secret_is_shown() {
    let workspace = workspace(1);
    let metadata = endpoint("metadata", "https://169.254.169.254/latest", "");
    let private = endpoint("private", "https://10.0.0.1/hook", "");
    let decimal = endpoint("decimal", "https://2852039166/hook", "");
    let secret = endpoint("signed", "https://127.0.0.1:9/hook", "secret = { env = \"NO_SUCH\" }")
        .replace("\"plain\"", "\"webhook\"");
    workspace.file("rules/outbox.toml", [metadata, private, decimal, secret].concat());
    workspace.ok(&["run"]);
    let told = workspace.run(&["deliver", "--json"]).expect_code(3).says(&["NO_SUCH"]);
    for id in ["metadata", "private", "decimal"] {
        assert_eq!(states(&workspace)[id], "claimed 1", "{id}");
        let code = format!(
            "SELECT last_code FROM endpoint JOIN delivery_target USING (target_no) WHERE id = '{id}'"
        );
        assert_eq!(workspace.sql(&code).concat(), ["private-address"], "{id}");
    }
    assert_eq!(states(&workspace)["signed"], "pending 1");
    assert!(!told.stderr.contains("przyklad.pl"), "{}", told.stderr);

    workspace.file("rules/outbox.toml", endpoint("hook", "http://10.0.0.1/", "secret = \"tajne\""));
    let refused = workspace.run(&["check"]).expect_code(2).says(&["allow-private", "secret"]);
    assert!(!refused.stderr.contains("panicked"), "{}", refused.stderr);
}
