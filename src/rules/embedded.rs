//! The shipped rules, inside the binary: without a `rules/` folder they serve as they are.

use super::diagnostics::RuleText;

macro_rules! embed {
    ($($path:literal)*) => {
        &[$(($path, include_str!(concat!("../../", $path)))),*]
    };
}

/// Every shipped file; `tests/suite/tidy.rs` holds the list against the folder.
pub const FILES: &[(&str, &str)] = embed! {
    "rules/alerts.toml"
    "rules/consent.toml"
    "rules/fields.toml"
    "rules/followup.toml"
    "rules/identity.toml"
    "rules/routing.toml"
    "rules/scoring.toml"
    "rules/workspace.toml"
};

/// Returns the shipped rules.
pub fn texts() -> Vec<RuleText> {
    FILES
        .iter()
        .map(|(path, text)| RuleText { path: (*path).into(), text: (*text).into() })
        .collect()
}
