//! Invented people and the web-form export they fill in.
//!
//! This module owns everything that is made up: names, firms, numbers, campaigns, and the order in which people
//! submit. It knows no vendor's file format (see `fixtures`) and nothing of leadmill itself, so that a mistake in the
//! program cannot hide in the data it is tested with. Start at [`form_export`].
//!
//! All bytes depend on the seed alone: the random numbers, calendar, CSV and JSON writing are a few lines of our own,
//! because a newer version of a library must not silently change a benchmark or a committed fixture.

pub mod campaign;
pub mod form_export;
pub mod leads;
pub mod moment;
pub mod names;
pub mod number;
pub mod person;
pub mod random;
pub mod text;
