//! Domains behind an `@`: of mail addresses and of user principal names.

use super::dns::{DnsName, is_deceptive};
use super::{Broken, NotAName};

/// `contoso.com` for exactly this domain, `.contoso.com` for every one below it
/// (as RFC 5280 §4.2.1.10 has it for mail).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    name: DnsName,
    reach: Reach,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Itself,
    Below,
}

impl Domain {
    pub(super) fn covers(&self, name: &DnsName) -> bool {
        match self.reach {
            Reach::Itself => self.name == *name,
            Reach::Below => name.is_below(&self.name),
        }
    }
}

/// What stands behind the only `@` of a mail address or UPN. The part before it is the owner's
/// to compare (RFC 5280 §7.5: a mail address's with its case); here it must only be what it seems.
pub(super) fn after_at(text: &str) -> Option<Result<DnsName, Broken>> {
    let (before, domain) = text.split_once('@')?;
    if before.is_empty() || domain.contains('@') {
        return None;
    }
    if is_deceptive(before) {
        return Some(Err(Broken::Deceptive));
    }
    Some(DnsName::read(domain))
}

impl std::str::FromStr for Domain {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        match text.strip_prefix('.') {
            Some(parent) => Ok(Self { name: parent.parse()?, reach: Reach::Below }),
            None => Ok(Self { name: text.parse()?, reach: Reach::Itself }),
        }
    }
}

impl std::fmt::Display for Domain {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.reach {
            Reach::Itself => out.write_str(self.name.as_str()),
            Reach::Below => write!(out, ".{}", self.name.as_str()),
        }
    }
}
