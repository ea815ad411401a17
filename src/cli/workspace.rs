//! Where things are: the workspace, its rules, its store, its output.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;

use super::{clock, terminal};
use crate::intake::{InputPath, locate_file};
use crate::report::mask::Mask;
use crate::rules::RuleSet;
use crate::rules::decode::duration_seconds;
use crate::rules::diagnostics::{Diagnostics, RuleText, did_you_mean};
use crate::rules::embedded;
use crate::store::Store;
use crate::store::totals::Load;

/// Options that every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Workspace")]
pub struct Global {
    /// Folder with rules/, inbox/, out/ and leadmill.db.
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "LEADMILL_WORKSPACE",
        default_value = "."
    )]
    pub workspace: PathBuf,
    /// Rules, instead of DIR/rules; files it lacks are the shipped ones.
    #[arg(long, global = true, value_name = "DIR")]
    pub rules: Option<PathBuf>,
    /// Store, instead of DIR/leadmill.db.
    #[arg(long, global = true, value_name = "FILE")]
    pub store: Option<PathBuf>,
    /// Output folder, instead of DIR/out.
    #[arg(long, global = true, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// The instant that counts as now, such as 2026-11-22T06:00:00Z; default: the clock.
    #[arg(long, global = true, value_name = "INSTANT")]
    pub as_of: Option<String>,
    /// Mask people in everything that is shown: a***@p***.pl, +48*******01, names as initials.
    #[arg(long, global = true)]
    pub mask: bool,
    /// Say nothing but errors and results.
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

/// The user asked for something that cannot be: exit code 2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageError(pub String);

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

impl Global {
    /// Returns where the store is.
    pub fn store_path(&self) -> PathBuf {
        self.store.clone().unwrap_or_else(|| self.workspace.join("leadmill.db"))
    }

    /// Returns where runs are published.
    pub fn out_path(&self) -> PathBuf {
        self.out.clone().unwrap_or_else(|| self.workspace.join("out"))
    }

    /// Refuses to put files out into a file.
    pub fn expect_out_folder(&self) -> Result<()> {
        let out = self.out_path();
        let found = out.ancestors().find(|path| path.exists());
        let Some(file) = found.filter(|path| path.is_file()) else { return Ok(()) };
        Err(UsageError(format!(
            "{} is a file, and files are put out into a folder; nothing was done\nhint: let `--out` name a folder",
            file.display()
        ))
        .into())
    }

    /// Returns where the rules are.
    pub fn rules_path(&self) -> PathBuf {
        self.rules.clone().unwrap_or_else(|| self.workspace.join("rules"))
    }

    /// Returns where exports wait.
    pub fn inbox_path(&self) -> PathBuf {
        self.workspace.join("inbox")
    }

    /// Compiles the rules of the workspace over the shipped ones, and says which they are.
    ///
    /// # Errors
    /// [`Diagnostics`](crate::rules::diagnostics::Diagnostics) with all mistakes.
    pub fn rules(&self) -> Result<RuleSet> {
        if self.workspace.is_file() {
            let path = self.workspace.display();
            return Err(UsageError(format!("the workspace {path} is a file, not a folder")).into());
        }
        let (texts, own) = self.rule_texts()?;
        let (rules, warnings) = self.parse(&texts)?;
        if !self.quiet {
            if !warnings.is_empty() {
                terminal::say(
                    warnings.render(terminal::stderr_has_color(), terminal::width()).trim_end(),
                );
            }
            if own == 0 {
                terminal::say("using the shipped rules (no rules folder here)");
            }
        }
        Ok(rules)
    }

    /// Returns all rule texts and how many of them are the workspace's own.
    pub fn rule_texts(&self) -> Result<(Vec<RuleText>, usize)> {
        match &self.rules {
            Some(folder) if !folder.is_dir() => {
                Err(UsageError(format!("{} is no folder", folder.display())).into())
            }
            Some(folder) => texts_over_shipped(folder),
            None => texts_over_shipped(&self.workspace.join("rules")),
        }
    }

