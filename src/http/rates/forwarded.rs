//! Who called, where proxies stand in front: each hop appends the address it was called from, so
//! the list is read from its end and believed as long as who wrote it is a proxy of ours. Only
//! the header that is configured is looked at: a proxy passes the other one on as the caller sent it.

use std::net::IpAddr;

use axum::http::HeaderMap;

/// The header a proxy tells its caller's address in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProxyHeader {
    /// `X-Forwarded-For`, a list of addresses.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// The proxies whose word is taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies {
    /// Their addresses and networks.
    pub trusted: Vec<Network>,
    /// The header they write.
    pub header: ProxyHeader,
}

/// Addresses with a common beginning: `192.0.2.7`, `10.0.0.0/8`, `2001:db8::/32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// Reads an address or a network; `None` if it is neither. IPv4 written as IPv6
    /// (`::ffff:10.0.0.0/104`, RFC 4291 §2.5.5.2) is IPv4: callers' addresses are seen so.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let bits: u8 = bits.unwrap_or(longest);
        if bits > longest {
            return None;
        }
        match address.to_canonical() {
            // A network that is larger than all of IPv4 and written as part of it is a mistake.
            own if own.is_ipv4() && address.is_ipv6() => {
                Some(Self { address: own, bits: bits.checked_sub(96)? })
            }
            own => Some(Self { address: own, bits }),
        }
    }

    /// Whether an address is in it.
    pub fn contains(&self, other: IpAddr) -> bool {
        match (self.address, other.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let differing = own.to_bits() ^ other.to_bits();
                differing.leading_zeros() >= u32::from(self.bits)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let differing = own.to_bits() ^ other.to_bits();
                differing.leading_zeros() >= u32::from(self.bits)
            }
            _ => false,
        }
    }
}

impl Proxies {
    /// The address a call comes from: the connection's, or as far beyond it as proxies of ours
    /// vouch for.
    pub fn caller(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut caller = peer.to_canonical();
        if self.trusted.is_empty() {
            return caller;
        }
        let name = match self.header {
            ProxyHeader::XForwardedFor => "x-forwarded-for",
            ProxyHeader::Forwarded => "forwarded",
        };
        // A line that is no ASCII is still one of the list: passed over whole, it would take the hop
        // that a proxy of ours appended to it along, and the caller's own line before it would count.
        let lines = headers.get_all(name).iter();
        let values: Vec<_> = lines.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        let mut hops = values.iter().rev().flat_map(|value| value.rsplit(','));
        while self.trusted.iter().any(|network| network.contains(caller)) {
            // A hop that cannot be read (`unknown`, `_hidden`) ends what is known.
            let Some(before) = hops.next().and_then(|hop| self.address(hop)) else { break };
            caller = before;
        }
        caller
    }

    fn address(&self, hop: &str) -> Option<IpAddr> {
        let node = match self.header {
            ProxyHeader::XForwardedFor => hop.trim(),
            ProxyHeader::Forwarded => {
                let mut pairs = hop.split(';').filter_map(|pair| pair.trim().split_once('='));
                pairs.find(|(name, _)| name.eq_ignore_ascii_case("for"))?.1
            }
        };
        node_address(node.trim_matches('"'))
    }
}

