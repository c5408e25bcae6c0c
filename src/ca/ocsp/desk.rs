//! What the maker's thread does at each look at clock and ledger: sees to it that somebody signs,
//! answers anew about those whose standing changed, and goes on with the round, slice by slice.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::asking::{Question, changes};
use super::making::{Parts, Signing};
use super::point::{Coverage, Served};
use super::round::{CERTIFICATES_DONE, Rest, SliceSize, certificates};
use super::{OcspError, Responder};
use crate::pki::time::Timestamp;
use crate::storage::act::{Act, AnswersBegun, AnswersRenewed, Entry, ResponderAppointed};
use crate::storage::answers::{AnswerTable, Kept, Progress, Put, Stage};
use crate::storage::{Page, RequestFilter, StoreError, Urgency};

/// How often what is written is synced, so that a power cut costs no more than this.
const SETTLING: Duration = Duration::from_secs(10);
/// The same while a round is made: much is written, and its end shall not wait for all of it.
const SETTLING_IN_A_ROUND: Duration = Duration::from_secs(3);
/// A table that is further behind is made anew, rather than following the ledger that long.
const FURTHEST_BEHIND: u64 = 100_000;

/// What the maker's thread has in hand.
#[derive(Default)]
pub(super) struct Desk {
    pub table: Option<Arc<AnswerTable>>,
    signers: Vec<(u32, Bytes)>,
    appointed: Option<(u32, Arc<Responder>)>,
    /// The part of a round after the certificates.
    pub rest: Option<Rest>,
    size: SliceSize,
    /// When what was written was synced last, and how far that was.
    settled: Option<(Instant, Progress)>,
    settling: Option<JoinHandle<Result<(), StoreError>>>,
}

/// What a look at the clock and the ledger came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ca) enum Work {
    /// There is more to do.
    GoesOn,
    /// Everything is as it should be.
    Done,
}

impl Desk {
    pub fn work(&mut self, parts: &Parts, now: Timestamp) -> Result<Work, OcspError> {
        self.appoint(parts, now)?;
        let table = self.take_up(parts)?;
        let Some((signer, _)) = &self.appointed else { return Ok(Work::Done) };
        let signer = *signer;
        if self.follow(parts, &table, now)? == Work::GoesOn {
            return Ok(Work::GoesOn);
        }
        let table = self.table.clone().unwrap_or(table);
        self.serve(parts, &table);
        let progress = table.progress();
        let work = match progress.stage {
            Stage::First(cursor) | Stage::Later(cursor) => {
                self.slice(parts, &table, progress, cursor, now)?;
                Work::GoesOn
            }
            Stage::Over
                if progress.signer == signer && !parts.schedule.is_due(progress.begun_at, now) =>
            {
                Work::Done
            }
            Stage::Nothing | Stage::Over => {
                self.begin(parts, &table, progress, now)?;
                Work::GoesOn
            }
        };
        self.settle_beside(&self.table.clone().unwrap_or(table))?;
        Ok(work)
    }

    /// From time to time, on a thread of its own: a sync of much that was written takes long, and
    /// signing goes on meanwhile.
    fn settle_beside(&mut self, table: &Arc<AnswerTable>) -> Result<(), OcspError> {
        let progress = table.progress();
        let pause = match progress.stage {
            Stage::First(_) | Stage::Later(_) => SETTLING_IN_A_ROUND,
            Stage::Nothing | Stage::Over => SETTLING,
        };
        let rests =
            |(last, so_far): (Instant, Progress)| last.elapsed() < pause || so_far == progress;
        let under_way = |settling: &JoinHandle<_>| !settling.is_finished();
        if self.settled.is_some_and(rests) || self.settling.as_ref().is_some_and(under_way) {
            return Ok(());
        }
        self.settled_beside()?;
        let table = Arc::clone(table);
        let thread = std::thread::Builder::new().name("ocsp-settling".to_owned());
        self.settling = Some(thread.spawn(move || table.settle_so_far())?);
        self.settled = Some((Instant::now(), progress));
        Ok(())
    }

    /// Waits for a sync that is under way.
    fn settled_beside(&mut self) -> Result<(), OcspError> {
        match self.settling.take().map(JoinHandle::join) {
            Some(Ok(settled)) => Ok(settled?),
            Some(Err(_)) => Err(OcspError::ThreadLost),
            None => Ok(()),
        }
    }

    /// Says durably that this run has ended.
    pub fn close(&mut self) -> Result<(), OcspError> {
        self.settled_beside()?;
        match &self.table {
            Some(table) => Ok(table.close()?),
            None => Ok(()),
        }
    }

