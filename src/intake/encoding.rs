//! Which characters the bytes of a file stand for.
//!
//! Delimiters, quotes and line ends are the same bytes in every encoding but UTF-16, so a file is cut
//! into records first and decoded record by record. That way a file which is UTF-8 except for
//! some lines keeps both kinds of lines intact. UTF-16 is turned into UTF-8 on the way in.

use std::borrow::Cow;

use encoding_rs::{ISO_8859_2, WINDOWS_1250, WINDOWS_1252};
use memchr::{memchr2, memrchr2};

use super::codepage::{Position, SURE, decode_cp852, decode_mac, weight, weight_at};
use super::western::HighBytes;
use crate::model::outcome::Notice;

/// A character set that intake tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Charset {
    Utf8,
    Utf16Le,
    Utf16Be,
    Windows1250,
    Iso8859Two,
    Windows1252,
    Cp852,
    MacCentralEurope,
}

/// The legacy character sets, the likelier first: of equals the first one wins.
const LEGACY: &[Charset] = &[
    Charset::Windows1250,
    Charset::Iso8859Two,
    Charset::Windows1252,
    Charset::Cp852,
    Charset::MacCentralEurope,
];
/// Those that a single line may be in by itself; the letters of the others are signs in these.
const LEGACY_OF_LINES: &[Charset] =
    &[Charset::Windows1250, Charset::Iso8859Two, Charset::Windows1252];

impl Charset {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16Le => "UTF-16LE",
            Self::Utf16Be => "UTF-16BE",
            Self::Windows1250 => "windows-1250",
            Self::Iso8859Two => "ISO-8859-2",
            Self::Windows1252 => "windows-1252",
            Self::Cp852 => "IBM852",
            Self::MacCentralEurope => "x-mac-ce",
        }
    }

    pub(super) fn is_utf16(self) -> bool {
        matches!(self, Self::Utf16Le | Self::Utf16Be)
    }

    fn is_unicode(self) -> bool {
        matches!(self, Self::Utf8 | Self::Utf16Le | Self::Utf16Be)
    }

    /// Returns `bytes` as text, or nothing where that would have to guess.
    pub(super) fn decode(self, bytes: &[u8]) -> Option<Cow<'_, str>> {
        self.of_part(bytes).map(|charset| charset.decoded(bytes))
    }

    /// Returns the character set of one record or cell of a file in this one, or nothing where that would have
    /// to guess: files that several programs appended to hold lines of different character sets.
    pub(super) fn of_part(self, bytes: &[u8]) -> Option<Self> {
        let Ok(text) = std::str::from_utf8(bytes) else {
            return if self.is_unicode() { legacy_of_line(bytes) } else { Some(self) };
        };
        if text.is_ascii() {
            return Some(if self.is_unicode() { Self::Utf8 } else { self });
        }
        if self.is_unicode() {
            return Some(if is_utf8_by_chance(text) { Self::Windows1250 } else { Self::Utf8 });
        }
        // Bytes of a legacy file can make UTF-8 by chance: `SPÓŁKA` in windows-1250 does.
        let is_utf8 = text.chars().filter(|c| !c.is_ascii()).all(|c| weight(c) >= SURE);
        Some(if is_utf8 { Self::Utf8 } else { self })
    }

    /// Returns `bytes` as text where [`Charset::of_part`] finds UTF-8 in a file of UTF-8: checked once.
    pub(super) fn sound_utf8(self, bytes: &[u8]) -> Option<&str> {
        if !self.is_unicode() {
            return None;
        }
        let text = std::str::from_utf8(bytes).ok()?;
        (text.is_ascii() || !is_utf8_by_chance(text)).then_some(text)
    }

    /// Returns what to say of a part in the character set `part` of a file in this one.
    pub(super) fn notice_of_part(self, part: Self) -> Option<Notice> {
        let is_same = part == self || (self.is_unicode() && part == Self::Utf8);
        if is_same {
            return None;
        }
        let message = format!(
            "this row is in {} and the rest of the file in {}; each was read as what it is",
            part.name(),
            self.name()
        );
        let (column, value) = (String::new(), String::new());
        Some(Notice { code: "encoding-of-row", column, value, message })
    }

    /// Returns `bytes` as text of this character set; for UTF-8 they must be valid.
    pub(super) fn decoded(self, bytes: &[u8]) -> Cow<'_, str> {
        match self {
            Self::Utf8 | Self::Utf16Le | Self::Utf16Be => String::from_utf8_lossy(bytes),
            Self::Windows1250 => WINDOWS_1250.decode_without_bom_handling(bytes).0,
            Self::Iso8859Two => ISO_8859_2.decode_without_bom_handling(bytes).0,
            Self::Windows1252 => WINDOWS_1252.decode_without_bom_handling(bytes).0,
            Self::Cp852 => decode_cp852(bytes),
            Self::MacCentralEurope => decode_mac(bytes),
        }
    }
}

