//! E-mail addresses: repaired where the meaning is certain, judged, classified, and keyed for matching.
//!
//! A delivered address is never rewritten beyond its domain's case and punycode: dots and tags that
//! Gmail ignores are folded in [`match_key`] alone, and a likely typo is suggested, not corrected.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::LazyLock;

use email_address::{EmailAddress, Options};
use regex::Regex;

use super::Remark;
use super::mail_domain::{Domain, is_near, is_sound};
use super::text::{narrow, unguard};
use crate::model::mailbox::mailbox_key;
use crate::rules::field::fold_header;
use crate::rules::tables::Tables;

/// An address that mail can be sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    /// Local part as written, domain in lower case and punycode.
    pub address: String,
    /// Other valid addresses of the cell, in their order, no mailbox twice.
    pub others: Vec<String>,
    /// The address that was probably meant, where the domain looks misspelt.
    pub suggestion: Option<String>,
    /// Repairs and doubts.
    pub remarks: Vec<Remark>,
}

/// Why a cell holds no address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EmailFault {
    /// The cell says that there is none.
    Blank,
    /// The cell holds something else, with the reason for a marketer.
    Invalid(String),
}

/// What kind of mailbox an address is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four independent facts, each a field of the lead"
)]
pub struct Mailbox {
    /// Registrable domain, or the whole domain where the public suffix list has none.
    pub domain: String,
    /// At a free-mail provider.
    pub is_free: bool,
    /// Of a function, not a person.
    pub is_role: bool,
    /// Thrown away after use.
    pub is_disposable: bool,
    /// Behind a forwarding service that hides the real address.
    pub is_relay: bool,
}

static DISPOSABLE: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| mailchecker::blacklist().into_iter().collect());

/// What people write for an `@` when they fear that robots read along, or copy out of a page's source.
static WRITTEN_AT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)\s*[(\[{<]\s*(?:at|małpa|malpa|a|@)\s*[)\]}>]\s*|\s+(?:at|małpa|malpa)\s+|&#0?64;|&commat;|%40")
        .ok()
});
/// The same for a dot.
static WRITTEN_DOT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)\s*[(\[{]\s*(?:dot|kropka|punkt)\s*[)\]}]\s*|\s+(?:dot|kropka|punkt)\s+").ok()
});
/// Punctuation that ends a sentence or a bracket after an address; no domain ends so.
const AFTER_ADDRESS: &[char] =
    &['.', ',', ';', ':', '!', '?', '…', '*', '\'', '"', '”', '’', '»', ')', '>', ']', '}'];
/// A longer cell is prose, which may hold anybody's address.
const CELL_CHARS_MAX: usize = 1_000;
/// A domain this short is a letter away from too many others.
const NEAR_DOMAIN_MIN: usize = 9;

/// Returns the address in `raw`.
///
/// Of several addresses the first valid one is taken and the others are kept beside it, with a remark.
/// Repaired, with a remark: `(at)` and `[dot]`, a comma for a dot in the domain, blanks around the `@`
/// or a dot of the domain. Taken off in silence: `mailto:`, display names, angle brackets, trailing
/// punctuation, invisible characters.
pub fn parse(raw: &str, tables: &Tables) -> Result<Email, EmailFault> {
    if is_plain(raw) {
        return judge(raw, tables).map(|address| finish(address, Vec::new(), tables));
    }
    let text = unguard(raw);
    let text = narrow(&text);
    if is_blank(&text, tables) {
        return Err(EmailFault::Blank);
    }
    if text.chars().nth(CELL_CHARS_MAX).is_some() {
        return Err(invalid("a whole text stands where an address belongs"));
    }
    let (candidates, is_sure) = candidates(&text, tables);
    let mut first_fault = None;
    let mut found: Vec<String> = Vec::new();
    for candidate in &candidates {
        match judge(candidate, tables) {
            Ok(address) => found.push(address),
            Err(fault) => first_fault = first_fault.or(Some(fault)),
        }
    }
    if is_sure && !found.is_empty() {
        return Ok(first_of(found, tables));
    }
    if let Some(repaired) = repair(&text)
        && let Ok(address) = judge(&repaired, tables)
    {
        let remark = Remark::new("email-repaired", format!("read as {address}"));
        return Ok(finish(address, vec![remark], tables));
    }
    if !is_sure {
        return Err(invalid("what stands before the address may be part of it"));
    }
    Err(first_fault.unwrap_or_else(|| invalid("there is no @ in it")))
}

