//! `leadmill sniff`

use std::borrow::Cow;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;
use serde_json::{Value, json};

use super::workspace::{Global, UsageError, the_file};
use super::{Outcome, terminal};
use crate::intake::{ChosenBy, Column, InputPath, OpenInput, Refusal, RoleOrigin, expand};
use crate::model::field::{self, FieldNo};
use crate::model::lead::display_name;
use crate::model::moment::{DateOrder, utc_from_ms};
use crate::model::row::{Origin, Role};
use crate::normalization::date_order::ColumnOrder;
use crate::pipeline::sniff::{Drafted, Findings, draft, id_from, judge};
use crate::pipeline::{caps, open_input};
use crate::rules::RuleSet;

/// Stands for a draft that goes to stdout.
const TO_STDOUT: &str = "-";
/// Characters of a value that is shown.
const VALUE_CHARS: usize = 60;
/// Characters of a header that are shown; a question may be a whole sentence.
const HEADER_CHARS: usize = 44;
/// What a person is called by, which `--mask` shows of nobody, known to the store or not.
const NAMES: [FieldNo; 2] = [field::FIRST_NAME, field::LAST_NAME];

/// Show what intake understands of a file, and what a run would make of its rows.
///
/// Stores nothing. Of a zip archive every export in it is shown; with --json each on a line of its own.
/// Exit code 6 when a run would refuse the file.
#[derive(Debug, Args)]
pub struct Sniff {
    /// The file, or `-` for stdin.
    #[arg(value_name = "FILE")]
    file: String,
    /// Read it as this source, whatever it looks like.
    #[arg(long, value_name = "ID")]
    source: Option<String>,
    /// Answer with one JSON object a file.
    #[arg(long)]
    json: bool,
    /// Draft a preset for files like this one, as OUT.toml or on stdout; `leadmill check` takes it from there.
    #[arg(
        long,
        value_name = "OUT.toml",
        num_args = 0..=1,
        default_missing_value = TO_STDOUT,
        conflicts_with_all = ["json", "source"]
    )]
    write_preset: Option<String>,
}

impl Sniff {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        let rules = global.rules()?;
        let as_of = global.now(&rules)?;
        Global::expect_source(&rules, self.source.as_deref())?;
        let input = self.input()?;
        let expansion = expand(&input, &rules.sources, &caps(&rules));
        for name in &expansion.left_out {
            terminal::warning(&format!("{name}: this is no export and was left out"));
        }
        let mut exit_code = 0;
        for (number, input) in expansion.inputs.into_iter().enumerate() {
            if number > 0 && !self.json {
                terminal::print("")?;
            }
            let looked_at = input.and_then(|input| {
                let opened = open_input(&input, &rules, self.source.as_deref())?;
                let about = Description::of(&opened, &rules);
                Ok((input, about, judge(opened, &rules, as_of)?))
            });
            match looked_at {
                Ok((input, about, findings)) if self.write_preset.is_some() => {
                    let out = self.write_preset.as_deref().unwrap_or(TO_STDOUT);
                    Self::write_draft(&input, &about, &findings, &rules, out, global)?;
                }
                Ok((_, about, findings)) if self.json => {
                    terminal::print(&about.json(&findings).to_string())?;
                }
                Ok((_, about, findings)) => about.print(&findings)?,
                Err(refusal) => exit_code = self.refuse(&refusal)?,
            }
        }
        Ok(exit_code)
    }

    fn input(&self) -> Result<InputPath> {
        if self.file == "-" && self.write_preset.is_some() {
            let message =
                "a preset needs a file to be tried on\nhint: save what you pipe in to a file";
            return Err(UsageError(message.to_owned()).into());
        }
        the_file(&self.file)
    }

    fn refuse(&self, refusal: &Refusal) -> Outcome {
        if self.json {
            let verdict = json!({
                "file": refusal.input,
                "refused": refusal.message,
                "hint": refusal.hint,
            });
            terminal::print(&verdict.to_string())?;
        }
        terminal::error(&format!("{refusal}\nhint: {}", refusal.hint));
        Ok(6)
    }

    fn write_draft(
        input: &InputPath,
        about: &Description,
        findings: &Findings,
        rules: &RuleSet,
        out: &str,
        global: &Global,
    ) -> Result<()> {
        let id = id_from(if out == TO_STDOUT { &input.name } else { out });
        if rules.sources.get(&id).is_some() {
            return Err(UsageError(format!(
                "there is a source `{id}` already\nhint: name the draft otherwise: --write-preset \
                 rules/sources/{id}-2.toml"
            ))
            .into());
        }
        let found = Drafted {
            input,
            columns: &about.columns,
            is_json: about.delimiter.is_none(),
            has_header: about.header_line > 0,
            findings,
        };
        let (texts, _) = global.rule_texts()?;
        let text = draft(&id, found, rules, &texts).map_err(|message| {
            UsageError(format!("{}: {message}\nhint: name the source with --source", input.name))
        })?;
        if out == TO_STDOUT {
            return terminal::print(text.trim_end());
        }
        save_new(Path::new(out), &text)?;
        terminal::say(&format!(
            "wrote {out}\nnext: confirm what it marks so, then run `leadmill check` and `leadmill run {}`",
            input.name
        ));
        Ok(())
    }
}

