//! Anybody's CRL, complete, delta or partial, held in memory.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use der::asn1::{AnyRef, ObjectIdentifier, UintRef};
use der::{Decode, Sequence};
use x509_cert::ext::pkix::CrlReason;
use x509_cert::ext::pkix::crl::dp::IssuingDistributionPoint;
use x509_cert::time::Time;

use super::certificate::PresentedCertificate;
use super::extension::{self, DistributionPoint, PresentedExtension, full_name_urls};
use super::signature::{self, Digest, Fit};
use super::{Unreadable, hex, name_text};
use crate::pki::certificate::parts::ExtensionPart;
use crate::pki::encoding::{SEQUENCE, Signed, Verbatim, read_header};
use crate::pki::oid;
use crate::pki::time::Timestamp;

/// ```text
/// TBSCertList ::= SEQUENCE { version INTEGER OPTIONAL, signature AlgorithmIdentifier,
///                            issuer Name, thisUpdate Time, nextUpdate Time OPTIONAL,
///                            revokedCertificates SEQUENCE OF Entry OPTIONAL,
///                            crlExtensions [0] EXPLICIT Extensions OPTIONAL }
/// ```
#[derive(Sequence)]
struct List<'a> {
    version: Option<u8>,
    algorithm: Verbatim<'a>,
    issuer: Verbatim<'a>,
    this_update: Time,
    next_update: Option<Time>,
    revoked: Option<Verbatim<'a>>,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    extensions: Option<Vec<ExtensionPart<'a>>>,
}

#[derive(Sequence)]
struct Entry<'a> {
    serial: AnyRef<'a>,
    date: Time,
    extensions: Option<Vec<ExtensionPart<'a>>>,
}

/// A CRL. Nothing is proven by it, and its entries are not looked at before they are asked for.
#[derive(Clone, PartialEq, Eq)]
pub struct PresentedCrl {
    /// Shared: it may be large.
    der: Arc<Vec<u8>>,
    tbs: Range<usize>,
    algorithm: Range<usize>,
    issuer: Range<usize>,
    entries: Range<usize>,
    signature: Vec<u8>,
    this_update: Timestamp,
    next_update: Option<Timestamp>,
    extensions: Vec<PresentedExtension>,
}

/// How a CRL lists a serial number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Since when.
    pub since: Timestamp,
    /// CRLReason's code; 0 where it says nothing.
    pub reason: u8,
}

/// What a CRL says it is about (RFC 5280 §5.2.5).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// The URLs of its distribution point.
    pub urls: Vec<String>,
    /// Only end entities.
    pub only_users: bool,
    /// Only CAs.
    pub only_authorities: bool,
    /// Only attribute certificates.
    pub only_attributes: bool,
    /// Only some reasons.
    pub only_some_reasons: bool,
    /// Also others' certificates.
    pub indirect: bool,
}

impl Scope {
    /// Why a certificate lies outside what the CRL is about (RFC 5280 §6.3.3 (b)(2)). Without a
    /// certificate: why no certificate would lie inside.
    pub fn leaves_out(&self, certificate: Option<&PresentedCertificate>) -> Option<&'static str> {
        if self.only_attributes {
            return Some("is about attribute certificates");
        }
        if self.only_some_reasons {
            return Some("is about some reasons only");
        }
        let certificate = certificate?;
        let authority = certificate.basic_constraints().is_some_and(|own| own.authority);
        if self.only_users && authority {
            return Some("is about end entities, and this is a CA");
        }
        if self.only_authorities && !authority {
            return Some("is about CAs, and this is none");
        }
        let points = certificate.crl_distribution_points();
        let mut urls = points.iter().flat_map(|point| &point.urls);
        // A stranger may name thousands in either.
        let of_list: BTreeSet<&String> = self.urls.iter().collect();
        if !of_list.is_empty() && !urls.any(|url| of_list.contains(url)) {
            return Some("is of another distribution point than the certificate names");
        }
        None
    }
}

impl PresentedCrl {
    /// Reads a whole CRL; nothing may follow it.
    pub fn from_der(der: impl Into<Arc<Vec<u8>>>) -> Result<Self, Unreadable> {
        Self::read(der.into()).ok_or(Unreadable("CRL"))
    }

