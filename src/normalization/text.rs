//! Text as people meant it: without invisible characters, spreadsheet guards and odd spaces.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

/// Returns `text` trimmed, with runs of white space as one blank and invisible characters removed.
///
/// Invisible are zero-width characters, bidirectional marks (WhatsApp puts them around phone numbers), soft hyphens,
/// control characters and terminal sequences (`ESC [31m`). Letters followed by a combining mark are composed.
pub fn tidy(text: &str) -> Cow<'_, str> {
    if is_tidy(text) {
        return Cow::Borrowed(text);
    }
    let text = without_escapes(text);
    let mut tidied = String::with_capacity(text.len());
    for c in text.chars() {
        if is_invisible(c) {
            continue;
        }
        // U+001C to U+001F separate records of old data formats.
        if c.is_whitespace() || is_odd_space(c) || ('\u{1c}'..='\u{1f}').contains(&c) {
            if !tidied.is_empty() && !tidied.ends_with(' ') {
                tidied.push(' ');
            }
        } else if ('\u{300}'..='\u{36f}').contains(&c) {
            compose(&mut tidied, c);
        } else if !c.is_control() {
            tidied.push(c);
        }
    }
    tidied.truncate(tidied.trim_end().len());
    Cow::Owned(tidied)
}

/// Returns `text` tidied and without what exporters and spreadsheets put around a value:
/// `="…"`, a leading apostrophe before a number or formula, doubled quotes around a `+48…`, and
/// Flamingo's security notice before values that begin with `= + - @`.
pub fn unguard(text: &str) -> Cow<'_, str> {
    let tidied = tidy(text);
    if !tidied.starts_with(['=', '\'', '"', '(']) {
        return tidied;
    }
    let bare = strip_guards(&tidied);
    if bare.len() == tidied.len() { tidied } else { Cow::Owned(bare.to_owned()) }
}

/// Returns full-width ASCII (`＋４８`) as plain ASCII.
pub fn narrow(text: &str) -> Cow<'_, str> {
    let is_wide = |c: char| ('\u{ff01}'..='\u{ff5e}').contains(&c);
    if text.is_ascii() || !text.contains(is_wide) {
        return Cow::Borrowed(text);
    }
    let narrowed = |c: char| {
        if is_wide(c) { char::from_u32(c as u32 - 0xff01 + 0x21).unwrap_or(c) } else { c }
    };
    Cow::Owned(text.chars().map(narrowed).collect())
}

/// Returns `text` without terminal control sequences: ECMA-48 `ESC [ … letter` and `ESC ] … BEL`.
///
/// The sequence goes whole, lest its `[31m` stay behind in the value; what begins like one and never ends
/// loses nothing but its escape character.
fn without_escapes(text: &str) -> Cow<'_, str> {
    if !text.contains(['\u{1b}', '\u{9b}']) {
        return Cow::Borrowed(text);
    }
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(['\u{1b}', '\u{9b}']) {
        kept.push_str(&rest[..start]);
        let is_one_character = rest[start..].starts_with('\u{9b}');
        rest = rest[start..].trim_start_matches(['\u{1b}', '\u{9b}']);
        let sequence = if is_one_character { Some(rest) } else { rest.strip_prefix('[') };
        if let Some(sequence) = sequence {
            let end = sequence.find(|c: char| !(' '..='?').contains(&c));
            if let Some(end) =
                end.filter(|end| sequence[*end..].starts_with(|c| ('@'..='~').contains(&c)))
            {
                rest = &sequence[end + 1..];
            }
        } else if let Some(command) = rest.strip_prefix(']')
            && let Some(end) = command.find('\u{7}')
        {
            rest = &command[end + 1..];
        }
    }
    kept.push_str(rest);
    Cow::Owned(kept)
}

/// Returns `text` with the few HTML entities that form plugins write, and PHP's `\'`, as characters.
pub fn unescape(text: &str) -> Cow<'_, str> {
    const ENTITIES: &[(&str, &str)] = &[
        ("&#039;", "'"),
        ("&#39;", "'"),
        ("&apos;", "'"),
        ("&rsquo;", "’"),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&nbsp;", " "),
        ("&oacute;", "ó"),
        ("&Oacute;", "Ó"),
        ("&uuml;", "ü"),
        ("&ouml;", "ö"),
        ("&auml;", "ä"),
        ("&szlig;", "ß"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("\\'", "'"),
        ("\\\"", "\""),
        // Last, so that nothing is unescaped twice.
        ("&amp;", "&"),
    ];
    if !text.contains(['&', '\\']) {
        return Cow::Borrowed(text);
    }
    let mut plain = text.to_owned();
    for (escaped, character) in ENTITIES {
        if plain.contains(escaped) {
            plain = plain.replace(escaped, character);
        }
    }
    Cow::Owned(plain)
}

/// Returns `text` without the tags of a page from which it was copied, each of which parts words.
pub fn without_tags(text: &str) -> Cow<'_, str> {
    static TAGS: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?i)</?(?:a|b|br|div|em|font|i|li|p|span|strong|td|u)(?:\s[^>]*)?/?>").ok()
    });
    match TAGS.as_ref().filter(|_| text.contains('<')) {
        Some(tags) if tags.is_match(text) => {
            Cow::Owned(tags.replace_all(text, " ").trim().to_owned())
        }
        _ => Cow::Borrowed(text),
    }
}

fn strip_guards(text: &str) -> &str {
    let mut bare = text;
    if let Some(inner) = bare.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"')) {
        bare = inner;
    }
    if let Some(rest) = bare.strip_prefix('\'')
        && rest.starts_with(|c: char| c.is_ascii_digit() || "=+-@(".contains(c))
    {
        bare = rest;
    }
    if let Some(inner) = bare.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'))
        && inner.starts_with(['=', '+', '-', '@', ';'])
    {
        bare = inner;
    }
    // The notice is translated, but its address is not.
    if let Some((notice, value)) = bare.split_once(')')
        && notice.starts_with('(')
        && notice.contains("contactform7.com/")
    {
        bare = value;
    }
    bare.trim()
}

