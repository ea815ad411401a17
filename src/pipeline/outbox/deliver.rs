//! Delivering: claim, commit, send, record, until nothing is due or the time is up.
//!
//! Each endpoint has a thread of its own, so that one that is slow holds up none but itself and those that make
//! something under its records, which come behind it. The store is held only while something is claimed or recorded,
//! never while anything is on the wire.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::claim::{Claimed, Claiming};
use super::settle::{Health, Settling};
use super::waiting_at;
use crate::model::ids::hex;
use crate::report::run_json::WaitingSummary;
use crate::rules::RuleSet;
use crate::rules::outbox::{Address, Endpoint, OnUnknown, Wire};
use crate::sending::bucket::Bucket;
use crate::sending::clock::Clock;
use crate::sending::http::Outgoing;
use crate::sending::outcome::Reply;
use crate::store::Store;
use crate::store::deliveries::TargetNo;

/// Requests that are claimed at once, for each of those that are made at a time.
const CLAIMED_EACH: usize = 8;
/// Faults in a row after which the rest of what was claimed is not sent.
const FAULTS_IN_A_ROW: u32 = 5;
/// What is due later than this is left to the next command.
const WAIT_MAX_MS: i64 = 30_000;
/// How long somebody else's transaction is waited for before what was sent counts as unknown.
const RECORD_WITHIN_MS: i64 = 600_000;

/// The way to an endpoint: sends once, and returns what came of it.
pub type Way = Box<dyn Fn(&Outgoing<'_>) -> Reply + Sync + Send>;

/// What is asked for.
#[derive(Clone, Copy)]
pub struct Delivery<'a> {
    /// The policy.
    pub rules: &'a RuleSet,
    /// The store's file.
    pub store: &'a Path,
    /// What time it is.
    pub clock: Clock<'a>,
    /// How long it may take, milliseconds.
    pub budget_ms: i64,
    /// The one endpoint that is meant; all without it.
    pub only: Option<&'a str>,
    /// Set by a signal; nothing more is sent then.
    pub interrupted: &'a AtomicBool,
    /// Opens the way to an endpoint, or says what is missing.
    pub open: &'a (dyn Fn(&Endpoint) -> Result<Way, String> + Sync),
}

/// What one command did with an endpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// Items that were taken.
    pub delivered: u64,
    /// Attempts that failed and will be made again.
    pub failed: u64,
    /// Of these: those of which nobody knows whether they were taken.
    pub unknown: u64,
    /// Items that are given up.
    pub dead: u64,
    /// Items that wait for somebody's look.
    pub held: u64,
    /// Items that must not be sent any more.
    pub withdrawn: u64,
}

/// What came of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EndpointSummary {
    /// Its id.
    pub endpoint: String,
    /// What was done.
    #[serde(flatten)]
    pub figures: Figures,
    /// Why nothing more was sent, when something was left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
    /// What waits for it now; none when nothing does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<WaitingSummary>,
}

impl EndpointSummary {
    /// Returns whether somebody must look.
    pub fn needs_a_look(&self) -> bool {
        let waits = |waiting: &WaitingSummary| waiting.items > 0 || waiting.stuck > 0;
        self.stopped.is_some() || self.waiting.as_ref().is_some_and(waits)
    }
}

/// Sends what is due, and returns what came of each endpoint, in the order of the rules.
///
/// # Errors
/// The world's faults with the thing named. Whatever the error, doing it again is safe: what was being sent is of
/// unknown fate then, and known to be.
pub fn deliver(job: &Delivery<'_>) -> Result<Vec<EndpointSummary>> {
    let store = Mutex::new(Store::open_for_delivery(job.store)?);
    let meant = |one: &&Endpoint| job.only.is_none_or(|id| id == one.id);
    let endpoints: Vec<&Endpoint> = job.rules.outbox.on().filter(meant).collect();
    let deadline_ms = job.clock.now() + job.budget_ms;
    let mut couriers = Vec::new();
    for endpoint in &endpoints {
        let target = lock(&store).known_target(&endpoint.id)?;
        // Nothing was ever laid down for it otherwise.
        if let Some(target) = target {
            couriers.push(Courier::new(*job, endpoint, target, &store, deadline_ms)?);
        }
    }
    run_all(families(&mut couriers))?;
    let store = lock(&store);
    // Whoever reads or writes meanwhile may keep the WAL; the next command catches up.
    let _ = store.checkpoint_whole();
    summaries(&store, job.rules, &endpoints, &couriers, job.clock.now())
}

