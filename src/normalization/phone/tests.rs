//! Numbers as people and programs write them.

use super::*;
use crate::model::spreadsheet::is_e164;
use crate::rules::tables::shipped;
use proptest::prelude::*;

#[track_caller]
fn check(raw: &str, country: &str, expected: Option<(&str, &str)>) {
    let found = parse(raw, country, shipped());
    let seen = found.as_ref().ok().map(|phone| (phone.e164.as_str(), phone.kind));
    assert_eq!(seen, expected, "{raw:?} in {country}: {found:?}");
}

#[track_caller]
fn check_fault(raw: &str, expected: &PhoneFault) {
    assert_eq!(parse(raw, "PL", shipped()).as_ref(), Err(expected), "{raw:?}");
}

#[test]
fn the_calling_codes_are_those_of_the_library() {
    for (country, code) in CALLING_CODES {
        assert_eq!(code_by_library(country).as_deref(), Some(*code), "{country}");
    }
}

/// Rows whose answer is that of Google's libphonenumber 9.0.43.
#[test]
fn plain_spellings_agree_with_the_oracle() {
    for raw in [
        "+48 600 123 456",
        "+48600123456",
        "0048600123456",
        "48600123456",
        "48 600 123 456",
        "600123456",
        "600-123-456",
        "600 123 456",
        "(+48) 600 123 456",
        "tel. 600 123 456",
        "'+48600123456",
        "=\"600123456\"",
        "p:+48600123456",
        "\"+48600123456\"",
        "＋48 600 123 456",
        "６００１２３４５６",
        "#600123456",
    ] {
        check(raw, "PL", Some(("+48600123456", "mobile")));
    }
    check("22 123 45 67", "PL", Some(("+48221234567", "fixed")));
    check("(22) 123-45-67", "PL", Some(("+48221234567", "fixed")));
    check("48 362 12 34", "PL", Some(("+48483621234", "fixed")));
    check("+447400123456", "PL", Some(("+447400123456", "mobile")));
    check("801 123 456", "PL", Some(("+48801123456", "shared-cost")));
    for raw in ["+4860012345", "112"] {
        check(raw, "PL", None);
    }
}

/// Rows where the library alone would be wrong.
#[test]
fn habits_and_spreadsheets_are_repaired_first() {
    for raw in [
        "+48(0)22 123 45 67",
        "0-22 123 45 67",
        "022 1234567",
        "+48 022 123 45 67",
        "(0-22) 123 45 67",
    ] {
        check(raw, "PL", Some(("+48221234567", "fixed")));
    }
    check("12 345 67 89 wew. 12", "PL", Some(("+48123456789", "fixed")));
    check("22 123-45-67 w. 12", "PL", Some(("+48221234567", "fixed")));
    check("0048 22 123-45-67 w. 12", "PL", Some(("+48221234567", "fixed")));
    check("600123456/601123457", "PL", Some(("+48600123456", "mobile")));
    check("600 123 456 lub 601 123 457", "PL", Some(("+48600123456", "mobile")));
    check("600123456/57", "PL", Some(("+48600123456", "mobile")));
    check("48600123456.0", "PL", Some(("+48600123456", "mobile")));
    check("\u{202a}+48 600 123 456\u{202c}", "PL", Some(("+48600123456", "mobile")));
    check("+48 600 123 456 (po 16)", "PL", Some(("+48600123456", "mobile")));
    check("030 1234567 ab 16 Uhr", "DE", Some(("+49301234567", "fixed")));
    check("600123456 w godz. 9-17", "PL", Some(("+48600123456", "mobile")));
    check("+48 +48 600 123 456", "PL", Some(("+48600123456", "mobile")));
    check("+48 48600123456", "PL", Some(("+48600123456", "mobile")));
    check("+600 123 456", "PL", Some(("+48600123456", "mobile")));
    check("48 600 123 456,0", "PL", Some(("+48600123456", "mobile")));
    check("48 48 362 12 34", "PL", Some(("+48483621234", "fixed")));
    check("600123456 (Anna)", "PL", Some(("+48600123456", "mobile")));
    check("447400123456", "PL", Some(("+447400123456", "mobile")));
    check("p:07400123456", "GB", Some(("+447400123456", "mobile")));
    check("030/1234567", "DE", Some(("+49301234567", "fixed")));
    check("+49 (0)30 1234567", "DE", Some(("+49301234567", "fixed")));
    check(
        "(Security Alert: Suspicious content is detected. See https://contactform7.com/heads-up-about-spreadsheet-vulnerabilities for details.) +48600123456",
        "PL",
        Some(("+48600123456", "mobile")),
    );
}

