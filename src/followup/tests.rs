use std::collections::BTreeMap;

use super::*;
use crate::model::field::{FieldNo, FieldValues};
use crate::model::ids::Fingerprint;
use crate::model::subject::Facts;
use crate::model::touch::Touch;
use crate::rules::RuleSet;
use crate::rules::condition::ConditionContext;
use crate::rules::consent::ConsentPolicy;
use crate::rules::decode::{Sink, document};
use crate::rules::diagnostics::RuleText;
use crate::rules::embedded;
use crate::rules::field::FieldCatalog;
use crate::rules::followup::Office;
use crate::rules::hours::Calendar;
use crate::rules::template::TemplateCatalog;

fn shipped() -> FollowupPolicy {
    policy(include_str!("../../rules/followup.toml"))
}

#[track_caller]
fn policy(text: &str) -> FollowupPolicy {
    let sink = Sink::default();
    let fields = FieldCatalog::decode(None);
    let lists = BTreeMap::new();
    let context =
        ConditionContext { fields: &fields, lists: &lists, models: &[], has_matrix: false };
    let file = RuleText { path: "rules/followup.toml".into(), text: text.into() };
    let (calendar, consent) = (Calendar::decode(None), ConsentPolicy::default());
    let templates = TemplateCatalog::shipped();
    let office = Office { calendar: &calendar, zones: &[], templates: &templates };
    let mut policy = FollowupPolicy::decode(None, &context, office, &consent);
    document(&file, &sink, |root| {
        policy = FollowupPolicy::decode(Some(root), &context, office, &consent);
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
    handed_out: Vec<HandedOut>,
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
        let as_of = instant("2026-11-19 03:00 +0100");
        Self { values, facts, touches: Vec::new(), handed_out: Vec::new(), as_of }
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
        self.plan_by(&shipped(), segment, None, allowed)
    }

    fn plan_by(
        &self,
        policy: &FollowupPolicy,
        segment: Segment,
        owner_hours: Option<&BusinessHours>,
        allowed: &dyn Fn(&str, Channel) -> Verdict,
    ) -> Vec<PlannedTask> {
        let Self { values, facts, touches, handed_out, as_of } = self;
        let subject = Subject { values, facts, touches, as_of: *as_of };
        let times = [facts.first_submitted_at, facts.last_submitted_at];
        let (at, cycle) = latest_cycle(&times, policy.restart_after).unwrap();
        let enquiry = Enquiry { at, is_known: true, cycle, handed_out };
        let answering = Answering { policy, owner_hours, allowed };
        plan(enquiry, &subject, "Ewa Łęcka", segment, answering)
    }

    /// Adds what somebody did or said.
    fn with(mut self, at: &str, kind: &str, detail: &str) -> Self {
        self.touches.push(Touch {
            fingerprint: Fingerprint([0; 16]),
            at_ms: instant(at).timestamp_millis(),
            kind: kind.to_owned(),
            detail: detail.to_owned(),
            amount: None,
            identities: Vec::new(),
        });
        self
    }

    /// Each task as `step due state`, the time as in Warsaw.
    fn steps(&self, segment: Segment, allowed: &dyn Fn(&str, Channel) -> Verdict) -> Vec<String> {
        told(self.plan(segment, allowed))
    }
}

fn told(tasks: Vec<PlannedTask>) -> Vec<String> {
    let told = |task: PlannedTask| {
        let due = utc_from_ms(task.due_ms).with_timezone(&chrono_tz::Europe::Warsaw);
        format!("{} {} {}", task.key.step, due.format("%d. %H:%M"), task.state.word())
    };
    tasks.into_iter().map(told).collect()
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
        tasks.map(|task| (task.key.step, task.state, task.because)).collect::<Vec<_>>()
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
        (vec![3], Some((3, 1))),
        (vec![0, 30], Some((0, 1))),
        (vec![0, 31], Some((31, 2))),
        (vec![0, 35, 36], Some((35, 2))),
        (vec![36, 0, 35], Some((35, 2))),
        (vec![0, 20, 40, 60], Some((40, 2))),
        (vec![0, 31, 62], Some((62, 3))),
    ] {
        let submitted: Vec<DateTime<Utc>> = days.iter().copied().map(day).collect();
        let found = latest_cycle(&submitted, TimeDelta::days(30));
        assert_eq!(found, expected.map(|(at, cycle)| (day(at), cycle)), "{days:?}");
    }
}

