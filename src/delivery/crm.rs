//! Writes leads the way a [`Target`] wants them.

use std::borrow::Cow;
use std::io::Write;

use anyhow::{Context as _, Result};
use chrono_tz::Tz;

use super::cell::{self, CellText};
use super::fault_of;
use crate::model::decision::{Contribution, Score};
use crate::model::lead::Lead;
use crate::model::task::Task;
use crate::rules::field::FieldCatalog;
use crate::rules::target::{LineEnd, Profile, QuoteRule, Target, TargetFormat};

/// What a lead itself does not know, looked up while it is written.
#[derive(Clone, Copy)]
pub struct Lookups<'a> {
    /// E-mail address of the owner with this id.
    pub owner_email: &'a dyn Fn(&str) -> Option<String>,
    /// Why these points were given.
    pub score_reason: &'a dyn Fn(&Contribution) -> String,
    /// What to do with a lead of this score.
    pub action: &'a dyn Fn(&Score) -> String,
    /// Zone in which instants are written.
    pub zone: Tz,
    /// The task that the row is, with what it says; `None` where the row is the lead.
    pub task: Option<(&'a Task, &'a str)>,
}

/// What became of a lead that was offered to a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowFate {
    /// It stands in the file.
    Written,
    /// The target would not take it.
    Refused {
        /// Header of the column at fault.
        column: String,
        /// What is wrong, in one sentence.
        reason: String,
    },
}

/// Writes one target's file, a lead at a time.
pub struct CrmWriter<'a, W: Write> {
    target: &'a Target,
    fields: &'a FieldCatalog,
    encoder: Encoder<W>,
    rows: u64,
    guarded: u64,
}

/// What a finished file holds.
#[derive(Debug)]
pub struct Finished<W> {
    /// Rows written, without the header.
    pub rows: u64,
    /// Cells that were guarded against running as a formula.
    pub guarded: u64,
    /// What was written to.
    pub out: W,
}

enum Encoder<W: Write> {
    Csv(Box<csv::Writer<W>>),
    Jsonl(W, &'static [u8]),
}

impl<'a, W: Write> CrmWriter<'a, W> {
    /// Opens the file: byte order mark and header are written at once.
    pub fn new(target: &'a Target, fields: &'a FieldCatalog, mut out: W) -> Result<Self> {
        let naming = || format!("write {}", target.file);
        if target.bom {
            out.write_all("\u{feff}".as_bytes()).with_context(naming)?;
        }
        let encoder = match target.format {
            TargetFormat::Csv => {
                let mut csv = csv_writer(target, out);
                csv.write_record(target.columns.iter().map(|column| &column.header))
                    .with_context(naming)?;
                Encoder::Csv(Box::new(csv))
            }
            TargetFormat::Jsonl => Encoder::Jsonl(
                out,
                match target.line_end {
                    LineEnd::Lf => b"\n",
                    LineEnd::Crlf => b"\r\n",
                },
            ),
        };
        Ok(Self { target, fields, encoder, rows: 0, guarded: 0 })
    }

    /// Writes `lead`, or says why the target would refuse it; a refused lead leaves no trace in the file.
    pub fn write(&mut self, lead: &Lead, lookups: &Lookups<'_>) -> Result<RowFate> {
        let mut cells = Vec::with_capacity(self.target.columns.len());
        for column in &self.target.columns {
            let mut cell = cell::cell(column, lead, self.fields, lookups);
            if let Err(reason) = cell::fit(column, &mut cell.text) {
                return Ok(refused(&column.header, reason));
            }
            cells.push(cell);
        }
        if let Some(fate) = self.missing(&cells) {
            return Ok(fate);
        }
        self.encode(&cells).with_context(|| format!("write {}", self.target.file))?;
        self.rows += 1;
        Ok(RowFate::Written)
    }

    /// Closes the file and hands back what it was written to.
    pub fn finish(self) -> Result<Finished<W>> {
        let mut out = match self.encoder {
            Encoder::Csv(csv) => csv.into_inner().map_err(csv::IntoInnerError::into_error)?,
            Encoder::Jsonl(out, _) => out,
        };
        out.flush().with_context(|| format!("write {}", self.target.file))?;
        Ok(Finished { rows: self.rows, guarded: self.guarded, out })
    }

