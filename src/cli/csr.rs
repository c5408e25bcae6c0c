//! Certificate requests (RFC 2986) on the requester's side, made with rcgen.
//!
//! rcgen keeps a name as a map by attribute type, so `DC=corp,DC=contoso,DC=com` would lose two of
//! three. A name that rcgen does not write octet for octet goes into a request built here.

use rcgen::{CertificateParams, CustomExtension, DistinguishedName as RcgenName, DnType, DnValue};
use rustls::pki_types::PrivatePkcs8KeyDer;

use crate::pki::alternative_name::AlternativeName;
use crate::pki::authority_certificate::{assemble_request, request_info};
use crate::pki::extension::subject_alternative_name;
use crate::pki::name::DistinguishedName;
use crate::pki::oid;
use crate::pki::public_key::{KeyError, PublicKey};
use crate::pki::request::CertificateRequest;
use crate::pki::signature::SignatureError;
use crate::signing::{CaKey as _, FileKey, KeyFileError, SigningError};

/// Why there is no request.
#[derive(Debug, thiserror::Error)]
pub enum RequestNotMade {
    /// The key could not be handed over.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// rcgen refused.
    #[error("the request could not be made: {0}")]
    Rcgen(#[from] rcgen::Error),
    /// The key is none that is certified.
    #[error(transparent)]
    PublicKey(#[from] KeyError),
    /// The key refused.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// The signature just made does not verify.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

/// A request for `subject` and `names`, signed with `key` (DER).
pub fn make_request(
    subject: &DistinguishedName,
    names: &[AlternativeName],
    key: &FileKey,
) -> Result<Vec<u8>, RequestNotMade> {
    let made = by_rcgen(subject, names, key)?;
    let whole = CertificateRequest::parse(&made)
        .is_ok_and(|request| request.subject().as_der() == subject.as_der());
    if whole { Ok(made) } else { by_hand(subject, names, key) }
}

fn by_rcgen(
    subject: &DistinguishedName,
    names: &[AlternativeName],
    key: &FileKey,
) -> Result<Vec<u8>, RequestNotMade> {
    use crate::pki::signature::SignatureAlgorithm;
    let algorithm = match key.algorithm() {
        SignatureAlgorithm::EcdsaSha256 => &rcgen::PKCS_ECDSA_P256_SHA256,
        SignatureAlgorithm::EcdsaSha384 => &rcgen::PKCS_ECDSA_P384_SHA384,
        _ => &rcgen::PKCS_RSA_SHA256,
    };
    let octets = key.to_pkcs8_der()?;
    let octets = PrivatePkcs8KeyDer::from(octets.as_slice());
    let pair = rcgen::KeyPair::from_pkcs8_der_and_sign_algo(&octets, algorithm)?;

    let mut params = CertificateParams::default();
    params.distinguished_name = RcgenName::new();
    for (oid, text) in subject.attributes() {
        let arcs: Vec<u64> = oid.arcs().map(u64::from).collect();
        params.distinguished_name.push(DnType::from_oid(&arcs), value_of(&oid, text)?);
    }
    if !names.is_empty() {
        let extension = subject_alternative_name(names);
        let arcs: Vec<u64> = extension.oid.arcs().map(u64::from).collect();
        let custom = CustomExtension::from_oid_content(&arcs, extension.value);
        params.custom_extensions.push(custom);
    }
    Ok(params.serialize_request(&pair)?.der().to_vec())
}

/// The string types that AD CS uses, as `DistinguishedName` chooses them.
fn value_of(oid: &const_oid::ObjectIdentifier, text: String) -> Result<DnValue, rcgen::Error> {
    if *oid == oid::DOMAIN_COMPONENT || *oid == oid::EMAIL_ADDRESS {
        return Ok(DnValue::Ia5String(text.as_str().try_into()?));
    }
    match rcgen::string::PrintableString::try_from(text.as_str()) {
        Ok(printable) => Ok(DnValue::PrintableString(printable)),
        Err(_) => Ok(DnValue::Utf8String(text)),
    }
}

fn by_hand(
    subject: &DistinguishedName,
    names: &[AlternativeName],
    key: &FileKey,
) -> Result<Vec<u8>, RequestNotMade> {
    let public_key = PublicKey::from_spki_der(key.spki_der())?;
    let extension = (!names.is_empty()).then(|| subject_alternative_name(names));
    let info = request_info(subject, key.spki_der(), extension.as_slice());
    let signature = key.sign(&info)?;
    Ok(assemble_request(&info, &public_key, key.algorithm(), &signature)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signing::KeyKind;

    #[test]
    fn every_name_comes_out_whole_with_every_key() {
        let names = [
            AlternativeName::dns("vpn.contoso.com").unwrap(),
            AlternativeName::dns("10.0.0.1").unwrap(),
            AlternativeName::Ip("10.0.0.1".parse().unwrap()),
            AlternativeName::email("a@contoso.com").unwrap(),
            AlternativeName::user_principal_name("alice@contoso.com").unwrap(),
        ];
        let subjects = [
            "CN=vpn.contoso.com",
            "CN=J\u{fc}rgen,O=Contoso,C=DE",
            "CN=Alice,OU=One,OU=Two,DC=corp,DC=contoso,DC=com",
            "CN=a+OU=b,O=c",
            "",
        ];
        for kind in [KeyKind::Rsa2048, KeyKind::P256, KeyKind::P384] {
            let key = FileKey::generate(kind).unwrap();
            for subject in subjects {
                let subject = DistinguishedName::from_rfc4514(subject).unwrap();
                for names in [&names[..], &[]] {
                    let made = make_request(&subject, names, &key).unwrap();
                    let read = CertificateRequest::parse(&made).unwrap();
                    assert_eq!(read.subject().as_der(), subject.as_der());
                    assert_eq!(read.alternative_names(), names);
                    assert_eq!(read.public_key().spki_der(), key.spki_der());
                }
            }
        }
    }

    #[test]
    fn rcgen_makes_the_ordinary_ones() {
        let key = FileKey::generate(KeyKind::P256).unwrap();
        for subject in ["CN=vpn.contoso.com", "CN=J\u{fc}rgen,O=Contoso,C=DE", ""] {
            let subject = DistinguishedName::from_rfc4514(subject).unwrap();
            let made = by_rcgen(&subject, &[], &key).unwrap();
            let read = CertificateRequest::parse(&made).unwrap();
            assert_eq!(read.subject().as_der(), subject.as_der());
        }
    }
}
