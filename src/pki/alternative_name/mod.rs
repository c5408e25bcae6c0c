//! Alternative names (RFC 5280 §4.2.1.6) and the otherNames that Windows puts among them.
//!
//! ```text
//! GeneralName ::= CHOICE {
//!     otherName       [0] SEQUENCE { type-id OBJECT IDENTIFIER, value [0] EXPLICIT ANY },
//!     rfc822Name      [1] IA5String,     dNSName         [2] IA5String,
//!     directoryName   [4] EXPLICIT Name, uniformResourceIdentifier [6] IA5String,
//!     iPAddress       [7] OCTET STRING,  registeredID    [8] OBJECT IDENTIFIER }
//! ```
//! x400Address and ediPartyName are absent: nobody in this deployment has one.

mod guid;
mod syntax;

use std::net::IpAddr;

use der::asn1::ObjectIdentifier;

use super::encoding::{
    Element, NotDer, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, UTF8_STRING, constructed, element,
    identifier, object_identifier, only, primitive,
};
use super::name::{DistinguishedName, NameError};
use super::oid;

pub use guid::guid_from_text;

/// One alternative name. The constructors that take text check its syntax; decoding does too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AlternativeName {
    /// dNSName. May hold an IP address or a single label, because Windows IKE clients look for
    /// them there; whether this requester may have them is the policy's to say.
    Dns(String),
    /// rfc822Name: a mail address.
    Email(String),
    /// uniformResourceIdentifier.
    Uri(String),
    /// iPAddress.
    Ip(IpAddr),
    /// otherName 1.3.6.1.4.1.311.20.2.3, a UTF8String: the user principal name.
    UserPrincipalName(String),
    /// otherName 1.3.6.1.4.1.311.25.1, an OCTET STRING: a domain controller's objectGUID, its
    /// octets in the order Active Directory stores them.
    DirectoryGuid([u8; 16]),
    /// directoryName.
    DirectoryName(DistinguishedName),
    /// registeredID.
    RegisteredId(ObjectIdentifier),
    /// Another otherName, its value as one DER element (without the `[0]` round it).
    Other {
        /// The type-id.
        oid: ObjectIdentifier,
        /// The value's DER.
        value: Vec<u8>,
    },
}

/// Why something is no alternative name, or none that is certified.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AlternativeNameError {
    /// The bytes are no GeneralNames.
    #[error("not a list of alternative names in DER")]
    NotNames,
    /// GeneralNames is SIZE (1..MAX).
    #[error("the list of alternative names is empty (RFC 5280 §4.2.1.6)")]
    Empty,
    /// x400Address, ediPartyName or a choice that does not exist.
    #[error("alternative name of an unsupported kind")]
    UnsupportedKind,
    /// A dNSName outside RFC 1034's preferred syntax.
    #[error("{0:?} is not a DNS name: labels of 1 to 63 letters, digits and hyphens, 253 in all")]
    BadDnsName(String),
    /// A mail address without exactly one `@`, or outside ASCII.
    #[error("{0:?} is not a mail address in ASCII")]
    BadEmail(String),
    /// A URI without a scheme, or outside ASCII.
    #[error("{0:?} is not an absolute URI in ASCII")]
    BadUri(String),
    /// A UPN that is empty, too long, or with control or bidirectional characters.
    #[error("{0:?} is not a user principal name")]
    BadUserPrincipalName(String),
    /// An iPAddress that has neither 4 nor 16 octets.
    #[error("an IP address has 4 or 16 octets")]
    BadIpAddress,
    /// A directoryName with a bad name inside.
    #[error(transparent)]
    BadDirectoryName(#[from] NameError),
}

impl From<NotDer> for AlternativeNameError {
    fn from(_: NotDer) -> Self {
        Self::NotNames
    }
}

