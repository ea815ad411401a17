//! How often each rule fired: what the person who writes the rules looks at.

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

fn fired(last: Option<&str>) -> String {
    last.unwrap_or("never").to_owned()
}

/// Returns the rules as a table for spreadsheets, the header first; `leads` is how many there are.
pub fn rule_csv(rules: &[RuleFigures], leads: u64) -> Vec<Vec<String>> {
    let header =
        ["rule", "group", "points", "leads", "share", "given", "last_fired", "decides_since"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    for one in rules {
        rows.push(vec![
            one.rule.clone(),
            one.group.clone(),
            one.points.map_or(String::new(), |points| points.to_string()),
            one.leads.to_string(),
            share(one.leads, leads),
            one.given.to_string(),
            one.last_fired.clone().unwrap_or_default(),
            one.since.clone().unwrap_or_default(),
        ]);
    }
    rows
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
