//! Renewal by possession: whoever holds a good certificate gets another one of the same template
//! with the same names, and needs no token for it.
//!
//! The template decides as it does for an enrolment, on the account and its groups as they are
//! now. What the old certificate adds: its names where they came from the request, and, where the
//! template says so, the approval and the signatures that were given for it (`pki/policy`).

use super::enroll::{Begun, Decided, Enrolled, Outcome, Petition};
use super::permissions::Operation;
use super::possession::Possession;
use super::{Authority, CertificateRow, Refusal, Requester, act, record};
use crate::pki::certificate::Certificate;
use crate::pki::policy;
use crate::pki::request::CertificateRequest;
use crate::pki::serial::SerialNumber;
use crate::pki::time::Timestamp;
use crate::storage::Urgency;
use crate::storage::act::{Act, Entry, RequestMark, RequestReceived};
use crate::storage::recording::wait;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Renewal<'a> {
    /// The certificate to be renewed: the one that the requester proved to hold.
    pub serial: SerialNumber,
    /// The PKCS#10: PEM, DER or base64.
    pub csr: &'a [u8],
    /// How long after the issuing the old certificate is to be revoked as superseded.
    pub retire_after_seconds: Option<u64>,
    /// The `Idempotency-Key` it came with.
    pub idempotency: Option<act::Idempotency>,
}

impl Requester {
    /// That the requester proved to hold the certificate with this serial number.
    pub fn holding(&self, serial: &SerialNumber) -> Result<&Possession, Refusal> {
        let held = self.possession().filter(|held| held.serial() == *serial);
        held.ok_or_else(|| {
            Refusal::PossessionRequired(format!(
                "{serial} is renewed by whoever proves to hold its key: over mutual TLS with that \
                 certificate, and without an Authorization header"
            ))
        })
    }
}

impl Authority {
    /// Renews the certificate that the requester holds. A denial is on record, as in
    /// [`Authority::enroll`].
    pub async fn renewing(
        &self,
        requester: &Requester,
        renewal: Renewal<'_>,
        now: Timestamp,
    ) -> Result<Enrolled, Refusal> {
        requester.must(Operation::RenewCertificate)?;
        let held = requester.holding(&renewal.serial)?;
        let _key_in_use = match &renewal.idempotency {
            Some(key) => match self.begin_enrolment(requester, key, now)? {
                Begun::Again(enrolled) => return Ok(enrolled),
                Begun::First(guard) => Some(guard),
            },
            None => None,
        };
        self.may_issue(now)?;
        // The roles count here whatever the credential carries: with them the names were given.
        let offices = self.offices_of(&held.account)?;
        let holder = Requester::of(held.account.clone(), offices);
        let request = CertificateRequest::parse(renewal.csr)
            .map_err(|error| Refusal::Invalid(error.slug(), error.to_string()))?;
        let petition = Petition {
            request_id: self.register.next_request_id(),
            submitter: Some(&holder.account.name),
            account: &holder.account,
            enroller: &holder.account,
            standing: holder.standing(&held.row.template, &holder.account),
            renewal: Some(Renewed::of(held, &renewal, now)),
            signers: &[],
            under: self.issuer.key_index(),
        };
        let received = Act::RequestReceived(RequestReceived {
            request_id: petition.request_id,
            account: held.account.name.clone(),
            template: held.row.template.clone(),
            csr: request.der().to_vec(),
            idempotency: renewal.idempotency,
            renewal: petition.renewal.as_ref().map(Renewed::to_act),
            signers: Vec::new(),
            described: self.described(&holder.account, now),
        });
        let received = record(requester, now, received);
        let decided = self.published_template(&held.row.template).and_then(|listed| {
            let profile = self.decide(&listed, &request, &petition, Ok(Vec::new()), now)?;
            let question = self.question(&listed, &request, &petition, now);
            let approved = policy::earlier_approval_counts(&question);
            Ok((listed, profile, approved))
        });
        match decided {
            Err(Decided::Denied(denial)) => {
                self.deny_at_once(petition.request_id, Some(received), &denial, now).await?;
                Err(Refusal::Denied(petition.request_id, denial))
            }
            Err(Decided::Refused(refusal)) => Err(refusal),
            Ok((listed, _, approved)) if listed.template.needs_approval() && !approved => {
                let act = Act::RequestPended(RequestMark { request_id: petition.request_id });
                let pended = Entry { at: now.millis(), actor: None, act };
                self.register.submit(vec![received, pended], Urgency::Ordinary).await?;
                Ok(Enrolled { request_id: petition.request_id, outcome: Outcome::Pending })
            }
            Ok((listed, profile, _)) => {
                let mut enrolled =
                    self.issue(&listed, profile, &petition, vec![received], now).await?;
                if let Outcome::Issued(_, notices) = &mut enrolled.outcome {
                    notices.extend(retirement_is_moot(held, renewal.retire_after_seconds, now));
                }
                Ok(enrolled)
            }
        }
    }

