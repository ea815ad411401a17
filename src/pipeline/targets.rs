//! What a target said of the rows that it was given, kept.

use anyhow::Result;

use super::story;
use crate::delivery::results::{self, RowResult};
use crate::rules::RuleSet;
use crate::rules::target::Target;
use crate::store::Store;
use crate::store::deliveries::{REFUSED, Refused};

/// What a target's result file came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResultFigures {
    /// Rows whose record the target named.
    pub taken: u64,
    /// Rows that it refused: each is a dead letter now.
    pub refused: u64,
    /// Dead letters that are resolved by it, dropped ones among them.
    pub resolved: u64,
    /// Rows of which nobody knows what they are, by line.
    pub unknown: Vec<u64>,
}

/// Keeps what `target` said of its rows in a file of these `bytes`; all of it or nothing.
///
/// # Errors
/// [`results::NoResults`] inside the error when the file says nothing about rows of the target.
pub fn keep_results(
    store: &Store,
    rules: &RuleSet,
    target: &Target,
    bytes: &[u8],
    at_ms: i64,
) -> Result<ResultFigures> {
    let rows = results::read(target, bytes)?;
    store.begin()?;
    match keep(store, rules, target, &rows, at_ms) {
        Ok(figures) => {
            store.commit()?;
            Ok(figures)
        }
        Err(fault) => {
            let _ = store.rollback();
            Err(fault)
        }
    }
}

fn keep(
    store: &Store,
    rules: &RuleSet,
    target: &Target,
    rows: &[RowResult],
    at_ms: i64,
) -> Result<ResultFigures> {
    let no = store.target_no(&target.id)?;
    let mut figures = ResultFigures::default();
    for row in rows {
        // Of what the target was never given nothing is kept.
        let item = match item_of(store, rules, row)? {
            Some(item) if store.was_delivered(no, &item)? => item,
            _ => {
                figures.unknown.push(row.line);
                continue;
            }
        };
        if let Some(record_id) = &row.record_id {
            store.keep_record_id(no, &item, record_id, at_ms)?;
        }
        match &row.error {
            Some(reason) => {
                figures.refused += 1;
                let refused = Refused { code: REFUSED, column: "", reason, run: None, at_ms };
                store.keep_dead_letter(no, &item, refused)?;
                store.reopen_dead_letter(no, &item)?;
                store.mark_not_taken(no, &item)?;
            }
            None => {
                figures.taken += 1;
                let because = "the target took it";
                figures.resolved +=
                    u64::from(store.resolve_dead_letter(no, &item, at_ms, because)?);
            }
        }
    }
    Ok(figures)
}

/// Returns what a row is: by our id, else by the address where one lead alone has it.
fn item_of(store: &Store, rules: &RuleSet, row: &RowResult) -> Result<Option<String>> {
    if !row.item.is_empty() {
        return Ok(Some(row.item.clone()));
    }
    if row.email.is_empty() {
        return Ok(None);
    }
    match story::find(store, &row.email, None)?[..] {
        [lead] => Ok(Some(story::lead(store, rules, lead)?.id.to_string())),
        _ => Ok(None),
    }
}
