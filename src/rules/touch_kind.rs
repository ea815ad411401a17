//! Kinds of touches wherever rules name one: a closed list, so that a misspelt one is not waited for in vain.

use super::decode::{Sink, Table};
use super::diagnostics::{Place, did_you_mean};
use crate::model::touch::KINDS;

/// Returns the kind of touch at `key`, reporting one that there is not.
pub(super) fn opt_touch_kind(table: &Table<'_>, key: &str) -> Option<&'static str> {
    table.note_words(key, KINDS);
    let word = table.opt_string(key)?;
    known_touch_kind(&word, &table.place_of(key), table.sink())
}

/// Returns the kind of touch at `key`, reporting its absence, too; the stand-in is empty.
pub(super) fn touch_kind(table: &Table<'_>, key: &str) -> &'static str {
    // Asked as what has to be there, for what editors are told.
    if table.string(key).is_empty() {
        return "";
    }
    opt_touch_kind(table, key).unwrap_or_default()
}

/// Returns the kind of touch called `word`, reporting at `place` that there is none.
pub(super) fn known_touch_kind(word: &str, place: &Place, sink: &Sink) -> Option<&'static str> {
    let kinds = || KINDS.iter().map(|(kind, _)| *kind);
    let found = kinds().find(|kind| *kind == word);
    if found.is_none() {
        let hint = did_you_mean(word, kinds()).map_or_else(
            || format!("kinds of touches: {}", kinds().collect::<Vec<_>>().join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        sink.error(place, format!("there is no kind of touch `{word}`"), Some(hint));
    }
    found
}
