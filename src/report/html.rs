//! `report.html` and the page of a simulation: one file each, without scripts, pictures or anything from a network.

use std::sync::LazyLock;

use anyhow::{Context as _, Result};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, context};
use serde::Serialize;

use super::charts;
use super::dropoff::{Funnel, SourceFigures};
use super::run_json::{AlertSummary, InputSummary};
use super::simulation::{Simulation, Titled};

const TEMPLATE: &str = "page.html";
const SIMULATION: &str = "simulation.html";
/// Rows of the overdue and hot lists that the page shows.
const LIST_ROWS_MAX: usize = 20;

/// Everything the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PageData {
    /// The run.
    pub run: PageRun,
    /// Big figures on top.
    pub tiles: Vec<Tile>,
    /// Alerts that fired.
    pub alerts: Vec<AlertSummary>,
    /// Inputs and what became of them.
    pub inputs: Vec<InputSummary>,
    /// Where leads left the chain.
    pub funnel: Funnel,
    /// Per source.
    pub sources: Vec<SourceFigures>,
    /// New leads per day of submission: ISO date and count.
    pub leads_per_day: Vec<(String, u64)>,
    /// Leads per span of points.
    pub scores: Vec<ScoreSpan>,
    /// Who has how much to do.
    pub load: Vec<LoadRow>,
    /// Tasks past due, the latest first; the page shows twenty.
    pub overdue: Vec<OverdueRow>,
    /// How many tasks are past due in all.
    pub overdue_total: u64,
    /// Quarantined rows per code.
    pub quarantine: Vec<QuarantineReason>,
    /// Hot leads, the highest score first; the page shows twenty.
    pub hot: Vec<HotLead>,
    /// How many leads are hot in all.
    pub hot_total: u64,
}

/// The run in the page's header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PageRun {
    /// Run's id.
    pub id: String,
    /// Version of leadmill.
    pub version: String,
    /// The instant the run took for now, in the workspace's zone.
    pub as_of: String,
    /// Hash of the rules that decided.
    pub rules_hash: String,
}

/// A big figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tile {
    /// What is counted.
    pub label: String,
    /// How many.
    pub value: u64,
    /// A word more; may be empty.
    pub note: String,
    /// `hot`, `warm`, `cold`, `bad` or empty: how it is colored.
    pub tone: String,
}

/// Leads whose score falls into a span.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ScoreSpan {
    /// The span, such as `40-49`.
    pub label: String,
    /// How many.
    pub leads: u64,
    /// Segment the span lies in.
    pub segment: String,
}

/// What an owner or a queue has to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LoadRow {
    /// Owner's or queue's name.
    pub name: String,
    /// `owner` or `queue`.
    pub kind: String,
    /// Leads.
    pub leads: u64,
    /// Of these: hot.
    pub hot: u64,
    /// Tasks to be done.
    pub tasks_open: u64,
    /// Of these: past due.
    pub tasks_late: u64,
}

/// A task past due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OverdueRow {
    /// Lead's name.
    pub lead: String,
    /// Lead's id.
    pub lead_id: String,
    /// What to do.
    pub subject: String,
    /// Owner's or queue's name.
    pub who: String,
    /// Segment.
    pub segment: String,
    /// When it was due, in the workspace's zone.
    pub due: String,
    /// How late it is.
    pub age: String,
}

/// Rows quarantined for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QuarantineReason {
    /// Stable code.
    pub code: String,
    /// Rows.
    pub rows: u64,
    /// What is wrong and the way out, for the first of them.
    pub message: String,
}

/// A hot lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HotLead {
    /// Lead's id.
    pub lead_id: String,
    /// Name.
    pub name: String,
    /// Points.
    pub score: i32,
    /// Owner's or queue's name.
    pub who: String,
    /// Why it is hot.
    pub reason: String,
    /// What to do next and when; empty when nothing is planned.
    pub next_action: String,
}

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.expect("the template's own marks are sound"));
    environment.add_filter("thousands", thousands);
    for (name, text) in [
        ("style.css", include_str!("style.css")),
        ("head.html", include_str!("head.html")),
        (TEMPLATE, include_str!("page.html")),
        (SIMULATION, include_str!("simulation.html")),
    ] {
        environment.add_template(name, text).expect("templates are part of the program and parse");
    }
    environment
});

/// Returns the page of a simulation; `tables` are its sums and `rows` the leads that change.
pub fn render_simulation(
    simulation: &Simulation,
    tables: &[Titled],
    rows: &Titled,
) -> Result<String> {
    let template = ENVIRONMENT.get_template(SIMULATION).context("render a simulation")?;
    template
        .render(context! {
            sim => Serde(simulation),
            tables => Serde(tables),
            changes => Serde(rows),
            version => env!("CARGO_PKG_VERSION"),
        })
        .context("render a simulation")
}

