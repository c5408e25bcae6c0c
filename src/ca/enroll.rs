//! Enrolment, the heart: request on record → profile decided → to-be-signed bytes built, linted
//! and stored under a serial number never used → signed → verified → recorded → answered.
//!
//! A crash between any two steps leaves a record of what may have been signed; `orphans`
//! settles those at the next start. Whoever enrols awaits the register twice, and needs no thread
//! meanwhile.

mod issue;

pub(super) use issue::Facts;

use std::sync::Arc;

use super::endorsements::Endorsed;
use super::pending::denied;
use super::permissions::Operation;
use super::renewal::Renewed;
use super::templates::Listed;
use super::{Authority, CertificateRow, Refusal, Requester, act, record};
use crate::pki::account::Account;
use crate::pki::cms::Signer;
use crate::pki::denial::{Denial, Rule};
use crate::pki::issuer::Issuer;
use crate::pki::policy::{self, Enroller, Standing};
use crate::pki::profile::Profile;
use crate::pki::request::CertificateRequest;
use crate::pki::time::Timestamp;
use crate::storage::act::{Act, Entry, RequestMark, RequestReceived};
use crate::storage::recording::wait;
use crate::storage::{StoreError, Urgency};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Enrolment<'a> {
    /// The template's cn.
    pub template: &'a str,
    /// The PKCS#10, bare or co-signed in a CMS message: PEM, DER or base64.
    pub csr: &'a [u8],
    /// Whose certificate it shall be, if not the requester's.
    pub on_behalf_of: Option<&'a str>,
    /// The `Idempotency-Key` it came with.
    pub idempotency: Option<act::Idempotency>,
}

/// A request that was taken.
#[derive(Clone, Debug)]
pub struct Enrolled {
    /// Its number.
    pub request_id: u64,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a request that was not denied.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The certificate, and what the requester should know about it.
    Issued(Box<CertificateRow>, Vec<String>),
    /// It waits for a certificate manager.
    Pending,
}

/// On whose name a request is decided, and by whom it came.
pub(super) struct Petition<'a> {
    pub(super) request_id: u64,
    /// Who submitted it; `None` for the authority itself.
    pub(super) submitter: Option<&'a str>,
    pub(super) account: &'a Account,
    pub(super) enroller: &'a Account,
    pub(super) standing: Standing,
    /// What it renews.
    pub(super) renewal: Option<Renewed>,
    /// Who has signed the request beside its submitter.
    pub(super) signers: &'a [Signer],
    /// The key index of the CA's key to issue under.
    pub(super) under: u16,
}

impl Authority {
    /// Enrols: issues, or lets it wait for a manager. A denial is [`Refusal::Denied`] and on
    /// record; what is no certificate request at all is [`Refusal::Invalid`] and is not.
    pub async fn enrolling(
        &self,
        requester: &Requester,
        enrolment: Enrolment<'_>,
        now: Timestamp,
    ) -> Result<Enrolled, Refusal> {
        requester.must(Operation::Enroll)?;
        requester.bond_covers(enrolment.template)?;
        let name_on_record = self.name_on_record(requester, enrolment.template)?;
        let _key_in_use = match &enrolment.idempotency {
            Some(key) => match self.begin_enrolment(requester, key, now)? {
                Begun::Again(enrolled) => {
                    requester.bond_answers(&enrolled)?;
                    return Ok(enrolled);
                }
                Begun::First(guard) => Some(guard),
            },
            None => None,
        };
        requester.bond_unspent()?;
        self.may_issue(now)?;
        let submission = Self::submission(enrolment.csr)?;
        let signed_for = submission.requester_name();
        let other = self.on_behalf_of(requester, enrolment.on_behalf_of, signed_for)?;
        let endorsements = self.endorsements(submission.signers(), now);
        let request = submission.request();
        let account = other.as_ref().unwrap_or(&requester.account);
        let petition = Petition {
            request_id: self.register.next_request_id(),
            submitter: Some(&requester.account.name),
            account,
            enroller: &requester.account,
            standing: requester.standing(enrolment.template, account),
            renewal: None,
            signers: submission.signers(),
            under: self.issuer.key_index(),
        };
        let received = Act::RequestReceived(RequestReceived {
            request_id: petition.request_id,
            account: account.name.clone(),
            template: name_on_record,
            csr: submission.der().to_vec(),
            idempotency: enrolment.idempotency,
            renewal: None,
            signers: self.signers_on_record(petition.signers)?,
            described: self.described(&requester.account, now),
        });
        let received = record(requester, now, received);
        let spending = requester.spending(petition.request_id, now);
        let decided = self.enrollable_template(requester, enrolment.template).and_then(|listed| {
            let profile = self.decide(&listed, request, &petition, endorsements, now)?;
            Ok((listed, profile))
        });
        match decided {
            Err(Decided::Denied(denial)) => {
                self.deny_at_once(petition.request_id, Some(received), &denial, now).await?;
                Err(Refusal::Denied(petition.request_id, denial))
            }
            Err(Decided::Refused(refusal)) => Err(refusal),
            Ok((listed, _)) if listed.template.needs_approval() => {
                let act = Act::RequestPended(RequestMark { request_id: petition.request_id });
                let pended = Entry { at: now.millis(), actor: None, act };
                let entries = [received, pended].into_iter().chain(spending).collect();
                self.register.submit(entries, Urgency::Ordinary).await?;
                Ok(Enrolled { request_id: petition.request_id, outcome: Outcome::Pending })
            }
            Ok((listed, profile)) => {
                let before = [received].into_iter().chain(spending).collect();
                self.issue(&listed, profile, &petition, before, now).await
            }
        }
    }

