//! Which addresses lie inside: of this machine, of a private net, or of nobody.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Networks of version 4 that no call from outside should reach: base and prefix.
const INSIDE_V4: [(Ipv4Addr, u8); 16] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
    (Ipv4Addr::new(255, 255, 255, 255), 32),
];

/// The part of version 6 that is given to the world. Mapped and translated addresses, unique local, link-local,
/// site-local, multicast and segment routing (5f00::/16) lie outside of it.
const WORLD_V6: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// What of it leads elsewhere all the same.
const INSIDE_V6: [(Ipv6Addr, u8); 4] = [
    // Protocols' own: Teredo, ORCHID, benchmarks.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    // Examples.
    (Ipv6Addr::new(0x2001, 0x0db8, 0, 0, 0, 0, 0, 0), 32),
    // 6to4 carries an address of version 4.
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    // Examples.
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Whether an address is one that nobody outside should have us call.
pub fn is_inside(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => INSIDE_V4.iter().any(|(base, prefix)| {
            shares(
                u32::from(ip).into(),
                u32::from(*base).into(),
                96 + u32::from(*prefix),
            )
        }),
        IpAddr::V6(ip) => {
            let lies_in = |(base, prefix): &(Ipv6Addr, u8)| {
                shares(ip.into(), (*base).into(), (*prefix).into())
            };
            !lies_in(&WORLD_V6) || INSIDE_V6.iter().any(lies_in)
        }
    }
}

/// Whether an address lies in the network of this base and prefix; of another version, never.
pub(super) fn lies_in(ip: IpAddr, (base, prefix): (IpAddr, u8)) -> bool {
    match (ip, base) {
        (IpAddr::V4(ip), IpAddr::V4(base)) => shares(
            u32::from(ip).into(),
            u32::from(base).into(),
            96 + u32::from(prefix),
        ),
        (IpAddr::V6(ip), IpAddr::V6(base)) => shares(ip.into(), base.into(), prefix.into()),
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}

/// Whether the first `prefix` of 128 bits are the same.
fn shares(a: u128, b: u128, prefix: u32) -> bool {
    (a ^ b).checked_shr(128 - prefix.min(128)).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_inside_is_known_at_its_edges() {
        for (address, inside) in [
            ("0.0.0.0", true),
            ("0.255.255.255", true),
            ("1.0.0.0", false),
            ("9.255.255.255", false),
            ("10.0.0.0", true),
            ("10.255.255.255", true),
            ("11.0.0.0", false),
            ("100.63.255.255", false),
            ("100.64.0.0", true),
            ("100.127.255.255", true),
            ("100.128.0.0", false),
            ("126.255.255.255", false),
            ("127.0.0.1", true),
            ("128.0.0.0", false),
            ("169.253.255.255", false),
            ("169.254.169.254", true),
            ("169.255.0.0", false),
            ("172.15.255.255", false),
            ("172.16.0.0", true),
            ("172.31.255.255", true),
            ("172.32.0.0", false),
            ("192.0.0.170", true),
            ("192.0.1.0", false),
            ("192.0.2.1", true),
            ("192.167.255.255", false),
            ("192.168.0.1", true),
            ("192.169.0.0", false),
            ("198.17.255.255", false),
            ("198.18.0.0", true),
            ("198.19.255.255", true),
            ("198.20.0.0", false),
            ("223.255.255.255", false),
            ("224.0.0.1", true),
            ("240.0.0.1", true),
            ("255.255.255.255", true),
            ("8.8.8.8", false),
            ("::", true),
            ("::1", true),
            ("::ffff:8.8.8.8", true),
            ("::ffff:127.0.0.1", true),
            ("64:ff9b::808:808", true),
            ("64:ff9b:1::1", true),
            ("100::1", true),
            ("2000::1", false),
            ("2001::1", true),
            ("2001:1ff::1", true),
            ("2001:200::1", false),
            ("2001:db8::1", true),
            ("2002:7f00:1::", true),
            ("2003::1", false),
            ("2606:4700::1111", false),
            ("3fff::1", true),
            ("3fff:1000::1", false),
            ("4000::1", true),
            ("5f00::1", true),
            ("fc00::1", true),
            ("fd12::1", true),
            ("fe80::1", true),
            ("fec0::1", true),
            ("ff02::1", true),
        ] {
            let ip: IpAddr = address.parse().expect("an address");
            assert_eq!(is_inside(ip), inside, "{address}");
        }
    }
}
