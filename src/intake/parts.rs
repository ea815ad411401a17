//! Fields that form builders take apart: `Name (First)`, `Adres - Postal / Zip Code`.

use super::contacts::asks_for_another;
use crate::model::field::{
    CITY, COUNTRY, EMAIL, FIRST_NAME, FieldNo, HONORIFIC, LAST_NAME, POSTCODE, REGION, STREET,
};
use crate::rules::source::composite;

/// The parts into which form builders take names and addresses, folded, in the languages of their screens.
const PARTS: &[(FieldNo, &[&str])] = &[
    (FIRST_NAME, &["first name", "given name", "imie", "vorname", "prenom", "nombre"]),
    (
        LAST_NAME,
        &[
            "last name",
            "surname",
            "family name",
            "nazwisko",
            "nachname",
            "nom",
            "nom de famille",
            "apellido",
            "apellidos",
        ],
    ),
    (HONORIFIC, &["prefix", "prefiks", "anrede", "tytul"]),
    (
        STREET,
        &[
            "street address",
            "street",
            "address line 1",
            "ulica",
            "ulica i numer",
            "strasse",
            "rue",
            "calle",
        ],
    ),
    (CITY, &["city", "miasto", "miejscowosc", "stadt", "ort", "ville", "ciudad"]),
    (
        REGION,
        &[
            "state province",
            "state province region",
            "state",
            "region",
            "wojewodztwo",
            "bundesland",
            "provincia",
        ],
    ),
    (
        POSTCODE,
        &[
            "zip postal code",
            "postal zip code",
            "zip code",
            "zip",
            "postal code",
            "kod pocztowy",
            "plz",
            "postleitzahl",
            "code postal",
            "codigo postal",
        ],
    ),
    (COUNTRY, &["country", "kraj", "land", "pays", "pais"]),
    (EMAIL, &["enter email", "confirm email"]),
];
/// Parts that are a name's only where the whole is one.
const NAME_PARTS: &[(FieldNo, &str)] = &[(FIRST_NAME, "first"), (LAST_NAME, "last")];
/// What the folded header of a whole name has in it.
const NAME_STEMS: &[&str] =
    &["name", "imie", "nazwisk", "nom", "person", "kontakt", "contact", "osob"];

/// Returns the field of which the header names a part of a person's name or address: `Name (First)`.
pub(super) fn part_of(header: &str) -> Option<FieldNo> {
    let (whole, part) = composite(header)?;
    if asks_for_another(&whole) {
        return None;
    }
    let plain = PARTS.iter().find(|(_, words)| words.contains(&part.as_str()));
    let of_name = || {
        let is_name = NAME_STEMS.iter().any(|stem| whole.contains(stem));
        NAME_PARTS.iter().find(|(_, word)| is_name && *word == part).map(|(field, _)| *field)
    };
    plain.map(|(field, _)| *field).or_else(of_name)
}
