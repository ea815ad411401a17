//! What a row becomes once its cells are read.

use super::attribution::{Implied, attribute};
use super::draft::{Draft, phone_remark};
use super::phone::PhoneFault;
use super::{Normalizer, Remark, device, email, fingerprint, moment, spam};
use crate::model::field::{self};
use crate::model::moment::{Certainty, Moment};
use crate::model::outcome::{Notice, Rejection};
use crate::model::row::{Cell, Origin, Role, RowKind, RowTouch};
use crate::model::submission::{RowVerdict, Submission};
use crate::model::touch::Touch;

impl Normalizer<'_> {
    /// Judges the row with `cells`.
    pub(super) fn judge(
        &mut self,
        origin: Origin,
        raw: &str,
        kind: RowKind,
        cells: &[Cell],
    ) -> RowVerdict {
        match kind {
            RowKind::Submission => self.judge_submission(origin, raw, cells),
            RowKind::Touch(touch) => self.judge_touch(touch, cells),
        }
    }

    fn judge_submission(&mut self, origin: Origin, raw: &str, cells: &[Cell]) -> RowVerdict {
        if let Some(hold) = spam::hold(cells, self.tables) {
            return RowVerdict::Held(hold);
        }
        let mut draft = self.draft(cells);
        let email = draft.email.as_ref().map(|(email, cell)| (email.address.as_str(), *cell));
        if let Some(hold) =
            spam::hold_test_contact(email, draft.phone.is_some(), draft.name, self.tables)
        {
            return RowVerdict::Held(hold);
        }
        if let Some(rejection) = rejection(&draft) {
            return RowVerdict::Quarantined(rejection);
        }
        self.enrich(&mut draft);
        let submitted_at = draft.submitted_at.unwrap_or_else(|| self.received());
        RowVerdict::Accepted(Box::new(Submission {
            origin,
            fingerprint: fingerprint(self.source.source_id, cells, self.told_apart()),
            submitted_at,
            values: draft.values,
            notices: draft.notices,
            consents: draft.consents,
            raw: raw.to_owned(),
        }))
    }

    /// Adds what follows from the values: mailbox, device, seniority, attribution.
    fn enrich(&mut self, draft: &mut Draft<'_>) {
        let values = &mut draft.values;
        if let Some(address) = values.get(field::EMAIL) {
            let mailbox = email::classify(address, self.tables);
            for (flag, is) in [
                (field::EMAIL_IS_FREE, mailbox.is_free),
                (field::EMAIL_IS_ROLE, mailbox.is_role),
                (field::EMAIL_IS_DISPOSABLE, mailbox.is_disposable),
            ] {
                values.set(flag, if is { "true" } else { "" });
            }
            values.set(field::EMAIL_DOMAIN, mailbox.domain);
        }
        if let Some(class) = values.get(field::USER_AGENT).and_then(device::class) {
            values.set(field::DEVICE, class);
        }
        let title = values.get(field::JOB_TITLE).map(str::to_owned);
        if let Some(word) = title.and_then(|title| self.seniority(title)) {
            values.set(field::SENIORITY, word);
        }
        let implied =
            Implied { source: self.source.default_source, medium: self.source.default_medium };
        for remark in attribute(values, &draft.landing_pages, implied, self.tables) {
            let Remark { code, message } = remark;
            draft.notices.push(Notice {
                code,
                column: String::new(),
                value: String::new(),
                message,
            });
        }
    }

    fn received(&self) -> Moment {
        Moment {
            epoch_ms: self.source.received_at.timestamp_millis(),
            offset_minutes: 0,
            certainty: Certainty::Received,
        }
    }

    fn judge_touch(&self, touch: RowTouch, cells: &[Cell]) -> RowVerdict {
        let texts = |role: Role| {
            cells.iter().filter(move |cell| cell.role == role).map(|cell| cell.text.as_str())
        };
        let at = cells
            .iter()
            .filter(|cell| cell.role == Role::SubmittedAt)
            .find_map(|cell| moment::parse(&cell.text, self.time_style(&cell.column)).ok())
            .map(|(moment, _)| moment.epoch_ms);
        let Some(at_ms) = at else {
            return RowVerdict::Skipped("a tracked event without a usable time");
        };
        let visitor_id = texts(Role::Field(field::VISITOR_ID))
            .map(|text| text.trim().to_owned())
            .find(|text| !text.is_empty());
        let email = texts(Role::Field(field::EMAIL))
            .find_map(|text| email::parse(text, self.tables).ok())
            .map(|email| email.address);
        if visitor_id.is_none() && email.is_none() {
            return RowVerdict::Skipped("a tracked event of nobody: no visitor id and no e-mail");
        }
        RowVerdict::Touch(Touch {
            fingerprint: fingerprint(self.source.source_id, cells, self.told_apart()),
            at_ms,
            kind: touch.kind,
            detail: touch.detail,
            visitor_id,
            email,
        })
    }
}

/// Returns why a row without any usable contact cannot become a lead.
///
/// A named person whose number a spreadsheet rounded is accepted: somebody can ask for the number, so
/// the row must not vanish among typing errors.
fn rejection(draft: &Draft<'_>) -> Option<Rejection> {
    if draft.email.is_some() || draft.phone.is_some() {
        return None;
    }
    let has_name =
        [field::FIRST_NAME, field::LAST_NAME].iter().any(|part| draft.values.get(*part).is_some());
    let is_lost = matches!(draft.phone_fault, Some((_, PhoneFault::Unrecoverable)));
    if is_lost && has_name {
        return None;
    }
    if let Some((cell, reason)) = &draft.email_fault {
        let message = format!(
            "mail cannot be sent to this address ({reason}) and the row has no usable phone number; correct one of them and import the row again"
        );
        return Some(reject("email-invalid", cell, message));
    }
    if let Some((cell, fault)) = &draft.phone_fault {
        let code = if is_lost { "phone-unrecoverable" } else { "phone-invalid" };
        let way_out = if is_lost {
            "export the column as text and import the file again"
        } else {
            "correct the number or add an e-mail address, and import the row again"
        };
        let message = format!(
            "{}, and the row has no e-mail address; {way_out}",
            phone_remark(fault).message
        );
        return Some(reject(code, cell, message));
    }
    Some(Rejection {
        code: "no-contact",
        column: String::new(),
        value: String::new(),
        message: "the row has neither an e-mail address nor a phone number; add one of them, or map the column that holds it in the source's preset".to_owned(),
    })
}

fn reject(code: &'static str, cell: &Cell, message: String) -> Rejection {
    Rejection { code, column: cell.column.to_string(), value: cell.text.clone(), message }
}
