//! Inputs through the front door, with the shipped presets: bytes in, rows as one line of text each out.

use std::fs;
use std::io::Write as _;
use std::sync::OnceLock;

use proptest::prelude::*;

use super::*;
use crate::model::row::{RowContent, RowKind};
use crate::rules::decode::{Sink, document};
use crate::rules::diagnostics::RuleText;
use crate::rules::field::FieldCatalog;
use crate::rules::wording::Wordings;

macro_rules! presets {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("../../rules/sources/", $name, ".toml")))),*]
    };
}

const PRESETS: &[(&str, &str)] = presets! {
    "calendly" "cf7-flamingo" "cfdb7" "generic-csv" "generic-json" "google-ads-webhook" "google-forms"
    "gravity-forms" "hubspot-contacts" "linkedin-lead-gen" "mailchimp" "meta-graph" "meta-lead-ads"
    "ms-forms" "segment" "tiktok" "typeform-csv" "typeform-webhook" "webflow" "wpforms"
};

pub(super) fn shipped() -> (SourceCatalog, FieldCatalog, Vec<String>) {
    let sink = Sink::default();
    let text = |path: String, text: &str| RuleText { path: path.into(), text: text.into() };
    let fields_text = text("rules/fields.toml".into(), include_str!("../../rules/fields.toml"));
    let mut fields = FieldCatalog::decode(None);
    document(&fields_text, &sink, |root| fields = FieldCatalog::decode(Some(root)));
    let texts: Vec<RuleText> = PRESETS
        .iter()
        .map(|(name, preset)| text(format!("rules/sources/{name}.toml"), preset))
        .collect();
    let texts: Vec<&RuleText> = texts.iter().collect();
    let sources = SourceCatalog::decode(&texts, &fields, &Wordings::default(), &sink);
    let found = sink.take().into_iter();
    let mistakes = found.map(|found| format!("{}: {}", found.place.file.path, found.message));
    (sources, fields, mistakes.collect())
}

/// Reads `bytes` as a file called `name` with the shipped presets.
pub(super) fn rows_of(
    name: &str,
    bytes: &[u8],
    caps: &Caps,
) -> Result<Vec<Result<Row, Refusal>>, Refusal> {
    static SOURCES: OnceLock<SourceCatalog> = OnceLock::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    let sources = SOURCES.get_or_init(|| shipped().0);
    Ok(open(&InputPath::file(path), sources, caps, None)?.rows().collect())
}

/// Reads `bytes` as a file called `name`: the preset, then a line for every row or the refusal.
fn read(name: &str, bytes: &[u8], caps: &Caps) -> (String, Vec<String>) {
    let (sources, fields, _) = shipped();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    let caps = Caps { writer_wait: Duration::ZERO, ..*caps };
    match open(&InputPath::file(path), &sources, &caps, None) {
        Ok(input) => {
            let preset = input.preset.id.clone();
            (preset, input.rows().map(|row| shown(&fields, row)).collect())
        }
        Err(refusal) => (String::new(), vec![shown_refusal(&refusal)]),
    }
}

fn shown_refusal(refusal: &Refusal) -> String {
    format!("refused {:?}: {}", refusal.kind, refusal.message)
}

fn shown(fields: &FieldCatalog, row: Result<Row, Refusal>) -> String {
    let row = match row {
        Ok(row) => row,
        Err(refusal) => return shown_refusal(&refusal),
    };
    let text = match row.content {
        RowContent::Skipped(reason) => format!("skipped {reason}"),
        RowContent::Rejected(rejection) => format!("rejected {}", rejection.code),
        RowContent::Cells(kind, cells) => {
            let kind = match kind {
                RowKind::Submission => String::new(),
                RowKind::Touch(touch) => format!("touch {} {} ", touch.kind, touch.detail),
            };
            let cells: Vec<String> = cells
                .iter()
                .filter(|cell| cell.role != Role::Answer)
                .map(|cell| format!("{}={}", role_word(fields, cell.role), cell.text))
                .collect();
            format!("{kind}{}", cells.join(" | "))
        }
    };
    format!("{}/{} {text}", row.origin.record, row.origin.line)
}

