//! The matcher as a whole, on tables small enough to read.

use proptest::prelude::*;

use super::kind::Kind;
use super::lists::Lists;
use super::profile::{Profile, profile};
use super::records::Records;
use super::sheet::Sheet;
use super::{Matching, blocking, match_sheet};

fn lists() -> Lists {
    let groups = [
        vec!["katarzyna".to_owned(), "kasia".to_owned()],
        vec!["robert".to_owned(), "bob".to_owned()],
    ];
    let given = ["anna", "jan", "piotr", "ewa", "marek", "zofia", "adam", "olga"];
    let legal = ["sp z o o", "s a", "gmbh", "ltd"];
    Lists::new(
        groups.iter().map(Vec::as_slice),
        given,
        ["dr", "pan"],
        legal,
        ["gmail.com", "wp.pl"],
        ["biuro", "info"],
    )
}

fn sheet(header: &[&str], rows: &[&[&str]]) -> Sheet {
    let mut sheet = Sheet::new(header.iter().copied());
    for (number, row) in rows.iter().enumerate() {
        sheet.push(&format!("r{number:03}"), row.iter().copied());
    }
    sheet
}

fn matched(sheet: Sheet) -> (Sheet, Matching) {
    let sheet = sheet.in_canonical_order();
    let lists = lists();
    let profiles = profile(&sheet, &lists);
    let matching = match_sheet(&sheet, &profiles, &lists, None);
    (sheet, matching)
}

/// Returns the clusters of two records or more, as ids, in order.
fn clusters(sheet: Sheet) -> Vec<Vec<String>> {
    let (sheet, matching) = matched(sheet);
    let mut members: std::collections::BTreeMap<u32, Vec<String>> =
        std::collections::BTreeMap::new();
    for (row, cluster) in matching.clusters.iter().enumerate() {
        members.entry(*cluster).or_default().push(sheet.ids[row].to_string());
    }
    let mut clusters: Vec<Vec<String>> =
        members.into_values().filter(|ids| ids.len() > 1).collect();
    for ids in &mut clusters {
        ids.sort();
    }
    clusters.sort();
    clusters
}

const GIVEN: [&str; 8] = ["Anna", "Jan", "Piotr", "Ewa", "Marek", "Zofia", "Adam", "Olga"];
const SURNAMES: [&str; 12] = [
    "Nowak", "Wilk", "Zając", "Kruk", "Lis", "Dudek", "Bąk", "Sikora", "Jeleń", "Czyż", "Wrona",
    "Gawron",
];

/// Sixty people of twelve companies, five a company, all with one switchboard.
fn colleagues() -> Vec<[String; 5]> {
    (0..60)
        .map(|n| {
            let (given, surname) = (GIVEN[n * 5 % 8], SURNAMES[n * 7 % 12]);
            let company = SURNAMES[n / 5];
            [
                given.to_owned(),
                format!("{surname}{}", "aeiou".chars().nth(n % 5).unwrap_or('a')),
                format!("{given}.{surname}{n}@{company}-tech.pl").to_lowercase(),
                format!("22 123 4{:03}", n / 5 * 37),
                format!("{company} Tech sp. z o.o."),
            ]
        })
        .collect()
}

fn sheet_of(rows: &[[String; 5]]) -> Sheet {
    let mut sheet = Sheet::new(["Imię", "Nazwisko", "E-mail", "Telefon", "Firma"]);
    for (number, row) in rows.iter().enumerate() {
        sheet.push(&format!("r{number:03}"), row.iter().map(String::as_str));
    }
    sheet
}

#[test]
fn colleagues_behind_one_switchboard_stay_apart() {
    assert_eq!(clusters(sheet_of(&colleagues())), Vec::<Vec<String>>::new());
}

