//! `leadmill calibrate`

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};
use serde_json::json;

use super::horizon::Horizon;
use super::workspace::{Global, UsageError};
use super::{Outcome, terminal};
use crate::pipeline::calibrate::{Lessons, gather};
use crate::report::rules::{percent, ratio};
use crate::rules::RuleSet;
use crate::rules::diagnostics::RuleText;
use crate::rules::edit::{Edit, edited, unified_diff};
use crate::scoring::calibration::{
    Calibration, Discrimination, Kept, OUTCOMES_MIN, RuleProposal, TooLittle, calibrate,
};
use crate::scoring::lift::{Ended, Lift};

/// Propose points from how leads ended.
///
/// Compares the rules that a lead met soon after it came with what became of it, and proposes points that would have
/// told good leads from others better. Nothing is changed: the proposal is a diff of scoring.toml for a person to take
/// over or not, and `leadmill simulate` shows what it would do. With too few outcomes nothing is proposed.
#[derive(Debug, Args)]
pub struct Calibrate {
    /// Which activities count as a good end: several with commas.
    #[arg(long, value_name = "KIND", value_delimiter = ',', default_value = "won",
          value_parser = ["won", "meeting-held", "meeting-booked", "contacted"])]
    success: Vec<String>,
    #[command(flatten)]
    horizon: Horizon,
    /// Write the proposed scoring.toml to this file, which must not exist yet.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// How to write the result.
    #[arg(long, value_enum, default_value = "table")]
    format: CalibrateFormat,
}

/// How a proposal is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CalibrateFormat {
    /// For people, with the diff below.
    Table,
    /// The diff alone, for `git apply` or `patch -p1`.
    Diff,
    /// For programs.
    Json,
}

impl Calibrate {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        let (texts, _) = global.rule_texts()?;
        let rules = global.rules()?;
        let store = global.read_store()?;
        let question = self.horizon.question(self.success.clone(), global.now(&rules)?)?;
        let [lessons] = gather(&store, &rules, [&question])?;
        let found =
            calibrate(&lessons.lessons, &rules.scoring).map_err(|few| refusal(few, self))?;
        let file = scoring_file(&texts)?;
        let proposed = edited(&file.text, &edits(&found.rules, &rules));
        let diff = if found.is_better() {
            prove(&texts, file, &proposed)?;
            unified_diff(&file.path, &file.text, &proposed)
        } else {
            String::new()
        };
        match self.format {
            CalibrateFormat::Table => {
                let is_own = global.has_own_rule_file("scoring.toml");
                self.print(&found, &lessons, &rules, &diff, is_own)?;
            }
            CalibrateFormat::Diff => terminal::print(diff.strip_suffix('\n').unwrap_or_default())?,
            CalibrateFormat::Json => {
                terminal::print(&serde_json::to_string(&as_json(&found, &lessons, &rules))?)?;
            }
        }
        if let Some(path) = self.output.as_ref().filter(|_| found.is_better()) {
            let mut file = std::fs::File::create_new(path)
                .with_context(|| format!("cannot create {}", path.display()))?;
            std::io::Write::write_all(&mut file, proposed.as_bytes())
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(0)
    }

    fn print(
        &self,
        found: &Calibration,
        lessons: &Lessons,
        rules: &RuleSet,
        diff: &str,
        is_own: bool,
    ) -> Result<()> {
        let left_out = |n: u64, why: &str| {
            if n == 0 { String::new() } else { format!("; {n} left out, {why}") }
        };
        let young = left_out(lessons.young, "younger than that");
        let changed = left_out(lessons.changed_since, "changed in the CRM since they came");
        let leads = terminal::count(found.leads as u64, "lead", "leads");
        terminal::print_wrapped(
            &format!(
                "{leads}: {} {} within {}, the others not{young}{changed}",
                found.successes,
                self.success.join(" or "),
                self.horizon.window
            ),
            2,
        )?;
        terminal::print("")?;
        terminal::print(&terminal::table(&rule_rows(found, rules), &[2, 3, 4, 5, 6]))?;
        let silent = found.rules.iter().filter(|one| one.fired == 0).count() as u64;
        if silent > 0 {
            let rules = terminal::count(silent, "rule fired", "rules fired");
            terminal::print(&format!("{rules} for none of them and stay as they are"))?;
        }
        terminal::print("")?;
        let auc = |of: Discrimination| format!("{:.3} ± {:.3}", of.auc, of.deviation);
        terminal::print_wrapped(
            &format!(
                "how often a lead that ended well has more points than one that did not (AUC, on leads that \
                 nothing was learned from): {} now, {} proposed; gain {:+.3} ± {:.3}",
                auc(found.now),
                auc(found.proposed),
                found.gain.0,
                found.gain.1
            ),
            2,
        )?;
        terminal::print("")?;
        terminal::print(&terminal::table(&bin_rows(found), &[1, 2, 3]))?;
        terminal::print("")?;
        if diff.is_empty() {
            return terminal::print("Today's points are as good; nothing is proposed.");
        }
        terminal::print(diff)?;
        let how = if is_own {
            "`leadmill calibrate --format diff | patch -p1` in the folder that holds rules/"
        } else {
            "`--output FILE` writes the whole file, to be put into a rules folder as scoring.toml"
        };
        terminal::print_wrapped(
            &format!(
                "Nothing was changed. To take it over: {how}; `leadmill simulate --rules DIR` shows who would \
                 change."
            ),
            2,
        )
    }
}

