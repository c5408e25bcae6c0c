//! Makes one CRL: snapshot, number, file, check, record, signature, publication, record.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{Scope, ScopedJoinHandle};

use aws_lc_rs::digest::{Context, Digest, SHA256};

use super::point::{Current, PublicationPoint, file_sha256, in_memory, to_array};
use super::schedule::{Schedule, Times};
use super::stream::Part;
use super::{PublishError, dropped};
use crate::pki::issuer::Issuer;
use crate::pki::revocation_list::CrlFrame;
use crate::pki::signature::SignatureError;
use crate::pki::time::Timestamp;
use crate::signing::CaKey;
use crate::storage::act::{Act, CrlIntended, CrlPublished, Entry};
use crate::storage::publication::{PendingFile, PublicationStore};
use crate::storage::{CrlEntries, Page, Register, Urgency};

/// Entries are copied and hashed in pieces of this size: it stays in the processor's cache.
const PIECE: usize = 256 * 1024;
/// Of ECDSA signatures every second one has the usual length.
const SIGNATURES_AT_MOST: usize = 16;
/// Pieces that wait to be hashed; so much memory is used however long the list is.
const PIECES_WAITING: usize = 4;

/// All that is needed to make CRLs.
pub(super) struct Press {
    pub register: Arc<dyn Register>,
    pub key: Arc<dyn CaKey>,
    pub issuer: Arc<Issuer>,
    pub store: Arc<dyn PublicationStore>,
    pub point: Arc<PublicationPoint>,
    pub schedule: Schedule,
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

impl Press {
    /// Makes a CRL and publishes it. On failure the last one stays.
    pub fn make(&self, now: Timestamp) -> Result<Made, PublishError> {
        let previous = self.point.current();
        let last = self.register.crls(Page { after: None, limit: 1 })?.rows.into_iter().next();
        let floor = [
            previous.as_ref().map(|crl| crl.this_update),
            last.as_ref().map(|row| row.this_update),
        ];
        let floor = floor.into_iter().flatten().max();
        let times = self.schedule.times(now, floor, self.issuer.not_before());
        let last_number = last.map_or(0, |row| row.number);
        let last_number = previous.as_ref().map_or(last_number, |crl| crl.number.max(last_number));
        let number = self.number(last_number, now)?;
        let entries = self.register.crl_entries(times.ended_before)?;
        let frame = CrlFrame::new(
            &self.issuer,
            self.key.algorithm(),
            number,
            times.this_update,
            times.next_update,
            times.next_publish,
            entries.length,
        );

        let mut pending = self.store.begin()?;
        let usual_length = self.usual_signature_length();
        let before_tbs = frame.outer_header(usual_length).len() as u64;
        let written =
            self.write_tbs(&frame, &entries, usual_length, previous.as_deref(), &mut *pending)?;
        let digest = written.digest;
        if let (Some(previous), false) = (&previous, written.continues) {
            let new = Part::of(&entries.file, 0..entries.length);
            dropped::check(previous.encoded_entries(), new, times.ended_before, &*self.register)?;
        }

        let intended = intention(number, &times, &digest, &entries);
        self.commit(now, Act::CrlIntended(intended))?;
        let signature = self.sign(&frame, &digest, usual_length)?;
        let header = frame.outer_header(signature.len());
        pending.write_at(&header, 0)?;
        let trailer = frame.signature_trailer(&signature);
        pending.write_at(&trailer, before_tbs + frame.tbs_length)?;
        let length = before_tbs + frame.tbs_length + trailer.len() as u64;

        let modified = modified(now, previous.as_deref());
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

        let entries_at = before_tbs + frame.header.len() as u64;
        let current = Current {
            number,
            this_update: times.this_update,
            next_update: times.next_update,
            next_publish: times.next_publish,
            due: self.schedule.due(times.next_publish),
            modified,
            length,
            sha256,
            entries: entries.count,
            memory,
            file: Arc::new(file),
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
        self.point.replace(Arc::new(current));
        Ok(Made { number, sequence: entries.sequence, unrecorded })
    }

    /// Above the last, above what the register knows was given out before adoption, and not below
    /// the time in milliseconds, so that numbers rise even where the last is not known.
    fn number(&self, last: u64, now: Timestamp) -> Result<u64, PublishError> {
        let adopted = self.register.authority()?.map_or(0, |authority| authority.next_crl_number);
        let next = last.checked_add(1).ok_or(PublishError::NumbersExhausted)?;
        Ok(next.max(now.millis()).max(adopted))
    }

    /// Streams header, entries and trailer into the file and through both hashes, each on a
    /// thread of its own, and sees on the way whether the entries begin with all the previous ones.
    fn write_tbs(
        &self,
        frame: &CrlFrame,
        entries: &CrlEntries,
        usual_length: usize,
        previous: Option<&Current>,
        pending: &mut dyn PendingFile,
    ) -> Result<Written, PublishError> {
        let outer = frame.outer_header(usual_length);
        let mut whole = Context::new(&SHA256);
        whole.update(&outer);
        let tbs = Context::new(self.key.algorithm().digest());
        std::thread::scope(|scope| {
            let tbs = Hasher::start(scope, tbs);
            let whole = Hasher::start(scope, whole);
            let mut position = outer.len() as u64;
            let mut write = |piece: Vec<u8>| -> Result<(), PublishError> {
                let piece = Arc::new(piece);
                tbs.feed(&piece)?;
                whole.feed(&piece)?;
                pending.write_at(&piece, position)?;
                position += piece.len() as u64;
                Ok(())
            };
            write(frame.header.clone())?;
            let continues = copy_entries(entries, previous, &mut write)?;
            write(frame.trailer.clone())?;
            let digest = tbs.finish()?.finish();
            Ok(Written { digest, whole: whole.finish()?, continues })
        })
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

fn intention(number: u64, times: &Times, digest: &Digest, entries: &CrlEntries) -> CrlIntended {
    CrlIntended {
        number,
        this_update: times.this_update.seconds(),
        next_update: times.next_update.seconds(),
        next_publish: times.next_publish.seconds(),
        tbs_digest: digest.as_ref().to_vec(),
        entries: entries.count,
    }
}

/// Last-Modified: a second of its own for each CRL, or a client that asks If-Modified-Since would
/// not learn of the second of two within one second.
fn modified(now: Timestamp, previous: Option<&Current>) -> Timestamp {
    let now = now.whole_seconds();
    previous.map_or(now, |crl| now.max(crl.modified.plus_seconds(1)))
}

/// The to-be-signed part, once it stands in the file.
struct Written {
    /// Its digest.
    digest: Digest,
    /// SHA-256 of the file up to its end, for a signature of the usual length.
    whole: Context,
    /// Whether the entries begin with all those of the previous list.
    continues: bool,
}

/// Hands the entries on in pieces; says whether they begin with all those of the previous list.
fn copy_entries(
    entries: &CrlEntries,
    previous: Option<&Current>,
    write: &mut dyn FnMut(Vec<u8>) -> Result<(), PublishError>,
) -> Result<bool, PublishError> {
    let mut source = Part::of(&entries.file, 0..entries.length);
    let mut before = previous.map(Current::encoded_entries);
    let range = |crl: &Current| crl.entries_range.end - crl.entries_range.start;
    let mut continues = previous.is_none_or(|crl| range(crl) <= entries.length);
    let mut old = vec![0; PIECE];
    loop {
        let mut piece = vec![0; PIECE];
        let octets = source.fill(&mut piece)?;
        if octets == 0 {
            return Ok(continues);
        }
        piece.truncate(octets);
        if continues && let Some(before) = &mut before {
            let octets = before.fill(&mut old)?;
            continues = old.get(..octets) == piece.get(..octets);
        }
        write(piece)?;
    }
}

/// A hash on a thread of its own.
struct Hasher<'scope> {
    pieces: SyncSender<Arc<Vec<u8>>>,
    thread: ScopedJoinHandle<'scope, Context>,
}

impl<'scope> Hasher<'scope> {
    fn start(scope: &'scope Scope<'scope, '_>, mut context: Context) -> Self {
        let (pieces, coming) = sync_channel::<Arc<Vec<u8>>>(PIECES_WAITING);
        let thread = scope.spawn(move || {
            coming.iter().for_each(|piece| context.update(&piece));
            context
        });
        Self { pieces, thread }
    }

    fn feed(&self, piece: &Arc<Vec<u8>>) -> Result<(), PublishError> {
        self.pieces.send(Arc::clone(piece)).map_err(|_| ended_early())
    }

    fn finish(self) -> Result<Context, PublishError> {
        drop(self.pieces);
        self.thread.join().map_err(|_| ended_early())
    }
}

fn ended_early() -> PublishError {
    std::io::Error::other("a hashing thread ended early").into()
}
