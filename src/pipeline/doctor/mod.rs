//! Whether a workspace is well: the store, what lies around it, and what was put out. Looks only.
//!
//! Each check says one thing, so that it can say what to do. Start at [`examine`]; [`inside`] asks the store,
//! [`around`] looks at files.

mod around;
mod inside;

use std::path::Path;

use anyhow::Result;

use crate::store::{Store, StoreFault, health, is_damage};

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
/// [`StoreFault::Missing`] when there is no store, and the world's faults with the thing named. Whatever is wrong with the
/// store is a check that failed.
pub fn examine(job: &Examination<'_>) -> Result<Vec<Check>> {
    if !job.store.exists() && !around::is_restore_begun(job)? {
        return Err(StoreFault::Missing(job.store.to_owned()).into());
    }
    let mut checks = vec![inside::sqlite()];
    checks.extend(around::restore(job)?);
    checks.push(around::writers(job));
    let store = match Store::open_to_look(job.store) {
        Ok(store) => Some(store),
        Err(fault) if is_damage(&fault) => {
            checks.push(told("store", &fault));
            None
        }
        // A store that has just been moved away by a restore.
        Err(fault) if matches!(fault.downcast_ref(), Some(StoreFault::Missing(_))) => None,
        Err(fault) => return Err(fault),
    };
    checks.push(inside::pages(job, store.as_ref())?);
    let mut known = None;
    if let Some(store) = &store {
        let (setup, is_current) = inside::setup(store)?;
        checks.push(setup);
        if job.is_deep {
            checks.push(try_check("structure", || inside::structure(store))?);
        }
        if is_current {
            inside::look_at_rows(job, store, &mut checks)?;
            known = try_list(|| store.all_runs());
        }
        checks.push(try_check("size", || inside::extent(job, store))?);
    }
    checks.push(around::published(job, store.as_ref(), known.as_deref())?);
    checks.push(around::permissions(job));
    checks.push(around::space(job)?);
    checks.push(around::backups(job)?);
    Ok(checks)
}

/// Returns how the worst of `checks` ended.
pub fn worst(checks: &[Check]) -> Verdict {
    checks.iter().map(|check| check.verdict).max().unwrap_or(Verdict::Well)
}

/// Does a check; that the store cannot be read for it is a finding.
fn try_check(name: &'static str, check: impl FnOnce() -> Result<Check>) -> Result<Check> {
    match check() {
        Ok(check) => Ok(check),
        Err(fault) if is_damage(&fault) => Ok(told(name, &fault)),
        // A query that cannot be answered because of what stands in the rows.
        Err(fault) if health::is_of_sqlite(&fault) => {
            Ok(Check::failure(name, format!("cannot be asked: {fault:#}"), RESTORE))
        }
        Err(fault) => Err(fault),
    }
}

fn try_list<T>(list: impl FnOnce() -> Result<Vec<T>>) -> Option<Vec<T>> {
    list().ok()
}

/// Turns a fault into a finding: what it says, and the way out that it names.
fn told(name: &'static str, fault: &anyhow::Error) -> Check {
    let text = format!("{fault:#}");
    match text.split_once("\nhint: ") {
        Some((found, hint)) => Check::failure(name, found, hint),
        None => Check::failure(name, text, RESTORE),
    }
}

/// Returns how many of something there are, in words.
fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Returns `bytes` in a unit that people read.
pub fn size(bytes: u64) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let mut amount = bytes as f64;
    let mut unit = 0;
    while amount >= 1_024.0 && unit + 1 < units.len() {
        amount /= 1_024.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} bytes") } else { format!("{amount:.1} {}", units[unit]) }
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
    fn sizes_are_for_people() {
        assert_eq!(size(0), "0 bytes");
        assert_eq!(size(1_536), "1.5 KiB");
        assert_eq!(size(3 << 30), "3.0 GiB");
    }

    #[test]
    fn only_some_of_many_problems_are_told() {
        let problems: Vec<String> = (0..5).map(|no| format!("p{no}")).collect();
        assert_eq!(some_of(&problems[..2]), "p0; p1");
        assert_eq!(some_of(&problems), "p0; p1; p2; and 2 more");
    }
}