/// RFC 7239 §6: an address, perhaps with a port; an IPv6 address with a port is in brackets.
fn node_address(node: &str) -> Option<IpAddr> {
    if let Ok(address) = node.parse::<IpAddr>() {
        return Some(address.to_canonical());
    }
    let address = match node.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        None => node.split_once(':')?.0,
    };
    address.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    fn caller(header: ProxyHeader, peer: &str, sent: &[(&'static str, &str)]) -> String {
        let trusted = ["10.0.0.0/8", "2001:db8::1"].map(|text| Network::parse(text).unwrap());
        let proxies = Proxies { trusted: trusted.to_vec(), header };
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        proxies.caller(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_who_is_trusted_is_believed() {
        use ProxyHeader::{Forwarded, XForwardedFor};
        let list = "x-forwarded-for";
        for (header, peer, sent, expected) in [
            (XForwardedFor, "192.0.2.1", vec![(list, "198.51.100.1")], "192.0.2.1"),
            (XForwardedFor, "10.1.1.1", vec![(list, "198.51.100.1")], "198.51.100.1"),
            // What the caller wrote itself stands before what the proxy appended.
            (XForwardedFor, "10.1.1.1", vec![(list, "1.1.1.1, 198.51.100.1")], "198.51.100.1"),
            (
                XForwardedFor,
                "10.1.1.1",
                vec![(list, "1.1.1.1, 198.51.100.1, 10.2.2.2")],
                "198.51.100.1",
            ),
            (
                XForwardedFor,
                "10.1.1.1",
                vec![(list, "1.1.1.1"), (list, "198.51.100.1")],
                "198.51.100.1",
            ),
            (XForwardedFor, "10.1.1.1", vec![("forwarded", "for=1.1.1.1")], "10.1.1.1"),
            (XForwardedFor, "10.1.1.1", vec![(list, "198.51.100.1:4711")], "198.51.100.1"),
            (XForwardedFor, "10.1.1.1", vec![(list, "unknown")], "10.1.1.1"),
            (XForwardedFor, "10.1.1.1", vec![], "10.1.1.1"),
            (
                Forwarded,
                "10.1.1.1",
                vec![("forwarded", "for=192.0.2.60;proto=https")],
                "192.0.2.60",
            ),
            (
                Forwarded,
                "2001:db8::1",
                vec![("forwarded", "For=\"[2001:db8:cafe::17]:4711\"")],
                "2001:db8:cafe::17",
            ),
            (
                Forwarded,
                "10.1.1.1",
                vec![("forwarded", "for=1.1.1.1, proto=https;for=192.0.2.60")],
                "192.0.2.60",
            ),
            (Forwarded, "10.1.1.1", vec![("forwarded", "for=_hidden")], "10.1.1.1"),
            (Forwarded, "10.1.1.1", vec![(list, "1.1.1.1")], "10.1.1.1"),
        ] {
            assert_eq!(caller(header, peer, &sent), expected, "{header:?} {peer} {sent:?}");
        }
    }

    #[test]
    fn a_line_that_is_no_text_hides_nobody() {
        let trusted = vec![Network::parse("10.0.0.0/8").unwrap()];
        let proxies = Proxies { trusted, header: ProxyHeader::XForwardedFor };
        let mut headers = HeaderMap::new();
        for line in [&b"192.0.2.66"[..], b"\xff, 198.51.100.1"] {
            headers.append("x-forwarded-for", HeaderValue::from_bytes(line).unwrap());
        }
        let caller = proxies.caller("10.1.1.1".parse().unwrap(), &headers);
        assert_eq!(caller.to_string(), "198.51.100.1");
    }

    #[test]
    fn networks() {
        for wrong in ["", "10.0.0.0/33", "10.0.0.0/", "::/129", "host", "10.0.0.0/-1"] {
            assert_eq!(Network::parse(wrong), None, "{wrong}");
        }
        let all = Network::parse("0.0.0.0/0").unwrap();
        assert!(all.contains("203.0.113.9".parse().unwrap()));
        assert!(!all.contains("2001:db8::1".parse().unwrap()));
    }

    #[test]
    fn ipv4_in_the_dress_of_ipv6_is_ipv4() {
        let dressed = Network::parse("::ffff:10.0.0.0/104").unwrap();
        assert_eq!(dressed, Network::parse("10.0.0.0/8").unwrap());
        assert_eq!(Network::parse("::ffff:192.0.2.7"), Network::parse("192.0.2.7"));
        for address in ["10.1.2.3", "::ffff:10.1.2.3"] {
            assert!(dressed.contains(address.parse().unwrap()), "{address}");
        }
        assert!(!dressed.contains("11.0.0.1".parse().unwrap()));
        assert_eq!(Network::parse("::ffff:10.0.0.0/95"), None, "more than there are");
        assert_eq!(
            caller(
                ProxyHeader::XForwardedFor,
                "::ffff:10.1.1.1",
                &[("x-forwarded-for", "198.51.100.1"),]
            ),
            "198.51.100.1"
        );
    }

    proptest! {
        /// Whatever it sends, who is no proxy is himself; and a proxy's caller is the last hop.
        #[test]
        fn nobody_hides(text in "[ -~]{0,60}") {
            let sent = [("x-forwarded-for", text.as_str()), ("forwarded", text.as_str())];
            for header in [ProxyHeader::XForwardedFor, ProxyHeader::Forwarded] {
                prop_assert_eq!(caller(header, "192.0.2.9", &sent), "192.0.2.9");
            }
            let appended = format!("{text}, 198.51.100.1");
            let sent = [("x-forwarded-for", appended.as_str())];
            prop_assert_eq!(caller(ProxyHeader::XForwardedFor, "10.0.0.1", &sent), "198.51.100.1");
        }
    }
}
