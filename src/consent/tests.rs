//! Answers in every order, and what the gate makes of them.

use super::*;
use crate::rules::RuleSet;
use crate::rules::decode::{Sink, document};
use crate::rules::diagnostics::RuleText;
use crate::rules::embedded;
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

/// Marketing by e-mail to whoever it is.
const MAIL: Contact<'_> =
    Contact { purpose: Purpose::MARKETING, channel: Channel::Email, address: None };

#[track_caller]
fn check(records: &[ConsentRecord], expected: Standing) {
    assert_eq!(standing(records, MAIL, Grade::B, NOW), expected);
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
    let records = [record(1, ConsentState::Withdrawn, 500), record(2, ConsentState::Given, 600)];
    check(&records, Standing::Given(2, Grade::B));
}

#[test]
fn at_the_same_instant_the_cautious_answer_wins() {
    use ConsentState::{Given, Refused, Withdrawn};
    check(&[record(1, Refused, 5), record(2, Given, 5)], Standing::Refused(1));
    check(&[record(1, Withdrawn, 5), record(2, Refused, 5)], Standing::Withdrawn(1));
    check(&[record(1, Given, 5), record(2, Given, 5)], Standing::Given(2, Grade::B));
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
fn the_day_of_a_consent_is_that_of_the_workspaces_clocks() {
    let (rules, _) = RuleSet::parse(&embedded::texts()).unwrap();
    // Half past midnight in Warsaw.
    let given = [record(7, ConsentState::Given, 3 * DAY_MS - DAY_MS / 48)];
    let verdict = allowed(&rules.consent, &given, MAIL, NOW);
    assert!(verdict.because.contains("given 1970-01-04, "), "{}", verdict.because);
}

#[test]
fn the_verdict_names_the_line_and_the_gate() {
    let policy = policy(include_str!("../../rules/consent.toml"));
    let verdict = |records: &[ConsentRecord], purpose, channel| {
        let contact = Contact { purpose, channel, address: None };
        let verdict = allowed(&policy, records, contact, NOW);
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
        allowed(&policy, &records, MAIL, NOW).allowed
    };
    assert!(at(NOW - 730 * DAY_MS));
    assert!(!at(NOW - 730 * DAY_MS - 1));
    let lapses = |state, event_at_ms| {
        let records = [record(1, state, event_at_ms)];
        lapses_at_ms(&policy, &records, MAIL, NOW)
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
    assert!(allowed(&policy, &records, MAIL, NOW).allowed);
}

const BOX: &str = "anna@przyklad.pl";
const ADDRESSES: &[Option<&str>] =
    &[None, Some(BOX), Some("Anna@przyklad.pl"), Some("jan@przyklad.pl")];

proptest! {
    #[test]
    fn arrival_order_never_changes_the_standing(
        lines in proptest::collection::vec(
            (0..ConsentState::ALL.len(), 0..Grade::ALL.len(), 0..ADDRESSES.len(), any::<bool>(), 0_i64..4),
            0..8,
        )
            .prop_flat_map(|lines| (Just(lines.clone()), Just(lines).prop_shuffle())),
    ) {
        let state = |lines: &[(usize, usize, usize, bool, i64)]| {
            let records: Vec<ConsentRecord> = (0..)
                .zip(lines)
                .map(|(seq, (state, grade, address, is_dated, at))| ConsentRecord {
                    grade: Grade::ALL[*grade].1,
                    address: ADDRESSES[*address].map(str::to_owned),
                    is_dated: *is_dated,
                    ..record(seq, ConsentState::ALL[*state].1, *at)
                })
                .collect();
            // The position in the ledger is the order of arrival, so it may differ; the state may not.
            let mail = Contact { address: Some(BOX), ..MAIL };
            match standing(&records, mail, Grade::B, NOW) {
                Standing::Given(_, grade) => format!("given {}", grade.word()),
                other => other.word().to_owned(),
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
        let standing = standing(&records, MAIL, Grade::B, NOW);
        prop_assert_eq!(standing, Standing::Withdrawn(0));
    }
}

#[test]
fn of_two_consents_of_one_instant_the_better_proven_counts() {
    let proven = |seq, grade| ConsentRecord { grade, ..record(seq, ConsentState::Given, 5) };
    check(&[proven(1, Grade::A), proven(2, Grade::B)], Standing::Given(1, Grade::A));
    check(&[proven(1, Grade::B), proven(2, Grade::A)], Standing::Given(2, Grade::A));
}

#[test]
fn an_undated_consent_outranks_no_refusal() {
    let undated = ConsentRecord { is_dated: false, ..record(2, ConsentState::Given, 900) };
    let records = [record(1, ConsentState::Refused, 100), undated.clone()];
    let standing_of = |records: &[ConsentRecord]| standing(records, MAIL, Grade::B, 1_000);
    assert_eq!(standing_of(&records), Standing::Refused(1));
    assert_eq!(standing_of(std::slice::from_ref(&undated)), Standing::Given(2, Grade::B));
    // A provable consent after the refusal counts, whenever the undated one came in.
    for at in [500, 950] {
        let dated = record(3, ConsentState::Given, at);
        let all = [records[0].clone(), undated.clone(), dated];
        assert_eq!(standing_of(&all), Standing::Given(3, Grade::B), "{at}");
    }
}

fn at_box(address: &str, of: ConsentRecord) -> ConsentRecord {
    ConsentRecord { address: Some(address.to_owned()), ..of }
}

#[test]
fn a_consent_is_for_the_address_that_it_was_given_with() {
    let records = [at_box("anna@przyklad.pl", record(1, ConsentState::Given, 5))];
    let to = |address| standing(&records, Contact { address, ..MAIL }, Grade::B, NOW);
    assert_eq!(to(Some("anna@przyklad.pl")), Standing::Given(1, Grade::B));
    assert_eq!(to(Some("anna@inny.pl")), Standing::Unknown);
    assert_eq!(to(None), Standing::Unknown);
    let gmail = [at_box("jan.kowalski@gmail.com", record(1, ConsentState::Given, 5))];
    let dotless = Contact { address: Some("jankowalski@gmail.com"), ..MAIL };
    assert_eq!(standing(&gmail, dotless, Grade::B, NOW), Standing::Given(1, Grade::B));
}

#[test]
fn a_no_without_an_address_is_for_all_and_one_with_an_address_for_that_one() {
    let given = at_box("anna@przyklad.pl", record(1, ConsentState::Given, 5));
    let to = Contact { address: Some("anna@przyklad.pl"), ..MAIL };
    let person = record(2, ConsentState::Withdrawn, 6);
    assert_eq!(
        standing(&[given.clone(), person.clone()], to, Grade::B, NOW),
        Standing::Withdrawn(2)
    );
    let other_box = at_box("anna@inny.pl", person);
    assert_eq!(standing(&[given, other_box], to, Grade::B, NOW), Standing::Given(1, Grade::B));
}

#[test]
fn only_a_newer_consent_that_can_be_proven_lifts_a_withdrawal() {
    let withdrawn = record(1, ConsentState::Withdrawn, 5);
    for (grade, expected) in [
        (Grade::A, Standing::Given(2, Grade::A)),
        (Grade::B, Standing::Given(2, Grade::B)),
        (Grade::C, Standing::Withdrawn(1)),
        (Grade::D, Standing::Withdrawn(1)),
    ] {
        let newer = ConsentRecord { grade, ..record(2, ConsentState::Given, 6) };
        check(&[withdrawn.clone(), newer], expected);
    }
}

#[test]
fn a_bare_yes_is_a_yes_that_the_gate_does_not_take() {
    let bare = ConsentRecord { grade: Grade::D, ..record(1, ConsentState::Given, 3 * DAY_MS) };
    check(std::slice::from_ref(&bare), Standing::Given(1, Grade::D));
    let policy = policy(include_str!("../../rules/consent.toml"));
    let verdict = allowed(&policy, std::slice::from_ref(&bare), MAIL, NOW);
    assert!(!verdict.allowed);
    assert_eq!(
        verdict.because,
        "consent to marketing by email given 1970-01-04, sklep.csv:1, is proven by grade D, and B is \
         needed (gate marketing-each-channel)"
    );
    // What was proven before stays proven.
    let proven = record(2, ConsentState::Given, 2 * DAY_MS);
    assert!(allowed(&policy, &[bare, proven], MAIL, NOW).allowed);
}

#[test]
fn a_form_and_a_click_together_are_a_double_opt_in() {
    let of = |seq, state, grade, at| ConsentRecord { grade, ..record(seq, state, at) };
    let asked = of(1, ConsentState::DoiSent, Grade::B, 5);
    check(std::slice::from_ref(&asked), Standing::Pending(1));
    let clicked = of(2, ConsentState::DoiConfirmed, Grade::C, 6);
    check(&[asked, clicked.clone()], Standing::Given(2, Grade::A));
    check(std::slice::from_ref(&clicked), Standing::Given(2, Grade::C));
    // The click proves nothing about a form that was sent before they took it back.
    let form = of(3, ConsentState::Given, Grade::B, 1);
    let withdrawn = of(4, ConsentState::Withdrawn, Grade::D, 3);
    check(&[clicked, form, withdrawn], Standing::Withdrawn(4));
}
