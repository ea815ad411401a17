//! The page: nothing from outside, no markup born from data, both languages, and `report html` beside a run's own.

use std::collections::BTreeSet;

use html5gum::{Token, Tokenizer};
use leadmill::model::language::Language;
use leadmill::report::html::render;

use super::page_sample::{harmless, page};
use super::workspace::{AS_OF, Workspace};

/// What no data may ever do: end a tag, an attribute, a style or a chart, run, fetch, comment out, be a template, turn
/// the line around.
const HOSTILE: &str = "\"><img src=x onerror=alert(1)>'</td></table></style></title></svg><script>alert(1)</script>\
     <!-- ]]> {{ 7*7 }} {% raw %} &lt;b&gt; url(http://evil.example/x) \u{202e}gnp.exe\u{2066}\u{0}\u{1b}[31m";

fn hostile(text: &str) -> String {
    format!("{HOSTILE}{text}{HOSTILE}")
}

/// Returns the tags of a page as a browser reads them: name and names of attributes, in order.
fn tags(html: &str) -> Vec<String> {
    let mut found = Vec::new();
    for token in Tokenizer::new(html).flatten() {
        match token {
            Token::StartTag(tag) => {
                let name = String::from_utf8_lossy(&tag.name).into_owned();
                let attributes: Vec<String> = tag
                    .attributes
                    .keys()
                    .map(|name| String::from_utf8_lossy(name).into_owned())
                    .collect();
                found.push(format!("<{name} {}>", attributes.join(" ")));
            }
            Token::EndTag(tag) => found.push(format!("</{}>", String::from_utf8_lossy(&tag.name))),
            Token::Comment(_) => found.push("<!-- -->".to_owned()),
            Token::Error(fault) => panic!("a browser would stumble: {fault:?}"),
            Token::Doctype(_) | Token::String(_) => {}
        }
    }
    found
}

/// Fails when the page could fetch or run anything.
#[track_caller]
fn check_stands_alone(html: &str) {
    let policy = "<meta http-equiv=\"Content-Security-Policy\" \
                  content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">";
    assert!(html.contains(policy), "no content security policy");
    for token in Tokenizer::new(html).flatten() {
        let Token::StartTag(tag) = token else { continue };
        let name = String::from_utf8_lossy(&tag.name).into_owned();
        let active = ["script", "img", "link", "iframe", "object", "embed", "base", "form", "a"];
        assert!(!active.contains(&name.as_str()), "<{name}>");
        for attribute in tag.attributes.keys() {
            let attribute = String::from_utf8_lossy(attribute);
            let fetches =
                ["src", "href", "xlink:href", "srcset", "poster", "action", "ping", "background"];
            assert!(!fetches.contains(&&*attribute), "<{name} {attribute}>");
            assert!(!attribute.starts_with("on"), "<{name} {attribute}>");
        }
    }
    let style = html.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
    for fetches in ["url(", "@import", "image(", "src("] {
        assert!(!style.contains(fetches), "{fetches} in the style");
    }
}

#[test]
fn no_markup_is_born_from_data() {
    for (word, language) in Language::ALL {
        let plain = render(&page(&harmless), *language).unwrap();
        let attacked = render(&page(&hostile), *language).unwrap();
        let (expected, found) = (tags(&plain), tags(&attacked));
        assert!(expected.len() > 800, "{word}: only {} tags: the test is blind", expected.len());
        assert_eq!(found, expected, "{word}");
        assert!(attacked.matches("&lt;script&gt;").count() > 100, "{word}");
        assert!(attacked.contains("{{ 7*7 }}") && !attacked.contains(">49<"), "{word}");
        check_stands_alone(&plain);
        check_stands_alone(&attacked);
    }
}

#[test]
fn what_was_run_makes_a_page_of_the_same_tags_whatever_people_type() {
    let known: BTreeSet<String> = [Language::English, Language::Polish]
        .iter()
        .flat_map(|language| tags(&render(&page(&harmless), *language).unwrap()))
        .collect();
    let workspace = Workspace::new();
    let rows: Vec<String> = ["Lis", "Kruk", "Wilk", "Dudek"]
        .iter()
        .enumerate()
        .map(|(at, name)| {
            format!(
                "{at},2026-11-1{at}T10:00:00Z,<img src=x onerror=alert(1)> {name},evil{at}@example.com,60000010{at},\
                 \"</td><script>alert(2)</script> & \"\"Co\"\"\",PL,Prosze o wycene <b>teraz</b>,yes"
            )
        })
        .collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    workspace.table("<b onclick=x>inbox<b>.csv", &rows);
    workspace.table("bad.csv", &["9,2026-11-20T10:00:00Z,<u>x</u>,<i>no</i>,,,,,"]);
    workspace.run(&["run"]);
    for lang in ["en", "pl"] {
        let html = workspace.ok(&["report", "html", "--lang", lang]).stdout;
        check_stands_alone(&html);
        assert!(html.contains("&lt;b onclick"), "{lang}: the test is blind");
        let strange: Vec<String> =
            tags(&html).into_iter().filter(|tag| !known.contains(tag)).collect();
        assert_eq!(strange, [""; 0], "{lang}");
    }
}

#[test]
fn a_run_puts_out_the_page_that_the_command_makes() {
    let workspace = Workspace::fixtures_run();
    let html = workspace.ok(&["report", "html"]).stdout;
    assert_eq!(html, workspace.latest("report.html"));
    assert!(html.starts_with("<!doctype html>\n<html lang=\"en\">"));
}

