//! A submission in the making: the cells of one row, read one by one.

use super::consent_row::Answered;
use super::email::{self, Email, EmailFault};
use super::phone::{Phone, PhoneFault};
use super::text::unguard;
use super::{
    Normalizer, Remark, answer, company, consents, country, moment, number, person_name, web,
};
use crate::model::blank::is_blank;
use crate::model::consent::ConsentClaim;
use crate::model::field::{self, FieldNo, FieldValues};
use crate::model::mailbox::mailbox_key;
use crate::model::moment::Moment;
use crate::model::outcome::Notice;
use crate::model::row::{Cell, GENERIC_CONSENT, Role};
use crate::rules::field::{FieldKind, fold_header};
use crate::rules::tables::Tables;

/// A wall clock read in the wrong zone is off by at most 14 hours.
const ZONE_ERROR_MAX_MS: i64 = 14 * 3_600_000;

/// As many values as most rows have, with those that follow from others, and what they take.
const VALUES_EXPECTED: usize = 40;
const BYTES_EXPECTED: usize = 1_024;

/// A longer value is no placeholder such as `wolę nie podawać`, and need not be looked up.
const PLACEHOLDER_BYTES_MAX: usize = 40;

/// Parts the values of fields that hold several.
const LIST_SEPARATOR: &str = "; ";

