//! What a consent is for, and through which channels, from the words of its question and answer.
//!
//! A word of marketing is not enough for a consent to it: forms name the marketing department, the terms of a
//! promotion and the offer that was asked for, and promise not to send newsletters.

use super::agreement::{is_agreeing_at, wishes};
use super::answer_words::{NEGATION_STEMS, NEGATIONS, TAKEN_BACK_STEMS};
use super::consent_channel_words::{CHANNEL_WORDS, CHANNELS, CHANNELS_ASIDE};
use super::consent_sent_words::{
    AND, FOR_SALE, MORE_THAN_REPLY, NEVER_A_REPLY, OWN_LETTERS, RECEIVING, SENT, TELLING, WHOSE,
};
use super::consent_words::{
    ALWAYS_MARKETING, APART, ASKS_ALONE, COMPANY_BEHIND, DEPARTMENTS, DOMAIN_ENDS, INFORMATION,
    LEGAL_FORMS, MANY_OFFERS, MARKETING_BESIDE, MAY_LATER, NO_DENIALS, NO_MARKETING, OFFERED_ONCE,
    OFFERS_AFTER, OFFERS_BEFORE, OFFERS_FOR_ME, PARTNERS, PASSING_ON, PROFILING, PROMOTIONS, REPLY,
    TERMS, WITHOUT,
};
use super::folded::begins;
use super::text::tidy;
use crate::model::consent::{Channel, Purpose};
use crate::rules::field::fold_header;
use crate::rules::source::parted_key;

/// Most words between the terms that somebody accepts and what they are the terms of.
const TERMS_WORDS_MAX: usize = 4;

/// Most words of a label that names partners and not what they are to do.
const PARTNER_LABEL_WORDS_MAX: usize = 4;
/// Most words of a label by which somebody opts in.
const OPT_IN_WORDS_MAX: usize = 5;
/// Beginnings of words of a label that is about data, and not about what is sent.
const DATA: &[&str] =
    &["rodo", "gdpr", "dsgvo", "rgpd", "privac", "data", "daten", "dane", "contact", "kontakt"];

/// What a yes or no is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// A yes to a consent: only what is agreed to counts.
    Yes,
    /// A no to a consent: whatever is named counts.
    No,
    /// A consent is taken back, or somebody opts out; that is of being marketed to, and the enquiry itself may
    /// still be answered.
    OptOut,
}

/// Returns what a consent is for, from its `question` and `answer`. Channels that the answer names count for
/// more than those of the question.
pub(super) fn subject(question: &str, answer: &str, said: Said) -> (&'static str, Vec<Channel>) {
    let is_agreed = said == Said::Yes;
    let (mut question, answer) = (sentences(question), sentences(answer));
    // Who says no to a consent says none to the promises beside it.
    if said == Said::No && question.iter().any(|one| one.agrees() || one.wishes()) {
        question.retain(|one| one.agrees() || one.wishes() || one.names_channels());
    }
    let all = || question.iter().chain(&answer);
    let has = |stems: &[&str]| all().any(|one| one.has(stems, is_agreed));
    let has_both = |one: &Sentence| one.has(PARTNERS, is_agreed) && one.has(PASSING_ON, is_agreed);
    // Below `Zgoda marketingowa` somebody may agree to be answered alone, or to anything but marketing.
    let is_reply = is_agreed
        && answer.iter().any(|one| {
            one.speaks_of_reply() || one.is_marketing(false) || one.asks_for_something()
        })
        && !answer.iter().any(|one| one.is_marketing(is_agreed));
    let is_marketing = !is_reply && all().any(|one| one.is_marketing(is_agreed));
    // Whoever declines to be sent things declines no answer, though a yes would be too little for marketing.
    let is_sent_unasked =
        all().any(Sentence::is_to_be_sent_things) && !all().any(Sentence::speaks_of_reply);
    let is_for_partners =
        all().any(Sentence::is_for_partners) && !all().any(|one| one.is_marketing(is_agreed));
    let is_passed_on = all().any(has_both) || !is_agreed && has(PARTNERS) && has(PASSING_ON);
    let purpose = if is_for_partners || is_passed_on {
        Purpose::PARTNER_SHARE
    } else if said == Said::OptOut || is_marketing || !is_agreed && is_sent_unasked {
        Purpose::MARKETING
    } else if has(PROFILING) {
        Purpose::PROFILING
    } else {
        Purpose::ENQUIRY_REPLY
    };
    // Beside the marketing that somebody agrees to stands the number of whoever asks.
    let channels_of = |text: &[Sentence]| {
        let is_about = |one: &Sentence| {
            !is_agreed || purpose != Purpose::MARKETING || one.is_marketing(is_agreed)
        };
        let has_marketing = text.iter().any(is_about);
        let mut is_beside = false;
        let mut channels: Vec<Channel> = Vec::new();
        for one in text {
            // `informacji handlowych (SMS)` and `Kanał: SMS` go on with the sentence before.
            let is_meant = is_about(one) || !has_marketing || is_beside && one.names_channels();
            if is_meant {
                channels.extend(one.channels(is_agreed));
            }
            is_beside = is_meant;
        }
        channels.sort_unstable();
        channels.dedup();
        channels
    };
    let mut channels = channels_of(&answer);
    if channels.is_empty() {
        channels = channels_of(&question);
    }
    if channels.is_empty() {
        channels.push(Channel::Email);
        if purpose == Purpose::ENQUIRY_REPLY || said == Said::OptOut {
            channels.push(Channel::Phone);
        }
    }
    (purpose, channels)
}

