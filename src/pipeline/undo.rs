//! Taking a run back: its rows go, and what they touched is decided anew without them.
//!
//! The undo is a run in the books; the leads that it changed are in its CRM files,
//! those that are gone in `withdrawn.csv`.

use anyhow::Result;

use super::amend::{all_have_a_place, amend, close, open_existing};
use super::books::Books;
use super::consents::Telling;
use super::event::{Event, Events};
use super::replay::{decide_again, put_at_stake, spread, standing_runs, touched_by};
use super::{Impossible, Job, on_a_copy, opening, withdrawal};
use crate::identity::keys::Keyring;
use crate::model::ids::{RunNo, SubmissionNo};
use crate::model::run::InputStatus;
use crate::report::run_json::{RunSummary, UndoSummary};
use crate::rules::field::FieldCatalog;
use crate::store::Store;
use crate::store::codec::decode_values;
use crate::store::leads::claims;
use crate::store::runs::{RunKind, RunRecord};

/// Runs that a message about an unknown one lists.
const RUNS_LISTED: usize = 5;

/// Files that a hint names.
const FILES_LISTED: usize = 5;

/// Takes the run called `id` back and publishes what that changed.
///
/// # Errors
/// [`Impossible`] when there is no such run, it is itself an undo, or it was taken back before; nothing is
/// written then. Whatever the error, doing it again is safe.
pub fn undo(job: &Job<'_>, id: &str, events: Events<'_>) -> Result<RunSummary> {
    amend(job, &format!("undo {id}"), events, |store, digest, events| {
        let target = find(store, id)?;
        take_back(job, store, &target, digest, events)
    })
}

/// Says what [`undo`] would do, on a copy of the store that is thrown away.
pub fn dry_undo(job: &Job<'_>, id: &str, events: Events<'_>) -> Result<RunSummary> {
    on_a_copy(job, Some(open_existing(job)?), |job| undo(job, id, events))
}

/// Returns the run called `id` if it can be taken back.
fn find(store: &Store, id: &str) -> Result<RunRecord> {
    let Some(run) = store.run_by_id(id)? else {
        let latest: Vec<String> = store
            .all_runs()?
            .into_iter()
            .filter(|run| run.kind.brings_something() && run.undone_by.is_none())
            .map(|run| run.id)
            .rev()
            .take(RUNS_LISTED)
            .collect();
        let hint = if latest.is_empty() {
            "there is no run that could be undone".to_owned()
        } else {
            format!("the latest runs are {}", latest.join(", "))
        };
        return Err(Impossible(format!("there is no run `{id}`\nhint: {hint}")).into());
    };
    let named = |run: Option<RunNo>| -> Result<Option<RunRecord>> {
        run.map_or(Ok(None), |run| store.run_by_no(run))
    };
    if let Some(by) = named(run.undone_by)? {
        return Err(Impossible(format!(
            "run {id} was undone by run {} already\nhint: nothing is left to be done; to have it back, {}",
            by.id,
            how_again(&run)?
        ))
        .into());
    }
    let is_withdrawal = run.kind == RunKind::Tick
        && imported(&super::books_of(&run)?).iter().any(|name| name == withdrawal::INPUT);
    if is_withdrawal {
        return Err(Impossible(format!(
            "run {id} put on record that somebody takes their consent back, and that is not undone\n\
             hint: only a newer consent that can be proven lifts it; import the form that has it"
        ))
        .into());
    }
    match run.kind {
        RunKind::Import
        | RunKind::Verdict
        | RunKind::Model
        | RunKind::Rescore
        | RunKind::Tick => Ok(run),
        RunKind::Undo => {
            let undone = named(run.undoes)?;
            let (what, how) = match &undone {
                Some(undone) => (undone.id.as_str(), how_again(undone)?),
                None => ("another run", "run its files again".to_owned()),
            };
            Err(Impossible(format!(
                "run {id} is itself an undo, of {what}\nhint: to have {what} back, {how}"
            ))
            .into())
        }
        RunKind::Erasure => Err(Impossible(format!(
            "run {id} erased somebody: nothing is left that could be taken back\nhint: `leadmill subject allow` lets \
             them be taken in again"
        ))
        .into()),
        RunKind::Rebuild => Err(Impossible(format!(
            "run {id} is a rebuild: it received nothing that could be taken back\nhint: name the run \
             that received the rows"
        ))
        .into()),
    }
}

/// Returns how what `run` brought is had again, as the end of a hint.
fn how_again(run: &RunRecord) -> Result<String> {
    Ok(match run.kind {
        RunKind::Verdict => "say it again: `leadmill merge`, `split` or `review`".to_owned(),
        RunKind::Model => "learn again: `leadmill model refresh --accept`".to_owned(),
        RunKind::Rescore => "decide again: `leadmill rescore`".to_owned(),
        RunKind::Tick => "say it again: `leadmill tasks done` or `snooze`".to_owned(),
        _ => format!("run its files again{}", files_of(run)?),
    })
}

