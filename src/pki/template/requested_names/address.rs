//! Addresses and networks that may be asked for (RFC 4632, RFC 4291 §2.3).

use std::net::IpAddr;

use super::NotAName;

/// One address or a network in CIDR notation, without host bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressRange {
    network: IpAddr,
    prefix_length: u8,
}

impl AddressRange {
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        let bits = (bits(self.network) ^ bits(address)).leading_zeros();
        self.network.is_ipv4() == address.is_ipv4() && bits >= u32::from(self.prefix_length)
    }

    /// A range no single organisation owns.
    pub(super) fn is_wide(&self) -> bool {
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