/// Returns whether `text` is windows-1250 whose capital letters make UTF-8: `ÓŁ`, `ÓŻ`, `ÓŚ` and `ÓŹ` look like
/// letters of the Caucasus and Central Asia, which never stand among Latin letters alone.
fn is_utf8_by_chance(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii() || matches!(c, 'ӣ' | 'ӯ' | 'ӌ' | 'ӏ'))
}

/// What a character set has to be ahead by for each character: letters of Western Europe look like
/// passable text of code page 852 and of Macs, whose own text looks like nothing in Windows'.
fn handicap(charset: Charset) -> i32 {
    if matches!(charset, Charset::Cp852 | Charset::MacCentralEurope) { 2 } else { 0 }
}

/// The legacy character set in which every character of a line is one that people write.
fn legacy_of_line(bytes: &[u8]) -> Option<Charset> {
    let high: Vec<u8> = bytes.iter().copied().filter(|byte| !byte.is_ascii()).collect();
    let sure = |charset: &Charset| charset.decoded(&high).chars().all(|c| weight(c) >= SURE);
    best(LEGACY_OF_LINES.iter().copied().filter(sure), |charset| {
        charset.decoded(&high).chars().map(|c| i64::from(weight(c))).sum()
    })
}

/// The first of `charsets` with the highest score.
fn best(
    charsets: impl Iterator<Item = Charset>,
    score: impl Fn(Charset) -> i64,
) -> Option<Charset> {
    let scored = charsets.map(|charset| (score(charset), charset));
    scored
        .reduce(|best, next| if next.0 > best.0 { next } else { best })
        .map(|(_, charset)| charset)
}

/// Where a byte may stand: at the beginning of a word or alone, behind a small letter, and twice between two letters.
const POSITIONS: [Position; 4] = [
    Position { is_inside: false, follows_small: false },
    Position { is_inside: false, follows_small: true },
    Position { is_inside: true, follows_small: false },
    Position { is_inside: true, follows_small: true },
];

/// Counts what a stream holds, so that its character set can be told at its end.
#[derive(Debug, Clone)]
pub(super) struct CharsetCounts {
    utf8: Utf8State,
    line_is_broken: bool,
    line_has_multibyte: bool,
    /// The bytes from 0x80 on of this line, and where each stands.
    line_high: Vec<(u8, Position)>,
    previous: u8,
    line_ends: LineEnds,
    /// The last of them has a letter before it and waits for what follows.
    is_open: bool,
    /// How often each byte from 0x80 on stands where, in lines that are not UTF-8.
    high: [[u64; 128]; POSITIONS.len()],
    broken_lines: u64,
    multibyte_lines: u64,
}

/// Which line ends were met.
#[derive(Debug, Clone, Copy, Default)]
struct LineEnds {
    feeds: bool,
    returns: bool,
}

impl LineEnds {
    fn feed(&mut self, chunk: &[u8]) {
        self.feeds = self.feeds || chunk.contains(&b'\n');
        self.returns = self.returns || chunk.contains(&b'\r');
    }

