//! Identifiers: a newtype for each, so that one cannot be passed for another.

use std::fmt;
use std::str::FromStr;

/// Counts invocations that changed a store; the first is 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunNo(pub i64);

/// Numbers the inputs of a store in the order they were taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InputNo(pub i64);

/// Numbers the submissions of a store in the order they were taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubmissionNo(pub i64);

/// Numbers the leads of a store; internal, people see a [`LeadId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeadNo(pub i64);

/// The first 16 bytes of a SHA-256: what makes two received rows the same submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub [u8; 16]);

/// The first 16 bytes of a SHA-256 over the kind and value of a match key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyHash(pub [u8; 16]);

/// Crockford's base 32 alphabet: no I, L, O or U, so an id survives being read out over the phone.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LEAD_ID_CHARS: usize = 12;

/// A lead's public name: `LM-` and 12 characters (60 bits) taken from its founding submission.
///
/// It depends on nothing but that submission's fingerprint, so the order of rows and files cannot
/// change it, and a lead that is split or rebuilt finds its id again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeadId(u64);

impl LeadId {
    /// Returns the id of the lead that `founder` founded.
    pub fn of_founder(founder: Fingerprint) -> Self {
        let mut high = [0_u8; 8];
        high.copy_from_slice(&founder.0[..8]);
        Self(u64::from_be_bytes(high) >> 4)
    }

    /// Returns the first and the last fingerprint whose lead has this id.
    pub fn founders(self) -> (Fingerprint, Fingerprint) {
        let bound = |tail: u64, rest: u8| {
            let mut bytes = [rest; 16];
            bytes[..8].copy_from_slice(&((self.0 << 4) | tail).to_be_bytes());
            Fingerprint(bytes)
        };
        (bound(0, 0), bound(15, 0xFF))
    }

    /// Returns the 60 bits as a number that fits an SQLite integer.
    pub fn to_i64(self) -> i64 {
        self.0 as i64
    }

    /// Returns the id whose number is `bits`.
    pub fn from_i64(bits: i64) -> Self {
        Self(bits as u64)
    }
}

impl fmt::Display for LeadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LM-")?;
        for position in (0..LEAD_ID_CHARS).rev() {
            let digit = (self.0 >> (position * 5)) & 31;
            write!(f, "{}", char::from(ALPHABET[digit as usize]))?;
        }
        Ok(())
    }
}

impl FromStr for LeadId {
    type Err = NotALeadId;

    /// Reads an id as people type it: any case, `O` for `0`, `I` and `L` for `1`, with or without `LM-`.
    fn from_str(text: &str) -> Result<Self, NotALeadId> {
        let upper = text.trim().to_ascii_uppercase();
        let digits = upper.strip_prefix("LM-").unwrap_or(&upper);
        if digits.len() != LEAD_ID_CHARS {
            return Err(NotALeadId);
        }
        let mut bits = 0_u64;
        for byte in digits.bytes() {
            let byte = match byte {
                b'O' => b'0',
                b'I' | b'L' => b'1',
                other => other,
            };
            let digit = ALPHABET.iter().position(|&known| known == byte).ok_or(NotALeadId)?;
            bits = (bits << 5) | digit as u64;
        }
        Ok(Self(bits))
    }
}

/// An account's public name: `ACC-` and the twelve characters of its oldest lead's id.
///
/// So both say which belongs to which, and nothing has to be kept for it. A younger lead changes nothing; when two
/// accounts turn out to be one, the older lead's id is that of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(LeadId);

impl AccountId {
    /// Returns the id of the account whose oldest lead is `oldest`.
    pub fn of_oldest(oldest: LeadId) -> Self {
        Self(oldest)
    }

    /// Reads an account's id as people type it and returns the lead that it is named after.
    pub fn oldest_of(text: &str) -> Option<LeadId> {
        let upper = text.trim().to_ascii_uppercase();
        upper.strip_prefix(ACCOUNT_PREFIX)?.parse().ok()
    }
}

/// Tells an account's id from a lead's.
const ACCOUNT_PREFIX: &str = "ACC-";

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(ACCOUNT_PREFIX)?;
        f.write_str(self.0.to_string().trim_start_matches("LM-"))
    }
}

/// A text that is not a lead id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotALeadId;

/// Marks the id of a quarantined row, and keeps a spreadsheet from taking it for a number.
const ROW_ID_PREFIX: &str = "q-";

impl Fingerprint {
    /// Returns the id by which a quarantined row is known when it comes back.
    pub fn row_id(self) -> String {
        format!("{ROW_ID_PREFIX}{}", hex(&self.0))
    }

    /// Reads what [`Fingerprint::row_id`] wrote; nothing when `text` is no such id.
    pub fn from_row_id(text: &str) -> Option<Self> {
        let digits = text.trim().strip_prefix(ROW_ID_PREFIX)?;
        unhex(digits)?.try_into().ok().map(Self)
    }
}

/// Returns `bytes` as lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.extend(
            [byte >> 4, byte & 15].map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])),
        );
    }
    text
}

/// Reads what [`hex`] wrote, in either case; nothing when `digits` is anything else.
pub fn unhex(digits: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).map(|digit| digit as u8);
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| Some(digit(pair.first()?)? << 4 | digit(pair.get(1)?)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_reads_back_and_nothing_else_does() {
        assert_eq!(unhex(&hex(&[0, 15, 0xab, 255])), Some(vec![0, 15, 0xab, 255]));
        assert_eq!(unhex("AbfF"), Some(vec![0xab, 0xff]));
        assert_eq!(unhex(""), Some(Vec::new()));
        for text in ["a", "abc", "+f", "0x", " a", "gg", "żż"] {
            assert_eq!(unhex(text), None, "{text}");
        }
    }

    #[test]
    fn the_id_of_a_row_reads_back() {
        let row = Fingerprint([0x0E; 16]);
        assert_eq!(Fingerprint::from_row_id(&format!(" {} ", row.row_id())), Some(row));
        for text in ["", "q-", "q-0e", "0e0e", "q-żżżżżżżżżżżżżżżż", &row.row_id()[..33]]
        {
            assert_eq!(Fingerprint::from_row_id(text), None, "{text}");
        }
    }

    #[test]
    fn a_lead_id_reads_back_however_it_was_typed() {
        let id = LeadId::of_founder(Fingerprint([0xA7; 16]));
        let text = id.to_string();
        assert_eq!(text.len(), 15);
        assert_eq!(text.parse(), Ok(id));
        assert_eq!(text.to_lowercase().trim_start_matches("lm-").parse(), Ok(id));
        assert_eq!("LM-123".parse::<LeadId>(), Err(NotALeadId));
        assert_eq!(LeadId::from_i64(id.to_i64()), id);
        let (first, last) = id.founders();
        assert!(first <= Fingerprint([0xA7; 16]) && Fingerprint([0xA7; 16]) <= last);
        assert_eq!([first, last].map(LeadId::of_founder), [id; 2]);
        let account = AccountId::of_oldest(id).to_string();
        assert_eq!(account[4..], text[3..]);
        assert_eq!(AccountId::oldest_of(&account.to_lowercase()), Some(id));
        assert_eq!(AccountId::oldest_of(&text), None);
    }
}
