//! The table of medians, as Markdown.

use std::fmt::Write as _;

use super::{
    Arguments, STEPS, Size, Step, measure,
    measure::{Usage, machine, median},
};

/// Writes the medians of all sizes and what they were measured on.
pub fn markdown(
    sizes: &[Size],
    arguments: &Arguments,
    reference: Option<&str>,
) -> anyhow::Result<String> {
    let mut text = String::new();
    writeln!(
        text,
        "| rows | step | rows/s | wall s | CPU s | peak MB | wall ÷ reference | CPU ÷ reference |"
    )?;
    writeln!(text, "|---:|---|---:|---:|---:|---:|---:|---:|")?;
    for size in sizes {
        let reference = median_usage(size, Step::Reference);
        for step in STEPS {
            let Some(usage) = median_usage(size, step) else { continue };
            let Usage { wall_seconds, cpu_seconds, peak_megabytes } = usage;
            let speed = match step.rows(size) {
                Some(rows) if wall_seconds > 0.0 => format!("{:.0}", rows as f64 / wall_seconds),
                _ => "–".to_owned(),
            };
            writeln!(
                text,
                "| {} | {} | {speed} | {wall_seconds:.2} | {cpu_seconds:.2} | {peak_megabytes:.0} | {} | {} |",
                size.rows,
                step.title(),
                ratio(wall_seconds, reference.map(|usage| usage.wall_seconds)),
                ratio(cpu_seconds, reference.map(|usage| usage.cpu_seconds)),
            )?;
        }
    }
    let measured = measure::version_of(&arguments.command).unwrap_or_default();
    let reference =
        reference.and_then(|line| line.split_whitespace().next()).unwrap_or("not installed");
    writeln!(text)?;
    writeln!(
        text,
        "Medians of {} rounds, each step in turn. {}. {measured}; sqlite3 {reference}.",
        arguments.rounds,
        machine()
    )?;
    writeln!(
        text,
        "21 columns, 25 % re-submissions, 3 % unusable; CPU is user and system time of the whole process."
    )?;
    Ok(text)
}

fn ratio(value: f64, reference: Option<f64>) -> String {
    match reference {
        Some(reference) if reference > 0.0 => format!("{:.2}", value / reference),
        _ => "–".to_owned(),
    }
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
