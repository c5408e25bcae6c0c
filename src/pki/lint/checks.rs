//! The lints themselves: each says whether its rule holds.

use der::asn1::OctetStringRef;
use der::{Decode, Encode};
use spki::SubjectPublicKeyInfoRef;
use x509_cert::certificate::Version;
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName};
use x509_cert::ext::pkix::{
    AuthorityInfoAccessSyntax, AuthorityKeyIdentifier, BasicConstraints, CrlDistributionPoints,
};
use x509_cert::time::Time;

use super::Inspection;
use crate::pki::alternative_name;
use crate::pki::certificate::parts::ExtensionPart;
use crate::pki::encoding::NotDer;
use crate::pki::extension::{KeyUsage, read_extended_key_usage, read_key_usage};
use crate::pki::name::DistinguishedName;
use crate::pki::oid;
use crate::pki::public_key::key_identifier;
use crate::pki::serial::SerialNumber;
use crate::pki::time::Timestamp;

/// Version 3, since there are extensions.
pub(super) fn version(of: &Inspection<'_>) -> bool {
    of.tbs.version == Some(Version::V3)
}

/// Positive, at most 20 octets, minimally encoded.
pub(super) fn serial_number(of: &Inspection<'_>) -> bool {
    let content = of.tbs.serial.value();
    let serial = SerialNumber::from_der_content(content);
    serial.is_ok_and(|serial| serial.as_der_content() == content)
}

/// The algorithm it will be signed with.
pub(super) fn algorithm(of: &Inspection<'_>) -> bool {
    of.tbs.algorithm.as_bytes() == of.algorithm.to_der()
}

/// The CA's subject, byte for byte, and not empty.
pub(super) fn issuer_name(of: &Inspection<'_>) -> bool {
    of.tbs.issuer.as_bytes() == of.issuer.name().as_der() && !of.issuer.name().is_empty()
}

fn validity(of: &Inspection<'_>) -> (Timestamp, Timestamp) {
    let validity = &of.tbs.validity;
    (Timestamp::from_x509(&validity.not_before), Timestamp::from_x509(&validity.not_after))
}

/// notBefore is not after notAfter.
pub(super) fn validity_order(of: &Inspection<'_>) -> bool {
    let (first, last) = validity(of);
    first <= last
}

/// UTCTime through 2049, GeneralizedTime from 2050 on.
pub(super) fn time_form(of: &Inspection<'_>) -> bool {
    [of.tbs.validity.not_before, of.tbs.validity.not_after].iter().all(|moment| match moment {
        Time::UtcTime(_) => true,
        Time::GeneralTime(moment) => moment.to_date_time().year() >= 2050,
    })
}

/// Within the CA's own validity.
pub(super) fn validity_nested(of: &Inspection<'_>) -> bool {
    let (first, last) = validity(of);
    first >= of.issuer.not_before() && last <= of.issuer.not_after()
}

/// A well-formed name; an empty one needs a critical alternative name, and a CA must have one.
pub(super) fn subject(of: &Inspection<'_>) -> bool {
    match DistinguishedName::from_der(of.tbs.subject.as_bytes()) {
        Err(_) => false,
        Ok(name) if !name.is_empty() => true,
        Ok(_) => {
            let names = of.tbs.extension(&oid::SUBJECT_ALTERNATIVE_NAME);
            names.is_some_and(|names| names.critical) && !is_authority(of)
        }
    }
}

/// No extension twice.
pub(super) fn extensions_unique(of: &Inspection<'_>) -> bool {
    let all = &of.tbs.extensions;
    all.iter().enumerate().all(|(at, one)| all[..at].iter().all(|earlier| earlier.oid != one.oid))
}

/// Nothing critical that relying parties do not know and would therefore refuse.
pub(super) fn critical_known(of: &Inspection<'_>) -> bool {
    let known = [
        oid::KEY_USAGE,
        oid::BASIC_CONSTRAINTS,
        oid::SUBJECT_ALTERNATIVE_NAME,
        oid::EXTENDED_KEY_USAGE,
        oid::CERTIFICATE_POLICIES,
    ];
    let critical = of.tbs.extensions.iter().filter(|extension| extension.critical);
    critical.into_iter().all(|one| known.iter().any(|oid| oid.as_bytes() == one.oid))
}

/// Present, not critical, the CA's subject key identifier.
pub(super) fn authority_key_identifier(of: &Inspection<'_>) -> bool {
    let found = of.tbs.extension(&oid::AUTHORITY_KEY_IDENTIFIER);
    found.is_some_and(|extension| {
        let read = AuthorityKeyIdentifier::from_der(extension.value);
        let identifier = read.ok().and_then(|read| read.key_identifier);
        !extension.critical
            && identifier.is_some_and(|found| found.as_bytes() == of.issuer.key_identifier())
    })
}

fn key<'a>(of: &Inspection<'a>) -> Option<SubjectPublicKeyInfoRef<'a>> {
    SubjectPublicKeyInfoRef::from_der(of.tbs.key.as_bytes()).ok()
}

