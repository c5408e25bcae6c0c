//! One signature of SignedData (RFC 5652 §5.3–§5.6): by whom, over what, and whether it fits.

use aws_lc_rs::digest;
use const_oid::ObjectIdentifier;
use der::asn1::OctetStringRef;
use der::{Decode, Tag, TagNumber, Tagged};

use super::CmsError;
use super::content::Content;
use super::structure::{Attributes, IssuerAndSerialNumber, SignerInfo};
use crate::pki::certificate::Certificate;
use crate::pki::certificate::parts::TbsParts;
use crate::pki::encoding::{SetInOrder, Verbatim};
use crate::pki::oid;
use crate::pki::public_key::{KeyAlgorithm, PublicKey};
use crate::pki::request::{Attribute, name_value_pair};
use crate::pki::signature::{SignatureAlgorithm, SignatureError};

/// Somebody who has signed a request of another: a certificate with whose key the signature was
/// made. Who issued that certificate, and whether it still holds, is not known here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    pub(super) certificate: Certificate,
    pub(super) requester_name: Option<String>,
}

impl Signer {
    /// The certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The RequesterName in this signature's own signed attributes.
    pub fn requester_name(&self) -> Option<&str> {
        self.requester_name.as_deref()
    }
}

/// A signature that fits.
pub(super) struct Checked {
    /// None for the requester's own, which proves possession once more.
    pub(super) signer: Option<Signer>,
    pub(super) requester_name: Option<String>,
}

/// By whom a signature is.
enum By {
    Holder(Box<Certificate>),
    /// A CMC request's first signature is made with the new key ([MS-WCCE] §3.1.1.4.3.1.3).
    Requester,
}

/// Checks one signature, its certificate being among `certificates`.
pub(super) fn check(
    info: &SignerInfo<'_>,
    content: &Content<'_>,
    certificates: &[Verbatim<'_>],
) -> Result<Checked, CmsError> {
    let by = find(info, content, certificates)?;
    let key = match &by {
        By::Holder(certificate) => {
            certificate.public_key().map_err(|_| CmsError::BadSignerCertificate)?
        }
        By::Requester => content.request.public_key().clone(),
    };
    let signed = info.signed.ok_or(CmsError::NoSignedAttributes)?;
    let set = signed.as_set();
    let attributes = SetInOrder::<Attribute<'_>>::from_der(&set);
    let attributes = attributes.map_err(|_| CmsError::BadAttributes)?;
    let hash = hash_of(info.digest_algorithm.as_bytes())?;
    let kind: ObjectIdentifier = one(&attributes, &oid::CONTENT_TYPE)?
        .map(|value| value.decode_as())
        .transpose()
        .map_err(|_| CmsError::BadAttributes)?
        .ok_or(CmsError::ContentTypeMismatch)?;
    if kind != content.kind {
        return Err(CmsError::ContentTypeMismatch);
    }
    let told: &OctetStringRef = one(&attributes, &oid::MESSAGE_DIGEST)?
        .map(|value| value.decode_as())
        .transpose()
        .map_err(|_| CmsError::BadAttributes)?
        .ok_or(CmsError::MessageDigestMismatch)?;
    if told.as_bytes() != digest::digest(hash, content.octets).as_ref() {
        return Err(CmsError::MessageDigestMismatch);
    }
    let algorithm = algorithm_of(info.signature_algorithm.as_bytes(), hash, &key)?;
    algorithm.verify(&key, &set, info.signature.as_bytes()).map_err(|error| match error {
        SignatureError::UnsupportedAlgorithm => CmsError::UnsupportedAlgorithm,
        SignatureError::WrongSignature => CmsError::BadSignature,
    })?;
    no_unsigned_name(info.unsigned)?;
    let requester_name = requester_name(&attributes)?;
    let signer = match by {
        // Nobody asks for others in his own name.
        By::Requester if requester_name.is_some() => return Err(CmsError::BadRequesterName),
        By::Requester => None,
        By::Holder(certificate) => {
            let requester_name = requester_name.clone();
            Some(Signer { certificate: *certificate, requester_name })
        }
    };
    Ok(Checked { signer, requester_name })
}

/// Finds the key that must have made a signature.
fn find(
    info: &SignerInfo<'_>,
    content: &Content<'_>,
    certificates: &[Verbatim<'_>],
) -> Result<By, CmsError> {
    let read = |der: &Verbatim<'_>| Certificate::from_der(der.as_bytes()).ok();
    let by_key = Tag::ContextSpecific { constructed: false, number: TagNumber(0) };
    let found = match (info.version, info.identifier.tag()) {
        (1, Tag::Sequence) => {
            let named: IssuerAndSerialNumber<'_> =
                info.identifier.decode_as().map_err(|_| CmsError::NotSignedData)?;
            certificates.iter().filter_map(read).find(|own| {
                let tbs = TbsParts::of(own.tbs());
                tbs.is_ok_and(|tbs| tbs.issuer == named.issuer && tbs.serial == named.serial)
            })
        }
        (3, tag) if tag == by_key => {
            let wanted = info.identifier.value();
            let own = certificates
                .iter()
                .filter_map(read)
                .find(|own| key_identifier(own).is_some_and(|identifier| identifier == wanted));
            if own.is_none() && content.request.public_key().key_identifier() == wanted {
                return Ok(By::Requester);
            }
            own
        }
        _ => return Err(CmsError::BadVersion),
    };
    let certificate = found.ok_or(CmsError::SignerCertificateMissing)?;
    Ok(By::Holder(Box::new(certificate)))
}

/// The subject key identifier that stands in a certificate.
fn key_identifier(certificate: &Certificate) -> Option<Vec<u8>> {
    let tbs = TbsParts::of(certificate.tbs()).ok()?;
    let value = tbs.extension(&oid::SUBJECT_KEY_IDENTIFIER)?.value;
    Some(<&OctetStringRef>::from_der(value).ok()?.as_bytes().to_vec())
}

/// id-sha256, id-sha384, id-sha512 without parameters or with NULL (RFC 5754 §2).
fn hash_of(identifier: &[u8]) -> Result<&'static digest::Algorithm, CmsError> {
    let [0x30, length, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, hash, parameters @ ..] =
        identifier
    else {
        return Err(CmsError::UnsupportedAlgorithm);
    };
    match (length, parameters) {
        (11, []) | (13, [5, 0]) => {}
        _ => return Err(CmsError::UnsupportedAlgorithm),
    }
    match hash {
        1 => Ok(&digest::SHA256),
        2 => Ok(&digest::SHA384),
        3 => Ok(&digest::SHA512),
        _ => Err(CmsError::UnsupportedAlgorithm),
    }
}

/// The signature algorithm; a bare rsaEncryption takes its hash from digestAlgorithm (RFC 3370
/// §3.2), every other must be over the same hash.
fn algorithm_of(
    identifier: &[u8],
    hash: &'static digest::Algorithm,
    key: &PublicKey,
) -> Result<SignatureAlgorithm, CmsError> {
    const RSA_ENCRYPTION: &[u8] =
        &[0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 1, 5, 0];
    let algorithm = match (identifier == RSA_ENCRYPTION, key.algorithm()) {
        (true, KeyAlgorithm::Rsa) if *hash == digest::SHA256 => SignatureAlgorithm::Sha256Rsa,
        (true, KeyAlgorithm::Rsa) if *hash == digest::SHA384 => SignatureAlgorithm::Sha384Rsa,
        (true, KeyAlgorithm::Rsa) => SignatureAlgorithm::Sha512Rsa,
        (true, _) => return Err(CmsError::UnsupportedAlgorithm),
        (false, _) => {
            SignatureAlgorithm::from_der(identifier).map_err(|_| CmsError::UnsupportedAlgorithm)?
        }
    };
    if algorithm.digest() == hash { Ok(algorithm) } else { Err(CmsError::UnsupportedAlgorithm) }
}

/// The one value of an attribute that may be there once and has one value (RFC 5652 §11).
fn one<'a>(
    attributes: &'a SetInOrder<Attribute<'a>>,
    kind: &ObjectIdentifier,
) -> Result<Option<der::asn1::AnyRef<'a>>, CmsError> {
    let mut found = attributes.0.iter().filter(|own| own.is(kind));
    let Some(attribute) = found.next() else { return Ok(None) };
    match (attribute.values(), found.next()) {
        ([value], None) => Ok(Some(*value)),
        _ => Err(CmsError::BadAttributes),
    }
}

