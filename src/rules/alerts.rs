//! `alerts.toml`: which figures of a run are worth waking somebody for.

use super::decode::Table;
use super::diagnostics::Place;
use crate::model::run::Alert;

/// Weeks of history that a fall is measured against, unless the rule says otherwise.
const WEEKS: i64 = 8;
/// Fewer days of history than this have no median worth the name.
const HISTORY_DAYS_MIN: usize = 3;

/// What an alert watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlertKind {
    /// Percent of the rows read that were quarantined.
    RejectedShareAbove,
    /// Percent of the leads touched that no route matched.
    TriageShareAbove,
    /// Percent of the rows read that joined a known lead.
    DuplicateShareAbove,
    /// Percent by which today's leads are below the median of the same weekday.
    LeadsFell,
    /// Inputs that were refused whole.
    InputRefused,
    /// Inputs that were expected and did not come.
    NoInput,
    /// Leads touched that wait in a queue without an owner.
    Unowned,
    /// Those of them that nobody of a pool could take: all away, at their caps, or without the skill.
    NobodyEligible,
    /// Leads whose owner was not in contact in time.
    SlaBreached,
}

impl AlertKind {
    /// Every kind with its word, in order.
    pub const ALL: &[(&str, AlertKind)] = &[
        ("rejected-share-above", Self::RejectedShareAbove),
        ("triage-share-above", Self::TriageShareAbove),
        ("duplicate-share-above", Self::DuplicateShareAbove),
        ("leads-fell", Self::LeadsFell),
        ("input-refused", Self::InputRefused),
        ("no-input", Self::NoInput),
        ("unowned", Self::Unowned),
        ("nobody-eligible", Self::NobodyEligible),
        ("sla-breached", Self::SlaBreached),
    ];

    /// Returns the word used in rules.
    pub fn word(self) -> &'static str {
        Self::ALL[self as usize].0
    }

    fn is_percent(self) -> bool {
        self <= Self::LeadsFell
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
    /// Leads of the day that is compared.
    pub leads_today: u64,
    /// Leads of the same weekday in the weeks before, the latest first; days off are left out.
    pub same_weekday: Vec<u64>,
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

    /// Returns the alerts that `figures` set off, in the order of the rules.
    pub fn evaluate(&self, figures: &AlertFigures) -> Vec<Alert> {
        self.rules
            .iter()
            .filter_map(|rule| {
                let found = rule.evaluate(figures)?;
                let message = format!("{found}: {}", rule.because);
                Some(Alert { id: rule.id.clone(), message })
            })
            .collect()
    }
}

