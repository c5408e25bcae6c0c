//! The thread that makes answers: at once where the ledger says that a certificate stands
//! otherwise, and all of them in good time before they end.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::asking::{Question, changes};
use super::making::{Parts, Signing};
use super::point::{Coverage, Served};
use super::round::{CERTIFICATES_DONE, Rest, certificates};
use super::{OcspError, Responder};
use crate::pki::time::Timestamp;
use crate::storage::Urgency;
use crate::storage::act::{Act, AnswersBegun, AnswersRenewed, Entry, ResponderAppointed};
use crate::storage::answers::{AnswerTable, Kept, Progress, Put, Stage};

/// How often the ledger is looked at for what nobody has told.
const TICK: Duration = Duration::from_millis(100);
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How often what is written is synced, so that a power cut costs no more than this.
const SETTLING: Duration = Duration::from_secs(10);
/// A table that is further behind is made anew, rather than following the ledger that long.
const FURTHEST_BEHIND: u64 = 100_000;

/// Makes answers. Any thread may ask whether they reflect an act; [`AnswerMaker::run`] makes them.
pub struct AnswerMaker {
    parts: Parts,
    state: Mutex<State>,
    changed: Condvar,
    /// What the thread that runs has in hand.
    desk: Mutex<Desk>,
}

#[derive(Default)]
struct State {
    demanded: u64,
    /// The last ledger entry that the answers reflect.
    reflected: u64,
    /// The round under way or over, when it began, and whether everybody is answered.
    round: Option<(u64, bool)>,
    failure: Option<String>,
    pause: Option<Duration>,
    certificates: u64,
    stopping: bool,
}

#[derive(Default)]
struct Desk {
    table: Option<Arc<AnswerTable>>,
    signers: Vec<(u32, Bytes)>,
    appointed: Option<(u32, Arc<Responder>)>,
    /// The part of a round after the certificates.
    rest: Option<Rest>,
    settled: Option<Instant>,
}

/// What a look at the clock and the ledger came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ca) enum Work {
    /// There is more to do.
    GoesOn,
    /// Everything is as it should be.
    Done,
}

impl AnswerMaker {
    /// A maker that has not begun.
    pub fn new(parts: Parts) -> Self {
        let (state, changed) = (Mutex::new(State::default()), Condvar::new());
        Self { parts, state, changed, desk: Mutex::default() }
    }

    /// Asks for answers that reflect the ledger up to `sequence`.
    pub fn demand(&self, sequence: u64) {
        let mut state = self.state();
        state.demanded = state.demanded.max(sequence);
        self.changed.notify_all();
    }

    /// Whether the answers that are served reflect the ledger up to `sequence`.
    pub fn reflects(&self, sequence: u64) -> bool {
        self.state().reflected >= sequence
    }

    /// Certificates answered in the round under way or over, and seconds since it began.
    pub fn round(&self, now: Timestamp) -> Option<(u64, u64)> {
        let state = self.state();
        let (begun_at, _) = state.round?;
        Some((state.certificates, now.seconds().saturating_sub(begun_at)))
    }

    /// What is wrong with the answers, hours before a relying party would notice.
    pub fn trouble(&self, now: Timestamp) -> Option<String> {
        let state = self.state();
        if let Some(failure) = &state.failure {
            return Some(format!("OCSP answers are not renewed: {failure}"));
        }
        match state.round {
            None | Some((_, false)) => Some("OCSP answers are still being made".to_owned()),
            Some((begun_at, true)) if now >= self.parts.schedule.overdue(begun_at) => {
                let begun = Timestamp::from_seconds(begun_at);
                Some(format!("the OCSP answers of {begun} were to be renewed by now"))
            }
            Some(_) => None,
        }
    }

