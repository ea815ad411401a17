//! What a consent says about how it is taken back: a notice takes nothing back.

use super::answer_limit_words::RIGHTS;
use super::answer_words::REFUSALS;
use super::consent_words::{NOTICE_BEGINNINGS, NOTICES, OPT_OUTS, PARTING};
use super::folded::{begins_any, has_phrase};
use crate::rules::field::fold_header;

/// Folded words that end with a full stop in the middle of a sentence.
const SHORTENED: &[&str] = &[
    "ltd", "inc", "co", "corp", "sp", "o o", "s a", "sa", "s c", "np", "m in", "tj", "tzn", "tzw",
    "e g", "i e", "z b", "bzw", "ggf", "ca", "inkl", "p ex", "s l", "sl", "s r l", "srl", "s p a",
    "spa", "s r o", "nr",
];

/// Returns `text` without the clauses that tell about the right to withdraw: `i wiem, że mogę ją wycofać`.
pub(super) fn without_notices(text: &str) -> String {
    let mut own = String::new();
    for clause in clauses(text).iter().filter(|clause| !is_notice(&fold_header(clause))) {
        // What follows a notice begins no sentence by its first letter.
        let is_next = own.ends_with(['.', '!', '?']) && !clause.starts_with(char::is_uppercase);
        own.push_str(if is_next { "; " } else { " " });
        own.push_str(clause);
    }
    own
}

/// Returns whether `clause`, folded, names a way out that nobody takes in it.
pub(super) fn is_notice(clause: &str) -> bool {
    let told = has_phrase(clause, RIGHTS)
        || begins_any(clause, NOTICES)
        || NOTICE_BEGINNINGS.iter().any(|beginning| clause.starts_with(beginning));
    told && takes_back(clause) && !has_phrase(clause, REFUSALS)
}

/// Returns whether `clause`, folded, has a word of taking back.
pub(super) fn takes_back(clause: &str) -> bool {
    begins_any(clause, OPT_OUTS) || begins_any(clause, &["abzumelden", "zu widerrufen"])
}

/// Takes `text` apart at its marks and before words that begin a thought of its own; what is said behind `że` belongs to
/// the verb before it.
pub(super) fn clauses(text: &str) -> Vec<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let folded: Vec<String> = words.iter().map(|word| fold_header(word)).collect();
    let mut found: Vec<String> = Vec::new();
    let mut ends = true;
    for (at, word) in words.iter().enumerate() {
        let rest = folded[at..folded.len().min(at + 3)].join(" ") + " ";
        let goes_on = at > 0
            && words[at - 1].ends_with(',')
            && matches!(&*folded[at], "ze" | "that" | "dass" | "iz");
        // An English `I` is no Polish `i`.
        let parts = *word != "I" && PARTING.iter().any(|phrase| rest.starts_with(phrase));
        match found.last_mut() {
            Some(last) if !(ends && !goes_on || parts || word.starts_with('(')) => {
                last.push(' ');
                last.push_str(word);
            }
            _ => found.push((*word).to_owned()),
        }
        // `Acme Ltd. to store my data` goes on.
        let goes_on = words.get(at + 1).is_some_and(|next| next.starts_with(char::is_lowercase));
        let is_short = goes_on && SHORTENED.contains(&&*folded[at]);
        ends = word.ends_with(['.', ',', ';', '!', '?', ')']) && !is_short;
    }
    found
}
