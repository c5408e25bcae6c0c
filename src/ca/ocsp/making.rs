//! Signs answers, many at a time, on as many threads as there are processors.

use std::num::NonZeroUsize;
use std::sync::Arc;

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
    /// The answers to these questions, for each hash that a CertID may have.
    pub fn answers(
        &self,
        identity: &IssuerIdentity,
        questions: &[Question],
        processors: NonZeroUsize,
    ) -> Result<Vec<Kept>, OcspError> {
        let each = questions.len().div_ceil(processors.get()).max(1);
        let answer = |part: &[Question]| -> Result<Vec<Kept>, OcspError> {
            part.iter().map(|question| self.answer(identity, question)).collect()
        };
        if questions.len() <= 1 {
            return answer(questions);
        }
        std::thread::scope(|scope| {
            let answer = &answer;
            let parts: Vec<_> =
                questions.chunks(each).map(|part| scope.spawn(move || answer(part))).collect();
            let mut all = Vec::with_capacity(questions.len());
            for part in parts {
                all.extend(part.join().map_err(|_| OcspError::ThreadLost)??);
            }
            Ok(all)
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
