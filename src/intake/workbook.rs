//! Turns one sheet of an Excel workbook into the text of a table, cells as a person sees them.
//!
//! Every cell is quoted, empty rows stay empty lines, and [`Places`] knows which line is which row of
//! the sheet, so that messages can name the row that Excel shows. The text is what an input is known
//! by: a workbook saved again with the same cells is the same input.

use std::borrow::Cow;
use std::io::{self, BufReader, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use calamine::{DataRef, ExcelDateTime, Reader as _, SheetType, SheetVisible, Xlsx, XlsxError};
use chrono::{Days, NaiveDate, TimeDelta};
use zip::ZipArchive;

use super::archive::Source;
use super::bytes::OverCap;
use super::{Caps, bytes};
use crate::rules::source::header_key;

/// Rows of a sheet that are looked at for a header.
const HEADER_ROWS: usize = 30;
/// Cells that are looked at; a sheet may be 16,384 columns wide.
const HEADER_CELLS: usize = 10_000;
/// What a workbook holds beside its sheets (texts, styles) is kept in memory.
const KEPT_PART_BYTES_MAX: u64 = 256 << 20;
const CHUNK_BYTES: usize = 1 << 16;
/// Chunks that may wait for the reader.
const CHUNKS_WAITING: usize = 4;
/// Serial numbers end with the year 9999.
const SERIAL_MAX: f64 = 2_958_466.0;

type Workbook = Xlsx<BufReader<Source>>;

/// The sheet that is read, and those beside it that look as if somebody should know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sheet {
    pub(super) name: String,
    /// Visible sheets with a header of their own, which are not read.
    pub(super) unread: Vec<String>,
    /// Visible sheets with the very same header: a month each, or what did not fit into the first. They are
    /// inputs of their own.
    pub(super) alike: Vec<String>,
}

/// Refuses a workbook that unpacks to more than an export would; checks that all of it is there.
pub(super) fn check(source: Source, file_bytes: u64, caps: &Caps) -> io::Result<()> {
    let mut archive = ZipArchive::new(source)?;
    let mut total = 0_u64;
    for index in 0..archive.len() {
        let mut part = archive.by_index(index)?;
        let name = part.name().map(Cow::into_owned).unwrap_or_default();
        let is_streamed = name.starts_with("xl/worksheets/");
        let most = if is_streamed { caps.input_bytes } else { KEPT_PART_BYTES_MAX };
        let found = io::copy(&mut part.by_ref().take(most + 1), &mut io::sink())?;
        total = total.saturating_add(found);
        let is_bomb =
            total > bytes::RATIO_FREE_BYTES && total > file_bytes.max(1).saturating_mul(caps.ratio);
        if found > most || total > caps.input_bytes.max(bytes::RATIO_FREE_BYTES) || is_bomb {
            return Err(OverCap::error("the workbook unpacks to far more than an export would"));
        }
    }
    Ok(())
}

/// Chooses the first sheet with a header: one that `is_known` knows two cells of, else one with a row
/// of two cells. Sheets that people see come before hidden ones.
///
/// Returns nothing when no sheet holds a table.
pub(super) fn choose(
    source: Source,
    is_known: impl Fn(&str) -> bool + Sync,
) -> io::Result<Option<Sheet>> {
    // calamine may panic on a damaged workbook; on a thread of its own that is an error like others.
    thread::scope(|scope| {
        let look = || look_at_sheets(source, &is_known).map_err(|error| damaged(&error));
        scope.spawn(look).join().unwrap_or_else(|_| Err(broken()))
    })
}

fn damaged(error: &XlsxError) -> io::Error {
    match error {
        XlsxError::Io(error) => io::Error::new(error.kind(), error.to_string()),
        XlsxError::Zip(error) => io::Error::new(io::ErrorKind::InvalidData, error.to_string()),
        other => io::Error::new(io::ErrorKind::InvalidData, other.to_string()),
    }
}

fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "its sheets cannot be read")
}

