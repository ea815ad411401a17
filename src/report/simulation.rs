//! What other rules would change, for people, spreadsheets and programs.

use std::collections::BTreeMap;

use serde::Serialize;

use super::comparison::{Comparison, LeadShift};
use crate::model::decision::Segment;
use crate::rules::difference::RuleEdit;

/// A simulation as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Simulation {
    /// The instant that counted as now, RFC 3339 in UTC.
    pub as_of: String,
    /// Only leads last heard of since then, the same way.
    pub since: Option<String>,
    /// Whether leads leave the owners whom the routes would not give them.
    pub reroute: bool,
    /// Hash of the rules at hand.
    pub rules_at_hand: String,
    /// Hash of the rules that were tried.
    pub rules_tried: String,
    /// What is otherwise in the rules that were tried.
    pub edits: Vec<RuleEdit>,
    /// The sums.
    #[serde(flatten)]
    pub comparison: Comparison,
    /// Leads that change, those that matter most first; not all of them when there are many.
    pub changes: Vec<LeadShift>,
}

impl Simulation {
    /// Returns the simulation as a page that stands alone.
    pub fn html(&self) -> anyhow::Result<String> {
        super::html::render_simulation(
            self,
            &tables(&self.comparison),
            &change_table(&self.changes),
        )
    }
}

/// The leads that change most, at most so many, whatever their number.
#[derive(Debug)]
pub struct Foremost {
    limit: usize,
    kept: BTreeMap<(u8, u64), LeadShift>,
    seen: u64,
}

impl Foremost {
    /// Keeps at most `limit` leads.
    pub fn new(limit: usize) -> Self {
        Self { limit, kept: BTreeMap::new(), seen: 0 }
    }

    /// Looks at the next lead.
    pub fn offer(&mut self, lead: &LeadShift) {
        self.seen += 1;
        if !lead.is_change() {
            return;
        }
        let place = (rank(lead), self.seen);
        if self.kept.len() == self.limit
            && self.kept.last_key_value().is_none_or(|(last, _)| *last < place)
        {
            return;
        }
        self.kept.insert(place, lead.clone());
        if self.kept.len() > self.limit {
            self.kept.pop_last();
        }
    }

    /// Returns them, those that matter most first, then in the order in which they came.
    pub fn into_leads(self) -> Vec<LeadShift> {
        self.kept.into_values().collect()
    }
}

/// Who becomes hot comes first, then who is it no longer, another segment, another place, other tasks.
fn rank(lead: &LeadShift) -> u8 {
    let (before, after) = (&lead.before, &lead.after);
    let is_hot = |word: &str| word == Segment::Hot.word();
    match () {
        () if before.segment != after.segment && is_hot(&after.segment) => 0,
        () if before.segment != after.segment && is_hot(&before.segment) => 1,
        () if before.segment != after.segment => 2,
        () if before.owner != after.owner || before.queue != after.queue => 3,
        () if !lead.tasks.is_none() => 4,
        () => 5,
    }
}

/// A table with a heading, and which of its columns hold figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Titled {
    /// What it shows.
    pub title: &'static str,
    /// Its rows, the header first.
    pub rows: Vec<Vec<String>>,
    /// Columns of figures.
    pub right: Vec<usize>,
}

/// Returns the sums as tables for people.
pub fn tables(comparison: &Comparison) -> Vec<Titled> {
    let mut tables = vec![segment_table(comparison), load_table(comparison)];
    if comparison.rules.iter().any(is_shifted) {
        tables.push(rule_table(comparison));
    }
    tables
}

/// Returns the leads by segment, before down and after across.
fn segment_table(comparison: &Comparison) -> Titled {
    let words: Vec<&str> = Segment::ALL.iter().rev().map(|(word, _)| *word).collect();
    let leads = |from: &str, to: &str| -> u64 {
        let of = comparison.segments.iter().filter(|one| one.from == from && one.to == to);
        of.map(|one| one.leads).sum()
    };
    let mut rows = vec![vec!["before \\ after".to_owned()]];
    rows[0].extend(words.iter().map(|word| (*word).to_owned()));
    rows[0].push("in all".to_owned());
    for from in &words {
        let counts: Vec<u64> = words.iter().map(|to| leads(from, to)).collect();
        let mut row = vec![(*from).to_owned()];
        row.extend(counts.iter().map(u64::to_string));
        row.push(counts.iter().sum::<u64>().to_string());
        rows.push(row);
    }
    let mut last = vec!["in all".to_owned()];
    last.extend(
        words.iter().map(|to| words.iter().map(|from| leads(from, to)).sum::<u64>().to_string()),
    );
    last.push(comparison.leads.to_string());
    rows.push(last);
    Titled { title: "leads by segment", rows, right: vec![1, 2, 3, 4] }
}

