//! Names as people type them.

use super::*;
use crate::rules::tables::shipped;
use proptest::prelude::*;

#[track_caller]
fn check(raw: &str, honorific: &str, first: &str, last: &str) {
    let name = split(raw, shipped());
    assert_eq!((&*name.honorific, &*name.first, &*name.last), (honorific, first, last), "{raw:?}");
}

#[test]
fn a_name_is_split_before_the_family_name() {
    check("Anna Łęcka", "", "Anna", "Łęcka");
    check("Anna Maria Nowak-Kowalska", "", "Anna Maria", "Nowak-Kowalska");
    check("Anna Nowak - Kowalska", "", "Anna", "Nowak-Kowalska");
    check("Ludwig van Beethoven", "", "Ludwig", "van Beethoven");
    check("Charles de la Tour", "", "Charles", "de la Tour");
    check("Anna \"Ania\" Łęcka", "", "Anna", "Łęcka");
    check("Anna (Ania) Łęcka", "", "Anna", "Łęcka");
    check("John Smith, PhD", "", "John", "Smith");
    check("Jan Kowalski, Firma XYZ", "", "Jan", "Kowalski");
    check("Kowalski Jan, Firma XYZ", "", "Jan", "Kowalski");
    check("Jan Kowalski - Firma XYZ", "", "Jan", "Kowalski");
    check("Jan Kowalski / XYZ", "", "Jan", "Kowalski");
    check("Anna Nowak – Kowalska", "", "Anna", "Nowak-Kowalska");
    check("Jan \"Kowalski\"", "", "Jan", "Kowalski");
    check("Anna (Ania)", "", "Anna", "");
    check("(Anna Łęcka)", "", "Anna", "Łęcka");
    check("O&#039;Connor Sean", "", "Sean", "O'Connor");
}

#[test]
fn what_stands_about_a_name_does_not_cost_it() {
    check("Anna \u{1b}[31mŁęcka", "", "Anna", "Łęcka");
    check("Anna\u{0} Łęcka\u{7}", "", "Anna", "Łęcka");
    check("Anna (Firma Łęcka", "", "Anna Firma", "Łęcka");
    check("Anna [Łęcka", "", "Anna", "Łęcka");
    check("Anna \"Łęcka", "", "Anna", "Łęcka");
    check("Anna Łęcka 🌸✨", "", "Anna", "Łęcka");
    check("❤️ Anna 🌸 Łęcka", "", "Anna", "Łęcka");
    check("Anna Łęcka anna@example.com", "", "Anna", "Łęcka");
    check("Anna Łęcka, tel. 600 123 456", "", "Anna", "Łęcka");
    check("Anna_Łęcka", "", "Anna", "Łęcka");
    check("*** Anna Łęcka ***", "", "Anna", "Łęcka");
    check("Anna *Łęcka", "", "Anna", "Łęcka");
    check("Anna Nowak@ - Łęcka", "", "Anna", "Nowak-Łęcka");
    check("Anna Nowak- @@Łęcka", "", "Anna", "Nowak-Łęcka");
}

#[test]
fn titles_are_set_apart() {
    check("Pan Jan Kowalski", "Pan", "Jan", "Kowalski");
    check("prof. dr hab. inż. Ewa Nowak", "prof. dr hab. inż.", "Ewa", "Nowak");
    check("Herr Dr. Jürgen Groß", "Herr Dr.", "Jürgen", "Groß");
    check("Mrs. Mary Smith", "Mrs.", "Mary", "Smith");
    check("Pan Kowalski", "Pan", "", "Kowalski");
    check("Pan brak", "Pan", "", "");
    check("P. Kowalski", "", "P.", "Kowalski");
    check("mgr inż. Jan Kowalski", "mgr inż.", "Jan", "Kowalski");
    check("mgr.inż. Jan Kowalski", "mgr. inż.", "Jan", "Kowalski");
    check("dr hab. n. med. Anna Nowak", "dr hab. n. med.", "Anna", "Nowak");
    check("lek. med. Anna Nowak", "lek. med.", "Anna", "Nowak");
    check("dr.Jan Kowalski", "dr.", "Jan", "Kowalski");
    check("Dipl.-Ing. Hans Müller", "Dipl.-Ing.", "Hans", "Müller");
    check("Sir Ian McKellen", "Sir", "Ian", "McKellen");
    check("Jan Kowalski, mgr inż.", "mgr inż.", "Jan", "Kowalski");
    check("Jan Kowalski mgr inż.", "mgr inż.", "Jan", "Kowalski");
    check("Kowalski, mgr Jan", "mgr", "Jan", "Kowalski");
    check("ks. Jan Kowalski", "ks.", "Jan", "Kowalski");
    check("Red Smith", "", "Red", "Smith");
    check("red. Anna Nowak", "red.", "Anna", "Nowak");
    check("Maj Jan", "", "Jan", "Maj");
}