    /// Sees to it that somebody signs, on record before he does.
    fn appoint(&mut self, parts: &Parts, now: Timestamp) -> Result<(), OcspError> {
        let responder = parts.responders.responder(now)?;
        let certificate = responder.certificate();
        if let Some((_, appointed)) = &self.appointed
            && appointed.certificate().serial() == certificate.serial()
        {
            return Ok(());
        }
        if self.signers.is_empty() {
            let known = parts.directory.signers()?;
            self.signers = known.into_iter().map(|(number, der)| (number, der.into())).collect();
        }
        let known = self.signers.iter().find(|(_, der)| *der == certificate.der());
        let number = match known {
            Some((number, _)) => *number,
            None => {
                let act = Act::ResponderAppointed(ResponderAppointed {
                    serial: certificate.serial().as_der_content().to_vec(),
                    key_sha256: certificate.public_key_thumbprint(),
                    not_after: certificate.not_after().seconds(),
                });
                commit(parts, act, now)?;
                let number = parts.directory.add_signer(certificate.der())?;
                tracing::info!(serial = %certificate.serial(), "this certificate signs OCSP answers");
                self.signers.push((number, Bytes::copy_from_slice(certificate.der())));
                number
            }
        };
        self.appointed = Some((number, responder));
        Ok(())
    }

    /// The table of the last run if it is of this ledger, else an empty one.
    fn take_up(&mut self, parts: &Parts) -> Result<Arc<AnswerTable>, OcspError> {
        if let Some(table) = &self.table {
            return Ok(Arc::clone(table));
        }
        let begin = || -> Result<AnswerTable, OcspError> {
            let newest = Page { after: None, limit: 1 };
            let newest = parts.register.requests(&RequestFilter::default(), newest)?.rows;
            // Not every request became a certificate, and not every certificate is still alive.
            let requests = newest.first().map_or(0, |row| row.request_id);
            Ok(parts.directory.begin(requests)?)
        };
        let table = match parts.directory.table()? {
            Some(table) if is_of_this_ledger(parts, &table.progress())? => table,
            Some(_) => {
                tracing::warn!(
                    "the stored OCSP answers do not follow from this ledger and are made anew"
                );
                begin()?
            }
            None => begin()?,
        };
        let table = Arc::new(table);
        self.table = Some(Arc::clone(&table));
        Ok(table)
    }

    /// Answers anew about those whose standing changed.
    fn follow(
        &mut self,
        parts: &Parts,
        table: &Arc<AnswerTable>,
        now: Timestamp,
    ) -> Result<Work, OcspError> {
        let progress = table.progress();
        if progress.stage == Stage::Nothing {
            // The first round will ask about everybody.
            return Ok(Work::Done);
        }
        let (register, key) = (parts.register.as_ref(), parts.issuer.key_index());
        let Some(changes) = changes(register, key, progress.reflected, now)? else {
            return Ok(Work::Done);
        };
        self.put(parts, &changes.questions, progress.round, now)?;
        let table = self.table.clone().unwrap_or_else(|| Arc::clone(table));
        let (reflected, hash) = (changes.sequence, changes.hash);
        table.note(Progress { reflected, hash, ..table.progress() });
        match parts.register.head().sequence > reflected {
            true => Ok(Work::GoesOn),
            false => Ok(Work::Done),
        }
    }

    /// Puts a round on record.
    fn begin(
        &mut self,
        parts: &Parts,
        table: &AnswerTable,
        before: Progress,
        now: Timestamp,
    ) -> Result<(), OcspError> {
        let Some((signer, responder)) = self.appointed.clone() else { return Ok(()) };
        let head = parts.register.head();
        let (reflected, hash) = match before.stage {
            Stage::Nothing => (head.sequence, head.hash),
            _ => (before.reflected, before.hash),
        };
        let round = before.round + 1;
        let ends = responder.certificate().not_after();
        let times = parts.schedule.times(now, parts.issuer.not_before(), ends);
        let act = Act::AnswersBegun(AnswersBegun {
            round,
            responder: responder.certificate().serial().as_der_content().to_vec(),
            this_update: times.this_update.seconds(),
            next_update: times.next_update.seconds(),
            sequence: reflected,
        });
        commit(parts, act, now)?;
        let stage = match before.stage {
            Stage::Nothing | Stage::First(_) => Stage::First(0),
            Stage::Later(_) | Stage::Over => Stage::Later(0),
        };
        let begun_at = now.seconds();
        let certificates = 0;
        table.settle(Progress { reflected, hash, round, begun_at, stage, signer, certificates })?;
        self.rest = None;
        Ok(())
    }

