//! Distinguished names (RFC 5280 §4.1.2.4), kept as the bytes they came in.
//!
//! ```text
//! Name                      ::= SEQUENCE OF RelativeDistinguishedName
//! RelativeDistinguishedName ::= SET OF SEQUENCE { type OBJECT IDENTIFIER, value ANY }
//! ```
//! A chain is built by comparing these bytes (RFC 5280 §7.1), so an issuer's name is never
//! encoded anew. Text is read and written in `text`, values are judged in `attribute`.

mod attribute;
mod reading;
mod text;
mod visible;

pub(crate) use attribute::{bmp, is_bidirectional, is_control, key as attribute_key};
pub use visible::visible;

use der::Encode;
use der::asn1::{AnyRef, ObjectIdentifier};
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::name::{RdnSequence, RelativeDistinguishedName};

use super::encoding::{NotDer, SetInOrder};
use super::oid;
use reading::AttributeRef;

/// The name without attributes: an empty SEQUENCE.
const EMPTY: [u8; 2] = [0x30, 0];

/// The longest name read: more is nobody's name.
const LONGEST: usize = 16 * 1024;

/// A distinguished name: well formed, with values that are text within RFC 5280's bounds and
/// without characters that deceive the eye. Holds the DER as it came.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct DistinguishedName {
    der: Vec<u8>,
}

/// Why something is no distinguished name, or none that is certified.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The bytes are no DER Name, or something follows it.
    #[error("not a distinguished name in DER")]
    NotAName,
    /// More than 16 KiB.
    #[error("the distinguished name is longer than 16384 octets")]
    TooLong,
    /// The value is no text string, or not in its string type's alphabet.
    #[error("the value of {attribute} is not text of a known string type")]
    NotText {
        /// The attribute's key or OID.
        attribute: String,
    },
    /// A NUL or other control character.
    #[error("the value of {attribute} contains a control character")]
    ControlCharacter {
        /// The attribute's key or OID.
        attribute: String,
    },
    /// A character that changes the direction of writing: it makes a name look like another.
    #[error("the value of {attribute} contains a bidirectional formatting character")]
    BidirectionalCharacter {
        /// The attribute's key or OID.
        attribute: String,
    },
    /// Longer than RFC 5280 appendix A.1 allows.
    #[error("the value of {attribute} is longer than {limit} characters (RFC 5280 appendix A.1)")]
    ValueTooLong {
        /// The attribute's key or OID.
        attribute: String,
        /// The upper bound in characters.
        limit: usize,
    },
    /// An empty value.
    #[error("the value of {attribute} is empty")]
    EmptyValue {
        /// The attribute's key or OID.
        attribute: String,
    },
    /// A country that is not two letters (ISO 3166).
    #[error("a country is written in two letters (ISO 3166)")]
    NotACountry,
    /// A DC or e-mail value outside ASCII.
    #[error("the value of {attribute} must be ASCII")]
    NotAscii {
        /// The attribute's key or OID.
        attribute: String,
    },
    /// The text breaks RFC 4514.
    #[error("not a distinguished name as RFC 4514 writes it: {problem} at character {position}")]
    Syntax {
        /// What is wrong.
        problem: &'static str,
        /// Where, counted from 1.
        position: usize,
    },
    /// A key that is neither known nor a dotted OID.
    #[error("unknown attribute type {key:?}; write it as a dotted object identifier")]
    UnknownAttribute {
        /// The key as written.
        key: String,
    },
}

impl From<NotDer> for NameError {
    fn from(_: NotDer) -> Self {
        Self::NotAName
    }
}

impl DistinguishedName {
    /// The name without attributes.
    pub fn empty() -> Self {
        Self { der: EMPTY.to_vec() }
    }

    /// From the DER of a whole Name: nothing may follow it. At most 16 KiB; every value text
    /// within RFC 5280's upper bounds, free of control and bidirectional characters.
    pub fn from_der(der: &[u8]) -> Result<Self, NameError> {
        if der.len() > LONGEST {
            return Err(NameError::TooLong);
        }
        for AttributeRef { oid, value } in
            reading::relative_names(der)?.iter().flat_map(|name| &name.0)
        {
            attribute::check(oid, &attribute::decode(oid, *value)?)?;
        }
        Ok(Self { der: der.to_vec() })
    }

    /// From RFC 4514 text, most specific first: `CN=VPN CA,DC=contoso,DC=com` is encoded DC=com
    /// first. String types are AD CS's: see [`Self::from_attributes`].
    pub fn from_rfc4514(text: &str) -> Result<Self, NameError> {
        if text.len() > LONGEST {
            return Err(NameError::TooLong);
        }
        text::parse(text).and_then(Self::from_relative_names)
    }

