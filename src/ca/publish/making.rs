//! Makes one CRL, base or delta: number and snapshot, file, check, record, signature, publication,
//! record.

use std::sync::Arc;

use aws_lc_rs::digest::Digest;

use super::counter::{Counter, Drawn};
use super::held::{Held, HeldBase};
use super::lists::PublishedLists;
use super::point::{Current, PublicationPoint, file_sha256, in_memory, to_array};
use super::schedule::Schedule;
use super::state::Kind;
use super::stream::Part;
use super::{PublishError, dropped};
use crate::pki::issuer::Issuer;
use crate::pki::revocation_list::{CrlFrame, CrlHeading, CrlKind, CrlScope};
use crate::pki::signature::SignatureError;
use crate::pki::time::Timestamp;
use crate::signing::CaKey;
use crate::storage::act::{Act, CrlIntended, CrlPublished, Entry, Scope};
use crate::storage::publication::PublicationStore;
use crate::storage::{CrlEntries, Register, Urgency};

/// Of ECDSA signatures every second one has the usual length.
const SIGNATURES_AT_MOST: usize = 16;

/// All that is needed to make the CRLs of one scope.
pub(super) struct Press {
    pub register: Arc<dyn Register>,
    pub key: Arc<dyn CaKey>,
    pub issuer: Arc<Issuer>,
    /// Where the CRLs of all scopes are, for the numbers that were told.
    pub point: Arc<PublicationPoint>,
    /// Those of this scope.
    pub lists: Arc<PublishedLists>,
    /// Of a part: where its certificates say that it is.
    pub distribution_point_urls: Vec<String>,
    /// Complete CRLs.
    pub base: Line,
    /// Delta CRLs, where there are any.
    pub delta: Option<(Line, DeltaUse)>,
    pub counter: Arc<Counter>,
    pub held: Held,
    /// When the last certificate in this scope ends, if no more are issued.
    pub ends: Option<Timestamp>,
}

/// Where lists of one kind stand, and their rhythm.
pub(super) struct Line {
    pub store: Arc<dyn PublicationStore>,
    pub schedule: Schedule,
}

/// Whether complete CRLs say where deltas are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeltaUse {
    /// They do: at these URLs.
    Announced(Vec<String>),
    /// They do no more. Deltas are made until the last one that did has ended: whoever holds it
    /// looks for them.
    RunningOut,
}

/// A CRL that was published.
#[derive(Clone, Debug)]
pub(super) struct Made {
    /// Its number.
    pub number: u64,
    /// The last ledger entry it reflects.
    pub sequence: u64,
    /// The record of its publication, if that could not be written.
    pub unrecorded: Option<Entry>,
}

/// A list about to be made.
struct Draft<'a> {
    scope: CrlScope,
    heading: CrlHeading<'a>,
    entries: &'a CrlEntries,
    oldest_held: Option<u64>,
    previous: Option<Arc<Current>>,
}

impl Press {
    /// Without deltas and with numbers of its own, of a scope without an end.
    pub fn new(
        register: Arc<dyn Register>,
        key: Arc<dyn CaKey>,
        issuer: Arc<Issuer>,
        point: Arc<PublicationPoint>,
        lists: Arc<PublishedLists>,
        base: Line,
    ) -> Self {
        Self {
            register,
            key,
            issuer,
            point,
            lists,
            distribution_point_urls: Vec::new(),
            base,
            delta: None,
            counter: Arc::default(),
            held: Held::default(),
            ends: None,
        }
    }

    /// Makes a complete CRL and publishes it. On failure the last one stays.
    pub fn make_base(&self, now: Timestamp) -> Result<Made, PublishError> {
        let previous = self.lists.current();
        let last_base = previous.as_ref().map(|crl| crl.this_update);
        let schedule = &self.base.schedule;
        // What takes long, leaving out those that have ended, is done before a number is drawn:
        // whoever draws the next one waits for this.
        let scope = self.lists.scope();
        self.register.crl_entries(scope, self.base_times(now)?.ended_before(last_base))?;
        let drawn = self.draw(Kind::Base, now, schedule, |times| {
            Ok(self.register.crl_entries(scope, times.ended_before(last_base))?)
        })?;
        let ended_before = drawn.times.ended_before(last_base);
        let freshest_urls = match &self.delta {
            Some((_, DeltaUse::Announced(urls))) if !self.has_ended(now) => urls.as_slice(),
            _ => &[],
        };
        let draft = Draft {
            scope,
            heading: CrlHeading {
                freshest_urls,
                distribution_point_urls: &self.distribution_point_urls,
                ..heading(&drawn, CrlKind::Complete)
            },
            entries: &drawn.entries,
            oldest_held: Some(self.held.oldest(now).map_or(drawn.number, |base| base.number)),
            previous,
        };
        let made = self.print(&self.base, &draft, now, |continues| {
            let new = || Part::of(&drawn.entries.file, 0..drawn.entries.length);
            if let (Some(previous), false) = (&draft.previous, continues) {
                let before = previous.encoded_entries();
                dropped::check(before, new(), ended_before, &*self.register)?;
            }
            match self.lists.delta() {
                // One that has ended, as where deltas were turned off, is nobody's any more.
                Some(delta) if delta.number < drawn.number && delta.next_update >= now => {
                    let told = delta.encoded_entries();
                    dropped::check_delta_is_in(told, new(), ended_before, &*self.register)
                }
                _ => Ok(()),
            }
        })?;
        self.held.add(HeldBase {
            number: drawn.number,
            sequence: drawn.entries.sequence,
            next_update: drawn.times.next_update,
            left_out_before: ended_before,
            freshest: !freshest_urls.is_empty(),
        });
        Ok(made)
    }