    /// The next part of the round.
    fn slice(
        &mut self,
        parts: &Parts,
        table: &Arc<AnswerTable>,
        progress: Progress,
        cursor: u64,
        now: Timestamp,
    ) -> Result<(), OcspError> {
        let begun = Instant::now();
        let register = parts.register.as_ref();
        let (questions, next) = if cursor == CERTIFICATES_DONE {
            let mut rest = match self.rest.take() {
                Some(rest) => rest,
                None => Rest::of(register, parts.issuer.key_index())?,
            };
            let questions = rest.slice(register, table, progress.round, self.size)?;
            self.rest = Some(rest);
            match questions {
                Some(questions) => (questions, CERTIFICATES_DONE),
                None => return self.end(parts, table, progress, now),
            }
        } else {
            let slice = certificates(parts, cursor, self.size, now)?;
            (slice.questions, slice.next.unwrap_or(CERTIFICATES_DONE))
        };
        self.put(parts, &questions, progress.round, now)?;
        self.size = self.size.after(begun.elapsed());
        let table = self.table.clone().unwrap_or_else(|| Arc::clone(table));
        let stage = match progress.stage {
            Stage::First(_) => Stage::First(next),
            _ => Stage::Later(next),
        };
        let certificates = progress.certificates + questions.len() as u64;
        table.note(Progress { stage, certificates, ..table.progress() });
        Ok(())
    }

    fn end(
        &mut self,
        parts: &Parts,
        table: &Arc<AnswerTable>,
        progress: Progress,
        now: Timestamp,
    ) -> Result<(), OcspError> {
        let Progress { round, certificates, signer, .. } = progress;
        commit(parts, Act::AnswersRenewed(AnswersRenewed { round, certificates }), now)?;
        tracing::info!(round, certificates, "OCSP answers renewed");
        table.note(Progress { stage: Stage::Over, ..progress });
        // Certificates that have ended leave their answers behind: once they crowd, they go.
        let (taken, _) = table.room();
        if table.older_than(round)? > taken / 4 {
            self.table = Some(Arc::new(table.anew(round, &[])?));
        }
        let table = self.table.clone().unwrap_or_else(|| Arc::clone(table));
        self.settled_beside()?;
        table.settle_so_far()?;
        // What the one before signed may still be read by who began to read it.
        let kept = signer.saturating_sub(1);
        parts.directory.forget_signers_before(kept)?;
        self.signers.retain(|(number, _)| *number >= kept);
        self.rest = None;
        self.serve(parts, &table);
        Ok(())
    }

    /// Signs and writes, into a larger table where need be.
    fn put(
        &mut self,
        parts: &Parts,
        questions: &[Question],
        round: u64,
        now: Timestamp,
    ) -> Result<(), OcspError> {
        let Some((signer, responder)) = self.appointed.clone() else { return Ok(()) };
        let ends = responder.certificate().not_after();
        let times = parts.schedule.times(now, parts.issuer.not_before(), ends);
        let signing = Signing { responder: &responder, signer, round, times };
        let identity = parts.point.identity();
        signing.answers(identity, questions, parts.processors, |answers| self.write(answers))
    }

    fn write(&mut self, answers: &[Kept]) -> Result<(), OcspError> {
        let Some(table) = &self.table else { return Ok(()) };
        if table.put(answers)? == Put::NoRoom {
            let larger = table.anew(0, answers)?;
            // Made for these answers.
            larger.put(answers)?;
            self.table = Some(Arc::new(larger));
        }
        Ok(())
    }

    /// Shows the doors what there is. Not before everything that changed is in it.
    fn serve(&self, parts: &Parts, table: &Arc<AnswerTable>) {
        let Some((_, responder)) = &self.appointed else { return };
        let coverage = match table.progress().stage {
            Stage::Nothing | Stage::First(_) => Coverage::SomeYet,
            Stage::Later(_) | Stage::Over => Coverage::Everybody,
        };
        parts.point.replace(Served {
            table: Arc::clone(table),
            signers: self.signers.clone(),
            responder: Arc::clone(responder),
            coverage,
        });
    }
}

/// A restored ledger is another one, and so is one that has come too far without us.
fn is_of_this_ledger(parts: &Parts, progress: &Progress) -> Result<bool, OcspError> {
    let head = parts.register.head();
    if progress.stage == Stage::Nothing {
        return Ok(true);
    }
    if progress.reflected > head.sequence || head.sequence - progress.reflected > FURTHEST_BEHIND {
        return Ok(false);
    }
    let row = parts.register.entries(progress.reflected, 1)?.into_iter().next();
    Ok(row.is_some_and(|row| row.sequence == progress.reflected && row.hash == progress.hash))
}

fn commit(parts: &Parts, act: Act, now: Timestamp) -> Result<(), OcspError> {
    let entry = Entry { at: now.millis(), actor: None, act };
    Ok(parts.register.commit(vec![entry], Urgency::Reserved)?)
}

impl Drop for Desk {
    /// Whoever opens the table next is alone with it.
    fn drop(&mut self) {
        if let Err(error) = self.settled_beside() {
            tracing::warn!(%error, "the OCSP answers were not synced");
        }
    }
}
