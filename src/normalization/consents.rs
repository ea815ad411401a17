//! Answers to consent questions, as claims for the ledger.

use super::Remark;
use super::answer::{self, Answer};
use super::consent_channel_words::CHANNELS;
use super::consent_label::may_ask;
use super::consent_matter::{Matter, matter};
use super::consent_notice::{self, without_notices};
use super::consent_subject::{self, channels_in, fold_question, subject};
use super::consent_words::{
    LABEL_OPT_OUTS, LABEL_WORDS_MAX, LEFT, LISTS, MAY_LATER, NO_DENIALS, OPENED_TEXT_WORDS_MIN,
    OPENINGS, OPT_OUTS, OPTIONS, REFUSALS, SHORT_QUESTION_WORDS_MAX, STATUS, TEXT_WORDS_MIN,
};
use super::date_order::{Basis, Settled};
use super::folded::begins_any;
use super::moment::{self, MomentFault, TimeStyle};
use super::text::tidy;
use crate::model::consent::{Channel, ConsentClaim, ConsentState, Purpose, Shown};
use crate::model::moment::DateOrder;
use crate::model::row::{Cell, ConsentMapping};
use crate::rules::field::fold_header;

/// Returns what a yes to `question` means; nothing where it agrees and refuses at once.
///
/// Whoever says yes to `Kein Newsletter` wants none, so a short question that denies turns its answers round.
fn affirmed_by(question: &str) -> Option<ConsentState> {
    let asked = fold_question(question);
    if begins_any(&asked, REFUSALS) {
        return Some(ConsentState::Refused);
    }
    let own = own_words(question)?;
    let is_short = asked.split(' ').count() <= SHORT_QUESTION_WORDS_MAX;
    // A consent may promise what will not be done.
    let agreeing: Vec<String> = consent_subject::sentences(&own)
        .iter()
        .filter(|sentence| sentence.agrees() || sentence.wishes())
        .map(|sentence| sentence.text().to_owned())
        .collect();
    let told = if agreeing.is_empty() || is_short { own } else { agreeing.join(". ") };
    let bare = fold_question(&told);
    if begins_any(&bare, OPT_OUTS) || is_short && begins_any(&bare, LABEL_OPT_OUTS) {
        return takes_back_alone(&told).then_some(ConsentState::Withdrawn);
    }
    let plain = NO_DENIALS
        .iter()
        .fold(format!(" {bare}"), |words, phrase| words.replace(&format!(" {phrase}"), " "));
    if !answer::denies(&plain) {
        return Some(ConsentState::Given);
    }
    if is_short {
        return takes_back_alone(&told).then_some(ConsentState::Withdrawn);
    }
    match answer::parse(&told) {
        Answer::Yes => Some(ConsentState::Given),
        Answer::No => Some(ConsentState::Refused),
        Answer::Blank | Answer::Unknown => None,
    }
}

/// Returns `question` without what it says about taking a consent back; nothing where it says no more than that
/// somebody may.
fn own_words(question: &str) -> Option<String> {
    let own = without_notices(question);
    let asked = fold_question(question);
    if !fold_question(&own).is_empty() {
        return Some(own);
    }
    let is_label = asked.split(' ').count() <= SHORT_QUESTION_WORDS_MAX;
    let may = MAY_LATER.iter().any(|phrase| format!(" {asked}").contains(&format!(" {phrase}")));
    (is_label && !may).then(|| question.to_owned())
}

