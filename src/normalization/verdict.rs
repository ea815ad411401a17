//! What a row becomes once its cells are read.

use super::attribution::{Finding, Implied, attribute};
use super::draft::{Draft, phone_remark};
use super::mail_domain::Domain;
use super::phone::PhoneFault;
use super::{Normalizer, Remark, company, email, fingerprint, spam};
use crate::model::field::{self};
use crate::model::moment::{Certainty, Moment};
use crate::model::outcome::{Notice, Rejection};
use crate::model::row::{Cell, Origin, Role, RowKind};
use crate::model::submission::{RowVerdict, Submission};
use crate::rules::field::fold_header;

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
            RowKind::Touch(touch) => super::touch::judge(self, touch, cells),
        }
    }

    fn judge_submission(&mut self, origin: Origin, raw: &str, cells: &[Cell]) -> RowVerdict {
        if let Some(hold) = spam::hold(cells, self.tables) {
            return RowVerdict::Held(hold);
        }
        let mut draft = self.draft(cells);
        self.sent_at = draft.submitted_at;
        let email = draft.email.as_ref().map(|(email, cell)| (email.address.as_str(), *cell));
        let name = draft.name.filter(|cell| {
            let read = || spam::is_odd_name(&cell.text, self.tables);
            self.remembered.odd_names.recall(&cell.text, read)
        });
        if let Some(hold) = spam::hold_test_contact(email, draft.phone.is_some(), name, self.tables)
        {
            return RowVerdict::Held(hold);
        }
        self.drop_test_address(&mut draft);
        if let Some(hold) = spam::hold_too_fast(draft.started_at, draft.submitted_at, self.tables) {
            return RowVerdict::Held(hold);
        }
        if let Some(rejection) = rejection(&draft) {
            return RowVerdict::Quarantined(rejection);
        }
        self.enrich(&mut draft, cells);
        let submitted_at = draft.submitted_at.unwrap_or_else(|| self.received());
        RowVerdict::Accepted(Box::new(Submission {
            origin,
            fingerprint: fingerprint(self.source.source_id, cells, self.told_apart()),
            submitted_at,
            modified_at_ms: draft.modified_at_ms,
            values: draft.values,
            notices: draft.notices,
            consents: draft.consents,
            raw: raw.to_owned(),
        }))
    }

    /// Takes an address out that somebody with a number of their own typed to get past the form: mail there would
    /// go to a stranger.
    fn drop_test_address(&self, draft: &mut Draft<'_>) {
        let Some((email, cell)) = &draft.email else { return };
        let has_phone = draft.phone.is_some();
        if !spam::is_address_kept_back(&email.address, has_phone, draft.name, self.tables) {
            return;
        }
        let message = "people try forms with this address, so it was left out; the number is kept";
        let cell = *cell;
        draft.notice(cell, Remark::new("email-placeholder", message));
        draft.email = None;
        draft.values.set(field::EMAIL, "");
        draft.values.set(field::EMAIL_SUGGESTION, "");
    }

    /// Adds what follows from the values: mailbox, device, job title, attribution.
    fn enrich(&mut self, draft: &mut Draft<'_>, cells: &[Cell]) {
        let values = &mut draft.values;
        let mut own_domain = None;
        if let Some(address) = values.get(field::EMAIL) {
            let domain =
                |name: &str| self.remembered.domains.recall(name, || Domain::of(name, self.tables));
            let mut mailbox = email::classify(address, domain, self.tables);
            // Whoever mistyped a provider is no throw-away mailbox, though squatters use such domains for some.
            mailbox.is_disposable &= values.get(field::EMAIL_SUGGESTION).is_none();
            for (flag, is) in [
                (field::EMAIL_IS_FREE, mailbox.is_free),
                (field::EMAIL_IS_ROLE, mailbox.is_role),
                (field::EMAIL_IS_DISPOSABLE, mailbox.is_disposable),
            ] {
                values.set(flag, if is { "true" } else { "" });
            }
            let is_anybodys = mailbox.is_free || mailbox.is_disposable || mailbox.is_relay;
            own_domain = (!is_anybodys).then(|| mailbox.domain.clone());
            values.set(field::EMAIL_DOMAIN, mailbox.domain);
        }
        let site = values.get(field::WEBSITE).map(|host| email::registrable(host).to_owned());
        if let Some(domain) = site.or(own_domain) {
            values.set(field::COMPANY_DOMAIN, domain);
        }
        let form = values.get(field::COMPANY).and_then(|name| {
            let read = || company::legal_form(name, self.tables);
            self.remembered.legal_forms.recall(name, read)
        });
        if let Some(form) = form {
            values.set(field::LEGAL_FORM, form);
        }
        if let Some(agent) = values.get(field::USER_AGENT).map(str::to_owned) {
            let device = self.device(&agent);
            for (field, word) in [
                (field::DEVICE, device.class),
                (field::BROWSER, device.browser),
                (field::OPERATING_SYSTEM, device.system),
            ] {
                // What a column says outright stands where the agent tells nothing.
                if let Some(word) = word {
                    values.set(field, word);
                }
            }
        }
        if self.source.is_contact_list {
            values.set_if_absent(field::IS_CUSTOMER, self.is_customer(cells).unwrap_or_default());
        }
        if let Some(title) = values.get(field::JOB_TITLE).map(str::to_owned) {
            let title = self.title(&title);
            values.set_if_absent(field::DEPARTMENT, title.department.unwrap_or_default());
            if let Some(word) = title.seniority {
                values.set(field::SENIORITY, word);
            }
        }
        let implied =
            Implied { source: self.source.default_source, medium: self.source.default_medium };
        let pages: Vec<&str> = draft.landing_pages.iter().map(|cell| cell.text.as_str()).collect();
        let words = &self.remembered.words;
        for Finding { field, page, remark } in
            attribute(values, &pages, implied, words, self.tables)
        {
            let own = || cells.iter().find(|cell| cell.role == Role::Field(field));
            let cell = page.map_or_else(own, |page| draft.landing_pages.get(page).copied());
            draft.notices.push(Notice {
                code: remark.code,
                column: cell.map_or_else(String::new, |cell| cell.column.to_string()),
                value: cell.map_or_else(String::new, |cell| cell.text.clone()),
                message: remark.message,
            });
        }
    }

    /// Returns whether any status that a CRM gives somebody means that they have bought; nothing where it gives none.
    fn is_customer(&self, cells: &[Cell]) -> Option<&'static str> {
        let is_status = |cell: &&Cell| cell.role == Role::Field(field::CRM_STATUS);
        let mut found = None;
        for cell in cells.iter().filter(is_status) {
            match self.tables.touch_kind(&fold_header(&cell.text)) {
                Some("won") => return Some("true"),
                _ => found = Some("false"),
            }
        }
        found
    }

    fn received(&self) -> Moment {
        Moment {
            epoch_ms: self.source.received_at.timestamp_millis(),
            offset_minutes: 0,
            certainty: Certainty::Received,
        }
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
