//! Finds out how the records of a JSON input follow each other, from its first bytes.

use memchr::memchr2;

use super::json_wrappers::wrapper_path;

/// How the records of a JSON input follow each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Layout {
    /// One object a line.
    Lines,
    /// Objects one after another, or in an array.
    Sequence,
    /// Objects in the array that an object holds at the end of these keys, one in the other.
    Wrapped(Vec<String>),
}

/// Returns whether the text starts like JSON.
pub(super) fn is_json(head: &[u8]) -> bool {
    let text = head.trim_ascii_start();
    let next = text.get(1..).unwrap_or_default().trim_ascii_start().first();
    match text.first() {
        // A log of bodies: every line is the text of a record, quoted as a string once more.
        Some(b'"') => text.starts_with(b"\"{\\\""),
        Some(b'{') => matches!(next, Some(b'"' | b'}') | None),
        Some(b'[') => matches!(next, Some(b'{' | b']') | None),
        _ => false,
    }
}

/// Returns how records follow each other in a text that starts with `head`.
pub(super) fn layout(head: &[u8]) -> Layout {
    let text = head.trim_ascii_start();
    if text.starts_with(b"[") {
        return Layout::Sequence;
    }
    if text.starts_with(b"\"") {
        return Layout::Lines;
    }
    if let Some(path) = wrapper_path(text) {
        return Layout::Wrapped(path);
    }
    let line = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let mut braces = Braces::default();
    let line = line.trim_ascii();
    // A first line that is broken is still a line when others of its kind stand behind it.
    let is_followed = || text[line.len()..].trim_ascii_start().starts_with(b"{");
    let is_line = match braces.feed(line) {
        Some(end) if end == line.len() => true,
        Some(end) => {
            let is_next = matches!(line[end..].trim_ascii_start().first(), Some(b'{' | b','));
            !(line[end - 1] == b'}' && is_next) && is_followed()
        }
        None => is_followed() || !text.contains(&b'\n'),
    };
    if is_line { Layout::Lines } else { Layout::Sequence }
}

/// Follows braces and brackets outside strings.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Braces {
    pub(super) depth: usize,
    pub(super) in_string: bool,
    pub(super) escaped: bool,
}

impl Braces {
    /// Returns behind which byte the outermost brace closed.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            at += 1;
            if self.escaped {
                self.escaped = false;
                continue;
            }
            if self.in_string {
                let mark = memchr2(b'"', b'\\', &bytes[at - 1..])?;
                self.in_string = bytes[at - 1 + mark] != b'"';
                self.escaped = self.in_string;
                at += mark;
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return Some(at);
                    }
                }
                _ => {}
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As [`Braces::feed`], byte by byte.
    fn feed_one_by_one(braces: &mut Braces, bytes: &[u8]) -> Option<usize> {
        for (at, &byte) in bytes.iter().enumerate() {
            if braces.in_string {
                braces.in_string = braces.escaped || byte != b'"';
                braces.escaped = !braces.escaped && byte == b'\\';
                continue;
            }
            match byte {
                b'"' => braces.in_string = true,
                b'{' | b'[' => braces.depth += 1,
                b'}' | b']' => {
                    braces.depth = braces.depth.saturating_sub(1);
                    if braces.depth == 0 {
                        return Some(at + 1);
                    }
                }
                _ => {}
            }
        }
        None
    }

    proptest! {
        #[test]
        fn braces_in_strings_are_passed_over(chunks in prop::collection::vec("[\"\\\\a{}\\[\\]]{0,8}", 1..4)) {
            let (mut braces, mut known) = (Braces::default(), Braces::default());
            for chunk in chunks {
                let found = braces.feed(chunk.as_bytes());
                prop_assert_eq!(found, feed_one_by_one(&mut known, chunk.as_bytes()));
                let state = |it: &Braces| (it.depth, it.in_string, it.escaped);
                prop_assert_eq!(state(&braces), state(&known));
            }
        }
    }
}
