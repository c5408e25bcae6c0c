//! DNS names as rules and as what is asked for: compared in lower case and as A-labels
//! (RFC 5280 §7.2 and §7.3, RFC 5891), and only where the eye is not deceived (UTS #39).

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use unicode_security::{RestrictionLevel, RestrictionLevelDetection as _};

use super::{Broken, NotAName};

/// A DNS name in lower case and A-labels: letters, digits and inner hyphens, labels of at most 63
/// octets, 253 in all (RFC 1034 §3.5, RFC 5280 §4.2.1.6); not an address and not a wildcard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsName(String);

/// The end of DNS names, on label borders; empty for any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsSuffix(String);

impl DnsName {
    /// The name that `text` means; Unicode is mapped (UTS #46).
    pub(super) fn read(text: &str) -> Result<Self, Broken> {
        let mapping = Uts46::new();
        let hyphens = Hyphens::CheckFirstLast;
        let mapped =
            mapping.to_ascii(text.as_bytes(), AsciiDenyList::STD3, hyphens, DnsLength::Verify);
        let name = match mapped {
            Ok(name) => Self(name.into_owned()),
            Err(_) if text.is_ascii() && !is_international(text) => {
                return Err(Broken::NotADnsName);
            }
            Err(_) => return Err(Broken::NotCanonical),
        };
        // A name whose last label is a number would be read as an address (RFC 3696 §2, and
        // hexadecimal ones in the URL standard).
        let last = name.0.rsplit('.').next().unwrap_or_default();
        let hexadecimal = last
            .strip_prefix("0x")
            .is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        if hexadecimal || last.bytes().all(|octet| octet.is_ascii_digit()) {
            return Err(Broken::NotADnsName);
        }
        let unicode = name.to_unicode();
        if unicode.split('.').any(is_deceptive) {
            return Err(Broken::Deceptive);
        }
        // What a person sees must be the name, not something that is mapped to it.
        if !text.is_ascii() && unicode != text.to_lowercase() {
            return Err(Broken::NotCanonical);
        }
        Ok(name)
    }

    /// The name in lower case and A-labels.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it lies below `parent`.
    pub(super) fn is_below(&self, parent: &Self) -> bool {
        self.0.strip_suffix(&parent.0).is_some_and(|rest| rest.ends_with('.'))
    }

    fn to_unicode(&self) -> String {
        let hyphens = Hyphens::CheckFirstLast;
        Uts46::new().to_unicode(self.0.as_bytes(), AsciiDenyList::STD3, hyphens).0.into_owned()
    }
}

/// Whether a label claims to be an A-label.
fn is_international(text: &str) -> bool {
    let claims =
        |label: &str| label.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("xn--"));
    text.split('.').any(claims)
}

/// Whether `text` is made to be taken for another: letters of scripts that do not belong
/// together (UTS #39 §5.2, Highly Restrictive), or all of one that look like ASCII letters (§4).
pub(super) fn is_deceptive(text: &str) -> bool {
    if text.is_ascii() {
        return false;
    }
    let mixed = text.detect_restriction_level() > RestrictionLevel::HighlyRestrictive;
    let seen = unicode_security::confusable_detection::skeleton(text);
    mixed || seen.into_iter().all(|letter| letter.is_ascii())
}

impl DnsSuffix {
    /// Whether `name` is the suffix or below it.
    pub(super) fn covers(&self, name: &DnsName) -> bool {
        let Some(rest) = name.0.strip_suffix(&self.0) else { return false };
        self.0.is_empty() || rest.is_empty() || rest.ends_with('.')
    }

    /// Whether anybody may own a name below it: empty, a single label such as `com`, or a
    /// country's second level such as `co.uk`.
    pub(super) fn is_public(&self) -> bool {
        match self.0.split_once('.') {
            None => true,
            Some((first, rest)) => {
                let registries = ["ac", "co", "com", "edu", "gov", "ne", "net", "or", "org"];
                rest.len() == 2 && registries.contains(&first)
            }
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for DnsName {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        Self::read(text).map_err(|_| NotAName)
    }
}

/// With or without a leading dot.
impl std::str::FromStr for DnsSuffix {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        match text.strip_prefix('.').unwrap_or(text) {
            "" => Ok(Self(String::new())),
            name => name.parse().map(|DnsName(name)| Self(name)),
        }
    }
}
