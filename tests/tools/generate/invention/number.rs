//! Telephone numbers and the ways people type them.

use super::{person::Country, random::Random};

/// A telephone number in its parts, all of them digits.
#[derive(Clone)]
pub struct Number {
    pub country: Country,
    /// Area code of a land line or prefix of a mobile.
    pub area: String,
    pub rest: String,
}

/// How a number is typed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// `+48600000123`
    Plain,
    /// `+48 600 000 123`
    Spaced,
    /// `600 000 123`, with the trunk zero where the country has one.
    National,
    /// `600-000-123`
    Dashed,
    /// `0048600000123`
    DoubleZero,
    /// `48600000123`
    NoPlus,
    /// `600000123`
    Digits,
    /// `tel. 600 000 123`
    Labelled,
    /// `(+48) 600 000 123`
    Bracketed,
}

/// The styles in about the shares in which a web form meets them.
pub const EVERYDAY: &[Style] = &[
    Style::Plain,
    Style::Plain,
    Style::Plain,
    Style::Spaced,
    Style::Spaced,
    Style::Spaced,
    Style::National,
    Style::National,
    Style::National,
    Style::Dashed,
    Style::Dashed,
    Style::DoubleZero,
    Style::NoPlus,
    Style::Digits,
    Style::Digits,
    Style::Digits,
    Style::Labelled,
    Style::Bracketed,
];

/// Polish mobile prefixes, two digits each; the other seven digits are free.
const POLISH_MOBILE: &[&str] =
    &["50", "51", "53", "57", "60", "66", "69", "72", "73", "78", "79", "88"];
/// British mobile prefixes after the 7, two digits each; the other seven digits are free.
const BRITISH_MOBILE: &[&str] = &[
    "40", "41", "42", "43", "53", "54", "55", "56", "57", "58", "59", "71", "72", "73", "74", "75",
    "76", "77",
];
const TEN_MILLION: u64 = 10_000_000;

impl Number {
    /// Returns the mobile number of a person: different persons of one country never share one.
    pub fn mobile(country: Country, person: u64) -> Self {
        // Multiplying by a number coprime to the modulus shuffles without collisions.
        let (prefixes, country_prefix) = match country {
            Country::Poland => (POLISH_MOBILE, ""),
            Country::UnitedKingdom => (BRITISH_MOBILE, "7"),
            Country::Germany => {
                (&["170", "171", "172", "173", "174", "175", "176", "177", "178", "179"][..], "")
            }
        };
        let span = prefixes.len() as u64 * TEN_MILLION;
        let place = (u128::from(person) * 48_271_367 + 1_234_567) % u128::from(span);
        let place = place as u64;
        let prefix = prefixes[(place / TEN_MILLION) as usize];
        let digits = format!("{country_prefix}{prefix}{:07}", place % TEN_MILLION);
        let cut = match country {
            Country::UnitedKingdom => 4,
            Country::Poland | Country::Germany => 3,
        };
        Self { country, area: digits[..cut].to_owned(), rest: digits[cut..].to_owned() }
    }

    /// Returns the switchboard of a firm: different firms of one country never share one, up to five million firms.
    pub fn switchboard(country: Country, firm: u64) -> Self {
        let area = match country {
            Country::Poland => {
                ["22", "12", "42", "71", "61", "58", "91", "81", "32", "85"][(firm % 10) as usize]
            }
            Country::UnitedKingdom => "20",
            Country::Germany => ["30", "40", "89"][(firm % 3) as usize],
        };
        let rest = match country {
            Country::UnitedKingdom => format!("7{:07}", (firm * 7_654_321 + 17) % TEN_MILLION),
            Country::Poland | Country::Germany => {
                format!("{:07}", 2_000_000 + (firm * 654_321 + 17) % 5_000_000)
            }
        };
        Self { country, area: area.to_owned(), rest }
    }

    /// Returns true for a number whose area code is a town's.
    fn is_land_line(&self) -> bool {
        self.area.len() == 2
    }

    /// Returns the digits after the country code in the groups in which the country writes them.
    fn grouped(&self, gap: &str) -> String {
        let Self { area, rest, .. } = self;
        match self.country {
            Country::Poland if self.is_land_line() => {
                format!("{area}{gap}{}{gap}{}{gap}{}", &rest[..3], &rest[3..5], &rest[5..])
            }
            Country::Poland => format!("{area}{gap}{}{gap}{}", &rest[..3], &rest[3..]),
            Country::UnitedKingdom if self.is_land_line() => {
                format!("{area}{gap}{}{gap}{}", &rest[..4], &rest[4..])
            }
            Country::UnitedKingdom | Country::Germany => format!("{area}{gap}{rest}"),
        }
    }

    /// Writes the number in a style.
    pub fn written(&self, style: Style) -> String {
        let code = self.country.calling_code();
        let trunk = if self.country == Country::Poland { "" } else { "0" };
        let Self { area, rest, .. } = self;
        match style {
            Style::Plain => format!("+{code}{area}{rest}"),
            Style::Spaced => format!("+{code} {}", self.grouped(" ")),
            Style::National if self.country == Country::Poland && self.is_land_line() => {
                format!("({area}) {}-{}-{}", &rest[..3], &rest[3..5], &rest[5..])
            }
            Style::National => format!("{trunk}{}", self.grouped(" ")),
            Style::Dashed => format!("{trunk}{}", self.grouped("-")),
            Style::DoubleZero => format!("00{code}{area}{rest}"),
            Style::NoPlus => format!("{code}{area}{rest}"),
            Style::Digits => format!("{trunk}{area}{rest}"),
            Style::Labelled => format!("tel. {trunk}{}", self.grouped(" ")),
            Style::Bracketed => format!("(+{code}) {}", self.grouped(" ")),
        }
    }

    /// Writes the number as somebody types it on some day.
    pub fn typed(&self, random: &mut Random) -> String {
        self.written(*random.pick(EVERYDAY))
    }
}
