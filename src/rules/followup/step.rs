//! One step of a plan: how it reaches the person, when, and what it needs.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::Office;
use crate::model::consent::{Channel, Purpose};
use crate::model::task::TaskChannel;
use crate::rules::condition::{Condition, ConditionContext};
use crate::rules::consent::ConsentPolicy;
use crate::rules::decode::Table;
use crate::rules::diagnostics::{Place, did_you_mean};
use crate::rules::hours::{BusinessHours, opt_hours};
use crate::rules::template::TemplateCatalog;

/// Words in braces that the subject of a step may contain.
const PLACEHOLDERS: &[&str] = &["name", "company", "product"];
/// No promise reaches further; it keeps due times inside the calendar.
pub(super) const AFTER_SECONDS_MAX: i64 = 366 * 86_400;

/// How the time of a step is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// By the wall clock, at any hour.
    Any,
    /// By the wall clock, then moved to the next minute the owner works.
    Owner,
    /// In minutes that the owner works.
    OwnerMinutes,
}

impl Window {
    /// Every window with its word in `followup.toml`.
    pub const ALL: &[(&str, Window)] =
        &[("any", Self::Any), ("owner", Self::Owner), ("owner-minutes", Self::OwnerMinutes)];

    /// Returns the instant `after` past `from`, counted in `hours` where the window asks for them; `from` itself where
    /// the calendar ends before.
    ///
    /// A started minute counts whole: 90 seconds of working time take two. No time at all is the first working minute.
    pub fn past(
        self,
        from: DateTime<Utc>,
        after: TimeDelta,
        hours: &BusinessHours,
    ) -> DateTime<Utc> {
        let by_clock = || from.checked_add_signed(after).unwrap_or(from);
        match self {
            Self::Any => by_clock(),
            Self::Owner => hours.next_open(by_clock()),
            Self::OwnerMinutes if after <= TimeDelta::zero() => hours.next_open(from),
            Self::OwnerMinutes => {
                hours.add_business_minutes(from, (after.num_seconds() + 59).div_euclid(60))
            }
        }
    }
}

/// From when the time of a step is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// From when the form was sent.
    Enquiry,
    /// From when the step above was done, or else is due.
    StepAbove,
}

impl Start {
    /// Every start with its word in `followup.toml`.
    pub const ALL: &[(&str, Start)] =
        &[("enquiry", Self::Enquiry), ("step-above", Self::StepAbove)];
}

/// What becomes of a step whose channel lacks the consent that it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WithoutConsent {
    /// It is left out, with the reason.
    LeaveOut,
    /// Somebody looks into it.
    Task,
}

impl WithoutConsent {
    /// Every way with its word in `followup.toml`.
    pub const ALL: &[(&str, WithoutConsent)] =
        &[("leave-out", Self::LeaveOut), ("task", Self::Task)];
}

/// Hours of the day at which a step may be due, in the zone of whoever does it.
#[derive(Debug, Clone, PartialEq)]
pub struct StepHours(Vec<BusinessHours>);

impl StepHours {
    /// Returns the hours as clocks in `zone` show them; in the office's zone when nobody works there.
    pub fn in_zone(&self, zone: Tz) -> &BusinessHours {
        self.0.iter().find(|hours| hours.zone() == zone).unwrap_or(&self.0[0])
    }

    fn decode(table: &Table<'_>, office: Office<'_>) -> Option<Self> {
        let calendar = office.calendar;
        let here = opt_hours(table, "hours", calendar, calendar.zone, &[])?;
        let there = office.zones.iter().filter(|zone| **zone != calendar.zone);
        let there = there.filter_map(|zone| calendar.compile(here.expression(), *zone, &[]).ok());
        Some(Self(std::iter::once(here.clone()).chain(there).collect()))
    }
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Id, unique in its plan.
    pub id: String,
    /// How it reaches the person.
    pub channel: TaskChannel,
    /// Time from `start` to the step, counted as `window` says.
    pub after: TimeDelta,
    /// From when the time is counted.
    pub start: Start,
    /// How the time is counted.
    pub window: Window,
    /// Hours of the day at which it may be due, on top of the window.
    pub hours: Option<StepHours>,
    /// Which leads need it.
    pub when: Condition,
    /// What the contact is for; the consent gate is asked about it.
    pub purpose: Purpose,
    /// What becomes of it when the gate says no.
    pub without_consent: WithoutConsent,
    /// What to do, with placeholders.
    pub subject: String,
    /// The same in other languages, by ISO 639-1 code.
    pub subject_by_language: BTreeMap<String, String>,
    /// What is written or said: the name of a template.
    pub template: Option<String>,
    /// Whether somebody who was contacted needs it no more.
    pub unless_contacted: bool,
    /// Why, in words a salesperson understands.
    pub because: String,
    /// Where it is written.
    pub place: Place,
}

