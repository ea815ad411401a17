//! Takes off a value what its exporter put on; what the person wrote stays as it was.

use std::borrow::Cow;

use crate::model::blank::trim;
use crate::rules::source::{Cleaner, SourcePreset};

/// Returns the value that `text` stands for; empty when it stands for none.
pub(super) fn clean<'t>(
    text: &'t str,
    preset: &SourcePreset,
    strip: &[String],
    nulls: &[String],
) -> Cow<'t, str> {
    let mut value = text;
    let trimmed = trim(text);
    if trimmed.is_empty() {
        return Cow::Borrowed("");
    }
    // Each of these marks is only an exporter's when it stands first.
    if trimmed.starts_with(['=', '\'', '('])
        && let Some(rest) = without_formula(trimmed)
            .or_else(|| without_security_alert(trimmed))
            .or_else(|| without_apostrophe(trimmed))
    {
        value = rest;
    }
    for cleaner in &preset.cleaners {
        value = match cleaner {
            Cleaner::InnerQuotes => without_inner_quotes(value),
            Cleaner::TrailingSemicolon => value.trim_end_matches([';', ' ']),
            Cleaner::BackslashComma => value,
        };
    }
    for prefix in strip {
        if let Some(rest) = value.trim_start().strip_prefix(prefix.as_str()) {
            value = rest;
            break;
        }
    }
    let bare = trim(value);
    let is_null = |null: &String| bare.eq_ignore_ascii_case(null);
    if nulls.iter().any(is_null) || preset.nulls.iter().any(is_null) {
        return Cow::Borrowed("");
    }
    if preset.cleaners.contains(&Cleaner::BackslashComma) {
        return Cow::Owned(value.replace("\\,", ","));
    }
    Cow::Borrowed(value)
}

/// `="123"`: how spreadsheets are kept from turning ids into numbers.
fn without_formula(text: &str) -> Option<&str> {
    text.strip_prefix("=\"")?.strip_suffix('"').filter(|inner| !inner.contains('"'))
}

/// Flamingo's warning, in whatever language, before every value that starts with a formula sign.
fn without_security_alert(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('\'').unwrap_or(text).strip_prefix('(')?;
    let (warning, rest) = inner.split_once(')')?;
    warning.contains("contactform7.com/").then(|| rest.trim_start())
}

/// The apostrophe that tells a spreadsheet to take a value as text.
fn without_apostrophe(text: &str) -> Option<&str> {
    let rest = text.strip_prefix('\'')?;
    rest.starts_with(|c: char| c.is_ascii_digit() || "+-=@(".contains(c)).then_some(rest)
}

fn without_inner_quotes(text: &str) -> &str {
    let inner = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.filter(|inner| inner.starts_with(['=', '+', '-', '@', ';'])).unwrap_or(text)
}

/// Returns `bytes` in a form that is safe to show: what is not printable ASCII becomes `\x..`.
pub(super) fn escaped(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}
