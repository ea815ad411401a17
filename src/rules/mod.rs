//! The policy: TOML as people write it, compiled into what the stages run.
//!
//! This room owns the rule files' syntax, their checks and their diagnostics. It is given texts and
//! never reads a disk; it decides nothing about a lead. Start at [`RuleSet::parse`]; every file of
//! `rules/` has a module of its own name here.

pub mod decode;
pub mod diagnostics;
pub mod field;
pub mod source;
