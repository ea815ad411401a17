//! Parquet: a table of typed columns, for whoever reads leads with an analytical engine.
//!
//! A column is of the type that its `form` in the target's file says, text without one; an empty cell is null. Rows
//! whose cells are not of that form were refused before they came here (`form.rs`).

use std::sync::Arc;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use chrono::{DateTime, NaiveDate, SecondsFormat, TimeDelta};
use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int32Type, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::record::Field;
use parquet::schema::types::Type;

use super::cell::CellText;
use super::encoding::Encode;
use crate::model::moment::utc_from_ms;
use crate::rules::target::{Column, Form, Target};

/// Rows of one group: they are held in memory until it is full, a hundred columns wide.
const GROUP_ROWS: usize = 16_384;

/// Returns what writes `target` down.
pub(super) fn encoder(target: &Target) -> Result<Box<dyn Encode + '_>> {
    let columns: Vec<Values> = target.columns.iter().map(Values::of).collect();
    let fields = target.columns.iter().zip(&columns).map(|(column, values)| {
        let (physical, logical) = values.types();
        let builder = Type::primitive_type_builder(&column.header, physical)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(logical);
        builder.build().map(Arc::new)
    });
    let fields = fields.collect::<Result<Vec<_>, _>>()?;
    let schema = Arc::new(Type::group_type_builder("rows").with_fields(fields).build()?);
    let properties = WriterProperties::builder()
        .set_created_by("leadmill".to_owned())
        .set_compression(Compression::GZIP(parquet::basic::GzipLevel::default()))
        .build();
    let writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties))?;
    let levels = vec![Vec::new(); columns.len()];
    Ok(Box::new(Parquet { target, writer: Some(writer), columns, levels, rows: 0 }))
}

/// The cells of one column that have a value, as it is written.
enum Values {
    Text(Vec<ByteArray>),
    Integer(Vec<i64>),
    Decimal(Vec<f64>),
    Boolean(Vec<bool>),
    /// Days since 1970.
    Date(Vec<i32>),
    /// Milliseconds since 1970 UTC.
    Timestamp(Vec<i64>),
}

impl Values {
    fn of(column: &Column) -> Self {
        match column.form {
            Some(Form::Integer) => Self::Integer(Vec::new()),
            Some(Form::Number) => Self::Decimal(Vec::new()),
            Some(Form::Boolean) => Self::Boolean(Vec::new()),
            Some(Form::Date) => Self::Date(Vec::new()),
            Some(Form::Timestamp) => Self::Timestamp(Vec::new()),
            _ => Self::Text(Vec::new()),
        }
    }

    fn types(&self) -> (Physical, Option<LogicalType>) {
        match self {
            Self::Text(_) => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            Self::Integer(_) => (Physical::INT64, None),
            Self::Decimal(_) => (Physical::DOUBLE, None),
            Self::Boolean(_) => (Physical::BOOLEAN, None),
            Self::Date(_) => (Physical::INT32, Some(LogicalType::Date)),
            Self::Timestamp(_) => {
                (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MILLIS)))
            }
        }
    }

    fn push(&mut self, text: &str) -> Result<()> {
        match self {
            Self::Text(known) => known.push(ByteArray::from(text)),
            Self::Integer(known) => known.push(text.parse()?),
            Self::Decimal(known) => known.push(text.parse()?),
            Self::Boolean(known) => known.push(text.parse()?),
            Self::Date(known) => {
                let days = text.parse::<NaiveDate>()?.signed_duration_since(NaiveDate::default());
                known.push(i32::try_from(days.num_days())?);
            }
            Self::Timestamp(known) => {
                known.push(DateTime::parse_from_rfc3339(text)?.timestamp_millis());
            }
        }
        Ok(())
    }

    /// Writes what there is as one column of a group, and forgets it; `levels` say of each row whether it has a value.
    fn write(&mut self, mut to: SerializedColumnWriter<'_>, levels: &[i16]) -> Result<()> {
        let levels = Some(levels);
        match self {
            Self::Text(known) => {
                to.typed::<ByteArrayType>().write_batch(known, levels, None)?;
                known.clear();
            }
            Self::Integer(known) | Self::Timestamp(known) => {
                to.typed::<Int64Type>().write_batch(known, levels, None)?;
                known.clear();
            }
            Self::Decimal(known) => {
                to.typed::<DoubleType>().write_batch(known, levels, None)?;
                known.clear();
            }
            Self::Boolean(known) => {
                to.typed::<BoolType>().write_batch(known, levels, None)?;
                known.clear();
            }
            Self::Date(known) => {
                to.typed::<Int32Type>().write_batch(known, levels, None)?;
                known.clear();
            }
        }
        Ok(to.close()?)
    }
}

