//! `alerts.toml`: which figures of a run are worth waking somebody for.

use chrono::TimeDelta;

use super::decode::Table;
use super::diagnostics::Place;
use crate::model::run::Alert;

/// Weeks of history that a fall is measured against, unless the rule says otherwise.
pub const WEEKS: i64 = 8;
/// Fewer days of history than this have no median worth the name.
pub const HISTORY_DAYS_MIN: usize = 3;
/// Most weeks of history that an alert may look back on.
pub const WEEKS_MAX: i64 = 52;
/// An alert that goes on is told once a day.
const COOLDOWN_SECONDS: i64 = 86_400;

/// What an alert watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlertKind {
    /// Percent of the rows read that were quarantined.
    RejectedShareAbove,
    /// Percent of the leads touched that no route matched.
    TriageShareAbove,
    /// Percent of the rows read that joined a known lead.
    DuplicateShareAbove,
    /// Percent by which yesterday's leads are below the median of the same weekday.
    LeadsFell,
    /// Points of percent by which the share of yesterday's leads that may be written to is below that median.
    ConsentFell,
    /// Inputs that were refused whole.
    InputRefused,
    /// Inputs without a single row.
    InputEmpty,
    /// Inputs that were expected and did not come.
    NoInput,
    /// Leads touched that wait in a queue without an owner.
    Unowned,
    /// Those of them that nobody of a pool could take: all away, at their caps, or without the skill.
    NobodyEligible,
    /// Leads whose owner was not in contact in time.
    SlaBreached,
    /// A source, campaign or form that brought leads and brings none any more.
    Silent,
    /// A source of which no file has come for some time, whatever stood in it.
    InputMissing,
    /// A form through which no test lead has come for some time.
    CanaryMissing,
    /// Calls and tasks that are long past due.
    TasksOverdue,
    /// Hot leads that still wait for somebody.
    HotUntouched,
    /// Rows that targets would not take, and about which nothing was done yet.
    DeadLetters,
    /// Deliveries that have waited for long, of each endpoint.
    DeliveriesWaiting,
}

impl AlertKind {
    /// Every kind with its word, in order.
    pub const ALL: &[(&str, AlertKind)] = &[
        ("rejected-share-above", Self::RejectedShareAbove),
        ("triage-share-above", Self::TriageShareAbove),
        ("duplicate-share-above", Self::DuplicateShareAbove),
        ("leads-fell", Self::LeadsFell),
        ("consent-fell", Self::ConsentFell),
        ("input-refused", Self::InputRefused),
        ("input-empty", Self::InputEmpty),
        ("no-input", Self::NoInput),
        ("unowned", Self::Unowned),
        ("nobody-eligible", Self::NobodyEligible),
        ("sla-breached", Self::SlaBreached),
        ("silent", Self::Silent),
        ("input-missing", Self::InputMissing),
        ("canary-missing", Self::CanaryMissing),
        ("tasks-overdue", Self::TasksOverdue),
        ("hot-untouched", Self::HotUntouched),
        ("dead-letters", Self::DeadLetters),
        ("deliveries-waiting", Self::DeliveriesWaiting),
    ];

    /// Returns the word used in rules.
    pub fn word(self) -> &'static str {
        Self::ALL[self as usize].0
    }

    fn is_percent(self) -> bool {
        self <= Self::ConsentFell
    }

    /// Returns whether it is about one run, and so is told of each run anew.
    pub fn is_of_one_run(self) -> bool {
        matches!(
            self,
            Self::RejectedShareAbove
                | Self::TriageShareAbove
                | Self::DuplicateShareAbove
                | Self::InputRefused
                | Self::InputEmpty
                | Self::NoInput
                | Self::Unowned
                | Self::NobodyEligible
                | Self::SlaBreached
        )
    }

    /// Returns whether it goes by the clock.
    pub fn is_of_the_clock(self) -> bool {
        self >= Self::Silent && self != Self::DeadLetters
    }

    /// Returns whether it is asked when the files are written, not when leads are decided.
    pub fn is_of_delivery(self) -> bool {
        matches!(self, Self::DeadLetters | Self::DeliveriesWaiting)
    }

    /// Returns whether it is asked between two imports, too.
    pub fn needs_no_import(self) -> bool {
        self >= Self::NobodyEligible
    }

    fn looks_back_over_weeks(self) -> bool {
        matches!(self, Self::LeadsFell | Self::ConsentFell)
    }

    fn is_by(self) -> bool {
        self.looks_back_over_weeks() || self == Self::Silent
    }
}

