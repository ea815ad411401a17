//! The nouns of leadmill: what a row, a submission, a lead, a consent, a decision and a task are.
//!
//! This floor owns plain values and their invariants. It must not know serde, files, SQL or a clock.
//! Start at [`submission::Submission`] (what came in) and [`lead::Lead`] (what comes out).

pub mod blank;
pub mod consent;
pub mod decision;
pub mod field;
pub mod ids;
pub mod language;
pub mod lead;
pub mod mailbox;
pub mod metric;
pub mod moment;
pub mod outcome;
pub mod row;
pub mod run;
pub mod spreadsheet;
pub mod subject;
pub mod submission;
pub mod task;
pub mod touch;
