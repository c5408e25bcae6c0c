//! How the value of one key reads: within limits, of known words, or a [`Problem`].

use const_oid::ObjectIdentifier;

use super::file::{CompatibilityFile, KeyAlgorithmFile, RequestedNamesFile};
use super::key_rules::key_usage_from_name;
use super::mistake::Problem;
use super::requested_names::{CommonName, OwnNames, Wildcards};
use super::{Compatibility, KeyRule, NameRules, RequestedNames};
use crate::pki::extension::KeyUsage;
use crate::pki::name::{DistinguishedName, is_bidirectional, is_control};
use crate::pki::oid;

/// `cn` in Active Directory has at most 64 characters.
pub const LONGEST_CN: usize = 64;
pub(super) const LONGEST_TEXT: usize = 256;
/// Security descriptors and descriptors of provider properties are long.
pub(super) const LONGEST_RA_POLICY: usize = 2_048;
pub(super) const MOST_ENTRIES: usize = 64;

/// A name of a template: it stands in paths, file names and BMPStrings.
pub(super) fn template_cn(cn: &str) -> Result<String, Problem> {
    let inner = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.');
    let plain =
        cn.starts_with(|first: char| first.is_ascii_alphanumeric()) && cn.bytes().all(inner);
    match text(cn, LONGEST_CN)? {
        cn if plain => Ok(cn),
        cn => Err(Problem::NotA(cn, "a name of ASCII letters, digits, `-`, `_` and `.`")),
    }
}

/// A text to show: not empty, not long, nothing invisible in it.
pub(super) fn text(text: &str, longest: usize) -> Result<String, Problem> {
    // What changes the reading direction (Unicode UAX #9), or cannot be seen at all.
    let hidden = |letter: char| {
        is_control(letter)
            || is_bidirectional(letter)
            || matches!(letter, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}')
    };
    if text.chars().count() > longest {
        return Err(Problem::TooLong(longest));
    }
    if text.trim().is_empty() {
        return Err(Problem::Empty);
    }
    if text.contains(hidden) || text.trim() != text {
        let shown = text.escape_debug().to_string();
        return Err(Problem::NotA(shown, "a text without control characters and outer spaces"));
    }
    Ok(text.to_owned())
}

pub(super) fn parsed<T: std::str::FromStr>(text: &str, what: &'static str) -> Result<T, Problem> {
    text.parse().map_err(|_| Problem::NotA(shortened(text), what))
}

pub(super) fn word<T>(
    word: &str,
    read: impl Fn(&str) -> Option<T>,
    known: &'static str,
) -> Result<T, Problem> {
    read(word).ok_or_else(|| Problem::UnknownWord(shortened(word), known))
}

/// A hostile value is not repeated in full.
fn shortened(text: &str) -> String {
    text.chars().take(64).flat_map(char::escape_debug).collect()
}

pub(super) fn within(value: u32, low: u32, high: u32, range: &'static str) -> Result<u32, Problem> {
    let fits = (low..=high).contains(&value);
    if fits { Ok(value) } else { Err(Problem::OutOfRange(value.into(), range)) }
}

pub(super) fn flags<T: Copy + Default>(
    names: &[String],
    read: impl Fn(&str) -> Option<T>,
    with: impl Fn(T, T) -> T,
) -> Result<T, Problem> {
    let read = |name: &String| word(name, &read, "the names in [MS-CRTD]");
    let flags = list(names, |name| read(name).map(|_| name.clone()))?;
    flags.iter().try_fold(T::default(), |sum, name| read(name).map(|flag| with(sum, flag)))
}

/// A list within limits, without the same entry twice, be it in another spelling.
pub(super) fn list<T: PartialEq>(
    texts: &[String],
    read: impl Fn(&String) -> Result<T, Problem>,
) -> Result<Vec<T>, Problem> {
    if texts.len() > MOST_ENTRIES {
        return Err(Problem::TooMany(MOST_ENTRIES));
    }
    let mut entries = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        let entry = read(text)?;
        let earlier = texts.iter().take(index).any(|own| own.eq_ignore_ascii_case(text));
        if earlier || entries.contains(&entry) {
            return Err(Problem::Twice(shortened(text)));
        }
        entries.push(entry);
    }
    Ok(entries)
}

pub(super) fn key_usage(names: &[String]) -> Result<KeyUsage, Problem> {
    let known = "the names in RFC 5280 §4.2.1.3";
    let usages = list(names, |name| word(name, key_usage_from_name, known))?;
    Ok(usages.into_iter().fold(KeyUsage::from_bits(0), KeyUsage::union))
}

pub(super) fn compatibility(file: &CompatibilityFile) -> Result<Compatibility, Problem> {
    let (authority, recipient) = (file.authority.as_deref(), file.recipient.as_deref());
    let shown = || format!("{} / {}", authority.unwrap_or("none"), recipient.unwrap_or("none"));
    Compatibility::from_words(authority, recipient).ok_or_else(|| {
        let known = "`Windows Server 2003` to `2016`, `Windows XP` to `Windows 10`";
        Problem::UnknownWord(shortened(&shown()), known)
    })
}

