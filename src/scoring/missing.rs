//! What a lead lacks for a better segment: the fewest rules that would have to come out otherwise.

use super::{decide, points};
use crate::model::decision::{Basis, Contribution, Group, Score, Segment};
use crate::model::subject::Subject;
use crate::rules::condition::{Change, Gap, Lens, Supposition};
use crate::rules::scoring::ScoringPolicy;

/// Rules that one way may take: what is more is no advice.
const RULES_AT_MOST: usize = 3;
/// Rules that are combined, those with most points; bounds the search.
const CANDIDATES_MAX: usize = 24;

/// What a lead lacks for a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The segment.
    pub segment: Segment,
    /// The score as it is now.
    pub now: Score,
    /// The ways there, those with the fewest clauses first, then those with the fewest rules about who somebody
    /// is; none contains another.
    pub ways: Vec<Way>,
    /// Rules that would help, but for values that the lead has otherwise; positions in the policy.
    pub out_of_reach: Vec<OutOfReach>,
}

/// A rule that only another lead could meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutOfReach {
    /// Position of the rule.
    pub rule: usize,
    /// Points that it would give.
    pub points: i32,
    /// What keeps the lead from it; nothing for points taken for what it is.
    pub misses: Vec<String>,
}

/// Rules that would have to come out otherwise, and what they would make of the lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// Positions of the rules that it takes, in order.
    pub takes: Vec<usize>,
    /// Clauses that would have to come out otherwise: how much somebody has to find out or to do.
    pub clauses: usize,
    /// Every rule whose points would be others, what it takes and what comes along; in the order of rules.
    pub given: Vec<Given>,
    /// The score that the lead would have.
    pub score: Score,
}

/// A rule whose points would be others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Given {
    /// Position of the rule.
    pub rule: usize,
    /// Points now; 0 for none.
    pub before: i32,
    /// Points then.
    pub then: i32,
}

struct Candidate<'r> {
    rule: usize,
    changes: Vec<Change<'r>>,
}

/// Returns what `subject` lacks for `segment`; no ways when it has it or none takes so few rules.
///
/// Each way is counted anew with every rule, cap, model and grade, as if what is missing had come: what a
/// salesperson can find out, or the person can still say or do. The points of a rule that is met only then would be
/// whole; those that fade already stay as faded as they are, unless what they count from would happen again.
pub fn missing(subject: &Subject<'_>, policy: &ScoringPolicy, segment: Segment) -> Missing {
    let lens = Lens::new(subject);
    let scene = Scene {
        given: policy.rules.iter().map(|rule| points::given(rule, &lens)).collect(),
        lens: &lens,
        policy,
    };
    let now = scene.score(None);
    let (candidates, out_of_reach) = scene.candidates();
    let mut ways: Vec<Way> = Vec::new();
    if now.segment < segment {
        for size in 1..=RULES_AT_MOST.min(candidates.len()) {
            each_combination(candidates.len(), size, &mut |chosen| {
                let takes: Vec<usize> = chosen.iter().map(|at| candidates[*at].rule).collect();
                if ways.iter().any(|way| way.takes.iter().all(|rule| takes.contains(rule))) {
                    return;
                }
                let changes: Vec<Change<'_>> =
                    chosen.iter().flat_map(|at| candidates[*at].changes.clone()).collect();
                ways.extend(scene.way(takes, &changes, segment));
            });
        }
    }
    let n_about_fit = |way: &Way| {
        way.takes.iter().filter(|rule| policy.rules[**rule].group == Group::Fit).count()
    };
    ways.sort_by_cached_key(|way| (way.clauses, n_about_fit(way), way.takes.clone()));
    Missing { segment, now, ways, out_of_reach }
}

/// A lead under the rules.
struct Scene<'a, 'l> {
    policy: &'a ScoringPolicy,
    lens: &'a Lens<'l>,
    /// What each rule gives now.
    given: Vec<Option<(i32, Basis)>>,
}

