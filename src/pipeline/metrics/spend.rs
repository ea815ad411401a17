//! The spend table: what was paid for which source and campaign, for which days.

use chrono::NaiveDate;

use crate::intake::{InputPath, PlainTable};
use crate::normalization::number;
use crate::pipeline::Impossible;
use crate::rules::RuleSet;
use crate::rules::field::fold_header;

/// One line of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpendLine {
    /// Line of the file.
    pub line: u32,
    /// Source, as written; empty for any.
    pub source: String,
    /// Campaign, as written; empty for any.
    pub campaign: String,
    /// First day that was paid for.
    pub from: NaiveDate,
    /// Last day that was paid for.
    pub to: NaiveDate,
    /// Hundredths.
    pub amount: i64,
    /// Currency code.
    pub currency: String,
}

impl SpendLine {
    /// Returns what was paid for the days from `since` to `until`, each bound included: its part by days, rounded to
    /// the nearest.
    pub fn amount_within(&self, since: Option<NaiveDate>, until: Option<NaiveDate>) -> i64 {
        let from = since.map_or(self.from, |since| since.max(self.from));
        let to = until.map_or(self.to, |until| until.min(self.to));
        let days = |from: NaiveDate, to: NaiveDate| (to - from).num_days() + 1;
        let (part, whole) = (days(from, to).max(0), days(self.from, self.to));
        let exact = i128::from(self.amount) * i128::from(part);
        ((exact + i128::from(whole / 2)) / i128::from(whole)) as i64
    }

    /// Returns whether any day that was paid for lies in the period.
    pub fn meets(&self, since: Option<NaiveDate>, until: NaiveDate) -> bool {
        since.is_none_or(|since| self.to >= since) && self.from <= until
    }

    /// Returns what people call it: source and campaign, whichever it names.
    pub fn name(&self) -> String {
        match (self.source.as_str(), self.campaign.as_str()) {
            (source, "") => source.to_owned(),
            ("", campaign) => campaign.to_owned(),
            (source, campaign) => format!("{source} / {campaign}"),
        }
    }
}

/// The columns of the table, each with what else may head it, folded.
const COLUMNS: &[(&str, &[&str])] = &[
    ("source", &["zrodlo", "quelle"]),
    ("campaign", &["kampania", "kampagne"]),
    ("from", &["od", "start", "von"]),
    ("to", &["do", "end", "bis"]),
    ("amount", &["kwota", "koszt", "cost", "spend", "betrag", "kosten"]),
    ("currency", &["waluta", "wahrung"]),
];

/// Mistakes that are told at once.
const MISTAKES_MAX: usize = 20;

/// Reads the table `input`.
///
/// # Errors
/// A file that cannot be read or lacks a column, and every line that says no day, no amount, or for what was paid.
pub fn read_spend(input: &InputPath, rules: &RuleSet) -> anyhow::Result<Vec<SpendLine>> {
    let column_of = |name: &str| {
        let folded = fold_header(name);
        COLUMNS
            .iter()
            .position(|(known, others)| *known == folded || others.contains(&folded.as_str()))
    };
    let table =
        PlainTable::open(input, &crate::pipeline::caps(rules), |name| column_of(name).is_some())?;
    let place: Vec<Option<usize>> = (0..COLUMNS.len())
        .map(|column| table.header.iter().position(|name| column_of(name) == Some(column)))
        .collect();
    let needed = [2, 4, 5].into_iter().chain((place[0].is_none()).then_some(1));
    let missing: Vec<&str> =
        needed.filter(|at| place[*at].is_none()).map(|at| COLUMNS[at].0).collect();
    if !missing.is_empty() {
        return Err(Impossible(format!(
            "{}: no column {}\nhint: a spend table has source, campaign (either may be left out), from, to, amount, \
             currency",
            table.name,
            missing.join(", ")
        ))
        .into());
    }
    let (mut lines, mut mistakes) = (Vec::new(), Vec::new());
    table.read(|line, cells| {
        let cell = |column: usize| {
            place[column].and_then(|at| cells.get(at)).map_or("", |cell| cell.trim())
        };
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            return Ok(());
        }
        match spend_line(line, cell) {
            Ok(read) => lines.push(read),
            Err(wrong) => mistakes.push(format!("{}:{line}: {wrong}", table.name)),
        }
        Ok(())
    })?;
    if mistakes.is_empty() {
        return Ok(lines);
    }
    let more = mistakes.len().saturating_sub(MISTAKES_MAX);
    mistakes.truncate(MISTAKES_MAX);
    if more > 0 {
        mistakes.push(format!("and {more} more"));
    }
    Err(Impossible(mistakes.join("\n")).into())
}

