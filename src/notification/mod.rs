//! Signed notifications (webhooks): what the authority owes to whom, delivered at least once.
//!
//! Absent: what is worth telling and the record of what was told, which are the authority's behind
//! [`Outbox`]; the clock and randomness, which are arguments. A thread for each endpoint delivers,
//! one at a time, so a receiver that hangs delays nobody but itself. Begin with [`Outbox`], then
//! `queue`, which decides what is sent when.

mod body;
pub mod courier;
pub mod delivery;
pub mod endpoint;
pub mod event;
pub mod queue;
pub mod signature;
pub mod standing;
#[cfg(test)]
mod tests;

pub use courier::Couriers;
pub use endpoint::Endpoint;
pub use event::Event;
pub use standing::{Board, EndpointState, Settlement, Standing};

use crate::pki::time::Timestamp;

/// Who owes notifications, and keeps on record which were delivered.
pub trait Outbox: Send + Sync {
    /// The number of the last event or other entry on record.
    fn end(&self) -> u64;

    /// How every endpoint stands that is on record, by its name.
    fn standings(&self) -> Result<Vec<(String, Standing)>, OutboxError>;

    /// Events from entry number `from` on, oldest first.
    fn events(&self, from: u64, limit: usize) -> Result<Vec<Event>, OutboxError>;

    /// Puts on record what became of some; durable once it returns.
    fn settle(&self, settlement: &Settlement, now: Timestamp) -> Result<(), OutboxError>;
}

/// What is owed could not be read, or what was delivered not be recorded.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct OutboxError(pub String);
