//! How long data is kept as written in `retention.toml`, and what happens then.

use std::collections::BTreeMap;

use super::consent::ConsentPolicy;
use super::decode::Table;
use super::diagnostics::Place;
use crate::model::consent::Purpose;
use crate::model::decision::Segment;

/// What a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptThing {
    /// People.
    Leads,
    /// Rows that were not accepted.
    Quarantine,
    /// Rows that were withheld.
    Held,
}

impl KeptThing {
    /// Every thing with its word, in order.
    pub const ALL: &[(&str, KeptThing)] =
        &[("leads", Self::Leads), ("quarantine", Self::Quarantine), ("held", Self::Held)];

    /// Returns the word used in rules and files.
    pub fn word(self) -> &'static str {
        Self::ALL[self as usize].0
    }
}

/// What happens once the time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Afterwards {
    /// Erased for good.
    Forget,
    /// The row as received goes.
    StripRaw,
    /// IP addresses go.
    StripIp,
}

impl Afterwards {
    /// Every end with its word, in order.
    pub const ALL: &[(&str, Afterwards)] =
        &[("forget", Self::Forget), ("strip-raw", Self::StripRaw), ("strip-ip", Self::StripIp)];

    /// Returns the word used in rules and files.
    pub fn word(self) -> &'static str {
        Self::ALL[self as usize].0
    }
}

/// One rule.
#[derive(Debug, Clone, PartialEq)]
pub struct RetentionRule {
    /// Stable id.
    pub id: String,
    /// Whether it counts when it is applied.
    pub is_on: bool,
    /// What it is about.
    pub of: KeptThing,
    /// Only leads of these segments; empty for all.
    pub segments: Vec<Segment>,
    /// Only leads in these queues; empty for all.
    pub queues: Vec<String>,
    /// Whether customers stay.
    pub unless_customer: bool,
    /// Whoever agreed to be contacted for one of these purposes stays, as long as the gate takes it for a consent.
    pub unless_agreed: Vec<Purpose>,
    /// How long, in seconds.
    pub keep_seconds: i64,
    /// What happens then.
    pub then: Afterwards,
    /// Why.
    pub because: String,
    /// Where the rule comes from: a law, a decision of the company.
    pub source: Option<String>,
    /// Where it is written.
    pub place: Place,
}

/// All rules, in file order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RetentionPolicy {
    /// The rules.
    pub rules: Vec<RetentionRule>,
}

impl RetentionPolicy {
    /// Reads `retention.toml`; without one nothing is ever due.
    pub fn decode(root: Option<&Table<'_>>, consent: &ConsentPolicy) -> Self {
        let Some(root) = root else { return Self::default() };
        let rules = root.tables("keep", |table| decode_rule(table, consent));
        let rules: Vec<RetentionRule> = rules.into_iter().flatten().collect();
        let mut seen: BTreeMap<&str, &RetentionRule> = BTreeMap::new();
        for rule in &rules {
            if let Some(first) = seen.insert(&rule.id, rule) {
                root.sink().error(
                    &rule.place,
                    format!("rule `{}` exists already (line {})", rule.id, first.place.line()),
                    Some("give each rule an id of its own".to_owned()),
                );
            }
        }
        Self { rules }
    }
}

fn unless_agreed(table: &Table<'_>, consent: &ConsentPolicy) -> Vec<Purpose> {
    const KEY: &str = "unless-agreed";
    let purposes = table.strings(KEY);
    for purpose in &purposes {
        consent.expect_purpose(purpose, table, KEY);
        if consent.knows(purpose) && consent.asked_first(purpose).next().is_none() {
            let hint = "name purposes that people have to agree to".to_owned();
            table.error(KEY, format!("nobody has to agree to `{purpose}`"), Some(hint));
        }
    }
    purposes.iter().map(|purpose| Purpose::new(purpose)).collect()
}

