//! Yes and no, in every form a check-box leaves behind.

use super::text::tidy;
use crate::rules::field::fold_header;

/// What an answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Affirmed.
    Yes,
    /// Denied.
    No,
    /// Not answered.
    Blank,
    /// Answered with something that is neither.
    Unknown,
}

const YES: &[&str] = &[
    "tak",
    "t",
    "yes",
    "y",
    "true",
    "prawda",
    "1",
    "1 0",
    "x",
    "on",
    "checked",
    "zaznaczono",
    "zaznaczone",
    "zgoda",
    "zgadzam sie",
    "ja",
    "j",
    "wahr",
    "granted",
    "accepted",
    "accept",
    "agree",
    "agreed",
    "i agree",
    "opt in",
    "optin",
    "opted in",
    "subscribed",
    "ok",
    "v",
    "consent",
    "given",
    "wyrazam",
    "akceptuje",
    "zaakceptowano",
    "enabled",
    "sim",
    "si",
    "oui",
    "confirmed",
    "potwierdzam",
    "einverstanden",
    "zugestimmt",
    "ja ich stimme zu",
    "selected",
    "wybrano",
    "wybrane",
    "marketing contact",
];
const NO: &[&str] = &[
    "nie",
    "n",
    "no",
    "false",
    "falsz",
    "0",
    "0 0",
    "off",
    "unchecked",
    "not checked",
    "not selected",
    "niezaznaczono",
    "niezaznaczone",
    "nie zaznaczono",
    "odznaczono",
    "brak zgody",
    "bez zgody",
    "nein",
    "falsch",
    "denied",
    "declined",
    "decline",
    "rejected",
    "reject",
    "refused",
    "opt out",
    "optout",
    "opted out",
    "unsubscribed",
    "disabled",
    "nao",
    "non",
    "withdrawn",
    "odmowa",
    "odmawiam",
    "wycofana",
    "cofnieta",
    "disagree",
    "i disagree",
    "non marketing contact",
    "nicht zugestimmt",
    "nicht einverstanden",
    "unsubscribe",
    "abgelehnt",
    "sprzeciw",
];
const BLANK: &[&str] = &[
    "",
    "null",
    "none",
    "n a",
    "na",
    "undefined",
    "nil",
    "brak",
    "brak danych",
    "nd",
    "nie dotyczy",
    "unspecified",
    "unknown",
    "not set",
];

/// Words that deny a whole sentence when they stand before its verb.
const NEGATIONS: &[&str] = &[
    "nie wyrazam",
    "nie zgadzam",
    "nie akceptuje",
    "nie chce",
    "nie zycze",
    "nie potwierdzam",
    "nie wyrazilem",
    "nie wyrazilam",
    "nie wyrazono",
    "brak zgody",
    "bez zgody",
    "odmawiam",
    "wycofuje",
    "cofam",
    "sprzeciwiam",
    "sprzeciw",
    "do not",
    "don t",
    "dont",
    "not agree",
    "not consent",
    "disagree",
    "no consent",
    "no i",
    "refuse",
    "decline",
    "withdraw",
    "opt out",
    "opted out",
    "unsubscribe",
    "no thanks",
    "no thank you",
    "not accept",
    "no marketing",
    "nicht einverstanden",
    "stimme nicht",
    "nicht zu",
    "keine einwilligung",
    "keine zustimmung",
    "ich mochte nicht",
    "ich mochte keine",
    "widerspreche",
    "lehne ab",
    "mochte ich nicht",
    "mochte ich keine",
    "willige nicht",
];

/// Words that limit an answer.
const HEDGES: &[&str] = &[
    "tylko",
    "wylacznie",
    "oprocz",
    "poza",
    "ale",
    "lecz",
    "until",
    "only",
    "but",
    "except",
    "without",
    "bez",
    "nur",
    "aber",
    "ausser",
    "ohne",
    "bis",
];
/// Most words of an answer in which they limit it.
const HEDGE_WORDS_MAX: usize = 6;
/// Beginnings of words that take a consent back.
const TAKEN_BACK: &[&str] =
    &["cofn", "wycof", "odwol", "withdr", "revok", "rescind", "widerruf", "zuruckgezogen"];

/// Fewest words of a text that is a sentence rather than an odd answer.
const SENTENCE_WORDS_MIN: usize = 3;

