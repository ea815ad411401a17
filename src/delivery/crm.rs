//! Makes rows of leads the way a [`Target`] wants them, and writes them down.

use std::collections::HashSet;
use std::io::Write;

use anyhow::{Context as _, Result};
use chrono_tz::Tz;
use sha2::{Digest as _, Sha256};

use super::cell::{self, CellText};
use super::encoding::{self, Encode, encoder};
use super::form::{self, Refusal, RefusalCode};
use crate::model::consent::{Channel, Purpose};
use crate::model::decision::{Contribution, Score};
use crate::model::lead::Lead;
use crate::model::task::Task;
use crate::model::touch::DealAmount;
use crate::rules::field::FieldCatalog;
use crate::rules::target::{
    ColumnValue, Conversion, Derived, Form, SHEET_CELL_CHARS_MAX, Target, TargetFormat,
};

/// What a lead itself does not know, looked up while it is written.
#[derive(Clone, Copy)]
pub struct Lookups<'a> {
    /// E-mail address of the owner with this id.
    pub owner_email: &'a dyn Fn(&str) -> Option<String>,
    /// Name of the owner with this id.
    pub owner_name: &'a dyn Fn(&str) -> Option<String>,
    /// Why these points were given.
    pub score_reason: &'a dyn Fn(&Contribution) -> String,
    /// What to do with a lead of this score.
    pub action: &'a dyn Fn(&Score) -> String,
    /// Zone in which instants are written, unless the target has its own.
    pub zone: Tz,
    /// What the gate says of the purposes and channels that the target asks about.
    pub consents: &'a [(Purpose, Channel, bool)],
    /// Id of the target's own record of the row, where it has told.
    pub record_id: Option<&'a str>,
    /// The task that the row is, with what it says; `None` where the row is none.
    pub task: Option<(&'a Task, &'a str)>,
    /// The conversion that the row is; `None` where the row is none.
    pub conversion: Option<Converted<'a>>,
}

/// What happened to a lead and is told as a conversion.
#[derive(Clone, Copy)]
pub struct Converted<'a> {
    /// As what it is told.
    pub conversion: &'a Conversion,
    /// When it happened, milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// What the deal came to, where it was one that says so.
    pub amount: Option<&'a DealAmount>,
}

impl<'a> Converted<'a> {
    /// Returns what it is worth, and the currency of that: the deal's own amount, else what the rules say of every one.
    /// A number of which nobody says the currency would be taken for one of the network's account, so it is not told.
    pub(super) fn worth(&self) -> (&'a str, &'a str) {
        let Conversion { value, currency, .. } = self.conversion;
        let fixed = if value.is_empty() { ("", "") } else { (value.as_str(), currency.as_str()) };
        let Some(amount) = self.amount else { return fixed };
        match [amount.currency.as_str(), currency].into_iter().find(|code| !code.is_empty()) {
            Some(code) => (&amount.value, code),
            None => fixed,
        }
    }
}

/// One row of a target, checked and ready to be written.
pub struct CrmRow<'a> {
    cells: Vec<CellText<'a>>,
}

impl CrmRow<'_> {
    /// Returns what the row says as a hash, leaving out what is another from run to run: the same hash is the same row.
    pub fn hash(&self, target: &Target) -> [u8; 16] {
        let mut hasher = Sha256::new();
        for (column, cell) in target.columns.iter().zip(&self.cells) {
            if !column.is_of_run() {
                hasher.update((cell.text.len() as u64).to_le_bytes());
                hasher.update(&*cell.text);
            }
        }
        let mut hash = [0; 16];
        hash.copy_from_slice(&hasher.finalize()[..16]);
        hash
    }

    /// Returns the row as an object by the headers of `target`, without what is not there.
    pub fn object(&self, target: &Target) -> serde_json::Map<String, serde_json::Value> {
        encoding::object(target, &self.cells)
    }

    /// Returns the texts of the cells, in the order of the target's columns.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.cells.iter().map(|cell| &*cell.text)
    }
}

/// Returns the row that `lead` is in `target`, or why the target would refuse it.
pub fn row<'a>(
    target: &'a Target,
    fields: &FieldCatalog,
    lead: &'a Lead,
    lookups: &Lookups<'a>,
) -> Result<CrmRow<'a>, Refusal> {
    let lookups = Lookups { zone: target.zone.unwrap_or(lookups.zone), ..*lookups };
    let most = (target.format == TargetFormat::Xlsx).then_some(SHEET_CELL_CHARS_MAX);
    let mut cells = Vec::with_capacity(target.columns.len());
    for column in &target.columns {
        let cell = cell::cell(column, lead, fields, &lookups);
        form::check(column, &cell.text, most)?;
        if column.form == Some(Form::Owner) && cell.text.is_empty() && lead.owner.is_some() {
            return Err(Refusal {
                code: RefusalCode::OwnerUnknown,
                column: column.header.clone(),
                reason: "routing.toml has nothing of the owner that the target would know"
                    .to_owned(),
            });
        }
        cells.push(cell);
    }
    missing(target, |at| cells[at].text.trim().is_empty())?;
    Ok(CrmRow { cells })
}

