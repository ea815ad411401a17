//! Test sets that others made, run through leadmill's own reader.

use std::fs;

use leadmill::intake::{self, Caps, InputPath};
use leadmill::model::row::RowContent;
use leadmill::rules::{RuleSet, embedded};
use serde_json::{Map, Value};

use super::workspace::package;

/// Reads a table into the objects that its header makes of its rows.
fn objects(path: &std::path::Path, rules: &RuleSet) -> Result<Vec<Value>, String> {
    let input = InputPath::file(path);
    // These tables are no leads, so nothing would recognize them.
    let opened = intake::open(&input, &rules.sources, &Caps::default(), Some("generic-csv"))
        .map_err(|refusal| refusal.to_string())?;
    let header = opened.header.clone();
    let mut objects = Vec::new();
    for row in opened.rows() {
        let row = row.map_err(|refusal| refusal.to_string())?;
        if let RowContent::Rejected(rejection) = row.content {
            return Err(format!("line {}: {}", row.origin.line, rejection.message));
        }
        let cells: Vec<String> =
            serde_json::from_str(&row.raw).map_err(|fault| fault.to_string())?;
        let pairs = header.iter().cloned().zip(cells.into_iter().map(Value::from));
        objects.push(Value::Object(pairs.collect::<Map<_, _>>()));
    }
    Ok(objects)
}

#[test]
fn csv_spectrum_passes_whole() {
    let (rules, _) = RuleSet::parse(&embedded::texts()).unwrap();
    let folder = package().join("tests/outside/csv-spectrum");
    let mut names: Vec<String> = fs::read_dir(folder.join("csvs"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(names.len(), 12, "{names:?}");
    let failed: Vec<String> = names
        .iter()
        .filter_map(|name| {
            let expected = fs::read_to_string(folder.join(format!("json/{name}.json"))).unwrap();
            // One of them holds its only object without a list around it.
            let expected = match serde_json::from_str(&expected).unwrap() {
                Value::Array(objects) => objects,
                object => vec![object],
            };
            let found = objects(&folder.join(format!("csvs/{name}.csv")), &rules);
            (found.as_ref() != Ok(&expected)).then(|| format!("{name}: {found:?}"))
        })
        .collect();
    assert_eq!(failed, Vec::<String>::new(), "{} of 12 pass", 12 - failed.len());
}
