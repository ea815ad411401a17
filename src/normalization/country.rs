//! Countries by name or code, in English, Polish and German.

use super::text::tidy;
use crate::rules::field::fold_header;
use crate::rules::tables::Tables;

/// Returns the ISO 3166-1 alpha-2 code of the country that `raw` names.
pub fn parse(raw: &str, tables: &Tables) -> Option<String> {
    let text = tidy(raw);
    let words = fold_header(&text);
    if let Some(code) = tables.country(&words) {
        return Some(code.to_owned());
    }
    // `Poland (PL)`, `PL - Polska` and `Kraków, Polska` name the country in one of their parts.
    let named = text.split(['(', ')', ',', ';', '/', '-', '–']).rev();
    let from_part = named
        .map(fold_header)
        .filter(|part| !part.is_empty())
        .find_map(|part| tables.country(&part).map(str::to_owned));
    from_part.or_else(|| {
        // A code that the table has no name for is still a code when written in capitals.
        let is_code = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase());
        (is_code && text != "XX" && text != "ZZ").then(|| text.into_owned())
    })
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
        check("Czechy", Some("CZ"));
        check("LK", Some("LK"));
        check("Kraków", None);
        check("", None);
    }
}
