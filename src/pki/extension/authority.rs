//! The extensions of a CA's own certificate, of CRLs and of their entries
//! (RFC 5280 §4.2.1.9, §5.2, §5.3; [MS-WCCE], [MS-CSRA]).

use der::Decode as _;
use der::asn1::{GeneralizedTime, OctetString, Uint};
use x509_cert::ext::pkix;

use super::standard::{distribution_points, full_name, full_name_urls};
use super::{Extension, value};
use crate::pki::encoding::NotDer;
use crate::pki::oid;
use crate::pki::revocation::RevocationReason;
use crate::pki::time::Timestamp;

/// Basic constraints of a CA, critical: `SEQUENCE { cA TRUE, pathLenConstraint INTEGER OPTIONAL }`.
pub fn authority_basic_constraints(path_length: Option<u8>) -> Extension {
    let constraints = pkix::BasicConstraints { ca: true, path_len_constraint: path_length };
    Extension::critical(oid::BASIC_CONSTRAINTS, value(&constraints))
}

/// CA version: the index of the CA certificate, and of its key in the upper half
/// (szOID_CERTSRV_CA_VERSION).
pub fn ca_version(certificate_index: u16, key_index: u16) -> Extension {
    let version = u32::from(key_index) << 16 | u32::from(certificate_index);
    Extension::noncritical(oid::CA_VERSION, value(&version))
}

/// Certificate index and key index out of the content of a CA version.
pub fn read_ca_version(content: &[u8]) -> Option<(u16, u16)> {
    let version = u32::from_der(content).ok()?;
    // The halves of 32 bits.
    Some((u16::try_from(version & 0xffff).ok()?, u16::try_from(version >> 16).ok()?))
}

/// SHA-1 of the CA certificate that this one renews.
pub fn previous_ca_certificate_hash(sha1: &[u8; 20]) -> Extension {
    let hash = OctetString::new(*sha1).map(|hash| value(&hash));
    Extension::noncritical(oid::PREVIOUS_CA_CERTIFICATE_HASH, hash.unwrap_or_default())
}

/// When the next CRL will be published ([MS-CSRA]): UTCTime until 2049.
pub fn next_crl_publish(moment: Timestamp) -> Extension {
    Extension::noncritical(oid::NEXT_CRL_PUBLISH, value(&moment.to_x509()))
}

/// CRL number (RFC 5280 §5.2.3).
pub fn crl_number(number: u64) -> Extension {
    let number = Uint::try_from(number).map(|number| value(&pkix::CrlNumber(number)));
    Extension::noncritical(oid::CRL_NUMBER, number.unwrap_or_default())
}

/// Delta CRL indicator, critical: the number of the base (RFC 5280 §5.2.4).
pub fn delta_crl_indicator(base: u64) -> Extension {
    let base = Uint::try_from(base).map(|base| value(&pkix::BaseCrlNumber(base)));
    Extension::critical(oid::DELTA_CRL_INDICATOR, base.unwrap_or_default())
}

/// CRL virtual base, in delta CRLs: the number of the base.
pub fn crl_virtual_base(base: u64) -> Extension {
    Extension::noncritical(oid::CRL_VIRTUAL_BASE, value(&base))
}

/// Freshest CRL: where delta CRLs are (RFC 5280 §5.2.6).
pub fn freshest_crl<T: AsRef<str>>(urls: &[T]) -> Extension {
    Extension::noncritical(oid::FRESHEST_CRL, distribution_points(urls))
}

/// Published CRL locations (szOID_CRL_SELF_CDP).
pub fn published_crl_locations<T: AsRef<str>>(urls: &[T]) -> Extension {
    Extension::noncritical(oid::PUBLISHED_CRL_LOCATIONS, distribution_points(urls))
}

/// Issuing distribution point, critical, with the point's names alone (RFC 5280 §5.2.5).
pub fn issuing_distribution_point<T: AsRef<str>>(urls: &[T]) -> Extension {
    let point = full_name(urls).map(|name| {
        value(&pkix::crl::IssuingDistributionPoint {
            distribution_point: Some(name),
            only_contains_user_certs: false,
            only_contains_ca_certs: false,
            only_some_reasons: None,
            indirect_crl: false,
            only_contains_attribute_certs: false,
        })
    });
    Extension::critical(oid::ISSUING_DISTRIBUTION_POINT, point.unwrap_or_default())
}

/// The URLs of an issuing distribution point that has names alone; none where it says more, or
/// names no URL.
pub fn read_issuing_distribution_point(value: &[u8]) -> Result<Vec<String>, NotDer> {
    let point = pkix::crl::IssuingDistributionPoint::from_der(value)?;
    let says_more = point.only_contains_user_certs
        || point.only_contains_ca_certs
        || point.only_some_reasons.is_some()
        || point.indirect_crl
        || point.only_contains_attribute_certs;
    Ok(match point.distribution_point {
        Some(name) if !says_more => full_name_urls(name),
        _ => Vec::new(),
    })
}

/// Reason code of a CRL entry (RFC 5280 §5.3.1). `unspecified` is not written at all.
pub fn reason_code(reason: RevocationReason) -> Option<Extension> {
    let code = pkix::CrlReason::try_from(u32::from(reason.code())).ok();
    let code = code.filter(|code| *code != pkix::CrlReason::Unspecified)?;
    Some(Extension::noncritical(oid::REASON_CODE, value(&code)))
}

/// The reason code removeFromCRL, of an entry that a delta CRL takes off (RFC 5280 §5.3.1).
pub fn remove_from_crl() -> Extension {
    Extension::noncritical(oid::REASON_CODE, value(&pkix::CrlReason::RemoveFromCRL))
}

/// Invalidity date of a CRL entry: always GeneralizedTime (RFC 5280 §5.3.2).
pub fn invalidity_date(moment: Timestamp) -> Extension {
    let moment = GeneralizedTime::from_date_time(moment.to_x509().to_date_time());
    Extension::noncritical(oid::INVALIDITY_DATE, value(&moment))
}
