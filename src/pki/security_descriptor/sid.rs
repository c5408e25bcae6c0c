//! Security identifiers ([MS-DTYP] §2.4.2): `S-1-5-21-…-1104`.

/// A security identifier.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sid {
    authority: u64,
    parts: Vec<u32>,
}

/// The text is no security identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a security identifier such as `S-1-5-11`")]
pub struct NotASid;

/// SID_MAX_SUB_AUTHORITIES.
const MOST_PARTS: usize = 15;
const LARGEST_AUTHORITY: u64 = 0xffff_ffff_ffff;
/// SECURITY_NT_AUTHORITY and SECURITY_NT_NON_UNIQUE: the accounts of a domain.
const NT_AUTHORITY: u64 = 5;
const NON_UNIQUE: u32 = 21;

impl Sid {
    fn new(authority: u64, parts: Vec<u32>) -> Result<Self, NotASid> {
        let fits = authority <= LARGEST_AUTHORITY && (1..=MOST_PARTS).contains(&parts.len());
        if fits { Ok(Self { authority, parts }) } else { Err(NotASid) }
    }

    /// An account of the domain that a text was written in, where the text does not say which:
    /// `DA` in SDDL is `S-1-5-21-512`.
    pub fn of_some_domain(relative: u32) -> Self {
        Self { authority: NT_AUTHORITY, parts: vec![NON_UNIQUE, relative] }
    }

    /// The account with this relative identifier in the domain that this is the identifier of.
    pub fn account(&self, relative: u32) -> Result<Self, NotASid> {
        let mut parts = self.parts.clone();
        parts.push(relative);
        Self::new(self.authority, parts)
    }

    /// Whether this is a domain's own identifier, `S-1-5-21-a-b-c`.
    pub fn is_domain(&self) -> bool {
        self.authority == NT_AUTHORITY && matches!(self.parts.as_slice(), [NON_UNIQUE, _, _, _])
    }

    /// The relative identifier of an account of a domain.
    pub fn relative(&self) -> Option<u32> {
        match self.parts.as_slice() {
            [NON_UNIQUE, relative] | [NON_UNIQUE, _, _, _, relative]
                if self.authority == NT_AUTHORITY =>
            {
                Some(*relative)
            }
            _ => None,
        }
    }

    /// Reads one from the beginning of `octets`; the rest comes back.
    pub(super) fn take(octets: &[u8]) -> Result<(Self, &[u8]), NotASid> {
        let (head, rest) = octets.split_first_chunk::<8>().ok_or(NotASid)?;
        let [revision, count, authority @ ..] = head;
        let length = usize::from(*count).saturating_mul(4);
        let parts = rest.get(..length).ok_or(NotASid)?;
        if *revision != 1 {
            return Err(NotASid);
        }
        let authority = authority.iter().fold(0, |sum, octet| sum << 8 | u64::from(*octet));
        let number = |part: &[u8]| part.iter().rev().fold(0, |sum, own| sum << 8 | u32::from(*own));
        let sid = Self::new(authority, parts.chunks(4).map(number).collect())?;
        Ok((sid, rest.get(length..).unwrap_or_default()))
    }

    /// As octets.
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        out.push(1);
        // At most 15 of them.
        out.push(u8::try_from(self.parts.len()).unwrap_or(0));
        out.extend_from_slice(self.authority.to_be_bytes().get(2..).unwrap_or_default());
        for part in &self.parts {
            out.extend_from_slice(&part.to_le_bytes());
        }
    }
}

/// [MS-DTYP] §2.4.2.1.
impl std::fmt::Display for Sid {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match u32::try_from(self.authority) {
            Ok(authority) => write!(out, "S-1-{authority}")?,
            Err(_) => write!(out, "S-1-0x{:012x}", self.authority)?,
        }
        self.parts.iter().try_for_each(|part| write!(out, "-{part}"))
    }
}

impl std::str::FromStr for Sid {
    type Err = NotASid;

    fn from_str(text: &str) -> Result<Self, NotASid> {
        let rest = text.strip_prefix("S-1-").or_else(|| text.strip_prefix("s-1-"));
        let mut numbers = rest.ok_or(NotASid)?.split('-');
        let first = numbers.next().ok_or(NotASid)?;
        let authority = match first.strip_prefix("0x").or_else(|| first.strip_prefix("0X")) {
            Some(digits)
                if digits.len() == 12 && digits.bytes().all(|own| own.is_ascii_hexdigit()) =>
            {
                u64::from_str_radix(digits, 16).map_err(|_| NotASid)?
            }
            Some(_) => return Err(NotASid),
            None => u64::from(decimal(first)?),
        };
        let parts: Vec<u32> =
            numbers.take(MOST_PARTS + 1).map(decimal).collect::<Result<_, NotASid>>()?;
        Self::new(authority, parts)
    }
}

fn decimal(text: &str) -> Result<u32, NotASid> {
    let plain = (1..=10).contains(&text.len()) && text.bytes().all(|own| own.is_ascii_digit());
    if plain { text.parse().map_err(|_| NotASid) } else { Err(NotASid) }
}
