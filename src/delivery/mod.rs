//! What others import: CRM files, task lists, quarantined rows, and how a run's folder appears.
//!
//! This room owns the bytes of those files and their publication. It is handed leads, tasks and rows
//! one at a time and decides nothing about them; it never looks into the store or the rules that made
//! them. Start at [`publication::Staging`], which every file of a run goes through, and
//! [`crm::CrmWriter`]; [`erasing`] takes somebody out of files that are out, [`shelf`] holds these against their
//! manifests.

pub mod audit;
pub mod calendar;
mod cell;
pub mod clusters;
pub mod crm;
mod encoding;
pub mod erasing;
pub mod form;
pub mod mail;
#[cfg_attr(not(feature = "parquet"), path = "no_parquet.rs")]
mod parquet;
pub mod publication;
pub mod published;
pub mod rejects;
pub mod results;
pub mod review;
mod rewrite;
pub mod salesforce_id;
pub mod shelf;
pub mod stem;
mod strict_csv;
pub mod tasks;
pub mod traces;
mod workbook;

pub use self::cell::score_reasons;
pub use crate::model::spreadsheet::{guard, unguard};

/// Returns the disk's or the pipe's fault inside a CSV writer's, so that callers can tell which it is.
fn fault_of(fault: csv::Error) -> std::io::Error {
    match fault.into_kind() {
        csv::ErrorKind::Io(fault) => fault,
        other => std::io::Error::other(format!("{other:?}")),
    }
}