#[test]
fn a_number_that_is_none_says_why() {
    for raw in ["4,86001E+10", "4.86E+10", "4,86001e10"] {
        check_fault(raw, &PhoneFault::Unrecoverable);
    }
    for raw in ["brak", "nie podam", "-", "p:", "", "n/a"] {
        check_fault(raw, &PhoneFault::Blank);
    }
    for raw in
        ["123456789", "000000000", "111111111", "+48 123 456 789", "48123456789", "600000000"]
    {
        check_fault(raw, &PhoneFault::Placeholder);
    }
    check_fault("zadzwoń", &PhoneFault::Invalid("there are no digits in it".to_owned()));
}

#[track_caller]
fn check_rest(raw: &str, country: &str, extension: &str, others: &[&str], codes: &[&str]) {
    let phone = parse(raw, country, shipped()).unwrap();
    let found: Vec<&str> = phone.remarks.iter().map(|remark| remark.code).collect();
    let others: Vec<String> = others.iter().map(|&other| other.to_owned()).collect();
    assert_eq!((&*phone.extension, phone.others, found), (extension, others, codes.to_vec()));
}

#[test]
fn hours_behind_a_number_are_no_digits_of_it() {
    for raw in ["600 123 455 8-16", "600123455 (8:00-16:00)", "600 123 455 9–17"] {
        check_rest(raw, "PL", "", &[], &["phone-repaired"]);
        check(raw, "PL", Some(("+48600123455", "mobile")));
    }
    check("22 123 45 67", "PL", Some(("+48221234567", "fixed")));
    check("+49 30 123456-12", "DE", Some(("+493012345612", "fixed")));
}

#[test]
fn a_polish_number_stays_one_whatever_the_country_says() {
    check("48600123455", "DE", Some(("+48600123455", "mobile")));
    check("48 22 123 45 67", "DE", Some(("+48221234567", "fixed")));
    check("0151 23456789", "DE", Some(("+4915123456789", "mobile")));
}

#[test]
fn what_else_the_cell_holds_is_kept() {
    let both = ["+48601123457"];
    let said = ["phone-second"];
    check_rest("600123456/601123457", "PL", "", &both, &said);
    // The second number is dialled where the first one is at home.
    check_rest("+49 151 23456789 oder 030 1234567", "PL", "", &["+49301234567"], &said);
    check_rest("+48 600 123 456 oder 030 1234567", "PL", "", &[], &said);
    for joined in [" lub ", " albo ", " or ", " oder ", " a ", " i ", " ", "\n", ".", "; ", " | "] {
        check_rest(&format!("600123456{joined}601123457"), "PL", "", &both, &said);
    }
    check_rest("1) 600123456 2) 601123457", "PL", "", &both, &said);
    check_rest("nr 1: 600123456, nr 2: 601123457", "PL", "", &both, &said);
    check_rest("22 123 45 67-69", "PL", "", &[], &said);
    check_rest("600 123 456 lub 601 123 457", "PL", "", &both, &said);
    check_rest("+48600123456+48601123457", "PL", "", &both, &said);
    check_rest("600123456, 600-123-456", "PL", "", &[], &[]);
    check_rest("600123456; 601123457, 600123456", "PL", "", &both, &said);
    check_rest("600123456/57", "PL", "", &[], &said);
    let cut = ["phone-extension-cut"];
    check_rest("12 345 67 89 wew. 12", "PL", "12", &[], &cut);
    check_rest("12 345 67 89 nr wew. 12", "PL", "12", &[], &cut);
    check_rest("+48123456780;ext=12", "PL", "12", &[], &cut);
    check_rest("22 123-45-67 w.12", "PL", "12", &[], &cut);
    check_rest("22 123 45 67 #12", "PL", "12", &[], &cut);
    check_rest("030 1234567 Durchwahl: 12", "DE", "12", &[], &cut);
    check_rest("22 123 45 67 int. 12", "PL", "12", &[], &cut);
    let other = ["phone-second", "phone-extension-cut"];
    check_rest("600-123-456 / 22 123 45 67 w. 5", "PL", "", &["+48221234567"], &other);
    check_rest("600123456 w godz. 9-17", "PL", "", &[], &["phone-repaired"]);
}

