//! The key of any certificate, whoever's it is, read without judging the rest.

use der::asn1::{AnyRef, BitStringRef};
use der::{Decode, Reader, SliceReader};

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
        let mut certificate = within(&mut SliceReader::new(der)?)?;
        let mut reader = within(&mut certificate)?; // TBSCertificate
        if der::Tag::peek(&reader)?.is_context_specific() {
            reader.tlv_bytes()?; // version
        }
        for _before_key in ["serialNumber", "signature", "issuer", "validity", "subject"] {
            reader.tlv_bytes()?;
        }
        let mut info = within(&mut reader)?; // SubjectPublicKeyInfo
        let algorithm = AnyRef::decode(&mut info)?.value();
        let key = BitStringRef::decode(&mut info)?;
        let alone = info.is_finished().then_some(key);
        let octets = alone.and_then(|key| key.as_bytes());
        let octets = octets.ok_or_else(|| der::Tag::BitString.value_error())?;
        Ok(Self { algorithm, octets })
    }
}

/// The inside of what comes next: nothing in it may be longer than its frame says.
fn within<'a>(reader: &mut SliceReader<'a>) -> der::Result<SliceReader<'a>> {
    SliceReader::new(AnyRef::decode(reader)?.value())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Found by fuzzing: the BIT STRING went on past its SubjectPublicKeyInfo.
    #[test]
    fn a_key_longer_than_its_frame_is_refused() {
        const FOUND: &[u8] =
            include_bytes!("../../../fuzz/seeds/client_certificate/key-longer-than-its-frame.der");
        assert!(KeyParts::of_certificate(FOUND).is_err());
    }
}
