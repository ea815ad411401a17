//! What `receive.toml` can say, and what it cannot.

use super::*;
use crate::rules::decode::{Sink, document};
use crate::rules::diagnostics::RuleText;
use crate::rules::secret::SecretSource;

const SOURCES: &[&str] = &["generic-json", "typeform-webhook", "meta-graph"];

fn read(text: &str) -> (ReceivePolicy, Vec<String>) {
    let sink = Sink::default();
    let file = RuleText { path: "rules/receive.toml".into(), text: text.into() };
    let mut policy = ReceivePolicy::default();
    document(&file, &sink, |root| policy = ReceivePolicy::decode(Some(root), SOURCES));
    (policy, sink.take().into_iter().map(|found| found.message).collect())
}

/// Reads a form with `rest` beside what every form needs.
fn form(rest: &str) -> String {
    format!(
        "[[form]]\nid = 'contact'\npath = '/contact'\nsource = 'generic-json'\nbecause = 'b'\n{rest}\n"
    )
}

#[track_caller]
fn check(rest: &str, expected: &[&str]) {
    assert_eq!(read(&form(rest)).1, expected, "{rest}");
}

#[test]
fn the_shipped_file_opens_nothing() {
    let (policy, found) = read(include_str!("../../../rules/receive.toml"));
    assert_eq!(found, [""; 0]);
    assert_eq!(policy, ReceivePolicy::default());
}

#[test]
fn the_commented_examples_are_sound() {
    let text = include_str!("../../../rules/receive.toml");
    let examples: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix('#').filter(|line| !line.starts_with(' ')))
        .collect();
    let examples = examples.join("\n");
    let sink = Sink::default();
    let file = RuleText { path: "rules/receive.toml".into(), text: examples.as_str().into() };
    let presets = crate::rules::RuleSet::parse(&crate::rules::embedded::texts()).unwrap().0.sources;
    let known: Vec<&str> = presets.iter().map(|preset| preset.id.as_str()).collect();
    let mut policy = ReceivePolicy::default();
    document(&file, &sink, |root| policy = ReceivePolicy::decode(Some(root), &known));
    let found: Vec<String> = sink.take().into_iter().map(|found| found.message).collect();
    assert_eq!(found, [""; 0], "{examples}");
    assert!(policy.forms.len() >= 5, "{examples}");
}

#[test]
fn who_sends_decides_what_is_usual() {
    let (policy, found) = read(&form("check = 'none'"));
    assert_eq!(found, [""; 0]);
    let contact = &policy.forms[0];
    assert_eq!((contact.sender, contact.per_address_per_minute), (Sender::Visitor, Some(10)));
    let (policy, found) = read(&form("check = 'typeform'\nsecret = { env = 'S' }"));
    assert_eq!(found, [""; 0]);
    let typeform = &policy.forms[0];
    assert_eq!(typeform.check, Check::Typeform(SecretSource::Env("S".to_owned())));
    assert_eq!((typeform.sender, typeform.per_address_per_minute), (Sender::Service, None));
    assert!(typeform.repeats_within_seconds > contact.repeats_within_seconds);
}

#[test]
fn a_secret_never_stands_in_the_rules() {
    check(
        "check = 'typeform'\nsecret = 'hunter2'",
        &["`secret` stands here itself instead of where it is"],
    );
    check("check = 'typeform'", &["`secret` is missing"]);
    check(
        "check = 'typeform'\nsecret = { env = 'A', file = 'b' }",
        &["`secret` does not say where it is"],
    );
    check("check = 'none'\nsecret = { env = 'A' }", &["nothing checks the secret"]);
    check("check = 'meta'\nsecret = { env = 'A' }", &["`verify-token` is missing"]);
    check(
        "check = 'typeform'\nsecret = { env = 'A' }\nverify-token = { env = 'B' }",
        &["only Meta asks for a token"],
    );
}

#[test]
fn a_shared_secret_has_one_place() {
    let shared = "check = 'shared-secret'\nsecret = { file = 'secret.txt' }";
    check(shared, &["a shared secret stands in a header or in a field"]);
    check(
        &format!("{shared}\nheader = 'X-A'\nfield = 'a'"),
        &["a shared secret stands in a header or in a field"],
    );
    check(&format!("{shared}\nheader = 'X A'"), &["`X A` cannot be a header"]);
    check(&format!("{shared}\nheader = 'X-Secret'"), &[]);
    check(
        "check = 'none'\nfield = 'a'",
        &["`field` says where a shared secret stands, and this check has none"],
    );
}

#[test]
fn mistakes_are_named() {
    check("check = 'nothing'", &["`check` cannot be `nothing`"]);
    check(
        "check = 'none'\norigins = ['https://a.example/form']",
        &["`https://a.example/form` is no origin"],
    );
    check("check = 'none'\norigins = ['*', 'https://a.example:8443']", &[]);
    check("check = 'none'\nthank-you = '/thanks'", &["`/thanks` is no page"]);
    check("check = 'none'\nmax-body-bytes = 0", &["`max-body-bytes` goes from 1 to 1048576"]);
    check("check = 'none'\nper-minute = -1", &["`per-minute` goes from 1 to 1000000"]);
    check("check = 'none'\nrepeats-within = '60d'", &["`repeats-within` goes up to 31d"]);
    check(
        "check = 'none'\nhoneypot = 'url2'\nrequired = ['url2']",
        &["`url2` cannot be required: only bots fill in a honeypot"],
    );
    assert_eq!(
        read("close-after = '0s'\ntrusted-proxies = ['localhost']").1,
        ["`close-after` has to be above 0", "`localhost` is no network"]
    );
}

#[test]
fn forms_are_told_apart() {
    let twice = form("check = 'none'").repeat(2);
    assert_eq!(
        read(&twice).1,
        ["form `contact` exists already (line 2)", "path `/contact` exists already (line 2)"]
    );
    let other = |id: &str, path: &str, source: &str| {
        let text = format!(
            "[[form]]\nid = '{id}'\npath = '{path}'\nsource = '{source}'\nbecause = 'b'\ncheck = 'none'\n"
        );
        read(&text).1
    };
    assert_eq!(other("a--b", "/a", "generic-json"), ["`a--b` cannot be the id of a form"]);
    assert_eq!(other("a", "a?b", "generic-json"), ["`a?b` cannot be a path"]);
    assert_eq!(
        other("a", "/health", "generic-json"),
        ["`/health` says whether the receiver lives"]
    );
    assert_eq!(other("a", "/a", "typeform"), ["there is no source `typeform`"]);
}
