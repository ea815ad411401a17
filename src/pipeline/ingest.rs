//! Files → submissions: read on one thread, normalized on several, written by this one, in order.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use anyhow::Result;
use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};

use super::absorb::Fresh;
use super::dates;
use super::event::{Event, Events};
use super::interrupted::Interrupted;
use super::quarantine::{came_back_for, without_header};
use super::recognition::{Received, Recognition};
use crate::identity::keys::Keyring;
use crate::intake::{OpenInput, Refusal, RefusalKind};
use crate::model::field;
use crate::model::ids::{Fingerprint, RunNo, hex};
use crate::model::outcome::Hold;
use crate::model::row::{Origin, Row};
use crate::model::run::{InputReport, InputStatus, NoticeCounts, RowCounts};
use crate::model::submission::{RowVerdict, Submission};
use crate::normalization::date_order::DateOrders;
use crate::normalization::{Normalizer, SourceContext, ip};
use crate::rules::RuleSet;
use crate::rules::source::SourcePreset;
use crate::rules::workspace::IpRule;
use crate::store::Store;
use crate::store::ingest::{Ingest, IngestRow, InputRecord, RowFate, encode, encode_touch};

/// Rows handed from thread to thread at once: enough to forget the cost of the hand-over, few enough
/// to keep the memory flat.
const ROWS_PER_CHUNK: usize = 512;

/// Chunks that may wait in each channel.
const CHUNKS_WAITING: usize = 4;

/// What does not change from input to input.
#[derive(Clone, Copy)]
pub struct IngestContext<'a> {
    /// Where rows go.
    pub store: &'a Store,
    /// The policy.
    pub rules: &'a RuleSet,
    /// The run.
    pub run: RunNo,
    /// The instant that counts as now.
    pub as_of: DateTime<Utc>,
    /// Threads that normalize, at least 1.
    pub threads: usize,
    /// Set by a signal.
    pub interrupted: &'a AtomicBool,
    /// Tells rows of people who were erased; `None` when nobody was.
    pub recognition: Option<&'a Recognition>,
}

enum Chunk<T> {
    Rows(Vec<T>, u64),
    End(Result<(), Refusal>),
}

/// Takes one input in, all of it or nothing, and adds its submissions to `fresh`.
pub fn ingest_input(
    context: IngestContext<'_>,
    input: OpenInput,
    fresh: &mut Fresh,
    events: Events<'_>,
) -> Result<InputReport> {
    let preset = input.preset.clone();
    let mut report = InputReport {
        name: input.name.clone(),
        sha256: hex(&input.sha256),
        source: preset.id.clone(),
        encoding: input.encoding.clone(),
        status: InputStatus::Imported,
        rows: RowCounts::default(),
        notices: NoticeCounts::new(),
        warnings: input.notices.clone(),
    };
    events(Event::InputOpened {
        name: report.name.clone(),
        source: report.source.clone(),
        bytes: input.bytes,
    });
    let record = InputRecord {
        name: report.name.clone(),
        sha256: input.sha256,
        source: report.source.clone(),
        tells_contacts: !preset.tells_enquiries,
        encoding: report.encoding.clone(),
        // JSON has no header: a row that comes back from quarantine carries its own names.
        header: if input.is_table() { input.header.clone() } else { Vec::new() },
        bytes: input.bytes,
    };
    let date_orders = dates::settle(&input, context.rules, context.as_of, context.interrupted);
    let first = fresh.next_no();
    let mut ingest = context.store.ingest(context.run, &record, fresh.meets_older_ones())?;
    let mut read = 0;
    let end = thread::scope(|scope| -> Result<Result<(), Refusal>> {
        let (to_workers, from_workers) = spawn_workers(scope, context, &preset, &date_orders);
        scope.spawn(move || read_rows(input, &to_workers));
        for turn in 0.. {
            if context.interrupted.load(Ordering::Relaxed) {
                return Err(Interrupted::Deciding.into());
            }
            // Chunks come back in the order in which they were handed out, whatever the number of
            // threads: so the same bytes are written.
            let Ok(chunk) = from_workers[turn % from_workers.len()].recv() else {
                anyhow::bail!("a worker thread ended early; this is a bug");
            };
            let (rows, bytes) = match chunk {
                Chunk::Rows(rows, bytes) => (rows, bytes),
                Chunk::End(end) => return Ok(end),
            };
            for (origin, row) in rows {
                read += 1;
                keep(&mut ingest, origin, row, fresh)?;
            }
            events(Event::RowsRead { rows: read, bytes });
        }
        unreachable!("the loop ends with the last chunk")
    });
    match end {
        Ok(Ok(())) => {
            let (counts, notices) = ingest.finish()?;
            report.notices = notices;
            report.rows = RowCounts {
                read: counts.read,
                created: 0,
                merged: counts.accepted,
                repeated: counts.repeated,
                quarantined: counts.quarantined,
                held: counts.held,
                touches: counts.touches,
                skipped: counts.skipped,
            };
        }
        Ok(Err(refusal)) => {
            ingest.abandon()?;
            fresh.truncate_from(first);
            report.status = refused(&refusal);
        }
        // The whole run is taken back.
        Err(fault) => return Err(fault),
    }
    events(Event::InputClosed(report.clone()));
    Ok(report)
}

