//! The one thread that writes: whatever waits goes to the disk together, and is acknowledged after that.
//!
//! While one trip to the disk lasts, further submissions queue up and share the next; so the disk's slowness costs
//! each of them about one trip, however many there are. This thread alone knows which receipts were given, so a
//! submission that is sent twice at once is written once, and neither sender hears of it before it is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::sync::oneshot;

use super::receipt::{Known, Receipt};
use super::spool::{Segment, Spool, name_start};
use super::{Clock, Event, Listener};
use crate::rules::receive::Form;

/// Requests that share one trip to the disk at most.
const BATCH_MAX: usize = 1_024;
/// Requests that may wait for the next trip; more than connections there are.
const WAITING_MAX: usize = 4_096;
/// Bytes after which a file is closed.
const SEGMENT_BYTES: u64 = 16 << 20;
/// How often it is looked whether a file has become old.
const LOOK: Duration = Duration::from_secs(1);

/// What a request wants to be kept.
#[derive(Debug)]
pub(super) struct Offer {
    /// Number of the form.
    pub(super) form: usize,
    /// Its submissions: receipt and line.
    pub(super) lines: Vec<(Receipt, Vec<u8>)>,
    /// Is told how it ended.
    pub(super) done: oneshot::Sender<Result<Kept, NotKept>>,
}

/// Submissions are on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    /// By now.
    New,
    /// All of them were before.
    Repeat,
}

/// Submissions could not be kept: the disk is full or fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotKept;

/// Hands submissions to the thread that writes; it ends when every one of these is gone.
#[derive(Debug, Clone)]
pub(super) struct Committer(SyncSender<Offer>);

impl Committer {
    /// Returns what becomes of `lines` once it is known.
    pub(super) fn offer(
        &self,
        form: usize,
        lines: Vec<(Receipt, Vec<u8>)>,
    ) -> Result<oneshot::Receiver<Result<Kept, NotKept>>, NotKept> {
        let (done, outcome) = oneshot::channel();
        match self.0.try_send(Offer { form, lines, done }) {
            Ok(()) => Ok(outcome),
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => Err(NotKept),
        }
    }
}

/// Starts the thread that writes for `forms`; it closes its files and ends when the committer is gone.
pub(super) fn start(
    spool: Spool,
    forms: &[&Form],
    close_after_seconds: i64,
    clock: Clock,
    listener: Listener,
) -> Result<(Committer, JoinHandle<()>)> {
    let now_ms = clock().timestamp_millis();
    let mut desks = Vec::new();
    for form in forms {
        let mut known = Known::new(form.repeats_within_seconds * 1_000);
        let start = name_start(&form.source, &form.id);
        spool.recall(&start, &mut known, now_ms)?;
        desks.push(Desk { start, known, segment: None });
    }
    let (sender, offers) = sync_channel(WAITING_MAX);
    let close_after_ms = close_after_seconds.saturating_mul(1_000);
    let writer = Writer { spool, desks, close_after_ms, clock, listener };
    let thread = thread::Builder::new()
        .name("committer".to_owned())
        .spawn(move || writer.run(&offers))
        .context("cannot start the thread that writes")?;
    Ok((Committer(sender), thread))
}

/// What belongs to one form.
struct Desk {
    start: String,
    known: Known,
    segment: Option<Segment>,
}

struct Writer {
    spool: Spool,
    desks: Vec<Desk>,
    close_after_ms: i64,
    clock: Clock,
    listener: Listener,
}

