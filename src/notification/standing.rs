//! How an endpoint stands: on record, and as operators see it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::pki::time::Timestamp;

/// Up to where an endpoint has been told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Every event up to this entry is settled or among the waiting.
    pub through: u64,
    /// Entries that it is still to be told of.
    pub waiting: BTreeSet<u64>,
}

/// What became of some events at one endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// The endpoint's name.
    pub endpoint: String,
    /// Entries it has taken.
    pub delivered: Vec<u64>,
    /// Entries it will not be told of any more.
    pub given_up: Vec<u64>,
    /// How it stands from now on.
    pub standing: Standing,
}

/// How an endpoint does since this program started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndpointState {
    /// Its name.
    pub name: String,
    /// Events it has taken.
    pub delivered: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Events that became too old.
    pub given_up: u64,
    /// Events that wait, among those that were looked at.
    pub waiting: usize,
    /// When the oldest of them came to be.
    pub oldest: Option<Timestamp>,
    /// Since when every attempt has failed.
    pub failing_since: Option<Timestamp>,
    /// Why the last attempt failed, if it did.
    pub failure: Option<String>,
}

/// Every endpoint's state: written by the couriers, read by whoever wants to know.
#[derive(Clone, Debug, Default)]
pub struct Board(Arc<Vec<Mutex<EndpointState>>>);

/// An endpoint that has failed for so long is a reason for a notice.
const LONG_SECONDS: u64 = 3600;

impl Board {
    /// With these endpoints, of which nothing is known yet.
    pub fn of<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let state = |name: &str| EndpointState { name: name.to_owned(), ..Default::default() };
        Self(Arc::new(names.map(|name| Mutex::new(state(name))).collect()))
    }

    /// As it is now, in the order of the settings.
    pub fn read(&self) -> Vec<EndpointState> {
        self.0.iter().map(|state| lock(state).clone()).collect()
    }

    /// What an operator should know: who has not been reached for an hour.
    pub fn notices(&self, now: Timestamp) -> Vec<String> {
        let told = self.read().into_iter().filter_map(|state| {
            let since = state.failing_since?;
            let why = state.failure.unwrap_or_default();
            let long = now.seconds_since(since) >= LONG_SECONDS;
            let (name, waiting) = (state.name, state.waiting);
            long.then(|| {
                format!(
                    "the notification endpoint {name} has taken nothing since {since}: {why}; \
                     {waiting} wait"
                )
            })
        });
        told.collect()
    }

    pub(super) fn change(&self, place: usize, change: impl FnOnce(&mut EndpointState)) {
        if let Some(state) = self.0.get(place) {
            change(&mut lock(state));
        }
    }
}

fn lock(state: &Mutex<EndpointState>) -> MutexGuard<'_, EndpointState> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