    /// The Macs that had a character set of their own ended lines with a return alone.
    fn are_of_macs(self) -> bool {
        self.returns && !self.feeds
    }
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
            previous: 0,
            line_ends: LineEnds::default(),
            is_open: false,
            high: [[0; 128]; POSITIONS.len()],
            broken_lines: 0,
            multibyte_lines: 0,
        }
    }
}

impl CharsetCounts {
    pub(super) fn feed(&mut self, chunk: &[u8]) {
        self.line_ends.feed(chunk);
        let mut rest = chunk;
        while !rest.is_empty() {
            let is_settled = self.utf8 == Utf8State::Start && self.line_high.is_empty();
            if is_settled && !self.line_is_broken {
                rest = self.feed_sound_lines(rest);
            }
            let end = memchr2(b'\n', b'\r', rest).map_or(rest.len(), |at| at + 1);
            let (line, behind) = rest.split_at(end);
            for &byte in line {
                self.feed_byte(byte);
            }
            rest = behind;
        }
    }

    /// Counts the whole lines of UTF-8 at the start of `chunk` at once and returns what is behind them.
    fn feed_sound_lines<'c>(&mut self, chunk: &'c [u8]) -> &'c [u8] {
        let valid = match std::str::from_utf8(chunk) {
            Ok(_) => chunk.len(),
            Err(error) => error.valid_up_to(),
        };
        let sound = memrchr2(b'\n', b'\r', &chunk[..valid]).map_or(0, |at| at + 1);
        let (mut lines, behind) = chunk.split_at(sound);
        if let Some(last) = lines.last() {
            self.previous = *last;
        }
        while let Some(end) = memchr2(b'\n', b'\r', lines) {
            let (line, rest) = lines.split_at(end + 1);
            self.multibyte_lines += u64::from(!line.is_ascii());
            lines = rest;
        }
        if behind.is_ascii() {
            self.previous = behind.last().copied().unwrap_or(self.previous);
            return &[];
        }
        behind
    }

    fn feed_byte(&mut self, byte: u8) {
        let is_letter = |byte: u8| byte >= 0x80 || byte.is_ascii_alphabetic();
        if std::mem::take(&mut self.is_open)
            && let Some((_, position)) = self.line_high.last_mut()
        {
            position.is_inside = is_letter(byte);
        }
        // A line of many megabytes must not be remembered whole; its first part is evidence enough.
        if byte >= 0x80 && self.line_high.len() < 65_536 {
            let follows_small = self.previous.is_ascii_lowercase();
            self.line_high.push((byte, Position { is_inside: false, follows_small }));
            self.is_open = is_letter(self.previous);
        }
        self.previous = byte;
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
            for (byte, position) in &self.line_high {
                let at = POSITIONS.iter().position(|known| known == position).unwrap_or(0);
                self.high[at][usize::from(byte & 0x7F)] += 1;
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
        let [elsewhere, at_end, inside @ ..] = &self.high;
        if (HighBytes { inside: inside.each_ref(), at_end, elsewhere }).are_western() {
            return Charset::Windows1252;
        }
        let score = |charset: Charset| -> i64 {
            let handicap = match charset {
                Charset::MacCentralEurope if self.line_ends.are_of_macs() => 0,
                other => handicap(other),
            };
            let weigh = |at: usize| -> i64 {
                let c = charset.decoded(&[at as u8 | 0x80]).chars().next().unwrap_or('\0');
                let counts = POSITIONS.iter().zip(&self.high);
                let weighed = counts.map(|(position, counts)| {
                    i64::from(weight_at(c, *position) - handicap) * counts[at] as i64
                });
                weighed.sum()
            };
            (0..128).map(weigh).sum()
        };
        best(LEGACY.iter().copied(), score).unwrap_or(Charset::Windows1250)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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

    /// Encodes by looking every character up in what the character set decodes.
    fn encoded_as(text: &str, charset: Charset) -> Vec<u8> {
        let byte_of = |c: char| {
            if charset == Charset::Utf8 || c.is_ascii() {
                return c.to_string().into_bytes();
            }
            let found = (0x80..=0xFF).find(|&byte| charset.decoded(&[byte]) == c.to_string());
            vec![found.unwrap_or_else(|| panic!("{c} in {}", charset.name()))]
        };
        text.chars().flat_map(byte_of).collect()
    }

    proptest! {
        #[test]
        fn lines_counted_at_once_are_counted_as_bytes_are(
            lines in prop::collection::vec(("[a-zł€ó,]{0,9}", any::<u8>(), "\n|\r\n|\r|"), 0..9),
            broken in any::<u8>(),
            length in 1_usize..40,
        ) {
            let mut bytes = Vec::new();
            for (text, byte, end) in &lines {
                bytes.extend_from_slice(text.as_bytes());
                bytes.extend((*byte > broken).then_some(*byte));
                bytes.extend_from_slice(end.as_bytes());
            }
            let (mut whole, mut bytewise) = (CharsetCounts::default(), CharsetCounts::default());
            for chunk in bytes.chunks(length) {
                whole.feed(chunk);
            }
            bytewise.line_ends.feed(&bytes);
            for byte in &bytes {
                bytewise.feed_byte(*byte);
            }
            prop_assert_eq!(
                (whole.multibyte_lines, whole.broken_lines, whole.high),
                (bytewise.multibyte_lines, bytewise.broken_lines, bytewise.high)
            );
            prop_assert_eq!(whole.finish(), bytewise.finish());
        }
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
    fn polish_in_any_character_set_is_told_by_few_words() {
        let texts = [
            "Anna Łęcka",
            "źródło światła, żółć",
            "Łódź",
            "Świętosława Wójcik-Żak",
            "Proszę o wycenę na wrzesień. Dziękuję",
            "ZAŻÓŁĆ GĘŚLĄ JAŹŃ",
            "SPÓŁKA Z O.O.",
        ];
        for text in texts {
            for &charset in &[
                Charset::Utf8,
                Charset::Windows1250,
                Charset::Iso8859Two,
                Charset::Cp852,
                Charset::MacCentralEurope,
            ] {
                let bytes = encoded_as(text, charset);
                let mut counts = CharsetCounts::default();
                counts.feed(&bytes);
                let (found, _) = counts.finish();
                let name = charset.name();
                assert_eq!(found.decode(&bytes).as_deref(), Some(text), "{text:?} in {name}");
            }
        }
    }

    const WORDS: &[&str] = &[
        "Łódź",
        "źródło",
        "ćwiczenie",
        "Święta",
        "żółw",
        "gęś",
        "mąż",
        "kość",
        "Żaneta",
        "dziękuję",
        "wrzesień",
        "proszę",
        "Wójcik",
        "środa",
        "księgowość",
        "sprzedaż",
        "usługi",
        "ZAMÓWIENIE",
    ];

    proptest! {
        #[test]
        fn polish_survives_detection(
            words in prop::collection::vec(prop::sample::select(WORDS), 4..10),
            charset in prop::sample::select(&[
                Charset::Utf8,
                Charset::Windows1250,
                Charset::Iso8859Two,
                Charset::Cp852,
                Charset::MacCentralEurope,
            ][..]),
        ) {
            let is_mac = charset == Charset::MacCentralEurope;
            let text = words.join(" ") + if is_mac { "\r" } else { "\n" };
            let bytes = encoded_as(&text, charset);
            let mut counts = CharsetCounts::default();
            counts.feed(&bytes);
            let (found, is_cut) = counts.finish();
            prop_assert!(!is_cut);
            let read = found.decode(&bytes);
            prop_assert_eq!(read.as_deref(), Some(text.as_str()), "{}", charset.name());
        }

        #[test]
        fn any_bytes_have_a_character_set(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut counts = CharsetCounts::default();
            counts.feed(&bytes);
            let (found, _) = counts.finish();
            if let Some(text) = found.decode(&bytes) {
                prop_assert!(text.len() <= bytes.len() * 3);
            }
        }
    }

    #[test]
    fn neighbours_of_polish_keep_their_letters() {
        for (text, charset) in [
            ("Prénom;Nom\nFrançoise;Lefèvre\nÇa m’intéresse, où êtes-vous ?", Charset::Windows1252),
            ("Société\nSœurs du Chêne, à côté de la forêt", Charset::Windows1252),
            ("Teléfono\nÍñigo Núñez Peña: ¿cuánto cuesta el año, nº 5?", Charset::Windows1252),
            (
                "Correo electrónico\nMuñoz, María: llámeme mañana, según su opción",
                Charset::Windows1252,
            ),
            ("Imię\nČapek, André, Novotná, Françoise", Charset::Windows1250),
            ("Imię;Nazwisko\nRené;Kępa\nČeněk;Dvořák", Charset::Windows1250),
            ("Gdańsk, Kovács, Wójcik, René", Charset::Windows1250),
            ("Poznań, Kovács, Vítek, Núria, René", Charset::Windows1250),
            ("Ożarów, Gdańska, Kovács, Vítek, Núria", Charset::Windows1250),
            ("Hélène, Noël à Besançon, où êtes-vous", Charset::Windows1252),
            ("Søren Ærø på Åland", Charset::Windows1252),
            ("São João, não é, 100 m²", Charset::Windows1252),
            ("perché così città", Charset::Windows1252),
            ("Příliš žluťoučký kůň úpěl", Charset::Windows1250),
            ("Größe, Straße, Übergrößen", Charset::Windows1250),
            ("„Firma” – oferta… „Test” — 10 €", Charset::Windows1250),
        ] {
            let bytes = encoded_as(text, charset);
            let mut counts = CharsetCounts::default();
            counts.feed(&bytes);
            let (found, _) = counts.finish();
            assert_eq!(found.decode(&bytes).as_deref(), Some(text), "{}", charset.name());
        }
    }

    #[test]
    fn the_tables_are_those_of_the_standards() {
        let letters = "ąćęłńóśźżĄĆĘŁŃÓŚŹŻ";
        let expected: [(Charset, [u8; 18]); 4] = [
            (
                Charset::Windows1250,
                *b"\xB9\xE6\xEA\xB3\xF1\xF3\x9C\x9F\xBF\xA5\xC6\xCA\xA3\xD1\xD3\x8C\x8F\xAF",
            ),
            (
                Charset::Iso8859Two,
                *b"\xB1\xE6\xEA\xB3\xF1\xF3\xB6\xBC\xBF\xA1\xC6\xCA\xA3\xD1\xD3\xA6\xAC\xAF",
            ),
            (
                Charset::Cp852,
                *b"\xA5\x86\xA9\x88\xE4\xA2\x98\xAB\xBE\xA4\x8F\xA8\x9D\xE3\xE0\x97\x8D\xBD",
            ),
            (
                Charset::MacCentralEurope,
                *b"\x88\x8D\xAB\xB8\xC4\x97\xE6\x90\xFD\x84\x8C\xA2\xFC\xC1\xEE\xE5\x8F\xFB",
            ),
        ];
        for (charset, bytes) in expected {
            assert_eq!(charset.decoded(&bytes), letters, "{}", charset.name());
        }
    }

    #[test]
    fn utf8_lines_in_a_legacy_file_are_told_from_letters_that_look_like_it() {
        let legacy = Charset::Windows1250;
        for text in ["SPÓŁKA", "PÓŁNOC", "WRÓŻKA", "Łódź", "abc"] {
            assert_eq!(legacy.decode(&encoded(text, WINDOWS_1250)).as_deref(), Some(text));
        }
        for text in ["SPÓŁKA", "Łódź", "Größe – „x”"] {
            assert_eq!(legacy.decode(text.as_bytes()).as_deref(), Some(text));
        }
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
