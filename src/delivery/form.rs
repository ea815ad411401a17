//! What a target takes in a cell: the form, the words, the length. The writer asks before it writes, and
//! `leadmill target check` asks of any file.

use chrono::{DateTime, NaiveDate};

use crate::model::spreadsheet::{is_e164, is_number};
use crate::rules::target::{Column, Form};

/// Why a target refuses a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RefusalCode {
    /// A value that must be there is not.
    Missing,
    /// A value is longer than the target takes.
    TooLong,
    /// A value is none of the words that the target knows.
    NotAChoice,
    /// A value is not of the form that the target takes.
    BadForm,
    /// Somebody has the lead whom the target does not know.
    OwnerUnknown,
    /// An earlier row of the file has the same key.
    DuplicateKey,
    /// The row alone is larger than a file may be.
    TooLarge,
    /// The target itself said so.
    Refused,
}

impl RefusalCode {
    /// Every code with its word, in order.
    pub const ALL: &[(&str, RefusalCode)] = &[
        ("missing", Self::Missing),
        ("too-long", Self::TooLong),
        ("not-a-choice", Self::NotAChoice),
        ("bad-form", Self::BadForm),
        ("owner-unknown", Self::OwnerUnknown),
        ("duplicate-key", Self::DuplicateKey),
        ("too-large", Self::TooLarge),
        ("refused", Self::Refused),
    ];

    /// Returns the word used in the store and in files.
    pub fn word(self) -> &'static str {
        Self::ALL[self as usize].0
    }
}

/// A row that a target would not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Why, for programs.
    pub code: RefusalCode,
    /// Header of the column at fault; empty when it is the whole row.
    pub column: String,
    /// Why, in one sentence that holds nothing of the lead.
    pub reason: String,
}

/// Returns what is wrong with `text` in `column`; an empty cell is never of a wrong form.
///
/// `most` is how many characters the format of the file holds, where the column does not say.
pub(super) fn check(column: &Column, text: &str, most: Option<usize>) -> Result<(), Refusal> {
    let refuse =
        |code, reason: String| Err(Refusal { code, column: column.header.clone(), reason });
    if text.is_empty() {
        return Ok(());
    }
    if let Some(most) = column.max_length.or(most) {
        let length = text.chars().count();
        if length > most {
            let reason = format!("the value has {length} characters, at most {most} fit");
            return refuse(RefusalCode::TooLong, reason);
        }
    }
    if !column.one_of.is_empty() && !column.one_of.iter().any(|word| word == text) {
        let words = column.one_of.join(", ");
        return refuse(RefusalCode::NotAChoice, format!("the value is none of {words}"));
    }
    match column.form {
        Some(form) if !fits(form, text) => {
            refuse(RefusalCode::BadForm, format!("the value is not {}", described(form)))
        }
        _ => Ok(()),
    }
}

/// Returns what `form` wants, as part of a sentence.
pub fn described(form: Form) -> &'static str {
    match form {
        Form::Email => "an e-mail address of plain letters (a-z, no ł or ü)",
        Form::Phone => "a phone number with a plus and 7 to 15 digits",
        Form::Number => "a plain number",
        Form::Integer => "a whole number",
        Form::Boolean => "true or false",
        Form::Date => "a day such as 2026-11-29",
        Form::Timestamp => "an instant such as 2026-11-29T12:00:00+01:00",
        Form::Sha256 => "a SHA-256 of 64 small hexadecimal digits",
        Form::Country => "a country of two letters",
        Form::Currency => "a currency of three capital letters",
        Form::Uuid => "a UUID",
        Form::SalesforceId => "a Salesforce id of 15 or 18 characters",
        Form::NoAt => "free of @",
        Form::Owner => "a user whom the target knows",
    }
}

fn fits(form: Form, text: &str) -> bool {
    match form {
        Form::Email => is_plain_email(text),
        Form::Phone => is_e164(text),
        Form::Number => is_number(text),
        Form::Integer => text.parse::<i64>().is_ok() && is_number(text),
        Form::Boolean => matches!(text, "true" | "false"),
        Form::Date => {
            text.len() == "2026-11-29".len() && NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
        }
        Form::Timestamp => DateTime::parse_from_rfc3339(text).is_ok(),
        Form::Sha256 => {
            text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        }
        Form::Country => text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic()),
        Form::Currency => text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase()),
        Form::Uuid => is_uuid(text),
        Form::SalesforceId => super::salesforce_id::canonical(text).is_some(),
        Form::NoAt => !text.contains('@'),
        Form::Owner => true,
    }
}

fn is_plain_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b';' | b'@');
    let labels = || domain.split('.');
    (1..=64).contains(&local.len())
        && local.bytes().all(is_plain)
        && labels().count() > 1
        && labels().all(|label| {
            !label.is_empty()
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
}

fn is_uuid(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_form(form: Form, takes: &[&str], refuses: &[&str]) {
        for text in takes {
            assert!(fits(form, text), "{form:?} takes {text:?}");
        }
        for text in refuses {
            assert!(!fits(form, text), "{form:?} refuses {text:?}");
        }
    }

    #[test]
    fn forms_take_what_targets_take() {
        check_form(
            Form::Email,
            &["anna.lecka+pv@example.com", "a@xn--w-uga1v8h.pl"],
            &[
                "żółw@example.com",
                "anna@żółw.pl",
                "anna@",
                "@x.pl",
                "a b@x.pl",
                "a@b",
                "a@@b.pl",
                "a@b..pl",
            ],
        );
        check_form(Form::Phone, &["+48600123456"], &["48600123456", "+48 600 123 456", "+1"]);
        check_form(Form::Number, &["12", "-1.50"], &["1,5", "1 000", "+5"]);
        check_form(Form::Integer, &["12", "-1"], &["1.0", "+5", "x"]);
        check_form(Form::Boolean, &["true", "false"], &["TRUE", "1", "tak"]);
        check_form(Form::Date, &["2026-11-29"], &["29.11.2026", "2026-11-31", "2026-1-1"]);
        check_form(
            Form::Timestamp,
            &["2026-11-29T12:00:00+01:00", "2026-11-29T11:00:00Z"],
            &["2026-11-29", "2026-11-29T12:00:00", "1790000000"],
        );
        check_form(Form::Sha256, &[&"0a".repeat(32)], &["0a", &"0A".repeat(32)]);
        check_form(Form::Country, &["PL", "pl"], &["POL", "P1"]);
        check_form(Form::Currency, &["PLN"], &["pln", "zł"]);
        check_form(
            Form::Uuid,
            &["8d7c0a3e-5a64-8c55-9d9d-0123456789ab"],
            &["8d7c0a3e5a648c559d9d"],
        );
        check_form(
            Form::SalesforceId,
            &["00Q5g00000AbCdE", "00Q5g00000AbCdEEAV"],
            &["00Q5g00000AbCd", "00Q5g00000AbCdEAAA"],
        );
    }
}
