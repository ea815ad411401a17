//! `leadmill receive`: forms and webhooks come in, are checked, kept and acknowledged, and the next run has them.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use leadmill::model::ids::hex;
use sha2::Sha256;

use super::receiver::{Receiver, Reply, request};
use super::workspace::{Workspace, files_below};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
const MULTIPART: &str = "multipart/form-data; boundary=q";

/// What [`super::workspace::AS_OF`] is in seconds: the clock of a receiver stands still in tests.
const NOW_SECONDS: i64 = 1_795_201_200;

const CONTACT: &str = r#"
trusted-proxies = ["127.0.0.1"]

[[form]]
id = "contact"
path = "/contact"
source = "generic-json"
check = "none"
origins = ["https://www.przyklad.pl"]
honeypot = ["url2"]
required-any = ["email", "phone"]
drop = ["token"]
max-body-bytes = 4096
per-minute = 1000
per-address-per-minute = 1000
thank-you = "https://www.przyklad.pl/dziekujemy"
because = "The form of the contact page"
"#;

const HOOKS: &str = r#"
[[form]]
id = "typeform"
path = "/typeform"
source = "typeform-webhook"
check = "typeform"
secret = { env = "TYPEFORM" }
because = "b"

[[form]]
id = "webflow"
path = "/webflow"
source = "webflow"
check = "webflow"
secret = { env = "WEBFLOW" }
because = "b"

[[form]]
id = "google"
path = "/google"
source = "google-ads-webhook"
check = "google-ads"
secret = { file = "google.txt" }
because = "b"

[[form]]
id = "meta"
path = "/meta"
source = "meta-graph"
check = "meta"
secret = { env = "META" }
verify-token = { env = "META_TOKEN" }
because = "b"

[[form]]
id = "standard"
path = "/standard"
source = "generic-json"
check = "standard-webhooks"
secret = { env = "STANDARD" }
because = "b"

[[form]]
id = "partner"
path = "/partner"
source = "generic-json"
check = "shared-secret"
header = "X-Secret"
secret = { env = "PARTNER" }
because = "b"
"#;

/// `whsec_` and this in base64 is the secret of Standard Webhooks.
const STANDARD_KEY: &[u8] = b"a key of twenty-four byt";

fn contact() -> Workspace {
    let workspace = Workspace::new();
    workspace.file("rules/receive.toml", CONTACT);
    workspace
}

fn hooks() -> (Workspace, Receiver) {
    let workspace = Workspace::new();
    workspace.file("rules/receive.toml", HOOKS).secret("google.txt", "canary-google-key\n");
    let standard = format!("whsec_{}", STANDARD.encode(STANDARD_KEY));
    let receiver = Receiver::start_with(
        &workspace,
        &[
            ("TYPEFORM", "canary-typeform"),
            ("WEBFLOW", "canary-webflow"),
            ("META", "canary-meta"),
            ("META_TOKEN", "canary-token"),
            ("STANDARD", &standard),
            ("PARTNER", "canary-partner"),
        ],
    );
    (workspace, receiver)
}

/// Path, body and headers of a webhook.
type Case<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)]);

