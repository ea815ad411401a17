//! A lead under the eyes of many conditions.

use std::cell::OnceCell;

use super::operator::fold;
use crate::model::field::FieldNo;
use crate::model::subject::Subject;

/// A lead with what was found out about it: a value is folded when the first clause needs it, and not again.
#[derive(Debug)]
pub struct Lens<'a> {
    subject: Subject<'a>,
    values: Folded,
    details: Folded,
}

/// Texts by position, each once it was asked for; most are in lower case and without diacritics as they are.
type Folded = OnceCell<Box<[OnceCell<Box<str>>]>>;

impl<'a> Lens<'a> {
    /// Looks at `subject`, at nothing of it yet.
    pub fn new(subject: &Subject<'a>) -> Self {
        Self { subject: *subject, values: Folded::new(), details: Folded::new() }
    }

    /// Returns the lead.
    pub fn subject(&self) -> &Subject<'a> {
        &self.subject
    }

    /// Returns the folded value of `field`; `None` when there is none.
    pub(super) fn value(&self, field: FieldNo) -> Option<&str> {
        let (position, value) = self.subject.values.locate(field)?;
        Some(folded(&self.values, self.subject.values.len(), position, value))
    }

    /// Returns the folded detail of the touch at `position`.
    pub(super) fn detail(&self, position: usize) -> &str {
        let touches = self.subject.touches;
        folded(&self.details, touches.len(), position, &touches[position].detail)
    }
}

fn folded<'s>(cells: &'s Folded, count: usize, position: usize, text: &'s str) -> &'s str {
    if is_folded(text) {
        return text;
    }
    let cells = cells.get_or_init(|| (0..count).map(|_| OnceCell::new()).collect());
    cells[position].get_or_init(|| fold(text).into())
}

/// Returns whether folding leaves `text` as it is.
fn is_folded(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase())
}