fn is_tidy(text: &str) -> bool {
    let bytes = text.as_bytes();
    let Some((first, last)) = bytes.first().zip(bytes.last()) else { return true };
    if *first == b' ' || *last == b' ' {
        return false;
    }
    if text.is_ascii() {
        // Most cells, and three times as fast without looking at characters.
        let mut odd = 0;
        for byte in bytes {
            odd |= u8::from(!(b' '..=b'~').contains(byte));
        }
        return odd == 0 && bytes.windows(2).all(|pair| pair != b"  ");
    }
    let mut after_blank = false;
    for c in text.chars() {
        let plain = (' '..='~').contains(&c) || (c >= '\u{a1}' && c.is_alphabetic());
        if !plain || ('\u{300}'..='\u{36f}').contains(&c) || (c == ' ' && after_blank) {
            return false;
        }
        after_blank = c == ' ';
    }
    true
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{206f}' | '\u{feff}')
}

fn is_odd_space(c: char) -> bool {
    matches!(c, '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}')
}

/// Letters that files from macOS carry as a base letter and a combining mark.
const COMPOSED: &[(char, &str, &str)] = &[
    ('\u{300}', "aeiouAEIOU", "àèìòùÀÈÌÒÙ"),
    ('\u{301}', "acegilnorsuyzACEGILNORSUYZ", "áćéǵíĺńóŕśúýźÁĆÉǴÍĹŃÓŔŚÚÝŹ"),
    ('\u{302}', "aeiouAEIOU", "âêîôûÂÊÎÔÛ"),
    ('\u{303}', "anoANO", "ãñõÃÑÕ"),
    ('\u{306}', "agAG", "ăğĂĞ"),
    ('\u{307}', "zeZE", "żėŻĖ"),
    ('\u{308}', "aeiouyAEIOUY", "äëïöüÿÄËÏÖÜŸ"),
    ('\u{30a}', "auAU", "åůÅŮ"),
    ('\u{30b}', "ouOU", "őűŐŰ"),
    ('\u{30c}', "cdenrstzCDENRSTZ", "čďěňřšťžČĎĚŇŘŠŤŽ"),
    ('\u{327}', "cstCST", "çşţÇŞŢ"),
    ('\u{328}', "aeiuAEIU", "ąęįųĄĘĮŲ"),
];

fn compose(text: &mut String, mark: char) {
    let composed = text.chars().last().and_then(|base| {
        let (_, bases, letters) = COMPOSED.iter().find(|(known, _, _)| *known == mark)?;
        let at = bases.chars().position(|known| known == base)?;
        letters.chars().nth(at)
    });
    match composed {
        Some(letter) => {
            text.pop();
            text.push(letter);
        }
        None => text.push(mark),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(raw: &str, expected: &str) {
        assert_eq!(unguard(raw), expected, "{raw:?}");
    }

    proptest! {
        #[test]
        fn what_is_called_tidy_is_left_as_it_is(text in "[ -~\\x00-\\x1fłŁ\u{a0}\u{301}]{0,8}|[a-c ]{0,8}") {
            let untidy = format!("{text}\u{200b}");
            prop_assert_eq!(tidy(&text), tidy(&untidy));
        }
    }

    #[test]
    fn spaces_and_invisible_characters_go() {
        check("  Anna \u{a0} Łęcka\u{200b} ", "Anna Łęcka");
        check("\u{202a}+48 600 123 456\u{202c}", "+48 600 123 456");
        check("a\nb", "a b");
        check("", "");
        check("e\u{301}te\u{301} Za\u{328}b z\u{307}y\u{300}", "été Ząb ży\u{300}");
    }

    #[test]
    fn control_characters_go_and_cost_nothing_else() {
        check("Anna \u{1b}[31mKowalska\u{1b}[0m", "Anna Kowalska");
        check("Anna \u{1b}[1;31mKowalska", "Anna Kowalska");
        check("\u{1b}]0;title\u{7}Anna", "Anna");
        check("Anna\u{1b}Kowalska", "AnnaKowalska");
        check("Anna \u{1b}[1", "Anna [1");
        check("Anna \u{9b}31mKowalska", "Anna Kowalska");
        check("Anna\u{0} \u{7}Kowalska\u{1f}x", "Anna Kowalska x");
    }

    #[test]
    fn what_form_plugins_escape_is_plain_again() {
        assert_eq!(unescape("O&#039;Connor &amp; Söhne"), "O'Connor & Söhne");
        assert_eq!(unescape("O\\'Connor"), "O'Connor");
        assert_eq!(unescape("&amp;lt;"), "&lt;");
        assert_eq!(unescape("B&B"), "B&B");
    }

    #[test]
    fn spreadsheet_guards_go() {
        check("=\"600123456\"", "600123456");
        check("'+48600123456", "+48600123456");
        check("\"+48600123456\"", "+48600123456");
        check("'=2+2", "=2+2");
        check("'s-Hertogenbosch", "'s-Hertogenbosch");
        check(
            "(Security Alert: Suspicious content is detected. See https://contactform7.com/heads-up for details.) +48 600 123 456",
            "+48 600 123 456",
        );
        check("(22) 123-45-67", "(22) 123-45-67");
    }

    #[test]
    fn full_width_digits_narrow() {
        assert_eq!(narrow("＋４８６"), "+486");
        assert_eq!(narrow("żółw"), "żółw");
    }
}
