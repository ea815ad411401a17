//! Yes and no, in every form a check-box leaves behind.

use super::agreement::{agrees, names_consent};
use super::agreement_words::{CONDITIONS, GIVEN_HOW, NAMING};
use super::answer_limit_words::{EXCEPTIONS, PENDING, PENDING_STEMS, RESERVATIONS, RIGHTS};
use super::answer_words::{
    AGREEMENTS, BLANK, CONTACT_STEMS, DENIALS, DOUBLE_NEGATIONS, DRAWN_EMPTY, DRAWN_TICKED,
    HEDGE_WORDS_MAX, HEDGES, NEAR_WORDS, NEGATION_STEMS, NEGATIONS, PLAIN_NO, REFUSALS, REFUSING,
    SENTENCE_WORDS_MIN, STILL_IN, TAKEN_BACK, TAKEN_BACK_STEMS, YES,
};
use super::consent_label::may_ask;
use super::folded::has_phrase;
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

/// Returns what `raw` says to a yes-or-no question.
///
/// The sentence of a consent counts as yes where it agrees in so many words ([`super::agreement`]): exporters
/// write it into the cell when the box is ticked. Whatever else is no plain yes or no is [`Answer::Unknown`].
pub fn parse(raw: &str) -> Answer {
    match raw {
        "1" | "true" | "TRUE" => return Answer::Yes,
        "0" | "false" | "FALSE" => return Answer::No,
        "" => return Answer::Blank,
        _ => {}
    }
    let text = tidy(raw);
    let has_tick = text.chars().any(|c| "✓✔☑✅☒👍".contains(c)) || has_any(&text, DRAWN_TICKED);
    let has_empty = text.chars().any(|c| "✗✘❌☐□👎🚫⛔".contains(c)) || has_any(&text, DRAWN_EMPTY);
    match (has_tick, has_empty) {
        // Which of the boxes belongs to which words only a person can see.
        (true, true) => return Answer::Unknown,
        (true, false) if !has_any(&text, DRAWN_TICKED) => return ticked(&text),
        (false, true) => return Answer::No,
        _ => {}
    }
    // Folding takes the sign off: -1 is yes to some databases and a code to others.
    if text.starts_with('-') && text[1..].starts_with(|c: char| c.is_ascii_digit()) {
        return Answer::Unknown;
    }
    let words = fold_header(&text);
    if BLANK.contains(&words.as_str()) {
        return Answer::Blank;
    }
    let count = words.replace("e mail", "email").split(' ').count();
    if is_hedged(&words, count) || (text.contains('?') && count < SENTENCE_WORDS_MIN) {
        return Answer::Unknown;
    }
    // `1,0` is a figure, `1|0` are two.
    if YES.contains(&words.as_str()) && !text.contains(['|', '/']) {
        return Answer::Yes;
    }
    if is_no(&words) {
        return Answer::No;
    }
    if let Some(answer) = behind_label(&text) {
        return answer;
    }
    if count <= HEDGE_WORDS_MAX && begins_with(&words, TAKEN_BACK_STEMS) {
        return Answer::No;
    }
    if is_left_open(&text, &words) {
        return Answer::Unknown;
    }
    match sentence(&text) {
        Answer::Yes if text.ends_with('?') => Answer::Unknown,
        answer => answer,
    }
}

/// Returns whether a text of any length ran out (`do 31.12.2024`), was put off behind it (`- niepotwierdzona`), or says
/// whose yes it is (`tak (żona)`).
fn is_left_open(text: &str, words: &str) -> bool {
    let parts: Vec<&str> = words.split(' ').collect();
    let is_figure = |word: &&str| word.bytes().all(|byte| byte.is_ascii_digit());
    let ran_out = parts.windows(4).any(|four| {
        matches!(four[0], "do" | "until" | "till" | "bis") && four[1..].iter().all(is_figure)
    });
    let tails = [" - ", " – ", "("].iter().filter_map(|sign| text.rsplit_once(sign));
    let is_put_off = tails.map(|(_, tail)| fold_header(tail)).any(|tail| {
        tail.split(' ').count() <= HEDGE_WORDS_MAX
            && (has_phrase(&tail, PENDING) || begins_with(&tail, PENDING_STEMS))
    });
    let is_anothers = text.split_once('(').is_some_and(|(head, tail)| {
        let tail = fold_header(tail);
        let is_how = |word: &str| {
            YES.contains(&word)
                || GIVEN_HOW.contains(&word)
                || NAMING.contains(&word)
                || is_figure(&word)
                || begins_with(word, CONTACT_STEMS)
        };
        YES.contains(&&*fold_header(head)) && !tail.split(' ').all(is_how)
    });
    ran_out || is_put_off || is_anothers
}