#[test]
fn a_person_is_found_again_under_a_slip_a_nickname_and_a_swap() {
    let mut rows = colleagues();
    let person = rows[17].clone();
    let slip = [
        person[0].clone(),
        format!("{}k", person[1]),
        person[2].replacen('.', "", 1),
        String::new(),
        person[4].clone(),
    ];
    let swapped = [
        person[1].clone(),
        person[0].clone(),
        person[2].to_uppercase(),
        person[3].clone(),
        String::new(),
    ];
    rows.extend([slip, swapped]);
    assert_eq!(clusters(sheet_of(&rows)), [["r017", "r060", "r061"]]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_order_of_rows_changes_nothing(seed in any::<u64>()) {
        let mut rows = colleagues();
        for n in [3, 21, 40] {
            let mut again = rows[n].clone();
            again[1].push('s');
            rows.push(again);
        }
        let expected = clusters(sheet_of(&rows));
        prop_assert_eq!(expected.len(), 3);
        let mut numbered: Vec<(usize, &[String; 5])> = rows.iter().enumerate().collect();
        numbered.sort_by_key(|(n, _)| super::hashing::mix(seed, *n as u64));
        let mut shuffled = Sheet::new(["Imię", "Nazwisko", "E-mail", "Telefon", "Firma"]);
        for (n, row) in numbered {
            shuffled.push(&format!("r{n:03}"), row.iter().map(String::as_str));
        }
        prop_assert_eq!(clusters(shuffled), expected);
    }

    #[test]
    fn no_table_makes_it_panic(cells in proptest::collection::vec("[a-zA-Z0-9@. +ąż'-]{0,12}", 0..120), width in 1_usize..7) {
        let headers = ["name", "email", "x", "phone", "dob", "Firma", "city"];
        let mut sheet = Sheet::new(headers.iter().copied().take(width));
        for (number, row) in cells.chunks(width).enumerate() {
            sheet.push(&number.to_string(), row.iter().map(String::as_str));
        }
        let n = sheet.len();
        let (_, matching) = matched(sheet);
        prop_assert_eq!(matching.clusters.len(), n);
    }
}

#[test]
fn two_hundred_equal_blocks_do_not_make_all_pairs_candidates() {
    let mut sheet = Sheet::new(["name", "city"]);
    for n in 0..3_000 {
        sheet.push(&n.to_string(), ["Biedronka", if n % 2 == 0 { "Radom" } else { "Kielce" }]);
    }
    let sheet = sheet.in_canonical_order();
    let profiles = profile(&sheet, &lists());
    let records = Records::prepare(&sheet, &profiles, &lists());
    assert!(blocking::candidates(&records, &blocking::by_name(&records)).len() <= 3_000 * 24);
}

#[test]
fn columns_are_known_by_header_and_by_values() {
    let check = |header: &str, values: &[&str], expected: Kind| {
        let rows: Vec<[&str; 2]> = values.iter().map(|value| [*value, "Nowak"]).collect();
        let rows: Vec<&[&str]> = rows.iter().map(|row| &row[..]).collect();
        let sheet = sheet(&[header, "surname"], &rows);
        let Profile { kind, because } = profile(&sheet, &lists())[0].clone();
        assert_eq!(kind, expected, "{header}: {because}");
    };
    check("Vorname", &["Jan", "Ewa"], Kind::Given);
    check("E-Mail", &["a@b.pl", "c@d.pl"], Kind::Email);
    check("Kontakt 7", &["a@b.pl", "c@d.pl"], Kind::Email);
    check("Kolumna", &["600 100 200", "22 123 45 67"], Kind::Phone);
    check("Kolumna", &["1980-05-01", "1979-11-30"], Kind::Date);
    check("Kolumna", &["https://a.pl", "www.b.pl"], Kind::Web);
    check("Kolumna", &["1", "2", "3", "4"], Kind::Ignored);
    check("address_2", &["ul. Polna 1", "ul. Leśna 2"], Kind::Street);
    check("NIP", &["5252248481", "7010015454"], Kind::Id);
    check("Status", &["new", "old"], Kind::Ignored);
    // What two rows share tells them from the rest of the world; what forty share is what the table is about.
    check("Firma", &["ABC", "ABC"], Kind::Organization);
    check("Firma", &["ABC"; 40], Kind::Ignored);
    check("Kolumna", &["ABC", "ABC"], Kind::Ignored);
    check("Firma", &["", "ABC", ""], Kind::Ignored);
    check("name", &["Lokal Pod Lipą", "Bistro 7"], Kind::Organization);
}

#[test]
fn a_name_column_holds_people_where_given_names_stand_in_it() {
    let rows: &[&[&str]] =
        &[&["Jan Kowalski", "Radom"], &["Ewa Lis", "Łódź"], &["Wilk Adam", "Kielce"]];
    let sheet = sheet(&["Name", "City"], rows);
    assert_eq!(profile(&sheet, &lists())[0].kind, Kind::FullName);
}

#[test]
fn linked_lists_are_joined_across_only() {
    let mut rows = colleagues();
    let person = rows[17].clone();
    rows.extend([person.clone(), person]);
    let sheet = sheet_of(&rows).in_canonical_order();
    let lists = lists();
    let profiles = profile(&sheet, &lists);
    let side: Vec<bool> = sheet.ids.iter().map(|id| &**id < "r061").collect();
    let matching = match_sheet(&sheet, &profiles, &lists, Some(&side));
    let n = sheet.len() as u32;
    let together: Vec<(u32, u32)> = (0..n)
        .flat_map(|a| (a + 1..n).map(move |b| (a, b)))
        .filter(|(a, b)| matching.clusters[*a as usize] == matching.clusters[*b as usize])
        .collect();
    assert_eq!(together.len(), 1, "{together:?}");
    assert_ne!(side[together[0].0 as usize], side[together[0].1 as usize]);
}