/// Writes a file that must not be there yet.
fn save_new(path: &Path, text: &str) -> Result<()> {
    let naming = || format!("cannot write {}", path.display());
    if let Some(folder) = path.parent().filter(|folder| *folder != PathBuf::new()) {
        fs::create_dir_all(folder).with_context(naming)?;
    }
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => file.write_all(text.as_bytes()).with_context(naming),
        Err(fault) if fault.kind() == std::io::ErrorKind::AlreadyExists => {
            let path = path.display();
            Err(UsageError(format!("{path} is there already\nhint: name another file")).into())
        }
        Err(fault) => Err(fault).with_context(naming),
    }
}

/// What the file is, kept before its rows are read.
struct Description {
    file: String,
    encoding: String,
    has_bom: bool,
    sheet: Option<String>,
    notices: Vec<String>,
    delimiter: Option<char>,
    source: String,
    source_name: String,
    chosen_by: ChosenBy,
    header_line: u32,
    bytes: u64,
    columns: Vec<Column>,
    meanings: Vec<String>,
}

impl Description {
    fn of(input: &OpenInput, rules: &RuleSet) -> Self {
        Self {
            file: input.name.clone(),
            encoding: input.encoding.clone(),
            has_bom: input.has_bom,
            sheet: input.sheet.clone(),
            notices: input.notices.clone(),
            delimiter: input.delimiter,
            source: input.preset.id.clone(),
            source_name: input.preset.name.clone(),
            chosen_by: input.chosen_by,
            header_line: input.header_line,
            bytes: input.bytes,
            columns: input.columns.clone(),
            meanings: input.columns.iter().map(|column| role_text(column.role, rules)).collect(),
        }
    }

    fn delimiter_word(&self) -> String {
        match self.delimiter {
            None if self.sheet.is_some() => "none".to_owned(),
            Some('\t') => "tab".to_owned(),
            Some(other) => other.to_string(),
            None => "json".to_owned(),
        }
    }