fn role_word(fields: &FieldCatalog, role: Role) -> String {
    match role {
        Role::Field(field) => fields.name(field).to_owned(),
        Role::Consent(number) if number < 100 => format!("consent-{number}"),
        Role::Consent(_) => "consent".to_owned(),
        other => format!("{other:?}"),
    }
}

#[track_caller]
fn check_bytes(name: &str, bytes: &[u8], preset: &str, expected: &[&str]) {
    let (found_preset, rows) = read(name, bytes, &Caps::default());
    assert_eq!(rows, expected, "{name}");
    assert_eq!(found_preset, preset, "{name}");
}

#[track_caller]
pub(super) fn check(text: &str, preset: &str, expected: &[&str]) {
    check_bytes("leads.csv", text.as_bytes(), preset, expected);
}

#[test]
fn the_shipped_presets_are_clean() {
    assert_eq!(shipped().2, Vec::<String>::new());
}

#[test]
fn meta_leads_lose_their_prefixes() {
    let text = "id\tcreated_time\tad_id\tadset_id\tcampaign_id\tform_id\tis_organic\tplatform\tfull_name\tphone_number\temail\tlead_status\n\
        l:100000000001\t2025-09-12T15:05:13+02:00\tag:11\tas:12\tc:13\tf:14\tFALSE\tig\t\"Ewa \"\"Ewka\"\" Żak\"\tp:+48600123456\tewa@example.com\tCREATED\n\
        l:100000000002\t2025-09-12T15:06:13+02:00\t\t\t\tf:14\tTRUE\tfb\tJan\tp:\tjan@example.com\t\n";
    let rows = [
        "1/2 SubmissionId=100000000001 | SubmittedAt=2025-09-12T15:05:13+02:00 | ad-id=11 | adset-id=12 | \
         campaign-id=13 | form-id=14 | platform=ig | FullName=Ewa \"Ewka\" Żak | phone=+48600123456 | \
         email=ewa@example.com | Volatile=CREATED",
        "2/3 SubmissionId=100000000002 | SubmittedAt=2025-09-12T15:06:13+02:00 | form-id=14 | platform=fb | \
         FullName=Jan | email=jan@example.com",
    ];
    check(text, "meta-lead-ads", &rows);
    for (mark, to_bytes) in [
        (&b"\xFF\xFE"[..], u16::to_le_bytes as fn(u16) -> [u8; 2]),
        (b"\xFE\xFF", u16::to_be_bytes),
        (b"", u16::to_le_bytes),
    ] {
        let mut bytes = mark.to_vec();
        bytes.extend(text.encode_utf16().flat_map(to_bytes));
        check_bytes("leads.csv", &bytes, "meta-lead-ads", &rows);
        bytes.pop();
        check_bytes(
            "leads.csv",
            &bytes,
            "",
            &["refused Truncated: the file ends in the middle of a character"],
        );
    }
}

#[test]
fn flamingo_warnings_are_taken_off() {
    let text = "\"your-name\",\"your-email\",\"your-tel\",\"acceptance-rodo\",\"Date\"\r\n\
        \"Anna\nŁęcka\",\"anna@example.com\",\"(Security Alert: Suspicious content. See https://contactform7.com/heads-up for details.) +48 600 123 456\",\"1\",\"2025-09-12T15:05:13+02:00\"";
    check(
        text,
        "cf7-flamingo",
        &[
            "1/2 FullName=Anna\nŁęcka | email=anna@example.com | phone=+48 600 123 456 | consent=1 | \
           SubmittedAt=2025-09-12T15:05:13+02:00",
        ],
    );
}

#[test]
fn a_header_in_mid_file_maps_the_columns_anew() {
    check(
        "\u{feff}Id,Date,Status,Name,Email,Tel\n\
         2,\"2025-09-12 15:05:13\",unread,\"C:\\\"x\\\"\",a@example.com,\"\"\"+48600123456\"\"\"\n\
         \u{feff}Id,Date,Status,Email,Name,Tel\n\
         1,\"2025-09-11 15:05:13\",read,b@example.com,Jan,\n",
        "cfdb7",
        &[
            "1/2 SubmissionId=2 | SubmittedAt=2025-09-12 15:05:13 | Volatile=unread | FullName=C:\\\"x\\\" | \
             email=a@example.com | phone=+48600123456",
            "2/3 skipped repeated header",
            "3/4 SubmissionId=1 | SubmittedAt=2025-09-11 15:05:13 | Volatile=read | email=b@example.com | FullName=Jan",
        ],
    );
}

