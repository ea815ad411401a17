//! Results to stdout, everything else to stderr; nothing from a lead reaches a terminal unescaped.

use std::borrow::Cow;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use tabled::builder::Builder;
use tabled::settings::object::Columns;
use tabled::settings::{Alignment, Modify, Padding, Style};

pub use crate::report::amounts::count;
use crate::report::escape::for_terminal;
use crate::report::mask::{Mask, initials};

/// Columns of a terminal that does not say how wide it is.
const WIDTH_DEFAULT: usize = 80;

/// Whom not to show, when somebody asked for it; set before anything is printed.
static MASK: OnceLock<Mask> = OnceLock::new();

/// Whether somebody who read a long result (`leadmill leads | head`) has seen enough.
static READER_IS_GONE: AtomicBool = AtomicBool::new(false);

/// Masks people in everything that is printed from here on.
pub fn mask_by(mask: Mask) {
    let _ = MASK.set(mask);
}

/// Returns whether people are masked.
pub fn masks() -> bool {
    MASK.get().is_some()
}

/// Returns `text` as it may be shown.
pub fn shown(text: &str) -> Cow<'_, str> {
    MASK.get().map_or(Cow::Borrowed(text), |mask| mask.apply(text))
}

/// Returns somebody's `name` as it may be shown, also where the store has never heard of them.
pub fn shown_name(name: &str) -> Cow<'_, str> {
    if MASK.get().is_some() { initials(name) } else { Cow::Borrowed(name) }
}

/// Writes a line of the result.
///
/// # Errors
/// When stdout cannot be written to: a full disk is a failure. A closed pipe is none: whoever read there has seen
/// enough, and the command still ends with the code that says how it went.
pub fn print(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    let written = out
        .write_all(shown(text).as_bytes())
        .and_then(|()| out.write_all(b"\n"))
        .and_then(|()| out.flush());
    match written {
        Err(fault) if fault.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

/// Returns a buffered stdout for results of many lines.
pub fn stdout() -> Output {
    Output { out: io::BufWriter::new(io::stdout().lock()), line: Vec::new() }
}

/// A buffered stdout that masks whole lines.
#[derive(Debug)]
pub struct Output {
    out: io::BufWriter<io::StdoutLock<'static>>,
    line: Vec<u8>,
}

impl io::Write for Output {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        if MASK.get().is_none() {
            return noted(self.out.write(buffer));
        }
        for part in buffer.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                self.put_line()?;
            }
        }
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.put_line()?;
        noted(self.out.flush())
    }
}

/// Remembers that nobody reads on, which other pipes and connections of a command do not say.
fn noted<T>(outcome: io::Result<T>) -> io::Result<T> {
    if outcome.as_ref().is_err_and(|fault| fault.kind() == io::ErrorKind::BrokenPipe) {
        READER_IS_GONE.store(true, Ordering::Relaxed);
    }
    outcome
}

impl Output {
    fn put_line(&mut self) -> io::Result<()> {
        let line = std::mem::take(&mut self.line);
        noted(self.out.write_all(shown(&String::from_utf8_lossy(&line)).as_bytes()))
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // Whoever wants to know whether it could be written has flushed it.
        let _ = io::Write::flush(self);
    }
}

/// Says something that is not a result; a closed stderr is nobody's fault.
pub fn say(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", shown(text));
}

/// Says that something went wrong; lines after the first are hints and stand as they are.
pub fn error(text: &str) {
    say(&format!("error: {}", escape_lines(text)));
}

/// Says that somebody should look.
pub fn warning(text: &str) {
    say(&format!("warning: {}", escape_lines(text)));
}

