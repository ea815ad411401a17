//! E-mail addresses: repaired where the meaning is certain, judged, classified, and keyed for matching.
//!
//! A delivered address is never rewritten beyond its domain's case and punycode: dots and tags that
//! Gmail ignores are folded in [`match_key`] alone, and a likely typo is suggested, not corrected.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::LazyLock;

use email_address::{EmailAddress, Options};

use super::Remark;
use super::text::{narrow, unguard};
use crate::model::mailbox::mailbox_key;
use crate::rules::field::fold_header;
use crate::rules::tables::Tables;

/// An address that mail can be sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    /// Local part as written, domain in lower case and punycode.
    pub address: String,
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

/// Providers whose misspellings are worth a suggestion.
const POPULAR: &[&str] = &[
    "gmail.com",
    "googlemail.com",
    "hotmail.com",
    "outlook.com",
    "yahoo.com",
    "icloud.com",
    "protonmail.com",
    "interia.pl",
    "onet.pl",
    "poczta.onet.pl",
    "poczta.fm",
    "gazeta.pl",
    "buziaczek.pl",
    "tlen.pl",
    "gmx.de",
    "gmx.net",
    "t-online.de",
    "freenet.de",
    "web.de",
    "hotmail.co.uk",
    "btinternet.com",
];

/// Returns the address in `raw`.
///
/// Of several addresses the first valid one is taken, with a remark. Repaired, with a remark: `(at)`,
/// a comma for a dot in the domain, blanks around the `@`. Taken off in silence: `mailto:`, display
/// names, angle brackets, trailing punctuation, invisible characters.
pub fn parse(raw: &str, tables: &Tables) -> Result<Email, EmailFault> {
    if is_plain(raw) {
        return judge(raw, tables).map(|address| finish(address, Vec::new(), tables));
    }
    let text = unguard(raw);
    let text = narrow(&text);
    if is_blank(&text, tables) {
        return Err(EmailFault::Blank);
    }
    let (candidates, is_sure) = candidates(&text);
    let mut first_fault = None;
    let mut found: Vec<String> = Vec::new();
    for candidate in &candidates {
        match judge(candidate, tables) {
            Ok(address) => found.push(address),
            Err(fault) => first_fault = first_fault.or(Some(fault)),
        }
    }
    if let Some(address) = found.first().filter(|_| is_sure) {
        let mut remarks = Vec::new();
        if found.iter().any(|other| mailbox_key(other) != mailbox_key(address)) {
            remarks.push(Remark::new(
                "email-second",
                format!("the cell holds several addresses; {address} was taken"),
            ));
        }
        return Ok(finish(address.clone(), remarks, tables));
    }
    if let Some(repaired) = repair(&text)
        && let Ok(address) = judge(&repaired, tables)
    {
        let remark = Remark::new("email-repaired", format!("read as {address}"));
        return Ok(finish(address, vec![remark], tables));
    }
    Err(first_fault.unwrap_or_else(|| invalid("there is no @ in it")))
}

/// Returns what kind of mailbox the valid `address` is.
pub fn classify(address: &str, tables: &Tables) -> Mailbox {
    let lower = address.to_lowercase();
    let (local, domain) = lower.rsplit_once('@').unwrap_or(("", lower.as_str()));
    let untagged = local.split('+').next().unwrap_or(local);
    let name = untagged.trim_end_matches(|c: char| c.is_ascii_digit());
    let is_relay = with_parents(domain).any(|parent| tables.is_mail_relay(parent));
    Mailbox {
        domain: registrable(domain).to_owned(),
        is_free: tables.is_free_mail(domain),
        is_role: tables.is_role_mailbox(name) || tables.is_role_mailbox(untagged),
        is_disposable: !is_relay && is_disposable(domain, tables),
        is_relay,
    }
}

/// Returns the known provider that the misspelt `domain` most likely means.
pub fn suggest(domain: &str, tables: &Tables) -> Option<&'static str> {
    if tables.is_free_mail(domain) || domain.len() < 5 {
        return None;
    }
    let near_whole = POPULAR.iter().find(|known| {
        domain.len().abs_diff(known.len()) <= 1 && strsim::osa_distance(domain, known) == 1
    });
    // `gamil.pl` is no letter away from any provider, but its name is one away from Gmail's.
    let near_name = || {
        let name = domain.split('.').next()?;
        let is_near = |known: &&&str| {
            let provider = known.split('.').next().unwrap_or_default();
            provider.len() >= 5
                && name.len().abs_diff(provider.len()) <= 1
                && strsim::osa_distance(name, provider) == 1
        };
        let known_name = POPULAR.iter().any(|known| known.split('.').next() == Some(name));
        if known_name { None } else { POPULAR.iter().find(is_near) }
    };
    near_whole.or_else(near_name).copied()
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
fn candidates(text: &str) -> (Vec<&str>, bool) {
    if text.starts_with('"') && text.contains("\"@") {
        return (vec![text], true);
    }
    if text.contains('<') {
        let inside = text.split('<').skip(1).filter_map(|part| part.split('>').next());
        return (inside.filter(|part| part.contains('@')).collect(), true);
    }
    let is_separator = |c: char| c.is_whitespace() || ";,|/()\"".contains(c);
    let parts: Vec<&str> = text.split(is_separator).filter(|part| !part.is_empty()).collect();
    // `anna kowalska@…` may be a name before an address or an address with a blank in it. Mail to the
    // wrong mailbox gives somebody's data away, so only a capital or a colon makes it a name.
    let is_sure = parts.windows(2).all(|pair| {
        let starts_lower = pair[0].starts_with(|c: char| c.is_lowercase() || c.is_ascii_digit());
        let glued = text.contains(&format!("{} {}", pair[0], pair[1]));
        let is_word = matches!(
            pair[0],
            "lub" | "oraz" | "i" | "or" | "and" | "und" | "oder" | "e-mail" | "mail" | "email"
        );
        let may_belong_to_address =
            starts_lower && !is_word && !pair[0].contains('@') && !pair[0].ends_with(':');
        let is_torn = glued && may_belong_to_address && pair[1].contains('@');
        !is_torn
    });
    (parts.into_iter().filter(|part| part.contains('@')).collect(), is_sure)
}

