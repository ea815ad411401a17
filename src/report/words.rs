//! The page's words, numbers and dates in each language, as `words/*.toml` give them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use chrono::{Datelike as _, NaiveDate, NaiveDateTime};
use serde::Deserialize;

use crate::model::language::Language;

/// How one language says what the page says.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Words {
    #[serde(skip)]
    language: Language,
    numbers: Numbers,
    dates: Dates,
    counted: BTreeMap<String, Vec<String>>,
    /// Texts that change with the number before them, by key.
    #[serde(default)]
    after_number: BTreeMap<String, Vec<String>>,
    /// Texts by key; `{name}` stands for a value.
    pub texts: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Numbers {
    decimal: String,
    group: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Dates {
    months: [String; 12],
    short_months: [String; 12],
    weekdays: [String; 7],
    short_weekdays: [String; 7],
    of_weekdays: [String; 7],
    on_weekdays: [String; 7],
}

static WORDS: LazyLock<[Words; 2]> = LazyLock::new(|| {
    [
        (Language::English, include_str!("words/en.toml")),
        (Language::Polish, include_str!("words/pl.toml")),
    ]
    .map(|(language, text)| {
        let words: Words = toml::from_str(text).expect("words are part of the program and parse");
        Words { language, ..words }
    })
});

impl Words {
    /// Returns the words of `language`.
    pub fn of(language: Language) -> &'static Self {
        &WORDS[language as usize]
    }

    /// Returns the language.
    pub fn language(&self) -> Language {
        self.language
    }

    /// Returns the text at `key` with `values` in their places; `None` when there is no such text.
    pub fn say(&self, key: &str, values: &[(&str, &str)]) -> Option<String> {
        filled(self.texts.get(key)?, values)
    }

    /// Returns the text at `key` as it stands behind `number`, with `values` in their places; `None` when there is none.
    pub fn say_of(&self, number: u64, key: &str, values: &[(&str, &str)]) -> Option<String> {
        match self.after_number.get(key) {
            Some(forms) => filled(forms.get(self.form(number))?, values),
            None => self.say(key, values),
        }
    }

    /// Returns a whole number, its digits grouped by three.
    pub fn number(&self, number: i64) -> String {
        let digits = number.unsigned_abs().to_string();
        let mut grouped = String::from(if number < 0 { "−" } else { "" });
        for (position, digit) in digits.chars().enumerate() {
            if position > 0 && (digits.len() - position).is_multiple_of(3) {
                grouped.push_str(&self.numbers.group);
            }
            grouped.push(digit);
        }
        grouped
    }

    /// Returns a number of tenths, with one decimal unless it is a whole number.
    pub fn tenths(&self, tenths: u64) -> String {
        let whole = self.number((tenths / 10) as i64);
        match tenths % 10 {
            0 => whole,
            rest => format!("{whole}{}{rest}", self.numbers.decimal),
        }
    }

    /// Returns the share of `part` in `of` as percent with one decimal; a dash of nothing.
    pub fn percent(&self, part: u64, of: u64) -> String {
        match (part * 1_000 + of / 2).checked_div(of) {
            None => "–".to_owned(),
            Some(per_mille) => {
                let (whole, rest) = (self.number((per_mille / 10) as i64), per_mille % 10);
                format!("{whole}{}{rest}%", self.numbers.decimal)
            }
        }
    }

    /// Returns `number` with what is counted at `key`; `None` when nothing is.
    pub fn counted(&self, number: u64, key: &str) -> Option<String> {
        let form = self.counted.get(key)?.get(self.form(number))?;
        Some(form.replace("{n}", &self.number(number as i64)))
    }

    /// Returns which of the forms of a word stands with `number`.
    fn form(&self, number: u64) -> usize {
        match self.language {
            Language::English => usize::from(number != 1),
            // Cardinal plural rules of the Unicode CLDR: one, few, many.
            Language::Polish => match (number, number % 10, number % 100) {
                (1, ..) => 0,
                (_, 2..=4, hundred) if !(12..=14).contains(&hundred) => 1,
                _ => 2,
            },
        }
    }

    /// Returns a date: `28 Nov 2026`.
    pub fn day(&self, day: NaiveDate) -> String {
        format!("{} {}", self.short_day(day), day.year())
    }

    /// Returns a date without its year: `28 Nov`.
    pub fn short_day(&self, day: NaiveDate) -> String {
        format!("{}\u{a0}{}", day.day(), self.dates.short_months[day.month0() as usize])
    }

    /// Returns a date with its weekday in full: `Saturday, 28 November 2026`.
    pub fn long_day(&self, day: NaiveDate) -> String {
        let weekday = &self.dates.weekdays[day.weekday().num_days_from_monday() as usize];
        let mut letters = weekday.chars();
        let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
        let month = &self.dates.months[day.month0() as usize];
        format!("{first}{}, {}\u{a0}{month} {}", letters.as_str(), day.day(), day.year())
    }

    /// Returns a date with its weekday in short: `Sat 28 Nov`.
    pub fn weekday_and_day(&self, day: NaiveDate) -> String {
        let weekday = &self.dates.short_weekdays[day.weekday().num_days_from_monday() as usize];
        format!("{weekday} {}", self.short_day(day))
    }

    /// Returns the weekday as of something that happens on it: `on a Saturday`.
    pub fn on_weekday(&self, day: NaiveDate) -> &str {
        &self.dates.on_weekdays[day.weekday().num_days_from_monday() as usize]
    }

    /// Returns the weekday as of several of it: `Saturdays`.
    pub fn weekdays(&self, day: NaiveDate) -> &str {
        &self.dates.of_weekdays[day.weekday().num_days_from_monday() as usize]
    }

    /// Returns an instant: `28 Nov 2026, 15:20`.
    pub fn moment(&self, at: NaiveDateTime) -> String {
        format!("{}, {}", self.day(at.date()), at.format("%H:%M"))
    }
}

