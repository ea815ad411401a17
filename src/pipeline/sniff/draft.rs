//! Drafts a preset for an export that no preset knows, from what was found in it.

use std::fmt::Write as _;

use super::Findings;
use crate::intake::{Column, InputPath, RoleOrigin};
use crate::model::field::EMAIL;
use crate::model::moment::{Certainty, DateOrder};
use crate::model::row::Role;
use crate::rules::RuleSet;
use crate::rules::diagnostics::RuleText;
use crate::rules::source::{header_key, role_word};

/// Headers that make the mark at most: enough to be no other table's, few enough to survive a new question.
const MARKS_MAX: usize = 8;
/// A longer header is a question word for word, which its author will change.
const MARK_CHARS_MAX: usize = 60;

/// What a draft is made from.
#[derive(Clone, Copy)]
pub struct Drafted<'a> {
    /// The file.
    pub input: &'a InputPath,
    /// Its columns.
    pub columns: &'a [Column],
    /// Whether it is JSON.
    pub is_json: bool,
    /// Whether its first line names the columns.
    pub has_header: bool,
    /// What was found in its rows.
    pub findings: &'a Findings,
}

/// Returns the text of a preset called `id` that recognizes the file and says what was guessed.
///
/// `texts` are all rules; the draft has proven itself among them: it is clean, and the file is read by it.
///
/// # Errors
/// Why there is no such preset, in words for the user.
pub fn draft(
    id: &str,
    found: Drafted<'_>,
    rules: &RuleSet,
    texts: &[RuleText],
) -> Result<String, String> {
    let marks = found.marks();
    for count in (1..=marks.len().min(MARKS_MAX)).rev() {
        let text = found.text(id, &marks[..count], rules);
        let mut all = texts.to_vec();
        let path = format!("rules/sources/{id}.toml");
        all.retain(|known| *known.path != *path);
        all.push(RuleText { path: path.into(), text: text.clone().into() });
        let Ok((trial, _)) = RuleSet::parse(&all) else { continue };
        let opened = super::super::open_input(found.input, &trial, None);
        if opened.is_ok_and(|opened| opened.preset.id == id) {
            return Ok(text);
        }
    }
    Err("no set of its headers tells this file from the exports that leadmill knows".to_owned())
}

