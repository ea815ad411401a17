//! Decisions → files: rendered from the store alone, staged, and put out by one rename.
//!
//! Because nothing but the store goes in, a run that was killed between deciding and publishing is
//! published by the next one, byte for byte as it would have been.

use anyhow::Result;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use chrono_tz::Tz;
use serde_json::json;

use super::Job;
use super::books::Books;
use super::event::{Event, Events};
use super::quarantine::{Closed, ToMend, as_row};
use crate::delivery::crm::{CrmWriter, Lookups, RowFate};
use crate::delivery::publication::{StagedFile, Staging};
use crate::delivery::rejects::QuarantineOverview;
use crate::delivery::tasks::{CalendarWriter, TaskListWriter, duration_text};
use crate::identity::keys::KeyKind;
use crate::model::decision::Segment;
use crate::model::field;
use crate::model::lead::Lead;
use crate::model::mailbox::mailbox_key;
use crate::model::moment::utc_from_ms;
use crate::model::task::{Task, TaskState};
use crate::report::dropoff::{self, DropoffFigures, Funnel, SourceFigures, TargetFigures};
use crate::report::duplicates::{DuplicateKind, DuplicatesWriter, JoinedSubmission, Sent};
use crate::report::html::{
    self, HotLead, LoadRow, OverdueRow, PageData, PageRun, QuarantineReason, ScoreSpan, Tile,
};
use crate::report::run_json::{
    AlertSummary, InputSummary, LeadSummary, RowSummary, RunSummary, SegmentSummary, TaskSummary,
};
use crate::rules::RuleSet;
use crate::rules::target::Target;
use crate::store::Store;
use crate::store::codec::decode_values;
use crate::store::listing::{CountBy, JoinEntry, LeadCounts, LeadFilter, ReadAs, TaskFilter};
use crate::store::quarantine::QuarantineFilter;
use crate::store::runs::RunRecord;

/// How far back the calendar file reaches: nobody wants a thousand old promises in their calendar;
/// `tasks.csv` has them all.
const CALENDAR_DAYS: i64 = 14;
/// Rows of the page's lists.
const PAGE_ROWS: usize = 20;

/// Renders every file of `record`'s run and publishes them; returns the run's summary.
pub fn publish(
    job: &Job<'_>,
    store: &Store,
    record: &RunRecord,
    books: &Books,
    events: Events<'_>,
) -> Result<RunSummary> {
    events(Event::Phase { name: "writing the files", total: 0 });
    let as_of = utc_from_ms(record.as_of_ms);
    let mut staging = Staging::create(job.out, &record.id)?;
    let rendering = Rendering { job, store, record, as_of, zone: job.rules.workspace.zone };
    let outcome = rendering.render(&mut staging, books);
    let figures = match outcome {
        Ok(figures) => figures,
        Err(fault) => {
            let _ = staging.discard();
            return Err(fault);
        }
    };
    let mut summary = rendering.summary(books, &figures)?;
    summary.files = staging.files().into_iter().map(|file| file.name).collect();
    summary.files.push("run.json".to_owned());
    summary.files.sort_unstable();
    staging.write_file("run.json", summary.to_file()?.as_bytes(), None)?;
    let hashes: Vec<_> = books
        .inputs()
        .into_iter()
        .map(|input| json!({"name": input.name, "sha256": input.sha256, "source": input.source}))
        .collect();
    staging.publish(json!({
        "run": record.id,
        "version": record.version,
        "as_of": as_of.to_rfc3339_opts(SecondsFormat::Secs, true),
        "rules": record.rules_hash,
        "inputs": hashes,
    }))?;
    let targets: Vec<String> = job.rules.targets.iter().map(|target| target.id.clone()).collect();
    store.mark_published(record.no, &targets)?;
    store.checkpoint()?;
    Ok(summary)
}

/// Returns how stored leads are read back under `rules`.
pub fn read_as<'a>(
    rules: &'a RuleSet,
    rule_no: &'a dyn Fn(&str) -> Option<u16>,
    run: crate::model::ids::RunNo,
) -> ReadAs<'a> {
    ReadAs { catalog: &rules.fields, rule_no, run }
}

/// Returns the position of the scoring rule called `id`.
pub fn rule_no(rules: &RuleSet, id: &str) -> Option<u16> {
    rules.scoring.rules.iter().position(|rule| rule.id == id).map(|position| position as u16)
}

struct Rendering<'a> {
    job: &'a Job<'a>,
    store: &'a Store,
    record: &'a RunRecord,
    as_of: DateTime<Utc>,
    zone: Tz,
}

struct Figures {
    leads: LeadCounts,
    all_tasks: (u64, u64),
    dropoff: DropoffFigures,
}

