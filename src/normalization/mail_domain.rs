//! What the shape of an address and its domain alone tell, cheaply: every row has one.

use super::email::{is_disposable, registrable, with_parents};
use crate::rules::tables::Tables;

/// What the domain of an address tells of its mailbox.
#[derive(Debug, Clone)]
pub struct Domain {
    pub(super) registrable: String,
    pub(super) is_free: bool,
    pub(super) is_disposable: bool,
    pub(super) is_relay: bool,
}

impl Domain {
    /// Looks up what is known of `domain` (lower case).
    pub fn of(domain: &str, tables: &Tables) -> Self {
        let is_relay = with_parents(domain).any(|parent| tables.is_mail_relay(parent));
        Self {
            registrable: registrable(domain).to_owned(),
            is_free: tables.is_free_mail(domain),
            is_disposable: !is_relay && is_disposable(domain, tables),
            is_relay,
        }
    }
}

/// Returns whether one slip parts `typed` from `known`: a letter too many, one too few, another one, or two that
/// changed places.
pub(super) fn is_near(typed: &str, known: &str) -> bool {
    if typed.len().abs_diff(known.len()) > 1 {
        return false;
    }
    if !(typed.is_ascii() && known.is_ascii()) {
        return strsim::osa_distance(typed, known) == 1;
    }
    // Without what both begin and end with, no more than the slip is left.
    let same = typed.bytes().zip(known.bytes()).take_while(|(one, other)| one == other).count();
    let (typed, known) = (&typed.as_bytes()[same..], &known.as_bytes()[same..]);
    let (typed_back, known_back) = (typed.iter().rev(), known.iter().rev());
    let same = typed_back.zip(known_back).take_while(|(one, other)| one == other).count();
    match (&typed[..typed.len() - same], &known[..known.len() - same]) {
        ([_], [_] | []) | ([], [_]) => true,
        ([one, other], [first, second]) => (one, other) == (second, first),
        _ => false,
    }
}

/// Returns whether `domain` is its own ASCII form: small letters, or labels with figures and lone dashes among them.
pub(super) fn is_plain_domain(domain: &str) -> bool {
    if domain.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'.') {
        return true;
    }
    let mut previous = b'.';
    let is_sound = domain.bytes().all(|byte| {
        let is_sign = byte == b'-' || byte == b'.';
        let follows = !matches!(previous, b'-' | b'.');
        previous = byte;
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || is_sign && follows
    });
    // Labels of 63 bytes and no more need no counting.
    is_sound && !matches!(previous, b'-' | b'.') && domain.len() <= 63
}

/// Returns whether `local` and `domain` need no closer look: atoms of ASCII letters, figures and the usual marks.
pub(super) fn is_sound(local: &str, domain: &str) -> bool {
    let are_atoms = |text: &str| {
        let mut previous = b'.';
        let are_sound = text.bytes().all(|byte| {
            let is_part = byte.is_ascii_alphanumeric()
                || matches!(byte, b'_' | b'-' | b'+')
                || byte == b'.' && previous != b'.';
            previous = byte;
            is_part
        });
        are_sound && previous != b'.'
    };
    let is_label =
        |label: &str| label.len() <= 63 && !label.starts_with('-') && !label.ends_with('-');
    local.len() <= 64
        && are_atoms(local)
        && domain.len() <= 250
        && domain.contains('.')
        && are_atoms(domain)
        && !domain.contains(['_', '+'])
        && domain.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use email_address::{EmailAddress, Options};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_plain_domain_is_its_own_ascii_form(domain in "[a-z0-9.-]{0,8}|(xn--)?[a-z0-9-]{1,5}[.](pl|1|com)|[a-z0-9]{60,66}[.]pl") {
            let has_more = domain.bytes().any(|byte| byte == b'-' || byte.is_ascii_digit());
            if has_more && is_plain_domain(&domain) {
                prop_assert_eq!(idna::domain_to_ascii_strict(&domain).ok(), Some(domain));
            }
        }

        #[test]
        fn what_is_called_sound_can_be_delivered_to(
            local in "[a-zA-Z0-9._+-]{0,6}|[a-z]{60,66}",
            domain in "[a-zA-Z0-9.-]{0,9}|[a-z]{60,66}[.][a-z]{2}|([a-z]{3}[.]){60,64}[a-z]{0,20}",
        ) {
            let options =
                Options::default().with_required_tld().without_domain_literal().without_display_text();
            let address = format!("{local}@{domain}");
            let found = EmailAddress::parse_with_options(&address, options);
            prop_assert!(!is_sound(&local, &domain) || found.is_ok(), "{address}: {found:?}");
        }

        #[test]
        fn a_slip_is_one_edit(typed in "[ab.]{0,6}|[abł]{0,4}", known in "[ab.]{0,6}|[abł]{0,4}") {
            let expected = typed.len().abs_diff(known.len()) <= 1
                && strsim::osa_distance(&typed, &known) == 1;
            prop_assert_eq!(is_near(&typed, &known), expected);
        }
    }
}
