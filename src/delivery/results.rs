//! What a target said of the rows that it was given: its files of successes and errors, read back.
//!
//! Known are the results of Salesforce's Bulk API 2.0 (`sf__Id`, `sf__Created`, `sf__Error`) and of its Data Loader
//! (`ID`, `STATUS`, `ERROR`); any other file counts by a column that tells what was wrong, such as Pipedrive's skip
//! file.

use anyhow::{Context as _, Result};

use super::salesforce_id;
use crate::rules::target::{Column, ColumnValue, Derived, Target};

/// Columns that hold the target's own id of a record, in lower case.
const ID_COLUMNS: &[&str] = &["sf__id", "id", "record id", "hs_object_id"];
/// Columns that say what was wrong, in lower case.
const ERROR_COLUMNS: &[&str] = &[
    "sf__error",
    "error",
    "error message",
    "errors",
    "skip reason",
    "reason",
    "import error",
    "powód pominięcia",
    "błąd",
];

/// What a target said of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowResult {
    /// Line of the file.
    pub line: u64,
    /// The lead's id, the task's or the conversion's; empty when the row has none.
    pub item: String,
    /// E-mail address of the row, for targets that have no id of ours.
    pub email: String,
    /// What the target calls its record.
    pub record_id: Option<String>,
    /// What was wrong, without what the row itself said.
    pub error: Option<String>,
}

/// A file that no target can have written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoResults(pub String);

impl std::fmt::Display for NoResults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NoResults {}

/// Returns the target of `targets` whose columns the header of `bytes` has most of; `None` when it has none's.
pub fn target_of<'t>(
    targets: impl Iterator<Item = &'t Target>,
    bytes: &[u8],
) -> Result<Option<&'t Target>> {
    let header = reader(bytes).headers()?.clone();
    let known = |target: &Target| {
        let has = |column: &&Column| header.iter().any(|cell| cell == column.header);
        (
            item_column(target).is_some_and(|column| has(&column)),
            target.columns.iter().filter(has).count(),
        )
    };
    let best =
        targets.map(|target| (known(target), target)).filter(|((_, columns), _)| *columns > 0);
    Ok(best
        .max_by_key(|(known, target)| (*known, std::cmp::Reverse(&target.id)))
        .map(|(_, target)| target))
}

/// Reads what `target` said of its rows.
///
/// # Errors
/// [`NoResults`] inside the error when the file says nothing about rows of the target.
pub fn read(target: &Target, bytes: &[u8]) -> Result<Vec<RowResult>> {
    let mut reader = reader(bytes);
    let header = reader.headers().context("the file has no header")?.clone();
    let find = |names: &[&str]| {
        names
            .iter()
            .find_map(|name| header.iter().position(|cell| cell.trim().to_lowercase() == *name))
    };
    let named = |name: &str| header.iter().position(|cell| cell == name);
    let ours = item_column(target).and_then(|column| Some((named(&column.header)?, column)));
    let email = target.columns.iter().find(|column| is_email(column));
    let email = email.and_then(|column| named(&column.header));
    // `id` is our own column in some targets.
    let record = find(ID_COLUMNS).filter(|at| ours.is_none_or(|(own, _)| own != *at));
    let error = find(ERROR_COLUMNS);
    if (ours.is_none() && email.is_none()) || (record.is_none() && error.is_none()) {
        let why = "the file names neither records nor errors of rows that leadmill wrote";
        return Err(NoResults(why.to_owned()).into());
    }
    let mut results = Vec::new();
    for row in reader.records() {
        let row = row.context("the file is no CSV")?;
        let cell = |at: usize| row.get(at).unwrap_or_default().trim();
        let item = ours.map_or("", |(at, column)| {
            let text = cell(at);
            text.strip_prefix(column.prefix.as_str()).unwrap_or(text)
        });
        let record_id = record.map(cell).filter(|id| !id.is_empty());
        let error = error.map(cell).filter(|error| !error.is_empty());
        results.push(RowResult {
            line: row.position().map_or(0, csv::Position::line),
            item: item.to_owned(),
            email: email.map_or(String::new(), |at| cell(at).to_lowercase()),
            record_id: record_id
                .map(|id| salesforce_id::canonical(id).unwrap_or_else(|| id.to_owned())),
            error: error.map(|error| without_values(error, &row)),
        });
    }
    Ok(results)
}

