//! Deciding anew: every run that stands decides once more, as it did, about what is at stake.
//!
//! Derived state is a fold over the runs: each sees what had been received by then, its own instant and
//! its own rules. Undo folds without the run that is taken back, rebuild folds over everything; both use
//! the code with which runs decide, so there is no second way to a lead.

use std::collections::HashMap;

use anyhow::{Context as _, Result};

use super::absorb::{Fresh, absorb};
use super::elapsed::look_again;
use super::evaluate::{Deciding, evaluate};
use super::event::{Event, Events};
use super::rescore::rescore_again;
use super::touched::{Reach, identities_of};
use super::{Impossible, Job};
use crate::model::ids::{RunNo, SubmissionNo};
use crate::model::moment::utc_from_ms;
use crate::rules::RuleSet;
use crate::store::Store;
use crate::store::absorb::Horizon;
use crate::store::runs::{RunKind, RunRecord, RunState};

/// Returns the runs that brought something and stand, the earliest first.
///
/// # Errors
/// [`Impossible`] when the rules of one of them were not kept: it cannot decide as it did.
pub fn standing_runs(store: &Store) -> Result<Vec<RunRecord>> {
    let mut runs = store.all_runs()?;
    runs.retain(|run| {
        run.kind.brings_something() && run.undone_by.is_none() && run.state != RunState::Ingesting
    });
    for run in &runs {
        if !store.has_rules(&run.rules_hash)? {
            return Err(Impossible(format!(
                "run {} was made by an older leadmill, which did not keep the rules it decided by\n\
                 hint: a new store, fed with the exports again, can be undone and rebuilt",
                run.id
            ))
            .into());
        }
    }
    Ok(runs)
}

/// Puts at stake whatever shares a key with `seeds`, directly or through others.
///
/// Keys count here even where the guard would not let them join: whether it lets them is what must be
/// decided anew. Verdicts are followed, too: joining joins through keys and through what people said. So are
/// touches: whose they are hangs on everybody whom their identities lead to.
pub fn put_at_stake(store: &Store, rules: &RuleSet, seeds: Vec<SubmissionNo>) -> Result<()> {
    let mut waiting = Vec::new();
    for seed in seeds {
        if store.put_at_stake(seed)? {
            waiting.push(seed);
        }
    }
    spread(store, rules, waiting)
}

/// Puts at stake whatever shares a key with the submissions in `waiting`, which are at stake already.
pub fn spread(store: &Store, rules: &RuleSet, mut waiting: Vec<SubmissionNo>) -> Result<()> {
    let verdicts = store.verdicts(Horizon::Now)?;
    let mut reach = Reach::new(store, RunNo(i64::MAX));
    while let Some(submission) = waiting.pop() {
        for identity in identities_of(store, rules, submission)? {
            reach.follow(identity, |other| {
                if store.put_at_stake(other)? {
                    waiting.push(other);
                }
                Ok(())
            })?;
        }
        for other in verdicts.iter().filter_map(|verdict| verdict.other_than(submission)) {
            if store.put_at_stake(other)? {
                waiting.push(other);
            }
        }
        let keys = store.keys_of(submission)?.into_iter();
        for (key, _) in keys.filter(|(_, kind)| !kind.only_joins_touches()) {
            let group = store.key_group(key, Horizon::Now)?;
            for holder in group.into_iter().flat_map(|group| group.holders) {
                if store.put_at_stake(holder.submission)? {
                    waiting.push(holder.submission);
                }
            }
        }
    }
    Ok(())
}

/// Lets `runs` decide anew about what is at stake; inside the caller's transaction.
pub fn decide_again(
    job: &Job<'_>,
    store: &Store,
    runs: &[RunRecord],
    events: Events<'_>,
) -> Result<()> {
    events(Event::Phase { name: "deciding anew", total: runs.len() as u64 });
    put_touches_at_stake(store, job.rules)?;
    let mut known_rules: HashMap<&str, RuleSet> = HashMap::new();
    for (done, run) in runs.iter().enumerate() {
        super::interrupted::stop_if_interrupted(job)?;
        let hash = run.rules_hash.as_str();
        if hash != job.rules.hash && !known_rules.contains_key(hash) {
            known_rules.insert(hash, rules_of(store, run)?);
        }
        decide_once_more(store, known_rules.get(hash).unwrap_or(job.rules), run, events)?;
        events(Event::Progress { done: done as u64 + 1 });
    }
    Ok(())
}

/// Lists the touches that may be those of the submissions at stake, by the run that received them.
fn put_touches_at_stake(store: &Store, rules: &RuleSet) -> Result<()> {
    let mut reach = Reach::new(store, RunNo(i64::MAX));
    if store.has_touches()? {
        for submission in store.submissions_at_stake()? {
            for identity in identities_of(store, rules, submission)? {
                reach.follow(identity, |_| Ok(()))?;
            }
        }
    }
    store.put_touches_at_stake(reach.into_keys().into_iter())
}

/// Returns the submissions that the touches of `run` lead to.
pub fn touched_by(store: &Store, run: RunNo) -> Result<Vec<SubmissionNo>> {
    let mut reach = Reach::new(store, RunNo(i64::MAX));
    let mut touched = Vec::new();
    store.each_identity_received(run, false, |identity| {
        reach.follow(identity, |submission| {
            touched.push(submission);
            Ok(())
        })
    })?;
    Ok(touched)
}

fn decide_once_more(
    store: &Store,
    rules: &RuleSet,
    run: &RunRecord,
    events: Events<'_>,
) -> Result<()> {
    if run.kind == RunKind::Rescore {
        return rescore_again(store, rules, run);
    }
    let received = store.received_by(run.no)?;
    store.set_fresh_keys(run.no)?;
    let fresh = Fresh::of_earlier_run(received);
    let seeds = match run.kind {
        RunKind::Model => store.near_holders_at_stake(run.no)?,
        _ => store.judged_at_stake(run.no)?,
    };
    let mut absorbed = absorb(store, rules, run.no.0, &fresh, &seeds, Horizon::Run(run.no))?;
    store.put_leads_at_stake(absorbed.leads.iter().map(|plan| plan.no))?;
    let deciding = Deciding {
        store,
        rules,
        run: run.no,
        as_of: utc_from_ms(run.as_of_ms),
        fresh: &fresh,
        is_replay: true,
        looks_by_time: run.looks_by_time,
    };
    evaluate(deciding, &mut absorbed, events)?;
    if run.kind.looks_at_the_clock() && run.looks_by_time {
        look_again(deciding, events)?;
    }
    store.hand_out_again(run.no)?;
    Ok(())
}

/// Returns the rules by which `run` decided, as they were kept.
pub fn rules_of(store: &Store, run: &RunRecord) -> Result<RuleSet> {
    let (mut rules, _) = RuleSet::parse(&store.kept_rules(&run.rules_hash)?)
        .map_err(|found| anyhow::anyhow!("{found}"))
        .with_context(|| format!("this leadmill does not read the rules of run {}", run.id))?;
    // What does not decide was not kept, so the texts at hand have another hash.
    rules.hash.clone_from(&run.rules_hash);
    Ok(rules)
}