    fn missing(&self, cells: &[CellText<'_>]) -> Option<RowFate> {
        let empty = |position: &usize| cells[*position].text.trim().is_empty();
        let header = |position: usize| self.target.columns[position].header.as_str();
        if let Some(position) = self.target.required.iter().find(|position| empty(position)) {
            let reason = format!("{} requires it and there is no value", self.target.name);
            return Some(refused(header(*position), reason));
        }
        let any = &self.target.required_any;
        if !any.is_empty() && any.iter().all(empty) {
            let headers: Vec<&str> = any.iter().map(|position| header(*position)).collect();
            let reason = format!(
                "{} requires one of {} to have a value",
                self.target.name,
                headers.join(", ")
            );
            return Some(refused(headers[0], reason));
        }
        None
    }

    fn encode(&mut self, cells: &[CellText<'_>]) -> Result<()> {
        match &mut self.encoder {
            Encoder::Csv(csv) => {
                for cell in cells {
                    let text = match self.target.profile {
                        Profile::Machine => Cow::Borrowed(&*cell.text),
                        Profile::Spreadsheet => cell::guard_cell(cell),
                    };
                    self.guarded += u64::from(text.len() != cell.text.len());
                    csv.write_field(&*text).map_err(fault_of)?;
                }
                csv.write_record(None::<&[u8]>).map_err(fault_of)?;
            }
            Encoder::Jsonl(out, line_end) => {
                let object: serde_json::Map<String, serde_json::Value> = self
                    .target
                    .columns
                    .iter()
                    .zip(cells)
                    .map(|(column, cell)| (column.header.clone(), cell::json(cell)))
                    .collect();
                serde_json::to_writer(&mut *out, &object).map_err(std::io::Error::from)?;
                out.write_all(line_end)?;
            }
        }
        Ok(())
    }
}

fn csv_writer<W: Write>(target: &Target, out: W) -> csv::Writer<W> {
    csv::WriterBuilder::new()
        .delimiter(target.delimiter)
        .terminator(match target.line_end {
            LineEnd::Lf => csv::Terminator::Any(b'\n'),
            LineEnd::Crlf => csv::Terminator::CRLF,
        })
        .quote_style(match target.quote {
            QuoteRule::Needed => csv::QuoteStyle::Necessary,
            QuoteRule::Always => csv::QuoteStyle::Always,
        })
        .from_writer(out)
}

fn refused(column: &str, reason: String) -> RowFate {
    RowFate::Refused { column: column.to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::decision::{Basis, Contribution, Grade, Group, ModelScores, Score, Segment};
    use crate::model::field::{self, FieldValues};
    use crate::model::ids::{Fingerprint, LeadId, LeadNo};
    use crate::model::spreadsheet;
    use crate::rules::decode::Sink;
    use crate::rules::diagnostics::RuleText;
    use crate::rules::target::TargetCatalog;

    const HUBSPOT: &str = include_str!("../../rules/targets/hubspot-contacts.toml");
    const SALESFORCE: &str = include_str!("../../rules/targets/salesforce-lead.toml");
    const LEADS: &str = include_str!("../../rules/targets/leads.toml");

    fn lead(values: &[(field::FieldNo, &str)]) -> Lead {
        let mut known = FieldValues::default();
        for (number, value) in values {
            known.set(*number, *value);
        }
        Lead {
            no: LeadNo(1),
            id: LeadId::of_founder(Fingerprint([7; 16])),
            values: known,
            n_submissions: 2,
            first_submitted_ms: 1_757_682_313_000,
            last_submitted_ms: 1_757_682_313_000,
            score: Score {
                total: 12,
                groups: [15, 0, 0, -3],
                contributions: vec![
                    points(0, Group::Quality, -3, Basis::Met),
                    points(1, Group::Fit, 20, Basis::Met),
                    points(u16::MAX, Group::Fit, -5, Basis::GroupLimit(15)),
                ],
                segment: Segment::Hot,
                grade: Some(Grade::A2),
                models: ModelScores {
                    totals: vec![("ai".into(), 12), ("crm".into(), 3)],
                    primary: 0,
                },
            },
            owner: Some("jan".to_owned()),
            queue: "sales".to_owned(),
            routing_reason: "rule=pl; queue=sales".to_owned(),
            marketing_email_allowed: false,
            marketing_phone_allowed: true,
            is_new: true,
        }
    }

    fn points(rule: u16, group: Group, points: i32, basis: Basis) -> Contribution {
        Contribution { rule, group, points, basis }
    }

    fn anna() -> Lead {
        lead(&[
            (field::EMAIL, "anna.lecka@example.com"),
            (field::FIRST_NAME, "Anna"),
            (field::LAST_NAME, "Łęcka"),
            (field::PHONE, "+48600123456"),
            (field::SOURCE, "facebook"),
        ])
    }

    fn render(text: &str, leads: &[Lead]) -> (String, Vec<RowFate>) {
        let sink = Sink::default();
        let fields = FieldCatalog::decode(None);
        let file = RuleText { path: "rules/targets/x.toml".into(), text: text.into() };
        let catalog = TargetCatalog::decode(&[file], &fields, &sink);
        let found = sink.take();
        assert!(found.is_empty(), "{found:?}");
        let lookups = Lookups {
            owner_email: &|owner| Some(format!("{owner}@example.com")),
            score_reason: &|given| match given.basis {
                Basis::GroupLimit(cap) => format!("at most {cap}"),
                _ => format!("Reason {}", given.rule),
            },
            action: &|score| format!("call the {} one", score.segment.word()),
            zone: Tz::Europe__Warsaw,
            task: None,
        };
        let target = catalog.iter().next().unwrap();
        let mut writer = CrmWriter::new(target, &fields, Vec::new()).unwrap();
        let fates: Vec<RowFate> =
            leads.iter().map(|lead| writer.write(lead, &lookups).unwrap()).collect();
        let finished = writer.finish().unwrap();
        let written = fates.iter().filter(|fate| **fate == RowFate::Written).count();
        assert_eq!(finished.rows, written as u64);
        (String::from_utf8(finished.out).unwrap(), fates)
    }

    /// Returns the cells of the first row under their headers.
    fn first_row(text: &str) -> Vec<(String, String)> {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let headers = reader.headers().unwrap().clone();
        let row = reader.records().next().unwrap().unwrap();
        headers.iter().zip(row.iter()).map(|(a, b)| (a.to_owned(), b.to_owned())).collect()
    }

    fn cell_of<'a>(row: &'a [(String, String)], header: &str) -> &'a str {
        &row.iter().find(|(known, _)| known == header).unwrap().1
    }

    #[test]
    fn hubspot_gets_its_labels_a_byte_order_mark_and_raw_phones() {
        let (text, _) = render(HUBSPOT, &[anna()]);
        assert_eq!(
            text,
            "\u{feff}Email,First Name,Last Name,Phone Number,Lifecycle Stage,Lead Status,Contact owner,\
             Original lead source detail,Legal basis for processing contact's data\r\n\
             anna.lecka@example.com,Anna,Łęcka,+48600123456,lead,NEW,jan@example.com,facebook,\r\n"
        );
    }

    #[test]
    fn salesforce_opts_out_unless_somebody_agreed() {
        let mut agreed = anna();
        agreed.marketing_email_allowed = true;
        let (text, _) = render(SALESFORCE, &[anna(), agreed]);
        assert!(text.starts_with("Leadmill_Key__c,FirstName,LastName,Company,"), "{text}");
        assert!(!text.contains('\r'));
        let row = first_row(&text);
        assert_eq!(cell_of(&row, "Company"), "[not provided]");
        assert_eq!(cell_of(&row, "HasOptedOutOfEmail"), "true");
        assert_eq!(cell_of(&row, "LeadSource"), "Facebook");
        assert_eq!(cell_of(&row, "Rating"), "Hot");
        assert_eq!(cell_of(&row, "Phone"), "+48600123456");
        assert!(text.lines().nth(2).unwrap().contains(",false,jan@example.com,"));
    }

    #[test]
    fn salesforce_finds_a_last_name_or_refuses() {
        let name = |values: &[(field::FieldNo, &str)]| {
            let (text, fates) = render(SALESFORCE, &[lead(values)]);
            match &fates[0] {
                RowFate::Written => cell_of(&first_row(&text), "LastName").to_owned(),
                RowFate::Refused { column, .. } => format!("refused for {column}"),
            }
        };
        assert_eq!(name(&[(field::FIRST_NAME, "Anna"), (field::COMPANY, "X")]), "Anna");
        assert_eq!(name(&[(field::COMPANY, "Łąka sp. z o.o.")]), "Łąka sp. z o.o.");
        assert_eq!(name(&[(field::EMAIL, "a.b@example.com")]), "a.b");
        assert_eq!(name(&[(field::PHONE, "+48600123456")]), "refused for LastName");
        assert_eq!(name(&[(field::LAST_NAME, &"ó".repeat(90))]), "ó".repeat(80));
        let long = format!("{}@example.com", "x".repeat(80));
        assert_eq!(name(&[(field::EMAIL, &long)]), "refused for Email");
    }

    #[test]
    fn a_refused_lead_leaves_no_trace() {
        let (text, fates) = render(HUBSPOT, &[lead(&[(field::PHONE, "+48600123456")]), anna()]);
        assert_eq!(text.lines().count(), 2);
        assert_eq!(
            fates[0],
            RowFate::Refused {
                column: "Email".to_owned(),
                reason:
                    "HubSpot contacts requires one of Email, First Name, Last Name to have a value"
                        .to_owned()
            }
        );
    }

    #[test]
    fn the_spreadsheet_profile_guards_texts_and_leaves_numbers() {
        let mut hostile = anna();
        hostile.values.set(field::MESSAGE, "=HYPERLINK(\"http://x.example\",\"a;b\")\n-1");
        hostile.values.set(field::COMPANY, "'s-Hertogenbosch");
        let (text, _) = render(LEADS, &[hostile.clone()]);
        let row = first_row(&text);
        assert_eq!(cell_of(&row, "phone"), "+48600123456");
        assert_eq!(cell_of(&row, "score-quality"), "-3");
        assert_eq!(cell_of(&row, "company"), "''s-Hertogenbosch");
        let message = cell_of(&row, "message");
        assert!(message.starts_with("'="));
        assert_eq!(Some(spreadsheet::unguard(message)), hostile.values.get(field::MESSAGE));
        assert_eq!(
            cell_of(&row, "score-reasons"),
            "Reason 1 (+20); at most 15 (-5); Reason 0 (-3)"
        );
        assert_eq!(cell_of(&row, "first-submitted-at"), "2025-09-12T15:05:13+02:00");
        for name in field::CORE {
            cell_of(&row, name);
        }
    }

    #[test]
    fn jsonl_keeps_types_and_every_column() {
        let target = "[target]\nid = \"j\"\nname = \"J\"\nbecause = \"x\"\nfile = \"crm/j.jsonl\"\n\
            format = \"jsonl\"\n[[column]]\nheader = \"email\"\nfrom = \"email\"\n\
            [[column]]\nheader = \"score\"\nfrom = \"score\"\n\
            [[column]]\nheader = \"nip\"\nfrom = \"nip\"\n\
            [[column]]\nheader = \"new\"\nfrom = \"is-new\"\n\
            [[column]]\nheader = \"day\"\nfrom = \"last-submitted-at\"\nformat = \"%d.%m.%Y\"\n\
            [[column]]\nheader = \"src\"\nfrom = \"source\"\nmap = { google = \"G\" }\n\
            map-others-to = \"other\"\n";
        let (text, _) = render(target, &[anna()]);
        assert_eq!(
            text,
            "{\"email\":\"anna.lecka@example.com\",\"score\":12,\"nip\":null,\"new\":true,\
             \"day\":\"12.09.2025\",\"src\":\"other\"}\n"
        );
    }
}