impl Writer {
    fn run(mut self, offers: &Receiver<Offer>) {
        loop {
            let is_idle = self.desks.iter().all(|desk| desk.segment.is_none());
            let first = if is_idle {
                offers.recv().map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                offers.recv_timeout(LOOK)
            };
            match first {
                Ok(first) => self.commit(first, offers),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.close_files(|segment, age_ms, after_ms| {
                // A clock that was set back says nothing about the age; closing early costs a file.
                segment.bytes() >= SEGMENT_BYTES || !(0..after_ms).contains(&age_ms)
            });
        }
        self.close_files(|_, _, _| true);
    }

    /// Keeps `first` and whatever waits behind it.
    fn commit(&mut self, first: Offer, offers: &Receiver<Offer>) {
        let mut batch = vec![first];
        while batch.len() < BATCH_MAX
            && let Ok(next) = offers.try_recv()
        {
            batch.push(next);
        }
        let now_ms = (self.clock)().timestamp_millis();
        let mut fresh: BTreeMap<usize, Vec<u8>> = BTreeMap::new();
        let mut pending: BTreeSet<(usize, Receipt)> = BTreeSet::new();
        let mut outcomes = Vec::new();
        for offer in &batch {
            let mut kept = Kept::Repeat;
            for (receipt, line) in &offer.lines {
                let is_known = self.desks[offer.form].known.holds(*receipt, now_ms);
                if !is_known && pending.insert((offer.form, *receipt)) {
                    fresh.entry(offer.form).or_default().extend_from_slice(line);
                    kept = Kept::New;
                }
            }
            outcomes.push(kept);
        }
        let failed = self.write(&fresh, now_ms);
        for (form, receipt) in pending.iter().filter(|(form, _)| !failed.contains(form)) {
            self.desks[*form].known.add(*receipt, now_ms);
        }
        for (offer, kept) in batch.into_iter().zip(outcomes) {
            // Of what failed some may be known from before, but the whole request is sent again anyway.
            let outcome = if failed.contains(&offer.form) { Err(NotKept) } else { Ok(kept) };
            // Whoever went away sends it again, and gets the same receipt.
            let _ = offer.done.send(outcome);
        }
    }

    /// Brings lines to the disk, by form, and returns the forms for which that failed.
    fn write(&mut self, fresh: &BTreeMap<usize, Vec<u8>>, now_ms: i64) -> BTreeSet<usize> {
        let mut failed = BTreeSet::new();
        if fresh.is_empty() {
            return failed;
        }
        let (spool, desks, listener) = (&self.spool, &mut self.desks, &self.listener);
        let written = spool.locked(|folder| {
            for (form, lines) in fresh {
                if let Err(fault) = write_lines(&mut desks[*form], folder, lines, now_ms) {
                    listener(Event::Fault(format!("{fault:#}")));
                    failed.insert(*form);
                }
            }
            Ok(())
        });
        if let Err(fault) = written {
            (self.listener)(Event::Fault(format!("{fault:#}")));
            failed.extend(fresh.keys());
        }
        failed
    }

    /// Closes the files for which `is_due` says so, by age and by the age at which they are old.
    fn close_files(&mut self, is_due: impl Fn(&Segment, i64, i64) -> bool) {
        let now_ms = (self.clock)().timestamp_millis();
        for desk in &mut self.desks {
            let due = |segment: &mut Segment| {
                is_due(segment, now_ms - segment.opened_ms(), self.close_after_ms)
            };
            let Some(segment) = desk.segment.take_if(due) else { continue };
            let closed = self.spool.locked(|folder| {
                // A run may have closed it meanwhile.
                if segment.is_there() { segment.close(folder).map(Some) } else { Ok(None) }
            });
            match closed {
                Ok(Some(closed)) => (self.listener)(Event::Closed(closed)),
                Ok(None) => {}
                Err(fault) => (self.listener)(Event::Fault(format!("{fault:#}"))),
            }
        }
    }
}

fn write_lines(desk: &mut Desk, folder: &Path, lines: &[u8], now_ms: i64) -> Result<()> {
    let is_open = desk.segment.as_ref().is_some_and(Segment::is_there);
    let mut segment = match desk.segment.take().filter(|_| is_open) {
        Some(segment) => segment,
        None => Segment::create(folder, &desk.start, now_ms)?,
    };
    // A file for which that failed is left to whoever closes it; what comes next goes to another.
    segment.append(lines)?;
    desk.segment = Some(segment);
    Ok(())
}
