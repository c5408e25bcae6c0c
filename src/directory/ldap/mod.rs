//! Active Directory over LDAP (RFC 4511): accounts looked up at the moment they are asked for, and
//! passwords proven by simple bind (RFC 4513 §5.1.3) over TLS.
//!
//! Absent: any cache. What is answered is what the directory says now, so that nobody is certified
//! past a disable. Begin with [`ActiveDirectory`]; `server` talks, `pool` and `deadline` bound,
//! `entry` reads.

pub mod deadline;
pub mod entry;
pub mod filter;
pub mod pool;
pub mod server;
mod spelling;

use std::sync::Arc;

use ldap3::{Scope, SearchEntry};

use self::deadline::Deadline;
use self::entry::ATTRIBUTES;
use self::pool::{Bounds, Failure, Pool};
use self::server::{Bound, Servers, Session};
use super::oidc::mapping::GroupForm;
use super::{Directory, DirectoryError, Guesses, Logon};
use crate::pki::account::Account;
use crate::pki::time::Timestamp;

/// Groups that are named in one search.
const GROUPS_AT_ONCE: usize = 64;

/// What is particular to a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    /// The NetBIOS name: what stands before the backslash.
    pub realm: String,
    /// Where accounts and groups are looked for: the domain's distinguished name.
    pub base: String,
    /// The domain's DNS name: the suffix of who has no UPN of his own ([MS-ADTS] §5.1.1.1.1).
    pub dns_name: String,
    /// How groups are named.
    pub group_form: GroupForm,
}

/// Reads the clock.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A domain.
pub struct ActiveDirectory {
    domain: Domain,
    servers: Arc<Servers>,
    sessions: Pool<Session>,
    clock: Clock,
}

impl ActiveDirectory {
    /// The domain behind these servers.
    pub fn new(domain: Domain, servers: Servers, bounds: Bounds, clock: Clock) -> Self {
        let servers = Arc::new(servers);
        let connect = {
            let servers = Arc::clone(&servers);
            Box::new(move |deadline| servers.connect(deadline))
        };
        let sessions = Pool::new(&domain.realm, connect, bounds);
        Self { domain, servers, sessions, clock }
    }

    /// The one entry that is meant, by the first of the filters that finds any. Two are none: it
    /// would be a guess which of them is meant.
    fn entry(
        &self,
        session: &mut Session,
        filters: &[String],
        deadline: Deadline,
    ) -> Result<Option<SearchEntry>, Failure> {
        for filter in filters {
            let base = &self.domain.base;
            let mut found = session.search(base, Scope::Subtree, filter, &ATTRIBUTES, deadline)?;
            match found.len() {
                0 => {}
                1 => return Ok(found.pop()),
                count => {
                    tracing::warn!(filter, count, "several accounts have one name");
                    return Ok(None);
                }
            }
        }
        Ok(None)
    }

    /// The account of an entry, with its groups, nested ones and the primary one too:
    /// `tokenGroups` ([MS-ADTS] §3.1.1.4.5.19) has them all, as Windows computes them.
    fn describe(
        &self,
        session: &mut Session,
        entry: &SearchEntry,
        deadline: Deadline,
    ) -> Result<Option<Account>, Failure> {
        let all = "(objectClass=*)";
        let found = session.search(&entry.dn, Scope::Base, all, &["tokenGroups"], deadline)?;
        let Some(found) = found.first() else { return Ok(None) };
        let sids = entry::octets(found, "tokenGroups");
        if sids.is_empty() {
            // Everybody has a primary group. Taken for none, groups that are denied would be let
            // through.
            return Err(Failure::Refused(format!(
                "it does not show tokenGroups of {}: bind_name needs the group Windows \
                 Authorization Access Group",
                entry.dn
            )));
        }
        let mut groups = Vec::new();
        for some in sids.chunks(GROUPS_AT_ONCE) {
            let (base, filter) = (&self.domain.base, filter::groups(some));
            let attributes = ["sAMAccountName"];
            let found = session.search(base, Scope::Subtree, &filter, &attributes, deadline)?;
            groups.extend(found.iter().filter_map(entry::name).map(|name| self.group(name)));
        }
        groups.sort();
        Ok(entry::account(entry, &self.domain.realm, groups, (self.clock)()))
    }

