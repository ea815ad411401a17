//! Whole rows, from cells to verdict.

use std::sync::LazyLock;

use chrono::{TimeZone as _, Utc};

use super::date_order::DateHabits;
use super::*;
use crate::model::consent::{Channel, ConsentState, Purpose};
use crate::model::field::{self, FieldNo};
use crate::model::moment::{Certainty, DateOrder};
use crate::model::row::{Cell, GENERIC_CONSENT, Role, RowKind, RowTouch};
use crate::model::submission::Submission;
use crate::rules::source::NamePattern;
use crate::rules::tables::shipped;

static FIELDS: LazyLock<FieldCatalog> = LazyLock::new(|| FieldCatalog::decode(None));

static DATE_ORDERS: LazyLock<DateOrders> = LazyLock::new(|| {
    DateOrders::of_source(DateHabits { order: DateOrder::Unknown, formats: &[], country: "PL" })
});

const EMAIL: Role = Role::Field(field::EMAIL);
const PHONE: Role = Role::Field(field::PHONE);

fn source() -> SourceContext<'static> {
    SourceContext {
        source_id: "test",
        zone: chrono_tz::Europe::Warsaw,
        date_formats: &[],
        date_orders: &DATE_ORDERS,
        counts_from_1904: false,
        id_scope: IdScope::Everywhere,
        columns: &[],
        told: &[],
        consents: &[],
        default_country: "PL",
        received_at: Utc.with_ymd_and_hms(2025, 9, 30, 12, 0, 0).unwrap(),
        is_contact_list: false,
        id_field: None,
        default_source: None,
        default_medium: None,
        team: None,
    }
}

fn cells(pairs: &[(Role, &str)]) -> Vec<Cell> {
    let cell = |(at, (role, text)): (usize, &(Role, &str))| Cell {
        column: format!("c{at}").into(),
        role: *role,
        text: (*text).to_owned(),
    };
    pairs.iter().enumerate().map(cell).collect()
}

fn judge_in(source: SourceContext<'_>, kind: RowKind, pairs: &[(Role, &str)]) -> RowVerdict {
    let row = Row {
        origin: Origin { record: 1, line: 2 },
        raw: "[]".to_owned(),
        content: RowContent::Cells(kind, cells(pairs)),
        notices: Vec::new(),
    };
    Normalizer::new(shipped(), &FIELDS, source).normalize(row).2
}

fn judge(pairs: &[(Role, &str)]) -> RowVerdict {
    judge_in(source(), RowKind::Submission, pairs)
}

/// Judges a row of columns with these names.
#[track_caller]
fn accepted_of(source: SourceContext<'_>, columns: &[(&str, Role, &str)]) -> Submission {
    let cell = |(column, role, text): &(&str, Role, &str)| Cell {
        column: (*column).into(),
        role: *role,
        text: (*text).to_owned(),
    };
    let content = RowContent::Cells(RowKind::Submission, columns.iter().map(cell).collect());
    let origin = Origin { record: 1, line: 2 };
    let row = Row { origin, raw: "[]".to_owned(), content, notices: Vec::new() };
    match Normalizer::new(shipped(), &FIELDS, source).normalize(row).2 {
        RowVerdict::Accepted(submission) => *submission,
        other => panic!("{columns:?}: {other:?}"),
    }
}

#[track_caller]
fn accepted(pairs: &[(Role, &str)]) -> Submission {
    match judge(pairs) {
        RowVerdict::Accepted(submission) => *submission,
        other => panic!("{pairs:?}: {other:?}"),
    }
}

#[track_caller]
fn check_values(pairs: &[(Role, &str)], expected: &[(FieldNo, &str)]) {
    let submission = accepted(pairs);
    for (number, value) in expected {
        let found = submission.values.get(*number);
        assert_eq!(
            found.unwrap_or(""),
            *value,
            "field {} of {pairs:?}",
            field::CORE[number.0 as usize]
        );
    }
}

