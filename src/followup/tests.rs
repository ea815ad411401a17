use std::collections::BTreeMap;

use super::*;
use crate::model::field::{FieldNo, FieldValues};
use crate::model::ids::Fingerprint;
use crate::model::subject::Facts;
use crate::model::touch::Touch;
use crate::rules::condition::ConditionContext;
use crate::rules::consent::ConsentPolicy;
use crate::rules::decode::{Sink, document};
use crate::rules::diagnostics::RuleText;
use crate::rules::field::FieldCatalog;
use crate::rules::hours::Calendar;

fn shipped() -> FollowupPolicy {
    let sink = Sink::default();
    let fields = FieldCatalog::decode(None);
    let lists = BTreeMap::new();
    let context =
        ConditionContext { fields: &fields, lists: &lists, models: &[], has_matrix: false };
    let text = include_str!("../../rules/followup.toml");
    let file = RuleText { path: "rules/followup.toml".into(), text: text.into() };
    let (calendar, consent) = (Calendar::decode(None), ConsentPolicy::default());
    let mut policy = FollowupPolicy::decode(None, &context, &calendar, &consent);
    document(&file, &sink, |root| {
        policy = FollowupPolicy::decode(Some(root), &context, &calendar, &consent);
    });
    assert_eq!(sink.take(), []);
    policy
}

fn instant(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_str(text, "%Y-%m-%d %H:%M %z").unwrap().to_utc()
}

fn yes(_: &str, _: Channel) -> Verdict {
    Verdict { allowed: true, because: String::new() }
}

/// A lead that wrote on Wednesday 2026-11-18 at 16:50 in Warsaw and is looked at the next night.
struct Given {
    values: FieldValues,
    facts: Facts,
    touches: Vec<Touch>,
    as_of: DateTime<Utc>,
}

impl Default for Given {
    fn default() -> Self {
        let sent = instant("2026-11-18 16:50 +0100");
        let mut values = FieldValues::default();
        values.set(field::EMAIL, "ewa@example.com");
        values.set(field::PHONE, "+48600123456");
        values.set(field::LANGUAGE, "pl");
        let facts = Facts {
            score: Some(82),
            segment: Some(Segment::Hot),
            ..Facts::of_one_submission(sent)
        };
        Self { values, facts, touches: Vec::new(), as_of: instant("2026-11-19 03:00 +0100") }
    }
}

impl Given {
    fn without(mut self, field: FieldNo) -> Self {
        self.values.set(field, "");
        self
    }

    fn plan(
        &self,
        segment: Segment,
        allowed: &dyn Fn(&str, Channel) -> Verdict,
    ) -> Vec<PlannedTask> {
        let subject = Subject {
            values: &self.values,
            facts: &self.facts,
            touches: &self.touches,
            as_of: self.as_of,
        };
        plan(&subject, "Ewa Łęcka", segment, None, &shipped(), allowed)
    }

    /// Each task as `step due state`, the time as in Warsaw.
    fn steps(&self, segment: Segment, allowed: &dyn Fn(&str, Channel) -> Verdict) -> Vec<String> {
        let told = |task: PlannedTask| {
            let due = utc_from_ms(task.due_ms).with_timezone(&chrono_tz::Europe::Warsaw);
            format!("{} {} {}", task.step, due.format("%d. %H:%M"), task.state.word())
        };
        self.plan(segment, allowed).into_iter().map(told).collect()
    }
}

#[test]
fn a_hot_lead_gets_a_confirmation_a_call_a_reminder_and_a_second_touch() {
    assert_eq!(
        Given::default().steps(Segment::Hot, &yes),
        [
            "confirmation 18. 16:55 open",
            "reminder 19. 09:00 open",
            "call 19. 09:05 open",
            "second-touch 19. 16:50 open",
        ]
    );
    let tasks = Given::default().plan(Segment::Hot, &yes);
    assert_eq!(tasks[0].subject, "Dziękujemy za zapytanie, Ewa Łęcka");
    assert_eq!(
        tasks[2].because,
        "A hot lead is called within a quarter of an hour of working time; due after 15m of working time"
    );
}

#[test]
fn a_cold_lead_takes_no_salespersons_time() {
    let refuse_marketing = |purpose: &str, _: Channel| Verdict {
        allowed: purpose != "marketing",
        because: "marketing by email needs a consent and none is on record".to_owned(),
    };
    let given = Given::default();
    assert_eq!(
        given.steps(Segment::Cold, &refuse_marketing),
        ["confirmation 18. 16:55 open", "second-touch 19. 16:50 not-allowed"]
    );
    let tasks = given.plan(Segment::Cold, &refuse_marketing);
    assert_eq!(tasks[1].because, "marketing by email needs a consent and none is on record");
}

