//! What is written without a mistake and still does nothing: only what can be proven is reported.

use super::{Axis, Count, Matrix, Scale, ScoreRule, ScoringPolicy};
use crate::model::decision::{Grade, Group, Segment};
use crate::rules::decode::Table;

pub(super) fn check(policy: &ScoringPolicy, root: &Table<'_>) {
    if policy.rules.is_empty() {
        return;
    }
    match &policy.matrix {
        Some(matrix) => cells(policy, matrix, root),
        None => {
            for position in 0..policy.models.len().max(1) {
                thresholds(policy, position, root);
            }
        }
    }
    for (at, rule) in policy.rules.iter().enumerate() {
        same_as_earlier(&policy.rules[..at], rule, root);
        spent_cap(policy, rule, root);
        timeless_decay(rule, root);
    }
    for (position, model) in policy.models.iter().enumerate() {
        if !policy.rules.iter().any(|rule| rule.is_of(position)) {
            let message =
                format!("no rule belongs to model `{}`: its leads all have 0 points", model.id);
            let hint = format!("name it in a rule, models = [\"{}\"], or leave it out", model.id);
            root.sink().warning(&model.place, message, Some(hint));
        }
    }
}

/// A segment that starts where no lead gets to.
fn thresholds(policy: &ScoringPolicy, position: usize, root: &Table<'_>) {
    let scale = policy.scale_of(position);
    let all: Vec<Group> = Group::ALL.iter().map(|(_, group)| *group).collect();
    let highest = bounds(policy, position, &all).1.min(scale.total.1);
    let unreached = [(Segment::Warm, scale.warm_from), (Segment::Hot, scale.hot_from)];
    let Some((segment, from)) = unreached.into_iter().find(|(_, from)| highest < *from) else {
        return;
    };
    let word = segment.word();
    let (place, of_model) = match policy.models.get(position) {
        Some(model) => (model.place.clone(), format!(" of model `{}`", model.id)),
        None => (root.place_of("segment"), String::new()),
    };
    let message =
        format!("no lead{of_model} can be {word}: the rules give at most {highest} points");
    root.sink().warning(&place, message, Some(format!("{word} starts at {from}")));
}

/// Cells that no lead gets to, and segments that no cell names.
fn cells(policy: &ScoringPolicy, matrix: &Matrix, root: &Table<'_>) {
    let place = root.place_of("matrix");
    let reached = |axis: &Axis| {
        let mut levels = [false; 3];
        for position in 0..policy.models.len().max(1) {
            let (lowest, highest) = bounds(policy, position, &axis.groups);
            for (level, reached) in levels.iter_mut().enumerate() {
                let from = axis.from.get(level).copied().unwrap_or(i32::MIN);
                let below = level.checked_sub(1).map_or(i32::MAX, |above| axis.from[above]);
                *reached |= from <= highest && lowest < below;
            }
        }
        levels
    };
    let (fit, engagement) = (reached(&matrix.fit), reached(&matrix.engagement));
    for (axis, name, reached, words) in [
        (&matrix.fit, "fit", fit, ["A", "B", "C"]),
        (&matrix.engagement, "engagement", engagement, ["1", "2", "3"]),
    ] {
        let (lowest, highest) = widest(policy, axis);
        for (word, _) in words.iter().zip(reached).filter(|(_, reached)| !reached) {
            let message = format!("no lead can be in the cells with {word}");
            let hint = format!("{name} goes from {lowest} to {highest} points");
            root.sink().warning(&place, message, Some(hint));
        }
    }
    for (word, segment) in Segment::ALL {
        let is_reached = Grade::ALL.iter().enumerate().any(|(at, (_, grade))| {
            matrix.cell(*grade).segment == *segment && fit[at / 3] && engagement[at % 3]
        });
        if !is_reached {
            let message = format!("no lead can be {word}: no cell that leads get to says so");
            let hint = format!(
                "its plans, routes and tasks wait for nobody; give a cell segment = \"{word}\""
            );
            root.sink().warning(&place, message, Some(hint));
        }
    }
}

