//! The rules for names that come from the request: which DNS names and addresses the groups of
//! a template may ask for. AD CS has no such rules; whoever may enrol chooses any name (ESC1).

use std::net::IpAddr;

use const_oid::ObjectIdentifier;

use crate::pki::name::DistinguishedName;

/// What a request may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestedNames {
    /// Whatever it likes.
    Any,
    /// Only these.
    Within(NameRules),
}

/// DNS names and addresses that may be asked for; everything else is refused.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct NameRules {
    /// A name that ends in one of these, or is one.
    pub(super) dns_suffixes: Vec<DnsSuffix>,
    /// Exactly these names.
    pub(super) dns_names: Vec<DnsName>,
    /// Addresses, as iPAddress or (for Windows IKE clients) written as a dNSName.
    pub(super) addresses: Vec<AddressRange>,
    /// Whether `*.` may stand in front of a name within the suffixes.
    pub(super) wildcards: Wildcards,
    /// Subject attributes beside CN that a request may carry, such as `O=Contoso`.
    pub(super) subject_attributes: Vec<DistinguishedName>,
}

/// Whether wildcard names may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Wildcards {
    /// No.
    #[default]
    Refused,
    /// As the whole leftmost label of a name within a suffix.
    Allowed,
}

/// A DNS name in lower case: letters, digits and inner hyphens, labels of at most 63 octets,
/// 253 in all (RFC 1034 §3.5, RFC 5280 §4.2.1.6); not an address and not a wildcard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsName(String);

/// The end of DNS names, on label borders; empty for any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsSuffix(String);

/// One address or a network in CIDR notation, without host bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressRange {
    network: IpAddr,
    prefix_length: u8,
}

/// The text is not what the rule needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a DNS name, suffix, address or network")]
pub struct NotAName;

impl RequestedNames {
    /// Whether the rules leave a requester free to pose as somebody else.
    pub fn are_free(&self) -> bool {
        match self {
            Self::Any => true,
            Self::Within(rules) => {
                rules.dns_suffixes.iter().any(DnsSuffix::is_public)
                    || rules.addresses.iter().any(|range| range.is_wide())
            }
        }
    }
}

impl NameRules {
    /// Whether `name`, asked for as a dNSName or as CN, is within the rules: a DNS name, a
    /// wildcard where they are allowed, or an address written out.
    pub fn allow_dns_name(&self, name: &str) -> bool {
        if let Ok(address) = name.parse::<IpAddr>() {
            return self.allow_address(address);
        }
        if let Some(parent) = name.strip_prefix("*.") {
            let Ok(parent) = parent.parse::<DnsName>() else { return false };
            return self.wildcards == Wildcards::Allowed && self.has_suffix_for(&parent);
        }
        let Ok(name) = name.parse::<DnsName>() else { return false };
        self.dns_names.contains(&name) || self.has_suffix_for(&name)
    }

    /// Whether `address` is within the rules.
    pub fn allow_address(&self, address: IpAddr) -> bool {
        self.addresses.iter().any(|range| range.contains(address))
    }

    /// Whether the subject may carry this attribute, which is not a CN.
    pub fn allow_subject_attribute(&self, kind: ObjectIdentifier, value: &str) -> bool {
        let attributes = self.subject_attributes.iter().flat_map(DistinguishedName::attributes);
        attributes.into_iter().any(|(own, text)| own == kind && text == value)
    }

    fn has_suffix_for(&self, name: &DnsName) -> bool {
        self.dns_suffixes.iter().any(|suffix| suffix.covers(name))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.dns_suffixes.is_empty() && self.dns_names.is_empty() && self.addresses.is_empty()
    }
}

impl DnsName {
    /// The name in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl DnsSuffix {
    /// Whether `name` is the suffix or below it.
    fn covers(&self, name: &DnsName) -> bool {
        let Some(rest) = name.0.strip_suffix(&self.0) else { return false };
        self.0.is_empty() || rest.is_empty() || rest.ends_with('.')
    }

    /// Whether anybody may own a name below it: empty, a single label such as `com`, or a
    /// country's second level such as `co.uk`.
    fn is_public(&self) -> bool {
        match self.0.split_once('.') {
            None => true,
            Some((first, rest)) => {
                let registries = ["ac", "co", "com", "edu", "gov", "ne", "net", "or", "org"];
                rest.len() == 2 && registries.contains(&first)
            }
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl AddressRange {
    fn contains(&self, address: IpAddr) -> bool {
        let bits = (bits(self.network) ^ bits(address)).leading_zeros();
        self.network.is_ipv4() == address.is_ipv4() && bits >= u32::from(self.prefix_length)
    }

    /// A range no single organisation owns.
    fn is_wide(&self) -> bool {
        self.prefix_length < if self.network.is_ipv4() { 8 } else { 16 }
    }
}

/// An address as 128 bits, IPv4 in the leading 32.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(four) => u128::from(u32::from(four)) << 96,
        IpAddr::V6(six) => six.into(),
    }
}

impl std::str::FromStr for DnsName {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        // A name whose last label is a number would be read as an address (RFC 3696 §2).
        let digits = |label: &str| label.bytes().all(|octet| octet.is_ascii_digit());
        let number = text.rsplit('.').next().is_some_and(digits);
        let right = text.len() <= 253 && text.split('.').all(label) && !number;
        if right { Ok(Self(text.to_ascii_lowercase())) } else { Err(NotAName) }
    }
}