#[test]
fn the_page_is_written_where_it_is_to_go() {
    let workspace = Workspace::new();
    workspace
        .table("one.csv", &["1,2026-11-18T09:00:00Z,Anna Nowak,anna@przyklad.pl,,,PL,Prosze,yes"]);
    workspace.ok(&["run"]);
    let told = workspace.ok(&["report", "html", "--output", "page.html"]);
    assert_eq!(told.stdout, "");
    let written = std::fs::read_to_string(workspace.path("page.html")).unwrap();
    assert_eq!(written, workspace.ok(&["report", "html"]).stdout);
    for (output, why) in [("leadmill.db", "is the store"), ("out", "is a folder")] {
        let refused = workspace.run(&["report", "html", "--output", output]);
        assert_eq!(refused.code, 2, "{}", refused.stderr);
        assert!(
            refused.stderr.contains(why) && refused.stderr.contains("hint: "),
            "{}",
            refused.stderr
        );
    }
    workspace.ok(&["leads"]);
}

#[test]
fn the_language_of_a_run_is_a_setting_of_the_workspace() {
    let workspace = Workspace::new();
    workspace.file("rules/workspace.toml", "language = \"pl\"\n");
    workspace
        .table("one.csv", &["1,2026-11-18T09:00:00Z,Anna Nowak,anna@przyklad.pl,,,PL,Prosze,yes"]);
    workspace.ok(&["run"]);
    let html = workspace.latest("report.html");
    assert!(html.contains("<html lang=\"pl\">") && html.contains("Nowe leady dziennie"), "{html}");
    let english = workspace.ok(&["report", "html", "--lang", "en"]).stdout;
    assert!(english.contains("<html lang=\"en\">") && english.contains("New leads per day"));
    workspace.file("rules/workspace.toml", "language = \"de\"\n");
    let refused = workspace.run(&["report", "html"]);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(
        refused.stderr.contains("language") && refused.stderr.contains("en"),
        "{}",
        refused.stderr
    );
}

#[test]
fn an_empty_store_has_a_page_too() {
    let workspace = Workspace::new();
    workspace.table("one.csv", &[]);
    workspace.run(&["run"]);
    for (lang, nothing) in [("en", "There is no lead yet"), ("pl", "Nie ma jeszcze żadnego leada")]
    {
        let html = workspace.ok(&["report", "html", "--lang", lang]).stdout;
        assert!(html.contains(nothing), "{html}");
        check_stands_alone(&html);
    }
}

/// Returns a workspace with so many leads on each Thursday up to 19 November 2026, the last one first.
fn thursdays(leads: &[usize]) -> Workspace {
    let workspace = Workspace::new();
    let last = chrono::NaiveDate::from_ymd_opt(2026, 11, 19).unwrap();
    let mut rows = Vec::new();
    for (week, leads) in leads.iter().enumerate() {
        let day = last - chrono::Days::new(7 * week as u64);
        for lead in 0..*leads {
            let name = format!("{}{}", ["Lis", "Kruk", "Wilk", "Dudek", "Sowa"][lead % 5], week);
            rows.push(format!(
                "{week}-{lead},{day}T10:00:00Z,Anna {name},w{week}l{lead}@example{week}{lead}.com,,,PL,Prosze,yes"
            ));
        }
    }
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    workspace.table("weeks.csv", &rows);
    workspace.run(&["run"]);
    workspace
}

#[test]
fn a_tile_is_compared_with_the_same_weekday() {
    // The median of 2, 4, 4 is 4; Thursdays on which nobody works are no days to compare.
    let html = thursdays(&[6, 2, 4, 4]).ok(&["report", "html"]).stdout;
    assert!(html.contains("+2</span>"), "{html}");
    assert!(html.contains("usually 4 on a Thursday (median of 3)"), "{html}");
}

#[test]
fn too_short_a_history_is_told_instead_of_a_figure() {
    let html = thursdays(&[6, 2, 4]).ok(&["report", "html"]).stdout;
    assert!(html.contains("too little history: 2 of 3 Thursdays"), "{html}");
    assert!(!html.contains("usually"), "{html}");
}

#[test]
fn a_holiday_is_no_day_to_compare() {
    let workspace = Workspace::new();
    // Wednesdays: 11 November is Independence Day, 18 November the day that is told.
    let rows: Vec<String> = ["18", "11", "04"]
        .iter()
        .map(|day| {
            format!("{day},2026-11-{day}T10:00:00Z,Anna Lis,a{day}@example.com,,,PL,Prosze,yes")
        })
        .chain(["28", "21"].iter().map(|day| {
            format!("{day},2026-10-{day}T10:00:00Z,Jan Kruk,k{day}@example.com,,,PL,Prosze,yes")
        }))
        .collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    workspace.table("weeks.csv", &rows);
    workspace.run(&["run"]);
    let told = |as_of| workspace.ok(&["report", "html", "--as-of", as_of]).stdout;
    let html = told("2026-11-19T08:00:00Z");
    assert!(html.contains("(median of 3)"), "{html}");
    assert!(told("2026-11-12T08:00:00Z").contains("a day off: nothing to compare with"));
    assert!(AS_OF.starts_with("2026-11-20"));
}

#[test]
fn few_rows_are_marked_and_long_lists_are_cut() {
    let html = render(&page(&harmless), Language::Polish).unwrap();
    assert_eq!(html.matches("mniej niż 30 wierszy").count(), 1);
    assert!(html.contains("Anna Łęcka 19") && !html.contains("Anna Łęcka 20<"));
    assert!(html.contains("Pokazano 20 z 1\u{202f}241."));
    assert!(html.contains("15,6%") && html.contains("1\u{202f}812"));
    let html = render(&page(&harmless), Language::English).unwrap();
    assert!(html.contains("20 of 1,241 shown.") && html.contains("fewer than 30 rows"));
}