/// The value of the subjectAltName extension: GeneralNames.
pub fn encode(names: &[AlternativeName]) -> Vec<u8> {
    let encoded: Vec<Vec<u8>> = names.iter().map(AlternativeName::to_der).collect();
    let parts: Vec<&[u8]> = encoded.iter().map(Vec::as_slice).collect();
    super::encoding::sequence(&parts)
}

/// Reads the value of a subjectAltName extension.
pub fn decode(value: &[u8]) -> Result<Vec<AlternativeName>, AlternativeNameError> {
    let mut elements = only(value, SEQUENCE)?.elements();
    let mut names = Vec::new();
    while !elements.is_empty() {
        names.push(AlternativeName::from_element(elements.take()?)?);
    }
    if names.is_empty() { Err(AlternativeNameError::Empty) } else { Ok(names) }
}

impl AlternativeName {
    /// A dNSName: kept as written, but no final dot.
    pub fn dns(name: &str) -> Result<Self, AlternativeNameError> {
        if syntax::is_dns_name(name) {
            Ok(Self::Dns(name.to_owned()))
        } else {
            Err(AlternativeNameError::BadDnsName(name.to_owned()))
        }
    }

    /// An rfc822Name.
    pub fn email(address: &str) -> Result<Self, AlternativeNameError> {
        if syntax::is_mail_address(address) {
            Ok(Self::Email(address.to_owned()))
        } else {
            Err(AlternativeNameError::BadEmail(address.to_owned()))
        }
    }

    /// A uniformResourceIdentifier.
    pub fn uri(uri: &str) -> Result<Self, AlternativeNameError> {
        if syntax::is_uri(uri) {
            Ok(Self::Uri(uri.to_owned()))
        } else {
            Err(AlternativeNameError::BadUri(uri.to_owned()))
        }
    }

    /// A user principal name.
    pub fn user_principal_name(name: &str) -> Result<Self, AlternativeNameError> {
        if syntax::is_user_principal_name(name) {
            Ok(Self::UserPrincipalName(name.to_owned()))
        } else {
            Err(AlternativeNameError::BadUserPrincipalName(name.to_owned()))
        }
    }

    /// Whether it is a dNSName with an asterisk in it.
    pub fn is_wildcard(&self) -> bool {
        matches!(self, Self::Dns(name) if name.contains('*'))
    }