/// Returns what `raw` says to a yes-or-no question.
///
/// The sentence of the consent itself counts as yes, unless it negates: exporters write it into the
/// cell when the box is ticked. Text of one or two unknown words is [`Answer::Unknown`].
pub fn parse(raw: &str) -> Answer {
    match raw {
        "1" | "true" | "TRUE" => return Answer::Yes,
        "0" | "false" | "FALSE" => return Answer::No,
        "" => return Answer::Blank,
        _ => {}
    }
    let text = tidy(raw);
    if text.chars().any(|c| "✓✔☑✅☒".contains(c)) {
        return Answer::Yes;
    }
    if text.chars().any(|c| "✗✘❌☐".contains(c)) {
        return Answer::No;
    }
    let words = fold_header(&text);
    if BLANK.contains(&words.as_str()) {
        return Answer::Blank;
    }
    let count = words.split(' ').count();
    if is_hedged(&words, count) || (text.contains('?') && count < SENTENCE_WORDS_MIN) {
        return Answer::Unknown;
    }
    if YES.contains(&words.as_str()) {
        return Answer::Yes;
    }
    if NO.contains(&words.as_str()) {
        return Answer::No;
    }
    if TAKEN_BACK.iter().any(|stem| words.split(' ').any(|word| word.starts_with(stem))) {
        return Answer::No;
    }
    sentence(&words)
}

/// A short answer that limits itself ("tak, ale tylko telefonicznie") or says both is no plain yes; a
/// whole sentence of consent may well say "only for the purpose of".
fn is_hedged(words: &str, count: usize) -> bool {
    let has = |list: &[&str]| words.split(' ').any(|word| list.contains(&word));
    (count <= HEDGE_WORDS_MAX && has(HEDGES)) || matches!(words, "tak nie" | "yes no" | "ja nein")
}

/// Returns whether `raw` is the sentence of a consent rather than a bare yes or no.
pub fn is_sentence(raw: &str) -> bool {
    raw.split_whitespace().nth(SENTENCE_WORDS_MIN - 1).is_some()
}

fn sentence(words: &str) -> Answer {
    let padded = format!(" {words} ");
    if NEGATIONS.iter().any(|negation| padded.contains(&format!(" {negation} "))) {
        return Answer::No;
    }
    match words.split(' ').next() {
        Some("nie" | "no" | "nein") => return Answer::No,
        Some("tak" | "yes" | "ja") => return Answer::Yes,
        _ => {}
    }
    let agrees = [
        "zgod",
        "wyraz",
        "akcept",
        "zgadz",
        "agree",
        "consent",
        "accept",
        "einwillig",
        "stimme zu",
        "einverstanden",
        "subscribe",
        "potwierdz",
    ];
    let is_long = words.split(' ').nth(SENTENCE_WORDS_MIN - 1).is_some();
    if is_long || agrees.iter().any(|stem| words.contains(stem)) {
        Answer::Yes
    } else {
        Answer::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expected: Answer, raws: &[&str]) {
        for raw in raws {
            assert_eq!(parse(raw), expected, "{raw:?}");
        }
    }

    #[test]
    fn yes_in_every_form() {
        check(
            Answer::Yes,
            &[
                "tak",
                "TAK",
                "Tak, wyrażam zgodę",
                "t",
                "T",
                "yes",
                "Y",
                "true",
                "TRUE",
                "PRAWDA",
                "1",
                "1,0",
                "x",
                "X",
                "✓",
                "✔",
                "on",
                "checked",
                "Checked",
                "Wyrażam zgodę na kontakt telefoniczny.",
                "Zaznaczono",
                "zgoda",
                "opt-in",
                "Granted",
                "Ich willige in die Verarbeitung ein",
                "I agree to receive news, not only offers",
                "Akceptuję regulamin",
                "Zapoznałem się z polityką prywatności",
            ],
        );
    }

    #[test]
    fn no_in_every_form() {
        check(
            Answer::No,
            &[
                "nie",
                "NIE",
                "n",
                "N",
                "no",
                "false",
                "FAŁSZ",
                "FALSZ",
                "0",
                "off",
                "Not Checked",
                "Niezaznaczono",
                "brak zgody",
                "nie wyrażam zgody",
                "Denied",
                "Nie, dziękuję",
                "I do not agree",
                "Ich bin nicht einverstanden",
                "Nie wyrażam zgody na kontakt telefoniczny",
                "I don't consent to calls",
            ],
        );
    }

    #[test]
    fn silence_is_no_answer() {
        check(Answer::Blank, &["-", "", "  ", "null", "n/a", "\"\"", "None"]);
        check(Answer::Unknown, &["być może", "Kraków"]);
    }
}