#[track_caller]
fn check_codes(pairs: &[(Role, &str)], expected: &[&str]) {
    let found: Vec<&str> = accepted(pairs).notices.iter().map(|notice| notice.code).collect();
    assert_eq!(found, expected, "{pairs:?}");
}

#[track_caller]
fn check_word(pairs: &[(Role, &str)], expected: &str) {
    let word = match judge(pairs) {
        RowVerdict::Accepted(_) => "accepted".to_owned(),
        RowVerdict::Touch(_) => "touch".to_owned(),
        RowVerdict::Held(hold) => format!("held {} {}", hold.reason.word(), hold.column),
        RowVerdict::Quarantined(rejection) => format!("{} {}", rejection.code, rejection.column),
        RowVerdict::Skipped(reason) => reason.to_owned(),
    };
    assert_eq!(word.trim(), expected, "{pairs:?}");
}

#[test]
fn a_plain_row_is_enriched() {
    check_values(
        &[
            (Role::FullName, "Pani ANNA ŁĘCKA"),
            (EMAIL, " Biuro@Przyklad.PL"),
            (PHONE, "600 123 456"),
            (Role::Field(field::JOB_TITLE), "Prezes  Zarządu"),
            (Role::Field(field::BUDGET), "12 500,50 zł"),
            (Role::Field(field::WEBSITE), "https://www.przyklad.pl/kontakt"),
            (Role::Field(field::COMPANY), "„Firma”"),
            (
                Role::LandingUrl,
                "https://example.com/?utm_source=google&utm_medium=cpc&utm_campaign=jesien",
            ),
            (
                Role::Field(field::USER_AGENT),
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X)",
            ),
        ],
        &[
            (field::HONORIFIC, "Pani"),
            (field::FIRST_NAME, "Anna"),
            (field::LAST_NAME, "Łęcka"),
            (field::EMAIL, "Biuro@przyklad.pl"),
            (field::EMAIL_DOMAIN, "przyklad.pl"),
            (field::EMAIL_IS_ROLE, "true"),
            (field::EMAIL_IS_FREE, ""),
            (field::PHONE, "+48600123456"),
            (field::PHONE_TYPE, "mobile"),
            (field::COUNTRY, "PL"),
            (field::SENIORITY, "c-level"),
            (field::DEPARTMENT, "management"),
            (field::BUDGET, "12500.5"),
            (field::BUDGET_CURRENCY, "PLN"),
            (field::WEBSITE, "przyklad.pl"),
            (field::COMPANY, "Firma"),
            (field::SOURCE, "google"),
            (field::MEDIUM, "cpc"),
            (field::CAMPAIGN, "jesien"),
            (field::LAST_SOURCE, "google"),
            (field::DEVICE, "mobile"),
            (field::OPERATING_SYSTEM, "iOS"),
        ],
    );
}

#[test]
fn one_usable_contact_is_enough() {
    check_codes(&[(EMAIL, "anna@"), (PHONE, "600123456")], &["email-invalid"]);
    check_codes(&[(EMAIL, "anna@example.com"), (PHONE, "12")], &["phone-invalid"]);
    check_codes(&[(EMAIL, "anna@example.com"), (PHONE, "123456789")], &["phone-placeholder"]);
    check_codes(&[(EMAIL, "anonymous"), (EMAIL, "anna@example.com")], &[]);
    check_codes(&[(EMAIL, "anna@example.com"), (EMAIL, "jan@example.com")], &["email-second"]);
    check_codes(&[(EMAIL, "anna@example.com"), (EMAIL, "Anna@example.com")], &[]);
}

#[test]
fn no_usable_contact_is_quarantined_with_its_column() {
    check_word(&[(Role::FullName, "Anna Łęcka"), (EMAIL, "anna@")], "email-invalid c1");
    check_word(&[(EMAIL, "brak"), (PHONE, "12")], "phone-invalid c1");
    check_word(&[(Role::FullName, "Anna Łęcka"), (EMAIL, "-")], "no-contact");
    check_word(&[(PHONE, "4,86001E+10")], "phone-unrecoverable c0");
}

