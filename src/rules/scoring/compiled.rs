//! Scoring rules for the tests of whoever scores: a text in, a policy out.

use std::collections::BTreeMap;

use super::ScoringPolicy;
use crate::rules::condition::ConditionContext;
use crate::rules::decode::{Sink, document};
use crate::rules::diagnostics::{Diagnostics, RuleText};
use crate::rules::field::FieldCatalog;

/// Warm from 40, hot from 70.
pub(crate) const SEGMENTS: &str = r#"
    [segment.cold]
    action = "wait"
    [segment.warm]
    from = 40
    action = "write"
    [segment.hot]
    from = 70
    action = "call"
"#;

/// Reads `text` as scoring.toml with the fields of the core and no lists; returns what was found, too.
pub(crate) fn compile(text: &str) -> (ScoringPolicy, Diagnostics) {
    let sink = Sink::default();
    let file = RuleText { path: "rules/scoring.toml".into(), text: text.into() };
    let (fields, lists) = (FieldCatalog::decode(None), BTreeMap::new());
    let context =
        ConditionContext { fields: &fields, lists: &lists, models: &[], has_matrix: false };
    let mut policy = ScoringPolicy::default();
    document(&file, &sink, |root| policy = ScoringPolicy::decode(Some(root), &context));
    (policy, Diagnostics::new(sink.take()))
}

/// Reads `text`, in which there is no mistake.
#[track_caller]
pub(crate) fn policy(text: &str) -> ScoringPolicy {
    let (policy, found) = compile(text);
    assert!(!found.has_errors(), "{found}");
    policy
}