fn widest(policy: &ScoringPolicy, axis: &Axis) -> (i32, i32) {
    let each = (0..policy.models.len().max(1)).map(|at| bounds(policy, at, &axis.groups));
    each.fold((0, 0), |(low, high), (lowest, highest)| (low.min(lowest), high.max(highest)))
}

/// Returns the least and the most that `groups` together can come to, before the total is cut.
fn bounds(policy: &ScoringPolicy, position: usize, groups: &[Group]) -> (i32, i32) {
    let scale: &Scale = policy.scale_of(position);
    let (mut lowest, mut highest) = (0_i32, 0_i32);
    for group in groups {
        let rules =
            || policy.rules.iter().filter(|rule| rule.group == *group && rule.is_of(position));
        let most = rules().map(ScoreRule::most).fold(0, i32::saturating_add);
        let least = rules().map(ScoreRule::least).fold(0, i32::saturating_add);
        let cap = scale.group_caps[*group as usize];
        highest = highest.saturating_add(cap.map_or(most, |cap| most.min(cap)));
        lowest = lowest.saturating_add(least);
    }
    (lowest, highest)
}

/// Two rules with one question: whoever changes one forgets the other.
fn same_as_earlier(earlier: &[ScoreRule], rule: &ScoreRule, root: &Table<'_>) {
    let same = earlier.iter().find(|other| {
        other.id != rule.id
            && other.group == rule.group
            && other.models == rule.models
            && other.when.implies_same(&rule.when)
            && rule.when.implies_same(&other.when)
    });
    if let Some(other) = same {
        let message = format!("rule `{}` asks the same as `{}`", rule.id, other.id);
        let hint =
            format!("their points are added up; one rule is enough (line {})", other.place.line());
        root.sink().warning(&rule.place, message, Some(hint));
    }
}

/// A rule whose leads have the whole cap of its group already.
///
/// It can be shown only where nothing takes points of that group again and what fills the cap neither
/// fades nor is given to other models only.
fn spent_cap(policy: &ScoringPolicy, rule: &ScoreRule, root: &Table<'_>) {
    let takes = |one: &ScoreRule| one.group == rule.group && one.least() < 0;
    if rule.points <= 0 || rule.missing.is_some() || policy.rules.iter().any(takes) {
        return;
    }
    let models: Vec<usize> =
        (0..policy.models.len().max(1)).filter(|position| rule.is_of(*position)).collect();
    let filled_by = |position: usize| -> Option<Vec<&ScoreRule>> {
        let cap = policy.scale_of(position).group_caps[rule.group as usize]?;
        let sure = |one: &&ScoreRule| {
            one.id != rule.id
                && one.group == rule.group
                && one.is_of(position)
                && one.count == Count::Once
                && one.decay.is_none()
                && one.missing.is_none()
                && rule.when.implies_same(&one.when)
        };
        let others: Vec<&ScoreRule> = policy.rules.iter().filter(sure).collect();
        let sum: i32 = others.iter().map(|one| one.points).sum();
        (sum >= cap).then_some(others)
    };
    let filled: Option<Vec<Vec<&ScoreRule>>> = models.into_iter().map(filled_by).collect();
    let Some(others) = filled.filter(|filled| !filled.is_empty()).map(|filled| filled[0].clone())
    else {
        return;
    };
    let ids: Vec<String> = others.iter().map(|one| format!("`{}`", one.id)).collect();
    let message = format!(
        "rule `{}` never matters: {} fill the cap of {} for its leads",
        rule.id,
        ids.join(", "),
        rule.group.word()
    );
    root.sink().warning(&rule.place, message, Some("raise the cap, or remove the rule".to_owned()));
}

/// What somebody is does not fade: such a rule would count the age of an enquiry.
fn timeless_decay(rule: &ScoreRule, root: &Table<'_>) {
    let is_dated = rule.when.counts_touches() || rule.when.looks_at_time();
    if rule.decay.is_none() || is_dated || !matches!(rule.group, Group::Fit | Group::Quality) {
        return;
    }
    let message = format!("rule `{}` fades, but looks at nothing that has a date", rule.id);
    let hint = "its age would be that of the latest submission; leave the decay out".to_owned();
    root.sink().warning(&rule.place, message, Some(hint));
}
