//! Whether a text agrees in so many words.
//!
//! A yes has to be said: by a verb of whoever agrees, or that they did, in a sentence that neither makes
//! conditions nor breaks off. That a text mentions a consent says nothing: `consent requested`, `zgoda wstrzymana`.

use super::agreement_words::{
    AGREEING, AGREEING_PAIRS, CONDITIONS, CUT_OFF, GIVEN, GIVEN_HOW, I_ADVERBS, I_VERBS, LIMITS,
    NAME_BEGINNINGS, NAMING, WANTED_AT_ONCE, WANTED_SOON, WANTING_AT_ONCE, WANTING_SOON,
};
use super::folded::has_phrase;
use crate::rules::field::fold_header;

/// Most words between somebody's wish and what they wish for.
const WISH_WORDS_MAX: usize = 5;

/// Words of a sentence among which one that limits it limits the whole.
const LIMIT_WORDS_MAX: usize = 4;

/// Returns whether a sentence of `text` agrees.
pub(super) fn agrees(text: &str) -> bool {
    sentences(text).iter().any(|sentence| {
        let words: Vec<&str> = sentence.split(' ').collect();
        // "I agree only to be answered" is for people to read.
        let is_limited = words.iter().take(LIMIT_WORDS_MAX).any(|word| LIMITS.contains(word));
        !has_phrase(sentence, CONDITIONS)
            && !is_limited
            && is_whole(&words)
            && is_said(sentence, &words)
    })
}

/// Returns whether `words`, folded, are nothing but the name of a consent, as exporters write it into the
/// cell of a box that was ticked: `Zgoda na marketing e-mail`.
pub(super) fn names_consent(words: &str) -> bool {
    NAME_BEGINNINGS.iter().any(|beginning| words.starts_with(&format!("{beginning} ")))
        && words.split(' ').all(|word| NAMING.contains(&word))
}

/// Returns whether the word at `at` is somebody's own verb of agreeing: in `I consent`, not in `consent required`.
pub(super) fn is_agreeing_at(words: &[&str], at: usize) -> bool {
    let word = words[at];
    let before = at.checked_sub(1).map_or("", |before| words[before]);
    AGREEING.contains(&word)
        || AGREEING_PAIRS.iter().any(|(verb, _)| *verb == word)
        || I_VERBS.contains(&word) && (is_me(before) || I_ADVERBS.contains(&before))
}

fn is_me(word: &str) -> bool {
    matches!(word, "i" | "we" | "you")
}

fn sentences(text: &str) -> Vec<String> {
    text.split(['.', ';', '!', '?', '(', ')', '\n'])
        .map(|sentence| fold_header(sentence).replace("e mail", "email"))
        .filter(|sentence| !sentence.is_empty())
        .collect()
}

fn is_said(sentence: &str, words: &[&str]) -> bool {
    has_phrase(sentence, AGREEING)
        || is_noted(sentence)
        || AGREEING_PAIRS.iter().any(|(verb, rest)| {
            let at = words.iter().position(|word| word == verb);
            let is_rest = |word: &&str| word == rest || rest.len() > 3 && word.starts_with(rest);
            at.is_some_and(|at| words[at + 1..].iter().any(is_rest))
        })
        || is_said_by_me(words)
        || wishes(words)
}

/// `Consent given by phone`, but not `consent given to somebody else`.
fn is_noted(sentence: &str) -> bool {
    GIVEN.iter().filter(|phrase| has_phrase(sentence, &[**phrase])).any(|phrase| {
        let padded = format!(" {sentence} ").replacen(&format!(" {phrase} "), " ", 1);
        padded.split_whitespace().all(|word| {
            GIVEN_HOW.contains(&word)
                || NAMING.contains(&word)
                || word.bytes().all(|byte| byte.is_ascii_digit())
        })
    })
}

/// `I hereby consent`, but not `I will consent`.
fn is_said_by_me(words: &[&str]) -> bool {
    let mut from_me = words.iter().enumerate().filter(|(_, word)| is_me(word));
    from_me.any(|(at, _)| {
        let is_asked = at > 0 && matches!(words[at - 1], "do" | "would" | "will" | "if" | "can");
        let verb = words[at + 1..].iter().find(|word| !I_ADVERBS.contains(word));
        !is_asked && verb.is_some_and(|verb| I_VERBS.contains(verb))
    })
}

/// Returns whether somebody wishes for what a consent is about: to receive, to hear, a call.
pub(super) fn wishes(words: &[&str]) -> bool {
    let starts = |at: usize, stems: &[&str]| {
        words.get(at).is_some_and(|word| stems.iter().any(|stem| word.starts_with(stem)))
    };
    let ends_of = |phrases: &[&str]| -> Vec<usize> {
        let ends = |phrase: &&str| {
            let parts: Vec<&str> = phrase.split(' ').collect();
            let at = words.windows(parts.len()).position(|window| window == parts)?;
            Some(at + parts.len())
        };
        phrases.iter().filter_map(ends).collect()
    };
    ends_of(WANTING_AT_ONCE).into_iter().any(|at| starts(at, WANTED_AT_ONCE))
        || ends_of(WANTING_SOON).into_iter().any(|end| {
            (end..words.len().min(end + WISH_WORDS_MAX)).any(|at| starts(at, WANTED_SOON))
        })
        || words.contains(&"ich")
            && words.iter().any(|word| matches!(*word, "mochte" | "moechte" | "will"))
            && words.last().is_some_and(|last| {
                ["erhalten", "bekommen", "abonnieren", "empfangen", "werden"].contains(last)
            })
}

/// Returns whether the sentence does not break off behind a word that something has to follow.
fn is_whole(words: &[&str]) -> bool {
    let is_company = words.ends_with(&["z", "o", "o"]);
    is_company || !words.last().is_some_and(|last| CUT_OFF.contains(last))
}
