//! Anybody's certificate.

use std::ops::Range;

use der::Decode;
use der::asn1::ObjectIdentifier;
use x509_cert::certificate::Version;

use super::extension::{
    self, BasicConstraints, DistributionPoint, PresentedExtension, SanUnreadable,
};
use super::key::PresentedKey;
use super::signature::{self, Digest, Fit};
use super::{Unreadable, hex, name_text};
use crate::pki::alternative_name::{self, AlternativeName};
use crate::pki::certificate::parts::TbsParts;
use crate::pki::encoding::{Signed, Verbatim};
use crate::pki::extension::{
    KeyUsage, read_extended_key_usage, read_key_usage, read_policies, read_security_identifier,
};
use crate::pki::name::DistinguishedName;
use crate::pki::oid;
use crate::pki::time::Timestamp;

/// A certificate of whatever version, key, names and extensions. Nothing is proven by it.
#[derive(Clone, PartialEq, Eq)]
pub struct PresentedCertificate {
    der: Vec<u8>,
    tbs: Range<usize>,
    algorithm: Range<usize>,
    issuer: Range<usize>,
    subject: Range<usize>,
    spki: Range<usize>,
    signature: Vec<u8>,
    serial: Vec<u8>,
    version_3: bool,
    not_before: Timestamp,
    not_after: Timestamp,
    extensions: Vec<PresentedExtension>,
}

impl PresentedCertificate {
    /// Reads a whole certificate; nothing may follow it.
    pub fn from_der(der: &[u8]) -> Result<Self, Unreadable> {
        Self::read(der.to_vec()).ok_or(Unreadable("certificate"))
    }

