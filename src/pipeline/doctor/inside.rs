//! What the store is asked.

use std::fmt::Write as _;

use anyhow::Result;

use super::{Check, Examination, RESTORE, some_of, try_check};
use crate::model::moment::utc_from_ms;
use crate::report::amounts::{count, size};
use crate::store::health::{self, Dangling, Unbalanced};
use crate::store::pages::look::{self, Checksums, Pages};
use crate::store::pages::sums_path;
use crate::store::runs::RunState;
use crate::store::{Store, key};

/// Pages that are told by number.
const PAGES_TOLD: usize = 5;
/// Tables that are told of by size.
const TABLES_TOLD: usize = 4;
/// A delivery that waits for longer than this is forgotten work; a dead letter is from the first.
const STUCK_MS: i64 = 24 * 3_600_000;

/// Looks at SQLite itself.
pub(super) fn sqlite() -> Check {
    let (version, is_safe) = health::sqlite();
    if is_safe {
        return Check::well("sqlite", format!("{version}, which keeps what it committed"));
    }
    Check::failure(
        "sqlite",
        format!("{version} can lose what was committed when a WAL is reset"),
        "build leadmill with the SQLite that it carries (3.51.3 or later)",
    )
}

/// Looks at what the store says of itself; returns also whether its tables are those that this leadmill knows.
pub(super) fn setup(store: &Store) -> Result<(Check, bool)> {
    let setup = store.setup()?;
    let is_current = setup.schema == setup.schema_known;
    let found = format!(
        "a store of leadmill's, schema {}, journal `{}`; writers sync every commit, keep foreign keys and overwrite \
         what they delete",
        setup.schema, setup.journal
    );
    let check = if !is_current {
        let found = format!("schema {}, this leadmill has {}", setup.schema, setup.schema_known);
        Check::warning(
            "store",
            format!("{found}; its rows were not looked at"),
            "the next `leadmill run` backs it up and brings it up to date",
        )
    } else if setup.journal != "wal" {
        let found = format!("its journal is `{}`", setup.journal);
        Check::warning(
            "store",
            format!("{found}; something other than leadmill changed that"),
            "the next `leadmill run` sets it back",
        )
    } else {
        Check::well("store", found)
    };
    Ok((check, is_current))
}

/// Looks at every page, or only whether all of them have checksums.
pub(super) fn pages(job: &Examination<'_>, store: Option<&Store>) -> Result<Check> {
    const NAME: &str = "pages";
    let none = |what: &str| {
        let found = format!(
            "{} {what}, so not every changed byte would be found",
            sums_path(job.store).display()
        );
        Check::warning(NAME, found, "the next command that writes makes it anew")
    };
    if !job.is_deep {
        let (checksums, pages) = look::checksums(job.store)?;
        return Ok(match checksums {
            Checksums::Kept => Check::well(
                NAME,
                format!("{} have checksums; --deep reads them all", count(pages, "page", "pages")),
            ),
            Checksums::None => none("is not there"),
            Checksums::Unreadable => none("is damaged"),
        });
    }
    let found = look::pages(job.store)?;
    Ok(match found.checksums {
        Checksums::None => none("is not there"),
        Checksums::Unreadable => none("is damaged"),
        Checksums::Kept if found.is_damaged() && super::around::is_merged(job) => Check::warning(
            NAME,
            format!(
                "{} not as last noted: a writer died, and it seems that another program has written its WAL back since",
                count(found.damaged.len() as u64, "page is", "pages are")
            ),
            "the next command that writes lets SQLite look at the whole store, and takes it over or refuses it",
        ),
        Checksums::Kept if found.is_damaged() => damaged(NAME, job, store, &found),
        Checksums::Kept => {
            let mut text = format!("{} as they were written", count(found.sound, "page", "pages"));
            if found.in_wal > 0 {
                write!(text, "; {} more in the WAL", found.in_wal)?;
            }
            if found.uncovered > 0 {
                write!(text, "; {} without a checksum yet", found.uncovered)?;
            }
            Check::well(NAME, text)
        }
    })
}

