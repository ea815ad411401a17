//! Where leads left the chain, and why: the funnel, `dropoff.csv` and its table.

use std::io::Write;

use anyhow::{Context as _, Result};
use serde::Serialize;

use crate::model::run::RowCounts;
use crate::model::spreadsheet::guard;

/// What a run counted; every step of the funnel is computed from these.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DropoffFigures {
    /// Rows by outcome.
    pub rows: RowCounts,
    /// Leads in the store.
    pub leads_total: u64,
    /// Leads that this run made or changed.
    pub leads_touched: u64,
    /// Of these: with a score.
    pub scored: u64,
    /// Of the scored: given to an owner.
    pub routed_owner: u64,
    /// Of the scored: waiting in a queue that a route chose.
    pub routed_queue: u64,
    /// Of the scored: in triage, because no route matched.
    pub triage: u64,
    /// Tasks that are to be done.
    pub followup_open: u64,
    /// Of these: past due.
    pub followup_late: u64,
    /// Tasks left out for want of consent, address or freshness.
    pub followup_not_allowed: u64,
    /// Leads offered to each target, in order of its id.
    pub sent: Vec<TargetFigures>,
    /// Per source, in order of its id.
    pub by_source: Vec<SourceFigures>,
    /// Quarantined rows per code, most first.
    pub quarantine_by_code: Vec<(String, u64)>,
    /// Held rows per reason, most first.
    pub held_by_reason: Vec<(String, u64)>,
}

/// What one target took.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TargetFigures {
    /// Target's id.
    pub target: String,
    /// What its rows are: leads, tasks or conversions.
    #[serde(skip)]
    pub unit: &'static str,
    /// Rows in its file.
    pub written: u64,
    /// Of these: that the target did not have before.
    pub new: u64,
    /// Of these: that it had otherwise.
    pub changed: u64,
    /// Rows that it has as they are; they stand in the file only when everything does.
    pub unchanged: u64,
    /// Rows that are none of its business: no consent, no click id, too old.
    pub left_out: u64,
    /// Rows that it has and is to take out.
    pub withdrawn: u64,
    /// Rows that it would not take.
    pub refused: u64,
    /// Cells that were guarded against running as a formula.
    pub guarded: u64,
}

/// What came of one source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SourceFigures {
    /// Source's id.
    pub source: String,
    /// Rows received.
    pub received: u64,
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
}

/// One step of the chain: what came in is what went out and what left here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FunnelStep {
    /// Name, such as `received`.
    pub step: String,
    /// What is counted: rows, leads, tasks or conversions.
    pub unit: &'static str,
    /// Came in; `None` when nobody can know yet.
    pub in_count: Option<u64>,
    /// Went on to the next step.
    pub out_count: Option<u64>,
    /// Left the chain here.
    pub stuck: Option<u64>,
    /// Why they did, with figures.
    pub because: String,
}

/// The chain from row to meeting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Funnel {
    /// Steps in the order a lead walks them.
    pub steps: Vec<FunnelStep>,
}

impl Funnel {
    /// Returns the funnel of these figures.
    pub fn new(figures: &DropoffFigures) -> Self {
        let rows = &figures.rows;
        let submissions = rows.read - (rows.skipped + rows.touches).min(rows.read);
        let accepted = rows.created + rows.merged + rows.repeated;
        let routed = figures.routed_owner + figures.routed_queue;
        let mut steps = vec![
            step(
                "received",
                "rows",
                rows.read,
                submissions,
                noted(&[
                    (rows.skipped, "no records (padding, totals, repeated headers)"),
                    (rows.touches, "page views and other touches"),
                ]),
            ),
            step("validated", "rows", submissions, accepted, validated_because(figures)),
            step(
                "deduplicated",
                "rows",
                accepted,
                rows.created + rows.merged,
                noted(&[
                    (rows.created, "became a lead"),
                    (rows.merged, "joined one"),
                    (rows.repeated, "seen before"),
                ]),
            ),
            step(
                "scored",
                "leads",
                figures.leads_touched,
                figures.scored,
                noted(&[(figures.leads_touched.saturating_sub(figures.scored), "without a score")]),
            ),
            step(
                "routed",
                "leads",
                figures.scored,
                routed,
                noted(&[
                    (figures.routed_owner, "have an owner"),
                    (figures.routed_queue, "wait in a queue"),
                    (figures.triage, "in triage: no route matched"),
                ]),
            ),
            step(
                "followup-scheduled",
                "tasks",
                figures.followup_open + figures.followup_not_allowed,
                figures.followup_open,
                noted(&[
                    (figures.followup_late, "late"),
                    (figures.followup_not_allowed, "left out: no consent, no address or too old"),
                ]),
            ),
        ];
        for sent in &figures.sent {
            let because = noted(&[(sent.refused, "refused by the target's own rules")]);
            let name = format!("sent:{}", sent.target);
            steps.push(step(&name, sent.unit, sent.written + sent.refused, sent.written, because));
        }
        for name in ["contacted", "meeting"] {
            steps.push(FunnelStep {
                step: name.to_owned(),
                unit: "leads",
                in_count: None,
                out_count: None,
                stuck: None,
                because: "takes longer than a run; `leadmill report dropoff --all` counts it"
                    .to_owned(),
            });
        }
        Self { steps }
    }

