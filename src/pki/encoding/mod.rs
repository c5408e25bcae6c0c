//! DER (X.690 §8, §10) at the level of tag, length and content.
//!
//! Bytes that must come out as they went in (names, to-be-signed parts) are cut out of their
//! input here, not decoded and encoded again: re-encoding sorts SETs and drops an explicit
//! `critical FALSE`, and a signature would no longer fit. Object identifiers, times and numbers
//! are the `der` crate's.

pub mod time;

use der::asn1::{BitStringRef, ObjectIdentifier};
use der::{Decode, DecodeValue, Encode, EncodeValue, FixedTag, Header};
use der::{Length, Reader, Sequence, Tag, Writer};

/// BOOLEAN.
pub const BOOLEAN: u8 = 0x01;
/// INTEGER.
pub const INTEGER: u8 = 0x02;
/// BIT STRING.
pub const BIT_STRING: u8 = 0x03;
/// OCTET STRING.
pub const OCTET_STRING: u8 = 0x04;
/// NULL.
pub const NULL: u8 = 0x05;
/// OBJECT IDENTIFIER.
pub const OBJECT_IDENTIFIER: u8 = 0x06;
/// ENUMERATED.
pub const ENUMERATED: u8 = 0x0a;
/// UTF8String.
pub const UTF8_STRING: u8 = 0x0c;
/// NumericString.
pub const NUMERIC_STRING: u8 = 0x12;
/// PrintableString.
pub const PRINTABLE_STRING: u8 = 0x13;
/// TeletexString, read as Latin-1 as everybody writes it.
pub const TELETEX_STRING: u8 = 0x14;
/// IA5String.
pub const IA5_STRING: u8 = 0x16;
/// UTCTime.
pub const UTC_TIME: u8 = 0x17;
/// GeneralizedTime.
pub const GENERALIZED_TIME: u8 = 0x18;
/// UniversalString: UCS-4, big-endian.
pub const UNIVERSAL_STRING: u8 = 0x1c;
/// BMPString: UCS-2, big-endian.
pub const BMP_STRING: u8 = 0x1e;
/// SEQUENCE and SEQUENCE OF.
pub const SEQUENCE: u8 = 0x30;
/// SET and SET OF.
pub const SET: u8 = 0x31;

/// The tag `[number]` of a constructed context-specific element.
pub const fn constructed(number: u8) -> u8 {
    0xa0 | number
}

/// The tag `[number]` of a primitive context-specific element.
pub const fn primitive(number: u8) -> u8 {
    0x80 | number
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

/// One element: its tag, its content octets and all of its octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element<'a> {
    /// The identifier octet (only tags below 31 occur in the structures read here).
    pub tag: u8,
    /// The content octets.
    pub content: &'a [u8],
    /// Identifier, length and content octets.
    pub whole: &'a [u8],
}

impl<'a> Element<'a> {
    /// The elements inside.
    pub fn elements(&self) -> Elements<'a> {
        Elements::of(self.content)
    }

    /// The content if the tag is `tag`.
    pub fn content_of(&self, tag: u8) -> Result<&'a [u8], NotDer> {
        if self.tag == tag { Ok(self.content) } else { Err(NotDer) }
    }
}

/// Elements one after another.
#[derive(Clone, Copy, Debug)]
pub struct Elements<'a> {
    rest: &'a [u8],
}

impl<'a> Elements<'a> {
    /// Over `bytes`.
    pub fn of(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next element, if it is there, whatever its tag.
    pub fn take(&mut self) -> Result<Element<'a>, NotDer> {
        let (header, length) = read_header(self.rest)?;
        let end = header.checked_add(length).ok_or(NotDer)?;
        let whole = self.rest.get(..end).ok_or(NotDer)?;
        self.rest = &self.rest[end..];
        Ok(Element { tag: whole[0], content: &whole[header..], whole })
    }

    /// The next element, which must have `tag`.
    pub fn expect(&mut self, tag: u8) -> Result<Element<'a>, NotDer> {
        self.optional(tag)?.ok_or(NotDer)
    }

    /// The next element if it has `tag`; else nothing is taken.
    pub fn optional(&mut self, tag: u8) -> Result<Option<Element<'a>>, NotDer> {
        if self.rest.first() == Some(&tag) { self.take().map(Some) } else { Ok(None) }
    }

    /// That nothing is left.
    pub fn finish(self) -> Result<(), NotDer> {
        if self.rest.is_empty() { Ok(()) } else { Err(NotDer) }
    }
}