/// Folds the header of a consent question; names of CRM fields come apart into words.
pub(super) fn fold_question(header: &str) -> String {
    // A line end parts words, too.
    let tidied = tidy(header);
    // A programmer's `marketingOptOut`; `SMSy` is one word.
    let is_name = !tidied.contains(' ')
        && tidied
            .as_bytes()
            .windows(2)
            .any(|two| two[0].is_ascii_lowercase() && two[1].is_ascii_uppercase());
    let parted = is_name.then(|| parted_key(&tidied)).flatten();
    parted
        .unwrap_or_else(|| fold_header(&tidied))
        .replace("hasoptedoutof", "opted out ")
        .replace("has opted out of", "opted out")
        .replace("donotcall", "do not call")
        .replace("donotemail", "do not email")
        .replace("whats app", "whatsapp")
        .replace("e mail", "email")
}

/// The folded words of a sentence.
#[derive(Debug)]
pub(super) struct Sentence {
    text: String,
}

impl Sentence {
    fn words(&self) -> Vec<&str> {
        self.text.split(' ').collect()
    }

    /// Returns whether one of its words begins with one of `stems`, and is agreed to where that is asked.
    fn has(&self, stems: &[&str], is_agreed: bool) -> bool {
        let words = self.words();
        (0..words.len()).any(|at| begins(words[at], stems) && !(is_agreed && denies(&words, at)))
    }

    fn is_marketing(&self, is_agreed: bool) -> bool {
        let words = self.words();
        let tells = |at: usize| {
            tells_marketing(&words, at)
                || tells_more_than_reply(&words, at)
                || tells_opt_in(&words, at)
        };
        !self.is_for_partners()
            && (0..words.len()).any(|at| tells(at) && !(is_agreed && denies(&words, at)))
    }

    /// Returns whether it speaks of being marketed to, agreed or not.
    pub(super) fn markets(&self) -> bool {
        self.is_marketing(false)
    }

    /// Returns whether it is about what partners, and nobody else, have to offer.
    pub(super) fn is_for_partners(&self) -> bool {
        let words = self.words();
        let named = words.iter().position(|word| begins(word, PARTNERS));
        let Some(named) = named else { return false };
        let offers = |at: usize| tells_marketing(&words, at) || tells_more_than_reply(&words, at);
        let before = words[..named].iter().rev().find(|word| !WHOSE.contains(word));
        let is_beside = named > 0 && before.is_some_and(|word| AND.contains(word));
        let is_own = |at: usize| {
            begins(words[at], OWN_LETTERS) && words[at..named].iter().any(|word| AND.contains(word))
        };
        let is_beside = is_beside || (0..named).any(is_own);
        // `consent_partners` names nothing else.
        let is_label = words.len() <= PARTNER_LABEL_WORDS_MAX;
        !is_beside && !self.has(PASSING_ON, false) && (is_label || (0..words.len()).any(offers))
    }

