//! Watches the bytes of the first pass for dates whose day and month a reader could swap.
//!
//! A file without any needs no third pass to settle their order; most have none.

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
        let mut rest = bytes.iter();
        loop {
            // Without a digit before it no byte means anything.
            if self.digits == 0 && self.first == 0 {
                let Some(at) = rest.as_slice().iter().position(u8::is_ascii_digit) else { return };
                rest = rest.as_slice()[at..].iter();
            }
            let Some(&byte) = rest.next() else { return };
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

    #[test]
    fn other_figures_are_not() {
        check("2025-09-12 15:05:13,2025/09/12,12.09.2025 15:05,28.09.2025", false);
        check("+48 22 123-45-67,600-123-456,5260001246,10.0.0.1,Chrome/129.0.0.0", false);
        check("1757682313,45912,545,https://example.com/2025/09/12/x", false);
    }
}