/// Returns the couriers in families, each with those behind it that make something under its records.
fn families<'c, 'a>(couriers: &'c mut [Courier<'a>]) -> Vec<Vec<&'c mut Courier<'a>>> {
    let (under, first): (Vec<_>, Vec<_>) =
        couriers.iter_mut().partition(|one| one.parent().is_some());
    let mut families: Vec<Vec<_>> = first.into_iter().map(|one| vec![one]).collect();
    for one in under {
        let is_of = |family: &&mut Vec<&'c mut Courier<'a>>| {
            family.first().is_some_and(|first| one.parent() == Some(&first.endpoint.id))
        };
        match families.iter_mut().find(is_of) {
            Some(family) => family.push(one),
            None => families.push(vec![one]),
        }
    }
    families
}

/// Lets every courier run, each family on a thread of its own and one after the other in it.
fn run_all(mut families: Vec<Vec<&mut Courier<'_>>>) -> Result<()> {
    let run = |family: Vec<&mut Courier<'_>>| family.into_iter().try_for_each(Courier::run);
    // What runs alone runs here, which lets tests hand in a clock of their own.
    if families.len() <= 1 {
        return families.pop().map_or(Ok(()), run);
    }
    let outcomes: Vec<Result<()>> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            families.into_iter().map(|family| scope.spawn(move || run(family))).collect();
        let join = |thread: std::thread::ScopedJoinHandle<'_, Result<()>>| {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        threads.into_iter().map(join).collect()
    });
    outcomes.into_iter().collect()
}

/// Returns what would be sent and what waits, and changes nothing.
pub fn waiting(job: &Delivery<'_>) -> Result<Vec<EndpointSummary>> {
    let store = Store::open_read_only(job.store)?;
    let now_ms = job.clock.now();
    let endpoints = job.rules.outbox.endpoints.iter();
    let meant = endpoints.filter(|one| job.only.is_none_or(|id| id == one.id));
    summaries(&store, job.rules, &meant.collect::<Vec<_>>(), &[], now_ms)
}

fn summaries(
    store: &Store,
    rules: &RuleSet,
    endpoints: &[&Endpoint],
    couriers: &[Courier<'_>],
    now_ms: i64,
) -> Result<Vec<EndpointSummary>> {
    let waiting = waiting_at(store, rules, now_ms)?;
    let summary = |endpoint: &&Endpoint| {
        let own = waiting.iter().find(|one| one.endpoint == endpoint.id);
        let own = own.map(|one| one.waiting.clone());
        let courier = couriers.iter().find(|courier| courier.endpoint.id == endpoint.id);
        let stopped = courier.and_then(|courier| courier.stopped.clone());
        EndpointSummary {
            endpoint: endpoint.id.clone(),
            figures: courier.map(|courier| courier.figures).unwrap_or_default(),
            stopped: stopped.filter(|_| own.as_ref().is_some_and(|waiting| waiting.items > 0)),
            waiting: own,
        }
    };
    Ok(endpoints.iter().map(summary).collect())
}

/// A thread that panicked has rolled nothing back and committed nothing, so the store is as it was.
fn lock(store: &Mutex<Store>) -> MutexGuard<'_, Store> {
    store.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Brings to one endpoint what is due.
struct Courier<'a> {
    job: Delivery<'a>,
    endpoint: &'a Endpoint,
    store: &'a Mutex<Store>,
    target: TargetNo,
    /// Hash of where it goes.
    address: String,
    deadline_ms: i64,
    health: Health,
    bucket: Bucket,
    figures: Figures,
    stopped: Option<String>,
}

impl<'a> Courier<'a> {
    fn new(
        job: Delivery<'a>,
        endpoint: &'a Endpoint,
        target: TargetNo,
        store: &'a Mutex<Store>,
        deadline_ms: i64,
    ) -> Result<Self> {
        let address = address_hash(endpoint);
        let state = lock(store).endpoint_state(target)?;
        Ok(Self {
            job,
            endpoint,
            store,
            target,
            health: Health::of(state, &address),
            address,
            deadline_ms,
            bucket: Bucket::new(endpoint.rate, job.clock.now()),
            figures: Figures::default(),
            stopped: None,
        })
    }

    /// Returns the id of the endpoint under whose records this one makes its own.
    fn parent(&self) -> Option<&String> {
        self.endpoint.http()?.parent.as_ref()
    }