/// Returns what a box with a tick says: yes to the words beside it, which may refuse or put off.
fn ticked(text: &str) -> Answer {
    let is_mark = |c: char| "✓✔☑✅☒👍\u{fe0f}".contains(c);
    let beside = text.replace(is_mark, " ");
    let words = fold_header(&beside);
    let count = words.split(' ').count();
    if words.is_empty() {
        Answer::Yes
    } else if is_hedged(&words, count) {
        Answer::Unknown
    } else if parse(&beside) == Answer::No {
        Answer::No
    } else {
        Answer::Yes
    }
}

/// A short answer that limits itself ("tak, ale tylko telefonicznie") or says both is no plain yes; a
/// whole sentence of consent may well say "only for the purpose of".
fn is_hedged(words: &str, count: usize) -> bool {
    let has = |list: &[&str]| words.split(' ').any(|word| list.contains(&word));
    // "Yes, until 31 December" may have run out.
    let has_end = words.split(' ').zip(words.split(' ').skip(1)).any(|(word, next)| {
        matches!(word, "do" | "until" | "till" | "bis")
            && next.starts_with(|c: char| c.is_ascii_digit())
    });
    let is_short = count <= HEDGE_WORDS_MAX;
    let is_pending = || has_phrase(words, PENDING) || begins_with(words, PENDING_STEMS);
    (is_short && (has(HEDGES) || has_end || is_pending()))
        || matches!(words, "tak nie" | "yes no" | "ja nein" | "t n" | "y n" | "j n")
}

/// Returns whether `raw` is the sentence of a consent rather than a bare yes or no.
pub fn is_sentence(raw: &str) -> bool {
    raw.split_whitespace().nth(SENTENCE_WORDS_MIN - 1).is_some()
}

fn sentence(text: &str) -> Answer {
    let words = without_rights(text);
    let padded = format!(" {words} ");
    let first = |phrases: &[&str]| {
        phrases.iter().filter_map(|phrase| padded.find(&format!(" {phrase} "))).min()
    };
    let agreed = AGREEMENTS.iter().filter_map(|stem| padded.find(&format!(" {stem}"))).min();
    if first(TAKEN_BACK).is_some() {
        return Answer::No;
    }
    if first(EXCEPTIONS).is_some() {
        return Answer::Unknown;
    }
    if let Some(refused) = first(REFUSALS) {
        // "I agree to e-mail, I do not agree to calls" says both; who reads it must part the two.
        let says_both = agreed.is_some_and(|agreed| agreed < refused);
        return if says_both { Answer::Unknown } else { Answer::No };
    }
    if first(DOUBLE_NEGATIONS).is_some() {
        return Answer::Unknown;
    }
    if first(DENIALS).is_some_and(|denied| agreed.is_none_or(|agreed| denied < agreed)) {
        return Answer::No;
    }
    if let Some(answer) = negated(text) {
        return answer;
    }
    let has = |list: &[&str]| words.split(' ').any(|word| list.contains(&word));
    let is_yes = match words.split(' ').next() {
        Some("nie" | "no" | "nein") => return Answer::No,
        // "Yes, but only until the end of the year."
        Some("tak" | "yes" | "ja") if has(RESERVATIONS) || has_phrase(&words, CONDITIONS) => false,
        Some("tak" | "yes" | "ja") => agrees(text) || !has(HEDGES),
        _ => agrees(text) || names_consent(&words.replace("e mail", "email")),
    };
    if is_yes { Answer::Yes } else { Answer::Unknown }
}

fn has_any(text: &str, marks: &[&str]) -> bool {
    marks.iter().any(|mark| text.contains(mark))
}

