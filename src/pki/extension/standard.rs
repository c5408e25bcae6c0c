//! The extensions of RFC 5280 §4.2 that an end entity's certificate carries.

use der::asn1::ObjectIdentifier;

use super::Extension;
use crate::pki::alternative_name::{self, AlternativeName};
use crate::pki::encoding::{
    BIT_STRING, NULL, NotDer, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, constructed, element,
    identifier, object_identifier, only, primitive, sequence,
};
use crate::pki::oid;
use crate::pki::public_key::PublicKey;

/// Bits of keyUsage (RFC 5280 §4.2.1.3) as Windows counts them: the first octet of the BIT
/// STRING, and decipherOnly as the top bit of the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyUsage(u16);

impl KeyUsage {
    /// digitalSignature.
    pub const DIGITAL_SIGNATURE: Self = Self(0x80);
    /// nonRepudiation (contentCommitment).
    pub const NON_REPUDIATION: Self = Self(0x40);
    /// keyEncipherment.
    pub const KEY_ENCIPHERMENT: Self = Self(0x20);
    /// dataEncipherment.
    pub const DATA_ENCIPHERMENT: Self = Self(0x10);
    /// keyAgreement.
    pub const KEY_AGREEMENT: Self = Self(0x08);
    /// keyCertSign.
    pub const KEY_CERTIFICATE_SIGN: Self = Self(0x04);
    /// cRLSign.
    pub const CRL_SIGN: Self = Self(0x02);
    /// encipherOnly.
    pub const ENCIPHER_ONLY: Self = Self(0x01);
    /// decipherOnly.
    pub const DECIPHER_ONLY: Self = Self(0x8000);
    /// What AD CS gives a CA, 0x86: digitalSignature, keyCertSign, cRLSign.
    pub const AUTHORITY: Self = Self(0x86);

    /// From the octets of pKIKeyUsage ([MS-CRTD]), the low one first: 0xA0 is `A0 00`.
    pub fn from_bits(bits: u16) -> Self {
        Self(bits & 0x80ff)
    }

    /// As Windows writes them: `0xA0`.
    pub fn bits(self) -> u16 {
        self.0
    }

    /// Whether every bit of `other` is set.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both together.
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Without the bits of `other`.
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether no bit is set.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// Key usage, critical. A named bit list: no bits after the last that is set (X.690 §11.2.2).
pub fn key_usage(usage: KeyUsage) -> Extension {
    let [second, first] = usage.bits().to_be_bytes();
    let content = match (first, second) {
        (0, 0) => vec![0],
        // At most seven unused bits.
        (_, 0) => vec![first.trailing_zeros() as u8, first],
        (_, _) => vec![second.trailing_zeros() as u8, first, second],
    };
    Extension::critical(oid::KEY_USAGE, element(BIT_STRING, &[&content]))
}

/// Reads keyUsage's value.
pub fn read_key_usage(value: &[u8]) -> Result<KeyUsage, NotDer> {
    let content = only(value, BIT_STRING)?.content;
    match content {
        [unused @ 0..=7, first] if first & mask(*unused) == 0 => Ok(KeyUsage((*first).into())),
        [7, first, second] if second & 0x7f == 0 => {
            Ok(KeyUsage(u16::from_be_bytes([*second, *first])))
        }
        [0] => Ok(KeyUsage(0)),
        _ => Err(NotDer),
    }
}

fn mask(unused: u8) -> u8 {
    !(0xffu8 << unused)
}

/// Extended key usage, in the order given.
pub fn extended_key_usage(purposes: &[ObjectIdentifier]) -> Extension {
    let each: Vec<u8> = purposes.iter().flat_map(identifier).collect();
    Extension::noncritical(oid::EXTENDED_KEY_USAGE, sequence(&[&each]))
}

/// Reads extKeyUsage's value.
pub fn read_extended_key_usage(value: &[u8]) -> Result<Vec<ObjectIdentifier>, NotDer> {
    let mut elements = only(value, SEQUENCE)?.elements();
    let mut purposes = Vec::new();
    while !elements.is_empty() {
        purposes.push(object_identifier(elements.expect(OBJECT_IDENTIFIER)?)?);
    }
    Ok(purposes)
}

/// Subject key identifier: [`PublicKey::key_identifier`].
pub fn subject_key_identifier(key: &PublicKey) -> Extension {
    let value = element(OCTET_STRING, &[&key.key_identifier()]);
    Extension::noncritical(oid::SUBJECT_KEY_IDENTIFIER, value)
}

/// Authority key identifier: the issuer's *subject* key identifier, and nothing else.
pub fn authority_key_identifier(issuer_key_identifier: &[u8]) -> Extension {
    let value = sequence(&[&element(primitive(0), &[issuer_key_identifier])]);
    Extension::noncritical(oid::AUTHORITY_KEY_IDENTIFIER, value)
}

/// CRL distribution points: one DistributionPoint with every URL as a fullName.
pub fn crl_distribution_points<T: AsRef<str>>(urls: &[T]) -> Extension {
    Extension::noncritical(oid::CRL_DISTRIBUTION_POINTS, distribution_points(urls))
}

pub(super) fn distribution_points<T: AsRef<str>>(urls: &[T]) -> Vec<u8> {
    let names: Vec<u8> =
        urls.iter().flat_map(|url| element(primitive(6), &[url.as_ref().as_bytes()])).collect();
    let full_name = element(constructed(0), &[&names]);
    sequence(&[&sequence(&[&element(constructed(0), &[&full_name])])])
}

/// Authority information access: caIssuers, one AccessDescription a URL.
pub fn authority_information_access<T: AsRef<str>>(urls: &[T]) -> Extension {
    let each = urls.iter().flat_map(|url| {
        let location = element(primitive(6), &[url.as_ref().as_bytes()]);
        sequence(&[&identifier(&oid::CA_ISSUERS), &location])
    });
    let each: Vec<u8> = each.collect();
    Extension::noncritical(oid::AUTHORITY_INFORMATION_ACCESS, sequence(&[&each]))
}

/// Subject alternative name, not critical; see [`critical_subject_alternative_name`].
pub fn subject_alternative_name(names: &[AlternativeName]) -> Extension {
    Extension::noncritical(oid::SUBJECT_ALTERNATIVE_NAME, alternative_name::encode(names))
}

/// Subject alternative name, critical: where the subject is empty (RFC 5280 §4.1.2.6) or the
/// template says so.
pub fn critical_subject_alternative_name(names: &[AlternativeName]) -> Extension {
    Extension::critical(oid::SUBJECT_ALTERNATIVE_NAME, alternative_name::encode(names))
}

/// id-pkix-ocsp-nocheck (RFC 6960 §4.2.2.2.1).
pub fn ocsp_no_check() -> Extension {
    Extension::noncritical(oid::OCSP_NO_CHECK, element(NULL, &[]))
}

/// Basic constraints of an end entity: an empty SEQUENCE, cA being FALSE by default.
pub fn end_entity_basic_constraints() -> Extension {
    Extension::noncritical(oid::BASIC_CONSTRAINTS, sequence(&[]))
}
