//! Asks libphonenumber what a number is, and knows the plain ones that it need not be asked about.

use std::ops::RangeInclusive;
use std::sync::LazyLock;

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, PhoneNumberType, Region};

use super::phone::{CELL_CHARS_MAX, NUMBER_DIGITS_MIN, Phone};
use crate::model::spreadsheet::is_e164;

/// Most digits of a number with its country code (ITU-T E.164).
const DIGITS_MAX: usize = 15;

/// Numbers that their beginning and length alone tell what they are.
struct Plain {
    /// Country calling code.
    code: &'static str,
    home: &'static str,
    /// What stands before a number dialled at home.
    trunk: &'static str,
    /// Digits without code and trunk.
    digits: RangeInclusive<usize>,
    kind: &'static str,
    beginnings: &'static [&'static str],
}

/// The plain numbers of the countries that most leads come from, so that the library need not be asked; a test
/// compares them with what it says. Ranges that have exceptions (Jersey's among the British) are left to it.
const PLAIN: &[Plain] = &[
    Plain {
        code: "48",
        home: "PL",
        trunk: "",
        digits: 9..=9,
        kind: "mobile",
        beginnings: &["45", "50", "51", "53", "57", "60", "66", "69", "72", "73", "78", "79", "88"],
    },
    Plain {
        code: "48",
        home: "PL",
        trunk: "",
        digits: 9..=9,
        kind: "fixed",
        beginnings: &[
            "12", "13", "14", "15", "16", "17", "18", "22", "23", "24", "25", "29", "32", "33",
            "34", "41", "42", "43", "44", "46", "48", "52", "54", "55", "56", "58", "59", "61",
            "62", "63", "65", "67", "68", "71", "74", "75", "76", "77", "81", "82", "83", "84",
            "85", "86", "87", "89", "91", "94", "95",
        ],
    },
    Plain {
        code: "49",
        home: "DE",
        trunk: "0",
        digits: 10..=11,
        kind: "mobile",
        beginnings: &[
            "160", "162", "163", "170", "171", "172", "173", "174", "175", "176", "177", "178",
            "179",
        ],
    },
    Plain {
        code: "44",
        home: "GB",
        trunk: "0",
        digits: 10..=10,
        kind: "mobile",
        beginnings: &[
            "71", "72", "73", "740", "741", "742", "743", "744", "746", "747", "748", "749", "751",
            "753", "754", "755", "756", "757", "758", "759", "771", "772", "773", "774", "775",
            "776", "777", "780", "781", "784", "785", "786", "787", "788", "789", "790", "794",
            "795", "796",
        ],
    },
];

impl Plain {
    /// Returns `number` as one of these, when it is one.
    fn read(&self, number: &str, country: &str) -> Option<Phone> {
        let national = match number.strip_prefix('+') {
            Some(international) => international.strip_prefix(self.code)?,
            None => number.strip_prefix(self.trunk).filter(|_| country == self.home)?,
        };
        let is_one = self.digits.contains(&national.len())
            && self.beginnings.iter().any(|beginning| national.starts_with(beginning))
            && national.bytes().all(|byte| byte.is_ascii_digit());
        is_one.then(|| Phone {
            e164: ["+", self.code, national].concat(),
            kind: self.kind,
            region: Some(self.home.to_owned()),
            extension: String::new(),
            others: Vec::new(),
            remarks: Vec::new(),
        })
    }
}

/// Returns whether the cell is one number and nothing else: figures with blanks or with dashes and brackets
/// between them.
pub(super) fn is_one_number(raw: &str) -> bool {
    let (mut digits, mut blanks, mut dashes) = (0, 0, 0);
    for (at, byte) in raw.bytes().enumerate() {
        match byte {
            b'0'..=b'9' => digits += 1,
            b' ' => blanks += 1,
            b'-' => dashes += 1,
            b'(' | b')' => {}
            b'+' if digits == 0 && at <= 1 => {}
            _ => return false,
        }
    }
    // `600 123 455 8-16` may end with hours, and `1) 600 123 455` begin with the number of a list.
    let may_have_hours = blanks > 0 && dashes > 0;
    let may_be_list = raw.contains(')') && !raw.contains('(');
    (NUMBER_DIGITS_MIN..=DIGITS_MAX).contains(&digits)
        && !may_have_hours
        && !may_be_list
        && raw.len() <= CELL_CHARS_MAX
        && !raw.starts_with("++")
}

