//! Renew-and-retire: a renewed certificate is revoked as superseded after an overlap, without a
//! second call.
//!
//! The moment is on record in the commit that issues the renewal, so one is never there without
//! the other. What is due is found in the register, not in memory: a restart, a restore or a clock
//! that jumps may make a retirement late, never lost and never done twice.

use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::announcement::Watch;
use super::permissions::Operation;
use super::publish::Publishers;
use super::revoke::{Recorded, revocation};
use super::{Authority, CertificateRow, Lineage, Listing, Refusal, Requester, act, record};
use crate::pki::revocation::RevocationReason;
use crate::pki::serial::SerialNumber;
use crate::pki::time::Timestamp;
use crate::storage::Urgency;
use crate::storage::act::{Act, Entry, RetirementCancelled, RetirementScheduled};

/// How many certificates are retired in one commit.
const AT_ONCE: usize = 1000;
/// How often the register is asked what is due.
const TICK: Duration = Duration::from_secs(1);
/// How long the clockwork rests after a failure.
const PAUSE: Duration = Duration::from_secs(30);

impl Authority {
    /// Revokes what is due to be retired, in one act; nothing where nothing is.
    pub fn retire_due(&self, now: Timestamp) -> Result<Option<Recorded>, Refusal> {
        if self.register.retirements(now, 1)?.is_empty() {
            return Ok(None);
        }
        // Whoever revokes, holds or cancels meanwhile comes before or after, not between.
        let _one_at_a_time = self.administrating();
        let due = self.register.retirements(now, AT_ONCE)?;
        let mut entries = Vec::with_capacity(due.len());
        let mut scopes = BTreeSet::new();
        for serial in &due {
            let row = self.register.certificate(serial)?;
            let row = row.ok_or_else(|| Refusal::NotFound(format!("certificate {serial}")))?;
            let act = revocation(&row, RevocationReason::Superseded, None, now)?;
            entries.push(Entry { at: now.millis(), actor: None, act });
            scopes.insert(row.scope);
        }
        if entries.is_empty() {
            return Ok(None);
        }
        self.register.commit(entries, Urgency::Reserved)?;
        let sequence = self.register.head().sequence;
        let scopes = scopes.into_iter().collect();
        Ok(Some(Recorded { sequence, certificates: due, scopes }))
    }

    /// Takes a retirement back before it is due.
    pub fn cancel_retirement(
        &self,
        requester: &Requester,
        serial: &SerialNumber,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        requester.must(Operation::Revoke)?;
        let row = self.register.certificate(serial)?;
        let row = row.ok_or_else(|| Refusal::NotFound(format!("certificate {serial}")))?;
        self.must_manage_certificate(requester, &row)?;
        let _one_at_a_time = self.administrating();
        if self.register.lineage(serial)?.retires_at.is_none() {
            let why = format!("{serial} is not to be retired");
            return Err(Refusal::Conflict("no-retirement", why));
        }
        let act = RetirementCancelled { serial: serial.as_der_content().to_vec() };
        let entry = record(requester, now, Act::RetirementCancelled(act));
        Ok(self.register.commit(vec![entry], Urgency::Reserved)?)
    }

    /// What a certificate renews, what renews it, when it is to be retired. For whoever may see
    /// the certificate.
    pub fn lineage(
        &self,
        requester: &Requester,
        serial: &SerialNumber,
    ) -> Result<Lineage, Refusal> {
        self.certificate(requester, serial)?;
        Ok(self.register.lineage(serial)?)
    }

    /// The same of certificates in a listing, which was made for who may see them.
    pub fn lineages(&self, listing: &Listing<CertificateRow>) -> Result<Vec<Lineage>, Refusal> {
        let each = listing.rows.iter().map(|row| Ok(self.register.lineage(&row.serial)?));
        each.collect()
    }
}

/// The retirement that goes on record beside the issuing of request `request_id`, if its
/// requester asked for one.
pub(super) fn scheduled(renewal: &act::Renewal, request_id: u64, now: Timestamp) -> Option<Act> {
    let due = now.plus_seconds(renewal.retire_after_seconds?);
    let serial = renewal.serial.clone();
    Some(Act::RetirementScheduled(RetirementScheduled { serial, due_at: due.millis(), request_id }))
}

/// Does what the authority does by itself when its time comes. Any thread may stop it.
pub struct Clockwork {
    authority: Arc<Authority>,
    publishers: Arc<Publishers>,
    watch: Option<Watch>,
    stopping: Mutex<bool>,
    stopped: Condvar,
}

impl Clockwork {
    /// A clockwork that has not begun.
    pub fn new(authority: Arc<Authority>, publishers: Arc<Publishers>) -> Self {
        let (stopping, stopped) = (Mutex::new(false), Condvar::new());
        Self { authority, publishers, watch: None, stopping, stopped }
    }

    /// One that looks besides for what ends soon.
    pub fn watching(mut self, watch: Watch) -> Self {
        self.watch = Some(watch);
        self
    }

    /// Runs until [`Clockwork::stop`]; to be called on a thread of its own.
    pub fn run(&self, clock: &dyn Fn() -> Timestamp) {
        loop {
            let rest = match self.tick(clock()) {
                Ok(()) => TICK,
                Err(error) => {
                    tracing::error!(%error, "what is due could not be done");
                    PAUSE
                }
            };
            let waited = self.stopped.wait_timeout_while(self.state(), rest, |stopping| !*stopping);
            if *waited.unwrap_or_else(PoisonError::into_inner).0 {
                return;
            }
        }
    }

    /// Ends [`Clockwork::run`].
    pub fn stop(&self) {
        *self.state() = true;
        self.stopped.notify_all();
    }

    fn tick(&self, now: Timestamp) -> Result<(), Refusal> {
        // Neither waits for the other: a disk that is full keeps nothing from being revoked.
        let watched = || self.watch.as_ref().map_or(Ok(()), |watch| watch.tick(now));
        let in_order = self.authority.put_in_order_if_it_is_not(now);
        self.retire(now).and(self.expire(now)).and(watched()).and(in_order)
    }

    fn retire(&self, now: Timestamp) -> Result<(), Refusal> {
        while let Some(done) = self.authority.retire_due(now)? {
            self.publishers.demand(&done.scopes, done.sequence);
            tracing::info!(count = done.certificates.len(), "renewed certificates are retired");
        }
        Ok(())
    }

    fn expire(&self, now: Timestamp) -> Result<(), Refusal> {
        loop {
            match self.authority.expire_pending(now)? {
                0 => return Ok(()),
                count => tracing::info!(count, "pending requests have expired"),
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, bool> {
        self.stopping.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
