//! The extensions of a CA's own certificate, of CRLs and of their entries
//! (RFC 5280 §4.2.1.9, §5.2, §5.3; [MS-WCCE], [MS-CSRA]).

use super::Extension;
use super::standard::distribution_points;
use crate::pki::encoding::{BOOLEAN, ENUMERATED, OCTET_STRING, element, integer, sequence, time};
use crate::pki::oid;
use crate::pki::revocation::RevocationReason;
use crate::pki::time::Timestamp;

/// Basic constraints of a CA, critical: `SEQUENCE { cA TRUE, pathLenConstraint INTEGER OPTIONAL }`.
pub fn authority_basic_constraints(path_length: Option<u8>) -> Extension {
    let path_length = path_length.map(|length| integer(length.into())).unwrap_or_default();
    Extension::critical(oid::BASIC_CONSTRAINTS, sequence(&[&[BOOLEAN, 1, 0xff], &path_length]))
}

/// CA version: the index of the CA certificate, and of its key in the upper half
/// (szOID_CERTSRV_CA_VERSION).
pub fn ca_version(certificate_index: u16, key_index: u16) -> Extension {
    let version = u32::from(key_index) << 16 | u32::from(certificate_index);
    Extension::noncritical(oid::CA_VERSION, integer(version.into()))
}

/// SHA-1 of the CA certificate that this one renews.
pub fn previous_ca_certificate_hash(sha1: &[u8; 20]) -> Extension {
    Extension::noncritical(oid::PREVIOUS_CA_CERTIFICATE_HASH, element(OCTET_STRING, &[sha1]))
}

/// When the next CRL will be published ([MS-CSRA]): UTCTime until 2049.
pub fn next_crl_publish(moment: Timestamp) -> Extension {
    Extension::noncritical(oid::NEXT_CRL_PUBLISH, time::encode(moment))
}

/// CRL number (RFC 5280 §5.2.3).
pub fn crl_number(number: u64) -> Extension {
    Extension::noncritical(oid::CRL_NUMBER, integer(number))
}

/// Delta CRL indicator, critical: the number of the base (RFC 5280 §5.2.4).
pub fn delta_crl_indicator(base: u64) -> Extension {
    Extension::critical(oid::DELTA_CRL_INDICATOR, integer(base))
}

/// CRL virtual base, in delta CRLs: the number of the base.
pub fn crl_virtual_base(base: u64) -> Extension {
    Extension::noncritical(oid::CRL_VIRTUAL_BASE, integer(base))
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
    // The same DistributionPointName as in a distribution point, without the list round it.
    let points = distribution_points(urls);
    let inner =
        crate::pki::encoding::Elements::of(&points).take().map(|list| list.content.to_vec());
    Extension::critical(oid::ISSUING_DISTRIBUTION_POINT, inner.unwrap_or_default())
}

/// Reason code of a CRL entry (RFC 5280 §5.3.1). `unspecified` is not written at all.
pub fn reason_code(reason: RevocationReason) -> Option<Extension> {
    let code = reason.code();
    (code != 0).then(|| Extension::noncritical(oid::REASON_CODE, element(ENUMERATED, &[&[code]])))
}

/// Invalidity date of a CRL entry: always GeneralizedTime (RFC 5280 §5.3.2).
pub fn invalidity_date(moment: Timestamp) -> Extension {
    Extension::noncritical(oid::INVALIDITY_DATE, time::encode_generalized(moment))
}
