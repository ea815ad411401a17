//! Receivers that make a record of each lead and know it by an id of their own: one lead, one record.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::far_end::{Deed, Receiver, Seen, answer};
use super::outbox::{assert_stable, deliver_after, endpoint, states, workspace};
use super::workspace::{AS_OF, Workspace, assert_fits_a_terminal};

const SHAPE: &str = "[request]
id = \"record\"
name = \"Record\"
because = \"a test\"
source = \"a test\"
id-header = \"webhook-id\"
record-at = \"data.id\"
update = \"PATCH\"
each = '{\"mail\":{{ row.email | tojson }},\"message\":{{ row.message | tojson }}}'
";

/// A workspace with one lead for an endpoint `crm` of that shape.
fn with_records(receiver: &Receiver, more: &str) -> Workspace {
    let workspace = workspace(1);
    workspace.file("rules/requests/record.toml", SHAPE);
    workspace.file(
        "rules/outbox.toml",
        format!(
            "[[endpoint]]\nid = \"crm\"\nkind = \"http\"\nrequest = \"record\"\ntarget = \"leads-json\"\n\
             url = \"{}\"\nbecause = \"a test\"\ntimeout = \"1s\"\n{more}",
            receiver.url("crm")
        ),
    );
    workspace.ok(&["run"]);
    workspace
}

/// The lead writes again, and something else.
fn write_again(workspace: &Workspace, message: &str) {
    let minute = workspace.number("SELECT count(*) FROM submission");
    let row = format!(
        "{message},2026-11-19T09:{minute:02}:00Z,Osoba Numer0,osoba0@przyklad.pl,+48600000000,Firma 0,PL,{message},yes"
    );
    workspace.table(&format!("{message}.csv"), &[&row]);
    // A dead letter is worth an alert.
    workspace.done(&["run", "--as-of", AS_OF]);
}

/// Drops the one dead letter that is open, with these arguments.
fn drop_letter(workspace: &Workspace, args: &[&str]) {
    let open = "SELECT dead_letter_no FROM dead_letters WHERE state = 'open'";
    let [letter] = &workspace.sql(open).concat()[..] else { panic!("not one letter is open") };
    workspace.ok(&[&["dead-letter", "drop", letter][..], args].concat());
}

fn made(id: &Value) -> Deed {
    Deed::Answer(201, json!({"success": true, "data": {"id": id}}).to_string())
}

fn requests(receiver: &Receiver) -> Vec<String> {
    receiver.seen().iter().map(|one| format!("{} {}", one.method, one.path)).collect()
}