    /// Compiles `texts`, which are those of [`Self::rule_texts`].
    ///
    /// # Errors
    /// All mistakes, in files that are called as they lie on the disk.
    pub fn parse(&self, texts: &[RuleText]) -> Result<(RuleSet, Diagnostics), Diagnostics> {
        parse_of(&self.rules_path(), texts)
    }

    /// Compiles the rules of the workspace whatever `--rules` says.
    ///
    /// # Errors
    /// As [`Self::rules`].
    pub fn own_rules(&self) -> Result<RuleSet> {
        let folder = self.workspace.join("rules");
        Ok(parse_of(&folder, &texts_over_shipped(&folder)?.0)?.0)
    }

    /// Returns how the rule file `path` is called on the disk; a shipped one keeps its name.
    pub fn rule_file(&self, path: &str) -> String {
        called_in(&self.rules_path(), path)
    }

    /// Returns whether `rules/` of the workspace is what holds, and has a file `name` of its own.
    pub fn has_own_rule_file(&self, name: &str) -> bool {
        self.rules.is_none() && self.workspace.join("rules").join(name).is_file()
    }

    /// Refuses a `source` that is no preset, with a suggestion.
    pub fn expect_source(rules: &RuleSet, source: Option<&str>) -> Result<()> {
        let Some(source) = source.filter(|id| rules.sources.get(id).is_none()) else {
            return Ok(());
        };
        let ids: Vec<&str> = rules.sources.iter().map(|preset| preset.id.as_str()).collect();
        let hint = did_you_mean(source, ids.iter().copied()).map_or_else(
            || format!("known sources: {}", ids.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        Err(UsageError(format!("there is no source `{source}`\nhint: {hint}")).into())
    }

    /// Refuses an `owner` whom neither the rules nor the store know, with a suggestion and all who are known.
    pub fn expect_owner(rules: &RuleSet, store: &Store, owner: Option<&str>) -> Result<()> {
        let ids = rules.routing.owners.iter().map(|known| known.id.clone());
        expect_known("owner", owner, ids, store, |load| load.is_owner)
    }

    /// Refuses a `queue` that neither the rules nor the store know, with a suggestion and all that are known.
    pub fn expect_queue(rules: &RuleSet, store: &Store, queue: Option<&str>) -> Result<()> {
        let ids = rules.routing.queues.iter().map(|known| known.id.clone());
        expect_known("queue", queue, ids, store, |load| !load.is_owner)
    }

    /// Masks people in everything that is printed from here on, if that was asked for: by the names that the store
    /// knows, but for those of owners.
    pub fn mask_people(&self) -> Result<()> {
        if !self.mask {
            return Ok(());
        }
        let names = match Store::open_read_only(&self.store_path()) {
            Ok(store) => store.names()?,
            // Whatever is wrong with the store is for the command to say.
            Err(_) => Vec::new(),
        };
        let owners = match self.rule_texts().map(|(texts, _)| RuleSet::parse(&texts)) {
            Ok(Ok((rules, _))) => {
                rules.routing.owners.iter().map(|owner| owner.id.clone()).collect()
            }
            _ => Vec::new(),
        };
        let names = names.iter().map(String::as_str);
        terminal::mask_by(Mask::of_names(names, owners.iter().map(String::as_str)));
        Ok(())
    }

    /// Returns the instant that counts as now.
    pub fn now(&self, rules: &RuleSet) -> Result<DateTime<Utc>> {
        clock::as_of(self.as_of.as_deref(), rules.workspace.zone)
            .map_err(|message| UsageError(message).into())
    }

    /// Opens the store for reading.
    pub fn read_store(&self) -> Result<Store> {
        Store::open_read_only(&self.store_path())
    }
}

/// Leads may still be with somebody who has left the rules since, so the store is asked, too.
fn expect_known(
    what: &str,
    asked: Option<&str>,
    in_rules: impl Iterator<Item = String>,
    store: &Store,
    is_one: impl Fn(&Load) -> bool,
) -> Result<()> {
    let Some(asked) = asked else { return Ok(()) };
    let mut ids: Vec<String> = in_rules.collect();
    if ids.iter().any(|id| id == asked) {
        return Ok(());
    }
    ids.extend(store.load(0)?.into_iter().filter(|load| is_one(load)).map(|load| load.who));
    ids.sort();
    ids.dedup();
    if ids.iter().any(|id| id == asked) {
        return Ok(());
    }
    let near = did_you_mean(asked, ids.iter().map(String::as_str))
        .map_or_else(String::new, |near| format!("did you mean `{near}`? "));
    let known = if ids.is_empty() { "none".to_owned() } else { ids.join(", ") };
    Err(UsageError(format!("there is no {what} `{asked}`\nhint: {near}known {what}s: {known}"))
        .into())
}

/// Reads how long something is to be; `option` is the one that says so.
pub fn duration(option: &str, text: &str) -> Result<TimeDelta> {
    let seconds = duration_seconds(text).filter(|seconds| *seconds > 0);
    seconds.and_then(TimeDelta::try_seconds).ok_or_else(|| {
        UsageError(format!("--{option} {text} is not a time\nhint: write it like 36h, 30d or 12w"))
            .into()
    })
}

/// Returns the shipped rule texts with those of `folder` in their place, and how many these are.
fn texts_over_shipped(folder: &Path) -> Result<(Vec<RuleText>, usize)> {
    let mut texts = embedded::texts();
    if !folder.is_dir() {
        return Ok((texts, 0));
    }
    let own = read_rules(folder)?;
    let count = own.len();
    if count > 0 {
        // The shipped tests say what the shipped rules do; nobody else's rules have to.
        texts.retain(|shipped| !shipped.path.starts_with("rules/tests/"));
    }
    for text in own {
        match texts.iter_mut().find(|shipped| shipped.path == text.path) {
            Some(shipped) => *shipped = text,
            None => texts.push(text),
        }
    }
    Ok((texts, count))
}

fn parse_of(folder: &Path, texts: &[RuleText]) -> Result<(RuleSet, Diagnostics), Diagnostics> {
    let name = |path: &str| called_in(folder, path);
    match RuleSet::parse(texts) {
        Ok((rules, warnings)) => Ok((rules, warnings.named(name))),
        Err(mistakes) => Err(mistakes.named(name)),
    }
}

/// Returns how the rule file `path` is called that may lie in `folder`.
fn called_in(folder: &Path, path: &str) -> String {
    let inside = path.split_once('/').map_or(path, |(_, inside)| inside);
    let file = folder.join(inside);
    if !file.is_file() {
        return path.to_owned();
    }
    let name = file.display().to_string().replace('\\', "/");
    name.strip_prefix("./").map(str::to_owned).unwrap_or(name)
}

/// Reads every `.toml` and `.txt` file below `folder`, named as if the folder were called `rules`.
fn read_rules(folder: &Path) -> Result<Vec<RuleText>> {
    let mut texts = Vec::new();
    let mut folders = vec![(folder.to_owned(), "rules".to_owned())];
    while let Some((folder, name)) = folders.pop() {
        let entries =
            fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("cannot read {}", folder.display()))?;
            let path = entry.path();
            let Some(file_name) = entry.file_name().to_str().map(str::to_owned) else { continue };
            if file_name.starts_with('.') {
                continue;
            }
            let name = format!("{name}/{file_name}");
            if path.is_dir() {
                folders.push((path, name));
            } else if path.extension().is_some_and(|kind| kind == "toml" || kind == "txt") {
                let text = read_text(&path)?;
                texts.push(RuleText { path: name.into(), text: text.into() });
            }
        }
    }
    texts.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(texts)
}

fn read_text(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|fault| match fault.kind() {
        std::io::ErrorKind::InvalidData => UsageError(format!(
            "{} is not UTF-8\nhint: save it in that encoding; rules are read in no other",
            path.display()
        ))
        .into(),
        _ => anyhow::Error::from(fault).context(format!("cannot read {}", path.display())),
    })
}

/// Returns the one file that `argument` names, or standard input.
pub fn the_file(argument: &str) -> Result<InputPath> {
    locate_file(argument).map_err(|problem| {
        UsageError(format!("{}\nhint: {}", problem.message, problem.hint)).into()
    })
}
