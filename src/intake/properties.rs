//! What holds for any bytes: nothing panics, every record is accounted for once, and what a dialect's
//! writer wrote is what comes out.

use std::time::Duration;

use proptest::prelude::*;

use super::tests::rows_of;
use super::*;
use crate::model::row::RowContent;

const SMALL: Caps = Caps {
    record_bytes: 2000,
    field_bytes: 500,
    fields: 20,
    input_bytes: 1 << 20,
    ratio: 200,
    writer_wait: Duration::ZERO,
};

/// Texts out of what makes tables and JSON difficult, rather than out of all bytes.
fn difficult(pieces: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(pieces), 0..120)
        .prop_map(|pieces| pieces.concat().into_bytes())
}

const TABLE_PIECES: &[&str] = &[
    "\"",
    "\"\"",
    "\\\"",
    "\\",
    ",",
    ";",
    "\t",
    "|",
    "\n",
    "\r\n",
    "\r",
    " ",
    "a",
    "ł",
    "1",
    "E-mail",
    "Telefon",
    "Imię",
    "a@example.com",
    "600123456",
    "\u{feff}",
    "sep=;\n",
    "Razem",
    "null",
    "„",
    "\u{1a}",
    "\0",
    "E-mail;Telefon;Imię\n",
];

const JSON_PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    "\"",
    "\\\"",
    "\\",
    ":",
    ",",
    "\n",
    "  ",
    "\"email\":",
    "\"a@example.com\"",
    "{\"email\":\"a@example.com\"}",
    "null",
    "12345678901234567890",
    "\"data\":[",
    "\u{feff}",
    "ł",
    "{\"data\":[{\"a\":1}]}\n",
    "{\"body\":\"{\\\"a\\\":1}\"}",
];

#[track_caller]
fn check_accounts(name: &str, bytes: &[u8]) {
    let Ok(rows) = rows_of(name, bytes, &SMALL) else { return };
    let mut before = 0;
    let count = rows.len();
    for (at, row) in rows.into_iter().enumerate() {
        let Ok(row) = row else {
            assert_eq!(at + 1, count, "nothing comes after a refusal");
            return;
        };
        assert_eq!(row.origin.record as usize, at + 1, "records are numbered without gaps");
        assert!(row.origin.line >= before, "lines only go forward");
        before = row.origin.line;
        let breaks = bytes.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count();
        assert!(row.origin.line as usize <= breaks + 1, "the line is in the file");
        assert!(
            row.raw.len() <= 10 * SMALL.record_bytes,
            "a row is no longer than a record may be"
        );
    }
}

/// How a table is written.
#[derive(Debug, Clone, Copy)]
enum Writer {
    Rfc4180,
    Php,
    JsonCells,
    WholeRow,
    BlankBehindDelimiter,
}

fn write(rows: &[Vec<String>], writer: Writer, delimiter: char, line_end: &str) -> String {
    let doubled = |cell: &str| format!("\"{}\"", cell.replace('"', "\"\""));
    let line = |cells: &Vec<String>| -> String {
        let join = |cells: Vec<String>, between: &str| cells.join(between);
        let plain = delimiter.to_string();
        match writer {
            Writer::Rfc4180 => join(cells.iter().map(|cell| doubled(cell)).collect(), &plain),
            Writer::Php => join(cells.iter().map(|cell| php(cell)).collect(), &plain),
            Writer::JsonCells => join(
                cells.iter().map(|cell| serde_json::to_string(cell).unwrap()).collect(),
                &plain,
            ),
            Writer::WholeRow => {
                doubled(&join(cells.iter().map(|cell| doubled(cell)).collect(), &plain))
            }
            Writer::BlankBehindDelimiter => {
                join(cells.iter().map(|cell| doubled(cell)).collect(), &format!("{delimiter} "))
            }
        }
    };
    rows.iter().map(|cells| line(cells) + line_end).collect()
}

/// A cell as PHP's `fputcsv` writes it: a quote behind a backslash is not doubled.
fn php(cell: &str) -> String {
    let mut written = String::from("\"");
    let mut is_escaped = false;
    for c in cell.chars() {
        if c == '"' && !is_escaped {
            written.push('"');
        }
        is_escaped = c == '\\';
        written.push(c);
    }
    written + "\""
}

const CELL_PIECES: &[&str] =
    &["a", "Łódź", " ", ",", ";", "|", "\t", "\"", "\n", "\\", "'", "x y", "2,5", "„b”"];

fn cell() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(CELL_PIECES), 0..8).prop_map(|pieces| {
        // These mean two things in PHP's dialect: a backslash before the closing quote, and before two.
        let text = pieces.concat().replace("\\\"\"", "\\\"");
        text.trim_end_matches('\\').to_owned()
    })
}

fn table() -> impl Strategy<Value = Vec<Vec<String>>> {
    prop::collection::vec((cell(), cell()), 1..8).prop_map(|rows| {
        let header = ["E-mail", "Imię", "Uwagi"].map(str::to_owned).to_vec();
        // What only JSON writes proves its dialect.
        let first = ["p0@example.com", "\"Ala\"", "z/y"].map(str::to_owned).to_vec();
        let others = rows
            .into_iter()
            .enumerate()
            .map(|(at, (name, note))| vec![format!("p{}@example.com", at + 1), name, note]);
        [header, first].into_iter().chain(others).collect()
    })
}