/// What leads are told apart by, each with an alert of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlertBy {
    /// The preset of the input that brought them.
    Source,
    /// The campaign that they came from.
    Campaign,
    /// The form that they filled in.
    Form,
}

impl AlertBy {
    /// Every one with its word, in order.
    pub const ALL: &[(&str, AlertBy)] =
        &[("source", Self::Source), ("campaign", Self::Campaign), ("form", Self::Form)];

    /// Returns the word used in rules.
    pub fn word(self) -> &'static str {
        Self::ALL[self as usize].0
    }
}

/// One alert.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertRule {
    /// Stable id.
    pub id: String,
    /// What it watches.
    pub kind: AlertKind,
    /// Fires above this: percent or a count, as the kind says.
    pub threshold: f64,
    /// Stays silent below this many rows, leads or (for a fall) leads of the median day: the share of
    /// a handful says nothing.
    pub minimum: u64,
    /// How many weeks a fall is measured against.
    pub weeks: usize,
    /// How long something must have lasted.
    pub lasting: TimeDelta,
    /// Whether leads are told apart.
    pub by: Option<AlertBy>,
    /// The source that it is about; all without one.
    pub source: Option<String>,
    /// While it goes on, it is told again after this time.
    pub cooldown: TimeDelta,
    /// Why it matters, and what to look at first.
    pub because: String,
    /// Where the rule stands.
    pub place: Place,
}

/// The alerts of a workspace.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AlertPolicy {
    /// The alerts, in the order of the file.
    pub rules: Vec<AlertRule>,
}

/// The figures of one run that alerts look at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlertFigures {
    /// Inputs found, whatever became of them.
    pub inputs: u64,
    /// Inputs refused whole.
    pub refused_inputs: u64,
    /// Inputs without a single row.
    pub empty_inputs: u64,
    /// Rows read.
    pub rows_read: u64,
    /// Rows quarantined.
    pub quarantined: u64,
    /// Rows that joined a known lead; rows seen before are none, because exports overlap.
    pub duplicates: u64,
    /// Leads created or changed.
    pub leads_touched: u64,
    /// Those of them that no route matched.
    pub triage: u64,
    /// Those of them that wait in a queue without an owner.
    pub unowned: u64,
    /// Those of them that nobody of a pool could take.
    pub nobody_eligible: u64,
    /// Leads whose owner was not in contact in time.
    pub sla_breached: u64,
}

/// Leads of one day that is compared, and of the same weekday before it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Weekday {
    /// Leads of the day, and those of them that may be written to; `None` where nobody works on it.
    pub day: Option<(u64, u64)>,
    /// The same in the weeks before, the latest first; days off are left out.
    pub before: Vec<(u64, u64)>,
}

/// What goes by the clock: since when something is, or is not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lasting {
    /// How long, to as-of.
    pub hours: i64,
    /// How many it was before, where that tells whether it is worth an alert.
    pub usual: u64,
}

/// What a rule found out of order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What tells the alert from others of the same rule: a source, a campaign; empty without `by`.
    pub of: String,
    /// What happened, with its figures.
    pub what: String,
}

impl AlertPolicy {
    /// Reads `alerts.toml`; without it nothing fires.
    pub fn decode(root: Option<&Table<'_>>) -> Self {
        let Some(root) = root else { return Self::default() };
        let rules: Vec<AlertRule> = root.tables("alert", decode_rule);
        for (position, rule) in rules.iter().enumerate() {
            if let Some(earlier) = rules[..position].iter().find(|earlier| earlier.id == rule.id) {
                let hint = format!("the first one is on line {}", earlier.place.line());
                let message = format!("alert `{}` exists already", rule.id);
                root.sink().error(&rule.place, message, Some(hint));
            }
        }
        Self { rules }
    }
}