#[test]
fn the_account_of_an_anonymous_answer_is_no_contact() {
    let text = "ID;Godzina rozpoczęcia;Godzina ukończenia;Adres e-mail;Nazwa;Twój adres do kontaktu;Usługi;Zgoda\r\n\
        1;12.09.2025 15:03;12.09.2025 15:05;anonymous;;jan@example.com;\"A;B;\";Tak\r\n";
    let (bytes, _, _) = encoding_rs::WINDOWS_1250.encode(text);
    check_bytes(
        "x.csv",
        &bytes,
        "ms-forms",
        &[
            "1/2 SubmissionId=1 | StartedAt=12.09.2025 15:03 | SubmittedAt=12.09.2025 15:05 | email=jan@example.com | product=A;B | consent=Tak",
        ],
    );
}

#[test]
fn typeform_and_google_forms_and_hubspot_are_recognized() {
    check(
        "#,\"Cześć {{field:1}}, podaj e-mail\",Telefon,Adres,Adres,Zgoda: wyrażam zgodę,Response Type,Start Date (UTC),Submit Date (UTC),Network ID,Tags\n\
         abc,anna@example.com,'+48600123456,Długa 5,Kraków,0,partial,2025-09-12 13:03:24,2025-09-12 13:05:13,9,\n",
        "typeform-csv",
        &[
            "1/2 SubmissionId=abc | email=anna@example.com | phone=+48600123456 | street=Długa 5 | consent=0 | \
           Completion=partial | StartedAt=2025-09-12 13:03:24 | SubmittedAt=2025-09-12 13:05:13",
        ],
    );
    check(
        "Sygnatura czasowa,Adres e-mail,Telefon,Zgoda RODO\r\n1.09.2025 8:00:01,jan@example.com,48600123457,\r\n",
        "google-forms",
        &["1/2 SubmittedAt=1.09.2025 8:00:01 | email=jan@example.com | phone=48600123457"],
    );
    check(
        "\"Record ID\",\"Email\",\"Lead Status\",\"Create Date\",\"Contact owner\"\r\n\"901\",\"a@example.com\",\"NEW\",\"2025-09-12 15:05\",\"Jan\"\r\n",
        "hubspot-contacts",
        &[
            "1/2 external-id=901 | email=a@example.com | crm-status=NEW | SubmittedAt=2025-09-12 15:05 | crm-owner=Jan",
        ],
    );
}

#[test]
fn a_spreadsheet_made_by_people_is_read_around_its_decorations() {
    check(
        "Raport leadów, wrzesień;;;;\nWygenerowano: 12.09.2025;;;;\n;;;;\n\
         Lp.;Imię i nazwisko;E-mail;Telefon;E-mail;;\n\
         1;Anna;a@example.com;'600123457;b@example.com;;\n\
         2;Jan;c@example.com;601\n\
         3;Ewa;d@example.com;602;;;;zbędna\n\
         ;;;;;;\n\
         An\0na;x;y@example.com;1;;;\n\
         Razem;3;;;;;\n",
        "generic-csv",
        &[
            "1/5 FullName=Anna | email=a@example.com | phone=600123457 | email=b@example.com",
            "2/6 rejected ragged-row",
            "3/7 rejected ragged-row",
            "4/8 skipped padding",
            "5/9 rejected control-characters",
            "6/10 skipped totals",
        ],
    );
}

#[test]
fn lines_in_another_encoding_are_kept_or_quarantined() {
    let mut bytes = "Imię;E-mail\nŁucja;a@example.com\nŻaneta;b@example.com\nŚwit;e@example.com\n"
        .as_bytes()
        .to_vec();
    bytes.extend(b"\xA3ucja;c@example.com\n\xFE\x81;d@example.com\n");
    check_bytes(
        "x.csv",
        &bytes,
        "generic-csv",
        &[
            "1/2 first-name=Łucja | email=a@example.com",
            "2/3 first-name=Żaneta | email=b@example.com",
            "3/4 first-name=Świt | email=e@example.com",
            "4/5 first-name=Łucja | email=c@example.com",
            "5/6 rejected invalid-utf8",
        ],
    );
}

