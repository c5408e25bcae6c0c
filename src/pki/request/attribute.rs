//! The attributes of a request (RFC 2985 §5.4.2, [MS-WCCE] §2.2.2.7): alternative names and
//! hints at a template are taken, everything else is passed over unread.

use der::Sequence;
use der::asn1::{AnyRef, BmpString, ObjectIdentifier};

use super::{RequestError, TemplateHint};
use crate::pki::alternative_name::{self, AlternativeName};
use crate::pki::certificate::parts::ExtensionPart;
use crate::pki::encoding::SetInOrder;
use crate::pki::extension::{read_template_information, read_template_name};
use crate::pki::oid;

/// `SEQUENCE { type OBJECT IDENTIFIER, values SET OF ANY }`. Types are compared as octets, so
/// that one of any length is passed over.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(in crate::pki) struct Attribute<'a> {
    kind: AnyRef<'a>,
    values: SetInOrder<AnyRef<'a>>,
}

impl<'a> Attribute<'a> {
    /// Whether it is of this type.
    pub(in crate::pki) fn is(&self, kind: &ObjectIdentifier) -> bool {
        self.kind.value() == kind.as_bytes()
    }

    /// Its values.
    pub(in crate::pki) fn values(&self) -> &[AnyRef<'a>] {
        &self.values.0
    }
}

/// An EnrollmentNameValuePair ([MS-WCCE] §2.2.2.7.10): `SEQUENCE { name BMPString, value BMPString }`.
#[derive(Sequence)]
struct NameValuePair {
    name: BmpString,
    value: BmpString,
}

/// What the attributes of a request ask for.
#[derive(Default)]
pub(super) struct Asked<'a> {
    alternative_names: Option<&'a [u8]>,
    hints: Vec<TemplateHint>,
}

impl<'a> Asked<'a> {
    /// Reads what is known among `attributes`.
    pub(super) fn read(&mut self, attributes: &[Attribute<'a>]) -> Result<(), RequestError> {
        for attribute in attributes {
            let kind = attribute.kind.value();
            let extensions = kind == oid::EXTENSION_REQUEST.as_bytes()
                || kind == oid::CERTIFICATE_EXTENSIONS.as_bytes();
            for value in &attribute.values.0 {
                if extensions {
                    self.read_extensions(*value)?;
                } else if kind == oid::NAME_VALUE_PAIR.as_bytes() {
                    self.hints.extend(template_attribute(*value));
                }
            }
        }
        Ok(())
    }

    /// The alternative names and the hints.
    pub(super) fn into_parts(
        self,
    ) -> Result<(Vec<AlternativeName>, Vec<TemplateHint>), RequestError> {
        let names = self.alternative_names.map(alternative_name::decode).transpose();
        Ok((names.map_err(RequestError::BadAlternativeName)?.unwrap_or_default(), self.hints))
    }

    fn read_extensions(&mut self, list: AnyRef<'a>) -> Result<(), RequestError> {
        for ExtensionPart { oid: kind, value, .. } in list.decode_as::<Vec<ExtensionPart<'a>>>()? {
            if kind == oid::SUBJECT_ALTERNATIVE_NAME.as_bytes() {
                match self.alternative_names.replace(value) {
                    Some(earlier) if earlier != value => {
                        return Err(RequestError::DuplicateExtension);
                    }
                    _ => {}
                }
            } else if kind == oid::TEMPLATE_NAME.as_bytes() {
                self.hints.extend(read_template_name(value).map(TemplateHint::Name));
            } else if kind == oid::TEMPLATE_INFORMATION.as_bytes() {
                self.hints.extend(read_template_information(value).map(TemplateHint::Identifier));
            }
        }
        Ok(())
    }
}

/// The template's name in a pair called `CertificateTemplate`.
fn template_attribute(pair: AnyRef<'_>) -> Option<TemplateHint> {
    let (name, value) = name_value_pair(pair)?;
    name.eq_ignore_ascii_case("CertificateTemplate").then_some(TemplateHint::Name(value))
}

/// Name and value of an EnrollmentNameValuePair.
pub(in crate::pki) fn name_value_pair(pair: AnyRef<'_>) -> Option<(String, String)> {
    let pair = pair.decode_as::<NameValuePair>().ok()?;
    Some((pair.name.to_string(), pair.value.to_string()))
}