fn load_table(comparison: &Comparison) -> Titled {
    let header = ["queue", "owner", "leads", "after", "hot", "after", "share", "after", "due"]
        .map(str::to_owned);
    let mut rows = vec![header.to_vec()];
    let percent = |share: Option<u64>| share.map_or(String::new(), |share| format!("{share} %"));
    for one in &comparison.load {
        rows.push(vec![
            one.queue.clone(),
            one.owner.clone().unwrap_or_else(|| "(nobody)".to_owned()),
            one.before.to_string(),
            one.after.to_string(),
            one.hot_before.to_string(),
            one.hot_after.to_string(),
            percent(one.percent_before),
            percent(one.percent_after),
            percent(one.due_percent),
        ]);
    }
    Titled { title: "who has how much", rows, right: vec![2, 3, 4, 5, 6, 7, 8] }
}

fn is_shifted(rule: &super::comparison::RuleShift) -> bool {
    (rule.leads_before, rule.points_before) != (rule.leads_after, rule.points_after)
}

fn rule_table(comparison: &Comparison) -> Titled {
    let header = ["rule", "group", "leads", "after", "points", "after"].map(str::to_owned);
    let mut rows = vec![header.to_vec()];
    for one in comparison.rules.iter().filter(|one| is_shifted(one)) {
        rows.push(vec![
            one.rule.clone(),
            one.group.clone(),
            one.leads_before.to_string(),
            one.leads_after.to_string(),
            format!("{:+}", one.points_before),
            format!("{:+}", one.points_after),
        ]);
    }
    Titled { title: "rules that give other points", rows, right: vec![2, 3, 4, 5] }
}

/// Returns the leads that change, as a table for people.
pub fn change_table(changes: &[LeadShift]) -> Titled {
    let mut rows = vec![["lead", "name", "changes", "because"].map(str::to_owned).to_vec()];
    for one in changes {
        rows.push(vec![one.lead.clone(), one.name.clone(), changed(one), one.reasons()]);
    }
    Titled { title: "leads that change", rows, right: Vec::new() }
}

/// Returns in words what changes of a lead: `34 cold → 71 hot, owner anna → jan, 2 tasks more`.
pub fn changed(lead: &LeadShift) -> String {
    let LeadShift { before, after, tasks, .. } = lead;
    let mut parts = Vec::new();
    if before.segment != after.segment {
        let (was, is) = (&before.segment, &after.segment);
        parts.push(format!("{} {was} → {} {is}", before.score, after.score));
    } else if before.score != after.score {
        parts.push(format!("{} → {} points", before.score, after.score));
    }
    let nobody = "nobody".to_owned();
    if before.owner != after.owner {
        let (was, is) = (before.owner.as_ref(), after.owner.as_ref());
        parts.push(format!("owner {} → {}", was.unwrap_or(&nobody), is.unwrap_or(&nobody)));
    }
    if before.queue != after.queue {
        parts.push(format!("queue {} → {}", before.queue, after.queue));
    }
    let counted = [(tasks.opened, "more"), (tasks.moved, "moved"), (tasks.ended, "less")];
    for (count, word) in counted.into_iter().filter(|(count, _)| *count > 0) {
        parts.push(format!("{count} {} {word}", if count == 1 { "task" } else { "tasks" }));
    }
    if lead.by_time_alone == Some(true) {
        parts.push("by time alone".to_owned());
    }
    parts.join(", ")
}

/// The header of the list of leads for spreadsheets.
pub const CSV_HEADER: [&str; 15] = [
    "lead",
    "name",
    "score_before",
    "score_after",
    "segment_before",
    "segment_after",
    "owner_before",
    "owner_after",
    "queue_before",
    "queue_after",
    "tasks_opened",
    "tasks_moved",
    "tasks_ended",
    "by_time_alone",
    "rules",
];

/// Returns a lead that changes as a row under [`CSV_HEADER`].
pub fn csv_row(lead: &LeadShift) -> Vec<String> {
    let LeadShift { before, after, tasks, .. } = lead;
    let owner = |owner: &Option<String>| owner.clone().unwrap_or_default();
    vec![
        lead.lead.clone(),
        lead.name.clone(),
        before.score.to_string(),
        after.score.to_string(),
        before.segment.clone(),
        after.segment.clone(),
        owner(&before.owner),
        owner(&after.owner),
        before.queue.clone(),
        after.queue.clone(),
        tasks.opened.to_string(),
        tasks.moved.to_string(),
        tasks.ended.to_string(),
        lead.by_time_alone.map_or(String::new(), |by_time| by_time.to_string()),
        lead.reasons(),
    ]
}