#[test]
fn contact_calls_off_what_is_for_the_unreached_only() {
    // Before the form was sent: a contact of an earlier cycle.
    let given = Given::default().with("2026-11-18 16:00 +0100", "contacted", "");
    assert!(given.plan(Segment::Hot, &yes).iter().all(|task| task.state == TaskState::Open));
    let given = given.with("2026-11-18 17:30 +0100", "contacted", "");
    let states: Vec<&str> =
        given.plan(Segment::Hot, &yes).iter().map(|task| task.state.word()).collect();
    assert_eq!(states, ["open", "superseded", "superseded", "superseded"]);
}

#[test]
fn the_day_of_a_contact_is_that_of_the_workspaces_clocks() {
    let (rules, _) = RuleSet::parse(&embedded::texts()).unwrap();
    let given = Given::default().with("2026-11-19 00:30 +0100", "contacted", "");
    let tasks = given.plan_by(&rules.followup, Segment::Hot, None, &yes);
    assert_eq!(tasks[1].because, "contacted on 2026-11-19");
}

#[test]
fn the_owners_hours_count_not_the_offices() {
    let given = Given::default();
    let calendar = Calendar::decode(None);
    let evenings = calendar.compile("Mo-Su 18:00-22:00", calendar.zone, &[]).unwrap();
    let tasks = given.plan_by(&shipped(), Segment::Hot, Some(&evenings), &yes);
    let call = tasks.iter().find(|task| task.key.step == "call").unwrap();
    assert_eq!(utc_from_ms(call.due_ms), instant("2026-11-18 18:15 +0100"));
}

#[test]
fn what_somebody_said_about_a_task_counts() {
    #[track_caller]
    fn check(said: &[(&str, &str, &str)], expected: [&str; 2]) {
        let given = said.iter().fold(Given::default(), |given, (at, kind, detail)| {
            given.with(&format!("2026-11-{at} +0100"), kind, detail)
        });
        let steps = given.steps(Segment::Hot, &yes);
        let of = |step: &str| steps.iter().find(|one| one.starts_with(step)).unwrap().as_str();
        assert_eq!([of("confirmation"), of("call")], expected, "{said:?}");
    }
    let (sent, to_call) = ("confirmation 18. 16:55 open", "call 19. 09:05 open");
    let called = "call 19. 09:05 done";
    check(&[], [sent, to_call]);
    check(&[("18 18:00", "task-done", "hot/call")], [sent, called]);
    check(&[("18 18:00", "task-done", "LM-0123456789AB/hot/call")], [sent, called]);
    check(&[("18 18:00", "task-done", "call")], [sent, called]);
    // A call to a warm lead is another than one to a hot one; a mail is not.
    check(&[("18 18:00", "task-done", "warm/call")], [sent, to_call]);
    check(
        &[("18 18:00", "task-done", "warm/confirmation")],
        ["confirmation 18. 16:55 done", to_call],
    );
    // Before the form was sent, and after as-of.
    check(&[("18 12:00", "task-done", "call")], [sent, to_call]);
    check(&[("19 09:00", "task-done", "call")], [sent, to_call]);
    check(&[("18 18:00", "task-done", "hot/call/2")], [sent, to_call]);
    let until = |day: &str| format!("hot/call until 2026-11-{day}T10:30:00+01:00");
    check(&[("18 18:00", "task-snoozed", &until("20"))], [sent, "call 20. 10:30 open"]);
    check(
        &[("18 18:00", "task-snoozed", &until("24")), ("18 19:00", "task-snoozed", &until("20"))],
        [sent, "call 20. 10:30 open"],
    );
    check(
        &[("18 18:00", "task-snoozed", &until("20")), ("18 19:00", "task-done", "hot/call")],
        [sent, called],
    );
    check(&[("18 18:00", "task-snoozed", "hot/call until tomorrow")], [sent, to_call]);
}

