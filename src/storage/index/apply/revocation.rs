//! Certificates revoked and released, and on which CRLs that is to be seen.

use super::revocation_of;
use crate::pki::disposition::Disposition;
use crate::pki::revocation::{Revocation, RevocationReason};
use crate::pki::revocation_list::CrlScope;
use crate::pki::serial::SerialNumber;
use crate::pki::time::Timestamp;
use crate::storage::StoreError;
use crate::storage::act::{self, Partition, RevokedScope, Scope};
use crate::storage::index::postings::{self, Fingerprint};
use crate::storage::index::rows::HELD;
use crate::storage::index::{CRL, CRL_IN_SCOPE, Index, name_in_scope};
use crate::storage::ledger::Reader;

/// What an act changes on the next CRLs.
#[derive(Clone, Debug)]
pub enum CrlChange {
    /// An entry comes, in place of an older one if there is one.
    Revoked {
        /// Whose.
        serial: SerialNumber,
        /// On which CRLs.
        scope: RevokedScope,
        /// The entry's content.
        revocation: Revocation,
        /// When the certificate ends, as far as known.
        not_after: Option<Timestamp>,
        /// Whether it has an entry already.
        replaces: bool,
    },
    /// An entry goes.
    Released {
        /// Whose.
        serial: SerialNumber,
        /// From which CRLs.
        scope: RevokedScope,
        /// When it was released.
        at: Timestamp,
    },
}

impl CrlChange {
    /// On which CRLs it is to be seen.
    pub fn scope(&self) -> RevokedScope {
        match self {
            Self::Revoked { scope, .. } | Self::Released { scope, .. } => *scope,
        }
    }
}

impl Index {
    pub(super) fn revoked(
        &mut self,
        reader: &Reader,
        offset: u64,
        revoked: &act::CertificateRevoked,
    ) -> Result<Option<CrlChange>, StoreError> {
        let Ok(serial) = SerialNumber::from_der_content(&revoked.serial) else { return Ok(None) };
        let replaces = self.revocation(reader, &serial)?.is_some();
        let fingerprint = Fingerprint::of(&revoked.serial);
        postings::add(&mut self.chunks, postings::REVOCATION, fingerprint, offset);
        let revocation = revocation_of(revoked);
        if revocation.reason == RevocationReason::KeyCompromise
            && let Some(key) = &revoked.key_sha256
        {
            postings::add(&mut self.chunks, postings::KEY, Fingerprint::of_hash(key), offset);
        }
        if revocation.reason != RevocationReason::CertificateHold {
            // What is revoked for good has nothing left to wait for.
            self.retirement_over(&revoked.serial)?;
        }
        let mut not_after = revoked.not_after.map(Timestamp::from_seconds);
        let mut scope = told_scope(revoked);
        if let Some((request, reserved)) = self.reservation_of(reader, &serial)? {
            scope = reserved.into();
            let held = revocation.reason == RevocationReason::CertificateHold;
            let facts = self.change_facts(request, |facts| {
                if matches!(facts.disposition, Disposition::Issued | Disposition::Revoked) {
                    facts.disposition = Disposition::Revoked;
                    facts.flags = if held { facts.flags | HELD } else { facts.flags & !HELD };
                }
            })?;
            let known = (facts.not_after > 0).then(|| Timestamp::from_seconds(facts.not_after));
            not_after = not_after.max(known);
        }
        Ok(Some(CrlChange::Revoked { serial, scope, revocation, not_after, replaces }))
    }

    pub(super) fn released(
        &mut self,
        reader: &Reader,
        offset: u64,
        serial: &[u8],
        at: Timestamp,
    ) -> Result<Option<CrlChange>, StoreError> {
        let Ok(serial) = SerialNumber::from_der_content(serial) else { return Ok(None) };
        let reservation = self.reservation_of(reader, &serial)?;
        let scope = match reservation {
            Some((_, scope)) => scope.into(),
            None => self.scope_told(reader, &serial)?,
        };
        let fingerprint = Fingerprint::of(serial.as_der_content());
        postings::add(&mut self.chunks, postings::REVOCATION, fingerprint, offset);
        if let Some((request, _)) = reservation {
            self.change_facts(request, |facts| {
                facts.flags &= !HELD;
                if facts.disposition == Disposition::Revoked {
                    facts.disposition = Disposition::Issued;
                }
            })?;
        }
        Ok(Some(CrlChange::Released { serial, scope, at }))
    }

    pub(super) fn crl_intended(
        &mut self,
        offset: u64,
        crl: &act::CrlIntended,
    ) -> Result<(), StoreError> {
        let scope = Scope::read(crl.scope);
        if scope != CrlScope::FIRST {
            let name = name_in_scope(scope, crl.number);
            self.chunks.set_named(CRL_IN_SCOPE, &name, Some(&[]))?;
        }
        self.second(CRL, &crl.number.to_be_bytes(), |_, published| (offset, published))
    }

    /// On which CRLs a serial number stands that was never reserved here: as its last revocation
    /// says.
    fn scope_told(
        &self,
        reader: &Reader,
        serial: &SerialNumber,
    ) -> Result<RevokedScope, StoreError> {
        let last = self.last_revocation(reader, serial)?;
        Ok(last.map_or(CrlScope::FIRST.into(), |revoked| told_scope(&revoked)))
    }
}

fn told_scope(revoked: &act::CertificateRevoked) -> RevokedScope {
    revoked.scope.unwrap_or(RevokedScope { key: CrlScope::FIRST.key, partition: Partition::None })
}
