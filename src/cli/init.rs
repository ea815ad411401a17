//! `leadmill init`

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;

use super::rules::write_schemas;
use super::workspace::{Global, UsageError};
use super::{Outcome, terminal};
use crate::rules::embedded;

/// Make a starter workspace: rules, an inbox with a sample, a place for output.
///
/// Files that are there already are left as they are.
#[derive(Debug, Args)]
pub struct Init {
    /// Folder to make; default: the workspace.
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

const SAMPLE: &str = "\
Data zgłoszenia,Imię i nazwisko,E-mail,Telefon,Firma,Stanowisko,Wiadomość,Zgoda na kontakt marketingowy
2026-11-20 09:12:00,Anna Wzorcowa,anna.wzorcowa@przyklad.pl,600 000 101,Przykład sp. z o.o.,Dyrektor sprzedaży,Proszę o wycenę dla 40 osób,tak
2026-11-20 10:40:00,Jan Przykładowy,jan.przykladowy@example.com,+48 600 000 102,,,Jakie macie ceny?,
";

impl Init {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        let folder = self.folder.as_ref().unwrap_or(&global.workspace);
        if folder.is_file() {
            return Err(UsageError(format!("{} is a file, not a folder", folder.display())).into());
        }
        let mut made = 0;
        for (path, text) in embedded::FILES {
            made += u32::from(write_new(&folder.join(path), text)?);
        }
        made += u32::from(write_new(&folder.join("inbox/sample.csv"), SAMPLE)?);
        if !folder.join("rules/.schema").exists() {
            made += write_schemas(folder, &embedded::texts())?.schemas as u32;
        }
        fs::create_dir_all(folder.join("out"))
            .with_context(|| format!("cannot create {}", folder.join("out").display()))?;
        terminal::print(&format!(
            "{made} files made in {}\nnext: put exports into {} and run\n  leadmill --workspace {} run",
            folder.display(),
            folder.join("inbox").display(),
            folder.display()
        ))?;
        Ok(0)
    }
}

/// Writes `text` to `path` unless something is there; returns whether it wrote.
fn write_new(path: &Path, text: &str) -> Result<bool> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
    }
    match fs::OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => {
            file.write_all(text.as_bytes())
                .with_context(|| format!("cannot write {}", path.display()))?;
            Ok(true)
        }
        Err(fault) if fault.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(fault) => Err(fault).with_context(|| format!("cannot create {}", path.display())),
    }
}
