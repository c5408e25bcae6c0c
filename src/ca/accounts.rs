//! The built-in directory's accounts, and the roles of accounts on this CA.

use super::permissions::{Operation, Role};
use super::roles::RoleDocument;
use super::{Answering, Authority, Refusal, Requester, record};
use crate::pki::account::{Account, AccountKind, is_account_name, service_principal_host};
use crate::pki::time::Timestamp;
use crate::storage::Urgency;
use crate::storage::act::{AccountMark, AccountSaved, Act};

/// An account with what this CA keeps beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountRecord {
    /// What the directory says.
    pub account: Account,
    /// Its roles on this CA.
    pub roles: Vec<Role>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Counts the changes from 1: the entity tag.
    pub revision: u64,
}

impl Authority {
    /// One account.
    pub fn account(&self, requester: &Requester, name: &str) -> Result<AccountRecord, Refusal> {
        requester.must_speak_for_its_account()?;
        if !requester.account.name.eq_ignore_ascii_case(name) {
            requester.must(Operation::ReadAccounts)?;
        }
        self.account_record(name)?.ok_or_else(|| no_account(name))
    }

    /// Accounts by name, after the one named `after`.
    pub fn accounts(
        &self,
        requester: &Requester,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<AccountRecord>, Refusal> {
        requester.must(Operation::ReadAccounts)?;
        Ok(self.register.accounts(after, limit)?.into_iter().map(from_row).collect())
    }

    /// Makes an account.
    pub fn create_account(
        &self,
        requester: &Requester,
        account: Account,
        roles: Vec<Role>,
        answering: Answering<'_, AccountRecord>,
        now: Timestamp,
    ) -> Result<AccountRecord, Refusal> {
        requester.must(Operation::EditAccounts)?;
        check(&account)?;
        let _one_at_a_time = self.administrating();
        if self.account_record(&account.name)?.is_some() {
            let name = &account.name;
            return Err(Refusal::Conflict(
                "already-there",
                format!("account {name} is already there"),
            ));
        }
        let made = AccountRecord { account, roles, created_at: now, revision: 1 };
        let mut entries = vec![record(requester, now, Act::AccountSaved(to_row(&made)))];
        entries.extend(answering.map(|answer| record(requester, now, answer(&made))));
        self.register.commit(entries, Urgency::Ordinary)?;
        Ok(made)
    }

    /// Changes an account: attributes, groups, roles, enabled. `if_match` is the revision the
    /// caller saw; the name cannot change.
    pub fn change_account(
        &self,
        requester: &Requester,
        account: Account,
        roles: Vec<Role>,
        if_match: Option<u64>,
        now: Timestamp,
    ) -> Result<AccountRecord, Refusal> {
        requester.must(Operation::EditAccounts)?;
        check(&account)?;
        let _one_at_a_time = self.administrating();
        let old = self.account_record(&account.name)?.ok_or_else(|| no_account(&account.name))?;
        if if_match.is_some_and(|seen| seen != old.revision) {
            return Err(Refusal::Changed(old.revision.to_string()));
        }
        let account = Account { name: old.account.name.clone(), ..account };
        let changed = AccountRecord {
            account,
            roles,
            created_at: old.created_at,
            revision: old.revision + 1,
        };
        self.must_leave_an_administrator(&self.roles.load(), Some((&old, Some(&changed))))?;
        let entry = record(requester, now, Act::AccountSaved(to_row(&changed)));
        self.register.commit(vec![entry], Urgency::Ordinary)?;
        Ok(changed)
    }

    /// Deletes an account. Its certificates stay on record, and on the CRL if they are there.
    pub fn delete_account(
        &self,
        requester: &Requester,
        name: &str,
        if_match: Option<u64>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        requester.must(Operation::EditAccounts)?;
        let _one_at_a_time = self.administrating();
        let old = self.account_record(name)?.ok_or_else(|| no_account(name))?;
        if if_match.is_some_and(|seen| seen != old.revision) {
            return Err(Refusal::Changed(old.revision.to_string()));
        }
        self.must_leave_an_administrator(&self.roles.load(), Some((&old, None)))?;
        let act = Act::AccountDeleted(AccountMark { name: old.account.name });
        self.register.commit(vec![record(requester, now, act)], Urgency::Ordinary)?;
        Ok(())
    }

    /// The roles on a built-in account itself; `offices` has all of them.
    pub(super) fn direct_roles(&self, name: &str) -> Result<Vec<Role>, Refusal> {
        Ok(self.account_record(name)?.map(|found| found.roles).unwrap_or_default())
    }

    /// Whether the built-in account of this name was made after `moment`: what is older was given
    /// to an account that has been deleted since.
    pub(super) fn is_younger_than(
        &self,
        account: &Account,
        moment: Timestamp,
    ) -> Result<bool, Refusal> {
        Ok(self.account_record(&account.name)?.is_some_and(|found| found.created_at > moment))
    }

    fn account_record(&self, name: &str) -> Result<Option<AccountRecord>, Refusal> {
        Ok(self.register.account(name)?.map(from_row))
    }

    /// Whoever locks the last administrator out can only come back with the data directory: under
    /// this document, and with an account changed (or gone) if one is, an enabled built-in account
    /// must be an administrator. Accounts of other directories do not count: those may be away.
    pub(super) fn must_leave_an_administrator(
        &self,
        document: &RoleDocument,
        change: Option<(&AccountRecord, Option<&AccountRecord>)>,
    ) -> Result<(), Refusal> {
        let rules = |found: &AccountRecord| {
            found.account.enabled
                && (found.roles.contains(&Role::Administrator)
                    || document.makes_administrator(&found.account))
        };
        if let Some((old, new)) = change
            && (!rules(old) || new.is_some_and(rules))
        {
            return Ok(());
        }
        let changed = change.map(|(old, _)| old.account.name.as_str());
        let mut after: Option<String> = None;
        loop {
            let page = self.register.accounts(after.as_deref(), 256)?;
            let Some(last) = page.last() else { break };
            after = Some(last.name.clone());
            let others = page.into_iter().map(from_row);
            let mut others = others.filter(|found| Some(found.account.name.as_str()) != changed);
            if others.any(|found| rules(&found)) {
                return Ok(());
            }
        }
        let why = match changed {
            Some(name) => format!("{name} is the last enabled administrator"),
            None => "no enabled built-in account would be an administrator".to_owned(),
        };
        Err(Refusal::Conflict("last-administrator", why))
    }
}

fn no_account(name: &str) -> Refusal {
    Refusal::NotFound(format!("account {name}"))
}

/// Form only; what a template needs of an account is the policy module's business.
pub(super) fn check(account: &Account) -> Result<(), Refusal> {
    let wrong = |why: String| Err(Refusal::Invalid("account-invalid", why));
    let name = &account.name;
    if !is_account_name(name) {
        return wrong(format!(
            "name: {name:?} is no sAMAccountName (1 to 256 characters, none of \"/\\[]:;|=,+*?<>)"
        ));
    }
    let texts = [
        ("cn", &account.cn, 64),
        ("display_name", &account.display_name, 256),
        ("distinguished_name", &account.distinguished_name, 2048),
        ("user_principal_name", &account.user_principal_name, 1024),
        ("mail", &account.mail, 256),
        ("dns_host_name", &account.dns_host_name, 253),
        ("object_sid", &account.object_sid, 184),
        ("object_guid", &account.object_guid, 36),
    ];
    for (field, text, limit) in texts {
        let Some(text) = text else { continue };
        if text.is_empty() || text.chars().count() > limit || text.chars().any(char::is_control) {
            return wrong(format!("{field}: 1 to {limit} characters, no control characters"));
        }
    }
    if let Some(sid) = &account.object_sid
        && !is_sid(sid)
    {
        return wrong(format!("object_sid: {sid:?} is not of the form S-1-5-21-…"));
    }
    if let Some(dn) = &account.distinguished_name
        && let Err(error) = crate::pki::name::DistinguishedName::from_rfc4514(dn)
    {
        return wrong(format!("distinguished_name: {error}"));
    }
    let principals = &account.service_principal_names;
    if principals.len() > 256 {
        return wrong("service_principal_names: at most 256".to_owned());
    }
    if let Some(other) = principals.iter().find(|name| service_principal_host(name).is_none()) {
        let shown: String = other.chars().take(256).collect();
        return wrong(format!(
            "service_principal_names: {shown:?} is not of the form service/host[:port][/name]"
        ));
    }
    if account.groups.len() > 1024 {
        return wrong("groups: at most 1024".to_owned());
    }
    match account.groups.iter().find(|group| group.is_empty() || group.chars().count() > 256) {
        Some(group) => wrong(format!("groups: {group:?} is no group name (1 to 256 characters)")),
        None => Ok(()),
    }
}

/// [MS-DTYP] §2.4.2.1: `S-1-` authority and up to 15 sub-authorities, decimal.
fn is_sid(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("S-1-") else { return false };
    let parts: Vec<&str> = rest.split('-').collect();
    let decimal = |part: &&str| {
        !part.is_empty() && part.len() <= 15 && part.bytes().all(|digit| digit.is_ascii_digit())
    };
    (2..=16).contains(&parts.len()) && parts.iter().all(decimal)
}

/// The row of an account.
pub(crate) fn to_row(found: &AccountRecord) -> AccountSaved {
    let account = found.account.clone();
    AccountSaved {
        name: account.name,
        kind: account.kind.as_str().to_owned(),
        cn: account.cn,
        display_name: account.display_name,
        distinguished_name: account.distinguished_name,
        user_principal_name: account.user_principal_name,
        mail: account.mail,
        dns_host_name: account.dns_host_name,
        object_sid: account.object_sid,
        object_guid: account.object_guid,
        service_principal_names: account.service_principal_names,
        groups: account.groups,
        enabled: account.enabled,
        roles: found.roles.iter().map(|role| role.as_str().to_owned()).collect(),
        created_at: found.created_at.millis(),
        revision: found.revision,
    }
}

/// The account of a row; the composition root's built-in directory looks rows up with it.
pub fn from_row(row: AccountSaved) -> AccountRecord {
    AccountRecord {
        roles: row.roles.iter().filter_map(|word| Role::from_word(word)).collect(),
        created_at: Timestamp::from_millis(row.created_at),
        revision: row.revision,
        account: Account {
            name: row.name,
            // An unknown word can only come from a newer program: the kind with the fewest names.
            kind: AccountKind::from_word(&row.kind).unwrap_or(AccountKind::Service),
            cn: row.cn,
            display_name: row.display_name,
            distinguished_name: row.distinguished_name,
            user_principal_name: row.user_principal_name,
            mail: row.mail,
            dns_host_name: row.dns_host_name,
            object_sid: row.object_sid,
            object_guid: row.object_guid,
            service_principal_names: row.service_principal_names,
            groups: row.groups,
            enabled: row.enabled,
        },
    }
}
