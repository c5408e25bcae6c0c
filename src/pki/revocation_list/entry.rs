//! One revoked certificate in a CRL, or one that a delta CRL takes off again.

use der::asn1::{AnyRef, GeneralizedTime};
use der::{Decode, Encode, Sequence, Tag, Tagged};
use x509_cert::ext::pkix::CrlReason;
use x509_cert::time::Time;

use crate::pki::certificate::parts::ExtensionPart;
use crate::pki::encoding::{INTEGER, NotDer, SEQUENCE, read_header};
use crate::pki::extension::{self, Extension};
use crate::pki::oid;
use crate::pki::revocation::{Revocation, RevocationReason};
use crate::pki::serial::SerialNumber;
use crate::pki::time::Timestamp;

/// Borrowed, unlike x509-cert's: a million of them are read one after another.
///
/// ```text
/// Entry ::= SEQUENCE { userCertificate INTEGER, revocationDate Time,
///                      crlEntryExtensions SEQUENCE OF Extension OPTIONAL }
/// ```
#[derive(Sequence)]
struct Fields<'a> {
    serial: AnyRef<'a>,
    date: Time,
    extensions: Option<Vec<ExtensionPart<'a>>>,
}

/// An entry of revokedCertificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CrlEntry {
    /// Which certificate.
    pub serial: SerialNumber,
    /// Since when and why; whole seconds.
    pub revocation: Revocation,
}

impl CrlEntry {
    /// The entry's DER. The reason `unspecified` is left out (RFC 5280 §5.3.1), an invalidity
    /// date is GeneralizedTime always.
    pub fn encode(serial: SerialNumber, revocation: &Revocation) -> Vec<u8> {
        let extensions: Vec<Extension> = extension::reason_code(revocation.reason)
            .into_iter()
            .chain(revocation.invalidity_date.map(extension::invalidity_date))
            .collect();
        encode(serial, revocation.revoked_at, &extensions)
    }

    /// The serial number of an entry, of which nothing else is read. By hand: a list of a million
    /// is compared with the one before it, in less time than der's reader takes.
    pub fn serial_of(der: &[u8]) -> Result<SerialNumber, NotDer> {
        let inside = content(der, SEQUENCE)?;
        SerialNumber::from_der_content(content(inside, INTEGER)?).map_err(|_| NotDer)
    }

    /// Reads an entry's DER. Extensions other than reason and invalidity date are passed over
    /// unless critical (an indirect CRL's certificateIssuer is: RFC 5280 §5.3.3). One with the
    /// reason removeFromCRL is refused: see [`DeltaEntry`].
    pub fn decode(der: &[u8]) -> Result<Self, NotDer> {
        match DeltaEntry::decode(der)? {
            DeltaEntry::Listed(entry) => Ok(entry),
            DeltaEntry::Removed { .. } => Err(NotDer),
        }
    }
}

/// What a delta CRL says of one certificate (RFC 5280 §5.2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeltaEntry {
    /// It is revoked or held, whatever the base says.
    Listed(CrlEntry),
    /// removeFromCRL: it is not, whatever the base says.
    Removed {
        /// Which certificate.
        serial: SerialNumber,
        /// Since when; whole seconds.
        removed_at: Timestamp,
    },
}

impl DeltaEntry {
    /// The DER of an entry with the reason removeFromCRL (8), which stands in delta CRLs alone
    /// (RFC 5280 §5.3.1).
    pub fn encode_removed(serial: SerialNumber, removed_at: Timestamp) -> Vec<u8> {
        encode(serial, removed_at, &[extension::remove_from_crl()])
    }

    /// Which certificate.
    pub fn serial(&self) -> SerialNumber {
        match self {
            Self::Listed(entry) => entry.serial,
            Self::Removed { serial, .. } => *serial,
        }
    }

    /// Reads an entry's DER, as [`CrlEntry::decode`] does.
    pub fn decode(der: &[u8]) -> Result<Self, NotDer> {
        let fields = Fields::from_der(der)?;
        let serial = serial_number(fields.serial)?;
        let date = Timestamp::from_x509(&fields.date);
        let mut code = CrlReason::Unspecified;
        let mut invalidity_date = None;
        for extension in fields.extensions.iter().flatten() {
            if extension.oid == oid::REASON_CODE.as_bytes() {
                code = CrlReason::from_der(extension.value)?;
            } else if extension.oid == oid::INVALIDITY_DATE.as_bytes() {
                let moment = GeneralizedTime::from_der(extension.value)?;
                invalidity_date = Some(Timestamp::from_x509(&moment.into()));
            } else if extension.critical {
                return Err(NotDer);
            }
        }
        if code == CrlReason::RemoveFromCRL {
            return Ok(Self::Removed { serial, removed_at: date });
        }
        let reason = RevocationReason::from_code(code as u8).ok_or(NotDer)?;
        let revocation = Revocation { revoked_at: date, reason, invalidity_date };
        Ok(Self::Listed(CrlEntry { serial, revocation }))
    }
}

fn encode(serial: SerialNumber, date: Timestamp, extensions: &[Extension]) -> Vec<u8> {
    let parts = extensions.iter().map(ExtensionPart::from).collect();
    let fields = AnyRef::new(Tag::Integer, serial.as_der_content()).map(|serial| Fields {
        serial,
        date: date.to_x509(),
        extensions: (!extensions.is_empty()).then_some(parts),
    });
    // A serial number, a date and two short extensions always encode.
    fields.and_then(|fields| fields.to_der()).unwrap_or_default()
}

/// The content of the element that `der` begins with, which must have `tag`.
fn content(der: &[u8], tag: u8) -> Result<&[u8], NotDer> {
    let (header, length) = read_header(der)?;
    let content = der.get(header..).and_then(|rest| rest.get(..length));
    if der.first() == Some(&tag) { content.ok_or(NotDer) } else { Err(NotDer) }
}

fn serial_number(integer: AnyRef<'_>) -> Result<SerialNumber, NotDer> {
    if integer.tag() != Tag::Integer {
        return Err(NotDer);
    }
    SerialNumber::from_der_content(integer.value()).map_err(|_| NotDer)
}
