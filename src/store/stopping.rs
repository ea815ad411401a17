//! Stopping in the middle of whatever the store is asked, when a signal says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use rusqlite::{Connection, ErrorCode};

use super::Store;

/// Instructions of SQLite's machine between two looks at the signal: a fraction of a millisecond.
const INSTRUCTIONS: i32 = 10_000;

/// While it is there, a signal ends whatever the store is asked.
#[derive(Debug)]
pub struct Stopping<'s> {
    store: &'s Store,
}

impl Store {
    /// Ends whatever is asked of this store, and of views of it that are opened from here on, with a fault as soon as
    /// `stop` is set, until the guard is dropped. A transaction that was open is rolled back then, or is to be.
    pub fn stop_when(&self, stop: &Arc<AtomicBool>) -> Result<Stopping<'_>> {
        watch(&self.connection, stop)?;
        self.stop.replace(Some(Arc::clone(stop)));
        Ok(Stopping { store: self })
    }

    /// Lets what stops this store stop `view`, too.
    pub(super) fn stop_with_it(&self, view: &Store) -> Result<()> {
        self.stop.borrow().as_ref().map_or(Ok(()), |stop| watch(&view.connection, stop))
    }
}

impl Drop for Stopping<'_> {
    fn drop(&mut self) {
        self.store.stop.replace(None);
        // It can fail only for a connection that is not ours.
        let _ = self.store.connection.progress_handler(0, None::<fn() -> bool>);
    }
}

fn watch(connection: &Connection, stop: &Arc<AtomicBool>) -> Result<()> {
    let stop = Arc::clone(stop);
    Ok(connection.progress_handler(INSTRUCTIONS, Some(move || stop.load(Ordering::Relaxed)))?)
}

/// Returns whether `fault` comes of [`Store::stop_when`].
pub fn is_stopped(fault: &anyhow::Error) -> bool {
    fault.chain().any(|cause| {
        let of_sqlite = cause.downcast_ref::<rusqlite::Error>();
        of_sqlite.and_then(rusqlite::Error::sqlite_error_code)
            == Some(ErrorCode::OperationInterrupted)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: &str =
        "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n LIMIT 10000000)
                        SELECT sum(i) FROM n";

    #[test]
    fn a_signal_ends_what_the_store_and_its_views_are_asked_until_the_guard_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("leadmill.db")).unwrap();
        let ask = |store: &Store| -> Result<i64> {
            Ok(store.connection.query_row(LONG, [], |row| row.get(0))?)
        };
        let stop = Arc::new(AtomicBool::new(false));
        let guard = store.stop_when(&stop).unwrap();
        let view = store.view().unwrap();
        assert!(ask(&store).is_ok() && ask(&view).is_ok());
        stop.store(true, Ordering::Relaxed);
        for asked in [ask(&store), ask(&view)] {
            let fault = asked.unwrap_err();
            assert!(is_stopped(&fault.context("in the middle")));
        }
        drop(guard);
        assert_eq!(ask(&store).unwrap(), 50_000_005_000_000);
        assert!(!is_stopped(&anyhow::anyhow!("something else")));
    }
}