fn refusal(few: TooLittle, asked: &Calibrate) -> anyhow::Error {
    UsageError(format!(
        "{} leads ended well ({}) and {} otherwise; at least {OUTCOMES_MIN} of each are needed to learn from\n\
         hint: run the CRM's export with the outcomes, or count an earlier step: --success meeting-held",
        few.successes,
        asked.success.join(", "),
        few.failures,
    ))
    .into()
}

fn scoring_file(texts: &[RuleText]) -> Result<&RuleText> {
    texts
        .iter()
        .find(|text| text.path.split_once('/').is_some_and(|(_, inside)| inside == "scoring.toml"))
        .ok_or_else(|| {
            UsageError("there is no scoring.toml to propose points for".to_owned()).into()
        })
}

/// Makes sure that rules with the proposed file are rules.
fn prove(texts: &[RuleText], file: &RuleText, proposed: &str) -> Result<()> {
    let changed = |text: &RuleText| RuleText {
        text: if text.path == file.path { proposed.into() } else { text.text.clone() },
        ..text.clone()
    };
    RuleSet::parse(&texts.iter().map(changed).collect::<Vec<_>>())?;
    Ok(())
}

fn edits(proposals: &[RuleProposal], rules: &RuleSet) -> Vec<Edit> {
    let changed =
        rules.scoring.rules.iter().zip(proposals).filter(|(_, one)| one.now != one.proposed);
    changed
        .map(|(rule, one)| Edit {
            span: rule.points_place.span.clone(),
            text: one.proposed.to_string(),
        })
        .collect()
}

fn rule_rows(found: &Calibration, rules: &RuleSet) -> Vec<Vec<String>> {
    let header = ["rule", "group", "leads", "ended well", "lift", "now", "proposed", ""];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    let all = Ended { leads: found.leads as u64, well: found.successes as u64 };
    for (rule, one) in rules.scoring.rules.iter().zip(&found.rules).filter(|(_, one)| one.fired > 0)
    {
        let fired = Ended { leads: one.fired as u64, well: one.succeeded as u64 };
        rows.push(vec![
            rule.id.clone(),
            rule.group.word().to_owned(),
            one.fired.to_string(),
            fired.share().map(percent).unwrap_or_default(),
            Lift::beside(fired, all).ratio().map(ratio).unwrap_or_default(),
            one.now.to_string(),
            one.proposed.to_string(),
            one.kept.map(kept_word).unwrap_or_default().to_owned(),
        ]);
    }
    rows
}

fn kept_word(kept: Kept) -> &'static str {
    match kept {
        Kept::Rare => "too few",
        Kept::Unsure => "unsure",
        Kept::Limited => "limited",
    }
}

fn bin_rows(found: &Calibration) -> Vec<Vec<String>> {
    let header = ["proposed points", "leads", "expected", "ended well"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    for bin in &found.bins {
        rows.push(vec![
            if bin.from == bin.to {
                bin.from.to_string()
            } else {
                format!("{} to {}", bin.from, bin.to)
            },
            bin.leads.to_string(),
            percent(bin.expected),
            percent(bin.observed),
        ]);
    }
    rows
}

fn as_json(found: &Calibration, lessons: &Lessons, rules: &RuleSet) -> serde_json::Value {
    let discrimination = |of: Discrimination| json!({"auc": of.auc, "deviation": of.deviation});
    let rule = |(rule, one): (&crate::rules::scoring::ScoreRule, &RuleProposal)| {
        json!({
            "rule": rule.id,
            "leads": one.fired,
            "succeeded": one.succeeded,
            "points": one.now,
            "proposed": one.proposed,
            "kept": one.kept.map(kept_word),
        })
    };
    let bin = |bin: &crate::scoring::calibration::Bin| {
        json!({
            "from": bin.from,
            "to": bin.to,
            "leads": bin.leads,
            "expected": bin.expected,
            "observed": bin.observed,
        })
    };
    json!({
        "leads": found.leads,
        "succeeded": found.successes,
        "too_young": lessons.young,
        "changed_since": lessons.changed_since,
        "now": discrimination(found.now),
        "proposed": discrimination(found.proposed),
        "gain": {"auc": found.gain.0, "standard_error": found.gain.1},
        "is_better": found.is_better(),
        "rules": rules.scoring.rules.iter().zip(&found.rules).map(rule).collect::<Vec<_>>(),
        "bins": found.bins.iter().map(bin).collect::<Vec<_>>(),
    })
}
