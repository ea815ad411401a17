//! Geometry of the page's charts; the template draws them as inline SVG.
//!
//! Widths are percentages of whatever space the page has and heights are pixels, so a chart fits a
//! phone without its labels shrinking, and its colors come from the style sheet, light or dark. The
//! charting crates at hand write fixed sizes and colors into the picture and can do neither.

use chrono::{Days, NaiveDate};
use serde::Serialize;

const BAR_ROW_PX: u32 = 40;
const COLUMNS_PX: u32 = 120;
/// Most days that a chart shows; older ones are told in words.
const DAYS_MAX: usize = 62;

/// Horizontal bars, each under its label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BarChart {
    /// Height in pixels.
    pub height: u32,
    /// Bars from top to bottom.
    pub bars: Vec<Bar>,
}

/// One bar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bar {
    /// What is counted.
    pub label: String,
    /// How many.
    pub value: u64,
    /// Share of the widest bar, such as `43.21`.
    pub percent: String,
    /// Top in pixels.
    pub y: u32,
    /// Class that colors it; empty for the plain one.
    pub tone: String,
}

/// Columns over days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ColumnChart {
    /// Height of the columns' space in pixels.
    pub height: u32,
    /// Columns from left to right, days without any included.
    pub columns: Vec<DayColumn>,
    /// The highest count.
    pub max: u64,
    /// Earlier leads that are not shown.
    pub earlier: u64,
}

/// One day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DayColumn {
    /// Date, ISO 8601.
    pub day: String,
    /// How many.
    pub value: u64,
    /// Left edge in percent.
    pub x: String,
    /// Width in percent.
    pub width: String,
    /// Top in pixels.
    pub y: u32,
    /// Height in pixels.
    pub height: u32,
}

/// Returns the chart of `values`: label, count and tone, drawn in the order given.
pub fn bars(values: &[(String, u64, String)]) -> BarChart {
    let max = values.iter().map(|(_, value, _)| *value).max().unwrap_or(0);
    let bars: Vec<Bar> = values
        .iter()
        .enumerate()
        .map(|(row, (label, value, tone))| Bar {
            label: label.clone(),
            value: *value,
            percent: percent(*value, max),
            y: row as u32 * BAR_ROW_PX,
            tone: tone.clone(),
        })
        .collect();
    BarChart { height: bars.len() as u32 * BAR_ROW_PX, bars }
}

/// Returns the chart of `counts`, an ISO date and a count each; missing days are filled in.
///
/// Entries that are no dates are left out; dates before the last [`DAYS_MAX`] days are summed up.
pub fn days(counts: &[(String, u64)]) -> ColumnChart {
    let dated: Vec<(NaiveDate, u64)> = counts
        .iter()
        .filter_map(|(day, count)| Some((day.parse::<NaiveDate>().ok()?, *count)))
        .collect();
    let (Some(first), Some(last)) =
        (dated.iter().map(|(day, _)| *day).min(), dated.iter().map(|(day, _)| *day).max())
    else {
        return ColumnChart { height: COLUMNS_PX, columns: Vec::new(), max: 0, earlier: 0 };
    };
    let earliest = last.checked_sub_days(Days::new(DAYS_MAX as u64 - 1)).unwrap_or(first);
    let first = first.max(earliest);
    let on = |day: NaiveDate| dated.iter().filter(|(known, _)| *known == day).map(|(_, n)| n).sum();
    let shown: Vec<(NaiveDate, u64)> =
        first.iter_days().take_while(|day| *day <= last).map(|day| (day, on(day))).collect();
    let max = shown.iter().map(|(_, count)| *count).max().unwrap_or(0);
    let step = 100.0 / shown.len() as f64;
    let columns = shown
        .iter()
        .enumerate()
        .map(|(position, (day, count))| {
            // A day with one lead among thousands still shows.
            let height = (*count * u64::from(COLUMNS_PX)).checked_div(max).unwrap_or(0) as u32;
            let height = if *count > 0 { height.max(2) } else { 0 };
            DayColumn {
                day: day.to_string(),
                value: *count,
                x: format!("{:.2}", step * (position as f64 + 0.1)),
                width: format!("{:.2}", step * 0.8),
                y: COLUMNS_PX - height,
                height,
            }
        })
        .collect();
    let earlier = dated.iter().filter(|(day, _)| *day < first).map(|(_, count)| count).sum();
    ColumnChart { height: COLUMNS_PX, columns, max, earlier }
}

fn percent(value: u64, max: u64) -> String {
    if max == 0 { "0".to_owned() } else { format!("{:.2}", 100.0 * value as f64 / max as f64) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_shares_of_the_widest() {
        let chart = bars(&[
            ("a".to_owned(), 3, String::new()),
            ("b".to_owned(), 1, String::new()),
            ("c".to_owned(), 0, String::new()),
        ]);
        let percents: Vec<&str> = chart.bars.iter().map(|bar| bar.percent.as_str()).collect();
        assert_eq!(percents, ["100.00", "33.33", "0.00"]);
        assert_eq!(bars(&[]).height, 0);
    }

    #[test]
    fn days_without_leads_are_shown() {
        let chart = days(&[("2026-02-27".to_owned(), 4), ("2026-03-02".to_owned(), 1)]);
        let shown: Vec<(&str, u64, u32)> =
            chart.columns.iter().map(|c| (c.day.as_str(), c.value, c.height)).collect();
        assert_eq!(
            shown,
            [
                ("2026-02-27", 4, 120),
                ("2026-02-28", 0, 0),
                ("2026-03-01", 0, 0),
                ("2026-03-02", 1, 30)
            ]
        );
    }

    #[test]
    fn a_long_past_is_summed_up() {
        let chart = days(&[
            ("2020-01-01".to_owned(), 7),
            ("2026-03-02".to_owned(), 1_000),
            ("2026-03-01".to_owned(), 1),
            ("soon".to_owned(), 9),
        ]);
        assert_eq!((chart.columns.len(), chart.earlier), (DAYS_MAX, 7));
        assert_eq!(chart.columns[DAYS_MAX - 2].height, 2);
        assert!(days(&[]).columns.is_empty());
    }
}