#[test]
fn a_fax_takes_no_calls() {
    for raw in ["fax 22 123 45 67", "faks: 22 123 45 67", "22 123 45 67 (fax)", "f. 22 123 45 67"] {
        check_fault(raw, &PhoneFault::Invalid("it is a fax number".to_owned()));
    }
    for raw in ["tel./fax 22 123 45 67", "tel/faks: 22 123-45-67", "fax/tel. 22 123 45 67"] {
        check(raw, "PL", Some(("+48221234567", "fixed")));
        check_rest(raw, "PL", "", &[], &[]);
    }
    for raw in [
        "600 123 456, fax 22 123 45 67",
        "Fax: 22 123 45 67, kom. 600 123 456",
        "T: 600 123 456, F: 22 123 45 67",
        "600-123-456, 22-1234567 (fax)",
        "Fax nr 22 123 45 67; 600 123 456",
    ] {
        check(raw, "PL", Some(("+48600123456", "mobile")));
        check_rest(raw, "PL", "", &[], &["phone-second"]);
    }
    check_rest("Tel.: 030 1234567 / Fax: 030 1234568", "DE", "", &[], &["phone-second"]);
}

#[test]
fn slips_of_the_hand_are_repaired_and_said() {
    for raw in ["6oo 123 456", "600l23456", "6OO-I23-456"] {
        check_rest(raw, "PL", "", &[], &["phone-repaired"]);
        check(raw, "PL", Some(("+48600123456", "mobile")));
    }
    // Nobody dials a national number in Germany without its nought.
    check("49151 23456789", "DE", Some(("+4915123456789", "mobile")));
    check("0049 151 23456789", "DE", Some(("+4915123456789", "mobile")));
    check("0491 5123456", "DE", Some(("+494915123456", "fixed")));
    check("dzwonić po 17 600 123 456", "PL", Some(("+48600123456", "mobile")));
    check("od 22 123 45 67", "PL", Some(("+48221234567", "fixed")));
    check("600/123/456", "PL", Some(("+48600123456", "mobile")));
    check("1. 600123456", "PL", Some(("+48600123456", "mobile")));
    // What stands in an address is no number.
    check("anna600123457@przyklad.pl", "PL", None);
    check("anna1@przyklad.pl 600123456", "PL", Some(("+48600123456", "mobile")));
    check("600123456601123457", "PL", None);
}

/// Commas between groups of figures part no numbers, for none of the groups is one.
#[test]
fn groups_too_short_for_numbers_are_one() {
    check("602,100,300", "PL", Some(("+48602100300", "mobile")));
    check("602 100,300", "PL", Some(("+48602100300", "mobile")));
    check("+48 602; 100; 300", "PL", Some(("+48602100300", "mobile")));
    check("12,13", "PL", None);
    // What hours would leave too little of a number is part of it.
    check("600 123 8-16", "PL", Some(("+48600123816", "mobile")));
    // A nought dialled twice over, and letters for figures only beside figures.
    check("+0048 600 123 456", "PL", Some(("+48600123456", "mobile")));
    check("600 12 34 O", "PL", None);
    check("600 123 456 O", "PL", Some(("+48600123456", "mobile")));
    // Only where national numbers have a nought in front is a bare country code one.
    check("4930123456", "DE", Some(("+4930123456", "fixed")));
}

/// What a cell holds besides its number is said, whatever sign parts it.
#[test]
fn figures_that_are_left_out_are_said() {
    for (raw, left_out) in [
        ("22 620 10 20/21/22", "21, 22"),
        ("602 100 300, 12", "12"),
        ("602 100 300; 301", "301"),
        ("22/620 10 20, 12", "12"),
    ] {
        let phone = parse(raw, "PL", shipped()).unwrap();
        let said: Vec<&str> = phone.remarks.iter().map(|remark| remark.message.as_str()).collect();
        assert_eq!(said, [format!("`{left_out}` after the number was left out")], "{raw}");
    }
    // Stuttgart has numbers of six figures.
    check_rest("0711/123456", "DE", "", &[], &[]);
    check_rest("0711/123456 und 0711/123457", "DE", "", &["+49711123457"], &["phone-second"]);
}

#[test]
fn the_region_is_that_of_the_number() {
    let phone = parse("+49 30 1234567", "PL", shipped()).unwrap();
    assert_eq!(phone.region.as_deref(), Some("DE"));
}

proptest! {
    #[test]
    fn any_text_is_judged_without_a_panic(raw in "\\PC{0,30}", digits in "[0-9+() /.,;extwż-]{0,25}") {
        let _ = parse(&raw, "PL", shipped());
        for country in ["PL", "DE", "US", "??"] {
            if let Ok(phone) = parse(&digits, country, shipped()) {
                prop_assert!(is_e164(&phone.e164), "{}", phone.e164);
                prop_assert!(crate::model::field::PHONE_TYPES.contains(&phone.kind));
                let again = parse(&phone.e164, country, shipped()).map(|again| again.e164);
                // A number with an extension may look made up without it.
                if again != Err(PhoneFault::Placeholder) {
                    prop_assert_eq!(again, Ok(phone.e164));
                }
            }
        }
    }
}