/// Refuses a row in which what `target` requires is empty.
pub(super) fn missing(target: &Target, is_empty: impl Fn(usize) -> bool) -> Result<(), Refusal> {
    let header = |position: usize| target.columns[position].header.clone();
    let refuse = |column, reason| Err(Refusal { code: RefusalCode::Missing, column, reason });
    if let Some(position) = target.required.iter().find(|position| is_empty(**position)) {
        let reason = format!("{} requires it and there is no value", target.name);
        return refuse(header(*position), reason);
    }
    let any = &target.required_any;
    if !any.is_empty() && any.iter().all(|position| is_empty(*position)) {
        let headers: Vec<String> = any.iter().map(|position| header(*position)).collect();
        let reason =
            format!("{} requires one of {} to have a value", target.name, headers.join(", "));
        return refuse(headers[0].clone(), reason);
    }
    Ok(())
}

/// Returns whether `lead` is any of the target's business: one of the values that it needs is there.
pub fn concerns<'a>(target: &Target, lead: &'a Lead, lookups: &Lookups<'a>) -> bool {
    let is_allowed = |(purpose, channel): &(Purpose, Channel)| {
        let mut said = lookups.consents.iter();
        said.any(|(of, through, allowed)| of == purpose && through == channel && *allowed)
    };
    let has = |value: &ColumnValue| cell::has(value, lead, lookups);
    (target.needs_any.is_empty() || target.needs_any.iter().any(has))
        && target.only_with_consent.iter().all(is_allowed)
}

/// Returns the purposes and channels that `target` asks the gate about, each once.
pub fn asks_about(target: &Target) -> Vec<(Purpose, Channel)> {
    let shown =
        target.columns.iter().flat_map(|column| &column.from).filter_map(|value| match value {
            ColumnValue::Consent(purpose, channel) => Some((purpose.clone(), *channel)),
            ColumnValue::Field(_) | ColumnValue::Derived(_) => None,
        });
    let mut asked: Vec<_> = target.only_with_consent.iter().cloned().chain(shown).collect();
    asked.sort();
    asked.dedup();
    asked
}

/// Returns whether `target` shows the ids of its own records.
pub fn asks_for_record_ids(target: &Target) -> bool {
    let shown = target.columns.iter().flat_map(|column| &column.from);
    shown.into_iter().any(|value| *value == ColumnValue::Derived(Derived::RecordId))
}

/// What became of a row that was offered to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowFate {
    /// It stands in the file.
    Written,
    /// The file is as large as it may be: the row belongs into the next part.
    PartIsFull,
    /// The target would not take it.
    Refused(Refusal),
}

/// Writes one file of a target, a row at a time.
pub struct CrmWriter<'a, W: Write> {
    target: &'a Target,
    encoder: Box<dyn Encode + 'a>,
    out: W,
    buffer: Vec<u8>,
    bytes: u64,
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

impl<'a, W: Write> CrmWriter<'a, W> {
    /// Opens a file: what stands before the rows is written at once. `zone` is that of the workspace.
    pub fn new(target: &'a Target, zone: Tz, out: W) -> Result<Self> {
        let encoder = encoder(target, target.zone.unwrap_or(zone).name())?;
        let mut writer =
            Self { target, encoder, out, buffer: Vec::new(), bytes: 0, rows: 0, guarded: 0 };
        writer.encoder.open(&mut writer.buffer)?;
        writer.flush()?;
        Ok(writer)
    }

    /// Writes `row`, or says that the file is full; the row leaves no trace in it then.
    pub fn write(&mut self, row: &CrmRow<'_>) -> Result<RowFate> {
        if self.rows > 0 && self.target.max_rows.is_some_and(|most| self.rows >= most) {
            return Ok(RowFate::PartIsFull);
        }
        let guarded = self.encoder.row(&row.cells, &mut self.buffer)?;
        if self.target.max_bytes.is_some_and(|most| self.bytes + self.buffer.len() as u64 > most) {
            self.buffer.clear();
            if self.rows > 0 {
                return Ok(RowFate::PartIsFull);
            }
            return Ok(RowFate::Refused(Refusal {
                code: RefusalCode::TooLarge,
                column: String::new(),
                reason: "the row alone is larger than a file may be".to_owned(),
            }));
        }
        self.flush()?;
        self.guarded += guarded;
        self.rows += 1;
        Ok(RowFate::Written)
    }

