//! Kinds of touches wherever rules name one: a closed list, so that a misspelt one is not waited for in vain.

use super::decode::{Sink, Table};
use super::diagnostics::{Place, did_you_mean};
use crate::model::touch::KINDS;

/// Returns the kind of touch at `key` that a condition asks for.
///
/// One that there is not stays as it is, with a warning: rules that decided once are read for good, and such a
/// condition has an answer.
pub(super) fn opt_touch_kind(table: &Table<'_>, key: &str) -> Option<String> {
    table.note_words(key, KINDS);
    let word = table.opt_string(key)?;
    match find(&word) {
        Ok(kind) => Some(kind.to_owned()),
        Err((message, hint)) => {
            table.sink().warning(&table.place_of(key), message, Some(hint));
            Some(word)
        }
    }
}

/// Returns the kind of touch at `key`, reporting its absence, too; the stand-in is empty.
pub(super) fn touch_kind(table: &Table<'_>, key: &str) -> &'static str {
    table.note_words(key, KINDS);
    let word = table.string(key);
    if word.is_empty() {
        return "";
    }
    known_touch_kind(&word, &table.place_of(key), table.sink()).unwrap_or_default()
}

/// Returns the kind of touch at `key`, reporting one that there is not; nothing where the key is not there.
pub(super) fn opt_known_touch_kind(table: &Table<'_>, key: &str) -> Option<&'static str> {
    table.note_words(key, KINDS);
    let word = table.opt_string(key)?;
    known_touch_kind(&word, &table.place_of(key), table.sink())
}

/// Returns the kind of touch called `word`, reporting at `place` that there is none.
pub(super) fn known_touch_kind(word: &str, place: &Place, sink: &Sink) -> Option<&'static str> {
    find(word).map_err(|(message, hint)| sink.error(place, message, Some(hint))).ok()
}

/// Returns the kind of touch called `word`, else what to say of it and the way out.
fn find(word: &str) -> Result<&'static str, (String, String)> {
    let kinds = || KINDS.iter().map(|(kind, _)| *kind);
    kinds().find(|kind| kind.eq_ignore_ascii_case(word)).ok_or_else(|| {
        let hint = did_you_mean(word, kinds()).map_or_else(
            || format!("kinds of touches: {}", kinds().collect::<Vec<_>>().join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        (format!("there is no kind of touch `{word}`"), hint)
    })
}