fn look_at_sheets(
    source: Source,
    is_known: &impl Fn(&str) -> bool,
) -> Result<Option<Sheet>, XlsxError> {
    let mut workbook: Workbook = Xlsx::new(BufReader::new(source))?;
    let mut sheets: Vec<(bool, String)> = workbook
        .sheets_metadata()
        .iter()
        .filter(|sheet| sheet.typ == SheetType::WorkSheet)
        .map(|sheet| (sheet.visible != SheetVisible::Visible, sheet.name.clone()))
        .collect();
    // A stable sort: within each kind the sheets keep the order of their tabs.
    sheets.sort_by_key(|(is_hidden, _)| *is_hidden);
    let mut with_header: Vec<(String, Vec<String>)> = Vec::new();
    let mut with_table = None;
    for (is_hidden, name) in sheets {
        let rows = first_rows(&mut workbook, &name)?;
        let known = |row: &Vec<String>| row.iter().filter(|cell| is_known(cell)).count();
        let most = rows.iter().map(known).max().unwrap_or(0);
        if most >= 2 {
            if !is_hidden || with_header.is_empty() {
                let header = rows.iter().find(|row| known(row) == most);
                let keys = header.into_iter().flatten().map(|cell| header_key(cell)).collect();
                with_header.push((name, keys));
            }
        } else if with_table.is_none() && rows.iter().any(|row| row.len() >= 2) {
            with_table = Some(name);
        }
    }
    let mut sheets = with_header.into_iter();
    let Some((name, header)) = sheets.next() else {
        let sheet = |name| Sheet { name, unread: Vec::new(), alike: Vec::new() };
        return Ok(with_table.map(sheet));
    };
    let mut sheet = Sheet { name, unread: Vec::new(), alike: Vec::new() };
    for (name, keys) in sheets {
        let list = if keys == header { &mut sheet.alike } else { &mut sheet.unread };
        list.push(name);
    }
    Ok(Some(sheet))
}

/// The filled cells of the first rows that have any.
fn first_rows(workbook: &mut Workbook, name: &str) -> Result<Vec<Vec<String>>, XlsxError> {
    let is_1904 = workbook.has_1904_epoch();
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut last = None;
    let mut cells = workbook.worksheet_cells_reader(name)?;
    for _ in 0..HEADER_CELLS {
        let Some(cell) = cells.next_cell()? else { break };
        let text = shown(cell.get_value(), is_1904);
        if text.trim().is_empty() {
            continue;
        }
        let row = cell.get_position().0;
        if last != Some(row) {
            if rows.len() == HEADER_ROWS {
                break;
            }
            rows.push(Vec::new());
            last = Some(row);
        }
        if let Some(filled) = rows.last_mut() {
            filled.push(text.into_owned());
        }
    }
    Ok(rows)
}

/// Which line of the text is which row of the sheet: they differ by the line breaks inside cells.
#[derive(Debug, Default)]
pub(super) struct Places(Mutex<Vec<(u32, u32)>>);

impl Places {
    /// Returns the row of the sheet that starts on `line`; both count from 1.
    pub(super) fn row(&self, line: u32) -> u32 {
        let breaks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = breaks.partition_point(|&(from, _)| from <= line);
        let before = if at == 0 { 0 } else { breaks[at - 1].1 };
        line.saturating_sub(before)
    }

    fn push(&self, line: u32, breaks: u32) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((line, breaks));
    }
}

/// A sheet that declares more columns is formatted to its edge rather than filled.
const COLUMNS_PADDED_MAX: u32 = 512;

/// Reads the text of a sheet, which a thread of its own writes.
pub(super) struct SheetReader {
    from: Receiver<io::Result<Vec<u8>>>,
    chunk: Vec<u8>,
    given: usize,
    ended: bool,
}

/// Opens the text of the sheet called `sheet`.
pub(super) fn text(source: Source, sheet: String) -> (SheetReader, Arc<Places>) {
    let (to, from) = sync_channel(CHUNKS_WAITING);
    let places = Arc::new(Places::default());
    let writer = SheetWriter {
        to,
        places: places.clone(),
        chunk: Vec::new(),
        line: 1,
        breaks: 0,
        noted: 0,
        row: 0,
        column: 0,
        width: 0,
        is_filled: false,
    };
    // When the reader is dropped early, the next send fails and the thread ends.
    thread::spawn(move || writer.run(source, &sheet));
    (SheetReader { from, chunk: Vec::new(), given: 0, ended: false }, places)
}

impl Read for SheetReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.chunk.len() && !self.ended {
            // A thread that ends without its last, empty chunk has panicked.
            self.chunk = self.from.recv().unwrap_or_else(|_| Err(broken()))?;
            self.given = 0;
            self.ended = self.chunk.is_empty();
        }
        let count = buffer.len().min(self.chunk.len() - self.given);
        buffer[..count].copy_from_slice(&self.chunk[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }
}