    /// Closes the file and hands back what it was written to.
    pub fn finish(mut self) -> Result<Finished<W>> {
        self.encoder.close(&mut self.buffer)?;
        self.flush()?;
        self.out.flush().with_context(|| format!("write {}", self.target.file))?;
        Ok(Finished { rows: self.rows, guarded: self.guarded, out: self.out })
    }

    fn flush(&mut self) -> Result<()> {
        self.bytes += self.buffer.len() as u64;
        self.out.write_all(&self.buffer).with_context(|| format!("write {}", self.target.file))?;
        self.buffer.clear();
        Ok(())
    }
}

/// Tells rows of a file apart by the target's key.
#[derive(Debug, Default)]
pub struct Keys(HashSet<[u8; 16]>);

impl Keys {
    /// Takes the key of `row`; refuses one that an earlier row has.
    pub fn take(&mut self, target: &Target, row: &CrmRow<'_>) -> Result<(), Refusal> {
        let Some(position) = target.key else { return Ok(()) };
        self.take_text(target, &row.cells[position].text)
    }

    /// Takes `text` as the key of a row. Most targets find records whatever the case, Salesforce's ids apart.
    pub(super) fn take_text(&mut self, target: &Target, text: &str) -> Result<(), Refusal> {
        let Some(column) = target.key.map(|position| &target.columns[position]) else {
            return Ok(());
        };
        let text = match column.form {
            Some(Form::SalesforceId) => {
                super::salesforce_id::canonical(text).unwrap_or_else(|| text.to_owned())
            }
            _ => text.to_lowercase(),
        };
        let mut hash = [0; 16];
        hash.copy_from_slice(&Sha256::digest(&text)[..16]);
        if text.is_empty() || self.0.insert(hash) {
            return Ok(());
        }
        Err(Refusal {
            code: RefusalCode::DuplicateKey,
            column: column.header.clone(),
            reason: format!(
                "an earlier row has the same, and {} would make one record of both",
                target.name
            ),
        })
    }
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
            owner_name: &|owner| Some(owner.to_uppercase()),
            score_reason: &|given| match given.basis {
                Basis::GroupLimit(cap) => format!("at most {cap}"),
                _ => format!("Reason {}", given.rule),
            },
            action: &|score| format!("call the {} one", score.segment.word()),
            zone: Tz::Europe__Warsaw,
            consents: &[],
            record_id: None,
            task: None,
            conversion: None,
        };
        let target = catalog.iter().next().unwrap();
        let mut writer = CrmWriter::new(target, lookups.zone, Vec::new()).unwrap();
        let fate = |lead| match row(target, &fields, lead, &lookups) {
            Ok(row) => writer.write(&row).unwrap(),
            Err(refusal) => RowFate::Refused(refusal),
        };
        let fates: Vec<RowFate> = leads.iter().map(fate).collect();
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
        let expected = "\u{feff}Email,First Name,Last Name,Phone Number,Lifecycle Stage,Lead Status,Contact owner,\
             Original lead source detail,Legal basis for processing contact's data,Leadmill key\r\n\
             anna.lecka@example.com,Anna,Łęcka,+48600123456,lead,NEW,jan@example.com,facebook,,LM\r\n";
        assert_eq!(text, expected.replace("LM\r", &format!("{}\r", anna().id)));
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
                RowFate::Refused(refusal) => format!("refused for {}", refusal.column),
                RowFate::PartIsFull => "full".to_owned(),
            }
        };
        assert_eq!(name(&[(field::FIRST_NAME, "Anna"), (field::COMPANY, "X")]), "Anna");
        assert_eq!(name(&[(field::COMPANY, "Łąka sp. z o.o.")]), "Łąka sp. z o.o.");
        assert_eq!(name(&[(field::EMAIL, "a.b@example.com")]), "a.b");
        assert_eq!(name(&[(field::PHONE, "+48600123456")]), "+48600123456");
        assert_eq!(name(&[(field::EMAIL, "żółw@example.com")]), "refused for Email");
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
            RowFate::Refused(Refusal {
                code: RefusalCode::Missing,
                column: "Email".to_owned(),
                reason:
                    "HubSpot contacts requires one of Email, First Name, Last Name to have a value"
                        .to_owned()
            })
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