/// Returns whether nobody agrees or wishes for something in `text` but to take back: under a wording that does both a
/// tick must not count as a withdrawal.
fn takes_back_alone(text: &str) -> bool {
    !consent_notice::clauses(text).iter().any(|clause| {
        let agrees = consent_subject::sentences(clause)
            .iter()
            .any(|one| one.agrees() && one.text().contains(' ') || one.wishes());
        let folded = fold_question(clause);
        agrees && !answer::denies(&folded) && !consent_notice::takes_back(&folded)
    })
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
    // Exporters write the text of the box that was ticked into the cell.
    let is_text = |text: &str| fold_question(text) == fold_question(&cell.text);
    let is_wording = mapping.wording.as_deref().is_some_and(is_text)
        || mapping.affirms == ConsentState::Given && is_option_of(&cell.column, &cell.text);
    let answer = if is_choice || is_wording { Answer::Yes } else { common_answer(&pieces) };
    let affirms = mapping.affirms;
    let is_kept = affirms.is_denial() && answer::is_plain_no(&cell.text);
    let state = match answer {
        _ if is_kept => return (Vec::new(), None),
        Answer::Yes => affirms,
        Answer::Blank => return (Vec::new(), None),
        _ if affirms.is_denial() => affirms,
        Answer::Unknown => return (Vec::new(), Some(unclear(cell))),
        // Who has not confirmed has not declined.
        Answer::No if matches!(affirms, ConsentState::DoiSent | ConsentState::DoiConfirmed) => {
            return (Vec::new(), None);
        }
        Answer::No => ConsentState::Refused,
    };
    let (wording, shown) = match &mapping.wording {
        // Nobody was shown what a list of those who left is called.
        Some(text) if affirms.is_denial() => (text.clone(), Shown::Label),
        Some(text) => (text.clone(), Shown::Text),
        None => wording(cell, &cell.text),
    };
    let shown = if mapping.proves_nothing { Shown::Nothing } else { shown };
    // The number of a row on such a list says nothing about who left.
    let says_nothing =
        affirms.is_denial() && mapping.wording.is_some() && answer == Answer::Unknown;
    let answer = answer_beside(&wording, &cell.text).filter(|_| !says_nothing);
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
            shown,
            answer: answer.clone(),
            policy: mapping.policy.clone(),
            said_at_ms: None,
            ip: None,
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
    if let Some(left) = left(cell, &header, mechanism) {
        return (left, None);
    }
    let asked = affirmed_by(&cell.column);
    let mut claims: Vec<ConsentClaim> = Vec::new();
    let mut remark = None;
    let labelled = labelled(&cell.text);
    let pieces: Vec<(&str, &str)> = labelled.unwrap_or_else(|| {
        let own = listed(&cell.column, &cell.text).unwrap_or_else(|| pieces(&cell.text));
        own.into_iter().map(|piece| (piece, piece)).collect()
    });
    let is_unclear = |answer: &str| {
        let says_neither = answered(answer) == Answer::Unknown && only_channels(answer).is_none();
        says_neither && !is_option_of(&cell.column, answer)
    };
    // The `1` of `5;1` is no yes.
    let has_unclear = pieces.iter().any(|(piece, answer)| piece == answer && is_unclear(answer));
    for (piece, answer) in pieces {
        // A label asks for itself; a sentence that is its own answer has been read as a whole.
        let own = if piece == answer { Some(ConsentState::Given) } else { affirmed_by(piece) };
        let Some(affirmed) = (if own == Some(ConsentState::Given) { asked } else { own }) else {
            remark =
                remark.or_else(|| (answered(answer) != Answer::Blank).then(|| two_minded(cell)));
            continue;
        };
        let is_option = is_option_of(&cell.column, answer);
        let is_told = piece == answer && answer::says_what_for(answer);
        let is_asked = is_told || may_ask(if piece == answer { &cell.column } else { piece });
        let about = matter(&cell.column, piece);
        let Some(state) = state_of(answer, is_option, affirmed) else {
            let is_answer = about != Matter::Notice && is_unclear(answer);
            remark = remark.or_else(|| is_answer.then(|| unclear(cell)));
            continue;
        };
        match aside(cell, about, state, affirmed) {
            Aside::Claims => {}
            Aside::Silent => continue,
            Aside::Said(aside) => {
                remark = remark.or(Some(aside));
                continue;
            }
        }
        if state == ConsentState::Given && !is_told && has_unclear {
            remark = remark.or_else(|| Some(unclear(cell)));
            continue;
        }
        if state == ConsentState::Given && !is_asked {
            remark = remark.or_else(|| Some(asks_for_what(cell)));
            continue;
        }
        let said = match state {
            _ if affirmed != ConsentState::Given => consent_subject::Said::OptOut,
            ConsentState::Given => consent_subject::Said::Yes,
            _ => consent_subject::Said::No,
        };
        let (purpose, mut channels) = subject(&cell.column, piece, said);
        let asked_for = channels_in(&header);
        // "May we call you? No, write me a mail" refuses calls.
        if state == ConsentState::Refused
            && !asked_for.is_empty()
            && !channels.iter().any(|channel| asked_for.contains(channel))
        {
            channels = asked_for;
        }
        let (wording, shown) = wording(cell, piece);
        let answer = answer_beside(&wording, &cell.text);
        for channel in channels {
            let claim = ConsentClaim {
                purpose: Purpose::new(purpose),
                channel,
                state,
                wording: wording.clone(),
                mechanism: mechanism.to_owned(),
                shown,
                answer: answer.clone(),
                policy: None,
                said_at_ms: None,
                ip: None,
            };
            keep_cautious(&mut claims, claim);
        }
    }
    (claims, remark)
}

