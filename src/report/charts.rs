//! The page's charts, drawn by `plotters` as SVG.
//!
//! Each is drawn twice, for wide and for narrow pages; a media query shows one. The colors here are those of a light
//! page, and `style.css` puts its own in their places, because CSS outranks what an element says of its fill. Only
//! numbers, dates and the page's own words are drawn: names from leads stand in the page around the chart.

use anyhow::{Context as _, Result};
use plotters::chart::LabelAreaPosition;
use plotters::coord::Shift;
use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged, SegmentValue};
use plotters::prelude::{
    ChartBuilder, Color as _, DrawingArea, EmptyElement, IntoDrawingArea as _, IntoFont as _,
    IntoSegmentedCoord as _, RGBColor, Rectangle, SVGBackend, TRANSPARENT, Text, TextStyle,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use serde::Serialize;

/// Sources that a chart tells apart, the rest as one; each is lighter or darker than its neighbors, so that they can
/// be told apart without their colors.
pub const SERIES: [RGBColor; 7] = [
    RGBColor(0x1F, 0x4E, 0x9C),
    RGBColor(0x7F, 0xB2, 0xF0),
    RGBColor(0x0B, 0x7A, 0x6B),
    RGBColor(0xF0, 0xB4, 0x4C),
    RGBColor(0x8A, 0x3F, 0x8F),
    RGBColor(0xF2, 0x9C, 0xB7),
    RGBColor(0x8C, 0x95, 0xA4),
];
/// The plain bar.
pub const BAR: RGBColor = RGBColor(0x35, 0x66, 0xB8);
/// What is unknown or not decided.
pub const PALE: RGBColor = RGBColor(0xB4, 0xBC, 0xC9);
/// What should not be.
pub const BAD: RGBColor = RGBColor(0xC8, 0x45, 0x3B);
/// Hot, warm and cold leads.
pub const HOT: RGBColor = RGBColor(0xB8, 0x34, 0x2C);
/// See [`HOT`].
pub const WARM: RGBColor = RGBColor(0xA3, 0x6A, 0x00);
/// See [`HOT`].
pub const COLD: RGBColor = RGBColor(0x2F, 0x6F, 0x9F);
const INK: RGBColor = RGBColor(0x1B, 0x23, 0x30);
const QUIET: RGBColor = RGBColor(0x58, 0x62, 0x74);
const GRID: RGBColor = RGBColor(0xDC, 0xE1, 0xE8);

/// Width of a chart on a phone.
const NARROW: u32 = 340;
/// Size of the letters as `plotters` counts it, which writes 1/1.24 of it.
const LETTERS: f64 = 16.0;
/// Wider drawings get larger letters where the page has no room for them (`svg.whole`).
const ENLARGED_FROM: u32 = 800;
const BAR_ROW: u32 = 26;
const COLUMNS: u32 = 230;

/// A chart for wide and for narrow pages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Chart {
    wide: Drawing,
    narrow: Drawing,
}

/// What stands in an `svg` element of this size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Drawing {
    width: u32,
    height: u32,
    marks: String,
}

/// A horizontal bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    /// What is counted.
    pub label: String,
    /// How many.
    pub value: u64,
    /// How many, in words.
    pub figure: String,
    /// Its color.
    pub color: RGBColor,
}

/// Parts of one column from the bottom up, each with its color.
pub type Column = Vec<(u64, RGBColor)>;

/// Columns over an axis that begins at the left edge of the first one and counts them.
#[derive(Debug, Clone, PartialEq)]
pub struct Columns {
    /// From left to right.
    pub columns: Vec<Column>,
    /// Where the axis is named, and how.
    pub ticks: Vec<(f64, String)>,
}

/// Draws horizontal bars from top to bottom, `wide` for wide pages.
pub fn bars(bars: &[Bar], wide: u32) -> Result<Chart> {
    let letters = |text: &dyn Fn(&Bar) -> &str| {
        bars.iter().map(|bar| text(bar).chars().count()).max().unwrap_or(0) as u32
    };
    let height = bars.len() as u32 * BAR_ROW + 4;
    let draw = |width| {
        // Letters of the page's fonts are about 7 wide where they are 13 high; the style sheet makes them larger where
        // a drawing over the whole page becomes small.
        let side =
            |letters: u32| if width > ENLARGED_FROM { letters * 17 / 2 } else { letters * 7 };
        let sides = (side(letters(&|bar| &bar.label)) + 12, side(letters(&|bar| &bar.figure)) + 12);
        drawing(width, height, |area| draw_bars(bars, sides, area))
    };
    Ok(Chart { wide: draw(wide)?, narrow: draw(NARROW)? })
}