#[test]
fn a_named_row_whose_number_a_spreadsheet_lost_is_accepted() {
    check_codes(
        &[(Role::FullName, "Anna Łęcka"), (PHONE, "4,86001E+10")],
        &["phone-unrecoverable"],
    );
}

#[test]
fn tests_bots_and_unfinished_forms_are_held() {
    check_word(&[(EMAIL, "test@meta.com"), (PHONE, "600123456")], "held test c0");
    check_word(&[(Role::FullName, "<test lead: dummy data for full_name>")], "held test c0");
    check_word(
        &[(Role::FullName, "test"), (EMAIL, "test@test.com"), (PHONE, "123456789")],
        "held test c1",
    );
    let phone = (PHONE, "600123456");
    check_word(&[(Role::FullName, "Anna Łęcka"), (EMAIL, "asd@asd.pl"), phone], "accepted");
    check_word(&[(EMAIL, "test@test.pl"), phone], "accepted");
    check_word(&[(Role::FullName, "Test"), (EMAIL, "test@test.pl"), phone], "held test c1");
    check_word(&[(Role::FullName, "Anna Łęcka"), (EMAIL, "test@test.pl")], "held test c1");
    check_word(&[(Role::FullName, "Anna"), (EMAIL, "brak@gmail.com")], "email-invalid c1");
    check_codes(&[(EMAIL, "test@test.pl"), phone], &["email-placeholder"]);
    check_values(
        &[(EMAIL, "test@test.pl"), phone],
        &[(field::EMAIL, ""), (field::PHONE, "+48600123456")],
    );
    check_word(&[(Role::FullName, "test"), (PHONE, "123456789")], "held test c0");
    check_word(&[(Role::Honeypot, "x"), (EMAIL, "anna@example.com")], "held spam c0");
    check_word(&[(Role::Completion, "partial"), (EMAIL, "anna@example.com")], "held partial c0");
    check_word(&[(Role::Completion, "completed"), (EMAIL, "anna@example.com")], "accepted");
}

#[test]
fn a_whole_name_in_the_first_name_column_is_split() {
    let first = Role::Field(field::FIRST_NAME);
    let last = Role::Field(field::LAST_NAME);
    let email = (EMAIL, "anna@example.com");
    check_values(
        &[(first, "anna łęcka"), email],
        &[(field::FIRST_NAME, "Anna"), (field::LAST_NAME, "Łęcka")],
    );
    check_values(
        &[(first, "Anna Maria"), email],
        &[(field::FIRST_NAME, "Anna Maria"), (field::LAST_NAME, "")],
    );
    check_values(
        &[(first, "ANNA"), (last, "VON MISES"), email],
        &[(field::LAST_NAME, "von Mises")],
    );
}

#[test]
fn the_row_s_country_tells_how_a_number_is_dialled() {
    let country = Role::Field(field::COUNTRY);
    check_values(
        &[(PHONE, "030 1234567"), (country, "Niemcy")],
        &[(field::PHONE, "+49301234567"), (field::COUNTRY, "DE")],
    );
    check_values(
        &[(PHONE, "600123456"), (country, "Ireland")],
        &[(field::PHONE, "+48600123456"), (field::COUNTRY, "IE")],
    );
    check_values(&[(PHONE, "+447400123456")], &[(field::COUNTRY, "GB")]);
}

