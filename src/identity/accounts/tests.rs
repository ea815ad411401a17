//! Which leads are of one company, and through which keys.

use super::keys::{CompanyKeyKind, company_keys, tells_of_company};
use super::{AccountBook, Accounts};
use crate::identity::keys::Keyring;
use crate::model::field::{self, FieldNo, FieldValues};
use crate::rules::tables::shipped;

/// Reads `company;domain;town;nip;country`; a domain with a sign before it is that of the mailbox alone.
fn lead(text: &str) -> FieldValues {
    let mut values = FieldValues::default();
    let fields = [field::COMPANY, field::COMPANY_DOMAIN, field::CITY, field::NIP, field::COUNTRY];
    for (field, value) in fields.into_iter().zip(text.split(';')) {
        match value.strip_prefix('@') {
            Some(domain) => values.set(field::EMAIL_DOMAIN, domain),
            None => values.set(field, value),
        }
    }
    values
}

fn accounts(leads: &[&str]) -> Accounts {
    let tables = shipped();
    let keyring = Keyring::new(tables);
    let mut book = AccountBook::default();
    for text in leads {
        book.add(&company_keys(&lead(text), keyring.lists(), tables));
    }
    book.close()
}

/// Holds the accounts of `leads`, given as numbers of two leads and more, against `expected`, in both orders of leads.
#[track_caller]
fn check(leads: &[&str], expected: &[&[u32]]) {
    assert_eq!(accounts(leads).of_several(), expected, "{leads:?}");
    let last = leads.len() as u32 - 1;
    let reversed: Vec<&str> = leads.iter().rev().copied().collect();
    let mut turned: Vec<Vec<u32>> = accounts(&reversed)
        .of_several()
        .iter()
        .map(|members| members.iter().rev().map(|lead| last - lead).collect())
        .collect();
    turned.sort();
    assert_eq!(turned, expected, "{leads:?}, the last first");
}

const NIP: &str = "5260001246";

#[test]
fn fields_that_tell_of_a_company_are_those_that_keys_are_made_of() {
    let tables = shipped();
    let keyring = Keyring::new(tables);
    let mut all = lead(&format!("Alfa Logistyka;alfa.example;Łódź;{NIP};PL"));
    all.set(field::EMAIL_DOMAIN, "beta.example");
    let keys = |values: &FieldValues| company_keys(values, keyring.lists(), tables);
    for (name, number) in field::CORE.iter().zip(0..) {
        let changes = ["", "true", "12345"].into_iter().any(|value| {
            let mut other = all.clone();
            other.set(FieldNo(number), value);
            keys(&other) != keys(&all)
        });
        assert_eq!(tells_of_company(FieldNo(number)), changes, "{name}");
    }
}

#[test]
fn a_number_or_a_domain_links_whoever_names_no_other_company() {
    check(&["Nova Systemy;nova.pl", ";nova.pl", "NOVA Systemy sp. z o.o.;@nova.pl"], &[&[0, 1, 2]]);
    check(&["Nova Systemy;;;5260001246", "Nova;;;5260001246;", ";;;5260001246"], &[&[0, 1, 2]]);
    check(&["Nova Systemy;nova.pl", "Nova Sytsemy;nova.pl"], &[&[0, 1]]);
    // One is linked by the number, another by the domain, and so all are one.
    check(&[&format!("Nova;;;{NIP}"), &format!(";nova.pl;;{NIP}"), ";nova.pl"], &[&[0, 1, 2]]);
    check(&["Nova;nova.pl", "Delta;delta.pl", ""], &[]);
}

#[test]
fn what_everybody_can_have_links_nobody() {
    check(&["Nova;@wp.pl", "Nova;@wp.pl"], &[]);
    check(&["Nova;facebook.com", "Delta;facebook.com", ";bit.ly", ";bit.ly"], &[]);
    check(&[";wixsite.com", ";wixsite.com"], &[]);
    // Whoever has a mailbox there works there.
    check(&["Allegro;@allegro.pl", ";@allegro.pl"], &[&[0, 1]]);
    for generic in [
        "Usługi",
        "Transport",
        "Firma handlowa",
        "Usługi transportowe sp. z o.o.",
        "The Company Ltd",
        "Własna działalność",
        "Handel GmbH",
        "brak",
    ] {
        let lead = format!("{generic};;Radom");
        check(&[&lead, &lead, &lead], &[]);
    }
}