#[test]
fn what_cannot_reach_the_person_is_left_out_with_the_reason() {
    let states = |given: Given| {
        let tasks = given.plan(Segment::Hot, &yes).into_iter();
        tasks.map(|task| (task.step, task.state, task.because)).collect::<Vec<_>>()
    };
    let no_phone = states(Given::default().without(field::PHONE));
    assert_eq!(no_phone[2].1, TaskState::NotAllowed);
    assert_eq!(no_phone[2].2, "no phone number");
    assert_eq!(no_phone[0].1, TaskState::Open);
    let no_email = states(Given::default().without(field::EMAIL));
    assert_eq!(
        (no_email[0].1, no_email[0].2.as_str()),
        (TaskState::NotAllowed, "no e-mail address")
    );
}

#[test]
fn an_old_lead_gets_no_mail_but_stays_to_be_called() {
    let mut given = Given { as_of: instant("2026-11-30 03:00 +0100"), ..Given::default() };
    assert_eq!(
        given.steps(Segment::Hot, &yes),
        [
            "confirmation 18. 16:55 too-old",
            "reminder 19. 09:00 open",
            "call 19. 09:05 open",
            "second-touch 19. 16:50 too-old",
        ]
    );
    assert_eq!(
        given.plan(Segment::Hot, &yes)[0].because,
        "the enquiry is 11d old and mail goes out for 3d only"
    );
    given.as_of = instant("2026-11-21 16:50 +0100");
    assert_eq!(given.plan(Segment::Hot, &yes)[0].state, TaskState::Open);
    given.as_of = instant("2026-11-21 16:51 +0100");
    assert_eq!(given.plan(Segment::Hot, &yes)[0].state, TaskState::TooOld);
}

#[test]
fn a_duplicate_neither_doubles_nor_restarts_the_plan() {
    let once = Given::default();
    let mut twice = Given::default();
    twice.facts.n_submissions = 2;
    twice.facts.last_submitted_at += TimeDelta::hours(9);
    assert_eq!(twice.plan(Segment::Hot, &yes), once.plan(Segment::Hot, &yes));
}

#[test]
fn somebody_who_returns_much_later_starts_anew() {
    let mut given = Given::default();
    given.facts.first_submitted_at -= TimeDelta::days(31);
    assert_eq!(given.steps(Segment::Hot, &yes)[0], "confirmation 18. 16:55 open");
    given.facts.first_submitted_at += TimeDelta::days(1);
    // In October the clocks in Warsaw showed an hour more.
    assert_eq!(given.steps(Segment::Hot, &yes)[0], "confirmation 19. 17:55 too-old");
}

#[test]
fn a_cycle_is_opened_by_its_first_submission() {
    let day = |day: i64| DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(day);
    for (days, expected) in [
        (vec![], None),
        (vec![3], Some(3)),
        (vec![0, 30], Some(0)),
        (vec![0, 31], Some(31)),
        (vec![0, 35, 36], Some(35)),
        (vec![36, 0, 35], Some(35)),
        (vec![0, 20, 40, 60], Some(40)),
    ] {
        let submitted: Vec<DateTime<Utc>> = days.iter().copied().map(day).collect();
        let found = cycle_opened_at(&submitted, TimeDelta::days(30));
        assert_eq!(found, expected.map(day), "{days:?}");
    }
}

#[test]
fn contact_calls_off_what_is_for_the_unreached_only() {
    let mut given = Given::default();
    let contact = |text| Touch {
        fingerprint: Fingerprint([0; 16]),
        at_ms: instant(text).timestamp_millis(),
        kind: "contacted".to_owned(),
        detail: String::new(),
        identities: Vec::new(),
    };
    // Before the form was sent: a contact of an earlier cycle.
    given.touches = vec![contact("2026-11-18 16:00 +0100")];
    assert!(given.plan(Segment::Hot, &yes).iter().all(|task| task.state == TaskState::Open));
    given.touches.push(contact("2026-11-18 17:30 +0100"));
    let states: Vec<&str> =
        given.plan(Segment::Hot, &yes).iter().map(|task| task.state.word()).collect();
    assert_eq!(states, ["open", "superseded", "superseded", "superseded"]);
}

#[test]
fn the_owners_hours_count_not_the_offices() {
    let given = Given::default();
    let calendar = Calendar::decode(None);
    let evenings = calendar.compile("Mo-Su 18:00-22:00", calendar.zone, &[]).unwrap();
    let subject =
        Subject { values: &given.values, facts: &given.facts, touches: &[], as_of: given.as_of };
    let tasks = plan(&subject, "Ewa", Segment::Hot, Some(&evenings), &shipped(), &yes);
    let call = tasks.iter().find(|task| task.step == "call").unwrap();
    assert_eq!(utc_from_ms(call.due_ms), instant("2026-11-18 18:15 +0100"));
}