impl AlertRule {
    /// Returns the alert as it is told of `found`.
    pub fn alert(&self, found: &Found) -> Alert {
        let Found { of, what } = found;
        let named = if of.is_empty() { String::new() } else { format!("{of}: ") };
        Alert {
            id: self.id.clone(),
            key: if of.is_empty() { self.id.clone() } else { format!("{}/{of}", self.id) },
            message: format!("{named}{what}: {}", self.because),
        }
    }

    /// Returns what is out of order in a run of these `figures`; for kinds that are about one run.
    pub fn of_run(&self, figures: &AlertFigures) -> Option<String> {
        match self.kind {
            AlertKind::RejectedShareAbove => {
                self.share(figures.quarantined, figures.rows_read, "rows were quarantined")
            }
            AlertKind::TriageShareAbove => {
                self.share(figures.triage, figures.leads_touched, "leads matched no route")
            }
            AlertKind::DuplicateShareAbove => {
                self.share(figures.duplicates, figures.rows_read, "rows joined a known lead")
            }
            AlertKind::InputRefused => self.count(figures.refused_inputs, "inputs refused whole"),
            AlertKind::InputEmpty => self.count(figures.empty_inputs, "inputs without a row"),
            AlertKind::NoInput => (figures.inputs == 0).then(|| "no input came".to_owned()),
            AlertKind::Unowned => self.count(figures.unowned, "leads waiting without an owner"),
            AlertKind::NobodyEligible => {
                self.count(figures.nobody_eligible, "leads that nobody of a pool could take")
            }
            AlertKind::SlaBreached => {
                self.count(figures.sla_breached, "leads whose owner was not in contact in time")
            }
            _ => None,
        }
    }

    /// Returns what is out of order with the leads of a day; for kinds that look back over weeks.
    pub fn of_weekday(&self, weekday: &Weekday) -> Option<String> {
        let (leads, written) = weekday.day?;
        let before: Vec<(u64, u64)> = weekday.before.iter().copied().take(self.weeks).collect();
        if before.len() < HISTORY_DAYS_MIN {
            return None;
        }
        let usual = median(before.iter().map(|(leads, _)| *leads as f64));
        if usual <= 0.0 || usual < self.minimum as f64 {
            return None;
        }
        if self.kind == AlertKind::LeadsFell {
            let percent = (usual - leads as f64) * 100.0 / usual;
            return (percent > self.threshold).then(|| {
                format!(
                    "{leads} leads, {percent:.0} % below the {usual} of the same weekday (median of {} weeks)",
                    before.len()
                )
            });
        }
        let share = |(leads, written): (u64, u64)| written as f64 * 100.0 / leads.max(1) as f64;
        let days = before.iter().filter(|(leads, _)| *leads > 0);
        let (usual, today) = (median(days.map(|day| share(*day))), share((leads, written)));
        let fell = leads > 0 && leads >= self.minimum && usual - today > self.threshold;
        fell.then(|| {
            format!("{today:.0} % of {leads} leads may be written to, {usual:.0} % on the same weekday before")
        })
    }

    /// Returns what is out of order when something has lasted as long as `lasting` says; for kinds of the clock.
    pub fn of_clock(&self, lasting: &Lasting) -> Option<String> {
        let Lasting { hours, usual } = *lasting;
        if hours < self.lasting.num_hours() || usual < self.minimum {
            return None;
        }
        match self.kind {
            AlertKind::Silent => {
                Some(format!("no lead for {hours} h, {usual} in four weeks before"))
            }
            AlertKind::InputMissing => Some(format!("no file has come for {hours} h")),
            AlertKind::CanaryMissing => Some(format!("no test lead has come for {hours} h")),
            _ => None,
        }
    }

