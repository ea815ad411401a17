//! Text as people meant it: without invisible characters, spreadsheet guards and odd spaces.

use std::borrow::Cow;

/// Returns `text` trimmed, with runs of white space as one blank and invisible characters removed.
///
/// Invisible are zero-width characters, bidirectional marks (WhatsApp puts them around phone numbers),
/// soft hyphens and control characters. Letters followed by a combining mark are composed.
pub fn tidy(text: &str) -> Cow<'_, str> {
    if is_tidy(text) {
        return Cow::Borrowed(text);
    }
    let mut tidied = String::with_capacity(text.len());
    for c in text.chars() {
        if is_invisible(c) {
            continue;
        }
        if c.is_whitespace() || is_odd_space(c) {
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
    use super::*;

    #[track_caller]
    fn check(raw: &str, expected: &str) {
        assert_eq!(unguard(raw), expected, "{raw:?}");
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
