//! What the page shows, gathered from the store: of a run as it is published, and at any time.
//!
//! The page tells of the four weeks up to its as-of and of what stands at it; nothing but the store goes in. Start at
//! [`page_of_store`]; what is told by days stands in a file of its own.

mod days;

use std::collections::BTreeMap;

use anyhow::Result;
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};

use super::books::Books;
use super::metrics::dropoff::ChainCount;
use super::metrics::duplicates::DuplicateCount;
use super::metrics::speed::SpreadCount;
use super::metrics::{Activities, NOTHING, Scope, go_through};
use super::publish::{read_as, rule_no};
use crate::model::ids::RunNo;
use crate::model::lead::Lead;
use crate::model::metric::By;
use crate::model::moment::utc_from_ms;
use crate::model::task::{Task, TaskState};
use crate::report::metrics::SMALL_N;
use crate::report::metrics::dropoff::{ChainFigures, FIRST_BY_ACTIVITY, STEPS};
use crate::report::metrics::duplicates::DuplicateFigures;
use crate::report::metrics::speed::SpeedSpread;
use crate::report::page::{
    CampaignRow, ChainReason, ChainStep, HotLead, LoadRow, OverdueRow, PageData, PageRun,
    QuarantineReason, ScoreSpan, SpeedBucket, SpeedFigures, Tile, UndeliveredRow,
};
use crate::report::run_json::{AlertSummary, InputSummary};
use crate::rules::RuleSet;
use crate::rules::hours::day_begins;
use crate::store::Store;
use crate::store::listing::TaskFilter;
use crate::store::runs::{RunKind, RunRecord};
use crate::store::totals::TotalBy;

/// Rows of the page's lists.
const LIST_ROWS: usize = 20;
/// Days of which the page tells: four of each weekday.
const DAYS: u64 = 28;
/// Enquiries that nobody answered are in time for so long.
const WINDOW: TimeDelta = TimeDelta::hours(24);
/// How far apart two rows of one form may be to be a repeat.
const REPEAT_DAYS: u64 = 30;
/// Campaigns that the page tells apart.
const CAMPAIGNS: usize = 15;

/// Returns the page of what stands at `as_of`, with what the latest import read.
pub fn page_of_store(store: &Store, rules: &RuleSet, as_of: DateTime<Utc>) -> Result<PageData> {
    let is_standing = |run: &RunRecord| run.kind == RunKind::Import && run.undone_by.is_none();
    let latest = store.all_runs()?.into_iter().rev().find(|run| {
        is_standing(run) && run.books.is_some() && run.as_of_ms <= as_of.timestamp_millis()
    });
    let books = latest.as_ref().map(super::books_of).transpose()?;
    let of = latest.as_ref().zip(books.as_ref());
    let mut page = Page::new(store, rules, as_of).data(of)?;
    page.rules_hash.clone_from(&rules.hash);
    Ok(page)
}

/// Returns the page of a run as it is published.
pub(super) fn page_of_run(
    store: &Store,
    rules: &RuleSet,
    record: &RunRecord,
    books: &Books,
) -> Result<PageData> {
    let mut page =
        Page::new(store, rules, utc_from_ms(record.as_of_ms)).data(Some((record, books)))?;
    page.alerts.extend(books.limits());
    page.version.clone_from(&record.version);
    page.rules_hash.clone_from(&record.rules_hash);
    Ok(page)
}

/// What one pass over the enquiries comes to.
struct EnquiryFigures {
    chain: ChainFigures,
    spread: SpeedSpread,
    duplicates: DuplicateFigures,
}

/// A page that is being made.
struct Page<'a> {
    store: &'a Store,
    rules: &'a RuleSet,
    as_of: DateTime<Utc>,
    /// The day of as-of, in the workspace's zone.
    today: NaiveDate,
    /// The first day of which the page tells.
    first_day: NaiveDate,
}

impl<'a> Page<'a> {
    fn new(store: &'a Store, rules: &'a RuleSet, as_of: DateTime<Utc>) -> Self {
        let today = as_of.with_timezone(&rules.workspace.zone).date_naive();
        Self { store, rules, as_of, today, first_day: days_before(today, DAYS - 1) }
    }