fn spend_line<'c>(line: u32, cell: impl Fn(usize) -> &'c str) -> Result<SpendLine, String> {
    let (source, campaign) = (cell(0).to_owned(), cell(1).to_owned());
    if source.is_empty() && campaign.is_empty() {
        return Err("neither a source nor a campaign".to_owned());
    }
    let from = day(cell(2)).ok_or_else(|| no_day("from", cell(2)))?;
    let to = match cell(3) {
        "" => from,
        text => day(text).ok_or_else(|| no_day("to", text))?,
    };
    if to < from {
        return Err(format!("`to` ({to}) is before `from` ({from})"));
    }
    let amount = hundredths(cell(4))
        .ok_or_else(|| format!("amount `{}` is no amount; write it as in 1234.50", cell(4)))?;
    let currency = number::currency(cell(5)).map_or_else(|| cell(5).to_uppercase(), str::to_owned);
    if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(format!("currency `{}` is none; write it as in PLN", cell(5)));
    }
    Ok(SpendLine { line, source, campaign, from, to, amount, currency })
}

fn no_day(column: &str, text: &str) -> String {
    format!("{column} `{text}` is no day; write it as in 2026-11-01")
}

fn day(text: &str) -> Option<NaiveDate> {
    text.parse().ok().or_else(|| NaiveDate::parse_from_str(text, "%d.%m.%Y").ok())
}

/// Reads an amount that is not negative, in hundredths; what is below a hundredth is cut off.
fn hundredths(text: &str) -> Option<i64> {
    if text.starts_with(['-', '(']) {
        return None;
    }
    let amount = number::money(text).filter(|amount| amount.upper.is_none())?;
    let (whole, fraction) = amount.value.split_once('.').unwrap_or((&amount.value, ""));
    let fraction: String = fraction.chars().chain("00".chars()).take(2).collect();
    whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(fraction.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_people_write_them() {
        #[track_caller]
        fn check(text: &str, expected: Option<i64>) {
            assert_eq!(hundredths(text), expected, "{text}");
        }
        check("1234.50", Some(123_450));
        check("1 234,50", Some(123_450));
        check("1.234,50 zł", Some(123_450));
        check("7", Some(700));
        check("0", Some(0));
        check("0,1", Some(10));
        check("-5", None);
        check("", None);
        check("free", None);
    }

    #[test]
    fn a_line_that_reaches_out_of_the_period_counts_by_its_days() {
        let day = |text: &str| Some(text.parse::<NaiveDate>().unwrap());
        let line = SpendLine {
            line: 2,
            source: "meta".to_owned(),
            campaign: String::new(),
            from: day("2026-11-01").unwrap(),
            to: day("2026-11-30").unwrap(),
            amount: 3_001,
            currency: "PLN".to_owned(),
        };
        assert_eq!(line.amount_within(None, None), 3_001);
        assert_eq!(line.amount_within(day("2026-11-16"), None), 1_501);
        assert_eq!(line.amount_within(day("2026-11-30"), day("2026-12-31")), 100);
        assert_eq!(line.amount_within(day("2026-12-01"), None), 0);
        assert_eq!(line.amount_within(None, day("2026-10-31")), 0);
    }
}
