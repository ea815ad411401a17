//! What `explain` tells of a score: every point, and how it changed from run to run.

use anyhow::Result;
use serde_json::{Value, json};

use crate::cli::terminal;
use crate::delivery::tasks::duration_text;
use crate::model::decision::{Grade, Segment};
use crate::pipeline::history::{ScoreChange, change};
use crate::rules::RuleSet;
use crate::rules::scoring::reason;
use crate::store::history::DecisionEntry;
use crate::store::points::GivenPoints;

/// Tells what the latest of `decisions` gave, and what is to be done with the lead.
pub(super) fn tell_latest(
    latest: &DecisionEntry,
    rules: &RuleSet,
    local: &dyn Fn(i64) -> String,
) -> Result<()> {
    let decided = format!(
        "{}, decided by run {} as of {} under rules {}",
        standing(latest),
        latest.run,
        local(latest.as_of_ms),
        latest.rules_hash
    );
    terminal::print_wrapped(&decided, 2)?;
    if let Some(line) = model_line(latest, rules) {
        terminal::print_wrapped(&line, 2)?;
    }
    if let Some(action) = action(latest, rules) {
        terminal::print_wrapped(&format!("what to do: {action}"), 2)?;
    }
    let mut rows = vec![["points", "group", "rule", "because"].map(str::to_owned).to_vec()];
    for given in &latest.contributions {
        rows.push(vec![
            format!("{:+}", given.points),
            given.group.word().to_owned(),
            given.rule.clone(),
            why(given, rules),
        ]);
    }
    terminal::print(&terminal::table(&rows, &[0]))
}

/// Tells how the score changed, the latest decision first.
pub(super) fn tell_changes(
    decisions: &[DecisionEntry],
    local: &dyn Fn(i64) -> String,
) -> Result<()> {
    if decisions.len() < 2 {
        return Ok(());
    }
    terminal::print("\nhow the score changed:")?;
    for pair in decisions.windows(2) {
        let [now, before] = pair else { continue };
        let line = format!(
            "run {}, {}: {}, {}",
            now.run,
            local(now.as_of_ms),
            standing(now),
            change_text(before, now)
        );
        terminal::print_wrapped(&line, 2)?;
    }
    if let Some(first) = decisions.last() {
        let line = format!(
            "run {}, {}: {}, at first; {}",
            first.run,
            local(first.as_of_ms),
            standing(first),
            first.reason
        );
        terminal::print_wrapped(&line, 2)?;
    }
    Ok(())
}

/// Returns the decisions as JSON, each with what is different from the one before.
pub(super) fn decisions_json(
    decisions: &[DecisionEntry],
    rules: &RuleSet,
    instant: &dyn Fn(i64) -> String,
) -> Vec<Value> {
    let one_json = |(at, one): (usize, &DecisionEntry)| {
        let before = decisions.get(at + 1);
        json!({
            "run": one.run,
            "as_of": instant(one.as_of_ms),
            "rules": one.rules_hash,
            "score": one.score,
            "segment": one.segment,
            "grade": one.grade,
            "models": models_json(one),
            "contributions": one.contributions.iter().map(|given| json!([
                given.rule, given.group.word(), given.points, why(given, rules),
            ])).collect::<Vec<_>>(),
            "change": before.map(|before| change_json(before, one)),
            "owner": one.owner,
            "queue": one.queue,
            "reason": one.reason,
            "tried": one.tried,
        })
    };
    decisions.iter().enumerate().map(one_json).collect()
}

fn models_json(one: &DecisionEntry) -> Value {
    let totals = one.models.totals.iter();
    match one.models.primary_id() {
        None => Value::Null,
        Some(primary) => json!({
            "primary": primary,
            "totals": totals.map(|(id, total)| (id.to_string(), json!(total)))
                .collect::<serde_json::Map<_, _>>(),
        }),
    }
}

fn change_json(before: &DecisionEntry, now: &DecisionEntry) -> Value {
    let ScoreChange { points, other_rules, passed_ms } = change(before, now);
    json!({
        "points": now.score - before.score,
        "segment_before": before.segment,
        "rules": points.iter().map(|one| json!({
            "rule": one.rule, "before": one.before, "now": one.now,
        })).collect::<Vec<_>>(),
        "other_rules": other_rules,
        "seconds_passed": passed_ms / 1_000,
    })
}

fn standing(one: &DecisionEntry) -> String {
    let grade = one.grade.as_ref().map_or(String::new(), |grade| format!(", {grade}"));
    format!("score {} ({}{grade})", one.score, one.segment)
}

fn model_line(latest: &DecisionEntry, rules: &RuleSet) -> Option<String> {
    let primary = latest.models.primary_id()?;
    let model = rules.scoring.models.iter().find(|model| *model.id == *primary);
    let (name, because) =
        model.map_or((primary, "a model that is gone"), |model| (&model.name, &model.because));
    let others: Vec<String> = latest
        .models
        .totals
        .iter()
        .filter(|(id, _)| **id != *primary)
        .map(|(id, total)| format!("{id} {total}"))
        .collect();
    let others = if others.is_empty() {
        String::new()
    } else {
        format!("; by the other models: {}", others.join(", "))
    };
    Some(format!("scored as {name} ({primary}): {because}{others}"))
}

fn action<'a>(latest: &DecisionEntry, rules: &'a RuleSet) -> Option<&'a str> {
    let segment = Segment::ALL.iter().find(|(word, _)| *word == latest.segment)?.1;
    let grade = latest.grade.as_deref();
    let grade = grade.and_then(|word| Grade::ALL.iter().find(|(known, _)| *known == word));
    Some(rules.scoring.action(segment, grade.map(|(_, grade)| *grade)))
}

fn why(given: &GivenPoints, rules: &RuleSet) -> String {
    let rule = rules.scoring.rules.iter().find(|known| known.id == given.rule);
    let because = rule.map(|rule| rule.because.as_str());
    let GivenPoints { group, points, basis, .. } = given;
    reason(*group, *points, basis, because)
}

/// Says what became different, and what may have done it: what came in, time, other rules.
fn change_text(before: &DecisionEntry, now: &DecisionEntry) -> String {
    let ScoreChange { points, other_rules, passed_ms } = change(before, now);
    let mut parts = vec![match now.score - before.score {
        0 => "as before".to_owned(),
        more @ 1.. => format!("{more} more than before"),
        less => format!("{} less than before", -less),
    }];
    parts.extend(points.iter().map(|one| match (one.before, one.now) {
        (0, now) => format!("{} now gives {now:+}", one.rule),
        (before, 0) => format!("{} no longer gives {before:+}", one.rule),
        (before, now) => format!("{} gives {now:+}, not {before:+}", one.rule),
    }));
    if passed_ms > 0 {
        parts.push(format!("{} later", duration_text(passed_ms / 60_000)));
    }
    if other_rules {
        parts.push(format!("rules {} in place of {}", now.rules_hash, before.rules_hash));
    }
    if now.reason != before.reason {
        parts.push(now.reason.clone());
    }
    parts.join("; ")
}