    fn data(&self, run: Option<(&RunRecord, &Books)>) -> Result<PageData> {
        let activities = Activities::read(self.store, self.rules, self.as_of)?;
        let knows_activity = self.store.has_activity()?;
        let enquiries = self.enquiries(&activities)?;
        let tasks = self.store.open_and_late(self.as_of_ms())?;
        let quarantine = self.quarantine()?;
        let scores = self.scores()?;
        let arrivals = self.arrivals()?;
        Ok(PageData {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            rules_hash: String::new(),
            as_of: self.local(self.as_of_ms()),
            today: self.today.to_string(),
            last_day: self.last_day().to_string(),
            first_day: self.first_day.to_string(),
            alerts: self.alerts()?,
            day_tiles: self.day_tiles(&arrivals, &activities, knows_activity),
            now_tiles: self.now_tiles(tasks, &quarantine)?,
            days: self.days(&arrivals),
            chain: chain(&enquiries.chain),
            speed: speed(&enquiries.spread, knows_activity),
            scored: scores.iter().map(|span| span.leads).sum(),
            scores,
            campaigns: campaigns(&enquiries.duplicates),
            repeat_days: REPEAT_DAYS,
            load: self.load()?,
            overdue: self.overdue()?,
            overdue_total: tasks.1,
            hot: self.hot_leads()?,
            hot_total: self.segment_counts()?[0],
            quarantine,
            undelivered: self.undelivered()?,
            run: run.map(|(record, books)| PageRun {
                id: record.id.clone(),
                inputs: books.inputs().iter().map(InputSummary::from).collect(),
            }),
        })
    }

    fn as_of_ms(&self) -> i64 {
        self.as_of.timestamp_millis()
    }

    /// The last day that is over.
    fn last_day(&self) -> NaiveDate {
        days_before(self.today, 1)
    }

    fn midnight_ms(&self, day: NaiveDate) -> i64 {
        self.midnight(day).timestamp_millis()
    }

    fn midnight(&self, day: NaiveDate) -> DateTime<Utc> {
        day_begins(self.rules.workspace.zone, day)
    }

    fn local(&self, at_ms: i64) -> String {
        let local = utc_from_ms(at_ms).with_timezone(&self.rules.workspace.zone);
        local.format("%Y-%m-%d %H:%M").to_string()
    }

    /// What is open, whether or not somebody was told of it in the latest run.
    fn alerts(&self) -> Result<Vec<AlertSummary>> {
        let open = self.store.open_alerts()?;
        Ok(open.iter().map(|kept| AlertSummary::from(&kept.alert)).collect())
    }

    /// Leads that are hot, warm and cold.
    fn segment_counts(&self) -> Result<[u64; 3]> {
        let counts = self.store.lead_totals(TotalBy::Segment)?;
        Ok(["hot", "warm", "cold"].map(|word| {
            counts.iter().find(|(known, _)| known == word).map_or(0, |(_, leads)| *leads)
        }))
    }

    fn now_tiles(&self, tasks: (u64, u64), waiting: &[QuarantineReason]) -> Result<Vec<Tile>> {
        let [hot, warm, cold] = self.segment_counts()?;
        let queues = self.store.lead_totals(TotalBy::Queue)?;
        let triage = &self.rules.routing.triage;
        let in_triage =
            queues.iter().find(|(queue, _)| queue == triage).map_or(0, |(_, leads)| *leads);
        let quarantined = waiting.iter().map(|reason| reason.rows).sum();
        let bad = |count: u64| if count > 0 { "bad" } else { "" };
        let tile = |word, value, tone, of| Tile { word, value, tone, against: None, of };
        let all = Some(hot + warm + cold);
        Ok(vec![
            tile("tile-hot", hot, "hot", all),
            tile("tile-warm", warm, "warm", all),
            tile("tile-cold", cold, "cold", all),
            tile("tile-triage", in_triage, bad(in_triage), all),
            tile("tile-late", tasks.1, bad(tasks.1), Some(tasks.0)),
            tile("tile-quarantine", quarantined, bad(quarantined), None),
        ])
    }