    /// Makes answers until [`AnswerMaker::stop`]; to be called on a thread of its own.
    pub fn run(&self, clock: &dyn Fn() -> Timestamp) {
        loop {
            let rest = match self.attempt(clock()) {
                Ok(Work::GoesOn) => Duration::ZERO,
                Ok(Work::Done) => TICK,
                Err(pause) => pause,
            };
            let failed = self.state().failure.is_some();
            let waited = self.changed.wait_timeout_while(self.state(), rest, |state| {
                !(state.stopping || !failed && state.demanded > state.reflected)
            });
            if waited.unwrap_or_else(PoisonError::into_inner).0.stopping {
                break;
            }
        }
        if let Some(table) = &self.desk().table
            && let Err(error) = table.close()
        {
            tracing::warn!(%error, "the OCSP answers were not closed cleanly");
        }
    }

    /// Ends [`AnswerMaker::run`].
    pub fn stop(&self) {
        self.state().stopping = true;
        self.changed.notify_all();
    }

    /// Does what is to be done, once, and notes how it went.
    pub(in crate::ca) fn attempt(&self, now: Timestamp) -> Result<Work, Duration> {
        let mut desk = self.desk();
        let outcome = desk.work(&self.parts, now);
        let mut state = self.state();
        if let Some(table) = &desk.table {
            let progress = table.progress();
            state.reflected = progress.reflected;
            state.certificates = progress.certificates;
            let answered = matches!(progress.stage, Stage::Later(_) | Stage::Over);
            state.round =
                (progress.stage != Stage::Nothing).then_some((progress.begun_at, answered));
        }
        let result = match outcome {
            Ok(work) => {
                state.failure = None;
                state.pause = None;
                Ok(work)
            }
            Err(error) => {
                let pause = state.pause.map_or(FIRST_PAUSE, |last| (last * 2).min(LONGEST_PAUSE));
                tracing::error!(%error, retry_in = ?pause, "no OCSP answers could be made");
                state.failure = Some(error.to_string());
                state.pause = Some(pause);
                // What a failure leaves half done is looked at anew.
                desk.rest = None;
                Err(pause)
            }
        };
        drop(state);
        self.changed.notify_all();
        result
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Desk {
    fn work(&mut self, parts: &Parts, now: Timestamp) -> Result<Work, OcspError> {
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
        if self.settled.is_none_or(|last| last.elapsed() >= SETTLING) {
            let table = self.table.clone().unwrap_or(table);
            table.settle(table.progress())?;
            self.settled = Some(Instant::now());
        }
        Ok(work)
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
        let table = match parts.directory.table()? {
            Some(table) if is_of_this_ledger(parts, &table.progress())? => table,
            Some(_) => {
                tracing::warn!(
                    "the stored OCSP answers do not follow from this ledger and are made anew"
                );
                parts.directory.begin()?
            }
            None => parts.directory.begin()?,
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
        let Some(changes) = changes(parts.register.as_ref(), progress.reflected, now)? else {
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
        let register = parts.register.as_ref();
        let (questions, next) = if cursor == CERTIFICATES_DONE {
            let mut rest = match self.rest.take() {
                Some(rest) => rest,
                None => Rest::of(register, parts.issuer.key_index())?,
            };
            let questions = rest.slice(register, table, progress.round)?;
            self.rest = Some(rest);
            match questions {
                Some(questions) => (questions, CERTIFICATES_DONE),
                None => return self.end(parts, table, progress, now),
            }
        } else {
            let slice = certificates(parts, cursor, now)?;
            (slice.questions, slice.next.unwrap_or(CERTIFICATES_DONE))
        };
        self.put(parts, &questions, progress.round, now)?;
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
        table.settle(table.progress())?;
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
        let (Some(table), Some((signer, responder))) = (self.table.clone(), self.appointed.clone())
        else {
            return Ok(());
        };
        let ends = responder.certificate().not_after();
        let times = parts.schedule.times(now, parts.issuer.not_before(), ends);
        let signing = Signing { responder: &responder, signer, round, times };
        let identity = parts.point.identity();
        let answers: Vec<Kept> = signing.answers(identity, questions, parts.processors)?;
        if table.put(&answers)? == Put::NoRoom {
            let larger = table.anew(0, &answers)?;
            // Made for these answers.
            larger.put(&answers)?;
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