    fn run(&mut self) -> Result<()> {
        self.recover()?;
        let way = match (self.job.open)(self.endpoint) {
            Ok(way) => way,
            Err(fault) => {
                self.stopped = Some(fault);
                return Ok(());
            }
        };
        while !self.is_over() {
            let room = match self.room() {
                Ok(0) => return Ok(()),
                Ok(room) => room,
                Err(until_ms) => {
                    if !self.wait_until(until_ms) {
                        return Ok(());
                    }
                    continue;
                }
            };
            let claimed = self.claim(room)?;
            if claimed.is_empty() {
                let next_ms = lock(self.store).next_due_ms(self.target)?;
                if !next_ms.is_some_and(|next_ms| self.wait_until(next_ms)) {
                    return Ok(());
                }
                continue;
            }
            self.bucket.take(claimed.len());
            let replies = self.send_all(&claimed, &way);
            self.record(&claimed, &replies)?;
        }
        self.stopped = Some("the time was up".to_owned());
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.job.interrupted.load(Ordering::Relaxed) || self.job.clock.now() >= self.deadline_ms
    }

    /// Waits until then, if that is worth it; returns whether it did.
    fn wait_until(&self, until_ms: i64) -> bool {
        let now_ms = self.job.clock.now();
        if until_ms > self.deadline_ms || until_ms - now_ms > WAIT_MAX_MS {
            return false;
        }
        self.job.clock.wait_until(until_ms, || self.is_over());
        true
    }

    /// Returns how many requests may be claimed now, or until when none may be; 0 for none any more.
    fn room(&mut self) -> Result<usize, i64> {
        let now_ms = self.job.clock.now();
        if self.health.is_gone() {
            self.stopped = Some("the receiver said that it is gone for good (410)".to_owned());
            return Ok(0);
        }
        let most = match self.endpoint.on_unknown {
            // What is claimed and not sent when the process dies would have to be looked at.
            OnUnknown::Hold => 1,
            OnUnknown::Resend => self.endpoint.concurrency * CLAIMED_EACH,
        };
        let allowed = self.health.circuit.lets_through(now_ms, most);
        if allowed == 0 {
            self.stopped = Some("it failed too often and is left alone for a while".to_owned());
            return Ok(0);
        }
        if let Some(until_ms) = self.health.state.paused_until_ms.filter(|until| *until > now_ms) {
            if until_ms - now_ms > WAIT_MAX_MS || until_ms > self.deadline_ms {
                self.stopped = Some("it asked to be left alone for a while".to_owned());
            }
            return Err(until_ms);
        }
        match self.bucket.available(now_ms) {
            0 => Err(self.bucket.next_ms(now_ms)),
            tokens => Ok(allowed.min(tokens)),
        }
    }

    /// Does `work` in a transaction, as soon as nobody else writes and within `patience_ms`.
    fn write<T>(
        &mut self,
        patience_ms: i64,
        work: impl FnOnce(&mut Self, &Store) -> Result<T>,
    ) -> Result<Option<T>> {
        let give_up_ms = self.job.clock.now() + patience_ms;
        let shared = self.store;
        loop {
            let store = lock(shared);
            if store.begin_if_free()? {
                let done = work(self, &store);
                return match done {
                    Ok(done) => store.commit().map(|()| Some(done)),
                    Err(fault) => {
                        let _ = store.rollback();
                        Err(fault)
                    }
                };
            }
            drop(store);
            if self.job.clock.now() >= give_up_ms {
                return Ok(None);
            }
            (self.job.clock.sleep)(Duration::from_millis(20));
        }
    }

    fn recover(&mut self) -> Result<()> {
        self.write(RECORD_WITHIN_MS, |courier, store| {
            let now_ms = courier.job.clock.now();
            let left = store.recover_requests(courier.target, now_ms)?;
            if courier.endpoint.on_unknown == OnUnknown::Resend {
                return Ok(());
            }
            // What changes a known record may be sent again.
            for request in left.into_iter().filter(|request| request.record_id.is_empty()) {
                let claimed = Claimed { members: store.members_of(request.no)?, request };
                courier.settling(store, now_ms).abandoned(&claimed)?;
            }
            Ok(())
        })
        .map(drop)
    }

    fn settling<'s>(&'s mut self, store: &'s Store, now_ms: i64) -> Settling<'s> {
        Settling {
            store,
            endpoint: self.endpoint,
            target: self.target,
            address: &self.address,
            now_ms,
            health: &mut self.health,
            figures: &mut self.figures,
        }
    }