/// Returns the inputs of `run` as the end of a hint: `: leadmill run a.csv b.csv`.
fn files_of(run: &RunRecord) -> Result<String> {
    let names = imported(&super::books_of(run)?);
    if names.is_empty() {
        return Ok(String::new());
    }
    if names.len() > FILES_LISTED {
        let listed = names[..FILES_LISTED].join(", ");
        return Ok(format!(": {listed} and {} more", names.len() - FILES_LISTED));
    }
    let quoted = names.iter().map(|name| {
        if name.contains([' ', '\'', '(', '&']) { format!("\"{name}\"") } else { name.clone() }
    });
    Ok(format!(": leadmill run {}", quoted.collect::<Vec<_>>().join(" ")))
}

fn imported(books: &Books) -> Vec<String> {
    let inputs = books.inputs().into_iter();
    inputs.filter(|one| one.status == InputStatus::Imported).map(|one| one.name).collect()
}

fn take_back(
    job: &Job<'_>,
    store: &Store,
    target: &RunRecord,
    digest: &str,
    events: Events<'_>,
) -> Result<(RunRecord, Books)> {
    // Before anything is touched: every run that stands must be able to decide again.
    let mut standing = standing_runs(store)?;
    standing.retain(|run| run.no != target.no);
    let record = store.begin_run(opening(job, RunKind::Undo, Some(target.no), digest))?;
    store.keep_rules(job.rules)?;
    store.mark_undone(target.no, record.no)?;

    events(Event::Phase { name: "finding what the run touched", total: 0 });
    store.prepare_replay()?;
    let mut seeds = store.at_stake_of(target.no)?;
    seeds.extend(touched_by(store, target.no)?);
    put_at_stake(store, job.rules, seeds)?;
    let keyring = Keyring::new(&job.rules.tables);
    let kept = store.hand_over_repeats(target.no, &job.rules.fields, &keyring)?;
    // What says something else now may share a key with others than before.
    spread(store, job.rules, kept.changed.clone())?;
    store.remember_derived()?;
    store.give_turns_back(target.no)?;
    store.forget_handing_out(target.no)?;
    store.take_alerts_back(target.no)?;
    store.take_derived_apart()?;
    let mut taken_back = store.take_rows_back(target.no, record.no, record.as_of_ms)?;
    taken_back.kept = kept.rows;
    let mut said_otherwise = kept.changed;
    said_otherwise.extend(dated_by_receipt(store, &job.rules.fields, kept.received_later)?);
    taken_back.consents += correct_ledger(store, &job.rules.fields, &record, &said_otherwise)?;

    decide_again(job, store, &standing, events)?;
    store.write_corrections(record.no)?;
    all_have_a_place(store, |broken| {
        format!("undoing run {} left {broken} leads or submissions without a place", target.id)
    })?;
    let books = Books::of_undo(UndoSummary {
        run: target.id.clone(),
        inputs: imported(&super::books_of(target)?),
        offered_again: offered_again(store, target)?,
        rows: taken_back,
    });
    let books = close(store, &record, books)?;
    Ok((record, books))
}

/// Returns those of `submissions` whose answers count as given when they were received.
fn dated_by_receipt(
    store: &Store,
    catalog: &FieldCatalog,
    submissions: Vec<SubmissionNo>,
) -> Result<Vec<SubmissionNo>> {
    let mut kept = Vec::new();
    for submission in submissions {
        let row = store.member_row(submission)?;
        let claims = claims(row.consents.as_deref())?;
        let values = decode_values(&row.fields, catalog)?;
        if Telling::of_row(&row, &claims, &values).is_dated_by_receipt(&row) {
            kept.push(submission);
        }
    }
    Ok(kept)
}

/// Puts into the ledger what the `changed` submissions say now, instead of what they said; returns how many
/// records no longer count.
fn correct_ledger(
    store: &Store,
    catalog: &FieldCatalog,
    record: &RunRecord,
    changed: &[SubmissionNo],
) -> Result<u64> {
    let mut superseded = 0;
    for submission in changed {
        superseded += store.supersede_consents_of(*submission, record.no, record.as_of_ms)?;
    }
    let mut ledger = store.ledger(record.no)?;
    for submission in changed {
        let row = store.member_row(*submission)?;
        let claims = claims(row.consents.as_deref())?;
        let values = decode_values(&row.fields, catalog)?;
        Telling::of_row(&row, &claims, &values).append_to(&mut ledger, record.as_of_ms)?;
    }
    Ok(superseded)
}

/// Returns the inputs that later runs passed over because `target` had imported them: nobody has them now.
fn offered_again(store: &Store, target: &RunRecord) -> Result<Vec<String>> {
    let known = InputStatus::Known(target.id.clone());
    let mut names = Vec::new();
    for run in store.all_runs()? {
        if run.no <= target.no || run.kind != RunKind::Import || run.undone_by.is_some() {
            continue;
        }
        let inputs = super::books_of(&run)?.inputs().into_iter();
        names.extend(inputs.filter(|one| one.status == known).map(|one| one.name));
    }
    names.sort();
    names.dedup();
    Ok(names)
}
