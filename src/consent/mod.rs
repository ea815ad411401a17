//! The gate: whether somebody may be contacted for a purpose through a channel, and why.
//!
//! This room owns how the lines of the ledger combine into a standing and what the policy makes of
//! it, and [`grade`] how well each can be proven. It must not know how the ledger is stored or chained, nor what
//! the contact would say. Start at [`allowed`]; whom not to take in again is in [`suppression`].

pub mod grade;
pub mod suppression;

use crate::model::consent::{Channel, ConsentRecord, ConsentState, Purpose};
use crate::model::moment::utc_from_ms;
use crate::rules::consent::{ConsentPolicy, Requirement};

pub use crate::model::consent::Verdict;

const DAY_MS: i64 = 86_400_000;

/// What the ledger says about one purpose and channel; the number is the deciding line's position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing: never asked, or the answer was left blank.
    Unknown,
    /// Agreed.
    Given(i64),
    /// Asked and declined.
    Refused(i64),
    /// Taken back.
    Withdrawn(i64),
}

/// Returns where somebody stood at `as_of_ms` with regard to `purpose` and `channel`.
///
/// The answer given last wins, by when it was said and not by when it was received: a withdrawal
/// outlives a later import of an older consent. Of answers given at the same instant the more
/// cautious wins (withdrawn, refused, given). The order of `records` does not matter.
pub fn standing(
    records: &[ConsentRecord],
    purpose: &str,
    channel: Channel,
    as_of_ms: i64,
) -> Standing {
    match deciding(records, purpose, channel, as_of_ms) {
        None => Standing::Unknown,
        Some(record) => match record.state {
            ConsentState::Refused => Standing::Refused(record.seq),
            ConsentState::Withdrawn | ConsentState::Objected => Standing::Withdrawn(record.seq),
            _ => Standing::Given(record.seq),
        },
    }
}

/// Returns whether `policy` lets somebody with these `records` be contacted at `as_of_ms`.
pub fn allowed(
    policy: &ConsentPolicy,
    records: &[ConsentRecord],
    purpose: &str,
    channel: Channel,
    as_of_ms: i64,
) -> Verdict {
    let gate = policy.gate(purpose, channel);
    let requires = gate.map_or(policy.otherwise, |gate| gate.requires);
    let name = gate.map_or("otherwise", |gate| &gate.id);
    let record = deciding(records, purpose, channel, as_of_ms);
    let what = Contact { purpose, channel };
    let (allowed, because) = match (requires, record) {
        (Requirement::Allowed, _) => (true, format!("{what} needs no consent")),
        (Requirement::UnlessRefused, None) => {
            (true, format!("{what} is allowed until somebody objects"))
        }
        (Requirement::PriorConsent, None) => {
            (false, format!("{what} needs a consent and none is on record"))
        }
        (_, Some(record)) if record.state.is_denial() => {
            let verb = if record.state == ConsentState::Refused { "refused" } else { "withdrawn" };
            (false, format!("{what} was {verb} {}", source(record)))
        }
        (_, Some(record)) => match gate.and_then(|gate| gate.valid_for_days) {
            Some(days)
                if requires == Requirement::PriorConsent
                    && as_of_ms - record.event_at_ms > days.saturating_mul(DAY_MS) =>
            {
                (
                    false,
                    format!("consent to {what} given {} is older than {days} days", source(record)),
                )
            }
            _ => (true, format!("consent to {what} given {}", source(record))),
        },
    };
    Verdict { allowed, because: format!("{because} (gate {name})") }
}

/// Returns the first instant after `as_of_ms` at which what [`allowed`] lets is no longer let because the consent has
/// become too old, in milliseconds since 1970 UTC.
pub fn lapses_at_ms(
    policy: &ConsentPolicy,
    records: &[ConsentRecord],
    purpose: &str,
    channel: Channel,
    as_of_ms: i64,
) -> Option<i64> {
    let gate = policy.gate(purpose, channel)?;
    let days = gate.valid_for_days.filter(|_| gate.requires == Requirement::PriorConsent)?;
    let record = deciding(records, purpose, channel, as_of_ms)?;
    let last_ms = record.event_at_ms.checked_add(days.checked_mul(DAY_MS)?)?;
    let is_let = record.state.is_grant() && as_of_ms <= last_ms;
    is_let.then(|| last_ms.saturating_add(1))
}

