//! `leadmill match` on tables of two to ten rows, in which nothing can be counted: what anybody would see at once.

use std::collections::BTreeMap;

use super::workspace::Workspace;

/// Matches the rows of `table` and expects the groups of ids in `expected`, such as `1=2 4=5=6`; rows that stand
/// alone are not named.
#[track_caller]
fn check(table: &str, expected: &str) {
    let workspace = Workspace::new();
    let header_and_rows: Vec<&str> = table.trim().lines().map(str::trim).collect();
    workspace.file("t.csv", header_and_rows.join("\n") + "\n");
    let found = workspace.ok(&["match", "t.csv", "--quiet"]).stdout;
    let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (id, cluster) in found.lines().skip(1).filter_map(|line| line.split_once(',')) {
        groups.entry(cluster).or_default().push(id);
    }
    let joined = groups.into_values().filter(|ids| ids.len() > 1).map(|ids| ids.join("="));
    let joined: Vec<String> = joined.collect();
    assert_eq!(joined.join(" "), expected, "{table}");
}

#[test]
fn one_address_makes_one_person() {
    check(
        "id;Imię;Nazwisko;E-mail;Miasto
        1;Anna;Nowak;anna.nowak@wp.pl;Radom
        2;Anna;Nowak;ANNA.NOWAK@wp.pl;",
        "1=2",
    );
    check(
        "id,first name,last name,email
        1,Emma,Walsh,emma.walsh@brightway.co.uk
        2,E.,Walsh,emma.walsh@brightway.co.uk
        3,Oliver,Grant,oliver.grant@brightway.co.uk",
        "1=2",
    );
    check(
        "id,name,email
        1,Emma Walsh,e.walsh@brightway.co.uk
        2,,e.walsh@brightway.co.uk
        3,Noah Grant,n.grant@northgate.co.uk
        4,Lucy Hart,lucy.hart@gmail.com",
        "1=2",
    );
}

#[test]
fn one_name_and_one_birthday_make_one_person() {
    check(
        "id;Imię;Nazwisko;Data urodzenia
        1;Piotr;Wiśniewski;1981-03-14
        2;Piotr;Wisniewski;14.03.1981
        3;Ewa;Lis;1975-11-02",
        "1=2",
    );
    check(
        "id,first name,surname,dob
        1,John,Smith,1990-02-11
        2,Jon,Smith,1990-02-11
        3,John,Smith,1962-07-30
        4,Mary,Clarke,1990-02-11
        5,Peter,Hughes,1977-01-05",
        "1=2",
    );
}

#[test]
fn swapped_names_and_one_phone_make_one_person() {
    check(
        "id;Imię;Nazwisko;Telefon
        1;Katarzyna;Wrona;600 123 457
        2;Wrona;Katarzyna;+48600123457
        3;Marek;Zając;601 700 200",
        "1=2",
    );
    check(
        "id,first name,last name,phone,city
        1,Bob,Fletcher,+44 7700 900123,Leeds
        2,Fletcher,Robert,07700900123,
        3,Alice,Moore,07700 900456,Leeds
        4,Harry,Dunn,07700 900789,York",
        "1=2",
    );
}

#[test]
fn a_nickname_and_the_domain_of_one_company_make_one_person() {
    check(
        "id;Imię;Nazwisko;E-mail;Firma
        1;Katarzyna;Wrzos;katarzyna.wrzos@novatech.pl;Novatech sp. z o.o.
        2;Kasia;Wrzos;k.wrzos@novatech.pl;Novatech
        3;Adam;Kruk;adam.kruk@novatech.pl;Novatech",
        "1=2",
    );
    check(
        "id,full name,email,company
        1,William Harding,w.harding@oakfield.com,Oakfield Ltd
        2,Bill Harding,bill@oakfield.com,Oakfield
        3,Susan Price,susan@oakfield.com,Oakfield Ltd
        4,Tom Becker,tom.becker@hansa.de,Hansa GmbH",
        "1=2",
    );
}

#[test]
fn what_all_rows_share_does_not_keep_one_person_apart() {
    check(
        "id;Imię;Nazwisko;Firma;Miasto
        1;Zofia;Jeleń;Novatech;Radom
        2;Zofia;Jelen;Novatech;Radom
        3;Adam;Bąk;Novatech;Radom",
        "1=2",
    );
    check(
        "id,first name,last name,phone
        1,Grace,Holloway,020 7946 0321
        2,Grace,Holloway,020 7946 0321",
        "1=2",
    );
}