fn damaged(
    name: &'static str,
    job: &Examination<'_>,
    store: Option<&Store>,
    found: &Pages,
) -> Check {
    let mut problems = Vec::new();
    for no in found.damaged.iter().take(PAGES_TOLD) {
        let from = u64::from(no - 1) * u64::from(found.page_bytes);
        let owner = store.and_then(|store| store.owner_of_page(*no));
        let owner = owner.map_or_else(String::new, |owner| format!(" of `{owner}`"));
        problems.push(format!("page {no}{owner} (from byte {from}) is not as it was written"));
    }
    if found.damaged.len() > PAGES_TOLD {
        let more = (found.damaged.len() - PAGES_TOLD) as u64;
        problems.push(format!("nor {}", count(more, "other page", "other pages")));
    }
    if found.missing > 0 {
        problems
            .push(format!("{} gone from its end", count(found.missing, "page is", "pages are")));
    }
    if found.wal_is_cut {
        problems.push("transactions that had been committed are gone from its WAL".to_owned());
    }
    Check::failure(
        name,
        problems.join("; "),
        format!(
            "{RESTORE}; if somebody put the file there by hand, or changed it with another program, on purpose: remove \
             {}",
            sums_path(job.store).display()
        ),
    )
}

/// Asks SQLite about the structure of the file.
pub(super) fn structure(store: &Store) -> Result<Check> {
    let problems = store.integrity()?;
    Ok(if problems.is_empty() {
        Check::well("structure", "SQLite's integrity check finds nothing")
    } else {
        Check::failure("structure", some_of(&problems), RESTORE)
    })
}

/// Looks at everything that stands in the rows.
pub(super) fn look_at_rows(job: &Examination<'_>, store: &Store, checks: &mut Vec<Check>) {
    checks.extend([
        try_check("runs", || runs(job, store)),
        try_check("references", || references(store)),
        try_check("accounts", || accounts(store)),
        try_check("ledger", || ledger(store)),
        try_check("erasures", || erasures(job, store)),
        try_check("deliveries", || deliveries(job, store)),
        try_check("quarantine", || quarantine(store)),
    ]);
}

fn runs(job: &Examination<'_>, store: &Store) -> Result<Check> {
    let Some(latest) = store.latest_run()? else {
        return Ok(Check::well("runs", "none yet"));
    };
    let as_of = utc_from_ms(latest.as_of_ms).format("%Y-%m-%d %H:%M UTC");
    let what = match latest.state {
        RunState::Published => {
            return Ok(Check::well("runs", format!("the latest is {} as of {as_of}", latest.id)));
        }
        RunState::Ingesting => "was taking rows in",
        RunState::Decided => "has decided, and is not marked as published",
    };
    let found = format!("run {} as of {as_of} {what}", latest.id);
    Ok(if super::around::is_at_work(job) {
        Check::well("runs", format!("{found}; it is at work"))
    } else {
        let hint = "it was killed; the next `leadmill run` takes it back or publishes it";
        Check::warning("runs", found, hint)
    })
}

fn references(store: &Store) -> Result<Check> {
    let is_whole = store.latest_run()?.is_none_or(|run| run.state != RunState::Ingesting);
    let found: Vec<Dangling> = [store.dangling()?, store.orphans(is_whole)?].concat();
    let problems: Vec<String> = found.iter().map(ToString::to_string).collect();
    Ok(if problems.is_empty() {
        Check::well("references", "every row has those that it refers to")
    } else {
        let hint =
            format!("`leadmill rebuild` computes leads anew from what was received; {RESTORE}");
        Check::failure("references", some_of(&problems), hint)
    })
}

fn accounts(store: &Store) -> Result<Check> {
    let (inputs, all) = store.unbalanced_inputs()?;
    let mut problems: Vec<String> = inputs
        .iter()
        .map(|one| {
            let Unbalanced { name, read, kept } = one;
            format!("of {name} {read} rows were read, {kept} have an outcome")
        })
        .collect();
    let wrong = store.wrong_totals()?;
    if wrong > 0 {
        problems.push(format!("{wrong} totals are not what the leads add up to"));
    }
    let (bytes, rows) = store.imported()?;
    Ok(if problems.is_empty() {
        let inputs = count(all, "input", "inputs");
        let found = format!("{rows} rows of {inputs} ({}) each have one outcome", size(bytes));
        Check::well("accounts", found)
    } else {
        Check::failure("accounts", some_of(&problems), RESTORE)
    })
}

