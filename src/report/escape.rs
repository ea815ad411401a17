//! Text from leads, safe to show on a terminal or in a log.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Returns `text` with everything that steers a terminal or hides itself shown as `\u{..}`.
///
/// These are the control characters (C0, C1, escape, line breaks), the marks that reorder text
/// (U+202A to U+202E, U+2066 to U+2069) and characters without width.
pub fn for_terminal(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hostile) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_hostile(c) {
            let _ = write!(shown, "\\u{{{:x}}}", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// Returns `text` so that Markdown shows it as it is.
pub fn for_markdown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in for_terminal(text).chars() {
        if matches!(c, '\\' | '|' | '*' | '_' | '`' | '[' | ']' | '<' | '>' | '#' | '&') {
            shown.push('\\');
        }
        shown.push(c);
    }
    shown
}

fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_spelled_out() {
        #[track_caller]
        fn check(raw: &str, expected: &str) {
            assert_eq!(for_terminal(raw), expected, "{raw:?}");
        }
        check("Zażółć 🐝 +48", "Zażółć 🐝 +48");
        check("a\x1b[31mred", "a\\u{1b}[31mred");
        check("a\u{9b}31m\x7f", "a\\u{9b}31m\\u{7f}");
        check("two\nlines\t", "two\\u{a}lines\\u{9}");
        check("\u{202e}gpj.exe\u{2066}", "\\u{202e}gpj.exe\\u{2066}");
        check("a\u{200b}b\u{feff}", "a\\u{200b}b\\u{feff}");
    }

    #[test]
    fn harmless_text_is_not_copied() {
        assert!(matches!(for_terminal("plain"), Cow::Borrowed(_)));
    }
}
