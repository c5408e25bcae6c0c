//! The issuer: a CA certificate that may sign certificates and CRLs, with what stands above it.

use std::num::NonZeroU16;

use der::asn1::OctetStringRef;
use der::{Decode, Sequence};
use x509_cert::certificate::Version;

use super::certificate::parts::TbsParts;
use super::certificate::{Certificate, CertificateError};
use super::encoding::NotDer;
use super::extension::{Extension, KeyUsage, ca_version, read_ca_version, read_key_usage};
use super::name::DistinguishedName;
use super::oid;
use super::public_key::{KeyError, PublicKey};
use super::revocation_list::CrlScope;
use super::serial::SerialNumber;
use super::time::Timestamp;

/// A CA as its certificates see it. Its existence proves: version 3, basic constraints with cA,
/// keyCertSign and cRLSign, a subject key identifier, a key that we would certify, and a chain
/// whose names and signatures fit up to a root. Names are the original bytes.
#[derive(Clone, Debug)]
pub struct Issuer {
    certificate: Certificate,
    chain: Vec<Certificate>,
    public_key: PublicKey,
    key_identifier: Vec<u8>,
    forward_name: String,
    ca_version: Option<Extension>,
    path_length: Option<u64>,
    crl_urls: Vec<String>,
    certificate_urls: Vec<String>,
    ocsp_urls: Vec<String>,
    key_index: u16,
    partitions: Vec<Vec<String>>,
    freshest_crl_urls: Vec<String>,
}

/// Why a certificate is not that of a CA that can issue.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssuerError {
    /// No certificate, or one with a bad name.
    #[error("the CA certificate: {0}")]
    Certificate(#[from] CertificateError),
    /// A key that we would not certify.
    #[error("the CA certificate's key: {0}")]
    Key(#[from] KeyError),
    /// Not version 3.
    #[error("the CA certificate is not of version 3")]
    NotVersion3,
    /// No subject, which would be the issuer of everything it signs.
    #[error("the CA certificate has no subject (RFC 5280 §4.1.2.6)")]
    NoSubject,
    /// basicConstraints without cA, or none.
    #[error(
        "the CA certificate's basic constraints do not say that it is a CA (RFC 5280 §4.2.1.9)"
    )]
    NotAnAuthority,
    /// keyUsage without keyCertSign and cRLSign, or none.
    #[error("the CA certificate's key usage lacks keyCertSign or cRLSign (RFC 5280 §4.2.1.3)")]
    MayNotSign,
    /// No subjectKeyIdentifier.
    #[error("the CA certificate has no subject key identifier (RFC 5280 §4.2.1.2)")]
    NoKeyIdentifier,
    /// A certificate of the chain that did not issue the one before it.
    #[error("certificate {position} of the chain did not issue the one before it")]
    ChainBroken {
        /// Its place, counted from 1 after the CA certificate.
        position: usize,
    },
    /// The last certificate is not self-issued.
    #[error("the chain does not end in a root")]
    ChainIncomplete,
}

impl From<NotDer> for IssuerError {
    fn from(_: NotDer) -> Self {
        Self::Certificate(CertificateError::NotACertificate)
    }
}

impl From<der::Error> for IssuerError {
    fn from(_: der::Error) -> Self {
        NotDer.into()
    }
}

impl Issuer {
    /// From the CA certificate's DER, the certificates above it (each in DER, nearest first, the
    /// root last; none for a root) and the URLs for CDP and AIA.
    pub fn new<T: AsRef<[u8]>>(
        certificate: &[u8],
        chain: &[T],
        crl_urls: Vec<String>,
        certificate_urls: Vec<String>,
    ) -> Result<Self, IssuerError> {
        let certificate = Certificate::from_der(certificate)?;
        let parts = TbsParts::of(certificate.tbs())?;
        if parts.version != Some(Version::V3) {
            return Err(IssuerError::NotVersion3);
        }
        if certificate.subject().is_empty() {
            return Err(IssuerError::NoSubject);
        }
        let path_length = authority_path_length(&parts)?;
        if !signs(&parts, KeyUsage::KEY_CERTIFICATE_SIGN.union(KeyUsage::CRL_SIGN)) {
            return Err(IssuerError::MayNotSign);
        }
        let identifier = parts.extension(&oid::SUBJECT_KEY_IDENTIFIER);
        let identifier = identifier.ok_or(IssuerError::NoKeyIdentifier)?;
        let key_identifier = <&OctetStringRef>::from_der(identifier.value)?.as_bytes().to_vec();
        let version = parts.extension(&oid::CA_VERSION);
        let ca_version =
            version.map(|own| Extension::noncritical(oid::CA_VERSION, own.value.to_vec()));
        let public_key = certificate.public_key()?;
        let chain = chain.iter().map(|der| Certificate::from_der(der.as_ref()));
        let chain = chain.collect::<Result<Vec<_>, _>>()?;
        let path_length = check_chain(&certificate, path_length, &chain)?;
        Ok(Self {
            forward_name: certificate.subject().to_forward_string(),
            certificate,
            chain,
            public_key,
            key_identifier,
            ca_version,
            path_length,
            crl_urls,
            certificate_urls,
            ocsp_urls: Vec::new(),
            key_index: 0,
            partitions: Vec::new(),
            freshest_crl_urls: Vec::new(),
        })
    }

