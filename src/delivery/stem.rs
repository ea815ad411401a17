//! Names files after ids.

use sha2::{Digest as _, Sha256};

use crate::model::ids::hex;

/// Letters of an id that its file is named by: names end at 255 bytes.
const STEM_CHARS_MAX: usize = 200;
/// Bytes of an id's hash that its file is named by, where the id itself cannot tell it from others.
const STEM_HASH_BYTES: usize = 4;

/// Returns the name of a file for `id`, without its ending, in letters that every system takes; no other id has it.
///
/// An id of small letters, digits, `-`, `_` and `.` is its own name. Of any other some of its hash follows a `+`, which
/// no plain name holds: `Żak` and `Łak` would be one name, and on some disks `Anna` and `anna` are.
pub fn file_stem(id: &str) -> String {
    stem(id, id.chars().all(|c| is_plain(c) || c == '_'))
}

/// Returns the same for a task: `LM-0123456789AB_hot_call` for `LM-0123456789AB/hot/call`.
pub fn task_file_stem(id: &str) -> String {
    // The ids of all leads are of capitals. A `_` may part plan and step, or belong to either.
    let of_lead = id.split_once('/').map_or(id, |(_, of_lead)| of_lead);
    stem(id, of_lead.chars().all(|c| is_plain(c) || c == '/'))
}

fn is_plain(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.')
}

fn stem(id: &str, is_own_name: bool) -> String {
    let safe = |c: char| if is_plain(c) || c.is_ascii_uppercase() { c } else { '_' };
    let name: String = id.chars().take(STEM_CHARS_MAX).map(safe).collect();
    // Neither hidden nor a way up.
    let is_hidden = name.starts_with('.');
    let name = if is_hidden { format!("_{name}") } else { name };
    if is_own_name && !is_hidden && id.len() <= STEM_CHARS_MAX {
        return name;
    }
    format!("{name}+{}", hex(&Sha256::digest(id)[..STEM_HASH_BYTES]))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_plain_id_is_the_name_of_its_file() {
        for id in ["anna", "anna_nowak-2", "anna.nowak"] {
            assert_eq!(file_stem(id), id);
        }
        for (id, name) in [
            ("LM-0123456789AB/hot/call", "LM-0123456789AB_hot_call"),
            ("LM-0123456789AB/hot/second-touch/2", "LM-0123456789AB_hot_second-touch_2"),
        ] {
            assert_eq!(task_file_stem(id), name);
        }
    }

    #[test]
    fn no_two_ids_have_a_file_of_one_name_on_any_disk() {
        #[track_caller]
        fn check(ids: &[&str], stem: fn(&str) -> String) {
            let names: BTreeSet<String> = ids.iter().map(|id| stem(id).to_lowercase()).collect();
            assert_eq!(names.len(), ids.len(), "{names:?}");
            let is_safe = |c: char| c.is_ascii_alphanumeric() || "-_.+".contains(c);
            assert!(names.iter().all(|name| name.chars().all(is_safe)), "{names:?}");
            assert!(names.iter().all(|name| !name.starts_with('.') && name.len() < 220));
        }
        let long = "a".repeat(300);
        let longer = "a".repeat(301);
        check(
            &[
                "Żak",
                "Łak",
                "_ak",
                "żak",
                "Anna",
                "anna",
                "ANNA",
                "a b",
                "a_b",
                "a/b",
                "a@b.pl",
                ".x",
                "_.x",
                "..",
                "_..",
                "a+b",
                &long,
                &longer,
                &long[..200],
            ],
            file_stem,
        );
        check(
            &[
                "LM-1/a_b/c",
                "LM-1/a/b_c",
                "LM-1/a/b/2",
                "LM-1/a/b_2",
                "LM-1/a_b/2",
                "LM-1/A/b",
                "LM-1/a/b",
                "LM-1/ą/b",
                "LM-1/ę/b",
            ],
            task_file_stem,
        );
    }
}
