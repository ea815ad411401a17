//! Which submissions were duplicates, of what kind, and how often: `duplicates.csv` and its summary.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Write;

use anyhow::{Context as _, Result};
use chrono::{DateTime, SecondsFormat};
use chrono_tz::Tz;
use serde::Serialize;

use crate::model::ids::LeadId;
use crate::model::moment::utc_from_ms;
use crate::model::spreadsheet::guard;

/// How far apart two submissions of one form are still one attempt.
const RESUBMIT_WITHIN_MS: i64 = 24 * 3_600_000;

/// Below this many submissions a rate says little.
pub const SMALL_N: u64 = 30;

/// In which way a submission was a duplicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DuplicateKind {
    /// The same form of the same source, sent again within 24 hours.
    Resubmit,
    /// The same person, source and campaign, later.
    Repeat,
    /// The same person and source through another campaign.
    CrossCampaign,
    /// The same person through another source.
    CrossSource,
}

impl DuplicateKind {
    /// Every kind with its word, in order.
    pub const ALL: &[(&str, DuplicateKind)] = &[
        ("resubmit", Self::Resubmit),
        ("repeat", Self::Repeat),
        ("cross-campaign", Self::CrossCampaign),
        ("cross-source", Self::CrossSource),
    ];

    /// Returns the word used in files.
    pub fn word(self) -> &'static str {
        Self::ALL[self as usize].0
    }

    /// Returns the kind of duplicate that `joined` is of `earlier`.
    pub fn of(joined: &Sent<'_>, earlier: &Sent<'_>) -> Self {
        let apart_ms = joined.at_ms.abs_diff(earlier.at_ms);
        if joined.source != earlier.source {
            Self::CrossSource
        } else if joined.form == earlier.form && apart_ms <= RESUBMIT_WITHIN_MS.unsigned_abs() {
            Self::Resubmit
        } else if joined.campaign == earlier.campaign {
            Self::Repeat
        } else {
            Self::CrossCampaign
        }
    }
}

/// Returns what the columns of the rates count.
pub fn explained() -> String {
    format!(
        "Sent are the submissions that this run took in. resubmit: the same form of the same source within 24 hours; \
         repeat: the same source and campaign later or by another form; cross-campaign: the same source, another \
         campaign; cross-source: another source; rate: in all, of those sent; n < {SMALL_N}: too few for it. Rows seen \
         before are no submissions here: `--rate` counts them, too, over time and by other definitions."
    )
}

/// How and when a submission was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent<'a> {
    /// Preset that recognized its input.
    pub source: &'a str,
    /// Form's id or name; empty when unknown.
    pub form: &'a str,
    /// Campaign; empty when unknown.
    pub campaign: &'a str,
    /// When, milliseconds since 1970 UTC.
    pub at_ms: i64,
}

/// A submission that joined a lead, with what joined it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinedSubmission {
    /// The lead.
    pub lead_id: LeadId,
    /// Where it stands, `file:line`.
    pub joined: String,
    /// When it was sent, milliseconds since 1970 UTC.
    pub submitted_ms: i64,
    /// Preset that recognized its input.
    pub source: String,
    /// Campaign; empty when unknown.
    pub campaign: String,
    /// In which way it is a duplicate.
    pub kind: DuplicateKind,
    /// The match key that joined it, such as `email=anna@example.com`.
    pub matched_key: String,
    /// Where the submission it matched stands, `file:line`.
    pub matched_with: String,
}

/// Writes `duplicates.csv`, a submission at a time.
pub struct DuplicatesWriter<W: Write> {
    csv: csv::Writer<W>,
    zone: Tz,
    rows: u64,
}

impl<W: Write> DuplicatesWriter<W> {
    /// Opens the list; times are shown in `zone`.
    pub fn new(out: W, zone: Tz) -> Result<Self> {
        let mut csv = csv::Writer::from_writer(out);
        csv.write_record([
            "lead-id",
            "joined",
            "submitted-at",
            "source",
            "campaign",
            "kind",
            "matched-key",
            "matched-with",
        ])
        .context("write duplicates.csv")?;
        Ok(Self { csv, zone, rows: 0 })
    }

    /// Writes `row`.
    pub fn write(&mut self, row: &JoinedSubmission) -> Result<()> {
        let local: DateTime<Tz> = utc_from_ms(row.submitted_ms).with_timezone(&self.zone);
        let cells: [Cow<'_, str>; 8] = [
            row.lead_id.to_string().into(),
            guard(&row.joined),
            local.to_rfc3339_opts(SecondsFormat::Secs, false).into(),
            guard(&row.source),
            guard(&row.campaign),
            row.kind.word().into(),
            guard(&row.matched_key),
            guard(&row.matched_with),
        ];
        self.csv
            .write_record(cells.iter().map(|cell| cell.as_bytes()))
            .context("write duplicates.csv")?;
        self.rows += 1;
        Ok(())
    }

    /// Closes the list and returns the rows written and what they were written to.
    pub fn finish(self) -> Result<(u64, W)> {
        let out = self.csv.into_inner().map_err(csv::IntoInnerError::into_error);
        Ok((self.rows, out.context("write duplicates.csv")?))
    }
}

/// How many submissions of one source or campaign were duplicates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DuplicateRate {
    /// Source or campaign; `(none)` when a submission has none.
    pub name: String,
    /// Submissions, duplicates included.
    pub submissions: u64,
    /// Duplicates of each kind, in the order of [`DuplicateKind::ALL`].
    pub by_kind: [u64; 4],
    /// Whether there are too few submissions for the rate to say much.
    pub small_n: bool,
}