    /// The same with an OCSP responder at these URLs, for AIA.
    pub fn with_ocsp_urls(self, ocsp_urls: Vec<String>) -> Self {
        Self { ocsp_urls, ..self }
    }

    /// The same with another of the CA's keys than its first.
    pub fn with_key_index(self, key_index: u16) -> Self {
        Self { key_index, ..self }
    }

    /// The same with this certificate index and key index, where its certificate does not say
    /// them: a parent need not write what it was asked for.
    pub fn numbered(self, certificate_index: u16, key_index: u16) -> Self {
        let ca_version = self.ca_version.or(Some(ca_version(certificate_index, key_index)));
        Self { ca_version, ..self }
    }

    /// The same with what it issues parted among several CRLs: the URLs of each.
    pub fn with_partitions(self, partitions: Vec<Vec<String>>) -> Self {
        Self { partitions, ..self }
    }

    /// The same with the URLs of its delta CRL, for FreshestCRL in certificates.
    pub fn with_freshest_crl_urls(self, freshest_crl_urls: Vec<String>) -> Self {
        Self { freshest_crl_urls, ..self }
    }

    /// The CA certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The CA certificate's DER.
    pub fn certificate_der(&self) -> &[u8] {
        self.certificate.der()
    }

    /// The certificates above it, nearest first, the root last; none if it is a root itself.
    pub fn chain(&self) -> &[Certificate] {
        &self.chain
    }

    /// The root: the last of the chain, or itself.
    pub fn root(&self) -> &Certificate {
        self.chain.last().unwrap_or(&self.certificate)
    }

    /// Its subject, which is the issuer of what it signs.
    pub fn name(&self) -> &DistinguishedName {
        self.certificate.subject()
    }

    /// The same in the order of the encoding: [`DistinguishedName::to_forward_string`].
    pub fn forward_name(&self) -> &str {
        &self.forward_name
    }

    /// Its key.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// Its subject key identifier.
    pub fn key_identifier(&self) -> &[u8] {
        &self.key_identifier
    }

    /// Its CA version, as its CRLs repeat it.
    pub fn ca_version(&self) -> Extension {
        self.ca_version.clone().unwrap_or_else(|| ca_version(0, 0))
    }

    /// Its certificate index and its key index; both 0 where its certificate does not say.
    pub fn version(&self) -> (u16, u16) {
        let version = self.ca_version.as_ref();
        version.and_then(|own| read_ca_version(&own.value)).unwrap_or_default()
    }

    /// Which of the keys that this CA has had here: 0 for its first one, as scopes and names of CRLs
    /// count them. An adopted CA's certificate may count otherwise: see [`Issuer::version`].
    pub fn key_index(&self) -> u16 {
        self.key_index
    }

    /// How many CAs may stand between it and an end entity, by its own certificate and those above
    /// it; no bound if none.
    pub fn path_length(&self) -> Option<u64> {
        self.path_length
    }

    /// The first moment of its validity.
    pub fn not_before(&self) -> Timestamp {
        self.certificate.not_before()
    }

    /// The last moment of its validity, and of everything it issues.
    pub fn not_after(&self) -> Timestamp {
        self.certificate.not_after()
    }

    /// Where its complete CRL is; that is the CDP of certificates which are in no partition.
    pub fn crl_urls(&self) -> &[String] {
        &self.crl_urls
    }

