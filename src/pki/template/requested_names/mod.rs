//! The rules for names that come from the request: what the enrollees of a template may ask for.
//!
//! Absent on purpose: security identifiers, which never come from a request, and the rules of the
//! directory's names. AD CS has no such rules; whoever may enrol chooses any name (ESC1, ESC17).
//! Begin with [`NameRules`]; `broken` says why a name was refused.

mod address;
mod broken;
mod dns;
mod domain;
mod uri;

use std::net::IpAddr;

use const_oid::ObjectIdentifier;

pub use address::AddressRange;
pub use broken::Broken;
pub use dns::{DnsName, DnsSuffix};
pub use domain::Domain;
pub use uri::UriRule;

use crate::pki::account::{Account, service_principal_host};
use crate::pki::name::DistinguishedName;

/// What a request may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestedNames {
    /// Whatever it likes.
    Any,
    /// Only these.
    Within(Box<NameRules>),
}

/// Names that may be asked for; everything else is refused.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct NameRules {
    /// A name that ends in one of these, or is one.
    pub(super) dns_suffixes: Vec<DnsSuffix>,
    /// Exactly these names.
    pub(super) dns_names: Vec<DnsName>,
    /// Addresses, as iPAddress or (for Windows IKE clients) written as a dNSName.
    pub(super) addresses: Vec<AddressRange>,
    /// Whether `*.` may stand in front of a name within the suffixes.
    pub(super) wildcards: Wildcards,
    /// What may stand behind the `@` of a user principal name.
    pub(super) upn_suffixes: Vec<Domain>,
    /// What may stand behind the `@` of a mail address.
    pub(super) email_domains: Vec<Domain>,
    /// Where URIs may lie.
    pub(super) uris: Vec<UriRule>,
    /// Whether the account's own names may be asked for too.
    pub(super) own_names: OwnNames,
    /// Where a common name may stand.
    pub(super) common_name: CommonName,
    /// Subject attributes beside CN that a request may carry, such as `O=Contoso`; `O=*` is any O.
    pub(super) subject_attributes: Vec<DistinguishedName>,
    /// How many names there may be, attributes of the subject and alternative names together.
    pub(super) maximum_count: Option<u32>,
    /// How many characters each may have.
    pub(super) maximum_length: Option<u32>,
}

/// Whether wildcard names may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Wildcards {
    /// No.
    #[default]
    Refused,
    /// As the whole leftmost label of a name within a suffix.
    Allowed,
}

/// Whether the names that the directory holds of the account may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum OwnNames {
    /// Not because they are its own.
    #[default]
    Refused,
    /// dNSHostName, the hosts of servicePrincipalName, userPrincipalName and mail.
    Allowed,
}

/// Where a common name may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum CommonName {
    /// In the subject alone, too.
    #[default]
    Anywhere,
    /// Only where an alternative name says the same, as browsers and RFC 9525 want it.
    InAlternativeNames,
}

/// The text is not what the rule needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a DNS name, suffix, domain, address, network or URI")]
pub struct NotAName;

impl RequestedNames {
    /// Whether the rules leave a requester free to name any server.
    pub fn are_free(&self) -> bool {
        match self {
            Self::Any => true,
            Self::Within(rules) => {
                rules.dns_suffixes.iter().any(DnsSuffix::is_public)
                    || rules.addresses.iter().any(AddressRange::is_wide)
            }
        }
    }

    /// Whether the rules leave a requester free to name another account: a rule for what stands
    /// behind an `@` says nothing of what stands before it.
    pub fn name_accounts(&self) -> bool {
        match self {
            Self::Any => true,
            Self::Within(rules) => {
                !rules.upn_suffixes.is_empty() || !rules.email_domains.is_empty()
            }
        }
    }
}

