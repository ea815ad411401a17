//! Erasing people: from the store, from the files that are out, for good.
//!
//! The erasure is a run in the books. What shares a key with the person is decided anew without them, as an undo
//! does; turns that they took stay taken. Their marks stay as keyed hashes, so that no file brings them back. All of
//! it is one transaction; what has to be done outside the store (the log beside the key, the files of earlier runs)
//! is done while publishing, and done again should it be cut short.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde_json::json;

use super::amend::{all_have_a_place, asked_digest, close, open_existing};
use super::books::Books;
use super::event::{Event, Events};
use super::recognition::Mark;
use super::replay::{decide_again, put_at_stake, standing_runs};
use super::subject::Subject;
use super::{Impossible, Job, Scratch, opening, publish, recover, scrub};
use crate::consent::suppression::{Keyed, Pepper};
use crate::delivery::erasing;
use crate::delivery::traces::Traces;
use crate::model::ids::{LeadNo, SubmissionNo, hex};
use crate::normalization::ip;
use crate::report::run_json::{CarrierSummary, ErasureSummary, PlaceSummary, RunSummary};
use crate::rules::workspace::IpRule;
use crate::store::Store;
use crate::store::erase::{Belongings, ErasureRecord};
use crate::store::key;
use crate::store::runs::{RunKind, RunRecord};

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// What was typed: given again after a kill, it is that run.
    pub text: &'a str,
    /// Why, as it is kept; it should name nobody.
    pub because: &'a str,
}

/// What an erasure takes out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chosen {
    /// People.
    pub leads: Vec<LeadNo>,
    /// Rows of people who stay, or go with them.
    pub submissions: Vec<SubmissionNo>,
    /// What was done by somebody, by number.
    pub touches: Vec<i64>,
    /// Rows that were not accepted.
    pub quarantined: Vec<i64>,
    /// Rows that were withheld.
    pub held: Vec<i64>,
    /// Rows that stay, without their words as received.
    pub without_raw: Vec<SubmissionNo>,
    /// Rows that stay, without IP addresses.
    pub without_ip: Vec<SubmissionNo>,
    /// Marks that somebody is known by already, each with when they were erased.
    pub marks: Vec<(Keyed, i64)>,
}

/// Erases the leads that `whom` finds, and publishes what that changed.
///
/// # Errors
/// Those of `whom`; [`key::KeyFault`] when the key of earlier erasures is missing. Nothing is written then. Whatever
/// the error, doing it again is safe.
pub fn forget(
    job: &Job<'_>,
    asked: Asked<'_>,
    whom: impl FnOnce(&Store) -> Result<Vec<LeadNo>>,
    events: Events<'_>,
) -> Result<RunSummary> {
    let chosen = |store: &Store| Ok(Chosen { leads: whom(store)?, ..Chosen::default() });
    let summary = forget_chosen(job, asked, chosen, events)?;
    summary.context("nobody was named who could be erased")
}

/// Takes out what `choose` finds, and publishes what that changed; `None` when there is nothing.
///
/// # Errors
/// As [`forget`].
pub fn forget_chosen(
    job: &Job<'_>,
    asked: Asked<'_>,
    choose: impl FnOnce(&Store) -> Result<Chosen>,
    events: Events<'_>,
) -> Result<Option<RunSummary>> {
    let store = open_existing(job)?;
    let digest = asked_digest(&format!("forget {}", asked.text));
    if let Some(summary) = recover(job, &store, &digest, events)? {
        return Ok(Some(summary));
    }
    let chosen = choose(&store)?;
    if chosen == Chosen::default() {
        return Ok(None);
    }
    store.keep_temporary_in_memory()?;
    store.begin()?;
    let (record, books, samples) = match erase(job, &store, asked, &chosen, &digest, events) {
        Ok(erased) => erased,
        Err(fault) => {
            let _ = store.rollback();
            return Err(fault);
        }
    };
    store.commit()?;
    let summary = publish::publish(job, &store, &record, &books, events)?;
    events(Event::Phase { name: "looking for what deleting left behind", total: 0 });
    scrub::scrub(&store, &samples)?;
    Ok(Some(summary))
}

