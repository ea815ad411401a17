//! The consent gate as written in `consent.toml`: what a purpose and a channel require.

use std::collections::BTreeMap;

use chrono_tz::Tz;

use super::decode::{CONSENT, Table};
use super::diagnostics::{Place, did_you_mean};
use crate::model::consent::{Channel, Grade, Purpose};

/// What must be on record before somebody is contacted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requirement {
    /// A consent given, not refused or withdrawn since.
    PriorConsent,
    /// Nothing: the contact needs no consent and a refusal does not stop it.
    Allowed,
    /// No refusal and no withdrawal; silence is enough.
    UnlessRefused,
}

impl Requirement {
    /// Every requirement with its word in `consent.toml`.
    pub const ALL: &[(&str, Requirement)] = &[
        ("prior-consent", Self::PriorConsent),
        ("allowed", Self::Allowed),
        ("unless-refused", Self::UnlessRefused),
    ];

    /// Returns the word used in rules and files.
    pub fn word(self) -> &'static str {
        Self::ALL[self as usize].0
    }
}

/// One rule of the gate.
#[derive(Debug, Clone, PartialEq)]
pub struct Gate {
    /// Stable id.
    pub id: String,
    /// Purpose it speaks about.
    pub purpose: Purpose,
    /// Channels it speaks about, never empty.
    pub channels: Vec<Channel>,
    /// What it requires.
    pub requires: Requirement,
    /// How well a consent must be proven to count.
    pub proof: Grade,
    /// Days after which a consent no longer counts; `None` when it does not expire.
    pub valid_for_days: Option<i64>,
    /// Why, in words a salesperson understands.
    pub because: String,
    /// Where the rule comes from: a law, a guideline, a decision of the company.
    pub source: Option<String>,
    /// Where it is written.
    pub place: Place,
}

/// The gate: the first rule that names the purpose and the channel decides.
#[derive(Debug, Clone, PartialEq)]
pub struct ConsentPolicy {
    /// Rules in file order.
    pub gates: Vec<Gate>,
    /// What anything requires that no rule names.
    pub otherwise: Requirement,
    /// Purposes the workspace added to [`Purpose::KNOWN`].
    pub purposes: Vec<String>,
    /// Zone in which days are told: UTC until a workspace says its own.
    pub zone: Tz,
}

impl Default for ConsentPolicy {
    /// Without `consent.toml` everything requires prior consent.
    fn default() -> Self {
        Self {
            gates: Vec::new(),
            otherwise: Requirement::PriorConsent,
            purposes: Vec::new(),
            zone: Tz::UTC,
        }
    }
}

impl ConsentPolicy {
    /// Reads `consent.toml`; `None` stands for a missing file.
    pub fn decode(root: Option<&Table<'_>>) -> Self {
        let Some(root) = root else { return Self::default() };
        let otherwise =
            root.opt_choice("otherwise", Requirement::ALL).unwrap_or(Requirement::PriorConsent);
        let mut policy = Self { otherwise, purposes: root.strings("purposes"), ..Self::default() };
        let gates = root.tables("gate", |table| policy.decode_gate(table));
        policy.gates = gates.into_iter().flatten().collect();
        policy.lint(root);
        policy
    }

    /// Returns the rule that decides about `purpose` and `channel`.
    pub fn gate(&self, purpose: &str, channel: Channel) -> Option<&Gate> {
        self.gates
            .iter()
            .find(|gate| &*gate.purpose.0 == purpose && gate.channels.contains(&channel))
    }

    /// Returns the channels through which nobody is contacted for `purpose` who did not agree before.
    pub fn asked_first(&self, purpose: &str) -> impl Iterator<Item = Channel> {
        let channels = Channel::ALL.iter().map(|(_, channel)| *channel);
        channels.filter(move |channel| {
            let gate = self.gate(purpose, *channel);
            gate.map_or(self.otherwise, |gate| gate.requires) == Requirement::PriorConsent
        })
    }

    /// Returns whether `purpose` is a word that leadmill or the workspace knows.
    pub fn knows(&self, purpose: &str) -> bool {
        self.words().any(|known| known == purpose)
    }

    /// Reports `purpose` at `key` of `table` when nobody knows it.
    pub fn expect_purpose(&self, purpose: &str, table: &Table<'_>, key: &str) {
        if purpose.is_empty() || self.knows(purpose) {
            return;
        }
        let hint = did_you_mean(purpose, self.words()).map_or_else(
            || "add it to `purposes` in consent.toml".to_owned(),
            |near| format!("did you mean `{near}`? otherwise add it to `purposes` in consent.toml"),
        );
        table.lacks(CONSENT, key, format!("unknown purpose `{purpose}`"), Some(hint));
    }