/// Returns `text` with the one thing mended that is certainly no part of an address.
fn repair(text: &str) -> Option<String> {
    let mut mended = text.to_lowercase();
    let is_case_kept = !["(at)", "[at]", "{at}", " at "].iter().any(|at| mended.contains(at));
    if is_case_kept {
        text.clone_into(&mut mended);
    } else {
        for at in ["(at)", "[at]", "{at}", " at "] {
            mended = mended.replace(at, "@");
        }
        for dot in ["(dot)", "[dot]", "{dot}", "(kropka)", "[kropka]", " dot ", " kropka "] {
            mended = mended.replace(dot, ".");
        }
    }
    if mended.matches('@').count() != 1 {
        return None;
    }
    let (local, domain) = mended.split_once('@')?;
    let (local, domain) = (local.trim(), domain.trim());
    if local.contains(char::is_whitespace) {
        return None;
    }
    let domain = domain.trim_end_matches([',', ';', '.', ' ']);
    let domain = if domain.contains(", ") {
        Cow::Borrowed(domain)
    } else {
        Cow::Owned(domain.replace(',', "."))
    };
    (!domain.contains(char::is_whitespace)).then(|| format!("{local}@{domain}"))
}

/// Returns the address in canonical form when mail could be delivered to it.
fn judge(candidate: &str, tables: &Tables) -> Result<String, EmailFault> {
    let bare = strip_scheme(candidate)
        .trim_matches(|c: char| c.is_whitespace() || "<>,;:'".contains(c))
        .trim_end_matches('.');
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
    let options =
        Options::default().with_required_tld().without_domain_literal().without_display_text();
    EmailAddress::parse_with_options(&address, options)
        .map_err(|error| invalid(&error.to_string().to_lowercase()))?;
    let suffix_is_known = psl::suffix(domain.as_bytes()).is_some_and(|suffix| suffix.is_known());
    // RFC 2606 keeps `.example` for documentation; fixtures and demos live there.
    if !suffix_is_known && !domain.ends_with(".example") && suggest(&domain, tables).is_none() {
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
    if let Some(known) = suggest(domain, tables) {
        remarks.push(Remark::new(
            "email-typo-suspected",
            format!("`{domain}` looks like a misspelt {known}; the address was kept as written"),
        ));
    }
    Email { address, remarks }
}

fn invalid(reason: &str) -> EmailFault {
    EmailFault::Invalid(reason.to_owned())
}

fn registrable(domain: &str) -> &str {
    psl::domain_str(domain).unwrap_or(domain)
}

fn is_disposable(domain: &str, tables: &Tables) -> bool {
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
fn with_parents(domain: &str) -> impl Iterator<Item = &str> {
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
    }

    #[test]
    fn of_two_addresses_the_first_valid_one_is_taken() {
        check("anna@example.com;jan@example.com", Some("anna@example.com"), &["email-second"]);
        check("anna@example.com, jan@example.com", Some("anna@example.com"), &["email-second"]);
        check("anna@localhost / jan@example.com", Some("jan@example.com"), &[]);
        check("anna@example.com lub jan@example.com", Some("anna@example.com"), &["email-second"]);
        check("anna@example.com ANNA@example.com", Some("anna@example.com"), &[]);
    }

    #[test]
    fn what_is_certain_is_repaired() {
        check("anna[at]example.com", Some("anna@example.com"), &["email-repaired"]);
        check("anna(at)example.com", Some("anna@example.com"), &["email-repaired"]);
        check("anna at example.com", Some("anna@example.com"), &["email-repaired"]);
        check("anna@example,com", Some("anna@example.com"), &["email-repaired"]);
        check("anna @example.com", Some("anna@example.com"), &["email-repaired"]);
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
        for right in
            ["anna@ymail.com", "anna@email.com", "anna@mail.com", "anna@outlook.pl", "a@hotmail.fr"]
        {
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
        let mailbox = classify(address, shipped());
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
    }

    proptest! {
        #[test]
        fn any_text_is_judged_without_a_panic(raw in "\\PC{0,40}", tail in "[@<>.,; a-ż\"()]{0,20}") {
            for text in [raw.clone(), format!("{raw}@{tail}"), format!("{tail}{raw}")] {
                if let Ok(email) = parse(&text, shipped()) {
                    prop_assert_eq!(parse(&email.address, shipped()).map(|again| again.address), Ok(email.address.clone()));
                    classify(&email.address, shipped());
                }
            }
        }
    }
}
