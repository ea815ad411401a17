//! The matcher alone: any table with a header in, clusters out; no store.

use std::collections::BTreeMap;
use std::fmt;

use rustc_hash::FxHashMap;

use crate::identity::matching::evaluation::{Quality, evaluate};
use crate::identity::matching::kind::Kind;
use crate::identity::matching::lists::Lists;
use crate::identity::matching::profile::{Profile, profile};
use crate::identity::matching::sheet::Sheet;
use crate::identity::matching::{Matching, match_sheet};
use crate::intake::{InputPath, PlainTable, Refusal};
use crate::rules::RuleSet;
use crate::rules::diagnostics::did_you_mean;

/// Ids that a message names at most.
const IDS_SHOWN: usize = 5;
/// Separates the name of a linked list from an id within it.
const LIST_MARK: &str = ":";

/// What is to be matched.
#[derive(Debug, Clone, Copy)]
pub struct MatchJob<'a> {
    /// The table, or two tables to be linked.
    pub inputs: &'a [InputPath],
    /// Column of ids; the first when not named.
    pub id_column: Option<&'a str>,
    /// Columns of which somebody says what they hold.
    pub pinned: &'a [(String, Kind)],
    /// A table of ids and who they really are.
    pub truth: Option<&'a InputPath>,
}

/// Why matching did not happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MatchFault {
    /// An input was refused.
    Refused(Refusal),
    /// What was asked for cannot be: a message, with a hint on its second line.
    Usage(String),
}

