//! Which keys a template certifies and what they may be used for.

/// A key algorithm that may be certified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyRule {
    /// RSA with a modulus of at least so many bits.
    Rsa {
        /// `msPKI-Minimal-Key-Size`, at least 2048.
        minimum_bits: u32,
    },
    /// ECDSA on P-256.
    P256,
    /// ECDSA on P-384.
    P384,
}

impl KeyRule {
    /// The name that Windows' cryptography (CNG) has for the algorithm.
    pub fn algorithm(self) -> &'static str {
        match self {
            Self::Rsa { .. } => "RSA",
            Self::P256 => "ECDSA_P256",
            Self::P384 => "ECDSA_P384",
        }
    }
}

/// What a legacy provider uses the key for (`pKIDefaultKeySpec`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeySpec {
    /// AT_KEYEXCHANGE, 1.
    Exchange,
    /// AT_SIGNATURE, 2.
    Signature,
}

impl KeySpec {
    /// The number in the directory.
    pub fn number(self) -> u32 {
        match self {
            Self::Exchange => 1,
            Self::Signature => 2,
        }
    }

    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exchange => "exchange",
            Self::Signature => "signature",
        }
    }

    pub(super) fn from_word(word: &str) -> Option<Self> {
        [Self::Exchange, Self::Signature].into_iter().find(|spec| spec.as_str() == word)
    }
}

/// Key usages (RFC 5280 §4.2.1.3), bit 0 first in the first octet as `pKIKeyUsage` has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyUsage(u16);

impl KeyUsage {
    /// Signing anything but certificates and CRLs.
    pub const DIGITAL_SIGNATURE: Self = Self(0x8000);
    /// Encrypting another key: RSA only.
    pub const KEY_ENCIPHERMENT: Self = Self(0x2000);
    /// Signing certificates.
    pub const KEY_CERT_SIGN: Self = Self(0x0400);
    /// Signing CRLs.
    pub const CRL_SIGN: Self = Self(0x0200);

    const NAMED: [(&'static str, u16); 9] = [
        ("digitalSignature", 0x8000),
        ("nonRepudiation", 0x4000),
        ("keyEncipherment", 0x2000),
        ("dataEncipherment", 0x1000),
        ("keyAgreement", 0x0800),
        ("keyCertSign", 0x0400),
        ("cRLSign", 0x0200),
        ("encipherOnly", 0x0100),
        ("decipherOnly", 0x0080),
    ];

    /// The two octets of `pKIKeyUsage`, which are also the content of the BIT STRING.
    pub fn octets(self) -> [u8; 2] {
        self.0.to_be_bytes()
    }

    /// The names that are set, as RFC 5280 writes them.
    pub fn names(self) -> Vec<&'static str> {
        Self::NAMED.iter().filter(|(_, bit)| self.0 & bit != 0).map(|(name, _)| *name).collect()
    }

    /// Whether every usage of `other` is set.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These usages without those of `other`.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// These usages and those of `other`.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::NAMED.iter().find(|(own, _)| *own == name).map(|(_, bit)| Self(*bit))
    }
}
