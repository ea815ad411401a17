//! Splink on the same file: its own time, and its clusters at its documented and at the best threshold.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, ensure};
use leadmill::identity::matching::evaluation::Quality;

use super::{
    measure::Usage,
    sets::{Truth, clusters},
};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bench/splink_leads.py");

/// A Python that has Splink.
pub struct Splink {
    python: PathBuf,
    pub version: String,
}

/// What one run of Splink took and found.
pub struct SplinkResult {
    /// Up to the clusters at the documented threshold; the search for the best one is not counted.
    pub usage: Usage,
    /// At match probability 0.95, as in its tutorials.
    pub documented: Quality,
    /// At the threshold that the truth likes best.
    pub best: Quality,
    /// That threshold, as the heading of its column.
    pub best_threshold: String,
}

impl Splink {
    /// Returns the Splink of a Python.
    ///
    /// # Errors
    /// If that Python cannot be started, has no Splink, or one of another generation.
    pub fn of(python: &Path) -> anyhow::Result<Self> {
        let output = Command::new(python)
            .args(["-c", "import splink; print(splink.__version__)"])
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("cannot start {}", python.display()))?;
        let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        ensure!(
            version.starts_with("5."),
            "{} has no Splink 5 (found `{version}`)\nhint: python -m pip install 'splink>=5,<6'",
            python.display()
        );
        Ok(Self { python: python.to_owned(), version })
    }

    /// Runs Splink with one of its settings.
    pub fn run(
        &self,
        settings: &str,
        table: &Path,
        truth: &Truth,
        scratch: &Path,
    ) -> anyhow::Result<SplinkResult> {
        let (found, costs) = (scratch.join("splink.csv"), scratch.join("splink.json"));
        let output = Command::new(&self.python)
            .args([Path::new(SCRIPT), Path::new(settings), table, &found, &costs])
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("cannot start {}", self.python.display()))?;
        ensure!(
            output.status.success(),
            "Splink failed on {}: {}",
            table.display(),
            String::from_utf8_lossy(&output.stderr)
        );
        let headers = csv::Reader::from_path(&found)?.headers()?.clone();
        let mut judged = Vec::new();
        for (column, threshold) in headers.iter().enumerate().skip(1) {
            judged.push((threshold.to_owned(), truth.judge(&clusters(&found, column)?)?));
        }
        let documented = judged.first().context("Splink left no clusters")?.1;
        let (best_threshold, best) = judged
            .into_iter()
            .max_by(|(_, a), (_, b)| a.f1.total_cmp(&b.f1))
            .context("Splink left no clusters")?;
        Ok(SplinkResult { usage: usage(&costs)?, documented, best, best_threshold })
    }
}

fn usage(costs: &Path) -> anyhow::Result<Usage> {
    let text = fs::read_to_string(costs).context("Splink left no account of its costs")?;
    let costs: serde_json::Value = serde_json::from_str(&text)?;
    let number = |name: &str| costs[name].as_f64().with_context(|| format!("no {name} in {text}"));
    Ok(Usage {
        wall_seconds: number("wall_seconds")?,
        cpu_seconds: number("cpu_seconds")?,
        peak_megabytes: number("peak_megabytes")?,
    })
}
