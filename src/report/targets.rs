//! The mapping of a target as Markdown: what people who import the file, or answer for it, have to know.

use std::fmt::Write as _;

use crate::rules::field::FieldCatalog;
use crate::rules::target::{
    Column, LineEnd, Profile, QuoteRule, RowsOf, Target, TargetFormat, TooLong,
};

/// Returns what `target` is made of, as Markdown.
pub fn markdown(target: &Target, fields: &FieldCatalog) -> String {
    let mut text = format!("# {}\n\n{}.\n\n", cell(&target.name), target.because);
    for (name, what) in facts(target, fields) {
        let _ = writeln!(text, "- **{name}**: {}", cell(&what));
    }
    if !target.conversions.is_empty() {
        text.push_str("\n| conversion | when | name | value | because |\n|---|---|---|---|---|\n");
        for one in &target.conversions {
            let value = format!("{} {}", one.value, one.currency);
            let cells = [&one.id, one.event.word(), &one.name, value.trim(), &one.because];
            let _ = writeln!(text, "| {} |", cells.map(cell).join(" | "));
        }
    }
    text.push_str(
        "\n| column | from | written | required | the target takes |\n|---|---|---|---|---|\n",
    );
    for (at, column) in target.columns.iter().enumerate() {
        let required = if target.required.contains(&at) {
            "yes"
        } else if target.required_any.contains(&at) {
            "one of these"
        } else {
            ""
        };
        let cells = [
            format!("`{}`", column.header),
            from(column, fields),
            written(column),
            required.to_owned(),
            takes(column),
        ];
        let _ = writeln!(text, "| {} |", cells.map(|text| cell(&text)).join(" | "));
    }
    text
}

fn facts(target: &Target, fields: &FieldCatalog) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("id", format!("`{}`{}", target.id, if target.is_on { "" } else { " (off)" })),
        ("file", format!("`{}`", target.file)),
        ("a row is", a_row(target.rows_of).to_owned()),
        ("format", format(target)),
    ];
    let header = |at: &usize| format!("`{}`", target.columns[*at].header);
    facts.extend(target.import.as_ref().map(|how| ("import", how.clone())));
    facts.extend(target.source.as_ref().map(|source| ("source", source.clone())));
    facts.extend(target.key.as_ref().map(|key| ("a record is found by", header(key))));
    if !target.preamble.is_empty() {
        facts.push(("before the header", format!("`{}`", target.preamble.join("` `"))));
    }
    let limits: Vec<String> = [(target.max_rows, "rows"), (target.max_bytes, "bytes")]
        .into_iter()
        .filter_map(|(limit, unit)| limit.map(|limit| format!("{limit} {unit}")))
        .collect();
    if !limits.is_empty() {
        facts.push(("at most", format!("{} a file, then a further part", limits.join(" and "))));
    }
    if !target.needs_any.is_empty() {
        let words: Vec<String> =
            target.needs_any.iter().map(|value| format!("`{}`", value.word(fields))).collect();
        facts.push(("only what has", words.join(" or ")));
    }
    let consents: Vec<String> = target
        .only_with_consent
        .iter()
        .map(|(purpose, channel)| format!("{purpose}/{}", channel.word()))
        .collect();
    if !consents.is_empty() {
        facts.push(("only with consent to", consents.join(", ")));
    }
    facts.extend(target.max_age.map(|age| ("not older than", format!("{} days", age.num_days()))));
    facts
}

fn a_row(rows_of: RowsOf) -> &'static str {
    match rows_of {
        RowsOf::Leads => "a lead that is new or has changed for the target",
        RowsOf::Tasks => "a task that was in no earlier file",
        RowsOf::Conversions => "something that happened to a lead, told once",
    }
}

fn format(target: &Target) -> String {
    let end = match target.line_end {
        LineEnd::Lf => "LF",
        LineEnd::Crlf => "CRLF",
    };
    match target.format {
        TargetFormat::Csv => {
            let mut parts = vec![
                "CSV in UTF-8".to_owned(),
                if target.bom { "with a byte order mark" } else { "no byte order mark" }.to_owned(),
                format!("cells parted by `{}`", char::from(target.delimiter).escape_default()),
                format!("lines end with {end}"),
            ];
            if target.quote == QuoteRule::Always {
                parts.push("every cell in quotes".to_owned());
            }
            if target.profile == Profile::Spreadsheet {
                parts
                    .push("texts that a spreadsheet would run begin with an apostrophe".to_owned());
            }
            parts.join(", ")
        }
        TargetFormat::Jsonl => format!("one JSON object a line, {end}"),
        TargetFormat::Json => "an array of JSON objects".to_owned(),
        TargetFormat::Xlsx => "a workbook of one sheet".to_owned(),
        TargetFormat::Parquet => {
            "Parquet, compressed with gzip; columns are typed by what they take, texts without that"
                .to_owned()
        }
    }
}

fn from(column: &Column, fields: &FieldCatalog) -> String {
    let words: Vec<String> =
        column.from.iter().map(|value| format!("`{}`", value.word(fields))).collect();
    let mut text = match (&column.constant, &column.join) {
        (Some(constant), _) => format!("always `{constant}`"),
        (None, Some(_)) => words.join(" and "),
        (None, None) => words.join(", else "),
    };
    if !column.unless.is_empty() {
        let words: Vec<String> = column.unless.iter().map(|value| value.word(fields)).collect();
        let _ = write!(text, ", unless there is {}", words.join(" or "));
    }
    if let Some(default) = &column.default {
        let _ = write!(text, ", else `{default}`");
    }
    text
}

fn written(column: &Column) -> String {
    let mut parts = Vec::new();
    if !column.map.is_empty() {
        let words = column.map.iter().map(|(ours, theirs)| format!("{ours} = `{theirs}`"));
        parts.push(words.collect::<Vec<_>>().join(", "));
    }
    parts.extend(column.map_others_to.as_ref().map(|others| format!("others = `{others}`")));
    parts.extend(column.format.as_ref().map(|format| format!("as `{format}`")));
    parts.extend(column.rewrite.map(|how| how.word().to_owned()));
    if column.is_hashed {
        parts.push("SHA-256".to_owned());
    }
    if !column.prefix.is_empty() {
        parts.push(format!("after `{}`", column.prefix));
    }
    parts.join("; ")
}

fn takes(column: &Column) -> String {
    let mut parts = Vec::new();
    parts.extend(column.form.map(|form| form.word().to_owned()));
    if !column.one_of.is_empty() {
        parts.push(format!("one of {}", column.one_of.join(", ")));
    }
    if let Some(most) = column.max_length {
        let more = match column.too_long {
            TooLong::Cut => "more is cut",
            TooLong::Refuse => "more is refused",
        };
        parts.push(format!("{most} characters, {more}"));
    }
    parts.extend(column.note.clone());
    parts.join("; ")
}

/// A bar would end the cell of a table, a line end the row.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\r', '\n'], " ")
}
