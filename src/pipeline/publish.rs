//! Decisions → files: rendered from the store alone, staged, and put out by one rename.
//!
//! Because nothing but the store goes in, a run that was killed between deciding and publishing is
//! published by the next one, byte for byte as it would have been.

use std::collections::BTreeMap;

use anyhow::Result;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use chrono_tz::Tz;
use serde_json::json;

use super::books::Books;
use super::contacts::Contacts;
use super::deliveries::{Deliveries, list};
use super::event::{Event, Events};
use super::forget;
use super::interrupted::{Interrupted, unless_interrupted};
use super::messages::Messages;
use super::outbox::{
    self,
    digest::lay_down_digests,
    enqueue::{lay_down_alerts, lay_down_mail},
};
use super::page::page_of_run;
use super::quarantine::{Closed, ToMend, as_row};
use super::reports::{dropoff_figures, joined};
use super::{Job, alerts};
use crate::delivery::calendar::{CalendarEntry, CalendarStyle, CalendarWriter};
use crate::delivery::publication::{StagedFile, Staging};
use crate::delivery::rejects::QuarantineOverview;
use crate::delivery::stem::file_stem;
use crate::delivery::tasks::TaskListWriter;
use crate::model::decision::Segment;
use crate::model::ids::hex;
use crate::model::moment::utc_from_ms;
use crate::model::task::Task;
use crate::report::dropoff::{self, DropoffFigures, Funnel, TargetFigures};
use crate::report::duplicates::DuplicatesWriter;
use crate::report::html;
use crate::report::prometheus;
use crate::report::run_json::{
    InputSummary, LeadSummary, LedgerSummary, RowSummary, RunSummary, SegmentSummary, TaskSummary,
    WithdrawnLead,
};
use crate::rules::RuleSet;
use crate::store::Store;
use crate::store::absorb::Horizon;
use crate::store::alerts::KeptAlert;
use crate::store::listing::{LeadCounts, ReadAs, TaskFilter};
use crate::store::quarantine::QuarantineFilter;
use crate::store::runs::RunRecord;
use crate::store::totals::TotalBy;

/// How far back the calendar file reaches: nobody wants a thousand old promises in their calendar;
/// `tasks.csv` goes further.
const CALENDAR_DAYS: i64 = 14;

/// Renders every file of `record`'s run and publishes them; returns the run's summary.
pub fn publish(
    job: &Job<'_>,
    store: &Store,
    record: &RunRecord,
    books: &Books,
    events: Events<'_>,
) -> Result<RunSummary> {
    events(Event::Phase { name: "writing the files", total: 0 });
    store.expect_sound()?;
    // What targets are given is kept with the mark that they were: a run that is killed here writes the same once more.
    store.begin()?;
    let outcome = render_and_publish(job, store, record, books);
    let summary = match outcome {
        Ok(summary) => summary,
        Err(fault) => {
            let _ = store.rollback();
            return Err(fault);
        }
    };
    store.mark_published(record.no)?;
    store.commit()?;
    store.checkpoint()?;
    Ok(summary)
}

fn render_and_publish(
    job: &Job<'_>,
    store: &Store,
    record: &RunRecord,
    books: &Books,
) -> Result<RunSummary> {
    let unpublished = unless_interrupted(job, store, Interrupted::Publishing, || {
        render(job, store, record, books)
    });
    let (staging, summary) = unpublished?;
    let as_of = utc_from_ms(record.as_of_ms);
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
        "ledger": summary.ledger,
    }))?;
    forget::finish_outside(job, store, record)?;
    Ok(summary)
}

/// Writes every file of the run, which nobody sees yet.
fn render(
    job: &Job<'_>,
    store: &Store,
    record: &RunRecord,
    books: &Books,
) -> Result<(Staging, RunSummary)> {
    let decided = books;
    let mut books = books.clone();
    let as_of = utc_from_ms(record.as_of_ms);
    let mut staging = Staging::create(job.out, &record.id)?;
    let rendering = Rendering { job, store, record, as_of, zone: job.rules.workspace.zone };
    let outcome = rendering.render(&mut staging, &mut books);
    let figures = match outcome {
        Ok(figures) => figures,
        Err(fault) => {
            let _ = staging.discard();
            return Err(fault);
        }
    };
    let funnel = Funnel::new(&figures.dropoff).table();
    store.keep_books(record.no, &serde_json::to_string(&decided.with_funnel(funnel))?)?;
    let books = &books;
    let mut summary = rendering.summary(books, &figures)?;
    summary.files = staging.files().into_iter().map(|file| file.name).collect();
    summary.files.extend(["metrics.prom", "run.json"].map(str::to_owned));
    summary.files.sort_unstable();
    staging.write_file("run.json", summary.to_file()?.as_bytes(), None)?;
    let open = store.open_alerts()?;
    let open: Vec<&str> = open.iter().map(|kept| kept.alert.key.as_str()).collect();
    let metrics = prometheus::metrics(&summary, as_of.timestamp(), &open);
    staging.write_file("metrics.prom", metrics.as_bytes(), None)?;
    Ok((staging, summary))
}

