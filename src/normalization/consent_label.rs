//! Which short headers ask for a consent.
//!
//! `Zgoda marketingowa` does; `Zgoda marketingowa ważna do`, `Einwilligung fehlt` and `Marketing suppression` tell
//! about one, and a yes below them is none. Nobody can list all that may be told about a consent, so a short header asks
//! for one only where each of its words is known to belong to the asking.

use super::agreement::agrees;
use super::consent_label_words::{ABOUT, ASKING, ASKING_STEMS, BOUNDS, QUESTION_OPENINGS};
use super::consent_notice::without_notices;
use super::consent_subject::sentences;
use super::consent_words::{NO_DENIALS, SHORT_QUESTION_WORDS_MAX};

/// Returns whether a plain yes below the header `label` may be a consent. Sentences and questions may be, since they
/// say themselves what is asked.
pub(super) fn may_ask(label: &str) -> bool {
    let own = without_notices(label);
    let is_notice_alone = own.trim().is_empty();
    let text = folded(if is_notice_alone { label } else { &own });
    let words: Vec<&str> = text.split(' ').collect();
    if folded(label).split(' ').count() > SHORT_QUESTION_WORDS_MAX || agrees(label) {
        return true;
    }
    // `Zgoda marketingowa do` holds a date until when.
    if words.last().is_some_and(|last| BOUNDS.contains(last)) {
        return false;
    }
    let without_denials = NO_DENIALS.iter().fold(format!(" {text} "), |text, phrase| {
        let Some(at) = text.find(&format!(" {phrase}")) else { return text };
        let end = text[at + 1 + phrase.len()..]
            .find(' ')
            .map_or(text.len(), |end| at + 1 + phrase.len() + end);
        [&text[..at], &text[end..]].concat()
    });
    let mut plain = without_denials.split_whitespace();
    if plain.clone().any(|word| ABOUT.iter().any(|stem| word.starts_with(stem))) {
        return false;
    }
    if label.contains('?') || QUESTION_OPENINGS.contains(&words[0]) {
        return true;
    }
    plain.all(is_known)
}

fn folded(label: &str) -> String {
    sentences(label).iter().map(|one| one.text().to_owned()).collect::<Vec<_>>().join(" ")
}

fn is_known(word: &str) -> bool {
    ASKING.contains(&word)
        || ASKING_STEMS.iter().any(|stem| word.starts_with(stem))
        || word.bytes().all(|byte| byte.is_ascii_digit())
}