/// What the cells of a row gave so far.
#[derive(Debug, Default)]
pub(super) struct Draft<'r> {
    pub(super) values: FieldValues,
    pub(super) notices: Vec<Notice>,
    pub(super) consents: Vec<ConsentClaim>,
    /// The cells that some of these come from.
    pub(super) consents_answered: Vec<Answered<'r>>,
    pub(super) submitted_at: Option<Moment>,
    /// When the form was opened, with its cell.
    pub(super) started_at: Option<(Moment, &'r Cell)>,
    /// The address taken, with its cell.
    pub(super) email: Option<(Email, &'r Cell)>,
    /// The first address refused, with the reason.
    pub(super) email_fault: Option<(&'r Cell, String)>,
    /// The number taken, with its cell.
    pub(super) phone: Option<(Phone, &'r Cell)>,
    /// The first number refused.
    pub(super) phone_fault: Option<(&'r Cell, PhoneFault)>,
    /// The first cell that holds a name or part of one.
    pub(super) name: Option<&'r Cell>,
    /// When the source last changed its record, milliseconds since 1970 UTC.
    pub(super) modified_at_ms: Option<i64>,
    /// A company that stood where a name was asked for.
    company_in_name: String,
    pub(super) landing_pages: Vec<&'r Cell>,
    phones: Vec<&'r Cell>,
}

/// What stands where a whole name was asked for.
#[derive(Debug, Clone)]
pub(super) enum WholeName {
    Person(person_name::PersonName),
    Company(String),
}

/// A company's name, and the numbers that stood behind it.
#[derive(Debug, Clone)]
pub(super) struct Company {
    name: String,
    numbers: Vec<(FieldNo, Canonical)>,
}

/// The canonical form of a value: none where it says nothing, else what keeps it from having one.
pub(super) type Canonical = Result<Option<String>, Remark>;

impl Draft<'_> {
    pub(super) fn notice(&mut self, cell: &Cell, remark: Remark) {
        self.notices.push(Notice {
            code: remark.code,
            column: cell.column.to_string(),
            value: cell.text.clone(),
            message: remark.message,
        });
    }

    /// Sets `field` to the first value a row gives it; a different later one is only said. A subject and a message are
    /// both what somebody wrote.
    fn keep_first(&mut self, cell: &Cell, field: FieldNo, value: String) {
        match self.values.get(field) {
            Some(_) if field == field::MESSAGE => self.keep_also(field, &value),
            Some(kept) if kept != value && !value.is_empty() => {
                let message = format!("another column gave `{kept}` first, which was kept");
                self.notice(cell, Remark::new("second-value", message));
            }
            Some(_) => {}
            None => self.values.set(field, value),
        }
    }
}

impl Draft<'_> {
    /// Adds `value` to the list in `field`, once.
    fn keep_also(&mut self, field: FieldNo, value: &str) {
        let listed = self.values.get(field).unwrap_or_default();
        if listed.split(LIST_SEPARATOR).any(|known| known == value) {
            return;
        }
        let longer = if listed.is_empty() {
            value.to_owned()
        } else {
            format!("{listed}{LIST_SEPARATOR}{value}")
        };
        self.values.set(field, longer);
    }
}

impl Normalizer<'_> {
    /// Reads every cell of a row.
    pub(super) fn draft<'r>(&self, cells: &'r [Cell]) -> Draft<'r> {
        let values = FieldValues::with_room_for(VALUES_EXPECTED, BYTES_EXPECTED);
        let mut draft = Draft { values, ..Draft::default() };
        for cell in cells.iter().filter(|cell| !is_blank(&cell.text)) {
            self.read(cell, &mut draft);
        }
        self.read_account(cells, &mut draft);
        self.settle_region(&mut draft);
        self.read_phones(&mut draft);
        self.settle_names(&mut draft);
        self.settle_consents(cells, &mut draft);
        draft
    }

    fn read<'r>(&self, cell: &'r Cell, draft: &mut Draft<'r>) {
        match cell.role {
            Role::Field(field) => self.read_field(cell, field, draft),
            Role::FullName => self.read_full_name(cell, draft),
            Role::SubmittedAt => self.read_time(cell, draft),
            Role::ModifiedAt => self.read_modification(cell, draft),
            Role::StartedAt => {
                if let Ok((found, _)) = moment::parse(&cell.text, self.time_style(&cell.column)) {
                    draft.started_at = Some((found, cell));
                }
            }
            Role::SubmissionId => {
                if let Some(field) = self.source.id_field {
                    draft.keep_first(cell, field, unguard(&cell.text).into_owned());
                }
            }
            Role::Consent(question) => self.read_consent(cell, question, draft),
            Role::LandingUrl => {
                draft.landing_pages.push(cell);
                draft.values.set_if_absent(field::LANDING_PAGE, unguard(&cell.text));
            }
            Role::AccountEmail
            | Role::AccountName
            | Role::TestMarker
            | Role::Honeypot
            | Role::Completion
            | Role::Volatile
            | Role::LeadId
            | Role::Event
            | Role::EventState
            | Role::EventDetail
            | Role::EventAmount
            | Role::EventCurrency
            | Role::NotedAt
            | Role::Answer => {}
        }
    }

    /// Whoever is logged in may fill a form in for somebody else: what the form was given outweighs the account.
    fn read_account<'r>(&self, cells: &'r [Cell], draft: &mut Draft<'r>) {
        let of_role = |role| cells.iter().find(|cell| cell.role == role && !is_blank(&cell.text));
        let address = of_role(Role::AccountEmail);
        let mailbox = |cell: &Cell| {
            email::parse(&cell.text, self.tables).ok().map(|found| mailbox_key(&found.address))
        };
        let is_theirs = draft.email.as_ref().is_none_or(|(given, _)| {
            address.is_none_or(|cell| mailbox(cell) == Some(mailbox_key(&given.address)))
        });
        if let Some(cell) = address.filter(|_| draft.email.is_none()) {
            self.read_email(cell, draft);
        }
        if let Some(cell) = of_role(Role::AccountName).filter(|_| is_theirs && draft.name.is_none())
        {
            self.read_full_name(cell, draft);
        }
    }

    fn read_time(&self, cell: &Cell, draft: &mut Draft<'_>) {
        if draft.submitted_at.is_some() {
            return;
        }
        match moment::parse(&cell.text, self.time_style(&cell.column)) {
            Ok((found, _)) if found.epoch_ms > self.latest_plausible_ms() => {
                let message = "this is in the future, so the time of receipt stands in; check the \
                               clock or the time zone of the source";
                draft.notice(cell, Remark::new("time-in-future", message));
            }
            Ok((found, remarks)) => {
                draft.submitted_at = Some(found);
                for remark in remarks {
                    draft.notice(cell, remark);
                }
            }
            Err(moment::MomentFault::Blank) => {}
            Err(moment::MomentFault::Null(remark) | moment::MomentFault::Unusable(remark)) => {
                draft.notice(cell, remark);
            }
        }
    }

    /// A time that cannot be read, or one ahead of receipt, says nothing about which state is the later.
    fn read_modification(&self, cell: &Cell, draft: &mut Draft<'_>) {
        let found = moment::parse(&cell.text, self.time_style(&cell.column))
            .ok()
            .map(|(found, _)| found.epoch_ms);
        let usable = found.filter(|at_ms| *at_ms <= self.latest_plausible_ms());
        draft.modified_at_ms = draft.modified_at_ms.max(usable);
    }

    /// Returns the latest time that a form can have been sent at: a zone's error ahead of receipt.
    pub(super) fn latest_plausible_ms(&self) -> i64 {
        self.source.received_at.timestamp_millis() + ZONE_ERROR_MAX_MS
    }

    fn read_consent<'r>(&self, cell: &'r Cell, question: u16, draft: &mut Draft<'r>) {
        let mapping =
            self.source.consents.get(question as usize).filter(|_| question != GENERIC_CONSENT);
        let mechanism = if self.source.is_contact_list { "import" } else { "checkbox" };
        let key = [&*cell.column, &format!("\x1f{question}:{}\x1f", cell.column.len()), &cell.text]
            .concat();
        let (claims, remark) = self.remembered.consents.recall(&key, || {
            mapping
                .map_or_else(|| consents::guessed(cell, mechanism), |it| consents::mapped(cell, it))
        });
        let from = draft.consents.len();
        draft.consents.extend(claims);
        let to = draft.consents.len();
        if from < to {
            draft.consents_answered.push(Answered {
                cell,
                question: mapping.map(|_| question),
                from,
                to,
            });
        }
        if let Some(remark) = remark {
            draft.notice(cell, remark);
        }
    }

    fn read_field<'r>(&self, cell: &'r Cell, field: FieldNo, draft: &mut Draft<'r>) {
        match field {
            field::EMAIL => return self.read_email(cell, draft),
            field::PHONE => return draft.phones.push(cell),
            field::FIRST_NAME | field::LAST_NAME => {
                draft.name = draft.name.or(Some(cell));
                let (part, name) = if field == field::FIRST_NAME {
                    let read = || person_name::given_part(&cell.text, self.tables);
                    let part = self.remembered.given_names.recall(&cell.text, read);
                    (part.honorific, part.first)
                } else {
                    let read = || person_name::family_part(&cell.text, self.tables);
                    let part = self.remembered.family_names.recall(&cell.text, read);
                    (part.honorific, part.last)
                };
                draft.values.set_if_absent(field::HONORIFIC, part);
                return draft.keep_first(cell, field, name);
            }
            field::LANDING_PAGE => draft.landing_pages.push(cell),
            field::COMPANY => return self.read_company(cell, draft),
            _ => {}
        }
        let read = || self.canonical(&cell.text, field);
        let canonical = match self.remembered.values.get(usize::from(field.0)) {
            Some(memory) => memory.recall(&cell.text, read),
            None => read(),
        };
        match canonical {
            Ok(Some(value)) => {
                if draft.values.get(field).is_none() {
                    self.note_bounds(cell, field, draft);
                }
                if field == field::CRM_OWNER {
                    self.note_stranger(cell, &value, draft);
                }
                draft.keep_first(cell, field, value);
            }
            Ok(None) => {}
            Err(remark) => draft.notice(cell, remark),
        }
    }

    /// Says that the CRM names an owner who is nobody of the team.
    fn note_stranger(&self, cell: &Cell, owner: &str, draft: &mut Draft<'_>) {
        if self.source.team.is_some_and(|team| team.owner_named(owner).is_none()) {
            let message = "no owner in routing.toml has this id, name, address or `crm-names`, so the \
                           lead is routed as if it had none";
            draft.notice(cell, Remark::new("owner-unknown", message));
        }
    }

    /// Keeps a company's name without the numbers behind it, which have fields of their own.
    fn read_company(&self, cell: &Cell, draft: &mut Draft<'_>) {
        let read = || self.company_in(&cell.text);
        let Some(company) = self.remembered.companies.recall(&cell.text, read) else { return };
        for (number, canonical) in company.numbers {
            match canonical {
                Ok(value) => draft.values.set_if_absent(number, value.unwrap_or_default()),
                Err(remark) => draft.notice(cell, remark),
            }
        }
        draft.keep_first(cell, field::COMPANY, company.name);
    }

    fn company_in(&self, raw: &str) -> Option<Company> {
        let text = unguard(raw);
        if says_nothing(&text, self.tables) {
            return None;
        }
        let (name, numbers) = company::split_numbers(&company::tidy(&text));
        let canonical =
            |(number, digits): (FieldNo, String)| (number, self.canonical(&digits, number));
        Some(Company { name, numbers: numbers.into_iter().map(canonical).collect() })
    }

    /// Returns the value of `field` in canonical form, nothing where the cell says nothing.
    pub(super) fn canonical(&self, raw: &str, field: FieldNo) -> Canonical {
        let text = unguard(raw);
        if field != field::COUNTRY && says_nothing(&text, self.tables) {
            return Ok(None);
        }
        let unreadable = |code, what: &str| {
            Err(Remark::new(code, format!("it is no {what}, so the field stays empty")))
        };
        match self.kind(field) {
            FieldKind::Number => match number_in(&text, field) {
                Some(value) => Ok(Some(value)),
                None if number::is_mangled_range(&text) => {
                    let message = "a spreadsheet took a range such as 1-5 for a date; export the \
                                   column as text";
                    Err(Remark::new("range-unrecoverable", message))
                }
                None => unreadable("number-unreadable", "number"),
            },
            // A time, as in Mailchimp's CLEAN_TIME, says that the thing happened.
            FieldKind::Boolean => match consents::answered(&text) {
                answer::Answer::Yes => Ok(Some("true".to_owned())),
                answer::Answer::No => Ok(Some("false".to_owned())),
                answer::Answer::Blank => Ok(None),
                // How many there are, as in Pipedrive's `Won deals`, says whether there is any.
                answer::Answer::Unknown => match text.trim().parse::<u32>() {
                    Ok(count) => Ok(Some((count > 0).to_string())),
                    Err(_) => unreadable("boolean-unreadable", "yes or no"),
                },
            },
            FieldKind::Country => match country::parse(&text, self.tables) {
                Some(code) => Ok(Some(code)),
                None if says_nothing(&text, self.tables) => Ok(None),
                None => match country::suggest(&text, self.tables) {
                    Some(code) => {
                        let message = format!(
                            "it is no country that leadmill knows, so the field stays empty; {code} was probably meant"
                        );
                        Err(Remark::new("country-unknown", message))
                    }
                    None => unreadable("country-unknown", "country that leadmill knows"),
                },
            },
            FieldKind::Url => match web::parse(&text) {
                Some(_) if field == field::WEBSITE => Ok(web::host(&text)),
                Some(url) => Ok(Some(url.to_string())),
                None => unreadable("url-invalid", "web address"),
            },
            FieldKind::Email => match email::parse(&text, self.tables) {
                Ok(found) => Ok(Some(found.address)),
                Err(EmailFault::Blank) => Ok(None),
                Err(EmailFault::Invalid(_)) => unreadable("email-invalid", "e-mail address"),
            },
            FieldKind::Phone => {
                match super::phone::parse(&text, self.source.default_country, self.tables) {
                    Ok(found) => Ok(Some(found.e164)),
                    Err(PhoneFault::Blank) => Ok(None),
                    Err(_) => unreadable("phone-invalid", "phone number"),
                }
            }
            FieldKind::Company => Ok(Some(company::tidy(&text))),
            FieldKind::Name => Ok(Some(person_name::family_part(&text, self.tables).last)),
            FieldKind::Identifier if super::fingerprint::is_rounded(&text) => {
                let message = "a spreadsheet rounded it; the digits are lost".to_owned();
                Err(Remark::new("id-unrecoverable", message))
            }
            FieldKind::Identifier if field == field::NIP => match company::nip(&text) {
                Some(nip) => Ok(Some(nip)),
                None => unreadable("nip-invalid", "valid NIP"),
            },
            FieldKind::Identifier if field == field::REGON => match company::regon(&text) {
                Some(regon) => Ok(Some(regon)),
                None => unreadable("regon-invalid", "valid REGON"),
            },
            FieldKind::Identifier if field == field::KRS => match company::krs(&text) {
                Some(krs) => Ok(Some(krs)),
                None => unreadable("krs-invalid", "KRS number"),
            },
            FieldKind::Text if field == field::LANGUAGE => Ok(Some(language(&text))),
            FieldKind::Text if field == field::BUDGET_CURRENCY => {
                let code = number::currency(&text).map(str::to_owned);
                Ok(Some(code.unwrap_or_else(|| text.to_uppercase())))
            }
            FieldKind::Identifier | FieldKind::Text => Ok(Some(text.into_owned())),
        }
    }

    /// Returns the kind of `field`; core fields keep theirs where `fields.toml` leaves them out.
    fn kind(&self, field: FieldNo) -> FieldKind {
        let kind = self.fields.spec(field).kind;
        match field {
            field::COMPANY if kind == FieldKind::Text => FieldKind::Company,
            field::COUNTRY if kind == FieldKind::Text => FieldKind::Country,
            field::WEBSITE if kind == FieldKind::Text => FieldKind::Url,
            field::EMPLOYEES | field::BUDGET if kind == FieldKind::Text => FieldKind::Number,
            // A broken address of a page still says where somebody came from.
            field::REFERRER | field::LANDING_PAGE => FieldKind::Text,
            field::NIP
            | field::REGON
            | field::KRS
            | field::EXTERNAL_ID
            | field::AD_ID
            | field::ADSET_ID
            | field::CAMPAIGN_ID
            | field::FORM_ID => FieldKind::Identifier,
            _ => kind,
        }
    }

    fn read_email<'r>(&self, cell: &'r Cell, draft: &mut Draft<'r>) {
        match email::parse(&cell.text, self.tables) {
            Ok(found) => {
                if let Some((kept, _)) = &draft.email {
                    if mailbox_key(&kept.address) != mailbox_key(&found.address) {
                        let message = format!(
                            "another column gave {} first; this one is kept beside it",
                            kept.address
                        );
                        draft.notice(cell, Remark::new("email-second", message));
                        draft.keep_also(field::OTHER_EMAILS, &found.address);
                    }
                    return;
                }
                for remark in found.remarks.clone() {
                    draft.notice(cell, remark);
                }
                draft.values.set(field::EMAIL, found.address.as_str());
                for other in &found.others {
                    draft.keep_also(field::OTHER_EMAILS, other);
                }
                if let Some(meant) = &found.suggestion {
                    draft.values.set(field::EMAIL_SUGGESTION, meant.as_str());
                }
                draft.email = Some((found, cell));
            }
            Err(EmailFault::Blank) => {}
            Err(EmailFault::Invalid(reason)) => {
                let message = format!("mail cannot be sent there: {reason}");
                draft.notice(cell, Remark::new("email-invalid", message));
                draft.email_fault.get_or_insert((cell, reason));
            }
        }
    }

    /// Keeps what a budget or a head count says beside its number.
    fn note_bounds(&self, cell: &Cell, number: FieldNo, draft: &mut Draft<'_>) {
        let (max, is_money) = match number {
            field::BUDGET => (field::BUDGET_MAX, true),
            field::EMPLOYEES => (field::EMPLOYEES_MAX, false),
            _ => return,
        };
        let remembered = &self.remembered;
        let memory = if is_money { &remembered.budgets } else { &remembered.head_counts };
        let read = || {
            let text = unguard(&cell.text);
            if is_money { number::money(&text) } else { number::amount(&text) }
        };
        let Some(amount) = memory.recall(&cell.text, read) else { return };
        if amount.is_product {
            let message =
                format!("`{}` was multiplied out to {}", unguard(&cell.text), amount.value);
            draft.notice(cell, Remark::new("number-multiplied", message));
        }
        draft.values.set_if_absent(max, amount.upper.unwrap_or_default());
        if is_money {
            let currency = amount.currency.or_else(|| number::currency(&cell.column));
            draft.values.set_if_absent(field::BUDGET_CURRENCY, currency.unwrap_or_default());
        }
    }

    /// Gives a region its usual name, and the country it lies in where the row names none.
    fn settle_region(&self, draft: &mut Draft<'_>) {
        let Some(written) = draft.values.get(field::REGION) else { return };
        let country = draft.values.get(field::COUNTRY);
        let Some(found) = country::region(written, country, self.tables) else { return };
        draft.values.set(field::REGION, found.name.as_str());
        draft.values.set_if_absent(field::COUNTRY, found.country.as_str());
    }

    /// Reads the phones last: the row's country tells how a national number is dialled.
    fn read_phones(&self, draft: &mut Draft<'_>) {
        let country = draft.values.get(field::COUNTRY).map(str::to_owned);
        for cell in std::mem::take(&mut draft.phones) {
            match self.phone(&cell.text, country.as_deref()) {
                Ok(phone) => Self::take_phone(phone, cell, draft),
                Err(PhoneFault::Blank) => {}
                Err(fault) => {
                    draft.notice(cell, phone_remark(&fault));
                    draft.phone_fault.get_or_insert((cell, fault));
                }
            }
        }
    }

    fn take_phone<'r>(phone: Phone, cell: &'r Cell, draft: &mut Draft<'r>) {
        if let Some((kept, _)) = &draft.phone {
            if kept.e164 != phone.e164 {
                let message =
                    format!("another column gave {} first; this one is kept beside it", kept.e164);
                draft.notice(cell, Remark::new("phone-second", message));
                draft.keep_also(field::OTHER_PHONES, &phone.e164);
            }
            return;
        }
        for remark in phone.remarks.clone() {
            draft.notice(cell, remark);
        }
        draft.values.set(field::PHONE, phone.e164.as_str());
        draft.values.set(field::PHONE_TYPE, phone.kind);
        draft.values.set(field::PHONE_EXTENSION, phone.extension.as_str());
        for other in &phone.others {
            draft.keep_also(field::OTHER_PHONES, other);
        }
        if let Some(region) = &phone.region {
            draft.values.set_if_absent(field::COUNTRY, region.as_str());
        }
        draft.phone = Some((phone, cell));
    }

    fn read_full_name<'r>(&self, cell: &'r Cell, draft: &mut Draft<'r>) {
        let read = || match company::in_name(&cell.text, self.tables) {
            Some(company) => WholeName::Company(company),
            None => WholeName::Person(person_name::split(&cell.text, self.tables)),
        };
        let name = match self.remembered.whole_names.recall(&cell.text, read) {
            WholeName::Person(name) => name,
            WholeName::Company(company) => {
                let message = format!("`{company}` is a company and no person's name");
                draft.notice(cell, Remark::new("name-is-company", message));
                return draft.company_in_name = company;
            }
        };
        draft.name = draft.name.or(Some(cell));
        draft.values.set_if_absent(field::HONORIFIC, name.honorific);
        draft.values.set_if_absent(field::FIRST_NAME, name.first);
        draft.values.set_if_absent(field::LAST_NAME, name.last);
    }

    /// Splits a whole name that stands in the first-name column of a form without a second one.
    fn settle_names(&self, draft: &mut Draft<'_>) {
        draft.values.set_if_absent(field::COMPANY, std::mem::take(&mut draft.company_in_name));
        if draft.values.get(field::LAST_NAME).is_some() {
            return;
        }
        let Some(first) = draft.values.get(field::FIRST_NAME).filter(|name| name.contains(' '))
        else {
            return;
        };
        let name = person_name::split(first, self.tables);
        // "Anna Maria" is two given names, not a name and a family name.
        if self.tables.is_given_name(&fold_header(&name.last)) {
            return;
        }
        draft.values.set(field::FIRST_NAME, name.first);
        draft.values.set(field::LAST_NAME, name.last);
    }
}

