//! Answers to consent questions, as claims for the ledger.

use super::Remark;
use super::answer::{self, Answer};
use super::text::tidy;
use crate::model::consent::{Channel, ConsentClaim, ConsentState, Purpose};
use crate::model::row::{Cell, ConsentMapping};
use crate::rules::field::fold_header;

/// Beginnings of folded words that tell a marketing consent.
const MARKETING: &[&str] = &[
    "marketing",
    "handlow",
    "newsletter",
    "reklam",
    "promoc",
    "ofert",
    "commercial",
    "werb",
    "angebot",
    "advert",
    "offers",
    "news",
];
/// Beginnings of folded words that name a channel.
const CHANNELS: &[(&str, Channel)] = &[
    ("email", Channel::Email),
    ("mail", Channel::Email),
    ("elektronicz", Channel::Email),
    ("newsletter", Channel::Email),
    ("sms", Channel::Sms),
    ("mms", Channel::Sms),
    ("telef", Channel::Phone),
    ("phone", Channel::Phone),
    ("call", Channel::Phone),
    ("anruf", Channel::Phone),
    ("automat", Channel::AutomatedCall),
    ("whatsapp", Channel::Messenger),
    ("messenger", Channel::Messenger),
    ("listown", Channel::Post),
    ("briefpost", Channel::Post),
];

/// Beginnings of folded words of a header that asks the other way round: a yes takes consent back.
const OPT_OUTS: &[&str] = &[
    "wycof",
    "cofn",
    "withdr",
    "revok",
    "unsubscri",
    "optout",
    "opted out",
    "opt out",
    "rezygn",
    "wypis",
    "sprzeciw",
    "odwol",
    "widerruf",
    "abgemeldet",
    "do not call",
    "do not email",
    "do not contact",
];
/// Beginnings of folded words of a header that itself says no: a yes to it is a refusal.
const REFUSALS: &[&str] = &[
    "nie wyrazam",
    "nie zgadzam",
    "nie chce",
    "nie zycze",
    "brak zgody",
    "do not consent",
    "do not agree",
    "do not want",
    "don t consent",
    "no consent",
    "not consent",
    "keine einwilligung",
    "stimme nicht",
];

/// What a yes to the question in a header means.
fn affirmed_by(header: &str) -> ConsentState {
    let begins = |stems: &[&str]| {
        let padded = format!(" {header}");
        stems.iter().any(|stem| padded.contains(&format!(" {stem}")))
    };
    if begins(REFUSALS) {
        ConsentState::Refused
    } else if begins(OPT_OUTS) {
        ConsentState::Withdrawn
    } else {
        ConsentState::Given
    }
}

/// Folds the header of a consent question; names of CRM fields come apart into words.
fn fold_question(header: &str) -> String {
    fold_header(header)
        .replace("hasoptedoutof", "opted out ")
        .replace("donotcall", "do not call")
        .replace("donotemail", "do not email")
        .replace("e mail", "email")
}

/// Returns what the answer in `cell` claims under the preset's `mapping`; blank claims nothing.
///
/// A no claims a refusal only where a yes would be consent: "unsubscribed: no" is not a consent.
pub fn mapped(cell: &Cell, mapping: &ConsentMapping) -> (Vec<ConsentClaim>, Option<Remark>) {
    let state = match (answered(&cell.text), mapping.affirms) {
        (Answer::Yes, affirmed) => affirmed,
        (Answer::No, ConsentState::Given) => ConsentState::Refused,
        (Answer::Unknown, _) => return (Vec::new(), Some(unclear(cell))),
        (Answer::No | Answer::Blank, _) => return (Vec::new(), None),
    };
    let wording = mapping.wording.clone().unwrap_or_else(|| wording(cell));
    let claims = mapping
        .channels
        .iter()
        .map(|channel| ConsentClaim {
            purpose: mapping.purpose.clone(),
            channel: *channel,
            state,
            wording: wording.clone(),
            mechanism: mapping.mechanism.clone(),
        })
        .collect();
    (claims, None)
}

/// Returns what the answer in `cell` claims when only its header and its own words tell what for.
///
/// Words of marketing make it a marketing consent, through the channels named, else by e-mail alone;
/// without them it lets us answer the enquiry, through the channels named, else by e-mail and phone.
pub fn guessed(cell: &Cell, mechanism: &str) -> (Vec<ConsentClaim>, Option<Remark>) {
    let header = fold_question(&cell.column);
    let affirmed = affirmed_by(&header);
    let state = match (answered(&cell.text), affirmed) {
        (Answer::Yes, affirmed) => affirmed,
        (Answer::No, ConsentState::Given) => ConsentState::Refused,
        // "Unsubscribed: no" is not a consent.
        (Answer::No | Answer::Blank, _) => return (Vec::new(), None),
        (Answer::Unknown, _) => return (Vec::new(), Some(unclear(cell))),
    };
    let words = format!("{header} {}", fold_question(&cell.text));
    let words: Vec<&str> = words.split(' ').collect();
    let begins = |stem: &str| words.iter().any(|word| word.starts_with(stem));
    let mut channels: Vec<Channel> =
        CHANNELS.iter().filter(|(stem, _)| begins(stem)).map(|(_, channel)| *channel).collect();
    channels.sort_unstable();
    channels.dedup();
    // Who opts out does so of being marketed to; the enquiry itself may still be answered.
    let is_marketing = affirmed != ConsentState::Given || MARKETING.iter().any(|stem| begins(stem));
    if channels.is_empty() {
        channels.push(Channel::Email);
        if !is_marketing || affirmed != ConsentState::Given {
            channels.push(Channel::Phone);
        }
    }
    let purpose = if is_marketing { Purpose::MARKETING } else { Purpose::ENQUIRY_REPLY };
    let claims = channels
        .into_iter()
        .map(|channel| ConsentClaim {
            purpose: Purpose::new(purpose),
            channel,
            state,
            wording: wording(cell),
            mechanism: mechanism.to_owned(),
        })
        .collect();
    (claims, None)
}

