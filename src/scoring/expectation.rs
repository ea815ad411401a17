//! What a rule test expects of a score.

use crate::model::decision::{Basis, Contribution, Group, Score};
use crate::rules::scoring::ScoringPolicy;
use crate::rules::test::Expectation;

/// Returns a line for each way in which `score` is not as expected; none means that it is.
pub fn mismatches(expected: &Expectation, score: &Score, policy: &ScoringPolicy) -> Vec<String> {
    let mut lines = Vec::new();
    totals(expected, score, &mut lines);
    reasons(expected, score, policy, &mut lines);
    if !lines.is_empty() {
        let given: Vec<String> = score
            .contributions
            .iter()
            .map(|given| format!("{}{:+}", policy.id(given), given.points))
            .collect();
        lines.push(format!("the points: {}", given.join(", ")));
    }
    lines
}

fn totals(expected: &Expectation, score: &Score, lines: &mut Vec<String>) {
    if let Some(segment) = expected.segment.filter(|segment| *segment != score.segment) {
        lines.push(format!(
            "segment is {} ({} points), expected {}",
            score.segment.word(),
            score.total,
            segment.word()
        ));
    }
    if let Some(grade) = expected.grade.filter(|grade| Some(*grade) != score.grade) {
        let found = score.grade.map_or("none", |grade| grade.word());
        lines.push(format!("grade is {found}, expected {}", grade.word()));
    }
    if let Some(total) = expected.score.filter(|total| *total != score.total) {
        lines.push(format!("score is {}, expected {total}", score.total));
    }
    for (word, group) in Group::ALL {
        let found = score.groups[*group as usize];
        if let Some(points) = expected.groups[*group as usize].filter(|points| *points != found) {
            lines.push(format!("{word} has {found} points, expected {points}"));
        }
    }
    let primary = score.models.primary_id().unwrap_or("none");
    if let Some(model) = expected.model.as_deref().filter(|model| *model != primary) {
        lines.push(format!("model is {primary}, expected {model}"));
    }
    for (id, total) in &expected.models {
        let found = score.models.total(id).unwrap_or_default();
        if found != *total {
            lines.push(format!("model {id} has {found} points, expected {total}"));
        }
    }
}

fn reasons(expected: &Expectation, score: &Score, policy: &ScoringPolicy, lines: &mut Vec<String>) {
    let of = |id: &str| score.contributions.iter().find(|given| policy.id(given) == id);
    let is_missing = |given: &Contribution| matches!(given.basis, Basis::Missing(_));
    let gave = |id: &str| of(id).is_some_and(|given| !is_missing(given));
    for id in expected.because.iter().filter(|id| !gave(id)) {
        lines.push(format!("rule `{id}` gave no points, but was expected to"));
    }
    for id in expected.not_because.iter().filter(|id| gave(id)) {
        lines.push(format!("rule `{id}` gave points, but was expected not to"));
    }
    for id in expected.missing.iter().filter(|id| !of(id).is_some_and(is_missing)) {
        lines.push(format!("rule `{id}` missed no value, but was expected to"));
    }
    for (id, times) in &expected.times {
        let found = match of(id).map(|given| &given.basis) {
            Some(Basis::Repeated { times, .. }) => *times,
            _ => 0,
        };
        if found != *times {
            lines.push(format!("rule `{id}` counted {found} touches, expected {times}"));
        }
    }
}
