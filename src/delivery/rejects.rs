//! Writes rows that were not accepted: one overview, and one file per input to fix and import again.

use std::collections::BTreeSet;
use std::io::Write;

use anyhow::{Context as _, Result};

use super::fault_of;
use crate::model::spreadsheet::guard;

const HEADER: &[&str] = &["input", "row", "line", "code", "column", "value", "message", "raw"];

/// A row that was not accepted, as the overview shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuarantinedRow<'a> {
    /// What the row is known by when it comes back.
    pub id: &'a str,
    /// Input as the user named it.
    pub input: &'a str,
    /// Record number.
    pub record: u32,
    /// Physical line.
    pub line: u32,
    /// Stable code.
    pub code: &'a str,
    /// Header of the column at fault.
    pub column: &'a str,
    /// The value as received.
    pub value: &'a str,
    /// What is wrong and the way out.
    pub message: &'a str,
    /// The row as received, as JSON.
    pub raw: &'a str,
}

/// Writes `quarantine.csv`, the overview of all inputs.
pub struct QuarantineOverview<W: Write> {
    csv: csv::Writer<W>,
    rows: u64,
}

impl<W: Write> QuarantineOverview<W> {
    /// Opens the overview.
    pub fn new(out: W) -> Result<Self> {
        let mut csv = csv::Writer::from_writer(out);
        csv.write_record(HEADER).map_err(fault_of).context("write quarantine.csv")?;
        Ok(Self { csv, rows: 0 })
    }

    /// Writes `row`, guarded: people open this file in a spreadsheet, no program reads it back.
    pub fn write(&mut self, row: &QuarantinedRow<'_>) -> Result<()> {
        let (record, line) = (row.record.to_string(), row.line.to_string());
        let cells = [
            guard(row.input),
            record.as_str().into(),
            line.as_str().into(),
            row.code.into(),
            guard(row.column),
            guard(row.value),
            guard(row.message),
            guard(row.raw),
        ];
        self.csv
            .write_record(cells.iter().map(|cell| cell.as_bytes()))
            .map_err(fault_of)
            .context("write quarantine.csv")?;
        self.rows += 1;
        Ok(())
    }

    /// Closes the overview and returns the rows written and what they were written to.
    pub fn finish(self) -> Result<(u64, W)> {
        let out = self.csv.into_inner().map_err(csv::IntoInnerError::into_error);
        Ok((self.rows, out.context("write quarantine.csv")?))
    }
}

/// Columns beside a row that is given back: by the first one it is known when it returns, the others say
/// what is wrong. Intake takes columns of these names for leadmill's own and reads nothing from them.
const REASON_HEADER: [&str; 5] =
    [ROW_COLUMN, "leadmill-line", "leadmill-code", "leadmill-column", "leadmill-message"];

/// The column that holds the id of a row that was given back.
pub const ROW_COLUMN: &str = "leadmill-row";
/// The same in a JSON record, as a dotted path.
pub const ROW_PATH: &str = "leadmill.row";

/// Writes the rejected rows of one input as they were, each behind what is wrong with it, so that the
/// fixed file is recognized again.
///
/// The reasons come first: a row that lost a cell still shows it at its end, instead of having it filled up.
/// Cells are not guarded: whatever changes a cell changes the submission's fingerprint, too.
pub struct ReimportFile<W: Write> {
    lines: ReimportLines<W>,
    rows: u64,
}

enum ReimportLines<W: Write> {
    Csv(Box<csv::Writer<W>>),
    Jsonl(W),
}

impl<W: Write> ReimportFile<W> {
    /// Opens a CSV file with the input's own `header` and `delimiter`, in UTF-8.
    ///
    /// A byte order mark comes first: people fix the file in Excel, which garbles Polish letters without.
    pub fn new_csv(mut out: W, header: &[String], delimiter: u8) -> Result<Self> {
        out.write_all("\u{feff}".as_bytes()).context("write quarantine")?;
        // Ragged rows are what many of these are.
        let mut csv =
            csv::WriterBuilder::new().delimiter(delimiter).flexible(true).from_writer(out);
        let names = REASON_HEADER.into_iter().chain(header.iter().map(String::as_str));
        csv.write_record(names).context("write quarantine")?;
        Ok(Self { lines: ReimportLines::Csv(Box::new(csv)), rows: 0 })
    }

