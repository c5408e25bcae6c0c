//! DER tag by tag, for tests alone: to write what the library would not, and to be the second
//! engine that judges what it writes.

use der::asn1::ObjectIdentifier;

use super::{BIT_STRING, INTEGER, NotDer, SEQUENCE, read_header, write_header};

/// NULL.
pub const NULL: u8 = 0x05;
/// OBJECT IDENTIFIER.
pub const OBJECT_IDENTIFIER: u8 = 0x06;
/// ENUMERATED.
pub const ENUMERATED: u8 = 0x0a;
/// GeneralizedTime.
pub const GENERALIZED_TIME: u8 = 0x18;
/// SET and SET OF.
pub const SET: u8 = 0x31;

/// The tag `[number]` of a primitive context-specific element.
pub const fn primitive(number: u8) -> u8 {
    0x80 | number
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

/// Times as the library writes them.
pub(crate) mod time {
    use der::Encode;

    use crate::pki::time::Timestamp;

    /// A Time: UTCTime until 2049, GeneralizedTime after.
    pub(crate) fn encode(moment: Timestamp) -> Vec<u8> {
        moment.to_x509().to_der().unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::super::OCTET_STRING;
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