fn reader(bytes: &[u8]) -> csv::Reader<&[u8]> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |wanted: u8| memchr::memchr_iter(wanted, first).count();
    let delimiter =
        [b',', b';', b'\t'].into_iter().max_by_key(|wanted| count(*wanted)).unwrap_or(b',');
    csv::ReaderBuilder::new().flexible(true).delimiter(delimiter).from_reader(bytes)
}

/// Returns the column that shows which item a row is, unless it cannot be read back.
pub(super) fn item_column(target: &Target) -> Option<&Column> {
    let shows = |column: &&Column| {
        let is_id = |value: &ColumnValue| {
            matches!(
                value,
                ColumnValue::Derived(Derived::TaskId | Derived::ConversionId | Derived::LeadId)
            )
        };
        column.from.first().is_some_and(is_id) && column.rewrite.is_none() && !column.is_hashed
    };
    target.columns.iter().find(shows)
}

fn is_email(column: &Column) -> bool {
    matches!(column.from.as_slice(), [ColumnValue::Field(crate::model::field::EMAIL)])
        && column.rewrite.is_none()
        && !column.is_hashed
}

/// Returns `message` without what the row said and without what looks like an address or a number: what is kept of a
/// refusal is no place for personal data.
fn without_values(message: &str, row: &csv::StringRecord) -> String {
    const SHORTEST: usize = 4;
    const LONGEST_MESSAGE: usize = 300;
    let mut text = message.to_owned();
    let mut values: Vec<&str> = row
        .iter()
        .map(str::trim)
        .filter(|cell| cell.len() >= SHORTEST && *cell != message)
        .collect();
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    for value in values {
        text = text.replace(value, "[value]");
    }
    let words: Vec<&str> = text
        .split(' ')
        .map(|word| {
            let digits = word.bytes().filter(u8::is_ascii_digit).count();
            if word.contains('@') || (digits >= 7 && !word.starts_with("00")) {
                "[value]"
            } else {
                word
            }
        })
        .collect();
    words.join(" ").chars().take(LONGEST_MESSAGE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::RuleSet;
    use crate::rules::embedded;

    fn rules() -> RuleSet {
        RuleSet::parse(&embedded::texts()).unwrap().0
    }

    #[test]
    fn bulk_results_tell_the_record_and_what_was_wrong() {
        let rules = rules();
        let target = rules.targets.get("salesforce-lead").unwrap();
        let success = b"\"sf__Id\",\"sf__Created\",Leadmill_Key__c,LastName\n\"00Q5g00000AbCdE\",\"true\",LM-1,Lis\n";
        let found = read(target, success).unwrap();
        assert_eq!(found[0].record_id.as_deref(), Some("00Q5g00000AbCdEEAV"));
        assert_eq!((found[0].item.as_str(), found[0].error.as_deref()), ("LM-1", None));
        let failed = b"\"sf__Id\",\"sf__Error\",Leadmill_Key__c,Email\n\"\",\"INVALID_EMAIL_ADDRESS:Email: invalid email address: zly@x:Email --\",LM-2,zly@x\n";
        let found = read(target, failed).unwrap();
        assert_eq!(
            found[0].error.as_deref(),
            Some("INVALID_EMAIL_ADDRESS:Email: invalid email address: [value]:Email --")
        );
        let of = target_of(rules.targets.iter(), success).unwrap().map(|target| target.id.as_str());
        assert_eq!(of, Some("salesforce-lead"));
    }

    #[test]
    fn a_skip_file_counts_by_its_reason() {
        let rules = rules();
        let target = rules.targets.get("pipedrive-leads").unwrap();
        let text = "Lead - Title;Person - Name;Lead - Leadmill key;Skip reason\nA;Anna Lis;LM-3;Owner jan@example.com does not exist\n";
        let found = read(target, text.as_bytes()).unwrap();
        assert_eq!(found[0].item, "LM-3");
        assert_eq!(found[0].error.as_deref(), Some("Owner [value] does not exist"));
        let fault = read(target, b"a,b\n1,2\n").unwrap_err();
        assert!(fault.is::<NoResults>(), "{fault}");
    }
}
