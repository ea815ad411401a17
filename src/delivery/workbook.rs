//! A workbook of one sheet, for targets and people that take no text file.

use std::io::{self, Cursor, Read as _};

use anyhow::{Context as _, Result};
use calamine::{Data, Reader as _, Xlsx};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook as Book, Worksheet};
use zip::ZipArchive;

use super::cell::{CellKind, CellText};
use super::encoding::Encode;
use crate::rules::target::Target;

/// Digits that a spreadsheet keeps of a number; what is longer is an id and stays text.
const EXACT_DIGITS: usize = 15;
/// A sheet has no more rows and columns.
const ROWS_MAX: u32 = 1 << 20;
const COLUMNS_MAX: u32 = 1 << 14;
/// All parts of a workbook together unpack to at most so many bytes.
const UNPACKED_BYTES_MAX: u64 = 1 << 30;

/// The workbook while rows come in; its bytes are there once it is closed.
pub(super) struct Workbook<'a> {
    target: &'a Target,
    sheet: Worksheet,
    next_row: u32,
}

impl<'a> Workbook<'a> {
    pub(super) fn new(target: &'a Target) -> Self {
        Self { target, sheet: Worksheet::new(), next_row: 1 }
    }
}

impl Encode for Workbook<'_> {
    fn open(&mut self, _: &mut Vec<u8>) -> Result<()> {
        let bold = Format::new().set_bold();
        self.sheet.set_name("Sheet1")?;
        for (at, column) in self.target.columns.iter().enumerate() {
            self.sheet.write_string_with_format(0, at as u16, &column.header, &bold)?;
        }
        self.sheet.set_freeze_panes(1, 0)?;
        Ok(())
    }

    /// Cells are typed, so nothing has to be guarded: a text never runs as a formula.
    fn row(&mut self, cells: &[CellText<'_>], _: &mut Vec<u8>) -> Result<u64> {
        for (at, cell) in cells.iter().enumerate().filter(|(_, cell)| !cell.text.is_empty()) {
            let (row, at) = (self.next_row, at as u16);
            let number = || cell.text.parse::<f64>().ok();
            match cell.kind {
                CellKind::Number if cell.text.len() <= EXACT_DIGITS && number().is_some() => {
                    self.sheet.write_number(row, at, number().unwrap_or_default())?;
                }
                CellKind::Boolean if matches!(&*cell.text, "true" | "false") => {
                    self.sheet.write_boolean(row, at, cell.text == "true")?;
                }
                _ => {
                    self.sheet.write_string(row, at, &*cell.text)?;
                }
            }
        }
        self.next_row += 1;
        Ok(0)
    }

    fn close(&mut self, out: &mut Vec<u8>) -> Result<()> {
        let mut book = Book::new();
        // The day of writing would make the same rows other bytes.
        let epoch = ExcelDateTime::from_ymd(2000, 1, 1)?;
        book.set_properties(&DocProperties::new().set_creation_datetime(&epoch));
        book.push_worksheet(std::mem::take(&mut self.sheet));
        let bytes = book.save_to_buffer().context("write a workbook")?;
        out.extend_from_slice(&bytes);
        Ok(())
    }
}

/// Hands the rows of the first sheet that have a cell to `visit`: each row's number, from 1, and its cells as texts up
/// to the last that is filled. `None` when the workbook cannot be read, or unpacks to more than anybody's list.
pub(super) fn each_row(bytes: &[u8], mut visit: impl FnMut(u64, Vec<String>)) -> Option<()> {
    expect_reasonable(bytes)?;
    let mut book = Xlsx::new(Cursor::new(bytes)).ok()?;
    let first = book.sheet_names().into_iter().next()?;
    let mut cells = book.worksheet_cells_reader(&first).ok()?;
    let (mut at, mut row) = (0, Vec::new());
    while let Some(cell) = cells.next_cell().ok()? {
        let (next, column) = cell.get_position();
        if next < at || next >= ROWS_MAX || column >= COLUMNS_MAX {
            return None;
        }
        if next > at && !row.is_empty() {
            visit(u64::from(at) + 1, std::mem::take(&mut row));
        }
        at = next;
        let text = text_of(&Data::from(cell.get_value().clone()));
        if !text.is_empty() {
            // A sheet leaves out cells that are empty; one that stands twice is of a damaged file.
            let before = (column as usize).checked_sub(row.len())?;
            row.extend(std::iter::repeat_n(String::new(), before));
            row.push(text);
        }
    }
    if !row.is_empty() {
        visit(u64::from(at) + 1, row);
    }
    Some(())
}

/// Whoever reads a workbook holds all of its texts in memory, and a small file may be packed from very many.
fn expect_reasonable(bytes: &[u8]) -> Option<()> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).ok()?;
    let mut left = UNPACKED_BYTES_MAX;
    for at in 0..archive.len() {
        let part = archive.by_index(at).ok()?;
        left = left.checked_sub(io::copy(&mut part.take(left + 1), &mut io::sink()).ok()?)?;
    }
    Some(())
}

fn text_of(cell: &Data) -> String {
    match cell {
        Data::Bool(flag) => flag.to_string(),
        Data::DateTime(day) => {
            let (year, month, day, hour, minute, second, _) = day.to_ymd_hms_milli();
            let date = format!("{year:04}-{month:02}-{day:02}");
            if (hour, minute, second) == (0, 0, 0) {
                date
            } else {
                format!("{date}T{hour:02}:{minute:02}:{second:02}")
            }
        }
        other => other.to_string(),
    }
}
