//! What the maker's thread does at each look at clock and ledger: sees to it that somebody signs,
//! answers anew about those whose standing changed, and goes on with the round, slice by slice.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use super::asking::{Question, changes};
use super::making::{Parts, Signing};
use super::point::{Coverage, Served};
use super::round::{Ahead, CERTIFICATES_DONE, Rest, SliceSize, certificates};
use super::schedule::was_ahead;
use super::settling::Settling;
use super::{OcspError, Responder};
use crate::pki::time::Timestamp;
use crate::storage::Urgency;
use crate::storage::act::{Act, AnswersBegun, AnswersRenewed, Entry};
use crate::storage::answers::{AnswerTable, Kept, Progress, Put, Stage};

/// What the maker's thread has in hand; `taking_up` says where signer and table come from.
#[derive(Default)]
pub(super) struct Desk {
    pub table: Option<Arc<AnswerTable>>,
    /// Certificates of signers, and who signs now, by their numbers.
    pub signers: Vec<(u32, Bytes)>,
    pub appointed: Option<(u32, Arc<Responder>)>,
    /// The part of a round after the certificates.
    pub rest: Option<Rest>,
    /// What comes next in it, read beforehand.
    ahead: Option<Ahead>,
    size: SliceSize,
    pub settling: Settling,
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
        self.settling.outcome()?;
        // All that was issued under the key has ended, and nobody could certify a responder.
        if now > parts.issuer.not_after() {
            return Ok(Work::Done);
        }
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
        // By a clock that was ahead some were left out, or answered about as of the future.
        let put_back = progress.left_out >= now.seconds() || was_ahead(progress.latest, now);
        let work = match progress.stage {
            Stage::First(cursor) | Stage::Later(cursor) if !put_back => {
                self.slice(parts, &table, progress, cursor, now)?;
                Work::GoesOn
            }
            Stage::Over
                if !put_back
                    && progress.signer == signer
                    && !parts.schedule.is_due(progress.begun_at, now) =>
            {
                Work::Done
            }
            _ => {
                self.begin(parts, &table, progress, now)?;
                Work::GoesOn
            }
        };
        self.settling.begin(&self.table.clone().unwrap_or(table))?;
        Ok(work)
    }

    /// Says durably that this run has ended.
    pub fn close(&mut self) -> Result<(), OcspError> {
        self.settling.wait()?;
        match &self.table {
            Some(table) => Ok(table.close()?),
            None => Ok(()),
        }
    }

    /// Answers anew about those whose standing changed: whatever stands in the table is what the
    /// ledger says, also of those who have ended by this clock, for it may be put back.
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
        let Some(changes) = changes(register, key, progress.reflected)? else {
            return Ok(Work::Done);
        };
        let mut left_out = progress.left_out;
        let mut asked = Vec::with_capacity(changes.questions.len());
        for question in changes.questions {
            if question.is_alive(now) || table.find(&question.serial)?.is_some() {
                asked.push(question);
            } else {
                left_out = left_out.max(question.not_after);
            }
        }
        self.put(parts, &asked, progress.round, now)?;
        let table = self.table.clone().unwrap_or_else(|| Arc::clone(table));
        let (reflected, hash) = (changes.sequence, changes.hash);
        table.note(Progress { reflected, hash, left_out, ..table.progress() });
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
        // As at the first time where somebody is missing who is alive by this clock: then nobody
        // can say of whom the table lacks that he was not issued here.
        let stage = match before.stage {
            Stage::Later(_) | Stage::Over if !Coverage::of(&before).lacks_some(now) => {
                Stage::Later(0)
            }
            _ => Stage::First(0),
        };
        let left_out = if stage == Stage::First(0) { 0 } else { before.left_out };
        let (begun_at, latest, certificates) = (now.seconds(), now.seconds(), 0);
        table.settle(Progress {
            reflected,
            hash,
            round,
            begun_at,
            stage,
            signer,
            certificates,
            left_out,
            latest,
        })?;
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
        let (questions, next, left_out) = if cursor == CERTIFICATES_DONE {
            let mut rest = match self.rest.take() {
                Some(rest) => rest,
                None => Rest::of(register, parts.issuer.key_index(), now)?,
            };
            let questions = rest.slice(register, table, progress.round, self.size)?;
            self.rest = Some(rest);
            match questions {
                Some(questions) => (questions, CERTIFICATES_DONE, 0),
                None => return self.end(parts, table, progress, now),
            }
        } else {
            let ahead = self.ahead.take().and_then(|ahead| ahead.slice(parts, cursor));
            let slice = match ahead {
                Some(slice) => slice,
                None => certificates(parts, cursor, self.size, now)?,
            };
            (slice.questions, slice.next.unwrap_or(CERTIFICATES_DONE), slice.left_out)
        };
        let size = self.size;
        std::thread::scope(|scope| {
            let reading = (next != CERTIFICATES_DONE)
                .then(|| scope.spawn(move || Ahead::read(parts, next, size, now)));
            self.put(parts, &questions, progress.round, now)?;
            // What could not be read is read again when its turn comes, and told then.
            self.ahead = reading.and_then(|thread| thread.join().ok()?.ok());
            Ok::<_, OcspError>(())
        })?;
        self.size = self.size.after(begun.elapsed());
        let table = self.table.clone().unwrap_or_else(|| Arc::clone(table));
        let stage = match progress.stage {
            Stage::First(_) => Stage::First(next),
            _ => Stage::Later(next),
        };
        let certificates = progress.certificates + questions.len() as u64;
        let left_out = progress.left_out.max(left_out);
        table.note(Progress { stage, certificates, left_out, ..table.progress() });
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
        table.note(Progress { stage: Stage::Over, ..table.progress() });
        // Certificates that have ended leave their answers behind: once they crowd, they go.
        let (taken, _) = table.room();
        if table.older_than(round)? > taken / 4 {
            self.table = Some(Arc::new(table.anew(round, &[])?));
        }
        let table = self.table.clone().unwrap_or_else(|| Arc::clone(table));
        self.settling.wait()?;
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
        if let Some(table) = &self.table {
            let progress = table.progress();
            let latest = progress.latest.max(times.produced_at.seconds());
            table.note(Progress { latest, ..progress });
        }
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
        parts.point.replace(Served {
            table: Arc::clone(table),
            signers: self.signers.clone(),
            responder: Arc::clone(responder),
            coverage: Coverage::of(&table.progress()),
        });
    }
}

pub(super) fn commit(parts: &Parts, act: Act, now: Timestamp) -> Result<(), OcspError> {
    let entry = Entry { at: now.millis(), actor: None, act };
    Ok(parts.register.commit(vec![entry], Urgency::Reserved)?)
}

impl Drop for Desk {
    /// Whoever opens the table next is alone with it.
    fn drop(&mut self) {
        if let Err(error) = self.settling.wait() {
            tracing::warn!(%error, "the OCSP answers were not synced");
        }
    }
}
