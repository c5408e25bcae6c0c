//! Several certificates in one file: PEM one after another, or PKCS #7 without a message.

pub mod pem;

use super::encoding::{NotDer, SEQUENCE, constructed, element, identifier, only, sequence};
use super::oid;

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
    let certificates = element(constructed(0), &sorted);
    let no_content = sequence(&[&identifier(&oid::CMS_DATA)]);
    let empty_set = [super::encoding::SET, 0];
    let signed_data = sequence(&[&[2, 1, 1], &empty_set, &no_content, &certificates, &empty_set]);
    let content = element(constructed(0), &[&signed_data]);
    sequence(&[&identifier(&oid::CMS_SIGNED_DATA), &content])
}

/// The certificates in SignedData, each in DER, in the order they stand there.
pub fn certificates_from_pkcs7(der: &[u8]) -> Result<Vec<Vec<u8>>, NotDer> {
    let mut outer = only(der, SEQUENCE)?.elements();
    let kind = super::encoding::object_identifier(outer.take()?)?;
    let content = outer.expect(constructed(0))?;
    outer.finish()?;
    if kind != oid::CMS_SIGNED_DATA {
        return Err(NotDer);
    }
    let mut parts = only(content.content, SEQUENCE)?.elements();
    parts.expect(super::encoding::INTEGER)?;
    parts.expect(super::encoding::SET)?;
    parts.expect(SEQUENCE)?;
    let mut list = parts.expect(constructed(0))?.elements();
    let mut certificates = Vec::new();
    while !list.is_empty() {
        certificates.push(list.expect(SEQUENCE)?.whole.to_vec());
    }
    Ok(certificates)
}

#[cfg(test)]
mod tests;