#[test]
fn webhooks_become_rows() {
    check(
        "{\"lead_id\":\"L1\",\"campaign_id\":12345678901234567890123,\"user_column_data\":[{\"string_value\":\"Jan\",\"column_id\":\"FULL_NAME\"},\
         {\"column_name\":\"User Email\",\"string_value\":\"jan@example.com\",\"column_id\":\"EMAIL\",},],\"is_test\":true,\"google_key\":\"k\"}\n",
        "google-ads-webhook",
        &[
            "1/1 SubmissionId=L1 | campaign-id=12345678901234567890123 | FullName=Jan | email=jan@example.com | TestMarker=true",
        ],
    );
    check(
        "{\"data\":[{\"created_time\":\"2025-09-12T13:05:13+0000\",\"id\":\"1\",\"field_data\":[{\"name\":\"EMAIL\",\"values\":[\"a@example.com\"]}],\
         \"custom_disclaimer_responses\":[{\"checkbox_key\":\"optional_1\",\"is_checked\":\"1\"},{\"checkbox_key\":\"optional_2\",\"is_checked\":\"\"}]}],\"paging\":{}}",
        "meta-graph",
        &[
            "1/1 SubmittedAt=2025-09-12T13:05:13+0000 | SubmissionId=1 | email=a@example.com | consent=1",
        ],
    );
    check(
        "{\"object\":\"page\",\"entry\":[{\"changes\":[{\"field\":\"leadgen\",\"value\":{\"leadgen_id\":\"1\"}}]}]}\n",
        "meta-graph",
        &["1/1 skipped no personal data"],
    );
    check(
        "{\"type\":\"identify\",\"messageId\":\"m1\",\"anonymousId\":\"v1\",\"timestamp\":\"2025-09-12T13:05:13.000Z\",\"traits\":{\"email\":\"a@example.com\",\"company\":{\"name\":\"Ala\"}},\"context\":{\"library\":{\"name\":\"js\"}}}\n\
         {\"type\":\"page\",\"messageId\":\"m2\",\"anonymousId\":\"v1\",\"timestamp\":\"2025-09-12T13:06:13.000Z\",\"properties\":{\"url\":\"https://example.com/cennik\"}}\n\
         {\"type\":\"track\",\"event\":\"Downloaded\",\"messageId\":\"m3\",\"anonymousId\":\"v1\",\"timestamp\":\"2025-09-12T13:07:13.000Z\"}\n",
        "segment",
        &[
            "1/1 SubmissionId=m1 | visitor-id=v1 | SubmittedAt=2025-09-12T13:05:13.000Z | email=a@example.com | company=Ala",
            "2/2 touch page-view https://example.com/cennik SubmissionId=m2 | visitor-id=v1 | \
             SubmittedAt=2025-09-12T13:06:13.000Z | LandingUrl=https://example.com/cennik",
            "3/3 touch event Downloaded SubmissionId=m3 | visitor-id=v1 | SubmittedAt=2025-09-12T13:07:13.000Z",
        ],
    );
    check(
        "{\"body\":\"{\\\"lead\\\":{\\\"email\\\":\\\"a@example.com\\\",\\\"tel\\\":48600123456}}\"}\n{\"email\": \"b@example.com\"\"}\n[1]\n",
        "generic-json",
        &[
            "1/1 email=a@example.com | phone=48600123456",
            "2/2 rejected broken-json",
            "3/3 rejected broken-json",
        ],
    );
}

#[test]
fn a_value_too_many_is_no_value_dropped() {
    let caps = Caps { fields: 3, ..Caps::default() };
    let text = "{\"email\":\"a@example.com\",\"x\":1,\"y\":\"null\"}\n\
        {\"email\":\"b@example.com\",\"x\":1,\"y\":\"null\",\"z\":2}\n";
    assert_eq!(
        read("x.jsonl", text.as_bytes(), &caps).1,
        ["1/1 email=a@example.com", "2/2 rejected too-many-fields"]
    );
}

