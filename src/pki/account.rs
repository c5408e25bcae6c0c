//! Who a certificate is for: what a directory knows about an account, in the words of
//! Active Directory ([MS-ADA1], [MS-ADA3]; the attribute names stand beside the fields).

/// An account as a directory describes it. Every attribute that a name in a certificate may be
/// made of is optional: a template whose names need one refuses an account that lacks it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// `sAMAccountName`: the key; compared without regard to ASCII case.
    pub name: String,
    /// User, computer or service.
    pub kind: AccountKind,
    /// `cn`: the common name of a user.
    pub cn: Option<String>,
    /// `displayName`.
    pub display_name: Option<String>,
    /// `distinguishedName`, as RFC 4514 text (most specific first).
    pub distinguished_name: Option<String>,
    /// `userPrincipalName`: the UPN of the alternative name.
    pub user_principal_name: Option<String>,
    /// `mail`.
    pub mail: Option<String>,
    /// `dNSHostName`: the common name of a computer ([MS-WCCE] 3.2.2.6.2.1.4.5.9).
    pub dns_host_name: Option<String>,
    /// `objectSid` in its text form, `S-1-5-21-…`.
    pub object_sid: Option<String>,
    /// `objectGUID` in its text form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`.
    pub object_guid: Option<String>,
    /// `servicePrincipalName`: the services it runs, `HTTP/vpn.contoso.com`. A computer may write
    /// only its own host names there ([MS-ADTS] §3.1.1.5.3.1.1.4), so the hosts are its own.
    pub service_principal_names: Vec<String>,
    /// The groups it is a member of, nested ones resolved; compared without regard to ASCII case.
    pub groups: Vec<String>,
    /// A disabled account neither authenticates nor is certified.
    pub enabled: bool,
}

/// What kind of account: decides what "common name" means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountKind {
    /// A person.
    User,
    /// A machine.
    Computer,
    /// A program; named like a user.
    Service,
}

impl AccountKind {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Computer => "computer",
            Self::Service => "service",
        }
    }

    /// From the word in JSON.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::User, Self::Computer, Self::Service].into_iter().find(|kind| kind.as_str() == word)
    }
}

impl Account {
    /// An enabled account of which nothing else is known.
    pub fn named(name: &str, kind: AccountKind) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            cn: None,
            display_name: None,
            distinguished_name: None,
            user_principal_name: None,
            mail: None,
            dns_host_name: None,
            object_sid: None,
            object_guid: None,
            service_principal_names: Vec::new(),
            groups: Vec::new(),
            enabled: true,
        }
    }

    /// Whether it is a member of `group`.
    pub fn is_member_of(&self, group: &str) -> bool {
        self.groups.iter().any(|own| own.eq_ignore_ascii_case(group))
    }
}

/// Whether a text can be a `sAMAccountName` ([MS-ADA3] §2.222, and what Windows keeps out of names
/// of accounts): 1 to 256 characters, no control characters, none of `"/\[]:;|=,+*?<>`.
pub fn is_account_name(text: &str) -> bool {
    let forbidden = |one: char| one.is_control() || "\"/\\[]:;|=,+*?<>".contains(one);
    !text.is_empty() && text.chars().count() <= 256 && !text.contains(forbidden)
}

/// The host in a service principal name, `HTTP/vpn.contoso.com:443` ([MS-ADTS] §2.2.21:
/// `service-class/instance-name[:port][/service-name]`); `None` if it is of another form.
pub fn service_principal_host(name: &str) -> Option<&str> {
    if name.chars().count() > 256 || name.chars().any(|one| one.is_control() || one == ' ') {
        return None;
    }
    let mut parts = name.split('/');
    let (class, instance) = (parts.next()?, parts.next()?);
    if class.is_empty() || parts.next().is_some_and(str::is_empty) || parts.next().is_some() {
        return None;
    }
    let host = instance.split_once(':').map_or(instance, |(host, _)| host);
    (!host.is_empty()).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_a_service_principal_name() {
        for (name, host) in [
            ("HTTP/vpn.contoso.com", Some("vpn.contoso.com")),
            ("MSSQLSvc/sql1.contoso.com:1433", Some("sql1.contoso.com")),
            ("ldap/dc1.contoso.com/contoso.com", Some("dc1.contoso.com")),
            ("HOST/vpn1", Some("vpn1")),
            ("vpn.contoso.com", None),
            ("/vpn.contoso.com", None),
            ("HTTP/", None),
            ("HTTP/:443", None),
            ("HTTP/a/b/c", None),
            ("HTTP/a/", None),
            ("HTTP/a b", None),
        ] {
            assert_eq!(service_principal_host(name), host, "{name}");
        }
    }
}