#[test]
fn second_contacts_are_kept_beside_the_first() {
    let pairs = [
        (EMAIL, "anna@przyklad.pl; biuro@przyklad.pl"),
        (EMAIL, "anna@gmial.com"),
        (EMAIL, "ANNA@przyklad.pl"),
        (PHONE, "22 123 45 67 wew. 12 / 600123456"),
        (PHONE, "601123457"),
        (PHONE, "+48 601 123 457"),
    ];
    check_values(
        &pairs,
        &[
            (field::EMAIL, "anna@przyklad.pl"),
            (field::OTHER_EMAILS, "biuro@przyklad.pl; anna@gmial.com"),
            (field::EMAIL_SUGGESTION, ""),
            (field::PHONE, "+48221234567"),
            (field::PHONE_EXTENSION, "12"),
            (field::OTHER_PHONES, "+48600123456; +48601123457"),
        ],
    );
    check_values(
        &[(EMAIL, "anna@gmial.com")],
        &[(field::EMAIL, "anna@gmial.com"), (field::EMAIL_SUGGESTION, "anna@gmail.com")],
    );
}

#[test]
fn a_company_is_known_by_its_form_its_numbers_and_its_domain() {
    let company = Role::Field(field::COMPANY);
    check_values(
        &[
            (EMAIL, "anna@mail.przyklad.pl"),
            (company, "Bau &amp; Söhne Sp. z o. o."),
            (Role::Field(field::REGON), "123-456-785"),
            (Role::Field(field::KRS), "KRS 123456"),
        ],
        &[
            (field::COMPANY, "Bau & Söhne Sp. z o. o."),
            (field::LEGAL_FORM, "sp. z o.o."),
            (field::REGON, "123456785"),
            (field::KRS, "0000123456"),
            (field::COMPANY_DOMAIN, "przyklad.pl"),
        ],
    );
    let site = (Role::Field(field::WEBSITE), "https://www.przyklad.pl");
    check_values(&[(EMAIL, "anna@gmail.com"), site], &[(field::COMPANY_DOMAIN, "przyklad.pl")]);
    check_values(&[(EMAIL, "anna@gmail.com")], &[(field::COMPANY_DOMAIN, "")]);
    let email = (EMAIL, "anna@przyklad.pl");
    check_codes(&[email, (Role::Field(field::REGON), "123456786")], &["regon-invalid"]);
    check_codes(&[email, (Role::Field(field::KRS), "12")], &["krs-invalid"]);
    check_codes(&[email, (Role::Field(field::NIP), "5,26E+09")], &["id-unrecoverable"]);
}

#[test]
fn a_region_tells_its_country() {
    let region = Role::Field(field::REGION);
    let country = Role::Field(field::COUNTRY);
    let email = (EMAIL, "anna@example.com");
    check_values(
        &[email, (region, "Woj. MAŁOPOLSKIE")],
        &[(field::REGION, "małopolskie"), (field::COUNTRY, "PL")],
    );
    check_values(
        &[email, (region, "Bavaria"), (PHONE, "030 1234567")],
        &[(field::REGION, "Bayern"), (field::COUNTRY, "DE"), (field::PHONE, "+49301234567")],
    );
    check_values(
        &[email, (region, "California"), (country, "USA")],
        &[(field::REGION, "California"), (field::COUNTRY, "US")],
    );
    let typo = accepted(&[email, (country, "Polsak")]);
    assert_eq!(typo.values.get(field::COUNTRY), None);
    assert!(typo.notices[0].message.contains("PL was probably meant"), "{:?}", typo.notices);
}

#[test]
fn what_no_person_sends_is_held() {
    let sent = (Role::SubmittedAt, "2025-09-12 13:05:13");
    let email = (EMAIL, "anna@przyklad.pl");
    check_word(&[(Role::StartedAt, "2025-09-12 13:05:12"), sent, email], "held spam c0");
    check_word(&[(Role::StartedAt, "2025-09-12 13:04:12"), sent, email], "accepted");
    check_word(&[(Role::StartedAt, ""), sent, email], "accepted");
    check_word(&[(Role::FullName, "Claim $9 at https://x.example/1"), email], "held spam c0");
    check_word(
        &[(Role::FullName, "tRjMSfbSdLpcxCP"), (EMAIL, "asdasd@przyklad.pl")],
        "held spam c0",
    );
    check_word(&[(Role::FullName, "Łukasz Szczpk"), email], "accepted");
}