    /// Makes a delta CRL against the oldest complete one that relying parties can be holding, and
    /// publishes it. Nothing while there is none. On failure the last one stays.
    pub fn make_delta(&self, now: Timestamp) -> Result<Option<Made>, PublishError> {
        let Some((line, _)) = &self.delta else { return Ok(None) };
        let Some(base) = self.held.oldest(now) else { return Ok(None) };
        let scope = self.lists.scope();
        let changes = |_: &_| Ok(self.register.crl_changes(scope, base.sequence, now)?);
        let drawn = self.draw(Kind::Delta, now, &line.schedule, changes)?;
        let draft = Draft {
            scope,
            heading: heading(&drawn, CrlKind::Delta { base: base.number }),
            entries: &drawn.entries,
            oldest_held: None,
            previous: self.lists.delta(),
        };
        let made =
            self.print(line, &draft, now, |continues| match (&draft.previous, continues) {
                (Some(previous), false) if previous.next_update >= now => {
                    let new = Part::of(&drawn.entries.file, 0..drawn.entries.length);
                    // Whoever is alive by this clock may not go, wherever the last one was.
                    let latest =
                        self.lists.current().map_or(base.next_update, |crl| crl.this_update);
                    let latest = latest.min(now);
                    let before = previous.encoded_entries();
                    dropped::check_delta(before, new, base.sequence, latest, &*self.register)
                }
                _ => Ok(()),
            })?;
        Ok(Some(made))
    }

    /// Whether complete CRLs say where deltas are.
    pub fn announces_deltas(&self) -> bool {
        matches!(&self.delta, Some((_, DeltaUse::Announced(urls))) if !urls.is_empty())
    }

    /// Whether everything in this scope has ended.
    pub fn has_ended(&self, now: Timestamp) -> bool {
        self.ends.is_some_and(|ends| now > ends)
    }

    /// Whether deltas are to be made at `now`.
    pub fn makes_deltas(&self, now: Timestamp) -> bool {
        match &self.delta {
            None => false,
            Some(_) if self.has_ended(now) => false,
            Some((_, DeltaUse::Announced(_))) => true,
            Some((_, DeltaUse::RunningOut)) => self.held.announce_deltas(now),
        }
    }

