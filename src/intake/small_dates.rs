//! Watches the bytes of the first pass for dates whose day and month a reader could swap.
//!
//! A file without any needs no third pass to settle their order; most have none.

use memchr::memchr3_iter;

/// Finds `9/12/2025`, `09-12-25` and, because dots are read day first, only a `9.28.2025` with dots.
///
/// It looks at bytes and may take a version or an address for a date; then a pass is read for nothing.
#[derive(Debug, Default)]
pub(super) struct SmallDates {
    is_found: bool,
    first: u8,
    second: u8,
    separator: u8,
    digits: u8,
    value: u32,
}

impl SmallDates {
    /// Looks at the next bytes of the input.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        if self.is_found {
            return;
        }
        let mut at = 0;
        while at < bytes.len() {
            if self.digits == 0 && self.first == 0 {
                at += Self::meaningless(&bytes[at..]);
            }
            let Some(&byte) = bytes.get(at) else { return };
            at += 1;
            match byte {
                b'0'..=b'9' => {
                    self.digits = self.digits.saturating_add(1);
                    self.value = (self.value * 10 + u32::from(byte - b'0')).min(10_000);
                }
                b'/' | b'-' | b'.' => self.separate(byte),
                // UTF-16 has a zero beside every digit, JSON may have a backslash before every slash.
                0 | b'\\' => {}
                _ => self.end(),
            }
        }
    }

    /// Returns how many of the next bytes change nothing where no digit stands before them: all until two figures
    /// with one separator behind each, or the figures at the end.
    fn meaningless(bytes: &[u8]) -> usize {
        let is_passed = |byte: &u8| matches!(byte, 0 | b'\\');
        let is_part = |byte: &&u8| byte.is_ascii_digit() || is_passed(byte);
        let run_before = |end: usize| bytes[..end].iter().rev().take_while(is_part).count();
        for separator in memchr3_iter(b'/', b'-', b'.', bytes) {
            let Some(before) = separator.checked_sub(1).map(|at| &bytes[at]) else { continue };
            if !is_part(&before) {
                continue;
            }
            let run = run_before(separator);
            let figures = &bytes[separator - run..separator];
            if run > 2 && figures.iter().all(u8::is_ascii_digit) {
                continue;
            }
            let behind = &bytes[separator + 1..];
            let digits = behind.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let goes_on = behind
                .get(digits)
                .is_none_or(|next| is_passed(next) || digits > 0 && *next == bytes[separator]);
            if goes_on {
                return separator - run;
            }
        }
        bytes.len() - run_before(bytes.len())
    }

    /// Returns whether there was one, once all bytes were seen.
    pub(super) fn finish(mut self) -> bool {
        self.end();
        self.is_found
    }

    fn separate(&mut self, separator: u8) {
        let is_small = matches!(self.digits, 1 | 2) && (1..=31).contains(&self.value);
        let value = self.value as u8;
        if self.second > 0 {
            self.end();
        } else if is_small && self.first > 0 && self.separator == separator {
            self.second = value;
        } else if is_small {
            (self.first, self.separator) = (value, separator);
        } else {
            self.first = 0;
        }
        (self.digits, self.value) = (0, 0);
    }

    fn end(&mut self) {
        let (small, large) = (self.first.min(self.second), self.first.max(self.second));
        let is_date = small > 0 && small <= 12 && matches!(self.digits, 2 | 4);
        let is_telling = if self.separator == b'.' { self.second > 12 } else { large > 0 };
        self.is_found |= is_date && is_telling;
        (self.first, self.second, self.digits, self.value) = (0, 0, 0, 0);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: bool) {
        let mut whole = SmallDates::default();
        whole.feed(text.as_bytes());
        assert_eq!(whole.finish(), expected, "{text:?}");
        let mut bytewise = SmallDates::default();
        for byte in text.bytes() {
            bytewise.feed(&[byte, 0]);
        }
        assert_eq!(bytewise.finish(), expected, "{text:?} in UTF-16, byte by byte");
    }

    #[test]
    fn dates_that_can_be_swapped_are_found() {
        check("a,09/12/2025\n", true);
        check("a;9/12/25 18:01:02;", true);
        check("12-09-2025 09:30", true);
        check("\"9\\/12\\/2025\"", true);
        check("09.28.2025 10:00", true);
        check("13/09/2025", true);
    }

    proptest! {
        #[test]
        fn bytes_passed_by_at_once_mean_nothing(
            text in "([0-9]{1,5}|[/.-]|[a,]|\\\\|\\x00|12/10/2025){0,14}",
            length in 1_usize..20,
        ) {
            let (mut whole, mut bytewise) = (SmallDates::default(), SmallDates::default());
            text.as_bytes().chunks(length).for_each(|chunk| whole.feed(chunk));
            text.bytes().for_each(|byte| bytewise.feed(&[byte]));
            prop_assert_eq!(whole.finish(), bytewise.finish());
        }
    }

    #[test]
    fn other_figures_are_not() {
        check("2025-09-12 15:05:13,2025/09/12,12.09.2025 15:05,28.09.2025", false);
        check("+48 22 123-45-67,600-123-456,5260001246,10.0.0.1,Chrome/129.0.0.0", false);
        check("1757682313,45912,545,https://example.com/2025/09/12/x", false);
    }
}