/// Returns whether one of the folded `words` begins with one of `stems`.
fn begins_with(words: &str, stems: &[&str]) -> bool {
    words.split(' ').any(|word| stems.iter().any(|stem| word.starts_with(stem)))
}

/// Returns whether the folded `words` as a whole say no.
fn is_no(words: &str) -> bool {
    PLAIN_NO.contains(&words) || REFUSING.contains(&words)
}

/// Returns the answer behind the label of `Zgoda na marketing: NIE`, `zgoda (nie)` and `marketing_email=0`.
///
/// A yes behind a label that refuses is a no: `Nie wyrażam zgody [x]`.
fn behind_label(text: &str) -> Option<Answer> {
    let signs = [": ", ":", "=", " - ", " – ", " — ", "(", "[", "_"];
    let mut parts = signs.iter().filter_map(|sign| text.rsplit_once(sign));
    let said = parts.find_map(|(label, tail)| match fold_header(tail).as_str() {
        "" => None,
        tail if is_no(tail) => Some(Answer::No),
        tail if BLANK.contains(&tail) => Some(Answer::Blank),
        tail if YES.contains(&tail) && sentence(label) == Answer::No => Some(Answer::No),
        // `Opcja: 1` is somebody's choice.
        tail if YES.contains(&tail) && may_ask(label) => Some(Answer::Yes),
        _ => None,
    });
    // `Unchecked: I agree` and `0 - I agree` say it before the label.
    let before =
        [": ", " - ", " – ", " — ", "|", ";"].iter().filter_map(|sign| text.split_once(sign));
    if before.map(|(head, _)| fold_header(head)).any(|head| is_no(&head)) {
        return Some(Answer::No);
    }
    // `Wyrażam zgodę|0` says it behind; a yes needs more than a figure behind a comma.
    let behind = ["|", ",", ";"].iter().filter_map(|sign| text.rsplit_once(sign));
    if behind.map(|(_, tail)| fold_header(tail)).any(|tail| is_no(&tail)) {
        return Some(Answer::No);
    }
    let last_word = fold_header(text.rsplit(' ').next().unwrap_or_default());
    let ends_in_no = matches!(last_word.as_str(), "nie" | "no" | "nein" | "false" | "0");
    said.or(ends_in_no.then_some(Answer::No))
}

/// Returns what a sentence says whose consent stands beside a negation; nothing where none does.
///
/// The first clause that agrees decides, and a refusal is assumed rather than a consent: a wrong yes is a
/// mail that nobody agreed to. Clauses that explain somebody's rights decide nothing.
fn negated(text: &str) -> Option<Answer> {
    let clauses: Vec<String> = text
        .split(['.', ',', ';', '!', '?', '(', ')', '\n'])
        .map(|clause| {
            ["not only", "nie tylko", "nicht nur"]
                .iter()
                .fold(fold_header(clause), |clause, phrase| clause.replace(phrase, ""))
        })
        .filter(|clause| !clause.trim().is_empty())
        .collect();
    let negation = |clause: &String| {
        let explains = has_phrase(clause, RIGHTS) && !has_phrase(clause, &["can t"]);
        let is_negation = |word: &&str| {
            NEGATIONS.contains(word) || NEGATION_STEMS.iter().any(|stem| word.starts_with(stem))
        };
        clause.split(' ').position(|word| is_negation(&word)).filter(|_| !explains)
    };
    let agreement = |clause: &String| {
        let padded = format!(" {clause}");
        let at = AGREEMENTS.iter().filter_map(|stem| padded.find(&format!(" {stem}"))).min()?;
        Some(padded[..at].matches(' ').count())
    };
    let Some(deciding) = clauses.iter().position(|clause| agreement(clause).is_some()) else {
        let is_no = clauses.iter().any(|clause| negation(clause).is_some());
        // "Yes to e-mail, no to calls" says both.
        let begins_with_yes = clauses
            .first()
            .is_some_and(|clause| matches!(clause.split(' ').next(), Some("tak" | "yes" | "ja")));
        let said = if begins_with_yes { Answer::Unknown } else { Answer::No };
        return is_no.then_some(said);
    };
    // "I accept that my consent will be removed."
    let is_told =
        |clause: &&String| ["ze ", "that ", "dass "].iter().any(|word| clause.starts_with(word));
    if clauses
        .iter()
        .filter(is_told)
        .any(|clause| negation(clause).is_some() && begins_with(clause, NEGATION_STEMS))
    {
        return Some(Answer::Unknown);
    }
    let agreed = agreement(&clauses[deciding]).unwrap_or(0);
    match negation(&clauses[deciding]) {
        Some(at) if at <= agreed + NEAR_WORDS => return Some(Answer::No),
        Some(_) => return Some(Answer::Unknown),
        None => {}
    }
    let takes_out = |clause: &String| {
        negation(clause).is_some()
            && begins_with(clause, CONTACT_STEMS)
            && clause.split(' ').count() <= HEDGE_WORDS_MAX
    };
    clauses.iter().any(takes_out).then_some(Answer::Unknown)
}