    fn read(der: Arc<Vec<u8>>) -> Option<Self> {
        let signed = Signed::from_der(&der).ok()?;
        let list = List::from_der(signed.to_be_signed.as_bytes()).ok()?;
        if list.version.is_some_and(|version| version != 1) || list.algorithm != signed.algorithm {
            return None;
        }
        let range = |part: Verbatim<'_>| {
            let from = part.as_bytes().as_ptr() as usize - der.as_ptr() as usize;
            from..from + part.as_bytes().len()
        };
        let entries = match list.revoked {
            Some(entries) => {
                let (header, _) = read_header(entries.as_bytes()).ok()?;
                let whole = range(entries);
                whole.start + header..whole.end
            }
            None => 0..0,
        };
        let extensions = list.extensions.as_deref().unwrap_or_default();
        Some(Self {
            tbs: range(signed.to_be_signed),
            algorithm: range(signed.algorithm),
            issuer: range(list.issuer),
            entries,
            signature: signed.signature().ok()?.to_vec(),
            this_update: Timestamp::from_x509(&list.this_update),
            next_update: list.next_update.as_ref().map(Timestamp::from_x509),
            extensions: extensions.iter().map(PresentedExtension::of).collect(),
            der,
        })
    }

    /// The issuer's Name, as it stands.
    pub fn issuer_der(&self) -> &[u8] {
        &self.der[self.issuer.clone()]
    }

    /// The issuer as text.
    pub fn issuer_text(&self) -> String {
        name_text(self.issuer_der())
    }

    /// thisUpdate.
    pub fn this_update(&self) -> Timestamp {
        self.this_update
    }

    /// nextUpdate, which RFC 5280 §5.1.2.5 demands and not everybody writes.
    pub fn next_update(&self) -> Option<Timestamp> {
        self.next_update
    }

    /// Its extensions, in their order.
    pub fn extensions(&self) -> &[PresentedExtension] {
        &self.extensions
    }

    fn value(&self, oid: &ObjectIdentifier) -> Option<&[u8]> {
        extension::value(&self.extensions, oid)
    }

    /// Its CRL number.
    pub fn number(&self) -> Option<Number> {
        Number::of(self.value(&oid::CRL_NUMBER)?)
    }

    /// The number of the base, if it is a delta.
    pub fn base_number(&self) -> Option<Number> {
        Number::of(self.value(&oid::DELTA_CRL_INDICATOR)?)
    }

    /// Whether it says that it is a delta.
    pub fn is_delta(&self) -> bool {
        self.value(&oid::DELTA_CRL_INDICATOR).is_some()
    }

    /// When the next is to be published (szOID_CRL_NEXT_PUBLISH), if it is told.
    pub fn next_publish(&self) -> Option<Timestamp> {
        let value = self.value(&oid::NEXT_CRL_PUBLISH)?;
        Some(Timestamp::from_x509(&Time::from_der(value).ok()?))
    }

    /// Where freshestCRL says the deltas are.
    pub fn freshest_crl_urls(&self) -> Vec<String> {
        let points = self.value(&oid::FRESHEST_CRL).map(DistributionPoint::list);
        points.unwrap_or_default().into_iter().flat_map(|own| own.urls).collect()
    }

    /// The key identifier in authorityKeyIdentifier.
    pub fn authority_key_identifier(&self) -> Option<Vec<u8>> {
        extension::authority_key(self.value(&oid::AUTHORITY_KEY_IDENTIFIER)?)
    }

    /// issuingDistributionPoint; `None` where there is none. One that does not read counts as a
    /// scope of attribute certificates, which nobody here has.
    pub fn scope(&self) -> Option<Scope> {
        let value = self.value(&oid::ISSUING_DISTRIBUTION_POINT)?;
        let Ok(point) = IssuingDistributionPoint::from_der(value) else {
            return Some(Scope { only_attributes: true, ..Scope::default() });
        };
        Some(Scope {
            urls: point.distribution_point.as_ref().map(full_name_urls).unwrap_or_default(),
            only_users: point.only_contains_user_certs,
            only_authorities: point.only_contains_ca_certs,
            only_attributes: point.only_contains_attribute_certs,
            only_some_reasons: point.only_some_reasons.is_some(),
            indirect: point.indirect_crl,
        })
    }

    /// The value of issuingDistributionPoint as it stands, for comparing.
    pub fn scope_der(&self) -> Option<&[u8]> {
        self.value(&oid::ISSUING_DISTRIBUTION_POINT)
    }

    /// An extension that is critical and that nobody need know (RFC 5280 §5.2).
    pub fn unknown_critical(&self) -> Option<&PresentedExtension> {
        let known = [oid::ISSUING_DISTRIBUTION_POINT, oid::DELTA_CRL_INDICATOR];
        let is_known = |own: &PresentedExtension| known.iter().any(|it| own.oid == it.as_bytes());
        self.extensions.iter().find(|own| own.critical && !is_known(own))
    }

    /// What its signature was made over.
    pub fn digest(&self) -> Digest {
        signature::digest(&self.der[self.algorithm.clone()])
    }

    /// Whether `issuer`'s key made its signature.
    pub fn fits(&self, issuer: &PresentedCertificate) -> Fit {
        let algorithm = &self.der[self.algorithm.clone()];
        signature::fits(algorithm, issuer.spki_der(), &self.der[self.tbs.clone()], &self.signature)
    }

    /// How it lists the certificate with these octets as its serial number; an error if an entry
    /// before it, or itself, does not read.
    pub fn find(&self, serial: &[u8]) -> Result<Option<Listed>, Unreadable> {
        let mut left = &self.der[self.entries.clone()];
        while !left.is_empty() {
            let (entry, rest) = split(left).ok_or(Unreadable("CRL entry"))?;
            left = rest;
            if serial_of(entry).ok_or(Unreadable("CRL entry"))? == serial {
                return listed(entry).ok_or(Unreadable("CRL entry")).map(Some);
            }
        }
        Ok(None)
    }
}

