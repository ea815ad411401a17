//! Verdicts that somebody filled into the file of pairs.

use super::matching::MatchFault;
use crate::delivery::review::{LEAD, OTHER, VERDICT};
use crate::intake::{InputPath, PlainTable};
use crate::rules::RuleSet;

/// One filled-in row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FiledVerdict {
    /// Line of the file.
    pub line: u32,
    /// One lead's id.
    pub a: String,
    /// The other's.
    pub b: String,
    /// Whether they are one person.
    pub is_same: bool,
}

/// Words for a verdict, folded; people answer in their own language.
const WORDS: &[(&str, bool)] = &[
    ("same", true),
    ("yes", true),
    ("tak", true),
    ("ta sama", true),
    ("ja", true),
    ("different", false),
    ("no", false),
    ("nie", false),
    ("inna", false),
    ("nein", false),
];

/// Reads the rows of `input` that have a verdict.
///
/// # Errors
/// A file that cannot be read, that lacks a column, or a verdict that is no word for one.
pub fn read_verdicts(input: &InputPath, rules: &RuleSet) -> Result<Vec<FiledVerdict>, MatchFault> {
    let is_column = |name: &str| [VERDICT, LEAD, OTHER].contains(&name.trim());
    let table = PlainTable::open(input, &super::caps(rules), is_column)?;
    let column = |name: &str| {
        table.header.iter().position(|header| header == name).ok_or_else(|| {
            MatchFault::Usage(format!(
                "{}: there is no column `{name}`\nhint: fill in the file that `leadmill review export` writes",
                table.name
            ))
        })
    };
    let (verdict_at, a_at, b_at) = (column(VERDICT)?, column(LEAD)?, column(OTHER)?);
    let mut verdicts = Vec::new();
    let mut wrong: Option<String> = None;
    table.read(|line, cells| {
        let cell = |at: usize| cells.get(at).map_or("", |cell| cell.trim()).to_owned();
        let word = cell(verdict_at).to_lowercase();
        match WORDS.iter().find(|(known, _)| *known == word) {
            _ if word.is_empty() => {}
            Some((_, is_same)) => verdicts.push(FiledVerdict {
                line,
                a: cell(a_at),
                b: cell(b_at),
                is_same: *is_same,
            }),
            None => {
                wrong.get_or_insert_with(|| {
                    format!(
                        "{}:{line}: `{word}` is no verdict\nhint: write same or different, or leave it blank",
                        table.name
                    )
                });
            }
        }
        Ok(())
    })?;
    wrong.map_or(Ok(verdicts), |message| Err(MatchFault::Usage(message)))
}
