//! How far a long run is, said every few seconds where there is no terminal.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::cli::terminal;

/// Between two lines.
const EVERY: Duration = Duration::from_secs(5);

/// Says how far it is until it is dropped.
pub(super) struct Log {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    at: Mutex<At>,
    ends: Condvar,
}

/// What is being done.
#[derive(Debug, Clone, Default)]
struct At {
    what: String,
    since: Option<Instant>,
    /// Bytes of an input, steps of a phase.
    done: u64,
    /// Of as many; 0 when nobody knows.
    total: u64,
    /// Rows of an input so far.
    rows: Option<u64>,
    has_ended: bool,
}

impl Log {
    /// Begins, with nothing to say yet.
    pub(super) fn begin() -> Self {
        Self::telling(EVERY, terminal::say)
    }

    fn telling(every: Duration, say: impl Fn(&str) + Send + 'static) -> Self {
        let shared = Arc::<Shared>::default();
        let told = Arc::clone(&shared);
        // Where no thread can be had, nothing is said.
        let thread = thread::Builder::new().spawn(move || told.tell(every, say)).ok();
        Self { shared, thread }
    }

    /// The input `name` of so many `bytes` is being read.
    pub(super) fn reading(&self, name: &str, bytes: u64) {
        self.shared.begin(name, bytes, Some(0));
    }

    /// So many of its rows and bytes are read.
    pub(super) fn read(&self, rows: u64, bytes: u64) {
        let mut at = self.shared.at();
        (at.rows, at.done) = (Some(rows), bytes);
    }

    /// A phase begins that takes `total` steps; 0 when nobody knows.
    pub(super) fn phase(&self, name: &str, total: u64) {
        self.shared.begin(name, total, None);
    }

    /// So many of its steps are done.
    pub(super) fn done(&self, done: u64) {
        self.shared.at().done = done;
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.shared.at().has_ended = true;
        self.shared.ends.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn at(&self) -> MutexGuard<'_, At> {
        self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, what: &str, total: u64, rows: Option<u64>) {
        let mut at = self.at();
        let has_ended = at.has_ended;
        *at = At {
            what: what.to_owned(),
            since: Some(Instant::now()),
            done: 0,
            total,
            rows,
            has_ended,
        };
    }

    fn tell(&self, every: Duration, say: impl Fn(&str)) {
        let mut at = self.at();
        loop {
            let waited = self.ends.wait_timeout_while(at, every, |at| !at.has_ended);
            at = waited.unwrap_or_else(PoisonError::into_inner).0;
            if at.has_ended {
                return;
            }
            if let Some(since) = at.since {
                say(&line(&at, since.elapsed()));
            }
        }
    }
}

/// Returns how far `at` is after `lasted`.
fn line(at: &At, lasted: Duration) -> String {
    let At { what, done, total, rows, .. } = at;
    let left = if *done == 0 || done >= total {
        String::new()
    } else {
        let left = lasted.mul_f64((total - done) as f64 / *done as f64);
        format!(", {} left", span(left))
    };
    match rows {
        Some(rows) => {
            let percent = (done * 100).checked_div(*total).unwrap_or_default();
            format!("{what}: {rows} rows, {percent} %, {} rows/s{left}", per_second(*rows, lasted))
        }
        None if *total == 0 => format!("{what}, {} so far", span(lasted)),
        None => format!("{what}: {done} of {total}{left}"),
    }
}

/// Returns how many of `count` came in each second.
pub(super) fn per_second(count: u64, lasted: Duration) -> u64 {
    (count as f64 / lasted.as_secs_f64().max(0.001)) as u64
}

/// Returns `lasted` in the unit that somebody who waits thinks in.
fn span(lasted: Duration) -> String {
    let seconds = lasted.as_secs_f64().ceil() as u64;
    if seconds < 120 { format!("{seconds} s") } else { format!("{} min", seconds.div_ceil(60)) }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn what_is_being_done_is_said_until_it_ends() {
        let (say, said) = mpsc::channel();
        let log = Log::telling(Duration::from_millis(1), move |line| {
            let _ = say.send(line.to_owned());
        });
        let next = |starts: &str| said.iter().find(|line| line.starts_with(starts)).unwrap();
        log.phase("finding duplicates", 0);
        assert!(next("finding duplicates, ").ends_with(" s so far"));
        log.reading("meta.csv", 100);
        log.read(0, 0);
        assert_eq!(next("meta"), "meta.csv: 0 rows, 0 %, 0 rows/s");
        log.phase("deciding", 7);
        log.done(7);
        assert_eq!(next("deciding: 7"), "deciding: 7 of 7");
        drop(log);
        // Nobody is left who could say something.
        said.iter().for_each(drop);
    }

    #[test]
    fn a_line_says_how_far_it_is_and_how_long_it_will_take() {
        let reading = At {
            what: "meta.csv".to_owned(),
            done: 40,
            total: 100,
            rows: Some(8_000),
            ..At::default()
        };
        let lasted = Duration::from_secs(20);
        assert_eq!(line(&reading, lasted), "meta.csv: 8000 rows, 40 %, 400 rows/s, 30 s left");
        let begun = At { done: 0, rows: Some(0), ..reading.clone() };
        assert_eq!(line(&begun, lasted), "meta.csv: 0 rows, 0 %, 0 rows/s");
        let all = At { done: 100, ..reading };
        assert_eq!(line(&all, lasted), "meta.csv: 8000 rows, 100 %, 400 rows/s");

        let phase = At { what: "deciding".to_owned(), done: 10, total: 1_000, ..At::default() };
        assert_eq!(line(&phase, lasted), "deciding: 10 of 1000, 33 min left");
        let unknown = At { what: "finding duplicates".to_owned(), ..At::default() };
        assert_eq!(line(&unknown, lasted), "finding duplicates, 20 s so far");
    }
}
