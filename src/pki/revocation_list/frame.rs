//! The bytes of a CRL before and after its entries.
//!
//! Not x509-cert's TbsCertList: that holds every entry in memory, and der's lengths end at
//! 256 MiB. What is in the frame is theirs.

use der::asn1::{BitStringRef, ContextSpecific};
use der::{Encode, TagMode, TagNumber};
use x509_cert::certificate::Version;

use crate::pki::certificate::parts::ExtensionPart;
use crate::pki::encoding::{BIT_STRING, SEQUENCE, write_header};
use crate::pki::extension;
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

/// What a CRL says of itself, beside issuer and entries.
#[derive(Clone, Copy, Debug)]
pub struct CrlHeading<'a> {
    /// CRL number (RFC 5280 §5.2.3).
    pub number: u64,
    /// When it was issued.
    pub this_update: Timestamp,
    /// Until when the next is due.
    pub next_update: Timestamp,
    /// When the next is to be published ([MS-CSRA]).
    pub next_publish: Timestamp,
    /// The whole list, or what changed.
    pub kind: CrlKind,
    /// Where the delta CRLs are; none: there are none. Not for a delta (RFC 5280 §5.2.6).
    pub freshest_urls: &'a [String],
    /// Of a part of what the issuer has issued: where it is found, among the names that the
    /// certificates have for that (RFC 5280 §5.2.5). None: it is about all of it.
    pub distribution_point_urls: &'a [String],
}

/// The whole list, or what changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrlKind {
    /// Every revoked certificate.
    Complete,
    /// What changed since the complete CRL with this number.
    Delta {
        /// BaseCRLNumber (RFC 5280 §5.2.4).
        base: u64,
    },
}

impl CrlFrame {
    /// The frame for entries of `entries_length` octets in all; with none, revokedCertificates is
    /// left out (RFC 5280 §5.1.2.6). Extensions as AD CS has them: AKI (the issuer's *subject*
    /// key identifier), CA version, CRL number, next publish; in a delta its indicator and virtual
    /// base; in a complete one where the deltas are; in a part its distribution point, critical.
    pub fn new(
        issuer: &Issuer,
        algorithm: SignatureAlgorithm,
        heading: &CrlHeading<'_>,
        entries_length: u64,
    ) -> Self {
        let mut extensions = vec![
            extension::authority_key_identifier(issuer.key_identifier()),
            issuer.ca_version(),
            extension::crl_number(heading.number),
        ];
        if let CrlKind::Delta { base } = heading.kind {
            extensions.push(extension::delta_crl_indicator(base));
            extensions.push(extension::crl_virtual_base(base));
        }
        extensions.push(extension::next_crl_publish(heading.next_publish));
        if heading.kind == CrlKind::Complete && !heading.freshest_urls.is_empty() {
            extensions.push(extension::freshest_crl(heading.freshest_urls));
        }
        if !heading.distribution_point_urls.is_empty() {
            let point = extension::issuing_distribution_point(heading.distribution_point_urls);
            extensions.push(point);
        }
        let value: Vec<ExtensionPart<'_>> = extensions.iter().map(ExtensionPart::from).collect();
        let tagged =
            ContextSpecific { tag_number: TagNumber(0), tag_mode: TagMode::Explicit, value };
        // None of these is near the 256 MiB that could not be encoded.
        let trailer = tagged.to_der().unwrap_or_default();
        let mut inner = Version::V2.to_der().unwrap_or_default();
        inner.extend_from_slice(algorithm.to_der());
        inner.extend_from_slice(issuer.name().as_der());
        for moment in [heading.this_update, heading.next_update] {
            inner.extend(moment.to_x509().to_der().unwrap_or_default());
        }
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
        let bits = BitStringRef::from_bytes(signature).and_then(|bits| bits.to_der());
        trailer.extend(bits.unwrap_or_default());
        trailer
    }

    fn signature_trailer_length(&self, signature_length: usize) -> u64 {
        let mut header = Vec::new();
        write_header(&mut header, BIT_STRING, signature_length as u64 + 1);
        (self.algorithm.to_der().len() + header.len() + signature_length + 1) as u64
    }
}
