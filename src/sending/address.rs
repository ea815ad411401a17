//! Where a request may go: an address that a name was resolved to is looked at before anything is sent there.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// How far an endpoint may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The internet and nothing else.
    Public,
    /// This machine and nothing else: the rules name it.
    OwnMachine,
    /// Private networks, too.
    Private,
}

impl Reach {
    /// Returns how far an endpoint may reach that may lie in a private network, or that the rules call this machine.
    pub fn of(allow_private: bool, is_own_machine: bool) -> Self {
        match (allow_private, is_own_machine) {
            (true, _) => Self::Private,
            (false, true) => Self::OwnMachine,
            (false, false) => Self::Public,
        }
    }

    /// Returns whether something may be sent to `address`.
    pub fn allows(self, address: IpAddr) -> bool {
        let address = unwrapped(address);
        match self {
            Self::Public => is_public(address),
            Self::OwnMachine => address.is_loopback(),
            Self::Private => is_public(address) || is_private(address),
        }
    }

    /// Returns whether all of `addresses` may be sent to, and there is one. A name that leads to several places, of
    /// which one is forbidden, is somebody's trick.
    pub fn allows_all(self, addresses: &[SocketAddr]) -> bool {
        !addresses.is_empty() && addresses.iter().all(|one| self.allows(one.ip()))
    }
}

/// Returns the address of version 4 inside one of version 6, where there is one: it is reached by it.
fn unwrapped(address: IpAddr) -> IpAddr {
    let IpAddr::V6(six) = address else { return address };
    let parts = six.segments();
    let four = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match parts {
        // Mapped (RFC 4291) and translated (RFC 6052).
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            four(high, low)
        }
        // 6to4 (RFC 3056).
        [0x2002, high, low, ..] => four(high, low),
        _ => address,
    }
}

/// Loopback and what is handed out inside an organization. Link-local addresses are not: the metadata services of
/// clouds live there.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => {
            let [a, b, ..] = four.octets();
            four.is_loopback() || four.is_private() || (a == 100 && (64..128).contains(&b))
        }
        IpAddr::V6(six) => {
            // The metadata service of one cloud has an address of this kind.
            let metadata = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
            six.is_loopback() || (six.segments()[0] & 0xfe00 == 0xfc00 && six != metadata)
        }
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => {
            let [a, b, c, _] = four.octets();
            let is_special = four.is_loopback()
                || four.is_private()
                || four.is_link_local()
                || four.is_multicast()
                || four.is_documentation()
                || a == 0
                || a >= 240
                || (a == 100 && (64..128).contains(&b))
                || (a == 192 && b == 0 && c == 0)
                || (a == 198 && (18..20).contains(&b));
            !is_special
        }
        // Global unicast is 2000::/3; Teredo, benchmarking and documentation inside it are not for us.
        IpAddr::V6(six) => {
            let [first, second, ..] = six.segments();
            let is_special = first == 0x2001 && (second == 0 || second == 2 || second == 0xdb8);
            first & 0xe000 == 0x2000 && !is_special
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(address: &str, public: bool, own_machine: bool, private: bool) {
        let address: IpAddr = address.parse().unwrap();
        let found = [Reach::Public, Reach::OwnMachine, Reach::Private].map(|to| to.allows(address));
        assert_eq!(found, [public, own_machine, private], "{address}");
    }

    #[test]
    fn the_internet_is_open() {
        for address in ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "192.1.0.1", "100.128.0.1"] {
            check(address, true, false, true);
        }
    }

    #[test]
    fn private_networks_are_for_who_says_so() {
        for address in ["10.0.0.1", "172.16.3.4", "192.168.1.1", "100.64.0.1", "fd12::1"] {
            check(address, false, false, true);
        }
    }

    #[test]
    fn this_machine_is_for_who_names_it() {
        for address in ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"] {
            check(address, false, true, true);
        }
    }

    #[test]
    fn metadata_services_are_for_nobody() {
        for address in [
            "169.254.169.254",
            "fd00:ec2::254",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::1",
            "fe80::1",
            "0.0.0.0",
            "::",
            "224.0.0.1",
            "255.255.255.255",
            "ff02::1",
            "192.0.2.1",
            "198.18.0.1",
            "2001:db8::1",
            "2001::1",
        ] {
            check(address, false, false, false);
        }
    }

    #[test]
    fn one_forbidden_address_among_several_forbids_all() {
        let mixed: Vec<SocketAddr> =
            ["8.8.8.8:443", "10.0.0.1:443"].map(|one| one.parse().unwrap()).to_vec();
        assert!(!Reach::Public.allows_all(&mixed));
        assert!(Reach::Public.allows_all(&mixed[..1]));
        assert!(!Reach::Public.allows_all(&[]));
    }
}
