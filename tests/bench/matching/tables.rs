//! The two tables, as Markdown: the matcher with its baseline, and beside Splink.

use std::fmt::Write as _;

use super::{Arguments, Measured, measure, measure::Usage, splink::Splink};

/// Writes the tables and what they were measured on.
pub fn markdown(
    sets: &[Measured],
    arguments: &Arguments,
    splink: Option<&Splink>,
) -> anyhow::Result<String> {
    let mut text = String::new();
    writeln!(
        text,
        "| set | records | P | R | F1 | B³ F1 | largest | CPU s | wall s | peak MB | exact keys: F1 | largest |"
    )?;
    writeln!(text, "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")?;
    for set in sets {
        let (quality, usage) = (&set.quality, median(set.usages.iter().copied()));
        let keys = set.exact_keys.as_ref().map_or_else(
            || "– | –".to_owned(),
            |keys| format!("{:.3} | {}", keys.f1, keys.largest),
        );
        writeln!(
            text,
            "| {} | {} | {:.4} | {:.4} | {:.4} | {:.4} | {} | {:.2} | {:.2} | {:.0} | {keys} |",
            set.name,
            quality.records,
            quality.precision,
            quality.recall,
            quality.f1,
            quality.b_cubed[2],
            quality.largest,
            usage.cpu_seconds,
            usage.wall_seconds,
            usage.peak_megabytes,
        )?;
    }
    if let Some(splink) = splink {
        write_beside_splink(&mut text, sets, splink)?;
    }
    let version = measure::version_of(&arguments.command).unwrap_or_default();
    writeln!(
        text,
        "\n{version}; medians of {} rounds. P, R, F1 are pairwise, B³ is B-cubed. Exact keys: rows that share an \
         e-mail address or a phone number, and what hangs together through them.",
        arguments.rounds
    )?;
    Ok(text)
}

fn write_beside_splink(
    text: &mut String,
    sets: &[Measured],
    splink: &Splink,
) -> anyhow::Result<()> {
    writeln!(
        text,
        "\n| set | F1 | Splink F1 at 0.95 (largest) | at the best threshold | Splink CPU s | MB | Splink CPU ÷ ours |"
    )?;
    writeln!(text, "|---|---:|---:|---:|---:|---:|---:|")?;
    for set in sets {
        let Some(first) = set.splink.first() else { continue };
        let theirs = median(set.splink.iter().map(|result| result.usage));
        let ours = median(set.usages.iter().copied());
        writeln!(
            text,
            "| {} | {:.4} | {:.4} ({}) | {:.4} ({}) | {:.2} | {:.0} | {:.1} |",
            set.name,
            set.quality.f1,
            first.documented.f1,
            first.documented.largest,
            first.best.f1,
            first.best_threshold,
            theirs.cpu_seconds,
            theirs.peak_megabytes,
            theirs.cpu_seconds / ours.cpu_seconds.max(0.01),
        )?;
    }
    writeln!(
        text,
        "\nSplink {}, settings in tests/bench/splink_leads.py. Its best threshold is found with the truth; leadmill \
         never sees it.",
        splink.version
    )?;
    Ok(())
}

/// Returns the median of each measure on its own.
fn median(usages: impl Iterator<Item = Usage>) -> Usage {
    let usages: Vec<Usage> = usages.collect();
    let of = |measure: fn(&Usage) -> f64| {
        let mut values: Vec<f64> = usages.iter().map(measure).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    Usage {
        wall_seconds: of(|usage| usage.wall_seconds),
        cpu_seconds: of(|usage| usage.cpu_seconds),
        peak_megabytes: of(|usage| usage.peak_megabytes),
    }
}
