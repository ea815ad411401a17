//! Dead letters that are sent once more; consents are asked anew when they are claimed. A request of one item keeps its
//! id and bytes, an item of several goes into a request of its own.

use anyhow::Result;

use crate::store::Store;
use crate::store::letters::Redrivable;

/// Which dead letters are meant; `None` means any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Which {
    /// With these numbers; empty for all.
    pub letters: Vec<i64>,
    /// To this endpoint.
    pub endpoint: Option<String>,
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
            && is(&self.endpoint, &one.endpoint)
            && is(&self.code, &one.code)
            && self.reason.as_deref().is_none_or(|wanted| one.reason.contains(wanted))
            && self.since_ms.is_none_or(|since_ms| one.last_ms >= since_ms)
    }
}

/// Returns the dead letters that `which` means and that can be sent once more, the earliest first.
pub fn find(store: &Store, which: &Which) -> Result<Vec<Redrivable>> {
    let mut found = store.redrivable()?;
    found.retain(|one| which.holds(one));
    found.truncate(which.limit.unwrap_or(usize::MAX));
    Ok(found)
}

/// Lets the next `deliver` send `found` once more.
pub fn redrive(store: &Store, found: &[Redrivable], now_ms: i64) -> Result<()> {
    store.begin()?;
    for one in found {
        store.redrive(one.no, now_ms)?;
    }
    store.commit()
}