fn ledger(store: &Store) -> Result<Check> {
    let verified = store.verify_ledger(None)?;
    if let Some((at, problem)) = verified.problems.first() {
        let found = format!(
            "{}, the first: record {at} {problem}",
            count(verified.n_problems, "fault", "faults")
        );
        let hint =
            "`leadmill consent verify` tells all; restore the last backup with which it ends well";
        return Ok(Check::failure("ledger", found, hint));
    }
    let records = count(verified.records, "record", "records");
    Ok(Check::well("ledger", format!("{records} as they were appended")))
}

fn erasures(job: &Examination<'_>, store: &Store) -> Result<Check> {
    const NAME: &str = "erasures";
    if let Some(id) = store.erasure_key()? {
        key::read_known(job.key, &id)?;
        let log = key::log_path(job.key);
        if !log.exists() {
            let found = format!("people were erased, but their log {} is missing", log.display());
            let hint =
                "put it back from where it is kept: by it a restored backup forgets once more";
            return Ok(Check::warning(NAME, found, hint));
        }
        if store.is_to_be_scrubbed()? || store.is_erasure_unfinished()? {
            let found = "an erasure was cut short, or somebody was reading the store";
            return Ok(Check::warning(NAME, found, "the next `leadmill run` finishes it"));
        }
        return Ok(Check::well(NAME, format!("finished; their key {id} is there")));
    }
    Ok(Check::well(NAME, "nobody was erased"))
}

fn deliveries(job: &Examination<'_>, store: &Store) -> Result<Check> {
    let hours = |since_ms: i64| (job.now_ms - since_ms) / 3_600_000;
    let (mut problems, mut under_way) = (Vec::new(), 0);
    for one in store.waiting_deliveries()? {
        under_way += one.items;
        if let Some(oldest) = one.oldest_ms.filter(|oldest| job.now_ms - oldest > STUCK_MS) {
            let what = count(one.items, "delivery waits", "deliveries wait");
            let mut problem =
                format!("{what} for `{}`, the oldest for {} h", one.endpoint, hours(oldest));
            if one.unknown > 0 {
                write!(problem, ", {} of unknown fate", one.unknown)?;
            }
            problems.push(problem);
        }
    }
    let (letters, oldest) = store.open_letters()?;
    if let Some(oldest) = oldest {
        let what = count(letters, "dead letter is open", "dead letters are open");
        problems.push(format!("{what}, the oldest for {} h", hours(oldest)));
    }
    Ok(if problems.is_empty() {
        let found = match under_way {
            0 => "nothing is stuck".to_owned(),
            some => format!("{} under way", count(some, "delivery is", "deliveries are")),
        };
        Check::well("deliveries", found)
    } else {
        let hint = "`leadmill deliver` sends what is due; `leadmill dead-letter list` says why, redrive or drop them";
        Check::warning("deliveries", problems.join("; "), hint)
    })
}

fn quarantine(store: &Store) -> Result<Check> {
    let open = store.count_quarantined()?;
    Ok(Check::well(
        "quarantine",
        match open {
            0 => "no row waits".to_owned(),
            some => format!(
                "{} to be mended: `leadmill quarantine`",
                count(some, "row waits", "rows wait")
            ),
        },
    ))
}

/// Imported bytes from which it means something how many times as large the store is.
const RATIO_BYTES_MIN: u64 = 1 << 20;

/// Says how large the store is, and of what.
pub(super) fn extent(job: &Examination<'_>, store: &Store) -> Result<Check> {
    let (bytes, free) = store.page_figures()?;
    let (imported, _) = store.imported()?;
    let mut found = size(bytes);
    // Empty tables and their indexes outweigh a handful of rows: a ratio would frighten people.
    if imported >= RATIO_BYTES_MIN {
        let ratio = bytes as f64 / imported as f64;
        write!(found, ", {ratio:.1} times what was imported")?;
    }
    if free > 0 {
        write!(found, "; {} of it are free", size(free))?;
    }
    if job.is_deep {
        let tables = store.table_sizes()?;
        let most: Vec<String> = tables
            .iter()
            .take(TABLES_TOLD)
            .map(|one| format!("{} {}", one.table, size(one.bytes)))
            .collect();
        write!(found, "; most of it {}", most.join(", "))?;
    }
    Ok(Check::well("size", found))
}