    /// File, check, record, signature, publication, record. `check` is told whether the entries
    /// begin with all those of the previous list.
    fn print(
        &self,
        line: &Line,
        draft: &Draft<'_>,
        now: Timestamp,
        check: impl FnOnce(bool) -> Result<(), PublishError>,
    ) -> Result<Made, PublishError> {
        let Draft { heading, entries, previous, .. } = draft;
        let previous = previous.as_deref();
        let algorithm = self.key.algorithm();
        let frame = CrlFrame::new(&self.issuer, algorithm, heading, entries.length);
        let mut pending = line.store.begin()?;
        let usual_length = self.usual_signature_length();
        let before_tbs = frame.outer_header(usual_length).len() as u64;
        let written = self.write_tbs(&frame, entries, usual_length, previous, &mut *pending)?;
        let digest = written.digest;
        check(written.continues)?;

        self.commit(now, Act::CrlIntended(intention(draft, &digest)))?;
        let signature = self.sign(&frame, &digest, usual_length)?;
        let header = frame.outer_header(signature.len());
        pending.write_at(&header, 0)?;
        let trailer = frame.signature_trailer(&signature);
        pending.write_at(&trailer, before_tbs + frame.tbs_length)?;
        let length = before_tbs + frame.tbs_length + trailer.len() as u64;

        let modified = modified(now, previous);
        let file = pending.reader()?;
        pending.seal(length, modified)?;
        let sha256 = if signature.len() == usual_length {
            let mut whole = written.whole;
            whole.update(&trailer);
            to_array(whole.finish().as_ref())
        } else {
            file_sha256(&file, length)?
        };
        let memory = in_memory(&file, length)?;
        pending.publish()?;

        let number = heading.number;
        let entries_at = before_tbs + frame.header.len() as u64;
        let current = Current {
            number,
            kind: heading.kind,
            this_update: heading.this_update,
            next_update: heading.next_update,
            next_publish: heading.next_publish,
            due: line.schedule.due(heading.next_publish),
            modified,
            length,
            sha256,
            entries: entries.count,
            memory,
            file: Arc::new(file),
            distribution_point_urls: heading.distribution_point_urls.to_vec(),
            entries_range: entries_at..entries_at + entries.length,
        };
        // It is published, whether or not that can be recorded: what is intended and stands there
        // is recorded later, at the next start at the latest.
        let published = Act::CrlPublished(CrlPublished { number, size: length, sha256 });
        let unrecorded = match self.commit(now, published.clone()) {
            Ok(()) => None,
            Err(error) => {
                tracing::error!(%error, number, "a published CRL could not be recorded as such");
                Some(Entry { at: now.millis(), actor: None, act: published })
            }
        };
        self.lists.replace(Arc::new(current));
        Ok(Made { number, sequence: entries.sequence, unrecorded })
    }

    /// Signs, and verifies that the signature fits the CA certificate. ECDSA signatures differ in
    /// length, and the file's first octets with them: one of the usual length is preferred, one
    /// for which the place of the to-be-signed part holds is a must.
    fn sign(
        &self,
        frame: &CrlFrame,
        digest: &Digest,
        usual_length: usize,
    ) -> Result<Vec<u8>, PublishError> {
        let room = frame.outer_header(usual_length).len();
        let mut fitting = None;
        for _ in 0..SIGNATURES_AT_MOST {
            let signature = self.key.sign_digest(digest)?;
            let algorithm = self.key.algorithm();
            algorithm.verify_digest(self.issuer.public_key(), digest, &signature)?;
            if signature.len() == usual_length {
                return Ok(signature);
            }
            if frame.outer_header(signature.len()).len() == room {
                fitting = Some(signature);
            }
        }
        fitting.ok_or_else(|| SignatureError::WrongSignature.into())
    }

    /// The usual length of a signature by this key.
    fn usual_signature_length(&self) -> usize {
        use crate::pki::public_key::KeyAlgorithm;
        match self.issuer.public_key().algorithm() {
            // RSA: as long as the modulus.
            KeyAlgorithm::Rsa => self.issuer.public_key().bits().div_ceil(8) as usize,
            KeyAlgorithm::P256 => 71,
            KeyAlgorithm::P384 => 103,
        }
    }

    pub fn commit(&self, now: Timestamp, act: Act) -> Result<(), PublishError> {
        let entry = Entry { at: now.millis(), actor: None, act };
        Ok(self.register.commit(vec![entry], Urgency::Reserved)?)
    }
}

fn heading(drawn: &Drawn, kind: CrlKind) -> CrlHeading<'static> {
    CrlHeading {
        number: drawn.number,
        this_update: drawn.times.this_update,
        next_update: drawn.times.next_update,
        next_publish: drawn.times.next_publish,
        kind,
        freshest_urls: &[],
        distribution_point_urls: &[],
    }
}

fn intention(draft: &Draft<'_>, digest: &Digest) -> CrlIntended {
    let heading = &draft.heading;
    CrlIntended {
        number: heading.number,
        this_update: heading.this_update.seconds(),
        next_update: heading.next_update.seconds(),
        next_publish: heading.next_publish.seconds(),
        tbs_digest: digest.as_ref().to_vec(),
        entries: draft.entries.count,
        sequence: Some(draft.entries.sequence),
        base: match heading.kind {
            CrlKind::Complete => None,
            CrlKind::Delta { base } => Some(base),
        },
        oldest_held: draft.oldest_held,
        scope: Scope::of(draft.scope),
        freshest: (heading.kind == CrlKind::Complete).then_some(!heading.freshest_urls.is_empty()),
    }
}

/// Last-Modified: a second of its own for each CRL, or a client that asks If-Modified-Since would
/// not learn of the second of two within one second.
fn modified(now: Timestamp, previous: Option<&Current>) -> Timestamp {
    let now = now.whole_seconds();
    previous.map_or(now, |crl| now.max(crl.modified.plus_seconds(1)))
}
