//! Finds out how the records of a JSON input follow each other, from its first bytes.

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
        for (at, &byte) in bytes.iter().enumerate() {
            if self.in_string {
                self.in_string = self.escaped || byte != b'"';
                self.escaped = !self.escaped && byte == b'\\';
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return Some(at + 1);
                    }
                }
                _ => {}
            }
        }
        None
    }
}
