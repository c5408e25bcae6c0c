//! The client certificate in the TLS handshake: asked for, never demanded, and whatever is shown
//! is taken as long as its key signs the handshake (RFC 5246 §7.4.8, RFC 8446 §4.4.3).
//!
//! Absent on purpose: whose certificate it is and whether it counts. A handshake can only break;
//! the authority answers with a reason, and a caller with a token is not disturbed by whatever
//! certificate its machine sends along.

use std::fmt;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, PeerMisbehaved,
    SignatureScheme,
};

use crate::pki::certificate::KeyParts;

/// Asks for a certificate and verifies that its key is held.
pub(super) struct Asking {
    /// The hint which certificates are meant: those that this CA issued.
    acceptable: Vec<DistinguishedName>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Asking {
    /// For certificates issued under these names (DER).
    pub(super) fn new(issuers: &[&[u8]], provider: &CryptoProvider) -> Self {
        Self {
            acceptable: issuers.iter().map(|&name| name.to_vec().into()).collect(),
            algorithms: provider.signature_verification_algorithms,
        }
    }

    /// That the certificate's key made the signature. webpki's own check would first refuse a
    /// certificate for a critical extension unknown to it, and ours may have such.
    fn possession(
        &self,
        message: &[u8],
        certificate: &[u8],
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = self.algorithms.mapping.iter().find(|(scheme, _)| *scheme == signed.scheme);
        let Some((_, candidates)) = known else {
            return Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into());
        };
        let key = KeyParts::of_certificate(certificate)
            .map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))?;
        // TLS 1.2 does not tie a hash to a curve, so a scheme may have several algorithms.
        let verified = candidates
            .iter()
            .filter(|candidate| candidate.public_key_alg_id().as_ref() == key.algorithm)
            .any(|candidate| {
                candidate.verify_signature(key.octets, message, signed.signature()).is_ok()
            });
        match verified {
            true => Ok(HandshakeSignatureValid::assertion()),
            false => Err(Error::InvalidCertificate(CertificateError::BadSignature)),
        }
    }
}

impl fmt::Debug for Asking {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Asking").finish_non_exhaustive()
    }
}

impl ClientCertVerifier for Asking {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.acceptable
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.possession(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        // RFC 8446 §4.2.3: RSASSA-PKCS1-v1_5 signs no TLS 1.3 handshake.
        if matches!(
            signed.scheme,
            SignatureScheme::RSA_PKCS1_SHA256
                | SignatureScheme::RSA_PKCS1_SHA384
                | SignatureScheme::RSA_PKCS1_SHA512
        ) {
            return Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into());
        }
        self.possession(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