    /// What waits to be sent and what was refused, by where it goes.
    fn undelivered(&self) -> Result<Vec<UndeliveredRow>> {
        let minutes = |since_ms: i64| (self.as_of_ms() - since_ms).max(0).div_euclid(60_000);
        let mut found: BTreeMap<String, UndeliveredRow> = BTreeMap::new();
        for one in self.store.waiting_deliveries()?.into_iter().filter(|one| one.items > 0) {
            let row = UndeliveredRow {
                to: one.endpoint.clone(),
                waiting: one.items,
                oldest_minutes: one.oldest_ms.map(minutes),
                failing_minutes: one.failing_since_ms.map(minutes),
                last_code: one.last_code,
                dead_letters: 0,
            };
            found.insert(one.endpoint, row);
        }
        for (to, dead_letters) in self.store.dead_letters_by_target()? {
            let row = found.entry(to.clone()).or_default();
            (row.to, row.dead_letters) = (to, dead_letters);
        }
        Ok(found.into_values().collect())
    }

    /// Counts the enquiries and duplicates of the page in one pass.
    fn enquiries(&self, activities: &Activities) -> Result<EnquiryFigures> {
        let (all, by_campaign) = (self.scope(None), self.scope(Some(By::Campaign)));
        let repeat = TimeDelta::days(REPEAT_DAYS as i64);
        let mut chain = ChainCount::new(self.store, self.rules, &all, WINDOW)?;
        let mut spread = SpreadCount::new(self.rules, &all, WINDOW);
        let mut duplicates = DuplicateCount::new(self.store, self.rules, &by_campaign, repeat)?;
        go_through(
            self.store,
            &all,
            &mut [
                &mut chain.enquiries(activities),
                &mut spread.enquiries(activities),
                &mut duplicates.rows(activities),
            ],
        )?;
        Ok(EnquiryFigures {
            chain: chain.close(),
            spread: spread.close(),
            duplicates: duplicates.close(),
        })
    }

    fn scope(&self, by: Option<By>) -> Scope {
        Scope {
            since: Some(self.midnight(self.first_day)),
            until: Some(self.midnight(self.today.succ_opt().unwrap_or(self.today))),
            as_of: self.as_of,
            by,
        }
    }

    fn scores(&self) -> Result<Vec<ScoreSpan>> {
        let decades = self.store.lead_totals(TotalBy::Tens)?;
        let span = |decade: i32| {
            let found = decades.iter().find(|(known, _)| *known == decade.to_string());
            let segment = self.rules.scoring.segment_of(decade * 10);
            ScoreSpan {
                from: decade * 10,
                to: if decade == 9 { 100 } else { decade * 10 + 9 },
                leads: found.map_or(0, |(_, leads)| *leads),
                segment: segment.map_or(String::new(), |segment| segment.word().to_owned()),
            }
        };
        Ok((0..10).map(span).collect())
    }

    fn load(&self) -> Result<Vec<LoadRow>> {
        let load = self.store.load(self.as_of_ms())?;
        let row = |one: crate::store::totals::Load| LoadRow {
            name: if one.is_owner { self.owner_name(&one.who) } else { self.queue_name(&one.who) },
            kind: if one.is_owner { "owner" } else { "queue" },
            leads: one.leads,
            hot: one.hot,
            tasks_open: one.tasks_open,
            tasks_late: one.tasks_late,
        };
        Ok(load.into_iter().map(row).collect())
    }

    fn overdue(&self) -> Result<Vec<OverdueRow>> {
        let mut rows = Vec::new();
        let filter = TaskFilter {
            due_before_ms: Some(self.as_of_ms()),
            limit: Some(LIST_ROWS as i64),
            ..TaskFilter::default()
        };
        self.store.each_task(&filter, self.as_of_ms(), |task| {
            rows.push(self.overdue_row(&task));
            Ok(())
        })?;
        Ok(rows)
    }

    fn overdue_row(&self, task: &Task) -> OverdueRow {
        OverdueRow {
            lead: task.lead_name.clone(),
            lead_id: task.lead_id.to_string(),
            subject: task.planned.subject.clone(),
            who: self.who(task.owner.as_deref(), &task.queue),
            segment: task.segment.clone(),
            due: self.local(task.planned.due_ms),
            late_minutes: task.late_minutes,
        }
    }

    fn hot_leads(&self) -> Result<Vec<HotLead>> {
        let rule_no = |id: &str| rule_no(self.rules, id);
        let read = read_as(self.rules, &rule_no, RunNo(i64::MAX));
        let best = self.store.best_hot_leads(LIST_ROWS)?;
        best.into_iter().map(|no| self.hot_row(&self.store.lead(no, read)?)).collect()
    }