    /// The same for callers that have a thread to wait with.
    pub fn enroll(
        &self,
        requester: &Requester,
        enrolment: Enrolment<'_>,
        now: Timestamp,
    ) -> Result<Enrolled, Refusal> {
        wait(self.enrolling(requester, enrolment, now))
    }

    /// Issues to the authority itself (its TLS certificate): on record like every other, though
    /// the template need not be published and nobody's groups are asked.
    pub fn issue_internally(
        &self,
        template: &str,
        csr: &[u8],
        account: &Account,
        now: Timestamp,
    ) -> Result<CertificateRow, Refusal> {
        self.issue_internally_under(self.issuer.key_index(), template, csr, account, now)
    }

    /// The same under a key of before: an OCSP responder answers about what was issued under the
    /// key that issued it (RFC 6960 §4.2.2.2).
    pub fn issue_internally_under(
        &self,
        key_index: u16,
        template: &str,
        csr: &[u8],
        account: &Account,
        now: Timestamp,
    ) -> Result<CertificateRow, Refusal> {
        self.may_issue(now)?;
        let request = CertificateRequest::parse(csr)
            .map_err(|error| Refusal::Invalid(error.slug(), error.to_string()))?;
        let petition = Petition {
            request_id: self.register.next_request_id(),
            submitter: None,
            account,
            enroller: account,
            standing: Standing::Manager,
            renewal: None,
            signers: &[],
            under: key_index,
        };
        let act = Act::RequestReceived(RequestReceived {
            request_id: petition.request_id,
            account: account.name.clone(),
            template: template.to_owned(),
            csr: request.der().to_vec(),
            idempotency: None,
            renewal: None,
            signers: Vec::new(),
            described: None,
        });
        let received = Entry { at: now.millis(), actor: None, act };
        let listed = self.known_template(template)?;
        let profile = match self.decide(&listed, &request, &petition, Ok(Vec::new()), now) {
            Ok(profile) => profile,
            Err(Decided::Refused(refusal)) => return Err(refusal),
            Err(Decided::Denied(denial)) => {
                wait(self.deny_at_once(petition.request_id, Some(received), &denial, now))?;
                return Err(Refusal::Denied(petition.request_id, denial));
            }
        };
        match wait(self.issue(&listed, profile, &petition, vec![received], now))?.outcome {
            Outcome::Issued(row, _) => Ok(*row),
            Outcome::Pending => {
                Err(Refusal::Conflict("pending", "the template needs an approval".to_owned()))
            }
        }
    }

    /// Applies the policy module to a request under a template. Who has signed it was found out
    /// before, for that may take a directory's time; what came of that counts here.
    pub(super) fn decide(
        &self,
        listed: &Listed,
        request: &CertificateRequest,
        petition: &Petition<'_>,
        endorsed: Result<Vec<Endorsed>, Decided>,
        now: Timestamp,
    ) -> Result<Profile, Decided> {
        let key = request.public_key();
        let own = |issuer: &Arc<Issuer>| issuer.public_key().spki_der() == key.spki_der();
        if self.issuers().any(own) {
            let detail = "the request is for the CA's own key";
            return Err(Denial::new(Rule::AuthorityKey, detail).into());
        }
        if self.register.is_compromised(&key.thumbprint())? {
            let detail = "a certificate over this key was revoked for keyCompromise";
            return Err(Denial::new(Rule::CompromisedKey, detail).into());
        }
        let endorsed = endorsed?;
        self.check_agents(&listed.template, petition, &endorsed)?;
        let endorsements: Vec<_> = endorsed.into_iter().map(|own| own.endorsement).collect();
        let question = self.question(listed, request, petition, now);
        Ok(policy::decide(policy::Question { endorsements: &endorsements, ..question })?)
    }

    /// What the policy module is asked, of a request that nobody has co-signed.
    pub(super) fn question<'a>(
        &'a self,
        listed: &'a Listed,
        request: &'a CertificateRequest,
        petition: &'a Petition<'_>,
        now: Timestamp,
    ) -> policy::Question<'a> {
        policy::Question {
            template: &listed.template,
            arc: &self.template_arc,
            request,
            subject: petition.account,
            enroller: Enroller { account: petition.enroller, standing: petition.standing },
            endorsements: &[],
            renewal_of: petition.renewal.as_ref().map(|renewed| &renewed.certificate),
            issuer: self.under_key_or_present(petition.under).0,
            now,
        }
    }

    pub(super) async fn deny_at_once(
        &self,
        request_id: u64,
        received: Option<Entry>,
        denial: &Denial,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let act = denied(request_id, denial.clone());
        let mut entries: Vec<Entry> = received.into_iter().collect();
        entries.push(Entry { at: now.millis(), actor: None, act });
        Ok(self.register.submit(entries, Urgency::Ordinary).await?)
    }
}

/// Why a decision is no profile.
pub(super) enum Decided {
    /// The policy module said no: on record.
    Denied(Denial),
    /// It could not be decided: not on record.
    Refused(Refusal),
}

impl From<Denial> for Decided {
    fn from(denial: Denial) -> Self {
        Self::Denied(denial)
    }
}

impl From<Refusal> for Decided {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StoreError> for Decided {
    fn from(error: StoreError) -> Self {
        Self::Refused(error.into())
    }
}

/// Whether the first or a repeated use of an `Idempotency-Key`.
pub(super) enum Begun<Guard> {
    First(Guard),
    Again(Enrolled),
}
