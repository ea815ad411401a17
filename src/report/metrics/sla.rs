//! Promises kept: calls and tasks against their due times, and how leads were shared.

use super::{ALL, Cell, Column, Kind, MetricRow, MetricTable, Share, column};

/// How the promises to the leads of one group were kept; the counts after `due` add up to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PromiseGroup {
    /// The group.
    pub name: String,
    /// Calls and tasks that were promised.
    pub promised: u64,
    /// Contact was there by the due time.
    pub met: u64,
    /// The due time passed without contact.
    pub breached: u64,
    /// Of these: contacted since.
    pub late: u64,
    /// Not due yet, and no contact yet.
    pub open: u64,
    /// Replaced by another plan before they were due.
    pub replaced: u64,
    /// Half of those contacted late came no later than this, milliseconds; nearest rank.
    pub late_median_ms: Option<i64>,
    /// The longest that a promise has been waiting past its due time, milliseconds.
    pub oldest_ms: Option<i64>,
}

/// How a queue shared its leads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueueShare {
    /// Queue's id.
    pub queue: String,
    /// Leads in it.
    pub leads: Share,
    /// Those of them that nobody owns.
    pub waiting: u64,
    /// Turns taken.
    pub turns: u64,
    /// Tenths of a percent of the turns that went where the weights send them.
    pub parity_per_mille: Option<u64>,
}

/// How all promises were kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SlaFigures {
    /// By group.
    pub groups: Vec<PromiseGroup>,
    /// Together.
    pub total: PromiseGroup,
}

/// How all queues shared their leads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SharingFigures {
    /// By queue, the fullest first.
    pub queues: Vec<QueueShare>,
    /// Leads in triage, of all.
    pub triage: Share,
}

const COLUMNS: &[Column] = &[
    column(0, "promised", "promised", Kind::Count),
    column(0, "met", "met", Kind::Count),
    column(0, "breached", "breached", Kind::Count),
    column(0, "breached_contacted_late", "late", Kind::Count),
    column(0, "open", "open", Kind::Count),
    column(0, "replaced", "replaced", Kind::Count),
    column(1, "kept", "kept", Kind::Share),
    column(1, "late_median_seconds", "late by", Kind::Span),
    column(1, "oldest_breach_seconds", "oldest", Kind::Span),
];

const QUEUE_COLUMNS: &[Column] = &[
    column(0, "leads", "leads", Kind::Count),
    column(0, "share_of_leads", "of all", Kind::Share),
    column(0, "waiting", "waiting", Kind::Count),
    column(0, "turns", "turns", Kind::Count),
    column(0, "by_weight", "by weight", Kind::Share),
];

impl SlaFigures {
    /// Returns the promises as a table; `by` heads the groups.
    pub fn to_table(&self, title: String, by: &'static str) -> MetricTable {
        MetricTable {
            report: "sla",
            title,
            by,
            part: None,
            columns: COLUMNS.to_vec(),
            sections: vec![String::new(), "How well:".to_owned()],
            rows: self.groups.iter().map(|one| MetricRow::new(&one.name, cells(one))).collect(),
            totals: vec![MetricRow::new(ALL, cells(&self.total))],
            notes: vec![
                "Promised are the calls and tasks of the plans (followup.toml). met: contact, or said to be \
                 done, by the due time; breached: neither by then; late: of these, done since, half of them no later than `late by`; \
                 replaced: another plan took over before it was due; kept: met, of met and breached."
                    .to_owned(),
            ],
            missing: None,
        }
    }
}

impl SharingFigures {
    /// Returns the figures as a table.
    pub fn to_table(&self) -> MetricTable {
        let rows = self.queues.iter().map(|queue| {
            let parity = queue.parity_per_mille.map(|parity| Share::new(parity, 1_000));
            MetricRow::new(
                &queue.queue,
                vec![
                    Cell::Count(queue.leads.part),
                    Cell::Share(queue.leads),
                    Cell::Count(queue.waiting),
                    Cell::Count(queue.turns),
                    parity.map_or(Cell::Nothing, Cell::Share),
                ],
            )
        });
        let tenths = self.triage.per_mille().unwrap_or(0);
        MetricTable {
            report: "sla-queues",
            title: "How leads are shared".to_owned(),
            by: "queue",
            part: None,
            columns: QUEUE_COLUMNS.to_vec(),
            sections: vec![String::new()],
            rows: rows.collect(),
            totals: Vec::new(),
            notes: vec![format!(
                "Triage rate: {} of {} leads, {}.{}%. by weight: the part of the turns that went where the weights \
                 send them; `leadmill report rotation` has it by owner.",
                self.triage.part,
                self.triage.of,
                tenths / 10,
                tenths % 10
            )],
            missing: None,
        }
    }
}

fn cells(one: &PromiseGroup) -> Vec<Cell> {
    let counts = [one.promised, one.met, one.breached, one.late, one.open, one.replaced];
    let mut cells: Vec<Cell> = counts.into_iter().map(Cell::Count).collect();
    cells.push(Cell::Share(Share::new(one.met, one.met + one.breached)));
    cells.extend([one.late_median_ms, one.oldest_ms].map(Cell::span));
    cells
}
