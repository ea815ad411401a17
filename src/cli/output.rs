//! What commands write where they are told to, and in which language.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context as _, Result};
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::terminal;
use crate::delivery::publication::{folder_of, sync_folder};
use crate::model::language::Language;

/// Returns what reads a language off the command line.
pub fn language() -> impl TypedValueParser<Value = Language> {
    PossibleValuesParser::new(Language::ALL.iter().map(|(word, _)| *word))
        .map(|word| Language::of(&word).expect("only known words come through"))
}

/// Writes a file whole or not at all, with everybody in it masked when that was asked for.
pub fn written(path: &Path, write: &dyn Fn(&mut dyn Write) -> Result<()>) -> Result<()> {
    if !terminal::masks() {
        return written_as_it_is(path, write);
    }
    let mut bytes = Vec::new();
    write(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    written_as_it_is(path, &|out| Ok(out.write_all(terminal::shown(&text).as_bytes())?))
}

/// Writes a file whole or not at all.
pub fn written_as_it_is(path: &Path, write: &dyn Fn(&mut dyn Write) -> Result<()>) -> Result<()> {
    let context = || format!("cannot write {}", path.display());
    // A pipe or a device cannot be replaced, only written to.
    let is_special = path.metadata().is_ok_and(|found| !found.is_file());
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let draft = path.with_file_name(format!(".{name}.{}.part", std::process::id()));
    let written_to = if is_special { path } else { draft.as_path() };
    let outcome = create(written_to).map_err(anyhow::Error::from).and_then(|file| {
        let mut out = BufWriter::new(file);
        write(&mut out)?;
        out.flush()?;
        if !is_special {
            // What takes another file's place must be on the disk before it does.
            out.get_ref().sync_all()?;
        }
        Ok(())
    });
    if is_special {
        return outcome.with_context(context);
    }
    let outcome = outcome.and_then(|()| Ok(std::fs::rename(&draft, path)?));
    if outcome.is_err() {
        let _ = std::fs::remove_file(&draft);
    }
    // Its name must be there after a crash, too.
    outcome.and_then(|()| sync_folder(folder_of(path))).with_context(context)
}

/// Opens a file for its owner alone: most of what is written here is about people.
fn create(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
