//! Every shipped preset against its sample and against variants of its export, down to the values.
//!
//! The sample is the text behind `#   ` in the comment that a preset opens with. Variants (other columns,
//! languages, versions of the exporter) are the files of `fixtures/presets/<id>/`. What both are read into
//! stands in `expected.txt` there; `LEADMILL_BLESS=1` writes it anew.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use chrono::{TimeZone as _, Utc};

use super::*;
use crate::intake::{ChosenBy, InputPath};
use crate::model::row::Role;
use crate::pipeline::open_input;
use crate::rules::embedded;
use crate::rules::source::{GENERIC_CSV, GENERIC_JSON, SourcePreset};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/presets")
}

fn shipped() -> RuleSet {
    RuleSet::parse(&embedded::texts()).unwrap().0
}

/// The samples in the comment that a preset opens with; a line of prose ends one and begins another.
fn samples(preset: &str) -> Vec<String> {
    let mut samples = vec![String::new()];
    for line in preset.lines().take_while(|line| line.starts_with('#')) {
        match line.strip_prefix("#   ") {
            Some(line) => samples.last_mut().unwrap().extend([line, "\n"]),
            None => samples.push(String::new()),
        }
    }
    samples.retain(|sample| !sample.is_empty());
    samples
}

/// Reads a file as a run would and tells what became of it.
fn told(
    rules: &RuleSet,
    preset: &SourcePreset,
    name: &str,
    bytes: &[u8],
) -> Result<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    let opened = open_input(&InputPath::file(path), rules, None)
        .map_err(|refusal| format!("{} {name}: {refusal}", preset.id))?;
    if opened.preset.id != preset.id {
        return Err(format!("{} {name}: it is taken for {}", preset.id, opened.preset.id));
    }
    let is_generic = [GENERIC_CSV, GENERIC_JSON].contains(&&*preset.id);
    let chosen_by = if is_generic { ChosenBy::Nothing } else { ChosenBy::Marks };
    assert_eq!(opened.chosen_by, chosen_by, "{} {name}", preset.id);
    let answers: Vec<String> = opened
        .columns
        .iter()
        .filter(|column| column.role == Role::Answer)
        .map(|column| column.name.to_string())
        .collect();
    let as_of = Utc.with_ymd_and_hms(2026, 11, 20, 19, 0, 0).unwrap();
    let findings = judge(opened, rules, as_of).unwrap();
    let counts = findings.counts;
    let mut text = format!("== {name}\n");
    let _ = writeln!(
        text,
        "{} leads, {} tests, {} held, {} quarantined, {} touches, {} repeated, {} skipped",
        counts.lead,
        counts.test,
        counts.held,
        counts.quarantined,
        counts.touch,
        counts.repeated,
        counts.skipped
    );
    let _ = writeln!(text, "answers: {}", answers.join(" | "));
    for one in &findings.first {
        let at = one.submitted_at;
        let sent = at.utc().format("%Y-%m-%dT%H:%M:%SZ");
        let _ = writeln!(text, "line {}: {sent} {:?}", one.origin.line, at.certainty);
        for (field, value) in one.values.iter() {
            let _ = writeln!(text, "  {}: {value}", rules.fields.name(field));
        }
        for claim in &one.consents {
            let (purpose, channel) = (&claim.purpose, claim.channel.word());
            let said = claim.said_at_ms.map(|at| {
                let at = crate::model::moment::utc_from_ms(at).format("%Y-%m-%dT%H:%M:%SZ");
                format!(" at {at} from {}", claim.ip.as_deref().unwrap_or("the row's address"))
            });
            let _ = writeln!(
                text,
                "  consent to {purpose} by {channel} {}{}: {} ({})",
                claim.state.word(),
                said.unwrap_or_default(),
                claim.wording,
                claim.mechanism
            );
        }
        for notice in &one.notices {
            let _ = writeln!(text, "  ({}: {} = {})", notice.code, notice.column, notice.value);
        }
    }
    for (at, touch) in &findings.touches {
        let when = crate::model::moment::utc_from_ms(touch.at_ms).format("%Y-%m-%dT%H:%M:%SZ");
        let _ = writeln!(text, "line {}: {when} {}: {}", at.line, touch.kind, touch.about());
        for identity in &touch.identities {
            let _ = writeln!(text, "  {identity}");
        }
    }
    for (at, one) in &findings.held {
        let _ = writeln!(text, "line {}: held as {}: {}", at.line, one.reason.word(), one.column);
    }
    for (at, one) in &findings.rejected {
        let _ = writeln!(text, "line {}: quarantined as {}: {}", at.line, one.code, one.column);
    }
    Ok(text)
}

fn variants(id: &str) -> Vec<(String, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(fixtures().join(id)) else { return Vec::new() };
    let mut files: Vec<(String, Vec<u8>)> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().is_some_and(|name| name != "expected.txt"))
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read(path).unwrap())
        })
        .collect();
    files.sort();
    files
}

#[test]
fn every_preset_reads_its_sample_and_its_variants() {
    let rules = shipped();
    let (mut mistaken, mut wrong) = (Vec::new(), Vec::new());
    for (path, text) in embedded::FILES.iter().filter(|(path, _)| path.contains("/sources/")) {
        let id = path.rsplit('/').next().unwrap().trim_end_matches(".toml");
        let preset = rules.sources.get(id).unwrap_or_else(|| panic!("{path} has another id"));
        let samples = samples(text);
        assert!(!samples.is_empty(), "{path} opens without a sample");
        let mut found = String::new();
        let mut tell = |name: &str, bytes: &[u8]| match told(&rules, preset, name, bytes) {
            Ok(text) => found += &text,
            Err(message) => mistaken.push(message),
        };
        for (at, sample) in samples.iter().enumerate() {
            let extension = if sample.starts_with(['{', '[']) { "jsonl" } else { "csv" };
            let name = format!("sample-{}.{extension}", at + 1);
            tell(&name, sample.as_bytes());
        }
        for (name, bytes) in variants(id) {
            tell(&name, &bytes);
        }
        let expected = fixtures().join(id).join("expected.txt");
        if std::env::var_os("LEADMILL_BLESS").is_some() {
            fs::create_dir_all(expected.parent().unwrap()).unwrap();
            fs::write(&expected, &found).unwrap();
        } else if fs::read_to_string(&expected).ok().as_deref() != Some(&*found) {
            wrong.push(format!("{}:\n{found}", expected.display()));
        }
    }
    assert!(mistaken.is_empty(), "{}", mistaken.join("\n"));
    assert!(wrong.is_empty(), "LEADMILL_BLESS=1 writes these anew:\n{}", wrong.join("\n"));
}

#[test]
fn a_name_decides_where_marks_would_not() {
    let rules = shipped();
    let folder = tempfile::tempdir().unwrap();
    let table = "E-mail,Name\nanna@example.com,Anna\n";
    let check = |name: &str, source: &str, by: ChosenBy| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, table).unwrap();
        let opened = open_input(&InputPath::file(path), &rules, None).unwrap();
        assert_eq!((&*opened.preset.id, opened.chosen_by), (source, by), "{name}");
    };
    check("leads.csv", GENERIC_CSV, ChosenBy::Nothing);
    check("tiktok/leads.csv", "tiktok", ChosenBy::Folder);
    check("tiktok--leads.csv", "tiktok", ChosenBy::FileName);
    check("tiktok/kit--leads.csv", "kit", ChosenBy::FileName);
    check("tiktok-leads.csv", GENERIC_CSV, ChosenBy::Nothing);
    check("tiktok/old/leads.csv", GENERIC_CSV, ChosenBy::Nothing);
}
