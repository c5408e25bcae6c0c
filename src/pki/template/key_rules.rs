//! Which keys a template certifies and what they may be used for.

use crate::pki::extension::KeyUsage;
use crate::pki::public_key::KeyAlgorithm;

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
    /// The algorithm it is about.
    pub fn key_algorithm(self) -> KeyAlgorithm {
        match self {
            Self::Rsa { .. } => KeyAlgorithm::Rsa,
            Self::P256 => KeyAlgorithm::P256,
            Self::P384 => KeyAlgorithm::P384,
        }
    }

    /// For RSA: the smallest modulus in bits.
    pub fn minimum_bits(self) -> Option<u32> {
        match self {
            Self::Rsa { minimum_bits } => Some(minimum_bits),
            Self::P256 | Self::P384 => None,
        }
    }

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

/// The names of key usages in RFC 5280 §4.2.1.3, in the order of their bits.
const USAGES: [(&str, KeyUsage); 9] = [
    ("digitalSignature", KeyUsage::DIGITAL_SIGNATURE),
    ("nonRepudiation", KeyUsage::NON_REPUDIATION),
    ("keyEncipherment", KeyUsage::KEY_ENCIPHERMENT),
    ("dataEncipherment", KeyUsage::DATA_ENCIPHERMENT),
    ("keyAgreement", KeyUsage::KEY_AGREEMENT),
    ("keyCertSign", KeyUsage::KEY_CERTIFICATE_SIGN),
    ("cRLSign", KeyUsage::CRL_SIGN),
    ("encipherOnly", KeyUsage::ENCIPHER_ONLY),
    ("decipherOnly", KeyUsage::DECIPHER_ONLY),
];

/// One key usage by its name.
pub(super) fn key_usage_from_name(name: &str) -> Option<KeyUsage> {
    USAGES.iter().find(|(own, _)| *own == name).map(|(_, usage)| *usage)
}

/// The names of the usages that are set.
pub(super) fn key_usage_names(usage: KeyUsage) -> Vec<&'static str> {
    USAGES.iter().filter(|(_, one)| usage.contains(*one)).map(|(name, _)| *name).collect()
}
