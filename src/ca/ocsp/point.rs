//! What the doors see of the answers: a snapshot, swapped whole; reading it takes no lock and
//! touches neither register nor key.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwapOption;
use bytes::Bytes;

use super::Responder;
use super::fresh::{Busy, FreshAnswer, FreshSigners};
use crate::pki::issuer::Issuer;
use crate::pki::ocsp::{
    CertificateId, IssuerHash, IssuerIdentity, OcspRequest, ResponseStatus, SignedAnswer, Standing,
    single_response, successful,
};
use crate::pki::time::Timestamp;
use crate::storage::answers::{AnswerTable, Kept, Progress, Stage};

/// Whether nonces are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nonces {
    /// By an answer signed for the occasion.
    Answered,
    /// By the stored answer without one (RFC 9919 §3.2.1); clients look at its times then.
    PassedOver,
}

/// The answers as they stand.
#[derive(Debug)]
pub struct AnswerPoint {
    identity: IssuerIdentity,
    nonces: Nonces,
    served: ArcSwapOption<Served>,
    fresh: FreshSigners,
    counts: Counts,
    /// The same for what was issued under other keys of the CA.
    others: Vec<Arc<AnswerPoint>>,
}

/// What is answered from.
#[derive(Clone, Debug)]
pub(super) struct Served {
    pub table: Arc<AnswerTable>,
    /// Certificates of those who signed what is in the table, by number.
    pub signers: Vec<(u32, Bytes)>,
    pub responder: Arc<Responder>,
    pub coverage: Coverage,
}

/// Of whom the table may lack an answer though he was issued here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coverage {
    /// Only of who ended then or earlier (seconds): by the clock of that time he had ended.
    AllThatEndAfter(u64),
    /// Of anybody: the first round is under way.
    SomeYet,
}

impl Coverage {
    pub fn of(progress: &Progress) -> Self {
        match progress.stage {
            Stage::Nothing | Stage::First(_) => Self::SomeYet,
            Stage::Later(_) | Stage::Over => Self::AllThatEndAfter(progress.left_out),
        }
    }

    /// Whether there may be no answer about somebody who is alive.
    pub fn lacks_some(self, now: Timestamp) -> bool {
        match self {
            Self::AllThatEndAfter(moment) => now.seconds() <= moment,
            Self::SomeYet => true,
        }
    }
}

/// How often which answer was given.
#[derive(Debug, Default)]
pub struct Counts {
    stored: AtomicU64,
    fresh: AtomicU64,
    statuses: [AtomicU64; 4],
}

/// An answer that was found.
#[derive(Debug)]
pub enum Found {
    /// One without a certificate's standing.
    Status(ResponseStatus),
    /// One made beforehand.
    Stored(StoredAnswer),
    /// One that must be signed for the occasion: see [`AnswerPoint::sign`].
    Fresh(FreshAnswer),
}

/// An answer made beforehand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAnswer {
    /// The OCSPResponse.
    pub octets: Vec<u8>,
    /// Half the SHA-256 of it.
    pub tag: [u8; 16],
    /// When it was signed.
    pub produced_at: Timestamp,
    /// When newer information will be there at the latest.
    pub next_update: Timestamp,
}

impl AnswerPoint {
    /// For this CA, with nothing to answer yet and so many threads for fresh answers.
    pub fn new(issuer: &Issuer, nonces: Nonces, threads: NonZeroUsize) -> std::io::Result<Self> {
        Ok(Self {
            identity: IssuerIdentity::of(issuer),
            nonces,
            served: ArcSwapOption::empty(),
            fresh: FreshSigners::start(threads)?,
            counts: Counts::default(),
            others: Vec::new(),
        })
    }

    /// The same, which hands on what is asked about other keys of the CA.
    pub fn beside(self, others: Vec<Arc<Self>>) -> Self {
        Self { others, ..self }
    }

    /// How often which answer was given.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// How the issuer is named.
    pub(super) fn identity(&self) -> &IssuerIdentity {
        &self.identity
    }

    pub(super) fn replace(&self, served: Served) {
        self.served.store(Some(Arc::new(served)));
    }

    /// The answer to a request in DER. Which key it is about is told by the first certificate in it;
    /// of those under another key in the same request nothing is known.
    pub fn find(&self, request: &[u8], now: Timestamp) -> Found {
        let meant = self.others.iter().find(|other| other.is_meant(request));
        if let Some(other) = meant {
            return other.find(request, now);
        }
        let found = self.look(request, now).unwrap_or_else(Found::Status);
        match &found {
            Found::Stored(_) => self.counts.stored.fetch_add(1, Ordering::Relaxed),
            Found::Status(status) => {
                self.counts.statuses[*status as usize].fetch_add(1, Ordering::Relaxed)
            }
            // Counted once somebody takes it to be signed.
            Found::Fresh(_) => 0,
        };
        found
    }

    /// Hands an answer that must be signed to a thread, which hands the OCSPResponse to `done`.
    pub fn sign(
        &self,
        answer: FreshAnswer,
        done: impl FnOnce(Vec<u8>) + Send + 'static,
    ) -> Result<(), Busy> {
        let submitted = self.fresh.submit(answer, done);
        let count = match submitted {
            Ok(()) => &self.counts.fresh,
            Err(_) => &self.counts.statuses[ResponseStatus::TryLater as usize],
        };
        count.fetch_add(1, Ordering::Relaxed);
        submitted
    }