#[test]
fn a_lead_is_made_once_in_pipedrive_with_its_person_first() {
    let workspace = workspace(2);
    let receiver = Receiver::start(|asked| match asked.path {
        "persons" => made(&json!(501 + asked.before_here)),
        _ => made(&json!(format!("00000000-0000-4000-8000-{:012}", asked.before_here))),
    });
    let endpoint = |id: &str, request: &str, target: &str, path: &str, more: &str| {
        format!(
            "[[endpoint]]\nid = \"{id}\"\nkind = \"http\"\nrequest = \"{request}\"\ntarget = \"{target}\"\n\
             url = \"{}\"\nsecret = {{ file = \"token\" }}\nbecause = \"a test\"\n{more}\n",
            receiver.url(path)
        )
    };
    // The order of the file does not matter.
    let leads =
        endpoint("inbox", "pipedrive-lead", "pipedrive-leads-api", "leads", "parent = \"persons\"");
    let persons = endpoint("persons", "pipedrive-person", "pipedrive-persons-api", "persons", "");
    workspace.file("rules/outbox.toml", leads + &persons);
    workspace.secret("token", "geheim\n");
    workspace.ok(&["run"]);
    workspace.ok(&["deliver"]);
    assert_eq!(states(&workspace)["persons"], "delivered 2");
    assert_eq!(states(&workspace)["inbox"], "delivered 2");
    let seen = receiver.seen();
    let is_person = |one: &&Seen| one.path == "persons";
    assert_eq!(seen.iter().take_while(is_person).count(), 2, "{:?}", requests(&receiver));
    let body = |one: &Seen| serde_json::from_str::<Value>(&one.body).unwrap();
    for (at, one) in seen.iter().enumerate() {
        assert_eq!((&*one.method, one.header("x-api-token")), ("POST", "geheim"), "{at}");
    }
    let mut of_persons = Vec::new();
    for (at, one) in seen[..2].iter().enumerate() {
        let body = body(one);
        let email = body["emails"][0]["value"].as_str().unwrap().to_owned();
        let mut expected = json!({
            "name": body["name"],
            "emails": [{"value": email, "primary": true, "label": "work"}],
        });
        // The number of the first is a placeholder, and nothing is said of what is not there.
        if email.starts_with("osoba1@") {
            expected["phones"] =
                json!([{"value": "+48600000001", "primary": true, "label": "mobile"}]);
        }
        assert_eq!(body, expected);
        of_persons.push((501 + at, email));
    }
    let ids = workspace.sql("SELECT id, email FROM leads").into_iter();
    let ids: std::collections::BTreeMap<String, String> =
        ids.map(|row| (row[0].clone(), row[1].clone())).collect();
    for one in &seen[2..] {
        let body = body(one);
        assert_eq!(body.as_object().unwrap().len(), 3, "{body}");
        let email = &ids[body["origin_id"].as_str().unwrap()];
        let person = of_persons.iter().find(|(_, known)| known == email).unwrap().0;
        assert_eq!(body["person_id"], json!(person), "{body}");
        assert!(body["title"].as_str().unwrap().starts_with("Osoba Numer"), "{body}");
    }
    let known = "SELECT count(*) FROM deliveries WHERE target IN ('persons', 'inbox') AND record_id IS NOT NULL";
    assert_eq!(workspace.number(known), 4);
    // Another name is another row, and Pipedrive's is for sales to change.
    workspace.table(
        "again.csv",
        &["9,2026-11-19T09:00:00Z,Osoba Inna,osoba0@przyklad.pl,+48600000000,Firma 0,PL,Jeszcze raz,yes"],
    );
    workspace.ok(&["run"]);
    workspace.ok(&["deliver"]);
    assert_eq!(receiver.seen().len(), 4, "{:?}", requests(&receiver));
    let unchanged = workspace.run_json()["deliveries"].clone();
    let of = |id: &str| {
        unchanged.as_array().unwrap().iter().find(|one| one["target"] == id).unwrap().clone()
    };
    assert_eq!(of("persons")["unchanged"], 1, "{unchanged}");
}

/// A workspace with one lead for `persons`, and for `leads-of`, whose records are made under those; `more` endpoints.
fn with_family(receiver: &Receiver, more: &str) -> Workspace {
    let workspace = workspace(1);
    workspace.file("rules/requests/record.toml", SHAPE);
    let child = SHAPE.replace("\"record\"", "\"child\"") + "parent-as = \"under\"\n";
    workspace.file("rules/requests/child.toml", child);
    let endpoint = |id: &str, request: &str, more: &str| {
        format!(
            "[[endpoint]]\nid = \"{id}\"\nkind = \"http\"\nrequest = \"{request}\"\ntarget = \"leads-json\"\n\
             url = \"{}\"\nbecause = \"a test\"\n{more}\n",
            receiver.url(id)
        )
    };
    let both =
        endpoint("persons", "record", "") + &endpoint("leads-of", "child", "parent = \"persons\"");
    workspace.file("rules/outbox.toml", both + more);
    workspace.ok(&["run"]);
    workspace
}

#[test]
fn what_is_made_under_a_record_waits_for_that_and_for_no_other_endpoint() {
    let is_made = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&is_made);
    let receiver = Receiver::start(move |asked| {
        is_made.fetch_or(asked.path == "leads-of", Ordering::Relaxed);
        made(&json!(asked.path))
    });
    let slow = Receiver::start(move |_| {
        let began = Instant::now();
        while !seen.load(Ordering::Relaxed) && began.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(5));
        }
        answer(if seen.load(Ordering::Relaxed) { 200 } else { 422 })
    });
    let other = endpoint("slow", &slow.url("slow"), "").replace("\"1s\"", "\"20s\"");
    let workspace = with_family(&receiver, &other);
    deliver_after(&workspace, 1).expect_code(0);
    assert_eq!(slow.count("slow"), 1);
}

#[test]
fn what_waits_for_a_person_that_is_refused_waits() {
    let receiver = Receiver::start(|asked| match asked.path {
        "persons" if asked.before_here == 0 => answer(422),
        path => made(&json!(path)),
    });
    let workspace = with_family(&receiver, "");
    deliver_after(&workspace, 1).expect_code(3);
    assert_eq!(states(&workspace)["leads-of"], "pending 1");
    let told = workspace.ok(&["deliver", "--dry-run"]);
    assert!(told.flat().contains("1 of them for a record at the endpoint"), "{}", told.stdout);
    assert_fits_a_terminal(&told.stdout);
    assert_eq!(receiver.count("leads-of"), 0);
    workspace.ok(&["dead-letter", "redrive", "--target", "persons"]);
    deliver_after(&workspace, 2).expect_code(0);
    assert_eq!(states(&workspace)["leads-of"], "delivered 1");
    let body: Value = serde_json::from_str(&receiver.seen().last().unwrap().body).unwrap();
    assert_eq!(body["under"], "persons");
}

