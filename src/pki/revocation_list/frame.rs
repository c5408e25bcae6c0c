//! The bytes of a CRL before and after its entries.

use crate::pki::encoding::{
    self, BIT_STRING, SEQUENCE, constructed, element, sequence, time, write_header,
};
use crate::pki::extension::{self, Extension};
use crate::pki::issuer::Issuer;
use crate::pki::signature::SignatureAlgorithm;
use crate::pki::time::Timestamp;

/// A CRL without its entries. The to-be-signed bytes are `header`, the entries (encoded by
/// [`super::CrlEntry::encode`], `entries_length` octets together), `trailer`; a file is
/// [`CrlFrame::outer_header`], those three, [`CrlFrame::signature_trailer`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrlFrame {
    /// TBSCertList up to its first entry.
    pub header: Vec<u8>,
    /// TBSCertList after its last entry: the extensions.
    pub trailer: Vec<u8>,
    /// Octets of TBSCertList in all.
    pub tbs_length: u64,
    algorithm: SignatureAlgorithm,
}

impl CrlFrame {
    /// The frame for entries of `entries_length` octets in all; with none, revokedCertificates is
    /// left out (RFC 5280 §5.1.2.6). Extensions as AD CS has them: AKI (the issuer's *subject*
    /// key identifier), CA version, CRL number, next publish.
    pub fn new(
        issuer: &Issuer,
        algorithm: SignatureAlgorithm,
        number: u64,
        this_update: Timestamp,
        next_update: Timestamp,
        next_publish: Timestamp,
        entries_length: u64,
    ) -> Self {
        let extensions: Vec<u8> = [
            extension::authority_key_identifier(issuer.key_identifier()),
            issuer.ca_version(),
            extension::crl_number(number),
            extension::next_crl_publish(next_publish),
        ]
        .iter()
        .flat_map(Extension::to_der)
        .collect();
        let trailer = element(constructed(0), &[&sequence(&[&extensions])]);

        let mut inner = encoding::integer(1);
        inner.extend_from_slice(algorithm.to_der());
        inner.extend_from_slice(issuer.name().as_der());
        inner.extend_from_slice(&time::encode(this_update));
        inner.extend_from_slice(&time::encode(next_update));
        if entries_length > 0 {
            write_header(&mut inner, SEQUENCE, entries_length);
        }
        let content = inner.len() as u64 + entries_length + trailer.len() as u64;
        let mut header = Vec::with_capacity(inner.len() + 6);
        write_header(&mut header, SEQUENCE, content);
        header.extend_from_slice(&inner);
        let tbs_length = header.len() as u64 + entries_length + trailer.len() as u64;
        Self { header, trailer, tbs_length, algorithm }
    }

    /// What stands before TBSCertList when the signature has `signature_length` octets (ECDSA
    /// signatures differ in length).
    pub fn outer_header(&self, signature_length: usize) -> Vec<u8> {
        let after = self.signature_trailer_length(signature_length);
        let mut header = Vec::with_capacity(6);
        write_header(&mut header, SEQUENCE, self.tbs_length + after);
        header
    }

    /// What stands after TBSCertList: algorithm and signature.
    pub fn signature_trailer(&self, signature: &[u8]) -> Vec<u8> {
        let mut trailer = self.algorithm.to_der().to_vec();
        encoding::write(&mut trailer, BIT_STRING, &[&[0], signature]);
        trailer
    }

    fn signature_trailer_length(&self, signature_length: usize) -> u64 {
        let mut header = Vec::new();
        write_header(&mut header, BIT_STRING, signature_length as u64 + 1);
        (self.algorithm.to_der().len() + header.len() + signature_length + 1) as u64
    }
}