struct SheetWriter {
    to: SyncSender<io::Result<Vec<u8>>>,
    places: Arc<Places>,
    chunk: Vec<u8>,
    /// The line being written.
    line: u32,
    /// Line breaks inside cells so far, and how many of them `places` knows.
    breaks: u32,
    noted: u32,
    /// The row and the column being written; 0 before the first row.
    row: u32,
    column: u32,
    /// Columns of the sheet as far as they are known; every row gets as many.
    width: u32,
    is_filled: bool,
}

/// Why a sheet was not written to its end.
enum Stop {
    /// Nobody reads any more.
    Unread,
    Fault(io::Error),
}

impl From<XlsxError> for Stop {
    fn from(error: XlsxError) -> Self {
        Self::Fault(damaged(&error))
    }
}

impl SheetWriter {
    fn run(mut self, source: Source, sheet: &str) {
        let last = match self.write(source, sheet) {
            Ok(()) => Ok(Vec::new()),
            Err(Stop::Fault(fault)) => Err(fault),
            Err(Stop::Unread) => return,
        };
        // When this fails, nobody waits for it.
        let _ = self.to.send(last);
    }

    fn write(&mut self, source: Source, sheet: &str) -> Result<(), Stop> {
        let mut workbook: Workbook = Xlsx::new(BufReader::new(source))?;
        let is_1904 = workbook.has_1904_epoch();
        let mut cells = workbook.worksheet_cells_reader(sheet)?;
        let declared = cells.dimensions().end.1.saturating_add(1);
        self.width = if declared <= COLUMNS_PADDED_MAX { declared } else { 0 };
        while let Some(cell) = cells.next_cell()? {
            let text = shown(cell.get_value(), is_1904);
            if !text.is_empty() {
                let (row, column) = cell.get_position();
                self.cell(row + 1, column, &text)?;
            }
        }
        if self.row > 0 {
            self.end_row()?;
        }
        self.flush()
    }

    fn cell(&mut self, row: u32, column: u32, text: &str) -> Result<(), Stop> {
        if row != self.row {
            self.start_row(row)?;
        }
        if column < self.column || (column == self.column && self.is_filled) {
            return Err(Stop::Fault(broken()));
        }
        while self.column < column {
            self.chunk.push(b',');
            self.column += 1;
        }
        self.is_filled = true;
        self.chunk.push(b'"');
        let bytes = text.as_bytes();
        for (at, &byte) in bytes.iter().enumerate() {
            let is_break = byte == b'\n' || (byte == b'\r' && bytes.get(at + 1) != Some(&b'\n'));
            self.breaks += u32::from(is_break);
            self.line += u32::from(is_break);
            if byte == b'"' {
                self.chunk.push(b'"');
            }
            self.chunk.push(byte);
        }
        self.chunk.push(b'"');
        self.flush_when_full()
    }

    fn start_row(&mut self, row: u32) -> Result<(), Stop> {
        if row < self.row {
            return Err(Stop::Fault(broken()));
        }
        if self.row > 0 {
            self.end_row()?;
        }
        while self.line < row.saturating_add(self.breaks) {
            self.end_line()?;
        }
        if self.noted < self.breaks {
            self.places.push(self.line, self.breaks);
            self.noted = self.breaks;
        }
        (self.row, self.column, self.is_filled) = (row, 0, false);
        Ok(())
    }

    /// Ends a row with the empty cells that a workbook leaves out: a sheet is a rectangle.
    fn end_row(&mut self) -> Result<(), Stop> {
        self.width = self.width.max(self.column + 1);
        while self.column + 1 < self.width {
            self.chunk.push(b',');
            self.column += 1;
        }
        self.end_line()
    }

    fn end_line(&mut self) -> Result<(), Stop> {
        self.chunk.push(b'\n');
        self.line += 1;
        self.flush_when_full()
    }

    fn flush_when_full(&mut self) -> Result<(), Stop> {
        if self.chunk.len() >= CHUNK_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), Stop> {
        let full = std::mem::take(&mut self.chunk);
        // An empty chunk would mean the end.
        if full.is_empty() {
            return Ok(());
        }
        self.to.send(Ok(full)).map_err(|_| Stop::Unread)
    }
}

