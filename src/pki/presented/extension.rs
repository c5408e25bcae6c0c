//! Extensions of anybody's certificates and CRLs, as far as somebody will be told about them.

use der::asn1::{ObjectIdentifier, OctetStringRef};
use der::{Decode, Sequence};
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName};
use x509_cert::ext::pkix::{
    AuthorityInfoAccessSyntax, AuthorityKeyIdentifier, CrlDistributionPoints,
};

use crate::pki::certificate::parts::ExtensionPart;

/// id-ad-ocsp.
pub(super) const OCSP: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1");

/// One extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresentedExtension {
    /// The content octets of its OID, however long.
    pub oid: Vec<u8>,
    /// Whether whoever does not know it must refuse.
    pub critical: bool,
    /// The DER inside the OCTET STRING.
    pub value: Vec<u8>,
}

impl PresentedExtension {
    pub(super) fn of(part: &ExtensionPart<'_>) -> Self {
        Self { oid: part.oid.to_vec(), critical: part.critical, value: part.value.to_vec() }
    }

    /// Its OID in dotted form, or in hexadecimal if it is beyond bounds.
    pub fn oid_text(&self) -> String {
        match ObjectIdentifier::from_bytes(&self.oid) {
            Ok(oid) => oid.to_string(),
            Err(_) => format!("#{}", super::hex(&self.oid)),
        }
    }
}

/// The alternative names cannot be read; holds why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SanUnreadable(pub String);

/// ```text
/// BasicConstraints ::= SEQUENCE { cA BOOLEAN DEFAULT FALSE,
///                                 pathLenConstraint INTEGER (0..MAX) OPTIONAL }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Sequence)]
pub struct BasicConstraints {
    /// cA.
    #[asn1(default = "Default::default")]
    pub authority: bool,
    /// How many CAs may stand between it and an end entity.
    pub path_length: Option<u64>,
}

/// A distribution point (RFC 5280 §4.2.1.13), as far as it names URLs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DistributionPoint {
    /// The URLs of its full name.
    pub urls: Vec<String>,
    /// Whether the CRL there is said to be another's than the certificate's issuer.
    pub names_another_issuer: bool,
}

impl DistributionPoint {
    /// The points in a value of cRLDistributionPoints or freshestCRL; none if it does not read.
    pub(super) fn list(value: &[u8]) -> Vec<Self> {
        let points = CrlDistributionPoints::from_der(value).map(|list| list.0).unwrap_or_default();
        let point = |own: x509_cert::ext::pkix::crl::dp::DistributionPoint| Self {
            urls: own.distribution_point.as_ref().map(full_name_urls).unwrap_or_default(),
            names_another_issuer: own.crl_issuer.is_some(),
        };
        points.into_iter().map(point).collect()
    }
}

/// The URLs among the names of a distribution point.
pub(super) fn full_name_urls(name: &DistributionPointName) -> Vec<String> {
    match name {
        DistributionPointName::FullName(names) => names.iter().filter_map(url).collect(),
        DistributionPointName::NameRelativeToCRLIssuer(_) => Vec::new(),
    }
}

fn url(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::UniformResourceIdentifier(url) => Some(url.as_str().to_owned()),
        _ => None,
    }
}

/// The URLs under one access method of authorityInfoAccess.
pub(super) fn access_urls(value: &[u8], method: &ObjectIdentifier) -> Vec<String> {
    let list = AuthorityInfoAccessSyntax::from_der(value).map(|list| list.0).unwrap_or_default();
    let wanted = list.into_iter().filter(|each| each.access_method == *method);
    wanted.filter_map(|each| url(&each.access_location)).collect()
}

/// The content of an OCTET STRING.
pub(super) fn octets(value: &[u8]) -> Option<Vec<u8>> {
    Some(<&OctetStringRef>::from_der(value).ok()?.as_bytes().to_vec())
}

/// The key identifier in authorityKeyIdentifier's value.
pub(super) fn authority_key(value: &[u8]) -> Option<Vec<u8>> {
    let identifier = AuthorityKeyIdentifier::from_der(value).ok()?.key_identifier?;
    Some(identifier.as_bytes().to_vec())
}

/// The value of the first extension `oid`.
pub(super) fn value<'a>(
    extensions: &'a [PresentedExtension],
    oid: &ObjectIdentifier,
) -> Option<&'a [u8]> {
    let found = extensions.iter().find(|extension| extension.oid == oid.as_bytes())?;
    Some(&found.value)
}
