//! The extensions of a request (RFC 6960 §4.4).

use der::Decode;
use der::asn1::OctetStringRef;

use super::BadOcspRequest;
use crate::pki::certificate::parts::ExtensionPart;
use crate::pki::oid;

/// The longest nonce (RFC 9654 §2.1).
const LONGEST_NONCE: usize = 128;

/// The nonce among a request's extensions: the octets of its extnValue, which an answer repeats.
///
/// All others may be passed over, unless they are critical and unknown (RFC 6960 §4.4). Those that
/// are known and change nothing here: AcceptableResponses (everybody takes the basic one),
/// PreferredSignatureAlgorithms (answers are made beforehand), ServiceLocator (nothing is passed on).
pub(super) fn nonce<'a>(
    extensions: &[ExtensionPart<'a>],
) -> Result<Option<&'a [u8]>, BadOcspRequest> {
    let mut found = None;
    for extension in extensions {
        if extension.oid == oid::OCSP_NONCE.as_bytes() {
            if found.is_some() {
                return Err(BadOcspRequest::NonceTwice);
            }
            found = Some(checked(extension.value)?);
        } else if extension.critical && !is_known(extension.oid) {
            return Err(BadOcspRequest::UnknownCriticalExtension);
        }
    }
    Ok(found)
}

/// RFC 9654 §2.1: `Nonce ::= OCTET STRING (SIZE (1..128))`, anything else is a malformed request.
/// RFC 2560 left the encoding open, and some clients still put the bare octets into extnValue:
/// those are measured as they are.
fn checked(value: &[u8]) -> Result<&[u8], BadOcspRequest> {
    let nonce = match <&OctetStringRef>::from_der(value) {
        Ok(nonce) => nonce.as_bytes(),
        Err(_) => value,
    };
    if (1..=LONGEST_NONCE).contains(&nonce.len()) {
        Ok(value)
    } else {
        Err(BadOcspRequest::NonceLength)
    }
}

fn is_known(extension: &[u8]) -> bool {
    let known = [
        oid::OCSP_ACCEPTABLE_RESPONSES,
        oid::OCSP_SERVICE_LOCATOR,
        oid::OCSP_PREFERRED_SIGNATURE_ALGORITHMS,
    ];
    known.iter().any(|own| own.as_bytes() == extension)
}