#[test]
fn pages_of_records_are_opened() {
    check(
        "[{\"leads\":{\"data\":[{\"email\":\"a@example.com\"},{\"email\":\"b@example.com\"}]},\"id\":\"9\"},\n\
         {\"leads\":{\"data\":[{\"email\":\"c@example.com\",\"Email\":\"d@example.com\",\"tel\":600123456789012345678}]}}]",
        "generic-json",
        &[
            "1/1 email=a@example.com",
            "2/1 email=b@example.com",
            "3/2 email=c@example.com | email=d@example.com | phone=600123456789012345678",
        ],
    );
    check(
        "\"{\\\"email\\\":\\\"a@example.com\\\"}\"\n\"{\\\"email\\\":\\\"b@example.com\\\"}\"\n",
        "generic-json",
        &["1/1 email=a@example.com", "2/2 email=b@example.com"],
    );
}

#[test]
fn cells_that_are_json_are_decoded() {
    check(
        "\u{feff}\"Full Name\",\"Email\",\"Message\",Form Name (ID),Submission ID,Created At,User ID\n\
         \"Anna Łęcka\",\"anna@example.com\",\"\\\"Hej,\\r\\nus\\u0142ugi\\\"\",\"Wycena (c4)\",794,\"2025-12-08 17:31:00\",null\n",
        "generic-csv",
        &["1/2 FullName=Anna Łęcka | email=anna@example.com | message=\"Hej,\r\nusługi\" | \
             SubmissionId=794 | SubmittedAt=2025-12-08 17:31:00"],
    );
}

#[test]
fn files_joined_by_hand_are_read_each_by_its_own_header() {
    check(
        "Imię;E-mail;Telefon\nAnna;a@example.com;600123456\n\
         Telefon;Imię;E-mail;Firma\n600123457;Jan;b@example.com;Ala\n\
         E-mail,Imię,Telefon\nc@example.com,Ewa,600123458\n",
        "generic-csv",
        &[
            "1/2 first-name=Anna | email=a@example.com | phone=600123456",
            "2/3 skipped repeated header",
            "3/4 phone=600123457 | first-name=Jan | email=b@example.com | company=Ala",
            "4/5 skipped repeated header",
            "5/6 email=c@example.com | first-name=Ewa | phone=600123458",
        ],
    );
}

