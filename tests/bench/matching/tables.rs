//! The two tables, as Markdown: the matcher with its baseline, and beside Splink.

use std::fmt::Write as _;

use super::{
    Arguments, Measured, measure,
    measure::{machine, median},
    splink::Splink,
};

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
        let (quality, usage) = (&set.quality, median(&set.usages));
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
        "\n{version}; medians of {} rounds on {}. P, R, F1 are pairwise, B³ is B-cubed. Exact keys: rows that share an \
         e-mail address or a phone number, and what hangs together through them.",
        arguments.rounds,
        machine()
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
        let theirs = median(&set.splink.iter().map(|result| result.usage).collect::<Vec<_>>());
        let ours = median(&set.usages);
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