/// Returns what `number` is as dialled in `country`; nothing when it is no valid number.
pub(super) fn ask_library(number: &str, country: &str) -> Option<Phone> {
    plain_number(number, country).or_else(|| judged_by_library(number, country))
}

/// Returns `number` when it is a plain one that the library need not be asked about.
fn plain_number(number: &str, country: &str) -> Option<Phone> {
    PLAIN.iter().find_map(|plain| plain.read(number, country))
}

fn judged_by_library(number: &str, country: &str) -> Option<Phone> {
    static UTIL: LazyLock<&rlibphonenumber::PhoneNumberUtil> = LazyLock::new(|| &PHONE_NUMBER_UTIL);
    let region = Region::from_code(country).ok();
    let parsed = UTIL.parse(number, region).ok()?;
    let e164 = UTIL.format(&parsed, PhoneNumberFormat::E164).into_owned();
    // A number that has a type is valid: the library finds that out by looking for its type.
    let kind = UTIL.get_number_type(&parsed);
    let is_valid = kind != PhoneNumberType::Unknown || UTIL.is_valid_number(&parsed);
    // The library has service numbers of four digits; nobody is called back there.
    if !is_valid || !is_e164(&e164) {
        return None;
    }
    let kind = match kind {
        PhoneNumberType::Mobile => "mobile",
        PhoneNumberType::FixedLine => "fixed",
        PhoneNumberType::VoIP => "voip",
        PhoneNumberType::PremiumRate => "premium",
        PhoneNumberType::TollFree => "toll-free",
        PhoneNumberType::FixedLineOrMobile => "fixed-or-mobile",
        PhoneNumberType::SharedCost => "shared-cost",
        PhoneNumberType::PersonalNumber => "personal",
        PhoneNumberType::Pager => "pager",
        PhoneNumberType::UAN => "universal-access",
        PhoneNumberType::VoiceMail => "voicemail",
        PhoneNumberType::Unknown => "unknown",
    };
    let region =
        UTIL.get_region_for_number(&parsed).map(|region| region.as_region_str().to_string());
    Some(Phone {
        e164,
        kind,
        region: region.filter(|code| code != "001"),
        extension: String::new(),
        others: Vec::new(),
        remarks: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::phone::{parse, parse_with_care};
    use super::*;
    use crate::rules::tables::shipped;

    proptest! {
        #[test]
        fn plain_numbers_are_what_the_library_says(
            number in "(\\+48|\\+44|\\+49|\\+|0|00|)([1-9][0-9]{8,9}|1[5-7][0-9]{8,9}|7[0-9]{9})",
            country in "PL|DE|GB|US",
        ) {
            let found = plain_number(&number, &country);
            if found.is_some() {
                prop_assert_eq!(found, judged_by_library(&number, &country));
            }
        }

        #[test]
        fn a_plain_cell_says_what_it_says_with_care(
            raw in "([1-5][)] )?[ (]?[+]?[(]?(48|0|00|49|)[ )-]{0,2}([0-9]{1,4}[ ()-]{0,2}){2,5}|[+( 0-9)-]{7,16}",
            country in "PL|DE|AT|GB|US",
        ) {
            prop_assert_eq!(
                parse(&raw, &country, shipped()),
                parse_with_care(&raw, &country, shipped())
            );
        }

        #[test]
        fn a_number_with_a_type_is_valid(
            number in "\\+(1|44|48|49|33|7|39)[0-9]{6,12}|[0-9]{5,12}",
            country in "PL|DE|US|GB|IT",
        ) {
            let region = Region::from_code(&country).ok();
            if let Ok(parsed) = PHONE_NUMBER_UTIL.parse(&number, region) {
                let has_type = PHONE_NUMBER_UTIL.get_number_type(&parsed) != PhoneNumberType::Unknown;
                prop_assert!(!has_type || PHONE_NUMBER_UTIL.is_valid_number(&parsed));
            }
        }
    }
}