/// Returns the first of `found` with the other mailboxes beside it.
fn first_of(mut found: Vec<String>, tables: &Tables) -> Email {
    let address = found.remove(0);
    let mut keys = vec![mailbox_key(&address)];
    found.retain(|other| {
        let key = mailbox_key(other);
        let is_new = !keys.contains(&key);
        keys.push(key);
        is_new
    });
    let mut remarks = Vec::new();
    if !found.is_empty() {
        let others = found.join(", ");
        let message =
            format!("the cell holds several addresses; {address} was taken and {others} kept");
        remarks.push(Remark::new("email-second", message));
    }
    Email { others: found, ..finish(address, remarks, tables) }
}

/// Returns what kind of mailbox the valid `address` is; `known` tells of its domain.
pub fn classify(address: &str, known: impl FnOnce(&str) -> Domain, tables: &Tables) -> Mailbox {
    let lower = address.to_lowercase();
    let (local, domain) = lower.rsplit_once('@').unwrap_or(("", lower.as_str()));
    let untagged = local.split('+').next().unwrap_or(local);
    let name = untagged.trim_end_matches(|c: char| c.is_ascii_digit());
    let Domain { registrable, is_free, is_disposable, is_relay } = known(domain);
    Mailbox {
        domain: registrable,
        is_free,
        is_role: tables.is_role_mailbox(name)
            || tables.is_role_mailbox(untagged)
            || is_branch_mailbox(name, tables),
        is_disposable,
        is_relay,
    }
}

/// Returns the domain that the misspelt `domain` most likely means.
pub fn suggest(domain: &str, tables: &Tables) -> Option<String> {
    if tables.is_free_mail(domain) {
        return None;
    }
    if let Some(meant) = tables.misspelt_domain(domain) {
        return Some(meant.to_owned());
    }
    let (name, ending) = domain.rsplit_once('.')?;
    if let Some(right) = tables.misspelt_ending(ending) {
        let meant = format!("{name}.{right}");
        // `.co` and `.cm` are real, so only a provider's name makes a slip of them.
        let is_certain = !has_known_suffix(domain) && has_known_suffix(&meant);
        if is_certain || tables.is_free_mail(&meant) {
            return Some(meant);
        }
    }
    near_provider(domain, tables).map(str::to_owned)
}

/// Returns the provider that `domain` is one letter away from.
fn near_provider<'a>(domain: &str, tables: &'a Tables) -> Option<&'a str> {
    if domain.len() + 1 < NEAR_DOMAIN_MIN {
        return None;
    }
    let providers = tables.misspelt_providers();
    let whole =
        providers.iter().find(|known| known.len() >= NEAR_DOMAIN_MIN && is_near(domain, known));
    // `gamil.pl` is no letter away from any provider, but its name is one away from Gmail's.
    let by_name = || {
        let name = domain.split('.').next()?;
        let is_provider = |known: &String| {
            known.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        if providers.iter().any(is_provider) {
            return None;
        }
        providers.iter().find(|known| {
            let end = known.bytes().position(|byte| byte == b'.').unwrap_or(known.len());
            end >= 5 && is_near(name, &known[..end])
        })
    };
    whole.or_else(by_name).map(String::as_str)
}

fn has_known_suffix(domain: &str) -> bool {
    psl::suffix(domain.as_bytes()).is_some_and(|suffix| suffix.is_known())
}

fn is_plain(raw: &str) -> bool {
    let mut ats = 0;
    for byte in raw.bytes() {
        match byte {
            b'@' => ats += 1,
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b'-' | b'+' => {}
            _ => return false,
        }
    }
    ats == 1 && !raw.ends_with('.')
}

fn is_blank(text: &str, tables: &Tables) -> bool {
    if text.len() > 40 {
        return false;
    }
    let words = fold_header(text);
    words.is_empty() && !text.contains('@') || tables.is_placeholder(&words)
}

