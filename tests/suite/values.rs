//! What becomes of values as people type them, seen in the files that a run leaves.

use super::workspace::Workspace;

/// Returns the rows of `crm/leads.csv` with the columns asked for, joined by `|`.
fn leads(workspace: &Workspace, columns: &[&str]) -> Vec<String> {
    let text = workspace.latest("crm/leads.csv");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().unwrap().clone();
    let at: Vec<usize> = columns
        .iter()
        .map(|name| header.iter().position(|known| known == *name).unwrap())
        .collect();
    let mut rows: Vec<String> = reader
        .records()
        .map(|row| {
            let row = row.unwrap();
            at.iter().map(|&at| &row[at]).collect::<Vec<_>>().join("|")
        })
        .collect();
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
