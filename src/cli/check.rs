//! `leadmill check`

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::workspace::Global;
use super::{Outcome, terminal};
use crate::pipeline::check::{Failure, Verdict, run_tests};
use crate::rules::RuleSet;
use crate::rules::diagnostics::{Diagnostics, Place, Severity};

/// Lint the rules and run their tests.
///
/// All mistakes are shown at once, each with its file, line and a hint; and what no test covers: scoring rules,
/// routes, follow-up plans and their steps. Exit code 2 when there is a mistake, or when a test of
/// `rules/tests/` fails.
#[derive(Debug, Args)]
pub struct Check {
    /// How to write it; `github` is for a workflow, which shows each mistake at its line.
    #[arg(long, value_enum, default_value = "text")]
    format: CheckFormat,
}

/// How what was found is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CheckFormat {
    /// For people.
    Text,
    /// One object, for programs.
    Json,
    /// Annotations of GitHub Actions.
    Github,
}

impl Check {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        let (texts, own) = global.rule_texts()?;
        let (rules, found) = match global.parse(&texts) {
            Ok((rules, warnings)) => (Some(rules), warnings),
            Err(mistakes) if self.format == CheckFormat::Text => return Err(mistakes.into()),
            Err(mistakes) => (None, mistakes),
        };
        let checked = match rules {
            Some(rules) => {
                let mut verdict = run_tests(&rules, global.now(&rules)?);
                for failure in &mut verdict.failures {
                    failure.place.rename(|path| global.rule_file(path));
                }
                Some((rules, verdict))
            }
            None => None,
        };
        match self.format {
            CheckFormat::Json => {
                let mut told = as_json(checked.as_ref(), &found);
                told["files"] = texts.len().into();
                told["own_files"] = own.into();
                terminal::print(&told.to_string())?;
            }
            CheckFormat::Github => print_annotations(checked.as_ref(), &found)?,
            CheckFormat::Text => {
                if let Some((rules, verdict)) = &checked {
                    print_text(rules, verdict, &found, (texts.len(), own))?;
                }
            }
        }
        let is_sound = checked.is_some_and(|(_, verdict)| verdict.failures.is_empty());
        Ok(if is_sound { 0 } else { 2 })
    }
}

fn print_text(
    rules: &RuleSet,
    verdict: &Verdict,
    warnings: &Diagnostics,
    (files, own): (usize, usize),
) -> Result<()> {
    if !warnings.is_empty() {
        terminal::say(warnings.render(terminal::stderr_has_color(), terminal::width()).trim_end());
    }
    for failure in &verdict.failures {
        terminal::error(&format!(
            "{}:{}: test `{}` failed",
            failure.place.file.path,
            failure.place.line(),
            failure.name
        ));
        for difference in &failure.differences {
            terminal::say(&format!("  {difference}"));
        }
    }
    terminal::print(&format!(
        "{files} rule files ({own} of this workspace), hash {}: {} warnings, {} tests, {} failed",
        rules.hash,
        warnings.len(),
        verdict.run,
        verdict.failures.len()
    ))?;
    for (what, ids) in untested(verdict) {
        if !ids.is_empty() {
            let line = format!("no test covers these {what}: {}", ids.join(", "));
            terminal::print_wrapped(&line, 2)?;
        }
    }
    Ok(())
}

fn untested(verdict: &Verdict) -> [(&'static str, &[String]); 4] {
    [
        ("scoring rules", &verdict.rules_untested),
        ("routes", &verdict.routes_untested),
        ("plans", &verdict.plans_untested),
        ("steps", &verdict.steps_untested),
    ]
}

fn as_json(checked: Option<&(RuleSet, Verdict)>, found: &Diagnostics) -> Value {
    let place = |place: &Place| json!({"file": &*place.file.path, "line": place.line(), "column": place.column()});
    let failure = |one: &Failure| json!({"name": one.name, "place": place(&one.place), "differences": one.differences});
    json!({
        "rules": checked.map(|(rules, _)| &rules.hash),
        "mistakes": found.iter().map(|one| json!({
            "severity": severity(one.severity),
            "place": place(&one.place),
            "message": one.message,
            "hint": one.hint,
        })).collect::<Vec<_>>(),
        "tests": checked.map(|(_, verdict)| json!({
            "run": verdict.run,
            "failed": verdict.failures.iter().map(failure).collect::<Vec<_>>(),
        })),
        "untested": checked.map(|(_, verdict)| {
            let each = untested(verdict).map(|(what, ids)| (what.replace(' ', "_"), json!(ids)));
            each.into_iter().collect::<serde_json::Map<_, _>>()
        }),
    })
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// Writes a workflow command for each mistake and failed test; what no test covers is a notice without a place.
fn print_annotations(checked: Option<&(RuleSet, Verdict)>, found: &Diagnostics) -> Result<()> {
    for one in found.iter() {
        let hint = one.hint.as_ref().map_or_else(String::new, |hint| format!("\nhint: {hint}"));
        annotate(severity(one.severity), &one.place, &format!("{}{hint}", one.message))?;
    }
    let Some((_, verdict)) = checked else { return Ok(()) };
    for one in &verdict.failures {
        let text = format!("test `{}` failed\n{}", one.name, one.differences.join("\n"));
        annotate("error", &one.place, &text)?;
    }
    for (what, ids) in untested(verdict).iter().filter(|(_, ids)| !ids.is_empty()) {
        let text = format!("no test covers these {what}: {}", ids.join(", "));
        terminal::print(&format!("::notice::{}", escaped(&text)))?;
    }
    Ok(())
}

fn annotate(level: &str, place: &Place, text: &str) -> Result<()> {
    let file = escaped(&place.file.path).replace(':', "%3A").replace(',', "%2C");
    let (line, column) = (place.line(), place.column());
    terminal::print(&format!("::{level} file={file},line={line},col={column}::{}", escaped(text)))
}

/// Escapes what a workflow command would take for its end.
fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}
