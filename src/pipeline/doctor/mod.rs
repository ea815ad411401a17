//! Whether a workspace is well: the store, what lies around it, and what was put out. Looks only.
//!
//! Each check says one thing, so that it can say what to do. Start at [`examine`]; [`inside`] asks the store,
//! [`around`] looks at files.

mod around;
mod inside;

use std::path::Path;

use anyhow::Result;

use crate::store::key::KeyFault;
use crate::store::{Store, StoreFault, health};

/// What to look at, and how closely.
#[derive(Debug, Clone, Copy)]
pub struct Examination<'a> {
    /// The store's file.
    pub store: &'a Path,
    /// The file with the key of those who were erased.
    pub key: &'a Path,
    /// The folder with what was put out.
    pub out: &'a Path,
    /// The folder where exports wait.
    pub inbox: &'a Path,
    /// What time it is, milliseconds since 1970 UTC.
    pub now_ms: i64,
    /// Whether every byte is read.
    pub is_deep: bool,
}

/// How a check ended, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Nothing to do.
    Well,
    /// Somebody should look.
    Warning,
    /// The store, or what it cannot do without, is damaged.
    Failure,
}

impl Verdict {
    /// Returns the word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Well => "ok",
            Self::Warning => "warning",
            Self::Failure => "failure",
        }
    }
}

/// What was looked at, and what was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was looked at, in a word.
    pub name: &'static str,
    /// How it ended.
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
    /// The way out, where there is something to do.
    pub hint: String,
}

impl Check {
    fn well(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Well, found: found.into(), hint: String::new() }
    }

    fn warning(name: &'static str, found: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Warning, found: found.into(), hint: hint.into() }
    }

    fn failure(name: &'static str, found: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Failure, found: found.into(), hint: hint.into() }
    }
}

/// The way out of every damage.
const RESTORE: &str =
    "`leadmill restore FILE` puts a backup in its place; `leadmill backup --list` shows them";

/// Looks at everything and returns what was found, in a fixed order.
///
/// # Errors
/// [`StoreFault::Missing`] when there is no store. Whatever else is wrong is a check that failed or could not be made.
pub fn examine(job: &Examination<'_>) -> Result<Vec<Check>> {
    let restore = around::restore(job);
    if !job.store.exists() && restore.is_none() {
        return Err(StoreFault::Missing(job.store.to_owned()).into());
    }
    let mut checks = vec![inside::sqlite()];
    checks.extend(restore);
    checks.push(around::writers(job));
    let mut store = None;
    // A restore may just have moved it away.
    if job.store.exists() {
        match Store::open_to_look(job.store) {
            Ok(opened) => store = Some(opened),
            Err(fault) => checks.push(told("store", &fault)),
        }
        checks.push(try_check("pages", || inside::pages(job, store.as_ref())));
    }
    let mut is_current = false;
    if let Some(store) = &store {
        checks.push(try_check("store", || {
            let (setup, found) = inside::setup(store)?;
            is_current = found;
            Ok(setup)
        }));
        if job.is_deep {
            checks.push(try_check("structure", || inside::structure(store)));
        }
        if is_current {
            inside::look_at_rows(job, store, &mut checks);
        }
        checks.push(try_check("size", || inside::extent(job, store)));
    }
    let mut latest_bytes = 0;
    let asked = store.as_ref().filter(|_| is_current);
    checks.push(try_check("files", || around::published(job, asked, &mut latest_bytes)));
    checks.push(around::permissions(job));
    checks.push(try_check("space", || around::space(job, latest_bytes)));
    checks.push(try_check("backups", || around::backups(job)));
    Ok(checks)
}

/// Returns how the worst of `checks` ended.
pub fn worst(checks: &[Check]) -> Verdict {
    checks.iter().map(|check| check.verdict).max().unwrap_or(Verdict::Well)
}

/// Makes a check; that it cannot be made is a finding beside the others.
fn try_check(name: &'static str, check: impl FnOnce() -> Result<Check>) -> Check {
    check().unwrap_or_else(|fault| told(name, &fault))
}

/// Turns a fault into a finding: what it says, and the way out that it names. It is a failure only where it comes of
/// what stands in the store, or the key of those who were erased is missing: nobody should put a sound store aside for
/// a disk that cannot be read.
fn told(name: &'static str, fault: &anyhow::Error) -> Check {
    let text = format!("{fault:#}");
    let (found, hint) = text.split_once("\nhint: ").unwrap_or((&text, ""));
    let or = |other: &'static str| if hint.is_empty() { other } else { hint };
    if health::is_of_content(fault) || fault.is::<KeyFault>() {
        Check::failure(name, found, or(RESTORE))
    } else {
        let hint = "look at the disk and at who may read what, then ask `leadmill doctor` again";
        Check::warning(name, format!("cannot be looked at: {found}"), or(hint))
    }
}

/// Returns the first of `problems`, and how many more there are.
fn some_of(problems: &[String]) -> String {
    const SHOWN: usize = 3;
    let mut told: Vec<String> = problems.iter().take(SHOWN).cloned().collect();
    if problems.len() > SHOWN {
        told.push(format!("and {} more", problems.len() - SHOWN));
    }
    told.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_counts() {
        let checks =
            [Check::well("a", ""), Check::failure("b", "", ""), Check::warning("c", "", "")];
        assert_eq!(worst(&checks), Verdict::Failure);
        assert_eq!(worst(&checks[..1]), Verdict::Well);
        assert_eq!(worst(&[]), Verdict::Well);
    }

    #[test]
    fn only_some_of_many_problems_are_told() {
        let problems: Vec<String> = (0..5).map(|no| format!("p{no}")).collect();
        assert_eq!(some_of(&problems[..2]), "p0; p1");
        assert_eq!(some_of(&problems), "p0; p1; p2; and 2 more");
    }
}