    /// Returns whether every step adds up and the rows that left are explained to the last one.
    pub fn balances(&self, figures: &DropoffFigures) -> bool {
        let steps_add_up =
            self.steps.iter().all(|step| match (step.in_count, step.out_count, step.stuck) {
                (Some(came), Some(went), Some(stuck)) => came == went + stuck,
                _ => true,
            });
        let total = |counts: &[(String, u64)]| counts.iter().map(|(_, count)| count).sum::<u64>();
        steps_add_up
            && figures.rows.balances()
            && total(&figures.quarantine_by_code) == figures.rows.quarantined
            && total(&figures.held_by_reason) == figures.rows.held
            && figures.routed_owner + figures.routed_queue + figures.triage == figures.scored
    }

    /// Returns the funnel as rows of text, the header first.
    pub fn table(&self) -> Vec<Vec<String>> {
        let header = ["step", "unit", "in", "out", "stuck", "because"];
        let mut rows = vec![header.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()];
        rows.extend(self.steps.iter().map(|step| {
            vec![
                step.step.clone(),
                step.unit.to_owned(),
                count_text(step.in_count),
                count_text(step.out_count),
                count_text(step.stuck),
                step.because.clone(),
            ]
        }));
        rows
    }
}

/// Writes `dropoff.csv` and returns its rows: the funnel, then sources, codes and reasons.
///
/// Columns: section, name, unit, in, out, stuck, because. In every row `in = out + stuck`; what left in
/// the funnel's rows together with what deduplication let through is what was received.
pub fn write_csv<W: Write>(out: W, figures: &DropoffFigures) -> Result<(u64, W)> {
    let mut csv = csv::Writer::from_writer(out);
    let mut rows = 0;
    let header = ["section", "name", "unit", "in", "out", "stuck", "because"].map(str::to_owned);
    let records = Funnel::new(figures)
        .steps
        .into_iter()
        .map(|step| ("funnel", step))
        .chain(figures.by_source.iter().map(|source| ("source", source_step(source))))
        .chain(losses(&figures.quarantine_by_code).map(|step| ("quarantined", step)))
        .chain(losses(&figures.held_by_reason).map(|step| ("held", step)));
    csv.write_record(&header).context("write dropoff.csv")?;
    for (section, step) in records {
        csv.write_record([
            section,
            &guard(&step.step),
            step.unit,
            &count_text(step.in_count),
            &count_text(step.out_count),
            &count_text(step.stuck),
            &guard(&step.because),
        ])
        .context("write dropoff.csv")?;
        rows += 1;
    }
    let out = csv.into_inner().map_err(csv::IntoInnerError::into_error);
    Ok((rows, out.context("write dropoff.csv")?))
}

fn source_step(source: &SourceFigures) -> FunnelStep {
    let because = noted(&[
        (source.created, "became a lead"),
        (source.merged, "joined one"),
        (source.repeated, "seen before"),
        (source.quarantined, "quarantined"),
        (source.held, "held"),
    ]);
    step(&source.source, "rows", source.received, source.created + source.merged, because)
}

fn losses(counts: &[(String, u64)]) -> impl Iterator<Item = FunnelStep> + '_ {
    counts.iter().map(|(name, count)| step(name, "rows", *count, 0, String::new()))
}

