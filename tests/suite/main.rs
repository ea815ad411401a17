//! What leadmill promises, held against the binary itself: each test makes a workspace, runs
//! commands in it and looks at what a user would see (exit code, stdout, stderr, files, views).
//!
//! `LEADMILL_BLESS=1` writes the expected files of `scenarios` and `bad_rules` anew; read the diff.
//! `LEADMILL_KILLS=200` kills more runs in `crash`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod workspace;

mod bad_input;
mod bad_rules;
mod commands;
mod crash;
mod docs;
mod outputs;
mod promises;
mod scenarios;
mod tidy;
