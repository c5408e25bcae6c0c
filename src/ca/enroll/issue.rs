//! After the decision: reserved, signed, verified, recorded.

use super::{Enrolled, Outcome, Petition};
use crate::ca::renewal::Renewed;
use crate::ca::templates::Listed;
use crate::ca::{Authority, CertificateRow, Refusal, act, retirement};
use crate::pki::certificate::{Certificate, Prepared};
use crate::pki::profile::{Profile, ValidityCut};
use crate::pki::revocation_list::CrlScope;
use crate::pki::serial::SerialNumber;
use crate::pki::time::Timestamp;
use crate::storage::act::{
    Act, CertificateIssued, CertificateRevoked, Entry, RequestFailed, Scope, SerialReserved,
};
use crate::storage::{StoreError, Urgency};

/// To-be-signed bytes that are on record under a fresh serial number. Only a commit makes one,
/// and only one signature comes of it.
pub(in crate::ca) struct Reserved {
    request_id: u64,
    serial: SerialNumber,
    scope: CrlScope,
    tbs: Vec<u8>,
}

/// What stands beside a certificate in the register.
pub(in crate::ca) struct Facts {
    pub(in crate::ca) account: String,
    pub(in crate::ca) requester: String,
    pub(in crate::ca) template: String,
    pub(in crate::ca) renewal: Option<act::Renewal>,
}

impl Authority {
    /// Reserves, signs, verifies, records: everything after a decision. `before` goes on record
    /// in the same commit as the reservation.
    pub(in crate::ca) async fn issue(
        &self,
        listed: &Listed,
        profile: Profile,
        petition: &Petition<'_>,
        before: Vec<Entry>,
        now: Timestamp,
    ) -> Result<Enrolled, Refusal> {
        let mut notices = self.notices_for(&profile);
        notices.extend(self.supersession_notices(listed, petition.account, now)?);
        let reserved = self.reserve(profile, petition, before, now).await?;
        let facts = Facts {
            account: petition.account.name.clone(),
            requester: petition.submitter.unwrap_or(&petition.account.name).to_owned(),
            template: listed.template.cn().to_owned(),
            renewal: petition.renewal.as_ref().map(Renewed::to_act),
        };
        let row = self.complete(reserved, facts, now).await?;
        let outcome = Outcome::Issued(Box::new(row), notices);
        Ok(Enrolled { request_id: petition.request_id, outcome })
    }