    /// Why the file is taken for its source.
    fn reason(&self) -> &'static str {
        match self.chosen_by {
            ChosenBy::Request => "asked for",
            ChosenBy::FileName => "the file's name says so",
            ChosenBy::Folder => "its folder is called so",
            ChosenBy::Marks => "its columns show it",
            ChosenBy::Nothing => "no other source fits",
        }
    }

    /// Why a column means what it means.
    fn because(&self, column: &Column) -> String {
        match column.origin {
            RoleOrigin::Own => "written by leadmill, not read back".to_owned(),
            RoleOrigin::Preset => format!("the source {} says so", self.source),
            RoleOrigin::Alias => "alias in fields.toml".to_owned(),
            RoleOrigin::Generic(_) => "generic-csv knows the name".to_owned(),
            RoleOrigin::Values => "its values look so".to_owned(),
            RoleOrigin::Spare => "another column fits better".to_owned(),
            RoleOrigin::Nothing => "nobody knows the name".to_owned(),
        }
    }

    fn json(&self, findings: &Findings) -> Value {
        let counts = findings.counts;
        let columns: Vec<Value> = self
            .columns
            .iter()
            .zip(&self.meanings)
            .map(|(column, means)| {
                json!({"column": &*column.name, "means": means, "because": self.because(column),
                       "filled": findings.filled.get(&column.name).copied().unwrap_or(0)})
            })
            .collect();
        let problem = |origin: &Origin, code: &str, column: &str, value: &str, message: &str| {
            json!({"record": origin.record, "line": origin.line, "code": code, "column": column,
                   "value": self.shown_value(column, value), "message": message})
        };
        let rejected: Vec<Value> = findings
            .rejected
            .iter()
            .map(|(at, one)| problem(at, one.code, &one.column, &one.value, &one.message))
            .collect();
        let held: Vec<Value> = findings
            .held
            .iter()
            .map(|(at, one)| problem(at, one.reason.word(), &one.column, &one.value, &one.message))
            .collect();
        let notices: Vec<Value> = findings
            .notices
            .iter()
            .map(|(at, one)| problem(at, one.code, &one.column, &one.value, &one.message))
            .collect();
        let consents: Vec<Value> = findings
            .consents
            .iter()
            .map(|(one, rows)| {
                json!({"wording": one.wording, "purpose": one.purpose, "channel": one.channel,
                       "state": one.state, "rows": rows})
            })
            .collect();
        json!({
            "file": self.file,
            "bytes": self.bytes,
            "encoding": self.encoding,
            "bom": self.has_bom,
            "sheet": self.sheet,
            "delimiter": self.delimiter.map(String::from),
            "source": self.source,
            "source_because": self.reason(),
            "header_line": self.header_line,
            "rows": {
                "lead": counts.lead,
                "test": counts.test,
                "held": counts.held,
                "quarantined": counts.quarantined,
                "skipped": counts.skipped,
                "touch": counts.touch,
                "repeated": counts.repeated,
            },
            "columns": columns,
            "dates": findings.date_orders.iter().map(date_order_json).collect::<Vec<_>>(),
            "warnings": self.notices,
            "consents": consents,
            "rejected": rejected,
            "held": held,
            "notices": notices,
            "not_shown": {
                "rejected": counts.quarantined - findings.rejected.len() as u64,
                "held": counts.test + counts.held - findings.held.len() as u64,
                "notices": findings.notices_total - findings.notices.len() as u64,
            },
        })
    }

    fn print(&self, findings: &Findings) -> Result<()> {
        self.print_verdict(findings)?;
        self.print_columns(findings)?;
        for (at, one) in findings.date_orders.iter().enumerate() {
            if at == 0 {
                terminal::print("")?;
            }
            terminal::print_wrapped(&date_order_line(one), 2)?;
        }
        print_consents(findings)?;
        print_first(findings)?;
        print_touches(findings)?;
        if !findings.rejected.is_empty() {
            terminal::print("\nwould go to quarantine")?;
        }
        for (at, one) in &findings.rejected {
            self.print_problem(*at, one.code, &one.column, &one.value, &one.message)?;
        }
        let counts = findings.counts;
        print_more(counts.quarantined, findings.rejected.len())?;
        if !findings.held.is_empty() {
            terminal::print("\nwould be withheld")?;
        }
        for (at, one) in &findings.held {
            self.print_problem(*at, one.reason.word(), &one.column, &one.value, &one.message)?;
        }
        print_more(counts.test + counts.held, findings.held.len())?;
        if !findings.notices.is_empty() {
            terminal::print("\nworth a look")?;
        }
        for (at, one) in &findings.notices {
            self.print_problem(*at, one.code, &one.column, &one.value, &one.message)?;
        }
        print_more(findings.notices_total, findings.notices.len())
    }

    fn print_verdict(&self, findings: &Findings) -> Result<()> {
        let counts = findings.counts;
        let fact = |name: &str, value: String| vec![name.to_owned(), value];
        let bom = if self.has_bom { " with byte order mark" } else { "" };
        for notice in &self.notices {
            terminal::warning(&format!("{}: {notice}", self.file));
        }
        let sheet =
            self.sheet.as_ref().map_or_else(String::new, |name| format!(", sheet `{name}`"));
        let header = if self.header_line == 0 {
            "none".to_owned()
        } else if self.sheet.is_some() {
            format!("row {}", self.header_line)
        } else {
            format!("line {}", self.header_line)
        };
        let facts = [
            fact("file", self.file.clone()),
            fact("source", format!("{} ({}): {}", self.source, self.source_name, self.reason())),
            fact("encoding", format!("{}{bom}{sheet}", self.encoding)),
            fact("delimiter", self.delimiter_word()),
            fact("header", header),
            fact("leads", counts.lead.to_string()),
            fact("tests", counts.test.to_string()),
            fact("held", counts.held.to_string()),
            fact("quarantined", counts.quarantined.to_string()),
            fact("touches", counts.touch.to_string()),
            fact("repeated", counts.repeated.to_string()),
            fact("skipped", counts.skipped.to_string()),
        ];
        terminal::print(&terminal::table(&facts, &[]))
    }

    fn print_columns(&self, findings: &Findings) -> Result<()> {
        let mut rows = vec![["column", "means", "filled", "because"].map(str::to_owned).to_vec()];
        for (column, means) in self.columns.iter().zip(&self.meanings) {
            let filled = findings.filled.get(&column.name).copied().unwrap_or(0);
            rows.push(vec![
                shortened(&column.name, HEADER_CHARS),
                means.clone(),
                filled.to_string(),
                self.because(column),
            ]);
        }
        terminal::print(&format!("\n{}", terminal::table(&rows, &[2])))
    }

    /// Returns what stands in `column` as it may be shown.
    fn shown_value<'v>(&self, column: &str, value: &'v str) -> Cow<'v, str> {
        let is_name = |one: &Column| match one.role {
            Role::FullName => true,
            Role::Field(field) => NAMES.contains(&field),
            _ => false,
        };
        if self.columns.iter().any(|one| &*one.name == column && is_name(one)) {
            terminal::shown_name(value)
        } else {
            Cow::Borrowed(value)
        }
    }

    fn print_problem(
        &self,
        at: Origin,
        code: &str,
        column: &str,
        value: &str,
        message: &str,
    ) -> Result<()> {
        let value = shortened(&self.shown_value(column, value), VALUE_CHARS);
        let column = if column.is_empty() { String::new() } else { format!(", column `{column}`") };
        let value =
            if value.is_empty() { value } else { format!(", value `{}`", value.escape_debug()) };
        let line = at.line;
        terminal::print_wrapped(
            &format!("{}:{line}{column}{value}: {code}: {message}", self.file),
            2,
        )
    }
}