    /// Whether both name the same: DNS names and UPNs without regard to ASCII case.
    pub fn names_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Dns(one), Self::Dns(two))
            | (Self::UserPrincipalName(one), Self::UserPrincipalName(two)) => {
                one.eq_ignore_ascii_case(two)
            }
            (one, two) => one == two,
        }
    }

    /// The word for its kind: `dns`, `email`, `uri`, `ip`, `upn`, `guid`, `directory`,
    /// `registered-id`, `other`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Dns(_) => "dns",
            Self::Email(_) => "email",
            Self::Uri(_) => "uri",
            Self::Ip(_) => "ip",
            Self::UserPrincipalName(_) => "upn",
            Self::DirectoryGuid(_) => "guid",
            Self::DirectoryName(_) => "directory",
            Self::RegisteredId(_) => "registered-id",
            Self::Other { .. } => "other",
        }
    }

    /// Its value as text, without the kind.
    pub fn to_text(&self) -> String {
        match self {
            Self::Dns(text)
            | Self::Email(text)
            | Self::Uri(text)
            | Self::UserPrincipalName(text) => text.clone(),
            Self::Ip(address) => address.to_string(),
            Self::DirectoryGuid(octets) => guid::text(octets),
            Self::DirectoryName(name) => name.to_string(),
            Self::RegisteredId(oid) => oid.to_string(),
            Self::Other { oid, value } => {
                let hex: String = value.iter().map(|octet| format!("{octet:02x}")).collect();
                format!("{oid};{hex}")
            }
        }
    }

    /// The GeneralName's DER.
    pub fn to_der(&self) -> Vec<u8> {
        match self {
            Self::Email(text) => element(primitive(1), &[text.as_bytes()]),
            Self::Dns(text) => element(primitive(2), &[text.as_bytes()]),
            Self::Uri(text) => element(primitive(6), &[text.as_bytes()]),
            Self::DirectoryName(name) => element(constructed(4), &[name.as_der()]),
            Self::Ip(IpAddr::V4(address)) => element(primitive(7), &[&address.octets()]),
            Self::Ip(IpAddr::V6(address)) => element(primitive(7), &[&address.octets()]),
            Self::RegisteredId(oid) => element(primitive(8), &[oid.as_bytes()]),
            Self::UserPrincipalName(text) => {
                other_name(&oid::USER_PRINCIPAL_NAME, &element(UTF8_STRING, &[text.as_bytes()]))
            }
            Self::DirectoryGuid(octets) => {
                other_name(&oid::DIRECTORY_GUID, &element(OCTET_STRING, &[octets]))
            }
            Self::Other { oid, value } => other_name(oid, value),
        }
    }

    fn from_element(name: Element<'_>) -> Result<Self, AlternativeNameError> {
        const OTHER_NAME: u8 = constructed(0);
        const EMAIL: u8 = primitive(1);
        const DNS: u8 = primitive(2);
        const DIRECTORY_NAME: u8 = constructed(4);
        const URI: u8 = primitive(6);
        const IP_ADDRESS: u8 = primitive(7);
        const REGISTERED_ID: u8 = primitive(8);
        // What is no UTF-8 is no ASCII either, and refused with its replacement characters.
        let text = || String::from_utf8_lossy(name.content);
        match name.tag {
            OTHER_NAME => Self::from_other_name(name),
            EMAIL => Self::email(&text()),
            DNS => Self::dns(&text()),
            URI => Self::uri(&text()),
            DIRECTORY_NAME => Ok(Self::DirectoryName(DistinguishedName::from_der(name.content)?)),
            IP_ADDRESS => match name.content.len() {
                4 => <[u8; 4]>::try_from(name.content).map(IpAddr::from),
                _ => <[u8; 16]>::try_from(name.content).map(IpAddr::from),
            }
            .map(Self::Ip)
            .map_err(|_| AlternativeNameError::BadIpAddress),
            REGISTERED_ID => ObjectIdentifier::from_bytes(name.content)
                .map(Self::RegisteredId)
                .map_err(|_| AlternativeNameError::NotNames),
            _ => Err(AlternativeNameError::UnsupportedKind),
        }
    }

    fn from_other_name(name: Element<'_>) -> Result<Self, AlternativeNameError> {
        let mut parts = name.elements();
        let oid = object_identifier(parts.expect(OBJECT_IDENTIFIER)?)?;
        let wrapped = parts.expect(constructed(0))?;
        parts.finish()?;
        let mut inside = wrapped.elements();
        let value = inside.take()?;
        inside.finish()?;
        if oid == oid::USER_PRINCIPAL_NAME {
            let text = std::str::from_utf8(value.content_of(UTF8_STRING)?);
            return Self::user_principal_name(text.map_err(|_| AlternativeNameError::NotNames)?);
        }
        if oid == oid::DIRECTORY_GUID {
            let octets = <[u8; 16]>::try_from(value.content_of(OCTET_STRING)?);
            return octets.map(Self::DirectoryGuid).map_err(|_| AlternativeNameError::NotNames);
        }
        Ok(Self::Other { oid, value: value.whole.to_vec() })
    }
}

fn other_name(oid: &ObjectIdentifier, value: &[u8]) -> Vec<u8> {
    element(constructed(0), &[&identifier(oid), &element(constructed(0), &[value])])
}

/// Kind and value: `dns:vpn.contoso.com`.
impl std::fmt::Display for AlternativeName {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}:{}", self.kind(), self.to_text())
    }
}

#[cfg(test)]
mod tests;
