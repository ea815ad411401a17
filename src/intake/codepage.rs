//! Single-byte character sets: two that encoding_rs does not have, and how likely a character is.

use std::borrow::Cow;

/// The characters from 0x80 on of code page 852, in which old Windows and DOS programs write Polish
/// ("CSV (MS-DOS)" of Excel).
const CP852: [char; 128] = [
    'Ç', 'ü', 'é', 'â', 'ä', 'ů', 'ć', 'ç', 'ł', 'ë', 'Ő', 'ő', 'î', 'Ź', 'Ä', 'Ć', 'É', 'Ĺ', 'ĺ',
    'ô', 'ö', 'Ľ', 'ľ', 'Ś', 'ś', 'Ö', 'Ü', 'Ť', 'ť', 'Ł', '×', 'č', 'á', 'í', 'ó', 'ú', 'Ą', 'ą',
    'Ž', 'ž', 'Ę', 'ę', '¬', 'ź', 'Č', 'ş', '«', '»', '░', '▒', '▓', '│', '┤', 'Á', 'Â', 'Ě', 'Ş',
    '╣', '║', '╗', '╝', 'Ż', 'ż', '┐', '└', '┴', '┬', '├', '─', '┼', 'Ă', 'ă', '╚', '╔', '╩', '╦',
    '╠', '═', '╬', '¤', 'đ', 'Đ', 'Ď', 'Ë', 'ď', 'Ň', 'Í', 'Î', 'ě', '┘', '┌', '█', '▄', 'Ţ', 'Ů',
    '▀', 'Ó', 'ß', 'Ô', 'Ń', 'ń', 'ň', 'Š', 'š', 'Ŕ', 'Ú', 'ŕ', 'Ű', 'ý', 'Ý', 'ţ', '´', '\u{ad}',
    '˝', '˛', 'ˇ', '˘', '§', '÷', '¸', '°', '¨', '˙', 'ű', 'Ř', 'ř', '■', '\u{a0}',
];

/// The characters from 0x80 on of Mac OS Central European ("CSV (Macintosh)" of Excel).
const MAC_CENTRAL_EUROPE: [char; 128] = [
    'Ä', 'Ā', 'ā', 'É', 'Ą', 'Ö', 'Ü', 'á', 'ą', 'Č', 'ä', 'č', 'Ć', 'ć', 'é', 'Ź', 'ź', 'Ď', 'í',
    'ď', 'Ē', 'ē', 'Ė', 'ó', 'ė', 'ô', 'ö', 'õ', 'ú', 'Ě', 'ě', 'ü', '†', '°', 'Ę', '£', '§', '•',
    '¶', 'ß', '®', '©', '™', 'ę', '¨', '≠', 'ģ', 'Į', 'į', 'Ī', '≤', '≥', 'ī', 'Ķ', '∂', '∑', 'ł',
    'Ļ', 'ļ', 'Ľ', 'ľ', 'Ĺ', 'ĺ', 'Ņ', 'ņ', 'Ń', '¬', '√', 'ń', 'Ň', '∆', '«', '»', '…', '\u{a0}',
    'ň', 'Ő', 'Õ', 'ő', 'Ō', '–', '—', '“', '”', '‘', '’', '÷', '◊', 'ō', 'Ŕ', 'ŕ', 'Ř', '‹', '›',
    'ř', 'Ŗ', 'ŗ', 'Š', '‚', '„', 'š', 'Ś', 'ś', 'Á', 'Ť', 'ť', 'Í', 'Ž', 'ž', 'Ū', 'Ó', 'Ô', 'ū',
    'Ů', 'Ú', 'ů', 'Ű', 'ű', 'Ų', 'ų', 'Ý', 'ý', 'ķ', 'Ż', 'Ł', 'ż', 'Ģ', 'ˇ',
];

/// Returns text of code page 852 as UTF-8.
pub(super) fn decode_cp852(bytes: &[u8]) -> Cow<'_, str> {
    decode(bytes, &CP852)
}

/// Returns text of Mac OS Central European as UTF-8.
pub(super) fn decode_mac(bytes: &[u8]) -> Cow<'_, str> {
    decode(bytes, &MAC_CENTRAL_EUROPE)
}

fn decode<'a>(bytes: &'a [u8], table: &[char; 128]) -> Cow<'a, str> {
    if bytes.is_ascii()
        && let Ok(text) = std::str::from_utf8(bytes)
    {
        return Cow::Borrowed(text);
    }
    let char_of = |&byte: &u8| {
        if byte.is_ascii() { char::from(byte) } else { table[usize::from(byte & 0x7F)] }
    };
    Cow::Owned(bytes.iter().map(char_of).collect())
}

/// From this weight on a character is one that leads are written with.
pub(super) const SURE: i32 = 4;

/// Returns how much a character speaks for the character set that yields it.
///
/// Polish letters and the typographic signs of word processors count most, then the letters of
/// German, French, Czech and their neighbours. Signs that nobody types, and characters that do not exist,
/// speak against it. The figures are ours; the tests beside [`super::encoding`] show what they decide.
pub(super) fn weight(c: char) -> i32 {
    match c {
        'ć' | 'ń' | 'Ą' | 'Ć' | 'Ę' | 'Ł' | 'Ń' | 'Ó' | 'Ś' | 'Ż' => 7,
        // The rarest letters of Polish.
        'ź' | 'Ź' => 6,
        'ą' | 'ę' | 'ł' | 'ó' | 'ś' | 'ż' | '„' | '”' | '“' | '’' | '‘' | '–' | '—' | '…' | '•'
        | '€' | '\u{a0}' => 8,
        'ä' | 'ö' | 'ü' | 'ß' | 'é' | 'è' | 'à' | 'ç' | 'ê' | 'ñ' | 'Ä' | 'Ö' | 'Ü' | 'É' | 'À'
        | 'Ç' | 'á' | 'í' | 'ú' | 'ý' | 'ř' | 'ě' => 5,
        'ë' | 'ï' | 'î' | 'ô' | 'û' | 'â' | 'ù' | 'ø' | 'å' | 'æ' | 'ã' | 'õ' | 'ò' | 'ì' | 'È'
        | 'Ê' | 'Ë' | 'Î' | 'Ï' | 'Ô' | 'Û' | 'Â' | 'Ø' | 'Å' | 'Æ' | 'Ñ' | 'œ' | 'Œ' | 'š'
        | 'č' | 'ž' | 'ť' | 'ď' | 'ň' | 'ů' | 'Š' | 'Č' | 'Ř' | 'Ž' | 'Ě' | 'Á' | 'Í' | 'Ú'
        | 'Ý' | '²' | '™' | '®' | '©' | '§' | '°' | '«' | '»' => 4,
        // Of all these letters the ones that only Slovak has, and seldom.
        'ŕ' | 'ĺ' | 'Ŕ' | 'Ĺ' => -5,
        '\u{80}'..='\u{9f}' | '\u{fffd}' => -20,
        c if c.is_alphabetic() && c < '\u{250}' => 1,
        _ => -8,
    }
}

/// Where in a word a character stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Position {
    /// Between two letters.
    pub(super) is_inside: bool,
    /// Behind a small letter.
    pub(super) follows_small: bool,
}

/// Returns the weight of a character where it stands: no sign but the apostrophe belongs between letters, and
/// no capital behind a small letter.
pub(super) fn weight_at(c: char, position: Position) -> i32 {
    let plain = weight(c);
    if position.follows_small && c.is_uppercase() {
        plain.min(-4)
    } else if position.is_inside && !c.is_alphabetic() {
        if c == '’' { 0 } else { plain.min(-8) }
    } else {
        plain
    }
}