/// Splits `text` into what may be addresses, and tells whether taking one out of the rest is safe.
fn candidates<'a>(text: &'a str, tables: &Tables) -> (Vec<&'a str>, bool) {
    let is_whole = text.matches('@').count() == 1
        && !text.contains(|c: char| c.is_whitespace() || ";,()<>\"".contains(c));
    if is_whole || (text.starts_with('"') && text.contains("\"@")) {
        return (vec![text], true);
    }
    if text.contains('<') {
        let inside = text.split('<').skip(1).filter_map(|part| part.split('>').next());
        return (inside.filter(|part| part.contains('@')).collect(), true);
    }
    let is_separator = |c: char| c.is_whitespace() || ";,|/()\"".contains(c);
    let mut parts: Vec<(usize, &str)> = Vec::new();
    let mut start = 0;
    for part in text.split(is_separator) {
        if !part.is_empty() {
            parts.push((start, part));
        }
        start += part.len() + text[start + part.len()..].chars().next().map_or(0, char::len_utf8);
    }
    let is_sure =
        parts.windows(2).all(|pair| {
            let [(at, before), (next, after)] = pair else { return true };
            let gap = &text[at + before.len()..*next];
            !after.contains('@') || !may_belong(before, gap, tables)
        }) && parts.iter().all(|(at, part)| !part.contains('@') || !is_glued(&text[..*at]));
    (parts.into_iter().map(|(_, part)| part).filter(|part| part.contains('@')).collect(), is_sure)
}

/// Returns whether an address that follows `before` without a blank may have begun in brackets or quotes:
/// `test(comment)test@…` and `"test"test@…` name other mailboxes than `test@…`.
fn is_glued(before: &str) -> bool {
    let closes_quotes = before.ends_with('"') && before.matches('"').count().is_multiple_of(2);
    before.ends_with(')') || closes_quotes
}

/// Returns whether `before` may be the torn-off beginning of the address that follows after `gap`.
///
/// `anna kowalska@…` and `anna,kowalska@…` may each be a slip for a dot. Mail to the wrong mailbox gives
/// somebody's data away, so only what is certainly no part of an address counts as a name before it.
fn may_belong(before: &str, gap: &str, tables: &Tables) -> bool {
    let slips = matches!(gap, " " | ",");
    let starts_lower = before.starts_with(|c: char| c.is_lowercase() || c.is_ascii_digit());
    let is_number = before.bytes().filter(u8::is_ascii_digit).count() >= 7;
    let is_label = before.ends_with([':', '@']) || before.contains('@') || is_number;
    let is_word = matches!(
        before,
        "lub" | "albo" | "oraz" | "i" | "or" | "and" | "und" | "oder" | "e-mail" | "mail" | "email"
    ) || tables.is_placeholder(&fold_header(before));
    let is_cut_off = before.ends_with(['.', '_', '+']);
    slips && (starts_lower || is_cut_off || gap == ",") && !is_label && !is_word
}

/// Returns `text` with the one thing mended that is certainly no part of an address.
fn repair(text: &str) -> Option<String> {
    let mut mended = Cow::Borrowed(text);
    if let (Some(at), Some(dot)) = (&*WRITTEN_AT, &*WRITTEN_DOT) {
        if !text.contains('@') || text.contains(['(', '[', '{', '<']) {
            mended = Cow::Owned(at.replace_all(text, "@").into_owned());
        }
        mended = Cow::Owned(dot.replace_all(&mended, ".").into_owned());
    }
    if mended.matches('@').count() != 1 {
        return None;
    }
    let (local, domain) = mended.split_once('@')?;
    let (local, domain) = (local.trim(), domain.trim());
    if local.contains(char::is_whitespace) || local.contains(['(', ')', ',', ';']) {
        return None;
    }
    let domain = domain.trim_end_matches([',', ';', '.', ' ']);
    let domain = if domain.contains(", ") {
        Cow::Borrowed(domain)
    } else {
        Cow::Owned(domain.replace(',', ".").replace(". ", ".").replace(" .", "."))
    };
    (!domain.contains(char::is_whitespace)).then(|| format!("{local}@{domain}"))
}

