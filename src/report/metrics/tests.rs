use super::render::{money_text, span_text};
use super::*;

fn table() -> MetricTable {
    MetricTable {
        report: "test",
        title: "A test".to_owned(),
        by: "source",
        columns: vec![
            column(0, "rows", "rows", Kind::Count),
            column(0, "won", "won", Kind::Share),
            column(1, "median_seconds", "median", Kind::Span),
            column(1, "spent", "spent", Kind::Money),
            column(1, "note", "note", Kind::Text),
        ],
        sections: vec![String::new(), "How long:".to_owned()],
        rows: vec![
            MetricRow::new(
                "=a|b",
                vec![
                    Cell::Count(3),
                    Cell::Share(Share::new(1, 3)),
                    Cell::Span(65_900),
                    Cell::Money(-1_205),
                    Cell::Text("x".to_owned()),
                ],
            ),
            MetricRow::new(
                "meta",
                vec![
                    Cell::Count(0),
                    Cell::Share(Share::default()),
                    Cell::Nothing,
                    Cell::Nothing,
                    Cell::Text(String::new()),
                ],
            ),
        ],
        ..MetricTable::default()
    }
}

#[test]
fn a_table_is_the_same_for_people_spreadsheets_and_programs() {
    let table = table();
    let sections = table.to_sections();
    assert_eq!(sections[0].rows[1], ["=a|b", "3", "33.3%"]);
    assert_eq!(sections[0].rows[2], ["meta", "0", "–"]);
    assert_eq!(sections[1].rows[1], ["=a|b", "1m05s", "-12.05", "x"]);
    assert_eq!((&sections[0].right[..], &sections[1].right[..]), (&[1, 2][..], &[1, 2][..]));
    let csv = table.to_csv().unwrap();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines[0], "source,rows,won,won_of,won_percent,median_seconds,spent,note");
    assert_eq!(lines[1], "'=a|b,3,1,3,33.3,65,-12.05,x");
    assert_eq!(lines[2], "meta,0,0,0,,,,");
    let json = table.to_json();
    assert_eq!(json["rows"][0]["won_percent"], 33.3);
    assert_eq!(json["rows"][1]["median_seconds"], serde_json::Value::Null);
    let markdown = table.to_markdown();
    assert!(markdown.contains("| =a\\|b | 3 | 33.3% |\n"), "{markdown}");
    assert!(markdown.contains("| source | median | spent | note |\n| --- | ---: | ---: | --- |"));
}

#[test]
fn a_comparison_says_what_changed() {
    let mut before = table();
    before.rows[0].cells[0] = Cell::Count(5);
    before.rows[0].cells[1] = Cell::Share(Share::new(1, 2));
    before.rows[0].cells[2] = Cell::Span(5_900);
    before.rows[1].name = "gone".to_owned();
    let compared = compare(table(), &before);
    let names: Vec<(&str, Option<&str>)> =
        compared.rows.iter().map(|row| (row.name.as_str(), row.period)).collect();
    assert_eq!(names.len(), 9);
    assert_eq!(
        names[..3],
        [("=a|b", Some("now")), ("=a|b", Some("before")), ("=a|b", Some("change"))]
    );
    assert_eq!(names[6], ("gone", Some("now")));
    let rows = &compared.to_sections()[0].rows;
    assert_eq!(rows[1], ["=a|b", "now", "3", "33.3%"]);
    assert_eq!(rows[2], ["", "before", "5", "50.0%"]);
    assert_eq!(rows[3], ["", "change", "-2", "-16.7pp"]);
    assert_eq!(compared.to_sections()[1].rows[3][2], "1m00s");
    let csv = compared.to_csv().unwrap();
    assert_eq!(csv.lines().nth(3), Some("'=a|b,change,-2,,,-16.7,60,0.00,"));
    // Of a group that only one period has nothing can be said to have changed.
    assert_eq!(rows[7], ["gone", "now", "–", "–"]);
    assert_eq!(rows[9], ["", "change", "–", "–"]);
}

#[test]
fn lengths_and_amounts_are_written_with_their_units() {
    #[track_caller]
    fn check(seconds: i64, expected: &str) {
        assert_eq!(span_text(seconds * 1_000), expected);
    }
    check(0, "0s");
    check(59, "59s");
    check(60, "1m00s");
    check(3_599, "59m59s");
    check(3_600, "1h00m");
    check(86_399, "23h59m");
    check(86_400, "1d00h");
    check(-90, "-1m30s");
    assert_eq!(money_text(5), "0.05");
    assert_eq!(money_text(-123_456), "-1234.56");
    assert_eq!(costs::per_piece(1_000, 3), Some(333));
    assert_eq!(costs::per_piece(1_000, 0), None);
}
