//! OCSP (RFC 6960 in its lightweight profile, RFC 9919, formerly RFC 5019; nonce of RFC 9654):
//! what is asked, and the bytes of what is answered.
//!
//! Absent: signatures (they arrive made), the transport (`http/publication/ocsp`), and who knows
//! how a certificate stands (`ca/ocsp`). x509-ocsp is not used: its only release is on another
//! `der`. Begin with [`OcspRequest`]; then `response`, from the inside out.

mod certificate_id;
mod extensions;
mod request;
mod response;

pub use certificate_id::{CertificateId, IssuerHash, IssuerIdentity};
pub use request::{BadOcspRequest, LARGEST_REQUEST, OcspRequest};
pub use response::{
    ResponseStatus, SignedAnswer, Standing, response_data, single_response, successful,
};

#[cfg(test)]
mod tests;