    fn read(der: Vec<u8>) -> Option<Self> {
        let signed = Signed::from_der(&der).ok()?;
        let parts = TbsParts::of(signed.to_be_signed.as_bytes()).ok()?;
        let range = |part: Verbatim<'_>| {
            let from = part.as_bytes().as_ptr() as usize - der.as_ptr() as usize;
            from..from + part.as_bytes().len()
        };
        Some(Self {
            tbs: range(signed.to_be_signed),
            algorithm: range(signed.algorithm),
            issuer: range(parts.issuer),
            subject: range(parts.subject),
            spki: range(parts.key),
            signature: signed.signature().ok()?.to_vec(),
            serial: parts.serial.value().to_vec(),
            version_3: parts.version == Some(Version::V3),
            not_before: Timestamp::from_x509(&parts.validity.not_before),
            not_after: Timestamp::from_x509(&parts.validity.not_after),
            extensions: parts.extensions.iter().map(PresentedExtension::of).collect(),
            der,
        })
    }

    /// The whole certificate.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The issuer's Name, as it stands.
    pub fn issuer_der(&self) -> &[u8] {
        &self.der[self.issuer.clone()]
    }

    /// The subject's Name, as it stands.
    pub fn subject_der(&self) -> &[u8] {
        &self.der[self.subject.clone()]
    }

    /// The issuer as text.
    pub fn issuer_text(&self) -> String {
        name_text(self.issuer_der())
    }

    /// The subject as text.
    pub fn subject_text(&self) -> String {
        name_text(self.subject_der())
    }

    /// The subject, where it keeps to the rules for names.
    pub fn subject(&self) -> Option<DistinguishedName> {
        DistinguishedName::from_der(self.subject_der()).ok()
    }

    /// Whether the subject has no attribute.
    pub fn subject_is_empty(&self) -> bool {
        self.subject_der() == [0x30, 0]
    }

    /// Whether issuer and subject are the same name.
    pub fn is_self_issued(&self) -> bool {
        self.issuer_der() == self.subject_der()
    }

    /// The content octets of the serial number's INTEGER, whatever they are.
    pub fn serial_octets(&self) -> &[u8] {
        &self.serial
    }

    /// The serial number in lower-case hexadecimal.
    pub fn serial_text(&self) -> String {
        hex(&self.serial)
    }

    /// Whether it is of version 3, the only one with extensions.
    pub fn is_version_3(&self) -> bool {
        self.version_3
    }

    /// The first moment of its validity.
    pub fn not_before(&self) -> Timestamp {
        self.not_before
    }

    /// The last moment of its validity.
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// Its SubjectPublicKeyInfo.
    pub fn spki_der(&self) -> &[u8] {
        &self.der[self.spki.clone()]
    }

    /// What kind of key it certifies.
    pub fn key(&self) -> PresentedKey {
        PresentedKey::of(self.spki_der())
    }

    /// What its signature was made over.
    pub fn digest(&self) -> Digest {
        signature::digest(&self.der[self.algorithm.clone()])
    }

    /// Whether `issuer`'s key made its signature.
    pub fn fits(&self, issuer: &Self) -> Fit {
        let algorithm = &self.der[self.algorithm.clone()];
        signature::fits(algorithm, issuer.spki_der(), &self.der[self.tbs.clone()], &self.signature)
    }

    /// Whether it is signed with the key it certifies, under one name.
    pub fn is_self_signed(&self) -> bool {
        self.is_self_issued() && self.fits(self) == Fit::Fits
    }

    /// Its extensions, in their order.
    pub fn extensions(&self) -> &[PresentedExtension] {
        &self.extensions
    }

    fn value(&self, oid: &ObjectIdentifier) -> Option<&[u8]> {
        extension::value(&self.extensions, oid)
    }

    /// keyUsage; `None` where it is not there or does not read.
    pub fn key_usage(&self) -> Option<KeyUsage> {
        read_key_usage(self.value(&oid::KEY_USAGE)?).ok()
    }

    /// extKeyUsage; `None` where it is not there, empty where it does not read.
    pub fn extended_key_usage(&self) -> Option<Vec<ObjectIdentifier>> {
        Some(read_extended_key_usage(self.value(&oid::EXTENDED_KEY_USAGE)?).unwrap_or_default())
    }

    /// Application policies; `None` where they are not there, empty where they do not read.
    pub fn application_policies(&self) -> Option<Vec<ObjectIdentifier>> {
        Some(read_policies(self.value(&oid::APPLICATION_POLICIES)?).unwrap_or_default())
    }

    /// basicConstraints; `None` where they are not there or do not read.
    pub fn basic_constraints(&self) -> Option<BasicConstraints> {
        BasicConstraints::from_der(self.value(&oid::BASIC_CONSTRAINTS)?).ok()
    }

    /// subjectAltName; `None` where there is none.
    pub fn alternative_names(&self) -> Option<Result<Vec<AlternativeName>, SanUnreadable>> {
        let value = self.value(&oid::SUBJECT_ALTERNATIVE_NAME)?;
        Some(alternative_name::decode(value).map_err(|why| SanUnreadable(why.to_string())))
    }

    /// The account's SID out of the extension; `Some(None)` where that is there and does not read.
    pub fn security_identifier(&self) -> Option<Option<String>> {
        Some(read_security_identifier(self.value(&oid::CA_SECURITY)?))
    }

    /// subjectKeyIdentifier.
    pub fn subject_key_identifier(&self) -> Option<Vec<u8>> {
        extension::octets(self.value(&oid::SUBJECT_KEY_IDENTIFIER)?)
    }

    /// The key identifier in authorityKeyIdentifier.
    pub fn authority_key_identifier(&self) -> Option<Vec<u8>> {
        extension::authority_key(self.value(&oid::AUTHORITY_KEY_IDENTIFIER)?)
    }

    /// cRLDistributionPoints; none where it is not there or does not read.
    pub fn crl_distribution_points(&self) -> Vec<DistributionPoint> {
        let value = self.value(&oid::CRL_DISTRIBUTION_POINTS);
        value.map(DistributionPoint::list).unwrap_or_default()
    }

    /// Where freshestCRL says the deltas are.
    pub fn freshest_crl_urls(&self) -> Vec<String> {
        let value = self.value(&oid::FRESHEST_CRL);
        value
            .map(DistributionPoint::list)
            .unwrap_or_default()
            .into_iter()
            .flat_map(|own| own.urls)
            .collect()
    }

    /// Where authorityInfoAccess says the issuer's certificate is.
    pub fn issuer_urls(&self) -> Vec<String> {
        self.access(&oid::CA_ISSUERS)
    }

    /// Where authorityInfoAccess says an OCSP responder is.
    pub fn ocsp_urls(&self) -> Vec<String> {
        self.access(&extension::OCSP)
    }

    fn access(&self, method: &ObjectIdentifier) -> Vec<String> {
        let value = self.value(&oid::AUTHORITY_INFORMATION_ACCESS);
        value.map(|value| extension::access_urls(value, method)).unwrap_or_default()
    }

    /// Whether nobody shall ask for its revocation (RFC 6960 §4.2.2.2.1).
    pub fn is_exempt_from_revocation(&self) -> bool {
        self.value(&oid::OCSP_NO_CHECK).is_some()
    }

    /// SHA-1 of the certificate: how Windows names it.
    pub fn sha1_thumbprint(&self) -> [u8; 20] {
        crate::pki::public_key::key_identifier(&self.der)
    }
}

impl std::fmt::Debug for PresentedCertificate {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "PresentedCertificate({} {})", self.subject_text(), self.serial_text())
    }
}
