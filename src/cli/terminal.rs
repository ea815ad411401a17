//! Results to stdout, everything else to stderr; nothing from a lead reaches a terminal unescaped.

use std::io::{self, IsTerminal as _, Write as _};

use anyhow::Result;
use tabled::builder::Builder;
use tabled::settings::object::Columns;
use tabled::settings::peaker::PriorityMax;
use tabled::settings::{Alignment, Modify, Padding, Style, Width};

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

/// Renders rows, the first of which is the header, as a table no wider than the terminal.
///
/// `right` names the columns that hold figures.
pub fn table(rows: &[Vec<String>], right: &[usize]) -> String {
    let mut builder = Builder::default();
    for row in rows {
        builder.push_record(row.iter().map(|cell| escape_lines(cell)));
    }
    let mut table = builder.build();
    table.with(Style::blank()).with(Padding::new(0, 2, 0, 0));
    for column in right {
        table.with(Modify::new(Columns::one(*column)).with(Alignment::right()));
    }
    table.with(Width::wrap(width()).keep_words(true).priority(PriorityMax::default()));
    let text = table.to_string();
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
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
