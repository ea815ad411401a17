//! Who sent a request: the other end of the connection, or whom a trusted proxy says it passes on.

use std::net::IpAddr;

use crate::rules::receive::Network;

/// Bits by which IPv6 senders are told apart: what one household is given.
const IPV6_BITS: u32 = 64;

/// Returns the address of the sender.
///
/// `forwarded` are the values of `X-Forwarded-For` in their order. Each proxy adds whom it got the request from at the
/// end, so the last address that no trusted proxy has is the sender's; what stands before it anybody could have
/// written.
pub(super) fn sender<'a>(
    peer: IpAddr,
    forwarded: impl DoubleEndedIterator<Item = &'a str>,
    trusted: &[Network],
) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut known = peer.to_canonical();
    for word in forwarded.rev().flat_map(|value| value.rsplit(',')) {
        if !is_trusted(known) {
            break;
        }
        let Some(address) = parse(word.trim()) else { break };
        known = address.to_canonical();
    }
    known
}

/// Reads an address that may have a port.
fn parse(word: &str) -> Option<IpAddr> {
    let bare = word.strip_prefix('[').and_then(|rest| rest.split(']').next());
    bare.unwrap_or(word)
        .parse()
        .ok()
        .or_else(|| word.parse::<std::net::SocketAddr>().ok().map(|both| both.ip()))
}

/// Returns what limits are counted by: the address, or the network of a household.
pub(super) fn household(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            IpAddr::V6((address.to_bits() & (u128::MAX << (u128::BITS - IPV6_BITS))).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(peer: &str, forwarded: &[&str], expected: &str) {
        let trusted = ["127.0.0.1".parse().unwrap(), "10.0.0.0/8".parse().unwrap()];
        let found = sender(peer.parse().unwrap(), forwarded.iter().copied(), &trusted);
        assert_eq!(found, expected.parse::<IpAddr>().unwrap(), "{peer} {forwarded:?}");
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        check("203.0.113.7", &[], "203.0.113.7");
        check("203.0.113.7", &["198.51.100.1"], "203.0.113.7");
        check("127.0.0.1", &["198.51.100.1"], "198.51.100.1");
        check("::ffff:127.0.0.1", &["198.51.100.1"], "198.51.100.1");
        check("127.0.0.1", &["192.0.2.1, 198.51.100.1"], "198.51.100.1");
        check("127.0.0.1", &["192.0.2.1, 198.51.100.1, 10.1.2.3"], "198.51.100.1");
        check("127.0.0.1", &["192.0.2.1", "198.51.100.1, 10.1.2.3"], "198.51.100.1");
        check("127.0.0.1", &["[2001:db8::7]:4711"], "2001:db8::7");
        check("127.0.0.1", &["198.51.100.1:4711"], "198.51.100.1");
        check("127.0.0.1", &["unknown"], "127.0.0.1");
        check("127.0.0.1", &["10.0.0.1"], "10.0.0.1");
    }

    #[test]
    fn a_household_is_one() {
        let of = |text: &str| household(text.parse().unwrap()).to_string();
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(of("203.0.113.7"), "203.0.113.7");
    }
}