impl<'a> Scene<'a, '_> {
    /// Returns the rules that may still come out to the lead's advantage, and those that cannot.
    fn candidates(&self) -> (Vec<Candidate<'a>>, Vec<OutOfReach>) {
        let mut candidates = Vec::new();
        let mut out_of_reach = Vec::new();
        for (position, rule) in self.policy.rules.iter().enumerate() {
            let now = self.points_now(position);
            let to = rule.points > 0;
            if !to && now >= 0 {
                continue;
            }
            let gap = if rule.missing.is_some() { Gap::IsOpen } else { Gap::DoesNotFit };
            match rule.when.changes_to(to, gap, self.lens) {
                Some(changes) if changes.is_empty() => {}
                Some(changes) => candidates.push(Candidate { rule: position, changes }),
                None => out_of_reach.push(OutOfReach {
                    rule: position,
                    points: if to { rule.points } else { -now },
                    misses: match &self.given[position] {
                        Some((_, Basis::Missing(field))) => vec![format!("{field} is not known")],
                        _ => rule.when.misses(self.lens.subject()),
                    },
                }),
            }
        }
        candidates.sort_by_key(|one| (-self.policy.rules[one.rule].points.abs(), one.rule));
        candidates.truncate(CANDIDATES_MAX);
        candidates.sort_by_key(|one| one.rule);
        (candidates, out_of_reach)
    }

    /// Returns the way of `changes` when it leads to `segment` and each rule of `takes` comes out otherwise.
    fn way(&self, takes: Vec<usize>, changes: &[Change<'a>], segment: Segment) -> Option<Way> {
        let supposed = Supposition::new(changes)?;
        let score = self.score(Some(&supposed));
        let primary = score.models.primary;
        let counts =
            |rule: usize| self.policy.models.is_empty() || self.policy.rules[rule].is_of(primary);
        let given: Vec<Given> = (0..self.policy.rules.len())
            .map(|rule| Given {
                rule,
                before: self.points_now(rule),
                then: self.supposed(rule, &supposed).map_or(0, |(points, _)| points),
            })
            .filter(|one| one.before != one.then && counts(one.rule))
            .collect();
        let works =
            |rule: &usize| given.iter().any(|one| one.rule == *rule && one.then > one.before);
        if score.segment < segment || !takes.iter().all(works) {
            return None;
        }
        Some(Way { takes, clauses: supposed.clauses(), given, score })
    }

    fn points_now(&self, rule: usize) -> i32 {
        self.given[rule].as_ref().map_or(0, |(points, _)| *points)
    }

    /// Returns the score as it would be; as it is when nothing is supposed.
    fn score(&self, supposed: Option<&Supposition<'a>>) -> Score {
        let rules = self.policy.rules.iter().enumerate();
        let given = rules.filter_map(|(position, rule)| {
            let (points, basis) = match supposed {
                Some(supposed) => self.supposed(position, supposed),
                None => self.given[position].clone(),
            }?;
            Some(Contribution { rule: position as u16, group: rule.group, points, basis })
        });
        let primary = self.policy.models.iter().position(|model| match supposed {
            Some(supposed) => supposed.meets(&model.when, self.lens),
            None => model.when.matches_through(self.lens),
        });
        decide(given.collect(), primary.unwrap_or(0), self.policy)
    }

    /// Returns what the rule at `position` would give.
    fn supposed(&self, position: usize, supposed: &Supposition<'a>) -> Option<(i32, Basis)> {
        points::supposed(&self.policy.rules[position], self.lens, supposed)
    }
}

/// Calls `visit` with every choice of `size` of the first `count` numbers, in order.
fn each_combination(count: usize, size: usize, visit: &mut impl FnMut(&[usize])) {
    let mut chosen: Vec<usize> = (0..size).collect();
    loop {
        visit(&chosen);
        let Some(at) = (0..size).rev().find(|at| chosen[*at] < count - size + at) else { return };
        chosen[at] += 1;
        for next in at + 1..size {
            chosen[next] = chosen[next - 1] + 1;
        }
    }
}

#[cfg(test)]
mod tests;