impl Rendering<'_> {
    fn render(&self, staging: &mut Staging, books: &Books) -> Result<Figures> {
        let sent = self.crm(staging)?;
        let (all_tasks, overdue) = self.tasks(staging)?;
        self.duplicates(staging)?;
        let reasons = self.quarantine(staging)?;
        let figures = self.figures(books, sent, all_tasks)?;
        let file = staging.file("dropoff.csv")?;
        let (rows, file) = dropoff::write_csv(file, &figures.dropoff)?;
        staging.close_file(file, Some(rows))?;
        let page = self.page(books, &figures, &overdue, reasons)?;
        staging.write_file("report.html", html::render(&page)?.as_bytes(), None)?;
        Ok(figures)
    }

    /// Writes every target's file in one pass over the leads; returns what each took.
    fn crm(&self, staging: &mut Staging) -> Result<Vec<TargetFigures>> {
        let rules = self.job.rules;
        let owner_email = |id: &str| rules.routing.owner(id).map(|owner| owner.email.clone());
        let score_reason =
            |no: u16| rules.scoring.rules.get(no as usize).map(|rule| rule.because.clone());
        let lookups =
            Lookups { owner_email: &owner_email, score_reason: &score_reason, zone: self.zone };
        let mut open: Vec<OpenTarget<'_>> = Vec::new();
        for target in rules.targets.iter() {
            let changed_after = if self.job.full {
                0
            } else {
                self.store.published_up_to(&target.id, self.record.no)?
            };
            open.push(OpenTarget {
                changed_after,
                target,
                writer: CrmWriter::new(target, &rules.fields, staging.file(&target.file)?)?,
                figures: TargetFigures { target: target.id.clone(), ..TargetFigures::default() },
                refused: Vec::new(),
            });
        }
        let earliest = open.iter().map(|target| target.changed_after).min();
        let filter = LeadFilter { changed_after: earliest, ..LeadFilter::default() };
        let rule_no = |id: &str| rule_no(rules, id);
        let read = read_as(rules, &rule_no, self.record.no);
        self.store.each_lead(&filter, read, |lead, changed| {
            for target in open.iter_mut().filter(|target| changed.0 > target.changed_after) {
                target.offer(&lead, &lookups)?;
            }
            Ok(())
        })?;
        open.into_iter().map(|target| target.close(staging)).collect()
    }

    /// Writes both task files; returns how many tasks are open and late, and the latest of them.
    fn tasks(&self, staging: &mut Staging) -> Result<((u64, u64), Vec<Task>)> {
        let since = (self.as_of - TimeDelta::days(CALENDAR_DAYS)).timestamp_millis();
        let mut list = TaskListWriter::new(staging.file("tasks.csv")?, self.zone, self.as_of)?;
        let mut calendar = CalendarWriter::new(staging.file("tasks.ics")?, self.zone, self.as_of)?;
        let (mut open, mut late, mut overdue) = (0, 0, Vec::new());
        self.store.each_task(&TaskFilter::default(), self.record.as_of_ms, |task| {
            list.write(&task)?;
            if task.planned.due_ms >= since {
                calendar.write(&task)?;
            }
            open += 1;
            if task.late_minutes > 0 {
                late += 1;
                if overdue.len() < PAGE_ROWS {
                    overdue.push(task);
                }
            }
            Ok(())
        })?;
        let (rows, file) = list.finish()?;
        staging.close_file(file, Some(rows))?;
        let (rows, file) = calendar.finish()?;
        staging.close_file(file, Some(rows))?;
        Ok(((open, late), overdue))
    }

    fn duplicates(&self, staging: &mut Staging) -> Result<()> {
        let mut writer = DuplicatesWriter::new(staging.file("duplicates.csv")?, self.zone)?;
        self.store.each_join(self.record.first_submission_no, |join| {
            writer.write(&joined(&join, self.job.rules)?)
        })?;
        let (rows, file) = writer.finish()?;
        staging.close_file(file, Some(rows))
    }

    /// Writes the overview and, for each input, the rows as they were; returns the reasons.
    fn quarantine(&self, staging: &mut Staging) -> Result<Vec<QuarantineReason>> {
        let mut overview = QuarantineOverview::new(staging.file("quarantine.csv")?)?;
        let mut reasons: Vec<QuarantineReason> = Vec::new();
        let filter = QuarantineFilter { run: Some(self.record.no), ..QuarantineFilter::default() };
        let mut files = ToMend::new(self.store);
        let close = |closed: Option<Closed<StagedFile>>, staging: &mut Staging| {
            closed.map_or(Ok(()), |file| staging.close_file(file.out, Some(file.rows)))
        };
        self.store.each_quarantined(&filter, |entry| {
            overview.write(&as_row(&entry, &entry.fingerprint.row_id()))?;
            match reasons.iter_mut().find(|reason| reason.code == entry.code) {
                Some(reason) => reason.rows += 1,
                None => reasons.push(QuarantineReason {
                    code: entry.code.clone(),
                    rows: 1,
                    message: entry.message.clone(),
                }),
            }
            let closed = files.write(&entry, |name| staging.file(&format!("quarantine/{name}")))?;
            close(closed, staging)
        })?;
        close(files.finish()?, staging)?;
        let (rows, file) = overview.finish()?;
        staging.close_file(file, Some(rows))?;
        reasons.sort_by(|a, b| b.rows.cmp(&a.rows).then_with(|| a.code.cmp(&b.code)));
        Ok(reasons)
    }

    fn figures(
        &self,
        books: &Books,
        sent: Vec<TargetFigures>,
        all_tasks: (u64, u64),
    ) -> Result<Figures> {
        let leads = self.store.lead_counts(self.record.no, &self.job.rules.routing.triage)?;
        let dropoff = dropoff_figures(self.store, self.job.rules, self.record, books, sent)?;
        Ok(Figures { leads, all_tasks, dropoff })
    }

    fn summary(&self, books: &Books, figures: &Figures) -> Result<RunSummary> {
        let segments = self.store.counts_by(CountBy::Segment, self.record.no)?;
        let of = |segment: Segment| {
            segments.iter().find(|(word, _)| word == segment.word()).map_or(0, |(_, leads)| *leads)
        };
        Ok(RunSummary {
            run: self.record.id.clone(),
            version: self.record.version.clone(),
            as_of: self.as_of.to_rfc3339_opts(SecondsFormat::Secs, true),
            rules_hash: self.record.rules_hash.clone(),
            dry_run: false,
            rows: RowSummary::from(&books.rows()),
            inputs: books.inputs().iter().map(InputSummary::from).collect(),
            leads: LeadSummary {
                new: figures.leads.founded,
                updated: figures.leads.changed - figures.leads.founded,
                total: figures.leads.total,
            },
            segments: SegmentSummary {
                hot: of(Segment::Hot),
                warm: of(Segment::Warm),
                cold: of(Segment::Cold),
            },
            triage: figures.leads.changed_triage,
            tasks: TaskSummary { open: figures.all_tasks.0, late: figures.all_tasks.1 },
            alerts: all_alerts(books),
            exit_code: books.exit_code(),
            files: Vec::new(),
        })
    }

    fn page(
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
                as_of: self.local(self.as_of),
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
            alerts: all_alerts(books),
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
                    segment: self.job.rules.scoring.segment_of(decade * 10).word().to_owned(),
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
        let filter =
            LeadFilter { segment: Some(Segment::Hot.word().to_owned()), ..LeadFilter::default() };
        let mut best: Vec<Lead> = Vec::new();
        let rules = self.job.rules;
        let rule_no = |id: &str| rule_no(rules, id);
        self.store.each_lead(&filter, read_as(rules, &rule_no, self.record.no), |lead, _| {
            best.push(lead);
            if best.len() >= 4 * PAGE_ROWS {
                keep_best(&mut best);
            }
            Ok(())
        })?;
        keep_best(&mut best);
        best.into_iter().map(|lead| self.hot_row(&lead)).collect()
    }

    fn hot_row(&self, lead: &Lead) -> Result<HotLead> {
        let rules = self.job.rules;
        let mut strongest: Vec<_> =
            lead.score.contributions.iter().filter(|one| one.points > 0).collect();
        strongest.sort_by_key(|one| (-one.points, one.rule));
        let reasons: Vec<&str> =
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
        self.job.rules.routing.owner(id).map_or_else(|| id.to_owned(), |owner| owner.name.clone())
    }

    fn queue_name(&self, id: &str) -> String {
        self.job.rules.routing.queue(id).map_or_else(|| id.to_owned(), |queue| queue.name.clone())
    }

    fn local(&self, at: DateTime<Utc>) -> String {
        at.with_timezone(&self.zone).format("%Y-%m-%d %H:%M").to_string()
    }
}

