//! What a consent is about: being contacted and what is done with data for it, or something else.
//!
//! A form asks for more than leadmill writes for: to be hired, to be shown in a picture, that somebody's landlord agrees,
//! that the terms were read. A yes to those lets nobody write, and a no forbids no answer to the enquiry.

use super::agreement::is_agreeing_at;
use super::answer_words::REFUSALS;
use super::consent_label_words::{ASKING, QUESTION_OPENINGS};
use super::consent_matter_words::{
    ENQUIRY, NEVER_OURS, NEVER_OURS_PHRASES, OF_ITS_OWN, OF_ITS_OWN_PHRASES, OPTIONAL, OURS,
    OURS_WHOLE, SAYS_NOTHING, SAYS_NOTHING_STEMS,
};
use super::consent_notice::without_notices;
use super::consent_others_words::{AFTER_ALL, OF_THEIR_OWN, OTHERS};
use super::consent_paper_words::{
    ACCEPTING, BESIDE, CONSENTING, GOES_BY, OTHER_DOCUMENTS, PAPERS, READING,
};
use super::consent_subject::{Sentence, channels_in, fold_question, sentences};
use super::consent_words::{
    LABEL_OPT_OUTS, OPT_OUTS, REFUSALS as TURNED_ROUND, SHORT_QUESTION_WORDS_MAX,
};
use super::folded::{begins, begins_any, has_phrase};

/// Most words behind the name of a document that are its own: `polityką prywatności serwisu przyklad.pl`.
const DOCUMENT_WORDS_MAX: usize = 4;
/// Most words between what a document is for, or goes by, and its name.
const GOES_BY_WORDS_MAX: usize = 3;

/// Most words of a label such as `Datenschutz Einwilligung`.
const LABEL_WORDS_MAX: usize = 4;

/// What a consent is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Matter {
    /// Being contacted, marketed to, or data kept for it.
    Ours,
    /// It does not say: `Zgoda`, `I agree`.
    Untold,
    /// The same of one that may be left out: `Zgoda (opcjonalna)`.
    Optional,
    /// Nothing in it speaks of a consent: `optional_1`, `9001`.
    Opaque,
    /// What partners, and nobody else, have to offer: a no keeps data from them, a yes lets nobody here write.
    Partners,
    /// That something was read, or a document accepted: nothing is consented to.
    Notice,
    /// Something else, for certain: a job, a picture.
    Other,
    /// Something that nobody here has a word for: `płatność z góry`.
    Unknown,
}

impl Matter {
    /// Returns whether it is about something that leadmill does not write for.
    pub(super) fn is_elsewhere(self) -> bool {
        matches!(self, Self::Other | Self::Unknown)
    }
}

/// Returns what a consent is about by its `question` and `answer`. What the answer says for itself counts for more.
pub(super) fn matter(question: &str, answer: &str) -> Matter {
    let asked = matter_of(question);
    if answer.split_whitespace().nth(1).is_none() || question == answer {
        return if is_word_for_document(answer) { Matter::Notice } else { asked };
    }
    match matter_of(answer) {
        Matter::Untold | Matter::Optional | Matter::Opaque => asked,
        // Below `Zgoda na kontakt` an answer of odd words is still about that.
        Matter::Unknown if asked == Matter::Ours || !speaks_of_consent(answer) => asked,
        said => said,
    }
}

/// Returns whether `header` asks a question about something else than whether we may write or call, though it may speak
/// of a consent: `Czy masz zgodę wspólnoty na montaż?`.
pub fn asks_elsewhere(header: &str) -> bool {
    let folded = fold_question(header);
    let is_question = header.contains('?') || is_question(&folded);
    // Whoever wants to be left alone is heard, in however odd words.
    let takes_back =
        [OPT_OUTS, LABEL_OPT_OUTS, TURNED_ROUND].into_iter().any(|list| begins_any(&folded, list));
    is_question && !takes_back && matter_of(header).is_elsewhere()
}

/// Returns whether `header` agrees in so many words to something that leadmill writes for.
pub fn agrees_to_contact(header: &str) -> bool {
    let own = sentences(header);
    let is_consent = own.iter().any(|one| {
        let is_said = begins_any(one.text(), CONSENTING) || begins_any(one.text(), ACCEPTING);
        is_said && (one.agrees() || one.wishes() && one.markets())
    });
    is_consent && matter_of(header) == Matter::Ours
}

