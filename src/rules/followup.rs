//! Follow-up plans as written in `followup.toml`: which steps follow an enquiry, by when, and what
//! each needs.

mod step;

use std::collections::BTreeMap;

use chrono::TimeDelta;
use chrono_tz::Tz;

pub use self::step::{Start, Step, StepHours, Window, WithoutConsent};
use super::condition::{Condition, ConditionContext};
use super::consent::ConsentPolicy;
use super::decode::{Sink, Table};
use super::diagnostics::Place;
use super::hours::{BusinessHours, Calendar, opt_hours};
use super::template::TemplateCatalog;
use crate::model::decision::Segment;
use crate::model::subject::Subject;
use crate::model::task::TaskKey;

/// What follows an enquiry.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Stable id.
    pub id: String,
    /// Segments it serves.
    pub segments: Vec<Segment>,
    /// Which of their leads.
    pub when: Condition,
    /// Steps in file order.
    pub steps: Vec<Step>,
    /// Why, in words a salesperson understands.
    pub because: String,
    /// Where it is written.
    pub place: Place,
}

/// All plans; the first that serves the segment and whose condition the lead meets is followed.
#[derive(Debug, Clone, PartialEq)]
pub struct FollowupPolicy {
    /// Plans in file order.
    pub plans: Vec<Plan>,
    /// Age of an enquiry beyond which no mail or text message goes out.
    pub max_age: TimeDelta,
    /// Time after which a returning person starts the plan anew instead of continuing it.
    pub restart_after: TimeDelta,
    /// Hours of leads that have no owner.
    pub hours: BusinessHours,
    /// Zone in which days are told: UTC until a workspace says its own.
    pub zone: Tz,
}

const MAX_AGE_SECONDS: i64 = 3 * 86_400;
const RESTART_AFTER_SECONDS: i64 = 30 * 86_400;

impl FollowupPolicy {
    /// Reads `followup.toml`; without one there are no plans and so no tasks.
    ///
    /// Hours default to those of `office`; the purposes of steps are checked against `consent`.
    pub fn decode(
        root: Option<&Table<'_>>,
        context: &ConditionContext<'_>,
        office: Office<'_>,
        consent: &ConsentPolicy,
    ) -> Self {
        let calendar = office.calendar;
        let mut policy = Self {
            plans: Vec::new(),
            max_age: TimeDelta::seconds(MAX_AGE_SECONDS),
            restart_after: TimeDelta::seconds(RESTART_AFTER_SECONDS),
            hours: calendar.hours.clone(),
            zone: Tz::UTC,
        };
        let Some(root) = root else { return policy };
        let seconds = |key, usual| {
            let seconds = root.opt_duration_seconds(key).unwrap_or(usual);
            TimeDelta::seconds(seconds.min(100 * step::AFTER_SECONDS_MAX))
        };
        policy.max_age = seconds("max-age", MAX_AGE_SECONDS);
        policy.restart_after = seconds("restart-after", RESTART_AFTER_SECONDS);
        if let Some(hours) = opt_hours(root, "hours", calendar, calendar.zone, &[]) {
            policy.hours = hours;
        }
        policy.plans = root.tables("plan", |table| decode_plan(table, context, office, consent));
        lint(&policy, root);
        policy
    }

    /// Warns of steps in whose own hours nobody ever works of `takers`, who are all that may have a lead; where there
    /// are none, the office.
    pub(super) fn lint_hours(&self, takers: &[&BusinessHours], sink: &Sink) {
        let steps =
            self.plans.iter().flat_map(|plan| plan.steps.iter().map(move |step| (plan, step)));
        for (plan, step) in steps.filter(|(_, step)| step.window != Window::Any) {
            let Some(own) = &step.hours else { continue };
            let office = [&self.hours];
            let mut working = if takers.is_empty() { office.iter() } else { takers.iter() };
            if working.any(|hours| own.in_zone(hours.zone()).meets(hours)) {
                continue;
            }
            let message = format!(
                "nobody works in the hours of step `{}` of plan `{}`: it will be due outside of them",
                step.id, plan.id
            );
            let hint = "write `hours` in which somebody works, or window = \"any\"";
            sink.warning(&step.place, message, Some(hint.to_owned()));
        }
    }

    /// Returns the plan that a lead in `segment` follows.
    pub fn plan_for(&self, subject: &Subject<'_>, segment: Segment) -> Option<&Plan> {
        self.plans
            .iter()
            .find(|plan| plan.segments.contains(&segment) && plan.when.matches(subject))
    }

    /// Returns the step that a planned task carries out.
    pub fn step(&self, key: &TaskKey) -> Option<&Step> {
        let plan = self.plans.iter().find(|known| known.id == key.plan)?;
        plan.steps.iter().find(|known| known.id == key.step)
    }
}

/// When and where people work.
#[derive(Debug, Clone, Copy)]
pub struct Office<'a> {
    /// The workspace's calendar.
    pub calendar: &'a Calendar,
    /// The zones in which owners work, besides the calendar's.
    pub zones: &'a [Tz],
    /// What is written to people.
    pub templates: &'a TemplateCatalog,
}

