//! Who is who: which submissions are one person, and which submission wins each field.
//!
//! This room owns match keys, the guard against shared values, clusters and survivorship. It must
//! not know SQL, files or its sibling rooms. Start at [`keys::match_keys`], then
//! [`guard::Guard::labels`], [`clusters::Clusters`] and [`golden::golden`].

pub mod accounts;
pub mod clusters;
pub mod golden;
pub mod guard;
pub mod keys;
pub mod likeness;
pub mod matching;