    /// Returns every purpose that leadmill or the workspace knows.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        Purpose::KNOWN.iter().copied().chain(self.purposes.iter().map(String::as_str))
    }

    fn decode_gate(&self, table: &Table<'_>) -> Option<Gate> {
        let id = table.string("id");
        let purpose = table.string("purpose");
        self.expect_purpose(&purpose, table, "purpose");
        let mut channels = table.choices("channels", Channel::ALL);
        if !table.has("channels") {
            channels = Channel::ALL.iter().map(|(_, channel)| *channel).collect();
        }
        let valid_for_days =
            table.opt_duration_seconds("valid-for").map(|seconds| seconds / 86_400);
        if valid_for_days == Some(0) {
            table.error("valid-for", "`valid-for` must be at least one day", None);
        }
        let gate = Gate {
            purpose: Purpose::new(&purpose),
            channels,
            requires: table.choice("requires", Requirement::ALL, Requirement::PriorConsent),
            proof: table.opt_choice("proof", Grade::ALL).unwrap_or(Grade::D),
            valid_for_days,
            because: table.string("because"),
            source: table.opt_string("source"),
            place: table.place_of("id"),
            id,
        };
        let usable = !gate.id.is_empty() && !purpose.is_empty() && !gate.channels.is_empty();
        usable.then_some(gate)
    }

    fn lint(&self, root: &Table<'_>) {
        let mut seen: BTreeMap<&str, &Gate> = BTreeMap::new();
        for (position, gate) in self.gates.iter().enumerate() {
            if let Some(first) = seen.insert(&gate.id, gate) {
                root.sink().error(
                    &gate.place,
                    format!("gate `{}` exists already (line {})", gate.id, first.place.line()),
                    Some("give each rule an id of its own".to_owned()),
                );
                continue;
            }
            let free = gate.channels.iter().any(|channel| {
                !self.gates[..position].iter().any(|earlier| {
                    earlier.purpose == gate.purpose && earlier.channels.contains(channel)
                })
            });
            if !free {
                root.sink().error(
                    &gate.place,
                    format!(
                        "gate `{}` can never decide: gates above it cover every channel of `{}`",
                        gate.id, gate.purpose
                    ),
                    Some("remove it or move it up".to_owned()),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::decode::{Sink, document};
    use crate::rules::diagnostics::RuleText;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) -> ConsentPolicy {
        let sink = Sink::default();
        let file = RuleText { path: "rules/consent.toml".into(), text: text.into() };
        let mut policy = ConsentPolicy::default();
        document(&file, &sink, |root| policy = ConsentPolicy::decode(Some(root)));
        let found: Vec<String> = sink.take().into_iter().map(|found| found.message).collect();
        assert_eq!(found, expected);
        policy
    }

    #[test]
    fn the_shipped_gate_is_without_fault_and_strict_about_marketing() {
        let policy = check(include_str!("../../rules/consent.toml"), &[]);
        for (word, channel) in Channel::ALL {
            let gate = policy.gate(Purpose::MARKETING, *channel);
            let requires = gate.map_or(policy.otherwise, |gate| gate.requires);
            let expected = if *channel == Channel::Post {
                Requirement::UnlessRefused
            } else {
                Requirement::PriorConsent
            };
            assert_eq!(requires, expected, "{word}");
        }
        let reply = policy.gate(Purpose::ENQUIRY_REPLY, Channel::Phone);
        assert_eq!(reply.map(|gate| gate.requires), Some(Requirement::UnlessRefused));
    }

    #[test]
    fn without_a_file_everything_requires_consent() {
        let policy = ConsentPolicy::decode(None);
        assert_eq!(policy.otherwise, Requirement::PriorConsent);
        assert!(policy.gate(Purpose::MARKETING, Channel::Email).is_none());
    }

    #[test]
    fn a_purpose_nobody_knows_is_an_error() {
        let gate =
            "[[gate]]\nid = 'a'\nbecause = 'b'\nrequires = 'allowed'\npurpose = 'marketting'";
        check(gate, &["unknown purpose `marketting`"]);
        check(&format!("purposes = ['marketting']\n{gate}"), &[]);
    }

    #[test]
    fn a_gate_below_its_twin_is_an_error() {
        let gate = |id: &str, channels: &str| {
            format!(
                "[[gate]]\nid = '{id}'\nbecause = 'b'\nrequires = 'allowed'\n\
                 purpose = 'marketing'\nchannels = {channels}\n"
            )
        };
        check(&(gate("a", "['email']") + &gate("b", "['email', 'sms']")), &[]);
        check(
            &(gate("a", "['email', 'sms']") + &gate("b", "['sms']")),
            &["gate `b` can never decide: gates above it cover every channel of `marketing`"],
        );
        check(
            &(gate("a", "['email']") + &gate("a", "['sms']")),
            &["gate `a` exists already (line 2)"],
        );
    }
}
