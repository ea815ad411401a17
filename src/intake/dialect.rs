//! Finds out how a delimited file is written, and where its header is.

use memchr::memmem;

use super::Caps;
use super::cells::{Dialect, Record};
use super::encoding::Charset;
use super::mojibake::mended;
use super::outline::{looks_like_email, looks_like_phone};
use super::records::{Piece, RecordReader};
use crate::rules::source::Escape;

/// The delimiters that exports are written with.
pub(super) const DELIMITERS: &[u8] = b",;\t|";
const HEADER_LINES: usize = 20;
const SAMPLE_RECORDS: usize = 300;
const SCORED_BYTES: usize = 64 << 10;

/// The make-up of a delimited file.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) dialect: Dialect,
    /// The names of the columns; of `column 1` and so on when the file has no header.
    pub(super) header: Vec<String>,
    /// Line on which the header stands; 0 when there is none.
    pub(super) header_line: u32,
    /// Data records start behind this line.
    pub(super) lines_before: u32,
    /// The first data records.
    pub(super) sample: Vec<Vec<String>>,
    /// The row right above the header: names of groups, where cells were merged.
    pub(super) above: Vec<String>,
}

struct Sampled {
    line: u32,
    cells: Vec<String>,
    has_strays: bool,
    is_json: bool,
    has_json_marks: bool,
}

/// Reads the first records of `head`; `is_known` says whether a cell is one of somebody's headers.
pub(super) fn layout(
    head: &[u8],
    head_is_all: bool,
    charset: Charset,
    caps: &Caps,
    is_known: impl Fn(&str) -> bool,
) -> Option<Layout> {
    let scored = &head[..head.len().min(SCORED_BYTES)];
    let scored_is_all = head_is_all && scored.len() == head.len();
    let sample_of = |dialect: Dialect| sample(scored, scored_is_all, charset, caps, dialect);
    let mut best: Option<(f64, Dialect, Vec<Sampled>)> = None;
    for dialect in candidates(scored) {
        let records = sample_of(dialect);
        if dialect.escape == Escape::Json && !is_surely_json(&records) {
            continue;
        }
        let score = score(&records, dialect, &is_known);
        if best.as_ref().is_none_or(|(known, _, _)| score > *known + 1e-9) {
            best = Some((score, dialect, records));
        }
    }
    let (_, dialect, records) = best?;
    let header_at = header_position(&records, &is_known)?;
    let header = &records[header_at];
    let is_headerless = is_data(header, &is_known);
    let names = if is_headerless {
        numbered(header.cells.len())
    } else {
        header.cells.iter().map(|cell| tidy_header(cell)).collect()
    };
    let lines_before = if is_headerless { header.line - 1 } else { header.line };
    let above = header_at.checked_sub(1).filter(|_| !is_headerless);
    let above = above.map(|at| records[at].cells.iter().map(|cell| tidy_header(cell)).collect());
    Some(Layout {
        dialect,
        header: names,
        header_line: if is_headerless { 0 } else { header.line },
        lines_before,
        sample: records
            .into_iter()
            .filter(|record| record.line > lines_before)
            .map(|record| record.cells)
            .collect(),
        above: above.unwrap_or_default(),
    })
}