/// A file while rows come in; what a full group came to is handed on at once.
struct Parquet<'a> {
    target: &'a Target,
    /// Gone once the file is closed.
    writer: Option<SerializedFileWriter<Vec<u8>>>,
    columns: Vec<Values>,
    /// Of each column, for each row of the group, 1 where it has a value and 0 where it has none.
    levels: Vec<Vec<i16>>,
    rows: usize,
}

impl Parquet<'_> {
    fn end_group(&mut self, out: &mut Vec<u8>) -> Result<()> {
        let writer = self.writer.as_mut().context("the file is open")?;
        if self.rows > 0 {
            let mut group = writer.next_row_group()?;
            for (values, levels) in self.columns.iter_mut().zip(&mut self.levels) {
                let column = group.next_column()?.context("the group has this column")?;
                values.write(column, levels)?;
                levels.clear();
            }
            group.close()?;
            self.rows = 0;
        }
        writer.flush()?;
        out.append(writer.inner_mut());
        Ok(())
    }
}

impl Encode for Parquet<'_> {
    fn open(&mut self, out: &mut Vec<u8>) -> Result<()> {
        self.end_group(out)
    }

    /// Cells are typed, so nothing has to be guarded.
    fn row(&mut self, cells: &[CellText<'_>], out: &mut Vec<u8>) -> Result<u64> {
        for (at, cell) in cells.iter().enumerate() {
            self.levels[at].push(i16::from(!cell.text.is_empty()));
            if !cell.text.is_empty() {
                self.columns[at].push(&cell.text).with_context(|| {
                    format!("column `{}` of {}", self.target.columns[at].header, self.target.file)
                })?;
            }
        }
        self.rows += 1;
        if self.rows == GROUP_ROWS {
            self.end_group(out)?;
        }
        Ok(0)
    }

    fn close(&mut self, out: &mut Vec<u8>) -> Result<()> {
        self.end_group(out)?;
        let writer = self.writer.take().context("the file is open")?;
        out.append(&mut writer.into_inner()?);
        Ok(())
    }
}

/// Hands the header and the rows of a file to `visit`, each with its number, from 1, as texts, spelled as targets spell
/// them. `None` when it cannot be read.
pub(super) fn each_row(bytes: &[u8], mut visit: impl FnMut(u64, Vec<String>)) -> Option<()> {
    let reader = SerializedFileReader::new(Bytes::copy_from_slice(bytes)).ok()?;
    let schema = reader.metadata().file_metadata().schema();
    visit(1, schema.get_fields().iter().map(|field| field.name().to_owned()).collect());
    for (row, number) in reader.get_row_iter(None).ok()?.zip(2..) {
        visit(number, row.ok()?.get_column_iter().map(|(_, field)| text_of(field)).collect());
    }
    Some(())
}