/// Returns what becomes of an input that intake would not read.
pub fn refused(refusal: &Refusal) -> InputStatus {
    match refusal.kind {
        RefusalKind::BeingWritten => InputStatus::Postponed(refusal_text(refusal)),
        _ => InputStatus::Refused(refusal_text(refusal)),
    }
}

/// Returns what is wrong and, on a line of its own, the way out.
fn refusal_text(refusal: &Refusal) -> String {
    format!("{}\nhint: {}", refusal.message, refusal.hint)
}

/// A row to keep, and the quarantined row that it was before somebody mended it.
struct Judged {
    row: IngestRow,
    comes_back_for: Option<Fingerprint>,
}

fn keep(ingest: &mut Ingest<'_>, origin: Origin, judged: Judged, fresh: &mut Fresh) -> Result<()> {
    let fate = ingest.write(origin, judged.row)?;
    if let RowFate::Submission { submitted_ms, fingerprint, .. } = fate {
        fresh.push(submitted_ms, fingerprint);
    }
    judged.comes_back_for.map_or(Ok(()), |quarantined| ingest.mend(origin, quarantined))
}

type RowSender = SyncSender<Chunk<Row>>;
type WrittenReceiver = Receiver<Chunk<(Origin, Judged)>>;

fn spawn_workers<'scope, 'env: 'scope>(
    scope: &'scope thread::Scope<'scope, 'env>,
    context: IngestContext<'env>,
    preset: &SourcePreset,
    date_orders: &DateOrders,
) -> (Vec<RowSender>, Vec<WrittenReceiver>) {
    (0..context.threads.max(1))
        .map(|_| {
            let (to_worker, rows) = sync_channel(CHUNKS_WAITING);
            let (to_writer, written) = sync_channel(CHUNKS_WAITING);
            let (preset, date_orders) = (preset.clone(), date_orders.clone());
            let (rules, as_of) = (context.rules, context.as_of);
            scope.spawn(move || {
                let source = source_context(&preset, &date_orders, rules, as_of);
                let judge = Judge {
                    normalizer: Normalizer::new(&rules.tables, &rules.fields, source),
                    keyring: Keyring::new(&rules.tables),
                    preset: &preset,
                    rules,
                    recognition: context.recognition,
                };
                judge_chunks(judge, &rows, &to_writer);
            });
            (to_worker, written)
        })
        .unzip()
}

/// A send fails only when the receiver is gone, and it goes only when the run has ended: then this
/// thread has nothing left to do either.
fn read_rows(input: OpenInput, to_workers: &[RowSender]) {
    let mut rows = input.rows();
    let mut chunk = Vec::with_capacity(ROWS_PER_CHUNK);
    let mut turn = 0;
    let mut end = Ok(());
    while let Some(row) = rows.next() {
        match row {
            Ok(row) => chunk.push(row),
            Err(refusal) => {
                end = Err(refusal);
                break;
            }
        }
        if chunk.len() == ROWS_PER_CHUNK {
            let full = std::mem::replace(&mut chunk, Vec::with_capacity(ROWS_PER_CHUNK));
            let to_worker = &to_workers[turn % to_workers.len()];
            if to_worker.send(Chunk::Rows(full, rows.bytes_read())).is_err() {
                return;
            }
            turn += 1;
        }
    }
    if to_workers[turn % to_workers.len()].send(Chunk::Rows(chunk, rows.bytes_read())).is_ok() {
        let _ = to_workers[(turn + 1) % to_workers.len()].send(Chunk::End(end));
    }
}

fn judge_chunks(
    mut judge: Judge<'_>,
    rows: &Receiver<Chunk<Row>>,
    to_writer: &SyncSender<Chunk<(Origin, Judged)>>,
) {
    for chunk in rows {
        let done = match chunk {
            Chunk::Rows(rows, bytes) => {
                Chunk::Rows(rows.into_iter().map(|row| judge.judge(row)).collect(), bytes)
            }
            Chunk::End(end) => Chunk::End(end),
        };
        if to_writer.send(done).is_err() {
            return;
        }
    }
}