#[test]
fn colleagues_are_several_people() {
    check(
        "id;Imię;Nazwisko;E-mail;Telefon;Firma;Miasto
        1;Anna;Kowalska;anna.kowalska@novatech.pl;22 555 12 40;Novatech sp. z o.o.;Warszawa
        2;Jan;Wilk;jan.wilk@novatech.pl;22 555 12 40;Novatech sp. z o.o.;Warszawa",
        "",
    );
    check(
        "id,first name,last name,email,company,city
        1,Emma,Walsh,info@brightway.co.uk,Brightway Ltd,Leeds
        2,Oliver,Grant,info@brightway.co.uk,Brightway Ltd,Leeds
        3,Lucy,Hart,lucy.hart@brightway.co.uk,Brightway Ltd,Leeds",
        "",
    );
    check(
        "id,full name,company,website,street,city
        1,Emma Walsh,Brightway Ltd,brightway.co.uk,12 Mill Lane,Leeds
        2,Oliver Walsh,Brightway Ltd,brightway.co.uk,12 Mill Lane,Leeds
        3,Lucy Hart,Brightway Ltd,brightway.co.uk,12 Mill Lane,Leeds",
        "",
    );
}

#[test]
fn brothers_at_one_address_are_two_people() {
    check(
        "id;Imię;Nazwisko;Ulica;Kod pocztowy;Miasto
        1;Jan;Sikora;ul. Polna 7;26-600;Radom
        2;Piotr;Sikora;Polna 7;26-600;Radom",
        "",
    );
    check(
        "id,first name,surname,street,postcode,city,dob
        1,Jack,Thornton,4 Elm Road,LS6 2AB,Leeds,1994-05-06
        2,Henry,Thornton,4 Elm Road,LS6 2AB,Leeds,1997-10-21
        3,Rosie,Blake,80 High Street,LS1 4AA,Leeds,1990-01-01",
        "",
    );
}

#[test]
fn namesakes_in_two_towns_are_two_people() {
    check(
        "id;Imię;Nazwisko;Miasto
        1;Anna;Nowak;Radom
        2;Anna;Nowak;Gdańsk",
        "",
    );
    check(
        "id,first name,last name,company,city
        1,Anna,Nowak,Polmex,Radom
        2,Anna,Nowak,Baltic Foods,Gdynia
        3,Jan,Wilk,Polmex,Radom
        4,Jan,Wilk,Polmex,Radom",
        "3=4",
    );
    check(
        "id,first name,last name,email,city
        1,John,Smith,john.smith@gmail.com,Bristol
        2,John,Smith,jsmith81@yahoo.com,Aberdeen
        3,Mary,Clarke,mary.clarke@gmail.com,Bristol",
        "",
    );
}

#[test]
fn companies_are_one_by_name_and_place_only() {
    check(
        "id;Firma;Ulica;Miasto;NIP
        1;Novatech sp. z o.o.;ul. Polna 7;Radom;5252248481
        2;NOVATECH Sp. z o. o.;Polna 7;Radom;525-224-84-81
        3;Drukarnia Sowa;ul. Polna 7;Radom;",
        "1=2",
    );
    check(
        "id,company,street,city
        1,Blue Lagoon Cafe,12 Mill Lane,Leeds
        2,Blue Lagoon Café,12 Mill Ln,Leeds
        3,Harbour Hotel,12 Mill Lane,Leeds",
        "1=2",
    );
}

#[test]
fn ten_rows_hold_four_people_twice() {
    check(
        "id;Imię;Nazwisko;E-mail;Telefon;Firma;Miasto
        01;Anna;Nowak;anna.nowak@polmex.pl;601 222 333;Polmex S.A.;Radom
        02;Ania;Nowak;;+48 601 222 333;Polmex;Radom
        03;Jan;Kowalski;jan.kowalski@gmail.com;;;Kraków
        04;Jan;Kowalski;j.kowalski@hutmar.pl;;Hutmar;Gdynia
        05;Marek;Zieliński;m.zielinski@hutmar.pl;58 620 11 22;Hutmar;Gdynia
        06;Zieliński;Marek;m.zielinski@hutmar.pl;;Hutmar sp. z o.o.;
        07;Olga;Czyż;olga.czyz@polmex.pl;;Polmex;Radom
        08;Olga;Czyz;olga.czyz@polmex.p;;Polmex;Radom
        09;Robert;Dudek;;605 444 111;;Kielce
        10;Bob;Dudek;bob.dudek@wp.pl;605444111;;Kielce",
        "01=02 05=06 07=08 09=10",
    );
}