fn text_of(field: &Field) -> String {
    match field {
        Field::Null => String::new(),
        Field::Str(text) => text.clone(),
        Field::Bytes(bytes) => String::from_utf8_lossy(bytes.data()).into_owned(),
        Field::Double(number) => number.to_string(),
        Field::Date(days) => (NaiveDate::default() + TimeDelta::days(i64::from(*days))).to_string(),
        Field::TimestampMillis(ms) => utc_from_ms(*ms).to_rfc3339_opts(SecondsFormat::AutoSi, true),
        Field::TimestampMicros(us) => DateTime::from_timestamp_micros(*us)
            .map_or_else(String::new, |at| at.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::cell::CellKind;
    use crate::rules::decode::Sink;
    use crate::rules::diagnostics::RuleText;
    use crate::rules::field::FieldCatalog;
    use crate::rules::target::TargetCatalog;

    const TYPED: &str = "[target]\nid = \"x\"\nname = \"X\"\nbecause = \"y\"\nfile = \"crm/x.parquet\"\n\
        format = \"parquet\"\n";

    fn target(forms: &[&str]) -> Target {
        let column = |(at, form): (usize, &&str)| {
            let form = if form.is_empty() { String::new() } else { format!("form = \"{form}\"\n") };
            format!("[[column]]\nheader = \"c{at}\"\nfrom = \"email\"\n{form}")
        };
        let text = TYPED.to_owned() + &forms.iter().enumerate().map(column).collect::<String>();
        let file = RuleText { path: "rules/targets/x.toml".into(), text: text.into() };
        let sink = Sink::default();
        let catalog = TargetCatalog::decode(&[file], &FieldCatalog::decode(None), &sink);
        assert_eq!(sink.take(), []);
        catalog.get("x").unwrap().clone()
    }

    fn written(target: &Target, rows: &[Vec<&str>]) -> Vec<u8> {
        let mut encoder = encoder(target).unwrap();
        let mut out = Vec::new();
        encoder.open(&mut out).unwrap();
        for row in rows {
            let cell =
                |text: &&'_ str| CellText { text: (*text).to_owned().into(), kind: CellKind::Text };
            encoder.row(&row.iter().map(cell).collect::<Vec<_>>(), &mut out).unwrap();
        }
        encoder.close(&mut out).unwrap();
        out
    }

    fn rows(bytes: &[u8]) -> Option<Vec<Vec<String>>> {
        let mut found = Vec::new();
        each_row(bytes, |_, cells| found.push(cells)).map(|()| found)
    }

    #[test]
    fn microseconds_of_other_programs_are_instants_like_ours() {
        let ms = Field::TimestampMillis(1_790_000_000_250);
        let us = Field::TimestampMicros(1_790_000_000_250_000);
        assert_eq!(text_of(&us), text_of(&ms));
        assert_eq!(text_of(&us), "2026-09-21T14:13:20.250Z");
    }

    #[test]
    fn every_type_reads_back_and_what_is_empty_is_null() {
        let target = target(&["", "integer", "number", "boolean", "date", "timestamp"]);
        let full =
            ["Łęcka\n\"A\"", "-12", "12.5", "true", "1969-12-31", "2026-11-29T12:00:00+01:00"];
        let bytes = written(&target, &[full.to_vec(), vec![""; 6]]);
        let found = rows(&bytes).unwrap();
        assert_eq!(found[0], ["c0", "c1", "c2", "c3", "c4", "c5"]);
        let as_utc = ["Łęcka\n\"A\"", "-12", "12.5", "true", "1969-12-31", "2026-11-29T11:00:00Z"];
        assert_eq!(found[1..], [as_utc.to_vec(), vec![""; 6]]);
        assert_eq!(bytes, written(&target, &[full.to_vec(), vec![""; 6]]), "the same bytes");
        assert_eq!(rows(&written(&target, &[])).unwrap().len(), 1, "a header alone");
        assert_eq!(rows(b"PAR1 and then nothing"), None);
    }

    #[test]
    fn what_is_more_than_a_group_goes_on_in_the_next() {
        let target = target(&["", "integer"]);
        let numbers: Vec<String> = (0..=GROUP_ROWS).map(|number| number.to_string()).collect();
        let given: Vec<Vec<&str>> = numbers
            .iter()
            .map(|text| vec![if text.ends_with('7') { "" } else { text }, text])
            .collect();
        let bytes = written(&target, &given);
        let reader = SerializedFileReader::new(Bytes::from(bytes.clone())).unwrap();
        assert_eq!(reader.metadata().num_row_groups(), 2);
        assert_eq!(rows(&bytes).unwrap()[1..], given);
    }

    #[test]
    fn a_file_that_names_somebody_goes_whole() {
        let target = target(&["", "integer"]);
        let traces = crate::delivery::traces::Traces {
            emails: vec!["anna@przyklad.pl".to_owned()],
            ..crate::delivery::traces::Traces::default()
        };
        let finder = traces.finder().unwrap();
        let without = |email: &str| {
            let bytes = written(&target, &[vec!["jan@przyklad.pl", "1"], vec![email, "2"]]);
            crate::delivery::erasing::without("crm/x.parquet", &bytes, &finder)
        };
        assert_eq!(without("anna@przyklad.pl"), (None, 1));
        assert_eq!(without("ewa@przyklad.pl"), (None, 0));
    }
}
