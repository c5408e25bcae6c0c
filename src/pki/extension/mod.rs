//! The extensions of certificates and CRLs, byte for byte as AD CS writes them.
//!
//! ```text
//! Extension ::= SEQUENCE { extnID OBJECT IDENTIFIER, critical BOOLEAN DEFAULT FALSE,
//!                          extnValue OCTET STRING }
//! ```
//! Here those of certificates; what a CA's own certificate and a CRL carry is in `authority`.

mod authority;
mod standard;

pub use authority::*;
pub use standard::*;

use der::asn1::ObjectIdentifier;

use super::encoding::{
    BMP_STRING, BOOLEAN, Element, NotDer, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, constructed,
    element, identifier, integer, object_identifier, only, sequence,
};
use super::oid;

/// One extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// Which.
    pub oid: ObjectIdentifier,
    /// Whether a relying party that does not know it must refuse.
    pub critical: bool,
    /// The DER inside the OCTET STRING.
    pub value: Vec<u8>,
}

impl Extension {
    /// One that relying parties may pass over.
    pub fn noncritical(oid: ObjectIdentifier, value: Vec<u8>) -> Self {
        Self { oid, critical: false, value }
    }

    /// One that relying parties must know.
    pub fn critical(oid: ObjectIdentifier, value: Vec<u8>) -> Self {
        Self { oid, critical: true, value }
    }

    /// The whole Extension's DER.
    pub fn to_der(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.value.len() + 24);
        self.write(&mut out);
        out
    }

    /// Writes the whole Extension's DER.
    pub fn write(&self, out: &mut Vec<u8>) {
        // DEFAULT FALSE is not encoded (X.690 §11.5).
        let critical: &[u8] = if self.critical { &[BOOLEAN, 1, 0xff] } else { &[] };
        let value = element(OCTET_STRING, &[&self.value]);
        super::encoding::write(out, SEQUENCE, &[&identifier(&self.oid), critical, &value]);
    }

    /// Reads one; an explicit `critical FALSE` is tolerated, as others write it.
    pub(super) fn from_element(extension: Element<'_>) -> Result<Self, NotDer> {
        extension.content_of(SEQUENCE)?;
        let mut parts = extension.elements();
        let oid = object_identifier(parts.expect(OBJECT_IDENTIFIER)?)?;
        let critical = match parts.optional(BOOLEAN)?.map(|flag| flag.content) {
            None | Some([0]) => false,
            Some([0xff]) => true,
            Some(_) => return Err(NotDer),
        };
        let value = parts.expect(OCTET_STRING)?.content.to_vec();
        parts.finish()?;
        Ok(Self { oid, critical, value })
    }
}

/// Template name of version 1 templates, a BMPString: `User`. ([MS-WCCE] §2.2.2.7.7.1 has it as
/// a SEQUENCE; the certificates that AD CS issues carry the bare string.)
pub fn template_name(name: &str) -> Extension {
    let units: Vec<u8> = name.encode_utf16().flat_map(u16::to_be_bytes).collect();
    Extension::noncritical(oid::TEMPLATE_NAME, element(BMP_STRING, &[&units]))
}

/// Template information of version 2 and later ([MS-WCCE] §2.2.2.7.7.2):
/// `SEQUENCE { templateID, templateMajorVersion INTEGER, templateMinorVersion INTEGER }`.
pub fn template_information(template: &ObjectIdentifier, major: u32, minor: u32) -> Extension {
    let parts = [identifier(template), integer(major.into()), integer(minor.into())];
    let value = sequence(&[&parts[0], &parts[1], &parts[2]]);
    Extension::noncritical(oid::TEMPLATE_INFORMATION, value)
}

/// Application policies, which mirror the EKU in the syntax of certificatePolicies without
/// qualifiers.
pub fn application_policies(purposes: &[ObjectIdentifier]) -> Extension {
    Extension::noncritical(oid::APPLICATION_POLICIES, policies(purposes))
}

/// Certificate policies (RFC 5280 §4.2.1.4) without qualifiers.
pub fn certificate_policies(policy: &[ObjectIdentifier]) -> Extension {
    Extension::noncritical(oid::CERTIFICATE_POLICIES, policies(policy))
}

fn policies(policies: &[ObjectIdentifier]) -> Vec<u8> {
    let each: Vec<u8> =
        policies.iter().flat_map(|policy| sequence(&[&identifier(policy)])).collect();
    sequence(&[&each])
}

/// The account's security identifier ([MS-WCCE] §2.2.2.7.7.4): GeneralNames with one otherName
/// 1.3.6.1.4.1.311.25.2.1 that holds the SID's text, `S-1-5-21-…`, in an OCTET STRING.
pub fn security_identifier(sid: &str) -> Extension {
    let text = element(OCTET_STRING, &[sid.as_bytes()]);
    let wrapped = element(constructed(0), &[&text]);
    let name = element(constructed(0), &[&identifier(&oid::OBJECT_SID), &wrapped]);
    Extension::noncritical(oid::CA_SECURITY, sequence(&[&name]))
}

/// The template's name out of an extension value that [`template_name`] might have made.
pub fn read_template_name(value: &[u8]) -> Option<String> {
    super::name::bmp(only(value, BMP_STRING).ok()?.content)
}

/// The template's OID out of an extension value that [`template_information`] might have made.
pub fn read_template_information(value: &[u8]) -> Option<ObjectIdentifier> {
    let mut parts = only(value, SEQUENCE).ok()?.elements();
    object_identifier(parts.expect(OBJECT_IDENTIFIER).ok()?).ok()
}

/// The SID's text out of an extension value that [`security_identifier`] might have made.
pub fn read_security_identifier(value: &[u8]) -> Option<String> {
    let mut names = only(value, SEQUENCE).ok()?.elements();
    let mut name = names.expect(constructed(0)).ok()?.elements();
    if object_identifier(name.expect(OBJECT_IDENTIFIER).ok()?).ok()? != oid::OBJECT_SID {
        return None;
    }
    let mut wrapped = name.expect(constructed(0)).ok()?.elements();
    let text = wrapped.expect(OCTET_STRING).ok()?.content;
    String::from_utf8(text.to_vec()).ok()
}

#[cfg(test)]
mod tests;
