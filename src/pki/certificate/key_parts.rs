//! The key of any certificate, whoever's it is, read without judging the rest.

use der::asn1::{AnyRef, BitStringRef};
use der::{Decode, Header, Reader, SliceReader};

use super::CertificateError;

/// The two halves of a SubjectPublicKeyInfo (RFC 5280 §4.1.2.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyParts<'a> {
    /// The content of the AlgorithmIdentifier, without its tag and length.
    pub algorithm: &'a [u8],
    /// The octets of the BIT STRING.
    pub octets: &'a [u8],
}

impl<'a> KeyParts<'a> {
    /// Of a certificate of any version and with any extensions, in DER.
    pub fn of_certificate(der: &'a [u8]) -> Result<Self, CertificateError> {
        Self::read(der).map_err(|_| CertificateError::NotACertificate)
    }

    fn read(der: &'a [u8]) -> der::Result<Self> {
        let mut reader = SliceReader::new(der)?;
        Header::decode(&mut reader)?; // Certificate
        Header::decode(&mut reader)?; // TBSCertificate
        if der::Tag::peek(&reader)?.is_context_specific() {
            reader.tlv_bytes()?; // version
        }
        for _before_key in ["serialNumber", "signature", "issuer", "validity", "subject"] {
            reader.tlv_bytes()?;
        }
        Header::decode(&mut reader)?; // SubjectPublicKeyInfo
        let algorithm = AnyRef::decode(&mut reader)?.value();
        let key = BitStringRef::decode(&mut reader)?;
        let octets = key.as_bytes().ok_or_else(|| der::Tag::BitString.value_error())?;
        Ok(Self { algorithm, octets })
    }
}
