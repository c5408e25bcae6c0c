//! Who stands behind the identifiers of an access control list: the importer says, or everybody
//! knows, or the file itself gives a name.

use std::collections::BTreeMap;

use super::entry::Entry;
use crate::pki::security_descriptor::{Sid, TrusteeKind, trustee};
use crate::pki::template::{AUTHENTICATED_USERS, Principal};

/// Who stands behind security identifiers, as the importer says.
pub type Principals = BTreeMap<Sid, Principal>;

/// Relative identifiers of those who administer a domain or a forest: Administrator, Domain
/// Admins, Schema Admins, Enterprise Admins.
const ADMINISTRATORS: [u32; 4] = [500, 512, 518, 519];
const LOCAL_ADMINISTRATORS: &str = "S-1-5-32-544";

/// Who an identifier is here.
pub(super) enum Known {
    /// These; two where it is not known whether the name is a group's or an account's.
    Named(Vec<Principal>),
    /// Whoever administers the forest, which is a role of the CA here.
    Administrator,
    /// The system itself, who asks for nothing here.
    System(&'static str),
    /// Nobody knows.
    Unknown,
}

/// Who is known: by what the importer says, and by the names that the file gives.
pub(super) struct Names<'a> {
    principals: &'a Principals,
    in_file: &'a BTreeMap<Sid, String>,
    /// How many identifiers of the file have the name.
    holders: BTreeMap<&'a str, usize>,
}

impl<'a> Names<'a> {
    pub(super) fn of(entry: &'a Entry, principals: &'a Principals) -> Self {
        let mut holders = BTreeMap::new();
        for name in entry.names.values() {
            *holders.entry(name.as_str()).or_insert(0) += 1;
        }
        Self { principals, in_file: &entry.names, holders }
    }

    /// Who it is; whether its entries let it administer the template decides of some.
    pub(super) fn known(&self, sid: &Sid, administers: bool) -> Known {
        if let Some(principal) = self.principals.get(sid) {
            return Known::Named(vec![principal.clone()]);
        }
        let administrator = sid.relative().is_some_and(|own| ADMINISTRATORS.contains(&own))
            || sid.to_string() == LOCAL_ADMINISTRATORS;
        if administrator && administers {
            return Known::Administrator;
        }
        match trustee(sid) {
            Some(own) if own.name == "Everyone" => {
                return Known::Named(vec![Principal::Group(AUTHENTICATED_USERS.to_owned())]);
            }
            Some(own) => {
                return match own.kind {
                    TrusteeKind::Group => Known::Named(vec![Principal::Group(own.name.to_owned())]),
                    TrusteeKind::Account => {
                        Known::Named(vec![Principal::Account(own.name.to_owned())])
                    }
                    TrusteeKind::System => Known::System(own.name),
                };
            }
            None => (),
        }
        match self.alone(sid) {
            Some(name) => {
                Known::Named(vec![Principal::Group(name.clone()), Principal::Account(name.clone())])
            }
            None => Known::Unknown,
        }
    }

    /// The file's own name. Two identifiers of one name are of different domains.
    fn alone(&self, sid: &Sid) -> Option<&'a String> {
        let name = self.in_file.get(sid).filter(|name| !name.starts_with("S-1-"))?;
        (self.holders.get(name.as_str()) == Some(&1)).then_some(name)
    }
}