#[test]
fn who_moves_to_another_segment_is_not_thanked_twice() {
    let sent = |key: &str, at: &str| HandedOut {
        key: key.parse().unwrap(),
        at_ms: instant(at).timestamp_millis(),
    };
    let handed_out = vec![
        sent("warm/confirmation", "2026-11-18 17:00 +0100"),
        sent("warm/call", "2026-11-18 17:00 +0100"),
        // Of an enquiry long ago.
        sent("cold/second-touch", "2026-10-01 17:00 +0200"),
    ];
    let given = Given { handed_out, ..Given::default() };
    let tasks = given.plan(Segment::Hot, &yes);
    let states: Vec<&str> = tasks.iter().map(|task| task.state.word()).collect();
    assert_eq!(states, ["superseded", "open", "open", "open"]);
    assert_eq!(tasks[0].because, "plan warm has sent it already");
}

/// Returns the tasks of a hot lead under a plan of these steps.
fn tasks_under(steps: &str, given: &Given) -> Vec<PlannedTask> {
    let text = format!(
        "[[plan]]\nid = 'a'\nbecause = 'b'\n[[plan.step]]\nid = 'first'\nchannel = 'call'\nafter = '1h'\n\
         subject = 's'\nbecause = 'b'\n{steps}"
    );
    let refuse = |purpose: &str, _: Channel| Verdict {
        allowed: purpose != "marketing",
        because: "none is on record".to_owned(),
    };
    given.plan_by(&policy(&text), Segment::Hot, None, &refuse)
}

#[test]
fn a_step_may_wait_for_the_one_above() {
    let second = "[[plan.step]]\nid = 'second'\nchannel = 'task'\nafter = '2h'\nwindow = 'any'\n\
                  from = 'step-above'\nsubject = 's'\nbecause = 'b'";
    let given = Given::default();
    // An hour after 16:50 the office is closed.
    assert_eq!(
        told(tasks_under(second, &given)),
        ["first 19. 09:00 open", "second 19. 11:00 open"]
    );
    let given = given.with("2026-11-18 19:00 +0100", "task-done", "first");
    let tasks = tasks_under(second, &given);
    assert_eq!(tasks[0].because, "b; due 2h after the step above");
    assert_eq!(told(tasks), ["second 18. 21:00 open", "first 19. 09:00 done"]);
}

#[test]
fn a_step_keeps_hours_of_its_own_where_its_owner_works() {
    let step = "window = 'owner'\nhours = 'Mo-Fr 10:00-12:00,15:00-16:00'";
    let given = Given::default();
    let tasks = tasks_under(step, &given);
    assert_eq!(
        tasks[0].because,
        "b; due 1h after the form was sent, moved into working hours, moved into the hours of the step"
    );
    assert_eq!(told(tasks), ["first 19. 10:00 open"]);
    // At any hour of the clock, but these.
    let step = "window = 'any'\nhours = 'Mo-Su 08:00-20:00'";
    assert_eq!(told(tasks_under(step, &given)), ["first 18. 17:50 open"]);
}

#[test]
fn a_step_is_for_the_leads_that_it_is_meant_for() {
    let given = Given::default();
    let of = |step: &str| {
        let task = tasks_under(step, &given).remove(0);
        (task.channel.word(), task.state.word(), task.because)
    };
    let found = of("when = { field = 'language', is = 'de' }");
    assert_eq!((found.1, found.2.as_str()), ("not-needed", "language is pl, not de"));
    assert_eq!(of("when = { field = 'language', is = 'pl' }").1, "open");
    let found = of("purpose = 'marketing'");
    assert_eq!((found.1, found.2.as_str()), ("not-allowed", "none is on record"));
    let found = of("purpose = 'marketing'\nwithout-consent = 'task'");
    assert_eq!((found.0, found.1), ("task", "open"));
    assert!(
        found.2.starts_with("not by call: none is on record; somebody decides; "),
        "{}",
        found.2
    );
}
