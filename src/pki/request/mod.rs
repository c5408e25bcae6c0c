//! Certificate requests (PKCS #10, RFC 2986): parsed whole, possession of the key proven.
//!
//! ```text
//! CertificationRequest     ::= SEQUENCE { certificationRequestInfo, signatureAlgorithm,
//!                                         signature BIT STRING }
//! CertificationRequestInfo ::= SEQUENCE { version INTEGER { v1(0) }, subject Name,
//!                                         subjectPKInfo SubjectPublicKeyInfo,
//!                                         attributes [0] IMPLICIT SET OF Attribute }
//! ```
//! The signature is checked over the bytes as sent. Of the rest only names and hints at a
//! template are read; everything else that a request may ask for is passed over.
//!
//! Not x509-cert's CertReq: it sorts the SETs it reads, refuses attribute types of more than 39
//! octets, and wants attributes where some leave them out.

mod attribute;
mod envelope;

pub(in crate::pki) use attribute::{Attribute, name_value_pair};

use der::asn1::ObjectIdentifier;
use der::{Decode, Sequence};

use super::alternative_name::{AlternativeName, AlternativeNameError};
use super::encoding::{NotDer, Signed, Verbatim};
use super::name::{DistinguishedName, NameError};
use super::public_key::{KeyError, PublicKey};
use super::signature::{SignatureAlgorithm, SignatureError};

/// The largest request read, in octets and in any form.
pub const LARGEST: usize = 64 * 1024;

/// A certificate request whose signature has been verified: its sender has the private key.
#[derive(Clone, Debug)]
pub struct CertificateRequest {
    der: Vec<u8>,
    subject: DistinguishedName,
    public_key: PublicKey,
    alternative_names: Vec<AlternativeName>,
    template_hints: Vec<TemplateHint>,
}

/// What a request says about the template it is meant for. A hint decides nothing; one that
/// contradicts the call is a conflict (CERTSRV_E_TEMPLATE_CONFLICT).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateHint {
    /// A template's cn: extension 1.3.6.1.4.1.311.20.2, or the attribute `CertificateTemplate`.
    Name(String),
    /// A template's OID: extension 1.3.6.1.4.1.311.21.7.
    Identifier(ObjectIdentifier),
}

/// Why something is no certificate request that can be answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Neither PEM nor DER nor base64 of a PKCS #10 request.
    #[error("not a PKCS #10 certificate request in PEM, DER or base64")]
    NotARequest,
    /// More than one PEM block.
    #[error("more than one PEM block: send one certificate request")]
    TwoPemBlocks,
    /// Something follows the request.
    #[error("something follows the certificate request")]
    TrailingBytes,
    /// More than 64 KiB.
    #[error("the certificate request is larger than {LARGEST} octets")]
    TooLarge,
    /// The signature does not fit the key in the request.
    #[error("the request's signature is not by the key it carries: possession is not proven")]
    BadSignature,
    /// A signature or key algorithm that is not taken.
    #[error(
        "the algorithm of the request's signature is not supported: RSA (PKCS #1 or PSS) or ECDSA with SHA-256, SHA-384 or SHA-512"
    )]
    UnsupportedSignatureAlgorithm,
    /// A key that is not certified.
    #[error(transparent)]
    Key(KeyError),
    /// A bad subject.
    #[error("the subject: {0}")]
    BadName(NameError),
    /// A bad alternative name.
    #[error("the alternative names: {0}")]
    BadAlternativeName(AlternativeNameError),
    /// The same extension asked for twice, differently.
    #[error("the request asks for the same extension twice, differently")]
    DuplicateExtension,
}

