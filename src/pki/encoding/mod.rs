//! What x509-cert and der do not do with DER (X.690 §8, §10). They encode and decode everything
//! else in this room.
//!
//! - [`Verbatim`]: bytes that must come out as they went in (names, keys, to-be-signed parts) are
//!   cut out of their input. Decoding and encoding them again sorts SETs and drops an explicit
//!   `critical FALSE`, and a signature would no longer fit.
//! - [`SetInOrder`]: a SET OF as others wrote it, unsorted.
//! - [`Signed`]: x509-cert's Certificate, CertReq and CertificateList would each decode what was
//!   signed; here it stays the bytes that were signed.
//! - [`read_header`] and [`write_header`]: a CRL is read and written as a stream, whose lengths are
//!   known before its content is and may be beyond the 256 MiB where der ends; for the serial
//!   numbers alone of a million entries der's reader would take several times as long.

#[cfg(test)]
mod by_hand;

#[cfg(test)]
pub(crate) use by_hand::*;

use der::asn1::BitStringRef;
use der::{Decode, DecodeValue, Encode, EncodeValue, FixedTag, Header};
use der::{Length, Reader, Sequence, Tag, Writer};

/// INTEGER.
pub const INTEGER: u8 = 0x02;
/// BIT STRING.
pub const BIT_STRING: u8 = 0x03;
/// OCTET STRING.
pub const OCTET_STRING: u8 = 0x04;
/// SEQUENCE and SEQUENCE OF.
pub const SEQUENCE: u8 = 0x30;

/// The tag `[number]` of a constructed context-specific element.
pub const fn constructed(number: u8) -> u8 {
    0xa0 | number
}

/// The bytes are not DER of the expected shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not DER of the expected shape")]
pub struct NotDer;

impl From<der::Error> for NotDer {
    fn from(_: der::Error) -> Self {
        Self
    }
}

/// A SEQUENCE exactly as it stands in its input, header and all; what is in it is not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verbatim<'a>(&'a [u8]);

impl<'a> Verbatim<'a> {
    /// Bytes that are known to be one SEQUENCE.
    pub fn of(sequence: &'a [u8]) -> Self {
        Self(sequence)
    }

    /// All of its octets.
    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }
}

impl<'a> Decode<'a> for Verbatim<'a> {
    type Error = der::Error;

    fn decode<R: Reader<'a>>(reader: &mut R) -> der::Result<Self> {
        Tag::peek(reader)?.assert_eq(Tag::Sequence)?;
        reader.tlv_bytes().map(Self)
    }
}

impl Encode for Verbatim<'_> {
    fn encoded_len(&self) -> der::Result<Length> {
        Length::try_from(self.0.len())
    }

    fn encode(&self, writer: &mut impl Writer) -> der::Result<()> {
        writer.write(self.0)
    }
}

impl FixedTag for Verbatim<'_> {
    const TAG: Tag = Tag::Sequence;
}

/// SET OF in the order in which it stands. DER wants it sorted, not everybody sorts it, and der's
/// own type sorts what it reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetInOrder<T>(pub Vec<T>);

impl<'a, T: Decode<'a>> DecodeValue<'a> for SetInOrder<T> {
    type Error = T::Error;

    fn decode_value<R: Reader<'a>>(reader: &mut R, header: Header) -> Result<Self, T::Error> {
        Vec::decode_value(reader, header).map(Self)
    }
}

impl<T: Encode> EncodeValue for SetInOrder<T> {
    fn value_len(&self) -> der::Result<Length> {
        self.0.value_len()
    }

    fn encode_value(&self, writer: &mut impl Writer) -> der::Result<()> {
        self.0.encode_value(writer)
    }
}

impl<T> FixedTag for SetInOrder<T> {
    const TAG: Tag = Tag::Set;
}

/// What a key has signed, as certificates, requests and CRLs are (X.509 §6.1):
///
/// ```text
/// SIGNED{ToBeSigned} ::= SEQUENCE { toBeSigned ToBeSigned,
///                                   algorithmIdentifier AlgorithmIdentifier,
///                                   signature BIT STRING }
/// ```
#[derive(Clone, Copy, Debug, Sequence)]
pub struct Signed<'a> {
    /// The bytes that the signature is over.
    pub to_be_signed: Verbatim<'a>,
    /// AlgorithmIdentifier.
    pub algorithm: Verbatim<'a>,
    signature: BitStringRef<'a>,
}

impl<'a> Signed<'a> {
    /// Of these parts; an error only beyond 256 MiB.
    pub fn new(
        to_be_signed: &'a [u8],
        algorithm: &'a [u8],
        signature: &'a [u8],
    ) -> Result<Self, NotDer> {
        let (to_be_signed, algorithm) = (Verbatim(to_be_signed), Verbatim(algorithm));
        Ok(Self { to_be_signed, algorithm, signature: BitStringRef::from_bytes(signature)? })
    }

    /// The signature's octets; a whole number of them.
    pub fn signature(&self) -> Result<&'a [u8], NotDer> {
        self.signature.as_bytes().ok_or(NotDer)
    }
}

/// Lengths of the identifier-and-length octets and of the content. Minimal definite lengths
/// only (X.690 §10.1), and no tag above 30.
pub fn read_header(bytes: &[u8]) -> Result<(usize, usize), NotDer> {
    let tag = bytes.first().ok_or(NotDer)?;
    if tag & 0x1f == 0x1f {
        return Err(NotDer);
    }
    let first = *bytes.get(1).ok_or(NotDer)?;
    if first < 0x80 {
        return Ok((2, usize::from(first)));
    }
    let octets = usize::from(first & 0x7f);
    if octets == 0 || octets > 4 {
        return Err(NotDer);
    }
    let length = bytes.get(2..2 + octets).ok_or(NotDer)?;
    let value = length.iter().fold(0usize, |value, octet| value << 8 | usize::from(*octet));
    if length[0] == 0 || value < 0x80 {
        return Err(NotDer);
    }
    Ok((2 + octets, value))
}

/// Writes identifier and length octets for content of `length` octets.
pub fn write_header(out: &mut Vec<u8>, tag: u8, length: u64) {
    out.push(tag);
    let octets = length.to_be_bytes();
    let skip = octets.iter().take_while(|octet| **octet == 0).count().min(7);
    let digits = &octets[skip..];
    if length >= 0x80 {
        // At most eight digits.
        out.push(0x80 | digits.len() as u8);
    }
    out.extend_from_slice(digits);
}
