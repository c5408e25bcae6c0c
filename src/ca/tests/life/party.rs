//! What relying parties hold and work out of it. The lists are read with x509-cert and verified
//! with the cryptographic library alone: none of the code that wrote them is asked.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use const_oid::ObjectIdentifier;
use der::asn1::UintRef;
use der::{Decode, Encode};
use x509_cert::certificate::Rfc5280;
use x509_cert::crl::{CertificateList, RevokedCert};
use x509_cert::ext::Extensions;
use x509_cert::ext::pkix::crl::dp::IssuingDistributionPoint;
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName};
use x509_cert::ext::pkix::{CrlDistributionPoints, CrlReason};
use x509_cert::time::Time;

use super::model::{Known, Revoked};
use crate::pki::serial::SerialNumber;
use crate::pki::time::Timestamp;

const CRL_NUMBER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.20");
const REASON: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.21");
const DELTA_INDICATOR: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.27");
const DISTRIBUTION_POINT: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.28");
const FRESHEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.46");

/// A CRL as a stranger reads it.
#[derive(Clone, Debug)]
pub(super) struct List {
    pub(super) number: u64,
    /// BaseCRLNumber of a delta.
    pub(super) base: Option<u64>,
    pub(super) this_update: Timestamp,
    pub(super) next_update: Timestamp,
    /// Whether it says where deltas are.
    pub(super) freshest: bool,
    /// Where a part says that it is found; nowhere if it speaks of everybody.
    pub(super) places: Vec<String>,
    pub(super) listed: Known,
    /// Those with the reason removeFromCRL.
    pub(super) removed: Vec<SerialNumber>,
}

impl List {
    /// Reads it and verifies its signature with a public key of the CA (the octets of the point).
    pub(super) fn read(der: &[u8], point: &[u8]) -> Self {
        let list = CertificateList::<Rfc5280>::from_der(der).expect("a CRL");
        let signed = list.tbs_cert_list.to_der().unwrap();
        let signature = list.signature.as_bytes().unwrap();
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point);
        key.verify(&signed, signature).expect("a CRL with the CA's signature");

        let tbs = &list.tbs_cert_list;
        let (mut listed, mut removed) = (Known::new(), Vec::new());
        for entry in tbs.revoked_certificates.iter().flatten() {
            let serial = SerialNumber::from_der_content(entry.serial_number.as_bytes()).unwrap();
            match reason(entry) {
                CrlReason::RemoveFromCRL => removed.push(serial),
                reason => {
                    let at = moment(entry.revocation_date).seconds();
                    let twice = listed.insert(serial, Revoked { reason: reason as u8, at });
                    assert!(twice.is_none(), "{serial} twice in one list");
                }
            }
        }
        let extensions = tbs.crl_extensions.as_ref().expect("CRL extensions");
        let (number, critical) = uint(extensions, CRL_NUMBER).expect("a CRL number");
        assert!(!critical, "RFC 5280 §5.2.3: not critical");
        let base = uint(extensions, DELTA_INDICATOR);
        assert!(base.is_none_or(|(_, critical)| critical), "RFC 5280 §5.2.4: critical");
        Self {
            number,
            base: base.map(|(number, _)| number),
            this_update: moment(tbs.this_update),
            next_update: moment(tbs.next_update.expect("nextUpdate")),
            freshest: extensions.iter().any(|it| it.extn_id == FRESHEST),
            places: places(extensions),
            listed,
            removed,
        }
    }

    /// Whether this complete list may be combined with that delta (RFC 5280 §5.2.4 c, d).
    pub(super) fn fits(&self, delta: &List) -> bool {
        delta.base.is_some_and(|base| base <= self.number) && self.number < delta.number
    }

    /// What this complete list and that delta tell together.
    pub(super) fn with(&self, delta: &List) -> Known {
        let mut known = self.listed.clone();
        known.extend(&delta.listed);
        known.retain(|serial, _| !delta.removed.contains(serial));
        known
    }
}

fn moment(time: Time) -> Timestamp {
    Timestamp::from_seconds(time.to_unix_duration().as_secs())
}

fn reason(entry: &RevokedCert<Rfc5280>) -> CrlReason {
    let extensions = entry.crl_entry_extensions.iter().flatten();
    let found = extensions.into_iter().find(|it| it.extn_id == REASON);
    found
        .map_or(CrlReason::Unspecified, |it| CrlReason::from_der(it.extn_value.as_bytes()).unwrap())
}

/// Where a certificate says that its CRL is found.
pub(super) fn list_of(certificate: &[u8]) -> Vec<String> {
    let certificate = x509_cert::Certificate::from_der(certificate).expect("a certificate");
    let found = certificate.tbs_certificate().get_extension::<CrlDistributionPoints>().unwrap();
    let (_, CrlDistributionPoints(points)) = found.expect("CRL distribution points");
    points.into_iter().filter_map(|point| point.distribution_point).flat_map(urls).collect()
}

/// Where a CRL of a part says that it is found: critically, and nothing else (RFC 5280 §5.2.5).
fn places(extensions: &Extensions) -> Vec<String> {
    let Some(found) = extensions.iter().find(|it| it.extn_id == DISTRIBUTION_POINT) else {
        return Vec::new();
    };
    assert!(found.critical, "RFC 5280 §5.2.5: critical");
    let read = IssuingDistributionPoint::from_der(found.extn_value.as_bytes()).unwrap();
    assert!(!read.only_contains_user_certs && !read.only_contains_ca_certs && !read.indirect_crl);
    assert!(!read.only_contains_attribute_certs && read.only_some_reasons.is_none());
    urls(read.distribution_point.expect("a distribution point"))
}

fn urls(name: DistributionPointName) -> Vec<String> {
    let DistributionPointName::FullName(names) = name else { panic!("{name:?}") };
    let url = |name: GeneralName| match name {
        GeneralName::UniformResourceIdentifier(url) => url.as_str().to_owned(),
        other => panic!("{other:?}"),
    };
    names.into_iter().map(url).collect()
}

/// The value of an extension that is an INTEGER, and whether it is critical.
fn uint(extensions: &Extensions, of: ObjectIdentifier) -> Option<(u64, bool)> {
    let found = extensions.iter().find(|it| it.extn_id == of)?;
    let octets = UintRef::from_der(found.extn_value.as_bytes()).unwrap().as_bytes();
    let number = octets.iter().fold(0, |number, octet| number << 8 | u64::from(*octet));
    Some((number, found.critical))
}
