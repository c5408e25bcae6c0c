//! OCSP answers: what they say, when they are made, and that nothing else is ever signed.

mod clocks;
mod rounds;
mod syncing;
mod told;

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use super::world::{World, acts, administrator, ask, csr, issued, noon, vpn_user};
use crate::ca::ocsp::{
    AnswerMaker, AnswerPoint, AnswerSchedule, Found, NoResponder, Nonces, Parts, Responder,
    Responders, StoredAnswer, Work,
};
use crate::ca::{Authority, act};
use crate::pki::account::{Account, AccountKind};
use crate::pki::certificate::Certificate;
use crate::pki::ocsp::{IssuerHash, IssuerIdentity, ResponseStatus, Standing, single_response};
use crate::pki::revocation::RevocationReason::{CertificateHold, KeyCompromise};
use crate::pki::revocation::{Revocation, RevocationReason};
use crate::pki::serial::SerialNumber;
use crate::pki::signature::SignatureAlgorithm;
use crate::pki::time::Timestamp;
use crate::signing::{CaKey, FileKey, KeyKind, SigningError};
use crate::storage::act::{Act, Entry};
use crate::storage::answers::AnswerDirectory;
use crate::storage::{LedgerRegister, Register, Urgency};

const USER: &str = "VPNUserAuthentication";
const PERIOD: u64 = 3600;

/// A responder's key that counts, and signs no answer before a round is on record (law 1).
struct CountingKey {
    key: FileKey,
    register: Arc<dyn Register>,
    signed: Arc<AtomicU64>,
    allowed: AtomicBool,
}

impl CaKey for CountingKey {
    fn spki_der(&self) -> &[u8] {
        self.key.spki_der()
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.key.algorithm()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        if message != b"Chancery OCSP responder" {
            self.signed.fetch_add(1, Ordering::SeqCst);
        }
        if message != b"Chancery OCSP responder" && !self.allowed.load(Ordering::SeqCst) {
            let acts = acts(self.register.as_ref());
            let begun = acts.iter().any(|act| matches!(act, Act::AnswersBegun(_)));
            let appointed = acts.iter().any(|act| matches!(act, Act::ResponderAppointed(_)));
            assert!(begun && appointed, "asked to sign before a round is on record");
            self.allowed.store(true, Ordering::SeqCst);
        }
        self.key.sign(message)
    }

    fn sign_digest(&self, _: &aws_lc_rs::digest::Digest) -> Result<Vec<u8>, SigningError> {
        unimplemented!()
    }
}

/// Issues responders as the composition root does, and keeps them in memory.
struct TestResponders {
    authority: Arc<Authority>,
    register: Arc<dyn Register>,
    signed: Arc<AtomicU64>,
    current: Mutex<Option<Arc<Responder>>>,
}

impl Responders for TestResponders {
    fn responder(&self, now: Timestamp) -> Result<Arc<Responder>, NoResponder> {
        let mut current = self.current.lock().unwrap();
        if let Some(current) = current.as_ref()
            && now < current.renewal_due()
        {
            return Ok(Arc::clone(current));
        }
        let host = Some("ocsp.contoso.com".to_owned());
        let account =
            Account { dns_host_name: host, ..Account::named("chancery", AccountKind::Service) };
        let key = FileKey::generate(KeyKind::P256).unwrap();
        let request = {
            let pkcs8 = key.to_pkcs8_der().unwrap();
            let pair = rcgen::KeyPair::try_from(pkcs8.as_slice()).unwrap();
            let parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
            parameters.serialize_request(&pair).unwrap().der().to_vec()
        };
        let row = self.authority.issue_internally("OCSPResponseSigning", &request, &account, now);
        let row = row.map_err(|error| NoResponder(error.to_string()))?;
        let certificate = Certificate::from_der(&row.certificate).unwrap();
        let (register, signed) = (Arc::clone(&self.register), Arc::clone(&self.signed));
        let key = CountingKey { key, register, signed, allowed: false.into() };
        let made = Responder::new(certificate, Arc::new(key), self.authority.issuer()).unwrap();
        *current = Some(Arc::new(made));
        Ok(Arc::clone(current.as_ref().unwrap()))
    }
}

