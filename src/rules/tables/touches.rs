//! What trackers call the things that people do (`touches.toml`).

use super::Tables;
use crate::rules::decode::Table;
use crate::rules::field::fold_header;
use crate::rules::touch_kind::known_touch_kind;

impl Tables {
    /// Reads the root table; a kind that there is not is reported.
    pub(super) fn read_touches(&mut self, root: &Table<'_>) {
        for key in root.keys() {
            let place = root.place_of(&key);
            let Some(kind) = known_touch_kind(&key, &place, root.sink()) else { continue };
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