    /// From attributes in the order of the encoding (least specific first), each a relative name
    /// of its own. String types as AD CS chooses them: DC and e-mail IA5String, else
    /// PrintableString where the alphabet allows, else UTF8String.
    pub fn from_attributes(attributes: &[(ObjectIdentifier, &str)]) -> Result<Self, NameError> {
        let encoded = attributes
            .iter()
            .map(|(oid, value)| attribute::encode(oid, value).map(|attribute| vec![attribute]));
        Self::from_relative_names(encoded.collect::<Result<_, _>>()?)
    }

    /// The name of one common name.
    pub fn with_common_name(common_name: &str) -> Result<Self, NameError> {
        Self::from_attributes(&[(oid::COMMON_NAME, common_name)])
    }

    /// This name with one more relative name at the end of the encoding (the most specific).
    pub fn appending(&self, oid: &ObjectIdentifier, value: &str) -> Result<Self, NameError> {
        let mut names = reading::relative_names(&self.der)?;
        let last = attribute::encode(oid, value)?;
        names.push(SetInOrder(vec![AttributeRef::from(&last)]));
        Self::bounded(names.to_der())
    }

    /// The same name encoded anew as AD CS encodes the subjects it certifies: string types as in
    /// [`Self::from_attributes`] (RFC 5280 §4.1.2.4 wants neither TeletexString nor BMPString in
    /// new names), SETs sorted (X.690 §11.6). For names out of requests.
    pub fn reencoded(&self) -> Result<Self, NameError> {
        let names = self.relative_names().into_iter().map(|attributes| {
            let each = attributes.iter().map(|one| attribute::encode(&one.oid, &one.text));
            each.collect::<Result<Vec<_>, _>>()
        });
        Self::from_relative_names(names.collect::<Result<_, _>>()?)
    }

    /// The DER, as it came.
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// Whether it has no attribute.
    pub fn is_empty(&self) -> bool {
        self.der == EMPTY
    }

    /// The common names, in the order of the encoding.
    pub fn common_names(&self) -> Vec<String> {
        let all = self.attributes().into_iter();
        all.filter(|(oid, _)| *oid == oid::COMMON_NAME).map(|(_, value)| value).collect()
    }

    /// Every attribute with its text, in the order of the encoding.
    pub fn attributes(&self) -> Vec<(ObjectIdentifier, String)> {
        let relative = self.relative_names().into_iter().flatten();
        relative.map(|attribute| (attribute.oid, attribute.text)).collect()
    }

    /// The name in the order of the encoding and in Windows' keys and quotes, as the issuer
    /// stands in `altSecurityIdentities`: `DC=com,DC=contoso,CN=Contoso VPN CA`.
    pub fn to_forward_string(&self) -> String {
        text::write_forward(&self.relative_names())
    }

    /// Each relative name's SET is sorted (X.690 §11.6).
    fn from_relative_names(names: Vec<Vec<AttributeTypeAndValue>>) -> Result<Self, NameError> {
        let mut sequence = RdnSequence::default();
        for attributes in names {
            let name = RelativeDistinguishedName::try_from(attributes);
            sequence.push(name.map_err(NotDer::from)?);
        }
        Self::bounded(sequence.to_der())
    }

    fn bounded(der: der::Result<Vec<u8>>) -> Result<Self, NameError> {
        let der = der.map_err(NotDer::from)?;
        if der.len() > LONGEST { Err(NameError::TooLong) } else { Ok(Self { der }) }
    }

    /// The relative names in the order of the encoding.
    fn relative_names(&self) -> Vec<Vec<Attribute<'_>>> {
        let read = |AttributeRef { oid, value }| {
            Some(Attribute { oid, text: attribute::decode(&oid, value).ok()?, value })
        };
        // Construction has proven that every attribute reads.
        let names = reading::relative_names(&self.der).unwrap_or_default().into_iter();
        names.map(|name| name.0.into_iter().filter_map(read).collect()).collect()
    }
}

/// One attribute, decoded.
struct Attribute<'a> {
    oid: ObjectIdentifier,
    text: String,
    value: AnyRef<'a>,
}

/// RFC 4514: most specific first.
impl std::fmt::Display for DistinguishedName {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&text::write(&self.relative_names()))
    }
}

impl std::fmt::Debug for DistinguishedName {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "DistinguishedName({self})")
    }
}

#[cfg(test)]
mod tests;
