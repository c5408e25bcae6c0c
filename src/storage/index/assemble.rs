//! A certificate out of what the ledger keeps of it: the reserved bytes and the signature.

use der::{Decode, Encode, Header, Reader, SliceReader};

/// ```text
/// Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signature BIT STRING }
/// ```
/// The outer algorithm is the one inside `tbsCertificate` (RFC 5280 §4.1.1.2). `None` where the
/// bytes are no TBSCertificate.
pub fn certificate(tbs: &[u8], signature: &[u8]) -> Option<Vec<u8>> {
    let algorithm = algorithm(tbs).ok()?;
    let bit_string = der::asn1::BitStringRef::from_bytes(signature).ok()?.to_der().ok()?;
    let length = tbs.len() + algorithm.len() + bit_string.len();
    let header = Header::new(der::Tag::Sequence, der::Length::try_from(length).ok()?);
    let mut out = header.to_der().ok()?;
    out.reserve(length);
    out.extend_from_slice(tbs);
    out.extend_from_slice(algorithm);
    out.extend_from_slice(&bit_string);
    Some(out)
}

fn algorithm(tbs: &[u8]) -> der::Result<&[u8]> {
    let mut fields = SliceReader::new(tbs)?;
    Header::decode(&mut fields)?;
    let first = fields.tlv_bytes()?;
    // version [0], where it is there, stands before serialNumber.
    if first.first() == Some(&0xa0) {
        fields.tlv_bytes()?;
    }
    fields.tlv_bytes()
}