pub(super) fn key_rules(files: &[KeyAlgorithmFile]) -> Result<Vec<KeyRule>, Problem> {
    let names: Vec<String> = files.iter().map(|file| file.algorithm.clone()).collect();
    list(&names, |name| Ok(name.clone()))?;
    if files.is_empty() {
        return Err(Problem::Empty);
    }
    files.iter().map(key_rule).collect()
}

fn key_rule(file: &KeyAlgorithmFile) -> Result<KeyRule, Problem> {
    match (file.algorithm.as_str(), file.minimum_bits) {
        ("RSA", Some(bits)) => within(bits, 2048, 8192, "2048 to 8192 bits")
            .map(|minimum_bits| KeyRule::Rsa { minimum_bits }),
        ("RSA", None) => Err(Problem::Inconsistent("RSA needs minimum_bits")),
        ("ECDSA_P256", None) => Ok(KeyRule::P256),
        ("ECDSA_P384", None) => Ok(KeyRule::P384),
        ("ECDSA_P256" | "ECDSA_P384", Some(_)) => {
            Err(Problem::Inconsistent("minimum_bits belongs to RSA"))
        }
        (other, _) => Err(Problem::UnknownWord(shortened(other), "RSA, ECDSA_P256, ECDSA_P384")),
    }
}

/// The extensions whose criticality a template decides ([MS-CRTD] pKICriticalExtensions).
pub(super) fn critical_extension(dotted: &str) -> Result<ObjectIdentifier, Problem> {
    let known = ["2.5.29.15", "2.5.29.17", "2.5.29.19"];
    match known.contains(&dotted) {
        true => parsed(dotted, "an OID"),
        false => Err(Problem::UnknownWord(
            shortened(dotted),
            "2.5.29.15 (key usage), 2.5.29.17 (alternative name), 2.5.29.19 (basic constraints)",
        )),
    }
}

const DOMAIN: &str = "a domain such as `contoso.com`, or `.contoso.com` for those below it";

fn limit(number: Option<u32>) -> Result<Option<u32>, Problem> {
    number.map(|number| within(number, 1, 1_000_000, "1 to 1000000")).transpose()
}

pub(super) fn requested_names(file: &RequestedNamesFile) -> Result<RequestedNames, Problem> {
    let rules = NameRules {
        dns_suffixes: list(&file.dns_suffixes, |suffix| parsed(suffix, "a DNS suffix"))?,
        dns_names: list(&file.dns_names, |name| parsed(name, "a DNS name"))?,
        addresses: list(&file.addresses, |range| parsed(range, "an address or a network"))?,
        wildcards: if file.wildcards { Wildcards::Allowed } else { Wildcards::Refused },
        upn_suffixes: list(&file.upn_suffixes, |domain| parsed(domain, DOMAIN))?,
        email_domains: list(&file.email_domains, |domain| parsed(domain, DOMAIN))?,
        uris: list(&file.uris, |uri| parsed(uri, "a scheme, a host and the beginning of a path"))?,
        own_names: if file.own_names { OwnNames::Allowed } else { OwnNames::Refused },
        common_name: if file.common_name_in_alternative_names {
            CommonName::InAlternativeNames
        } else {
            CommonName::Anywhere
        },
        subject_attributes: list(&file.subject_attributes, |line| subject_attribute(line))?,
        maximum_count: limit(file.maximum_count)?,
        maximum_length: limit(file.maximum_length)?,
    };
    match (file.any, rules.is_empty()) {
        (true, true) if *file == (RequestedNamesFile { any: true, ..Default::default() }) => {
            Ok(RequestedNames::Any)
        }
        (true, _) => Err(Problem::Inconsistent("`any` stands alone")),
        (false, true) => Err(Problem::Inconsistent(
            "allows no name: needs dns_suffixes, dns_names, addresses, upn_suffixes, \
             email_domains, uris or own_names; or null",
        )),
        (false, false) => Ok(RequestedNames::Within(Box::new(rules))),
    }
}

/// `O=Contoso`: one attribute as RFC 4514 writes it, of a type that names no account.
fn subject_attribute(line: &str) -> Result<DistinguishedName, Problem> {
    let kinds = [
        oid::COUNTRY,
        oid::STATE,
        oid::LOCALITY,
        oid::STREET,
        oid::ORGANIZATION,
        oid::ORGANIZATIONAL_UNIT,
    ];
    let wrong = || {
        Problem::NotA(
            shortened(line),
            "one of `C`, `ST`, `L`, `STREET`, `O`, `OU`, with `=` and its value",
        )
    };
    let name = DistinguishedName::from_rfc4514(&text(line, LONGEST_TEXT)?).map_err(|_| wrong())?;
    match name.attributes().as_slice() {
        [(kind, _)] if kinds.contains(kind) => Ok(name),
        _ => Err(wrong()),
    }
}
