//! The signatures of others on a request (`--sign-with`): enrolment agents and whoever else a
//! template wants to have signed. Their keys stay where they are.

use std::path::Path;

use crate::cli::arguments::CoSigning;
use crate::cli::failure::Failure;
use crate::cli::home::{passphrase_file, read_certificates};
use crate::cli::surroundings::now;
use crate::pki::certificate::{Certificate, CertificateError};
use crate::pki::cms::{Signature, UnsignedRequest};
use crate::pki::encoding::NotDer;
use crate::signing::{CaKey as _, FileKey, KeyFileError, SigningError};

/// Why a request is not co-signed.
#[derive(Debug, thiserror::Error)]
pub enum NotSigned {
    /// As many keys as certificates.
    #[error("--sign-with and --sign-key belong together: give as many of the one as of the other")]
    Unpaired,
    /// A certificate that cannot be read.
    #[error("--sign-with {0}: {1}")]
    Certificate(String, CertificateError),
    /// A key that cannot be read.
    #[error("--sign-key: {0}")]
    Key(#[from] KeyFileError),
    /// A key of another certificate.
    #[error("--sign-key {0} is not the key of the certificate in --sign-with {1}")]
    AnotherKey(String, String),
    /// The key refused.
    #[error("--sign-key: {0}")]
    Signing(#[from] SigningError),
    /// Names beyond BMPString, or megabytes.
    #[error(
        "the signed request cannot be encoded: is the account's name in Unicode's basic plane?"
    )]
    NotEncoded(#[from] NotDer),
}

/// The request in SignedData, signed with every pair of certificate and key; `on_behalf_of` as
/// RequesterName among what is signed.
pub(super) fn co_signed(
    request: &[u8],
    with: &CoSigning,
    on_behalf_of: Option<&str>,
) -> Result<Vec<u8>, Failure> {
    if with.sign_with.len() != with.sign_key.len() {
        return Err(NotSigned::Unpaired.into());
    }
    let unsigned = UnsignedRequest { request, requester_name: on_behalf_of, signing_time: now() };
    let passphrase = with.sign_key_passphrase_file.as_deref().map(passphrase_file).transpose()?;
    let mut signatures = Vec::new();
    for (certificate_file, key_file) in with.sign_with.iter().zip(&with.sign_key) {
        let certificate = first_certificate(certificate_file)?;
        let key = FileKey::load(key_file, passphrase.as_ref()).map_err(NotSigned::from)?;
        if certificate.spki_der() != key.spki_der() {
            let shown = |path: &Path| path.display().to_string();
            return Err(NotSigned::AnotherKey(shown(key_file), shown(certificate_file)).into());
        }
        let algorithm = key.algorithm();
        let set = unsigned.to_be_signed(algorithm).map_err(NotSigned::from)?;
        let octets = key.sign(&set).map_err(NotSigned::from)?;
        signatures.push(Signature { certificate, algorithm, octets });
    }
    Ok(unsigned.assemble(&signatures).map_err(NotSigned::from)?)
}

/// The first certificate of a file: what follows is its chain.
fn first_certificate(path: &Path) -> Result<Certificate, Failure> {
    let found = read_certificates(path)?;
    let first = found.first().ok_or_else(|| Failure::NoCertificate(path.to_owned()))?;
    let shown = || path.display().to_string();
    Ok(Certificate::from_der(first).map_err(|error| NotSigned::Certificate(shown(), error))?)
}