impl Step {
    pub(super) fn decode(
        table: &Table<'_>,
        context: &ConditionContext<'_>,
        office: Office<'_>,
        consent: &ConsentPolicy,
    ) -> Self {
        let id = decode_id(table);
        let channel = table.choice("channel", TaskChannel::ALL, TaskChannel::Task);
        let by_hand = matches!(channel, TaskChannel::Call | TaskChannel::Task);
        let window = table.opt_choice("window", Window::ALL);
        let purpose =
            table.opt_string("purpose").unwrap_or_else(|| Purpose::ENQUIRY_REPLY.to_owned());
        consent.expect_purpose(&purpose, table, "purpose");
        let subject = table.string("subject");
        check_placeholders(table, "subject", &subject);
        let subject_by_language = table.table("subject-in", |languages| {
            let texts = languages.keys().into_iter().filter_map(|language| {
                let text = languages.opt_string(&language)?;
                check_placeholders(languages, &language, &text);
                Some((language, text))
            });
            texts.collect()
        });
        Self {
            channel,
            after: decode_after(table),
            start: table.opt_choice("from", Start::ALL).unwrap_or(Start::Enquiry),
            // People keep office hours, machines do not.
            window: window.unwrap_or(if by_hand { Window::Owner } else { Window::Any }),
            hours: StepHours::decode(table, office),
            when: decode_when(table, context),
            purpose: Purpose::new(&purpose),
            without_consent: table
                .opt_choice("without-consent", WithoutConsent::ALL)
                .unwrap_or(WithoutConsent::LeaveOut),
            subject,
            subject_by_language: subject_by_language.unwrap_or_default(),
            template: decode_template(table, office.templates),
            unless_contacted: table.bool_or("unless-contacted", false),
            because: table.string("because"),
            place: table.place_of("id"),
            id,
        }
    }

    /// Returns the subject in `language`, else the general one.
    pub fn subject_in(&self, language: Option<&str>) -> &str {
        language
            .and_then(|language| self.subject_by_language.get(language))
            .unwrap_or(&self.subject)
    }

    /// Returns the channel that the consent gate is asked about; a task by hand needs none.
    pub fn consent_channel(&self) -> Option<Channel> {
        match self.channel {
            TaskChannel::Email => Some(Channel::Email),
            TaskChannel::Sms => Some(Channel::Sms),
            TaskChannel::Call => Some(Channel::Phone),
            TaskChannel::Task => None,
        }
    }

    /// Returns whether a machine does it, so that an old lead must not set it off.
    pub fn is_automatic(&self) -> bool {
        matches!(self.channel, TaskChannel::Email | TaskChannel::Sms)
    }
}

/// Reads the id of a plan or a step: a task is called by both, `hot/call`, and each must read back from it.
pub(super) fn decode_id(table: &Table<'_>) -> String {
    let id = table.string("id");
    if id.contains('/') {
        let hint = format!("write `{}`", id.replace('/', "-"));
        table.error("id", format!("the id `{id}` cannot contain `/`"), Some(hint));
    }
    id
}

fn decode_after(table: &Table<'_>) -> TimeDelta {
    if !table.has("after") {
        table.missing("after");
    }
    let after = table.opt_duration_seconds("after").unwrap_or_default();
    if after > AFTER_SECONDS_MAX {
        table.error("after", "`after` reaches further than a year", None);
    }
    TimeDelta::seconds(after.clamp(0, AFTER_SECONDS_MAX))
}

fn decode_template(table: &Table<'_>, templates: &TemplateCatalog) -> Option<String> {
    let name = table.opt_string("template")?;
    if !templates.names().any(|known| known == name) {
        let near = did_you_mean(&name, templates.names());
        let hint = near.map_or_else(
            || format!("write it into templates/{name}.txt"),
            |near| format!("did you mean `{near}`?"),
        );
        table.error("template", format!("there is no template `{name}`"), Some(hint));
    }
    Some(name)
}

fn decode_when(table: &Table<'_>, context: &ConditionContext<'_>) -> Condition {
    let Some(when) = Condition::decode_key(table, "when", context) else {
        return Condition::always();
    };
    // What was promised stays promised when time passes; a plan of its own says what time begins and ends.
    if when.looks_at_time() {
        table.error(
            "when",
            "a step cannot look at time",
            Some("say `after` how long it comes, or write the condition as the `when` of a plan of its own".to_owned()),
        );
    }
    when
}

fn check_placeholders(table: &Table<'_>, key: &str, text: &str) {
    for part in text.split('{').skip(1) {
        let Some((word, _)) = part.split_once('}') else {
            table.error(key, "`{` without `}`", None);
            continue;
        };
        if !PLACEHOLDERS.contains(&word) {
            let hint = did_you_mean(word, PLACEHOLDERS.iter().copied()).map_or_else(
                || "known are: {name}, {company}, {product}".to_owned(),
                |near| format!("did you mean `{{{near}}}`?"),
            );
            table.error(key, format!("unknown placeholder `{{{word}}}`"), Some(hint));
        }
    }
}