    /// Returns what is out of order when `count` leads or tasks wait for longer than [`AlertRule::lasting`], or `count`
    /// rows for somebody's look.
    pub fn of_waiting(&self, count: u64) -> Option<String> {
        let hours = self.lasting.num_hours();
        match self.kind {
            AlertKind::TasksOverdue => {
                self.count(count, &format!("calls and tasks overdue for more than {hours} h"))
            }
            AlertKind::HotUntouched => self
                .count(count, &format!("hot leads waiting for somebody for more than {hours} h")),
            AlertKind::DeadLetters => self.count(count, "rows that a target would not take"),
            _ => None,
        }
    }

    /// Returns what is out of order when `count` deliveries wait at an endpoint, the oldest for `hours`; `code` is the
    /// latest failure there, if there was one.
    pub fn of_deliveries(&self, count: u64, hours: i64, code: &str) -> Option<String> {
        let failed = if code.is_empty() { String::new() } else { format!(" ({code})") };
        let fires = hours >= self.lasting.num_hours() && self.is_above(count);
        fires.then(|| format!("{count} to be sent, the oldest waiting for {hours} h{failed}"))
    }

    fn share(&self, part: u64, whole: u64, what: &str) -> Option<String> {
        if whole == 0 || whole < self.minimum {
            return None;
        }
        let percent = part as f64 * 100.0 / whole as f64;
        (percent > self.threshold).then(|| {
            format!("{part} of {whole} {what} ({percent:.1} %, more than {} %)", self.threshold)
        })
    }

    fn count(&self, count: u64, what: &str) -> Option<String> {
        self.is_above(count).then(|| format!("{what}: {count} (more than {})", self.threshold))
    }

    fn is_above(&self, count: u64) -> bool {
        count as f64 > self.threshold && count >= self.minimum
    }
}

/// Returns the median; 0 of nothing.
pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        length if length.is_multiple_of(2) => f64::midpoint(values[middle - 1], values[middle]),
        _ => values[middle],
    }
}