    /// The smallest scope of CRLs that a certificate with this serial number is in. Serial numbers
    /// are random, so partitions fill evenly.
    pub fn scope_of(&self, serial: &SerialNumber) -> CrlScope {
        let count = u16::try_from(self.partitions.len()).unwrap_or(u16::MAX);
        let last = serial.as_der_content().last_chunk().copied().map_or(0, u32::from_be_bytes);
        let place = last.checked_rem(u32::from(count));
        let number = place.and_then(|place| u16::try_from(place + 1).ok());
        CrlScope { key: self.key_index, partition: number.and_then(NonZeroU16::new) }
    }

    /// All scopes of CRLs under its key, the complete one first.
    pub fn scopes(&self) -> impl Iterator<Item = CrlScope> {
        let numbers = (1..).take(self.partitions.len()).map(NonZeroU16::new);
        let key = self.key_index;
        std::iter::once(None).chain(numbers).map(move |partition| CrlScope { key, partition })
    }

    /// Where the CRL of a scope is, for CDP; nothing where that is another key's.
    pub fn crl_urls_of(&self, scope: CrlScope) -> &[String] {
        if scope.key != self.key_index {
            return &[];
        }
        let Some(number) = scope.partition else { return &self.crl_urls };
        let place = usize::from(number.get() - 1);
        self.partitions.get(place).map_or(&[], Vec::as_slice)
    }

    /// Where its delta CRL is, for FreshestCRL in certificates that are in no partition: deltas
    /// are made for the complete CRL, and the scopes of both must agree (RFC 5280 §5.2.4).
    pub fn freshest_crl_urls_of(&self, scope: CrlScope) -> &[String] {
        match scope.partition {
            None => &self.freshest_crl_urls,
            Some(_) => &[],
        }
    }

    /// Where its OCSP responder is, for AIA; nowhere if it has none.
    pub fn ocsp_urls(&self) -> &[String] {
        &self.ocsp_urls
    }

    /// Where its certificate is, for AIA.
    pub fn certificate_urls(&self) -> &[String] {
        &self.certificate_urls
    }
}

/// x509-cert's ends at a path length of 255; other authorities write what they like.
///
/// ```text
/// BasicConstraints ::= SEQUENCE { cA BOOLEAN DEFAULT FALSE,
///                                 pathLenConstraint INTEGER (0..MAX) OPTIONAL }
/// ```
#[derive(Sequence)]
struct BasicConstraints {
    #[asn1(default = "Default::default")]
    authority: bool,
    path_length: Option<u64>,
}

/// pathLenConstraint of a certificate whose basic constraints say cA.
fn authority_path_length(parts: &TbsParts<'_>) -> Result<Option<u64>, IssuerError> {
    let constraints =
        parts.extension(&oid::BASIC_CONSTRAINTS).ok_or(IssuerError::NotAnAuthority)?;
    let constraints = BasicConstraints::from_der(constraints.value)?;
    if constraints.authority {
        Ok(constraints.path_length)
    } else {
        Err(IssuerError::NotAnAuthority)
    }
}

fn signs(parts: &TbsParts<'_>, wanted: KeyUsage) -> bool {
    let usage = parts.extension(&oid::KEY_USAGE);
    usage
        .and_then(|extension| read_key_usage(extension.value).ok())
        .is_some_and(|usage| usage.contains(wanted))
}

/// Names, signatures, cA and path lengths up to a root; how many CAs the whole chain allows below
/// `certificate`. The root's own signature says nothing and is not looked at: old ones are signed
/// with SHA-1.
fn check_chain(
    certificate: &Certificate,
    own_path_length: Option<u64>,
    chain: &[Certificate],
) -> Result<Option<u64>, IssuerError> {
    let mut below = certificate;
    let mut path_length = own_path_length;
    // The number of CAs below a certificate of the chain, down to ours, is its position.
    for (position, above) in (1..).zip(chain) {
        let broken = IssuerError::ChainBroken { position };
        let parts = TbsParts::of(above.tbs())?;
        let longest = authority_path_length(&parts).map_err(|_| broken.clone())?;
        let signed = above.public_key().is_ok_and(|key| below.verify(&key).is_ok());
        if below.issuer() != above.subject() || !signed {
            return Err(broken);
        }
        if let Some(longest) = longest {
            let left = longest.checked_sub(position as u64).ok_or(broken)?;
            path_length = Some(path_length.map_or(left, |own| own.min(left)));
        }
        below = above;
    }
    let root = below.issuer() == below.subject();
    if root { Ok(path_length) } else { Err(IssuerError::ChainIncomplete) }
}

#[cfg(test)]
mod tests;