fn tag(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

/// Returns the lines of all files that are whole, by the start of their names.
fn kept(workspace: &Workspace, start: &str) -> Vec<serde_json::Value> {
    let files = files_below(&workspace.path("inbox/received"));
    let of_form =
        files.iter().filter(|(name, _)| name.starts_with(start) && name.ends_with(".jsonl"));
    of_form
        .flat_map(|(_, bytes)| {
            String::from_utf8(bytes.clone()).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
        })
        .map(|line| serde_json::from_str(&line).unwrap())
        .collect()
}

#[test]
fn a_form_becomes_a_lead_with_the_evidence_of_its_sending() {
    let workspace = contact();
    workspace.file("rules/workspace.toml", "ip = \"truncated\"\n");
    let receiver = Receiver::start(&workspace);
    let headers = [
        ("Content-Type", FORM),
        ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"),
        ("Referer", "https://www.przyklad.pl/kontakt?utm_source=google"),
        ("X-Forwarded-For", "192.0.2.1, 203.0.113.77"),
    ];
    let body =
        b"email=anna%40przyklad.pl&imi%C4%99+i+nazwisko=Anna+%C5%81%C4%99cka&token=t&ip=192.0.2.9";
    let receipt = receiver.send("POST", "/contact", &headers, body).receipt();
    let (code, log) = receiver.stop();
    assert_eq!(code, 0, "{log}");
    assert!(log.contains(&receipt) && log.contains("\"outcome\":\"new\""), "{log}");
    for secret in ["anna", "203.0.113", "Firefox", "kontakt?"] {
        assert!(!log.contains(secret), "the log tells {secret}: {log}");
    }
    let lines = kept(&workspace, "generic-json--contact-20261120T190000Z-1");
    assert_eq!(lines.len(), 1);
    let line = &lines[0];
    assert_eq!(line["leadmill"]["receipt"], receipt);
    assert_eq!(line["ip"], "203.0.113.0");
    assert_eq!(line["sent ip"], "192.0.2.9");
    assert_eq!(line["received_at"], "2026-11-20T19:00:00.000Z");
    assert_eq!(line["page_url"], "https://www.przyklad.pl/kontakt?utm_source=google");
    assert_eq!(line.get("token"), None);

    workspace.done(&["run"]);
    assert_eq!(workspace.run_json()["rows"]["created"], 1);
    let lead = &workspace.leads_csv()[0];
    assert_eq!(lead["email"], "anna@przyklad.pl");
    assert_eq!(lead["last-name"], "Łęcka");
    assert_eq!(lead["ip"], "203.0.113.0");
    assert!(lead["user-agent"].contains("Firefox"), "{lead:?}");
    let raw = &workspace.sql("SELECT raw FROM submissions")[0][0];
    assert!(!raw.contains("leadmill") && raw.contains("anna@przyklad.pl"), "{raw}");
}

#[test]
fn every_kind_of_body_is_read() {
    let workspace = contact();
    let receiver = Receiver::start(&workspace);
    receiver.post("/contact", JSON, r#"{"email":"a@example.com","tel":48600000101}"#).receipt();
    let list =
        receiver.post("/contact", JSON, r#"[{"email":"b@example.com"},{"email":"c@example.com"}]"#);
    assert_eq!(list.status, 200, "{list:?}");
    let receipts: serde_json::Value = serde_json::from_str(&list.body).unwrap();
    assert_eq!(receipts["receipts"].as_array().unwrap().len(), 2);
    let part = |name: &str, value: &str| {
        format!("--q\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let parts = part("email", "d@example.com") + &part("message", "Proszę o ofertę") + "--q--\r\n";
    receiver.post("/contact", MULTIPART, parts).receipt();
    let chunked = request(
        "POST",
        "/contact",
        &[("Content-Type", FORM), ("Transfer-Encoding", "chunked")],
        b"5\r\nemail\r\n10\r\n=e%40example.com\r\n0\r\n\r\n",
    );
    Reply::parse(&receiver.raw(&chunked)).receipt();
    receiver.stop();
    workspace.done(&["run"]);
    let emails: Vec<String> = workspace.sql("SELECT email FROM leads ORDER BY email").concat();
    let expected = ["a", "b", "c", "d", "e"].map(|name| format!("{name}@example.com"));
    assert_eq!(emails, expected);
}

#[test]
fn signed_webhooks_are_taken_and_others_are_not() {
    let (workspace, receiver) = hooks();
    let typeform = r#"{"event_id":"01","event_type":"form_response","form_response":{"form_id":"aBcD01","token":"0000000000000000000000000000a001","submitted_at":"2026-11-20T13:05:13Z","answers":[{"type":"email","email":"typeform@example.com","field":{"id":"F2","type":"email","ref":"r2"}}]}}"#;
    let webflow = r#"{"triggerType":"form_submission","payload":{"name":"Kontakt","data":{"Name":"Ewa Lis","Email":"webflow@example.com"},"submittedAt":"2026-11-20T13:05:13Z","id":"66a900000000000000000001"}}"#;
    let google = r#"{"lead_id":"Cj0KCQjw-000000000001","user_column_data":[{"string_value":"google@example.com","column_id":"EMAIL"}],"form_id":40000000001,"google_key":"canary-google-key",}"#;
    let standard = r#"{"email":"standard@example.com"}"#;
    let partner = r#"{"email":"partner@example.com"}"#;
    let typeform_tag =
        format!("sha256={}", STANDARD.encode(tag(b"canary-typeform", &[typeform.as_bytes()])));
    let webflow_at = (NOW_SECONDS * 1_000).to_string();
    let webflow_tag =
        hex(&tag(b"canary-webflow", &[webflow_at.as_bytes(), b":", webflow.as_bytes()]));
    let standard_at = NOW_SECONDS.to_string();
    let parts: [&[u8]; 5] = [b"msg_1", b".", standard_at.as_bytes(), b".", standard.as_bytes()];
    let standard_tag = format!("v1,{}", STANDARD.encode(tag(STANDARD_KEY, &parts)));
    let cases: [Case<'_>; 5] = [
        ("/typeform", typeform, &[("Typeform-Signature", &typeform_tag)]),
        (
            "/webflow",
            webflow,
            &[("X-Webflow-Signature", &webflow_tag), ("X-Webflow-Timestamp", &webflow_at)],
        ),
        ("/google", google, &[]),
        (
            "/standard",
            standard,
            &[
                ("webhook-id", "msg_1"),
                ("webhook-timestamp", &standard_at),
                ("webhook-signature", &standard_tag),
            ],
        ),
        ("/partner", partner, &[("X-Secret", "canary-partner")]),
    ];
    for (path, body, headers) in cases {
        let with = |headers: &[(&str, &str)], body: &str| {
            let headers = [&[("Content-Type", JSON)], headers].concat();
            receiver.send("POST", path, &headers, body.as_bytes())
        };
        with(headers, body).receipt();
        if path == "/google" {
            with(headers, &body.replace("canary", "other")).expect(401, "signature-wrong");
            with(headers, &body.replace("google_key", "other")).expect(401, "signature-missing");
        } else {
            with(&[], body).expect(401, "signature-missing");
        }
        if path != "/google" && path != "/partner" {
            with(headers, &body.replace("example.com", "example.org"))
                .expect(401, "signature-wrong");
        }
    }
    let (_, log) = receiver.stop();
    workspace.done(&["run"]);
    let sources = workspace.sql("SELECT DISTINCT source FROM submissions ORDER BY 1").concat();
    assert_eq!(sources, ["generic-json", "google-ads-webhook", "typeform-webhook", "webflow"]);
    let emails: Vec<String> = workspace.sql("SELECT email FROM leads ORDER BY email").concat();
    assert_eq!(
        emails,
        [
            "google@example.com",
            "partner@example.com",
            "standard@example.com",
            "typeform@example.com",
            "webflow@example.com"
        ]
    );
    // No secret gets anywhere.
    assert!(!log.contains("canary"), "{log}");
    for (name, bytes) in files_below(&workspace.path("")) {
        let is_there = bytes.windows(6).any(|window| window == b"canary");
        assert_eq!(is_there, name == "google.txt", "{name}");
    }
}

#[test]
fn an_old_signature_is_somebody_elses_copy() {
    let (_workspace, receiver) = hooks();
    let body = r#"{"triggerType":"form_submission"}"#;
    let at = ((NOW_SECONDS - 301) * 1_000).to_string();
    let signature = hex(&tag(b"canary-webflow", &[at.as_bytes(), b":", body.as_bytes()]));
    let headers = [
        ("Content-Type", JSON),
        ("X-Webflow-Signature", &*signature),
        ("X-Webflow-Timestamp", &*at),
    ];
    receiver.send("POST", "/webflow", &headers, body.as_bytes()).expect(401, "signature-stale");
}

#[test]
fn meta_is_answered_its_question_and_tells_of_leads() {
    let (workspace, receiver) = hooks();
    let ask = |token: &str| {
        let path =
            format!("/meta?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={token}");
        receiver.send("GET", &path, &[], b"")
    };
    assert_eq!((ask("canary-token").status, &*ask("canary-token").body), (200, "1158201444"));
    ask("guess").expect(403, "signature-wrong");
    let body = r#"{"object":"page","entry":[{"id":"300000000000001","time":1757682313,"changes":[{"field":"leadgen","value":{"leadgen_id":"100000000000002","form_id":"200000000000001","created_time":1757682313}}]}]}"#;
    let signature = format!("sha256={}", hex(&tag(b"canary-meta", &[body.as_bytes()])));
    let headers = [("Content-Type", JSON), ("X-Hub-Signature-256", &*signature)];
    receiver.send("POST", "/meta", &headers, body.as_bytes()).receipt();
    receiver.send("POST", "/meta", &headers, &body.as_bytes()[1..]).expect(401, "signature-wrong");
    receiver.stop();
    workspace.done(&["run"]);
    assert_eq!(workspace.run_json()["rows"]["read"], 1);
}

#[test]
fn the_same_submission_has_the_same_receipt_and_is_kept_once() {
    let workspace = contact();
    let receiver = Receiver::start(&workspace);
    let body = r#"{"email":"anna@przyklad.pl","message":"Proszę o wycenę"}"#;
    let first = receiver.post("/contact", JSON, body).receipt();
    assert_eq!(receiver.post("/contact", JSON, body).receipt(), first);
    let other = receiver.post("/contact", JSON, body.replace("wycen", "cen")).receipt();
    assert_ne!(other, first);
    receiver.kill();
    // What was killed left its file open; the next one closes it, and knows what is in it.
    let receiver = Receiver::start(&workspace);
    assert_eq!(receiver.post("/contact", JSON, body).receipt(), first);
    workspace.done(&["run"]);
    assert_eq!(receiver.post("/contact", JSON, body).receipt(), first);
    let (_, log) = receiver.stop();
    assert_eq!(log.matches("\"outcome\":\"repeat\"").count(), 2, "{log}");
    workspace.done(&["run"]);
    assert_eq!(workspace.number("SELECT count(*) FROM submissions"), 2);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 1);
}

#[test]
fn the_same_submission_from_many_at_once_is_kept_once() {
    let workspace = contact();
    let receiver = Receiver::start(&workspace);
    let receipts: Vec<String> = std::thread::scope(|scope| {
        let send = || receiver.post("/contact", FORM, "email=anna%40przyklad.pl").receipt();
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(send)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(receipts.iter().all(|receipt| *receipt == receipts[0]));
    receiver.stop();
    assert_eq!(kept(&workspace, "generic-json--contact").len(), 1);
}

#[test]
fn what_fills_in_a_field_that_people_cannot_see_is_held_as_spam() {
    let workspace = contact();
    let receiver = Receiver::start(&workspace);
    // It even lacks what people must fill in, and is told nothing.
    receiver.post("/contact", FORM, "name=x&url2=http%3A%2F%2Fspam.example").receipt();
    receiver.post("/contact", FORM, "email=anna%40przyklad.pl&url2=+").receipt();
    receiver.stop();
    workspace.done(&["run"]);
    let rows = &workspace.run_json()["rows"];
    assert_eq!((&rows["read"], &rows["held"], &rows["created"]), (&2.into(), &1.into(), &1.into()));
}

#[test]
fn what_cannot_be_taken_is_refused_in_so_many_words() {
    let workspace = contact();
    let receiver = Receiver::start(&workspace);
    receiver.post("/contact", FORM, "name=Anna").expect(422, "incomplete");
    receiver.post("/contact", FORM, "email=%B3").expect(400, "not-utf-8");
    receiver.post("/contact", JSON, "{\"email\":").expect(400, "broken");
    receiver.post("/contact", JSON, "{}").expect(400, "empty");
    receiver.post("/contact", FORM, "token=only").expect(400, "empty");
    receiver.post("/contact", "text/csv", "email\na@b.pl").expect(415, "kind");
    let file = "--q\r\nContent-Disposition: form-data; name=\"cv\"; filename=\"cv.pdf\"\r\n\r\n%PDF\r\n--q--";
    receiver.post("/contact", MULTIPART, file).expect(415, "files");
    receiver.post("/elsewhere", FORM, "email=a%40b.pl").expect(404, "not-found");
    let get = receiver.send("GET", "/contact", &[], b"");
    assert_eq!(get.expect(405, "method").header("allow"), Some("POST, OPTIONS"));
    let zipped = [("Content-Type", JSON), ("Content-Encoding", "gzip")];
    receiver.send("POST", "/contact", &zipped, b"x").expect(415, "encoding");
    let without = b"POST /contact HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\r\n";
    Reply::parse(&receiver.raw(without)).expect(411, "length");
    let cut =
        request("POST", "/contact", &[("Content-Type", JSON), ("Content-Length", "100")], b"{");
    assert!(["", "HTTP/1.1 400"].iter().any(|start| receiver.raw(&cut).starts_with(start)));
    let (code, log) = receiver.stop();
    assert_eq!(code, 0, "{log}");
    assert_eq!(kept(&workspace, ""), [serde_json::Value::Null; 0]);
}

#[test]
fn what_is_too_large_is_refused_before_and_while_it_is_read() {
    let workspace = contact();
    let receiver = Receiver::start(&workspace);
    let body = |bytes: usize| format!("email=a%40b.pl&m={}", "x".repeat(bytes - 17));
    receiver.post("/contact", FORM, body(4_096)).receipt();
    receiver.post("/contact", FORM, body(4_097)).expect(413, "too-large");
    receiver.post("/contact", FORM, body(900_000)).expect(413, "too-large");
    let announced = [("Content-Type", FORM), ("Content-Length", "99999999999")];
    receiver.send("POST", "/contact", &announced, b"email=").expect(413, "too-large");
    let head =
        format!("POST /contact HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n", "x".repeat(100_000));
    let answer = receiver.raw(head.as_bytes());
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    // It is still up.
    assert_eq!(receiver.send("GET", "/health", &[], b"").status, 200);
}

#[test]
fn requests_behind_each_other_on_one_connection_are_answered_in_turn() {
    let workspace = contact();
    let receiver = Receiver::start(&workspace);
    let one = |name: &str| {
        request(
            "POST",
            "/contact",
            &[("Content-Type", FORM)],
            format!("email={name}%40b.pl").as_bytes(),
        )
    };
    let both = [one("a"), one("b"), request("GET", "/health", &[], b"")].concat();
    let answers = receiver.raw(&both);
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 3, "{answers}");
    assert_eq!(answers.matches("\"receipt\"").count(), 2, "{answers}");
    receiver.stop();
    assert_eq!(kept(&workspace, "generic-json--contact").len(), 2);
}

#[test]
fn who_is_slow_holds_nobody_up_and_is_shown_the_door() {
    let workspace = contact();
    let receiver = Receiver::start(&workspace);
    let began = Instant::now();
    let mut slow: Vec<TcpStream> = (0..40)
        .map(|number| {
            let mut stream = TcpStream::connect(receiver.address).unwrap();
            let head = "POST /contact HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
            stream.write_all(head.as_bytes()).unwrap();
            if number % 2 == 0 {
                stream.write_all(b"Content-Length: 100\r\n\r\n{").unwrap();
            }
            stream
        })
        .collect();
    receiver.post("/contact", FORM, "email=fast%40b.pl").receipt();
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    for stream in &mut slow {
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let mut answer = String::new();
        // Ended with an answer or without one, but ended.
        let _ = stream.read_to_string(&mut answer);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    }
    assert!(began.elapsed() < Duration::from_secs(29), "{:?}", began.elapsed());
}

#[test]
fn pages_of_others_may_not_send() {
    let workspace = contact();
    let receiver = Receiver::start(&workspace);
    let from = |method: &str, origin: &str, body: &str| {
        let headers = [("Origin", origin), ("Content-Type", JSON)];
        receiver.send(method, "/contact", &headers, body.as_bytes())
    };
    let own = "https://www.przyklad.pl";
    let asked = from("OPTIONS", own, "");
    assert_eq!((asked.status, &*asked.body), (204, ""));
    assert_eq!(asked.header("access-control-allow-origin"), Some(own));
    assert_eq!(asked.header("access-control-allow-methods"), Some("POST"));
    assert_eq!(asked.header("access-control-allow-headers"), Some("content-type"));
    let sent = from("POST", own, r#"{"email":"a@b.pl"}"#);
    sent.receipt();
    assert_eq!(sent.header("access-control-allow-origin"), Some(own));
    assert_eq!(sent.header("vary"), Some("origin"));
    // Its scripts get to know why something was refused, too.
    let refused = from("POST", own, "{}");
    assert_eq!(refused.expect(400, "empty").header("access-control-allow-origin"), Some(own));
    for other in
        ["https://www.przyklad.pl.evil.example", "http://www.przyklad.pl", "https://przyklad.pl"]
    {
        for method in ["OPTIONS", "POST"] {
            let answer = from(method, other, r#"{"email":"b@b.pl"}"#);
            assert_eq!(answer.expect(403, "origin").header("access-control-allow-origin"), None);
        }
    }
    // A browser that hides where its user is.
    from("POST", "null", r#"{"email":"c@b.pl"}"#).receipt();
}

#[test]
fn a_plain_form_goes_on_to_the_page_of_the_rules() {
    let workspace = contact();
    let receiver = Receiver::start(&workspace);
    let headers = [("Content-Type", FORM), ("Accept", "text/html,application/xhtml+xml")];
    let answer =
        receiver.send("POST", "/contact?to=https://evil.example", &headers, b"email=a%40b.pl");
    assert_eq!(answer.status, 303);
    assert_eq!(answer.header("location"), Some("https://www.przyklad.pl/dziekujemy"));
}

#[test]
fn who_sends_too_much_waits() {
    let workspace = Workspace::new();
    let rules = CONTACT.replace("per-address-per-minute = 1000", "per-address-per-minute = 3");
    workspace.file("rules/receive.toml", rules);
    let receiver = Receiver::start(&workspace);
    let from = |address: &str, number: u32| {
        let headers = [("Content-Type", FORM), ("X-Forwarded-For", address)];
        receiver.send("POST", "/contact", &headers, format!("email=a{number}%40b.pl").as_bytes())
    };
    for number in 0..3 {
        from("203.0.113.7", number).receipt();
    }
    let refused = from("203.0.113.7", 3);
    assert_eq!(refused.expect(429, "too-many").header("retry-after"), Some("20"));
    from("203.0.113.8", 3).receipt();
}

#[test]
fn one_receiver_is_enough() {
    let workspace = contact();
    let receiver = Receiver::start(&workspace);
    let second = workspace.run(&["receive", "--listen", "127.0.0.1:0"]);
    second.expect_code(4).says(&["another `leadmill receive` writes to", "hint: "]);
    receiver.post("/contact", FORM, "email=a%40b.pl").receipt();
    receiver.stop();
    let third = Receiver::start(&workspace);
    third.post("/contact", FORM, "email=b%40b.pl").receipt();
}

#[test]
fn a_run_takes_in_what_came_until_then_while_more_comes() {
    let workspace = contact();
    let receiver = Receiver::start(&workspace);
    for number in 0..5 {
        receiver.post("/contact", FORM, format!("email=a{number}%40example.com")).receipt();
        workspace.done(&["run"]);
        assert_eq!(workspace.number("SELECT count(*) FROM leads"), number + 1);
    }
    let (code, log) = receiver.stop();
    assert_eq!(code, 0, "{log}");
    assert_eq!(kept(&workspace, "generic-json--contact").len(), 5);
}

#[test]
fn what_cannot_be_kept_is_not_acknowledged() {
    let workspace = contact();
    let receiver = Receiver::start(&workspace);
    receiver.post("/contact", FORM, "email=a%40b.pl").receipt();
    let folder = workspace.path("inbox/received");
    let aside = workspace.path("inbox/aside");
    fs::rename(&folder, &aside).unwrap();
    fs::write(&folder, "in the way").unwrap();
    let refused = receiver.post("/contact", FORM, "email=b%40b.pl");
    assert!(refused.expect(503, "not-kept").header("retry-after").is_some());
    assert_eq!(receiver.send("GET", "/health", &[], b"").status, 503);
    fs::remove_file(&folder).unwrap();
    receiver.post("/contact", FORM, "email=b%40b.pl").receipt();
    assert_eq!(receiver.send("GET", "/health", &[], b"").status, 200);
    let (code, log) = receiver.stop();
    assert_eq!(code, 0, "{log}");
    assert!(log.contains("error: cannot make a file in"), "{log}");
    // What had been kept before is where it was moved to.
    let moved = files_below(&aside);
    assert!(
        moved.iter().any(|(name, bytes)| name.ends_with(".part") && !bytes.is_empty()),
        "{moved:?}"
    );
    assert_eq!(kept(&workspace, "generic-json--contact").len(), 1);
}

#[test]
fn a_receiver_without_forms_or_secrets_says_what_to_do() {
    let workspace = Workspace::new();
    workspace.run(&["receive"]).expect_code(2).says(&["opens no form", "hint: "]);
    workspace.file("rules/receive.toml", HOOKS);
    let open = || workspace.run(&["receive"]).expect_code(2);
    open().says(&[
        "the form `typeform` cannot check who sends",
        "TYPEFORM, which holds the secret, is not set",
    ]);
    let typeform = HOOKS.split("[[form]]").nth(1).unwrap();
    let rules =
        format!("[[form]]{}", typeform.replace("env = \"TYPEFORM\"", "file = \"typeform.txt\""));
    workspace.file("rules/receive.toml", rules);
    open().says(&["cannot read the secret", "typeform.txt"]);
    workspace.secret("typeform.txt", " \n");
    open().says(&["typeform.txt is no secret: it is empty"]);
}

#[test]
fn an_address_that_is_taken_is_said() {
    let workspace = contact();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    workspace
        .run(&["receive", "--listen", &address])
        .expect_code(1)
        .says(&[&format!("cannot listen on {address}: "), "hint: --listen"]);
}