/// The one element that `bytes` are, which must have `tag`; nothing may follow it.
pub fn only(bytes: &[u8], tag: u8) -> Result<Element<'_>, NotDer> {
    let mut elements = Elements::of(bytes);
    let element = elements.expect(tag)?;
    elements.finish()?;
    Ok(element)
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

/// An OBJECT IDENTIFIER element's value.
pub fn object_identifier(element: Element<'_>) -> Result<ObjectIdentifier, NotDer> {
    let content = element.content_of(OBJECT_IDENTIFIER)?;
    ObjectIdentifier::from_bytes(content).map_err(|_| NotDer)
}

/// The content of a BIT STRING that is a whole number of octets.
pub fn octet_aligned_bits<'a>(element: Element<'a>) -> Result<&'a [u8], NotDer> {
    match element.content_of(BIT_STRING)?.split_first() {
        Some((0, bits)) => Ok(bits),
        _ => Err(NotDer),
    }
}

/// A non-negative INTEGER element's value, if it fits.
pub fn unsigned(element: Element<'_>) -> Result<u64, NotDer> {
    let content = element.content_of(INTEGER)?;
    let minimal = match content {
        [] => false,
        [0, second, ..] => *second >= 0x80,
        [first, ..] => *first < 0x80,
    };
    let small = content.len() <= 8 || content.len() == 9 && content[0] == 0;
    if !(minimal || content == [0]) || !small {
        return Err(NotDer);
    }
    Ok(content.iter().fold(0, |value, octet| value << 8 | u64::from(*octet)))
}

/// Writes an element made of `parts`.
pub fn write(out: &mut Vec<u8>, tag: u8, parts: &[&[u8]]) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    write_header(out, tag, length as u64);
    parts.iter().for_each(|part| out.extend_from_slice(part));
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

/// An element made of `parts`.
pub fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::with_capacity(8 + parts.iter().map(|part| part.len()).sum::<usize>());
    write(&mut out, tag, parts);
    out
}

/// A SEQUENCE of `parts`.
pub fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(SEQUENCE, parts)
}

/// An OBJECT IDENTIFIER element.
pub fn identifier(oid: &ObjectIdentifier) -> Vec<u8> {
    element(OBJECT_IDENTIFIER, &[oid.as_bytes()])
}

/// A BIT STRING element of whole octets.
pub fn bit_string(octets: &[u8]) -> Vec<u8> {
    element(BIT_STRING, &[&[0], octets])
}

/// An INTEGER element.
pub fn integer(number: u64) -> Vec<u8> {
    let octets = number.to_be_bytes();
    let skip = octets.iter().take_while(|octet| **octet == 0).count().min(7);
    let digits = &octets[skip..];
    let sign: &[u8] = if digits[0] >= 0x80 { &[0] } else { &[] };
    element(INTEGER, &[sign, digits])
}

#[cfg(test)]
mod tests {
    use super::*;
    use der::{Decode, Encode};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn reads_only_what_the_der_crate_reads(bytes: Vec<u8>) {
            if let Ok(element) = Elements::of(&bytes).take() {
                let mut reader = der::SliceReader::new(&bytes).unwrap();
                let any = <der::asn1::AnyRef as der::Decode>::decode(&mut reader);
                if let Ok(any) = any {
                    prop_assert_eq!(any.value(), element.content);
                }
                prop_assert_eq!(self::element(element.tag, &[element.content]), element.whole);
            }
        }

        #[test]
        fn integers_are_the_der_crates(number: u64) {
            let written = integer(number);
            prop_assert_eq!(&written, &number.to_der().unwrap());
            prop_assert_eq!(unsigned(only(&written, INTEGER).unwrap()).unwrap(), number);
        }

        #[test]
        fn long_contents_are_the_der_crates(content in prop::collection::vec(any::<u8>(), 0..70_000)) {
            let written = element(OCTET_STRING, &[&content]);
            let read = der::asn1::OctetString::from_der(&written).unwrap();
            prop_assert_eq!(read.as_bytes(), &content);
            prop_assert_eq!(only(&written, OCTET_STRING).unwrap().content, &content);
        }
    }
}
