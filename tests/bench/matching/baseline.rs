//! What most teams do: rows with one e-mail address or one phone number are one person.

use std::{collections::HashMap, path::Path};

use anyhow::Context;

use super::sets::Clusters;

/// Joins the rows that share an address (in any case) or the digits of a number, and whatever hangs together
/// through them. None where no header speaks of either.
pub fn exact_keys(table: &Path) -> anyhow::Result<Option<Clusters>> {
    let context = || format!("cannot read {}", table.display());
    // Some public sets have rows that are too long.
    let mut reader =
        csv::ReaderBuilder::new().flexible(true).from_path(table).with_context(context)?;
    let keys: Vec<Key> = reader.headers().with_context(context)?.iter().map(key_of).collect();
    if keys.iter().all(|key| *key == Key::None) {
        return Ok(None);
    }
    let (mut ids, mut parents) = (Vec::new(), Vec::new());
    let mut holders: HashMap<(Key, String), usize> = HashMap::new();
    for record in reader.byte_records() {
        let record = record.with_context(context)?;
        let row = parents.len();
        parents.push(row);
        ids.push(String::from_utf8_lossy(&record[0]).trim().to_owned());
        for (key, cell) in keys.iter().zip(record.iter()) {
            let Some(value) = value(*key, &String::from_utf8_lossy(cell)) else { continue };
            let holder = *holders.entry((*key, value)).or_insert(row);
            let (ours, theirs) = (root(&mut parents, row), root(&mut parents, holder));
            parents[ours.max(theirs)] = ours.min(theirs);
        }
    }
    let clusters =
        ids.into_iter().enumerate().map(|(row, id)| (id, root(&mut parents, row) as u32));
    Ok(Some(clusters.collect()))
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Email,
    Phone,
    None,
}

fn key_of(header: &str) -> Key {
    let header = header.to_lowercase();
    let speaks_of = |words: &[&str]| words.iter().any(|word| header.contains(word));
    if speaks_of(&["email", "e-mail"]) {
        Key::Email
    } else if speaks_of(&["phone", "telefon"]) {
        Key::Phone
    } else {
        Key::None
    }
}

fn value(key: Key, cell: &str) -> Option<String> {
    let value = match key {
        Key::Email => cell.trim().to_lowercase(),
        Key::Phone => cell.chars().filter(char::is_ascii_digit).collect(),
        Key::None => String::new(),
    };
    (!value.is_empty()).then_some(value)
}

fn root(parents: &mut [usize], mut row: usize) -> usize {
    while parents[row] != row {
        parents[row] = parents[parents[row]];
        row = parents[row];
    }
    row
}
