//! What becomes of values as people type them, seen in the files that a run leaves.

use std::collections::BTreeMap;

use super::workspace::Workspace;

/// Returns the rows of `crm/leads.csv` with the columns asked for, joined by `|`.
fn leads(workspace: &Workspace, columns: &[&str]) -> Vec<String> {
    let cells = |row: BTreeMap<String, String>| {
        columns.iter().map(|name| row[*name].as_str()).collect::<Vec<_>>().join("|")
    };
    let mut rows: Vec<String> = workspace.leads_csv().into_iter().map(cells).collect();
    rows.sort();
    rows
}

#[test]
fn a_second_contact_an_extension_and_a_suggestion_reach_the_file() {
    let workspace = Workspace::new();
    workspace.input(
        "form.csv",
        "Imię i nazwisko;E-mail;Telefon;Firma;Województwo\n\
         mgr inż. ANNA ŁĘCKA;anna@przyklad.pl, biuro@przyklad.pl;22 123 45 67 wew. 12;Łęcka spółka z o.o.;woj. mazowieckie\n\
         Kowalski, Jan;jan@gmial.com;600123456 lub 601123457;;\n",
    );
    workspace.ok(&["run"]);
    let columns = ["full-name", "email", "other-emails", "email-suggestion"];
    assert_eq!(
        leads(&workspace, &columns),
        [
            "Anna Łęcka|anna@przyklad.pl|biuro@przyklad.pl|",
            "Jan Kowalski|jan@gmial.com||jan@gmail.com",
        ]
    );
    let columns = ["phone", "other-phones", "phone-extension", "legal-form", "region"];
    assert_eq!(
        leads(&workspace, &columns),
        ["+48221234567||12|sp. z o.o.|mazowieckie", "+48600123456|+48601123457|||"]
    );
}

#[test]
fn a_form_sent_faster_than_a_person_can_is_held_and_counts_nowhere() {
    let workspace = Workspace::new();
    workspace.input(
        "typeform.csv",
        "#,Imię,E-mail,Response Type,Start Date (UTC),Submit Date (UTC),Network ID,Tags\n\
         aaa,Anna,anna@przyklad.pl,completed,2026-11-18 13:03:24,2026-11-18 13:05:13,9,\n\
         bbb,Jan,jan@przyklad.pl,completed,2026-11-18 13:05:13,2026-11-18 13:05:14,9,\n\
         ccc,Win https://x.example/1,ewa@przyklad.pl,completed,2026-11-18 13:05:13,2026-11-18 13:06:14,9,\n",
    );
    workspace.ok(&["run"]);
    assert_eq!(leads(&workspace, &["email"]), ["anna@przyklad.pl"]);
    assert_eq!(workspace.number("SELECT count(*) FROM held WHERE reason = 'spam'"), 2);
}

/// Sends `answer` to each of `questions` and returns the consents that a run put on record, by question.
fn consents(questions: &[&str], answer: &str) -> Vec<String> {
    let workspace = Workspace::new();
    let quoted: Vec<String> = questions.iter().map(|question| format!(";\"{question}\"")).collect();
    let answers = format!(";{answer}").repeat(questions.len());
    workspace.input("form.csv", format!("E-mail{}\nanna@przyklad.pl{answers}\n", quoted.concat()));
    workspace.ok(&["run"]);
    workspace
        .sql("SELECT wording || ': ' || purpose || ' ' || channel || ' ' || state FROM consents ORDER BY 1")
        .concat()
}

#[test]
fn consent_questions_are_known_in_free_words() {
    let found = consents(
        &[
            "mkt email ok?",
            "marketing sms",
            "Czy możemy do Ciebie zadzwonić?",
            "Dürfen wir Ihnen Angebote per E-Mail senden?",
            "May we text you?",
            "Kein Newsletter",
        ],
        "tak",
    );
    assert_eq!(
        found,
        [
            "Czy możemy do Ciebie zadzwonić?: enquiry-reply phone given",
            "Dürfen wir Ihnen Angebote per E-Mail senden?: marketing email given",
            "Kein Newsletter: marketing email withdrawn",
            "May we text you?: enquiry-reply sms given",
            "marketing sms: marketing sms given",
            "mkt email ok?: marketing email given",
        ]
    );
}