fn objects() -> impl Strategy<Value = Vec<serde_json::Value>> {
    prop::collection::vec(("[a-zżł \"\\\\{}\\[\\],:\n]{0,12}", any::<u64>()), 2..6).prop_map(
        |texts| {
            let object = |(at, (text, number)): (usize, (String, u64))| {
                serde_json::json!({
                    "email": format!("p{at}@example.com"),
                    "note": text,
                    "inner": {"list": [{"a": number}, {"a": 2}]},
                })
            };
            texts.into_iter().enumerate().map(object).collect()
        },
    )
}

/// Braces in a text that a stray quote has opened cannot be told from those of records.
fn without_braces(mut objects: Vec<serde_json::Value>) -> Vec<serde_json::Value> {
    for object in &mut objects {
        let note = object["note"].as_str().unwrap_or_default().replace(['{', '}', '[', ']'], "-");
        object["note"] = note.into();
    }
    objects
}

/// The addresses among the accepted rows of a JSON input; none where it is refused whole as cut, which takes
/// nothing in and says so.
fn addresses(bytes: &str) -> Option<Vec<String>> {
    let rows = rows_of("x.json", bytes.as_bytes(), &Caps::default()).unwrap();
    let mut found = Vec::new();
    for row in rows {
        match row {
            Ok(row) => {
                let RowContent::Cells(_, cells) = row.content else { continue };
                found.extend(cells.into_iter().filter(|cell| &*cell.column == "email"));
            }
            Err(refusal) if refusal.kind == RefusalKind::Truncated => return None,
            Err(refusal) => panic!("{refusal}"),
        }
    }
    Some(found.into_iter().map(|cell| cell.text).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_accounted_for(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        check_accounts("x.csv", &bytes);
    }

    #[test]
    fn any_table_is_accounted_for(bytes in difficult(TABLE_PIECES)) {
        check_accounts("x.csv", &[b"E-mail;Telefon;Imi\xC4\x99\n", &bytes[..]].concat());
        check_accounts("x.csv", &bytes);
    }

    #[test]
    fn any_json_is_accounted_for(bytes in difficult(JSON_PIECES)) {
        check_accounts("x.json", &bytes);
        check_accounts("x.json", &[b"{\"email\":\"a@example.com\"}\n", &bytes[..]].concat());
        check_accounts("x.json", &[b"[{\"email\":\"a@example.com\"},\n", &bytes[..]].concat());
    }

    #[test]
    fn a_table_comes_back_from_every_dialect(
        rows in table(),
        writer in prop::sample::select(&[
            Writer::Rfc4180,
            Writer::Php,
            Writer::JsonCells,
            Writer::WholeRow,
            Writer::BlankBehindDelimiter,
        ][..]),
        delimiter in prop::sample::select(&[',', ';', '\t', '|'][..]),
        line_end in prop::sample::select(&["\n", "\r\n", "\r"][..]),
    ) {
        let text = write(&rows, writer, delimiter, line_end);
        let read = rows_of("x.csv", text.as_bytes(), &Caps::default()).unwrap();
        let is_cut = |row: &Result<_, Refusal>| {
            row.as_ref().is_err_and(|refusal| refusal.kind == RefusalKind::Truncated)
        };
        // A quote behind a backslash at a line's end may close the cell or not. Where no other row tells, the
        // file is refused as cut: nothing is taken in, and somebody is told.
        if matches!(writer, Writer::Php) && read.iter().any(is_cut) {
            return Ok(());
        }
        let found: Vec<String> = read.into_iter().map(|row| row.unwrap().raw).collect();
        let expected: Vec<String> =
            rows[1..].iter().map(|cells| serde_json::to_string(cells).unwrap()).collect();
        prop_assert_eq!(found, expected, "{}", text);
    }

    #[test]
    fn records_come_back_from_every_layout(objects in objects()) {
        let compact: Vec<String> = objects.iter().map(ToString::to_string).collect();
        let pretty: Vec<String> =
            objects.iter().map(|object| serde_json::to_string_pretty(object).unwrap()).collect();
        let expected: Vec<String> = (0..objects.len()).map(|at| format!("p{at}@example.com")).collect();
        for text in [
            compact.join("\n"),
            format!("[{}]", compact.join(",")),
            pretty.join("\n"),
            serde_json::to_string_pretty(&objects).unwrap(),
            format!("{{\"paging\":{{}},\"data\":[{}]}}", compact.join(",")),
            format!("[{{\"items\":[{}]}}]", pretty.join(", ")),
        ] {
            prop_assert_eq!(addresses(&text), Some(expected.clone()), "{}", text);
        }
    }

    #[test]
    fn a_stray_quote_costs_no_other_record(
        objects in objects().prop_map(without_braces),
        broken in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
    ) {
        let broken = broken.index(objects.len());
        let spoil = |text: &str| {
            let places: Vec<usize> = text.char_indices().map(|(at, _)| at).skip(1).collect();
            let (before, behind) = text.split_at(places[at.index(places.len())]);
            format!("{before}\"{behind}")
        };
        let texts = |write: &dyn Fn(&serde_json::Value) -> String| -> Vec<String> {
            let spoilt = |(at, text): (usize, String)| if at == broken { spoil(&text) } else { text };
            objects.iter().map(write).enumerate().map(spoilt).collect()
        };
        let lines = texts(&ToString::to_string).join("\n") + "\n";
        let indented = |object: &serde_json::Value| {
            serde_json::to_string_pretty(object).unwrap().replace('\n', "\n  ")
        };
        let list = format!("[\n  {}\n]\n", texts(&indented).join(",\n  "));
        for text in [lines, list] {
            let Some(found) = addresses(&text) else { continue };
            for other in (0..objects.len()).filter(|other| *other != broken) {
                prop_assert!(found.contains(&format!("p{other}@example.com")), "{other}: {text}");
            }
        }
    }
}
