//! How often each rule fired and what it is worth: what the person who writes the rules looks at.

use serde_json::{Value, json};

use crate::scoring::lift::{Ended, FEW, Lift, Trust};

/// What one scoring rule did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleFigures {
    /// Rule's id; `cap` for what caps took.
    pub rule: String,
    /// Group word.
    pub group: String,
    /// Points that it gives when it fires, before they halve; none when the rules no longer have it.
    pub points: Option<i64>,
    /// Leads that have points of it now.
    pub leads: u64,
    /// Points that these leads have of it.
    pub given: i64,
    /// When a run last gave points by it, in local time; none for never.
    pub last_fired: Option<String>,
    /// Since when runs have decided by rules that have it, in local time; none when no run has.
    pub since: Option<String>,
    /// What it is worth; none where nobody told how leads ended, or the rules no longer have it.
    pub lifts: Option<RuleLifts>,
}

/// Leads that met a rule soon after they came, beside the others, by how they ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleLifts {
    /// Those that had a meeting, or a date for one.
    pub meeting: Lift,
    /// Those that bought.
    pub won: Lift,
}

/// How leads ended whose window is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcomes {
    /// Leads, and those with a meeting.
    pub meeting: Ended,
    /// Leads, and those that bought.
    pub won: Ended,
    /// Leads left out whose window is still open.
    pub young: u64,
    /// Leads left out because the CRM changed them since they came.
    pub changed_since: u64,
}

impl Outcomes {
    /// Returns in words what the comparison rests on; `window` is how long leads had.
    pub fn in_words(self, window: &str) -> String {
        let left_out = |n: u64, why: &str| {
            if n == 0 { String::new() } else { format!("; {n} left out, {why}") }
        };
        format!(
            "what each rule is worth: {} leads, as they were soon after they came, of which {} had a meeting or a \
             date for one and {} bought within {window}{}{}",
            self.won.leads,
            self.meeting.well,
            self.won.well,
            left_out(self.young, "younger than that"),
            left_out(self.changed_since, "changed in the CRM since they came"),
        )
    }
}

/// What one route did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteFigures {
    /// Route's id; `sticky` for owners that were kept, `triage` for leads that no route takes.
    pub route: String,
    /// Queue's id; none when the rules no longer have it.
    pub queue: Option<String>,
    /// Leads that are where they are because of it.
    pub leads: u64,
    /// Decisions that it made, over the whole history.
    pub decisions: u64,
    /// When it last made one, in local time; none for never.
    pub last_fired: Option<String>,
    /// Since when runs have decided by rules that have it, in local time; none when no run has.
    pub since: Option<String>,
}