/// Returns what the drop-off report of `record`'s run counts; `sent` is what its targets took.
pub fn dropoff_figures(
    store: &Store,
    rules: &RuleSet,
    record: &RunRecord,
    books: &Books,
    sent: Vec<TargetFigures>,
) -> Result<DropoffFigures> {
    let run = record.no;
    let leads = store.lead_counts(run, &rules.routing.triage)?;
    let tasks = store.task_counts(run, record.as_of_ms)?;
    let by_source = store
        .source_counts(run)?
        .into_iter()
        .map(|source| SourceFigures {
            source: source.source,
            received: source.rows.read,
            created: source.rows.created,
            merged: source.rows.merged,
            repeated: source.rows.repeated,
            quarantined: source.rows.quarantined,
            held: source.rows.held,
        })
        .collect();
    Ok(DropoffFigures {
        rows: books.rows(),
        leads_total: leads.total,
        leads_touched: leads.changed,
        scored: leads.changed,
        routed_owner: leads.changed_owned,
        routed_queue: leads.changed - leads.changed_owned - leads.changed_triage,
        triage: leads.changed_triage,
        followup_open: tasks.open,
        followup_late: tasks.late,
        followup_not_allowed: tasks.not_allowed + tasks.too_old,
        sent,
        by_source,
        quarantine_by_code: store.counts_by(CountBy::QuarantineCode, run)?,
        held_by_reason: store.counts_by(CountBy::HoldReason, run)?,
    })
}