    /// The same for callers that have a thread to wait with.
    pub fn renew(
        &self,
        requester: &Requester,
        renewal: Renewal<'_>,
        now: Timestamp,
    ) -> Result<Enrolled, Refusal> {
        wait(self.renewing(requester, renewal, now))
    }

    /// The renewed certificate of a request on record that had to wait: it must be good still.
    pub(super) fn renewed_by(
        &self,
        renewal: &act::Renewal,
        now: Timestamp,
    ) -> Result<Renewed, Refusal> {
        let gone = |why: String| Refusal::Conflict("approval-impossible", why);
        let serial = SerialNumber::from_der_content(&renewal.serial)
            .map_err(|error| gone(error.to_string()))?;
        let row = self.register.certificate(&serial)?;
        let row = row.ok_or_else(|| gone(format!("{serial} is not on record")))?;
        let held = self.possession(&row.certificate, now).map_err(|refusal| match refusal {
            Refusal::CertificateRefused(_, why) => gone(format!("it renews {serial}; {why}")),
            other => other,
        })?;
        let retire_after_seconds = renewal.retire_after_seconds;
        Ok(Renewed { certificate: held.certificate, retire_after_seconds })
    }

    /// From when on a client should renew a certificate: its end less the template's renewal
    /// period; nothing where the template is gone.
    pub fn renew_after(&self, row: &CertificateRow) -> Option<Timestamp> {
        let listed = self.known_template(&row.template).ok()?;
        Some(row.not_after.minus_seconds(listed.template.renewal().seconds()))
    }
}

/// The sentence for whoever wants a certificate retired after its end.
fn retirement_is_moot(
    held: &Possession,
    retire_after_seconds: Option<u64>,
    now: Timestamp,
) -> Option<String> {
    let (serial, end) = (held.certificate.serial(), held.certificate.not_after());
    let due = now.plus_seconds(retire_after_seconds?);
    (due >= end).then(|| {
        format!("certificate {serial} ends by itself at {end}, before it would be retired at {due}")
    })
}

/// The certificate that a petition renews.
#[derive(Clone, Debug)]
pub(super) struct Renewed {
    pub(super) certificate: Certificate,
    pub(super) retire_after_seconds: Option<u64>,
}

impl Renewed {
    /// Where the old certificate ends by itself before it would be retired, nothing is to be done.
    fn of(held: &Possession, asked: &Renewal<'_>, now: Timestamp) -> Self {
        let end = held.certificate.not_after();
        let ends_first = |seconds: &u64| now.plus_seconds(*seconds) < end;
        Self {
            certificate: held.certificate.clone(),
            retire_after_seconds: asked.retire_after_seconds.filter(ends_first),
        }
    }

    pub(super) fn to_act(&self) -> act::Renewal {
        act::Renewal {
            serial: self.certificate.serial().as_der_content().to_vec(),
            retire_after_seconds: self.retire_after_seconds,
        }
    }
}
