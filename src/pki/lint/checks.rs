//! The lints themselves: each says whether its rule holds.

use super::Inspection;
use crate::pki::alternative_name;
use crate::pki::certificate::parts::ExtensionPart;
use crate::pki::encoding::{
    BOOLEAN, Elements, GENERALIZED_TIME, INTEGER, NotDer, OBJECT_IDENTIFIER, OCTET_STRING,
    SEQUENCE, UTC_TIME, constructed, object_identifier, only, primitive, time, unsigned,
};
use crate::pki::extension::{KeyUsage, read_extended_key_usage, read_key_usage};
use crate::pki::name::DistinguishedName;
use crate::pki::oid;
use crate::pki::public_key::key_identifier;
use crate::pki::serial::SerialNumber;
use crate::pki::time::Timestamp;

/// Version 3, since there are extensions.
pub(super) fn version(of: &Inspection<'_>) -> bool {
    of.tbs.version == Some(&[2])
}

/// Positive, at most 20 octets, minimally encoded.
pub(super) fn serial_number(of: &Inspection<'_>) -> bool {
    let serial = SerialNumber::from_der_content(of.tbs.serial);
    serial.is_ok_and(|serial| serial.as_der_content() == of.tbs.serial)
}

/// The algorithm it will be signed with.
pub(super) fn algorithm(of: &Inspection<'_>) -> bool {
    of.tbs.algorithm == of.algorithm.to_der()
}

/// The CA's subject, byte for byte, and not empty.
pub(super) fn issuer_name(of: &Inspection<'_>) -> bool {
    of.tbs.issuer == of.issuer.name().as_der() && !of.issuer.name().is_empty()
}

fn validity(of: &Inspection<'_>) -> Option<(Timestamp, Timestamp)> {
    Some((time::decode(of.tbs.not_before).ok()?, time::decode(of.tbs.not_after).ok()?))
}

/// notBefore is not after notAfter.
pub(super) fn validity_order(of: &Inspection<'_>) -> bool {
    validity(of).is_some_and(|(first, last)| first <= last)
}

/// UTCTime through 2049, GeneralizedTime from 2050 on.
pub(super) fn time_form(of: &Inspection<'_>) -> bool {
    [of.tbs.not_before, of.tbs.not_after].into_iter().all(|moment| match moment.tag {
        UTC_TIME => time::decode(moment).is_ok(),
        GENERALIZED_TIME => time::decode(moment).is_ok() && moment.content >= b"2050".as_slice(),
        _ => false,
    })
}

/// Within the CA's own validity.
pub(super) fn validity_nested(of: &Inspection<'_>) -> bool {
    validity(of).is_some_and(|(first, last)| {
        first >= of.issuer.not_before() && last <= of.issuer.not_after()
    })
}

/// A well-formed name; an empty one needs a critical alternative name, and a CA must have one.
pub(super) fn subject(of: &Inspection<'_>) -> bool {
    match DistinguishedName::from_der(of.tbs.subject) {
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
        let read = || -> Result<&[u8], NotDer> {
            let mut fields = only(extension.value, SEQUENCE)?.elements();
            Ok(fields.expect(primitive(0))?.content)
        };
        !extension.critical && read() == Ok(of.issuer.key_identifier())
    })
}

