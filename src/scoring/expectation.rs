//! What a rule test expects of a score.

use crate::model::decision::{Group, Score};
use crate::rules::scoring::ScoringPolicy;
use crate::rules::test::Expectation;

/// Returns a line for each way in which `score` is not as expected; none means that it is.
pub fn mismatches(expected: &Expectation, score: &Score, policy: &ScoringPolicy) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(segment) = expected.segment.filter(|segment| *segment != score.segment) {
        lines.push(format!(
            "segment is {} ({} points), expected {}",
            score.segment.word(),
            score.total,
            segment.word()
        ));
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
    let gave = |id: &String| score.contributions.iter().any(|given| policy.id(given) == id);
    for id in expected.because.iter().filter(|id| !gave(id)) {
        lines.push(format!("rule `{id}` gave no points, but was expected to"));
    }
    for id in expected.not_because.iter().filter(|id| gave(id)) {
        lines.push(format!("rule `{id}` gave points, but was expected not to"));
    }
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
