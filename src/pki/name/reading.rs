//! A Name taken apart: x509-cert's attributes, in the order in which they stand.

use der::Decode;
use x509_cert::attr::AttributeTypeAndValue;

use crate::pki::encoding::{NotDer, SetInOrder};

/// RelativeDistinguishedName. x509-cert's own would sort the attributes.
pub(super) type RelativeName = SetInOrder<AttributeTypeAndValue>;

/// The relative names of a whole Name; nothing may follow it.
pub(super) fn relative_names(der: &[u8]) -> Result<Vec<RelativeName>, NotDer> {
    let names = Vec::<RelativeName>::from_der(der)?;
    // RelativeDistinguishedName is SIZE (1..MAX).
    if names.iter().any(|name| name.0.is_empty()) { Err(NotDer) } else { Ok(names) }
}
