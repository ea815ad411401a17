//! Writing CSV and JSON, and folding letters to ASCII.

use std::fmt::Write as _;

/// When a CSV cell is put in quotes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Quoting {
    /// Only when the cell holds the delimiter, a quote or a line break.
    Needed,
    /// Always.
    Always,
}

/// Appends one CSV record without its line end.
pub fn write_record<'a>(
    output: &mut String,
    cells: impl IntoIterator<Item = &'a str>,
    delimiter: char,
    quoting: Quoting,
) {
    for (position, cell) in cells.into_iter().enumerate() {
        if position > 0 {
            output.push(delimiter);
        }
        let special = |letter: char| letter == delimiter || matches!(letter, '"' | '\n' | '\r');
        if quoting == Quoting::Always || cell.contains(special) {
            output.push('"');
            for letter in cell.chars() {
                if letter == '"' {
                    output.push('"');
                }
                output.push(letter);
            }
            output.push('"');
        } else {
            output.push_str(cell);
        }
    }
}

/// Appends a JSON string in its quotes.
pub fn write_json_string(output: &mut String, value: &str) {
    output.push('"');
    for letter in value.chars() {
        match letter {
            '"' => output.push_str("\\\""),
            '\\' => output.push_str("\\\\"),
            '\n' => output.push_str("\\n"),
            '\r' => output.push_str("\\r"),
            '\t' => output.push_str("\\t"),
            control if control < ' ' => {
                let _ = write!(output, "\\u{:04x}", u32::from(control));
            }
            other => output.push(other),
        }
    }
    output.push('"');
}

/// Returns the value as a JSON string in its quotes.
pub fn json(value: &str) -> String {
    let mut quoted = String::with_capacity(value.len() + 2);
    write_json_string(&mut quoted, value);
    quoted
}

/// Returns the text with Polish and German letters replaced by their ASCII neighbours.
pub fn folded(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            'ą' | 'ä' | 'á' => plain.push('a'),
            'Ą' | 'Ä' => plain.push('A'),
            'ć' => plain.push('c'),
            'Ć' => plain.push('C'),
            'ę' => plain.push('e'),
            'Ę' => plain.push('E'),
            'ł' => plain.push('l'),
            'Ł' => plain.push('L'),
            'ń' => plain.push('n'),
            'Ń' => plain.push('N'),
            'ó' | 'ö' => plain.push('o'),
            'Ó' | 'Ö' => plain.push('O'),
            'ś' => plain.push('s'),
            'Ś' => plain.push('S'),
            'ź' | 'ż' => plain.push('z'),
            'Ź' | 'Ż' => plain.push('Z'),
            'ü' => plain.push('u'),
            'Ü' => plain.push('U'),
            'ß' => plain.push_str("ss"),
            other => plain.push(other),
        }
    }
    plain
}

/// Returns the lower-case ASCII letters and digits of a text, for mailboxes and domains.
pub fn slug(text: &str) -> String {
    folded(text)
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_lowercase())
        .collect()
}

/// Returns the text percent-encoded for a URL query.
pub fn query_escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}
