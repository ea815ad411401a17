//! Inputs through the front door, with the shipped presets: bytes in, rows as one line of text each out.

use std::fs;
use std::io::Write as _;

use super::*;
use crate::model::row::{RowContent, RowKind};
use crate::rules::decode::{Sink, document};
use crate::rules::diagnostics::RuleText;

macro_rules! presets {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("../../rules/sources/", $name, ".toml")))),*]
    };
}

const PRESETS: &[(&str, &str)] = presets! {
    "calendly" "cf7-flamingo" "cfdb7" "generic-csv" "generic-json" "google-ads-webhook" "google-forms"
    "gravity-forms" "hubspot-contacts" "linkedin-lead-gen" "mailchimp" "meta-graph" "meta-lead-ads"
    "ms-forms" "segment" "tiktok" "typeform-csv" "typeform-webhook" "webflow" "wpforms"
};

fn shipped() -> (SourceCatalog, FieldCatalog, Vec<String>) {
    let sink = Sink::default();
    let text = |path: String, text: &str| RuleText { path: path.into(), text: text.into() };
    let fields_text = text("rules/fields.toml".into(), include_str!("../../rules/fields.toml"));
    let mut fields = FieldCatalog::decode(None);
    document(&fields_text, &sink, |root| fields = FieldCatalog::decode(Some(root)));
    let texts: Vec<RuleText> = PRESETS
        .iter()
        .map(|(name, preset)| text(format!("rules/sources/{name}.toml"), preset))
        .collect();
    let texts: Vec<&RuleText> = texts.iter().collect();
    let sources = SourceCatalog::decode(&texts, &fields, &sink);
    let found = sink.take().into_iter();
    let mistakes = found.map(|found| format!("{}: {}", found.place.file.path, found.message));
    (sources, fields, mistakes.collect())
}

/// Reads `bytes` as a file called `name`: the preset, then a line for every row or the refusal.
fn read(name: &str, bytes: &[u8], caps: &Caps) -> (String, Vec<String>) {
    let (sources, fields, _) = shipped();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    match open(&InputPath::file(path), &sources, &fields, caps, None) {
        Ok(input) => {
            let preset = input.preset.id.clone();
            (preset, input.rows().map(|row| shown(&fields, row)).collect())
        }
        Err(refusal) => (String::new(), vec![shown_refusal(&refusal)]),
    }
}

fn shown_refusal(refusal: &Refusal) -> String {
    format!("refused {:?}: {}", refusal.kind, refusal.message)
}

fn shown(fields: &FieldCatalog, row: Result<Row, Refusal>) -> String {
    let row = match row {
        Ok(row) => row,
        Err(refusal) => return shown_refusal(&refusal),
    };
    let text = match row.content {
        RowContent::Skipped(reason) => format!("skipped {reason}"),
        RowContent::Rejected(rejection) => format!("rejected {}", rejection.code),
        RowContent::Cells(kind, cells) => {
            let kind = match kind {
                RowKind::Submission => String::new(),
                RowKind::Touch(touch) => format!("touch {} {} ", touch.kind, touch.detail),
            };
            let cells: Vec<String> = cells
                .iter()
                .filter(|cell| cell.role != Role::Answer)
                .map(|cell| format!("{}={}", role_word(fields, cell.role), cell.text))
                .collect();
            format!("{kind}{}", cells.join(" | "))
        }
    };
    format!("{}/{} {text}", row.origin.record, row.origin.line)
}

fn role_word(fields: &FieldCatalog, role: Role) -> String {
    match role {
        Role::Field(field) => fields.name(field).to_owned(),
        Role::Consent(number) if number < 100 => format!("consent-{number}"),
        Role::Consent(_) => "consent".to_owned(),
        other => format!("{other:?}"),
    }
}

#[track_caller]
fn check_bytes(name: &str, bytes: &[u8], preset: &str, expected: &[&str]) {
    let (found_preset, rows) = read(name, bytes, &Caps::default());
    assert_eq!(rows, expected, "{name}");
    assert_eq!(found_preset, preset, "{name}");
}

#[track_caller]
fn check(text: &str, preset: &str, expected: &[&str]) {
    check_bytes("leads.csv", text.as_bytes(), preset, expected);
}

#[test]
fn the_shipped_presets_are_clean() {
    assert_eq!(shipped().2, Vec::<String>::new());
}

#[test]
fn scratch() {
    let (sources, fields, _) = shipped();
    for folder in [
        "/work/shared/samples/sources",
        "/work/shared/samples/dirty",
        "/work/shared/outside/csv-spectrum/csvs",
    ] {
        let (inputs, problems) = locate(&[folder.to_owned()]);
        eprintln!("{problems:?}");
        for input in inputs {
            eprintln!("\n=== {}", input.name);
            match open(&input, &sources, &fields, &Caps::default(), None) {
                Err(refusal) => eprintln!("   {:?} {refusal}\n   {}", refusal.kind, refusal.hint),
                Ok(open) => {
                    eprintln!(
                        "   {} {:?} {} header line {} bom {}",
                        open.encoding,
                        open.delimiter,
                        open.preset.id,
                        open.header_line,
                        open.has_bom
                    );
                    for c in &open.columns {
                        eprint!(" [{} -> {}]", c.name, role_word(&fields, c.role));
                    }
                    eprintln!();
                    for row in open.rows().take(12) {
                        if let Ok(row) = &row {
                            let raw: String = row.raw.chars().take(90).collect();
                            eprintln!("        {raw}");
                        }
                        eprintln!("   {}", shown(&fields, row));
                    }
                }
            }
        }
    }
}