    /// Puts the to-be-signed bytes on record under a serial number never used.
    async fn reserve(
        &self,
        profile: Profile,
        petition: &Petition<'_>,
        before: Vec<Entry>,
        now: Timestamp,
    ) -> Result<Reserved, Refusal> {
        let request_id = petition.request_id;
        let (issuer, key) = self.under_key_or_present(petition.under);
        for _ in 0..3 {
            let serial = self.fresh_serial()?;
            let scope = issuer.scope_of(&serial);
            let prepared = Prepared::build(&profile, serial, issuer, key.algorithm())
                .map_err(|error| Refusal::Unavailable("lint", error.to_string()))?;
            let tbs = prepared.into_tbs();
            let act = Act::SerialReserved(SerialReserved {
                request_id,
                serial: serial.as_der_content().to_vec(),
                tbs: tbs.clone(),
                scope: Scope::of(scope),
            });
            let mut entries = before.clone();
            entries.push(Entry { at: now.millis(), actor: None, act });
            match self.register.submit(entries, Urgency::Ordinary).await {
                Ok(()) => return Ok(Reserved { request_id, serial, scope, tbs }),
                Err(StoreError::SerialInUse) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::SerialInUse.into())
    }

    /// Signs what is reserved, verifies, records. What cannot be signed is failed and its serial
    /// number revoked: nobody can tell whether a signature escaped.
    pub(in crate::ca) async fn complete(
        &self,
        reserved: Reserved,
        facts: Facts,
        now: Timestamp,
    ) -> Result<CertificateRow, Refusal> {
        let Reserved { request_id, serial, scope, tbs } = reserved;
        let signed = self.signed(&tbs, scope);
        let (certificate, signature) = match signed {
            Ok(signed) => signed,
            Err(why) => {
                self.abandon(request_id, &serial, scope, &why, now)?;
                return Err(Refusal::Unavailable("signing-failed", why));
            }
        };
        let not_after = certificate.not_after();
        let act = Act::CertificateIssued(CertificateIssued {
            request_id,
            signature,
            sha1: certificate.sha1_thumbprint(),
            sha256: certificate.sha256_thumbprint(),
            template: facts.template.clone(),
            account: facts.account.clone(),
            not_after: not_after.seconds(),
            names: certificate.names().into_iter().map(|name| name.to_lowercase()).collect(),
        });
        // What was accepted is finished out of the reserve if need be.
        let retirement = facts.renewal.and_then(|it| retirement::scheduled(&it, request_id, now));
        let acts = [Some(act), retirement].into_iter().flatten();
        let entries = acts.map(|act| Entry { at: now.millis(), actor: None, act }).collect();
        self.register.submit(entries, Urgency::Reserved).await?;
        Ok(CertificateRow {
            serial,
            scope,
            request_id,
            certificate: certificate.der().to_vec(),
            requester: facts.requester,
            account: facts.account,
            template: facts.template,
            issued_at: now,
            not_after,
            revocation: None,
        })
    }

    /// The certificate, verified, and its signature: with the key that it was reserved under, which
    /// for an orphan may be one of before.
    fn signed(&self, tbs: &[u8], scope: CrlScope) -> Result<(Certificate, Vec<u8>), String> {
        let under = self.under_key(scope.key);
        let (issuer, key) = under.ok_or("the key that it was reserved under is not known")?;
        let signature = key.sign(tbs).map_err(|error| error.to_string())?;
        let made = Certificate::assemble(tbs, key.algorithm(), &signature, issuer.public_key());
        let certificate = made.map_err(|error| error.to_string())?;
        Ok((certificate, signature))
    }

    /// Gives a reservation up: the request has failed and its serial number goes on the CRL.
    pub(in crate::ca) fn abandon(
        &self,
        request_id: u64,
        serial: &SerialNumber,
        scope: CrlScope,
        why: &str,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let issuer = self.under_key(scope.key).map_or(&self.issuer, |(issuer, _)| issuer);
        let revoked = Act::CertificateRevoked(CertificateRevoked {
            serial: serial.as_der_content().to_vec(),
            revoked_at: now.millis(),
            reason: crate::pki::revocation::RevocationReason::CessationOfOperation.code(),
            invalidity_date: None,
            not_after: Some(issuer.not_after().seconds()),
            key_sha256: None,
            scope: Scope::of(scope).map(|_| scope.into()),
        });
        let failed = Act::RequestFailed(RequestFailed { request_id, detail: why.to_owned() });
        let acts = [revoked, failed].into_iter().chain(self.returned_token(request_id)?);
        let entries = acts.map(|act| Entry { at: now.millis(), actor: None, act });
        Ok(self.register.commit(entries.collect(), Urgency::Reserved)?)
    }

    fn fresh_serial(&self) -> Result<SerialNumber, Refusal> {
        let mut octets = [0; 20];
        self.fill_random(&mut octets)?;
        Ok(SerialNumber::from_random(octets))
    }

    fn notices_for(&self, profile: &Profile) -> Vec<String> {
        let mut notices = self.notices();
        if profile.validity_cut == ValidityCut::EndsWithAuthority {
            let end = profile.not_after;
            notices.push(format!("the validity was cut to the end of the CA certificate, {end}"));
        }
        notices
    }

    /// Resolves an orphan's reservation to what a commit would have given.
    pub(in crate::ca) fn adopt_reservation(orphan: &crate::storage::Orphan) -> Reserved {
        Reserved {
            request_id: orphan.request.request_id,
            serial: orphan.serial,
            scope: orphan.scope,
            tbs: orphan.tbs.clone(),
        }
    }
}