/// Returns the page.
pub fn render(page: &PageData) -> Result<String> {
    let funnel: Vec<(String, u64, String)> = page
        .funnel
        .steps
        .iter()
        .enumerate()
        .filter_map(|(position, step)| {
            let label = format!("{} ({})", step.step, step.unit);
            // Everything read was received; of the other steps, what went on from them counts.
            let reached = if position == 0 { step.in_count } else { step.out_count };
            Some((label, reached?, String::new()))
        })
        .collect();
    let sources: Vec<(String, u64, String)> = page
        .sources
        .iter()
        .map(|source| (source.source.clone(), source.received, String::new()))
        .collect();
    let scores: Vec<(String, u64, String)> = page
        .scores
        .iter()
        .map(|span| (format!("{} points", span.label), span.leads, span.segment.clone()))
        .collect();
    let template = ENVIRONMENT.get_template(TEMPLATE).context("render report.html")?;
    template
        .render(context! {
            page => Serde(page),
            list_rows_max => LIST_ROWS_MAX,
            funnel_chart => Serde(charts::bars(&funnel)),
            source_chart => Serde(charts::bars(&sources)),
            score_chart => Serde(charts::bars(&scores)),
            day_chart => Serde(charts::days(&page.leads_per_day)),
        })
        .context("render report.html")
}