/// With or without a leading dot.
impl std::str::FromStr for DnsSuffix {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        match text.strip_prefix('.').unwrap_or(text) {
            "" => Ok(Self(String::new())),
            name => name.parse().map(|DnsName(name)| Self(name)),
        }
    }
}

impl std::str::FromStr for AddressRange {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let network: IpAddr = address.parse().map_err(|_| NotAName)?;
        let width: u8 = if network.is_ipv4() { 32 } else { 128 };
        let prefix_length = match prefix {
            None => width,
            Some(digits) if digits.bytes().all(|digit| digit.is_ascii_digit()) => {
                digits.parse().map_err(|_| NotAName)?
            }
            Some(_) => return Err(NotAName),
        };
        let host_bits = bits(network).checked_shl(u32::from(prefix_length)).unwrap_or(0);
        if prefix_length > width || host_bits != 0 {
            return Err(NotAName);
        }
        Ok(Self { network, prefix_length })
    }
}

impl std::fmt::Display for AddressRange {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.network, self.prefix_length) {
            (IpAddr::V4(_), 32) | (IpAddr::V6(_), 128) => self.network.fmt(out),
            (network, prefix_length) => write!(out, "{network}/{prefix_length}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rules(suffixes: &[&str], names: &[&str], addresses: &[&str]) -> NameRules {
        NameRules {
            dns_suffixes: suffixes.iter().map(|text| text.parse().unwrap()).collect(),
            dns_names: names.iter().map(|text| text.parse().unwrap()).collect(),
            addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
            ..NameRules::default()
        }
    }

    #[test]
    fn suffixes_end_on_label_borders() {
        let rules = rules(&["contoso.com"], &["vpn"], &["132.64.86.2", "10.1.0.0/16", "fd00::/16"]);
        for name in ["contoso.com", "VPN.Contoso.com", "a.b.contoso.com", "vpn", "132.64.86.2"] {
            assert!(rules.allow_dns_name(name), "{name}");
        }
        for name in [
            "evilcontoso.com",
            "contoso.com.evil.org",
            "vpn.",
            "dc",
            "132.64.86.3",
            "10.2.0.1",
            "*.contoso.com",
            "vpn.contoso.com\0.evil.org",
            "",
        ] {
            assert!(!rules.allow_dns_name(name), "{name}");
        }
        assert!(rules.allow_address("10.1.2.3".parse().unwrap()));
        assert!(rules.allow_address("fd00::1".parse().unwrap()));
        assert!(!rules.allow_address("::ffff:10.1.2.3".parse().unwrap()));
    }

    #[test]
    fn wildcards_only_where_allowed_and_only_in_front() {
        let mut rules = rules(&["contoso.com"], &["vpn.example.net"], &[]);
        rules.wildcards = Wildcards::Allowed;
        assert!(rules.allow_dns_name("*.contoso.com"));
        for name in ["*", "*.", "*.com", "*.vpn.example.net", "a.*.contoso.com", "a*.contoso.com"] {
            assert!(!rules.allow_dns_name(name), "{name}");
        }
    }

    #[test]
    fn rules_that_bind_nobody_are_free() {
        for suffix in ["", "com", ".com", "co.uk", "local"] {
            assert!(RequestedNames::Within(rules(&[suffix], &[], &[])).are_free(), "{suffix}");
        }
        for address in ["0.0.0.0/0", "128.0.0.0/1", "::/0", "2000::/3"] {
            assert!(RequestedNames::Within(rules(&[], &[], &[address])).are_free(), "{address}");
        }
        let bound = rules(&["contoso.com", "vpn.contoso.co.uk"], &["vpn"], &["10.0.0.0/8"]);
        assert!(!RequestedNames::Within(bound).are_free());
    }

    #[test]
    fn networks_have_no_host_bits() {
        for text in ["10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/+8", "10.0.0/8", "::1/64"]
        {
            assert_eq!(text.parse::<AddressRange>(), Err(NotAName), "{text}");
        }
        assert_eq!("10.0.0.0/32".parse::<AddressRange>().unwrap().to_string(), "10.0.0.0");
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_reads_back(text in "[a-z0-9.:/*-]{0,24}") {
            if let Ok(name) = text.parse::<DnsName>() {
                prop_assert_eq!(name.as_str(), text.as_str());
            }
            if let Ok(range) = text.parse::<AddressRange>() {
                prop_assert_eq!(range.to_string().parse::<AddressRange>().unwrap(), range);
            }
            let _ = rules(&["contoso.com"], &["vpn"], &["10.0.0.0/8"]).allow_dns_name(&text);
        }

        #[test]
        fn a_range_holds_what_shares_its_prefix(address: u32, prefix in 0_u32..=32, other: u32) {
            let mask = u32::MAX.checked_shl(32 - prefix).unwrap_or(0);
            let network = std::net::Ipv4Addr::from(address & mask);
            let range: AddressRange = format!("{network}/{prefix}").parse().unwrap();
            let inside = address & mask == other & mask;
            prop_assert_eq!(range.contains(IpAddr::V4(other.into())), inside);
        }
    }
}
