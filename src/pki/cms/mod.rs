//! Co-signed certificate requests: CMS SignedData (RFC 5652) around a PKCS #10, as enrolment
//! agents make them ([MS-WCCE] §3.2.2.6.2.1.2.1). Every signature of one is checked over the bytes
//! as sent; whose certificates made them, and whether those still hold, is asked elsewhere (the
//! issuer and the register know). Begin with [`SignedRequest`]; `structure` is its ASN.1,
//! `signer` one signature of it, `content` what was signed, `writing` how one is made.

mod content;
mod signer;
mod structure;
mod submission;
mod writing;

pub use signer::Signer;
pub use submission::{Submission, SubmissionError};
pub use writing::{Signature, UnsignedRequest};

use der::Decode;

use super::oid;
use super::request::{CertificateRequest, RequestError};
use content::Content;
use structure::{ContentInfo, SignedData};

/// The largest co-signed request read, in octets of DER.
pub const LARGEST: usize = 256 * 1024;
/// The most signatures that one may carry.
pub const MOST_SIGNERS: usize = 16;
/// The most certificates that one may carry.
const MOST_CERTIFICATES: usize = 64;

/// A certificate request with the signatures of others on it. Its existence proves: one PKCS #10
/// whose possession is proven, and at least one signature besides, each of them good over the
/// content and made with the key of a certificate that came along.
#[derive(Clone, Debug)]
pub struct SignedRequest {
    der: Vec<u8>,
    request: CertificateRequest,
    signers: Vec<Signer>,
    requester_name: Option<String>,
}

/// Why something is no co-signed request that can be answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CmsError {
    /// More than 256 KiB.
    #[error("the CMS message is larger than {LARGEST} octets")]
    TooLarge,
    /// BER of indefinite length, as streaming programs write it.
    #[error(
        "the CMS message is BER of indefinite length: send DER (openssl cms without -stream and -indef)"
    )]
    NotDer,
    /// Not a ContentInfo with SignedData.
    #[error("not a CMS ContentInfo with SignedData in DER (RFC 5652 §5)")]
    NotSignedData,
    /// Something follows it.
    #[error("something follows the CMS message")]
    TrailingBytes,
    /// A version that RFC 5652 §5.1 or §5.3 does not have.
    #[error(
        "the version of SignedData is 1 or 3, that of SignerInfo 1 with an issuer and serial number and 3 with a key identifier (RFC 5652 §5)"
    )]
    BadVersion,
    /// No eContent.
    #[error("the signature is detached: send the request inside (openssl cms -nodetach)")]
    Detached,
    /// A content of another type.
    #[error(
        "the content is neither a PKCS #10 request (id-data) nor a CMC request (id-cct-PKIData)"
    )]
    UnknownContent,
    /// SignedData in SignedData.
    #[error("the content is itself a CMS message: one layer is read")]
    Nested,
    /// A CMC message that is more than one PKCS #10 request.
    #[error(
        "a CMC request holds exactly one tagged PKCS #10 request, and no nested messages (RFC 5272 §3.2.1)"
    )]
    BadCmc,
    /// What is inside is no certificate request.
    #[error("the request inside the CMS message: {0}")]
    Request(#[from] RequestError),
    /// No SignerInfo.
    #[error("nobody but the requester has signed the CMS message")]
    NoSigner,
    /// More than sixteen.
    #[error("more than {MOST_SIGNERS} signatures")]
    TooManySigners,
    /// More than sixty-four.
    #[error("more than {MOST_CERTIFICATES} certificates")]
    TooManyCertificates,
    /// A SignerInfo whose certificate is not among those that came along.
    #[error("the certificate of a signer did not come along (openssl cms without -nocerts)")]
    SignerCertificateMissing,
    /// A signer's certificate that cannot be read, or whose key is not taken.
    #[error("the certificate of a signer cannot be read, or its key is none that is taken here")]
    BadSignerCertificate,
    /// No signed attributes: what was signed could be taken for something else.
    #[error("a signature without signed attributes is not taken (openssl cms without -noattr)")]
    NoSignedAttributes,
    /// Signed attributes that are no set of attributes, or one of them twice.
    #[error("the signed attributes are malformed, or one is there twice (RFC 5652 §5.3, §11)")]
    BadAttributes,
    /// content-type is missing or another than the content's.
    #[error("the signed attribute content-type is not that of the content (RFC 5652 §11.1)")]
    ContentTypeMismatch,
    /// message-digest is missing or another than the content's.
    #[error("the signed attribute message-digest is not that of the content (RFC 5652 §11.2)")]
    MessageDigestMismatch,
    /// A digest or signature algorithm that is not taken, or that do not belong together.
    #[error(
        "a signer's algorithms: RSA or ECDSA with SHA-256, SHA-384 or SHA-512, the same in both places"
    )]
    UnsupportedAlgorithm,
    /// A signature that does not fit.
    #[error(
        "a signature of the CMS message is not by its certificate's key over the signed attributes"
    )]
    BadSignature,
    /// RequesterName where nobody signed it.
    #[error("RequesterName stands in unsigned attributes, where anybody could have put it")]
    UnsignedRequesterName,
    /// RequesterName malformed, or different in two places.
    #[error("RequesterName is malformed, or another in one signature than in the next")]
    BadRequesterName,
}

