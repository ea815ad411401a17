//! Fields of a lead and their values in canonical text form.

use std::fmt;

/// Numbers a field; the core fields below come first, those that `fields.toml` adds follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldNo(pub u16);

macro_rules! core_fields {
    ($($number:literal $constant:ident $name:literal $doc:literal;)*) => {
        $(#[doc = $doc] pub const $constant: FieldNo = FieldNo($number);)*
        /// The names of the core fields; the position is the field's number.
        pub const CORE: &[&str] = &[$($name),*];
        /// What each core field holds, in the order of [`CORE`].
        pub const CORE_DOCS: &[&str] = &[$($doc),*];
    };
}

core_fields! {
    0 EMAIL "email" "E-mail address as it can be delivered to: trimmed, domain in lower case, IDN as punycode.";
    1 PHONE "phone" "Phone number in E.164.";
    2 FIRST_NAME "first-name" "Given name or names.";
    3 LAST_NAME "last-name" "Family name with its particles.";
    4 HONORIFIC "honorific" "Title or salutation split off the name (Pan, dr, Frau).";
    5 COMPANY "company" "Company name as received, tidied.";
    6 NIP "nip" "Polish tax number, ten digits, checksum valid.";
    7 WEBSITE "website" "Company web site host.";
    8 JOB_TITLE "job-title" "Job title as received.";
    9 EMPLOYEES "employees" "Head count; the lower bound where a range was given.";
    10 STREET "street" "Street and number.";
    11 POSTCODE "postcode" "Postal code.";
    12 CITY "city" "City.";
    13 REGION "region" "State, voivodeship or Land.";
    14 COUNTRY "country" "Country as ISO 3166-1 alpha-2.";
    15 LANGUAGE "language" "Language as ISO 639-1.";
    16 PRODUCT "product" "Product or service asked about.";
    17 MESSAGE "message" "Free text that the person wrote.";
    18 BUDGET "budget" "Budget as a plain number.";
    19 EXTERNAL_ID "external-id" "Record id in the CRM the row was exported from.";
    20 CRM_OWNER "crm-owner" "Owner named by the CRM the row was exported from.";
    21 CRM_STATUS "crm-status" "Status named by the system the row was exported from.";
    22 SOURCE "source" "Channel the lead came by, canonical (google, facebook, linkedin, direct).";
    23 MEDIUM "medium" "Kind of channel (cpc, paid-social, organic, email, referral, form).";
    24 CAMPAIGN "campaign" "Campaign name.";
    25 UTM_SOURCE "utm-source" "utm_source as received.";
    26 UTM_MEDIUM "utm-medium" "utm_medium as received.";
    27 UTM_CAMPAIGN "utm-campaign" "utm_campaign as received.";
    28 UTM_TERM "utm-term" "utm_term as received.";
    29 UTM_CONTENT "utm-content" "utm_content as received.";
    30 GCLID "gclid" "Google click id.";
    31 GBRAID "gbraid" "Google app-to-web click id.";
    32 WBRAID "wbraid" "Google web-to-app click id.";
    33 FBCLID "fbclid" "Facebook click id.";
    34 TTCLID "ttclid" "TikTok click id.";
    35 MSCLKID "msclkid" "Microsoft click id.";
    36 LI_FAT_ID "li-fat-id" "LinkedIn click id.";
    37 REFERRER "referrer" "Page the person came from.";
    38 LANDING_PAGE "landing-page" "Page the person landed on, or the form's page.";
    39 AD_ID "ad-id" "Advertisement id, without the vendor's prefix.";
    40 AD_NAME "ad-name" "Advertisement name.";
    41 ADSET_ID "adset-id" "Ad set or ad group id.";
    42 ADSET_NAME "adset-name" "Ad set or ad group name.";
    43 CAMPAIGN_ID "campaign-id" "Campaign id, without the vendor's prefix.";
    44 FORM_ID "form-id" "Form id.";
    45 FORM_NAME "form-name" "Form name.";
    46 PLATFORM "platform" "Placement inside the vendor (fb, ig).";
    47 DEVICE "device" "Device class: desktop, mobile, tablet or bot.";
    48 IP "ip" "IP address the form was sent from.";
    49 USER_AGENT "user-agent" "User agent the form was sent with.";
    50 VISITOR_ID "visitor-id" "Anonymous visitor id that joins page views to a submission.";
    51 EMAIL_DOMAIN "email-domain" "Registrable domain of the e-mail address.";
    52 EMAIL_IS_FREE "email-is-free" "`true` when the mailbox is at a free-mail provider.";
    53 EMAIL_IS_ROLE "email-is-role" "`true` when the mailbox belongs to a function (info@, biuro@).";
    54 EMAIL_IS_DISPOSABLE "email-is-disposable" "`true` when the mailbox is a throw-away one.";
    55 PHONE_TYPE "phone-type" "mobile, fixed, fixed-or-mobile, voip, premium, toll-free, shared-cost, personal, pager, universal-access, voicemail or unknown.";
    56 SENIORITY "seniority" "owner, c-level, director, manager or specialist, read from the job title.";
    57 DEPARTMENT "department" "Part of the company, read from the job title (sales, marketing, it, finance, ...).";
    58 BROWSER "browser" "Browser that the form was sent with, or the app it was opened in.";
    59 OPERATING_SYSTEM "operating-system" "Operating system that the form was sent from.";
    60 EMPLOYEES_MAX "employees-max" "Upper bound of the head count, where one was given.";
    61 BUDGET_MAX "budget-max" "Upper bound of the budget, where one was given.";
    62 BUDGET_CURRENCY "budget-currency" "Currency of the budget as ISO 4217, where one was named.";
    63 LAST_SOURCE "last-source" "Channel of the latest touch, canonical; `source` is that of the first.";
    64 LAST_MEDIUM "last-medium" "Kind of channel of the latest touch.";
    65 LAST_CAMPAIGN "last-campaign" "Campaign of the latest touch.";
    66 OTHER_EMAILS "other-emails" "Further e-mail addresses that the row gave, separated by `; `.";
    67 OTHER_PHONES "other-phones" "Further phone numbers that the row gave, in E.164, separated by `; `.";
    68 PHONE_EXTENSION "phone-extension" "Digits to dial once the phone number answers.";
    69 EMAIL_SUGGESTION "email-suggestion" "Address that was probably meant where the domain looks misspelt; mail never goes there by itself.";
    70 COMPANY_DOMAIN "company-domain" "Domain of the company: its web site's, else the e-mail's unless anybody can get a mailbox there.";
    71 LEGAL_FORM "legal-form" "Legal form at the end of the company name, in its usual spelling (sp. z o.o., GmbH).";
    72 REGON "regon" "Polish statistical number, 9 or 14 digits, checksum valid.";
    73 KRS "krs" "Number in the Polish court register, ten digits.";
    74 EMAIL_IS_UNDELIVERABLE "email-is-undeliverable" "`true` when mail to the address came back for good.";
    75 USER_ID "user-id" "The person's id in the product or on the site, as trackers have it.";
    76 IS_CUSTOMER "is-customer" "`true` when a CRM or a list says that they have bought, `false` when it says how far they are and that is not it.";
}

/// What [`PHONE_TYPE`] may be: the types of libphonenumber, and `unknown` where its metadata give none.
///
/// In the United States and some other countries a number does not tell mobiles from fixed lines.
pub const PHONE_TYPES: &[&str] = &[
    "mobile",
    "fixed",
    "fixed-or-mobile",
    "voip",
    "premium",
    "toll-free",
    "shared-cost",
    "personal",
    "pager",
    "universal-access",
    "voicemail",
    "unknown",
];

/// The values of one submission or lead, sorted by field; a missing field is absent, never empty.
///
/// All of them stand in one text, for there are thirty in a row and a million rows; records have caps far below the
/// 4 GiB that it may have. What a value that was replaced took up stays unused.
#[derive(Clone, Default)]
pub struct FieldValues {
    text: String,
    slots: Vec<Slot>,
}

/// Where a value stands.
#[derive(Debug, Clone, Copy)]
struct Slot {
    field: FieldNo,
    start: u32,
    end: u32,
}

impl FieldValues {
    /// Makes room for `count` values of `bytes` together.
    pub fn with_room_for(count: usize, bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), slots: Vec::with_capacity(count) }
    }

    /// Returns the value of `field`.
    pub fn get(&self, field: FieldNo) -> Option<&str> {
        self.position(field).ok().map(|found| self.at(found))
    }

    /// Returns the value of `field` and its position among the values.
    pub fn locate(&self, field: FieldNo) -> Option<(usize, &str)> {
        self.position(field).ok().map(|found| (found, self.at(found)))
    }

    /// Sets `field`; an empty `value` removes it.
    pub fn set(&mut self, field: FieldNo, value: impl AsRef<str>) {
        let value = value.as_ref();
        // Values that are read back come in the order in which they stand here.
        let place = match self.slots.last() {
            Some(last) if last.field >= field => self.position(field),
            _ => Err(self.slots.len()),
        };
        if value.is_empty() {
            if let Ok(found) = place {
                self.slots.remove(found);
            }
            return;
        }
        let start = self.text.len() as u32;
        self.text.push_str(value);
        let slot = Slot { field, start, end: self.text.len() as u32 };
        match place {
            Ok(found) => self.slots[found] = slot,
            Err(place) => self.slots.insert(place, slot),
        }
    }

    /// Sets `field` where it is absent; an empty `value` does nothing.
    pub fn set_if_absent(&mut self, field: FieldNo, value: impl AsRef<str>) {
        if self.position(field).is_err() {
            self.set(field, value);
        }
    }

    /// Returns whether `field` holds the canonical `true`.
    pub fn is_true(&self, field: FieldNo) -> bool {
        self.get(field) == Some("true")
    }

    /// Iterates in order of field number.
    pub fn iter(&self) -> impl Iterator<Item = (FieldNo, &str)> {
        self.slots.iter().map(|slot| (slot.field, self.value(slot)))
    }

    /// Returns how many fields have a value.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Returns whether no field has a value.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    fn at(&self, position: usize) -> &str {
        self.value(&self.slots[position])
    }

    fn value(&self, slot: &Slot) -> &str {
        &self.text[slot.start as usize..slot.end as usize]
    }

    fn position(&self, field: FieldNo) -> Result<usize, usize> {
        self.slots.binary_search_by_key(&field, |slot| slot.field)
    }
}