    /// Returns whether somebody is to be sent messages in it, of whatever kind.
    fn is_to_be_sent_things(&self) -> bool {
        let words = self.words();
        words.iter().any(|word| begins(word, RECEIVING))
            && words.iter().any(|word| SENT.contains(word))
    }

    fn channels(&self, is_agreed: bool) -> Vec<Channel> {
        let words = self.words();
        let is_kept = |at: usize| !(is_agreed && denies(&words, at));
        let kept: Vec<&str> =
            (0..words.len()).filter(|at| is_kept(*at)).map(|at| words[at]).collect();
        channels_in(&kept.join(" "))
    }

    /// Returns whether it does nothing but name channels: `kontakt telefoniczny`, `Kanał: SMS`.
    fn names_channels(&self) -> bool {
        let is_aside = |word: &&str| CHANNELS_ASIDE.contains(word) || !channels_in(word).is_empty();
        self.words().iter().all(is_aside) && !channels_in(&self.text).is_empty()
    }

    fn speaks_of_reply(&self) -> bool {
        speaks_of_reply(&self.words())
    }

    /// Returns whether it asks for something, or says that something was read, which is no consent to what was asked.
    fn asks_for_something(&self) -> bool {
        let begins_with_yes = matches!(self.words()[0], "tak" | "yes" | "ja");
        self.text.contains(' ') && !begins_with_yes && begins(&self.text, ASKS_ALONE)
    }

    /// Returns whether somebody says in it that they agree.
    pub(super) fn agrees(&self) -> bool {
        let words = self.words();
        let is_denied = |at: usize| at > 0 && NEGATIONS.contains(&words[at - 1]);
        (0..words.len()).any(|at| is_agreeing_at(&words, at) && !is_denied(at))
    }