#[test]
fn a_row_is_kept_in_the_order_of_the_first_header_or_below_its_own() {
    let text = "Imię;E-mail;Telefon\nA;a@example.com;1\nTelefon;Imię;E-mail\n2;B;b@example.com\n\
        3;C\nTelefon;Firma;Imię;E-mail\n4;F;D;d@example.com\nImię;E-mail;Telefon\nE;e@example.com\n";
    let (sources, _, _) = shipped();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.csv");
    fs::write(&path, text).unwrap();
    let input = open(&InputPath::file(path), &sources, &Caps::default(), None).unwrap();
    let raws: Vec<String> = input.rows().map(|row| row.unwrap().raw).collect();
    let own = r#"["Telefon","Firma","Imię","E-mail"],["4","F","D","d@example.com"]"#;
    assert_eq!(raws[0], r#"["A","a@example.com","1"]"#);
    assert_eq!(raws[2], r#"["B","b@example.com","2"]"#);
    assert_eq!(raws[3], r#"[["Telefon","Imię","E-mail"],["3","C"]]"#);
    assert_eq!(raws[5], format!("[{own}]"));
    assert_eq!(raws[7], r#"["E","e@example.com"]"#);
}

#[test]
fn headers_of_two_rows_are_told_from_rows() {
    check(
        "email,first_name,phone\nE-mail,Imię,Telefon\na@example.com,Anna,600123456\n",
        "generic-csv",
        &[
            "1/2 skipped second header",
            "2/3 email=a@example.com | first-name=Anna | phone=600123456",
        ],
    );
    check(
        "Email Address,Message\n,Open-Ended Response\na@example.com,Help\n",
        "generic-csv",
        &["1/2 skipped second header", "2/3 email=a@example.com | message=Help"],
    );
}

#[test]
fn what_cannot_be_decoded_is_kept_with_its_delimiters() {
    let mut bytes =
        "Imię;E-mail;Uwagi\nŁucja;a@example.com;źle\nŻaneta;b@example.com;\n".as_bytes().to_vec();
    bytes.extend(b"\xFE\x81;c@example.com;\"x\"\n");
    let (sources, _, _) = shipped();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.csv");
    fs::write(&path, bytes).unwrap();
    let input = open(&InputPath::file(path), &sources, &Caps::default(), None).unwrap();
    let row = input.rows().last().unwrap().unwrap();
    let RowContent::Rejected(rejection) = row.content else { panic!("{row:?}") };
    assert_eq!(rejection.value, r#"\xfe\x81;c@example.com;\"x\""#);
}

#[test]
fn a_cut_file_is_refused_or_ends_at_a_row() {
    let texts = [
        "Imię;E-mail;Uwagi\nŁucja;a@example.com;\"raz\ndwa\"\nJan;b@example.com;\"trzy\"\n",
        "{\"email\":\"a@example.com\",\"tel\":\"600123456\"}\n{\"email\":\"b@example.com\"}\n",
        "[{\"email\":\"a@example.com\",\"tel\":\"600123456\"},{\"email\":\"b@example.com\"}]",
    ];
    for text in texts {
        let (_, whole) = read("x", text.as_bytes(), &Caps::default());
        assert_eq!(whole.len(), 2, "{whole:?}");
        for cut in 0..text.len() {
            if !text.is_char_boundary(cut) {
                continue;
            }
            let (_, rows) = read("x", &text.as_bytes()[..cut], &Caps::default());
            let is_refused = rows.last().is_some_and(|row| row.starts_with("refused"));
            // Nothing gives away a cut in the last cell of a row: many exporters end without a line end.
            let last_line = text[..cut].rsplit('\n').next().unwrap_or_default();
            let in_last_cell = text.starts_with('I') && last_line.matches(';').count() == 2;
            assert!(
                is_refused || in_last_cell || whole.starts_with(&rows),
                "cut at {cut}: {rows:?}"
            );
        }
    }
}

#[test]
fn what_is_no_export_is_refused_with_a_reason() {
    check("", "", &["refused Empty: the file is empty"]);
    check(" \n\n", "", &["refused Empty: the file is empty"]);
    check(
        "<!DOCTYPE html><html><body>Sign in",
        "",
        &["refused Html: this is a web page, not an export"],
    );
    check(
        "PK\u{3}\u{4}xl/workbook.xml",
        "",
        &["refused Truncated: the zip archive is cut or damaged: its list of files is missing"],
    );
    check(
        "kolor,rozmiar\nczerwony,duży\n",
        "",
        &[
            "refused Unrecognized: none of its columns holds an e-mail address or a phone number: kolor, rozmiar",
        ],
    );
    check("E-mail;Telefon\n", "generic-csv", &[]);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn gzip_is_known_by_its_bytes() {
    let text = b"E-mail,Telefon\na@example.com,600123456\n";
    let rows = ["1/2 email=a@example.com | phone=600123456"];
    let packed = gzip(text);
    check_bytes("leads.csv", &packed, "generic-csv", &rows);
    let members = [gzip(&text[..10]), gzip(&text[10..])].concat();
    check_bytes("leads.csv.gz", &members, "generic-csv", &rows);
    let cut = &packed[..packed.len() - 5];
    check_bytes(
        "leads.csv.gz",
        cut,
        "",
        &["refused Truncated: the compressed file ends too early"],
    );
    let (sources, _, _) = shipped();
    let folder = tempfile::tempdir().unwrap();
    let hash = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        open(&InputPath::file(path), &sources, &Caps::default(), None).unwrap().sha256
    };
    assert_eq!(hash("a.csv", text), hash("b.csv.gz", &packed));
}

#[test]
fn caps_refuse_bombs_and_spare_the_other_rows() {
    let bomb = gzip(&vec![b'a'; 12 << 20]);
    check_bytes(
        "x.csv.gz",
        &bomb,
        "",
        &["refused OverCap: it unpacks to far more than an export would (a decompression bomb)"],
    );
    let caps = Caps { record_bytes: 100_000, field_bytes: 1000, fields: 10, ..Caps::default() };
    let text = format!(
        "E-mail;Telefon;Uwagi\na@example.com;1;x\n{}\nb@example.com;2;{}\n{}\nc@example.com;3;z\n",
        "y".repeat(3_000_000),
        "w".repeat(5000),
        ";".repeat(50),
    );
    assert_eq!(
        read("x.csv", text.as_bytes(), &caps).1,
        [
            "1/2 email=a@example.com | phone=1 | message=x",
            "2/3 rejected record-too-long",
            "3/4 rejected field-too-long",
            "4/5 rejected too-many-fields",
            "5/6 email=c@example.com | phone=3 | message=z",
        ]
    );
}

/// Writes `second` over `first` between the passes; returns how reading ends.
fn kind_after_a_change(first: &str, second: &str) -> RefusalKind {
    let (sources, _, _) = shipped();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.csv");
    fs::write(&path, first).unwrap();
    let input = InputPath::file(&path);
    let opened = open(&input, &sources, &Caps::default(), None).unwrap();
    fs::write(&path, second).unwrap();
    opened.rows().last().unwrap().unwrap_err().kind
}

#[test]
fn a_file_that_changes_between_the_passes_is_refused() {
    let first = "E-mail\na@example.com\n";
    for second in ["E-mail\nb@example.com\n", "E-mail\n", "E-mail\nb@example.com\nc@example.com\n"]
    {
        assert_eq!(kind_after_a_change(first, second), RefusalKind::Changed, "{second:?}");
    }
}

#[test]
fn a_file_that_grows_between_the_passes_is_being_written() {
    let first = "E-mail\na@example.com\n";
    for more in ["b@example.com\n", "\"half a r"] {
        let kind = kind_after_a_change(first, &format!("{first}{more}"));
        assert_eq!(kind, RefusalKind::BeingWritten, "{more:?}");
    }
}

#[test]
fn an_unknown_source_is_named_with_its_neighbour() {
    let (sources, _, _) = shipped();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.csv");
    fs::write(&path, "a,b\n1,2\n").unwrap();
    let input = InputPath::file(&path);
    let open = |source| open(&input, &sources, &Caps::default(), Some(source));
    let refusal = open("webflw").err().unwrap();
    assert_eq!(refusal.message, "there is no source `webflw`");
    assert_eq!(refusal.hint, "did you mean `webflow`?");
    assert_eq!(open("generic-csv").unwrap().rows().count(), 1);
}

#[test]
fn a_trap_for_bots_is_told_from_a_question() {
    check(
        "E-mail,website_url,_hp\na@example.com,http://spam.example,x\n",
        "generic-csv",
        &["1/2 email=a@example.com | Honeypot=http://spam.example | Honeypot=x"],
    );
    check(
        "E-mail,Website URL\na@example.com,https://firma.example\n",
        "generic-csv",
        &["1/2 email=a@example.com | website=https://firma.example"],
    );
}

#[test]
fn rows_may_be_read_by_another_thread() {
    fn is_send<T: Send>() {}
    is_send::<Rows>();
    is_send::<OpenInput>();
}

const STARTS: &[&[u8]] = &[
    b"",
    b"email;imie\n",
    b"E-mail,Telefon\n\"",
    b"\xEF\xBB\xBF\"E-mail\"\t",
    b"\xFF\xFE",
    b"\xFE\xFF\0e",
    b"\x1F\x8B\x08\0\0\0\0\0\0\x03",
    b"\x28\xB5\x2F\xFD\x20",
    b"PK\x03\x04",
    b"{\"email\":\"",
    b"[{\"data\":[",
    b"sep=;\r",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_bytes_are_read_or_refused_within_the_caps(
        start in prop::sample::select(STARTS),
        rest in prop::collection::vec(any::<u8>(), 0..2000),
    ) {
        static SHIPPED: OnceLock<SourceCatalog> = OnceLock::new();
        let sources = SHIPPED.get_or_init(|| shipped().0);
        let caps = Caps {
            record_bytes: 500,
            field_bytes: 100,
            fields: 20,
            writer_wait: Duration::ZERO,
            ..Caps::default()
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.csv");
        let bytes = [start, rest.as_slice()].concat();
        fs::write(&path, &bytes).unwrap();
        for input in expand(&InputPath::file(path), sources, &caps).inputs {
            let Ok(opened) = input.and_then(|input| open(&input, sources, &caps, None)) else {
                continue;
            };
            for row in opened.rows() {
                let Ok(row) = row else { break };
                // The raw form of a record may be escaped, so it is longer than the record by a factor.
                prop_assert!(row.raw.len() < 500 * 12 + 100);
            }
        }
    }
}