    fn claim(&mut self, room: usize) -> Result<Vec<Claimed>> {
        let patience_ms = self.deadline_ms - self.job.clock.now();
        let claimed = self.write(patience_ms, |courier, store| {
            let claiming = Claiming {
                store,
                rules: courier.job.rules,
                endpoint: courier.endpoint,
                target: courier.target,
                now_ms: courier.job.clock.now(),
            };
            let (claimed, withdrawn) = claiming.claim(room)?;
            courier.figures.withdrawn += withdrawn;
            Ok(claimed)
        })?;
        Ok(claimed.unwrap_or_default())
    }

    /// Sends what was claimed, a few at a time; `None` for what was not sent, because the time was up or the receiver
    /// fails.
    fn send_all(&self, claimed: &[Claimed], way: &Way) -> Vec<Option<Reply>> {
        let replies: Vec<Mutex<Option<Reply>>> = claimed.iter().map(|_| Mutex::new(None)).collect();
        let (next, faults) = (AtomicUsize::new(0), AtomicU32::new(0));
        let work = || {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let (Some(one), Some(slot)) = (claimed.get(at), replies.get(at)) else { return };
                if self.is_over() || faults.load(Ordering::Relaxed) >= FAULTS_IN_A_ROW {
                    continue;
                }
                let reply = way(&self.outgoing(one));
                match is_fault(&reply, !one.request.record_id.is_empty()) {
                    None => faults.store(0, Ordering::Relaxed),
                    Some(weight) => drop(faults.fetch_add(weight, Ordering::Relaxed)),
                }
                *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(reply);
            }
        };
        match self.endpoint.concurrency.min(claimed.len()) {
            0 | 1 => work(),
            threads => std::thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(work);
                }
            }),
        }
        let taken = |slot: Mutex<_>| slot.into_inner().unwrap_or_else(PoisonError::into_inner);
        replies.into_iter().map(taken).collect()
    }

    fn outgoing<'o>(&self, claimed: &'o Claimed) -> Outgoing<'o> {
        Outgoing {
            id: &claimed.request.id,
            body: &claimed.request.body,
            recipient: claimed.members.first().map_or("", |member| &member.recipient),
            record_id: &claimed.request.record_id,
            at_ms: self.job.clock.now(),
        }
    }

    fn record(&mut self, claimed: &[Claimed], replies: &[Option<Reply>]) -> Result<()> {
        let recorded = self.write(RECORD_WITHIN_MS, |courier, store| {
            let now_ms = courier.job.clock.now();
            for (one, reply) in claimed.iter().zip(replies) {
                let mut settling = courier.settling(store, now_ms);
                match reply {
                    Some(reply) => settling.settle(one, reply)?,
                    None => settling.release(one)?,
                }
            }
            store.keep_endpoint_state(courier.target, &courier.health.to_state())
        })?;
        recorded.context(
            "somebody else has been writing to the store for ten minutes, so what was sent to an endpoint could not \
             be recorded; the next `deliver` takes it for unknown",
        )
    }
}

/// Returns how many faults `reply` counts for; none when the receiver works. `is_of_record` says that it came from the
/// address of a record.
fn is_fault(reply: &Reply, is_of_record: bool) -> Option<u32> {
    match reply {
        Reply::Status(answer) => match answer.status {
            410 if is_of_record => None,
            // It takes nothing from us, or not now: what follows would fare the same.
            401 | 403 | 407 | 410 | 429 => Some(FAULTS_IN_A_ROW),
            500..=599 => Some(1),
            _ if !answer.is_whole => Some(1),
            _ => None,
        },
        Reply::Smtp { code, .. } => (*code >= 400 && *code < 500).then_some(1),
        Reply::NotSent(_) | Reply::Lost(_) => Some(1),
        Reply::Forbidden(_) => Some(FAULTS_IN_A_ROW),
    }
}

/// Returns a hash of where requests to `endpoint` go.
fn address_hash(endpoint: &Endpoint) -> String {
    let text = match &endpoint.wire {
        Wire::Http(http) => match &http.url {
            Address::Plain(url) => url.clone(),
            Address::Secret(source) => format!("{source:?}"),
        },
        Wire::Smtp(smtp) => format!("{}:{}", smtp.host, smtp.port),
    };
    hex(&Sha256::digest(text)[..8])
}