/// Returns what normalization needs to know of a preset and its input.
pub fn source_context<'a>(
    preset: &'a SourcePreset,
    date_orders: &'a DateOrders,
    rules: &'a RuleSet,
    as_of: DateTime<Utc>,
) -> SourceContext<'a> {
    let zone = preset.zone.as_deref().and_then(|zone| zone.parse().ok());
    SourceContext {
        source_id: preset.ids_as_in.as_ref().unwrap_or(&preset.id),
        zone: zone.unwrap_or(rules.workspace.zone),
        date_formats: &preset.date_formats,
        date_orders,
        counts_from_1904: preset.counts_from_1904,
        id_scope: preset.id_scope,
        columns: &preset.columns,
        told: &preset.told,
        consents: &preset.consents,
        default_country: &rules.workspace.default_country,
        received_at: as_of,
        is_contact_list: preset.is_contact_list,
        id_field: preset.id_field,
        default_source: preset.default_source.as_deref(),
        default_medium: preset.default_medium.as_deref(),
        team: Some(&rules.routing)
            .filter(|team| team.returning.keep_crm_owner && !team.owners.is_empty()),
    }
}

/// Judges the rows of one input.
struct Judge<'a> {
    normalizer: Normalizer<'a>,
    keyring: Keyring,
    preset: &'a SourcePreset,
    rules: &'a RuleSet,
    recognition: Option<&'a Recognition>,
}

impl Judge<'_> {
    fn judge(&mut self, row: Row) -> (Origin, Judged) {
        let comes_back_for = came_back_for(&row);
        let (origin, raw, verdict) = self.normalizer.normalize(row);
        if let Some((fingerprint, hold)) = self.recognize(&verdict, &raw) {
            // Nothing of the row is kept.
            let row = IngestRow::Held { fingerprint, hold, raw: String::new() };
            return (origin, Judged { row, comes_back_for });
        }
        // Fingerprints are made of what was received: the row stays the same one whatever is kept of it.
        let fingerprint = || raw_fingerprint(&self.preset.id, &raw);
        let rule = self.rules.workspace.ip;
        let row = match verdict {
            RowVerdict::Accepted(mut submission) => {
                if rule != IpRule::Full {
                    keep_less_of_ip(&mut submission, rule);
                }
                let encoded = encode(*submission, &self.rules.fields, &self.keyring);
                IngestRow::Submission(Box::new(encoded))
            }
            RowVerdict::Touch(touch) => IngestRow::Touch(Box::new(encode_touch(touch))),
            RowVerdict::Held(hold) => IngestRow::Held {
                fingerprint: fingerprint(),
                hold,
                raw: ip::kept_in_row(&raw, rule),
            },
            RowVerdict::Quarantined(rejection) => IngestRow::Quarantined {
                fingerprint: fingerprint(),
                rejection,
                raw: ip::kept_in_row(&raw, rule),
            },
            RowVerdict::Skipped(_) => IngestRow::Skipped,
        };
        (origin, Judged { row, comes_back_for })
    }

    /// Returns what is kept in the place of a row of somebody who was erased.
    fn recognize(&self, verdict: &RowVerdict, raw: &str) -> Option<(Fingerprint, Hold)> {
        let recognition = self.recognition?;
        // A submission and a touch have one of their own.
        let is_raw = matches!(verdict, RowVerdict::Held(_) | RowVerdict::Quarantined(_));
        recognition.hold(&Received {
            verdict,
            raw,
            fingerprint: is_raw.then(|| raw_fingerprint(&self.preset.id, raw)),
            sent_at: self.normalizer.sent_at(),
            preset: self.preset,
            system: self.rules.sources.system_of(&self.preset.id),
        })
    }
}

/// Keeps of the IP addresses in `submission` what `rule` allows.
fn keep_less_of_ip(submission: &mut Submission, rule: IpRule) {
    if let Some(address) = submission.values.get(field::IP) {
        let kept = ip::kept(address, rule).unwrap_or_default();
        submission.values.set(field::IP, kept);
    }
    submission.raw = ip::kept_in_row(&submission.raw, rule);
}

/// A row that is no submission has no fields to tell it by, so its bytes do.
fn raw_fingerprint(source: &str, raw: &str) -> Fingerprint {
    let digest = Sha256::new_with_prefix(source)
        .chain_update(b"\x1fraw\x1f")
        .chain_update(without_header(raw))
        .finalize();
    let mut short = [0; 16];
    short.copy_from_slice(&digest[..16]);
    Fingerprint(short)
}