impl AlertRule {
    /// Returns what happened with its figures, when it is worth an alert.
    fn evaluate(&self, figures: &AlertFigures) -> Option<String> {
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
            AlertKind::LeadsFell => self.fall(figures),
            AlertKind::InputRefused => self.count(figures.refused_inputs, "inputs refused whole"),
            AlertKind::NoInput => (figures.inputs == 0).then(|| "no input came".to_owned()),
            AlertKind::Unowned => self.count(figures.unowned, "leads waiting without an owner"),
            AlertKind::NobodyEligible => {
                self.count(figures.nobody_eligible, "leads that nobody of a pool could take")
            }
            AlertKind::SlaBreached => {
                self.count(figures.sla_breached, "leads whose owner was not in contact in time")
            }
        }
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
        let fires = count as f64 > self.threshold && count >= self.minimum;
        fires.then(|| format!("{what}: {count} (more than {})", self.threshold))
    }

    fn fall(&self, figures: &AlertFigures) -> Option<String> {
        let mut history: Vec<u64> = figures.same_weekday.iter().copied().take(self.weeks).collect();
        if history.len() < HISTORY_DAYS_MIN {
            return None;
        }
        history.sort_unstable();
        let middle = history.len() / 2;
        let median = if history.len().is_multiple_of(2) {
            (history[middle - 1] + history[middle]) as f64 / 2.0
        } else {
            history[middle] as f64
        };
        if median <= 0.0 || median < self.minimum as f64 {
            return None;
        }
        let today = figures.leads_today;
        let percent = (median - today as f64) * 100.0 / median;
        (percent > self.threshold).then(|| {
            format!(
                "{today} leads, {percent:.0} % below the {median} of the same weekday (median of {} weeks)",
                history.len()
            )
        })
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
    if weeks.is_some() && kind != AlertKind::LeadsFell {
        table.error("weeks", "only `leads-fell` looks back over weeks", None);
    }
    let weeks = weeks.unwrap_or(WEEKS);
    if weeks < HISTORY_DAYS_MIN as i64 || weeks > 52 {
        table.error("weeks", format!("`weeks` goes from {HISTORY_DAYS_MIN} to 52"), None);
    }
    let because = table.string("because");
    AlertRule {
        id,
        kind,
        threshold: threshold.unwrap_or_default(),
        minimum: minimum.max(0) as u64,
        weeks: weeks.max(0) as usize,
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
    fn check(rule: &str, figures: &AlertFigures, expected: Option<&str>) {
        let (policy, found) = read(&format!("[[alert]]\nid = \"a\"\nbecause = \"look\"\n{rule}"));
        assert_eq!(found, [""; 0], "{rule}");
        let fired: Vec<String> =
            policy.evaluate(figures).into_iter().map(|alert| alert.message).collect();
        assert_eq!(fired.first().map(String::as_str), expected, "{rule}");
    }

    #[test]
    fn kinds_are_in_order() {
        assert!(AlertKind::ALL.iter().all(|(word, kind)| kind.word() == *word));
    }

    #[test]
    fn the_shipped_alerts_are_sound() {
        let (policy, found) = read(include_str!("../../rules/alerts.toml"));
        assert_eq!(found, [""; 0]);
        assert!(policy.evaluate(&AlertFigures { inputs: 1, ..AlertFigures::default() }).is_empty());
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
            Some("11 of 100 rows were quarantined (11.0 %, more than 10 %): look"),
        );
        check(rule, &rows(19, 19), None);
        check(rule, &rows(0, 0), None);
    }

    #[test]
    fn a_fall_is_measured_against_the_same_weekday() {
        let rule = "kind = \"leads-fell\"\nthreshold = 50\nminimum = 10\nweeks = 4";
        let day = |leads_today, same_weekday: &[u64]| AlertFigures {
            leads_today,
            same_weekday: same_weekday.to_vec(),
            ..AlertFigures::default()
        };
        check(rule, &day(20, &[40, 40, 40, 40]), None);
        check(
            rule,
            &day(19, &[40, 30, 50, 40, 1_000, 1_000, 1_000]),
            Some("19 leads, 52 % below the 40 of the same weekday (median of 4 weeks): look"),
        );
        // Two weeks are no history, and nine leads a day are no volume.
        check(rule, &day(0, &[40, 40]), None);
        check(rule, &day(0, &[9, 9, 9, 9]), None);
    }

    #[test]
    fn counts_fire_when_there_are_any() {
        let figures = AlertFigures { refused_inputs: 1, unowned: 3, ..AlertFigures::default() };
        check(
            "kind = \"input-refused\"",
            &figures,
            Some("inputs refused whole: 1 (more than 0): look"),
        );
        check("kind = \"unowned\"\nthreshold = 3", &figures, None);
        let figures = AlertFigures { nobody_eligible: 2, ..figures };
        check(
            "kind = \"nobody-eligible\"",
            &figures,
            Some("leads that nobody of a pool could take: 2 (more than 0): look"),
        );
        let figures = AlertFigures { sla_breached: 4, ..figures };
        check(
            "kind = \"sla-breached\"\nthreshold = 3",
            &figures,
            Some("leads whose owner was not in contact in time: 4 (more than 3): look"),
        );
        check("kind = \"no-input\"", &figures, Some("no input came: look"));
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
                "only `leads-fell` looks back over weeks",
                "alert `a` exists already",
            ]
        );
    }
}
