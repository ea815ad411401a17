//! The medians, as Markdown for people and as JSON for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{
    Arguments, STEPS, Size, Step, Versions, measure,
    measure::{Usage, machine, median},
};

/// What one step of one size took.
struct Line {
    rows: u64,
    step: Step,
    usage: Usage,
    rows_per_second: Option<f64>,
    /// Wall and CPU time divided by those of the reference; none where it is not installed.
    ratios: Option<[f64; 2]>,
}

/// Writes the medians of all sizes and what they were measured on.
pub fn markdown(
    sizes: &[Size],
    arguments: &Arguments,
    versions: &Versions<'_>,
) -> anyhow::Result<String> {
    let mut text = String::new();
    writeln!(
        text,
        "| rows | step | rows/s | wall s | CPU s | peak MB | wall ÷ reference | CPU ÷ reference |"
    )?;
    writeln!(text, "|---:|---|---:|---:|---:|---:|---:|---:|")?;
    let shown = |value: Option<f64>, decimals: usize| {
        value.map_or_else(|| "–".to_owned(), |value| format!("{value:.decimals$}"))
    };
    for line in lines(sizes) {
        let Usage { wall_seconds, cpu_seconds, peak_megabytes } = line.usage;
        writeln!(
            text,
            "| {} | {} | {} | {wall_seconds:.2} | {cpu_seconds:.2} | {peak_megabytes:.0} | {} | {} |",
            line.rows,
            line.step.title(),
            shown(line.rows_per_second, 0),
            shown(line.ratios.map(|[wall, _]| wall), 2),
            shown(line.ratios.map(|[_, cpu]| cpu), 2),
        )?;
    }
    writeln!(text)?;
    for size in sizes.iter().filter(|size| size.store_bytes > 0) {
        let [store, input] = [size.store_bytes, size.csv_bytes].map(|bytes| bytes as f64 / 1e6);
        writeln!(
            text,
            "The store of {} rows as CSV takes {store:.0} MB, {:.1} times the file.",
            size.rows,
            store / input
        )?;
    }
    let measured = measure::version_of(&arguments.command).unwrap_or_default();
    let reference = version(versions.reference).unwrap_or("not installed");
    let mut beside = vec![format!("sqlite3 {reference}")];
    beside.extend(versions.rivals.iter().cloned());
    writeln!(
        text,
        "Medians of {} rounds, each step in turn. {}. {measured}; {}.",
        arguments.rounds,
        machine(),
        beside.join(", "),
    )?;
    writeln!(
        text,
        "21 columns, 25 % re-submissions, 3 % unusable; CPU is user and system time of the whole process."
    )?;
    Ok(text)
}

/// Returns the same for programs: seconds, megabytes of 10^6 bytes, and ratios to the reference, `null` without one.
pub fn json(sizes: &[Size], arguments: &Arguments, versions: &Versions<'_>) -> Value {
    let medians = lines(sizes).map(|line| {
        json!({
            "rows": line.rows,
            "step": line.step.id(),
            "rows_per_second": line.rows_per_second,
            "wall_seconds": line.usage.wall_seconds,
            "cpu_seconds": line.usage.cpu_seconds,
            "peak_megabytes": line.usage.peak_megabytes,
            "wall_ratio": line.ratios.map(|[wall, _]| wall),
            "cpu_ratio": line.ratios.map(|[_, cpu]| cpu),
        })
    });
    let stores = sizes.iter().map(|size| {
        json!({
            "rows": size.rows,
            "input_bytes": size.csv_bytes,
            "store_bytes": size.store_bytes,
        })
    });
    json!({
        "machine": machine(),
        "leadmill": measure::version_of(&arguments.command),
        "sqlite3": version(versions.reference),
        "rivals": versions.rivals,
        "rounds": arguments.rounds,
        "medians": medians.collect::<Vec<_>>(),
        "stores": stores.collect::<Vec<_>>(),
    })
}

fn lines(sizes: &[Size]) -> impl Iterator<Item = Line> {
    sizes.iter().flat_map(|size| {
        let reference = median_usage(size, Step::Reference);
        STEPS.into_iter().filter_map(move |step| {
            let usage = median_usage(size, step)?;
            let rows = step.rows(size).filter(|_| usage.wall_seconds > 0.0);
            let reference = reference.filter(|one| one.wall_seconds > 0.0 && one.cpu_seconds > 0.0);
            Some(Line {
                rows: size.rows,
                step,
                usage,
                rows_per_second: rows.map(|rows| rows as f64 / usage.wall_seconds),
                ratios: reference.map(|one| {
                    [usage.wall_seconds / one.wall_seconds, usage.cpu_seconds / one.cpu_seconds]
                }),
            })
        })
    })
}

/// Returns the version in the line that `sqlite3 --version` prints.
fn version(line: Option<&str>) -> Option<&str> {
    line.and_then(|line| line.split_whitespace().next())
}

/// Returns the median of each measure on its own, none when the step never ran.
fn median_usage(size: &Size, step: Step) -> Option<Usage> {
    let runs: Vec<Usage> = size
        .measured
        .iter()
        .filter(|(measured, _)| *measured == step)
        .map(|(_, usage)| *usage)
        .collect();
    (!runs.is_empty()).then(|| median(&runs))
}
