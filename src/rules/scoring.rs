//! `scoring.toml`: which facts give how many points, and from how many a lead is warm or hot.

mod lints;
mod matrix;
mod model;
mod rule;
mod scale;

use std::collections::BTreeMap;

use super::condition::ConditionContext;
use super::decode::Table;
use super::diagnostics::Place;
use crate::model::decision::{Basis, Contribution, Grade, Group, Segment};

pub use self::matrix::{Axis, Cell, Matrix};
pub use self::model::Model;
pub(super) use self::rule::expect_rule;
pub use self::rule::{Count, Decay, ScoreRule, TIMES_MAX, WindowLimit};
pub use self::scale::Scale;

/// Rules that a policy may have; a position has to fit a [`Contribution`].
const RULES_MAX: usize = 1_000;
/// The id under which points taken by a cap are listed.
pub const CAP_ID: &str = "cap";
/// The position of a cap in a [`Contribution`].
pub const CAP_RULE: u16 = u16::MAX;

/// How leads are scored.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoringPolicy {
    /// The rules, in the order of the file.
    pub rules: Vec<ScoreRule>,
    /// Caps and thresholds where there are no models.
    pub scale: Scale,
    /// The models; the first whose condition a lead meets decides. Empty: there is one score.
    pub models: Vec<Model>,
    /// Grades, which say the segment in place of thresholds.
    pub matrix: Option<Matrix>,
    /// What to do with a lead, in the order of [`Segment::ALL`].
    pub actions: [String; 3],
}

impl Default for ScoringPolicy {
    /// Returns a policy without rules: 0 to 100 points, warm from 40, hot from 70.
    fn default() -> Self {
        Self {
            rules: Vec::new(),
            scale: Scale::default(),
            models: Vec::new(),
            matrix: None,
            actions: [
                "keep in touch by newsletter".to_owned(),
                "write today, call within a day".to_owned(),
                "call at once".to_owned(),
            ],
        }
    }
}

impl ScoringPolicy {
    /// Reads `scoring.toml`; without it no rule gives points.
    pub fn decode(root: Option<&Table<'_>>, context: &ConditionContext<'_>) -> Self {
        let mut policy = Self::default();
        let Some(root) = root else { return policy };
        policy.scale.decode(root);
        policy.matrix = root.table("matrix", Matrix::decode).flatten();
        policy.decode_segments(root);
        policy.scale.check(root);
        policy.models = Model::decode_all(root, context, &policy.scale, root.has("matrix"));
        let models: Vec<&str> = policy.models.iter().map(|model| &*model.id).collect();
        policy.rules = root.tables("score", |table| ScoreRule::decode(table, context, &models));
        if policy.rules.len() > RULES_MAX {
            root.error("score", format!("there are more than {RULES_MAX} scoring rules"), None);
            policy.rules.truncate(RULES_MAX);
        }
        policy.check_ids(root);
        // What is left of broken rules would be reported for what it lacks.
        if !root.sink().has_errors() {
            lints::check(&policy, root);
        }
        policy
    }

    /// Returns the scale of the model at `position`; without models, the only one.
    pub fn scale_of(&self, position: usize) -> &Scale {
        self.models.get(position).map_or(&self.scale, |model| &model.scale)
    }

    /// Returns where `total` falls by the thresholds of all leads; `None` with a matrix, which looks
    /// at more than the total, and with models, each of which has its own.
    pub fn segment_of(&self, total: i32) -> Option<Segment> {
        (self.matrix.is_none() && self.models.is_empty()).then(|| self.scale.segment_of(total))
    }

    /// Returns what to do with a lead of `segment` and `grade`.
    pub fn action(&self, segment: Segment, grade: Option<Grade>) -> &str {
        let of_grade = self
            .matrix
            .as_ref()
            .zip(grade)
            .and_then(|(matrix, grade)| matrix.cell(grade).action.as_deref());
        of_grade.unwrap_or(&self.actions[segment as usize])
    }

