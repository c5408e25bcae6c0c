//! What falls due at a time: retirements of renewed certificates, and requests that wait too long.

use crate::pki::revocation::RevocationReason;
use crate::pki::serial::SerialNumber;
use crate::storage::StoreError;
use crate::storage::act;
use crate::storage::index::{
    Index, PENDING, PENDING_SINCE, RETIREMENT, RETIREMENT_DUE, both, pair,
};
use crate::storage::ledger::Reader;
impl Index {
    /// The earlier of two moments holds, and what is revoked for good is not retired besides.
    pub(super) fn retirement_scheduled(
        &mut self,
        reader: &Reader,
        offset: u64,
        scheduled: &act::RetirementScheduled,
    ) -> Result<(), StoreError> {
        let Ok(serial) = SerialNumber::from_der_content(&scheduled.serial) else { return Ok(()) };
        let revocation = self.revocation(reader, &serial)?;
        if revocation.is_some_and(|found| found.reason != RevocationReason::CertificateHold) {
            return Ok(());
        }
        let known = self.chunks.named(RETIREMENT, &scheduled.serial)?;
        if known.is_some_and(|known| both(&known).0 < scheduled.due_at) {
            return Ok(());
        }
        self.retirement_over(&scheduled.serial)?;
        let place = pair(scheduled.due_at, offset);
        self.chunks.set_named(RETIREMENT, &scheduled.serial, Some(&place))?;
        let due = [&scheduled.due_at.to_be_bytes(), scheduled.serial.as_slice()].concat();
        self.chunks.set_named(RETIREMENT_DUE, &due, Some(&[]))
    }

    /// Nothing is to be retired any more.
    pub(super) fn retirement_over(&mut self, serial: &[u8]) -> Result<(), StoreError> {
        let Some(known) = self.chunks.named(RETIREMENT, serial)? else { return Ok(()) };
        let due = [&both(&known).0.to_be_bytes(), serial].concat();
        self.chunks.set_named(RETIREMENT_DUE, &due, None)?;
        self.chunks.set_named(RETIREMENT, serial, None)
    }

    pub(super) fn pending_begins(
        &mut self,
        offset: u64,
        at: u64,
        id: u64,
    ) -> Result<(), StoreError> {
        self.pending_over(id)?;
        self.chunks.set_named(PENDING, &id.to_be_bytes(), Some(&pair(at, offset)))?;
        self.chunks.set_named(PENDING_SINCE, &pair(at, id), Some(&[]))
    }

    /// A request waits no more.
    pub(super) fn pending_over(&mut self, id: u64) -> Result<(), StoreError> {
        let name = id.to_be_bytes();
        let Some(known) = self.chunks.named(PENDING, &name)? else { return Ok(()) };
        self.chunks.set_named(PENDING_SINCE, &pair(both(&known).0, id), None)?;
        self.chunks.set_named(PENDING, &name, None)
    }
}