/// Says how many there are beside those `shown`.
fn print_more(total: u64, shown: usize) -> Result<()> {
    match total - shown as u64 {
        0 => Ok(()),
        more => terminal::print(&format!("and {more} more")),
    }
}

fn order_words(one: &ColumnOrder) -> (&'static str, &'static str) {
    match one.settled.order {
        DateOrder::Mdy => ("mdy", "month first"),
        DateOrder::Dmy | DateOrder::Unknown => ("dmy", "day first"),
    }
}

fn date_order_json(one: &ColumnOrder) -> Value {
    json!({"column": &*one.column, "separator": one.separator.char().to_string(),
           "order": order_words(one).0, "sure": one.settled.is_sure(), "dates": one.count,
           "because": one.settled.because(), "example": one.example})
}

/// Says how dates such as `9/12/2025` are read, and why.
fn date_order_line(one: &ColumnOrder) -> String {
    let verdict = if one.settled.is_sure() { "read" } else { "ambiguous, read" };
    format!(
        "dates in column `{}`: {verdict} {} ({}): {}",
        one.column,
        order_words(one).1,
        shortened(&one.example, VALUE_CHARS),
        one.settled.because()
    )
}

fn print_consents(findings: &Findings) -> Result<()> {
    if findings.consents.is_empty() {
        return Ok(());
    }
    let mut rows =
        vec![["consent", "purpose", "channel", "said", "rows"].map(str::to_owned).to_vec()];
    for (one, count) in &findings.consents {
        rows.push(vec![
            shortened(&one.wording, VALUE_CHARS),
            one.purpose.clone(),
            one.channel.to_owned(),
            one.state.to_owned(),
            count.to_string(),
        ]);
    }
    terminal::print(&format!("\n{}", terminal::table(&rows, &[4])))
}