impl CmsError {
    /// The broken rule as a stable word.
    pub fn slug(&self) -> &'static str {
        match self {
            Self::TooLarge => "cms-too-large",
            Self::NotDer => "cms-not-der",
            Self::NotSignedData => "cms-not-signed-data",
            Self::TrailingBytes => "cms-trailing-bytes",
            Self::BadVersion => "cms-bad-version",
            Self::Detached => "cms-detached",
            Self::UnknownContent => "cms-unknown-content",
            Self::Nested => "cms-nested",
            Self::BadCmc => "cms-bad-cmc",
            Self::Request(error) => error.slug(),
            Self::NoSigner => "cms-no-signer",
            Self::TooManySigners => "cms-too-many-signers",
            Self::TooManyCertificates => "cms-too-many-certificates",
            Self::SignerCertificateMissing => "cms-signer-certificate-missing",
            Self::BadSignerCertificate => "cms-bad-signer-certificate",
            Self::NoSignedAttributes => "cms-no-signed-attributes",
            Self::BadAttributes => "cms-bad-attributes",
            Self::ContentTypeMismatch => "cms-content-type-mismatch",
            Self::MessageDigestMismatch => "cms-message-digest-mismatch",
            Self::UnsupportedAlgorithm => "cms-unsupported-algorithm",
            Self::BadSignature => "cms-bad-signature",
            Self::UnsignedRequesterName => "cms-unsigned-requester-name",
            Self::BadRequesterName => "cms-bad-requester-name",
        }
    }
}

impl SignedRequest {
    /// Reads the DER of a ContentInfo and checks every signature. The first broken rule is
    /// reported.
    pub fn from_der(der: &[u8]) -> Result<Self, CmsError> {
        if der.len() > LARGEST {
            return Err(CmsError::TooLarge);
        }
        let signed_data = open(der)?;
        if !matches!(signed_data.version, 1 | 3) {
            return Err(CmsError::BadVersion);
        }
        if signed_data.signers.0.len() > MOST_SIGNERS {
            return Err(CmsError::TooManySigners);
        }
        let certificates = signed_data.certificates.as_deref().unwrap_or_default();
        if certificates.len() > MOST_CERTIFICATES {
            return Err(CmsError::TooManyCertificates);
        }
        let content = Content::read(&signed_data.encapsulated)?;
        let mut signers = Vec::new();
        let mut names = Vec::new();
        names.extend(content.requester_name.clone());
        for info in &signed_data.signers.0 {
            let checked = signer::check(info, &content, certificates)?;
            names.extend(checked.requester_name);
            signers.extend(checked.signer);
        }
        if signers.is_empty() {
            return Err(CmsError::NoSigner);
        }
        let requester_name = agreed(names)?;
        Ok(Self { der: der.to_vec(), request: content.request, signers, requester_name })
    }

    /// The request inside.
    pub fn request(&self) -> &CertificateRequest {
        &self.request
    }

    /// Who has signed beside the requester, in the order of the message; one or more.
    pub fn signers(&self) -> &[Signer] {
        &self.signers
    }

    /// For whom the signers ask, `DOMAIN\user` (the name-value pair `RequesterName`, signed).
    pub fn requester_name(&self) -> Option<&str> {
        self.requester_name.as_deref()
    }

    /// The message as sent.
    pub fn der(&self) -> &[u8] {
        &self.der
    }
}

/// The SignedData inside a ContentInfo.
fn open(der: &[u8]) -> Result<SignedData<'_>, CmsError> {
    if der.get(1) == Some(&0x80) {
        return Err(CmsError::NotDer);
    }
    let (header, length) =
        super::encoding::read_header(der).map_err(|_| CmsError::NotSignedData)?;
    match header.saturating_add(length).cmp(&der.len()) {
        std::cmp::Ordering::Less => return Err(CmsError::TrailingBytes),
        std::cmp::Ordering::Equal => {}
        std::cmp::Ordering::Greater => return Err(CmsError::NotSignedData),
    }
    let info = ContentInfo::from_der(der).map_err(|_| CmsError::NotSignedData)?;
    if info.content_type != oid::CMS_SIGNED_DATA {
        return Err(CmsError::NotSignedData);
    }
    info.content.decode_as().map_err(|_| CmsError::NotSignedData)
}

/// The one name that every place which names one has.
fn agreed(names: Vec<String>) -> Result<Option<String>, CmsError> {
    let mut names = names.into_iter();
    let Some(first) = names.next() else { return Ok(None) };
    if names.any(|other| !other.eq_ignore_ascii_case(&first)) {
        return Err(CmsError::BadRequesterName);
    }
    Ok(Some(first))
}

#[cfg(test)]
mod tests;