/// The text of a header without byte order mark, with its letters mended and with single spaces.
pub(super) fn tidy_header(cell: &str) -> String {
    let cell = mended(cell.trim_start_matches('\u{feff}'));
    cell.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The names of the columns of a file without a header: `column 1` and so on.
pub(super) fn numbered(columns: usize) -> Vec<String> {
    (1..=columns).map(|number| format!("column {number}")).collect()
}

/// Returns whether what stands where a header should is a row of data: an address or a number in it is
/// nobody's header.
fn is_data(record: &Sampled, is_known: &impl Fn(&str) -> bool) -> bool {
    let cells = || record.cells.iter().map(|cell| cell.trim());
    cells().any(looks_like_email)
        || cells().any(looks_like_phone) && known_cells(record, is_known) == 0
}

/// The dialects to try, the likelier first: of equals the first one wins.
fn candidates(head: &[u8]) -> Vec<Dialect> {
    let hint = separator_hint(head);
    let delimiters = hint.as_ref().map_or(DELIMITERS, std::slice::from_ref);
    let has = |text: &[u8]| memmem::find(head, text).is_some();
    let mut all: Vec<Dialect> = Vec::new();
    let mut add = |change: &dyn Fn(&mut Dialect)| {
        all.extend(delimiters.iter().map(|&delimiter| {
            let mut dialect = Dialect::rfc4180(delimiter);
            change(&mut dialect);
            dialect
        }));
    };
    add(&|_| {});
    if has(b"\\") {
        add(&|dialect| dialect.escape = Escape::Backslash);
        add(&|dialect| dialect.escape = Escape::BackslashDelimiter);
    }
    if [&b"\\\""[..], b"\\/", b"\\u", b"null"].into_iter().any(has) {
        add(&|dialect| dialect.escape = Escape::Json);
    }
    if head.starts_with(b"\"") || has(b"\n\"") || has(b"\r\"") {
        add(&|dialect| dialect.whole_row_quoted = true);
    }
    if delimiters.iter().any(|&delimiter| has(&[delimiter, b' ', b'"'])) {
        add(&|dialect| dialect.blanks_before_quotes = true);
    }
    all
}

/// Returns whether the rows below the first are JSON scalars throughout, with something among them that
/// only JSON writes. Less evidence than that could be a path in quotes (`"C:\new"`).
fn is_surely_json(records: &[Sampled]) -> bool {
    let rows = || records.iter().skip(1).filter(|record| record.cells.len() > 1);
    rows().all(|record| record.is_json) && rows().any(|record| record.has_json_marks)
}

/// The delimiter that Excel's first line `sep=;` announces.
fn separator_hint(head: &[u8]) -> Option<u8> {
    let line = head.strip_prefix(b"\"").unwrap_or(head);
    let start = line.get(..4)?.to_ascii_lowercase();
    (start == b"sep=").then(|| line.get(4).copied())?.filter(|byte| !byte.is_ascii_alphanumeric())
}

fn sample(
    head: &[u8],
    is_all: bool,
    charset: Charset,
    caps: &Caps,
    dialect: Dialect,
) -> Vec<Sampled> {
    let mut reader = RecordReader::new(head, dialect, caps);
    let mut record = Record::default();
    let mut records = Vec::new();
    while records.len() < SAMPLE_RECORDS {
        match reader.next(&mut record, |_| true) {
            Ok(Piece::Record { line, terminated }) => {
                if terminated || is_all {
                    let cells = record.cells().map(|cell| shown(charset, cell)).collect();
                    records.push(Sampled {
                        line,
                        cells,
                        has_strays: record.has_strays,
                        is_json: record.is_json,
                        has_json_marks: record.has_json_marks,
                    });
                }
            }
            Ok(Piece::TooLong { line, head, open_quote: true }) => records.push(Sampled {
                line,
                cells: vec![shown(charset, &head)],
                has_strays: true,
                is_json: false,
                has_json_marks: false,
            }),
            Ok(Piece::TooLong { .. }) => {}
            Ok(Piece::OpenQuote { .. } | Piece::End) | Err(_) => break,
        }
    }
    records
}

fn shown(charset: Charset, cell: &[u8]) -> String {
    charset.decode(cell).unwrap_or_else(|| String::from_utf8_lossy(cell)).into_owned()
}

/// Scores a dialect by the share of records that have the commonest width, and by known headers.
fn score(records: &[Sampled], dialect: Dialect, is_known: &impl Fn(&str) -> bool) -> f64 {
    let (width, fit) = commonest_width(records);
    let headers =
        records.iter().take(HEADER_LINES).map(|record| known_cells(record, is_known)).max();
    let headers = headers.unwrap_or(0);
    let bonus = if headers >= 2 { 0.5 + 0.02 * headers.min(20) as f64 } else { 0.0 };
    // Rows that prove to be of a special dialect would often pass for plain ones, too, and keep its
    // backslashes and quotes in their values.
    let is_spaced = dialect.blanks_before_quotes && !records.iter().any(|record| record.has_strays);
    let proof = if dialect.escape == Escape::Json || is_spaced { 0.1 } else { 0.0 };
    // Of two dialects that fit all rows, the one that takes them further apart is right.
    fit + bonus + proof + 0.001 * width.min(100) as f64
}

/// The number of cells that fits the records best, and how well. One column alone is what every wrong
/// delimiter gives, so it counts little.
fn commonest_width(records: &[Sampled]) -> (usize, f64) {
    let mut widths: Vec<usize> = records.iter().map(|record| record.cells.len()).collect();
    widths.sort_unstable();
    widths
        .chunk_by(|a, b| a == b)
        .map(|same| {
            let share = same.len() as f64 / widths.len() as f64;
            (same[0], if same[0] > 1 { share } else { share * 0.3 })
        })
        .max_by(|(width, fit), (other_width, other_fit)| {
            fit.total_cmp(other_fit).then(width.cmp(other_width))
        })
        .unwrap_or((1, 0.0))
}

fn known_cells(record: &Sampled, is_known: &impl Fn(&str) -> bool) -> usize {
    record
        .cells
        .iter()
        .filter(|cell| cell.len() < 200 && !cell.trim().is_empty())
        .filter(|cell| is_known(cell))
        .count()
}

fn header_position(records: &[Sampled], is_known: &impl Fn(&str) -> bool) -> Option<usize> {
    let (width, _) = commonest_width(records);
    let is_hint = |record: &Sampled| {
        record.cells.first().is_some_and(|cell| cell.to_ascii_lowercase().starts_with("sep="))
    };
    let early = || {
        let numbered = records.iter().enumerate().take(HEADER_LINES);
        numbered.filter(|(_, record)| !is_hint(record))
    };
    let fits = |record: &Sampled| {
        let filled = record.cells.iter().filter(|cell| !cell.trim().is_empty()).count();
        record.cells.len() >= width.min(2) && filled * 2 > width.min(record.cells.len())
    };
    let by_names =
        early().find(|(_, record)| known_cells(record, is_known) >= 2).map(|(at, record)| {
            // A row of group names, with blanks where cells were merged, may stand above the names.
            let has_gaps = record.cells.iter().any(|cell| cell.trim().is_empty());
            let known = |record: &Sampled| known_cells(record, is_known);
            let is_better =
                |next: &&Sampled| known(next) > known(record) && !is_data(next, is_known);
            if has_gaps && records.get(at + 1).as_ref().is_some_and(is_better) {
                at + 1
            } else {
                at
            }
        });
    let by_width = || early().find(|(_, record)| record.cells.len() == width && fits(record));
    by_names
        .or_else(|| {
            by_width().or_else(|| early().find(|(_, record)| fits(record))).map(|(at, _)| at)
        })
        .or_else(|| early().next().map(|(at, _)| at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, delimiter: char, header: &[&str], line: u32, rows: usize) {
        let known = |key: &str| ["e mail", "email", "telefon", "imie", "name"].contains(&key);
        let found = layout(text.as_bytes(), true, Charset::Utf8, &Caps::default(), known).unwrap();
        assert_eq!(char::from(found.dialect.delimiter), delimiter, "{text:?}");
        assert_eq!(
            (found.header.as_slice(), found.header_line),
            (header.map_owned().as_slice(), line)
        );
        assert_eq!(found.sample.len(), rows, "{text:?}");
    }

    trait MapOwned {
        fn map_owned(&self) -> Vec<String>;
    }
    impl MapOwned for [&str] {
        fn map_owned(&self) -> Vec<String> {
            self.iter().map(|text| (*text).to_owned()).collect()
        }
    }

    #[test]
    fn the_delimiter_makes_rows_alike() {
        check("a;b,c\n1;2\n3;4,5,6\n", ';', &["a", "b,c"], 1, 2);
        check("a\tb\nPL | x | y\t2\nPL | x | y\t3\n", '\t', &["a", "b"], 1, 2);
        check("sep=;\nx;y\n1,2;3\n", ';', &["x", "y"], 2, 1);
        check("\"a,b\"\n\"1,2\"\n", ',', &["a", "b"], 1, 1);
        check("a,b\n\"1,\"\"2\"\"\"\n\"3,4\"\n", ',', &["a", "b"], 1, 2);
        check("sep=^\nx^y\n1;2^3\n", '^', &["x", "y"], 2, 1);
        check("a;b;c\n1; \"x; y\"; 2\n3; \"x\"; 4\n", ';', &["a", "b", "c"], 1, 2);
    }

    #[test]
    fn the_header_is_found_under_a_preamble() {
        check(
            "Raport, wrzesień;;\nWygenerowano: 12.09;;\n;;\nImię;E-mail;Telefon\nA;a@b.pl;1\n",
            ';',
            &["Imię", "E-mail", "Telefon"],
            4,
            1,
        );
        check("raw\na\n1;2\nb c\nd\n", ',', &["raw"], 1, 4);
        check("Raport\nx,y,z\n1,2,3\n4,5,6\n", ',', &["x", "y", "z"], 2, 2);
    }

    #[test]
    fn group_names_above_the_header_are_passed_over() {
        check(
            "Imię;;Telefon;\nImię;Nazwisko;Telefon;E-mail\nA;B;1;a@b.pl\n",
            ';',
            &["Imię", "Nazwisko", "Telefon", "E-mail"],
            2,
            1,
        );
        check(
            "Dane;;Kontakt;\nImię;x;Telefon;E-mail\n",
            ';',
            &["Imię", "x", "Telefon", "E-mail"],
            2,
            0,
        );
    }

    #[test]
    fn json_in_cells_is_proven_before_it_is_believed() {
        let escape = |text: &str| {
            let found = layout(text.as_bytes(), true, Charset::Utf8, &Caps::default(), |_| false);
            found.unwrap().dialect.escape
        };
        assert_eq!(escape("\"a\",b\n\"\\\"x,\\\" \\u0142\",null\n\"y\",1\n"), Escape::Json);
        assert_ne!(escape("a,b\n\"C:\\\"x\\\", \"\"y\"\"\",1\n"), Escape::Json);
        assert_eq!(escape("\"a\",\"b\"\n\"C:\\new\",\"1\"\n"), Escape::Doubled);
    }

    #[test]
    fn a_file_without_header_keeps_its_first_row() {
        check("a@example.com;Anna\nb@example.com;Jan\n", ';', &["column 1", "column 2"], 0, 2);
        check("Anna;+48600123456\nJan;+48600123457\n", ';', &["column 1", "column 2"], 0, 2);
    }
}