/// A CA with a responder.
struct Stand {
    world: World,
    register: Arc<LedgerRegister>,
    authority: Arc<Authority>,
    responders: Arc<TestResponders>,
    signed: Arc<AtomicU64>,
    identity: IssuerIdentity,
    maker: AnswerMaker,
    point: Arc<AnswerPoint>,
}

impl Stand {
    fn new() -> Self {
        let world = World::new();
        let register = world.open();
        let authority = Arc::new(world.authority(register.clone()));
        let signed = Arc::new(AtomicU64::new(0));
        let responders = Arc::new(TestResponders {
            authority: Arc::clone(&authority),
            register: register.clone(),
            signed: Arc::clone(&signed),
            current: Mutex::default(),
        });
        let identity = IssuerIdentity::of(authority.issuer());
        let (maker, point) = maker(&world, &register, &authority, &responders, Nonces::Answered);
        Self { world, register, authority, responders, signed, identity, maker, point }
    }

    /// Another start of the program over the same files.
    fn again(&mut self) {
        let nonces = Nonces::Answered;
        (self.maker, self.point) =
            maker(&self.world, &self.register, &self.authority, &self.responders, nonces);
    }

    /// Until there is nothing more to do.
    fn settle(&self, now: Timestamp) {
        while self.maker.attempt(now).unwrap() == Work::GoesOn {}
    }

    fn signed(&self) -> u64 {
        self.signed.load(Ordering::SeqCst)
    }

    fn id(&self, hash: IssuerHash, serial: &SerialNumber) -> Vec<u8> {
        self.identity.certificate_id(hash, serial)
    }

    fn request(&self, hash: IssuerHash, serial: &SerialNumber) -> Vec<u8> {
        request(&[self.id(hash, serial)], None)
    }

    fn found(&self, serial: &SerialNumber, now: Timestamp) -> Found {
        self.point.find(&self.request(IssuerHash::Sha1, serial), now)
    }

    fn stored(&self, hash: IssuerHash, serial: &SerialNumber, now: Timestamp) -> StoredAnswer {
        match self.point.find(&self.request(hash, serial), now) {
            Found::Stored(stored) => stored,
            other => panic!("{other:?}"),
        }
    }

    /// That both answers about this certificate say this, signed at `made`.
    fn assert_standing(
        &self,
        serial: &SerialNumber,
        standing: &Standing,
        made: Timestamp,
        now: Timestamp,
    ) {
        let (this_update, next_update) = times(made);
        for hash in IssuerHash::ALL {
            let stored = self.stored(hash, serial, now);
            let single =
                single_response(&self.id(hash, serial), standing, this_update, next_update);
            assert!(holds(&stored.octets, &single), "{serial}: not {standing:?}");
            assert_eq!(stored.next_update, next_update);
            let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &stored.octets);
            assert_eq!(stored.tag, digest.as_ref()[..16]);
        }
    }

    fn assert_status(&self, serial: &SerialNumber, status: ResponseStatus, now: Timestamp) {
        match self.found(serial, now) {
            Found::Status(found) => assert_eq!(found, status),
            other => panic!("{other:?}"),
        }
    }
}

fn maker(
    world: &World,
    register: &Arc<LedgerRegister>,
    authority: &Arc<Authority>,
    responders: &Arc<TestResponders>,
    nonces: Nonces,
) -> (AnswerMaker, Arc<AnswerPoint>) {
    let directory = AnswerDirectory::open(&world.data.path().join("ocsp")).unwrap();
    maker_over(directory, register, authority, responders, nonces)
}

