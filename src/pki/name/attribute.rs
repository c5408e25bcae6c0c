//! The values of a distinguished name: string types, alphabets and upper bounds
//! (RFC 5280 appendix A.1, X.520).

use der::asn1::{Any, AnyRef, ObjectIdentifier};
use der::{Tag, Tagged};
use x509_cert::attr::AttributeTypeAndValue;

use super::NameError;
use crate::pki::encoding::NotDer;
use crate::pki::oid;

/// Keys by which attribute types are known; the first for an OID is the one that is written.
/// RFC 4514 §3 has the first nine, the others are Windows' and OpenSSL's.
pub(super) const KEYS: &[(&str, ObjectIdentifier)] = &[
    ("CN", oid::COMMON_NAME),
    ("L", oid::LOCALITY),
    ("ST", oid::STATE),
    ("O", oid::ORGANIZATION),
    ("OU", oid::ORGANIZATIONAL_UNIT),
    ("C", oid::COUNTRY),
    ("STREET", oid::STREET),
    ("DC", oid::DOMAIN_COMPONENT),
    ("UID", oid::USER_ID),
    ("E", oid::EMAIL_ADDRESS),
    ("emailAddress", oid::EMAIL_ADDRESS),
    ("S", oid::STATE),
    ("SERIALNUMBER", oid::DEVICE_SERIAL_NUMBER),
    ("T", oid::TITLE),
    ("title", oid::TITLE),
    ("G", oid::GIVEN_NAME),
    ("GN", oid::GIVEN_NAME),
    ("givenName", oid::GIVEN_NAME),
    ("SN", oid::SURNAME),
    ("surname", oid::SURNAME),
    ("I", oid::INITIALS),
    ("initials", oid::INITIALS),
    ("dnQualifier", oid::DN_QUALIFIER),
    ("pseudonym", oid::PSEUDONYM),
    ("postalCode", oid::POSTAL_CODE),
    ("description", oid::DESCRIPTION),
    ("generationQualifier", oid::GENERATION_QUALIFIER),
    ("organizationIdentifier", oid::ORGANIZATION_IDENTIFIER),
];

/// Upper bounds in characters (RFC 5280 appendix A.1; postalCode and street from X.520).
const BOUNDS: &[(ObjectIdentifier, usize)] = &[
    (oid::COMMON_NAME, 64),
    (oid::LOCALITY, 128),
    (oid::STATE, 128),
    (oid::ORGANIZATION, 64),
    (oid::ORGANIZATIONAL_UNIT, 64),
    (oid::TITLE, 64),
    (oid::DEVICE_SERIAL_NUMBER, 64),
    (oid::STREET, 128),
    (oid::POSTAL_CODE, 40),
    (oid::PSEUDONYM, 128),
    (oid::EMAIL_ADDRESS, 255),
    // A DNS label, for which a domain component stands (RFC 2247, RFC 1034 §3.1).
    (oid::DOMAIN_COMPONENT, 63),
    (oid::USER_ID, 256),
];

/// The key under which `oid` is written, or its dotted form.
pub(crate) fn key(oid: &ObjectIdentifier) -> String {
    let known = KEYS.iter().find(|(_, known)| known == oid);
    known.map_or_else(|| oid.to_string(), |(key, _)| (*key).to_owned())
}

/// The text of a value. (UniversalString is absent: der knows no such tag, and nobody writes it.)
pub(super) fn decode(oid: &ObjectIdentifier, value: AnyRef<'_>) -> Result<String, NameError> {
    let octets = value.value();
    let text = match value.tag() {
        Tag::Utf8String => std::str::from_utf8(octets).ok().map(str::to_owned),
        Tag::PrintableString => ascii(octets, |octet| is_printable(octet) || is_tolerated(octet)),
        Tag::Ia5String => ascii(octets, |octet| octet.is_ascii()),
        Tag::NumericString => ascii(octets, |octet| octet.is_ascii_digit() || octet == b' '),
        // Latin-1, as everybody writes it.
        Tag::TeletexString => Some(octets.iter().copied().map(char::from).collect()),
        Tag::BmpString => bmp(octets),
        _ => None,
    };
    text.ok_or_else(|| NameError::NotText { attribute: key(oid) })
}

/// Whether `text` may stand in a name as a value of `oid`.
pub(super) fn check(oid: &ObjectIdentifier, text: &str) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::EmptyValue { attribute: key(oid) });
    }
    if text.chars().any(is_control) {
        return Err(NameError::ControlCharacter { attribute: key(oid) });
    }
    if text.chars().any(is_bidirectional) {
        return Err(NameError::BidirectionalCharacter { attribute: key(oid) });
    }
    if *oid == oid::COUNTRY && !(text.len() == 2 && text.bytes().all(|o| o.is_ascii_alphabetic())) {
        return Err(NameError::NotACountry);
    }
    let bound = BOUNDS.iter().find(|(bounded, _)| bounded == oid);
    match bound {
        Some((_, limit)) if text.chars().count() > *limit => {
            Err(NameError::ValueTooLong { attribute: key(oid), limit: *limit })
        }
        _ => Ok(()),
    }
}

/// The attribute in AD CS's string types.
pub(super) fn encode(
    oid: &ObjectIdentifier,
    text: &str,
) -> Result<AttributeTypeAndValue, NameError> {
    check(oid, text)?;
    let tag = if *oid == oid::DOMAIN_COMPONENT || *oid == oid::EMAIL_ADDRESS {
        if !text.is_ascii() {
            return Err(NameError::NotAscii { attribute: key(oid) });
        }
        Tag::Ia5String
    } else if text.bytes().all(is_printable) {
        Tag::PrintableString
    } else {
        Tag::Utf8String
    };
    let value = Any::new(tag, text.as_bytes()).map_err(NotDer::from)?;
    Ok(AttributeTypeAndValue { oid: *oid, value })
}

/// NUL and the other C0 and C1 controls, and the line and paragraph separators.
pub(crate) fn is_control(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}')
}

/// Characters with the Unicode property Bidi_Control (UAX #9).
pub(crate) fn is_bidirectional(letter: char) -> bool {
    matches!(letter,
        '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The alphabet of PrintableString (X.680 §41.4).
fn is_printable(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&octet)
}

/// Not in the alphabet, yet written by well-known software (`*.example.com`, `a@b`, `a_b`).
fn is_tolerated(octet: u8) -> bool {
    b"*@_&".contains(&octet)
}

/// `allowed` takes nothing that is not ASCII.
fn ascii(value: &[u8], allowed: impl Fn(u8) -> bool) -> Option<String> {
    let text = std::str::from_utf8(value).ok()?;
    value.iter().all(|octet| allowed(*octet)).then(|| text.to_owned())
}

/// BMPString, surrogate pairs tolerated as Windows writes them.
pub(crate) fn bmp(value: &[u8]) -> Option<String> {
    let (units, []) = value.as_chunks::<2>() else { return None };
    let units: Vec<u16> = units.iter().map(|unit| u16::from_be_bytes(*unit)).collect();
    String::from_utf16(&units).ok()
}