/// Reads the answer; a date, as in `UNSUB_TIME`, says that the thing happened.
fn answered(text: &str) -> Answer {
    let tidied = tidy(text);
    let digits = tidied.bytes().filter(u8::is_ascii_digit).count();
    let is_date = digits >= 5 && tidied.starts_with(|c: char| c.is_ascii_digit());
    let is_null_date = is_date && !tidied.bytes().any(|byte| (b'1'..=b'9').contains(&byte));
    match (is_null_date, is_date) {
        (true, _) => Answer::Blank,
        (false, true) => Answer::Yes,
        (false, false) => answer::parse(text),
    }
}

fn wording(cell: &Cell) -> String {
    let shown = if answer::is_sentence(&cell.text) { &*cell.text } else { &*cell.column };
    tidy(shown).into_owned()
}

fn unclear(cell: &Cell) -> Remark {
    let message =
        format!("`{}` is neither yes nor no, so it counts as no answer", tidy(&cell.text));
    Remark::new("consent-unclear", message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::row::{GENERIC_CONSENT, Role};

    fn cell(column: &str, text: &str) -> Cell {
        Cell { column: column.into(), role: Role::Consent(GENERIC_CONSENT), text: text.into() }
    }

    fn shown(claims: &[ConsentClaim]) -> String {
        let each = |claim: &ConsentClaim| {
            format!("{} {} {}", claim.purpose, claim.channel.word(), claim.state.word())
        };
        claims.iter().map(each).collect::<Vec<_>>().join(", ")
    }

    #[track_caller]
    fn check(column: &str, text: &str, expected: &str) {
        assert_eq!(
            shown(&guessed(&cell(column, text), "checkbox").0),
            expected,
            "{column}: {text}"
        );
    }

    #[test]
    fn words_tell_what_for_and_how() {
        check("Zgoda marketingowa", "tak", "marketing email given");
        check(
            "Zgoda RODO",
            "Wyrażam zgodę na przetwarzanie, w tym kontakt telefoniczny",
            "enquiry-reply phone given",
        );
        check("Zgoda RODO", "tak", "enquiry-reply email given, enquiry-reply phone given");
        check(
            "Zgody",
            "Zgadzam się na informacje handlowe e-mail i SMS",
            "marketing email given, marketing sms given",
        );
        check("Newsletter", "Not Checked", "marketing email refused");
        check("Zgoda", "nie wyrażam zgody na marketing telefoniczny", "marketing phone refused");
        check("Zgoda", "", "");
        check("Zgoda", "-", "");
        check("Zgoda", "być może", "");
        check("Zgoda na marketing e-mail", "tak?", "");
        check("Zgoda na marketing e-mail", "tak/nie", "");
        check("Zgoda na marketing e-mail", "Tak, ale tylko telefonicznie", "");
        check("Zgoda na marketing (e-mail, telefon)", "tylko e-mail", "");
        check("Marketing email consent", "granted until 2025-01-01", "");
        check("Zgoda na marketing e-mail", "zgoda cofnięta 19.11", "marketing email refused");
    }

    #[test]
    fn a_question_that_asks_the_other_way_round_is_answered_the_other_way_round() {
        check("Nie wyrażam zgody na marketing e-mail", "tak", "marketing email refused");
        check("I do not consent to marketing emails", "yes", "marketing email refused");
        check("Zgoda wycofana", "tak", "marketing email withdrawn, marketing phone withdrawn");
        check(
            "Data wycofania zgody",
            "2026-11-20",
            "marketing email withdrawn, marketing phone withdrawn",
        );
        check("Unsubscribed from all email", "true", "marketing email withdrawn");
        check("Unsubscribed from all email", "false", "");
        check("HasOptedOutOfEmail", "true", "marketing email withdrawn");
        check("DoNotCall", "1", "marketing phone withdrawn");
        check("Rezygnacja z newslettera", "tak", "marketing email withdrawn");
    }

    #[track_caller]
    fn check_mapped(affirms: ConsentState, text: &str, expected: &str) {
        let mapping = ConsentMapping {
            purpose: Purpose::new(Purpose::MARKETING),
            channels: vec![Channel::Email],
            wording: None,
            mechanism: "import".to_owned(),
            affirms,
        };
        assert_eq!(shown(&mapped(&cell("c", text), &mapping).0), expected, "{text}");
    }

    #[test]
    fn the_mapping_says_what_yes_means() {
        check_mapped(ConsentState::Given, "1", "marketing email given");
        check_mapped(ConsentState::Given, "no", "marketing email refused");
        check_mapped(ConsentState::Withdrawn, "2025-09-12 13:05:13", "marketing email withdrawn");
        check_mapped(ConsentState::Withdrawn, "0000-00-00 00:00:00", "");
        check_mapped(ConsentState::Withdrawn, "no", "");
        check_mapped(ConsentState::Withdrawn, "", "");
    }

    #[test]
    fn the_sentence_shown_is_kept_where_the_cell_has_it() {
        let sentence = "Wyrażam zgodę na kontakt";
        assert_eq!(guessed(&cell("Zgoda", sentence), "checkbox").0[0].wording, sentence);
        assert_eq!(
            guessed(&cell("Zgoda na kontakt", "tak"), "checkbox").0[0].wording,
            "Zgoda na kontakt"
        );
    }
}