fn maker_over(
    directory: AnswerDirectory,
    register: &Arc<LedgerRegister>,
    authority: &Arc<Authority>,
    responders: &Arc<TestResponders>,
    nonces: Nonces,
) -> (AnswerMaker, Arc<AnswerPoint>) {
    let one = NonZeroUsize::MIN;
    let point = Arc::new(AnswerPoint::new(authority.issuer(), nonces, one).unwrap());
    let responders = Arc::clone(responders);
    let maker = AnswerMaker::new(Parts {
        register: register.clone(),
        issuer: Arc::new(authority.issuer().clone()),
        directory,
        point: Arc::clone(&point),
        responders,
        schedule: AnswerSchedule::every(PERIOD),
        processors: one.saturating_add(1),
    });
    (maker, point)
}

/// thisUpdate and nextUpdate of what is signed then.
fn times(made: Timestamp) -> (Timestamp, Timestamp) {
    (made.minus_seconds(600), made.plus_seconds(2 * PERIOD))
}

pub(in crate::ca::tests) fn request(ids: &[Vec<u8>], nonce: Option<&[u8]>) -> Vec<u8> {
    use crate::pki::encoding::{OCTET_STRING, constructed, element, identifier, sequence};
    let list: Vec<Vec<u8>> = ids.iter().map(|id| sequence(&[id])).collect();
    let list: Vec<&[u8]> = list.iter().map(Vec::as_slice).collect();
    let extensions = nonce.map(|nonce| {
        let value = element(OCTET_STRING, &[&element(OCTET_STRING, &[nonce])]);
        let oid = identifier(&crate::pki::oid::OCSP_NONCE);
        element(constructed(2), &[&sequence(&[&sequence(&[&oid, &value])])])
    });
    sequence(&[&sequence(&[&sequence(&list), &extensions.unwrap_or_default()])])
}

fn holds(octets: &[u8], part: &[u8]) -> bool {
    octets.windows(part.len()).any(|own| own == part)
}

fn revoked(at: Timestamp, reason: RevocationReason) -> Standing {
    Standing::Revoked(Revocation { revoked_at: at, reason, invalidity_date: None })
}

fn serial(number: u64) -> SerialNumber {
    let mut octets = [0x11; 20];
    octets[12..].copy_from_slice(&number.to_be_bytes());
    SerialNumber::from_random(octets)
}

/// Puts on record that a certificate of [`put_on_record`] is revoked.
fn revoke(stand: &Stand, number: u64, now: Timestamp) {
    let act = Act::CertificateRevoked(act::CertificateRevoked {
        serial: serial(number).as_der_content().to_vec(),
        revoked_at: now.millis(),
        reason: KeyCompromise.code(),
        invalidity_date: None,
        not_after: None,
        key_sha256: None,
        scope: None,
    });
    let entry = Entry { at: now.millis(), actor: None, act };
    stand.register.commit(vec![entry], Urgency::Reserved).unwrap();
}

/// Certificates on record that nobody signed: so many, of which the ends are given.
fn put_on_record(register: &dyn Register, count: u64, not_after: impl Fn(u64) -> u64) {
    let mut entries = Vec::new();
    for number in 0..count {
        let request_id = register.next_request_id();
        let serial = serial(number).as_der_content().to_vec();
        let mut sha256 = [0; 32];
        sha256[..8].copy_from_slice(&number.to_be_bytes());
        for act in [
            Act::RequestReceived(act::RequestReceived {
                request_id,
                account: "alice".to_owned(),
                template: USER.to_owned(),
                csr: vec![],
                idempotency: None,
                renewal: None,
                signers: vec![],
                described: None,
            }),
            Act::SerialReserved(act::SerialReserved {
                request_id,
                serial,
                tbs: vec![0x30, 0],
                scope: None,
            }),
            Act::CertificateIssued(act::CertificateIssued {
                request_id,
                signature: vec![],
                sha1: [0; 20],
                sha256,
                template: USER.to_owned(),
                account: "alice".to_owned(),
                not_after: not_after(number),
                names: vec![],
            }),
        ] {
            entries.push(Entry { at: noon().millis(), actor: None, act });
        }
    }
    register.commit(entries, Urgency::Ordinary).unwrap();
}
