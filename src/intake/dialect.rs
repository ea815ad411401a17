//! Finds out how a delimited file is written, and where its header is.

use super::Caps;
use super::cells::{Dialect, Record};
use super::encoding::Charset;
use super::mojibake::mended;
use super::records::{Piece, RecordReader};
use crate::rules::source::{Escape, header_key};

const DELIMITERS: &[u8] = b",;\t|";
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
    /// Records to leave out before the first data record, the header included.
    pub(super) records_before: usize,
    /// The first data records.
    pub(super) sample: Vec<Vec<String>>,
}

struct Sampled {
    line: u32,
    cells: Vec<String>,
}

/// Reads the first records of `head`; `is_known` says whether a folded header is one of somebody's.
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
        let score = score(&records, &is_known);
        if best.as_ref().is_none_or(|(known, _, _)| score > *known + 1e-9) {
            best = Some((score, dialect, records));
        }
    }
    let (_, dialect, records) = best?;
    let header_at = header_position(&records, &is_known)?;
    let header = &records[header_at];
    let is_headerless = header.cells.iter().any(|cell| looks_like_email(cell.trim()));
    let names = if is_headerless {
        (1..=header.cells.len()).map(|number| format!("column {number}")).collect()
    } else {
        header.cells.iter().map(|cell| tidy_header(cell)).collect()
    };
    let records_before = if is_headerless { header_at } else { header_at + 1 };
    Some(Layout {
        dialect,
        header: names,
        header_line: if is_headerless { 0 } else { header.line },
        records_before,
        sample: records.into_iter().skip(records_before).map(|record| record.cells).collect(),
    })
}

/// The text of a header without byte order mark, with its letters mended and with single spaces.
pub(super) fn tidy_header(cell: &str) -> String {
    let cell = mended(cell.trim_start_matches('\u{feff}'));
    cell.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns whether `text` has the outline of an e-mail address.
pub(super) fn looks_like_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let tidy = |part: &str| !part.is_empty() && !part.contains([' ', '/', ',', ';', '@', '<', '{']);
    tidy(local) && tidy(domain) && domain.contains('.') && !domain.ends_with('.')
}

/// The dialects to try, the likelier first: of equals the first one wins.
fn candidates(head: &[u8]) -> Vec<Dialect> {
    let dialect =
        |delimiter, escape, whole_row_quoted| Dialect { delimiter, escape, whole_row_quoted };
    if let Some(delimiter) = separator_hint(head) {
        return vec![
            dialect(delimiter, Escape::Doubled, false),
            dialect(delimiter, Escape::Backslash, false),
        ];
    }
    let mut all = Vec::new();
    for escape in [Escape::Doubled, Escape::Backslash, Escape::BackslashDelimiter] {
        if escape == Escape::Doubled || head.contains(&b'\\') {
            all.extend(DELIMITERS.iter().map(|&delimiter| dialect(delimiter, escape, false)));
        }
    }
    if head.starts_with(b"\"") {
        all.extend(DELIMITERS.iter().map(|&delimiter| dialect(delimiter, Escape::Doubled, true)));
    }
    all
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
                    records.push(Sampled { line, cells });
                }
            }
            Ok(Piece::TooLong { line, .. }) => records.push(Sampled { line, cells: Vec::new() }),
            Ok(Piece::OpenQuote { .. } | Piece::End) | Err(_) => break,
        }
    }
    records
}

fn shown(charset: Charset, cell: &[u8]) -> String {
    charset.decode(cell).unwrap_or_else(|| String::from_utf8_lossy(cell)).into_owned()
}

/// Scores a dialect by the share of records that have the commonest width, and by known headers.
fn score(records: &[Sampled], is_known: &impl Fn(&str) -> bool) -> f64 {
    let (width, fit) = commonest_width(records);
    let headers =
        records.iter().take(HEADER_LINES).map(|record| known_cells(record, is_known)).max();
    let headers = headers.unwrap_or(0);
    let bonus = if headers >= 2 { 0.5 + 0.02 * headers.min(20) as f64 } else { 0.0 };
    // Of two dialects that fit all rows, the one that takes them further apart is right.
    fit + bonus + 0.001 * width.min(100) as f64
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
        .filter(|cell| cell.len() < 200 && !cell.trim().is_empty() && is_known(&header_key(cell)))
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
    early()
        .find(|(_, record)| known_cells(record, is_known) >= 2)
        .or_else(|| early().find(|(_, record)| record.cells.len() == width && fits(record)))
        .or_else(|| early().find(|(_, record)| fits(record)))
        .or_else(|| early().next())
        .map(|(at, _)| at)
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
    fn a_file_without_header_keeps_its_first_row() {
        check("a@example.com;Anna\nb@example.com;Jan\n", ';', &["column 1", "column 2"], 0, 2);
    }
}
