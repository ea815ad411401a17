//! How a lead's score came to be what it is: what each decision gave that the one before did not.

use std::collections::BTreeMap;

use crate::store::history::DecisionEntry;

/// A rule whose points are not what they were.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointsChange {
    /// Rule's id; `cap` for what limits took.
    pub rule: String,
    /// Points before, 0 when it gave none.
    pub before: i64,
    /// Points now, 0 when it gives none.
    pub now: i64,
}

/// What is different from one decision about a lead to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScoreChange {
    /// Rules whose points changed, by id.
    pub points: Vec<PointsChange>,
    /// Whether the later one was made under other rules.
    pub other_rules: bool,
    /// Milliseconds that had passed in between, on the runs' own clocks.
    pub passed_ms: i64,
}

/// Returns what is different in `now` from `before`.
pub fn change(before: &DecisionEntry, now: &DecisionEntry) -> ScoreChange {
    let mut sums: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    for given in &before.contributions {
        sums.entry(&given.rule).or_default().0 += i64::from(given.points);
    }
    for given in &now.contributions {
        sums.entry(&given.rule).or_default().1 += i64::from(given.points);
    }
    let points = sums
        .into_iter()
        .filter(|(_, (before, now))| before != now)
        .map(|(rule, (before, now))| PointsChange { rule: rule.to_owned(), before, now })
        .collect();
    ScoreChange {
        points,
        other_rules: before.rules_hash != now.rules_hash,
        passed_ms: now.as_of_ms - before.as_of_ms,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::decision::{Basis, Group, ModelScores};
    use crate::store::points::GivenPoints;

    fn decision(as_of_ms: i64, rules: &str, given: &[(&str, i32)]) -> DecisionEntry {
        DecisionEntry {
            run: "r".to_owned(),
            as_of_ms,
            rules_hash: rules.to_owned(),
            score: given.iter().map(|(_, points)| i64::from(*points)).sum(),
            segment: "cold".to_owned(),
            grade: None,
            models: ModelScores::default(),
            contributions: given
                .iter()
                .map(|(rule, points)| GivenPoints {
                    rule: (*rule).to_owned(),
                    group: Group::Fit,
                    points: *points,
                    basis: Basis::Met,
                })
                .collect(),
            owner: None,
            queue: "sales".to_owned(),
            reason: String::new(),
            route: "all".to_owned(),
            tried: Vec::new(),
        }
    }

    #[test]
    fn rules_begin_cease_and_fade() {
        let before = decision(1_000, "a", &[("pl", 6), ("pages", 15), ("quote", 20), ("cap", -3)]);
        let now = decision(
            5_000,
            "b",
            &[("pl", 6), ("pages", 8), ("quiet", -15), ("cap", -1), ("cap", -2)],
        );
        let found = change(&before, &now);
        let points: Vec<(&str, i64, i64)> =
            found.points.iter().map(|one| (one.rule.as_str(), one.before, one.now)).collect();
        assert_eq!(points, [("pages", 15, 8), ("quiet", 0, -15), ("quote", 20, 0)]);
        assert_eq!((found.other_rules, found.passed_ms), (true, 4_000));
        let sum: i64 = found.points.iter().map(|one| one.now - one.before).sum();
        assert_eq!(sum, now.score - before.score, "the changes explain the difference");
    }
}
