//! The certificates in a PKCS #12 file (RFC 7292), of strangers too: keys in it stay shut, and what
//! opening it costs is bounded, for whoever made it chose how often a hash is taken.
//!
//! ```text
//! PFX         ::= SEQUENCE { version INTEGER {v3(3)}, authSafe ContentInfo, macData OPTIONAL }
//! ContentInfo ::= SEQUENCE { contentType OBJECT IDENTIFIER, content [0] EXPLICIT ANY }
//! SafeBag     ::= SEQUENCE { bagId OBJECT IDENTIFIER, bagValue [0] EXPLICIT ANY,
//!                            bagAttributes SET OF PKCS12Attribute OPTIONAL }
//! CertBag     ::= SEQUENCE { certId OBJECT IDENTIFIER, certValue [0] EXPLICIT OCTET STRING }
//! ```
//! The MAC is not looked at: nothing here is believed because it is in the file.

mod password;

use der::asn1::{AnyRef, ObjectIdentifier, OctetStringRef};
use der::{Decode, Sequence};

use crate::pki::encoding::{INTEGER, SEQUENCE, read_header};
use crate::pki::oid;
use password::Costs;

/// Octets of a file at most.
const LARGEST: usize = 256 * 1024;
/// Bags and parts of a file at most.
const MOST_PARTS: usize = 256;

const ENCRYPTED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.6");
const CERTIFICATE_BAG: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.3");
const X509_CERTIFICATE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.22.1");

/// Why there are no certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotOpened {
    /// Not in DER, or not of this shape.
    #[error("it is not PKCS #12 in DER")]
    Malformed,
    /// Too large.
    #[error("it has more than {LARGEST} octets, or more than {MOST_PARTS} parts")]
    TooLarge,
    /// Opening it would take too long.
    #[error(
        "opening it takes more than {} rounds of its key derivation, or more than 64 MiB of memory",
        password::MOST_ROUNDS
    )]
    TooCostly,
    /// Another cipher or key derivation.
    #[error(
        "it is encrypted in a way that is not known here: PBES2 with AES, or SHA-1 with 3DES or RC2-40"
    )]
    UnknownCipher,
    /// The password is another one.
    #[error("the password does not open it")]
    WrongPassword,
}

impl From<der::Error> for NotOpened {
    fn from(_: der::Error) -> Self {
        Self::Malformed
    }
}

#[derive(Sequence)]
struct Pfx<'a> {
    version: u8,
    auth_safe: ContentInfo<'a>,
    mac_data: Option<AnyRef<'a>>,
}

#[derive(Sequence)]
struct ContentInfo<'a> {
    content_type: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    content: AnyRef<'a>,
}

/// EncryptedData (RFC 5652 §8).
#[derive(Sequence)]
struct EncryptedData<'a> {
    version: u8,
    info: EncryptedContentInfo<'a>,
}

#[derive(Sequence)]
struct EncryptedContentInfo<'a> {
    content_type: ObjectIdentifier,
    algorithm: AnyRef<'a>,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", optional = "true")]
    content: Option<&'a OctetStringRef>,
}

#[derive(Sequence)]
struct SafeBag<'a> {
    id: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    value: AnyRef<'a>,
    attributes: Option<AnyRef<'a>>,
}

#[derive(Sequence)]
struct CertificateBag<'a> {
    id: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    value: &'a OctetStringRef,
}

/// Whether it begins as PKCS #12 does.
pub fn is_pkcs12(der: &[u8]) -> bool {
    let Ok((header, _)) = read_header(der) else { return false };
    let inside = der.get(header..).unwrap_or_default();
    der.first() == Some(&SEQUENCE) && inside.starts_with(&[INTEGER, 1, 3])
}

/// The certificates in `file`, each in DER, in their order.
pub fn certificates_from_pkcs12(file: &[u8], password: &str) -> Result<Vec<Vec<u8>>, NotOpened> {
    if file.len() > LARGEST {
        return Err(NotOpened::TooLarge);
    }
    let Pfx { version: 3, auth_safe, .. } = Pfx::from_der(file)? else {
        return Err(NotOpened::Malformed);
    };
    // A file that is signed instead of protected by a password has another type.
    if auth_safe.content_type != oid::CMS_DATA {
        return Err(NotOpened::Malformed);
    }
    let parts = auth_safe.content.decode_as::<&OctetStringRef>()?.as_bytes();
    let mut costs = Costs::default();
    let mut found = Vec::new();
    for part in Vec::<ContentInfo<'_>>::from_der(parts)? {
        if part.content_type == oid::CMS_DATA {
            let bags = part.content.decode_as::<&OctetStringRef>()?;
            collect(bags.as_bytes(), &mut found)?;
        } else if part.content_type == ENCRYPTED_DATA {
            let EncryptedContentInfo { algorithm, content, .. } =
                part.content.decode_as::<EncryptedData<'_>>()?.info;
            let content = content.map(OctetStringRef::as_bytes).unwrap_or_default();
            let bags = password::decrypt(&algorithm, content, password, &mut costs)?;
            // What was decrypted under another password seldom reads.
            collect(&bags, &mut found).map_err(|why| match why {
                NotOpened::Malformed => NotOpened::WrongPassword,
                other => other,
            })?;
        }
    }
    Ok(found)
}

/// Adds the certificates among the bags; bags in bags, which nobody writes, are passed over.
fn collect(bags: &[u8], found: &mut Vec<Vec<u8>>) -> Result<(), NotOpened> {
    let bags = Vec::<SafeBag<'_>>::from_der(bags)?;
    for bag in bags.iter().filter(|bag| bag.id == CERTIFICATE_BAG) {
        let own = bag.value.decode_as::<CertificateBag<'_>>()?;
        if own.id != X509_CERTIFICATE {
            continue;
        }
        if found.len() == MOST_PARTS {
            return Err(NotOpened::TooLarge);
        }
        found.push(own.value.as_bytes().to_vec());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