#[test]
fn a_record_that_is_known_is_changed_and_none_is_made_twice() {
    let receiver = Receiver::start(|_| made(&json!("a/7")));
    let workspace = with_records(&receiver, "");
    deliver_after(&workspace, 1).expect_code(0);
    write_again(&workspace, "Drugie");
    deliver_after(&workspace, 2).expect_code(0);
    assert_eq!(requests(&receiver), ["POST crm", "PATCH crm/a%2F7"]);
    assert!(receiver.seen()[1].body.contains("Drugie"));
    assert_stable(&receiver);
    workspace.ok(&["subject", "forget", "osoba0@przyklad.pl", "--because", "asked"]);
    let left = "SELECT count(*) FROM outbox_request WHERE record_id <> ''";
    assert_eq!(workspace.number(left), 0, "the id of a record is of the person");
    assert_eq!(workspace.number("SELECT count(*) FROM target_record"), 0);
}

#[test]
fn where_nobody_knows_whether_a_record_was_made_no_other_is() {
    let receiver = Receiver::start(|asked| match asked.before {
        // What makes a record, twice, and then an update, which may be sent again.
        0 | 1 | 3 => Deed::ResetAfterBody,
        _ => made(&json!(7)),
    });
    let workspace = with_records(&receiver, "concurrency = 1");
    deliver_after(&workspace, 1).expect_code(3);
    assert_eq!(states(&workspace)["crm"], "held 1");
    write_again(&workspace, "Drugie");
    let told = deliver_after(&workspace, 300).expect_code(3).json();
    assert_eq!(told["endpoints"][0]["waiting"]["for_look"], 1, "{told}");
    assert_eq!(states(&workspace)["crm"], "held 1, pending 1");
    assert_eq!(requests(&receiver), ["POST crm"], "somebody has to look first");
    let code = workspace.sql("SELECT code FROM dead_letters WHERE state = 'open'").concat();
    assert_eq!(code, ["unknown-outcome"]);
    // They looked: it is not there. The next one is lost like it, and to be looked at as well.
    drop_letter(&workspace, &["--because", "it is not there"]);
    deliver_after(&workspace, 301).expect_code(3);
    assert_eq!(states(&workspace)["crm"], "dropped 1, held 1");
    write_again(&workspace, "Trzecie");
    drop_letter(&workspace, &["--because", "nor is this"]);
    deliver_after(&workspace, 302).expect_code(0);
    write_again(&workspace, "Czwarte");
    deliver_after(&workspace, 303);
    assert_eq!(
        requests(&receiver),
        ["POST crm", "POST crm", "POST crm", "PATCH crm/7", "PATCH crm/7"]
    );
    assert_eq!(states(&workspace)["crm"], "delivered 2, dropped 2");
    assert_stable(&receiver);
}

#[test]
fn a_receiver_that_does_not_say_what_it_made_is_looked_at() {
    let receiver = Receiver::start(|_| Deed::Answer(201, "{\"success\":true}".to_owned()));
    let workspace = with_records(&receiver, "on-unknown = \"resend\"");
    deliver_after(&workspace, 1).expect_code(3);
    deliver_after(&workspace, 300).expect_code(3);
    write_again(&workspace, "Drugie");
    deliver_after(&workspace, 301).expect_code(3);
    assert_eq!(receiver.seen().len(), 1, "whatever is sent again, no record is made twice");
    assert_eq!(states(&workspace)["crm"], "held 1, pending 1");
    let why = workspace.sql("SELECT code, reason FROM dead_letters").concat();
    assert_eq!(why, ["no-record", "the receiver took it and did not say what it calls the record"]);
}

