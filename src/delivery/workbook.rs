//! A workbook of one sheet, for targets and people that take no text file.

use std::io::Cursor;

use anyhow::{Context as _, Result};
use calamine::{Data, Reader as _, Xlsx};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook as Book, Worksheet};

use super::cell::{CellKind, CellText};
use super::encoding::Encode;
use crate::rules::target::Target;

/// Digits that a spreadsheet keeps of a number; what is longer is an id and stays text.
const EXACT_DIGITS: usize = 15;

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

/// Returns the rows of the first sheet as texts, from the first row on; `None` when it cannot be read.
pub(super) fn rows(bytes: &[u8]) -> Option<Vec<Vec<String>>> {
    let mut book = Xlsx::new(Cursor::new(bytes)).ok()?;
    let sheet = book.worksheet_range_at(0)?.ok()?;
    let (height, width) = sheet.end().map_or((0, 0), |(row, column)| (row + 1, column + 1));
    let text = |row, column| sheet.get_value((row, column)).map(text_of).unwrap_or_default();
    Some((0..height).map(|row| (0..width).map(|column| text(row, column)).collect()).collect())
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
