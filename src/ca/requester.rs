//! The requester ([MS-WCCE]): somebody who authenticated, with what the directory holds.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};

use super::bond::Bond;
use super::offices::Office;
use super::permissions::Role;
use super::possession::{Possession, Reach};
use super::{Authority, Refusal};
use crate::pki::account::Account;
use crate::pki::time::Timestamp;

/// Somebody authenticated. Only [`Authority::authenticate`] makes one (and later doors' other
/// credentials, in this file).
#[derive(Clone, Debug)]
pub struct Requester {
    pub(super) account: Account,
    pub(super) roles: Vec<Role>,
    /// The same with how far each reaches.
    pub(super) offices: Vec<Office>,
    /// What the token it came by is bound to, if it is.
    pub(super) bond: Option<Bond>,
    /// How far the credential reaches.
    pub(super) reach: Reach,
    /// The certificate that the requester proved to hold.
    pub(super) possession: Option<Arc<Possession>>,
}

impl Requester {
    /// An account that authenticated, with these offices.
    pub(super) fn of(account: Account, offices: Vec<Office>) -> Self {
        let mut roles: Vec<Role> = Vec::new();
        for office in &offices {
            if !roles.contains(&office.role) {
                roles.push(office.role);
            }
        }
        Self { account, roles, offices, bond: None, reach: Reach::Account, possession: None }
    }

    /// The account.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// How far its credential reaches.
    pub fn reach(&self) -> Reach {
        self.reach
    }

    /// The certificate that it proved to hold, where that is its credential.
    pub fn possession(&self) -> Option<&Possession> {
        self.possession.as_deref()
    }

    /// Its roles on this CA.
    pub fn roles(&self) -> &[Role] {
        &self.roles
    }
}

/// What is said of every bearer token that is not taken: the reasons look alike from outside.
pub(super) const REFUSED: Refusal =
    Refusal::Unauthenticated("the bearer token is unknown, expired, revoked or used up");

/// What every token begins with, so that secret scanners know one when they see it.
pub const TOKEN_PREFIX: &str = "chancery_";

impl Authority {
    /// Who holds this bearer token: one of ours, or a JSON Web Token of an issuer that is trusted.
    /// Of ours, every reason to refuse looks alike from outside.
    pub fn authenticate(&self, bearer: &str, now: Timestamp) -> Result<Requester, Refusal> {
        if !bearer.starts_with(TOKEN_PREFIX) {
            return self.authenticate_by_jwt(bearer, now);
        }
        if bearer.len() > 128 {
            return Err(REFUSED);
        }
        // Looked up by its hash: no comparison of secrets, so nothing to time.
        let row = self.register.token_by_hash(&token_hash(bearer))?.ok_or(REFUSED)?;
        if row.revoked_at.is_some() || now.millis() >= row.token.expires_at {
            return Err(REFUSED);
        }
        let account = self.directory.account(&row.token.account)?.ok_or(REFUSED)?;
        if !account.enabled || self.is_younger_than(&account, row.created_at)? {
            return Err(REFUSED);
        }
        let bond = Bond::of(&row);
        // What is bound to a template speaks for the account, not for its offices.
        let offices = match bond {
            Some(_) => Vec::new(),
            None => self.offices_of(&account)?,
        };
        Ok(Requester { bond, ..Requester::of(account, offices) })
    }
}

/// How a token is kept.
pub fn token_hash(secret: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, secret.as_bytes()).as_ref());
    hash
}