/// Returns a cell as a person sees it in the sheet, dates in ISO 8601.
fn shown<'a>(value: &'a DataRef<'_>, is_1904: bool) -> Cow<'a, str> {
    match value {
        DataRef::Empty => Cow::Borrowed(""),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            Cow::Borrowed(text)
        }
        DataRef::SharedString(text) => Cow::Borrowed(text),
        DataRef::Int(number) => Cow::Owned(number.to_string()),
        DataRef::Float(number) => Cow::Owned(number_text(*number)),
        DataRef::Bool(true) => Cow::Borrowed("TRUE"),
        DataRef::Bool(false) => Cow::Borrowed("FALSE"),
        DataRef::DateTime(serial) => Cow::Owned(moment_text(*serial, is_1904)),
        DataRef::Error(error) => Cow::Owned(error.to_string()),
    }
}

/// A number with the 15 digits that Excel keeps: no exponent, no `.0`.
fn number_text(number: f64) -> String {
    let rounded: f64 = format!("{number:.14e}").parse().unwrap_or(number);
    // `-0` is a number that nobody wrote.
    if rounded == 0.0 { "0".to_owned() } else { rounded.to_string() }
}

/// A serial number of days as a date, a time of day or both, to the second.
///
/// Day 60 of the calendar that starts in 1900 is the 29th of February that year did not have; dates
/// before it are one day later than counting says (ECMA-376 part 1, 18.17.4.1).
fn moment_text(serial: ExcelDateTime, is_1904: bool) -> String {
    let value = serial.as_f64();
    if serial.is_duration() || !(0.0..SERIAL_MAX).contains(&value) {
        return number_text(value);
    }
    let seconds = (value * 86_400.0).round() as i64;
    let (mut days, time) = ((seconds / 86_400) as u64, seconds % 86_400);
    let epoch = if is_1904 {
        NaiveDate::from_ymd_opt(1904, 1, 1)
    } else {
        days += u64::from(days > 0 && days < 60);
        NaiveDate::from_ymd_opt(1899, 12, 30)
    };
    let date = epoch.and_then(|epoch| epoch.checked_add_days(Days::new(days)));
    let Some(moment) = date
        .and_then(|date| date.and_hms_opt(0, 0, 0))
        .and_then(|midnight| midnight.checked_add_signed(TimeDelta::seconds(time)))
    else {
        return number_text(value);
    };
    let format = match (days, time) {
        (0, _) => "%H:%M:%S",
        (_, 0) => "%Y-%m-%d",
        _ => "%Y-%m-%d %H:%M:%S",
    };
    moment.format(format).to_string()
}

#[cfg(test)]
mod tests {
    use calamine::ExcelDateTimeType;

    use super::*;

    #[track_caller]
    fn check_number(number: f64, expected: &str) {
        assert_eq!(number_text(number), expected);
    }

    #[test]
    fn numbers_keep_the_digits_that_a_person_sees() {
        check_number(48_600_123_456.0, "48600123456");
        check_number(600_123_456.0, "600123456");
        check_number(4.860_012_345_6e10, "48600123456");
        check_number(12_500.5, "12500.5");
        check_number(0.1 + 0.2, "0.3");
        check_number(-0.0, "0");
        check_number(-7.0, "-7");
        check_number(123_456_789_012_345.0, "123456789012345");
        check_number(1_809_876_543_210_987_654.0, "1809876543210990000");
    }

    #[track_caller]
    fn check_moment(serial: f64, is_1904: bool, expected: &str) {
        let serial = ExcelDateTime::new(serial, ExcelDateTimeType::DateTime, is_1904);
        assert_eq!(moment_text(serial, is_1904), expected);
    }

    #[test]
    fn serial_numbers_become_dates() {
        check_moment(45_912.0, false, "2025-09-12");
        check_moment(45_912.545, false, "2025-09-12 13:04:48");
        check_moment(45_912.0 - 1_462.0, true, "2025-09-12");
        check_moment(45_912.999_999_9, false, "2025-09-13");
        check_moment(0.5, false, "12:00:00");
        check_moment(0.5, true, "12:00:00");
        check_moment(1.0, false, "1900-01-01");
        check_moment(59.0, false, "1900-02-28");
        check_moment(61.0, false, "1900-03-01");
        check_moment(-5.0, false, "-5");
        check_moment(9e9, false, "9000000000");
    }

    #[test]
    fn places_know_the_row_behind_cells_of_several_lines() {
        let places = Places::default();
        assert_eq!(places.row(7), 7);
        places.push(5, 2);
        places.push(9, 3);
        assert_eq!([4, 5, 8, 9, 20].map(|line| places.row(line)), [4, 3, 6, 6, 17]);
    }
}