/// Adds `claim` to the others of its cell; where one is about the same, the one that says no counts.
fn keep_cautious(claims: &mut Vec<ConsentClaim>, claim: ConsentClaim) {
    let is_same = |known: &&mut ConsentClaim| {
        known.purpose == claim.purpose && known.channel == claim.channel
    };
    match claims.iter_mut().find(is_same) {
        Some(known) if claim.state != ConsentState::Given => *known = claim,
        Some(_) => {}
        None => claims.push(claim),
    }
}

/// What becomes of an answer by what it is about.
enum Aside {
    /// It claims what it says.
    Claims,
    /// It claims nothing, and there is nothing to say.
    Silent,
    /// It claims nothing, which is said.
    Said(Remark),
}

/// Returns what becomes of an answer in `cell`: one about something that leadmill does not write for claims nothing. Who
/// refuses to be hired has not refused to be answered.
fn aside(cell: &Cell, about: Matter, state: ConsentState, affirmed: ConsentState) -> Aside {
    let is_yes = state == ConsentState::Given;
    match about {
        Matter::Other => Aside::Said(about_something_else(cell)),
        // Whoever leaves a list in odd words is believed.
        _ if affirmed == ConsentState::Withdrawn => Aside::Claims,
        Matter::Unknown => Aside::Said(about_something_else(cell)),
        Matter::Notice if is_yes => Aside::Silent,
        Matter::Notice => Aside::Said(refuses_a_notice(cell)),
        Matter::Opaque => Aside::Said(about_nothing_told(cell)),
        Matter::Optional if !is_yes => Aside::Said(about_nothing_told(cell)),
        Matter::Partners if is_yes => Aside::Said(about_something_else(cell)),
        Matter::Ours | Matter::Untold | Matter::Optional | Matter::Partners => Aside::Claims,
    }
}

/// Returns whether a refusal in `cell` does not say what it refuses, so that it takes back nothing that the same row
/// agrees to in so many words.
pub(super) fn refuses_untold(cell: &Cell) -> bool {
    let (asked, answer) = (matter(&cell.column, ""), matter(&cell.column, &cell.text));
    asked == Matter::Untold
        && answer == Matter::Untold
        && channels_in(&fold_question(&cell.text)).is_empty()
}

/// Returns the remark on such a refusal.
pub(super) fn refuses_something(cell: &Cell) -> Remark {
    let message = format!(
        "`{}` does not say what it refuses, and the row agrees to the same elsewhere, so it counts as no answer; map it in a preset",
        tidy(&cell.text)
    );
    Remark::new("consent-unclear", message)
}