/// Groups digits by three with a narrow no-break space: `12 345`.
fn thousands(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut grouped = String::from(if number < 0 { "-" } else { "" });
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::run::{NoticeCounts, RowCounts};
    use crate::report::dropoff::{DropoffFigures, TargetFigures};
    use crate::report::run_json::RowSummary;

    const HOSTILE: &str = "<script>alert(1)</script>\" onload=\"x' <img src=http://x.example>";

    fn text(text: &str) -> String {
        text.to_owned()
    }

    fn figures() -> DropoffFigures {
        DropoffFigures {
            rows: RowCounts {
                read: 12_480,
                created: 9_120,
                merged: 2_010,
                repeated: 640,
                quarantined: 310,
                held: 180,
                touches: 200,
                skipped: 20,
            },
            leads_total: 31_006,
            leads_touched: 10_400,
            scored: 10_400,
            routed_owner: 9_800,
            routed_queue: 588,
            triage: 12,
            followup_open: 10_900,
            followup_late: 41,
            followup_not_allowed: 730,
            sent: vec![
                TargetFigures {
                    target: text("hubspot-contacts"),
                    written: 10_395,
                    refused: 5,
                    ..TargetFigures::default()
                },
                TargetFigures {
                    target: text("salesforce-lead"),
                    written: 10_400,
                    ..TargetFigures::default()
                },
            ],
            by_source: ["meta-leads", "google-ads-webhook", "typeform", "ms-forms"]
                .iter()
                .zip([6_400, 3_100, 1_900, 880])
                .map(|(source, received)| SourceFigures {
                    source: text(source),
                    received,
                    created: received * 7 / 10,
                    merged: received / 10,
                    repeated: received / 20,
                    quarantined: received / 40,
                    held: received / 80,
                })
                .collect(),
            quarantine_by_code: vec![(text("email-invalid"), 200), (text("no-contact"), 110)],
            held_by_reason: vec![(text("test"), 100), (text("spam"), 80)],
        }
    }

    fn input(rows: RowSummary) -> InputSummary {
        InputSummary {
            name: text("inbox/meta_leads_2026-11-21_bardzo-dluga-nazwa-pliku-eksportu.csv"),
            sha256: text("00"),
            source: text("meta-leads"),
            encoding: text("UTF-16LE"),
            status: "imported",
            detail: None,
            rows,
            notices: NoticeCounts::new(),
            warnings: Vec::new(),
        }
    }

    fn page(name: &str) -> PageData {
        let figures = figures();
        let tile = |label: &str, value: u64, note: &str, tone: &str| Tile {
            label: text(label),
            value,
            note: text(note),
            tone: text(tone),
        };
        PageData {
            run: PageRun {
                id: text("run-0042"),
                version: text("0.1.0"),
                as_of: text("2026-11-22 06:00 +01:00"),
                rules_hash: text("9f2c4e0b7a1d"),
            },
            tiles: vec![
                tile("rows received", 12_480, "4 inputs", ""),
                tile("new leads", 9_120, "31 006 in all", ""),
                tile("merged", 2_010, "", ""),
                tile("quarantined", 310, "2.5 % of rows", "bad"),
                tile("held", 180, "", ""),
                tile("hot", 812, "", "hot"),
                tile("warm", 3_400, "", "warm"),
                tile("cold", 6_188, "", "cold"),
                tile("in triage", 12, "", "bad"),
                tile("tasks late", 41, "of 10 900", "bad"),
            ],
            alerts: vec![AlertSummary {
                id: text("source-drop"),
                key: text("source-drop/typeform"),
                message: format!("typeform fell by 62 % against the last four Sundays {name}"),
            }],
            inputs: vec![input(RowSummary::from(&figures.rows))],
            funnel: Funnel::new(&figures),
            sources: figures.by_source.clone(),
            leads_per_day: (1..=30_u64)
                .map(|day| (format!("2026-11-{day:02}"), day * 37 % 410))
                .collect(),
            scores: (0..10_u64)
                .map(|span| ScoreSpan {
                    label: format!("{}-{}", span * 10, span * 10 + 9),
                    leads: 900 - span * 80,
                    segment: text(["cold", "warm", "hot"][(span as usize / 4).min(2)]),
                })
                .collect(),
            load: vec![LoadRow {
                name: text("Jan Handlowiec"),
                kind: text("owner"),
                leads: 300,
                hot: 20,
                tasks_open: 310,
                tasks_late: 4,
            }],
            overdue: (0..25)
                .map(|turn| OverdueRow {
                    lead: format!("{name} {turn}"),
                    lead_id: text("LM-144GJ289144G"),
                    subject: text("Call back about the roof"),
                    who: text("Jan Handlowiec"),
                    segment: text("hot"),
                    due: text("2026-11-21 15:20"),
                    age: text("14 h 40 min late"),
                })
                .collect(),
            overdue_total: 41,
            quarantine: vec![QuarantineReason {
                code: text("email-invalid"),
                rows: 200,
                message: text(
                    "`anna@` has no domain; correct it in quarantine/meta.csv and import that file",
                ),
            }],
            hot: vec![HotLead {
                lead_id: text("LM-144GJ289144G"),
                name: text(name),
                score: 92,
                who: text("Jan Handlowiec"),
                reason: text("Read the pricing page twice this week (+15); decision maker (+20)"),
                next_action: text("call by 2026-11-22 09:00"),
            }],
            hot_total: 1,
        }
    }

    #[test]
    fn the_page_needs_nothing_from_outside_and_runs_nothing() {
        let html = render(&page("Anna Łęcka")).unwrap();
        assert!(html.contains(
            "<meta http-equiv=\"Content-Security-Policy\" \
             content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">"
        ));
        for forbidden in
            ["<script", "http://", "https://", "url(", "@import", "<link", "<img", " on"]
        {
            let found = html.match_indices(forbidden).find(|(at, _)| {
                // `<p>… on …` is text; an attribute `onload=` is not.
                forbidden != " on" || html[*at..].chars().take(12).any(|c| c == '=')
            });
            assert_eq!(found, None, "{forbidden}");
        }
        if let Ok(path) = std::env::var("LEADMILL_TEST_PAGE") {
            std::fs::write(path, &html).unwrap();
        }
    }

    #[test]
    fn no_tag_is_born_from_data() {
        let plain = render(&page("Anna")).unwrap();
        let hostile = render(&page(HOSTILE)).unwrap();
        assert_eq!(hostile.matches('<').count(), plain.matches('<').count());
        assert!(hostile.contains("&lt;script&gt;"));
        let quotes = |html: &str| html.matches('"').count();
        assert_eq!(quotes(&hostile), quotes(&plain));
    }

    #[test]
    fn long_lists_are_cut_and_say_so() {
        let html = render(&page("Anna")).unwrap();
        assert!(html.contains("Anna 19") && !html.contains("Anna 20<"));
        assert!(html.contains("20 of 41 shown"));
        assert!(html.contains("12\u{202f}480"));
    }

    #[test]
    fn an_empty_run_has_a_page_too() {
        let mut page = page("Anna");
        page.funnel = Funnel::new(&DropoffFigures::default());
        page.alerts.clear();
        page.inputs.clear();
        page.sources.clear();
        page.leads_per_day.clear();
        page.scores.clear();
        page.load.clear();
        page.overdue.clear();
        page.quarantine.clear();
        page.hot.clear();
        let html = render(&page).unwrap();
        assert!(html.contains("No alert fired"));
        assert!(html.contains("No task is late"));
    }

    #[test]
    fn digits_are_grouped() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(-1_234_567), "-1\u{202f}234\u{202f}567");
        assert_eq!(thousands(999), "999");
    }
}