/// Returns whether an error is nothing but a reader of our output who has gone away.
pub fn is_broken_pipe(fault: &anyhow::Error) -> bool {
    let causes = fault.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    READER_IS_GONE.load(Ordering::Relaxed)
        && causes.map(io::Error::kind).any(|kind| kind == io::ErrorKind::BrokenPipe)
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
const PROSE_WIDTH_MIN: usize = 10;

/// Narrowest that a column gets where nothing else helps.
const WIDTH_MIN: usize = 8;

/// A word that is longer is a path or a sentence without blanks.
const LONG_WORD: usize = 24;

/// Blanks between two columns.
const GAP: usize = 2;

/// Signs behind which a long word may be cut.
const SIGNS: [char; 9] = ['/', '-', '_', '.', '@', '?', '&', '=', ':'];

/// Writes a line of prose, wrapped to the terminal; further lines stand `indent` blanks in.
pub fn print_wrapped(text: &str, indent: usize) -> Result<()> {
    let text = &*shown(text);
    let prose = text.trim_start_matches(' ');
    let leading = text.len() - prose.len();
    let wrapped = wrap(&escape_lines(prose), width() - indent.max(leading));
    let lines = wrapped.replace('\n', &format!("\n{}", " ".repeat(indent)));
    print(&format!("{}{lines}", " ".repeat(leading)))
}

/// Returns a row of a table of figures: what is counted, and how many.
pub fn figure(name: &str, count: u64) -> Vec<String> {
    vec![name.to_owned(), count.to_string()]
}

/// Renders rows, the first of which is the header, as a table no wider than the terminal.
///
/// `right` names the columns that hold figures. Prose is wrapped between words first; a path or an id is
/// only cut, behind a sign where it has one, when the table cannot be had otherwise.
pub fn table(rows: &[Vec<String>], right: &[usize]) -> String {
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().map(|cell| escape_lines(&shown(cell))).collect())
        .collect();
    let widths = column_widths(&rows);
    let mut builder = Builder::default();
    for row in &rows {
        builder.push_record(row.iter().zip(&widths).map(|(cell, width)| wrap(cell, *width)));
    }
    let mut table = builder.build();
    table.with(Style::empty()).with(Padding::new(0, GAP, 0, 0));
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
    let longest_word = |column: usize| {
        let words = cells(column).flat_map(|cell| cell.split(' '));
        words.map(|word| word.chars().count()).max().unwrap_or(0)
    };
    let longest_part = |column: usize| {
        let parts = cells(column)
            .flat_map(|cell| cell.split(' '))
            .flat_map(|word| word.split_inclusive(SIGNS));
        parts.map(|part| part.chars().count()).max().unwrap_or(0)
    };
    let words: Vec<usize> = (0..columns).map(longest_word).collect();
    let parts: Vec<usize> = (0..columns).map(longest_part).collect();
    // First between words, then inside long words, then behind signs, at last anywhere.
    let attempts: [&dyn Fn(usize) -> usize; 4] = [
        &|column| words[column].max(PROSE_WIDTH_MIN),
        &|column| words[column].clamp(PROSE_WIDTH_MIN, LONG_WORD),
        &|column| parts[column].clamp(WIDTH_MIN, LONG_WORD),
        &|_| WIDTH_MIN,
    ];
    let gaps = columns.saturating_sub(1) * GAP;
    for floor in attempts {
        while widths.iter().sum::<usize>() + gaps > width() {
            let widest = (0..columns)
                .filter(|column| widths[*column] > floor(*column))
                .max_by_key(|column| widths[*column]);
            let Some(widest) = widest else { break };
            widths[widest] -= 1;
        }
    }
    widths
}

/// Breaks `text` so that no line is longer than `width`: between words, and inside one that is longer itself.
fn wrap(text: &str, width: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    for paragraph in text.split('\n') {
        let words = paragraph.trim_start_matches(' ');
        let indent = &paragraph[..paragraph.len() - words.len()];
        let mut line = String::new();
        for word in words.split(' ').flat_map(|word| pieces(word, width.max(1))) {
            let needs = indent.len() + line.chars().count() + 1 + word.chars().count();
            if !line.is_empty() && needs > width {
                lines.push(format!("{indent}{}", std::mem::take(&mut line)));
            } else if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(format!("{indent}{line}"));
    }
    lines.join("\n")
}

/// Cuts a word that is longer than `width` into pieces that are not, behind signs where it has some.
fn pieces(word: &str, width: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = word;
    while let Some((limit, _)) = rest.char_indices().nth(width) {
        let behind_sign = rest[..limit].rfind(SIGNS);
        let cut = behind_sign.map_or(limit, |at| at + 1);
        pieces.push(&rest[..cut]);
        rest = &rest[cut..];
    }
    pieces.push(rest);
    pieces
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
    fn one_thing_is_not_several() {
        assert_eq!(count(1, "row", "rows"), "1 row");
        assert_eq!(count(0, "row", "rows"), "0 rows");
    }

    #[test]
    fn prose_is_wrapped_between_words() {
        assert_eq!(wrap("Brak kontaktu od 4 godzin", 14), "Brak kontaktu\nod 4 godzin");
        assert_eq!(wrap("LM-308XMH4G37WM", 15), "LM-308XMH4G37WM");
        assert_eq!(wrap("in inbox/żółte_leady.csv:12", 12), "in\ninbox/żółte_\nleady.csv:12");
        assert_eq!(wrap("żółćżółć", 3), "żół\nćżó\nłć");
        assert_eq!(wrap("  indented", 40), "  indented");
        assert_eq!(wrap("  a list of things", 10), "  a list\n  of\n  things");
    }
}