    /// Whether the first certificate in a request was issued under this key, as it says.
    fn is_meant(&self, request: &[u8]) -> bool {
        let first = OcspRequest::from_der(request).ok();
        let first = first.and_then(|asked| asked.certificates.into_iter().next());
        first.is_some_and(|asked| self.identity.is_meant_by(&asked).is_some())
    }

    fn look(&self, request: &[u8], now: Timestamp) -> Result<Found, ResponseStatus> {
        let asked = OcspRequest::from_der(request).map_err(|_| ResponseStatus::MalformedRequest)?;
        let served = self.served.load();
        let served = served.as_deref().ok_or(ResponseStatus::TryLater)?;
        let nonce = asked.nonce.filter(|_| self.nonces == Nonces::Answered);
        if let ([certificate], None) = (asked.certificates.as_slice(), nonce) {
            let (kept, hash) = self.kept(served, certificate, now)?;
            return served.stored(&kept, hash).map(Found::Stored);
        }
        let singles = self.singles(served, &asked.certificates, now)?;
        Ok(Found::Fresh(FreshAnswer {
            singles,
            nonce: nonce.map(<[u8]>::to_vec),
            produced_at: now,
            responder: Arc::clone(&served.responder),
        }))
    }

    /// What is kept about this certificate and may still be told.
    fn kept(
        &self,
        served: &Served,
        asked: &CertificateId<'_>,
        now: Timestamp,
    ) -> Result<(Kept, IssuerHash), ResponseStatus> {
        // Not ours to say (RFC 6960 §2.3): unsigned, so that it costs nothing to ask.
        let unknown = ResponseStatus::Unauthorized;
        let hash = self.identity.is_meant_by(asked).ok_or(unknown)?;
        let serial = asked.serial.ok_or(unknown)?;
        // What is read may be older than what was written: the CRL says what is so.
        if served.table.is_doubtful() {
            return Err(ResponseStatus::TryLater);
        }
        let found = served.table.find(&serial).map_err(|error| {
            tracing::error!(%error, "an OCSP answer cannot be read");
            ResponseStatus::InternalError
        })?;
        let Some(kept) = found else {
            return Err(match served.coverage.lacks_some(now) {
                false => unknown,
                true => ResponseStatus::TryLater,
            });
        };
        if now.seconds() < kept.next_update {
            Ok((kept, hash))
        } else if kept.not_after < now.seconds() {
            Err(unknown)
        } else {
            // Never past its nextUpdate.
            Err(ResponseStatus::TryLater)
        }
    }

    /// A SingleResponse for each certificate, as the stored answers have them. Where at least one
    /// is ours, the others are `unknown` (RFC 6960 §2.2).
    fn singles(
        &self,
        served: &Served,
        asked: &[CertificateId<'_>],
        now: Timestamp,
    ) -> Result<Vec<Vec<u8>>, ResponseStatus> {
        let mut earliest_end = None;
        let mut found = Vec::with_capacity(asked.len());
        for certificate in asked {
            found.push(match self.kept(served, certificate, now) {
                Ok((kept, hash)) => {
                    let octets = &kept.answers[hash as usize].octets;
                    let single = SignedAnswer::singles(octets)
                        .ok()
                        .and_then(|singles| singles.first().map(|single| single.to_vec()));
                    let end = Timestamp::from_seconds(kept.next_update);
                    earliest_end = Some(earliest_end.map_or(end, |own: Timestamp| own.min(end)));
                    Some(single.ok_or(ResponseStatus::InternalError)?)
                }
                Err(ResponseStatus::Unauthorized) => None,
                Err(status) => return Err(status),
            });
        }
        let until = earliest_end.ok_or(ResponseStatus::Unauthorized)?;
        let unknown = |certificate: &CertificateId<'_>| {
            single_response(certificate.as_der(), &Standing::Unknown, now, until)
        };
        let each = found.into_iter().zip(asked);
        Ok(each
            .map(|(single, certificate)| single.unwrap_or_else(|| unknown(certificate)))
            .collect())
    }
}

impl Served {
    fn stored(&self, kept: &Kept, hash: IssuerHash) -> Result<StoredAnswer, ResponseStatus> {
        let signer = self.signers.iter().find(|(number, _)| *number == kept.signer);
        // Of one who was forgotten: whom a clock that was ahead left out, and who is made anew.
        let (_, certificate) = signer.ok_or(ResponseStatus::TryLater)?;
        let answer = &kept.answers[hash as usize];
        Ok(StoredAnswer {
            octets: successful(&answer.octets, certificate),
            tag: answer.tag,
            produced_at: Timestamp::from_seconds(kept.produced_at),
            next_update: Timestamp::from_seconds(kept.next_update),
        })
    }
}

impl Counts {
    /// Answers that were made beforehand.
    pub fn stored(&self) -> u64 {
        self.stored.load(Ordering::Relaxed)
    }

    /// Answers that were signed for the occasion.
    pub fn fresh(&self) -> u64 {
        self.fresh.load(Ordering::Relaxed)
    }

    /// Answers without a certificate's standing.
    pub fn status(&self, status: ResponseStatus) -> u64 {
        self.statuses[status as usize].load(Ordering::Relaxed)
    }
}
