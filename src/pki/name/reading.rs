//! The attributes of a Name, read without copying.

use der::asn1::ObjectIdentifier;

use super::NameError;
use crate::pki::encoding::{
    Element, Elements, NotDer, OBJECT_IDENTIFIER, SEQUENCE, SET, object_identifier, only,
};

/// The attributes of a Name one after another, flat.
pub(super) struct Attributes<'a> {
    sets: Elements<'a>,
    set: Elements<'a>,
}

impl<'a> Attributes<'a> {
    pub(super) fn of(der: &'a [u8]) -> Result<Self, NameError> {
        Ok(Self { sets: only(der, SEQUENCE)?.elements(), set: Elements::of(&[]) })
    }

    fn advance(&mut self) -> Result<(ObjectIdentifier, u8, &'a [u8]), NotDer> {
        if self.set.is_empty() {
            self.set = self.sets.expect(SET)?.elements();
        }
        // An empty SET has no attribute to read: RelativeDistinguishedName is SIZE (1..MAX).
        attribute(self.set.expect(SEQUENCE)?)
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<(ObjectIdentifier, u8, &'a [u8]), NameError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.set.is_empty() && self.sets.is_empty() {
            return None;
        }
        let item = self.advance();
        if item.is_err() {
            (self.sets, self.set) = (Elements::of(&[]), Elements::of(&[]));
        }
        Some(item.map_err(NameError::from))
    }
}

/// `SEQUENCE { type, value }`: the type, the value's tag and its content.
pub(super) fn attribute(entry: Element<'_>) -> Result<(ObjectIdentifier, u8, &[u8]), NotDer> {
    entry.content_of(SEQUENCE)?;
    let mut parts = entry.elements();
    let oid = object_identifier(parts.expect(OBJECT_IDENTIFIER)?)?;
    let value = parts.take()?;
    parts.finish()?;
    Ok((oid, value.tag, value.content))
}