impl Drafted<'_> {
    /// Columns whose header can be written in a rule: named, and each name once.
    fn named(&self) -> Vec<&Column> {
        let mut keys = Vec::new();
        self.columns
            .iter()
            .filter(|column| column.origin != RoleOrigin::Own && !is_numbered(&column.name))
            .filter(|column| !self.has_header || self.is_json || !is_blank_header(&column.name))
            .filter(|column| {
                let key = header_key(&column.name);
                let is_new = !keys.contains(&key);
                keys.push(key);
                is_new
            })
            .collect()
    }

    /// The names that make the mark, the best first.
    fn marks(&self) -> Vec<&str> {
        let mut columns: Vec<&Column> = self
            .named()
            .into_iter()
            .filter(|column| column.name.chars().count() <= MARK_CHARS_MAX)
            .collect();
        if self.is_json {
            // Not every record has every key, but a record without a contact is no lead.
            columns.sort_by_key(|column| column.role != Role::Field(EMAIL));
        }
        columns.into_iter().map(|column| &*column.name).collect()
    }

    fn text(&self, id: &str, marks: &[&str], rules: &RuleSet) -> String {
        let mut text = String::new();
        let file = self.input.name.rsplit('/').next().unwrap_or(&self.input.name);
        let header: Vec<&str> = self.named().iter().map(|column| &*column.name).collect();
        let _ = write!(
            text,
            "# Drafted by `leadmill sniff --write-preset` from {}.\n\
             # Confirm what says so, then run `leadmill check`. Its columns:\n#   {}\n\
             id = {}\nname = {}\nbecause = \"Leads from an export of ours\"  # confirm: where from?\n\
             # Every form counts from 1: an id alone does not tell two of them apart. If no two of its ids \
             are ever\n# the same, write \"everywhere\".\nid-scope = \"form\"\n",
            plain(file),
            plain(&header.join(", ")),
            quoted(id),
            quoted(id),
        );
        self.write_times(&mut text, rules);
        self.write_recognition(&mut text, marks);
        self.write_columns(&mut text, rules);
        text
    }

    fn write_times(&self, text: &mut String, rules: &RuleSet) {
        let mut certainties = self.findings.first.iter().map(|one| one.submitted_at.certainty);
        let is_local =
            certainties.any(|it| matches!(it, Certainty::ZoneAssumed | Certainty::DateOnly));
        if is_local {
            let zone = rules.workspace.zone.name();
            let _ = writeln!(
                text,
                "zone = {}  # confirm: its times carry no zone, so this is the workspace's",
                quoted(zone)
            );
        }
        if let Some(one) = self.findings.date_orders.first() {
            let order = if one.settled.order == DateOrder::Mdy { "mdy" } else { "dmy" };
            let because = one.settled.because();
            let _ = if one.settled.is_sure() {
                writeln!(text, "date-order = \"{order}\"  # {because}")
            } else {
                writeln!(
                    text,
                    "# date-order = \"{order}\"  # confirm: nothing says which figure of {} is the day; \
                     then uncomment",
                    plain(&one.example)
                )
            };
        }
    }

    fn write_recognition(&self, text: &mut String, marks: &[&str]) {
        let key = if self.is_json { "json-keys" } else { "headers" };
        let marks: Vec<String> = marks.iter().map(|name| quoted(name)).collect();
        let _ = write!(
            text,
            "\n# A file with all of these is such an export. Take out what its author may rename.\n\
             [[recognize]]\n{key} = [{}]\n",
            marks.join(", ")
        );
        if !self.has_header && !self.is_json {
            let contact = self.columns.iter().find(|column| column.role == Role::Field(EMAIL));
            if let Some(column) = contact {
                let _ = writeln!(text, "cells = {{ {} = \"@\" }}", quoted(&column.name));
            }
        }
    }

    fn write_columns(&self, text: &mut String, rules: &RuleSet) {
        let (known, unknown): (Vec<&Column>, Vec<&Column>) =
            self.named().into_iter().partition(|column| column.role != Role::Answer);
        for column in known {
            let meaning = match column.role {
                Role::Field(field) => format!("field = {}", quoted(rules.fields.name(field))),
                role => format!("role = {}", quoted(role_word(role))),
            };
            let doubt = match column.origin {
                RoleOrigin::Values => "  # confirm: guessed from its values",
                _ => "",
            };
            let name = quoted(&pattern(&column.name));
            let _ = write!(text, "\n[[column]]\nnames = [{name}]\n{meaning}{doubt}\n");
        }
        if unknown.is_empty() {
            return;
        }
        let _ = write!(
            text,
            "\n# Nobody knows what these mean, so they are kept and decide nothing. To use one, give it a \
             [[column]] of\n# its own with a field of fields.toml, or a role such as full-name, consent or \
             landing-url.\n[[column]]\nnames = [\n"
        );
        for column in unknown {
            let _ = writeln!(text, "    {},", quoted(&pattern(&column.name)));
        }
        text.push_str("]\nrole = \"answer\"\n");
    }
}

/// Returns an id for a preset from the name of a file: lower-case letters, digits and dashes.
pub fn id_from(name: &str) -> String {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let stem = file.split_once('.').map_or(file, |(stem, _)| stem);
    let ascii = deunicode::deunicode(stem).to_lowercase();
    let words: Vec<&str> =
        ascii.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let id: String = words.join("-").chars().take(60).collect();
    if id.is_empty() { "export".to_owned() } else { id }
}

/// A second column of the same name: `E-mail #2`.
fn is_numbered(name: &str) -> bool {
    name.rsplit_once(" #").is_some_and(|(_, number)| number.bytes().all(|b| b.is_ascii_digit()))
}

/// A column without a header goes by its number, which is not in the file.
fn is_blank_header(name: &str) -> bool {
    let number = name.strip_prefix("column ");
    number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Returns the name as a pattern: signs that mean something to patterns are spelled out.
fn pattern(name: &str) -> String {
    if name.starts_with(['=', '*']) || name.ends_with('*') {
        format!("={name}")
    } else {
        name.to_owned()
    }
}

/// Returns `text` as a TOML string; JSON escapes the same way, but for the delete character.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default().replace('\u{7f}', "\\u007F")
}

/// Returns `text` as part of a comment, which may hold no control characters.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_plain() {
        for (name, expected) in [
            ("inbox/Zgłoszenia (targi) 2026.csv", "zgloszenia-targi-2026"),
            ("leady.csv.gz", "leady"),
            ("-", "export"),
        ] {
            assert_eq!(id_from(name), expected, "{name}");
        }
    }

    #[test]
    fn names_survive_toml() {
        for name in ["Imię \"i\" nazwisko", "=website_url", "a\\b\u{7f}\tc", "* wymagane *"] {
            let file = format!("name = {}\n# {}\n", quoted(&pattern(name)), plain(name));
            let read: toml::Table = file.parse().unwrap();
            assert_eq!(
                read["name"].as_str().unwrap().trim_start_matches('='),
                name.trim_start_matches('=')
            );
        }
    }
}