/// Returns the withdrawal that a status tells (`Email status`: `unsubscribed`); nothing where it tells none.
fn left(cell: &Cell, header: &str, mechanism: &str) -> Option<Vec<ConsentClaim>> {
    let is_status = header.split(' ').any(|word| STATUS.contains(&word));
    let is_consent = begins_any(header, &["zgod", "consent", "einwillig"]);
    if !is_status || is_consent || !LEFT.contains(&&*fold_header(&tidy(&cell.text))) {
        return None;
    }
    let mut channels = channels_in(header);
    if channels.is_empty() {
        channels.push(Channel::Email);
    }
    let claim = |channel| ConsentClaim {
        purpose: Purpose::new(Purpose::MARKETING),
        channel,
        state: ConsentState::Withdrawn,
        wording: tidy(&cell.column).into_owned(),
        mechanism: mechanism.to_owned(),
        shown: Shown::Label,
        answer: Some(tidy(&cell.text).into_owned()),
        policy: None,
        said_at_ms: None,
        ip: None,
    };
    Some(channels.into_iter().map(claim).collect())
}

/// Returns what `piece` says to a question whose yes means `affirmed`; nothing where it says nothing. An option
/// that somebody chose is a yes.
fn state_of(piece: &str, is_option: bool, affirmed: ConsentState) -> Option<ConsentState> {
    if only_channels(piece).is_some() || is_option {
        return Some(affirmed);
    }
    // "Unsubscribed: subscribed" is a no.
    if affirmed != ConsentState::Given && answer::is_plain_no(piece) {
        return None;
    }
    match (answered(piece), affirmed) {
        (Answer::Yes, affirmed) => Some(affirmed),
        (Answer::No, ConsentState::Given) => Some(ConsentState::Refused),
        (Answer::Blank, _) | (Answer::Unknown, ConsentState::Given) => None,
        // "Unsubscribed: no" is not a consent; but whatever is no plain no, such as "Unsubscribed:
        // unsubscribed" or "objection: on file", takes it back.
        (Answer::No | Answer::Unknown, taken_back) => Some(taken_back),
    }
}

/// Returns whether `answer` is the label of a box, as exporters write it into the cell when the box is ticked:
/// a part of the question itself, or one of the consents that a column of several lists.
fn is_option_of(question: &str, answer: &str) -> bool {
    let answer = fold_question(answer);
    if answer.is_empty() || answer::denies(&answer) || answered(&answer) != Answer::Unknown {
        return false;
    }
    let parts = question.split(['(', ')', ':']).flat_map(|part| part.split(" - "));
    let has_letters = answer.bytes().any(|byte| byte.is_ascii_alphabetic());
    if has_letters
        && std::iter::once(question).chain(parts).any(|part| fold_question(part) == answer)
    {
        return true;
    }
    listed(question, &answer).is_some()
}

/// Returns the consents that a column of several lists: `RODO, marketing` of `Zgody`.
fn listed<'t>(question: &str, text: &'t str) -> Option<Vec<&'t str>> {
    let is_list = fold_question(question).split(' ').any(|word| LISTS.contains(&word));
    let is_option = |piece: &&str| {
        let words = fold_question(piece);
        let is_word = |word: &str| {
            OPTIONS.contains(&word)
                || matches!(word, "i" | "oraz" | "and" | "und")
                || CHANNELS.iter().any(|(stem, _)| word.starts_with(stem))
        };
        !words.is_empty() && words.split(' ').all(is_word)
    };
    let pieces: Vec<&str> = text
        .split([';', ',', '\n', '|'])
        .map(str::trim)
        .filter(|piece| !piece.is_empty())
        .collect();
    (is_list && !pieces.is_empty() && pieces.iter().all(is_option)).then_some(pieces)
}