/// Draws columns, `wide` for wide pages; `number` writes the figures of the axis.
pub fn columns(columns: &Columns, wide: u32, number: &dyn Fn(u64) -> String) -> Result<Chart> {
    let draw = |width| drawing(width, COLUMNS, |area| draw_columns(columns, number, area));
    Ok(Chart { wide: draw(wide)?, narrow: draw(NARROW)? })
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

fn drawing(width: u32, height: u32, draw: impl FnOnce(&Area<'_>) -> Result<()>) -> Result<Drawing> {
    let mut text = String::new();
    let area = SVGBackend::with_string(&mut text, (width, height)).into_drawing_area();
    draw(&area).context("draw a chart")?;
    area.present().context("draw a chart")?;
    drop(area);
    // The page has an element of its own around it, with a title.
    let marks = text
        .split_once(">\n")
        .and_then(|(_, rest)| rest.strip_suffix("</svg>\n"))
        .context("plotters writes one svg element")?;
    Ok(Drawing { width, height, marks: marks.to_owned() })
}

fn letters(color: RGBColor, h: HPos) -> TextStyle<'static> {
    ("sans-serif", LETTERS).into_font().color(&color).pos(Pos::new(h, VPos::Center))
}

fn draw_bars(bars: &[Bar], (left, right): (u32, u32), area: &Area<'_>) -> Result<()> {
    let Some(last) = (bars.len() as i32).checked_sub(1).filter(|last| *last >= 0) else {
        return Ok(());
    };
    let most = bars.iter().map(|bar| bar.value).max().unwrap_or(0).max(1);
    // The axis counts from the bottom.
    let row = |at: usize| last - at as i32;
    let mut chart = ChartBuilder::on(area)
        .set_label_area_size(LabelAreaPosition::Left, left)
        .margin_right(right)
        .build_cartesian_2d(0..most, (0..last).into_segmented())?;
    for (at, bar) in bars.iter().enumerate() {
        let (row, value) = (row(at), bar.value);
        let mut mark = Rectangle::new(
            [(0, SegmentValue::Exact(row)), (value, SegmentValue::Exact(row + 1))],
            bar.color.filled(),
        );
        mark.set_margin(5, 5, 0, 0);
        let name = EmptyElement::at((0, SegmentValue::CenterOf(row)))
            + Text::new(bar.label.clone(), (-8, 0), letters(INK, HPos::Right));
        let figure = EmptyElement::at((value, SegmentValue::CenterOf(row)))
            + Text::new(bar.figure.clone(), (8, 0), letters(QUIET, HPos::Left));
        chart.draw_series([mark])?;
        chart.draw_series([name])?;
        chart.draw_series([figure])?;
    }
    Ok(())
}

/// The axis under columns, with names where they belong and not where round numbers are.
struct Places {
    end: f64,
    ticks: Vec<f64>,
}

impl Ranged for Places {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        from + (value / self.end * f64::from(to - from)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.clone()
    }

    fn range(&self) -> std::ops::Range<f64> {
        0.0..self.end
    }
}

fn draw_columns(columns: &Columns, number: &dyn Fn(u64) -> String, area: &Area<'_>) -> Result<()> {
    let height = |column: &Column| column.iter().map(|(count, _)| count).sum::<u64>();
    let most = columns.columns.iter().map(height).max().unwrap_or(0).max(1);
    let ticks: Vec<f64> = columns.ticks.iter().map(|(at, _)| *at).collect();
    let mut chart = ChartBuilder::on(area)
        .set_label_area_size(LabelAreaPosition::Left, number(most).chars().count() as u32 * 8 + 14)
        .set_label_area_size(LabelAreaPosition::Bottom, 26)
        .margin_top(10)
        .margin_right(14)
        .build_cartesian_2d(Places { end: columns.columns.len() as f64, ticks }, 0..most)?;
    let name = |at: &f64| {
        let found = columns.ticks.iter().find(|(tick, _)| (tick - at).abs() < 1e-9);
        found.map_or(String::new(), |(_, name)| name.clone())
    };
    chart
        .configure_mesh()
        .disable_x_mesh()
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .axis_style(GRID)
        .x_labels(columns.ticks.len())
        .y_labels(6)
        .x_label_formatter(&name)
        .y_label_formatter(&|count| number(*count))
        .label_style(("sans-serif", LETTERS).into_font().color(&QUIET))
        .draw()?;
    // What is there is seen, be it one among thousands.
    let least = most.div_ceil(u64::from(COLUMNS) / 2);
    for (at, column) in columns.columns.iter().enumerate() {
        let (left, right, mut bottom) = (at as f64 + 0.1, at as f64 + 0.9, 0);
        for (count, color) in column.iter().filter(|(count, _)| *count > 0) {
            let top = (bottom + count.max(&least)).min(most);
            chart.draw_series([Rectangle::new([(left, bottom), (right, top)], color.filled())])?;
            bottom = top;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(label: &str, value: u64) -> Bar {
        Bar { label: label.to_owned(), value, figure: value.to_string(), color: BAR }
    }

    /// Returns x, y, width and height of every rectangle.
    fn rectangles(marks: &str) -> Vec<[i32; 4]> {
        let number = |line: &str, name: &str| {
            let (_, rest) = line.split_once(&format!(" {name}=\"")).unwrap();
            rest.split('"').next().unwrap().parse().unwrap()
        };
        let lines = marks.lines().filter(|line| line.starts_with("<rect"));
        lines.map(|line| ["x", "y", "width", "height"].map(|name| number(line, name))).collect()
    }

    #[test]
    fn bars_stand_in_their_order_and_are_as_long_as_their_values() {
        let chart = bars(&[bar("received", 300), bar("won", 100), bar("lost", 0)], 880).unwrap();
        for drawing in [&chart.wide, &chart.narrow] {
            let found = rectangles(&drawing.marks);
            let [first, second, third] = found[..] else { panic!("{found:?}") };
            assert!(first[1] < second[1] && second[1] < third[1], "{found:?}");
            assert!((first[2] - 3 * second[2]).abs() <= 3 && third[2] == 0, "{found:?}");
            assert!(found.iter().all(|one| one[0] + one[2] <= drawing.width as i32), "{found:?}");
        }
        assert_eq!((chart.wide.width, chart.narrow.width), (880, NARROW));
        assert!(chart.wide.marks.contains("received") && !chart.wide.marks.contains("xmlns"));
        assert_eq!(rectangles(&bars(&[], 880).unwrap().wide.marks), [[0; 4]; 0]);
    }

    #[test]
    fn parts_of_a_column_stand_on_each_other_and_one_among_thousands_is_seen() {
        let columns = Columns {
            columns: vec![
                vec![(3_000, SERIES[0]), (1_000, SERIES[1])],
                vec![(1, SERIES[1])],
                vec![],
            ],
            ticks: vec![(0.5, "2 Nov".to_owned())],
        };
        let chart = super::columns(&columns, 880, &|count| count.to_string()).unwrap();
        let found = rectangles(&chart.wide.marks);
        let [below, above, small] = found[..] else { panic!("{found:?}") };
        assert_eq!((below[0], below[1]), (above[0], above[1] + above[3]));
        assert!((below[3] - 3 * above[3]).abs() <= 3 && small[3] >= 1, "{found:?}");
        assert_eq!(below[1] + below[3], small[1] + small[3], "both stand on the axis");
        assert!(chart.wide.marks.contains("2 Nov") && chart.wide.marks.contains("4000"));
    }

    #[test]
    fn what_would_be_markup_is_text() {
        let chart = bars(&[bar("<script>\"&", 1)], 520).unwrap();
        assert!(chart.wide.marks.contains("&lt;script&gt;&quot;&amp;"));
    }

    #[test]
    fn the_style_sheet_has_a_color_for_each_of_the_charts() {
        let style = include_str!("style.css");
        for RGBColor(red, green, blue) in
            SERIES.into_iter().chain([BAR, PALE, BAD, HOT, WARM, COLD, INK, QUIET])
        {
            let rule = format!(".chart [fill=\"#{red:02X}{green:02X}{blue:02X}\"]");
            assert!(style.contains(&rule), "{rule}");
        }
        let RGBColor(red, green, blue) = GRID;
        assert!(style.contains(&format!("[stroke=\"#{red:02X}{green:02X}{blue:02X}\"]")));
    }
}
