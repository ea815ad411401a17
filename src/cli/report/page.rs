//! `leadmill report html`

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::cli::output::written;
use crate::cli::terminal;
use crate::cli::workspace::{Global, UsageError};
use crate::model::language::Language;
use crate::pipeline::page::page_of_store;
use crate::report::html;
use crate::rules::RuleSet;
use crate::store::Store;

#[derive(Debug, Args)]
pub(super) struct OfPage {
    /// Where the page is to go, instead of stdout.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Language of the page; default: `language` in workspace.toml.
    #[arg(long, value_parser = language())]
    lang: Option<Language>,
}

fn language() -> impl TypedValueParser<Value = Language> {
    PossibleValuesParser::new(Language::ALL.iter().map(|(word, _)| *word))
        .map(|word| Language::of(&word).expect("only known words come through"))
}

impl OfPage {
    pub(super) fn print(&self, global: &Global, store: &Store, rules: &RuleSet) -> Result<()> {
        self.expect_no_store(global)?;
        // A run may go on meanwhile; what is read one after the other must be of one state.
        store.begin_reading()?;
        let page = page_of_store(store, rules, global.now(rules)?)?;
        let page = html::render(&page, self.lang.unwrap_or(rules.workspace.language))?;
        match &self.output {
            Some(path) => written(path, &|out| Ok(out.write_all(page.as_bytes())?)),
            None => terminal::print(page.trim_end()),
        }
    }

    fn expect_no_store(&self, global: &Global) -> Result<()> {
        let Some(path) = &self.output else { return Ok(()) };
        let refused = |why: &str| {
            let hint = "write --output to a file of its own, such as report.html";
            Err(UsageError(format!("--output {} {why}\nhint: {hint}", path.display())).into())
        };
        let is_store = path
            .canonicalize()
            .is_ok_and(|path| global.store_path().canonicalize().is_ok_and(|store| store == path));
        match path {
            _ if is_store => refused("is the store"),
            path if path.is_dir() => refused("is a folder"),
            _ => Ok(()),
        }
    }
}