#[test]
fn an_escape_sequence_costs_no_half_of_a_name() {
    check_values(
        &[(Role::FullName, "Anna \u{1b}[31mŁęcka\u{1b}[0m"), (EMAIL, "anna@example.com")],
        &[(field::FIRST_NAME, "Anna"), (field::LAST_NAME, "Łęcka")],
    );
}

#[test]
fn time_falls_back_to_receipt() {
    let email = (EMAIL, "anna@example.com");
    let exact = accepted(&[
        email,
        (Role::SubmittedAt, ""),
        (Role::SubmittedAt, "2025-09-12T15:05:13+02:00"),
    ]);
    assert_eq!(exact.submitted_at.certainty, Certainty::Exact);
    let unreadable = accepted(&[email, (Role::SubmittedAt, "jutro")]);
    assert_eq!(unreadable.submitted_at.utc(), source().received_at);
    assert_eq!(unreadable.notices[0].code, "time-unreadable");
}

#[test]
fn consent_follows_the_preset_then_the_words() {
    let mapping = [ConsentMapping {
        policy: None,
        ip_column: None,
        proves_nothing: false,
        purpose: Purpose::new(Purpose::MARKETING),
        channels: vec![Channel::Email, Channel::Sms],
        wording: Some("We may write to you.".to_owned()),
        mechanism: "checkbox".to_owned(),
        affirms: ConsentState::Given,
    }];
    let context = SourceContext { consents: &mapping, ..source() };
    let pairs = [
        (EMAIL, "anna@example.com"),
        (Role::Consent(0), "tak"),
        (Role::Consent(GENERIC_CONSENT), ""),
    ];
    let RowVerdict::Accepted(submission) = judge_in(context, RowKind::Submission, &pairs) else {
        panic!()
    };
    assert_eq!(submission.consents.len(), 2);
    assert_eq!(submission.consents[1].wording, "We may write to you.");
}

#[test]
fn a_contact_list_keeps_its_native_id_and_is_known_by_content() {
    let id_field = Some(field::EXTERNAL_ID);
    let context = SourceContext { is_contact_list: true, id_field, ..source() };
    let judged = |city: &str| {
        let pairs = [
            (Role::SubmissionId, "901"),
            (EMAIL, "anna@example.com"),
            (Role::Field(field::CITY), city),
        ];
        let RowVerdict::Accepted(submission) = judge_in(context, RowKind::Submission, &pairs)
        else {
            panic!()
        };
        submission
    };
    assert_eq!(judged("Kraków").values.get(field::EXTERNAL_ID), Some("901"));
    assert_ne!(judged("Kraków").fingerprint, judged("Łódź").fingerprint);
}

#[test]
fn a_touch_needs_a_time_and_somebody() {
    let touch = || RowKind::Touch(RowTouch { kind: "page-view".into(), detail: "/cennik".into() });
    let time = (Role::SubmittedAt, "2025-09-12T13:05:13Z");
    let visitor = (Role::Field(field::VISITOR_ID), "v1");
    assert!(matches!(judge_in(source(), touch(), &[time, visitor]), RowVerdict::Touch(_)));
    assert!(matches!(
        judge_in(source(), touch(), &[time, (EMAIL, "anna@example.com")]),
        RowVerdict::Touch(_)
    ));
    let refused = |pairs: &[(Role, &str)]| match judge_in(source(), touch(), pairs) {
        RowVerdict::Quarantined(rejection) => rejection.code,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(&[time]), "touch-of-nobody");
    assert_eq!(refused(&[time, (Role::Field(field::VISITOR_ID), "undefined")]), "touch-of-nobody");
    assert_eq!(refused(&[visitor]), "touch-time");
    for impossible in ["yesterday", "1999-12-31T12:00:00Z", "2099-01-01T00:00:00Z"] {
        assert_eq!(
            refused(&[(Role::SubmittedAt, impossible), visitor]),
            "touch-time",
            "{impossible}"
        );
    }
}

