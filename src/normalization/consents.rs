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
/// Beginnings of folded words that tell a consent to profiling,
const PROFILING: &[&str] = &["profilow", "profiling"];
/// and of those that together tell one to passing data on.
const PARTNERS: &[&str] = &["partner", "third", "trzeci", "dritt"];
const PASSING_ON: &[&str] =
    &["przekaz", "udostepn", "share", "sharing", "pass", "weiterg", "ubermitt"];

/// Folded words with which a consent begins.
const OPENINGS: &[&str] = &[
    "wyrazam",
    "nie wyrazam",
    "zgadzam",
    "nie zgadzam",
    "zgoda",
    "brak zgody",
    "akceptuje",
    "nie akceptuje",
    "chce",
    "nie chce",
    "potwierdzam",
    "zapoznalem",
    "zapoznalam",
    "oswiadczam",
    "i agree",
    "i do not",
    "i don t",
    "i consent",
    "i accept",
    "i want",
    "i would",
    "ich",
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

/// Most words of a label with an answer behind it; more are a sentence.
const LABEL_WORDS_MAX: usize = 6;

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
    "dnc",
    "abmeldung",
    "nie dzwon",
    "keine werbung",
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
    "do not wish",
    "don t want",
    "ich mochte keine",
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
    // A line end parts words, too.
    fold_header(&tidy(header))
        .replace("hasoptedoutof", "opted out ")
        .replace("donotcall", "do not call")
        .replace("donotemail", "do not email")
        .replace("e mail", "email")
}

/// What an answer claims, and what to say about it.
pub(super) type Said = (Vec<ConsentClaim>, Option<Remark>);

/// Returns what the answer in `cell` claims under the preset's `mapping`; blank claims nothing.
///
/// A no claims a refusal only where a yes would be consent: "unsubscribed: no" is not a consent. Several
/// answers in one cell have to agree; a list of channels consents to those of the mapping's that it names.
pub fn mapped(cell: &Cell, mapping: &ConsentMapping) -> Said {
    let pieces = pieces(&cell.text);
    let chosen: Vec<Channel> =
        pieces.iter().filter_map(|piece| only_channels(piece)).flatten().collect();
    let is_choice = !chosen.is_empty() && pieces.iter().all(|piece| only_channels(piece).is_some());
    let answer = if is_choice { Answer::Yes } else { common_answer(&pieces) };
    let state = match (answer, mapping.affirms) {
        (Answer::Yes, affirmed) => affirmed,
        (Answer::No, ConsentState::Given) => ConsentState::Refused,
        (Answer::Blank, _) => return (Vec::new(), None),
        (Answer::Unknown, ConsentState::Given) => return (Vec::new(), Some(unclear(cell))),
        (Answer::No | Answer::Unknown, _) if answer::is_plain_no(&cell.text) => {
            return (Vec::new(), None);
        }
        (Answer::No | Answer::Unknown, taken_back) => taken_back,
    };
    let wording = mapping.wording.clone().unwrap_or_else(|| wording(cell, &cell.text));
    let claims: Vec<ConsentClaim> = mapping
        .channels
        .iter()
        .filter(|channel| !is_choice || chosen.contains(channel))
        .map(|channel| ConsentClaim {
            purpose: mapping.purpose.clone(),
            channel: *channel,
            state,
            wording: wording.clone(),
            mechanism: mapping.mechanism.clone(),
        })
        .collect();
    let remark = claims.is_empty().then(|| unclear(cell));
    (claims, remark)
}

/// Returns the answer that all `pieces` give; pieces that disagree give none.
fn common_answer(pieces: &[&str]) -> Answer {
    let mut common = Answer::Blank;
    for answer in pieces.iter().map(|piece| answered(piece)).filter(|it| *it != Answer::Blank) {
        if common != Answer::Blank && common != answer {
            return Answer::Unknown;
        }
        common = answer;
    }
    common
}

