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

use der::asn1::{Any, AnyRef, ObjectIdentifier, OctetString, OctetStringRef};
use der::{Decode, Encode, Sequence, Tag, Tagged};
use x509_cert::ext::pkix::CertificatePolicies;
use x509_cert::ext::pkix::certpolicy::PolicyInformation;
use x509_cert::ext::pkix::name::{GeneralName, GeneralNames, OtherName};

use super::encoding::NotDer;
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
        // Nothing here is near the 256 MiB that could not be encoded; nothing would be written.
        let _ = self.to_x509().and_then(|extension| extension.encode_to_vec(out));
    }

    /// As x509-cert has it; an error only beyond 256 MiB.
    pub fn to_x509(&self) -> der::Result<x509_cert::ext::Extension> {
        let extn_value = OctetString::new(self.value.as_slice())?;
        Ok(x509_cert::ext::Extension { extn_id: self.oid, critical: self.critical, extn_value })
    }
}

impl From<x509_cert::ext::Extension> for Extension {
    fn from(extension: x509_cert::ext::Extension) -> Self {
        let value = extension.extn_value.into_bytes().into();
        Self { oid: extension.extn_id, critical: extension.critical, value }
    }
}

/// The DER of a value. The only thing that could be handed in and cannot be encoded is a text
/// outside ASCII for an IA5String; the empty value that stands for it breaks the lints.
fn value(of: &impl Encode) -> Vec<u8> {
    of.to_der().unwrap_or_default()
}

/// Template name of version 1 templates, a BMPString: `User`. ([MS-WCCE] §2.2.2.7.7.1 has it as
/// a SEQUENCE; the certificates that AD CS issues carry the bare string.)
pub fn template_name(name: &str) -> Extension {
    let units: Vec<u8> = name.encode_utf16().flat_map(u16::to_be_bytes).collect();
    // der's BmpString refuses the surrogate pairs that Windows writes.
    let text = AnyRef::new(Tag::BmpString, &units).and_then(|text| text.to_der());
    Extension::noncritical(oid::TEMPLATE_NAME, text.unwrap_or_default())
}

/// ```text
/// CertificateTemplateOID ::= SEQUENCE {
///     templateID            OBJECT IDENTIFIER,
///     templateMajorVersion  INTEGER (0..4294967295) OPTIONAL,
///     templateMinorVersion  INTEGER (0..4294967295) OPTIONAL }
/// ```
#[derive(Sequence)]
struct CertificateTemplateOid {
    template_id: ObjectIdentifier,
    major_version: Option<u32>,
    minor_version: Option<u32>,
}

/// Template information of version 2 and later ([MS-WCCE] §2.2.2.7.7.2).
pub fn template_information(template: &ObjectIdentifier, major: u32, minor: u32) -> Extension {
    let information = CertificateTemplateOid {
        template_id: *template,
        major_version: Some(major),
        minor_version: Some(minor),
    };
    Extension::noncritical(oid::TEMPLATE_INFORMATION, value(&information))
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
    let each = policies
        .iter()
        .map(|policy| PolicyInformation { policy_identifier: *policy, policy_qualifiers: None });
    value(&CertificatePolicies(each.collect()))
}

/// The policies in the value of certificatePolicies or application policies.
pub fn read_policies(value: &[u8]) -> Result<Vec<ObjectIdentifier>, NotDer> {
    let policies = CertificatePolicies::from_der(value)?.0;
    Ok(policies.into_iter().map(|policy| policy.policy_identifier).collect())
}

/// The account's security identifier ([MS-WCCE] §2.2.2.7.7.4): GeneralNames with one otherName
/// 1.3.6.1.4.1.311.25.2.1 that holds the SID's text, `S-1-5-21-…`, in an OCTET STRING.
pub fn security_identifier(sid: &str) -> Extension {
    let names = Any::new(Tag::OctetString, sid.as_bytes()).map(|text| {
        vec![GeneralName::OtherName(OtherName { type_id: oid::OBJECT_SID, value: text })]
    });
    let value = names.map(|names: GeneralNames| value(&names));
    Extension::noncritical(oid::CA_SECURITY, value.unwrap_or_default())
}

/// The template's name out of an extension value that [`template_name`] might have made.
pub fn read_template_name(value: &[u8]) -> Option<String> {
    let text = AnyRef::from_der(value).ok()?;
    if text.tag() == Tag::BmpString { super::name::bmp(text.value()) } else { None }
}

/// The template's OID out of an extension value that [`template_information`] might have made.
pub fn read_template_information(value: &[u8]) -> Option<ObjectIdentifier> {
    Some(CertificateTemplateOid::from_der(value).ok()?.template_id)
}

/// The SID's text out of an extension value that [`security_identifier`] might have made.
pub fn read_security_identifier(value: &[u8]) -> Option<String> {
    let names = GeneralNames::from_der(value).ok()?;
    let Some(GeneralName::OtherName(name)) = names.first() else { return None };
    if name.type_id != oid::OBJECT_SID {
        return None;
    }
    let text = name.value.decode_as::<&OctetStringRef>().ok()?;
    String::from_utf8(text.as_bytes().to_vec()).ok()
}

#[cfg(test)]
mod tests;