/// Returns where the consent ledger ends.
fn ledger_summary(store: &Store) -> Result<LedgerSummary> {
    let head = store.ledger_head()?;
    Ok(LedgerSummary { records: head.seq, head: hex(&head.hash) })
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

/// Figures that more than one file shows.
pub(super) struct Figures {
    /// Leads.
    pub(super) leads: LeadCounts,
    /// Tasks that are open, and those of them that are late.
    pub(super) all_tasks: (u64, u64),
    /// The drop-off report.
    pub(super) dropoff: DropoffFigures,
    /// Leads that were delivered and are no more.
    withdrawn: Vec<WithdrawnLead>,
}

impl Rendering<'_> {
    /// Writes every file. What people are to do is listed from another view of the store meanwhile: nothing that is
    /// written here changes it.
    fn render(&self, staging: &mut Staging, books: &mut Books) -> Result<Figures> {
        let (mut lists, view) = (staging.beside(), self.store.view()?);
        let Self { job, record, as_of, zone, .. } = *self;
        let mut listed = Ok(());
        let figures = rayon::in_place_scope(|scope| {
            scope.spawn(|_| {
                // The view belongs to one thread.
                let view = view;
                let rendering = Rendering { job, store: &view, record, as_of, zone };
                listed = rendering.lists(&mut lists);
            });
            self.told(staging, books)
        })?;
        listed?;
        staging.take_over(lists)?;
        Ok(figures)
    }

    /// Writes what reads of the store alone make.
    fn lists(&self, staging: &mut Staging) -> Result<()> {
        self.tasks(staging)?;
        self.duplicates(staging)?;
        self.quarantine(staging)
    }

    /// Writes what others are given, with the store's memory of it, and what follows from that.
    fn told(&self, staging: &mut Staging, books: &mut Books) -> Result<Figures> {
        let deliveries = Deliveries {
            rules: self.job.rules,
            store: self.store,
            record: self.record,
            full: self.job.full,
        };
        let sent = deliveries.write(staging)?;
        books.tell_also(alerts::watch_deliveries(self.job, self.store, self.record)?);
        let told = books.alerts_and_limits();
        lay_down_alerts(self.store, self.job.rules, self.record, &told)?;
        lay_down_digests(self.store, self.job.rules, self.record)?;
        let books = &*books;
        self.hand_out(staging)?;
        let mut figures = self.figures(books, sent)?;
        figures.withdrawn = self.withdrawn(staging)?;
        staging.write_file("alerts.json", self.alerts(books)?.as_bytes(), None)?;
        let file = staging.file("dropoff.csv")?;
        let (rows, file) = dropoff::write_csv(file, &figures.dropoff)?;
        staging.close_file(file, Some(rows))?;
        let page = page_of_run(self.store, self.job.rules, self.record, books)?;
        let page = html::render(&page, self.job.rules.workspace.language)?;
        staging.write_file("report.html", page.as_bytes(), None)?;
        Ok(figures)
    }

    /// Writes which leads are to be taken out of the CRMs that have them; no file when there are none.
    fn withdrawn(&self, staging: &mut Staging) -> Result<Vec<WithdrawnLead>> {
        let mut withdrawn = Vec::new();
        self.store.each_withdrawal(self.record.no, |one| {
            withdrawn.push(WithdrawnLead { lead: one.id, now_in: one.now_in });
            Ok(())
        })?;
        if !withdrawn.is_empty() {
            let rows: Vec<[String; 2]> =
                withdrawn.iter().map(|one| [one.lead.clone(), one.now_in.join(" ")]).collect();
            let rows = rows.iter().map(|row| row.each_ref().map(String::as_str));
            list(staging, "crm/withdrawn.csv", ["lead-id", "now-in"], rows)?;
        }
        Ok(withdrawn)
    }

    /// Writes the task list and the calendar, of everybody and of each owner.
    ///
    /// The list is for people and has an end, so that a backlog of years is not written out anew each night: those that
    /// are due last.
    fn tasks(&self, staging: &mut Staging) -> Result<()> {
        let since = (self.as_of - TimeDelta::days(CALENDAR_DAYS)).timestamp_millis();
        let mut list = TaskListWriter::new(staging.file("tasks.csv")?, self.zone, self.as_of)?;
        let style = CalendarStyle { zone: self.zone, as_of: self.as_of };
        let mut calendar = CalendarWriter::new(staging.file("tasks.ics")?, style)?;
        let messages = Messages::new(self.store, self.job.rules);
        let mut of_owners = OwnerFiles::new(style);
        let listed = TaskFilter {
            due_last: Some(self.job.rules.workspace.limits.tasks_listed_max),
            ..TaskFilter::default()
        };
        self.store.each_task(&listed, self.record.as_of_ms, |task| {
            list.write(&task)?;
            if task.planned.due_ms >= since {
                let text = messages.text(&task)?;
                let entry = CalendarEntry::of(&task, text.as_deref(), style);
                if let Some(entry) = &entry {
                    calendar.write(entry)?;
                }
                of_owners.write(&task, entry.as_ref(), staging)?;
            }
            Ok(())
        })?;
        of_owners.close(staging)?;
        let (rows, file) = list.finish()?;
        staging.close_file(file, Some(rows))?;
        let (rows, file) = calendar.finish()?;
        staging.close_file(file, Some(rows))
    }

    /// Writes what this run hands out, with the drafts of mails that nobody sends.
    fn hand_out(&self, staging: &mut Staging) -> Result<()> {
        let mut due = TaskListWriter::new(staging.file("due.csv")?, self.zone, self.as_of)?;
        let messages = Messages::new(self.store, self.job.rules);
        let handed_out =
            TaskFilter { handed_out_by: Some(self.record.no), ..TaskFilter::default() };
        self.store.each_task(&handed_out, self.record.as_of_ms, |task| {
            let is_sent = lay_down_mail(messages, self.store, self.job.rules, self.record, &task)?;
            if !is_sent && let Some(draft) = messages.draft(&task)? {
                let name = format!("mails/{}", draft.file_name());
                staging.write_file(&name, &draft.to_bytes(self.as_of)?, None)?;
            }
            due.write(&task)
        })?;
        let (rows, file) = due.finish()?;
        staging.close_file(file, Some(rows))
    }

    /// Returns what is open, what of it somebody is told now, and what has closed.
    fn alerts(&self, books: &Books) -> Result<String> {
        let instant = |ms: i64| utc_from_ms(ms).to_rfc3339_opts(SecondsFormat::Secs, true);
        let shown = |kept: &KeptAlert| {
            json!({
                "key": kept.alert.key,
                "rule": kept.alert.id,
                "message": kept.alert.message,
                "opened_at": instant(kept.opened_ms),
                "opened_by": kept.opened_by,
                "closed_at": kept.closed_ms.map(instant),
            })
        };
        let open = self.store.open_alerts()?;
        let closed = self.store.alerts_closed_by(self.record.no)?;
        let told = books.alerts_and_limits();
        let file = json!({
            "run": self.record.id,
            "as_of": instant(self.record.as_of_ms),
            "told": told,
            "open": open.iter().map(shown).collect::<Vec<_>>(),
            "closed": closed.iter().map(shown).collect::<Vec<_>>(),
        });
        Ok(serde_json::to_string_pretty(&file)? + "\n")
    }

    fn duplicates(&self, staging: &mut Staging) -> Result<()> {
        let mut writer = DuplicatesWriter::new(staging.file("duplicates.csv")?, self.zone)?;
        let mut contacts = Contacts::new(self.store, self.job.rules, Horizon::Now)?;
        self.store.each_join(self.record.first_submission_no, |join| {
            writer.write(&joined(&join, self.job.rules, &mut contacts)?)
        })?;
        let (rows, file) = writer.finish()?;
        staging.close_file(file, Some(rows))
    }

    /// Writes the overview and, for each input, the rows as they were.
    fn quarantine(&self, staging: &mut Staging) -> Result<()> {
        let mut overview = QuarantineOverview::new(staging.file("quarantine.csv")?)?;
        let filter = QuarantineFilter { run: Some(self.record.no), ..QuarantineFilter::default() };
        let mut files = ToMend::new(self.store);
        let close = |closed: Option<Closed<StagedFile>>, staging: &mut Staging| {
            closed.map_or(Ok(()), |file| staging.close_file(file.out, Some(file.rows)))
        };
        self.store.each_quarantined(&filter, |entry| {
            overview.write(&as_row(&entry, &entry.fingerprint.row_id()))?;
            let closed = files.write(&entry, |name| staging.file(&format!("quarantine/{name}")))?;
            close(closed, staging)
        })?;
        close(files.finish()?, staging)?;
        let (rows, file) = overview.finish()?;
        staging.close_file(file, Some(rows))
    }

    fn figures(&self, books: &Books, sent: Vec<TargetFigures>) -> Result<Figures> {
        let all_tasks = self.store.open_and_late(self.record.as_of_ms)?;
        let leads = self.store.lead_counts(self.record.no, &self.job.rules.routing.triage)?;
        let dropoff = dropoff_figures(self.store, self.job.rules, self.record, books, sent)?;
        Ok(Figures { leads, all_tasks, dropoff, withdrawn: Vec::new() })
    }

    fn summary(&self, books: &Books, figures: &Figures) -> Result<RunSummary> {
        let segments = self.store.lead_totals(TotalBy::Segment)?;
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
            notices: books.notices(),
            inputs: books.inputs().iter().map(InputSummary::from).collect(),
            newly_shared_contacts: books.flipped_keys,
            pairs_to_review: books.to_review,
            leads: LeadSummary {
                new: figures.leads.founded,
                updated: figures.leads.changed - figures.leads.founded,
                total: figures.leads.total,
            },
            looked_again: books.looked_again,
            segments: SegmentSummary {
                hot: of(Segment::Hot),
                warm: of(Segment::Warm),
                cold: of(Segment::Cold),
            },
            triage: figures.leads.changed_triage,
            tasks: TaskSummary {
                open: figures.all_tasks.0,
                late: figures.all_tasks.1,
                listed: figures.all_tasks.0.min(self.job.rules.workspace.limits.tasks_listed_max),
                handed_out: books.handed_out,
            },
            alerts: books.alerts_and_limits(),
            exit_code: books.exit_code(),
            undo: books.undo.clone(),
            rescore: books.rescore.clone(),
            erasure: books.erasure.clone(),
            deliveries: figures.dropoff.sent.clone(),
            dead_letters: self.store.count_dead_letters()?,
            outbox: outbox::waiting_at(self.store, self.job.rules, self.record.as_of_ms)?,
            withdrawn: figures.withdrawn.clone(),
            ledger: Some(ledger_summary(self.store)?),
            files: Vec::new(),
        })
    }
}