fn decode_plan(
    table: &Table<'_>,
    context: &ConditionContext<'_>,
    office: Office<'_>,
    consent: &ConsentPolicy,
) -> Plan {
    let id = step::decode_id(table);
    let mut segments = table.choices("segments", Segment::ALL);
    if !table.has("segments") {
        segments = Segment::ALL.iter().map(|(_, segment)| *segment).collect();
    }
    let steps = table.tables("step", |table| Step::decode(table, context, office, consent));
    if steps.is_empty() && !id.is_empty() {
        table.sink().error(
            &table.place_of("id"),
            format!("plan `{id}` has no steps"),
            Some("add a [[plan.step]]".to_owned()),
        );
    }
    let plan = Plan {
        segments,
        when: Condition::decode_key(table, "when", context).unwrap_or_else(Condition::always),
        steps,
        because: table.string("because"),
        place: table.place_of("id"),
        id,
    };
    duplicates(table, "step", plan.steps.iter().map(|step| (step.id.as_str(), &step.place)));
    plan
}

fn duplicates<'a>(
    table: &Table<'_>,
    kind: &str,
    found: impl Iterator<Item = (&'a str, &'a Place)>,
) {
    let mut seen: BTreeMap<&str, &Place> = BTreeMap::new();
    for (id, place) in found.filter(|(id, _)| !id.is_empty()) {
        match seen.get(id) {
            Some(first) => table.sink().error(
                place,
                format!("{kind} `{id}` exists already (line {})", first.line()),
                Some("give each an id of its own: tasks are recognized by it".to_owned()),
            ),
            None => {
                seen.insert(id, place);
            }
        }
    }
}

