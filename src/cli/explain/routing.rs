//! How a lead came to its owner, as `explain` tells it.

use anyhow::Result;
use serde_json::{Value, json};

use crate::cli::terminal;
use crate::pipeline::trace::{AskedRoute, RoutingTrace, TurnTrace, Until};

/// Writes until when the owner is to be in contact, the routes not taken, who was passed over, and whose turn it was;
/// `local` shows an instant, given in milliseconds since 1970 UTC.
pub(super) fn print(trace: &RoutingTrace, local: &dyn Fn(i64) -> String) -> Result<()> {
    if let Some(Until { owner, at, rule }) = &trace.until {
        let at = local(at.timestamp_millis());
        terminal::print_wrapped(&format!("{owner} is to be in contact by {at} (rule {rule})"), 2)?;
    }
    if !trace.asked.is_empty() {
        let mut rows = vec![["route not taken", "because"].map(str::to_owned).to_vec()];
        rows.extend(trace.asked.iter().map(|asked| vec![asked.route.clone(), because(asked)]));
        terminal::print(&format!("\n{}", terminal::table(&rows, &[])))?;
    }
    if !trace.passed.is_empty() {
        let mut rows = vec![["passed over", "in queue", "because"].map(str::to_owned).to_vec()];
        rows.extend(
            trace
                .passed
                .iter()
                .map(|(queue, one)| vec![one.owner.clone(), queue.clone(), one.words()]),
        );
        terminal::print(&format!("\n{}", terminal::table(&rows, &[])))?;
    }
    trace.turn.as_ref().map_or(Ok(()), print_turn)
}

fn because(asked: &AskedRoute) -> String {
    if !asked.misses.is_empty() {
        asked.misses.join("; ")
    } else if asked.had_nobody {
        "it matches, but nobody could take the lead".to_owned()
    } else {
        "it matches now; the lead stays with its owner".to_owned()
    }
}

/// Writes where everybody stood; of one person there is nothing to compare.
fn print_turn(turn: &TurnTrace) -> Result<()> {
    if turn.standings.len() < 2 {
        return Ok(());
    }
    let has_leads = turn.standings.iter().any(|one| one.leads.is_some());
    let has_caps = turn.standings.iter().any(|one| one.left.is_some());
    let mut header = vec!["whose turn", "weight", "owed"];
    header.extend(has_leads.then_some("leads"));
    header.extend(has_caps.then_some("cap left"));
    header.push("");
    let mut rows: Vec<Vec<String>> = vec![header.into_iter().map(str::to_owned).collect()];
    let figure = |number: Option<i64>| number.map_or_else(String::new, |number| number.to_string());
    for one in &turn.standings {
        let mut row = vec![one.owner.clone(), one.weight.to_string(), one.owed.to_string()];
        row.extend(has_leads.then(|| figure(one.leads)));
        row.extend(has_caps.then(|| figure(one.left)));
        let is_turn = one.owner == turn.owner;
        row.push(if is_turn { format!("gets it, by {}", turn.strategy) } else { String::new() });
        rows.push(row);
    }
    terminal::print(&format!("\n{}", terminal::table(&rows, &[1, 2, 3, 4][..rows[0].len() - 2])))
}

/// Returns the same for programs.
pub(super) fn as_json(trace: &RoutingTrace) -> Value {
    json!({
        "asked": trace.asked.iter().map(|one| json!({
            "route": one.route, "matched": one.misses.is_empty(), "misses": one.misses,
            "had_nobody": one.misses.is_empty() && one.had_nobody,
        })).collect::<Vec<_>>(),
        "passed_over": trace.passed.iter().map(|(queue, one)| json!({
            "queue": queue, "owner": one.owner, "why": one.why.word(), "detail": one.detail,
        })).collect::<Vec<_>>(),
        "until": trace.until.as_ref().map(|until| json!({
            "owner": until.owner, "rule": until.rule,
            "at": until.at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
        })),
        "turn": trace.turn.as_ref().map(|turn| json!({
            "queue": turn.queue,
            "owner": turn.owner,
            "turn": turn.turn,
            "strategy": turn.strategy,
            "standings": turn.standings.iter().map(|one| json!({
                "owner": one.owner, "weight": one.weight, "owed": one.owed, "leads": one.leads,
                "cap_left": one.left,
            })).collect::<Vec<_>>(),
        })),
    })
}