impl RequestError {
    /// The broken rule as a stable word.
    pub fn slug(&self) -> &'static str {
        match self {
            Self::NotARequest => "not-a-request",
            Self::TwoPemBlocks => "two-pem-blocks",
            Self::TrailingBytes => "trailing-bytes",
            Self::TooLarge => "too-large",
            Self::BadSignature => "bad-signature",
            Self::UnsupportedSignatureAlgorithm => "unsupported-algorithm",
            Self::Key(KeyError::NotAKey) => "bad-key",
            Self::Key(KeyError::UnsupportedAlgorithm { .. }) => "unsupported-algorithm",
            Self::Key(KeyError::TooSmall { .. }) => "key-too-small",
            Self::Key(KeyError::TooLarge { .. }) => "key-too-large",
            Self::Key(KeyError::PointOffCurve | KeyError::CompressedPoint) => "bad-key",
            Self::Key(KeyError::BadExponent | KeyError::KnownWeak(_)) => "weak-key",
            Self::BadName(_) => "bad-name",
            Self::BadAlternativeName(_) => "bad-alternative-name",
            Self::DuplicateExtension => "duplicate-extension",
        }
    }
}

impl From<der::Error> for RequestError {
    fn from(_: der::Error) -> Self {
        Self::NotARequest
    }
}

impl From<NotDer> for RequestError {
    fn from(_: NotDer) -> Self {
        Self::NotARequest
    }
}

impl From<SignatureError> for RequestError {
    fn from(error: SignatureError) -> Self {
        match error {
            SignatureError::UnsupportedAlgorithm => Self::UnsupportedSignatureAlgorithm,
            SignatureError::WrongSignature => Self::BadSignature,
        }
    }
}

/// CertificationRequestInfo.
#[derive(Sequence)]
struct RequestInfo<'a> {
    version: u8,
    subject: Verbatim<'a>,
    key: Verbatim<'a>,
    /// Not optional in RFC 2986, yet left out by some when there are none.
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", default = "Vec::new")]
    attributes: Vec<attribute::Attribute<'a>>,
}

impl CertificateRequest {
    /// Reads PEM (`CERTIFICATE REQUEST` or `NEW CERTIFICATE REQUEST`, one block), DER or bare
    /// base64 of at most 64 KiB, and verifies its signature. The first broken rule is reported.
    pub fn parse(sent: &[u8]) -> Result<Self, RequestError> {
        if sent.len() > LARGEST {
            return Err(RequestError::TooLarge);
        }
        Self::from_der(envelope::open(sent)?.into_owned())
    }

    fn from_der(der: Vec<u8>) -> Result<Self, RequestError> {
        envelope::check_length(&der)?;
        let signed = Signed::from_der(&der)?;
        let info = RequestInfo::from_der(signed.to_be_signed.as_bytes())?;
        let public_key =
            PublicKey::from_spki_der(info.key.as_bytes()).map_err(RequestError::Key)?;
        SignatureAlgorithm::from_der(signed.algorithm.as_bytes())?.verify(
            &public_key,
            signed.to_be_signed.as_bytes(),
            signed.signature()?,
        )?;
        let subject = DistinguishedName::from_der(info.subject.as_bytes())
            .and_then(|name| name.reencoded())
            .map_err(RequestError::BadName)?;
        let mut asked = attribute::Asked::default();
        asked.read(&info.attributes)?;
        let (alternative_names, template_hints) = asked.into_parts()?;
        Ok(Self { subject, public_key, alternative_names, template_hints, der })
    }

    /// The subject asked for, encoded as AD CS encodes it ([`DistinguishedName::reencoded`]).
    pub fn subject(&self) -> &DistinguishedName {
        &self.subject
    }

    /// The key whose possession is proven.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// The alternative names asked for, empty if none.
    pub fn alternative_names(&self) -> &[AlternativeName] {
        &self.alternative_names
    }

    /// The templates the request says it is meant for.
    pub fn template_hints(&self) -> &[TemplateHint] {
        &self.template_hints
    }

    /// The request's DER as sent.
    pub fn der(&self) -> &[u8] {
        &self.der
    }
}

#[cfg(test)]
mod tests;