fn decode_rule(table: &Table<'_>) -> AlertRule {
    let id = table.string("id");
    let kind = table.choice("kind", AlertKind::ALL, AlertKind::InputRefused);
    let threshold = table.opt_number("threshold");
    if kind.is_percent() && !table.has("threshold") {
        table.missing("threshold");
    }
    let highest = if kind.is_percent() { 100.0 } else { f64::INFINITY };
    if threshold.is_some_and(|threshold| !(0.0..=highest).contains(&threshold)) {
        let hint = if kind.is_percent() { "percent, from 0 to 100" } else { "a count, from 0" };
        table.error("threshold", "the alert could never fire sensibly", Some(hint.to_owned()));
    }
    let minimum = table.opt_integer("minimum").unwrap_or_default();
    if minimum < 0 {
        table.error("minimum", "`minimum` cannot be below 0", None);
    }
    let weeks = table.opt_integer("weeks");
    if weeks.is_some() && !kind.looks_back_over_weeks() {
        table.error("weeks", "only `leads-fell` and `consent-fell` look back over weeks", None);
    }
    let weeks = weeks.unwrap_or(WEEKS);
    if weeks < HISTORY_DAYS_MIN as i64 || weeks > WEEKS_MAX {
        table.error("weeks", format!("`weeks` goes from {HISTORY_DAYS_MIN} to {WEEKS_MAX}"), None);
    }
    if kind.is_of_the_clock() && !table.has("for") {
        table.missing("for");
    }
    let lasting = table.opt_duration_seconds("for");
    if lasting.is_some() && !kind.is_of_the_clock() {
        let hint = "silent, input-missing, canary-missing, tasks-overdue, hot-untouched and \
                    deliveries-waiting do";
        table.error(
            "for",
            format!("`{}` does not go by the clock", kind.word()),
            Some(hint.to_owned()),
        );
    }
    let by = table.opt_choice("by", AlertBy::ALL);
    if by.is_some() && !kind.is_by() {
        let hint = "leads-fell, consent-fell and silent do";
        table.error("by", format!("`{}` tells no leads apart", kind.word()), Some(hint.to_owned()));
    }
    let source = table.opt_string("source");
    let is_of_source = matches!(kind, AlertKind::InputMissing | AlertKind::CanaryMissing);
    if source.is_some() && !is_of_source {
        let hint =
            "input-missing and canary-missing are; others tell sources apart by = \"source\"";
        table.error(
            "source",
            format!("`{}` is not about one source", kind.word()),
            Some(hint.to_owned()),
        );
    }
    if kind == AlertKind::InputMissing && source.is_none() {
        table.missing("source");
    }
    let because = table.string("because");
    let seconds = |seconds: i64| TimeDelta::try_seconds(seconds).unwrap_or_default();
    AlertRule {
        id,
        kind,
        threshold: threshold.unwrap_or_default(),
        minimum: minimum.max(0) as u64,
        weeks: weeks.max(0) as usize,
        lasting: seconds(lasting.unwrap_or_default()),
        // Silence is told of each source unless the rule says otherwise.
        by: by.or((kind == AlertKind::Silent).then_some(AlertBy::Source)),
        source,
        cooldown: seconds(table.opt_duration_seconds("cooldown").unwrap_or(COOLDOWN_SECONDS)),
        because,
        place: table.place_of("id"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::decode::{Sink, document};
    use crate::rules::diagnostics::RuleText;

    fn read(text: &str) -> (AlertPolicy, Vec<String>) {
        let sink = Sink::default();
        let file = RuleText { path: "rules/alerts.toml".into(), text: text.into() };
        let mut policy = AlertPolicy::default();
        document(&file, &sink, |root| policy = AlertPolicy::decode(Some(root)));
        (policy, sink.take().into_iter().map(|found| found.message).collect())
    }

    #[track_caller]
    fn rule(text: &str) -> AlertRule {
        let text = format!("[[alert]]\nid = \"a\"\nbecause = \"look\"\n{text}");
        let (policy, found) = read(&text);
        assert_eq!(found, [""; 0], "{text}");
        policy.rules[0].clone()
    }

    #[track_caller]
    fn check(text: &str, figures: &AlertFigures, expected: Option<&str>) {
        assert_eq!(rule(text).of_run(figures).as_deref(), expected, "{text}");
    }

    #[test]
    fn kinds_are_in_order() {
        assert!(AlertKind::ALL.iter().all(|(word, kind)| kind.word() == *word));
    }

    #[test]
    fn the_shipped_alerts_are_sound() {
        let (policy, found) = read(include_str!("../../rules/alerts.toml"));
        assert_eq!(found, [""; 0]);
        let quiet = AlertFigures { inputs: 1, ..AlertFigures::default() };
        assert!(policy.rules.iter().all(|rule| rule.of_run(&quiet).is_none()));
    }

    #[test]
    fn a_share_fires_above_its_threshold_and_its_minimum() {
        let rule = "kind = \"rejected-share-above\"\nthreshold = 10\nminimum = 20";
        let rows = |rows_read, quarantined| AlertFigures {
            rows_read,
            quarantined,
            ..AlertFigures::default()
        };
        check(rule, &rows(100, 10), None);
        check(
            rule,
            &rows(100, 11),
            Some("11 of 100 rows were quarantined (11.0 %, more than 10 %)"),
        );
        check(rule, &rows(19, 19), None);
        check(rule, &rows(0, 0), None);
    }

    #[test]
    fn a_fall_is_measured_against_the_same_weekday() {
        #[track_caller]
        fn check(day: Option<u64>, before: &[u64], expected: Option<&str>) {
            let fell = rule("kind = \"leads-fell\"\nthreshold = 50\nminimum = 10\nweeks = 4");
            let weekday = Weekday {
                day: day.map(|leads| (leads, 0)),
                before: before.iter().map(|leads| (*leads, 0)).collect(),
            };
            assert_eq!(fell.of_weekday(&weekday).as_deref(), expected, "{day:?} {before:?}");
        }
        check(Some(20), &[40, 40, 40, 40], None);
        let fell = "19 leads, 52 % below the 40 of the same weekday (median of 4 weeks)";
        check(Some(19), &[40, 30, 50, 40, 1_000, 1_000, 1_000], Some(fell));
        // Two weeks are no history, nine leads a day are no volume, and on a holiday nobody writes.
        check(Some(0), &[40, 40], None);
        check(Some(0), &[9, 9, 9, 9], None);
        check(None, &[40, 40, 40, 40], None);
    }

    #[test]
    fn consent_falls_in_points_of_percent() {
        #[track_caller]
        fn check(day: (u64, u64), expected: Option<&str>) {
            let fell = rule("kind = \"consent-fell\"\nthreshold = 20\nminimum = 10");
            let weekday = Weekday { day: Some(day), before: vec![(20, 12), (40, 24), (30, 18)] };
            assert_eq!(fell.of_weekday(&weekday).as_deref(), expected, "{day:?}");
        }
        check((20, 8), None);
        check((20, 7), Some("35 % of 20 leads may be written to, 60 % on the same weekday before"));
        check((9, 0), None);
    }

    #[test]
    fn what_lasts_is_an_alert_from_its_hour_on() {
        let silent = rule("kind = \"silent\"\nfor = \"48h\"\nminimum = 5");
        let of = |hours, usual| silent.of_clock(&Lasting { hours, usual });
        assert_eq!(of(47, 9), None);
        assert_eq!(of(48, 9).as_deref(), Some("no lead for 48 h, 9 in four weeks before"));
        assert_eq!(of(48, 4), None);
        assert_eq!(silent.by, Some(AlertBy::Source));
        let overdue = rule("kind = \"tasks-overdue\"\nfor = \"1d\"\nthreshold = 3");
        assert_eq!(overdue.of_waiting(3), None);
        let told = "calls and tasks overdue for more than 24 h: 4 (more than 3)";
        assert_eq!(overdue.of_waiting(4).as_deref(), Some(told));
        let found = Found { of: "meta".to_owned(), what: "no lead".to_owned() };
        let alert = silent.alert(&found);
        assert_eq!((&*alert.key, &*alert.message), ("a/meta", "meta: no lead: look"));
    }

    #[test]
    fn counts_fire_when_there_are_any() {
        let figures = AlertFigures { refused_inputs: 1, unowned: 3, ..AlertFigures::default() };
        check("kind = \"input-refused\"", &figures, Some("inputs refused whole: 1 (more than 0)"));
        check("kind = \"unowned\"\nthreshold = 3", &figures, None);
        let figures = AlertFigures { nobody_eligible: 2, ..figures };
        check(
            "kind = \"nobody-eligible\"",
            &figures,
            Some("leads that nobody of a pool could take: 2 (more than 0)"),
        );
        check("kind = \"no-input\"", &figures, Some("no input came"));
    }

    #[test]
    fn what_an_alert_cannot_look_at_is_named() {
        let (_, found) = read(
            "[[alert]]\nid = \"a\"\nkind = \"silent\"\nbecause = \"x\"\nsource = \"meta\"\n\
             [[alert]]\nid = \"b\"\nkind = \"no-input\"\nbecause = \"x\"\nfor = \"2h\"\nby = \"form\"\n\
             [[alert]]\nid = \"c\"\nkind = \"input-missing\"\nbecause = \"x\"\nfor = \"2h\"\n",
        );
        assert_eq!(
            found,
            [
                "`for` is missing",
                "`silent` is not about one source",
                "`no-input` does not go by the clock",
                "`no-input` tells no leads apart",
                "`source` is missing",
            ]
        );
        let figures = AlertFigures { sla_breached: 4, ..AlertFigures::default() };
        check(
            "kind = \"sla-breached\"\nthreshold = 3",
            &figures,
            Some("leads whose owner was not in contact in time: 4 (more than 3)"),
        );
    }

    #[test]
    fn mistakes_are_named() {
        let (_, found) = read(
            "[[alert]]\nid = \"a\"\nkind = \"leads-fall\"\nbecause = \"x\"\n\
             [[alert]]\nid = \"a\"\nkind = \"triage-share-above\"\nbecause = \"x\"\nweeks = 4\n",
        );
        assert_eq!(
            found,
            [
                "`kind` cannot be `leads-fall`",
                "`threshold` is missing",
                "only `leads-fell` and `consent-fell` look back over weeks",
                "alert `a` exists already",
            ]
        );
    }
}
