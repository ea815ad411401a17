//! `leadmill match`

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::output::written;
use super::workspace::{Global, UsageError, the_file};
use super::{Outcome, terminal};
use crate::delivery::clusters::{write_clusters, write_pairs};
use crate::identity::matching::evaluation::Quality;
use crate::identity::matching::kind::Kind;
use crate::intake::InputPath;
use crate::pipeline::matching::{MatchJob, Matched, match_records};
use crate::rules::diagnostics::did_you_mean;

/// Find which rows of a table are one person or company, with nothing configured; no store is touched.
///
/// Any CSV with a header (or the first sheet of a workbook) will do. What each column holds is found out from
/// its header and its values and shown; --as corrects it. The weights are learned from the table itself.
/// The clusters go to --output, or to stdout: first column the id, second the cluster, which is named after
/// the smallest id in it. The same table gives the same clusters in whatever order its rows are.
#[derive(Debug, Args)]
pub struct Match {
    /// The table; with --link two tables.
    #[arg(value_name = "FILE", required = true, num_args = 1..=2)]
    files: Vec<String>,
    /// Where the clusters go.
    #[arg(long, short, value_name = "CSV")]
    output: Option<PathBuf>,
    /// Also write the pairs that were joined or are worth a look, with the bits of each field.
    #[arg(long, value_name = "CSV")]
    pairs: Option<PathBuf>,
    /// Judge the clusters by a table of ids and who they really are: pairwise and B-cubed precision, recall, F1.
    #[arg(long, value_name = "CSV")]
    truth: Option<String>,
    /// Link two tables, neither of which holds anybody twice: each row gets one partner at most. Ids are
    /// written as 1:ID and 2:ID.
    #[arg(long)]
    link: bool,
    /// Column of ids; default: the first.
    #[arg(long, value_name = "COLUMN")]
    id: Option<String>,
    /// What a column holds, where it was taken for something else; may be given several times.
    #[arg(long = "as", value_name = "COLUMN=KIND")]
    pinned: Vec<String>,
    /// Answer with one JSON object on stdout; the clusters need --output then.
    #[arg(long, requires = "output")]
    json: bool,
}

impl Match {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        let rules = global.rules()?;
        let inputs = self.inputs()?;
        self.expect_other_outputs()?;
        let pinned = self.pinned.iter().map(|pin| pinned(pin)).collect::<Result<Vec<_>>>()?;
        let truth = self.truth.as_deref().map(the_file).transpose()?;
        let job = MatchJob {
            inputs: &inputs,
            id_column: self.id.as_deref(),
            pinned: &pinned,
            truth: truth.as_ref(),
        };
        let matched = match_records(&job, &rules)?;
        for warning in &matched.warnings {
            terminal::warning(warning);
        }
        self.write(&matched)?;
        if self.json {
            terminal::print(&summary(&matched).to_string())?;
        } else if self.output.is_some() {
            terminal::print(&columns_table(&matched))?;
            for line in description(&matched) {
                terminal::print_wrapped(&line, 0)?;
            }
        } else if !global.quiet {
            terminal::say(&columns_table(&matched));
            for line in description(&matched) {
                terminal::say(&line);
            }
        }
        Ok(0)
    }

    fn inputs(&self) -> Result<Vec<InputPath>> {
        if self.link != (self.files.len() == 2) {
            let message = if self.link {
                "--link takes two tables\nhint: leadmill match --link A.csv B.csv"
            } else {
                "these are two tables\nhint: add --link to link them, or join them into one to find duplicates \
                 in both"
            };
            return Err(UsageError(message.to_owned()).into());
        }
        self.files.iter().map(|file| the_file(file)).collect()
    }

    /// Refuses to write over what is read, or both results into one file.
    fn expect_other_outputs(&self) -> Result<()> {
        let same = |a: &Path, b: &Path| {
            a == b || a.canonicalize().ok().zip(b.canonicalize().ok()).is_some_and(|(a, b)| a == b)
        };
        let outputs: Vec<&Path> =
            self.output.iter().chain(&self.pairs).map(PathBuf::as_path).collect();
        let read = self.files.iter().chain(&self.truth).map(Path::new);
        let refused = |path: &Path, what: &str| -> Result<()> {
            let message = format!(
                "{}: this is {what}, and it would be lost\nhint: write to another file",
                path.display()
            );
            Err(UsageError(message).into())
        };
        for file in read {
            if let Some(output) = outputs.iter().find(|output| same(output, file)) {
                return refused(output, "what is read");
            }
        }
        match outputs[..] {
            [clusters, pairs] if same(clusters, pairs) => refused(pairs, "where the clusters go"),
            _ => Ok(()),
        }
    }

    fn write(&self, matched: &Matched) -> Result<()> {
        let names = matched.cluster_names();
        let clusters =
            |out: &mut dyn Write| write_clusters(out, &matched.sheet, &matched.file_order, &names);
        match &self.output {
            Some(path) => written(path, &clusters)?,
            None => clusters(&mut terminal::stdout())?,
        }
        if let Some(path) = &self.pairs {
            written(path, &|out| write_pairs(out, &matched.sheet, &matched.matching))?;
        }
        Ok(())
    }
}

