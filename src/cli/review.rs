//! `leadmill review`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};

use super::output::written_as_it_is;
use super::people::{decide, print_comparison, reasons, the_lead, two_leads};
use super::workspace::{Global, UsageError};
use super::{Outcome, terminal};
use crate::delivery::review::{ReviewRow, write_review};
use crate::intake::InputPath;
use crate::model::ids::LeadNo;
use crate::model::lead::Lead;
use crate::pipeline::review::{ReviewPair, compare_leads, pairs};
use crate::pipeline::review_file::{FiledVerdict, read_verdicts};
use crate::pipeline::story::lead;
use crate::pipeline::verdicts::Saying;
use crate::rules::RuleSet;
use crate::store::Store;

/// Look at pairs of leads that may be one person, and say whether they are.
///
/// What is said holds through every later import and can be taken back with `leadmill undo RUN`.
#[derive(Debug, Args)]
pub struct Review {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List the pairs, the likeliest first.
    List {
        /// At most so many.
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: usize,
    },
    /// Show two leads beside each other, and in bits what speaks for and against.
    Show {
        /// One lead: id, e-mail address or phone number.
        #[arg(value_name = "LEAD")]
        a: String,
        /// The other.
        #[arg(value_name = "OTHER")]
        b: String,
    },
    /// They are one person.
    Accept(Judged),
    /// They are two people, and stay so.
    Reject(Judged),
    /// Write all pairs as a CSV file with a column `verdict` to fill in: same or different.
    Export {
        /// The file; one that is there already is left alone.
        #[arg(value_name = "CSV")]
        file: PathBuf,
    },
    /// Read such a file back and decide by it.
    Apply {
        /// The file.
        #[arg(value_name = "CSV")]
        file: PathBuf,
        /// Why, for whoever asks later.
        #[arg(long, value_name = "TEXT", default_value = "reviewed")]
        because: String,
        /// End with one JSON object on stdout.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
struct Judged {
    /// One lead: id, e-mail address or phone number.
    #[arg(value_name = "LEAD")]
    a: String,
    /// The other.
    #[arg(value_name = "OTHER")]
    b: String,
    /// Why, for whoever asks later.
    #[arg(long, value_name = "TEXT", default_value = "reviewed")]
    because: String,
    /// End with one JSON object on stdout.
    #[arg(long)]
    json: bool,
}

impl Review {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        let rules = global.rules()?;
        match &self.what {
            None => list(global, &rules, 20),
            Some(What::List { limit }) => list(global, &rules, *limit),
            Some(What::Show { a, b }) => show(global, &rules, a, b),
            Some(What::Accept(judged)) => judged.say(global, &rules, "accept", Saying::Same),
            Some(What::Reject(judged)) => judged.say(global, &rules, "reject", Saying::Different),
            Some(What::Export { file }) => export(global, &rules, file),
            Some(What::Apply { file, because, json }) => {
                apply(global, &rules, file, because, *json)
            }
        }
    }
}

impl Judged {
    fn say(
        &self,
        global: &Global,
        rules: &RuleSet,
        word: &str,
        saying: fn(LeadNo, LeadNo) -> Saying,
    ) -> Outcome {
        let command = format!("review {word} {} {}", self.a, self.b);
        decide(global, rules, &command, &self.because, self.json, |store| {
            let (a, b) = two_leads(store, rules, &self.a, &self.b)?;
            Ok(vec![saying(a, b)])
        })
    }
}

fn row_of(store: &Store, rules: &RuleSet, pair: &ReviewPair) -> Result<ReviewRow> {
    let (a, b) = (lead(store, rules, pair.a)?, lead(store, rules, pair.b)?);
    Ok(ReviewRow {
        why: reasons(&pair.comparison),
        bits: pair.comparison.bits,
        probability: pair.comparison.probability,
        a,
        b,
    })
}

fn list(global: &Global, rules: &RuleSet, limit: usize) -> Outcome {
    let store = global.read_store()?;
    let pairs = pairs(&store, rules)?;
    if pairs.is_empty() {
        terminal::print("no pairs of leads wait for a look")?;
        return Ok(0);
    }
    let mut rows = vec![["lead", "other", "probability", "why"].map(str::to_owned).to_vec()];
    for pair in pairs.iter().take(limit) {
        let row = row_of(&store, rules, pair)?;
        let named = |lead: &Lead| format!("{} {}", lead.id, lead.display_name());
        rows.push(vec![named(&row.a), named(&row.b), format!("{:.2}", row.probability), row.why]);
    }
    terminal::print(&terminal::table(&rows, &[2]))?;
    terminal::print("")?;
    terminal::print_wrapped(
        &format!(
            "{} of {}; `leadmill review accept LEAD OTHER` if they are one person, `reject` if not",
            rows.len() - 1,
            terminal::count(pairs.len() as u64, "pair", "pairs")
        ),
        2,
    )?;
    Ok(0)
}

fn show(global: &Global, rules: &RuleSet, a: &str, b: &str) -> Outcome {
    let store = global.read_store()?;
    let (a, b) = (the_lead(&store, rules, a)?, the_lead(&store, rules, b)?);
    print_pair(&store, rules, a, b)?;
    Ok(0)
}

/// Prints two leads beside each other, and what speaks for their being one.
pub fn print_pair(store: &Store, rules: &RuleSet, a: LeadNo, b: LeadNo) -> Result<()> {
    let (left, right) = (lead(store, rules, a)?, lead(store, rules, b)?);
    let mut rows = vec![vec![String::new(), left.id.to_string(), right.id.to_string()]];
    for (field, _) in rules.fields.iter() {
        let name = rules.fields.name(field);
        let value = |lead: &Lead| lead.values.get(field).unwrap_or_default().to_owned();
        let (x, y) = (value(&left), value(&right));
        if SHOWN.contains(&name) && !(x.is_empty() && y.is_empty()) {
            rows.push(vec![name.to_owned(), x, y]);
        }
    }
    let rows_of = |lead: &Lead| lead.n_submissions.to_string();
    rows.push(vec!["rows".to_owned(), rows_of(&left), rows_of(&right)]);
    terminal::print(&terminal::table(&rows, &[]))?;
    terminal::print("")?;
    let (row, other, comparison) = compare_leads(store, rules, a, b)?;
    terminal::print(&format!("the most alike rows, {} and {}:", row.0, other.0))?;
    print_comparison(&comparison)
}

/// Fields that tell people apart.
const SHOWN: &[&str] = &[
    "first-name",
    "last-name",
    "email",
    "phone",
    "company",
    "company-domain",
    "nip",
    "street",
    "postcode",
    "city",
    "country",
    "job-title",
];

fn export(global: &Global, rules: &RuleSet, file: &Path) -> Outcome {
    if file.is_file() {
        return Err(UsageError(format!(
            "{} is there already, and somebody may be filling it in; nothing was written\nhint: name another \
             file",
            file.display()
        ))
        .into());
    }
    let store = global.read_store()?;
    let pairs = pairs(&store, rules)?;
    let rows: Vec<ReviewRow> =
        pairs.iter().map(|pair| row_of(&store, rules, pair)).collect::<Result<_>>()?;
    let shown = |text: &str| terminal::shown(text).into_owned();
    written_as_it_is(file, &|out| write_review(out, &rows, &shown))?;
    terminal::print_wrapped(
        &format!(
            "{} in {}; fill in the column `verdict` with same or different, then `leadmill review apply {}`",
            terminal::count(rows.len() as u64, "pair", "pairs"),
            file.display(),
            file.display()
        ),
        2,
    )?;
    Ok(0)
}

fn apply(global: &Global, rules: &RuleSet, file: &Path, because: &str, json: bool) -> Outcome {
    if !file.is_file() {
        return Err(UsageError(format!("{}: there is no such file", file.display())).into());
    }
    let verdicts = read_verdicts(&InputPath::file(file), rules)?;
    if verdicts.is_empty() {
        let message =
            "no row has a verdict\nhint: fill in the column `verdict` with same or different";
        return Err(UsageError(message.to_owned()).into());
    }
    let command = format!("review apply {verdicts:?}");
    decide(global, rules, &command, because, json, |store| {
        let mut sayings = Vec::new();
        let mut said: BTreeMap<(LeadNo, LeadNo), &FiledVerdict> = BTreeMap::new();
        for verdict in &verdicts {
            let place = format!("{}:{}", file.display(), verdict.line);
            let named = |text: &str| the_lead(store, rules, text).with_context(|| place.clone());
            let (a, b) = (named(&verdict.a)?, named(&verdict.b)?);
            if let Some(other) = said.insert((a.min(b), a.max(b)), verdict)
                && other.is_same != verdict.is_same
            {
                return Err(UsageError(format!(
                    "{place}: line {} says the opposite of the same two leads\nhint: nothing was decided; \
                     leave the verdict in one of the lines",
                    other.line
                ))
                .into());
            }
            match (verdict.is_same, a == b) {
                (true, true) => {}
                (true, false) => sayings.push(Saying::Same(a, b)),
                (false, false) => sayings.push(Saying::Different(a, b)),
                (false, true) => {
                    return Err(UsageError(format!(
                        "{place}: {} and {} are one lead already\nhint: nothing was decided; take it apart \
                         with `leadmill split`, and leave the verdict blank",
                        verdict.a, verdict.b
                    ))
                    .into());
                }
            }
        }
        Ok(sayings)
    })
}