/// Returns what the answer in `cell` claims when only its header and its own words tell what for.
///
/// Words of marketing make it a marketing consent, through the channels named, else by e-mail alone;
/// without them it lets us answer the enquiry, through the channels named, else by e-mail and phone. Several
/// consents in one cell are each read for themselves; where two disagree, the one that says no counts.
pub fn guessed(cell: &Cell, mechanism: &str) -> Said {
    let header = fold_question(&cell.column);
    let mut claims: Vec<ConsentClaim> = Vec::new();
    let mut remark = None;
    let labelled = labelled(&cell.text);
    let pieces: Vec<(&str, &str)> = labelled
        .unwrap_or_else(|| pieces(&cell.text).into_iter().map(|piece| (piece, piece)).collect());
    for (piece, answer) in pieces {
        // A label asks for itself; a sentence that is its own answer has been read as a whole.
        let own =
            if piece == answer { ConsentState::Given } else { affirmed_by(&fold_question(piece)) };
        let affirmed = if own == ConsentState::Given { affirmed_by(&header) } else { own };
        let Some(state) = state_of(answer, affirmed) else {
            let is_unclear = only_channels(answer).is_none() && answered(answer) == Answer::Unknown;
            remark = remark.or_else(|| is_unclear.then(|| unclear(cell)));
            continue;
        };
        let (purpose, channels) = subject(&header, &fold_question(piece), affirmed);
        for channel in channels {
            let claim = ConsentClaim {
                purpose: Purpose::new(purpose),
                channel,
                state,
                wording: wording(cell, piece),
                mechanism: mechanism.to_owned(),
            };
            let known = claims
                .iter_mut()
                .find(|known| known.purpose == claim.purpose && known.channel == channel);
            match known {
                Some(known) if state != ConsentState::Given => *known = claim,
                Some(_) => {}
                None => claims.push(claim),
            }
        }
    }
    (claims, remark)
}

/// Returns what `piece` says to a question whose yes means `affirmed`; nothing where it says nothing.
fn state_of(piece: &str, affirmed: ConsentState) -> Option<ConsentState> {
    if only_channels(piece).is_some() {
        return Some(affirmed);
    }
    match (answered(piece), affirmed) {
        (Answer::Yes, affirmed) => Some(affirmed),
        (Answer::No, ConsentState::Given) => Some(ConsentState::Refused),
        (Answer::Blank, _) | (Answer::Unknown, ConsentState::Given) => None,
        // "Unsubscribed: no" is not a consent; but whatever is no plain no, such as "Unsubscribed:
        // unsubscribed" or "objection: on file", takes it back.
        (Answer::No | Answer::Unknown, taken_back) => {
            (!answer::is_plain_no(piece)).then_some(taken_back)
        }
    }
}

/// Takes `E-mail: tak, SMS: nie` and `{"email":true,"phone":false}` apart into labels and their answers;
/// nothing where fewer than two answers have a label. A piece without an answer of its own takes the next
/// one's: in `regulamin, marketing: nie` nothing was agreed to.
fn labelled(text: &str) -> Option<Vec<(&str, &str)>> {
    let text = text.trim().trim_start_matches('{').trim_end_matches('}');
    let mut found: Vec<(&str, &str)> = Vec::new();
    let mut waiting: Vec<&str> = Vec::new();
    let mut answers = 0;
    let all = text.split([';', ',', '\n', '|']).map(str::trim).filter(|piece| !piece.is_empty());
    for piece in all {
        let split = [":", "=", " - ", " – ", " ("]
            .iter()
            .filter_map(|sign| piece.rsplit_once(sign))
            .find(|(label, answer)| is_label(label) && is_answer(answer));
        let Some((label, answer)) = split else {
            waiting.push(piece);
            continue;
        };
        answers += 1;
        found.extend(waiting.drain(..).map(|label| (label, answer)));
        found.push((label, answer));
    }
    (waiting.is_empty() && found.len() >= 2 && answers >= 1).then_some(found)
}

fn is_label(text: &str) -> bool {
    text.chars().any(char::is_alphabetic) && text.split_whitespace().count() <= LABEL_WORDS_MAX
}

fn is_answer(text: &str) -> bool {
    let text = text.trim().trim_end_matches(')');
    text.split_whitespace().count() <= LABEL_WORDS_MAX
        && matches!(answer::parse(text), Answer::Yes | Answer::No)
}

