//! What the report's page shows, gathered from the store.

use anyhow::Result;
use chrono::{DateTime, Utc};

use super::books::Books;
use super::publish::{Figures, read_as, rule_no};
use crate::delivery::tasks::duration_text;
use crate::model::decision::Segment;
use crate::model::lead::Lead;
use crate::model::moment::utc_from_ms;
use crate::model::task::{Task, TaskState};
use crate::report::dropoff::Funnel;
use crate::report::html::{
    HotLead, LoadRow, OverdueRow, PageData, PageRun, QuarantineReason, ScoreSpan, Tile,
};
use crate::report::run_json::{AlertSummary, InputSummary};
use crate::rules::RuleSet;
use crate::store::Store;
use crate::store::listing::CountBy;
use crate::store::runs::RunRecord;

/// Rows of the page's lists.
pub(super) const PAGE_ROWS: usize = 20;

/// The page of one run.
pub(super) struct Page<'a> {
    /// Where everything comes from.
    pub(super) store: &'a Store,
    /// The policy: names and sentences.
    pub(super) rules: &'a RuleSet,
    /// The run.
    pub(super) record: &'a RunRecord,
}

impl Page<'_> {
    /// Returns everything the page shows.
    pub(super) fn data(
        &self,
        books: &Books,
        figures: &Figures,
        overdue: &[Task],
        quarantine: Vec<QuarantineReason>,
    ) -> Result<PageData> {
        let run = self.record.no;
        let rows = books.rows();
        let segments = self.store.counts_by(CountBy::Segment, run)?;
        let of = |word: &str| {
            segments.iter().find(|(known, _)| known == word).map_or(0, |(_, leads)| *leads)
        };
        let tile = |label: &str, value: u64, note: &str, tone: &str| Tile {
            label: label.to_owned(),
            value,
            note: note.to_owned(),
            tone: tone.to_owned(),
        };
        let bad = |count: u64| if count > 0 { "bad" } else { "" };
        Ok(PageData {
            run: PageRun {
                id: self.record.id.clone(),
                version: self.record.version.clone(),
                as_of: self.local(utc_from_ms(self.record.as_of_ms)),
                rules_hash: self.record.rules_hash.clone(),
            },
            tiles: vec![
                tile("rows received", rows.read, "this run", ""),
                tile("new leads", figures.leads.founded, "this run", ""),
                tile("joined a known lead", rows.merged, "this run", ""),
                tile("quarantined", rows.quarantined, "this run", bad(rows.quarantined)),
                tile("held back", rows.held, "tests, spam, partial", ""),
                tile("hot", of("hot"), "all leads", "hot"),
                tile("warm", of("warm"), "all leads", "warm"),
                tile("cold", of("cold"), "all leads", "cold"),
                tile(
                    "in triage",
                    figures.leads.changed_triage,
                    "this run",
                    bad(figures.leads.changed_triage),
                ),
                tile("late tasks", figures.all_tasks.1, "all leads", bad(figures.all_tasks.1)),
            ],
            alerts: self.alerts(books)?,
            inputs: books.inputs().iter().map(InputSummary::from).collect(),
            funnel: Funnel::new(&figures.dropoff),
            sources: figures.dropoff.by_source.clone(),
            leads_per_day: self.store.counts_by(CountBy::DayOfFirstSubmission, run)?,
            scores: self.score_spans()?,
            load: self.load()?,
            overdue_total: figures.all_tasks.1,
            hot_total: of("hot"),
            overdue: overdue.iter().map(|task| self.overdue_row(task)).collect(),
            quarantine,
            hot: self.hot_leads()?,
        })
    }

    /// What is open, whether or not somebody was told of it in this run, and the limits that were passed.
    fn alerts(&self, books: &Books) -> Result<Vec<AlertSummary>> {
        let open = self.store.open_alerts()?;
        let open = open.iter().map(|kept| AlertSummary::from(&kept.alert));
        Ok(open.chain(books.limits()).collect())
    }

    fn score_spans(&self) -> Result<Vec<ScoreSpan>> {
        let decades = self.store.counts_by(CountBy::ScoreDecade, self.record.no)?;
        Ok((0..10)
            .map(|decade: i32| {
                let found = decades.iter().find(|(known, _)| *known == decade.to_string());
                let last =
                    if decade == 9 { "100".to_owned() } else { (decade * 10 + 9).to_string() };
                ScoreSpan {
                    label: format!("{}-{last}", decade * 10),
                    leads: found.map_or(0, |(_, leads)| *leads),
                    segment: self
                        .rules
                        .scoring
                        .segment_of(decade * 10)
                        .map_or(String::new(), |segment| segment.word().to_owned()),
                }
            })
            .collect())
    }

    fn load(&self) -> Result<Vec<LoadRow>> {
        let load = self.store.load(self.record.as_of_ms)?;
        Ok(load
            .into_iter()
            .map(|one| LoadRow {
                name: if one.is_owner {
                    self.owner_name(&one.who)
                } else {
                    self.queue_name(&one.who)
                },
                kind: if one.is_owner { "owner" } else { "queue" }.to_owned(),
                leads: one.leads,
                hot: one.hot,
                tasks_open: one.tasks_open,
                tasks_late: one.tasks_late,
            })
            .collect())
    }

    fn hot_leads(&self) -> Result<Vec<HotLead>> {
        let rule_no = |id: &str| rule_no(self.rules, id);
        let read = read_as(self.rules, &rule_no, self.record.no);
        let best = self.store.best_leads(Segment::Hot, PAGE_ROWS)?;
        best.into_iter().map(|no| self.hot_row(&self.store.lead(no, read)?)).collect()
    }

    fn hot_row(&self, lead: &Lead) -> Result<HotLead> {
        let rules = self.rules;
        let mut strongest: Vec<_> =
            lead.score.contributions.iter().filter(|one| one.points > 0).collect();
        strongest.sort_by_key(|one| (-one.points, one.rule));
        let reasons: Vec<String> =
            strongest.iter().take(3).map(|one| rules.scoring.because(one)).collect();
        let tasks = self.store.tasks_of(lead.no, self.record.as_of_ms)?;
        let next = tasks.iter().find(|task| task.planned.state == TaskState::Open);
        Ok(HotLead {
            lead_id: lead.id.to_string(),
            name: lead.display_name(),
            score: lead.score.total,
            who: match &lead.owner {
                Some(owner) => self.owner_name(owner),
                None => self.queue_name(&lead.queue),
            },
            reason: reasons.join("; "),
            next_action: next.map_or(String::new(), |task| {
                format!(
                    "{}, {}",
                    task.planned.subject,
                    self.local(utc_from_ms(task.planned.due_ms))
                )
            }),
        })
    }

    fn overdue_row(&self, task: &Task) -> OverdueRow {
        OverdueRow {
            lead: task.lead_name.clone(),
            lead_id: task.lead_id.to_string(),
            subject: task.planned.subject.clone(),
            who: match &task.owner {
                Some(owner) => self.owner_name(owner),
                None => self.queue_name(&task.queue),
            },
            segment: task.segment.clone(),
            due: self.local(utc_from_ms(task.planned.due_ms)),
            age: duration_text(task.late_minutes),
        }
    }

    fn owner_name(&self, id: &str) -> String {
        self.rules.routing.owner(id).map_or_else(|| id.to_owned(), |owner| owner.name.clone())
    }

    fn queue_name(&self, id: &str) -> String {
        self.rules.routing.queue(id).map_or_else(|| id.to_owned(), |queue| queue.name.clone())
    }

    fn local(&self, at: DateTime<Utc>) -> String {
        at.with_timezone(&self.rules.workspace.zone).format("%Y-%m-%d %H:%M").to_string()
    }
}