#[test]
fn a_shared_key_links_only_who_names_the_same_company() {
    // A franchise: each has a mailbox at the brand's domain.
    let franchise =
        ["Wrona;zabka.pl", "Kruk;zabka.pl", "Sroka;zabka.pl", ";zabka.pl", "Wrona;zabka.pl"];
    check(&franchise, &[&[0, 4]]);
    let found = accounts(&franchise);
    assert!(found.refused(3).contains(CompanyKeyKind::Domain), "nobody knows whose this is");
    assert!(!found.refused(0).contains(CompanyKeyKind::Domain));
    // A bookkeeper's tax number.
    check(&["Wrona;;;5260001246", "Kruk;;;5260001246", "Sroka;;;5260001246"], &[]);
    // One that misreads its own name is one of many: the others are still the company.
    check(
        &["Nova;nova.pl", "Nova;nova.pl", "Nova;nova.pl", "Kruk;nova.pl", ";nova.pl"],
        &[&[0, 1, 2, 4]],
    );
    // A name that any company may have contradicts nothing.
    check(&["Nova;nova.pl", "Usługi;nova.pl"], &[&[0, 1]]);
}

#[test]
fn one_name_links_in_one_town_or_when_it_is_rare() {
    check(&["Nova;;Radom", "NOVA s.c.;;RADOM"], &[&[0, 1]]);
    check(&["Nova;;Radom", "Nova;;Łódź", "Nova", "Nova"], &[]);
    check(&["Silverchem;;Radom", "Silverchem", "Silverchem"], &[&[0, 1, 2]]);
    check(&["Silverchem;;Radom", "Silverchem;;Łódź"], &[]);
    check(&["Silverchem;silverchem.pl;Radom", "Silverchem;;Łódź", "Silverchem"], &[&[0, 1, 2]]);
    check(&["Silverchem;a.pl", "Silverchem;b.pl", "Silverchem"], &[]);
    check(&["Silverchem;;Radom", "Siilverchem;;Radom"], &[&[0, 1]]);
    check(&["Silverchem 12;;Radom", "Silverchem 13;;Radom", "Siilverchem 13;;Radom"], &[&[1, 2]]);
    check(&["Silverchem;;;;PL", "Silverchem;;;;DE", "Silverchem;;;;DE"], &[&[1, 2]]);
}

#[test]
fn domains_that_differ_in_their_ending_are_one_companys_in_one_country() {
    check(&["Nova;nova.pl;;;PL", "Nova;nova.com;;;PL"], &[&[0, 1]]);
    check(&["Nova;nova.pl", "Nova;nova.de"], &[]);
    check(&["Nova;nova.pl", "Nova;nova.de;;;PL", "Nova;nova.de"], &[&[1, 2]]);
    check(&["Nova;nova.pl;;5260001246;PL", "Nova;nova.com;;1132191233;PL"], &[]);
    check(&["Nova;nova.pl;;;PL", "Kruk;nova.com;;;PL"], &[]);
}

#[test]
fn keys_say_what_they_are_made_of() {
    let tables = shipped();
    let keyring = Keyring::new(tables);
    let mut values = lead("Nova Łąka sp. z o.o.;nova.pl;Łódź;5260001246");
    values.set(field::REGON, "12345678512347");
    values.set(field::EMAIL_DOMAIN, "gmial.com");
    values.set(field::EMAIL_SUGGESTION, "anna@gmail.com");
    let found = company_keys(&values, keyring.lists(), tables);
    let said: Vec<String> =
        found.keys.iter().map(|key| format!("{}: {}", key.kind.words(), key.value)).collect();
    assert_eq!(
        said,
        [
            "NIP: 5260001246",
            "REGON: 123456785",
            "domain: nova.pl",
            "name and domain but for its ending: nova laka, nova.* in PL",
            "name and town: nova laka, lodz",
            "similar name in one place: nf, lodz",
            "company name: nova laka",
        ]
    );
    assert_eq!(found.country.as_deref(), Some("PL"), "by the ending of the domain");
}