    fn hot_row(&self, lead: &Lead) -> Result<HotLead> {
        let mut strongest: Vec<_> =
            lead.score.contributions.iter().filter(|one| one.points > 0).collect();
        strongest.sort_by_key(|one| (-one.points, one.rule));
        let reasons: Vec<String> =
            strongest.iter().take(3).map(|one| self.rules.scoring.because(one)).collect();
        let tasks = self.store.tasks_of(lead.no, self.as_of_ms())?;
        let next = tasks.iter().find(|task| task.planned.state == TaskState::Open);
        Ok(HotLead {
            lead_id: lead.id.to_string(),
            name: lead.display_name(),
            score: lead.score.total,
            who: self.who(lead.owner.as_deref(), &lead.queue),
            reason: reasons.join("; "),
            next: next.map_or(String::new(), |task| task.planned.subject.clone()),
            next_due: next.map_or(String::new(), |task| self.local(task.planned.due_ms)),
        })
    }

    fn quarantine(&self) -> Result<Vec<QuarantineReason>> {
        let waiting = self.store.waiting_in_quarantine()?.into_iter();
        Ok(waiting
            .map(|one| QuarantineReason { code: one.code, rows: one.rows, message: one.message })
            .collect())
    }

    fn who(&self, owner: Option<&str>, queue: &str) -> String {
        owner.map_or_else(|| self.queue_name(queue), |owner| self.owner_name(owner))
    }

    fn owner_name(&self, id: &str) -> String {
        self.rules.routing.owner(id).map_or_else(|| id.to_owned(), |owner| owner.name.clone())
    }

    fn queue_name(&self, id: &str) -> String {
        self.rules.routing.queue(id).map_or_else(|| id.to_owned(), |queue| queue.name.clone())
    }
}

fn days_before(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_sub_days(Days::new(days)).unwrap_or(NaiveDate::MIN)
}

fn chain(figures: &ChainFigures) -> Vec<ChainStep> {
    let step = |(position, step): (usize, &&'static str)| {
        let (came, stuck) = (figures.total.came_to(position), &figures.total.stuck[position]);
        let because = stuck.because.iter().map(|(why, rows)| {
            let (word, of) = why.word();
            ChainReason { word, of: of.to_owned(), rows: *rows }
        });
        ChainStep {
            step,
            is_known: position < FIRST_BY_ACTIVITY || figures.knows_activity,
            came,
            went: came - stuck.rows,
            left: stuck.rows,
            because: because.collect(),
        }
    };
    STEPS.iter().enumerate().map(step).collect()
}

fn speed(spread: &SpeedSpread, knows_activity: bool) -> SpeedFigures {
    if !knows_activity {
        return SpeedFigures::default();
    }
    let words = ["5m", "15m", "1h", "2h", "4h", "8h", "24h"].into_iter().zip(spread.within);
    let others = [
        ("later", spread.later),
        ("never", spread.never),
        ("open", spread.open),
        ("unknown", spread.unknown),
    ];
    SpeedFigures {
        knows_activity,
        enquiries: spread.enquiries(),
        contacted: spread.contacted(),
        // A wait is told no shorter than it was.
        median_minutes: spread.median_ms.map(|ms| (ms + 59_999).div_euclid(60_000)),
        buckets: words
            .chain(others)
            .map(|(word, enquiries)| SpeedBucket { word, enquiries })
            .collect(),
    }
}

fn campaigns(figures: &DuplicateFigures) -> Vec<CampaignRow> {
    let mut rows: Vec<CampaignRow> = Vec::new();
    for (position, group) in figures.groups.iter().enumerate() {
        if position > CAMPAIGNS {
            let rest = rows.last_mut().expect("the first of the rest was put there");
            rest.rows += group.rows;
            rest.duplicates += group.duplicates().part;
            for (sum, more) in rest.by_kind.iter_mut().zip(group.by_kind) {
                *sum += more;
            }
            continue;
        }
        let kind = match group.name.as_str() {
            _ if position == CAMPAIGNS => "rest",
            NOTHING => "none",
            _ => "named",
        };
        rows.push(CampaignRow {
            name: if kind == "named" { group.name.clone() } else { String::new() },
            kind,
            rows: group.rows,
            duplicates: group.duplicates().part,
            by_kind: group.by_kind,
            is_small: false,
        });
    }
    for row in &mut rows {
        row.is_small = row.rows < SMALL_N;
    }
    rows
}
