//! The policy: TOML as people write it, compiled into what the stages run.
//!
//! This room owns the rule files' syntax, their checks and their diagnostics. It is given texts and
//! never reads a disk; it decides nothing about a lead. Start at [`RuleSet::parse`]; every file of
//! `rules/` has a module of its own name here.

pub mod alerts;
pub mod condition;
pub mod consent;
pub mod decode;
pub mod diagnostics;
pub mod field;
pub mod followup;
pub mod hours;
pub mod identity;
pub mod routing;
pub mod scoring;
pub mod tables;
pub mod target;
pub mod test;
pub mod workspace;
