//! What people look at: where leads left the chain, what was a duplicate, the page, `run.json`.
//!
//! This room turns figures into rows, tables and a page. It counts nothing itself, knows no store and
//! no clock, and prints nothing. Start at [`html::PageData`] for the page and [`dropoff::Funnel`] for
//! the figures behind it.

#![expect(
    clippy::missing_errors_doc,
    reason = "every `Err` of this room is the disk's or the page's"
)]

pub mod charts;
pub mod dropoff;
pub mod duplicates;
pub mod escape;
pub mod html;
pub mod run_json;