fn pinned(pin: &str) -> Result<(String, Kind)> {
    let Some((column, word)) = pin.rsplit_once('=') else {
        let message =
            format!("--as {pin}: this is not COLUMN=KIND\nhint: such as --as 'Tel=phone'");
        return Err(UsageError(message).into());
    };
    if let Some(kind) = Kind::from_word(word) {
        return Ok((column.to_owned(), kind));
    }
    let hint = did_you_mean(word, Kind::words()).map_or_else(
        || format!("kinds are {}", Kind::words().collect::<Vec<_>>().join(", ")),
        |near| format!("did you mean `{near}`?"),
    );
    Err(UsageError(format!("--as {pin}: there is no kind `{word}`\nhint: {hint}")).into())
}

/// Says what each column was taken for.
fn columns_table(matched: &Matched) -> String {
    let header = ["column", "taken for", "known by", "weight if equal"].map(str::to_owned).to_vec();
    let mut rows = vec![header];
    for (column, profile) in matched.sheet.columns.iter().zip(&matched.profiles) {
        let fields = matched.matching.records.fields.iter().zip(&matched.matching.model.fields);
        let bits = fields
            .filter(|(field, _)| field.label.split(" + ").any(|part| part == column.header))
            .map(|(_, weights)| format!("{:.1} bits", weights.bits[0]))
            .next();
        rows.push(vec![
            column.header.clone(),
            profile.kind.word().to_owned(),
            profile.because.to_owned(),
            bits.unwrap_or_default(),
        ]);
    }
    terminal::table(&rows, &[])
}

/// Says what was found and how good it is.
fn description(matched: &Matched) -> Vec<String> {
    let mut lines = vec![String::new()];
    let (records, clusters) = (matched.sheet.len(), n_clusters(matched));
    lines.push(format!(
        "{records} records are {clusters} entities; {} pairs were compared, {} wait for a look",
        matched.matching.compared,
        n_review(matched),
    ));
    lines.extend(matched.quality.as_ref().map(|quality| {
        format!(
            "against the truth: pairs precision {:.4}, recall {:.4}, F1 {:.4}; B-cubed precision {:.4}, recall \
             {:.4}, F1 {:.4}; largest cluster {}",
            quality.precision,
            quality.recall,
            quality.f1,
            quality.b_cubed[0],
            quality.b_cubed[1],
            quality.b_cubed[2],
            quality.largest,
        )
    }));
    lines
}

fn summary(matched: &Matched) -> serde_json::Value {
    let columns: Vec<_> = (matched.sheet.columns.iter().zip(&matched.profiles))
        .map(|(column, profile)| {
            json!({
                "column": column.header,
                "kind": profile.kind.word(),
                "known_by": profile.because,
            })
        })
        .collect();
    let quality = matched.quality.as_ref().map(|quality: &Quality| {
        json!({
            "records": quality.records,
            "true_pairs": quality.true_pairs,
            "found_pairs": quality.found_pairs,
            "right_pairs": quality.right_pairs,
            "precision": quality.precision,
            "recall": quality.recall,
            "f1": quality.f1,
            "b_cubed_precision": quality.b_cubed[0],
            "b_cubed_recall": quality.b_cubed[1],
            "b_cubed_f1": quality.b_cubed[2],
            "largest_cluster": quality.largest,
        })
    });
    json!({
        "records": matched.sheet.len(),
        "clusters": n_clusters(matched),
        "compared_pairs": matched.matching.compared,
        "review_pairs": n_review(matched),
        "columns": columns,
        "quality": quality,
    })
}

fn n_clusters(matched: &Matched) -> usize {
    let clusters = matched.matching.clusters.iter().enumerate();
    clusters.filter(|(row, cluster)| *row as u32 == **cluster).count()
}

fn n_review(matched: &Matched) -> usize {
    let clusters = &matched.matching.clusters;
    let pairs = matched.matching.pairs.iter();
    pairs.filter(|pair| clusters[pair.a as usize] != clusters[pair.b as usize]).count()
}
