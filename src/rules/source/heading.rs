//! What headers have in common, however they are spelled: the keys by which columns are known.

use crate::rules::field::fold_header;

/// Returns what two spellings of a header have in common; a header of signs alone stays itself.
pub fn header_key(header: &str) -> String {
    let folded = fold_header(header);
    if folded.is_empty() {
        header.trim_matches(|c: char| c == '\u{feff}' || c.is_whitespace()).to_owned()
    } else {
        folded
    }
}

/// Returns the folded `header` with the words apart that a programmer wrote together (`createdAt`,
/// `UTMSource`); nothing where that changes nothing.
pub fn parted_key(header: &str) -> Option<String> {
    if !header.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    let letters: Vec<char> = header.chars().collect();
    let mut parted = String::with_capacity(header.len() + 4);
    for (at, &letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| letters[before]);
        let begins_word = letter.is_uppercase()
            && before.is_some_and(|before| {
                let is_last_of_run = letters.get(at + 1).is_some_and(|next| next.is_lowercase());
                before.is_lowercase() || before.is_uppercase() && is_last_of_run
            });
        if begins_word {
            parted.push(' ');
        }
        parted.push(letter);
    }
    (parted.len() > header.len()).then(|| header_key(&parted))
}

/// Returns what a question asks for, without the words around it: `Jaki jest Twój numer telefonu?` is
/// `numer telefonu`. Nothing where no such words are there.
pub fn asked_key(key: &str) -> Option<String> {
    let words: Vec<&str> = key.split(' ').filter(|word| !POSSESSIVES.contains(word)).collect();
    let from = words.iter().position(|word| !ASKING.contains(word))?;
    let to = words.iter().rposition(|word| !ASIDE.contains(word))? + 1;
    let asked = words.get(from..to)?.join(" ");
    (!asked.is_empty() && asked != key).then_some(asked)
}

/// Returns the folded whole and the folded part of the header of a field in several parts, as form builders write
/// them: `Name (First)`, `Imię i nazwisko - Last Name`. Nothing where it has no parts.
pub fn composite(header: &str) -> Option<(String, String)> {
    let header = header.trim();
    let in_brackets = header.strip_suffix(')').and_then(|rest| rest.rsplit_once('('));
    let (whole, part) = in_brackets.or_else(|| header.rsplit_once(" - "))?;
    let (whole, part) = (fold_header(whole), fold_header(part));
    (!whole.is_empty() && !part.is_empty()).then_some((whole, part))
}

/// Words that say whose: they tell nothing about what is asked for, wherever they stand.
const POSSESSIVES: &[&str] = &[
    "your", "my", "twoj", "twoja", "twoje", "twojej", "twojego", "swoj", "swoja", "swoje",
    "swojej", "swojego", "pana", "pani", "panstwa", "moj", "moja", "moje", "ihr", "ihre", "ihrer",
    "ihres", "ihren", "dein", "deine", "deiner", "votre", "vos", "ton", "tes", "tu", "tus", "su",
    "sus",
];

/// Words that a question begins with.
const ASKING: &[&str] = &[
    "raw",
    "please",
    "enter",
    "provide",
    "give",
    "us",
    "type",
    "share",
    "what",
    "whats",
    "s",
    "is",
    "are",
    "the",
    "a",
    "hej",
    "hi",
    "hello",
    "czesc",
    "na",
    "podaj",
    "prosze",
    "prosimy",
    "podac",
    "wpisz",
    "o",
    "podanie",
    "jaki",
    "jaka",
    "jakie",
    "jest",
    "masz",
    "jak",
    "nazywa",
    "sie",
    "bitte",
    "geben",
    "sie",
    "wie",
    "lautet",
    "ist",
    "was",
    "hoch",
    "heisst",
    "comment",
    "appelle",
    "como",
    "se",
    "llama",
    "how",
    "much",
    "ile",
    "wynosi",
    "macie",
    "quel",
    "quelle",
    "quels",
    "quelles",
    "est",
    "sont",
    "veuillez",
    "saisir",
    "saisissez",
    "entrez",
    "entrer",
    "indiquez",
    "indiquer",
    "renseignez",
    "merci",
    "le",
    "la",
    "les",
    "l",
    "cual",
    "cuales",
    "es",
    "son",
    "por",
    "favor",
    "indique",
    "indica",
    "introduce",
    "introduzca",
    "escribe",
    "escriba",
    "el",
    "los",
    "las",
];

/// Words that stand behind what is asked for.
const ASIDE: &[&str] = &[
    "optional",
    "required",
    "opcjonalne",
    "opcjonalnie",
    "wymagane",
    "pole",
    "obowiazkowe",
    "nieobowiazkowe",
    "pflichtfeld",
    "an",
    "ein",
];

/// Returns the key of a header's very spelling, which a name that starts with `=` asks for.
pub fn verbatim_key(header: &str) -> String {
    format!("={header}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_written_together_are_parted() {
        let check = |header: &str, expected: Option<&str>| {
            assert_eq!(parted_key(header).as_deref(), expected, "{header}");
        };
        check("createdAt", Some("created at"));
        check("emailAddress", Some("email address"));
        check("UTMSource", Some("utm source"));
        check("FirstName", Some("first name"));
        check("user_phoneNumber", Some("user phone number"));
        check("E-mail", None);
        check("NIP", None);
        check("created_at", None);
    }

    #[test]
    fn a_field_of_several_parts_is_taken_apart() {
        let check = |header: &str, expected: Option<(&str, &str)>| {
            let found = composite(header);
            let found = found.as_ref().map(|(whole, part)| (whole.as_str(), part.as_str()));
            assert_eq!(found, expected, "{header}");
        };
        check("Name (First)", Some(("name", "first")));
        check("Imię i nazwisko - Last Name", Some(("imie i nazwisko", "last name")));
        check("Adres (dom) - Postal / Zip Code", Some(("adres dom", "postal zip code")));
        check("Imię i nazwisko", None);
        check("E-mail", None);
        check("(First)", None);
    }

    #[test]
    fn a_question_is_known_by_what_it_asks_for() {
        let check = |header: &str, expected: Option<&str>| {
            assert_eq!(asked_key(&header_key(header)).as_deref(), expected, "{header}");
        };
        check("Jaki jest Twój numer telefonu?", Some("numer telefonu"));
        check("What is your company name? (optional)", Some("company name"));
        check("what_is_your_budget?", Some("budget"));
        check("Proszę podać swoje imię i nazwisko", Some("imie i nazwisko"));
        check("Wie lautet Ihre Telefonnummer?", Some("telefonnummer"));
        check("Hej, jak masz na imię?", Some("imie"));
        check("Quel est votre numéro de téléphone ?", Some("numero de telephone"));
        check("Veuillez saisir votre adresse e-mail", Some("adresse e mail"));
        check("¿Cuál es tu presupuesto?", Some("presupuesto"));
        check("Por favor, indique su nombre completo", Some("nombre completo"));
        check("Telefon", None);
        check("What is your?", None);
    }
}
