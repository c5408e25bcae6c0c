//! A profile: every field of a certificate decided, before it has a serial number and an issuer.

use super::extension::Extension;
use super::name::DistinguishedName;
use super::public_key::PublicKey;
use super::template::OcspUrl;
use super::time::Timestamp;

/// What will be certified. Made by the policy from a template, a request and its requester.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Whom it names; may be empty if there are alternative names (RFC 5280 §4.1.2.6).
    pub subject: DistinguishedName,
    /// Whose key it certifies.
    pub public_key: PublicKey,
    /// The first moment of its validity (whole seconds are written).
    pub not_before: Timestamp,
    /// The last moment of its validity.
    pub not_after: Timestamp,
    /// Whether the template's validity was cut.
    pub validity_cut: ValidityCut,
    /// The extensions in the order in which they are written.
    pub extensions: Vec<ExtensionSlot>,
}

/// Whether a certificate lives as long as its template says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValidityCut {
    /// It does.
    Whole,
    /// It ends earlier, with the CA's own certificate.
    EndsWithAuthority,
}

/// A place in the order of extensions: AD CS puts those that depend on the issuer in the midst.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExtensionSlot {
    /// Decided.
    Fixed(Extension),
    /// The issuer's key identifier.
    AuthorityKeyIdentifier,
    /// The issuer's CRL URLs; left out if it has none.
    CrlDistributionPoints,
    /// The URLs of the issuer's delta CRL; left out unless certificates are to name it.
    FreshestCrl,
    /// The issuer's certificate URLs, and its OCSP URLs where the template includes them; left out
    /// if there are none.
    AuthorityInformationAccess(OcspUrl),
}
