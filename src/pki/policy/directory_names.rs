//! Names out of the directory ([MS-WCCE] 3.2.2.6.2.1.4.5.9): what the name flags ask for, of the
//! account for which the certificate is. What the request names is passed over, as AD CS does.

use super::{Names, security_identifier};
use crate::pki::account::{Account, AccountKind};
use crate::pki::alternative_name::{AlternativeName, guid_from_text};
use crate::pki::denial::{Denial, Rule};
use crate::pki::name::{DistinguishedName, NameError};
use crate::pki::oid;
use crate::pki::template::{NameFlags, Template};

/// Subject and alternative names of `account`; an attribute it lacks is named in the denial.
pub(super) fn build(template: &Template, account: &Account) -> Result<Names, Denial> {
    let source = Source { cn: template.cn(), account };
    let flags = template.name_flags();
    let mut alternative = source.alternative_names(flags)?;
    alternative.extend(security_identifier::alternative_name(template, account)?);
    Ok(Names { subject: source.subject(flags)?, alternative })
}

/// An account, and the template that asks for its attributes.
struct Source<'a> {
    cn: &'a str,
    account: &'a Account,
}

impl Source<'_> {
    /// The directory path before a common name, and DNS_AS_CN the same as COMMON_NAME: "either"
    /// is what [MS-WCCE] says, `dNSHostName` for a machine and `cn` for a user. A service, which
    /// Active Directory does not know, has its DNS name where that is asked for ([MS-CRTD] §2.28).
    fn subject(&self, flags: NameFlags) -> Result<DistinguishedName, Denial> {
        let as_dns = flags.contains(NameFlags::SUBJECT_REQUIRE_DNS_AS_CN);
        let name = if flags.contains(NameFlags::SUBJECT_REQUIRE_DIRECTORY_PATH) {
            let path = self.attribute(Attribute::DistinguishedName)?;
            self.named(Attribute::DistinguishedName, DistinguishedName::from_rfc4514(path))?
        } else if as_dns || flags.contains(NameFlags::SUBJECT_REQUIRE_COMMON_NAME) {
            self.common_name(match self.account.kind {
                AccountKind::Computer => Attribute::DnsHostName,
                AccountKind::Service if as_dns => Attribute::DnsHostName,
                AccountKind::User | AccountKind::Service => Attribute::Cn,
            })?
        } else {
            DistinguishedName::empty()
        };
        if !flags.contains(NameFlags::SUBJECT_REQUIRE_EMAIL) {
            return Ok(name);
        }
        let mail = self.attribute(Attribute::Mail)?;
        self.named(Attribute::Mail, name.appending(&oid::EMAIL_ADDRESS, mail))
    }

    /// In the order in which AD CS writes them: otherNames, mail, DNS names.
    fn alternative_names(&self, flags: NameFlags) -> Result<Vec<AlternativeName>, Denial> {
        let mut names = Vec::new();
        if flags.contains(NameFlags::SUBJECT_ALT_REQUIRE_DIRECTORY_GUID) {
            let text = self.attribute(Attribute::ObjectGuid)?;
            let guid = guid_from_text(text).ok_or_else(|| self.unusable(Attribute::ObjectGuid))?;
            names.push(AlternativeName::DirectoryGuid(guid));
        }
        // "If the UPN or the SPN flag is set, the CA MUST add the value of userPrincipalName."
        if flags
            .intersects(NameFlags::SUBJECT_ALT_REQUIRE_UPN.with(NameFlags::SUBJECT_ALT_REQUIRE_SPN))
        {
            let upn = self.attribute(Attribute::UserPrincipalName)?;
            let name = AlternativeName::user_principal_name(upn);
            names.push(name.map_err(|_| self.unusable(Attribute::UserPrincipalName))?);
        }
        if flags.contains(NameFlags::SUBJECT_ALT_REQUIRE_EMAIL) {
            let name = AlternativeName::email(self.attribute(Attribute::Mail)?);
            names.push(name.map_err(|_| self.unusable(Attribute::Mail))?);
        }
        if flags.contains(NameFlags::SUBJECT_ALT_REQUIRE_DNS) {
            names.push(self.dns(self.attribute(Attribute::DnsHostName)?)?);
        }
        if flags.contains(NameFlags::SUBJECT_ALT_REQUIRE_DOMAIN_DNS) {
            names.push(self.dns(&self.domain()?)?);
        }
        Ok(names)
    }

    /// The DNS name of the account's domain: the DCs of its distinguished name ([MS-ADTS]
    /// §3.1.1.1.5), which a host's name may differ from; without any, what follows the host.
    fn domain(&self) -> Result<String, Denial> {
        let path = self.account.distinguished_name.as_deref();
        let path = path.and_then(|path| DistinguishedName::from_rfc4514(path).ok());
        let attributes = path.map(|path| path.attributes()).unwrap_or_default();
        let components = attributes.into_iter().filter(|(kind, _)| *kind == oid::DOMAIN_COMPONENT);
        let mut labels: Vec<String> = components.map(|(_, label)| label).collect();
        if labels.is_empty() {
            let host = self.attribute(Attribute::DnsHostName)?;
            let domain = host.split_once('.').map(|(_, domain)| domain.to_owned());
            return domain.ok_or_else(|| self.unusable(Attribute::DnsHostName));
        }
        labels.reverse();
        Ok(labels.join("."))
    }

    /// A host's name: neither an address nor a wildcard.
    fn dns(&self, name: &str) -> Result<AlternativeName, Denial> {
        let address = name.parse::<std::net::IpAddr>().is_ok();
        match AlternativeName::dns(name) {
            Ok(dns) if !address && !dns.is_wildcard() => Ok(dns),
            _ => Err(self.unusable(Attribute::DnsHostName)),
        }
    }

    fn common_name(&self, attribute: Attribute) -> Result<DistinguishedName, Denial> {
        let value = self.attribute(attribute)?;
        self.named(attribute, DistinguishedName::with_common_name(value))
    }

    fn named(
        &self,
        attribute: Attribute,
        name: Result<DistinguishedName, NameError>,
    ) -> Result<DistinguishedName, Denial> {
        match name {
            Ok(name) if !name.is_empty() => Ok(name),
            Ok(_) => Err(self.unusable(attribute)),
            Err(error) => Err(self.denial(attribute, &format!("cannot be certified: {error}"))),
        }
    }

    fn attribute(&self, attribute: Attribute) -> Result<&str, Denial> {
        let account = self.account;
        let value = match attribute {
            Attribute::Cn => &account.cn,
            Attribute::DistinguishedName => &account.distinguished_name,
            Attribute::UserPrincipalName => &account.user_principal_name,
            Attribute::Mail => &account.mail,
            Attribute::DnsHostName => &account.dns_host_name,
            Attribute::ObjectGuid => &account.object_guid,
        };
        let value = value.as_deref().filter(|value| !value.trim().is_empty());
        value.ok_or_else(|| self.denial(attribute, "is missing"))
    }

    fn unusable(&self, attribute: Attribute) -> Denial {
        self.denial(attribute, "has no value that can be certified")
    }

    fn denial(&self, attribute: Attribute, wrong: &str) -> Denial {
        let (name, rule) = attribute.row();
        Denial::new(
            rule,
            format!(
                "the template {} takes {name} from the account {}, where it {wrong}",
                self.cn, self.account.name
            ),
        )
    }
}

/// An attribute of an account that a name is made of.
#[derive(Clone, Copy)]
enum Attribute {
    Cn,
    DistinguishedName,
    UserPrincipalName,
    Mail,
    DnsHostName,
    ObjectGuid,
}

impl Attribute {
    /// Its name in an account's JSON form, and the rule that is broken without it.
    fn row(self) -> (&'static str, Rule) {
        match self {
            Self::Cn => ("cn", Rule::DirectoryNameRequired),
            Self::DistinguishedName => ("distinguished_name", Rule::DirectoryNameRequired),
            Self::UserPrincipalName => ("user_principal_name", Rule::UserPrincipalNameRequired),
            Self::Mail => ("mail", Rule::EmailRequired),
            Self::DnsHostName => ("dns_host_name", Rule::DnsNameRequired),
            Self::ObjectGuid => ("object_guid", Rule::DirectoryGuidRequired),
        }
    }
}
