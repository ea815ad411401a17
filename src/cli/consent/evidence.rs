//! A record of the ledger in words.

use serde_json::{Value, json};

use super::local;
use crate::model::ids::hex;
use crate::pipeline::proof::place_of;
use crate::rules::RuleSet;
use crate::store::ledger::reading::Kept;

/// Returns what is known of a record, each with its name.
pub fn facts(record: &Kept, rules: &RuleSet) -> Vec<(&'static str, String)> {
    let evidence = record.evidence.clone().unwrap_or_default();
    let undated =
        if record.is_dated { "" } else { ", when it was received; the source does not say" };
    let mut facts = vec![
        (
            "said",
            format!("{} to {} by {}", record.state.word(), record.purpose, record.channel.word()),
        ),
        ("for", evidence.address.unwrap_or_else(|| "the person".to_owned())),
        ("when", format!("{}{undated}", local(rules, record.event_ms))),
        ("how", record.mechanism.clone()),
        (
            "wording",
            record.wording.as_ref().map_or_else(|| "erased".to_owned(), |(text, _)| text.clone()),
        ),
    ];
    if let Some((_, sha256)) = &record.wording {
        facts.push(("its SHA-256", hex(sha256)));
    }
    for (name, value) in [
        ("answer", evidence.answer),
        ("policy", record.policy.clone()),
        ("form", evidence.form),
        ("page", evidence.page),
        ("IP address", evidence.ip),
        ("sent with", evidence.user_agent),
    ] {
        facts.extend(value.map(|value| (name, value)));
    }
    facts.push(("where", place_of(record.evidence.as_ref())));
    facts.push(("proof", record.grade.word().to_owned()));
    facts.push(("record", format!("{}, taken in by run {}", record.seq, record.run)));
    facts.push(("its hash", hex(&record.hash)));
    if let Some((state, _)) = &record.ended {
        facts.push(("but", format!("{state} since")));
    }
    facts
}

/// Returns a record for programs.
pub fn as_json(record: &Kept, instant: &dyn Fn(i64) -> String) -> Value {
    let evidence = record.evidence.clone().unwrap_or_default();
    json!({
        "seq": record.seq,
        "hash": hex(&record.hash),
        "run": record.run,
        "purpose": &*record.purpose.0,
        "channel": record.channel.word(),
        "state": record.state.word(),
        "said_at": instant(record.event_ms),
        "is_dated": record.is_dated,
        "mechanism": record.mechanism,
        "grade": record.grade.word(),
        "wording": record.wording.as_ref().map(|(text, _)| text),
        "wording_sha256": record.wording.as_ref().map(|(_, sha256)| hex(sha256)),
        "policy": record.policy,
        "address": evidence.address,
        "answer": evidence.answer,
        "form": evidence.form,
        "page": evidence.page,
        "ip": evidence.ip,
        "user_agent": evidence.user_agent,
        "place": place_of(record.evidence.as_ref()),
        "ended": record.ended.as_ref().map(|(state, _)| state),
    })
}