/// Returns `text` with `values` in their places; `None` where one is missing.
fn filled(text: &str, values: &[(&str, &str)]) -> Option<String> {
    let mut said = String::with_capacity(text.len() + 16);
    let mut rest = text;
    // From left to right, so that a value with a brace in it stays what it is.
    while let Some((before, after)) = rest.split_once('{') {
        said.push_str(before);
        let (name, after) = after.split_once('}')?;
        said.push_str(values.iter().find(|(known, _)| *known == name)?.1);
        rest = after;
    }
    said.push_str(rest);
    Some(said)
}

/// Returns `minutes` by the signs of their units, which are the same in every language: `2 h 05 min`, `3 d 4 h`.
pub fn span(minutes: i64) -> String {
    let (hours, rest) = (minutes / 60, minutes % 60);
    match (hours / 24, hours) {
        (0, 0) => format!("{minutes}\u{a0}min"),
        (0, hours) => format!("{hours}\u{a0}h {rest:02}\u{a0}min"),
        (days, hours) => format!("{days}\u{a0}d {}\u{a0}h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn placeholders(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).map(|rest| rest.split('}').next().unwrap()).collect()
    }

    #[test]
    fn both_languages_have_the_same_keys_and_values() {
        let [english, polish] = &*WORDS;
        let keys = |words: &Words| words.texts.keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(keys(english), keys(polish));
        for (key, text) in &english.texts {
            assert_eq!(placeholders(text), placeholders(&polish.texts[key]), "{key}");
            assert_eq!(text.is_empty(), polish.texts[key].is_empty(), "{key}");
        }
        let counted = |words: &Words| words.counted.keys().cloned().collect::<Vec<_>>();
        assert_eq!(counted(english), counted(polish));
        let after_number = |words: &Words| words.after_number.keys().cloned().collect::<Vec<_>>();
        assert_eq!(after_number(english), after_number(polish));
        for (words, forms) in [(english, 2), (polish, 3)] {
            for (key, texts) in &words.after_number {
                assert_eq!(texts.len(), forms, "{key}");
                let expected = placeholders(&words.texts[key]);
                assert!(texts.iter().all(|text| placeholders(text) == expected), "{key}");
            }
            for (key, texts) in &words.counted {
                assert_eq!(texts.len(), forms, "{key}");
                assert!(texts.iter().all(|text| text.contains("{n}")), "{key}");
            }
        }
    }

    #[test]
    fn every_text_is_used_and_every_text_that_is_used_is_there() {
        let template = include_str!("page.html");
        let code = [include_str!("html.rs"), include_str!("page.rs"), include_str!("charts.rs")];
        let words = Words::of(Language::English);
        for key in words.texts.keys() {
            let is_tile = key.starts_with("tile-");
            let is_of_a_family = is_tile || FAMILIES.iter().any(|family| key.starts_with(family));
            let quoted = format!("\"{key}\"");
            assert!(
                is_of_a_family
                    || template.contains(&quoted)
                    || code.iter().any(|text| text.contains(&quoted)),
                "{key} is said nowhere"
            );
        }
        for family in FAMILIES {
            assert!(template.contains(&format!("\"{family}\"")), "{family}");
        }
    }

    /// Beginnings of keys whose ends are words of figures.
    const FAMILIES: &[&str] =
        &["step-", "why-", "speed-", "segment-", "kind-", "again-", "status-", "campaigns-"];

    #[test]
    fn polish_counts_in_three_forms() {
        #[track_caller]
        fn check(number: u64, expected: &str) {
            let words = Words::of(Language::Polish);
            assert_eq!(words.counted(number, "leads").unwrap(), expected);
        }
        check(0, "0 leadów");
        check(1, "1 lead");
        check(2, "2 leady");
        check(4, "4 leady");
        check(5, "5 leadów");
        check(12, "12 leadów");
        check(14, "14 leadów");
        check(21, "21 leadów");
        check(22, "22 leady");
        check(25, "25 leadów");
        check(112, "112 leadów");
        check(1_234, "1\u{202f}234 leady");
        let english = Words::of(Language::English);
        assert_eq!(english.counted(1, "leads").unwrap(), "1 lead");
        assert_eq!(english.counted(0, "leads").unwrap(), "0 leads");
        assert_eq!(english.counted(1_234, "leads").unwrap(), "1,234 leads");
        assert_eq!(english.counted(1, "geese"), None);
    }

    #[test]
    fn words_agree_with_the_number_before_them() {
        #[track_caller]
        fn check(number: u64, word: &str, expected: &str) {
            let words = Words::of(Language::Polish);
            let said = words.say_of(number, &format!("why-{word}"), &[("of", "test")]);
            assert_eq!(said.unwrap(), expected, "{number}");
        }
        check(98, "contacts", "kontaktów z listy, nie zapytania");
        check(2, "contacts", "kontakty z listy, nie zapytania");
        check(1, "contacts", "kontakt z listy, nie zapytanie");
        check(8, "held", "wstrzymanych (test)");
        check(446, "joined", "dołączonych do zapytania");
        check(6, "touches", "odsłon stron i innych zdarzeń");
        check(3, "triage", "bez ścieżki (triage)");
    }

    #[test]
    fn numbers_are_written_as_the_language_writes_them() {
        let [english, polish] = &*WORDS;
        assert_eq!(english.number(-1_234_567), "−1,234,567");
        assert_eq!(polish.number(-1_234_567), "−1\u{202f}234\u{202f}567");
        assert_eq!((english.number(999).as_str(), polish.number(0).as_str()), ("999", "0"));
        assert_eq!((english.tenths(305).as_str(), polish.tenths(305).as_str()), ("30.5", "30,5"));
        assert_eq!(polish.tenths(12_340), "1\u{202f}234");
        assert_eq!(
            (english.percent(1, 8).as_str(), polish.percent(1, 8).as_str()),
            ("12.5%", "12,5%")
        );
        assert_eq!(polish.percent(2, 3), "66,7%");
        assert_eq!(polish.percent(0, 0), "–");
    }

    #[test]
    fn dates_are_written_as_the_language_writes_them() {
        let [english, polish] = &*WORDS;
        let at: NaiveDateTime = "2026-11-28T15:20:00".parse().unwrap();
        assert_eq!(english.moment(at), "28\u{a0}Nov 2026, 15:20");
        assert_eq!(polish.moment(at), "28\u{a0}lis 2026, 15:20");
        assert_eq!(english.long_day(at.date()), "Saturday, 28\u{a0}November 2026");
        assert_eq!(polish.long_day(at.date()), "Sobota, 28\u{a0}listopada 2026");
        assert_eq!(polish.weekday_and_day(at.date()), "sob. 28\u{a0}lis");
        assert_eq!(polish.on_weekday(at.date()), "w sobotę");
        assert_eq!(english.on_weekday(at.date()), "on a Saturday");
    }

    #[test]
    fn spans_are_told_in_two_units() {
        #[track_caller]
        fn check(minutes: i64, expected: &str) {
            assert_eq!(span(minutes).replace('\u{a0}', " "), expected, "{minutes}");
        }
        check(0, "0 min");
        check(59, "59 min");
        check(65, "1 h 05 min");
        check(4_560, "3 d 4 h");
    }

    #[test]
    fn a_value_with_a_brace_stays_what_it_is() {
        let words = Words::of(Language::English);
        assert_eq!(words.say("inputs", &[("run", "{run}")]).unwrap(), "Inputs of {run}");
        assert_eq!(words.say("inputs", &[]), None);
        assert_eq!(words.say("no such text", &[]), None);
    }
}
