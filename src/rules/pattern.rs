//! Regular expressions in rules. The crate matches in time that grows with the text alone, whatever the pattern; what
//! is limited here is the memory that one may take, for values are matched a million times.

use regex::{Regex, RegexBuilder};

/// Bytes that a compiled pattern may take.
const COMPILED_BYTES_MAX: usize = 1 << 20;
/// Bytes that a pattern may have as written.
const BYTES_MAX: usize = 4 << 10;

/// What is said beside a pattern that cannot be used.
pub(super) const HINT: &str =
    "patterns are those of https://docs.rs/regex/#syntax: none looks ahead, behind or back";

/// Compiles `source`.
///
/// # Errors
/// Why it cannot be used, in a few words.
pub(super) fn compile(source: &str) -> Result<Regex, String> {
    build(source, &mut RegexBuilder::new(source))
}

/// Compiles `source` so that it fits capital letters and small ones alike.
pub(super) fn compile_for_any_case(source: &str) -> Result<Regex, String> {
    build(source, RegexBuilder::new(source).case_insensitive(true))
}

fn build(source: &str, builder: &mut RegexBuilder) -> Result<Regex, String> {
    if source.len() > BYTES_MAX {
        return Err(format!("it is over {BYTES_MAX} bytes"));
    }
    builder.size_limit(COMPILED_BYTES_MAX).build().map_err(|error| {
        // The crate draws a picture over several lines; its last line says what is wrong.
        let text = error.to_string();
        let reason = text.lines().last().unwrap_or_default().trim();
        reason.strip_prefix("error: ").unwrap_or(reason).to_owned()
    })
}