    fn look_up(&self, filters: &[String]) -> Result<Option<Account>, DirectoryError> {
        self.sessions.with(|session, deadline| match self.entry(session, filters, deadline)? {
            Some(entry) => self.describe(session, &entry, deadline),
            None => Ok(None),
        })
    }

    fn group(&self, name: String) -> String {
        match self.domain.group_form {
            GroupForm::Plain => name,
            GroupForm::Qualified => format!("{}\\{name}", self.domain.realm),
        }
    }

    /// How somebody may be found who is written like this, in order.
    fn filters(&self, written: &str) -> Vec<String> {
        if let Some((realm, name)) = written.split_once('\\') {
            return match realm.eq_ignore_ascii_case(&self.domain.realm) {
                true => named(name),
                false => Vec::new(),
            };
        }
        let Some((name, suffix)) = written.rsplit_once('@') else { return named(written) };
        let mut filters = vec![filter::by_principal(written)];
        if suffix.eq_ignore_ascii_case(&self.domain.dns_name) {
            filters.push(filter::by_name(name));
        }
        filters
    }
}

/// A computer's name ends with `$`, which people leave out; an account that is called so exactly
/// comes first.
fn named(name: &str) -> Vec<String> {
    match name.ends_with('$') {
        true => vec![filter::by_name(name)],
        false => vec![filter::by_name(name), filter::by_name(&format!("{name}$"))],
    }
}

impl Directory for ActiveDirectory {
    fn account(&self, name: &str) -> Result<Option<Account>, DirectoryError> {
        let Some((realm, own)) = name.split_once('\\') else { return Ok(None) };
        if !realm.eq_ignore_ascii_case(&self.domain.realm) || own.is_empty() {
            return Ok(None);
        }
        let found = self.look_up(&[filter::by_name(own)])?;
        // Active Directory compares without accents; a name on record is that very name.
        Ok(found.filter(|account| account.name.to_lowercase() == name.to_lowercase()))
    }

    fn find(&self, written: &str) -> Result<Option<Account>, DirectoryError> {
        self.look_up(&self.filters(written))
    }

    fn authenticate(
        &self,
        written: &str,
        password: &str,
        guesses: &dyn Guesses,
    ) -> Result<Logon, DirectoryError> {
        if password.is_empty() {
            return Ok(Logon::Wrong);
        }
        let filters = self.filters(written);
        self.sessions.with(|session, deadline| {
            let entry = self.entry(session, &filters, deadline)?;
            let name = entry.as_ref().and_then(entry::name);
            let spelling = match &name {
                Some(name) => spelling::of_account(&self.domain, name),
                None => spelling::of_nobody(&self.domain, written),
            };
            if !guesses.may_try(&spelling) {
                return Ok(Logon::NotTried);
            }
            // Whoever is unknown takes as long as whoever is known.
            let nobody = format!("CN=nobody,{}", self.domain.base);
            let dn = entry.as_ref().map_or(nobody.as_str(), |entry| entry.dn.as_str());
            match (self.servers.prove(session, dn, password, deadline)?, entry) {
                (Bound::Yes, Some(entry)) => {
                    let account = self.describe(session, &entry, deadline)?;
                    Ok(account.map_or(Logon::Wrong, |own| Logon::Proven(Box::new(own))))
                }
                _ => {
                    guesses.was_wrong(&spelling);
                    Ok(Logon::Wrong)
                }
            }
        })
    }

    fn takes_passwords(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn domain() -> Domain {
        Domain {
            realm: "CORP".to_owned(),
            base: "DC=corp,DC=contoso,DC=com".to_owned(),
            dns_name: "corp.contoso.com".to_owned(),
            group_form: GroupForm::Plain,
        }
    }
}
