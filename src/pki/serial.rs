//! Serial numbers (RFC 5280 §4.1.2.2): strict going out, tolerant coming in.

use der::asn1::Int;

/// A certificate's serial number: a positive INTEGER of at most 20 octets, kept as its
/// DER content octets (most significant first, no superfluous leading zero).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SerialNumber {
    length: u8,
    octets: [u8; 20],
}

/// Why a text or byte string is no serial number.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NotASerialNumber {
    /// Something other than hexadecimal digits, colons and spaces.
    #[error("a serial number is written in hexadecimal digits; colons and spaces are tolerated")]
    NotHexadecimal,
    /// Nothing, or more than 20 octets, or zero, or negative.
    #[error("a serial number is positive and has 1 to 20 octets (RFC 5280 §4.1.2.2)")]
    OutOfRange,
}

impl SerialNumber {
    /// From 20 random octets: 159 random bits, the sign bit cleared. (All zero, which chance
    /// will not bring, becomes 1: the result must be positive.)
    pub fn from_random(mut octets: [u8; 20]) -> Self {
        octets[0] &= 0x7f;
        Self::from_unsigned(&octets).unwrap_or(Self { length: 1, octets: leading(&[1]) })
    }

    /// From the content octets of a DER INTEGER.
    pub fn from_der_content(content: &[u8]) -> Result<Self, NotASerialNumber> {
        match content.first() {
            Some(first) if *first < 0x80 => Self::from_unsigned(content),
            _ => Err(NotASerialNumber::OutOfRange),
        }
    }

    /// The content octets of the DER INTEGER.
    pub fn as_der_content(&self) -> &[u8] {
        &self.octets[..usize::from(self.length)]
    }

    /// As the INTEGER that x509-cert and der write.
    pub fn to_int(&self) -> der::Result<Int> {
        Int::new(self.as_der_content())
    }

    /// The octets in reverse order, in lower-case hex: the `<SR>` of `altSecurityIdentities`.
    pub fn reversed_hex(&self) -> String {
        hex(self.as_der_content().iter().rev())
    }

    /// Minimal positive form of an unsigned big-endian number.
    fn from_unsigned(number: &[u8]) -> Result<Self, NotASerialNumber> {
        let skip = number.iter().take_while(|octet| **octet == 0).count();
        let digits = number.get(skip..).unwrap_or_default();
        let Some(first) = digits.first() else { return Err(NotASerialNumber::OutOfRange) };
        let sign = usize::from(*first >= 0x80);
        let length = digits.len() + sign;
        if length > 20 {
            return Err(NotASerialNumber::OutOfRange);
        }
        let mut octets = [0; 20];
        octets[sign..length].copy_from_slice(digits);
        Ok(Self { length: u8::try_from(length).unwrap_or(20), octets })
    }
}

fn hex<'a>(octets: impl Iterator<Item = &'a u8>) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = octets.flat_map(|octet| [octet >> 4, octet & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

fn leading(start: &[u8]) -> [u8; 20] {
    let mut octets = [0; 20];
    octets[..start.len()].copy_from_slice(start);
    octets
}

/// Lower-case hex, two digits an octet.
impl std::fmt::Display for SerialNumber {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&hex(self.as_der_content().iter()))
    }
}

impl std::fmt::Debug for SerialNumber {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "SerialNumber({self})")
    }
}

/// Upper case, colons and spaces are tolerated, and an odd number of digits as OpenSSL may print.
impl std::str::FromStr for SerialNumber {
    type Err = NotASerialNumber;

    fn from_str(text: &str) -> Result<Self, NotASerialNumber> {
        let digits = text
            .chars()
            .filter(|letter| !matches!(letter, ':' | ' '))
            .map(|letter| letter.to_digit(16))
            .collect::<Option<Vec<u32>>>()
            .ok_or(NotASerialNumber::NotHexadecimal)?;
        if digits.is_empty() || digits.len() > 64 {
            return Err(NotASerialNumber::OutOfRange);
        }
        let odd = digits.len() % 2;
        let padded: Vec<u32> = std::iter::repeat_n(0, odd).chain(digits).collect();
        let octets: Vec<u8> = padded
            .chunks_exact(2)
            .map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap_or_default())
            .collect();
        Self::from_unsigned(&octets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tolerant_in_strict_out() {
        let serial: SerialNumber = " 0A:bC 01".parse().unwrap();
        assert_eq!(serial.to_string(), "0abc01");
        assert_eq!("ABC01".parse::<SerialNumber>().unwrap(), serial);
        assert_eq!("0".parse::<SerialNumber>(), Err(NotASerialNumber::OutOfRange));
        assert_eq!("".parse::<SerialNumber>(), Err(NotASerialNumber::OutOfRange));
        assert_eq!("xy".parse::<SerialNumber>(), Err(NotASerialNumber::NotHexadecimal));
        assert_eq!("80".parse::<SerialNumber>().unwrap().as_der_content(), [0, 0x80]);
        assert_eq!("0abc01".parse::<SerialNumber>().unwrap().reversed_hex(), "01bc0a");
    }

    proptest! {
        #[test]
        fn positive_and_at_most_twenty_octets(random: [u8; 20]) {
            let serial = SerialNumber::from_random(random);
            let content = serial.as_der_content();
            prop_assert!(!content.is_empty() && content.len() <= 20 && content[0] < 0x80);
            prop_assert_eq!(SerialNumber::from_der_content(content).unwrap(), serial);
            prop_assert_eq!(serial.to_string().parse::<SerialNumber>().unwrap(), serial);
        }
    }
}