/// Returns what a consent is for, from the folded words of its question and answer. Channels that the answer
/// names count for more than those of the question.
fn subject(header: &str, answer: &str, affirmed: ConsentState) -> (&'static str, Vec<Channel>) {
    let begins = |words: &str, stem: &str| words.split(' ').any(|word| word.starts_with(stem));
    let has =
        |stems: &[&str]| stems.iter().any(|stem| begins(header, stem) || begins(answer, stem));
    // Who opts out does so of being marketed to; the enquiry itself may still be answered.
    let is_opt_out = affirmed != ConsentState::Given;
    let purpose = if has(PARTNERS) && has(PASSING_ON) {
        Purpose::PARTNER_SHARE
    } else if is_opt_out || has(MARKETING) {
        Purpose::MARKETING
    } else if has(PROFILING) {
        Purpose::PROFILING
    } else {
        Purpose::ENQUIRY_REPLY
    };
    let mut channels = channels_in(answer);
    if channels.is_empty() {
        channels = channels_in(header);
    }
    if channels.is_empty() {
        channels.push(Channel::Email);
        if purpose == Purpose::ENQUIRY_REPLY || is_opt_out {
            channels.push(Channel::Phone);
        }
    }
    (purpose, channels)
}

/// Returns the channels that folded `words` name, in order.
fn channels_in(words: &str) -> Vec<Channel> {
    let begins = |stem: &str| words.split(' ').any(|word| word.starts_with(stem));
    let mut channels: Vec<Channel> =
        CHANNELS.iter().filter(|(stem, _)| begins(stem)).map(|(_, channel)| *channel).collect();
    channels.sort_unstable();
    channels.dedup();
    channels
}

/// Returns the channels of an answer that names nothing else, as in a list of boxes: `E-mail, SMS`.
fn only_channels(piece: &str) -> Option<Vec<Channel>> {
    let words = fold_question(piece);
    let is_channel = |word: &str| {
        matches!(
            word,
            "i" | "oraz"
                | "and"
                | "und"
                | "kontakt"
                | "via"
                | "przez"
                | "przy"
                | "droga"
                | "poczta"
        ) || CHANNELS.iter().any(|(stem, _)| word.starts_with(stem))
    };
    let channels = channels_in(&words);
    (!channels.is_empty() && words.split(' ').all(is_channel)).then_some(channels)
}

/// Parts the answers in one cell: at a line end, semicolon or comma behind which another answer begins. What
/// does not begin as an answer goes on with the one before, so that a refusal over two lines stays one.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    for (at, mark) in text.match_indices(['\n', '\r', ';', ',']) {
        let (before, after) = (&text[start..at], &text[at + 1..]);
        let is_end = if mark == "," {
            answer::is_sentence(before) && opens(before) && opens(after)
        } else {
            let next = after.split(['\n', '\r', ';']).next().unwrap_or_default();
            let are_channels = only_channels(before).is_some() && only_channels(next).is_some();
            are_channels || opens(next) || is_bare_answer(next)
        };
        if is_end {
            pieces.push(before);
            start = at + 1;
        }
    }
    pieces.push(&text[start..]);
    let ends = |c: char| c.is_whitespace() || matches!(c, ';' | ',');
    pieces.into_iter().map(|piece| piece.trim_matches(ends)).filter(|it| !it.is_empty()).collect()
}

/// Returns whether `text` is a plain yes or no.
fn is_bare_answer(text: &str) -> bool {
    !answer::is_sentence(text) && matches!(answer::parse(text), Answer::Yes | Answer::No)
}

/// Returns whether `text` begins as a consent does.
fn opens(text: &str) -> bool {
    let words = fold_header(&tidy(text));
    OPENINGS.iter().any(|opening| {
        words.strip_prefix(opening).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    })
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

fn wording(cell: &Cell, answer: &str) -> String {
    let shown = if answer::is_sentence(answer) { answer } else { &*cell.column };
    tidy(shown).into_owned()
}

fn unclear(cell: &Cell) -> Remark {
    let message =
        format!("`{}` is neither yes nor no, so it counts as no answer", tidy(&cell.text));
    Remark::new("consent-unclear", message)
}

#[cfg(test)]
mod tests;
