//! Index and CRL entries as the ledger's writer keeps them: what may be recorded, and what a
//! recorded commit changes.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

use super::StoreError;
use super::act::{Act, Entry};
use super::index::apply::CrlChange;
use super::index::{ACCOUNT, Index, TOKEN, TOKEN_HASH, both};
use super::ledger::Reader;
use super::ledger::recovery::Position;
use super::ledger::writer::{Derived, Unit};
use super::revoked::scopes::RevokedScopes;

/// Everything that is derived from the ledger.
#[derive(Debug)]
pub struct Followers {
    /// Reads the ledger.
    pub reader: Arc<Reader>,
    /// The index.
    pub index: Arc<RwLock<Index>>,
    /// The CRL entries.
    pub revoked: Arc<RevokedScopes>,
    /// What the commit that is being gathered takes for itself.
    pub claims: HashSet<Claim>,
}

/// Something that only one entry may take.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Claim {
    /// A request number.
    Request(u64),
    /// A serial number.
    Serial(Vec<u8>),
    /// A token's identifier.
    Token(String),
    /// The hash of a token's secret.
    TokenHash([u8; 32]),
    /// The one use of a one-time token, which a revocation takes as well.
    TokenUse(String),
    /// An account, by its name in lower case, in this revision.
    Account(String, u64),
}

impl Claim {
    fn of(act: &Act) -> Vec<Self> {
        match act {
            Act::RequestReceived(received) => vec![Self::Request(received.request_id)],
            Act::SerialReserved(reserved) => vec![Self::Serial(reserved.serial.clone())],
            Act::TokenCreated(token) => {
                vec![Self::Token(token.id.clone()), Self::TokenHash(token.sha256)]
            }
            Act::TokenUsed(used) => vec![Self::TokenUse(used.id.clone())],
            Act::AccountSaved(saved) => {
                vec![Self::Account(saved.name.to_ascii_lowercase(), saved.revision)]
            }
            _ => Vec::new(),
        }
    }

    fn taken(&self) -> StoreError {
        match self {
            Self::Serial(_) => StoreError::SerialInUse,
            Self::Request(number) => StoreError::AlreadyThere(format!("request {number}")),
            Self::Token(id) => StoreError::AlreadyThere(format!("token {id}")),
            Self::TokenHash(_) => StoreError::AlreadyThere("this token".to_owned()),
            Self::TokenUse(_) => StoreError::TokenEnded,
            Self::Account(name, _) => StoreError::AlreadyThere(format!("account {name}")),
        }
    }

    /// Whether it is on record already.
    fn is_on_record(&self, index: &Index, reader: &Reader) -> Result<bool, StoreError> {
        Ok(match self {
            Self::Request(number) => match u32::try_from(*number) {
                Ok(request) => index.rows.facts(&index.chunks, request)?.is_some(),
                // Rows are numbered with 32 bits.
                Err(_) => true,
            },
            Self::Serial(serial) => index.is_taken(reader, serial)?,
            Self::Token(id) => index.chunks.named(TOKEN, id.as_bytes())?.is_some(),
            Self::TokenHash(hash) => index.chunks.named(TOKEN_HASH, hash)?.is_some(),
            Self::TokenUse(id) => {
                let known = index.chunks.named(TOKEN, id.as_bytes())?;
                known.is_some_and(|known| both(&known).1 != 0)
            }
            Self::Account(name, revision) => {
                let known = index.chunks.named(ACCOUNT, name.as_bytes())?;
                known.is_some_and(|known| both(&known).1 >= *revision)
            }
        })
    }
}

impl Derived for Followers {
    fn begin(&mut self) {
        self.claims.clear();
    }

    fn admit(&mut self, unit: &Unit) -> Result<(), StoreError> {
        let mut own = HashSet::new();
        let index = self.index.read().unwrap_or_else(PoisonError::into_inner);
        for claim in unit.entries.iter().flat_map(|entry| Claim::of(&entry.act)) {
            if self.claims.contains(&claim) || claim.is_on_record(&index, &self.reader)? {
                return Err(claim.taken());
            }
            let taken = claim.taken();
            if !own.insert(claim) {
                return Err(taken);
            }
        }
        self.claims.extend(own);
        Ok(())
    }

    fn apply(
        &mut self,
        before: &Position,
        after: &Position,
        entries: &[(u64, u64, &Entry)],
    ) -> Result<(), StoreError> {
        let mut index = self.index.write().unwrap_or_else(PoisonError::into_inner);
        index.begin(before);
        let mut changes: Vec<(u64, CrlChange)> = Vec::new();
        for (offset, sequence, entry) in entries {
            if let Some(change) = index.apply(&self.reader, *offset, *sequence, entry)? {
                changes.push((*sequence, change));
            }
        }
        // Before the index settles: what it has settled is never looked at again after a kill.
        for place in self.revoked.apply(&changes, after.sequence)? {
            index.note_place(&place.name(), after.marker)?;
        }
        index.end(after)
    }
}