fn decode_rule(table: &Table<'_>, consent: &ConsentPolicy) -> Option<RetentionRule> {
    let keep_seconds = table.opt_duration_seconds("keep-for");
    if !table.has("keep-for") {
        table.missing("keep-for");
    }
    let rule = RetentionRule {
        id: table.string("id"),
        is_on: table.bool_or("on", false),
        of: table.choice("of", KeptThing::ALL, KeptThing::Leads),
        segments: table.choices("segments", Segment::ALL),
        queues: table.strings("queues"),
        unless_customer: table.bool_or("unless-customer", false),
        unless_agreed: unless_agreed(table, consent),
        keep_seconds: keep_seconds.unwrap_or_default(),
        then: table.choice("then", Afterwards::ALL, Afterwards::Forget),
        because: table.string("because"),
        source: table.opt_string("source"),
        place: table.place_of("id"),
    };
    if keep_seconds.is_some_and(|seconds| seconds < 86_400) {
        let hint = Some("a period of at least a day, such as 30d".to_owned());
        table.error("keep-for", "what is kept for less than a day need not be taken in", hint);
    }
    let picks_leads = !rule.segments.is_empty()
        || !rule.queues.is_empty()
        || rule.unless_customer
        || !rule.unless_agreed.is_empty();
    if rule.of != KeptThing::Leads && (picks_leads || rule.then != Afterwards::Forget) {
        let message = format!(
            "rows of `{}` are nobody's lead yet: they have no segment or queue, and can only be forgotten",
            rule.of.word()
        );
        table.error(
            "of",
            message,
            Some("leave the other keys out, or say `of = \"leads\"`".to_owned()),
        );
    }
    (!rule.id.is_empty() && keep_seconds.is_some()).then_some(rule)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::decode::{Sink, document};
    use crate::rules::diagnostics::RuleText;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) -> RetentionPolicy {
        let sink = Sink::default();
        let file = RuleText { path: "rules/retention.toml".into(), text: text.into() };
        let mut policy = RetentionPolicy::default();
        let gates = "purposes = ['jury']\notherwise = 'allowed'\n\
            [[gate]]\nid = 'm'\npurpose = 'marketing'\nrequires = 'prior-consent'\nbecause = 'b'\n\
            [[gate]]\nid = 'r'\npurpose = 'profiling'\nrequires = 'prior-consent'\nbecause = 'b'\n\
            [[gate]]\nid = 's'\npurpose = 'partner-share'\nrequires = 'prior-consent'\nbecause = 'b'\n";
        let gates = RuleText { path: "rules/consent.toml".into(), text: gates.into() };
        let mut consent = ConsentPolicy::decode(None);
        document(&gates, &sink, |root| consent = ConsentPolicy::decode(Some(root)));
        document(&file, &sink, |root| policy = RetentionPolicy::decode(Some(root), &consent));
        let found: Vec<String> = sink.take().into_iter().map(|found| found.message).collect();
        assert_eq!(found, expected);
        policy
    }

    #[test]
    fn the_shipped_rules_are_sound_and_all_off() {
        let policy = check(include_str!("../../rules/retention.toml"), &[]);
        assert!(policy.rules.len() >= 4);
        assert!(policy.rules.iter().all(|rule| !rule.is_on));
    }

    #[test]
    fn mistakes_are_named() {
        let rule = |rest: &str| format!("[[keep]]\nid = 'a'\nbecause = 'b'\n{rest}\n");
        check(
            &rule("of = 'held'\nkeep-for = '30d'\nthen = 'strip-ip'"),
            &[
                "rows of `held` are nobody's lead yet: they have no segment or queue, and can only be forgotten",
            ],
        );
        check(
            &rule("of = 'leads'\nkeep-for = '3h'\nthen = 'forget'"),
            &["what is kept for less than a day need not be taken in"],
        );
        check(
            &rule(
                "of = 'leads'\nkeep-for = '30d'\nthen = 'forget'\nunless-agreed = ['marketting', 'jury']",
            ),
            &["unknown purpose `marketting`", "nobody has to agree to `jury`"],
        );
        let twice = rule("of = 'leads'\nkeep-for = '30d'\nthen = 'forget'").repeat(2);
        check(&twice, &["rule `a` exists already (line 2)"]);
    }
}
