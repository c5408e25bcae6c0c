//! Alternative names (RFC 5280 §4.2.1.6) and the otherNames that Windows puts among them.
//!
//! ```text
//! GeneralName ::= CHOICE {
//!     otherName       [0] SEQUENCE { type-id OBJECT IDENTIFIER, value [0] EXPLICIT ANY },
//!     rfc822Name      [1] IA5String,     dNSName         [2] IA5String,
//!     directoryName   [4] EXPLICIT Name, uniformResourceIdentifier [6] IA5String,
//!     iPAddress       [7] OCTET STRING,  registeredID    [8] OBJECT IDENTIFIER }
//! ```
//! x509-cert encodes and decodes; here is which names are certified.
//! x400Address and ediPartyName are absent: nobody in this deployment has one.

mod guid;
mod syntax;

use std::net::IpAddr;

use der::asn1::{Any, Ia5String, ObjectIdentifier, OctetString, OctetStringRef, Utf8StringRef};
use der::{Choice, Decode, Encode, Header, Reader, SliceReader, Tag};
use x509_cert::ext::pkix::name::{GeneralName, GeneralNames, OtherName};
use x509_cert::name::Name;

use super::encoding::NotDer;
use super::name::{DistinguishedName, NameError};
use super::oid;

pub use guid::{guid_from_text, guid_text};

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

impl From<der::Error> for AlternativeNameError {
    fn from(_: der::Error) -> Self {
        Self::NotNames
    }
}

impl From<NotDer> for AlternativeNameError {
    fn from(_: NotDer) -> Self {
        Self::NotNames
    }
}

/// The value of the subjectAltName extension: GeneralNames. Empty if one of them cannot be encoded
/// (a text outside ASCII that no constructor would have let through), which breaks a lint.
pub fn encode(names: &[AlternativeName]) -> Vec<u8> {
    let names = names.iter().map(AlternativeName::to_general_name).collect();
    let names: der::Result<GeneralNames> = names;
    names.and_then(|names| names.to_der()).unwrap_or_default()
}

/// Reads the value of a subjectAltName extension.
pub fn decode(value: &[u8]) -> Result<Vec<AlternativeName>, AlternativeNameError> {
    let mut reader = SliceReader::new(value)?;
    let list = Header::decode(&mut reader)?;
    list.tag().assert_eq(Tag::Sequence)?;
    if list.length() != reader.remaining_len() {
        return Err(AlternativeNameError::NotNames);
    }
    let mut names = Vec::new();
    while !reader.is_finished() {
        if !GeneralName::can_decode(Tag::peek(&reader)?) {
            return Err(AlternativeNameError::UnsupportedKind);
        }
        names.push(AlternativeName::from_general_name(GeneralName::decode(&mut reader)?)?);
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
            Self::DirectoryGuid(octets) => guid_text(octets),
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
        self.to_general_name().and_then(|name| name.to_der()).unwrap_or_default()
    }

    fn to_general_name(&self) -> der::Result<GeneralName> {
        Ok(match self {
            Self::Email(text) => GeneralName::Rfc822Name(Ia5String::new(text)?),
            Self::Dns(text) => GeneralName::DnsName(Ia5String::new(text)?),
            Self::Uri(text) => GeneralName::UniformResourceIdentifier(Ia5String::new(text)?),
            Self::DirectoryName(name) => GeneralName::DirectoryName(Name::from_der(name.as_der())?),
            Self::Ip(address) => GeneralName::from(*address),
            Self::RegisteredId(oid) => GeneralName::RegisteredId(*oid),
            Self::UserPrincipalName(text) => {
                other_name(oid::USER_PRINCIPAL_NAME, Any::new(Tag::Utf8String, text.as_bytes())?)
            }
            Self::DirectoryGuid(octets) => {
                other_name(oid::DIRECTORY_GUID, Any::new(Tag::OctetString, octets.as_slice())?)
            }
            Self::Other { oid, value } => other_name(*oid, Any::from_der(value)?),
        })
    }

    fn from_general_name(name: GeneralName) -> Result<Self, AlternativeNameError> {
        match name {
            GeneralName::OtherName(name) => Self::from_other_name(&name),
            GeneralName::Rfc822Name(text) => Self::email(text.as_str()),
            GeneralName::DnsName(text) => Self::dns(text.as_str()),
            GeneralName::UniformResourceIdentifier(text) => Self::uri(text.as_str()),
            GeneralName::DirectoryName(name) => {
                Ok(Self::DirectoryName(DistinguishedName::from_der(&name.to_der()?)?))
            }
            GeneralName::IpAddress(octets) => from_octets(&octets),
            GeneralName::RegisteredId(oid) => Ok(Self::RegisteredId(oid)),
            GeneralName::EdiPartyName(_) => Err(AlternativeNameError::UnsupportedKind),
        }
    }

    fn from_other_name(name: &OtherName) -> Result<Self, AlternativeNameError> {
        let OtherName { type_id, value } = name;
        if *type_id == oid::USER_PRINCIPAL_NAME {
            return Self::user_principal_name(value.decode_as::<Utf8StringRef<'_>>()?.as_str());
        }
        if *type_id == oid::DIRECTORY_GUID {
            let octets = <[u8; 16]>::try_from(value.decode_as::<&OctetStringRef>()?.as_bytes());
            return octets.map(Self::DirectoryGuid).map_err(|_| AlternativeNameError::NotNames);
        }
        Ok(Self::Other { oid: *type_id, value: value.to_der()? })
    }
}

/// x509-cert wraps the value in its `[0] EXPLICIT`.
fn other_name(type_id: ObjectIdentifier, value: Any) -> GeneralName {
    GeneralName::OtherName(OtherName { type_id, value })
}

fn from_octets(address: &OctetString) -> Result<AlternativeName, AlternativeNameError> {
    let octets = address.as_bytes();
    let four = || <[u8; 4]>::try_from(octets).map(IpAddr::from);
    let sixteen = || <[u8; 16]>::try_from(octets).map(IpAddr::from);
    let address = four().or_else(|_| sixteen());
    address.map(AlternativeName::Ip).map_err(|_| AlternativeNameError::BadIpAddress)
}

/// Kind and value: `dns:vpn.contoso.com`.
impl std::fmt::Display for AlternativeName {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}:{}", self.kind(), self.to_text())
    }
}

#[cfg(test)]
mod tests;