/// Says what [`forget`] would do, on a copy of the store that is thrown away.
pub fn dry_forget(
    job: &Job<'_>,
    asked: Asked<'_>,
    whom: impl FnOnce(&Store) -> Result<Vec<LeadNo>>,
    events: Events<'_>,
) -> Result<RunSummary> {
    let store = open_existing(job)?;
    let carriers_in = job.out;
    let scratch = Scratch::create()?;
    let copy = scratch.0.join("leadmill.db");
    store.copy_to(&copy)?;
    drop(store);
    let key = key::key_path(&copy);
    if job.key.exists() {
        std::fs::copy(job.key, &key)?;
    }
    let out = scratch.0.join("out");
    let dry = Job { store: &copy, key: &key, out: &out, ..*job };
    let (mut whom_seen, mut traces) = (Vec::new(), Traces::default());
    let mut summary = forget(
        &dry,
        asked,
        |store| {
            whom_seen = whom(store)?;
            traces = Subject::gather(store, job.rules, &whom_seen)?.traces;
            Ok(whom_seen.clone())
        },
        events,
    )?;
    if let Some(erasure) = &mut summary.erasure {
        erasure.told = carriers(&erasing::find(carriers_in, &traces)?);
    }
    summary.dry_run = true;
    Ok(summary)
}

fn erase(
    job: &Job<'_>,
    store: &Store,
    asked: Asked<'_>,
    chosen: &Chosen,
    digest: &str,
    events: Events<'_>,
) -> Result<(RunRecord, Books, Vec<String>)> {
    // Before anything is touched: every run that stands must be able to decide again.
    let standing = standing_runs(store)?;
    let pepper = pepper(job, store)?;
    let record = store.begin_run(opening(job, RunKind::Erasure, None, digest))?;
    store.keep_rules(job.rules)?;

    events(Event::Phase { name: "finding everything of theirs", total: 0 });
    let mut subject = Subject::gather(store, job.rules, &chosen.leads)?;
    subject.add_rows(
        store,
        &Belongings {
            leads: Vec::new(),
            submissions: chosen.submissions.clone(),
            touches: chosen.touches.clone(),
            quarantined: chosen.quarantined.clone(),
            held: chosen.held.clone(),
        },
    )?;
    if subject.traces.finder()?.finds_in(asked.because) {
        return Err(Impossible(
            "the reason names the person, and it is kept\nhint: say why without saying who, such as `asked on 3 May`"
                .to_owned(),
        )
        .into());
    }
    let places = store.places_of_erased()?;
    let mut samples = store.samples_of_erased()?;
    for one in chosen.without_raw.iter().chain(&chosen.without_ip) {
        samples.push(store.row_as_received("s", one.0)?.raw);
    }
    let told = carriers(&erasing::find(job.out, &subject.traces)?);
    store.prepare_replay()?;
    let mut seeds = subject.seeds(store)?;
    seeds.extend(&chosen.without_ip);
    put_at_stake(store, job.rules, seeds)?;
    store.remember_derived()?;
    store.keep_turns_of_erased()?;
    store.take_derived_apart()?;
    let consents = store.erase_consents(&subject.belongings, record.no, record.as_of_ms)?;
    let rows = store.take_erased_out(record.no)?;
    store.strip_raw(&chosen.without_raw)?;
    store.strip_ip(&chosen.without_ip, |raw| ip::kept_in_row(raw, IpRule::None))?;

    decide_again(job, store, &standing, events)?;
    store.write_corrections(record.no)?;
    store.withdraw_erased(record.no)?;
    all_have_a_place(store, |broken| {
        format!("the erasure left {broken} leads or submissions without a place")
    })?;
    let erasure = ErasureRecord {
        run: record.no,
        key_id: pepper.id(),
        because: asked.because.to_owned(),
        traces: Some(serde_json::to_string(&subject.traces)?),
    };
    let known: BTreeMap<Keyed, i64> = chosen.marks.iter().copied().collect();
    let mut new = keyed(&pepper, &subject);
    new.retain(|mark| !known.contains_key(mark));
    store.keep_erasure(&erasure, &new, record.as_of_ms)?;
    for (mark, since_ms) in &chosen.marks {
        store.suppress(record.no, &[*mark], *since_ms)?;
    }
    let books = Books::of_erasure(ErasureSummary {
        leads: subject.traces.ids.clone(),
        because: asked.because.to_owned(),
        rows,
        consents,
        inputs: by_input(places),
        told,
        copies: Vec::new(),
        shared: subject.shared.len() as u64,
        stripped: (chosen.without_raw.len() + chosen.without_ip.len()) as u64,
    });
    let books = close(store, &record, books)?;
    Ok((record, books, samples))
}

fn keyed(pepper: &Pepper, subject: &Subject) -> Vec<Keyed> {
    let mut keyed: Vec<Keyed> = subject.marks.iter().map(|mark| mark.keyed(pepper)).collect();
    keyed.sort_unstable();
    keyed
}

