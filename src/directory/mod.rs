//! Who the accounts are: one question, several possible answerers (built in, Active Directory).
//!
//! Absent: authorisation (the authority's), credentials, and the register itself: the built-in
//! directory is handed a way to look up a row. Begin with [`Directory`].

pub mod ldap;
pub mod oidc;
pub mod several;

use crate::pki::account::Account;
use crate::pki::time::Timestamp;

/// Somebody who knows accounts.
pub trait Directory: Send + Sync {
    /// The account of that `sAMAccountName` with its groups as of now, disabled ones too; `None`
    /// if there is none. Names are compared without regard to ASCII case.
    fn account(&self, name: &str) -> Result<Option<Account>, DirectoryError>;

    /// The account that somebody means who writes this: what [`Directory::account`] takes, and
    /// what people write besides (a UPN, a computer without its `$`). Never for a name on record:
    /// it could come to mean somebody else.
    fn find(&self, written: &str) -> Result<Option<Account>, DirectoryError>;

    /// Who logs on with this name and password.
    fn authenticate(
        &self,
        written: &str,
        password: &str,
        guesses: &dyn Guesses,
    ) -> Result<Logon, DirectoryError>;

    /// Whether it knows passwords at all.
    fn takes_passwords(&self) -> bool;
}

/// What became of a name and a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Logon {
    /// They are this account's, which may be disabled.
    Proven(Box<Account>),
    /// The name is unknown or the password is not its own, which nobody is to tell apart.
    Wrong,
    /// The password was not tried: too many were.
    NotTried,
}

/// Who counts the passwords that are tried. An account has one spelling here, however its name
/// was written, and a name that is nobody's is spelled as if it were somebody's.
pub trait Guesses {
    /// Whether another password may be tried.
    fn may_try(&self, spelling: &str) -> bool;

    /// It was wrong.
    fn was_wrong(&self, spelling: &str);
}

/// Somebody who takes signed tokens for proof of who somebody is.
pub trait TokenIssuers: Send + Sync {
    /// Whom a JSON Web Token describes.
    fn describe(&self, token: &str, now: Timestamp) -> Result<Described, TokenRefused>;

    /// Why an account of that name cannot be looked up, where it is one that only a token
    /// describes.
    fn only_by_token(&self, account: &str) -> Option<String>;
}

/// Whom a token describes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Described {
    /// An account, with what the token says of it. Nobody can look it up later.
    Account(Box<Account>),
    /// An account of a directory, by its name there.
    Named(String),
}

/// A token was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefused {
    /// It proves nothing.
    #[error("{0}")]
    Token(&'static str),
    /// It could not be judged now.
    #[error("{0}")]
    Unavailable(String),
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

    fn find(&self, written: &str) -> Result<Option<Account>, DirectoryError> {
        (self.0)(written)
    }

    /// Built-in accounts have no passwords.
    fn authenticate(&self, _: &str, _: &str, _: &dyn Guesses) -> Result<Logon, DirectoryError> {
        Ok(Logon::Wrong)
    }

    fn takes_passwords(&self) -> bool {
        false
    }
}