    /// Returns whether somebody wishes in it for what a consent is about.
    pub(super) fn wishes(&self) -> bool {
        wishes(&self.words())
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

/// Takes `text` apart into sentences, without addresses, web sites and names of companies.
pub(super) fn sentences(text: &str) -> Vec<Sentence> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.split(['\n', '\r']).map(str::trim).filter(|line| !line.is_empty()) {
        match lines.last_mut() {
            // A sentence goes on where its line was full.
            Some(last) if line.starts_with(char::is_lowercase) => {
                last.push(' ');
                last.push_str(line);
            }
            _ => lines.push(line.to_owned()),
        }
    }
    lines.iter().flat_map(|line| sentences_of_line(line)).collect()
}

fn sentences_of_line(line: &str) -> Vec<Sentence> {
    let line = without_addresses(line);
    let mut found = Vec::new();
    let mut start = 0;
    for (at, mark) in line.match_indices(['.', '!', '?', ';', '(', ')']) {
        let after = &line[at + 1..];
        // `np. telefonicznie` goes on, and so does `consents.marketing`.
        let is_end = mark != "."
            || after.is_empty()
            || after.starts_with(' ') && after.trim_start().starts_with(char::is_uppercase);
        if is_end {
            found.push(&line[start..at]);
            start = at + 1;
        }
    }
    found.push(&line[start..]);
    found
        .into_iter()
        .map(|sentence| {
            // A name of a company ends with its sentence: `… by Acme. No marketing emails`.
            let mut words: Vec<&str> = sentence.split_whitespace().collect();
            drop_companies(&mut words);
            Sentence { text: fold_question(&words.join(" ")) }
        })
        .filter(|sentence| !sentence.text.is_empty())
        .collect()
}

/// Returns `line` without addresses and web sites; the end of a sentence that stood behind one stays.
fn without_addresses(line: &str) -> String {
    let mut kept = String::with_capacity(line.len());
    for word in line.split_whitespace() {
        if !is_address(word) {
            kept.push(' ');
            kept.push_str(word);
        } else if let Some(mark) = word.chars().next_back().filter(|c| ".!?;".contains(*c)) {
            kept.push(mark);
        }
    }
    kept
}

/// Returns whether `word` is an e-mail address or a web site: `marketing@przyklad.pl`, `NewsPrzykład.pl`.
fn is_address(word: &str) -> bool {
    let bare = word.trim_end_matches(['.', ',', ';', ':', ')', '"', '”']).to_lowercase();
    let end = bare.rsplit_once('.').filter(|(name, _)| !name.is_empty()).map(|(_, end)| end);
    bare.contains('@')
        || bare.contains("://")
        || bare.starts_with("www.")
        || end.is_some_and(|end| DOMAIN_ENDS.contains(&end))
}

/// Drops the names of companies: the words in capitals before `sp. z o.o.`, and two or more behind `przez`.
fn drop_companies(words: &mut Vec<&str>) {
    let is_capital = |word: &str| word.starts_with(char::is_uppercase);
    let mut is_name = vec![false; words.len()];
    for at in 1..words.len() {
        // The last mark of `S.A.` went with its sentence.
        let bare = words[at].trim_end_matches([',', ':', '.']).to_lowercase();
        if !LEGAL_FORMS.contains(&&*bare) {
            continue;
        }
        for before in (1..at).rev().take_while(|before| is_capital(words[*before])) {
            is_name[before] = true;
        }
    }
    for at in 0..words.len() {
        if !COMPANY_BEHIND.contains(&&*fold_header(words[at])) {
            continue;
        }
        let run = words[at + 1..].iter().take_while(|word| is_capital(word)).count();
        if run >= 2 {
            is_name[at + 1..=at + run].fill(true);
        }
    }
    let mut names = is_name.into_iter();
    words.retain(|_| !names.next().unwrap_or(false));
}

/// Returns whether the word at `at` says that it is about being marketed to.
fn tells_marketing(words: &[&str], at: usize) -> bool {
    let word = words[at];
    let before = |n: usize| at.checked_sub(n).map_or("", |at| words[at]);
    let after = |n: usize| words.get(at + n).copied().unwrap_or("");
    let is_department = begins(before(1), DEPARTMENTS) || DEPARTMENTS.contains(&after(1));
    if is_of_terms(words, at) || is_department || begins(word, NO_MARKETING) {
        return false;
    }
    if begins(word, ALWAYS_MARKETING) {
        return true;
    }
    if begins(word, MARKETING_BESIDE) {
        // `informacji handlowych`, also after an adjective or two, but no `asystenta handlowego`.
        let is_listed = matches!(before(1), "i" | "oraz" | "lub" | "albo" | "and" | "or");
        let names_it = |n: usize| begins(before(n), INFORMATION);
        let is_beside = names_it(1) || is_listed && (names_it(2) || names_it(3));
        let is_before = word == "commercial" && begins(after(1), INFORMATION);
        return (is_beside && !word.ends_with("ego")) || is_before;
    }
    let is_job = begins(after(1), &["prac", "job", "zatrudn"]) || before(1) == "job";
    if MANY_OFFERS.contains(&word) {
        let is_for_me = (1..=3).any(|n| begins(before(n), OFFERS_FOR_ME));
        return !is_job && !is_for_me;
    }
    match word {
        // Of `oferty` only what stands around it tells one from many.
        "oferty" => {
            !is_job
                && !begins(before(1), OFFERED_ONCE)
                && (at == 0
                    || OFFERS_BEFORE.contains(&before(1))
                    || OFFERS_BEFORE.contains(&before(2))
                    || OFFERS_AFTER.contains(&after(1)))
        }
        "angebot" => before(1) == "einwilligung",
        "promocji" => (1..=3).any(|n| begins(before(n), INFORMATION)),
        _ => {
            PROMOTIONS.contains(&word)
                && !begins(after(1), &["code", "kod"])
                && !begins(before(1), &["kod", "code"])
                && !words.iter().any(|word| begins(word, TERMS))
        }
    }
}

/// Returns whether the word at `at` is of messages that go beyond an answer: `other communications`, `informacji o
/// produktach`. Those about the enquiry do not.
fn tells_more_than_reply(words: &[&str], at: usize) -> bool {
    let is_sale = FOR_SALE.contains(&words[at]) && words.iter().any(|word| begins(word, TELLING));
    if is_sale {
        return !speaks_of_reply(words);
    }
    if !SENT.contains(&words[at]) || !words.iter().any(|word| begins(word, RECEIVING)) {
        return false;
    }
    !speaks_of_reply(words)
        && (NEVER_A_REPLY.contains(&words[at])
            || words.iter().any(|word| begins(word, MORE_THAN_REPLY)))
}

fn speaks_of_reply(words: &[&str]) -> bool {
    let padded = format!(" {} ", words.join(" "));
    REPLY.iter().any(|phrase| padded.contains(&format!(" {phrase}")))
}

/// Returns whether the word at `at` is of a label by which somebody opts in: into what is sent, by the channel that it
/// names. A consent to data may be called so, too.
fn tells_opt_in(words: &[&str], at: usize) -> bool {
    let is_opt_in = words[at].starts_with("optin")
        || words[at].starts_with("opt") && words.get(at + 1) == Some(&"in");
    is_opt_in && words.len() <= OPT_IN_WORDS_MAX && !words.iter().any(|word| begins(word, DATA))
}

/// Returns whether the word at `at` names what the terms that somebody accepts are the terms of.
fn is_of_terms(words: &[&str], at: usize) -> bool {
    let near = &words[at.saturating_sub(TERMS_WORDS_MAX)..at];
    let terms = near.iter().rposition(|word| begins(word, TERMS));
    let goes_on = |place: usize| is_agreeing_at(near, place) || begins(near[place], RECEIVING);
    terms.is_some_and(|terms| !(terms..near.len()).any(goes_on))
}

/// Returns whether what the word at `at` says is denied or left for another consent: by a no before it behind
/// which nobody agrees again, or anywhere in a sentence in which nobody agrees before it.
fn denies(words: &[&str], at: usize) -> bool {
    let is_no = |place: usize| {
        let word = words[place];
        let is_harmless = || {
            let rest = words[place..].join(" ");
            let from_before = words[place.saturating_sub(1)..].join(" ");
            NO_DENIALS.iter().any(|phrase| {
                rest.starts_with(phrase) || from_before.starts_with(phrase) && phrase.contains(' ')
            })
        };
        (NEGATIONS.contains(&word) || WITHOUT.contains(&word) || begins(word, NEGATION_STEMS))
            && !is_harmless()
    };
    let agreed = (0..at).rev().find(|place| {
        is_agreeing_at(words, *place) && !(*place > 0 && NEGATIONS.contains(&words[place - 1]))
    });
    if (agreed.map_or(0, |agreed| agreed + 1)..at).any(is_no) {
        return true;
    }
    let text = format!(" {} ", words.join(" "));
    let behind = format!(" {} ", words[at..].join(" "));
    let has = |text: &str, phrases: &[&str]| {
        phrases.iter().any(|phrase| text.contains(&format!(" {phrase}")))
    };
    match agreed {
        Some(_) => has(&behind, APART),
        None => {
            has(&text, APART)
                || has(&text, MAY_LATER)
                || (at + 1..words.len()).any(is_no)
                || words.iter().any(|word| begins(word, TAKEN_BACK_STEMS))
        }
    }
}

/// Returns the channels that folded `words` name, in order.
pub(super) fn channels_in(words: &str) -> Vec<Channel> {
    let all: Vec<&str> = words.split(' ').collect();
    let padded = format!(" {words} ");
    let stems = CHANNELS.iter().filter(|(stem, _)| all.iter().any(|word| word.starts_with(stem)));
    let whole = CHANNEL_WORDS.iter().filter(|(word, _)| padded.contains(&format!(" {word} ")));
    let mut channels: Vec<Channel> = stems.chain(whole).map(|(_, channel)| *channel).collect();
    channels.sort_unstable();
    channels.dedup();
    channels
}
