//! `run.json` and the one line of `--json`: what a run did, for programs.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::comparison::Comparison;
use super::dropoff::TargetFigures;
use crate::model::run::{
    Alert, ErasedRows, InputReport, InputStatus, NoticeCounts, RowCounts, TakenBack,
};

/// What a run did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunSummary {
    /// Run's id.
    pub run: String,
    /// Version of leadmill.
    pub version: String,
    /// The instant the run took for now, RFC 3339 in UTC.
    pub as_of: String,
    /// Hash of the rules that decided.
    pub rules_hash: String,
    /// Whether nothing was stored or published.
    pub dry_run: bool,
    /// Rows by outcome; the outcomes add up to `read`.
    pub rows: RowSummary,
    /// Accepted rows in which something was repaired, suspected or lost, by the notice's code.
    pub notices: NoticeCounts,
    /// What became of each input.
    pub inputs: Vec<InputSummary>,
    /// E-mail addresses and phone numbers that turned out to be shared and no longer join people.
    pub newly_shared_contacts: u64,
    /// Pairs of leads that may be one person and wait for somebody's look.
    pub pairs_to_review: u64,
    /// Leads.
    pub leads: LeadSummary,
    /// Leads that the run looked at again because time had passed.
    pub looked_again: LookedSummary,
    /// Leads per segment.
    pub segments: SegmentSummary,
    /// Leads that no route matched.
    pub triage: u64,
    /// Tasks.
    pub tasks: TaskSummary,
    /// Alerts that fired.
    pub alerts: Vec<AlertSummary>,
    /// Exit code of the run.
    pub exit_code: u8,
    /// What an undo took back; absent from other runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undo: Option<UndoSummary>,
    /// What a rescore changed; absent from other runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rescore: Option<Comparison>,
    /// What an erasure took out; absent from other runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub erasure: Option<ErasureSummary>,
    /// What each target was given, in order of its id.
    pub deliveries: Vec<TargetFigures>,
    /// Rows that targets would not take, of all runs, about which nothing was done yet.
    pub dead_letters: u64,
    /// What waits for `leadmill deliver`, or is stuck there, by endpoint; absent when nothing is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub outbox: Vec<OutboxSummary>,
    /// Leads that files of earlier runs have and no list has any more; absent when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub withdrawn: Vec<WithdrawnLead>,
    /// Where the consent ledger ends; a dry run's ends nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ledger: Option<LedgerSummary>,
    /// Files in the run's folder, sorted.
    pub files: Vec<String>,
}

/// What waits for an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OutboxSummary {
    /// Its id.
    pub endpoint: String,
    /// What waits.
    #[serde(flatten)]
    pub waiting: WaitingSummary,
}

/// What waits, and for how long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WaitingSummary {
    /// Items that wait.
    pub items: u64,
    /// Of these: those of which nobody knows whether they were taken.
    pub unknown: u64,
    /// Of these: those that wait for a record at another endpoint, under which theirs is made.
    #[serde(default)]
    pub for_record: u64,
    /// Of these: those that wait until somebody has looked whether an earlier one is there.
    #[serde(default)]
    pub for_look: u64,
    /// Items that are given up or held, about which nothing was done yet.
    pub stuck: u64,
    /// How long the oldest of those that wait has been waiting; empty when none does.
    pub oldest: String,
    /// How long nothing has got through; absent when nothing failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failing: Option<String>,
    /// What the latest failure was; empty when there was none.
    pub last_code: String,
}

/// Returns a length of time as people say it: the largest unit that there is one of.
pub fn age(elapsed_ms: i64) -> String {
    let seconds = elapsed_ms.max(0) / 1_000;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// Where the consent ledger ends: what `leadmill consent verify --anchor` holds a later ledger against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerSummary {
    /// Records in it.
    pub records: i64,
    /// Hash of the last one in hexadecimal digits, which stands for all of them.
    pub head: String,
}