#[test]
fn a_record_that_somebody_found_there_is_changed_from_then_on() {
    let receiver = Receiver::start(|asked| match asked.before {
        0 => Deed::ResetAfterBody,
        _ => made(&json!(7)),
    });
    let workspace = with_records(&receiver, "");
    deliver_after(&workspace, 1).expect_code(3);
    write_again(&workspace, "Drugie");
    let letter = workspace.sql("SELECT dead_letter_no FROM dead_letters").concat();
    let shown = workspace.ok(&["dead-letter", "show", &letter[0]]);
    assert!(shown.flat().contains("--record ID"), "{}", shown.stdout);
    assert_fits_a_terminal(&shown.stdout);
    let found = |id| ["--because", "it is there", "--record", id];
    let no_id = [&["dead-letter", "drop", &letter[0]][..], &found("..")].concat();
    workspace.run(&no_id).expect_code(2).says(&["no id of a record"]);
    drop_letter(&workspace, &found("7"));
    assert_eq!(states(&workspace)["crm"], "delivered 1, pending 1");
    deliver_after(&workspace, 300).expect_code(0);
    assert_eq!(requests(&receiver), ["POST crm", "PATCH crm/7"]);
    assert_eq!(states(&workspace)["crm"], "delivered 2");
    assert_stable(&receiver);
    let stuck = "SELECT count(*) FROM outbox_request WHERE state <> 'done'";
    assert_eq!(workspace.number(stuck), 0, "nor is the request any more");
}

#[test]
fn a_record_that_is_gone_is_no_fault_of_the_endpoint_and_can_be_forgotten() {
    for status in [404, 410] {
        let receiver = Receiver::start(move |asked| match asked.path {
            "crm/7" => answer(status),
            _ => made(&json!(7 + asked.before_here)),
        });
        let workspace = with_records(&receiver, "");
        deliver_after(&workspace, 1).expect_code(0);
        write_again(&workspace, "Drugie");
        deliver_after(&workspace, 2).expect_code(3);
        let why = workspace.sql("SELECT reason FROM dead_letters").concat();
        assert_eq!(why, ["the receiver has no record 7 any more"], "{status}");
        let health = "SELECT faults, gone_as, last_code FROM endpoint";
        assert_eq!(workspace.sql(health).concat(), ["0", "", ""], "{status}");
        let shown = workspace.ok(&["dead-letter", "show", "1"]);
        assert!(shown.flat().contains("--forget-record"), "{}", shown.stdout);
        drop_letter(&workspace, &["--because", "sales deleted it", "--forget-record"]);
        write_again(&workspace, "Trzecie");
        deliver_after(&workspace, 3).expect_code(0);
        assert_eq!(requests(&receiver), ["POST crm", "PATCH crm/7", "POST crm"], "{status}");
        let known = workspace.sql("SELECT record_id FROM target_record").concat();
        assert_eq!(known, ["8"], "{status}");
    }
}

#[test]
fn what_waits_for_long_is_an_alert_of_its_endpoint_and_stands_on_the_page() {
    let receiver =
        Receiver::start(|asked| if asked.before == 0 { answer(401) } else { made(&json!(7)) });
    let workspace = with_records(&receiver, "");
    let open = "SELECT key FROM alerts WHERE closed_at IS NULL AND rule = 'deliveries-waiting'";
    let page = |workspace: &Workspace| workspace.latest("report.html");
    deliver_after(&workspace, 1).expect_code(3);
    assert!(page(&workspace).contains("<code>crm</code>"), "what was laid down waits");
    workspace.run(&["run", "--as-of", "2026-11-21T18:00:00Z"]).expect_code(0);
    assert_eq!(workspace.sql(open).len(), 0);
    let told = workspace.run(&["run", "--as-of", "2026-11-21T19:00:00Z"]);
    told.expect_code(3);
    let message = workspace.run_json()["alerts"][0]["message"].clone();
    let begins = "crm: 1 to be sent, the oldest waiting for 24 h (http-401): ";
    assert!(message.as_str().unwrap().starts_with(begins), "{message}");
    assert_eq!(workspace.sql(open), [["deliveries-waiting/crm"]]);
    assert!(page(&workspace).contains("http-401"), "and why");
    let rules = std::fs::read_to_string(workspace.path("rules/outbox.toml")).unwrap();
    workspace.file("rules/outbox.toml", format!("{rules}enabled = false\n"));
    workspace.run(&["run", "--as-of", "2026-11-21T19:05:00Z"]).expect_code(0);
    assert_eq!(workspace.sql(open).len(), 0, "what is off keeps nobody waiting");
    workspace.file("rules/outbox.toml", rules);
    deliver_after(&workspace, 24 * 60 + 10).expect_code(0);
    workspace.run(&["run", "--as-of", "2026-11-21T20:00:00Z"]).expect_code(0);
    assert_eq!(workspace.sql(open).len(), 0);
    assert!(!page(&workspace).contains("<code>crm</code>"));
}