/// The first element, and what follows it.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (header, length) = read_header(bytes).ok()?;
    bytes.split_at_checked(header.checked_add(length)?)
}

/// The content of the INTEGER that an entry begins with.
fn serial_of(entry: &[u8]) -> Option<&[u8]> {
    let (header, _) = read_header(entry).ok()?;
    let inside = entry.get(header..).filter(|_| entry.first() == Some(&SEQUENCE))?;
    let (serial, _) = split(inside)?;
    let (header, _) = read_header(serial).ok()?;
    serial.get(header..)
}

fn listed(entry: &[u8]) -> Option<Listed> {
    let entry = Entry::from_der(entry).ok()?;
    let extensions = entry.extensions.unwrap_or_default();
    let reason = extensions.iter().find(|own| own.oid == oid::REASON_CODE.as_bytes());
    let reason = match reason {
        Some(own) => CrlReason::from_der(own.value).ok()? as u8,
        None => 0,
    };
    Some(Listed { since: Timestamp::from_x509(&entry.date), reason })
}

/// A CRL number, also one above 64 bits (RFC 5280 §5.2.3): its octets without leading zeros.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number(Vec<u8>);

impl Number {
    fn of(value: &[u8]) -> Option<Self> {
        Some(Self(UintRef::from_der(value).ok()?.as_bytes().to_vec()))
    }

    /// As [`Number::octets`] gave it.
    pub fn from_octets(octets: Vec<u8>) -> Self {
        Self(octets)
    }

    /// Its octets, the highest first, without leading zeros.
    pub fn octets(&self) -> &[u8] {
        &self.0
    }

    /// As a number, where it fits 64 bits.
    pub fn to_u64(&self) -> Option<u64> {
        let value = self.0.iter().fold(0u64, |value, octet| value << 8 | u64::from(*octet));
        (self.0.len() <= 8).then_some(value)
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.0.len(), &self.0).cmp(&(other.0.len(), &other.0))
    }
}

/// Decimal where it fits 64 bits, else hexadecimal.
impl std::fmt::Display for Number {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.to_u64() {
            Some(value) => write!(out, "{value}"),
            None => write!(out, "0x{}", hex(&self.0)),
        }
    }
}

impl std::fmt::Debug for PresentedCrl {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "PresentedCrl({} of {})", self.issuer_text(), self.this_update)
    }
}
