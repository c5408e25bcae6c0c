//! What the authority tells the outside: acts on record, turned into events for `notification`.
//!
//! Absent: delivery, and a queue of its own: the ledger is the queue, and what an endpoint has
//! taken is an act in it, so neither a kill nor a restore loses a notification or invents one.
//! Begin with [`Announcements`]; `watch` finds what ends soon.

mod news;
mod self_check;
mod watch;

use std::sync::Arc;

pub use crate::notification::{Board, EndpointState};
pub use watch::{Distances, EndingAnswersOf, Watch};

use super::Authority;
use crate::notification::{Event, Outbox, OutboxError, Settlement, Standing};
use crate::pki::time::Timestamp;
use crate::storage::act::{self, Act, Entry, NotificationsSettled};
use crate::storage::{StoreError, Urgency};

/// An authority as somebody who owes notifications.
pub struct Announcements {
    authority: Arc<Authority>,
    api_url: String,
}

impl Announcements {
    /// Of this authority, whose API is reached at `api_url` (no slash at its end).
    pub fn new(authority: Arc<Authority>, api_url: String) -> Self {
        Self { authority, api_url }
    }
}

impl From<StoreError> for OutboxError {
    fn from(error: StoreError) -> Self {
        Self(error.to_string())
    }
}

impl Outbox for Announcements {
    fn end(&self) -> u64 {
        self.authority.register.head().sequence
    }

    fn standings(&self) -> Result<Vec<(String, Standing)>, OutboxError> {
        let standings = self.authority.register.standings()?;
        let read = |own: act::Standing| Standing {
            through: own.through,
            waiting: own.waiting.into_iter().collect(),
        };
        Ok(standings.into_iter().map(|(endpoint, own)| (endpoint, read(own))).collect())
    }

    fn events(&self, from: u64, limit: usize) -> Result<Vec<Event>, OutboxError> {
        let rows = self.authority.register.notable(from, limit)?;
        rows.into_iter().map(|row| Ok(self.event(row)?)).collect()
    }

    fn settle(&self, settlement: &Settlement, now: Timestamp) -> Result<(), OutboxError> {
        let Standing { through, waiting } = &settlement.standing;
        let waiting = waiting.iter().copied().collect();
        let standing = Some(act::Standing { through: *through, waiting });
        let act = Act::NotificationsSettled(NotificationsSettled {
            endpoint: settlement.endpoint.clone(),
            delivered: settlement.delivered.clone(),
            given_up: settlement.given_up.clone(),
            standing,
        });
        let entry = Entry { at: now.millis(), actor: None, act };
        // Small, and no more of them than of the acts they answer: a full disk does not have
        // everything delivered again and again.
        Ok(self.authority.register.commit(vec![entry], Urgency::Reserved)?)
    }
}
