//! `leadmill check`

use clap::Args;

use super::workspace::Global;
use super::{Outcome, terminal};
use crate::pipeline::check::run_tests;
use crate::rules::RuleSet;

/// Lint the rules and run their tests.
///
/// All mistakes are shown at once, each with its file, line and a hint. Exit code 2 when there is one,
/// or when a test of `rules/tests/` fails.
#[derive(Debug, Args)]
pub struct Check {}

impl Check {
    /// Runs the command.
    #[expect(clippy::unused_self, reason = "every command is run the same way")]
    pub fn run(&self, global: &Global) -> Outcome {
        let (texts, own) = global.rule_texts()?;
        let (rules, warnings) = RuleSet::parse(&texts)?;
        if !warnings.is_empty() {
            terminal::say(warnings.render(terminal::stderr_has_color()).trim_end());
        }
        let verdict = run_tests(&rules, global.now(&rules)?);
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
            "{} rule files ({own} of this workspace), hash {}: {} warnings, {} tests, {} failed",
            texts.len(),
            rules.hash,
            warnings.len(),
            verdict.run,
            verdict.failures.len()
        ))?;
        let untested = |what: &str, ids: &[String]| {
            if ids.is_empty() {
                return Ok(());
            }
            terminal::print(&format!("no test covers these {what}: {}", ids.join(", ")))
        };
        untested("scoring rules", &verdict.rules_untested)?;
        untested("routes", &verdict.routes_untested)?;
        Ok(if verdict.failures.is_empty() { 0 } else { 2 })
    }
}