/// What an undo took back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoSummary {
    /// The run that was taken back.
    pub run: String,
    /// Inputs that it had imported: they are unknown now, and can be imported again.
    pub inputs: Vec<String>,
    /// Inputs that later runs passed over because of it: nobody has them now.
    pub offered_again: Vec<String>,
    /// What became of its rows.
    #[serde(flatten)]
    pub rows: TakenBack,
}

/// What an erasure took out, and what it cannot reach. It names nobody but by the ids that were given out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasureSummary {
    /// Ids that were given out for the people.
    pub leads: Vec<String>,
    /// Why they were erased, as it was said.
    pub because: String,
    /// Their rows.
    #[serde(flatten)]
    pub rows: ErasedRows,
    /// Records of the consent ledger whose evidence is gone; they stay, and name nobody.
    pub consents: u64,
    /// Where their rows stand in inputs, which are nobody's to change but their owner's.
    pub inputs: Vec<PlaceSummary>,
    /// Files that had named them: whoever got one is to be told.
    pub told: Vec<CarrierSummary>,
    /// Copies of the store and of runs that lie around; `subject forget` fills them in, for they follow from no input.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub copies: Vec<String>,
    /// Addresses and numbers of theirs that stay, because other leads have them, too.
    pub shared: u64,
    /// Rows of others that stay without their words as received, or without IP addresses.
    pub stripped: u64,
}

/// Lines of an input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceSummary {
    /// File as the user named it.
    pub input: String,
    /// Physical lines.
    pub lines: Vec<u32>,
}

/// A file that was put out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CarrierSummary {
    /// The run.
    pub run: String,
    /// Path in the run's folder.
    pub file: String,
    /// Rows or entries that named somebody.
    pub rows: u64,
}

/// A lead that was delivered and is no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WithdrawnLead {
    /// Its id.
    pub lead: String,
    /// Ids of the leads that have those of its rows which stayed.
    pub now_in: Vec<String>,
}

/// Rows by outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct RowSummary {
    /// Rows read.
    pub read: u64,
    /// Became a lead.
    pub created: u64,
    /// Joined a lead.
    pub merged: u64,
    /// Were seen before.
    pub repeated: u64,
    /// Were not accepted.
    pub quarantined: u64,
    /// Were withheld.
    pub held: u64,
    /// Reported a touch.
    pub touches: u64,
    /// Were no records.
    pub skipped: u64,
}

/// What became of one input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InputSummary {
    /// File as the user named it.
    pub name: String,
    /// SHA-256 of the decompressed bytes.
    pub sha256: String,
    /// Preset that recognized it.
    pub source: String,
    /// Encoding as found.
    pub encoding: String,
    /// `imported`, `known` or `refused`.
    pub status: &'static str,
    /// The run that imported it before, or why it was refused.
    pub detail: Option<String>,
    /// Its rows.
    pub rows: RowSummary,
    /// Its accepted rows with a notice, by code.
    pub notices: NoticeCounts,
    /// What somebody should know about it as a whole.
    pub warnings: Vec<String>,
}

/// How many leads there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct LeadSummary {
    /// Made by this run.
    pub new: u64,
    /// Changed by this run.
    pub updated: u64,
    /// In the store.
    pub total: u64,
}

/// How many leads a run looked at though nothing new was known of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookedSummary {
    /// All of them.
    pub leads: u64,
    /// Those that came out otherwise: points faded, a window ended, days were full.
    pub changed: u64,
}

/// How many leads are how warm.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct SegmentSummary {
    /// Hot.
    pub hot: u64,
    /// Warm.
    pub warm: u64,
    /// Cold.
    pub cold: u64,
}

/// How many tasks there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct TaskSummary {
    /// To be done.
    pub open: u64,
    /// Of these: past due.
    pub late: u64,
    /// In `tasks.csv`: all of the open ones, or as many as the workspace lists, those that are due last.
    pub listed: u64,
    /// That became due since the run before, and are in `due.csv`.
    pub handed_out: u64,
}

/// An alert that fired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AlertSummary {
    /// Stable id of its rule.
    pub id: String,
    /// What tells it from others of the same rule: `silent/meta-lead-ads`.
    pub key: String,
    /// What happened.
    pub message: String,
}

