//! A directory that knows passwords, in this process: what Active Directory is to the service,
//! without its network (`tests/cli` has a real one).

use chancery::directory::several::Branch;
use chancery::directory::{Directory, DirectoryError, Guesses, Logon};
use chancery::pki::account::{Account, AccountKind};

/// The password of everybody in it.
pub const PASSWORD: &str = "Geheim-ä:1";

/// Everybody's name with the group that the document of roles gives an office, and the office.
pub const OFFICES: [(&str, &str, &str); 5] = [
    ("otto", "Staff", ""),
    ("clara", "PKI Agents", "enrollment_agent"),
    ("mara", "PKI Managers", "certificate_manager"),
    ("audrey", "PKI Auditors", "auditor"),
    ("adam", "PKI Administrators", "administrator"),
];

/// The domain CORP.
pub struct Domain(Vec<Account>);

impl Domain {
    /// Everybody of [`OFFICES`], and `dora`, who is disabled.
    pub fn branch() -> Branch {
        let mut accounts: Vec<Account> = OFFICES.map(|(name, group, _)| person(name, group)).into();
        accounts.push(Account { enabled: false, ..person("dora", "PKI Administrators") });
        Branch {
            realm: "CORP".to_owned(),
            upn_suffixes: vec!["corp.contoso.com".to_owned()],
            directory: Box::new(Self(accounts)),
        }
    }
}

fn person(name: &str, group: &str) -> Account {
    let number = name.bytes().map(u32::from).sum::<u32>();
    Account {
        cn: Some(name.to_owned()),
        distinguished_name: Some(format!("CN={name},OU=Corp,DC=corp,DC=contoso,DC=com")),
        user_principal_name: Some(format!("{name}@corp.contoso.com")),
        object_sid: Some(format!("S-1-5-21-1004336348-1177238915-682003330-{number}")),
        groups: vec!["VPN Users".to_owned(), group.to_owned()],
        ..Account::named(&format!("CORP\\{name}"), AccountKind::User)
    }
}

impl Directory for Domain {
    fn account(&self, name: &str) -> Result<Option<Account>, DirectoryError> {
        Ok(self.0.iter().find(|own| own.name.eq_ignore_ascii_case(name)).cloned())
    }

    fn find(&self, written: &str) -> Result<Option<Account>, DirectoryError> {
        let is_meant = |own: &&Account| {
            let principal = own.user_principal_name.as_deref();
            own.name.eq_ignore_ascii_case(written)
                || principal.is_some_and(|own| own.eq_ignore_ascii_case(written))
        };
        Ok(self.0.iter().find(is_meant).cloned())
    }

    fn authenticate(
        &self,
        written: &str,
        password: &str,
        guesses: &dyn Guesses,
    ) -> Result<Logon, DirectoryError> {
        let found = self.find(written)?;
        let spelling = found.as_ref().map_or(written, |own| own.name.as_str()).to_ascii_lowercase();
        if !guesses.may_try(&spelling) {
            return Ok(Logon::NotTried);
        }
        Ok(match found {
            // As a domain does: a disabled account's password is wrong.
            Some(account) if account.enabled && password == PASSWORD => {
                Logon::Proven(Box::new(account))
            }
            _ => {
                guesses.was_wrong(&spelling);
                Logon::Wrong
            }
        })
    }

    fn takes_passwords(&self) -> bool {
        true
    }
}
