//! The account's SID, so that Windows maps the certificate strongly (KB5014754).

use crate::pki::account::Account;
use crate::pki::alternative_name::AlternativeName;
use crate::pki::certificate::Certificate;
use crate::pki::denial::{Denial, Rule};
use crate::pki::extension::{self, Extension};
use crate::pki::oid;
use crate::pki::template::{ObjectSid, Template};

/// The beginning of a SID's URI (KB5014754).
const URI: &str = "tag:microsoft.com,2022-09-14:sid:";

/// The extension. Where the names come from the request they are not the account's, and AD CS
/// writes no SID of the account either ([MS-WCCE] 3.2.2.6.2.1.4.5.9).
pub(super) fn extension(
    template: &Template,
    account: &Account,
) -> Result<Option<Extension>, Denial> {
    if !template.writes_security_extension() {
        return Ok(None);
    }
    Ok(sid_of(template, account)?.map(extension::security_identifier))
}

/// The same as an alternative name.
pub(super) fn alternative_name(
    template: &Template,
    account: &Account,
) -> Result<Option<AlternativeName>, Denial> {
    if !template.writes_security_uri() {
        return Ok(None);
    }
    Ok(sid_of(template, account)?.map(|sid| AlternativeName::Uri(format!("{URI}{sid}"))))
}

/// Whether a certificate of this CA carries the SID of another account than this one: names become
/// free and are given anew, SIDs never are ([MS-DTYP] §2.4.2).
pub fn is_of_another(certificate: &Certificate, account: &Account) -> bool {
    let uris = certificate.alternative_names().iter().filter_map(|name| match name {
        AlternativeName::Uri(uri) => uri.strip_prefix(URI).map(ToOwned::to_owned),
        _ => None,
    });
    let mut sids = certificate.security_identifier().into_iter().chain(uris);
    sids.any(|sid| account.object_sid.as_ref() != Some(&sid))
}

/// Whether a name out of a request would map a certificate to an account: never the request's.
/// Escapes and case are seen through, though Windows is not known to.
pub(super) fn is_one(name: &AlternativeName) -> bool {
    match name {
        AlternativeName::Uri(uri) => {
            let plain = unescaped(uri);
            let start = plain.get(..URI.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(URI.as_bytes()))
        }
        AlternativeName::Other { oid, .. } => [oid::OBJECT_SID, oid::CA_SECURITY].contains(oid),
        _ => false,
    }
}

/// RFC 3986 §2.1, until nothing is left to take back.
fn unescaped(uri: &str) -> Vec<u8> {
    let mut octets = uri.as_bytes().to_vec();
    while let Some(at) = octets.windows(3).position(|three| escaped(three).is_some()) {
        let octet = octets.get(at..at + 3).and_then(escaped);
        octets.splice(at..at + 3, octet);
    }
    octets
}

fn escaped(three: &[u8]) -> Option<u8> {
    let [b'%', pair @ ..] = three else { return None };
    let pair = std::str::from_utf8(pair).ok().filter(|pair| !pair.starts_with('+'))?;
    u8::from_str_radix(pair, 16).ok()
}

fn sid_of<'a>(template: &Template, account: &'a Account) -> Result<Option<&'a str>, Denial> {
    match account.object_sid.as_deref() {
        Some(sid) if is_sid(sid) => Ok(Some(sid)),
        None if template.object_sid() == ObjectSid::Optional => Ok(None),
        sid => Err(Denial::new(
            Rule::DirectorySidRequired,
            format!(
                "the template {} takes object_sid from the account {}, where it {}",
                template.cn(),
                account.name,
                if sid.is_none() { "is missing" } else { "is no SID" }
            ),
        )),
    }
}

/// `S-1-`, an authority and 1 to 15 sub-authorities ([MS-DTYP] §2.4.2.1).
fn is_sid(text: &str) -> bool {
    let Some(numbers) = text.strip_prefix("S-1-") else { return false };
    let plain = |number: &str| {
        !number.is_empty() && number.len() <= 15 && number.bytes().all(|one| one.is_ascii_digit())
    };
    (2..=16).contains(&numbers.split('-').count()) && numbers.split('-').all(plain)
}