fn deciding<'a>(
    records: &'a [ConsentRecord],
    purpose: &str,
    channel: Channel,
    as_of_ms: i64,
) -> Option<&'a ConsentRecord> {
    let said = || {
        records.iter().filter(|record| {
            record.channel == channel
                && &*record.purpose.0 == purpose
                && record.state != ConsentState::DoiSent
                && record.event_at_ms <= as_of_ms
        })
    };
    // `ConsentState` is declared from the least to the most cautious answer.
    let order = |record: &&ConsentRecord| (record.event_at_ms, record.state, record.seq);
    // When an undated consent was given nobody knows: it may be older than any refusal, and so counts only
    // where there is none.
    let is_refused = said().any(|record| record.state.is_denial());
    said()
        .filter(|record| record.is_dated || record.state.is_denial() || !is_refused)
        .max_by_key(order)
}

struct Contact<'a> {
    purpose: &'a str,
    channel: Channel,
}

impl std::fmt::Display for Contact<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.purpose {
            Purpose::ENQUIRY_REPLY => write!(f, "a reply by {}", self.channel.word()),
            purpose => write!(f, "{purpose} by {}", self.channel.word()),
        }
    }
}

fn source(record: &ConsentRecord) -> String {
    let day = utc_from_ms(record.event_at_ms).format("%Y-%m-%d");
    if record.evidence.is_empty() { day.to_string() } else { format!("{day}, {}", record.evidence) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::consent::Grade;
    use crate::rules::decode::{Sink, document};
    use crate::rules::diagnostics::RuleText;
    use proptest::prelude::*;

    const NOW: i64 = 1_000 * DAY_MS;

    fn record(seq: i64, state: ConsentState, event_at_ms: i64) -> ConsentRecord {
        ConsentRecord {
            seq,
            purpose: Purpose::new(Purpose::MARKETING),
            channel: Channel::Email,
            state,
            grade: Grade::B,
            address: None,
            event_at_ms,
            is_dated: true,
            wording: String::new(),
            mechanism: "checkbox".into(),
            evidence: format!("sklep.csv:{seq}"),
            ip: None,
            user_agent: None,
        }
    }

    fn policy(text: &str) -> ConsentPolicy {
        let sink = Sink::default();
        let file = RuleText { path: "rules/consent.toml".into(), text: text.into() };
        let mut policy = ConsentPolicy::default();
        document(&file, &sink, |root| policy = ConsentPolicy::decode(Some(root)));
        assert_eq!(sink.take(), []);
        policy
    }

    #[track_caller]
    fn check(records: &[ConsentRecord], expected: Standing) {
        assert_eq!(standing(records, Purpose::MARKETING, Channel::Email, NOW), expected);
    }

    #[test]
    fn silence_is_not_consent() {
        check(&[], Standing::Unknown);
    }

    #[test]
    fn a_withdrawal_outlives_a_later_import_of_an_older_consent() {
        let withdrawn = record(1, ConsentState::Withdrawn, 500);
        let imported_later = record(2, ConsentState::Given, 400);
        check(&[withdrawn, imported_later], Standing::Withdrawn(1));
    }

    #[test]
    fn a_newer_consent_lifts_a_withdrawal() {
        let records =
            [record(1, ConsentState::Withdrawn, 500), record(2, ConsentState::Given, 600)];
        check(&records, Standing::Given(2));
    }

    #[test]
    fn at_the_same_instant_the_cautious_answer_wins() {
        use ConsentState::{Given, Refused, Withdrawn};
        check(&[record(1, Refused, 5), record(2, Given, 5)], Standing::Refused(1));
        check(&[record(1, Withdrawn, 5), record(2, Refused, 5)], Standing::Withdrawn(1));
        check(&[record(1, Given, 5), record(2, Given, 5)], Standing::Given(2));
    }

    #[test]
    fn other_channels_other_purposes_and_the_future_do_not_count() {
        let mut by_sms = record(1, ConsentState::Given, 5);
        by_sms.channel = Channel::Sms;
        let mut profiling = record(2, ConsentState::Given, 5);
        profiling.purpose = Purpose::new(Purpose::PROFILING);
        check(&[by_sms, profiling, record(3, ConsentState::Given, NOW + 1)], Standing::Unknown);
    }

    #[test]
    fn the_verdict_names_the_line_and_the_gate() {
        let policy = policy(include_str!("../../rules/consent.toml"));
        let verdict = |records: &[ConsentRecord], purpose, channel| {
            let verdict = allowed(&policy, records, purpose, channel, NOW);
            (verdict.allowed, verdict.because)
        };
        let given = [record(7, ConsentState::Given, 3 * DAY_MS)];
        let taken_back = [record(8, ConsentState::Withdrawn, 4 * DAY_MS)];
        for (found, expected_allowed, expected) in [
            (
                verdict(&given, Purpose::MARKETING, Channel::Email),
                true,
                "consent to marketing by email given 1970-01-04, sklep.csv:7 (gate marketing-each-channel)",
            ),
            (
                verdict(&given, Purpose::MARKETING, Channel::Sms),
                false,
                "marketing by sms needs a consent and none is on record (gate marketing-each-channel)",
            ),
            (
                verdict(&taken_back, Purpose::MARKETING, Channel::Email),
                false,
                "marketing by email was withdrawn 1970-01-05, sklep.csv:8 (gate marketing-each-channel)",
            ),
            (
                verdict(&[], Purpose::ENQUIRY_REPLY, Channel::Email),
                true,
                "a reply by email is allowed until somebody objects (gate reply-to-the-enquiry)",
            ),
            (
                verdict(&[], "newsletter", Channel::Email),
                false,
                "newsletter by email needs a consent and none is on record (gate otherwise)",
            ),
        ] {
            assert_eq!(found, (expected_allowed, expected.to_owned()));
        }
    }

    #[test]
    fn a_consent_may_expire() {
        let policy = policy(
            "[[gate]]\nid = 'm'\npurpose = 'marketing'\nrequires = 'prior-consent'\n\
             valid-for = '730d'\nbecause = 'two years'\n",
        );
        let at = |event_at_ms| {
            let records = [record(1, ConsentState::Given, event_at_ms)];
            allowed(&policy, &records, Purpose::MARKETING, Channel::Email, NOW).allowed
        };
        assert!(at(NOW - 730 * DAY_MS));
        assert!(!at(NOW - 730 * DAY_MS - 1));
        let lapses = |state, event_at_ms| {
            let records = [record(1, state, event_at_ms)];
            lapses_at_ms(&policy, &records, Purpose::MARKETING, Channel::Email, NOW)
        };
        assert_eq!(lapses(ConsentState::Given, NOW - 730 * DAY_MS), Some(NOW + 1));
        assert_eq!(lapses(ConsentState::Given, NOW - 730 * DAY_MS - 1), None);
        assert_eq!(lapses(ConsentState::Refused, NOW - DAY_MS), None);
    }

    #[test]
    fn a_consent_that_nobody_needs_does_not_expire() {
        let policy = policy(
            "[[gate]]\nid = 'm'\npurpose = 'marketing'\nrequires = 'unless-refused'\n\
             valid-for = '730d'\nbecause = 'two years'\n",
        );
        let records = [record(1, ConsentState::Given, NOW - 731 * DAY_MS)];
        assert!(allowed(&policy, &records, Purpose::MARKETING, Channel::Email, NOW).allowed);
    }

    proptest! {
        #[test]
        fn arrival_order_never_changes_the_standing(
            lines in proptest::collection::vec((0_usize..3, 0_i64..4), 0..8)
                .prop_flat_map(|lines| (Just(lines.clone()), Just(lines).prop_shuffle())),
        ) {
            let state = |lines: &[(usize, i64)]| {
                let records: Vec<ConsentRecord> = lines
                    .iter()
                    .enumerate()
                    .map(|(seq, (state, at))| record(seq as i64, ConsentState::ALL[*state].1, *at))
                    .collect();
                // The position in the ledger is the order of arrival, so it may differ; the state may not.
                match standing(&records, Purpose::MARKETING, Channel::Email, NOW) {
                    Standing::Unknown => "unknown",
                    Standing::Given(_) => "given",
                    Standing::Refused(_) => "refused",
                    Standing::Withdrawn(_) => "withdrawn",
                }
            };
            prop_assert_eq!(state(&lines.0), state(&lines.1));
        }

        #[test]
        fn nothing_older_lifts_a_withdrawal(older in proptest::collection::vec(0_i64..=100, 0..6)) {
            let mut records = vec![record(0, ConsentState::Withdrawn, 100)];
            for (seq, at) in older.into_iter().enumerate() {
                records.push(record(seq as i64 + 1, ConsentState::Given, at));
            }
            let standing = standing(&records, Purpose::MARKETING, Channel::Email, NOW);
            prop_assert_eq!(standing, Standing::Withdrawn(0));
        }
    }

    #[test]
    fn an_undated_consent_outranks_no_refusal() {
        let undated = ConsentRecord { is_dated: false, ..record(2, ConsentState::Given, 900) };
        let records = [record(1, ConsentState::Refused, 100), undated.clone()];
        let standing_of = |records: &[ConsentRecord]| {
            standing(records, Purpose::MARKETING, Channel::Email, 1_000)
        };
        assert_eq!(standing_of(&records), Standing::Refused(1));
        assert_eq!(standing_of(std::slice::from_ref(&undated)), Standing::Given(2));
        // A provable consent after the refusal counts, whenever the undated one came in.
        for at in [500, 950] {
            let dated = record(3, ConsentState::Given, at);
            let all = [records[0].clone(), undated.clone(), dated];
            assert_eq!(standing_of(&all), Standing::Given(3), "{at}");
        }
    }
}