/// A list and a calendar for each owner, of what they have to do.
struct OwnerFiles {
    style: CalendarStyle,
    open: BTreeMap<String, (TaskListWriter<StagedFile>, CalendarWriter<StagedFile>)>,
}

impl OwnerFiles {
    fn new(style: CalendarStyle) -> Self {
        Self { style, open: BTreeMap::new() }
    }

    /// Writes `task` and its `entry` into the files of its owner; nobody's is in the files of all.
    fn write(
        &mut self,
        task: &Task,
        entry: Option<&CalendarEntry>,
        staging: &mut Staging,
    ) -> Result<()> {
        let Some(owner) = &task.owner else { return Ok(()) };
        if !self.open.contains_key(owner) {
            let CalendarStyle { zone, as_of } = self.style;
            let name = |end: &str| format!("owners/{}.{end}", file_stem(owner));
            let list = TaskListWriter::new(staging.file(&name("csv"))?, zone, as_of)?;
            let calendar = CalendarWriter::of_events(staging.file(&name("ics"))?, self.style)?;
            self.open.insert(owner.clone(), (list, calendar));
        }
        if let Some((list, calendar)) = self.open.get_mut(owner) {
            list.write(task)?;
            entry.map_or(Ok(()), |entry| calendar.write(entry))?;
        }
        Ok(())
    }

    fn close(self, staging: &mut Staging) -> Result<()> {
        for (list, calendar) in self.open.into_values() {
            for (rows, file) in [list.finish()?, calendar.finish()?] {
                staging.close_file(file, Some(rows))?;
            }
        }
        Ok(())
    }
}
