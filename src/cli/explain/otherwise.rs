//! What `explain` tells of what a lead could still be.

use anyhow::Result;
use serde_json::{Value, json};

use crate::cli::terminal;
use crate::model::decision::{Basis, Grade, Score};
use crate::pipeline::otherwise::{Otherwise, ToQueue};
use crate::rules::RuleSet;
use crate::rules::scoring::ScoringPolicy;
use crate::scoring::{Given, Missing, Way};

/// Ways to a segment that are told; the rest is counted.
const WAYS_MAX: usize = 5;

/// Tells what is missing; `is_asked` when somebody asked for the segment and not only for the whole story.
pub(super) fn print(otherwise: &Otherwise, rules: &RuleSet, is_asked: bool) -> Result<()> {
    if let Some(missing) = &otherwise.missing {
        print_missing(missing, &rules.scoring, is_asked)?;
    }
    otherwise.to_queue.as_ref().map_or(Ok(()), print_queue)
}

fn print_missing(missing: &Missing, policy: &ScoringPolicy, is_asked: bool) -> Result<()> {
    let Missing { segment, now, ways, out_of_reach } = missing;
    let word = segment.word();
    terminal::print("")?;
    if now.segment >= *segment {
        return terminal::print_wrapped(
            &format!("it is {} with {}", now.segment.word(), points(now)),
            2,
        );
    }
    terminal::print_wrapped(&format!("what is missing to be {word} (now {}):", points(now)), 2)?;
    if ways.is_empty() {
        let line = "  no three rules that it could still meet would be enough";
        terminal::print_wrapped(line, 4)?;
    }
    for way in ways.iter().take(WAYS_MAX) {
        terminal::print_wrapped(&format!("  {}", way_text(way, now, policy)), 4)?;
    }
    let more = ways.len().saturating_sub(WAYS_MAX);
    if more > 0 {
        terminal::print(&format!(
            "  and {}",
            terminal::count(more as u64, "other way", "other ways")
        ))?;
    }
    if is_asked && !out_of_reach.is_empty() {
        let mut rows = vec![["points", "out of reach", "because"].map(str::to_owned).to_vec()];
        rows.extend(out_of_reach.iter().map(|one| {
            let rule = &policy.rules[one.rule];
            let because =
                if one.misses.is_empty() { rule.because.clone() } else { one.misses.join("; ") };
            vec![format!("{:+}", one.points), rule.id.clone(), because]
        }));
        terminal::print(&format!("\n{}", terminal::table(&rows, &[0])))?;
    }
    Ok(())
}

fn points(score: &Score) -> String {
    let grade = score.grade.map_or(String::new(), |grade| format!(", {}", grade.word()));
    format!("{} points{grade}", score.total)
}

/// Returns `Named a budget (+10) and asked for a demo (+20) would make 72: hot`.
fn way_text(way: &Way, now: &Score, policy: &ScoringPolicy) -> String {
    let is_taken = |one: &&Given| way.takes.contains(&one.rule);
    let taken: Vec<String> =
        way.given.iter().filter(is_taken).map(|one| given_text(*one, now, policy)).collect();
    let along: Vec<String> = way
        .given
        .iter()
        .filter(|one| !is_taken(one))
        .map(|one| format!("{} {:+}", policy.rules[one.rule].id, one.then - one.before))
        .collect();
    let with = if along.is_empty() {
        String::new()
    } else {
        format!(", which brings along {},", along.join(", "))
    };
    let text = joined(&taken);
    let mut letters = text.chars();
    let text: String =
        letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    let grade = way.score.grade.map_or(String::new(), |grade| format!(", {}", grade.word()));
    let segment = way.score.segment.word();
    format!("{text}{with} would make {}: {segment}{grade}", way.score.total)
}

/// Says what the rule stands for, up to its first colon: `named a budget (+10)`.
fn given_text(given: Given, now: &Score, policy: &ScoringPolicy) -> String {
    let rule = &policy.rules[given.rule];
    let said = rule.because.split(':').next().unwrap_or_default().trim();
    let mut letters = said.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_lowercase).collect();
    let is_word = letters.clone().next().is_none_or(|second| !second.is_uppercase());
    let said = if is_word { format!("{first}{}", letters.as_str()) } else { said.to_owned() };
    let points = given.then - given.before;
    let before = now.contributions.iter().find(|one| usize::from(one.rule) == given.rule);
    if let Some(Basis::Missing(field)) = before.map(|one| &one.basis)
        && rule.points < 0
    {
        format!("{field} named, and not \"{said}\" ({points:+})")
    } else if rule.points < 0 {
        format!("no longer \"{said}\" ({points:+})")
    } else {
        format!("{said} ({points:+})")
    }
}

fn joined(texts: &[String]) -> String {
    match texts.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => texts.concat(),
    }
}

fn print_queue(to: &ToQueue) -> Result<()> {
    terminal::print(&format!("\nwhat is missing to reach queue {}:", to.queue))?;
    if let Some(owner) = &to.kept_by {
        let line = format!("  {owner} has the lead and keeps it, whatever the routes say");
        terminal::print_wrapped(&line, 4)?;
    }
    if to.is_triage {
        terminal::print_wrapped("  every lead that no route takes goes there", 4)?;
    } else if to.routes.is_empty() {
        terminal::print_wrapped("  no route leads there", 4)?;
    }
    for one in &to.routes {
        let mut parts = one.misses.clone();
        if !one.above.is_empty() {
            parts.push(format!("taken before by {}", one.above.join(", ")));
        }
        if !one.above_perhaps.is_empty() {
            let routes = one.above_perhaps.join(", ");
            parts.push(format!("taken before by {routes}, if somebody there may take it"));
        }
        let what = if parts.is_empty() { "matches".to_owned() } else { parts.join("; ") };
        terminal::print_wrapped(&format!("  {} ({}): {what}", one.route, one.because), 4)?;
    }
    Ok(())
}

/// Returns the same for programs, every way included.
pub(super) fn as_json(otherwise: &Otherwise, rules: &RuleSet) -> Value {
    let id = |rule: usize| rules.scoring.rules[rule].id.as_str();
    let score = |score: &Score| {
        json!({
            "score": score.total, "segment": score.segment.word(),
            "grade": score.grade.map(Grade::word), "model": score.models.primary_id(),
        })
    };
    json!({
        "missing": otherwise.missing.as_ref().map(|missing| json!({
            "segment": missing.segment.word(),
            "now": score(&missing.now),
            "ways": missing.ways.iter().map(|way| json!({
                "takes": way.takes.iter().map(|rule| id(*rule)).collect::<Vec<_>>(),
                "points": way.given.iter().map(|one| json!({
                    "rule": id(one.rule), "before": one.before, "then": one.then,
                })).collect::<Vec<_>>(),
                "then": score(&way.score),
                "text": way_text(way, &missing.now, &rules.scoring),
            })).collect::<Vec<_>>(),
            "out_of_reach": missing.out_of_reach.iter().map(|one| json!({
                "rule": id(one.rule), "points": one.points, "misses": one.misses,
            })).collect::<Vec<_>>(),
        })),
        "to_queue": otherwise.to_queue.as_ref().map(|to| json!({
            "queue": to.queue, "kept_by": to.kept_by, "is_triage": to.is_triage,
            "routes": to.routes.iter().map(|one| json!({
                "route": one.route, "because": one.because, "misses": one.misses, "above": one.above,
                "above_perhaps": one.above_perhaps,
            })).collect::<Vec<_>>(),
        })),
    })
}