    /// Returns the id of the rule behind `contribution`; [`CAP_ID`] for a cap.
    pub fn id(&self, contribution: &Contribution) -> &str {
        self.rules.get(contribution.rule as usize).map_or(CAP_ID, |rule| &rule.id)
    }

    /// Returns why `contribution` was given, or which cap took the points.
    pub fn because(&self, contribution: &Contribution) -> String {
        let rule = self.rules.get(contribution.rule as usize);
        let Contribution { group, points, basis, .. } = contribution;
        reason(*group, *points, basis, rule.map(|rule| rule.because.as_str()))
    }

    fn decode_segments(&mut self, root: &Table<'_>) {
        let has_matrix = root.has("matrix");
        let known = root.table("segment", |segments| {
            for (word, segment) in Segment::ALL {
                let found = segments.table(word, |table| {
                    self.decode_threshold(word, *segment, table, has_matrix);
                    let action = table.opt_string("action").unwrap_or_default();
                    if action.trim().is_empty() {
                        no_action(table.place(), table, word);
                    }
                    self.actions[*segment as usize] = action;
                });
                if found.is_none() && !segments.has(word) {
                    no_action(segments.place(), segments, word);
                }
            }
        });
        if known.is_none() && !root.has("segment") {
            for (word, _) in Segment::ALL {
                let start = Place { span: 0..0, ..root.place().clone() };
                no_action(&start, root, word);
            }
        }
    }

    fn decode_threshold(&mut self, word: &str, segment: Segment, table: &Table<'_>, matrix: bool) {
        if segment == Segment::Cold {
            return;
        }
        if matrix {
            if table.has("from") {
                let hint = "with a [matrix] its cells do; remove `from`".to_owned();
                table.error("from", format!("points do not say who is {word}"), Some(hint));
            }
            return;
        }
        self.scale.decode_from(segment, table);
        if !table.has("from") {
            let from =
                if segment == Segment::Hot { self.scale.hot_from } else { self.scale.warm_from };
            let message = format!("segment `{word}` does not say from how many points");
            let hint = format!("add it, or {from} is assumed: from = {from}");
            table.sink().warning(table.place(), message, Some(hint));
        }
    }

    fn check_ids(&self, root: &Table<'_>) {
        let mut first: BTreeMap<&str, &Place> = BTreeMap::new();
        for rule in &self.rules {
            if rule.id == CAP_ID {
                let message = format!("`{CAP_ID}` is how points taken by a cap are listed");
                root.sink().error(&rule.place, message, Some("choose another id".to_owned()));
            }
            if let Some(earlier) = first.get(rule.id.as_str()) {
                let message = format!("scoring rule `{}` exists already", rule.id);
                let hint = format!("the first one is on line {}; ids are unique", earlier.line());
                root.sink().error(&rule.place, message, Some(hint));
            } else {
                first.insert(&rule.id, &rule.place);
            }
        }
    }
}

/// Returns why `points` were given in `group`: `because` is what the rule says, `None` for a rule that is
/// gone and for caps.
pub fn reason(group: Group, points: i32, basis: &Basis, because: Option<&str>) -> String {
    let said = because.unwrap_or("a rule that is gone");
    match basis {
        Basis::Met => because.unwrap_or("limit of the group or of the total").to_owned(),
        Basis::Repeated { times, each } => {
            let given = *times as i32 * each;
            let faded = if given == points { "" } else { ", faded" };
            format!("{said} ({times} x {each}{faded})")
        }
        Basis::Missing(field) => format!("No {field} given"),
        Basis::GroupLimit(cap) => format!("Capped at {cap} points for {}", group.word()),
        Basis::TotalLimit(end) if points > 0 => format!("Raised to {end}, the lowest total"),
        Basis::TotalLimit(end) => format!("Capped at {end} points in total"),
    }
}

fn no_action(place: &Place, table: &Table<'_>, word: &str) {
    let hint = format!("say what to do with a {word} lead: [segment.{word}] action = \"..\"");
    table.sink().error(place, format!("segment `{word}` has no action"), Some(hint));
}

#[cfg(test)]
pub(crate) mod compiled;
#[cfg(test)]
mod tests;
