//! Several certificates in one file: PEM one after another, PKCS #7 without a message, PKCS #12.

pub mod pem;
mod pkcs12;

use der::asn1::{AnyRef, ObjectIdentifier};
use der::{Decode, Encode, Sequence, Tag};

pub use pkcs12::{NotOpened, certificates_from_pkcs12, is_pkcs12};

use super::encoding::{NotDer, Verbatim};
use super::oid;

/// RFC 5652 §3, of SignedData alone.
///
/// ```text
/// ContentInfo ::= SEQUENCE { contentType OBJECT IDENTIFIER, content [0] EXPLICIT ANY }
/// ```
#[derive(Sequence)]
struct ContentInfo<'a> {
    content_type: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    content: SignedData<'a>,
}

/// RFC 5652 §5.1. Certificates and CRLs are SETs under their IMPLICIT tags; they are kept in the
/// order in which they stand, and as they are.
///
/// ```text
/// SignedData ::= SEQUENCE {
///     version          INTEGER,
///     digestAlgorithms SET OF AlgorithmIdentifier,
///     encapContentInfo SEQUENCE { eContentType OBJECT IDENTIFIER,
///                                 eContent [0] EXPLICIT OCTET STRING OPTIONAL },
///     certificates     [0] IMPLICIT SET OF Certificate OPTIONAL,
///     crls             [1] IMPLICIT SET OF CertificateList OPTIONAL,
///     signerInfos      SET OF SignerInfo }
/// ```
#[derive(Sequence)]
struct SignedData<'a> {
    version: u8,
    digest_algorithms: AnyRef<'a>,
    encapsulated: EncapsulatedContentInfo<'a>,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", constructed = "true", optional = "true")]
    certificates: Option<Vec<Verbatim<'a>>>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", constructed = "true", optional = "true")]
    crls: Option<Vec<Verbatim<'a>>>,
    signer_infos: AnyRef<'a>,
}

#[derive(Sequence)]
struct EncapsulatedContentInfo<'a> {
    content_type: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    content: Option<AnyRef<'a>>,
}

/// Certificates (each in DER) as PEM, one block after another in the order given.
pub fn certificates_to_pem<T: AsRef<[u8]>>(certificates: &[T]) -> String {
    certificates.iter().map(|der| pem::write("CERTIFICATE", der.as_ref())).collect()
}

/// The DER of each certificate in PEM text, in the order of the text. Text between the blocks is
/// passed over; a block with another label, or none at all, is an error.
pub fn certificates_from_pem(text: &str) -> Result<Vec<Vec<u8>>, pem::NotPem> {
    let (blocks, _) = pem::read(text)?;
    let labelled = blocks.into_iter().map(|block| match block.label.as_str() {
        "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => Ok(block.der),
        _ => Err(pem::NotPem),
    });
    let certificates = labelled.collect::<Result<Vec<_>, _>>()?;
    if certificates.is_empty() { Err(pem::NotPem) } else { Ok(certificates) }
}

/// Certificates as degenerate SignedData (RFC 5652 §5.2: no signers, no content), the
/// `application/pkcs7-mime; smime-type=certs-only` of RFC 8551 §3.8.
pub fn certificates_to_pkcs7<T: AsRef<[u8]>>(certificates: &[T]) -> Vec<u8> {
    // A SET OF in DER is sorted (X.690 §11.6).
    let mut sorted: Vec<&[u8]> = certificates.iter().map(AsRef::as_ref).collect();
    sorted.sort_unstable();
    let certificates = sorted.into_iter().map(Verbatim::of).collect();
    let signed = AnyRef::new(Tag::Set, &[]).and_then(|empty_set| {
        let content = SignedData {
            version: 1,
            digest_algorithms: empty_set,
            encapsulated: EncapsulatedContentInfo { content_type: oid::CMS_DATA, content: None },
            certificates: Some(certificates),
            crls: None,
            signer_infos: empty_set,
        };
        ContentInfo { content_type: oid::CMS_SIGNED_DATA, content }.to_der()
    });
    // Only beyond 256 MiB could this fail.
    signed.unwrap_or_default()
}

/// The certificates in SignedData, each in DER, in the order they stand there.
pub fn certificates_from_pkcs7(der: &[u8]) -> Result<Vec<Vec<u8>>, NotDer> {
    let info = ContentInfo::from_der(der)?;
    if info.content_type != oid::CMS_SIGNED_DATA {
        return Err(NotDer);
    }
    let certificates = info.content.certificates.ok_or(NotDer)?;
    Ok(certificates.into_iter().map(|certificate| certificate.as_bytes().to_vec()).collect())
}

#[cfg(test)]
mod tests;
