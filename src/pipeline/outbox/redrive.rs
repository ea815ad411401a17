//! Dead letters that go out once more. Those of an endpoint are sent by `deliver`; consents are asked anew when they are
//! claimed, a request of one item keeps its id and bytes, an item of several goes into a request of its own. Those of a
//! file are written by the next run, which makes the row anew.

use anyhow::Result;

use crate::rules::RuleSet;
use crate::rules::target::RowsOf;
use crate::store::Store;
use crate::store::letters::Redrivable;

/// Which dead letters are meant; `None` means any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Which {
    /// With these numbers; empty for all.
    pub letters: Vec<i64>,
    /// To this endpoint or target.
    pub target: Option<String>,
    /// With this code.
    pub code: Option<String>,
    /// Whose reason holds this text.
    pub reason: Option<String>,
    /// That died at this instant or later, milliseconds since 1970 UTC.
    pub since_ms: Option<i64>,
    /// So many at most.
    pub limit: Option<usize>,
}

impl Which {
    fn holds(&self, one: &Redrivable) -> bool {
        let is = |wanted: &Option<String>, found: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == found)
        };
        (self.letters.is_empty() || self.letters.contains(&one.letter))
            && is(&self.target, &one.to)
            && is(&self.code, &one.code)
            && self.reason.as_deref().is_none_or(|wanted| one.reason.contains(wanted))
            && self.since_ms.is_none_or(|since_ms| one.last_ms >= since_ms)
    }
}

/// Returns the dead letters that `which` means and that can go out once more, the earliest first.
pub fn find(store: &Store, rules: &RuleSet, which: &Which) -> Result<Vec<Redrivable>> {
    let mut found = store.redrivable()?;
    // A file of tasks holds those that were planned since the last one, whatever became of the others.
    let is_written_again = |id: &str| {
        rules.targets.on().any(|target| target.id == id && target.rows_of != RowsOf::Tasks)
    };
    found.retain(|one| which.holds(one) && (one.no.is_some() || is_written_again(&one.to)));
    found.truncate(which.limit.unwrap_or(usize::MAX));
    Ok(found)
}

/// Lets the next `deliver` send `found` once more, and the next run write those that stand in files.
pub fn redrive(store: &Store, found: &[Redrivable], now_ms: i64) -> Result<()> {
    store.begin()?;
    for one in found {
        match one.no {
            Some(no) => store.redrive(no, now_ms)?,
            None => {
                let target = store.target_no(&one.to)?;
                // A lead's row may differ from the one before; a conversion is told once.
                if one.item.contains('/') {
                    store.forget_delivered(target, &one.item)?;
                } else {
                    store.mark_not_taken(target, &one.item)?;
                }
                store.offer_again(&one.to)?;
            }
        }
    }
    store.commit()
}
