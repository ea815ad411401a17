//! What the consents of one row say together, and what other cells say of them.

use super::Normalizer;
use super::consents::{refuses_something, refuses_untold};
use super::draft::Draft;
use super::moment;
use crate::model::consent::{ConsentClaim, ConsentState};
use crate::model::field;
use crate::model::row::Cell;
use crate::rules::field::fold_header;

/// Fewest digits of a time; fewer are a yes or somebody's number.
const TIME_DIGITS_MIN: usize = 8;

/// A cell that claims a consent.
#[derive(Debug)]
pub(super) struct Answered<'r> {
    pub(super) cell: &'r Cell,
    /// The preset's consent that it answers; nothing where only its header gives it away.
    pub(super) question: Option<u16>,
    /// Where its claims stand among those of the row, and where the next ones do.
    pub(super) from: usize,
    pub(super) to: usize,
}

impl Normalizer<'_> {
    /// Dates the consents of a row that are times themselves, and takes refusals out that do not say what they refuse,
    /// where another cell of the row agrees to the same: of two boxes of which one has a name, the one without is about
    /// something else.
    pub(super) fn settle_consents(&self, cells: &[Cell], draft: &mut Draft<'_>) {
        let answered = std::mem::take(&mut draft.consents_answered);
        for one in &answered {
            let mapping = one.question.and_then(|no| self.source.consents.get(usize::from(no)));
            let Some(mapping) = mapping else { continue };
            let said_at_ms = self.time_in(one.cell);
            let ip = mapping.ip_column.as_deref().and_then(|column| self.ip_in(cells, column));
            for claim in
                draft.consents[one.from..one.to].iter_mut().filter(|it| it.state.is_grant())
            {
                claim.said_at_ms = said_at_ms;
                claim.ip.clone_from(&ip);
            }
        }
        let is_doubtful = |one: &&Answered<'_>| {
            one.question.is_none()
                && is_refused(&draft.consents, one)
                && is_granted_beside(&draft.consents, one)
                && refuses_untold(one.cell)
        };
        let doubtful: Vec<&Answered<'_>> = answered.iter().filter(is_doubtful).collect();
        for one in doubtful.iter().rev() {
            draft.consents.drain(one.from..one.to);
        }
        for one in &doubtful {
            draft.notice(one.cell, refuses_something(one.cell));
        }
    }

    /// Returns the time that `cell` holds, milliseconds since 1970 UTC.
    fn time_in(&self, cell: &Cell) -> Option<i64> {
        let digits = cell.text.bytes().filter(u8::is_ascii_digit).count();
        if digits < TIME_DIGITS_MIN {
            return None;
        }
        let (found, _) = moment::parse(&cell.text, self.time_style(&cell.column)).ok()?;
        (found.epoch_ms <= self.latest_plausible_ms()).then_some(found.epoch_ms)
    }

    fn ip_in(&self, cells: &[Cell], column: &str) -> Option<String> {
        let cell = cells.iter().find(|cell| fold_header(&cell.column) == column)?;
        self.canonical(&cell.text, field::IP).ok().flatten()
    }
}

fn is_refused(claims: &[ConsentClaim], one: &Answered<'_>) -> bool {
    claims[one.from..one.to].iter().any(|claim| claim.state == ConsentState::Refused)
}

/// Returns whether a claim of another cell agrees to what `refused` refuses, by whatever channel.
fn is_granted_beside(claims: &[ConsentClaim], refused: &Answered<'_>) -> bool {
    let own = &claims[refused.from..refused.to];
    let mut others = claims[..refused.from].iter().chain(&claims[refused.to..]);
    others.any(|other| {
        other.state.is_grant() && own.iter().any(|claim| claim.purpose == other.purpose)
    })
}