#[test]
fn amounts_keep_their_bounds_and_currency() {
    let email = (EMAIL, "anna@example.com");
    let employees = Role::Field(field::EMPLOYEES);
    check_values(
        &[email, (employees, "10-49 osób"), (Role::Field(field::BUDGET), "do 15 tys. zł")],
        &[
            (field::EMPLOYEES, "10"),
            (field::EMPLOYEES_MAX, "49"),
            (field::BUDGET, "15000"),
            (field::BUDGET_MAX, "15000"),
            (field::BUDGET_CURRENCY, "PLN"),
        ],
    );
    check_codes(&[email, (employees, "05.sty")], &["range-unrecoverable"]);
    let budget = Role::Field(field::BUDGET);
    // The bounds are those of the number that was kept.
    check_values(
        &[email, (budget, "5000"), (budget, "do 9000")],
        &[(field::BUDGET, "5000"), (field::BUDGET_MAX, "")],
    );
    let named = accepted_of(
        source(),
        &[("mail", EMAIL, "anna@example.com"), ("Budżet (EUR)", budget, "5000")],
    );
    assert_eq!(named.values.get(field::BUDGET_CURRENCY), Some("EUR"));
}

#[test]
fn of_two_values_the_first_is_kept_and_the_other_said() {
    let email = (EMAIL, "anna@example.com");
    let city = Role::Field(field::CITY);
    check_codes(&[email, (city, "Łódź"), (city, "Kraków")], &["second-value"]);
    check_codes(&[email, (city, "Łódź"), (city, "Łódź"), (city, "-")], &[]);
    check_values(&[email, (city, "Łódź"), (city, "Kraków")], &[(field::CITY, "Łódź")]);
    check_codes(&[(PHONE, "600123456"), (PHONE, "+48 600 123 456")], &[]);
}

#[test]
fn the_future_is_no_time_of_a_form_nor_of_a_change() {
    let email = (EMAIL, "anna@example.com");
    // Received on 30 September at noon; a zone may be wrong by 14 hours.
    check_codes(&[email, (Role::SubmittedAt, "2025-10-01T03:00:00Z")], &["time-in-future"]);
    check_codes(&[email, (Role::SubmittedAt, "2025-10-01T01:00:00Z")], &[]);
    let modified = |texts: &[&str]| {
        let mut pairs = vec![email];
        pairs.extend(texts.iter().map(|text| (Role::ModifiedAt, *text)));
        accepted(&pairs).modified_at_ms.map(|at_ms| at_ms / 1000)
    };
    let (early, late) = ("2025-09-12T13:05:13Z", "2025-09-13T13:05:13Z");
    assert_eq!(modified(&[late, early]), Some(1_757_768_713));
    assert_eq!(modified(&[early, late]), Some(1_757_768_713));
    assert_eq!(modified(&[early, "2025-10-02T13:05:13Z", "jutro"]), Some(1_757_682_313));
    assert_eq!(modified(&["jutro"]), None);
}

#[test]
fn one_answer_under_two_questions_is_two_consents() {
    let question = Role::Consent(GENERIC_CONSENT);
    let columns = [
        ("mail", EMAIL, "anna@example.com"),
        ("Newsletter", question, "tak"),
        ("Zgoda: SMS", question, "tak"),
    ];
    let claims = |source| {
        let claim = |claim: &crate::model::consent::ConsentClaim| {
            format!("{} {} {}", claim.purpose, claim.channel.word(), claim.mechanism)
        };
        accepted_of(source, &columns).consents.iter().map(claim).collect::<Vec<_>>()
    };
    assert_eq!(claims(source()), ["marketing email checkbox", "enquiry-reply sms checkbox"]);
    let list = SourceContext { is_contact_list: true, ..source() };
    assert_eq!(claims(list), ["marketing email import", "enquiry-reply sms import"]);
}

