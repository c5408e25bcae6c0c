//! Who the accounts are: one question, several possible answerers (built in; later LDAP).
//!
//! Absent: authorisation (the authority's), credentials, and the register itself: the built-in
//! directory is handed a way to look up a row. Begin with [`Directory`].

use crate::pki::account::Account;

/// Somebody who knows accounts.
pub trait Directory: Send + Sync {
    /// The account of that `sAMAccountName` with its groups as of now, disabled ones too; `None`
    /// if there is none. Names are compared without regard to ASCII case.
    fn account(&self, name: &str) -> Result<Option<Account>, DirectoryError>;
}

/// The directory could not answer; nobody may be certified on a guess.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the directory does not answer: {0}")]
pub struct DirectoryError(pub String);

/// The built-in directory: rows of the register, through the lookup it is given.
pub struct BuiltIn<Lookup>(pub Lookup);

impl<Lookup> Directory for BuiltIn<Lookup>
where
    Lookup: Fn(&str) -> Result<Option<Account>, DirectoryError> + Send + Sync,
{
    fn account(&self, name: &str) -> Result<Option<Account>, DirectoryError> {
        (self.0)(name)
    }
}