/// RequesterName among signed attributes: an EnrollmentNameValuePair ([MS-WCCE] §2.2.2.7.10).
fn requester_name(attributes: &SetInOrder<Attribute<'_>>) -> Result<Option<String>, CmsError> {
    let mut names = attributes
        .0
        .iter()
        .filter(|attribute| attribute.is(&oid::NAME_VALUE_PAIR))
        .flat_map(|attribute| attribute.values().iter())
        .filter_map(|value| name_value_pair(*value))
        .filter(|(name, _)| name.eq_ignore_ascii_case("RequesterName"));
    let first = names.next().map(|(_, value)| value);
    if names.next().is_some() || first.as_deref().is_some_and(|name| !is_account_name(name)) {
        return Err(CmsError::BadRequesterName);
    }
    Ok(first)
}

/// `user` or `DOMAIN\user`, of at most 256 characters, none of them invisible.
pub(super) fn is_account_name(name: &str) -> bool {
    !name.is_empty()
        && name.chars().count() <= 256
        && name.trim() == name
        && !name.chars().any(crate::pki::name::is_control)
}

/// Unsigned attributes say nothing that is believed; one that tries is no accident.
fn no_unsigned_name(unsigned: Option<Attributes<'_, 1>>) -> Result<(), CmsError> {
    let Some(unsigned) = unsigned else { return Ok(()) };
    let set = unsigned.as_set();
    let attributes = SetInOrder::<Attribute<'_>>::from_der(&set);
    let attributes = attributes.map_err(|_| CmsError::BadAttributes)?;
    match requester_name(&attributes) {
        Ok(None) => Ok(()),
        Ok(Some(_)) | Err(_) => Err(CmsError::UnsignedRequesterName),
    }
}