#[test]
fn an_address_tells_of_a_company_only_where_it_is_its_own() {
    let site = (Role::Field(field::WEBSITE), "https://www.przyklad.pl");
    check_values(&[(EMAIL, "anna@duck.com")], &[(field::COMPANY_DOMAIN, "")]);
    check_values(&[(EMAIL, "anna@yopmail.com")], &[(field::COMPANY_DOMAIN, "")]);
    check_values(&[(EMAIL, "anna@inna.pl"), site], &[(field::COMPANY_DOMAIN, "przyklad.pl")]);
    // A slip in a provider's name is no throw-away mailbox.
    check_values(
        &[(EMAIL, "anna@gmial.com")],
        &[(field::EMAIL_SUGGESTION, "anna@gmail.com"), (field::EMAIL_IS_DISPOSABLE, "")],
    );
}

#[test]
fn a_notice_names_the_column_it_is_about() {
    let found = accepted(&[
        (EMAIL, "anna@example.com"),
        (Role::Field(field::CAMPAIGN), "{{campaign.name}}"),
        (Role::LandingUrl, "https://example.com/"),
        (Role::LandingUrl, "https://example.com/?utm_term={keyword}"),
    ]);
    let columns: Vec<&str> = found.notices.iter().map(|notice| notice.column.as_str()).collect();
    assert_eq!(columns, ["c1", "c3"]);
    assert!(found.notices[1].value.contains("{keyword}"));
}

#[test]
fn a_column_may_have_a_zone_of_its_own() {
    let columns = [ColumnMapping {
        words_max: None,
        names: vec![NamePattern::Exact("date updated".into())],
        role: Role::SubmittedAt,
        strip: Vec::new(),
        nulls: Vec::new(),
        yes: Vec::new(),
        zone: Some(chrono_tz::UTC),
    }];
    let context = SourceContext { columns: &columns, ..source() };
    let sent = |column: &str| {
        let time = (column, Role::SubmittedAt, "2025-09-12 15:05:13");
        let submission = accepted_of(context, &[time, ("mail", EMAIL, "anna@example.com")]);
        submission.submitted_at.utc().to_string()
    };
    assert_eq!(sent("Entry Date"), "2025-09-12 13:05:13 UTC");
    assert_eq!(sent("Date Updated"), "2025-09-12 15:05:13 UTC");
    assert_eq!(sent("Submitted At (UTC)"), "2025-09-12 15:05:13 UTC");
    assert_eq!(sent("created_at_utc"), "2025-09-12 15:05:13 UTC");
    assert_eq!(sent("Created by Mgmt"), "2025-09-12 13:05:13 UTC");
    assert_eq!(sent("Zgłoszono ó"), "2025-09-12 13:05:13 UTC");
}

#[test]
fn values_that_say_nothing_are_absent() {
    let email = (EMAIL, "anna@example.com");
    check_values(
        &[
            email,
            (Role::Field(field::CITY), "-"),
            (Role::Field(field::COMPANY), "Brak"),
            (Role::Field(field::AD_ID), "--"),
            (Role::Field(field::LANGUAGE), "--------------------"),
        ],
        &[(field::CITY, ""), (field::COMPANY, ""), (field::AD_ID, ""), (field::LANGUAGE, "")],
    );
    for text in ["prefer not to say", "nie chcę podawać"] {
        check_values(&[email, (Role::Field(field::CITY), text)], &[(field::CITY, "")]);
    }
    // Two letters may be a code.
    check_values(&[email, (Role::Field(field::CITY), "NA")], &[(field::CITY, "NA")]);
    check_values(
        &[email, (Role::Field(field::NIP), "PL 526-000-12-46")],
        &[(field::NIP, "5260001246")],
    );
    check_codes(&[email, (Role::Field(field::NIP), "5260001247")], &["nip-invalid"]);
    check_codes(&[email, (Role::Field(field::AD_ID), "1,80988E+18")], &["id-unrecoverable"]);
}