#[test]
fn questions_that_only_sound_like_consents_are_none() {
    let found = consents(
        &[
            "E-mail marketing",
            "Czy prowadzisz newsletter?",
            "Do you send a newsletter?",
            "Kiedy możemy zadzwonić?",
            "Data zgody",
            "Zgoda - treść",
            "consent_version",
            "Zgoda konserwatora",
            "Zgodność z normą",
            "Powód rezygnacji",
            "Wypis z rejestru gruntów",
            "Czy firma ma wdrożone RODO?",
        ],
        "tak",
    );
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn a_bounced_address_is_no_withdrawal_but_takes_no_mail() {
    let workspace = Workspace::new();
    workspace.input(
        "cleaned_export.csv",
        "Email Address,First Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,CC,CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,CLEAN_CAMPAIGN_ID,LAST_CHANGED,LEID,EUID,NOTES,TAGS\n\
         anna@przyklad.pl,Anna,1,2025-09-12 13:05:13,203.0.113.7,2025-09-12 13:06:13,203.0.113.7,PL,2026-11-01 10:00:00,News,17,2026-11-01 10:00:00,1,810c,,\n",
    );
    workspace.table(
        "form.csv",
        &["1,2026-11-20T12:00:00Z,Anna Nowak,anna@przyklad.pl,+48600123456,,PL,Proszę o ofertę,"],
    );
    workspace.ok(&["run"]);
    assert_eq!(leads(&workspace, &["email", "email-is-undeliverable"]), ["anna@przyklad.pl|true"]);
    let states = workspace.sql("SELECT DISTINCT state FROM consents").concat();
    assert_eq!(states, ["doi-confirmed"]);
    let mails = "SELECT count(*) FROM tasks WHERE channel = 'email' AND state = 'open'";
    assert_eq!(workspace.number(mails), 0);
}

#[test]
fn a_column_of_faxes_is_none_of_phones() {
    let workspace = Workspace::new();
    workspace.input(
        "form.csv",
        "E-mail;Fax;Tel./Fax\nanna@przyklad.pl;22 123 45 67;\njan@przyklad.pl;;22 123 45 68\n",
    );
    workspace.ok(&["run"]);
    let found = leads(&workspace, &["email", "phone"]);
    assert_eq!(found, ["anna@przyklad.pl|", "jan@przyklad.pl|+48221234568"]);
}

#[test]
fn what_a_form_was_given_outweighs_the_account_that_filled_it_in() {
    let workspace = Workspace::new();
    workspace.input(
        "forms.csv",
        "ID,Start time,Completion time,Email,Name,Imię i nazwisko klienta,E-mail klienta,Telefon klienta\n\
         1,11/9/26 18:01:02,11/9/26 18:03:02,recepcja.jan@firma-przyklad.pl,Jan Recepcjonista,Anna Mała,anna.m@poczta-prywatna.pl,602345678\n\
         2,11/10/26 18:01:02,11/10/26 18:03:02,recepcja.jan@firma-przyklad.pl,Jan Recepcjonista,Jan Kos,jan.prywatny@poczta-prywatna.pl,602345679\n\
         3,11/11/26 18:01:02,11/11/26 18:03:02,ewa@firma-przyklad.pl,Ewa Lis,,,602345670\n",
    );
    workspace.ok(&["run"]);
    assert_eq!(
        leads(&workspace, &["full-name", "email", "phone", "other-emails"]),
        [
            "Anna Mała|anna.m@poczta-prywatna.pl|+48602345678|",
            "Ewa Lis|ewa@firma-przyklad.pl|+48602345670|",
            "Jan Kos|jan.prywatny@poczta-prywatna.pl|+48602345679|",
        ]
    );
}

#[test]
fn a_subject_and_a_message_are_both_kept_and_so_are_the_messages_of_a_person() {
    let workspace = Workspace::new();
    let row = |subject: &str, message: &str, day: u32| {
        format!(
            "\"Jan Lis\",\"jan.lis@alfa-przyklad.pl\",\"{subject}\",\"{message}\",\"2026-11-{day}T15:05:13+01:00\"\n"
        )
    };
    let header = "\"your-name\",\"your-email\",\"your-subject\",\"your-message\",\"Date\"\n";
    workspace.input(
        "flamingo.csv",
        format!("{header}{}", row("Zapytanie ze strony", "Proszę o wycenę 120 sztuk", 12)),
    );
    workspace.ok(&["run", "--as-of", "2026-11-12T19:00:00Z"]);
    let asked = "Zapytanie ze strony; Proszę o wycenę 120 sztuk";
    assert_eq!(leads(&workspace, &["message"]), [asked]);
    let score = workspace.number("SELECT score FROM leads");
    // Whoever asked for a quote and says hello later still wants the quote.
    workspace.input("later.csv", format!("{header}{}", row("Zapytanie ze strony", "Halo?", 13)));
    workspace.ok(&["run", "--as-of", "2026-11-13T19:00:00Z"]);
    assert_eq!(leads(&workspace, &["message"]), [format!("{asked}; Halo?")]);
    assert!(workspace.number("SELECT score FROM leads") >= score);
}

#[test]
fn webflow_numbers_the_second_field_of_a_name_in_every_language() {
    let workspace = Workspace::new();
    workspace.input(
        "webflow.jsonl",
        "{\"triggerType\":\"form_submission\",\"payload\":{\"name\":\"Kontakt\",\"siteId\":\"62749158efef318abc8d5a01\",\
         \"data\":{\"Imię i nazwisko 2\":\"Iwo Kruk\",\"Adres e-mail 2\":\"iwo@poczta-prywatna.pl\",\"Numer telefonu 2\":\"602345671\",\
         \"Wiadomość 2\":\"Cześć\"},\"schema\":[],\"submittedAt\":\"2026-11-16T22:56:17.609Z\",\"id\":\"66a900000000000000000001\",\
         \"formId\":\"65429eadebe8a9f3a30f62d0\",\"pageUrl\":\"https://example.com/kontakt\"}}\n",
    );
    workspace.ok(&["run"]);
    assert_eq!(
        leads(&workspace, &["full-name", "email", "phone", "message"]),
        ["Iwo Kruk|iwo@poczta-prywatna.pl|+48602345671|Cześć"]
    );
}

#[test]
fn two_names_of_one_sound_are_two_people() {
    let workspace = Workspace::new();
    workspace.input(
        "people.csv",
        "Data;Imię i nazwisko;E-mail;Telefon;Firma\n\
         12.11.2026 10:00;Anna Kos;anna@firma-przyklad.pl;602345671;\n\
         13.11.2026 10:00;Hanna Kos;hanna@firma-przyklad.pl;602999872;\n",
    );
    workspace.ok(&["run"]);
    assert_eq!(leads(&workspace, &["full-name"]), ["Anna Kos", "Hanna Kos"]);
}
