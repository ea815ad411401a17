//! `leadmill sniff`

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};

use super::workspace::{Global, UsageError};
use super::{Outcome, terminal};
use crate::intake::{InputPath, OpenInput, Refusal, expand};
use crate::model::field;
use crate::model::lead::display_name;
use crate::model::moment::DateOrder;
use crate::normalization::date_order::ColumnOrder;
use crate::pipeline::sniff::{Findings, judge};
use crate::pipeline::{caps, open_input};
use crate::report::escape::for_terminal;
use crate::rules::RuleSet;

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
}

impl Sniff {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        let rules = global.rules()?;
        let as_of = global.now(&rules)?;
        Global::expect_source(&rules, self.source.as_deref())?;
        let input = if self.file == "-" {
            InputPath::stdin()
        } else if std::path::Path::new(&self.file).is_file() {
            InputPath::file(&self.file)
        } else {
            return Err(UsageError(format!("{}: there is no such file", self.file)).into());
        };
        let expansion = expand(&input, &caps(&rules));
        for name in &expansion.left_out {
            terminal::warning(&format!("{name}: this is no export and was left out"));
        }
        let mut exit_code = 0;
        for (number, input) in expansion.inputs.into_iter().enumerate() {
            if number > 0 && !self.json {
                terminal::print("")?;
            }
            let opened = input
                .and_then(|input| open_input(&input, &rules, self.source.as_deref()))
                .and_then(|opened| {
                    let about = Description::of(&opened, &rules);
                    Ok((about, judge(opened, &rules, as_of)?))
                });
            match opened {
                Ok((about, findings)) if self.json => {
                    terminal::print(&about.json(&findings).to_string())?;
                }
                Ok((about, findings)) => about.print(&findings)?,
                Err(refusal) => exit_code = self.refuse(&refusal)?,
            }
        }
        Ok(exit_code)
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
    header_line: u32,
    bytes: u64,
    columns: Vec<(String, String)>,
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
            header_line: input.header_line,
            bytes: input.bytes,
            columns: input
                .columns
                .iter()
                .map(|column| (column.name.to_string(), role_word(column.role, rules)))
                .collect(),
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

    fn json(&self, findings: &Findings) -> Value {
        let counts = findings.counts;
        let columns: Vec<Value> = self
            .columns
            .iter()
            .map(|(name, role)| json!({"column": name, "means": role}))
            .collect();
        let problems: Vec<Value> = findings
            .rejected
            .iter()
            .map(|(origin, one)| {
                json!({"record": origin.record, "line": origin.line, "code": one.code,
                       "column": one.column, "value": one.value, "message": one.message})
            })
            .collect();
        let notices: Vec<Value> = findings
            .notices
            .iter()
            .map(|(origin, one)| {
                json!({"record": origin.record, "line": origin.line, "code": one.code,
                       "column": one.column, "value": one.value, "message": one.message})
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
            "rejected": problems,
            "notices": notices,
        })
    }

    fn print(&self, findings: &Findings) -> Result<()> {
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
        terminal::print(&terminal::table(
            &[
                fact("file", self.file.clone()),
                fact("source", format!("{} ({})", self.source, self.source_name)),
                fact("encoding", format!("{}{bom}{sheet}", self.encoding)),
                fact("delimiter", self.delimiter_word()),
                fact("header", header),
                fact("leads", counts.lead.to_string()),
                fact("tests", counts.test.to_string()),
                fact("held", counts.held.to_string()),
                fact("quarantined", counts.quarantined.to_string()),
                fact("page views", counts.touch.to_string()),
                fact("repeated", counts.repeated.to_string()),
                fact("skipped", counts.skipped.to_string()),
            ],
            &[],
        ))?;
        let mut columns = vec![vec!["column".to_owned(), "means".to_owned()]];
        columns.extend(self.columns.iter().map(|(name, role)| vec![name.clone(), role.clone()]));
        terminal::print(&format!("\n{}", terminal::table(&columns, &[])))?;
        for (at, one) in findings.date_orders.iter().enumerate() {
            let gap = if at == 0 { "\n" } else { "" };
            terminal::print(&format!("{gap}{}", date_order_line(one)))?;
        }
        if !findings.first.is_empty() {
            let mut rows = vec![
                ["line", "name", "e-mail", "phone", "submitted (UTC)"].map(str::to_owned).to_vec(),
            ];
            for submission in &findings.first {
                let value = |field| submission.values.get(field).unwrap_or("").to_owned();
                rows.push(vec![
                    submission.origin.line.to_string(),
                    display_name(&submission.values),
                    value(field::EMAIL),
                    value(field::PHONE),
                    submission.submitted_at.utc().format("%Y-%m-%d %H:%M:%S").to_string(),
                ]);
            }
            terminal::print(&format!("\n{}", terminal::table(&rows, &[0])))?;
        }
        for (origin, one) in &findings.rejected {
            terminal::print(&problem(
                origin.line,
                one.code,
                &one.column,
                &one.value,
                &one.message,
            ))?;
        }
        for (origin, one) in &findings.notices {
            terminal::print(&problem(
                origin.line,
                one.code,
                &one.column,
                &one.value,
                &one.message,
            ))?;
        }
        Ok(())
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
    let short: String = one.example.chars().take(60).collect();
    let line = format!(
        "dates in column `{}`: {verdict} {} ({short}): {}",
        one.column,
        order_words(one).1,
        one.settled.because()
    );
    for_terminal(&line).into_owned()
}

fn problem(line: u32, code: &str, column: &str, value: &str, message: &str) -> String {
    let place = if column.is_empty() { String::new() } else { format!(", column `{column}`") };
    let short: String = value.chars().take(60).collect();
    let value = if short.is_empty() { String::new() } else { format!(" ({short})") };
    for_terminal(&format!("line {line}{place}: {code}: {message}{value}")).into_owned()
}

fn role_word(role: crate::model::row::Role, rules: &RuleSet) -> String {
    use crate::model::row::Role;
    match role {
        Role::Field(field) => rules.fields.name(field).to_owned(),
        Role::FullName => "full name".to_owned(),
        Role::SubmittedAt => "submitted at".to_owned(),
        Role::StartedAt => "opened at".to_owned(),
        Role::SubmissionId => "submission id".to_owned(),
        Role::Consent(_) => "consent".to_owned(),
        Role::TestMarker => "test marker".to_owned(),
        Role::Honeypot => "honeypot".to_owned(),
        Role::Completion => "completed or partial".to_owned(),
        Role::LandingUrl => "landing page with UTM".to_owned(),
        Role::ModifiedAt => "last changed".to_owned(),
        Role::Volatile => "kept, changes between exports".to_owned(),
        Role::Answer => "kept as an answer".to_owned(),
    }
}