impl From<Refusal> for MatchFault {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl fmt::Display for MatchFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => write!(f, "{refusal}\nhint: {}", refusal.hint),
            Self::Usage(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for MatchFault {}

/// What matching found, with everything to name it.
#[derive(Debug)]
pub struct Matched {
    /// The records, in canonical order.
    pub sheet: Sheet,
    /// What each column was taken for.
    pub profiles: Vec<Profile>,
    /// Clusters, pairs and model.
    pub matching: Matching,
    /// The rows in the order of the file.
    pub file_order: Vec<u32>,
    /// The quality of the clusters, where a truth was given.
    pub quality: Option<Quality>,
    /// What somebody should know.
    pub warnings: Vec<String>,
}

impl Matched {
    /// Returns the name of the cluster of `row`: the smallest id in it.
    pub fn cluster_names(&self) -> Vec<&str> {
        let mut smallest: FxHashMap<u32, &str> = FxHashMap::default();
        for (row, cluster) in self.matching.clusters.iter().enumerate() {
            let id = &*self.sheet.ids[row];
            smallest.entry(*cluster).and_modify(|known| *known = (*known).min(id)).or_insert(id);
        }
        self.matching.clusters.iter().map(|cluster| smallest[cluster]).collect()
    }
}

/// Matches what `job` names.
///
/// # Errors
/// Inputs that are refused, ids that repeat, columns that do not exist, tables in which nothing tells records
/// apart, a truth that knows none of the ids.
pub fn match_records(job: &MatchJob<'_>, rules: &RuleSet) -> Result<Matched, MatchFault> {
    let lists = Lists::of_tables(&rules.tables);
    let mut tables = Vec::with_capacity(job.inputs.len());
    let mut warnings = Vec::new();
    for input in job.inputs {
        let table = read(input, job.id_column, rules, &mut warnings)?;
        let profiles = profiled(&table, job, &lists)?;
        tables.push((table, profiles));
    }
    let (sheet, profiles) = match tables.len() {
        1 => tables.remove(0),
        _ => linked(&tables),
    };
    expect_unique_ids(&sheet)?;
    let order = sheet.canonical_order();
    let mut file_order = vec![0; sheet.len()];
    for (row, position) in (0_u32..).zip(&order) {
        file_order[*position as usize] = row;
    }
    let sheet = sheet.in_order(&order);
    let is_linking = job.inputs.len() > 1;
    let first_list = format!("1{LIST_MARK}");
    let sides: Vec<bool> = sheet.ids.iter().map(|id| id.starts_with(&first_list)).collect();
    let side = is_linking.then_some(sides.as_slice());
    let matching = match_sheet(&sheet, &profiles, &lists, side);
    let mut matched = Matched { sheet, profiles, matching, file_order, quality: None, warnings };
    if let Some(truth) = job.truth {
        matched.quality = Some(judged(truth, &mut matched, rules)?);
    }
    Ok(matched)
}

fn read(
    input: &InputPath,
    id_column: Option<&str>,
    rules: &RuleSet,
    warnings: &mut Vec<String>,
) -> Result<Sheet, MatchFault> {
    let table = PlainTable::open(input, &super::caps(rules), |_| false)?;
    let at = position(&table, id_column)?;
    let headers = table.header.iter().enumerate().filter(|(column, _)| *column != at);
    let mut sheet = Sheet::new(headers.map(|(_, header)| header.as_str()));
    let (width, mut ragged) = (table.header.len(), Vec::new());
    table.read(|line, cells| {
        if cells.len() != width {
            ragged.push(line);
        }
        let id = cells.get(at).map_or("", |cell| cell.trim());
        let others = cells.iter().enumerate().filter(|(column, _)| *column != at);
        sheet.push(id, others.map(|(_, cell)| &**cell));
        Ok(())
    })?;
    if let Some(first) = ragged.first() {
        let count = ragged.len();
        warnings.push(format!(
            "{}: {count} rows do not have the {width} cells of the header, the first in line {first}; what \
             they lack counts as empty and what they have beyond it is not compared",
            table.name
        ));
    }
    if let Some(row) = sheet.ids.iter().position(|id| id.is_empty()) {
        return Err(MatchFault::Usage(format!(
            "{}: row {} has no id in column `{}`\nhint: name the column of ids with --id",
            table.name,
            row + 1,
            table.header[at]
        )));
    }
    if sheet.is_empty() {
        return Err(MatchFault::Usage(format!(
            "{}: there are no rows below the header\nhint: nothing to match; is it the right file?",
            table.name
        )));
    }
    Ok(sheet)
}

fn position(table: &PlainTable, id_column: Option<&str>) -> Result<usize, MatchFault> {
    let Some(name) = id_column else { return Ok(0) };
    let found = table.header.iter().position(|header| header == name);
    found.ok_or_else(|| unknown_column(&table.name, name, table.header.iter().map(String::as_str)))
}

fn unknown_column<'h>(
    table: &str,
    name: &str,
    headers: impl Iterator<Item = &'h str> + Clone,
) -> MatchFault {
    let hint = did_you_mean(name, headers.clone()).map_or_else(
        || format!("its columns are: {}", headers.collect::<Vec<_>>().join(", ")),
        |near| format!("did you mean `{near}`?"),
    );
    MatchFault::Usage(format!("{table}: there is no column `{name}`\nhint: {hint}"))
}

/// Profiles the columns of `sheet` and pins those that somebody knows.
fn profiled(sheet: &Sheet, job: &MatchJob<'_>, lists: &Lists) -> Result<Vec<Profile>, MatchFault> {
    let mut profiles = profile(sheet, lists);
    for (name, kind) in job.pinned {
        let found = sheet.columns.iter().position(|column| column.header == *name);
        let headers = || sheet.columns.iter().map(|column| column.header.as_str());
        let at = found.ok_or_else(|| unknown_column(&job.inputs[0].name, name, headers()))?;
        profiles[at] = Profile { kind: *kind, because: "pinned" };
    }
    if profiles.iter().all(|one| one.kind == Kind::Ignored) {
        let headers: Vec<&str> =
            sheet.columns.iter().map(|column| column.header.as_str()).collect();
        return Err(MatchFault::Usage(format!(
            "{}: no column tells records apart; looked for names, companies, e-mail addresses, phone numbers, \
             dates of birth, ids, streets, towns and postcodes in: {}\nhint: say what a column holds with --as \
             COLUMN=KIND; kinds are {}",
            job.inputs[0].name,
            headers.join(", "),
            Kind::words().collect::<Vec<_>>().join(", ")
        )));
    }
    Ok(profiles)
}

/// Puts two lists below each other: the first column of a kind of one beside the first of the other, and so on.
fn linked(tables: &[(Sheet, Vec<Profile>)]) -> (Sheet, Vec<Profile>) {
    let mut slots: Vec<(Kind, usize)> = Vec::new();
    let mut names: BTreeMap<(Kind, usize), (String, Profile)> = BTreeMap::new();
    let mut places: Vec<Vec<(Kind, usize)>> = Vec::new();
    for (sheet, profiles) in tables {
        let mut seen: FxHashMap<Kind, usize> = FxHashMap::default();
        let mut own = Vec::new();
        for (column, profile) in sheet.columns.iter().zip(profiles) {
            let number = seen.entry(profile.kind).or_default();
            let slot = (profile.kind, *number);
            *number += 1;
            own.push(slot);
            let entry =
                names.entry(slot).or_insert_with(|| (column.header.clone(), profile.clone()));
            if !slots.contains(&slot) {
                slots.push(slot);
            } else if entry.0 != column.header {
                entry.0 = format!("{} / {}", entry.0, column.header);
            }
        }
        places.push(own);
    }
    let mut joined = Sheet::new(slots.iter().map(|slot| names[slot].0.as_str()));
    for (number, ((sheet, _), own)) in tables.iter().zip(&places).enumerate() {
        let columns: Vec<Option<usize>> =
            slots.iter().map(|slot| own.iter().position(|place| place == slot)).collect();
        for row in 0..sheet.len() {
            let cells = columns.iter().map(|at| at.map_or("", |at| sheet.columns[at].text(row)));
            joined.push(&format!("{}{LIST_MARK}{}", number + 1, sheet.ids[row]), cells);
        }
    }
    let profiles = slots.iter().map(|slot| names[slot].1.clone()).collect();
    (joined, profiles)
}

fn expect_unique_ids(sheet: &Sheet) -> Result<(), MatchFault> {
    let mut first: FxHashMap<&str, usize> = FxHashMap::default();
    let mut repeated: Vec<String> = Vec::new();
    let mut count = 0;
    for (row, id) in sheet.ids.iter().enumerate() {
        if let Some(known) = first.insert(id, row) {
            count += 1;
            if repeated.len() < IDS_SHOWN {
                repeated.push(format!("`{id}` in rows {} and {}", known + 1, row + 1));
            }
        }
    }
    if count == 0 {
        return Ok(());
    }
    let more =
        if count > IDS_SHOWN { format!(" and {} more", count - IDS_SHOWN) } else { String::new() };
    Err(MatchFault::Usage(format!(
        "ids repeat: {}{more}\nhint: each row needs an id of its own; name the column of ids with --id",
        repeated.join(", ")
    )))
}

/// Judges the clusters of `matched` by the truth in a table of ids and entities.
fn judged(
    input: &InputPath,
    matched: &mut Matched,
    rules: &RuleSet,
) -> Result<Quality, MatchFault> {
    let table = PlainTable::open(input, &super::caps(rules), |_| false)?;
    let mut truth: FxHashMap<String, String> = FxHashMap::default();
    let mut twice = None;
    table.read(|line, cells| {
        if let [id, entity, ..] = cells {
            let known = truth.insert(id.trim().to_owned(), entity.trim().to_owned());
            if known.is_some() && twice.is_none() {
                twice = Some((line, id.trim().to_owned()));
            }
        }
        Ok(())
    })?;
    if let Some((line, id)) = twice {
        return Err(MatchFault::Usage(format!(
            "{}:{line}: id `{id}` stands there a second time\nhint: the truth names each id once",
            table.name
        )));
    }
    let (mut found, mut entities, mut uncovered) = (Vec::new(), Vec::new(), Vec::new());
    let mut numbers: FxHashMap<&str, u32> = FxHashMap::default();
    for (row, id) in matched.sheet.ids.iter().enumerate() {
        match truth.get(&**id) {
            Some(entity) => {
                let next = numbers.len() as u32;
                entities.push(*numbers.entry(entity).or_insert(next));
                found.push(matched.matching.clusters[row]);
            }
            None => uncovered.push(&**id),
        }
    }
    let shown = uncovered.iter().take(IDS_SHOWN).copied().collect::<Vec<_>>().join(", ");
    if found.is_empty() {
        return Err(MatchFault::Usage(format!(
            "{}: it knows none of the ids ({shown}, …)\nhint: its first column holds the ids, its second who \
             they are",
            table.name
        )));
    }
    if !uncovered.is_empty() {
        matched.warnings.push(format!(
            "{}: it does not know {} of the ids, which are not judged: {shown}{}",
            table.name,
            uncovered.len(),
            if uncovered.len() > IDS_SHOWN { ", …" } else { "" }
        ));
    }
    Ok(evaluate(&found, &entities))
}