    /// Opens a file of JSON lines.
    pub fn new_jsonl(out: W) -> Self {
        Self { lines: ReimportLines::Jsonl(out), rows: 0 }
    }

    /// Writes one row of the CSV file: what is wrong with `row`, then all `cells` in their order.
    ///
    /// # Panics
    /// If the file was opened for JSON lines.
    pub fn write_cells(&mut self, row: &QuarantinedRow<'_>, cells: &[String]) -> Result<()> {
        let ReimportLines::Csv(csv) = &mut self.lines else {
            panic!("cells belong into a CSV file");
        };
        let line = row.line.to_string();
        let reasons = [
            row.id.into(),
            line.as_str().into(),
            row.code.into(),
            guard(row.column),
            guard(row.message),
        ];
        let received = cells.iter().map(String::as_bytes);
        csv.write_record(reasons.iter().map(|cell| cell.as_bytes()).chain(received))
            .context("write quarantine")?;
        self.rows += 1;
        Ok(())
    }

    /// Writes `row`'s JSON document as received, with what is wrong put in front where it is an object.
    ///
    /// Line breaks inside it, which JSON only allows between its tokens, become blanks. What is no JSON
    /// stands as it was, to be mended by hand.
    ///
    /// # Panics
    /// If the file was opened for CSV.
    pub fn write_line(&mut self, row: &QuarantinedRow<'_>) -> Result<()> {
        let ReimportLines::Jsonl(out) = &mut self.lines else {
            panic!("JSON lines belong into a JSONL file");
        };
        let broken: Option<String> = serde_json::from_str(row.raw).ok();
        let line = broken.unwrap_or_else(|| with_reason(row));
        let line = line.trim().replace(['\r', '\n'], " ");
        out.write_all(line.as_bytes())
            .and_then(|()| out.write_all(b"\n"))
            .context("write quarantine")?;
        self.rows += 1;
        Ok(())
    }

    /// Closes the file and returns the rows written and what they were written to.
    pub fn finish(self) -> Result<(u64, W)> {
        let out = match self.lines {
            ReimportLines::Csv(csv) => csv
                .into_inner()
                .map_err(csv::IntoInnerError::into_error)
                .context("write quarantine")?,
            ReimportLines::Jsonl(mut out) => {
                out.flush().context("write quarantine")?;
                out
            }
        };
        Ok((self.rows, out))
    }
}

/// Returns the record of `row` with what is wrong as its first member.
fn with_reason(row: &QuarantinedRow<'_>) -> String {
    let Some(members) = row.raw.trim_start().strip_prefix('{') else { return row.raw.to_owned() };
    let reason = serde_json::json!({
        "row": row.id, "line": row.line, "code": row.code, "column": row.column, "message": row.message,
    });
    let comma = if members.trim_start().starts_with('}') { "" } else { "," };
    format!("{{\"leadmill\":{reason}{comma}{members}")
}

/// Names the re-import files of one run, each differently.
#[derive(Debug, Default)]
pub struct ReimportNames(BTreeSet<String>);

impl ReimportNames {
    /// Returns a name such as `meta-lead-ads--wycena.csv` for an `input` of `source`; equal names get
    /// `-2`, `-3`. Intake takes what stands before the two dashes for the source.
    pub fn name(&mut self, source: &str, input: &str, extension: &str) -> String {
        let stem = slug(input);
        // A file that comes back a second time has its source in its name already.
        let again = stem.strip_prefix(&slug(source)).and_then(|rest| rest.strip_prefix('-'));
        let base = format!("{source}--{}", again.filter(|_| input.contains("--")).unwrap_or(&stem));
        let mut name = base.clone();
        let mut turn = 1;
        while !self.0.insert(name.clone()) {
            turn += 1;
            name = format!("{base}-{turn}");
        }
        format!("{name}.{extension}")
    }
}

