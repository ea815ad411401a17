//! Which characters the bytes of a file stand for.
//!
//! Delimiters, quotes and line ends are the same bytes in every encoding but UTF-16, so a file is cut
//! into records first and decoded record by record. That way a file which is UTF-8 except for
//! some lines keeps both kinds of lines intact. UTF-16 is turned into UTF-8 on the way in.

use std::borrow::Cow;

use encoding_rs::{ISO_8859_2, WINDOWS_1250, WINDOWS_1252};

/// A character set that intake tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Charset {
    Utf8,
    Utf16Le,
    Utf16Be,
    Windows1250,
    Iso8859Two,
    Windows1252,
}

impl Charset {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16Le => "UTF-16LE",
            Self::Utf16Be => "UTF-16BE",
            Self::Windows1250 => "windows-1250",
            Self::Iso8859Two => "ISO-8859-2",
            Self::Windows1252 => "windows-1252",
        }
    }

    pub(super) fn is_utf16(self) -> bool {
        matches!(self, Self::Utf16Le | Self::Utf16Be)
    }

    /// Returns `bytes` as text, or nothing where that would have to guess.
    pub(super) fn decode(self, bytes: &[u8]) -> Option<Cow<'_, str>> {
        if let Ok(text) = std::str::from_utf8(bytes) {
            return Some(Cow::Borrowed(text));
        }
        match self {
            Self::Utf8 if is_polish_windows(bytes) => Some(decode_with(WINDOWS_1250, bytes)),
            Self::Utf8 | Self::Utf16Le | Self::Utf16Be => None,
            Self::Windows1250 => Some(decode_with(WINDOWS_1250, bytes)),
            Self::Iso8859Two => Some(decode_with(ISO_8859_2, bytes)),
            Self::Windows1252 => Some(decode_with(WINDOWS_1252, bytes)),
        }
    }
}

fn decode_with<'a>(encoding: &'static encoding_rs::Encoding, bytes: &'a [u8]) -> Cow<'a, str> {
    encoding.decode_without_bom_handling(bytes).0
}

// Polish letters of windows-1250; ISO 8859-2 has the first six elsewhere and shares the others.
const WINDOWS_ONLY: &[u8] = &[0xB9, 0x9C, 0x9F, 0xA5, 0x8C, 0x8F];
const ISO_ONLY: &[u8] = &[0xB1, 0xB6, 0xBC, 0xA1, 0xA6, 0xAC];
const SHARED: &[u8] = &[0xE6, 0xEA, 0xB3, 0xF1, 0xF3, 0xBF, 0xC6, 0xCA, 0xA3, 0xD1, 0xD3, 0xAF];
/// Typographic signs and German letters, where windows-1250 and windows-1252 agree.
const NEUTRAL: &[u8] = &[
    0x80, 0x82, 0x84, 0x85, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0xA0, 0xA7, 0xAB, 0xB0, 0xBB,
    0xC4, 0xD6, 0xDC, 0xDF, 0xE4, 0xE9, 0xF6, 0xFC,
];
/// Letters that French, Italian, Portuguese and Nordic texts use and Polish ones do not.
const WESTERN: &[u8] =
    &[0xE0, 0xE3, 0xE5, 0xE8, 0xEC, 0xF2, 0xF5, 0xF8, 0xF9, 0xC0, 0xC5, 0xC8, 0xD8];

fn is_polish_windows(bytes: &[u8]) -> bool {
    let known = |byte: &u8| {
        byte.is_ascii()
            || WINDOWS_ONLY.contains(byte)
            || SHARED.contains(byte)
            || NEUTRAL.contains(byte)
    };
    bytes.iter().all(known)
}

/// Counts what a stream holds, so that its character set can be told at its end.
#[derive(Debug, Clone)]
pub(super) struct CharsetCounts {
    utf8: Utf8State,
    line_is_broken: bool,
    line_has_multibyte: bool,
    line_high: Vec<u8>,
    /// How often each byte from 0x80 on stands in lines that are not UTF-8.
    high: [u64; 128],
    broken_lines: u64,
    multibyte_lines: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Utf8State {
    Start,
    /// Continuation bytes to come, and the bounds of the next one.
    Inside(u8, u8, u8),
}

impl Default for CharsetCounts {
    fn default() -> Self {
        Self {
            utf8: Utf8State::Start,
            line_is_broken: false,
            line_has_multibyte: false,
            line_high: Vec::new(),
            high: [0; 128],
            broken_lines: 0,
            multibyte_lines: 0,
        }
    }
}

impl CharsetCounts {
    pub(super) fn feed(&mut self, chunk: &[u8]) {
        let settled = self.utf8 == Utf8State::Start && self.line_high.is_empty();
        if settled && !self.line_is_broken && chunk.is_ascii() {
            return;
        }
        for &byte in chunk {
            self.feed_byte(byte);
        }
    }