/// Shows the first page views and other touches, and whose they may be.
fn print_touches(findings: &Findings) -> Result<()> {
    if findings.touches.is_empty() {
        return Ok(());
    }
    let mut rows = vec![["line", "at (UTC)", "touch", "about", "of"].map(str::to_owned).to_vec()];
    rows.extend(findings.touches.iter().map(|(at, touch)| {
        let of: Vec<String> = touch.identities.iter().map(ToString::to_string).collect();
        vec![
            at.line.to_string(),
            utc_from_ms(touch.at_ms).format("%Y-%m-%d %H:%M").to_string(),
            touch.kind.clone(),
            shortened(&touch.detail, HEADER_CHARS),
            of.join(" "),
        ]
    }));
    terminal::print(&format!("\n{}", terminal::table(&rows, &[0])))
}

fn print_first(findings: &Findings) -> Result<()> {
    if findings.first.is_empty() {
        return Ok(());
    }
    let mut rows =
        vec![["line", "name", "e-mail", "phone", "submitted (UTC)"].map(str::to_owned).to_vec()];
    for submission in &findings.first {
        let value = |field| submission.values.get(field).unwrap_or("").to_owned();
        let name = display_name(&submission.values);
        let has_name = NAMES.iter().any(|part| submission.values.get(*part).is_some());
        rows.push(vec![
            submission.origin.line.to_string(),
            if has_name { terminal::shown_name(&name).into_owned() } else { name },
            value(field::EMAIL),
            value(field::PHONE),
            submission.submitted_at.utc().format("%Y-%m-%d %H:%M:%S").to_string(),
        ]);
    }
    terminal::print(&format!("\n{}", terminal::table(&rows, &[0])))
}

fn shortened(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn role_text(role: Role, rules: &RuleSet) -> String {
    match role {
        Role::Field(field) => rules.fields.name(field).to_owned(),
        Role::FullName => "full name".to_owned(),
        Role::AccountEmail => "address of the account".to_owned(),
        Role::AccountName => "name of the account".to_owned(),
        Role::SubmittedAt => "submitted at".to_owned(),
        Role::StartedAt => "opened at".to_owned(),
        Role::SubmissionId => "submission id".to_owned(),
        Role::Consent(_) => "consent".to_owned(),
        Role::TestMarker => "test marker".to_owned(),
        Role::Honeypot => "honeypot".to_owned(),
        Role::Completion => "completed or partial".to_owned(),
        Role::LandingUrl => "landing page with UTM".to_owned(),
        Role::ModifiedAt => "last changed".to_owned(),
        Role::NotedAt => "time of writing down".to_owned(),
        Role::Volatile => "kept, changes between exports".to_owned(),
        Role::LeadId => "lead id".to_owned(),
        Role::Event => "what was done".to_owned(),
        Role::EventState => "how far it has come".to_owned(),
        Role::EventDetail => "what it was about".to_owned(),
        Role::EventAmount => "what the deal came to".to_owned(),
        Role::EventCurrency => "currency of the deal".to_owned(),
        Role::Answer => "kept as an answer".to_owned(),
    }
}