impl DuplicateRate {
    /// Returns the duplicates of all kinds.
    pub fn duplicates(&self) -> u64 {
        self.by_kind.iter().sum()
    }

    /// Returns the duplicates per thousand submissions, rounded to the nearest.
    pub fn per_mille(&self) -> u64 {
        (self.duplicates() * 1_000 + self.submissions / 2)
            .checked_div(self.submissions)
            .unwrap_or(0)
    }
}

/// Counts submissions and duplicates per name; names come out in alphabetical order.
#[derive(Debug, Clone, Default)]
pub struct DuplicateRates(BTreeMap<String, (u64, [u64; 4])>);

impl DuplicateRates {
    /// Counts `submissions` of `name`, duplicates included.
    pub fn add_submissions(&mut self, name: &str, submissions: u64) {
        self.entry(name).0 += submissions;
    }

    /// Counts one duplicate of `name`.
    pub fn add_duplicate(&mut self, name: &str, kind: DuplicateKind) {
        self.entry(name).1[kind as usize] += 1;
    }

    /// Returns the rates in alphabetical order.
    pub fn rates(&self) -> Vec<DuplicateRate> {
        self.0
            .iter()
            .map(|(name, (submissions, by_kind))| DuplicateRate {
                name: name.clone(),
                submissions: *submissions,
                by_kind: *by_kind,
                small_n: *submissions < SMALL_N,
            })
            .collect()
    }

    /// Returns the rates as rows of text, the header first; `of` heads the first column.
    pub fn table(&self, of: &str) -> Vec<Vec<String>> {
        let mut header = vec![of.to_owned(), "submissions".to_owned()];
        header.extend(DuplicateKind::ALL.iter().map(|(word, _)| (*word).to_owned()));
        header.extend(["duplicates", "rate", "note"].map(str::to_owned));
        let mut rows = vec![header];
        for rate in self.rates() {
            let per_mille = rate.per_mille();
            let mut row = vec![rate.name.clone(), rate.submissions.to_string()];
            row.extend(rate.by_kind.iter().map(u64::to_string));
            row.push(rate.duplicates().to_string());
            row.push(format!("{}.{} %", per_mille / 10, per_mille % 10));
            row.push(if rate.small_n { format!("n < {SMALL_N}") } else { String::new() });
            rows.push(row);
        }
        rows
    }

    fn entry(&mut self, name: &str) -> &mut (u64, [u64; 4]) {
        let name = if name.is_empty() { "(none)" } else { name };
        self.0.entry(name.to_owned()).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::Fingerprint;

    #[test]
    fn the_kind_follows_source_form_time_and_campaign() {
        #[track_caller]
        fn check(joined: [&str; 3], hours_later: i64, expected: DuplicateKind) {
            let earlier = Sent { source: "meta", form: "f1", campaign: "autumn", at_ms: 0 };
            let [source, form, campaign] = joined;
            let sent = Sent { source, form, campaign, at_ms: hours_later * 3_600_000 };
            assert_eq!(DuplicateKind::of(&sent, &earlier), expected);
            assert_eq!(DuplicateKind::of(&earlier, &sent), expected, "either way round");
        }
        check(["meta", "f1", "autumn"], 24, DuplicateKind::Resubmit);
        check(["meta", "f1", "autumn"], 25, DuplicateKind::Repeat);
        check(["meta", "f2", "autumn"], 1, DuplicateKind::Repeat);
        check(["meta", "f2", "winter"], 1, DuplicateKind::CrossCampaign);
        check(["google", "f1", "autumn"], 1, DuplicateKind::CrossSource);
    }

    #[test]
    fn the_list_reads_back() {
        let mut writer = DuplicatesWriter::new(Vec::new(), Tz::Europe__Warsaw).unwrap();
        writer
            .write(&JoinedSubmission {
                lead_id: LeadId::of_founder(Fingerprint([1; 16])),
                joined: "inbox/a.csv:7".to_owned(),
                submitted_ms: 1_757_682_313_000,
                source: "meta".to_owned(),
                campaign: "=PL | Leady".to_owned(),
                kind: DuplicateKind::Resubmit,
                matched_key: "email=anna@example.com".to_owned(),
                matched_with: "inbox/a.csv:3".to_owned(),
            })
            .unwrap();
        let (rows, bytes) = writer.finish().unwrap();
        assert_eq!(rows, 1);
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let row = reader.records().next().unwrap().unwrap();
        assert_eq!(&row[2], "2025-09-12T15:05:13+02:00");
        assert_eq!(&row[4], "'=PL | Leady");
        assert_eq!(&row[6], "email=anna@example.com");
    }

    #[test]
    fn rates_flag_small_numbers() {
        let mut rates = DuplicateRates::default();
        rates.add_submissions("meta", 40);
        rates.add_submissions("", 3);
        rates.add_duplicate("meta", DuplicateKind::Resubmit);
        rates.add_duplicate("meta", DuplicateKind::CrossSource);
        rates.add_duplicate("", DuplicateKind::Repeat);
        let table = rates.table("source");
        assert_eq!(table[0][..3], ["source", "submissions", "resubmit"]);
        assert_eq!(table[1], ["(none)", "3", "0", "1", "0", "0", "1", "33.3 %", "n < 30"]);
        assert_eq!(table[2], ["meta", "40", "1", "0", "0", "1", "2", "5.0 %", ""]);
    }
}