/// Takes `E-mail: tak, SMS: nie` and `{"email":true,"phone":false}` apart into labels and their answers;
/// nothing where fewer than two answers have a label. A piece without an answer of its own takes the next
/// one's: in `regulamin, marketing: nie` nothing was agreed to.
fn labelled(text: &str) -> Option<Vec<(&str, &str)>> {
    let text = text.trim().trim_start_matches('{').trim_end_matches('}');
    let mut found: Vec<(&str, &str)> = Vec::new();
    let mut waiting: Vec<&str> = Vec::new();
    let mut answers = 0;
    let all = text.split([';', ',', '\n', '|', '&']).flat_map(|piece| piece.split(" / "));
    let all = all.map(str::trim).filter(|piece| !piece.is_empty());
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

/// Reads the answer; a date, as in `UNSUB_TIME`, says that the thing happened. Other figures, such as somebody's
/// number, say nothing.
pub(super) fn answered(text: &str) -> Answer {
    let tidied = tidy(text);
    let digits = tidied.bytes().filter(u8::is_ascii_digit).count();
    let has_figures = digits >= 5 && tidied.starts_with(|c: char| c.is_ascii_digit());
    // `2024-01-01 (wycofana)` tells when it ended.
    let folded = fold_header(&tidied);
    if !has_figures || consent_notice::takes_back(&folded) || answer::denies(&folded) {
        return answer::parse(text);
    }
    // Digits alone are an epoch of seconds or milliseconds, or else anybody's guess.
    let is_epoch = matches!(tidied.len(), 10 | 13) && tidied.starts_with('1');
    if tidied.len() == digits && !is_epoch {
        return Answer::Unknown;
    }
    match moment::parse(&tidied, ANY_STYLE) {
        Ok(_) => Answer::Yes,
        Err(MomentFault::Blank | MomentFault::Null(_)) => Answer::Blank,
        Err(MomentFault::Unusable(_)) => answer::parse(text),
    }
}

/// Whether a cell holds a date does not depend on how its column is read.
const ANY_STYLE: TimeStyle<'static> = TimeStyle {
    zone: chrono_tz::UTC,
    formats: &[],
    orders: [Settled { order: DateOrder::Dmy, basis: Basis::Assumed }; 3],
    counts_from_1904: false,
};

/// Returns the best that is known of what somebody saw, and what that is.
fn wording(cell: &Cell, answer: &str) -> (String, Shown) {
    let best = if answer::is_sentence(answer) { answer } else { &*cell.column };
    let text = tidy(best).into_owned();
    let shown = if shown_text(&text) { Shown::Text } else { Shown::Label };
    (text, shown)
}

/// Returns whether `wording` is the text of a consent rather than the name of a column or question.
pub fn shown_text(wording: &str) -> bool {
    let words = wording.split_whitespace().count();
    // "Zgoda na kontakt telefoniczny" names a consent; "wyrażam zgodę na kontakt" is one.
    let is_name = || fold_header(&tidy(wording)).starts_with("zgoda ");
    words >= TEXT_WORDS_MIN || words >= OPENED_TEXT_WORDS_MIN && opens(wording) && !is_name()
}

/// Returns what the cell holds, where that is not the wording.
fn answer_beside(wording: &str, cell: &str) -> Option<String> {
    let answer = tidy(cell);
    (answer != wording).then(|| answer.into_owned())
}

fn two_minded(cell: &Cell) -> Remark {
    let message = format!(
        "the question agrees and refuses at once, so `{}` counts as no answer; map it in a preset",
        tidy(&cell.text)
    );
    Remark::new("consent-unclear", message)
}

fn about_something_else(cell: &Cell) -> Remark {
    let message = format!(
        "this is about something else than being contacted by us, so `{}` neither lets us write nor forbids it",
        tidy(&cell.text)
    );
    Remark::new("consent-elsewhere", message)
}

fn about_nothing_told(cell: &Cell) -> Remark {
    let message = format!(
        "nothing tells what this consent is for, so `{}` neither lets us write nor forbids it; map it in a preset",
        tidy(&cell.text)
    );
    Remark::new("consent-unclear", message)
}

fn refuses_a_notice(cell: &Cell) -> Remark {
    let message = format!(
        "to read a notice or accept terms is no consent, so `{}` refuses none",
        tidy(&cell.text)
    );
    Remark::new("consent-elsewhere", message)
}

fn asks_for_what(cell: &Cell) -> Remark {
    let message = format!(
        "the column may tell about a consent rather than ask for one, so `{}` counts as no answer; map it in a preset",
        tidy(&cell.text)
    );
    Remark::new("consent-unclear", message)
}

fn unclear(cell: &Cell) -> Remark {
    let message =
        format!("`{}` is neither yes nor no, so it counts as no answer", tidy(&cell.text));
    Remark::new("consent-unclear", message)
}

#[cfg(test)]
mod elsewhere;
#[cfg(test)]
mod given_by_nobody;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod told_beside;