/// Returns the last part of a path in lower-case ASCII letters, digits and dashes, without extensions.
fn slug(input: &str) -> String {
    let file = input.rsplit(['/', '\\']).next().unwrap_or(input);
    let mut stem = file;
    for extension in [".gz", ".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".json"] {
        let cut = stem.len().saturating_sub(extension.len());
        if cut > 0 && stem.is_char_boundary(cut) && stem[cut..].eq_ignore_ascii_case(extension) {
            stem = &stem[..cut];
        }
    }
    let ascii = deunicode::deunicode(stem).to_lowercase();
    let words: Vec<&str> =
        ascii.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let slug: String = words.join("-").chars().take(80).collect();
    if slug.is_empty() { "input".to_owned() } else { slug }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: QuarantinedRow<'_> = QuarantinedRow {
        id: "q-00",
        input: "inbox/a.csv",
        record: 3,
        line: 7,
        code: "email-invalid",
        column: "E-mail",
        value: "=cmd|' /C calc'!A0",
        message: "no `@`",
        raw: "[\"=cmd|' /C calc'!A0\"]",
    };

    #[test]
    fn names_are_plain_and_never_shared() {
        let mut names = ReimportNames::default();
        let mut name = |input, extension| names.name("kit", input, extension);
        assert_eq!(name("inbox/Żółte leady (1).CSV", "csv"), "kit--zolte-leady-1.csv");
        assert_eq!(name("a/meta.csv.gz", "csv"), "kit--meta.csv");
        assert_eq!(name("b/meta.csv", "csv"), "kit--meta-2.csv");
        assert_eq!(name("../..", "jsonl"), "kit--input.jsonl");
        assert_eq!(name("fix/kit--april.csv", "csv"), "kit--april.csv");
        assert_eq!(name("kit-april.csv", "csv"), "kit--kit-april.csv");
    }

    #[test]
    fn a_reimport_file_holds_the_original_cells() {
        let strings = |cells: &[&str]| cells.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>();
        let header = strings(&["E-mail", "Uwagi", "E-mail"]);
        let mut file = ReimportFile::new_csv(Vec::new(), &header, b';').unwrap();
        let rows = [strings(&["=x;\"y\"\nz", "'+48", ""]), strings(&["za mało"]), strings(&[""])];
        let message = "=no `@`, add it";
        for row in &rows {
            file.write_cells(&QuarantinedRow { message, ..ROW }, row).unwrap();
        }
        let (count, bytes) = file.finish().unwrap();
        assert_eq!(count, 3);
        assert!(bytes.starts_with(
            "\u{feff}leadmill-row;leadmill-line;leadmill-code;leadmill-column;leadmill-message;\
             E-mail;Uwagi;E-mail\nq-00;7;email-invalid;E-mail;'=no `@`, add it;"
                .as_bytes()
        ));
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(b';')
            .flexible(true)
            .from_reader(&bytes["\u{feff}".len()..]);
        let back: Vec<Vec<String>> = reader
            .records()
            .map(|row| row.unwrap().iter().skip(5).map(str::to_owned).collect())
            .collect();
        assert_eq!(back, rows);
    }

    #[test]
    fn a_json_row_stays_one_line() {
        let mut file = ReimportFile::new_jsonl(Vec::new());
        for raw in ["{\"a\": \"b\\nc\",\r\n\"d\": 1}\n", "{}", "\"{\\\"a\\\": \\n\""] {
            file.write_line(&QuarantinedRow { raw, ..ROW }).unwrap();
        }
        let (rows, bytes) = file.finish().unwrap();
        assert_eq!(rows, 3);
        let reason = "\"leadmill\":{\"row\":\"q-00\",\"line\":7,\"code\":\"email-invalid\",\
                      \"column\":\"E-mail\",\"message\":\"no `@`\"}";
        assert_eq!(
            String::from_utf8(bytes).unwrap(),
            format!("{{{reason},\"a\": \"b\\nc\",  \"d\": 1}}\n{{{reason}}}\n{{\"a\":\n")
        );
    }

    #[test]
    fn the_overview_is_safe_to_open() {
        let mut overview = QuarantineOverview::new(Vec::new()).unwrap();
        overview.write(&ROW).unwrap();
        let (rows, bytes) = overview.finish().unwrap();
        assert_eq!(rows, 1);
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>(), HEADER);
        let row = reader.records().next().unwrap().unwrap();
        assert_eq!(&row[1], "3");
        assert_eq!(&row[5], "'=cmd|' /C calc'!A0");
        assert_eq!(&row[7], "[\"=cmd|' /C calc'!A0\"]");
    }
}