fn number_in(text: &str, field: FieldNo) -> Option<String> {
    match field {
        field::BUDGET => number::money(text).map(|amount| amount.value),
        _ => number::parse(text),
    }
}

/// Returns what to say about a number that is none.
pub(super) fn phone_remark(fault: &PhoneFault) -> Remark {
    match fault {
        PhoneFault::Blank => Remark::new("phone-invalid", "there is no number in it"),
        PhoneFault::Placeholder => {
            Remark::new("phone-placeholder", "nobody has this number; it was made up")
        }
        PhoneFault::Unrecoverable => Remark::new(
            "phone-unrecoverable",
            "a spreadsheet rounded the number; its digits are lost",
        ),
        PhoneFault::Invalid(reason) => {
            Remark::new("phone-invalid", format!("it cannot be dialled: {reason}"))
        }
    }
}

/// Returns whether `text` is punctuation alone or a word such as `brak`; two letters may be a code.
fn says_nothing(text: &str, tables: &Tables) -> bool {
    if text.len() > PLACEHOLDER_BYTES_MAX {
        return false;
    }
    if !text.chars().any(char::is_alphanumeric) {
        return true;
    }
    let starts_word = text.starts_with(|c: char| c.is_alphabetic());
    starts_word && text.len() > 2 && tables.is_placeholder(&fold_header(text))
}

/// Returns the ISO 639-1 code in `text` (`pl-PL`, `Polski`), else the text in lower case.
fn language(text: &str) -> String {
    let folded = fold_header(text);
    let word = folded.split(' ').next().unwrap_or_default();
    let code = match word {
        "polish" | "polski" | "polnisch" => "pl",
        "english" | "angielski" | "englisch" => "en",
        "german" | "niemiecki" | "deutsch" => "de",
        "ukrainian" | "ukrainski" | "ukrainisch" => "uk",
        "french" | "francuski" | "franzosisch" => "fr",
        "spanish" | "hiszpanski" | "spanisch" => "es",
        "czech" | "czeski" | "tschechisch" => "cs",
        other => other,
    };
    code.to_owned()
}
