//! Tables with the truth about them: generated here or found in a folder.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use leadmill::identity::matching::evaluation::{Quality, evaluate};

use super::{invention::leads::Leads, measure::notice};

/// Clusters by id. Only equality of the numbers means something.
pub type Clusters = HashMap<String, u32>;

/// A table and the truth about it.
pub struct LabelledSet {
    pub name: String,
    pub table: PathBuf,
    pub truth: PathBuf,
}

impl LabelledSet {
    /// Returns the name of the settings that the reference has for the set, none where it has none.
    pub fn splink_settings(&self) -> Option<&'static str> {
        match self.name.as_str() {
            "historical_50k" => Some("historical"),
            "febrl3" => Some("febrl3"),
            name if name.starts_with("leads") => Some("leads"),
            _ => None,
        }
    }
}

/// Generates leads of every size in every world.
pub fn generated(
    sizes: &[usize],
    seeds: &[u64],
    scratch: &Path,
) -> anyhow::Result<Vec<LabelledSet>> {
    let mut sets = Vec::new();
    for &count in sizes {
        for &seed in seeds {
            let name = format!("leads {count}, seed {seed}");
            notice(&format!("generating {name}"));
            let texts = Leads { count, seed }.invent();
            let stem = format!("leads-{count}-{seed}");
            let (table, truth) =
                (scratch.join(format!("{stem}.csv")), scratch.join(format!("{stem}.truth.csv")));
            fs::write(&table, texts.leads)?;
            fs::write(&truth, texts.truth)?;
            sets.push(LabelledSet { name, table, truth });
        }
    }
    Ok(sets)
}

/// Returns every `NAME.csv` of a folder that has a `NAME.truth.csv` beside it, by name.
pub fn labelled_sets(folder: &Path) -> anyhow::Result<Vec<LabelledSet>> {
    let mut sets = Vec::new();
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let table = entry?.path();
        let name = table.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some(name) = name.strip_suffix(".csv") else { continue };
        let truth = folder.join(format!("{name}.truth.csv"));
        if truth.is_file() {
            sets.push(LabelledSet { name: name.to_owned(), table, truth });
        }
    }
    sets.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(sets)
}

/// Who each record really is.
pub struct Truth {
    ids: Vec<String>,
    entities: Vec<u32>,
}

impl Truth {
    /// Reads a table of ids and entities.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let (mut ids, mut entities) = (Vec::new(), Vec::new());
        let mut numbers = Numbers::default();
        for (id, entity) in pairs(path, 1)? {
            ids.push(id);
            entities.push(numbers.of(entity));
        }
        ensure!(!ids.is_empty(), "{} holds no truth", path.display());
        Ok(Self { ids, entities })
    }

    /// Judges clusters; every record that the truth knows must be in one.
    pub fn judge(&self, found: &Clusters) -> anyhow::Result<Quality> {
        let clusters: Option<Vec<u32>> = self.ids.iter().map(|id| found.get(id).copied()).collect();
        let clusters = clusters.context("a record of the truth is in no cluster")?;
        Ok(evaluate(&clusters, &self.entities))
    }
}

/// Reads clusters from the column of a table whose first column is the id.
pub fn clusters(path: &Path, column: usize) -> anyhow::Result<Clusters> {
    let mut numbers = Numbers::default();
    Ok(pairs(path, column)?.into_iter().map(|(id, name)| (id, numbers.of(name))).collect())
}

fn pairs(path: &Path, column: usize) -> anyhow::Result<Vec<(String, String)>> {
    let context = || format!("cannot read {}", path.display());
    let mut reader = csv::Reader::from_path(path).with_context(context)?;
    let mut pairs = Vec::new();
    for record in reader.records() {
        let record = record.with_context(context)?;
        let cell = |at| record.get(at).unwrap_or_default().trim().to_owned();
        pairs.push((cell(0), cell(column)));
    }
    Ok(pairs)
}

/// Numbers names as they come.
#[derive(Default)]
struct Numbers(HashMap<String, u32>);

impl Numbers {
    fn of(&mut self, name: String) -> u32 {
        let next = self.0.len() as u32;
        *self.0.entry(name).or_insert(next)
    }
}