#[test]
fn order_is_turned_round_only_on_evidence() {
    check("KOWALSKI JAN", "", "Jan", "Kowalski");
    check("Łęcka Anna", "", "Anna", "Łęcka");
    check("Kowalski, Jan", "", "Jan", "Kowalski");
    check("Jan Adam", "", "Jan", "Adam");
    check("KOWALSKI Jan", "", "Jan", "Kowalski");
    check("DUPONT Xawerego", "", "Xawerego", "Dupont");
    check("Jan KOWALSKI", "", "Jan", "Kowalski");
    check("ANNA Kowalska", "", "Anna", "Kowalska");
    check("Kowalski, Jan, dr", "", "Jan", "Kowalski");
    check("Qwerty Zxcvb", "", "Qwerty", "Zxcvb");
    check("Müller Hans-Peter", "", "Hans-Peter", "Müller");
    check("anna i jan kowalscy", "", "Anna i Jan", "Kowalscy");
    check("Anna Nowak z domu Kowalska", "", "Anna", "Nowak");
    check("prof. zw. dr hab. Ewa Nowak", "prof. zw. dr hab.", "Ewa", "Nowak");
}

#[test]
fn capitals_are_restored() {
    check("ANNA ŁĘCKA", "", "Anna", "Łęcka");
    check("anna łęcka", "", "Anna", "Łęcka");
    check("EWA NOWAK-ŻÓŁĆ", "", "Ewa", "Nowak-Żółć");
    check("LUDWIG VON MISES", "", "Ludwig", "von Mises");
    check("Ian McDonald", "", "Ian", "McDonald");
    check("SEAN O'CONNOR", "", "Sean", "O'Connor");
    check("IAN MCDONALD", "", "Ian", "McDonald");
    check("LA TOYA JACKSON", "", "La Toya", "Jackson");
    check("JAN VAN DER BERG", "", "Jan", "van der Berg");
    check("JP Morgan", "", "JP", "Morgan");
    check("JAN Kowalski", "", "Jan", "Kowalski");
    check("Ludwig VON MISES", "", "Ludwig", "von Mises");
}

#[test]
fn one_word_is_a_given_name_only_when_known() {
    check("Ania", "", "Ania", "");
    check("Żak", "", "", "Żak");
    check("\"Anna\"", "", "Anna", "");
}

#[test]
fn what_is_no_name_is_dropped() {
    check("-", "", "", "");
    check("brak", "", "", "");
    check("12345", "", "", "");
    check("anna@example.com", "", "", "");
    check("@krzysztof", "", "Krzysztof", "");
}

proptest! {
    #[test]
    fn any_text_is_split_without_a_panic(raw in "\\PC{0,40}", words in "[A-Ża-ż.,'\"() -]{0,40}") {
        for text in [raw, words] {
            split(&text, shipped());
            for part in [given_part, family_part] {
                let name = part(&text, shipped());
                let bare = name.first + &name.last;
                prop_assert!(bare.chars().count() <= 2 * NAME_CHARS_MAX);
                let again = part(&bare, shipped());
                prop_assert_eq!(again.first + &again.last, bare);
            }
        }
    }

    #[test]
    fn signs_about_words_split_the_same_again(text in "([A-Ża-ż]{1,3}|[-@ ./|+'\"\\[()_:]{1,2}|\\PC|dr|www|7){1,9}") {
        for part in [given_part, family_part] {
            let name = part(&text, shipped());
            let bare = name.first + &name.last;
            let again = part(&bare, shipped());
            prop_assert_eq!(again.first + &again.last, bare);
        }
    }

    #[test]
    fn a_split_name_splits_the_same_again(
        first in "[A-ZŁŚŻ][a-ząćęłńóśźż]{2,7}",
        last in "((von|de|van der) )?[A-ZŁŚŻ][a-ząćęłńóśźż]{2,9}(-[A-ZŁŚŻ][a-zó]{2,7})?",
    ) {
        let name = split(&format!("{first} {last}"), shipped());
        let again = split(&format!("{} {}", name.first, name.last), shipped());
        prop_assert_eq!((again.first, again.last), (name.first, name.last));
    }
}

#[test]
fn orders_of_other_languages_are_known() {
    check("Nguyễn Văn An", "", "Văn An", "Nguyễn");
    check("Do van der Berg", "", "Do", "van der Berg");
    check("NGUYEN THI MAI", "", "Thi Mai", "Nguyen");
    check("An Van Nguyen", "", "An Van", "Nguyen");
    check("Ivanov Ivan Ivanovich", "", "Ivan Ivanovich", "Ivanov");
    check("Шевченко Олена Петрівна", "", "Олена Петрівна", "Шевченко");
    check("Olena Petrivna Shevchenko", "", "Olena Petrivna", "Shevchenko");
    check("von Braun Wernher", "", "Wernher", "von Braun");
    check("Van der Berg Jan", "", "Jan", "Van der Berg");
    check("van Gogh", "", "", "van Gogh");
    check("Otto Graf von Bismarck", "", "Otto", "Graf von Bismarck");
    check("Anna Kowalska Nowak", "", "Anna", "Kowalska Nowak");
    check("Kowalska-Nowak Anna Maria", "", "Anna Maria", "Kowalska-Nowak");
    check("Jan Kowalski vel Nowak", "", "Jan", "Kowalski vel Nowak");
    check("Jan Adamowicz", "", "Jan", "Adamowicz");
}