fn keep_best(leads: &mut Vec<Lead>) {
    leads.sort_by(|a, b| b.score.total.cmp(&a.score.total).then_with(|| a.id.cmp(&b.id)));
    leads.truncate(PAGE_ROWS);
}

/// Alerts of the rules, and limits of the workspace that were passed: somebody must look at both.
fn all_alerts(books: &Books) -> Vec<AlertSummary> {
    let limits = books
        .over_limit
        .iter()
        .map(|message| AlertSummary { id: "limit".to_owned(), message: message.clone() });
    books.alerts().iter().map(AlertSummary::from).chain(limits).collect()
}

/// Returns a join as the analyst reads it.
pub fn joined(join: &JoinEntry, rules: &RuleSet) -> Result<JoinedSubmission> {
    let values = decode_values(&join.fields, &rules.fields)?;
    let with = decode_values(&join.with_fields, &rules.fields)?;
    let form = |values: &field::FieldValues| {
        values.get(field::FORM_ID).or_else(|| values.get(field::FORM_NAME)).unwrap_or("").to_owned()
    };
    let campaign =
        |values: &field::FieldValues| values.get(field::CAMPAIGN).unwrap_or("").to_owned();
    let (form, with_form) = (form(&values), form(&with));
    let (own_campaign, with_campaign) = (campaign(&values), campaign(&with));
    let kind = DuplicateKind::of(
        &Sent {
            source: &join.preset,
            form: &form,
            campaign: &own_campaign,
            at_ms: join.submitted_ms,
        },
        &Sent {
            source: &join.with_preset,
            form: &with_form,
            campaign: &with_campaign,
            at_ms: join.with_submitted_ms,
        },
    );
    let key_value = match join.kind {
        KeyKind::Phone => values.get(field::PHONE).unwrap_or("").to_owned(),
        _ => values.get(field::EMAIL).map(mailbox_key).unwrap_or_default(),
    };
    Ok(JoinedSubmission {
        lead_id: join.lead,
        joined: join.joined.clone(),
        submitted_ms: join.submitted_ms,
        source: join.preset.clone(),
        campaign: own_campaign,
        kind,
        matched_key: format!("{}={key_value}", join.kind.word()),
        matched_with: join.with.clone(),
    })
}

/// A target's file while leads are offered to it.
struct OpenTarget<'a> {
    target: &'a Target,
    changed_after: i64,
    writer: CrmWriter<'a, StagedFile>,
    figures: TargetFigures,
    refused: Vec<[String; 3]>,
}

impl OpenTarget<'_> {
    fn offer(&mut self, lead: &Lead, lookups: &Lookups<'_>) -> Result<()> {
        match self.writer.write(lead, lookups)? {
            RowFate::Written => self.figures.written += 1,
            RowFate::Refused { column, reason } => {
                self.figures.refused += 1;
                self.refused.push([lead.id.to_string(), column, reason]);
            }
        }
        Ok(())
    }

    fn close(self, staging: &mut Staging) -> Result<TargetFigures> {
        let finished = self.writer.finish()?;
        staging.close_file(finished.out, Some(finished.rows))?;
        if !self.refused.is_empty() {
            let mut csv = csv::Writer::from_writer(Vec::new());
            csv.write_record(["lead-id", "column", "reason"])?;
            for row in &self.refused {
                csv.write_record(row)?;
            }
            let name = format!("crm/{}-refused.csv", self.target.id);
            staging.write_file(&name, &csv.into_inner()?, Some(self.refused.len() as u64))?;
        }
        Ok(self.figures)
    }
}
