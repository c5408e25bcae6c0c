//! The extensions of RFC 5280 §4.2 that an end entity's certificate carries.

use der::Decode;
use der::asn1::{BitStringRef, Ia5String, Null, ObjectIdentifier, OctetString};
use der::flagset::FlagSet;
use x509_cert::ext::pkix;
use x509_cert::ext::pkix::crl::dp::DistributionPoint;
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName};

use super::{Extension, value};
use crate::pki::alternative_name::{self, AlternativeName};
use crate::pki::encoding::NotDer;
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
    // x509-cert counts a BIT STRING's bits from the lowest up, Windows from an octet's highest.
    let [second, first] = usage.bits().to_be_bytes().map(u8::reverse_bits);
    let bits = FlagSet::new_truncated(u16::from_be_bytes([second, first]));
    Extension::critical(oid::KEY_USAGE, value(&pkix::KeyUsage(bits)))
}

/// Reads keyUsage's value. Zero bits after the last that is set are tolerated, as others write
/// them.
pub fn read_key_usage(value: &[u8]) -> Result<KeyUsage, NotDer> {
    let bits = BitStringRef::from_der(value)?;
    let padding = !(0xffu8 << bits.unused_bits());
    // Neither is looked at by x509-cert.
    if bits.bit_len() > 9 || bits.raw_bytes().last().is_some_and(|last| last & padding != 0) {
        return Err(NotDer);
    }
    let [second, first] = pkix::KeyUsage::from_der(value)?.0.bits().to_be_bytes();
    Ok(KeyUsage(u16::from_be_bytes([second.reverse_bits(), first.reverse_bits()])))
}

/// Extended key usage, in the order given.
pub fn extended_key_usage(purposes: &[ObjectIdentifier]) -> Extension {
    let purposes = pkix::ExtendedKeyUsage(purposes.to_vec());
    Extension::noncritical(oid::EXTENDED_KEY_USAGE, value(&purposes))
}

/// Reads extKeyUsage's value.
pub fn read_extended_key_usage(value: &[u8]) -> Result<Vec<ObjectIdentifier>, NotDer> {
    Ok(pkix::ExtendedKeyUsage::from_der(value)?.0)
}

/// Subject key identifier: [`PublicKey::key_identifier`].
pub fn subject_key_identifier(key: &PublicKey) -> Extension {
    key_identifier(&key.key_identifier())
}

/// Subject key identifier, as another certificate for the same key has it.
pub fn key_identifier(identifier: &[u8]) -> Extension {
    let identifier = OctetString::new(identifier);
    let value = identifier.map(|octets| value(&pkix::SubjectKeyIdentifier(octets)));
    Extension::noncritical(oid::SUBJECT_KEY_IDENTIFIER, value.unwrap_or_default())
}

/// Authority key identifier: the issuer's *subject* key identifier, and nothing else.
pub fn authority_key_identifier(issuer_key_identifier: &[u8]) -> Extension {
    let key_identifier = OctetString::new(issuer_key_identifier).ok();
    let identifier = pkix::AuthorityKeyIdentifier { key_identifier, ..Default::default() };
    Extension::noncritical(oid::AUTHORITY_KEY_IDENTIFIER, value(&identifier))
}

/// CRL distribution points: one DistributionPoint with every URL as a fullName.
pub fn crl_distribution_points<T: AsRef<str>>(urls: &[T]) -> Extension {
    Extension::noncritical(oid::CRL_DISTRIBUTION_POINTS, distribution_points(urls))
}

pub(super) fn distribution_points<T: AsRef<str>>(urls: &[T]) -> Vec<u8> {
    let point = full_name(urls).map(|name| DistributionPoint {
        distribution_point: Some(name),
        reasons: None,
        crl_issuer: None,
    });
    point.map(|point| value(&pkix::CrlDistributionPoints(vec![point]))).unwrap_or_default()
}

/// The URLs among the fullNames of CRL distribution points or of FreshestCRL.
pub fn read_distribution_points(value: &[u8]) -> Result<Vec<String>, NotDer> {
    let points = pkix::CrlDistributionPoints::from_der(value)?.0;
    Ok(points
        .into_iter()
        .filter_map(|own| own.distribution_point)
        .flat_map(full_name_urls)
        .collect())
}

/// The URLs among the names of a distribution point.
pub(super) fn full_name_urls(name: DistributionPointName) -> Vec<String> {
    let DistributionPointName::FullName(names) = name else { return Vec::new() };
    let urls = names.into_iter().filter_map(|name| match name {
        GeneralName::UniformResourceIdentifier(url) => Some(url.to_string()),
        _ => None,
    });
    urls.collect()
}

/// The URLs as the fullName of a distribution point.
pub(super) fn full_name<T: AsRef<str>>(urls: &[T]) -> der::Result<DistributionPointName> {
    let names = urls.iter().map(|url| uniform_resource_identifier(url.as_ref()));
    Ok(DistributionPointName::FullName(names.collect::<der::Result<_>>()?))
}

fn uniform_resource_identifier(url: &str) -> der::Result<GeneralName> {
    Ok(GeneralName::UniformResourceIdentifier(Ia5String::new(url)?))
}

/// Authority information access, one AccessDescription a URL: caIssuers, then OCSP, as AD CS
/// orders them.
pub fn authority_information_access<T: AsRef<str>>(certificates: &[T], ocsp: &[T]) -> Extension {
    let describe = |(access_method, url): (ObjectIdentifier, &T)| {
        let access_location = uniform_resource_identifier(url.as_ref())?;
        Ok(pkix::AccessDescription { access_method, access_location })
    };
    let certificates = certificates.iter().map(|url| (oid::CA_ISSUERS, url));
    let each = certificates.chain(ocsp.iter().map(|url| (oid::OCSP, url)));
    let descriptions = each.map(describe).collect::<der::Result<_>>();
    let value = descriptions.map(|each| value(&pkix::AuthorityInfoAccessSyntax(each)));
    Extension::noncritical(oid::AUTHORITY_INFORMATION_ACCESS, value.unwrap_or_default())
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
    Extension::noncritical(oid::OCSP_NO_CHECK, value(&Null))
}

/// Basic constraints of an end entity: an empty SEQUENCE, cA being FALSE by default.
pub fn end_entity_basic_constraints() -> Extension {
    let constraints = pkix::BasicConstraints { ca: false, path_len_constraint: None };
    Extension::noncritical(oid::BASIC_CONSTRAINTS, value(&constraints))
}
