//! Results to stdout, everything else to stderr; nothing from a lead reaches a terminal unescaped.

use std::io::{self, IsTerminal as _, Write as _};

use anyhow::Result;
use tabled::builder::Builder;
use tabled::settings::object::Columns;
use tabled::settings::{Alignment, Modify, Padding, Style};

use crate::report::escape::for_terminal;

/// Columns of a terminal that does not say how wide it is.
const WIDTH_DEFAULT: usize = 100;

/// Writes a line of the result.
///
/// # Errors
/// When stdout cannot be written to: a full disk is a failure, a closed pipe is not (see
/// [`is_broken_pipe`]).
pub fn print(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.write_all(b"\n")?;
    Ok(out.flush()?)
}

/// Returns a buffered stdout for results of many lines.
pub fn stdout() -> io::BufWriter<io::StdoutLock<'static>> {
    io::BufWriter::new(io::stdout().lock())
}

/// Says something that is not a result; a closed stderr is nobody's fault.
pub fn say(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Says that something went wrong; lines after the first are hints and stand as they are.
pub fn error(text: &str) {
    say(&format!("error: {}", escape_lines(text)));
}

/// Says that somebody should look.
pub fn warning(text: &str) {
    say(&format!("warning: {}", escape_lines(text)));
}

/// Returns whether an error is nothing but a reader that has gone away.
pub fn is_broken_pipe(fault: &anyhow::Error) -> bool {
    fault
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

/// Returns whether colors are welcome on stderr.
pub fn stderr_has_color() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Returns whether stderr is a terminal, so that progress may move on it.
pub fn stderr_is_terminal() -> bool {
    io::stderr().is_terminal()
}

/// Narrowest that a column of prose gets.
const PROSE_WIDTH_MIN: usize = 12;

/// Renders rows, the first of which is the header, as a table no wider than the terminal.
///
/// `right` names the columns that hold figures. Only columns of prose are wrapped, between words: an
/// id cut in two could not be copied.
pub fn table(rows: &[Vec<String>], right: &[usize]) -> String {
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| escape_lines(cell)).collect()).collect();
    let widths = column_widths(&rows);
    let mut builder = Builder::default();
    for row in &rows {
        builder.push_record(row.iter().zip(&widths).map(|(cell, width)| wrap(cell, *width)));
    }
    let mut table = builder.build();
    table.with(Style::blank()).with(Padding::new(0, 2, 0, 0));
    for column in right {
        table.with(Modify::new(Columns::one(*column)).with(Alignment::right()));
    }
    let text = table.to_string();
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// Takes from the widest column of prose until the table fits or all of them are as narrow as allowed.
fn column_widths(rows: &[Vec<String>]) -> Vec<usize> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let cells = |column: usize| rows.iter().filter_map(move |row| row.get(column));
    let mut widths: Vec<usize> = (0..columns)
        .map(|column| cells(column).map(|cell| cell.chars().count()).max().unwrap_or(0))
        .collect();
    // A word stays whole, so a column is never narrower than its longest one.
    let longest_word = |column: usize| {
        let words = cells(column).flat_map(|cell| cell.split(' '));
        words.map(|word| word.chars().count()).max().unwrap_or(0)
    };
    let floors: Vec<usize> =
        (0..columns).map(|column| longest_word(column).max(PROSE_WIDTH_MIN)).collect();
    let gaps = columns * 3;
    while widths.iter().sum::<usize>() + gaps > width() {
        let widest = (0..columns)
            .filter(|column| widths[*column] > floors[*column])
            .max_by_key(|column| widths[*column]);
        let Some(widest) = widest else { break };
        widths[widest] -= 1;
    }
    widths
}

/// Breaks `text` between words so that no line is longer than `width`, where words allow.
fn wrap(text: &str, width: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    for paragraph in text.split('\n') {
        let words = paragraph.trim_start_matches(' ');
        let indent = &paragraph[..paragraph.len() - words.len()];
        let mut line = String::new();
        for word in words.split(' ') {
            let needs = line.chars().count() + 1 + word.chars().count();
            if !line.is_empty() && needs > width {
                lines.push(std::mem::take(&mut line));
            } else if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(format!("{indent}{line}"));
    }
    lines.join("\n")
}

/// Returns the columns of the terminal, from `COLUMNS` or what the system says.
pub fn width() -> usize {
    let said = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    let found = || console_width().filter(|_| io::stdout().is_terminal());
    said.or_else(found).unwrap_or(WIDTH_DEFAULT).max(40)
}

fn console_width() -> Option<usize> {
    terminal_size::terminal_size().map(|(columns, _)| usize::from(columns.0))
}

fn escape_lines(text: &str) -> String {
    text.split('\n').map(for_terminal).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_wrapped_between_words() {
        assert_eq!(wrap("Brak kontaktu od 4 godzin", 14), "Brak kontaktu\nod 4 godzin");
        assert_eq!(wrap("LM-308XMH4G37WM", 5), "LM-308XMH4G37WM");
        assert_eq!(wrap("  indented", 40), "  indented");
    }
}
