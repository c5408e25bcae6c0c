//! Who may do what with a template: its access control list, in the words of the security tab.
//!
//! AD CS keeps it in `nTSecurityDescriptor` and checks it with the extended rights Enroll and
//! Autoenroll ([MS-CRTD] §2.5; [MS-WCCE] 3.2.2.6.2.1.4.3). `Revoke` is this CA's own.

use super::file::PermissionFile;
use super::mistake::Problem;
use super::value::{LONGEST_TEXT, MOST_ENTRIES, text, word};
use crate::pki::account::Account;

/// The group of everybody who authenticated (S-1-5-11 in [MS-DTYP] §2.4.2.4).
pub const AUTHENTICATED_USERS: &str = "Authenticated Users";

/// What may be done with a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Right {
    /// See it. Who may not, for him it does not exist.
    Read,
    /// Change it, within what `delegation` leaves to those who are no administrators.
    Write,
    /// Get a certificate of it.
    Enroll,
    /// Get one without being asked; together with Enroll.
    Autoenroll,
    /// Revoke certificates of it.
    Revoke,
    /// All of them. The permissions are for administrators to change (`delegation`).
    FullControl,
}

impl Right {
    /// Every right, in the order in which they are written.
    pub const ALL: [Self; 6] =
        [Self::Read, Self::Write, Self::Enroll, Self::Autoenroll, Self::Revoke, Self::FullControl];

    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "Read",
            Self::Write => "Write",
            Self::Enroll => "Enroll",
            Self::Autoenroll => "Autoenroll",
            Self::Revoke => "Revoke",
            Self::FullControl => "FullControl",
        }
    }

    /// From the word in JSON.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|right| right.as_str() == word)
    }
}

/// A set of rights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rights(u8);

impl Rights {
    fn bit(right: Right) -> u8 {
        1 << right as u8
    }

    /// These and one more.
    pub fn with(self, right: Right) -> Self {
        Self(self.0 | Self::bit(right))
    }

    /// Whether `right` is named in it.
    pub fn contains(self, right: Right) -> bool {
        self.0 & Self::bit(right) != 0
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The rights in it.
    pub fn iter(self) -> impl Iterator<Item = Right> {
        Right::ALL.into_iter().filter(move |right| self.contains(*right))
    }

    fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether `right` is in it, by itself or through Full Control.
    fn covers(self, right: Right) -> bool {
        self.contains(right) || self.contains(Right::FullControl)
    }
}

/// Whom an entry is about; names are compared without regard to ASCII case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// The members of a group, nested ones resolved by the directory; [`AUTHENTICATED_USERS`]
    /// has every account.
    Group(String),
    /// One account, outside ones as `REALM\name`.
    Account(String),
}

impl Principal {
    /// Whether `account` is meant.
    pub fn includes(&self, account: &Account) -> bool {
        match self {
            Self::Group(group) => self.is_everybody() || account.is_member_of(group),
            Self::Account(name) => account.name.eq_ignore_ascii_case(name),
        }
    }

    /// Whether every account is meant.
    pub fn is_everybody(&self) -> bool {
        matches!(self, Self::Group(group) if group.eq_ignore_ascii_case(AUTHENTICATED_USERS))
    }

    /// The name of group or account.
    pub fn name(&self) -> &str {
        match self {
            Self::Group(name) | Self::Account(name) => name,
        }
    }

    fn same_as(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
            && self.name().eq_ignore_ascii_case(other.name())
    }
}

/// One entry: what a principal is allowed and what it is denied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    /// Whom it is about.
    pub principal: Principal,
    /// What is allowed.
    pub allow: Rights,
    /// What is denied, whoever else allows it.
    pub deny: Rights,
}

/// The access control list of a template. What nobody allows is denied, and a denial wins over
/// every allowance, wherever the two stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permissions(Vec<Permission>);

impl Permissions {
    /// Whether `account` has `right`. Full Control is all of them: who is denied one has not
    /// got it.
    pub fn allows(&self, right: Right, account: &Account) -> bool {
        let (allowed, denied) = self.of(account);
        let granted = match right {
            Right::FullControl => denied.is_empty(),
            _ => !denied.covers(right),
        };
        granted && allowed.covers(right)
    }

    /// Whether `right` is denied to `account` in so many words.
    pub fn denies(&self, right: Right, account: &Account) -> bool {
        self.of(account).1.covers(right)
    }

    /// Every right of `account`.
    pub fn rights_of(&self, account: &Account) -> Rights {
        let held = Right::ALL.into_iter().filter(|right| self.allows(*right, account));
        held.fold(Rights::default(), Rights::with)
    }

    /// Those to whom an entry allows `right`, less what other entries deny.
    pub fn allowed(&self, right: Right) -> impl Iterator<Item = &Principal> {
        let granting = self.0.iter().filter(move |own| own.allow.covers(right));
        granting.map(|own| &own.principal)
    }

    /// The entries.
    pub fn iter(&self) -> impl Iterator<Item = &Permission> {
        self.0.iter()
    }

    fn of(&self, account: &Account) -> (Rights, Rights) {
        let own = self.0.iter().filter(|own| own.principal.includes(account));
        own.fold((Rights::default(), Rights::default()), |(allowed, denied), own| {
            (allowed.union(own.allow), denied.union(own.deny))
        })
    }

    /// As its file shape.
    pub(super) fn to_files(&self) -> Vec<PermissionFile> {
        let words = |rights: Rights| rights.iter().map(|own| own.as_str().to_owned()).collect();
        let file = |own: &Permission| {
            let (group, account) = match &own.principal {
                Principal::Group(name) => (Some(name.clone()), None),
                Principal::Account(name) => (None, Some(name.clone())),
            };
            PermissionFile { group, account, allow: words(own.allow), deny: words(own.deny) }
        };
        self.0.iter().map(file).collect()
    }

    /// From its file shape.
    pub(super) fn read(files: &[PermissionFile]) -> Result<Self, Problem> {
        if files.len() > MOST_ENTRIES {
            return Err(Problem::TooMany(MOST_ENTRIES));
        }
        let mut entries: Vec<Permission> = Vec::new();
        for file in files {
            let entry = permission(file)?;
            if entries.iter().any(|own| own.principal.same_as(&entry.principal)) {
                return Err(Problem::Twice(entry.principal.name().to_owned()));
            }
            entries.push(entry);
        }
        Ok(Self(entries))
    }
}

fn permission(file: &PermissionFile) -> Result<Permission, Problem> {
    let principal = match (&file.group, &file.account) {
        (Some(group), None) => Principal::Group(text(group, LONGEST_TEXT)?),
        (None, Some(account)) => Principal::Account(text(account, LONGEST_TEXT)?),
        _ => return Err(Problem::Inconsistent("each entry is about either a group or an account")),
    };
    let (allow, deny) = (rights(&file.allow)?, rights(&file.deny)?);
    if allow.is_empty() && deny.is_empty() {
        return Err(Problem::Inconsistent("an entry allows or denies something"));
    }
    if allow.iter().any(|right| deny.contains(right)) {
        return Err(Problem::Inconsistent("an entry does not allow and deny the same right"));
    }
    Ok(Permission { principal, allow, deny })
}

fn rights(words: &[String]) -> Result<Rights, Problem> {
    let known = "Read, Write, Enroll, Autoenroll, Revoke, FullControl";
    words.iter().try_fold(Rights::default(), |rights, own| {
        let right = word(own, Right::from_word, known)?;
        match rights.contains(right) {
            true => Err(Problem::Twice(own.clone())),
            false => Ok(rights.with(right)),
        }
    })
}

#[cfg(test)]
mod tests;
