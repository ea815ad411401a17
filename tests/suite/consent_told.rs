//! Consents as forms, mailers and automation tools tell them, and what is taken for one.

use std::fmt::Write as _;

use super::workspace::Workspace;

const SENTENCE: &str = "Wyrażam zgodę na otrzymywanie informacji handlowych drogą elektroniczną";

/// Returns what is on record about whoever has `email`, in order, each once.
fn on_record(workspace: &Workspace, email: &str) -> String {
    let query = format!(
        "SELECT DISTINCT c.purpose || '/' || c.channel || ' ' || c.state AS told
         FROM consent_record AS c JOIN submissions AS s USING (submission_no) JOIN leads AS l USING (lead_no)
         WHERE l.email = '{email}' ORDER BY told"
    );
    workspace.sql(&query).concat().join(", ")
}

fn run(workspace: &Workspace) {
    let outcome = workspace.run(&["run", "--as-of", "2026-11-20T21:00:00Z"]);
    assert!([0, 3].contains(&outcome.code), "{}", outcome.stderr);
}

/// The words of a consent beside an answer, as JSON has them; `FLAG` is a no or a yes.
const BESIDE_AN_ANSWER: &[(&str, &str, &str)] = &[
    (r#""zgody":[{"nazwa":"T","wartosc":FLAG}]"#, "false", "true"),
    (
        r#""zgody":[{"nazwa":"T","wartosc":FLAG},{"nazwa":"Regulamin","wartosc":FLAG}]"#,
        "false",
        "true",
    ),
    (r#""consents":[{"label":"T","given":FLAG}]"#, r#""no""#, r#""yes""#),
    (r#""consent":{"name":"T","accepted":FLAG}"#, "false", "true"),
    (r#""consents":[{"content":"T","selected":FLAG}]"#, "false", "true"),
    (r#""consents":[{"description":"T","isAccepted":FLAG}]"#, "false", "true"),
    (r#""consents":[{"title":"T","state":FLAG}]"#, r#""unchecked""#, r#""checked""#),
    (r#""consents":[{"text":"T","accepted":FLAG}]"#, "false", "true"),
    (r#""consents":[{"name":"T","zgodaWyrazona":FLAG,"ip":"203.0.113.9"}]"#, "false", "true"),
    (r#""consent":{"marketing":{"given":FLAG,"text":"T"}}"#, "false", "true"),
    (
        r#""consents":[{"name":"marketing","accepted":FLAG},{"name":"rodo","accepted":FLAG}]"#,
        "false",
        "true",
    ),
    (r#""consents":[{"type":"marketing_email","granted":FLAG}]"#, "false", "true"),
    (r#""consents":[{"id":"marketing","status":FLAG}]"#, r#""denied""#, r#""granted""#),
    (r#""consents":[{"label":"T","value":FLAG}]"#, r#""0""#, r#""1""#),
    (r#""consents":{"T":FLAG}"#, "false", "true"),
    (r#""marketing_consent":{"label":"T","checked":FLAG}"#, "false", "true"),
    (r#""marketingConsent":{"label":"T","checked":FLAG}"#, "false", "true"),
    (r#""agreements":[{"label":"T","checked":FLAG}]"#, "0", "1"),
    (r#""form":{"newsletter":{"label":"T","checked":FLAG}}"#, "false", "true"),
];

#[test]
fn the_words_of_a_consent_are_no_answer_to_it() {
    let workspace = Workspace::new();
    let mut lines = String::new();
    for (at, (told, no, yes)) in BESIDE_AN_ANSWER.iter().enumerate() {
        for (who, flag) in [("no", no), ("yes", yes)] {
            let told = told.replace('T', SENTENCE).replace("FLAG", flag);
            writeln!(
                lines,
                r#"{{"created_at":"2026-11-12T10:00:00Z","email":"{who}{at}@firma{at}-{who}.pl",{told}}}"#
            )
            .unwrap();
        }
    }
    workspace.input("hook.jsonl", lines);
    run(&workspace);
    for (at, (told, ..)) in BESIDE_AN_ANSWER.iter().enumerate() {
        let no = on_record(&workspace, &format!("no{at}@firma{at}-no.pl"));
        assert!(no.contains("marketing/email refused") && !no.contains("given"), "{told}: {no}");
        let yes = on_record(&workspace, &format!("yes{at}@firma{at}-yes.pl"));
        assert!(yes.contains("marketing/email given") && !yes.contains("refused"), "{told}: {yes}");
    }
}

#[test]
fn the_name_of_a_consent_says_what_the_column_beside_answers() {
    let workspace = Workspace::new();
    let tables = [
        ("a", "Data;E-mail;Nazwa zgody;Status zgody", SENTENCE, "nie", "tak"),
        ("b", "Data;E-mail;Rodzaj zgody;Wartość zgody", "Marketing e-mail", "nie", "tak"),
        ("c", "Data;E-mail;consent_name;consent_value", SENTENCE, "0", "1"),
        ("d", "Data;E-mail;consent_label;consent_value", SENTENCE, "0", "1"),
        ("e", "Data;E-mail;Consent text;Consent given", SENTENCE, "no", "yes"),
    ];
    for (name, header, asked, no, yes) in tables {
        workspace.input(
            &format!("{name}.csv"),
            format!(
                "{header}\n12.11.2026 10:00;no@{name}-firma.pl;{asked};{no}\n\
                 12.11.2026 10:00;yes@{name}-firma.pl;{asked};{yes}\n"
            ),
        );
    }
    run(&workspace);
    for (name, header, ..) in tables {
        let told = |who: &str| on_record(&workspace, &format!("{who}@{name}-firma.pl"));
        assert_eq!(told("no"), "marketing/email refused", "{header}");
        assert_eq!(told("yes"), "marketing/email given", "{header}");
    }
}

#[test]
fn a_column_by_which_somebody_is_left_alone_takes_back_what_was_given() {
    let headers = [
        "Newsletter abgemeldet",
        "Werbewiderspruch",
        "Do not allow Emails",
        "Do not allow Bulk Emails",
        "Person - Do not email",
        "Newsletter abbestellt",
        "Widerspruch gegen Werbung",
        "Werbesperre",
        "Kontaktsperre",
        "No marketing",
        "Do Not Market",
        "Do not send marketing",
        "Marketing suppression",
        "Suppressed",
        "Exclude from mailing",
        "Email blacklisted",
        "Blokada marketingu",
        "Blokada kontaktu",
        "Czarna lista",
        "Kontakt zabroniony",
        "Proszę nie wysyłać ofert",
        "Żądanie usunięcia danych",
        "GDPR delete request",
        "GDPR erasure",
        "Datenschutz Widerspruch",
    ];
    let workspace = Workspace::new();
    let mut form = format!("created_at,email,{SENTENCE}\n");
    for (at, header) in headers.iter().enumerate() {
        writeln!(form, "2026-05-05T09:00:00Z,o{at}@firma{at}.pl,tak").unwrap();
        workspace.input(
            &format!("list-{at}.csv"),
            format!("E-mail;Data utworzenia;{header}\no{at}@firma{at}.pl;12.04.2025 10:00;tak\n"),
        );
    }
    workspace.input("form.csv", form);
    run(&workspace);
    for (at, header) in headers.iter().enumerate() {
        let told = on_record(&workspace, &format!("o{at}@firma{at}.pl"));
        assert!(told.contains("marketing/email withdrawn"), "{header}: {told}");
        assert!(!told.contains("enquiry-reply"), "{header}: {told}");
    }
    assert_eq!(workspace.number("SELECT count(*) FROM lead WHERE may_email"), 0);
}

#[test]
fn who_is_in_the_file_of_those_who_left_has_left() {
    const HEADER: &str = "Email Address,First Name,MEMBER_RATING,OPTIN_TIME,CONFIRM_TIME,LEID,EUID";
    let row = "Anna,2,2025-04-12 13:05:13,2025-04-12 13:06:13,905,810c0002";
    let workspace = Workspace::new();
    workspace.input(
        "unsubscribed_members_export_ab12.csv",
        format!("{HEADER}\nanna@przyklad.pl,{row}\n"),
    );
    workspace.input("left.csv", format!("{HEADER},UNSUB_TIME\newa@przyklad.pl,{row},\n"));
    workspace
        .input("subscribed_members_export_ab12.csv", format!("{HEADER}\njan@przyklad.pl,{row}\n"));
    run(&workspace);
    for who in ["anna", "ewa"] {
        let told = on_record(&workspace, &format!("{who}@przyklad.pl"));
        assert!(told.contains("marketing/email withdrawn"), "{who}: {told}");
    }
    assert_eq!(on_record(&workspace, "jan@przyklad.pl"), "marketing/email doi-confirmed");
    assert_eq!(workspace.number("SELECT count(*) FROM lead WHERE may_email"), 0);
}

#[test]
fn a_question_says_more_than_its_id() {
    let workspace = Workspace::new();
    workspace.input(
        "google.jsonl",
        r#"{"lead_id":"a1","user_column_data":[{"string_value":"anna@przyklad.pl","column_id":"EMAIL"},{"column_name":"Czy wyrażasz zgodę na marketing e-mail?","column_id":"czy_wyrazasz","string_value":"Nie wyrażam zgody"}],"api_version":"1.0","form_id":4,"campaign_id":2,"google_key":"k","lead_submit_time":"2026-11-12T13:05:13Z"}"#,
    );
    run(&workspace);
    assert_eq!(on_record(&workspace, "anna@przyklad.pl"), "marketing/email refused");
}

#[test]
fn a_wording_is_a_consent_whatever_its_last_word_is() {
    let workspace = Workspace::new();
    let wordings = [
        (
            "I agree to receive marketing emails. You may withdraw your consent at any time.",
            "marketing/email given",
        ),
        ("I consent to be contacted by phone, email or text", "enquiry-reply/phone given"),
        (
            "Wyrażam zgodę na newsletter. Więcej w polityce prywatności i cookies",
            "marketing/email given",
        ),
        ("Zgoda marketingowa data", ""),
        ("Marketing consent time", ""),
        ("Akceptuję pliki cookies", ""),
        ("Wyrażam zgodę na użycie plików cookies w celach marketingowych i statystycznych", ""),
    ];
    for (at, (wording, _)) in wordings.iter().enumerate() {
        workspace.input(
            &format!("form-{at}.csv"),
            format!("created_at;email;{wording:?}\n2026-11-12T10:00:00Z;w{at}@firma{at}.pl;yes\n"),
        );
    }
    run(&workspace);
    for (at, (wording, expected)) in wordings.iter().enumerate() {
        let told = on_record(&workspace, &format!("w{at}@firma{at}.pl"));
        let is_told = if expected.is_empty() { told.is_empty() } else { told.contains(expected) };
        assert!(is_told && !told.contains("withdrawn"), "{wording}: {told}");
    }
}

#[test]
fn a_status_of_who_left_takes_back_and_any_other_says_nothing() {
    let headers = [
        ("Status", "unsubscribed"),
        ("Email status", "Unsubscribed"),
        ("Status newslettera", "wypisany"),
        ("Subscriber status", "opted out"),
        ("Email Permission Status", "abgemeldet"),
        ("Consent revoked date", "2026-11-10"),
        ("Abmeldedatum", "2026-11-10"),
        ("unsub_date", "2026-11-10"),
        ("Data wypisania", "2026-11-10"),
        ("marketingOptOut", "true"),
        ("noMarketing", "true"),
    ];
    let workspace = Workspace::new();
    for (at, (header, left)) in headers.iter().enumerate() {
        workspace.input(
            &format!("list-{at}.csv"),
            format!(
                "E-mail;Data utworzenia;{header}\no{at}@firma{at}.pl;12.04.2025 10:00;{left}\n"
            ),
        );
    }
    workspace.input(
        "hook.jsonl",
        format!(
            "{}\n{}\n{}\n",
            r#"{"created_at":"2026-11-12T10:00:00Z","email":"left@hook-a.pl","status":"unsubscribed"}"#,
            r#"{"created_at":"2026-11-12T10:00:00Z","email":"new@hook-b.pl","status":"new"}"#,
            r#"{"created_at":"2026-11-12T10:00:00Z","email":"back@hook-c.pl","consents":[{"text":"T","accepted":true,"withdrawn_at":"2026-11-11T10:00:00Z"}]}"#
                .replace("\"T\"", &format!("{SENTENCE:?}")),
        ),
    );
    run(&workspace);
    for (at, (header, _)) in headers.iter().enumerate() {
        let told = on_record(&workspace, &format!("o{at}@firma{at}.pl"));
        assert!(told.contains("marketing/email withdrawn"), "{header}: {told}");
        assert!(!told.contains("given"), "{header}: {told}");
    }
    assert_eq!(on_record(&workspace, "left@hook-a.pl"), "marketing/email withdrawn");
    assert_eq!(on_record(&workspace, "new@hook-b.pl"), "");
    assert_eq!(on_record(&workspace, "back@hook-c.pl"), "marketing/email refused");
}

#[test]
fn a_confirmed_consent_is_of_the_time_and_address_of_its_confirmation() {
    let workspace = Workspace::new();
    workspace.input(
        "subscribed_members_export_ab13.csv",
        "Email Address,First Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LEID,EUID\n\
         anna@przyklad.pl,Anna,2,2025-04-12 13:05:13,203.0.113.7,2025-04-14 08:00:00,203.0.113.9,905,810c0002\n\
         jan@przyklad.pl,Jan,2,2025-04-12 13:05:13,203.0.113.7,2025-04-14 08:00:00,,906,810c0003\n",
    );
    run(&workspace);
    for (who, ip) in [("anna", "203.0.113.9"), ("jan", "203.0.113.7")] {
        let email = format!("{who}@przyklad.pl");
        let told = workspace.ok(&["consent", "show", &email, "--format", "json"]).json();
        assert_eq!(told["records"][0]["said_at"], "2025-04-14T08:00:00Z", "{who}");
        assert_eq!(told["records"][0]["ip"], ip, "{who}");
    }
}

#[test]
fn who_left_a_list_is_proven_by_the_list_and_not_by_the_number_of_a_row() {
    let workspace = Workspace::new();
    workspace.input(
        "unsubscribed_members_export_ab13.csv",
        "Email Address,First Name,MEMBER_RATING,OPTIN_TIME,LEID,EUID\n\
         anna@przyklad.pl,Anna,2,2025-04-12 13:05:13,905,810c0002\n",
    );
    run(&workspace);
    let told = workspace.ok(&["consent", "show", "anna@przyklad.pl", "--format", "json"]).json();
    assert_eq!(told["records"][0]["state"], "withdrawn");
    assert_eq!(told["records"][0]["wording"], "On Mailchimp's list of those who unsubscribed");
    assert_eq!(told["records"][0]["answer"], serde_json::Value::Null);
}

#[test]
fn a_refusal_takes_back_what_it_names_and_nothing_else_of_its_row() {
    for (header, cells, expected) in [
        ("Zgoda 1,Zgoda 2", "tak,nie", "enquiry-reply/email given, enquiry-reply/phone given"),
        ("Zgoda na kontakt telefoniczny,Zgoda", "tak,nie", "enquiry-reply/phone given"),
        (
            "Zgoda na kontakt telefoniczny,Zgoda RODO",
            "tak,nie",
            "enquiry-reply/email refused, enquiry-reply/phone given, enquiry-reply/phone refused",
        ),
        (
            "Newsletter,Wyrażam zgodę na otrzymywanie ofert partnerów",
            "tak,nie",
            "marketing/email given, partner-share/email refused",
        ),
        (
            "I agree to allow Acme to store and process my personal data.,I agree to receive other communications from Acme.",
            "Yes,No",
            "enquiry-reply/email given, enquiry-reply/phone given, marketing/email refused",
        ),
        (
            "Zgoda na kontakt,Wyrażam zgodę na przetwarzanie danych na potrzeby rekrutacji,Czy małżonek wyraża zgodę na zakup?",
            "tak,nie,nie",
            "enquiry-reply/email given, enquiry-reply/phone given",
        ),
        ("Zgoda", "nie", "enquiry-reply/email refused, enquiry-reply/phone refused"),
    ] {
        let workspace = Workspace::new();
        workspace.input(
            "a.csv",
            format!(
                "Data,Imię i nazwisko,E-mail,Telefon,{header}\n\
                 2026-11-18 09:00,Anna Wzorcowa,anna@przyklad.pl,600 123 456,{cells}\n"
            ),
        );
        run(&workspace);
        assert_eq!(on_record(&workspace, "anna@przyklad.pl"), expected, "{header}");
    }
}
