//! Requesters by their directory's password, and those that a token of an outside issuer
//! describes. Nobody can look the latter up later: what a request was decided on goes on record
//! with it, and a pending one is decided on that again.

use std::sync::Arc;

use super::accounts::{AccountRecord, check, from_row, to_row};
use super::requester::REFUSED;
use super::{Authority, Refusal, RequestRow, Requester, act};
use crate::directory::{Described, Guesses, Logon, TokenIssuers, TokenRefused};
use crate::pki::account::Account;
use crate::pki::time::Timestamp;

impl Authority {
    /// The same authority, taking the tokens of these issuers.
    #[must_use]
    pub fn trusting(self, issuers: Arc<dyn TokenIssuers>) -> Self {
        Self { issuers: Some(issuers), ..self }
    }

    /// Whether there is a directory that knows passwords.
    pub fn takes_passwords(&self) -> bool {
        self.directory.takes_passwords()
    }

    /// Who logs on with this name and password. Unknown, wrong, not tried, disabled: all look
    /// alike.
    pub fn authenticate_by_password(
        &self,
        name: &str,
        password: &str,
        guesses: &dyn Guesses,
    ) -> Result<Requester, Refusal> {
        const REFUSED: Refusal = Refusal::Unauthenticated("the name or the password is wrong");
        // RFC 4513 §5.1.2: a bind without a password succeeds as nobody.
        if password.is_empty() {
            return Err(REFUSED);
        }
        match self.directory.authenticate(name, password, guesses)? {
            Logon::Proven(account) if account.enabled => {
                let offices = self.offices_of(&account)?;
                Ok(Requester::of(*account, offices))
            }
            Logon::Proven(_) | Logon::Wrong | Logon::NotTried => Err(REFUSED),
        }
    }

    /// Whom a JSON Web Token speaks for.
    pub(super) fn authenticate_by_jwt(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<Requester, Refusal> {
        let issuers = self.issuers.as_ref().ok_or(REFUSED)?;
        let account = match issuers.describe(token, now) {
            Ok(Described::Account(account)) => *account,
            Ok(Described::Named(name)) => self
                .directory
                .account(&name)?
                .ok_or(Refusal::Unauthenticated("the token names no account of the directory"))?,
            Err(TokenRefused::Token(why)) => return Err(Refusal::Unauthenticated(why)),
            Err(TokenRefused::Unavailable(why)) => {
                return Err(Refusal::Unavailable("directory-unavailable", why));
            }
        };
        if !account.enabled {
            return Err(Refusal::Unauthenticated("the account is disabled"));
        }
        if self.is_outside(&account.name) {
            well_formed(&account)?;
        }
        let offices = self.offices_of(&account)?;
        Ok(Requester::of(account, offices))
    }

    /// What goes on record with a request, for a requester whom nobody can look up later.
    pub(super) fn described(&self, account: &Account, now: Timestamp) -> Option<act::AccountSaved> {
        self.is_outside(&account.name).then(|| {
            let (account, roles) = (account.clone(), Vec::new());
            to_row(&AccountRecord { account, roles, created_at: now, revision: 0 })
        })
    }

    /// An account of a request on record: as the directory has it now, or for one that nobody can
    /// look up, as it was described when it asked.
    pub(super) fn account_of_request(
        &self,
        name: &str,
        row: &RequestRow,
    ) -> Result<Option<Account>, Refusal> {
        let described = row.described.clone().map(|described| from_row(described).account);
        match described.filter(|account| account.name.eq_ignore_ascii_case(name)) {
            Some(account) => Ok(Some(account)),
            None => match self.directory.account(name)? {
                // An earlier account of this name asked, or it was asked for that one.
                Some(other) if self.is_younger_than(&other, row.received_at)? => Ok(None),
                found => Ok(found),
            },
        }
    }

    /// The sentence for an account that is not there: an outside one may exist all the same.
    pub(super) fn why_unknown(&self, name: &str) -> String {
        let outside = self.issuers.as_ref().and_then(|issuers| issuers.only_by_token(name));
        outside.unwrap_or_else(|| format!("there is no account {name}"))
    }

    /// Whether only a token can say who that is.
    pub(super) fn is_outside(&self, name: &str) -> bool {
        self.issuers.as_ref().is_some_and(|issuers| issuers.only_by_token(name).is_some())
    }
}

/// The same rules of form as for built-in accounts; the realm before the name is configuration.
fn well_formed(account: &Account) -> Result<(), Refusal> {
    let name = account.name.split_once('\\').map_or(account.name.as_str(), |(_, name)| name);
    let bare = Account { name: name.to_owned(), ..account.clone() };
    check(&bare).map_err(|refusal| {
        tracing::info!(account = account.name, %refusal, "a token's claims are refused");
        Refusal::Unauthenticated("a claim of the token is not of its attribute's form")
    })
}
