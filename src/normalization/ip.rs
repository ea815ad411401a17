//! How much of an IP address is kept.

use std::net::IpAddr;

use crate::rules::workspace::IpRule;

/// Bits that stay of an IPv4 address: the network of a provider's 256 customers.
const IPV4_BITS: u32 = 24;
/// Bits that stay of an IPv6 address: what one site is given (RFC 6177).
const IPV6_BITS: u32 = 48;

/// Returns what `rule` keeps of the address `text`; what is no address stays as it is.
pub fn kept(text: &str, rule: IpRule) -> Option<String> {
    let Ok(address) = text.trim().parse::<IpAddr>() else { return Some(text.to_owned()) };
    match rule {
        IpRule::Full => Some(text.to_owned()),
        IpRule::Truncated => Some(network(address).to_string()),
        IpRule::None => None,
    }
}

/// Returns a row as received with what `rule` keeps of every address in it.
///
/// An address is a whole word of the row: a version such as `Chrome/120.0.0.0` is none.
pub fn kept_in_row(raw: &str, rule: IpRule) -> String {
    if rule == IpRule::Full {
        return raw.to_owned();
    }
    let is_edge = |c: char| c.is_whitespace() || "\"',;()[]".contains(c);
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while !rest.is_empty() {
        let edge = rest.find(is_edge).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(edge);
        // Most words are no address: they hold no two dots or colons.
        let may_be = word.bytes().filter(|byte| matches!(byte, b'.' | b':')).count() > 1;
        match may_be.then(|| kept(word, rule)) {
            Some(kept) => text.push_str(&kept.unwrap_or_default()),
            None => text.push_str(word),
        }
        let sign = behind.chars().next().map_or(0, char::len_utf8);
        text.push_str(&behind[..sign]);
        rest = &behind[sign..];
    }
    text
}

fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            IpAddr::V4((address.to_bits() & (u32::MAX << (u32::BITS - IPV4_BITS))).into())
        }
        IpAddr::V6(address) => {
            IpAddr::V6((address.to_bits() & (u128::MAX << (u128::BITS - IPV6_BITS))).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, truncated: &str) {
        assert_eq!(kept(text, IpRule::Truncated).as_deref(), Some(truncated), "{text}");
        assert_eq!(kept(text, IpRule::Full).as_deref(), Some(text), "{text}");
    }

    #[test]
    fn the_network_stays() {
        check("203.0.113.77", "203.0.113.0");
        check("2001:db8:85a3:8d3:1319:8a2e:370:7348", "2001:db8:85a3::");
        check("unknown", "unknown");
        assert_eq!(kept("203.0.113.77", IpRule::None), None);
    }

    #[test]
    fn addresses_in_a_row_are_found_and_versions_are_none() {
        let raw =
            r#"["Anna","203.0.113.77","Chrome/120.0.1.2 (X11)","2026-11-20T08:00:00Z","::1"]"#;
        assert_eq!(
            kept_in_row(raw, IpRule::Truncated),
            r#"["Anna","203.0.113.0","Chrome/120.0.1.2 (X11)","2026-11-20T08:00:00Z","::"]"#
        );
        assert_eq!(
            kept_in_row(raw, IpRule::None),
            r#"["Anna","","Chrome/120.0.1.2 (X11)","2026-11-20T08:00:00Z",""]"#
        );
        assert_eq!(kept_in_row(raw, IpRule::Full), raw);
    }
}