/// Returns the address in canonical form when mail could be delivered to it.
fn judge(candidate: &str, tables: &Tables) -> Result<String, EmailFault> {
    let bare = strip_scheme(candidate)
        .trim_matches(|c: char| c.is_whitespace() || "<>,;:'".contains(c))
        .trim_end_matches(AFTER_ADDRESS);
    let (local, domain) = bare.rsplit_once('@').ok_or_else(|| invalid("there is no @ in it"))?;
    if domain.starts_with('[') {
        return Err(invalid("an IP address stands where the domain belongs"));
    }
    let domain: Cow<'_, str> =
        if domain.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'.') {
            Cow::Borrowed(domain)
        } else {
            idna::domain_to_ascii_strict(domain)
                .map(Cow::Owned)
                .map_err(|_| invalid("the part after the @ is no domain"))?
        };
    let address = format!("{local}@{domain}");
    if !is_sound(local, &domain) {
        let options =
            Options::default().with_required_tld().without_domain_literal().without_display_text();
        EmailAddress::parse_with_options(&address, options)
            .map_err(|error| invalid(&error.to_string().to_lowercase()))?;
    }
    // RFC 2606 keeps `.example` for documentation; fixtures and demos live there.
    if !has_known_suffix(&domain)
        && !domain.ends_with(".example")
        && suggest(&domain, tables).is_none()
    {
        let ending = domain.rsplit('.').next().unwrap_or_default();
        return Err(invalid(&format!("no domain ends in .{ending}")));
    }
    if tables.is_placeholder_email(&address.to_lowercase()) {
        return Err(invalid("it is a made-up address"));
    }
    Ok(address)
}

fn strip_scheme(candidate: &str) -> &str {
    let start = candidate.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("mailto:"));
    match start {
        Some(_) => candidate[7..].split('?').next().unwrap_or_default(),
        None => candidate,
    }
}

fn finish(address: String, mut remarks: Vec<Remark>, tables: &Tables) -> Email {
    let (local, domain) = address.rsplit_once('@').unwrap_or_default();
    if !local.is_ascii() {
        remarks.push(Remark::new(
            "email-international",
            "the part before the @ has letters that many mail servers and CRMs refuse".to_owned(),
        ));
    }
    let suggestion = suggest(domain, tables).map(|known| {
        remarks.push(Remark::new(
            "email-typo-suspected",
            format!("`{domain}` looks like a misspelt {known}; the address was kept as written"),
        ));
        format!("{local}@{known}")
    });
    Email { address, others: Vec::new(), suggestion, remarks }
}

fn invalid(reason: &str) -> EmailFault {
    EmailFault::Invalid(reason.to_owned())
}

/// Returns whether `local` is a function's mailbox at one place or for one subject: `biuro.krakow`.
fn is_branch_mailbox(local: &str, tables: &Tables) -> bool {
    let words: Vec<&str> = local.split(['.', '_', '-']).filter(|word| !word.is_empty()).collect();
    // Short words are initials as often as functions, and a given name makes it a person's.
    let is_function = |word: &&str| word.len() >= 5 && tables.is_role_mailbox(word);
    words.len() > 1
        && (words.first().is_some_and(is_function) || words.last().is_some_and(is_function))
        && !words.iter().any(|word| word.len() == 1 || tables.is_given_name(word))
}

/// Returns the domain that somebody registered: `example.co.uk` of `mail.example.co.uk`.
pub fn registrable(domain: &str) -> &str {
    psl::domain_str(domain).unwrap_or(domain)
}

pub(super) fn is_disposable(domain: &str, tables: &Tables) -> bool {
    for parent in with_parents(domain) {
        if tables.is_never_disposable(parent) || tables.is_free_mail(parent) {
            return false;
        }
        if DISPOSABLE.contains(parent) {
            return true;
        }
    }
    false
}