impl RunSummary {
    /// Returns the summary as one line without a line break: the last line of `--json`.
    pub fn to_line(&self) -> Result<String> {
        Ok(serde_json::to_string(self)?)
    }

    /// Returns the summary as the text of `run.json`.
    pub fn to_file(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

impl From<&RowCounts> for RowSummary {
    fn from(counts: &RowCounts) -> Self {
        let RowCounts { read, created, merged, repeated, quarantined, held, touches, skipped } =
            *counts;
        Self { read, created, merged, repeated, quarantined, held, touches, skipped }
    }
}

impl From<&InputReport> for InputSummary {
    fn from(report: &InputReport) -> Self {
        let (status, detail) = match &report.status {
            InputStatus::Imported => ("imported", None),
            InputStatus::Known(run) => ("known", Some(run.clone())),
            InputStatus::Refused(reason) => ("refused", Some(reason.clone())),
            InputStatus::Postponed(reason) => ("postponed", Some(reason.clone())),
        };
        Self {
            name: report.name.clone(),
            sha256: report.sha256.clone(),
            source: report.source.clone(),
            encoding: report.encoding.clone(),
            status,
            detail,
            rows: RowSummary::from(&report.rows),
            notices: report.notices.clone(),
            warnings: report.warnings.clone(),
        }
    }
}

impl From<&Alert> for AlertSummary {
    fn from(alert: &Alert) -> Self {
        let Alert { id, key, message } = alert.clone();
        Self { id, key, message }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A run as any may be.
    pub(in crate::report) fn sample() -> RunSummary {
        let input = InputReport {
            name: "a\nb.csv".to_owned(),
            sha256: "00".to_owned(),
            source: "meta".to_owned(),
            encoding: "utf-8".to_owned(),
            status: InputStatus::Known("run-0001".to_owned()),
            rows: RowCounts::default(),
            warnings: vec!["a sheet was not read".to_owned()],
            notices: NoticeCounts::from([("date-unreadable".to_owned(), 2)]),
        };
        RunSummary {
            run: "run-0002".to_owned(),
            version: "0.1.0".to_owned(),
            as_of: "2026-11-22T06:00:00Z".to_owned(),
            rules_hash: "abc".to_owned(),
            dry_run: false,
            rows: RowSummary::from(&RowCounts { read: 3, created: 3, ..RowCounts::default() }),
            notices: input.notices.clone(),
            inputs: vec![InputSummary::from(&input)],
            newly_shared_contacts: 0,
            pairs_to_review: 0,
            leads: LeadSummary { new: 3, updated: 0, total: 3 },
            looked_again: LookedSummary::default(),
            segments: SegmentSummary { hot: 1, warm: 1, cold: 1 },
            triage: 0,
            tasks: TaskSummary { open: 3, late: 1, listed: 3, handed_out: 2 },
            alerts: vec![AlertSummary::from(&Alert {
                id: "x".to_owned(),
                key: "x/y".to_owned(),
                message: "y".to_owned(),
            })],
            exit_code: 3,
            undo: None,
            rescore: None,
            erasure: None,
            deliveries: Vec::new(),
            dead_letters: 0,
            outbox: Vec::new(),
            withdrawn: Vec::new(),
            ledger: None,
            files: vec!["run.json".to_owned()],
        }
    }

    #[test]
    fn one_line_and_one_file_say_the_same() {
        let summary = sample();
        let line = summary.to_line().unwrap();
        assert!(!line.contains('\n'));
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(
            value,
            serde_json::from_str::<serde_json::Value>(&summary.to_file().unwrap()).unwrap()
        );
        assert_eq!(value["rows"]["created"], 3);
        assert_eq!(value["inputs"][0]["status"], "known");
        assert_eq!(value["inputs"][0]["detail"], "run-0001");
        assert_eq!(value["notices"]["date-unreadable"], 2);
        assert_eq!(value["exit_code"], 3);
    }
}
