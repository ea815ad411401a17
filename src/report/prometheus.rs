//! The figures of a run for monitoring, in Prometheus' text format: a node exporter's textfile collector reads them.
//!
//! Names follow Prometheus' conventions: a unit at the end, no counters, since each file stands for one run.

use std::fmt::Write as _;

use super::run_json::RunSummary;

/// A figure with its help, and its values by label.
struct Gauge<'a> {
    name: &'a str,
    help: &'a str,
    values: Vec<(Option<(&'a str, &'a str)>, f64)>,
}

/// Returns the figures of `summary`; `as_of_seconds` is its instant, seconds since 1970 UTC, and `open` the keys of the
/// alerts that are open.
pub fn metrics(summary: &RunSummary, as_of_seconds: i64, open: &[&str]) -> String {
    let rows = summary.rows;
    let one = |name, help, value: f64| Gauge { name, help, values: vec![(None, value)] };
    let by = |name, help, label, values: &[(&'static str, u64)]| Gauge {
        name,
        help,
        values: values.iter().map(|(word, count)| (Some((label, *word)), *count as f64)).collect(),
    };
    let gauges = [
        one(
            "leadmill_run_timestamp_seconds",
            "Instant that the last run took for now.",
            as_of_seconds as f64,
        ),
        one("leadmill_run_exit_code", "Exit code of the last run.", f64::from(summary.exit_code)),
        by(
            "leadmill_run_rows",
            "Rows that the last run read, by what became of them.",
            "outcome",
            &[
                ("created", rows.created),
                ("merged", rows.merged),
                ("repeated", rows.repeated),
                ("quarantined", rows.quarantined),
                ("held", rows.held),
                ("touches", rows.touches),
                ("skipped", rows.skipped),
            ],
        ),
        by(
            "leadmill_run_leads",
            "Leads that the last run made or changed.",
            "change",
            &[("new", summary.leads.new), ("updated", summary.leads.updated)],
        ),
        by(
            "leadmill_leads",
            "Leads in the store, by segment.",
            "segment",
            &[
                ("hot", summary.segments.hot),
                ("warm", summary.segments.warm),
                ("cold", summary.segments.cold),
            ],
        ),
        one(
            "leadmill_run_triage_leads",
            "Leads of the last run that no route took.",
            summary.triage as f64,
        ),
        by(
            "leadmill_tasks",
            "Tasks that are open, and those of them that are late.",
            "state",
            &[("open", summary.tasks.open), ("late", summary.tasks.late)],
        ),
        one(
            "leadmill_run_tasks_handed_out",
            "Tasks that became due since the run before.",
            summary.tasks.handed_out as f64,
        ),
        one(
            "leadmill_pairs_to_review",
            "Pairs that may be one person, found by the last run.",
            summary.pairs_to_review as f64,
        ),
        Gauge {
            name: "leadmill_alert_open",
            help: "Alerts that are open.",
            values: open.iter().map(|key| (Some(("key", *key)), 1.0)).collect(),
        },
    ];
    let mut text = String::new();
    for gauge in &gauges {
        gauge.write(&mut text);
    }
    text
}

impl Gauge<'_> {
    fn write(&self, out: &mut String) {
        let Self { name, help, values } = self;
        // Writing to a string cannot fail.
        let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge");
        for (label, value) in values {
            let label = label.map_or(String::new(), |(label, value)| {
                format!("{{{label}=\"{}\"}}", escaped(value))
            });
            let _ = writeln!(out, "{name}{label} {value}");
        }
    }
}

/// What a label's value must not hold as it is.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::run_json::tests::sample;

    #[test]
    fn every_line_is_one_that_prometheus_reads() {
        let text = metrics(&sample(), 1_790_000_000, &["silent/meta \"x\"\n"]);
        assert!(text.ends_with('\n'));
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert!(name.starts_with("leadmill_"), "{line}");
            assert!(value.parse::<f64>().is_ok(), "{line}");
        }
        for expected in [
            "# TYPE leadmill_run_rows gauge",
            "leadmill_run_timestamp_seconds 1790000000",
            "leadmill_run_rows{outcome=\"created\"} 3",
            "leadmill_tasks{state=\"late\"} 1",
            "leadmill_run_exit_code 3",
            "leadmill_alert_open{key=\"silent/meta \\\"x\\\"\\n\"} 1",
        ] {
            assert!(text.lines().any(|line| line == expected), "{expected} in\n{text}");
        }
    }
}