/// Present, not critical, SHA-1 of the key.
pub(super) fn subject_key_identifier(of: &Inspection<'_>) -> bool {
    let found = of.tbs.extension(&oid::SUBJECT_KEY_IDENTIFIER);
    found.is_some_and(|extension| {
        let identifier = <&OctetStringRef>::from_der(extension.value).ok();
        let octets = key(of).and_then(|key| key.subject_public_key.as_bytes());
        !extension.critical
            && matches!((identifier, octets), (Some(identifier), Some(octets))
                if identifier.as_bytes() == key_identifier(octets))
    })
}

fn usage(of: &Inspection<'_>) -> Option<Result<KeyUsage, NotDer>> {
    of.tbs.extension(&oid::KEY_USAGE).map(|extension| read_key_usage(extension.value))
}

/// Critical and not empty where it is present, which it is in a CA's certificate; keyCertSign
/// only there.
pub(super) fn key_usage(of: &Inspection<'_>) -> bool {
    let critical = of.tbs.extension(&oid::KEY_USAGE).is_none_or(|extension| extension.critical);
    let authority = is_authority(of);
    critical
        && match usage(of) {
            None => !authority,
            Some(Err(_)) => false,
            Some(Ok(usage)) => {
                !usage.is_empty() && usage.contains(KeyUsage::KEY_CERTIFICATE_SIGN) == authority
            }
        }
}

/// An elliptic curve key enciphers neither keys nor data.
pub(super) fn key_usage_of_curve(of: &Inspection<'_>) -> bool {
    let enciphers = |usage: KeyUsage| {
        usage.contains(KeyUsage::KEY_ENCIPHERMENT) || usage.contains(KeyUsage::DATA_ENCIPHERMENT)
    };
    match (key(of), usage(of)) {
        (None, _) => false,
        (Some(key), Some(Ok(usage))) => {
            key.algorithm.oid != oid::EC_PUBLIC_KEY || !enciphers(usage)
        }
        (Some(_), _) => true,
    }
}

/// Not empty, every name well formed.
pub(super) fn alternative_name(of: &Inspection<'_>) -> bool {
    let names = of.tbs.extension(&oid::SUBJECT_ALTERNATIVE_NAME);
    names.is_none_or(|extension| alternative_name::decode(extension.value).is_ok())
}

/// Basic constraints; DEFAULT FALSE is not written (X.690 §11.5).
fn constraints(extension: &ExtensionPart<'_>) -> Option<BasicConstraints> {
    let constraints = BasicConstraints::from_der(extension.value).ok()?;
    (constraints.to_der().ok()? == extension.value).then_some(constraints)
}

fn is_authority(of: &Inspection<'_>) -> bool {
    let found = of.tbs.extension(&oid::BASIC_CONSTRAINTS);
    found.and_then(constraints).is_some_and(|constraints| constraints.ca)
}

/// Well formed; critical in a CA's certificate; a path length only there.
pub(super) fn basic_constraints(of: &Inspection<'_>) -> bool {
    of.tbs.extension(&oid::BASIC_CONSTRAINTS).is_none_or(|extension| match constraints(extension) {
        Some(constraints) if constraints.ca => extension.critical,
        Some(constraints) => constraints.path_len_constraint.is_none(),
        None => false,
    })
}

/// A CA below ours only where our own certificate lets it be.
pub(super) fn path_length(of: &Inspection<'_>) -> bool {
    !is_authority(of) || of.issuer.path_length() != Some(0)
}

/// Not empty, no purpose twice.
pub(super) fn extended_key_usage(of: &Inspection<'_>) -> bool {
    of.tbs.extension(&oid::EXTENDED_KEY_USAGE).is_none_or(|extension| {
        read_extended_key_usage(extension.value).is_ok_and(|purposes| {
            let twice = |(at, one)| purposes[..at].contains(one);
            !purposes.is_empty() && !purposes.iter().enumerate().any(twice)
        })
    })
}

/// Not critical; every point a list of HTTP URLs.
pub(super) fn crl_distribution_points(of: &Inspection<'_>) -> bool {
    of.tbs.extension(&oid::CRL_DISTRIBUTION_POINTS).is_none_or(|extension| {
        let read = CrlDistributionPoints::from_der(extension.value);
        let points = read.map(|points| points.0).unwrap_or_default();
        let http = points.iter().all(|point| match &point.distribution_point {
            Some(DistributionPointName::FullName(names)) => {
                !names.is_empty() && names.iter().all(is_http)
            }
            _ => false,
        });
        !extension.critical && !points.is_empty() && http
    })
}

/// Not critical; every access location an HTTP URL.
pub(super) fn authority_information_access(of: &Inspection<'_>) -> bool {
    of.tbs.extension(&oid::AUTHORITY_INFORMATION_ACCESS).is_none_or(|extension| {
        let read = AuthorityInfoAccessSyntax::from_der(extension.value);
        let descriptions = read.map(|read| read.0).unwrap_or_default();
        let http = descriptions.iter().all(|each| is_http(&each.access_location));
        !extension.critical && !descriptions.is_empty() && http
    })
}

/// Whether it is an HTTP URL: TLS would ask for what is being fetched (RFC 5280 §8), and LDAP
/// reaches nobody outside the domain.
fn is_http(name: &GeneralName) -> bool {
    let GeneralName::UniformResourceIdentifier(url) = name else { return false };
    let url = url.as_str();
    url.starts_with("http://") && url.bytes().all(|octet| octet.is_ascii_graphic())
}
