//! `leadmill rules`

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand, ValueEnum};

use super::workspace::{Global, UsageError};
use super::{Outcome, terminal};
use crate::report::to_csv;
use crate::rules::condition::vocabulary::{Term, Vocabulary, operators};
use crate::rules::diagnostics::{RuleText, did_you_mean};
use crate::rules::schema::{file_of, schemas};
use crate::rules::shape::kind_of_file;

/// Help with writing rules: what conditions can look at, and schemas for editors.
#[derive(Debug, Args)]
pub struct Rules {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List what a condition can look at: fields, derived fields, page views and events.
    Fields {
        /// Only those whose name or description has this in it.
        #[arg(value_name = "WORD")]
        word: Option<String>,
        /// How to write it.
        #[arg(long, value_enum, default_value = "table")]
        format: FieldsFormat,
    },
    /// Print the JSON schema of a rule file, for editors that know TOML (taplo, Even Better TOML).
    ///
    /// With `--all` all of them are written into a folder, and a file for taplo that says which belongs to
    /// which rule file.
    Schema {
        /// The rule file, such as `scoring` or `rules/sources/meta.toml`.
        #[arg(value_name = "FILE", required_unless_present = "all")]
        file: Option<String>,
        /// Write all schemas into rules/.schema of the workspace, and .taplo.toml beside rules.
        #[arg(long, conflicts_with = "file")]
        all: bool,
    },
}

/// How the list of fields is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FieldsFormat {
    /// For people.
    Table,
    /// For spreadsheets.
    Csv,
    /// For programs.
    Json,
}

impl Rules {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        match &self.what {
            What::Fields { word, format } => fields(global, word.as_deref(), *format),
            What::Schema { file, all: _ } => match file {
                Some(file) => print_schema(global, file),
                None => {
                    let written = write_schemas(&global.workspace, &global.rule_texts()?.0)?;
                    let named =
                        if written.are_named { "named in" } else { "but others are named in" };
                    terminal::print(&format!(
                        "{} in {}, {named} {}",
                        terminal::count(written.schemas, "schema", "schemas"),
                        schema_folder(&global.workspace).display(),
                        global.workspace.join(TAPLO).display()
                    ))?;
                    if !written.are_named {
                        terminal::print(&format!(
                            "hint: {TAPLO} was left as it is; without it, this command writes it"
                        ))?;
                    }
                    Ok(0)
                }
            },
        }
    }
}

fn fields(global: &Global, word: Option<&str>, format: FieldsFormat) -> Outcome {
    let rules = global.rules()?;
    let vocabulary = Vocabulary::of(&rules);
    let word = word.map(str::to_lowercase);
    let fits = |term: &&Term| {
        word.as_ref().is_none_or(|word| {
            term.name.contains(word) || term.because.to_lowercase().contains(word)
        })
    };
    let terms: Vec<&Term> = vocabulary.iter().filter(fits).collect();
    let cells = |term: &Term, separator: &str| {
        [
            &term.name,
            term.what,
            &term.kind,
            &term.operators.join(separator),
            &term.values.join(separator),
            &term.because,
            &term.example,
        ]
        .map(str::to_owned)
        .to_vec()
    };
    match format {
        FieldsFormat::Json => terminal::print(&serde_json::to_string(&terms)?)?,
        FieldsFormat::Csv => {
            let header = ["name", "what", "kind", "operators", "values", "because", "example"];
            let mut rows = vec![header.map(str::to_owned).to_vec()];
            rows.extend(terms.iter().map(|term| cells(term, "; ")));
            terminal::print(to_csv(&rows)?.trim_end())?;
        }
        FieldsFormat::Table => {
            let mut rows =
                vec![["name", "kind", "what it is", "for example"].map(str::to_owned).to_vec()];
            rows.extend(terms.iter().map(|term| {
                // The name stands in front already.
                let named = format!("{{ field = \"{}\", ", term.name);
                let example =
                    term.example.strip_prefix(&named).and_then(|rest| rest.strip_suffix(" }"));
                let example = example.unwrap_or(&term.example);
                [&term.name, &term.kind, &term.because, example].map(str::to_owned).to_vec()
            }));
            terminal::print(&terminal::table(&rows, &[]))?;
            if word.is_none() {
                let mut rows = vec![["operator", "asks whether"].map(str::to_owned).to_vec()];
                rows.extend(
                    operators().map(|(word, asks)| [word, asks].map(str::to_owned).to_vec()),
                );
                terminal::print("")?;
                terminal::print(&terminal::table(&rows, &[]))?;
            }
        }
    }
    Ok(0)
}

fn print_schema(global: &Global, file: &str) -> Outcome {
    let schemas = schemas(&global.rule_texts()?.0);
    let inside = file.strip_prefix("rules/").unwrap_or(file);
    let kind = kind_of_file(&format!("rules/{inside}"));
    let Some(schema) = schemas.get(&kind) else {
        let hint = did_you_mean(&kind, schemas.keys().map(String::as_str)).map_or_else(
            || format!("one of: {}", schemas.keys().cloned().collect::<Vec<_>>().join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        return Err(UsageError(format!("no schema for `{file}`\nhint: {hint}")).into());
    };
    terminal::print(&serde_json::to_string_pretty(schema)?)?;
    Ok(0)
}

/// The file in which taplo looks for schemas.
const TAPLO: &str = ".taplo.toml";

fn schema_folder(workspace: &Path) -> PathBuf {
    workspace.join("rules").join(".schema")
}

/// Schemas that were written.
pub(super) struct Written {
    /// How many.
    pub(super) schemas: u64,
    /// Whether the file that editors look into names just these.
    pub(super) are_named: bool,
}

/// Writes the schemas of `texts` into `workspace`, and where there is none yet the file that names them.
pub(super) fn write_schemas(workspace: &Path, texts: &[RuleText]) -> Result<Written> {
    let folder = schema_folder(workspace);
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let mut taplo =
        "# Written by `leadmill rules schema --all`: which schema editors hold rule files against.\n".to_owned();
    let schemas = schemas(texts);
    for (kind, schema) in &schemas {
        let path = folder.join(format!("{kind}.json"));
        fs::write(&path, serde_json::to_string_pretty(schema)? + "\n")
            .with_context(|| format!("cannot write {}", path.display()))?;
        let (file, schema) = (file_of(kind), format!("./rules/.schema/{kind}.json"));
        let rule = format!("include = [\"rules/{file}\"]\n[rule.schema]\npath = \"{schema}\"\n");
        taplo.push_str("\n[[rule]]\n");
        taplo.push_str(&rule);
    }
    let path = workspace.join(TAPLO);
    let are_named = if path.exists() {
        fs::read_to_string(&path).is_ok_and(|known| known == taplo)
    } else {
        fs::write(&path, taplo).with_context(|| format!("cannot write {}", path.display()))?;
        true
    };
    Ok(Written { schemas: schemas.len() as u64, are_named })
}