/// Returns the key of the erased; the first erasure makes it.
fn pepper(job: &Job<'_>, store: &Store) -> Result<Pepper> {
    // What cannot be read is no proof that nobody was erased: under another key those who were would come back.
    let has_erased = !store.suppressions()?.is_empty();
    match store.erasure_key()?.filter(|_| has_erased) {
        Some(id) => key::read_known(job.key, &id),
        None => match key::read(job.key)? {
            Some(pepper) => Ok(pepper),
            None => key::make(job.key),
        },
    }
}

fn carriers(found: &[erasing::Carrier]) -> Vec<CarrierSummary> {
    let summary = |one: &erasing::Carrier| CarrierSummary {
        run: one.run.clone(),
        file: one.file.clone(),
        rows: one.parts,
    };
    found.iter().map(summary).collect()
}

fn by_input(places: Vec<(String, u32)>) -> Vec<PlaceSummary> {
    let mut found: Vec<PlaceSummary> = Vec::new();
    for (input, line) in places {
        match found.last_mut().filter(|last| last.input == input) {
            Some(last) => last.lines.push(line),
            None => found.push(PlaceSummary { input, lines: vec![line] }),
        }
    }
    found
}

/// Does what an erasure has to do outside the store: says it in the log beside the key, and takes the person out of
/// the files that are out.
pub(super) fn finish_outside(job: &Job<'_>, store: &Store, record: &RunRecord) -> Result<()> {
    let Some(erasure) = store.erasure_of(record.no)? else { return Ok(()) };
    // What a restored store forgets once more was erased when it was, not now.
    let mut by_instant: BTreeMap<i64, Vec<String>> = BTreeMap::new();
    for (Keyed(hash), since_ms) in store.suppressed_by(record.no)? {
        by_instant.entry(since_ms).or_default().push(hex(&hash));
    }
    for (since_ms, marks) in by_instant {
        let line = json!({
            "erased": record.id,
            "as_of_ms": since_ms,
            "key": erasure.key_id,
            "because": erasure.because,
            "marks": marks,
        });
        key::log(&key::log_path(job.key), &line.to_string())?;
    }
    if let Some(traces) = erasure.traces {
        let traces: Traces = serde_json::from_str(&traces)?;
        erasing::erase(job.out, &traces, &record.id)?;
        store.forget_traces(record.no)?;
    }
    Ok(())
}

/// Lets whoever is known by any of `marks` be taken in again; returns the runs that had erased them.
///
/// # Errors
/// [`key::KeyFault`] when the key of the marks is missing; nothing is written then.
pub fn allow(
    job: &Job<'_>,
    marks: &[Mark],
    because: &str,
    events: Events<'_>,
) -> Result<Vec<String>> {
    let store = open_existing(job)?;
    recover(job, &store, "", events)?;
    let Some(id) = store.erasure_key()? else { return Ok(Vec::new()) };
    let pepper = key::read_known(job.key, &id)?;
    let mut keyed: Vec<Keyed> = marks.iter().map(|mark| mark.keyed(&pepper)).collect();
    // A person is known by many marks: whoever may come back may under all that the erasure gave them.
    for one in keyed.clone() {
        if let Some((run, _)) = store.erased_by(one)?
            && let Some(record) = store.run_by_id(&run)?
        {
            keyed.extend(store.suppressed_by(record.no)?.into_iter().map(|(mark, _)| mark));
        }
    }
    keep_allowance(job, &store, &id, &keyed, because)
}

/// Lets everybody who was ever erased be taken in again: for a key that is lost.
pub fn allow_all(job: &Job<'_>, because: &str, events: Events<'_>) -> Result<Vec<String>> {
    let store = open_existing(job)?;
    recover(job, &store, "", events)?;
    let Some(id) = store.erasure_key()? else { return Ok(Vec::new()) };
    keep_allowance(job, &store, &id, &store.all_suppressed()?, because)
}

fn keep_allowance(
    job: &Job<'_>,
    store: &Store,
    key_id: &str,
    keyed: &[Keyed],
    because: &str,
) -> Result<Vec<String>> {
    let at_ms = job.as_of.timestamp_millis();
    store.begin()?;
    let runs = store.allow(keyed, at_ms, because)?;
    // The log comes first: were it to miss an allowance that the store has, a restore would erase people who may come
    // back. One that the store does not have is made again by whoever asks again.
    if !runs.is_empty() {
        let marks: Vec<String> = keyed.iter().map(|Keyed(hash)| hex(hash)).collect();
        let line = json!({"allowed_ms": at_ms, "key": key_id, "because": because, "marks": marks});
        key::log(&key::log_path(job.key), &line.to_string())?;
    }
    store.commit()?;
    if !runs.is_empty() {
        store.checkpoint()?;
    }
    Ok(runs)
}
