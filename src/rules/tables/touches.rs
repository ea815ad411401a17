//! What trackers call the things that people do (`touches.toml`).

use super::Tables;
use crate::model::touch::KINDS;
use crate::rules::decode::Table;
use crate::rules::diagnostics::did_you_mean;
use crate::rules::field::fold_header;

impl Tables {
    /// Reads the root table; a kind that there is not is reported.
    pub(super) fn read_touches(&mut self, root: &Table<'_>) {
        for key in root.keys() {
            let known = KINDS.iter().find(|(kind, _)| *kind == key);
            let Some((kind, _)) = known else {
                let kinds: Vec<&str> = KINDS.iter().map(|(kind, _)| *kind).collect();
                let hint = did_you_mean(&key, kinds.iter().copied()).map_or_else(
                    || format!("kinds of touches: {}", kinds.join(", ")),
                    |near| format!("did you mean `{near}`?"),
                );
                root.error(&key, format!("there is no kind of touch `{key}`"), Some(hint));
                continue;
            };
            root.table(&key, |table| {
                for name in table.strings("names") {
                    self.touch_kinds.insert(fold_header(&name), kind);
                }
            });
        }
    }

    /// Returns the kind of touch that an event with this folded name is, when it is one of its own.
    pub fn touch_kind(&self, event: &str) -> Option<&'static str> {
        self.touch_kinds.get(event).copied()
    }
}