    fn feed_byte(&mut self, byte: u8) {
        // A line of many megabytes must not be remembered whole; its first part is evidence enough.
        if byte >= 0x80 && self.line_high.len() < 65_536 {
            self.line_high.push(byte);
        }
        self.utf8 = match (self.utf8, byte) {
            (Utf8State::Inside(left, low, high), byte) if (low..=high).contains(&byte) => {
                if left == 1 {
                    self.line_has_multibyte = true;
                    Utf8State::Start
                } else {
                    Utf8State::Inside(left - 1, 0x80, 0xBF)
                }
            }
            (state, byte) => {
                self.line_is_broken |= state != Utf8State::Start;
                self.lead(byte)
            }
        };
        if byte == b'\n' || byte == b'\r' {
            self.end_line();
        }
    }

    fn lead(&mut self, byte: u8) -> Utf8State {
        match byte {
            0x00..=0x7F => Utf8State::Start,
            0xC2..=0xDF => Utf8State::Inside(1, 0x80, 0xBF),
            0xE0 => Utf8State::Inside(2, 0xA0, 0xBF),
            0xED => Utf8State::Inside(2, 0x80, 0x9F),
            0xE1..=0xEF => Utf8State::Inside(2, 0x80, 0xBF),
            0xF0 => Utf8State::Inside(3, 0x90, 0xBF),
            0xF1..=0xF3 => Utf8State::Inside(3, 0x80, 0xBF),
            0xF4 => Utf8State::Inside(3, 0x80, 0x8F),
            _ => {
                self.line_is_broken = true;
                Utf8State::Start
            }
        }
    }

    fn end_line(&mut self) {
        if self.line_is_broken {
            self.broken_lines += 1;
            for byte in &self.line_high {
                self.high[usize::from(byte & 0x7F)] += 1;
            }
        } else if self.line_has_multibyte {
            self.multibyte_lines += 1;
        }
        self.line_is_broken = false;
        self.line_has_multibyte = false;
        self.line_high.clear();
    }

    /// Returns the character set of what was fed, and whether the stream ends inside a UTF-8 character.
    pub(super) fn finish(mut self) -> (Charset, bool) {
        let ends_inside = self.utf8 != Utf8State::Start;
        // With no whole UTF-8 character before it, the last byte is a letter of a legacy encoding.
        if ends_inside && self.multibyte_lines == 0 && !self.line_has_multibyte {
            self.line_is_broken = true;
        }
        self.end_line();
        let charset = self.judge();
        (charset, ends_inside && charset == Charset::Utf8)
    }

    fn judge(&self) -> Charset {
        if self.broken_lines == 0 || self.multibyte_lines > self.broken_lines {
            return Charset::Utf8;
        }
        let sum = |bytes: &[u8]| -> u64 {
            bytes.iter().map(|byte| self.high[usize::from(byte & 0x7F)]).sum()
        };
        let (windows, iso) = (sum(WINDOWS_ONLY), sum(ISO_ONLY));
        let (shared, western) = (sum(SHARED), sum(WESTERN));
        let below_a0: u64 = self.high[..0x20].iter().sum();
        if iso > windows && below_a0 == 0 && iso + shared > western {
            Charset::Iso8859Two
        } else if western > windows + shared {
            Charset::Windows1252
        } else {
            Charset::Windows1250
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], expected: Charset) {
        let mut counts = CharsetCounts::default();
        for chunk in bytes.chunks(3) {
            counts.feed(chunk);
        }
        assert_eq!(counts.finish(), (expected, false));
    }

    fn encoded(text: &str, encoding: &'static encoding_rs::Encoding) -> Vec<u8> {
        encoding.encode(text).0.into_owned()
    }

    #[test]
    fn encodings_are_told_apart_by_their_letters() {
        let polish = "Imię;Usługa\nAnna Łęcka;źródło światła, żółć\n";
        check(polish.as_bytes(), Charset::Utf8);
        check(&encoded(polish, WINDOWS_1250), Charset::Windows1250);
        check(&encoded(polish, ISO_8859_2), Charset::Iso8859Two);
        check(&encoded("Nom\nHélène à Orléans, forêt\n", WINDOWS_1252), Charset::Windows1252);
        check(&encoded("Größe\nMüller\n", WINDOWS_1252), Charset::Windows1250);
        check(b"plain\n", Charset::Utf8);
    }

    #[test]
    fn one_foreign_line_does_not_change_a_file() {
        let mut bytes = "Łódź\nŻary\n".as_bytes().to_vec();
        bytes.extend(encoded("Łęcka\n", WINDOWS_1250));
        check(&bytes, Charset::Utf8);
        assert_eq!(Charset::Utf8.decode(&encoded("Łęcka", WINDOWS_1250)).as_deref(), Some("Łęcka"));
        assert_eq!(Charset::Utf8.decode(b"37\xFE36"), None);
    }

    #[test]
    fn a_file_that_ends_inside_a_character_is_cut() {
        let mut counts = CharsetCounts::default();
        counts.feed("Łódź\nŻ".as_bytes());
        counts.feed(&"ł".as_bytes()[..1]);
        assert_eq!(counts.finish(), (Charset::Utf8, true));
        check(&encoded("Zgoda\nimię", WINDOWS_1250), Charset::Windows1250);
    }
}
