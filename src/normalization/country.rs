//! Countries and their regions by name or code, in English, Polish and German.

use super::text::tidy;
use crate::rules::field::fold_header;
use crate::rules::tables::{Region, Tables};

/// Returns the ISO 3166-1 alpha-2 code of the country that `raw` names.
pub fn parse(raw: &str, tables: &Tables) -> Option<String> {
    let text = tidy(raw);
    let words = fold_header(&text);
    if let Some(code) = tables.country(&words) {
        return Some(code.to_owned());
    }
    // A flag beside the name; alone it is a name of its own.
    let text = text.replace(|c| ('\u{1f1e6}'..='\u{1f1ff}').contains(&c), "");
    // `Poland (PL)`, `PL - Polska` and `Kraków, Polska` name the country in one of their parts; a part that is a
    // state of the United States, too, is none beside a country.
    let parts = text.split(['(', ')', ',', ';', '/', '-', '–', '_', '|']).map(fold_header);
    let mut named: Vec<&str> = parts.filter_map(|part| tables.country(&part)).collect();
    if named.contains(&"US") {
        named.retain(|code| *code != "GE");
    }
    let last = *named.last()?;
    // A language opens `en_GB`; of two countries nobody knows which was meant.
    let is_one = named.iter().all(|code| *code == last) || text.contains('_');
    is_one.then(|| last.to_owned())
}

/// Returns the code of the country whose name is a slip away from `raw`: one letter, or two in long names.
pub fn suggest(raw: &str, tables: &Tables) -> Option<String> {
    let words = fold_header(&tidy(raw));
    if words.len() < 5 {
        return None;
    }
    let slips_max = if words.len() < 8 { 1 } else { 2 };
    let near = tables
        .country_names()
        .filter(|(name, _)| name.len() >= 5 && name.len().abs_diff(words.len()) <= slips_max)
        .map(|(name, code)| (strsim::osa_distance(name, &words), code))
        .filter(|(slips, _)| *slips <= slips_max)
        .min()?;
    Some(near.1.to_owned())
}

/// Returns the region that `raw` names in `country`, or in any country when none is known.
///
/// A name that two countries share is no region unless the country is known.
pub fn region<'a>(raw: &str, country: Option<&str>, tables: &'a Tables) -> Option<&'a Region> {
    let text = tidy(raw);
    let folded = fold_header(&text);
    let bare = without_words(&folded, REGION_WORDS);
    // `Kraków, małopolskie` and `małopolskie (PL)` name the region in one of their parts.
    let parts = text.split(['(', ')', ',', ';', '/']).map(fold_header).collect::<Vec<_>>();
    let named = parts.iter().rev().map(|part| without_words(part, REGION_WORDS));
    std::iter::once(bare)
        .chain(named)
        .filter(|name| !name.is_empty())
        .find_map(|name| tables.region(&name, country))
}

/// What stands beside a region's name and says no more than that it is one, folded.
const REGION_WORDS: &[&str] = &[
    "wojewodztwo",
    "woj",
    "voivodeship",
    "province",
    "region",
    "bundesland",
    "land",
    "state",
    "of",
];

fn without_words(folded: &str, words: &[&str]) -> String {
    folded.split(' ').filter(|word| !words.contains(word)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::tables::shipped;

    #[track_caller]
    fn check(raw: &str, expected: Option<&str>) {
        assert_eq!(parse(raw, shipped()).as_deref(), expected, "{raw:?}");
    }

    #[test]
    fn a_short_name_is_suggested_for_one_slip_a_long_one_for_two() {
        let check = |raw: &str, expected: Option<&str>| {
            assert_eq!(suggest(raw, shipped()).as_deref(), expected, "{raw:?}");
        };
        check("Polnad", Some("PL"));
        check("Polamt", None);
        check("Deutchlamd", Some("DE"));
        check("Pola", None);
    }

    #[test]
    fn a_country_is_known_by_its_names_and_codes() {
        check("Poland", Some("PL"));
        check("polska", Some("PL"));
        check("PL", Some("PL"));
        check("pl", Some("PL"));
        check("POL", Some("PL"));
        check("Österreich", Some("AT"));
        check("Deutschland", Some("DE"));
        check("U.S.A.", Some("US"));
        check("UK", Some("GB"));
        check("Poland (PL)", Some("PL"));
        check("Polska 🇵🇱", Some("PL"));
        check("Czechy", Some("CZ"));
        check("LK", Some("LK"));
        check("LKA", Some("LK"));
        check("Sri Lanka", Some("LK"));
        check("Wybrzeże Kości Słoniowej", Some("CI"));
        check("Elfenbeinküste", Some("CI"));
        check("Vereinigtes Königreich", Some("GB"));
        check("Kraków, Polska", Some("PL"));
        check("Georgia, USA", Some("US"));
        check("Georgia", Some("GE"));
        check("en_GB", Some("GB"));
        check("Polska, Niemcy", None);
        check("Polska/Niemcy", None);
        check("Україна", Some("UA"));
        check("Польща", Some("PL"));
        check("Republic of Ireland", Some("IE"));
        check("QQ", None);
        check("Polsak", None);
        check("Kraków", None);
        check("", None);
    }

    #[test]
    fn every_code_of_iso_3166_is_known() {
        let codes = shipped().country_names().filter(|(name, _)| name.len() == 2).count();
        // 249 codes, Kosovo, and UK, which is spoken but not assigned.
        assert!(codes >= 251, "{codes}");
        for region in ["AX", "BQ", "CW", "GG", "SS", "TL", "UM", "YT"] {
            check(region, Some(region));
        }
    }

    #[test]
    fn a_misspelt_country_is_suggested() {
        let check = |raw: &str, expected: Option<&str>| {
            assert_eq!(suggest(raw, shipped()).as_deref(), expected, "{raw:?}");
        };
        check("Polsak", Some("PL"));
        check("Polnad", Some("PL"));
        check("Niemcyy", Some("DE"));
        check("Deutchland", Some("DE"));
        check("Kraków", None);
        check("Pol", None);
    }

    #[test]
    fn a_region_has_one_name() {
        let check = |raw: &str, country: Option<&str>, expected: Option<(&str, &str)>| {
            let found = region(raw, country, shipped());
            let seen = found.map(|region| (region.country.as_str(), region.name.as_str()));
            assert_eq!(seen, expected, "{raw:?} in {country:?}");
        };
        let mazowieckie = Some(("PL", "mazowieckie"));
        for raw in [
            "mazowieckie",
            "Woj. Mazowieckie",
            "województwo mazowieckie",
            "MAZOWIECKIE",
            "Masovian Voivodeship",
            "Masovia",
            "Masowien",
            "PL-14",
            "Warszawa, mazowieckie",
        ] {
            check(raw, None, mazowieckie);
        }
        check("lodzkie", None, Some(("PL", "łódzkie")));
        check("Silesia", Some("PL"), Some(("PL", "śląskie")));
        check("Bavaria", None, Some(("DE", "Bayern")));
        check("Bawaria", Some("DE"), Some(("DE", "Bayern")));
        check("Tirol", None, Some(("AT", "Tirol")));
        check("mazowieckie", Some("DE"), None);
        check("California", None, None);
    }
}