fn step(name: &str, unit: &'static str, came: u64, went: u64, because: String) -> FunnelStep {
    FunnelStep {
        step: name.to_owned(),
        unit,
        in_count: Some(came),
        out_count: Some(went),
        // More out than in means broken books; `Funnel::balances` says so, a page need not panic.
        stuck: Some(came.saturating_sub(went)),
        because,
    }
}

fn validated_because(figures: &DropoffFigures) -> String {
    let list = |counts: &[(String, u64)]| {
        counts.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
    };
    let mut parts = Vec::new();
    for (count, word, reasons) in [
        (figures.rows.quarantined, "quarantined", &figures.quarantine_by_code),
        (figures.rows.held, "held", &figures.held_by_reason),
    ] {
        match (count, reasons.is_empty()) {
            (0, _) => {}
            (_, true) => parts.push(format!("{count} {word}")),
            (_, false) => parts.push(format!("{count} {word} ({})", list(reasons))),
        }
    }
    parts.join("; ")
}

fn noted(counts: &[(u64, &str)]) -> String {
    let texts: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, text)| format!("{count} {text}"))
        .collect();
    texts.join("; ")
}

fn count_text(count: Option<u64>) -> String {
    count.map_or_else(|| "unknown".to_owned(), |count| count.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures() -> DropoffFigures {
        DropoffFigures {
            rows: RowCounts {
                read: 100,
                created: 50,
                merged: 20,
                repeated: 10,
                quarantined: 7,
                held: 3,
                touches: 6,
                skipped: 4,
            },
            leads_total: 60,
            leads_touched: 55,
            scored: 55,
            routed_owner: 40,
            routed_queue: 10,
            triage: 5,
            followup_open: 80,
            followup_late: 12,
            followup_not_allowed: 9,
            sent: vec![TargetFigures {
                target: "hubspot".to_owned(),
                unit: "leads",
                written: 54,
                refused: 1,
                ..TargetFigures::default()
            }],
            by_source: vec![SourceFigures {
                source: "meta".to_owned(),
                received: 90,
                created: 50,
                merged: 20,
                repeated: 10,
                quarantined: 7,
                held: 3,
            }],
            quarantine_by_code: vec![("email-invalid".to_owned(), 5), ("no-contact".to_owned(), 2)],
            held_by_reason: vec![("test".to_owned(), 3)],
        }
    }

    #[test]
    fn every_step_adds_up_and_all_steps_add_up_to_what_was_received() {
        let figures = figures();
        let funnel = Funnel::new(&figures);
        assert!(funnel.balances(&figures));
        let mut rows = funnel.steps.iter().filter(|step| step.unit == "rows");
        let stuck: u64 = rows.clone().filter_map(|step| step.stuck).sum();
        let through = rows.next_back().unwrap().out_count.unwrap();
        assert_eq!(stuck + through, figures.rows.read);
    }

    #[test]
    fn a_missing_reason_is_noticed() {
        let mut figures = figures();
        figures.quarantine_by_code.pop();
        assert!(!Funnel::new(&figures).balances(&figures));
    }

    #[test]
    fn what_nobody_knows_yet_is_called_unknown() {
        let table = Funnel::new(&figures()).table();
        let names: Vec<&str> = table.iter().map(|row| row[0].as_str()).collect();
        assert_eq!(
            names,
            [
                "step",
                "received",
                "validated",
                "deduplicated",
                "scored",
                "routed",
                "followup-scheduled",
                "sent:hubspot",
                "contacted",
                "meeting"
            ]
        );
        assert_eq!(table[2][5], "7 quarantined (email-invalid 5, no-contact 2); 3 held (test 3)");
        assert_eq!(table[8][2..5], ["unknown", "unknown", "unknown"]);
    }

    #[test]
    fn the_file_reads_back() {
        let (rows, bytes) = write_csv(Vec::new(), &figures()).unwrap();
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!(records.len() as u64, rows);
        assert_eq!(rows, 9 + 1 + 2 + 1);
        for record in records.iter().filter(|record| &record[3] != "unknown") {
            let number = |column: usize| record[column].parse::<u64>().unwrap();
            assert_eq!(number(3), number(4) + number(5), "{record:?}");
        }
    }

    #[test]
    fn an_empty_run_is_a_funnel_of_noughts() {
        let figures = DropoffFigures::default();
        assert!(Funnel::new(&figures).balances(&figures));
    }
}
