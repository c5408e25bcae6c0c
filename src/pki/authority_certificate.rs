//! What a CA's own key signs first: its certificate, or the request for one.

use super::certificate::sha256;
use super::encoding::{bit_string, constructed, element, integer, sequence, time};
use super::extension::{
    Extension, KeyUsage, authority_basic_constraints, ca_version, key_usage, subject_key_identifier,
};
use super::name::DistinguishedName;
use super::oid;
use super::public_key::PublicKey;
use super::serial::SerialNumber;
use super::signature::{SignatureAlgorithm, SignatureError};
use super::time::Timestamp;

/// The to-be-signed bytes of a root's certificate, as AD CS makes it: key usage, critical basic
/// constraints, subject key identifier and CA version, in this order.
pub fn root_to_be_signed(
    name: &DistinguishedName,
    key: &PublicKey,
    serial: SerialNumber,
    not_before: Timestamp,
    not_after: Timestamp,
    algorithm: SignatureAlgorithm,
) -> Vec<u8> {
    let validity = sequence(&[&time::encode(not_before), &time::encode(not_after)]);
    let extensions: Vec<u8> = extensions(key).iter().flat_map(Extension::to_der).collect();
    sequence(&[
        &element(constructed(0), &[&integer(2)]),
        &element(super::encoding::INTEGER, &[serial.as_der_content()]),
        algorithm.to_der(),
        name.as_der(),
        &validity,
        name.as_der(),
        key.spki_der(),
        &element(constructed(3), &[&sequence(&[&extensions])]),
    ])
}

/// The CertificationRequestInfo by which a subordinate CA asks for its certificate; it asks for
/// the same extensions (RFC 2986 §4.1).
pub fn subordinate_request_info(name: &DistinguishedName, key: &PublicKey) -> Vec<u8> {
    let extensions: Vec<u8> = extensions(key).iter().flat_map(Extension::to_der).collect();
    let values = element(super::encoding::SET, &[&sequence(&[&extensions])]);
    let attribute = sequence(&[&super::encoding::identifier(&oid::EXTENSION_REQUEST), &values]);
    let attributes = element(constructed(0), &[&attribute]);
    sequence(&[&integer(0), name.as_der(), key.spki_der(), &attributes])
}

/// The whole request: the signature over `info` is verified.
pub fn assemble_request(
    info: &[u8],
    key: &PublicKey,
    algorithm: SignatureAlgorithm,
    signature: &[u8],
) -> Result<Vec<u8>, SignatureError> {
    algorithm.verify(key, info, signature)?;
    Ok(sequence(&[info, algorithm.to_der(), &bit_string(signature)]))
}

/// SHA-256 of to-be-signed bytes, for the record that precedes the signature.
pub fn to_be_signed_sha256(tbs: &[u8]) -> [u8; 32] {
    sha256(tbs)
}

fn extensions(key: &PublicKey) -> [Extension; 4] {
    [
        key_usage(KeyUsage::AUTHORITY),
        authority_basic_constraints(None),
        subject_key_identifier(key),
        ca_version(0, 0),
    ]
}
