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
use super::mail_domain::{Domain, is_near, is_plain_domain, is_sound};
use super::text::{narrow, unescape, unguard, without_tags};
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
    Regex::new(r"(?i)\s*[(\[{<]\s*(?:at|ät|małpa|malpa|a|@)\s*[)\]}>]\s*|\s+(?:at|ät|małpa|malpa)\s+|&#0?64;|&commat;|%40")
        .ok()
});
/// The same for a dot.
static WRITTEN_DOT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)\s*[(\[{]\s*(?:dot|kropka|punkt)\s*[)\]}]\s*|\s+(?:dot|kropka|punkt)\s+").ok()
});
/// Punctuation that ends a sentence or a bracket after an address; no domain ends so.
const AFTER_ADDRESS: &[char] = &[
    '.', ',', ';', ':', '!', '?', '…', '*', '\'', '"', '”', '’', '»', ')', '>', ']', '}', '/',
    '\\', '`',
];
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
    // Only entities: a backslash is part of a quoted address.
    let text = if text.contains('&') { unescape(&text) } else { text };
    let text = without_tags(&text);
    let text = text.replace('﹫', "@");
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
        // A letter away from Gmail's name, and a word of its own.
        let name = domain.split('.').next().filter(|name| *name != "email")?;
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
        .trim_matches(|c: char| c.is_whitespace() || "<>,;:'„”“»«`‘’".contains(c))
        .trim_end_matches("%20")
        .trim_start_matches("%20")
        .trim_end_matches(AFTER_ADDRESS);
    let bare = match bare.split_once("://") {
        // Fields for a site have the scheme in them already.
        Some((_, rest)) if !rest.contains(['/', ':']) => rest,
        Some(_) => return Err(invalid("a web address stands where an address belongs")),
        None => bare,
    };
    let (local, domain) = bare.rsplit_once('@').ok_or_else(|| invalid("there is no @ in it"))?;
    // No local part holds a colon, so what stands before it is a label: `mail:anna@…`.
    let local = match local.rsplit_once(':').filter(|_| !local.contains('"')) {
        Some((label, _)) if label.contains('@') => {
            return Err(invalid("something else is joined to the address"));
        }
        Some((_, local)) => local,
        None => local,
    };
    if domain.starts_with('[') {
        return Err(invalid("an IP address stands where the domain belongs"));
    }
    let domain: Cow<'_, str> = if is_plain_domain(domain) {
        Cow::Borrowed(domain)
    } else {
        idna::domain_to_ascii_strict(domain)
            .map(Cow::Owned)
            .map_err(|_| invalid("the part after the @ is no domain"))?
    };
    let address = format!("{local}@{domain}");
    if local.contains(['<', '>']) {
        // Allowed in quotes, used by nobody, and some servers read the recipient of a mail only up to there.
        return Err(invalid("there are angle brackets in it"));
    }
    if !is_sound(local, &domain) {
        let options =
            Options::default().with_required_tld().without_domain_literal().without_display_text();
        EmailAddress::parse_with_options(&address, options).map_err(|error| {
            let why = error.to_string().to_lowercase();
            match provider_without_dot(&domain, tables) {
                Some(known) => invalid(&format!("{why}; {known} was probably meant")),
                None => invalid(&why),
            }
        })?;
    }
    // RFC 2606 keeps `.example` for documentation; fixtures and demos live there.
    if !has_known_suffix(&domain)
        && !domain.ends_with(".example")
        && suggest(&domain, tables).is_none()
    {
        let ending = domain.rsplit('.').next().unwrap_or_default();
        return Err(invalid(&format!("no domain ends in .{ending}")));
    }
    let lower = address.to_lowercase();
    if tables.is_placeholder_email(&lower) || is_made_up(&lower, tables) {
        return Err(invalid("it is a made-up address"));
    }
    Ok(address)
}

/// Returns the provider that a `domain` without a dot means: `gmail`, `gmailcom`, `wp-pl`.
fn provider_without_dot<'a>(domain: &str, tables: &'a Tables) -> Option<&'a str> {
    if domain.contains('.') {
        return None;
    }
    let bare = domain.replace('-', "");
    let known = tables
        .misspelt_providers()
        .iter()
        .map(String::as_str)
        .chain(["wp.pl", "o2.pl", "onet.pl", "op.pl"]);
    known
        .into_iter()
        .find(|known| known.replace('.', "") == bare || known.split('.').next() == Some(domain))
}

/// Returns whether `address` (lower case) names nobody: `brak@…`, `123@123.pl`, `aaa@aaa.pl`.
///
/// Companies do have mailboxes called like their domain, so letters alone prove nothing.
fn is_made_up(address: &str, tables: &Tables) -> bool {
    let Some((local, domain)) = address.rsplit_once('@') else { return false };
    let is_figures = local.bytes().all(|byte| byte.is_ascii_digit());
    let name = domain.split('.').next().unwrap_or_default();
    tables.is_placeholder_mailbox(local) || (is_figures && local == name)
}

fn strip_scheme(candidate: &str) -> &str {
    let start = candidate.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("mailto:"));
    match start {
        Some(_) => {
            let address = candidate[7..].split('?').next().unwrap_or_default();
            address.strip_prefix("//").unwrap_or(address)
        }
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
mod tests;