/// Iterates over `domain` and its parents down to two labels.
pub(super) fn with_parents(domain: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(domain), |name| name.split_once('.').map(|(_, parent)| parent))
        .filter(|name| name.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::tables::shipped;
    use proptest::prelude::*;

    #[track_caller]
    fn check(raw: &str, expected: Option<&str>, codes: &[&str]) {
        match parse(raw, shipped()) {
            Ok(email) => {
                assert_eq!(Some(email.address.as_str()), expected, "{raw:?}");
                let found: Vec<&str> = email.remarks.iter().map(|remark| remark.code).collect();
                assert_eq!(found, codes, "{raw:?}");
            }
            Err(fault) => assert_eq!(None, expected, "{raw:?}: {fault:?}"),
        }
    }

    #[track_caller]
    fn check_blank(raw: &str) {
        assert_eq!(parse(raw, shipped()), Err(EmailFault::Blank), "{raw:?}");
    }

    #[test]
    fn wrapping_is_taken_off_in_silence() {
        check("Anna.Lecka@Example.COM", Some("Anna.Lecka@example.com"), &[]);
        check(" anna@example.com ", Some("anna@example.com"), &[]);
        check("anna@example.com\u{200b}", Some("anna@example.com"), &[]);
        check("\u{a0}anna@example.com\u{202c}", Some("anna@example.com"), &[]);
        check("<anna@example.com>", Some("anna@example.com"), &[]);
        check("Anna Łęcka <anna@example.com>", Some("anna@example.com"), &[]);
        check("mailto:anna@example.com", Some("anna@example.com"), &[]);
        check("MAILTO:anna@example.com?subject=x", Some("anna@example.com"), &[]);
        check("anna@example.com.", Some("anna@example.com"), &[]);
        check("anna@wp.pl.", Some("anna@wp.pl"), &[]);
        check("anna@example.com;", Some("anna@example.com"), &[]);
        check("ａnna@example.com", Some("anna@example.com"), &[]);
        check("Anna anna@example.com", Some("anna@example.com"), &[]);
        check("e-mail: anna@example.com", Some("anna@example.com"), &[]);
        check("anna@example.com!", Some("anna@example.com"), &[]);
        check("anna@example.com…", Some("anna@example.com"), &[]);
        check("600123456 anna@example.com", Some("anna@example.com"), &[]);
        check("brak, anna@example.com", Some("anna@example.com"), &[]);
        check("o'connor/anna@example.com", Some("o'connor/anna@example.com"), &[]);
    }

    #[test]
    fn of_two_addresses_the_first_valid_one_is_taken() {
        check("anna@example.com;jan@example.com", Some("anna@example.com"), &["email-second"]);
        check("anna@example.com, jan@example.com", Some("anna@example.com"), &["email-second"]);
        check("anna@localhost / jan@example.com", Some("jan@example.com"), &[]);
        check("anna@example.com lub jan@example.com", Some("anna@example.com"), &["email-second"]);
        check("anna@example.com ANNA@example.com", Some("anna@example.com"), &[]);
        let others = |raw| parse(raw, shipped()).unwrap().others;
        assert_eq!(others("anna@example.com;jan@example.com"), ["jan@example.com"]);
        assert_eq!(
            others("Anna <anna@example.com>, Jan <jan@example.com>, <a@example.com>"),
            ["jan@example.com", "a@example.com"]
        );
        assert_eq!(others("a.b@gmail.com, ab+x@gmail.com").len(), 0);
    }

    #[test]
    fn what_is_certain_is_repaired() {
        check("anna[at]example.com", Some("anna@example.com"), &["email-repaired"]);
        check("anna(at)example.com", Some("anna@example.com"), &["email-repaired"]);
        check("anna at example.com", Some("anna@example.com"), &["email-repaired"]);
        check("anna@example,com", Some("anna@example.com"), &["email-repaired"]);
        check("anna @example.com", Some("anna@example.com"), &["email-repaired"]);
        for raw in [
            "anna @ example.com",
            "anna@example. com",
            "anna[at]example[dot]com",
            "anna (małpa) example (kropka) com",
            "anna AT example DOT com",
            "anna@example[dot]com",
            "anna&#64;example.com",
            "anna%40example.com",
            "anna(@)example.com",
        ] {
            check(raw, Some("anna@example.com"), &["email-repaired"]);
        }
    }

    #[test]
    fn what_cannot_be_delivered_is_refused() {
        for raw in [
            "anna@example..com",
            "anna@@example.com",
            "anna.@example.com",
            "anna@localhost",
            "anna@[192.0.2.1]",
            "anna kowalska@example.com",
            "anna,kowalska@example.com",
            "Anna,Kowalska@example.com",
            "j. kowalska@example.com",
            "J. kowalska@example.com",
            "anna . kowalska@example.com",
            "anna(x)kowalska@example.com",
            "\"anna\"kowalska@example.com",
            "anna(kowalska)example.com",
            "anna@example.com-",
            "@",
            "anna@",
            "@example.com",
            "annaexample.com",
            "anna@firma.c",
            "a@a.a",
            "anna@-example-.com",
        ] {
            check(raw, None, &[]);
        }
    }

    #[test]
    fn no_answer_is_blank_not_invalid() {
        for raw in ["brak", "-", "anonymous", "n/a", "Nie podam!", "", " ", "\"\""] {
            check_blank(raw);
        }
    }

    #[test]
    fn a_typo_is_suggested_and_never_corrected() {
        check("anna@gmial.com", Some("anna@gmial.com"), &["email-typo-suspected"]);
        check("anna@gmail.con", Some("anna@gmail.con"), &["email-typo-suspected"]);
        check("anna@gamil.pl", Some("anna@gamil.pl"), &["email-typo-suspected"]);
        for (raw, meant) in [
            ("anna@gmail.co", "anna@gmail.com"),
            ("anna@gmai.com", "anna@gmail.com"),
            ("anna@wp.lp", "anna@wp.pl"),
            ("anna@wp.p", "anna@wp.pl"),
            ("anna@02.pl", "anna@o2.pl"),
            ("anna@onte.pl", "anna@onet.pl"),
            ("anna@iteria.pl", "anna@interia.pl"),
            ("anna@przyklad.con", "anna@przyklad.com"),
            ("anna@przyklad.pll", "anna@przyklad.pl"),
            ("anna@hotmial.com", "anna@hotmail.com"),
        ] {
            let email = parse(raw, shipped()).unwrap();
            assert_eq!((&*email.address, email.suggestion.as_deref()), (raw, Some(meant)));
        }
        for right in [
            "anna@ymail.com",
            "anna@email.com",
            "anna@mail.com",
            "anna@outlook.pl",
            "a@hotmail.fr",
            "a@inet.pl",
            "a@op.pl",
            "a@vp.pl",
            "a@example.co",
            "a@przyklad.cm",
        ] {
            check(right, Some(right), &[]);
        }
    }

    #[test]
    fn other_alphabets_are_kept() {
        check("anna@żółw.pl", Some("anna@xn--w-uga1v8h.pl"), &[]);
        check("anna@xn--w-uga1v8h.pl", Some("anna@xn--w-uga1v8h.pl"), &[]);
        check("żółw@example.com", Some("żółw@example.com"), &["email-international"]);
        check("\"anna b\"@example.com", Some("\"anna b\"@example.com"), &[]);
    }

    #[track_caller]
    fn check_mailbox(address: &str, expected: &str) {
        let mailbox = classify(address, |domain| Domain::of(domain, shipped()), shipped());
        let mut words = vec![mailbox.domain.clone()];
        for (is, word) in [
            (mailbox.is_free, "free"),
            (mailbox.is_role, "role"),
            (mailbox.is_disposable, "disposable"),
            (mailbox.is_relay, "relay"),
        ] {
            if is {
                words.push(word.to_owned());
            }
        }
        assert_eq!(words.join(" "), expected, "{address}");
    }

    #[test]
    fn mailboxes_are_classified() {
        check_mailbox("anna@wp.pl", "wp.pl free");
        check_mailbox("anna@poczta.onet.pl", "onet.pl free");
        check_mailbox("biuro2@firma.com.pl", "firma.com.pl role");
        check_mailbox("info+x@mail.example.com", "example.com role");
        check_mailbox("anna@yopmail.com", "yopmail.com disposable");
        check_mailbox("anna@x.yopmail.com", "yopmail.com disposable");
        check_mailbox("anna@duck.com", "duck.com relay");
        check_mailbox("anna@example.com", "example.com");
        check_mailbox("biuro.krakow@example.com", "example.com role");
        check_mailbox("dzial-sprzedazy@example.com", "example.com role");
        check_mailbox("faktury@example.com", "example.com role");
        check_mailbox("anna.kontakt@example.com", "example.com");
        check_mailbox("a.biuro@example.com", "example.com");
        check_mailbox("it.lover@example.com", "example.com");
    }

    proptest! {
        #[test]
        fn any_text_is_judged_without_a_panic(raw in "\\PC{0,40}", tail in "[@<>.,; a-ż\"()]{0,20}") {
            for text in [raw.clone(), format!("{raw}@{tail}"), format!("{tail}{raw}")] {
                if let Ok(email) = parse(&text, shipped()) {
                    prop_assert_eq!(parse(&email.address, shipped()).map(|again| again.address), Ok(email.address.clone()));
                    classify(&email.address, |domain| Domain::of(domain, shipped()), shipped());
                }
            }
        }
    }
}
