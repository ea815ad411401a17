//! `report.html` and the page of a simulation: one file each, without scripts, pictures or anything from a network.

use std::sync::LazyLock;

use anyhow::{Context as _, Result};
use chrono::{NaiveDate, NaiveDateTime};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Serde, Value};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, context, escape_formatter};
use plotters::style::RGBColor;

use super::charts::{self, Bar, Chart, Columns};
use super::metrics::SMALL_N;
use super::metrics::duplicates::Again;
use super::page::PageData;
use super::simulation::{Simulation, Titled};
use super::words::{Words, span};
use crate::model::language::Language;

const PAGE: &str = "page.html";
const SIMULATION: &str = "simulation.html";
const DOSSIER: &str = "dossier.html";
/// Rows of the overdue and hot lists that the page shows.
const LIST_ROWS_MAX: usize = 20;
/// Owners and queues that the page shows.
const LOAD_ROWS_MAX: usize = 30;
/// Inputs that the page shows.
const INPUTS_MAX: usize = 50;
/// Width of a chart over the whole page.
const WHOLE: u32 = 1_040;
/// Width of a chart beside another.
const HALF: u32 = 520;

/// An environment for each language.
static ENVIRONMENTS: LazyLock<[Environment<'static>; 2]> =
    LazyLock::new(|| [Language::English, Language::Polish].map(|one| environment(Words::of(one))));

fn environment(words: &'static Words) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.expect("the template's own marks are sound"));
    environment.set_formatter(|out, state, value| match value.as_str() {
        Some(text) if !value.is_safe() && text.contains(is_unseen) => {
            escape_formatter(out, state, &Value::from(text.replace(is_unseen, "\u{fffd}")))
        }
        _ => escape_formatter(out, state, value),
    });
    add_words(&mut environment, words);
    add_numbers(&mut environment, words);
    for (name, text) in [
        ("style.css", include_str!("style.css")),
        ("head.html", include_str!("head.html")),
        (PAGE, include_str!("page.html")),
        (SIMULATION, include_str!("simulation.html")),
        (DOSSIER, include_str!("dossier.html")),
    ] {
        environment.add_template(name, text).expect("templates are part of the program and parse");
    }
    environment
}

/// Returns whether a character is none that HTML may hold, or turns around what stands beside it.
fn is_unseen(c: char) -> bool {
    let is_control = c.is_control() && !matches!(c, '\n' | '\t');
    is_control || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn add_words(environment: &mut Environment<'static>, words: &'static Words) {
    environment.add_global("lang", words.language().word());
    // What rules and messages say in English is marked as such on a page that is not.
    let foreign = if words.language() == Language::English { "" } else { " lang=\"en\"" };
    environment.add_global("foreign", Value::from_safe_string(foreign.to_owned()));
    environment.add_global(
        "t",
        Value::from_pairs(words.texts.iter().map(|(key, text)| (key.as_str(), text.as_str()))),
    );
    environment.add_function("say", |key: String, values: Kwargs| -> Result<String, Error> {
        said(&values, |values| words.say(&key, values))
            .and_then(|text| text.ok_or_else(|| unsaid(&key)))
    });
    environment.add_function(
        "say_of",
        |rows: u64, key: String, values: Kwargs| -> Result<String, Error> {
            said(&values, |values| words.say_of(rows, &key, values))
                .and_then(|text| text.ok_or_else(|| unsaid(&key)))
        },
    );
    environment.add_filter("counted", |number: u64, key: String| {
        words.counted(number, &key).ok_or_else(|| unsaid(&key))
    });
}

/// Returns what `say` makes of the values that the template names.
fn said(
    values: &Kwargs,
    say: impl Fn(&[(&str, &str)]) -> Option<String>,
) -> Result<Option<String>, Error> {
    let names: Vec<String> = values.args().map(str::to_owned).collect();
    let texts = names.iter().map(|name| Ok(values.get::<Value>(name)?.to_string()));
    let texts = texts.collect::<Result<Vec<String>, Error>>()?;
    let values: Vec<(&str, &str)> =
        names.iter().map(String::as_str).zip(texts.iter().map(String::as_str)).collect();
    Ok(say(&values))
}

fn add_numbers(environment: &mut Environment<'static>, words: &'static Words) {
    environment.add_filter("number", |number: i64| words.number(number));
    environment.add_filter("thousands", |number: i64| words.number(number));
    environment.add_filter("tenths", |tenths: u64| words.tenths(tenths));
    environment.add_filter("percent", |part: u64, of: u64| words.percent(part, of));
    environment.add_filter("signed_percent", |percent: i64| {
        format!("{}{}%", sign(percent), words.number(percent.abs()))
    });
    environment.add_filter("signed_tenths", |tenths: i64| {
        format!("{}{}", sign(tenths), words.tenths(tenths.unsigned_abs()))
    });
    environment.add_filter("share_of", |part: u64, of: u64| {
        format!("{:.1}", 100.0 * part as f64 / of.max(1) as f64)
    });
    environment.add_filter("span", span);
    environment.add_filter("day", |day: String| Ok(words.day(date(&day)?)));
    environment.add_filter("long_day", |day: String| Ok(words.long_day(date(&day)?)));
    environment.add_filter("weekday_and_day", |day: String| Ok(words.weekday_and_day(date(&day)?)));
    environment.add_filter("weekdays", |day: String| Ok(words.weekdays(date(&day)?).to_owned()));
    environment
        .add_filter("on_weekday", |day: String| Ok(words.on_weekday(date(&day)?).to_owned()));
    environment.add_filter("moment", |at: String| {
        let parsed = NaiveDateTime::parse_from_str(&at, "%Y-%m-%d %H:%M");
        parsed.map(|at| words.moment(at)).map_err(|_| unsaid(&at))
    });
}

fn sign(number: i64) -> &'static str {
    match number {
        ..0 => "−",
        0 => "±",
        1.. => "+",
    }
}

fn date(day: &str) -> Result<NaiveDate, Error> {
    day.parse().map_err(|_| unsaid(day))
}

fn unsaid(what: &str) -> Error {
    Error::new(ErrorKind::InvalidOperation, format!("nothing can be said of `{what}`"))
}

/// Returns the page of a simulation; `tables` are its sums and `rows` the leads that change.
pub fn render_simulation(
    simulation: &Simulation,
    tables: &[Titled],
    rows: &Titled,
) -> Result<String> {
    let environment = &ENVIRONMENTS[Language::English as usize];
    let template = environment.get_template(SIMULATION).context("render a simulation")?;
    template
        .render(context! {
            sim => Serde(simulation),
            tables => Serde(tables),
            changes => Serde(rows),
            version => env!("CARGO_PKG_VERSION"),
        })
        .context("render a simulation")
}

/// Returns the page that tells a person what is known about them; `nothing` stands where a section has no rows.
pub(super) fn render_dossier(
    language: Language,
    title: &str,
    lead_in: &[String],
    sections: &[super::dossier::Section],
    nothing: &str,
) -> Result<String> {
    let template = ENVIRONMENTS[language as usize]
        .get_template(DOSSIER)
        .context("render what is known of a person")?;
    template
        .render(
            context! { title, lead_in => lead_in.to_vec(), sections => Serde(sections), nothing },
        )
        .context("render what is known of a person")
}

/// Returns the page in `language`.
pub fn render(page: &PageData, language: Language) -> Result<String> {
    let words = Words::of(language);
    let kinds: Vec<&str> = Again::ALL.iter().map(|(word, _)| *word).collect();
    let template =
        ENVIRONMENTS[language as usize].get_template(PAGE).context("render report.html")?;
    let html = template
        .render(context! {
            page => Serde(page),
            duplicate_kinds => Serde(kinds),
            list_rows_max => LIST_ROWS_MAX,
            load_rows_max => LOAD_ROWS_MAX,
            inputs_max => INPUTS_MAX,
            small_n => SMALL_N,
            day_chart => Serde(day_chart(page, words)?),
            funnel_chart => Serde(funnel_chart(page, words)?),
            speed_chart => Serde(speed_chart(page, words)?),
            score_chart => Serde(score_chart(page, words)?),
        })
        .context("render report.html")?;
    Ok(html + "\n")
}

fn day_chart(page: &PageData, words: &Words) -> Result<Chart> {
    let rest = charts::SERIES.len() - 1;
    let color = |at: usize| {
        let is_rest = page.days.sources.get(at).is_some_and(|source| source.name.is_empty());
        charts::SERIES[if is_rest { rest } else { at.min(rest) }]
    };
    let column =
        |counts: &[u64]| counts.iter().enumerate().map(|(at, count)| (*count, color(at))).collect();
    let mut ticks = Vec::new();
    for (at, day) in page.days.days.iter().enumerate().filter(|(_, day)| day.is_monday) {
        ticks.push((at as f64 + 0.5, words.short_day(day.day.parse()?)));
    }
    let columns = page.days.days.iter().map(|day| column(&day.counts)).collect();
    charts::columns(&Columns { columns, ticks }, WHOLE, &|count| words.number(count as i64))
}

fn funnel_chart(page: &PageData, words: &Words) -> Result<Chart> {
    // Page views and lists of contacts are received, too, but were never to become leads.
    let received = page.chain.first().map_or(0, |step| step.went);
    let mut bars = Vec::new();
    for step in page.chain.iter().filter(|step| step.is_known) {
        bars.push(Bar {
            label: named(words, "step-", step.step)?,
            value: step.went,
            figure: figure(words, step.went, received),
            color: charts::BAR,
        });
    }
    charts::bars(&bars, WHOLE)
}

fn speed_chart(page: &PageData, words: &Words) -> Result<Chart> {
    let mut bars = Vec::new();
    for bucket in &page.speed.buckets {
        bars.push(Bar {
            label: named(words, "speed-", bucket.word)?,
            value: bucket.enquiries,
            figure: figure(words, bucket.enquiries, page.speed.enquiries),
            color: match bucket.word {
                "never" => charts::BAD,
                "open" | "unknown" => charts::PALE,
                _ => charts::BAR,
            },
        });
    }
    charts::bars(&bars, HALF)
}

fn score_chart(page: &PageData, words: &Words) -> Result<Chart> {
    let columns = page.scores.iter().map(|span| vec![(span.leads, segment_color(&span.segment))]);
    let ticks = (0..=10).step_by(2).map(|ten| (f64::from(ten), (ten * 10).to_string())).collect();
    let columns = Columns { columns: columns.collect(), ticks };
    charts::columns(&columns, HALF, &|count| words.number(count as i64))
}

fn segment_color(segment: &str) -> RGBColor {
    match segment {
        "hot" => charts::HOT,
        "warm" => charts::WARM,
        "cold" => charts::COLD,
        _ => charts::PALE,
    }
}

fn named(words: &Words, family: &str, word: &str) -> Result<String> {
    let key = format!("{family}{word}");
    words.texts.get(&key).cloned().with_context(|| format!("the page has no word for {key}"))
}

fn figure(words: &Words, part: u64, of: u64) -> String {
    format!("{} ({})", words.number(part as i64), words.percent(part, of))
}