/// Present, not critical, SHA-1 of the key.
pub(super) fn subject_key_identifier(of: &Inspection<'_>) -> bool {
    let found = of.tbs.extension(&oid::SUBJECT_KEY_IDENTIFIER);
    found.is_some_and(|extension| {
        let identifier = only(extension.value, OCTET_STRING).map(|octets| octets.content);
        let key = of.tbs.key_octets().map(key_identifier);
        !extension.critical && matches!((identifier, key), (Ok(one), Ok(two)) if one == two)
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
    let read = || -> Result<bool, NotDer> {
        let mut parts = only(of.tbs.key, SEQUENCE)?.elements();
        let mut algorithm = parts.expect(SEQUENCE)?.elements();
        Ok(object_identifier(algorithm.expect(OBJECT_IDENTIFIER)?)? == oid::EC_PUBLIC_KEY)
    };
    let enciphers = |usage: KeyUsage| {
        usage.contains(KeyUsage::KEY_ENCIPHERMENT) || usage.contains(KeyUsage::DATA_ENCIPHERMENT)
    };
    match (read(), usage(of)) {
        (Ok(true), Some(Ok(usage))) => !enciphers(usage),
        (Ok(_), _) => true,
        (Err(NotDer), _) => false,
    }
}

/// Not empty, every name well formed.
pub(super) fn alternative_name(of: &Inspection<'_>) -> bool {
    let names = of.tbs.extension(&oid::SUBJECT_ALTERNATIVE_NAME);
    names.is_none_or(|extension| alternative_name::decode(extension.value).is_ok())
}

/// cA and pathLenConstraint of basic constraints.
fn constraints(extension: &ExtensionPart<'_>) -> Result<(bool, Option<u64>), NotDer> {
    let mut fields = only(extension.value, SEQUENCE)?.elements();
    let authority = match fields.optional(BOOLEAN)?.map(|flag| flag.content) {
        None => false,
        Some([0xff]) => true,
        // DEFAULT FALSE is not written (X.690 §11.5).
        Some(_) => return Err(NotDer),
    };
    let path_length = fields.optional(INTEGER)?.map(unsigned).transpose()?;
    fields.finish()?;
    Ok((authority, path_length))
}

fn is_authority(of: &Inspection<'_>) -> bool {
    let found = of.tbs.extension(&oid::BASIC_CONSTRAINTS);
    found.is_some_and(|extension| matches!(constraints(extension), Ok((true, _))))
}

/// Well formed; critical in a CA's certificate; a path length only there.
pub(super) fn basic_constraints(of: &Inspection<'_>) -> bool {
    of.tbs.extension(&oid::BASIC_CONSTRAINTS).is_none_or(|extension| match constraints(extension) {
        Ok((true, _)) => extension.critical,
        Ok((false, path_length)) => path_length.is_none(),
        Err(NotDer) => false,
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
        let read = || -> Result<bool, NotDer> {
            let mut points = only(extension.value, SEQUENCE)?.elements();
            let mut every = !points.is_empty();
            while !points.is_empty() {
                let mut fields = points.expect(SEQUENCE)?.elements();
                let names = only(fields.expect(constructed(0))?.content, constructed(0))?;
                every &= all_http(names.elements())?;
            }
            Ok(every)
        };
        !extension.critical && read() == Ok(true)
    })
}

/// Not critical; every access location an HTTP URL.
pub(super) fn authority_information_access(of: &Inspection<'_>) -> bool {
    of.tbs.extension(&oid::AUTHORITY_INFORMATION_ACCESS).is_none_or(|extension| {
        let read = || -> Result<bool, NotDer> {
            let mut descriptions = only(extension.value, SEQUENCE)?.elements();
            let mut every = !descriptions.is_empty();
            while !descriptions.is_empty() {
                let mut fields = descriptions.expect(SEQUENCE)?.elements();
                fields.expect(OBJECT_IDENTIFIER)?;
                every &= all_http(fields)?;
            }
            Ok(every)
        };
        !extension.critical && read() == Ok(true)
    })
}

/// Whether there is a name, and each is an HTTP URL: TLS would ask for what is being fetched
/// (RFC 5280 §8), and LDAP reaches nobody outside the domain.
fn all_http(mut names: Elements<'_>) -> Result<bool, NotDer> {
    let mut every = !names.is_empty();
    while !names.is_empty() {
        let name = names.take()?;
        every &= name.tag == primitive(6)
            && name.content.starts_with(b"http://")
            && name.content.iter().all(u8::is_ascii_graphic);
    }
    Ok(every)
}