/// Returns the rules as a table, the header first; `leads` is how many there are.
pub fn rule_table(rules: &[RuleFigures], leads: u64) -> Vec<Vec<String>> {
    let header = ["rule", "group", "points", "leads", "share", "given", "average", "last fired"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    for one in rules {
        let points = one.points.map_or("gone".to_owned(), |points| format!("{points:+}"));
        rows.push(vec![
            one.rule.clone(),
            one.group.clone(),
            if one.rule == crate::rules::scoring::CAP_ID { String::new() } else { points },
            one.leads.to_string(),
            share(one.leads, leads),
            format!("{:+}", one.given),
            if one.leads > 0 { average(one.given, one.leads) } else { String::new() },
            fired(one.last_fired.as_deref()),
        ]);
    }
    rows
}

/// Returns the routes as a table, the header first; `leads` is how many there are.
pub fn route_table(routes: &[RouteFigures], leads: u64) -> Vec<Vec<String>> {
    let header = ["route", "queue", "leads", "share", "decisions", "last taken"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    for one in routes {
        rows.push(vec![
            one.route.clone(),
            one.queue.clone().unwrap_or_else(|| "gone".to_owned()),
            one.leads.to_string(),
            share(one.leads, leads),
            one.decisions.to_string(),
            fired(one.last_fired.as_deref()),
        ]);
    }
    rows
}

/// Returns what each rule is worth as a table, the header first; an outcome that no lead had has no columns. None where
/// no lead had any.
pub fn lift_table(rules: &[RuleFigures], outcomes: Outcomes) -> Option<Vec<Vec<String>>> {
    let (has_meeting, has_won) = (outcomes.meeting.well > 0, outcomes.won.well > 0);
    if !has_meeting && !has_won {
        return None;
    }
    let mut header = vec!["rule", "leads"];
    for (title, is_there) in [("meeting", has_meeting), ("won", has_won)] {
        header.extend([title, "others", "lift"].into_iter().filter(|_| is_there));
    }
    let mut rows = vec![header.into_iter().map(str::to_owned).collect()];
    let compared = rules.iter().filter_map(|one| Some((one, one.lifts?)));
    for (one, lifts) in compared.filter(|(_, lifts)| lifts.won.fired.leads > 0) {
        let mut row = vec![one.rule.clone(), lifts.won.fired.leads.to_string()];
        for (lift, is_there) in [(lifts.meeting, has_meeting), (lifts.won, has_won)] {
            row.extend(lift_cells(lift).into_iter().filter(|_| is_there));
        }
        rows.push(row);
    }
    Some(rows)
}

/// Returns the sentence below [`lift_table`].
pub fn lift_legend() -> String {
    format!(
        "lift: how many times as often as the others; ? fewer than {FEW} leads on either side, ~ may be chance (the \
         95 % intervals of the two shares overlap)"
    )
}

fn lift_cells(lift: Lift) -> [String; 3] {
    let share = |ended: Ended| ended.share().map_or("\u{2013}".to_owned(), percent);
    let mark = match lift.trust() {
        Trust::Sure => "",
        Trust::MayBeChance => "~",
        Trust::Few => "?",
    };
    let ratio = lift.ratio().map_or("\u{2013}".to_owned(), ratio);
    [share(lift.fired), share(lift.others), format!("{ratio}{mark}")]
}

/// Returns a share of 0 to 1 in whole percent.
pub fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

/// Returns how many times as often, with one decimal.
pub fn ratio(ratio: f64) -> String {
    format!("{ratio:.1}")
}

fn fired(last: Option<&str>) -> String {
    last.unwrap_or("never").to_owned()
}

/// Returns the rules as a table for spreadsheets, the header first; `leads` is how many there are.
pub fn rule_csv(rules: &[RuleFigures], leads: u64) -> Vec<Vec<String>> {
    let header =
        ["rule", "group", "points", "leads", "share", "given", "last_fired", "decides_since"];
    let mut header = header.map(str::to_owned).to_vec();
    for outcome in ["meeting", "won"] {
        header.extend(LIFT_COLUMNS.iter().map(|column| format!("{outcome}_{column}")));
    }
    let mut rows = vec![header];
    for one in rules {
        let mut row = vec![
            one.rule.clone(),
            one.group.clone(),
            one.points.map_or(String::new(), |points| points.to_string()),
            one.leads.to_string(),
            share(one.leads, leads),
            one.given.to_string(),
            one.last_fired.clone().unwrap_or_default(),
            one.since.clone().unwrap_or_default(),
        ];
        for lift in [one.lifts.map(|lifts| lifts.meeting), one.lifts.map(|lifts| lifts.won)] {
            row.extend(lift.map_or_else(Default::default, csv_lift));
        }
        rows.push(row);
    }
    rows
}

/// What a comparison says in a spreadsheet.
const LIFT_COLUMNS: [&str; 6] =
    ["fired_leads", "fired_well", "other_leads", "other_well", "lift", "note"];

fn csv_lift(lift: Lift) -> [String; LIFT_COLUMNS.len()] {
    [
        lift.fired.leads.to_string(),
        lift.fired.well.to_string(),
        lift.others.leads.to_string(),
        lift.others.well.to_string(),
        lift.ratio().map_or_else(String::new, |ratio| format!("{ratio:.3}")),
        lift.trust().word().to_owned(),
    ]
}

/// Returns all of it for programs; `leads` is how many there are.
pub fn as_json(
    rules: &[RuleFigures],
    routes: &[RouteFigures],
    leads: u64,
    outcomes: Option<Outcomes>,
) -> Value {
    let ended = |ended: Ended| {
        let (low, high) = ended.interval();
        json!({"leads": ended.leads, "well": ended.well, "share": ended.share(), "low": low, "high": high})
    };
    let lift = |lift: Lift| {
        json!({
            "fired": ended(lift.fired),
            "others": ended(lift.others),
            "lift": lift.ratio(),
            "note": Some(lift.trust().word()).filter(|word| !word.is_empty()),
        })
    };
    let rule = |one: &RuleFigures| {
        json!({
            "rule": one.rule,
            "group": one.group,
            "points": one.points,
            "leads": one.leads,
            "given": one.given,
            "last_fired": one.last_fired,
            "decides_since": one.since,
            "meeting": one.lifts.map(|lifts| lift(lifts.meeting)),
            "won": one.lifts.map(|lifts| lift(lifts.won)),
        })
    };
    let route = |one: &RouteFigures| {
        json!({
            "route": one.route,
            "queue": one.queue,
            "leads": one.leads,
            "decisions": one.decisions,
            "last_taken": one.last_fired,
            "decides_since": one.since,
        })
    };
    json!({
        "leads": leads,
        "outcomes": outcomes.map(|sums| json!({
            "meeting": ended(sums.meeting),
            "won": ended(sums.won),
            "too_young": sums.young,
            "changed_since": sums.changed_since,
        })),
        "rules": rules.iter().map(rule).collect::<Vec<_>>(),
        "routes": routes.iter().map(route).collect::<Vec<_>>(),
    })
}

/// Returns the routes as a table for spreadsheets, the header first; `leads` is how many there are.
pub fn route_csv(routes: &[RouteFigures], leads: u64) -> Vec<Vec<String>> {
    let header = ["route", "queue", "leads", "share", "decisions", "last_taken", "decides_since"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    for one in routes {
        rows.push(vec![
            one.route.clone(),
            one.queue.clone().unwrap_or_default(),
            one.leads.to_string(),
            share(one.leads, leads),
            one.decisions.to_string(),
            one.last_fired.clone().unwrap_or_default(),
            one.since.clone().unwrap_or_default(),
        ]);
    }
    rows
}

/// Returns in words which rules and routes have never fired, and since when that is so; none when all have.
pub fn dead(rules: &[RuleFigures], routes: &[RouteFigures]) -> Option<String> {
    let rules = rules.iter().map(|one| (&one.rule, &one.last_fired, &one.since));
    let routes = routes.iter().map(|one| (&one.route, &one.last_fired, &one.since));
    let dead: Vec<String> = rules
        .chain(routes)
        .filter(|(_, last, _)| last.is_none())
        .map(|(id, _, since)| match since {
            Some(since) => format!("{id} (since {since})"),
            None => format!("{id} (no run yet)"),
        })
        .collect();
    if dead.is_empty() { None } else { Some(format!("never fired: {}", dead.join(", "))) }
}

/// Returns the share in percent with one decimal.
fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return String::new();
    }
    let tenths = (part * 2_000 + whole) / (whole * 2);
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// Returns the points a lead has on average, with one decimal.
fn average(points: i64, leads: u64) -> String {
    let (points, leads) = (i128::from(points), i128::from(leads));
    let tenths = (points.abs() * 20 + leads) / (leads * 2);
    let sign = if points < 0 { '-' } else { '+' };
    format!("{sign}{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_averages_are_rounded() {
        assert_eq!(share(1, 3), "33.3 %");
        assert_eq!(share(2, 3), "66.7 %");
        assert_eq!(share(0, 0), "");
        assert_eq!(average(-25, 10), "-2.5");
        assert_eq!(average(20, 3), "+6.7");
    }
}