/// Returns what `text` is about by itself.
fn matter_of(text: &str) -> Matter {
    let own = without_notices(text);
    let own = if own.trim().is_empty() { text } else { &own };
    let all = sentences(own);
    let agreeing: Vec<&Sentence> = all.iter().filter(|one| one.agrees() || one.wishes()).collect();
    let told: Vec<&Sentence> = if agreeing.is_empty() { all.iter().collect() } else { agreeing };
    let whole = told.iter().map(|one| one.text()).collect::<Vec<_>>().join(" ");
    let words: Vec<&str> = whole.split(' ').filter(|word| !word.is_empty()).collect();
    let folded = fold_question(text);
    if is_about_others(&folded, &words) {
        return Matter::Unknown;
    }
    if begins_any(&whole, NEVER_OURS) || has_phrase(&whole, NEVER_OURS_PHRASES) {
        return Matter::Other;
    }
    let is_of_its_own = begins_any(&whole, OF_ITS_OWN) || has_phrase(&whole, OF_ITS_OWN_PHRASES);
    if is_of_its_own && !begins_any(&whole, ENQUIRY) && !told.iter().any(|one| one.markets()) {
        return Matter::Other;
    }
    if told.iter().any(|one| one.is_for_partners()) && !told.iter().any(|one| one.markets()) {
        return Matter::Partners;
    }
    let reads = has_phrase(&whole, READING);
    let consents = begins_any(&whole, CONSENTING);
    if reads && !consents {
        return Matter::Notice;
    }
    let rest = without_documents(&words);
    let names_document = rest.len() < words.len();
    // `Privacy consent`, but not `privacy policy`.
    let is_label = all.len() == 1 && words.len() <= LABEL_WORDS_MAX && consents;
    if is_label && names_document && !begins_any(&whole, PAPERS) && !begins_any(&whole, ACCEPTING) {
        return Matter::Ours;
    }
    if rest.iter().any(|word| is_ours(word)) {
        let is_only_accepted = names_document && !consents && begins_any(&whole, ACCEPTING);
        return if is_only_accepted && reads { Matter::Notice } else { Matter::Ours };
    }
    if names_document {
        return Matter::Notice;
    }
    let speaks = speaks_of_consent(&whole);
    match rest.iter().all(|word| says_nothing(word)) {
        true if !speaks => Matter::Opaque,
        true if begins_any(&whole, OPTIONAL) => Matter::Optional,
        true => Matter::Untold,
        false => Matter::Unknown,
    }
}

/// Returns whether a question asks what somebody has or does, or a short text names whose consent it is about.
fn is_about_others(folded: &str, words: &[&str]) -> bool {
    let opens = |beginnings: &[&str]| beginnings.iter().any(|one| folded.starts_with(one));
    if opens(OF_THEIR_OWN) && !opens(AFTER_ALL) && !has_phrase(folded, READING) {
        return true;
    }
    let is_short = words.len() <= SHORT_QUESTION_WORDS_MAX;
    let by_me = (0..words.len()).any(|at| is_agreeing_at(words, at));
    !by_me && (is_short || is_question(folded)) && begins_any(&words.join(" "), OTHERS)
}

fn is_question(folded: &str) -> bool {
    folded.split(' ').next().is_some_and(|first| QUESTION_OPENINGS.contains(&first))
}

/// Returns `words` without names of documents and what belongs to them; those that something only goes by stay.
fn without_documents<'t>(words: &[&'t str]) -> Vec<&'t str> {
    let mut rest = Vec::new();
    let mut at = 0;
    while at < words.len() {
        if !is_document(words[at]) {
            rest.push(words[at]);
            at += 1;
            continue;
        }
        let before = &words[at.saturating_sub(GOES_BY_WORDS_MAX)..at];
        let goes_by = before.iter().any(|word| begins(word, GOES_BY));
        let end = (at + 1 + DOCUMENT_WORDS_MAX).min(words.len());
        let own = words[at + 1..end].iter().enumerate().take_while(|(place, word)| {
            !BESIDE.contains(word) && !is_agreeing_at(words, at + 1 + place)
        });
        at += 1 + if goes_by { 0 } else { own.count() };
    }
    rest
}

fn is_word_for_document(answer: &str) -> bool {
    let folded = fold_question(answer);
    !folded.is_empty() && !folded.contains(' ') && is_document(&folded)
}

fn is_document(word: &str) -> bool {
    begins(word, PAPERS) || begins(word, OTHER_DOCUMENTS)
}

fn is_ours(word: &str) -> bool {
    begins(word, OURS) || OURS_WHOLE.contains(&word) || !channels_in(word).is_empty()
}

fn says_nothing(word: &str) -> bool {
    SAYS_NOTHING.contains(&word)
        || begins(word, SAYS_NOTHING_STEMS)
        || ASKING.contains(&word)
        || word.bytes().all(|byte| byte.is_ascii_digit())
}

fn speaks_of_consent(text: &str) -> bool {
    let folded = fold_question(text);
    begins_any(&folded, CONSENTING)
        || begins_any(&folded, ACCEPTING)
        || has_phrase(&folded, REFUSALS)
        || begins_any(&folded, &["oswiadcz", "checked", "opt in", "optin", "opted"])
}