fn lint(policy: &FollowupPolicy, root: &Table<'_>) {
    duplicates(root, "plan", policy.plans.iter().map(|plan| (plan.id.as_str(), &plan.place)));
    for (word, segment) in Segment::ALL {
        let serving: Vec<&Plan> =
            policy.plans.iter().filter(|plan| plan.segments.contains(segment)).collect();
        if serving.iter().any(|plan| plan.when.is_always()) {
            continue;
        }
        let (message, hint) = match serving.last() {
            None => (
                format!("segment `{word}` has no plan: nobody would follow up on its leads"),
                format!("add a [[plan]] with segments = [\"{word}\"]"),
            ),
            Some(last) => (
                format!("segment `{word}` has only plans with a condition: some leads follow none"),
                format!("add a [[plan]] for `{word}` without `when` below `{}`", last.id),
            ),
        };
        root.sink().error(&root.place_of("plan"), message, Some(hint));
    }
    for (position, plan) in policy.plans.iter().enumerate() {
        let wider = |segment: &Segment| {
            policy.plans[..position].iter().find(|earlier| {
                earlier.segments.contains(segment) && plan.when.implies_same(&earlier.when)
            })
        };
        let covering: Vec<&Plan> = plan.segments.iter().filter_map(wider).collect();
        let (Some(first), true) = (covering.first(), covering.len() == plan.segments.len()) else {
            continue;
        };
        root.sink().error(
            &plan.place,
            format!(
                "plan `{}` is never followed: plan `{}` (line {}) above it takes its leads",
                plan.id,
                first.id,
                first.place.line()
            ),
            Some(format!("move `{}` above `{}` or remove it", plan.id, first.id)),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::task::TaskChannel;
    use crate::rules::decode::document;
    use crate::rules::diagnostics::RuleText;
    use crate::rules::field::FieldCatalog;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) -> FollowupPolicy {
        let sink = Sink::default();
        let fields = FieldCatalog::decode(None);
        let lists = BTreeMap::new();
        let context =
            ConditionContext { fields: &fields, lists: &lists, models: &[], has_matrix: false };
        let calendar = Calendar::decode(None);
        let consent = ConsentPolicy::default();
        let templates = TemplateCatalog::shipped();
        let office =
            Office { calendar: &calendar, zones: &[Tz::Europe__London], templates: &templates };
        let decode =
            |root: Option<&Table<'_>>| FollowupPolicy::decode(root, &context, office, &consent);
        let file = RuleText { path: "rules/followup.toml".into(), text: text.into() };
        let mut policy = decode(None);
        document(&file, &sink, |root| policy = decode(Some(root)));
        let found: Vec<String> = sink
            .take()
            .iter()
            .map(|found| format!("{}: {}", found.place.line(), found.message))
            .collect();
        assert_eq!(found, expected);
        policy
    }

    fn plan(id: &str, rest: &str, step: &str) -> String {
        format!(
            "[[plan]]\nid = '{id}'\nbecause = 'b'\n{rest}\n[[plan.step]]\nid = 'call'\n\
             channel = 'call'\nafter = '1h'\nbecause = 'b'\n{step}\n"
        )
    }

    const SUBJECT: &str = "subject = 'Call {name}'";

    #[test]
    fn the_shipped_plans_are_without_fault() {
        let policy = check(include_str!("../../rules/followup.toml"), &[]);
        for (word, segment) in Segment::ALL {
            let plan = policy.plans.iter().find(|plan| plan.segments.contains(segment)).unwrap();
            let confirmation = &plan.steps[0];
            assert_eq!(confirmation.channel, TaskChannel::Email, "{word}");
            assert!(confirmation.after <= TimeDelta::minutes(5), "{word}");
            assert!(plan.steps.iter().any(|step| step.after == TimeDelta::hours(24)), "{word}");
        }
    }

    #[test]
    fn every_segment_needs_a_plan() {
        check(
            &plan("a", "segments = ['hot', 'warm']", SUBJECT),
            &["1: segment `cold` has no plan: nobody would follow up on its leads"],
        );
        check(
            &plan("a", "when = { field = 'country', is = 'PL' }", SUBJECT),
            &[
                "1: segment `cold` has only plans with a condition: some leads follow none",
                "1: segment `warm` has only plans with a condition: some leads follow none",
                "1: segment `hot` has only plans with a condition: some leads follow none",
            ],
        );
        check(&plan("a", "", SUBJECT), &[]);
    }

    #[test]
    fn a_plan_below_its_twin_is_an_error() {
        let all = plan("all", "", SUBJECT);
        let hot = plan("hot", "segments = ['hot']", SUBJECT);
        check(&format!("{hot}{all}"), &[]);
        check(
            &format!("{all}{hot}"),
            &["12: plan `hot` is never followed: plan `all` (line 2) above it takes its leads"],
        );
    }

    #[test]
    fn ids_are_not_used_twice() {
        let step = "[[plan.step]]\nid = 'call'\nchannel = 'task'\nafter = '2h'\nbecause = 'b'\n\
                    subject = 's'";
        check(
            &plan("a", "", &format!("{SUBJECT}\n{step}")),
            &["12: step `call` exists already (line 6)"],
        );
    }

    #[test]
    fn no_id_of_a_plan_or_step_holds_what_parts_them_in_the_id_of_a_task() {
        check(
            &plan("hot/pl", "", SUBJECT).replace("id = 'call'", "id = 'call/1'"),
            &["2: the id `hot/pl` cannot contain `/`", "6: the id `call/1` cannot contain `/`"],
        );
    }

    #[test]
    fn a_step_that_cannot_be_is_an_error() {
        check(
            &plan("a", "", "subject = 'Call {nmae}'\npurpose = 'marketng'"),
            &["11: unknown purpose `marketng`", "10: unknown placeholder `{nmae}`"],
        );
        check(
            &plan("a", "", "subject = 'Call {name'\nwindow = 'owners'"),
            &["11: `window` cannot be `owners`", "10: `{` without `}`"],
        );
        check(&plan("a", "", SUBJECT).replace("'1h'", "'2y'"), &["8: `2y` is not a duration"]);
        check(
            &plan("a", "", SUBJECT).replace("'1h'", "'60w'"),
            &["8: `after` reaches further than a year"],
        );
    }

    #[test]
    fn hours_in_which_nobody_works_are_a_warning() {
        #[track_caller]
        fn check_hours(step: &str, takers: &[&str], expected: &[&str]) {
            let policy = check(&plan("a", "", &format!("{SUBJECT}\n{step}")), &[]);
            let compile = |hours: &&str| {
                BusinessHours::compile(hours, Tz::Europe__London, "GB", &[]).unwrap()
            };
            let takers: Vec<BusinessHours> = takers.iter().map(compile).collect();
            let sink = Sink::default();
            policy.lint_hours(&takers.iter().collect::<Vec<_>>(), &sink);
            let found: Vec<String> = sink.take().into_iter().map(|found| found.message).collect();
            assert_eq!(found, expected);
        }
        let nobody = [
            "nobody works in the hours of step `call` of plan `a`: it will be due outside of them",
        ];
        // The office works from Monday to Friday, 9 to 17.
        check_hours("hours = 'Sa-Su 10:00-14:00'", &[], &nobody);
        check_hours("hours = 'Mo-Fr 17:00-20:00'", &["Mo-Fr 08:00-17:00"], &nobody);
        check_hours("hours = 'Sa-Su 10:00-14:00'", &["Mo-Fr 09:00-17:00", "Sa 13:00-18:00"], &[]);
        check_hours("hours = 'Mo 10:00-11:00'", &[], &[]);
        check_hours("hours = 'Sa-Su 10:00-14:00'\nwindow = 'any'", &[], &[]);
    }

    #[test]
    fn subjects_speak_the_language_of_the_lead() {
        let policy =
            check(&plan("a", "", "subject = 'Call'\nsubject-in = { pl = 'Zadzwoń' }"), &[]);
        let step = policy.step(&"a/call".parse().unwrap()).unwrap();
        assert_eq!(step.subject_in(Some("pl")), "Zadzwoń");
        assert_eq!(step.subject_in(Some("de")), "Call");
        assert_eq!(step.subject_in(None), "Call");
    }
}
