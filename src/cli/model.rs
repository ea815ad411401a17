//! `leadmill model`

use anyhow::Result;
use clap::{Args, Subcommand};

use super::run::Worker;
use super::workspace::Global;
use super::{Outcome, terminal};
use crate::identity::likeness::PairModel;
use crate::pipeline::model::{accept, dry_accept, learn, pair_model};
use crate::store::absorb::Horizon;

/// Show the weights by which people are told alike, or learn new ones from the store.
///
/// They never change by themselves, so the same rows give the same leads. Weights are in bits: how much more often
/// an agreement is found between two rows of one person than of two.
#[derive(Debug, Args)]
pub struct Model {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show the weights that hold.
    Show,
    /// Learn weights from the store and show what is different, and how many leads would be.
    Refresh {
        /// Keep them from now on. It is a run of its own: `leadmill undo RUN` takes it back.
        #[arg(long)]
        accept: bool,
    },
}

impl Model {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        let rules = global.rules()?;
        let store = global.read_store()?;
        let current = pair_model(&store, Horizon::Now)?;
        let Some(What::Refresh { accept: is_accepted }) = &self.what else {
            print(&current, None)?;
            return Ok(0);
        };
        let learned = learn(&store, &rules)?;
        drop(store);
        print(&current, Some(&learned))?;
        let worker = Worker::new(global, &rules, None)?;
        let work = if *is_accepted { accept } else { dry_accept };
        let summary = worker.work(global, |job, events| work(job, &learned, events))?;
        let changed = terminal::count(summary.leads.new + summary.leads.updated, "lead", "leads");
        terminal::print_wrapped(
            &if *is_accepted {
                format!(
                    "run {}: kept; {changed} are different, {} in the store; `leadmill undo {}` takes it back",
                    summary.run, summary.leads.total, summary.run
                )
            } else {
                format!(
                    "{changed} would be different, {} in the store; `leadmill model refresh --accept` keeps them",
                    summary.leads.total
                )
            },
            2,
        )?;
        Ok(summary.exit_code)
    }
}

/// Prints the weights of `model`, and beside them those of `other`.
fn print(model: &PairModel, other: Option<&PairModel>) -> Result<()> {
    let named = |model: &PairModel| match model.version {
        0 => "leadmill's own".to_owned(),
        run => format!("run {run}"),
    };
    let mut header = vec!["field".to_owned(), "agreement".to_owned(), named(model)];
    header.extend(other.map(|_| "learned".to_owned()));
    let mut rows = vec![header];
    let bits = |model: &PairModel, at: usize, level: usize| {
        let (m, u) = &model.levels[at];
        format!("{:+.1}", (m[level] / u[level]).log2())
    };
    for (at, (field, kind)) in PairModel::columns().enumerate() {
        for (level, word) in kind.levels().iter().enumerate() {
            let field = if level == 0 { field } else { "" };
            let mut row = vec![field.to_owned(), (*word).to_owned(), bits(model, at, level)];
            row.extend(other.map(|other| bits(other, at, level)));
            rows.push(row);
        }
    }
    let mut strangers = vec!["two rows at random".to_owned(), String::new()];
    strangers.push(format!("{:+.1}", model.prior_bits));
    strangers.extend(other.map(|other| format!("{:+.1}", other.prior_bits)));
    rows.push(strangers);
    terminal::print(&terminal::table(&rows, &[2, 3]))?;
    terminal::print("")
}