#[test]
fn initials_and_signs_between_names_are_read() {
    check("J.Kowalski", "", "J.", "Kowalski");
    check("Kowalski J.", "", "J.", "Kowalski");
    check("Jan K.", "", "Jan", "K.");
    check("J.R. Nowak", "", "J.R.", "Nowak");
    check("anna.kowalska", "", "Anna", "Kowalska");
    check("Anna/Kowalska", "", "Anna", "Kowalska");
    check("Anna, Kowalska", "", "Anna", "Kowalska");
    check("aNNA kOWALSKA", "", "Anna", "Kowalska");
    check("Jan Kowalski 2", "", "Jan", "Kowalski");
    // Nobody is guessed out of one word.
    check("annakowalska", "", "", "Annakowalska");
}

#[test]
fn what_somebody_is_and_a_second_person_are_no_part_of_a_name() {
    check("Jan Kowalski - właściciel", "", "Jan", "Kowalski");
    check("Jan Kowalski prezes", "", "Jan", "Kowalski");
    check("Pan Prezes Jan Kowalski", "Pan Prezes", "Jan", "Kowalski");
    check("prof. PW dr hab. Jan Kowalski", "prof. PW dr hab.", "Jan", "Kowalski");
    check("Jan Kowalski, dr n. med.", "dr n. med.", "Jan", "Kowalski");
    check("Dr. med. dent. Eva Schmidt", "Dr. med. dent.", "Eva", "Schmidt");
    check("Hans Müller sen.", "", "Hans", "Müller");
    check("Amartya Sen", "", "Amartya", "Sen");
    check("Anna Nowak i Jan Kowalski", "", "Anna", "Nowak");
    check("Anna Nowak, Jan Kowalski", "", "Anna", "Nowak");
    check("Klient", "", "", "");
    check("Dział zakupów", "", "", "");
}

#[test]
fn a_stray_sign_makes_no_address_of_a_name() {
    for text in ["ⷈ@[-a", "Anna@ -Maria", "a- @@b", "@ -b"] {
        for part in [given_part, family_part] {
            let name = part(text, shipped());
            let bare = name.first + &name.last;
            assert!(!bare.is_empty(), "{text:?}");
            let again = part(&bare, shipped());
            assert_eq!(again.first + &again.last, bare, "{text:?}");
        }
    }
}

#[test]
fn parts_of_a_name_behind_it_or_before_it_find_their_place() {
    check("Otto Graf Lambsdorff", "", "Otto", "Graf Lambsdorff");
    check("Steffi Graf", "", "Steffi", "Graf");
    check("Müller, Thomas von", "", "Thomas", "von Müller");
    check("Berg, Jan van der", "", "Jan", "van der Berg");
    check("Kowalski Jan, Nowak Anna", "", "Jan", "Kowalski");
    check("Kowalski Jan i Nowak Anna", "", "Jan", "Kowalski");
    check("Anna-Maria", "", "Anna-Maria", "");
    check("Hans-Peter", "", "Hans-Peter", "");
}

#[test]
fn tags_of_a_page_are_no_part_of_a_name() {
    check("<b>Jan</b> Kowalski", "", "Jan", "Kowalski");
    check("<p>Anna<br/>Łęcka</p>", "", "Anna", "Łęcka");
    check("Jan &lt;b&gt;Kowalski&lt;/b&gt;", "", "Jan", "Kowalski");
}

#[test]
fn the_name_of_birth_is_no_part_of_a_family_name() {
    let check = |raw: &str, expected: &str| {
        assert_eq!(family_part(raw, shipped()).last, expected, "{raw:?}");
    };
    check("Nowak z d. Kowalska", "Nowak");
    check("Nowak z domu Kowalska", "Nowak");
    check("Müller geb. Schmidt", "Müller");
    check("Nowak - Kowalska", "Nowak-Kowalska");
    check("VON UND ZU GUTTENBERG", "von und zu Guttenberg");
    check("GROß", "Groß");
    check("STRAßER", "Straßer");
    check("ß", "ß");
}

#[test]
fn what_only_looks_like_a_name_s_part_is_kept() {
    check("Kowalski von Jan", "", "Kowalski", "von Jan");
    check("MCIK", "", "", "Mcik");
    check("JAN III SOBIESKI", "", "Jan III", "Sobieski");
}
