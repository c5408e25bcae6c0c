//! The attributes of a request (RFC 2985 §5.4.2, [MS-WCCE] §2.2.2.7): alternative names and
//! hints at a template are taken, everything else is passed over unread.

use super::{RequestError, TemplateHint};
use crate::pki::alternative_name::{self, AlternativeName};
use crate::pki::encoding::{
    BMP_STRING, BOOLEAN, Element, NotDer, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, SET, only,
};
use crate::pki::extension::{read_template_information, read_template_name};
use crate::pki::name::bmp;
use crate::pki::oid;

/// What the attributes of a request ask for.
#[derive(Default)]
pub(super) struct Asked<'a> {
    alternative_names: Option<&'a [u8]>,
    hints: Vec<TemplateHint>,
}

impl<'a> Asked<'a> {
    /// Reads `SET OF SEQUENCE { type OBJECT IDENTIFIER, values SET OF ANY }`. OIDs are compared
    /// as octets, so that one of any length is passed over.
    pub(super) fn read(&mut self, attributes: Element<'a>) -> Result<(), RequestError> {
        let mut list = attributes.elements();
        while !list.is_empty() {
            let mut attribute = list.expect(SEQUENCE)?.elements();
            let kind = attribute.expect(OBJECT_IDENTIFIER)?.content;
            let mut values = attribute.expect(SET)?.elements();
            attribute.finish()?;
            let extensions = kind == oid::EXTENSION_REQUEST.as_bytes()
                || kind == oid::CERTIFICATE_EXTENSIONS.as_bytes();
            while !values.is_empty() {
                let value = values.take()?;
                if extensions {
                    self.read_extensions(value)?;
                } else if kind == oid::NAME_VALUE_PAIR.as_bytes() {
                    self.hints.extend(template_attribute(value));
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

    fn read_extensions(&mut self, list: Element<'a>) -> Result<(), RequestError> {
        list.content_of(SEQUENCE)?;
        let mut extensions = list.elements();
        while !extensions.is_empty() {
            let mut extension = extensions.expect(SEQUENCE)?.elements();
            let kind = extension.expect(OBJECT_IDENTIFIER)?.content;
            extension.optional(BOOLEAN)?;
            let value = extension.expect(OCTET_STRING)?.content;
            extension.finish()?;
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

/// `SEQUENCE { name BMPString, value BMPString }` with the name `CertificateTemplate`.
fn template_attribute(pair: Element<'_>) -> Option<TemplateHint> {
    let read = || -> Result<(&[u8], &[u8]), NotDer> {
        let mut parts = only(pair.whole, SEQUENCE)?.elements();
        Ok((parts.expect(BMP_STRING)?.content, parts.expect(BMP_STRING)?.content))
    };
    let (name, value) = read().ok()?;
    let ours = bmp(name).is_some_and(|name| name.eq_ignore_ascii_case("CertificateTemplate"));
    if ours { bmp(value).map(TemplateHint::Name) } else { None }
}