/// Returns whether `raw` agrees in so many words, so that it needs no question.
pub(super) fn says_what_for(raw: &str) -> bool {
    agrees(raw) || names_consent(&fold_header(&tidy(raw)))
}

/// Returns whether `raw` is nothing but a no: to "unsubscribed?" it is the only answer that keeps consent.
pub fn is_plain_no(raw: &str) -> bool {
    let words = fold_header(&tidy(raw));
    PLAIN_NO.contains(&words.as_str()) || STILL_IN.contains(&words.as_str())
}

/// Returns whether one of the folded `words` says no.
pub(super) fn denies(words: &str) -> bool {
    words.split(' ').any(|word| {
        NEGATIONS.contains(&word) || NEGATION_STEMS.iter().any(|stem| word.starts_with(stem))
    })
}

/// Returns the folded words of `text` without clauses such as "I may withdraw my consent at any time".
pub(super) fn without_rights(text: &str) -> String {
    let explains = |clause: &str| {
        has_phrase(clause, RIGHTS)
            && !has_phrase(clause, REFUSALS)
            && (has_phrase(clause, DENIALS) || begins_with(clause, TAKEN_BACK_STEMS))
    };
    let kept: Vec<String> = text
        .split(['.', ',', ';', '!', '?', '(', ')'])
        .map(fold_header)
        .filter(|clause| !clause.is_empty() && !explains(clause))
        .collect();
    if kept.is_empty() { fold_header(text) } else { kept.join(" ") }
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
                "Wyrażam zgodę na kontakt telefoniczny. Zgodę mogę wycofać w każdej chwili.",
                "Wyrażam zgodę na otrzymywanie ofert, którą w każdym czasie można cofnąć",
                "I agree to receive e-mails. I can unsubscribe at any time.",
                "I agree to be contacted; we do not share your data with anybody",
                "Ich willige ein. Die Einwilligung kann ich jederzeit widerrufen.",
                "Ausgewählt",
                "zaznaczone",
                "wł.",
                "так",
                "1.00",
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
                "Nie wyrażam zgody na kontakt. Zgodę mogę wyrazić w każdej chwili.",
                "Klient wycofał zgodę na marketing dnia 12.09.2025 telefonicznie",
                "Zgoda na informacje handlowe została wycofana dnia 12.09.2025",
                "I withdraw my consent to receive marketing by e-mail",
                "Nicht ausgewählt",
                "Nie chcę otrzymywać informacji handlowych drogą elektroniczną",
                "0,0",
                "0.00",
                "wył.",
                "ні",
                "f",
            ],
        );
    }

    #[test]
    fn silence_is_no_answer() {
        check(Answer::Blank, &["-", "", "  ", "null", "n/a", "\"\"", "None"]);
        check(Answer::Unknown, &["być może", "Kraków", "-1", "2"]);
        check(
            Answer::Unknown,
            &[
                "Wyrażam zgodę na kontakt e-mail, nie wyrażam zgody na kontakt telefoniczny",
                "Wyrażam zgodę na kontakt w sprawie oferty, ale nie przez SMS",
                "Wyrażam zgodę na marketing z wyjątkiem SMS",
                "I agree to marketing except for calls",
                "Nie mam nic przeciwko",
                "I don't mind",
                "Nie wnoszę sprzeciwu",
                "I agree that you send me whatever is not advertising",
                "Zgoda na kontakt, nie wyrażam zgody na marketing co mogę cofnąć w każdej chwili",
            ],
        );
    }
}
