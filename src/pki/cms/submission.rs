//! What arrives as a certificate request: a PKCS #10, or one with the signatures of others.

use std::borrow::Cow;

use der::asn1::ObjectIdentifier;
use der::{Decode, Header, SliceReader};

use super::{CmsError, SignedRequest, Signer};
use crate::pki::bundle::pem;
use crate::pki::oid;
use crate::pki::request::{CertificateRequest, RequestError};

/// A certificate request in either form; which it is, its bytes say.
#[derive(Clone, Debug)]
pub enum Submission {
    /// PKCS #10.
    Plain(CertificateRequest),
    /// PKCS #10 in SignedData.
    Signed(SignedRequest),
}

/// Why something is neither.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmissionError {
    /// A bad PKCS #10.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// A bad CMS message.
    #[error(transparent)]
    Cms(#[from] CmsError),
}

impl SubmissionError {
    /// The broken rule as a stable word.
    pub fn slug(&self) -> &'static str {
        match self {
            Self::Request(error) => error.slug(),
            Self::Cms(error) => error.slug(),
        }
    }
}

/// What stands before a CMS message in PEM (RFC 7468 §8, §9).
const LABELS: [&str; 3] = ["CMS", "PKCS7", "PKCS #7 SIGNED DATA"];

impl Submission {
    /// Reads DER, PEM or bare base64; of a PKCS #10 as [`CertificateRequest::parse`] does, of a
    /// CMS message (PEM `CMS` or `PKCS7`) as [`SignedRequest::from_der`].
    pub fn parse(sent: &[u8]) -> Result<Self, SubmissionError> {
        // Base64 of a message just within the limit, with its line ends.
        if sent.len() > super::LARGEST * 3 / 2 {
            return Err(CmsError::TooLarge.into());
        }
        match message(sent)? {
            Some(der) => Ok(Self::Signed(SignedRequest::from_der(&der)?)),
            None => Ok(Self::Plain(CertificateRequest::parse(sent)?)),
        }
    }

    /// The PKCS #10.
    pub fn request(&self) -> &CertificateRequest {
        match self {
            Self::Plain(request) => request,
            Self::Signed(signed) => signed.request(),
        }
    }

    /// Who has signed beside the requester.
    pub fn signers(&self) -> &[Signer] {
        match self {
            Self::Plain(_) => &[],
            Self::Signed(signed) => signed.signers(),
        }
    }

    /// For whom the signers ask.
    pub fn requester_name(&self) -> Option<&str> {
        match self {
            Self::Plain(_) => None,
            Self::Signed(signed) => signed.requester_name(),
        }
    }

    /// The DER as sent: what goes on record.
    pub fn der(&self) -> &[u8] {
        match self {
            Self::Plain(request) => request.der(),
            Self::Signed(signed) => signed.der(),
        }
    }

    /// The PEM label of DER that [`Self::der`] gave.
    pub fn label(der: &[u8]) -> &'static str {
        if is_message(der) { "CMS" } else { "CERTIFICATE REQUEST" }
    }
}

/// The DER of a CMS message, if it is one that was sent.
fn message(sent: &[u8]) -> Result<Option<Cow<'_, [u8]>>, SubmissionError> {
    if sent.first() == Some(&0x30) {
        return Ok(is_message(sent).then_some(Cow::Borrowed(sent)));
    }
    let Ok(text) = std::str::from_utf8(sent) else { return Ok(None) };
    if !text.contains("-----BEGIN") {
        let der = pem::decode_base64(text).filter(|der| is_message(der));
        return Ok(der.map(Cow::Owned));
    }
    let Ok((blocks, after)) = pem::read(text) else { return Ok(None) };
    match blocks.as_slice() {
        [block] if !LABELS.contains(&block.label.as_str()) => Ok(None),
        [_] if !after.trim().is_empty() => Err(CmsError::TrailingBytes.into()),
        [block] => Ok(Some(Cow::Owned(block.der.clone()))),
        _ => Ok(None),
    }
}

/// Whether these octets begin as a ContentInfo does: a SEQUENCE, perhaps of indefinite length, and
/// an OID. A CertificationRequest begins with two SEQUENCEs.
fn is_message(der: &[u8]) -> bool {
    if let [0x30, 0x80, rest @ ..] = der {
        return rest.starts_with(&[0x06]);
    }
    let begins = || -> der::Result<ObjectIdentifier> {
        let mut reader = SliceReader::new(der)?;
        Header::decode(&mut reader)?;
        ObjectIdentifier::decode(&mut reader)
    };
    begins().is_ok_and(|kind| oid::CMS_DATA.parent() == kind.parent())
}
