//! Signs answers, many at a time, on as many threads as there are processors.

use std::num::NonZeroUsize;
use std::slice::Chunks;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};

use super::asking::Question;
use super::schedule::Times;
use super::{AnswerPoint, AnswerSchedule, OcspError, Responder, Responders};
use crate::pki::issuer::Issuer;
use crate::pki::ocsp::{
    IssuerHash, IssuerIdentity, SignedAnswer, response_data, single_response, successful,
};
use crate::storage::Register;
use crate::storage::answers::{Answer, AnswerDirectory, Kept};

/// Certificates whose answers go to the table together.
const AT_ONCE: usize = 8;

/// What an [`super::AnswerMaker`] is made of.
pub struct Parts {
    /// The register.
    pub register: Arc<dyn Register>,
    /// The CA.
    pub issuer: Arc<Issuer>,
    /// Where the answers are kept.
    pub directory: AnswerDirectory,
    /// Where they are seen.
    pub point: Arc<AnswerPoint>,
    /// Who signs them.
    pub responders: Arc<dyn Responders>,
    /// When.
    pub schedule: AnswerSchedule,
    /// How many threads sign at once.
    pub processors: NonZeroUsize,
}

/// Who signs, under which number his certificate is kept, and in which round.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signing<'a> {
    pub responder: &'a Responder,
    pub signer: u32,
    pub round: u64,
    pub times: Times,
}

impl Signing<'_> {
    /// Makes the answers to these questions, for each hash that a CertID may have, and hands them to
    /// `put` some at a time, in whatever order they are ready: what takes them works while others
    /// are signed.
    pub fn answers(
        &self,
        identity: &IssuerIdentity,
        questions: &[Question],
        processors: NonZeroUsize,
        mut put: impl FnMut(&[Kept]) -> Result<(), OcspError>,
    ) -> Result<(), OcspError> {
        let answer = |part: &[Question]| -> Result<Vec<Kept>, OcspError> {
            part.iter().map(|question| self.answer(identity, question)).collect()
        };
        if questions.len() <= 1 {
            return put(&answer(questions)?);
        }
        // Not each thread its half: one that is held up leaves the rest to the others.
        let parts = Mutex::new(questions.chunks(AT_ONCE));
        let (made, ready) = sync_channel(2 * processors.get());
        let sign = |made: SyncSender<_>| {
            while let Some(part) = next_of(&parts) {
                // Where nobody takes them any more, nothing more is signed.
                if made.send(answer(part)).is_err() {
                    break;
                }
            }
        };
        std::thread::scope(|scope| {
            let sign = &sign;
            let threads: Vec<_> = (0..processors.get())
                .map(|_| {
                    let made = made.clone();
                    scope.spawn(move || sign(made))
                })
                .collect();
            drop(made);
            let done = ready.into_iter().try_for_each(|part| put(&part?));
            // All of them, or the scope would panic for one that did.
            let ended = threads.into_iter().map(|thread| thread.join());
            let lost = ended.filter(Result::is_err).count();
            if lost > 0 { Err(OcspError::ThreadLost) } else { done }
        })
    }

    fn answer(&self, identity: &IssuerIdentity, asked: &Question) -> Result<Kept, OcspError> {
        let [sha1, sha256] = IssuerHash::ALL;
        Ok(Kept {
            serial: asked.serial,
            signer: self.signer,
            round: self.round,
            not_after: asked.not_after,
            produced_at: self.times.produced_at.seconds(),
            this_update: self.times.this_update.seconds(),
            next_update: self.times.next_update.seconds(),
            answers: [self.one(identity, sha1, asked)?, self.one(identity, sha256, asked)?],
        })
    }

    fn one(
        &self,
        identity: &IssuerIdentity,
        hash: IssuerHash,
        asked: &Question,
    ) -> Result<Answer, OcspError> {
        let id = identity.certificate_id(hash, &asked.serial);
        let Times { produced_at, this_update, next_update } = self.times;
        let single = single_response(&id, &asked.standing, this_update, next_update);
        let data = response_data(&self.responder.key_hash(), produced_at, &[&single], None);
        let key = self.responder.key();
        let signed = SignedAnswer::new(&data, key.algorithm(), &key.sign(&data)?);
        let octets = signed.as_bytes().to_vec();
        let whole = successful(&octets, self.responder.certificate().der());
        let mut tag = [0; 16];
        tag.copy_from_slice(&digest(&SHA256, &whole).as_ref()[..16]);
        Ok(Answer { tag, octets })
    }
}

fn next_of<'a>(parts: &Mutex<Chunks<'a, Question>>) -> Option<&'a [Question]> {
    parts.lock().unwrap_or_else(PoisonError::into_inner).next()
}
