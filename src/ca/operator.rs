//! What the operator does, who holds the data directory and needs no account: an offline root has
//! nobody else.

use super::{Authority, Refusal};
use crate::ca::revoke::Recorded;
use crate::pki::certificate::Certificate;
use crate::pki::revocation::RevocationReason;
use crate::pki::revocation_list::CrlScope;
use crate::pki::serial::SerialNumber;
use crate::pki::time::Timestamp;
use crate::storage::Urgency;
use crate::storage::act::Entry;

/// The operator as the actor of an entry. No account has a name like it.
pub const OPERATOR: &str = "<operator>";

impl Authority {
    /// Revokes a certificate that was issued here.
    pub fn revoke_as_operator(
        &self,
        serial: &SerialNumber,
        reason: RevocationReason,
        now: Timestamp,
    ) -> Result<Recorded, Refusal> {
        self.record_revocation(OPERATOR, serial, reason, None, now)
    }

    /// Revokes a certificate that one of this CA's keys signed and that is not on record, since it was
    /// made before the CA was adopted.
    pub fn revoke_unrecorded(
        &self,
        certificate: &Certificate,
        reason: RevocationReason,
        now: Timestamp,
    ) -> Result<Recorded, Refusal> {
        let serial = certificate.serial();
        if self.register.certificate(&serial)?.is_some() {
            return self.revoke_as_operator(&serial, reason, now);
        }
        let issuer = self.issuer_of(certificate).ok_or_else(|| {
            let why = format!("the certificate of {} is not of this CA", certificate.subject());
            Refusal::Invalid("another-issuer", why)
        })?;
        let _one_at_a_time = self.administrating();
        super::revoke::must_be_revocable(&serial, self.register.revocation(&serial)?, reason)?;
        let scope = CrlScope::of_key(issuer.key_index());
        let act = super::revoke::unrecorded(certificate, scope, reason, None, now);
        let entry = Entry { at: now.millis(), actor: Some(OPERATOR.to_owned()), act };
        self.register.commit(vec![entry], Urgency::Reserved)?;
        let sequence = self.register.head().sequence;
        Ok(Recorded { sequence, certificates: vec![serial], scopes: vec![scope] })
    }
}
