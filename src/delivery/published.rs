//! Rows of files that were published before, found again by the item that each is.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::results::item_column;
use super::strict_csv::Strict;
use crate::model::spreadsheet::unguard;
use crate::rules::target::{Profile, Target, TargetFormat};

/// Cells of a row by their headers.
pub type Cells = BTreeMap<String, String>;

/// Returns the rows of `target`'s file in the run's `folder`, all parts of it, by item; none when the file is gone, is
/// no CSV, or does not say which item a row is.
pub fn rows(target: &Target, folder: &Path) -> Result<BTreeMap<String, Cells>> {
    let mut found = BTreeMap::new();
    let Some(column) = item_column(target).filter(|_| target.format == TargetFormat::Csv) else {
        return Ok(found);
    };
    for part in 1.. {
        let path = folder.join(part_name(&target.file, part));
        if !path.exists() {
            break;
        }
        let bytes =
            std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let text = String::from_utf8_lossy(&bytes);
        let mut records = Strict::new(text.trim_start_matches('\u{feff}'), target.delimiter);
        for _ in &target.preamble {
            records.skip_line();
        }
        let Some(header) = records.next() else { continue };
        let Some(at) = header.cells.iter().position(|name| *name == column.header) else {
            continue;
        };
        for record in records {
            let Some(item) = record.cells.get(at) else { continue };
            let item = item.strip_prefix(column.prefix.as_str()).unwrap_or(item).to_owned();
            let cells =
                header.cells.iter().cloned().zip(record.cells.iter().map(
                    |cell| match target.profile {
                        Profile::Machine => cell.clone(),
                        Profile::Spreadsheet => unguard(cell).to_owned(),
                    },
                ));
            found.insert(item, cells.collect());
        }
    }
    Ok(found)
}

/// Returns the name of a part: `crm/leads.csv`, then `crm/leads-part-2.csv`.
pub fn part_name(file: &str, part: u32) -> String {
    match file.rsplit_once('.') {
        _ if part == 1 => file.to_owned(),
        Some((stem, ending)) if !ending.contains('/') => format!("{stem}-part-{part}.{ending}"),
        _ => format!("{file}-part-{part}"),
    }
}

#[cfg(test)]
mod tests {
    use super::part_name;

    #[test]
    fn parts_are_named_after_the_file() {
        assert_eq!(part_name("crm/leads.csv", 1), "crm/leads.csv");
        assert_eq!(part_name("crm/leads.csv", 2), "crm/leads-part-2.csv");
        assert_eq!(part_name("crm.d/leads", 3), "crm.d/leads-part-3");
    }
}
