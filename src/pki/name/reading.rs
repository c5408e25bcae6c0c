//! A Name taken apart, borrowed, in the order in which it stands.

use der::asn1::{AnyRef, ObjectIdentifier};
use der::{Decode, Sequence};
use x509_cert::attr::AttributeTypeAndValue;

use crate::pki::encoding::{NotDer, SetInOrder};

/// AttributeTypeAndValue. x509-cert's own copies its value, and names are read often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Sequence)]
pub(super) struct AttributeRef<'a> {
    pub(super) oid: ObjectIdentifier,
    pub(super) value: AnyRef<'a>,
}

impl<'a> From<&'a AttributeTypeAndValue> for AttributeRef<'a> {
    fn from(attribute: &'a AttributeTypeAndValue) -> Self {
        Self { oid: attribute.oid, value: AnyRef::from(&attribute.value) }
    }
}

/// RelativeDistinguishedName. x509-cert's own would sort the attributes.
pub(super) type RelativeName<'a> = SetInOrder<AttributeRef<'a>>;

/// The relative names of a whole Name; nothing may follow it.
pub(super) fn relative_names(der: &[u8]) -> Result<Vec<RelativeName<'_>>, NotDer> {
    let names = Vec::<RelativeName<'_>>::from_der(der)?;
    // RelativeDistinguishedName is SIZE (1..MAX).
    if names.iter().any(|name| name.0.is_empty()) { Err(NotDer) } else { Ok(names) }
}
