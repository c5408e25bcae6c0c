//! What a CA's own key signs first: its certificate, or the request for one.

use der::asn1::{Any, SetOfVec};
use der::{Encode, Sequence};
use x509_cert::attr::{Attribute, Attributes};
use x509_cert::request::Version;

use super::certificate::parts::TbsParts;
use super::certificate::sha256;
use super::encoding::{Signed, Verbatim};
use super::extension::{
    Extension, KeyUsage, authority_basic_constraints, authority_information_access,
    authority_key_identifier, ca_version, crl_distribution_points, key_identifier, key_usage,
    previous_ca_certificate_hash, subject_key_identifier,
};
use super::issuer::Issuer;
use super::name::DistinguishedName;
use super::oid;
use super::public_key::PublicKey;
use super::serial::SerialNumber;
use super::signature::{SignatureAlgorithm, SignatureError};
use super::time::Timestamp;

/// The place of a CA's certificate among all that the CA has had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Generation {
    /// How many certificates came before it.
    pub certificate_index: u16,
    /// The certificate index at which its key was new.
    pub key_index: u16,
    /// SHA-1 of the certificate that it renews.
    pub previous_sha1: Option<[u8; 20]>,
}

/// The to-be-signed bytes of a root's certificate, as AD CS makes it: key usage, critical basic
/// constraints, subject key identifier, CA version and, where it renews one, the hash of that, in
/// this order.
pub fn root_to_be_signed(
    name: &DistinguishedName,
    key: &PublicKey,
    serial: SerialNumber,
    [not_before, not_after]: [Timestamp; 2],
    algorithm: SignatureAlgorithm,
    generation: Generation,
) -> Vec<u8> {
    let extensions = extensions(key, generation);
    let parts = TbsParts::version_3(
        &serial,
        algorithm.to_der(),
        name.as_der(),
        [not_before, not_after],
        name.as_der(),
        key.spki_der(),
        extensions.iter(),
    );
    // Only beyond 256 MiB could this fail; nothing is no certificate.
    parts.and_then(|parts| parts.to_der()).unwrap_or_default()
}

/// The to-be-signed bytes of a cross-certificate between two keys of one root (RFC 4210 §4.4):
/// `subject`'s key, certified with `issuer`'s. It says where the issuing key's CRL and certificate
/// are, and has no CA version: it is none of the CA's own certificates.
pub fn cross_to_be_signed(
    subject: &Issuer,
    issuer: &Issuer,
    serial: SerialNumber,
    validity: [Timestamp; 2],
    algorithm: SignatureAlgorithm,
) -> Vec<u8> {
    let path_length = subject.path_length().and_then(|length| u8::try_from(length).ok());
    let mut extensions = vec![
        key_usage(KeyUsage::AUTHORITY),
        authority_basic_constraints(path_length),
        // As its own certificate has it, however that was computed.
        key_identifier(subject.key_identifier()),
        authority_key_identifier(issuer.key_identifier()),
    ];
    if !issuer.crl_urls().is_empty() {
        extensions.push(crl_distribution_points(issuer.crl_urls()));
    }
    if !issuer.certificate_urls().is_empty() {
        extensions.push(authority_information_access(issuer.certificate_urls(), &[]));
    }
    let parts = TbsParts::version_3(
        &serial,
        algorithm.to_der(),
        issuer.name().as_der(),
        validity,
        subject.name().as_der(),
        subject.public_key().spki_der(),
        extensions.iter(),
    );
    // As above.
    parts.and_then(|parts| parts.to_der()).unwrap_or_default()
}

/// CertificationRequestInfo (RFC 2986 §4.1) with name and key verbatim.
#[derive(Sequence)]
struct RequestInfo<'a> {
    version: Version,
    subject: Verbatim<'a>,
    key: Verbatim<'a>,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT")]
    attributes: Attributes,
}

/// The CertificationRequestInfo by which a subordinate CA asks for its certificate; it asks for
/// the same extensions (RFC 2986 §4.1).
pub fn subordinate_request_info(
    name: &DistinguishedName,
    key: &PublicKey,
    generation: Generation,
) -> Vec<u8> {
    request_info(name, key.spki_der(), &extensions(key, generation))
}

/// The CertificationRequestInfo that asks for `extensions`; no attribute if there are none.
pub fn request_info(name: &DistinguishedName, spki: &[u8], extensions: &[Extension]) -> Vec<u8> {
    let attributes =
        extensions.iter().map(Extension::to_x509).collect::<der::Result<Vec<_>>>().and_then(
            |list| {
                if list.is_empty() {
                    return Ok(Attributes::default());
                }
                let values = SetOfVec::from_iter([Any::encode_from(&list)?])?;
                SetOfVec::from_iter([Attribute { oid: oid::EXTENSION_REQUEST, values }])
            },
        );
    let info = attributes.and_then(|attributes| {
        let (subject, key) = (Verbatim::of(name.as_der()), Verbatim::of(spki));
        RequestInfo { version: Version::V1, subject, key, attributes }.to_der()
    });
    // As above.
    info.unwrap_or_default()
}

/// The whole request: the signature over `info` is verified.
pub fn assemble_request(
    info: &[u8],
    key: &PublicKey,
    algorithm: SignatureAlgorithm,
    signature: &[u8],
) -> Result<Vec<u8>, SignatureError> {
    algorithm.verify(key, info, signature)?;
    let signed = Signed::new(info, algorithm.to_der(), signature).ok();
    let der = signed.and_then(|signed| signed.to_der().ok());
    // A signature of 256 MiB has not been verified.
    der.ok_or(SignatureError::WrongSignature)
}

/// SHA-256 of to-be-signed bytes, for the record that precedes the signature.
pub fn to_be_signed_sha256(tbs: &[u8]) -> [u8; 32] {
    sha256(tbs)
}

fn extensions(key: &PublicKey, generation: Generation) -> Vec<Extension> {
    let mut extensions = vec![
        key_usage(KeyUsage::AUTHORITY),
        authority_basic_constraints(None),
        subject_key_identifier(key),
        ca_version(generation.certificate_index, generation.key_index),
    ];
    extensions.extend(generation.previous_sha1.as_ref().map(previous_ca_certificate_hash));
    extensions
}