impl fmt::Debug for FieldValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl PartialEq for FieldValues {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for FieldValues {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn core_numbers_are_positions() {
        assert_eq!(CORE[EMAIL.0 as usize], "email");
        assert_eq!(CORE[KRS.0 as usize], "krs");
        assert_eq!(CORE.len(), IS_CUSTOMER.0 as usize + 1);
    }

    #[test]
    fn an_empty_value_is_no_value() {
        let mut values = FieldValues::default();
        values.set(PHONE, "+48600123456");
        values.set(EMAIL, "a@example.com");
        values.set_if_absent(EMAIL, "b@example.com");
        assert_eq!(values.iter().map(|(field, _)| field).collect::<Vec<_>>(), [EMAIL, PHONE]);
        assert_eq!(values.get(EMAIL), Some("a@example.com"));
        values.set(EMAIL, "");
        assert_eq!(values.get(EMAIL), None);
        assert_eq!(values.len(), 1);
    }

    #[test]
    fn values_are_equal_however_they_came_to_be() {
        let mut values = FieldValues::default();
        values.set(PHONE, "+48600123456");
        values.set(EMAIL, "a@example.com");
        let mut others = FieldValues::default();
        others.set(EMAIL, "another@example.com");
        others.set(EMAIL, "a@example.com");
        assert_ne!(values, others);
        others.set(PHONE, "+48600123456");
        assert_eq!(values, others);
        assert_eq!(others.locate(PHONE), Some((1, "+48600123456")));
    }
}