impl NameRules {
    /// Whether `name`, asked for as a dNSName or as CN, is within the rules: a DNS name, a
    /// wildcard where they are allowed, or an address written out.
    pub fn check_dns_name(&self, name: &str, own: &Account) -> Result<(), Broken> {
        if let Ok(address) = name.parse::<IpAddr>() {
            return self.check_address(address);
        }
        if let Some(parent) = name.strip_prefix("*.") {
            let parent = DnsName::read(parent)?;
            let allowed = self.wildcards == Wildcards::Allowed && self.has_suffix_for(&parent);
            return if allowed { Ok(()) } else { Err(Broken::Wildcard) };
        }
        if name.contains('*') {
            return Err(Broken::Wildcard);
        }
        let name = DnsName::read(name)?;
        let allowed = self.dns_names.contains(&name)
            || self.has_suffix_for(&name)
            || self.own_names == OwnNames::Allowed && is_own_host(&name, own);
        if allowed { Ok(()) } else { Err(Broken::OutsideDns) }
    }

    /// Whether `address` is within the rules. An IPv4 address inside an IPv6 one (RFC 4291
    /// §2.5.5) is an IPv6 address.
    pub fn check_address(&self, address: IpAddr) -> Result<(), Broken> {
        let within = self.addresses.iter().any(|range| range.contains(address));
        if within { Ok(()) } else { Err(Broken::OutsideAddresses) }
    }

    /// Whether the user principal name `name` is within the rules.
    pub fn check_user_principal_name(&self, name: &str, own: &Account) -> Result<(), Broken> {
        self.check_at(name, &self.upn_suffixes, Broken::OutsideUpnSuffixes, |name| {
            own.user_principal_name.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(name))
        })
    }

    /// Whether the mail address `address` is within the rules.
    pub fn check_email(&self, address: &str, own: &Account) -> Result<(), Broken> {
        self.check_at(address, &self.email_domains, Broken::OutsideEmailDomains, |address| {
            own.mail.as_deref() == Some(address)
        })
    }

    fn check_at(
        &self,
        name: &str,
        domains: &[Domain],
        outside: Broken,
        is_own: impl Fn(&str) -> bool,
    ) -> Result<(), Broken> {
        if self.own_names == OwnNames::Allowed && is_own(name) {
            return Ok(());
        }
        let Some(domain) = domain::after_at(name) else { return Err(outside) };
        let domain = domain?;
        let within = domains.iter().any(|own| own.covers(&domain));
        if within { Ok(()) } else { Err(outside) }
    }

    /// Whether `uri` is within the rules.
    pub fn check_uri(&self, uri: &str) -> Result<(), Broken> {
        for rule in &self.uris {
            if rule.covers(uri)? {
                return Ok(());
            }
        }
        Err(Broken::OutsideUris)
    }

    /// Whether the subject may carry this attribute, which is not a CN.
    pub fn check_subject_attribute(
        &self,
        kind: ObjectIdentifier,
        value: &str,
    ) -> Result<(), Broken> {
        let listed = self.subject_attributes.iter().flat_map(DistinguishedName::attributes);
        let mut listed = listed.into_iter();
        let allowed = listed.any(|(own, text)| own == kind && (text == "*" || text == value));
        if allowed { Ok(()) } else { Err(Broken::SubjectAttribute) }
    }

    /// Whether a name of this text is short enough.
    pub fn check_length(&self, name: &str) -> Result<(), Broken> {
        match self.maximum_length {
            Some(limit) if name.chars().count() > limit as usize => Err(Broken::TooLong(limit)),
            _ => Ok(()),
        }
    }

    /// How many names there may be.
    pub fn maximum_count(&self) -> Option<u32> {
        self.maximum_count
    }

    /// Where a common name may stand.
    pub fn common_name(&self) -> CommonName {
        self.common_name
    }

    fn has_suffix_for(&self, name: &DnsName) -> bool {
        self.dns_suffixes.iter().any(|suffix| suffix.covers(name))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.dns_suffixes.is_empty()
            && self.dns_names.is_empty()
            && self.addresses.is_empty()
            && self.upn_suffixes.is_empty()
            && self.email_domains.is_empty()
            && self.uris.is_empty()
            && self.own_names == OwnNames::Refused
    }
}

/// Whether the directory knows `name` as a host of `account`.
fn is_own_host(name: &DnsName, account: &Account) -> bool {
    let services = account.service_principal_names.iter();
    let hosts = services.filter_map(|service| service_principal_host(service));
    let mut hosts = hosts.chain(account.dns_host_name.as_deref());
    hosts.any(|host| DnsName::read(host).as_ref() == Ok(name))
}

#[cfg(test)]
mod tests;
