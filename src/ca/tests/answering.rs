//! OCSP answers: what they say, when they are made, and that nothing else is ever signed.

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
    let one = NonZeroUsize::MIN;
    let point = Arc::new(AnswerPoint::new(authority.issuer(), nonces, one).unwrap());
    let responders = Arc::clone(responders);
    let maker = AnswerMaker::new(Parts {
        register: register.clone(),
        issuer: Arc::new(authority.issuer().clone()),
        directory: AnswerDirectory::open(&world.data.path().join("ocsp")).unwrap(),
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

fn request(ids: &[Vec<u8>], nonce: Option<&[u8]>) -> Vec<u8> {
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

#[test]
fn every_standing_is_told_as_soon_as_it_is_on_record() {
    let stand = Stand::new();
    let alice = vpn_user(&stand.authority, "alice");
    let first = issued(stand.authority.enroll(&alice, ask(USER, &csr(&[])), noon())).serial;
    // Nobody can say yet who is not known.
    stand.assert_status(&first, ResponseStatus::TryLater, noon());
    assert!(stand.maker.trouble(noon()).is_some());
    stand.settle(noon());
    assert_eq!(stand.maker.trouble(noon()), None);
    stand.assert_standing(&first, &Standing::Good, noon(), noon());

    // Issued, held, released, revoked: each by the next look at the ledger.
    let mut now = noon().plus_seconds(10);
    let second = issued(stand.authority.enroll(&alice, ask(USER, &csr(&[])), now)).serial;
    stand.settle(now);
    stand.assert_standing(&second, &Standing::Good, now, now);
    stand.assert_standing(&first, &Standing::Good, noon(), now);
    let root = administrator();
    for reason in [CertificateHold, KeyCompromise] {
        now = now.plus_seconds(10);
        let done = stand.authority.revoke(&root, &first, reason, None, now).unwrap();
        assert!(!stand.maker.reflects(done.sequence));
        stand.settle(now);
        assert!(stand.maker.reflects(done.sequence));
        stand.assert_standing(&first, &revoked(now, reason), now, now);
    }
    let held = stand.authority.revoke(&root, &second, CertificateHold, None, now).unwrap();
    stand.settle(now);
    assert!(stand.maker.reflects(held.sequence));
    stand.assert_standing(&second, &revoked(now, CertificateHold), now, now);
    now = now.plus_seconds(10);
    stand.authority.release(&root, &second, now).unwrap();
    stand.settle(now);
    stand.assert_standing(&second, &Standing::Good, now, now);

    // A round makes everybody's anew, and says the same.
    let later = now.plus_seconds(PERIOD);
    stand.settle(later);
    let told = revoked(noon().plus_seconds(30), KeyCompromise);
    stand.assert_standing(&first, &told, later, later);
    stand.assert_standing(&second, &Standing::Good, later, later);
    let acts = acts(stand.register.as_ref());
    let ended: Vec<_> = acts
        .iter()
        .filter_map(|act| match act {
            Act::AnswersRenewed(renewed) => Some((renewed.round, renewed.certificates)),
            _ => None,
        })
        .collect();
    // Two users' and the responder's own.
    assert_eq!(ended, [(1, 2), (2, 3)]);
}

#[test]
fn serving_never_signs_and_what_is_not_ours_costs_nothing() {
    let stand = Stand::new();
    put_on_record(stand.register.as_ref(), 20, |_| noon().seconds() + 86_400);
    stand.settle(noon());
    let signed = stand.signed();
    assert_eq!(signed, 2 * 21);
    let other = World::new();
    let foreign = IssuerIdentity::of(other.authority(other.open()).issuer());
    for number in 0..20 {
        for hash in IssuerHash::ALL {
            stand.stored(hash, &serial(number), noon());
            let never = stand.request(hash, &serial(1000 + number));
            let theirs = request(&[foreign.certificate_id(hash, &serial(number))], Some(b"x"));
            for asked in [never, theirs, request(&[vec![0x30, 0]], None), vec![]] {
                let Found::Status(status) = stand.point.find(&asked, noon()) else { panic!() };
                let expected = match asked.len() {
                    0..20 => ResponseStatus::MalformedRequest,
                    _ => ResponseStatus::Unauthorized,
                };
                assert_eq!(status, expected);
            }
        }
    }
    assert_eq!(stand.signed(), signed, "serving has signed");
    let counts = stand.point.counts();
    assert_eq!((counts.stored(), counts.fresh()), (40, 0));
    assert_eq!(counts.status(ResponseStatus::Unauthorized), 80);
    assert_eq!(counts.status(ResponseStatus::MalformedRequest), 80);
}

#[test]
fn a_nonce_and_several_certificates_cost_one_signature_and_say_what_is_stored() {
    let stand = Stand::new();
    put_on_record(stand.register.as_ref(), 3, |_| noon().seconds() + 86_400);
    stand.settle(noon());
    let before = stand.signed();
    let now = noon().plus_seconds(60);
    let unknown = stand.id(IssuerHash::Sha1, &serial(99));
    let ids = [
        stand.id(IssuerHash::Sha1, &serial(0)),
        stand.id(IssuerHash::Sha256, &serial(1)),
        unknown.clone(),
    ];
    let (this_update, next_update) = times(noon());
    for (ids, nonce) in [
        (&ids[..1], Some(&b"0123456789abcdef0123456789abcdef"[..])),
        (&ids[..2], None),
        (&ids[..], Some(&b"n"[..])),
    ] {
        let Found::Fresh(fresh) = stand.point.find(&request(ids, nonce), now) else { panic!() };
        let (done, signed) = mpsc::channel();
        stand.point.sign(fresh, move |octets| done.send(octets).unwrap()).unwrap();
        let octets = signed.recv().unwrap();
        for id in ids {
            let single = if *id == unknown {
                single_response(id, &Standing::Unknown, now, next_update)
            } else {
                single_response(id, &Standing::Good, this_update, next_update)
            };
            assert!(holds(&octets, &single));
        }
        assert!(nonce.is_none_or(|nonce| holds(&octets, nonce)));
    }
    assert_eq!(stand.signed(), before + 3);
    // None of ours among them: nothing is signed.
    let asked = request(&[unknown.clone(), unknown], None);
    let Found::Status(status) = stand.point.find(&asked, now) else { panic!() };
    assert_eq!(status, ResponseStatus::Unauthorized);
    assert_eq!(stand.signed(), before + 3);

    // Nonces may be passed over: the stored answer, without one.
    let (maker, point) = maker(
        &stand.world,
        &stand.register,
        &stand.authority,
        &stand.responders,
        Nonces::PassedOver,
    );
    while maker.attempt(now).unwrap() == Work::GoesOn {}
    let found = point.find(&request(&ids[..1], Some(b"0123456789abcdef")), now);
    assert!(matches!(found, Found::Stored(_)), "{found:?}");
}

#[test]
fn full_means_come_again() {
    let stand = Stand::new();
    put_on_record(stand.register.as_ref(), 1, |_| noon().seconds() + 86_400);
    stand.settle(noon());
    let asked = request(&[stand.id(IssuerHash::Sha1, &serial(0))], Some(b"nonce"));
    let fresh = || match stand.point.find(&asked, noon()) {
        Found::Fresh(fresh) => fresh,
        other => panic!("{other:?}"),
    };
    // The one thread waits in the first answer's hands.
    let (release, released) = mpsc::channel::<()>();
    let (begun, has_begun) = mpsc::channel();
    let wait = move |_| {
        begun.send(()).unwrap();
        let _ = released.recv();
    };
    stand.point.sign(fresh(), wait).unwrap();
    has_begun.recv().unwrap();
    let mut taken = 0;
    while stand.point.sign(fresh(), |_| {}).is_ok() {
        taken += 1;
        assert!(taken < 10_000, "the queue has no bound");
    }
    let counts = stand.point.counts();
    assert_eq!(counts.status(ResponseStatus::TryLater), 1);
    assert_eq!(counts.fresh(), taken + 1);
    drop(release);
    while stand.point.sign(fresh(), |_| {}).is_err() {
        std::thread::yield_now();
    }
}

#[test]
fn a_new_start_signs_nothing_anew_and_serves_nothing_old() {
    let mut stand = Stand::new();
    put_on_record(stand.register.as_ref(), 10, |_| noon().seconds() + 86_400);
    stand.settle(noon());
    let before = stand.stored(IssuerHash::Sha256, &serial(3), noon());
    let signed = stand.signed();
    stand.again();
    stand.assert_status(&serial(3), ResponseStatus::TryLater, noon());
    stand.settle(noon());
    assert_eq!(stand.stored(IssuerHash::Sha256, &serial(3), noon()), before);
    assert_eq!(stand.signed(), signed);

    // Revoked while nobody made answers: never good again, from the first answer on.
    let now = noon().plus_seconds(30);
    let act = Act::CertificateRevoked(act::CertificateRevoked {
        serial: serial(3).as_der_content().to_vec(),
        revoked_at: now.millis(),
        reason: 1,
        invalidity_date: None,
        not_after: None,
        key_sha256: None,
        scope: None,
    });
    let entry = Entry { at: now.millis(), actor: None, act };
    stand.register.commit(vec![entry], Urgency::Reserved).unwrap();
    stand.again();
    loop {
        let work = stand.maker.attempt(now).unwrap();
        if let Found::Stored(stored) = stand.found(&serial(3), now) {
            let id = stand.id(IssuerHash::Sha1, &serial(3));
            let (this_update, next_update) = times(now);
            let single =
                single_response(&id, &revoked(now, KeyCompromise), this_update, next_update);
            assert!(holds(&stored.octets, &single));
        }
        if work == Work::Done {
            break;
        }
    }
    assert_eq!(stand.signed(), signed + 2);
}

#[test]
fn a_round_goes_on_where_it_was_cut_off() {
    let mut stand = Stand::new();
    let count = 500;
    put_on_record(stand.register.as_ref(), count, |_| noon().seconds() + 86_400);
    let mut attempts = 0;
    loop {
        attempts += 1;
        // The progress is synced now and then, not with every slice: here it is.
        if stand.maker.attempt(noon()).unwrap() == Work::Done {
            break;
        }
        if stand.signed() >= 256 && stand.signed() < 600 {
            stand.maker.stop();
            stand.maker.run(&noon); // closes
            let signed = stand.signed();
            stand.again();
            while stand.signed() == signed {
                stand.maker.attempt(noon()).unwrap();
                stand.assert_status(&serial(9999), ResponseStatus::TryLater, noon());
            }
        }
        assert!(attempts < 1000);
    }
    // Each once: those of the last slice before a stop stand in the file as well.
    assert_eq!(stand.signed(), 2 * (count + 1));
    for number in 0..count {
        stand.stored(IssuerHash::Sha1, &serial(number), noon());
    }
    stand.assert_status(&serial(9999), ResponseStatus::Unauthorized, noon());
}

#[test]
fn answers_end_with_their_time_and_certificates_with_theirs() {
    let stand = Stand::new();
    let day = 86_400;
    put_on_record(stand.register.as_ref(), 40, |number| {
        noon().seconds() + if number < 20 { PERIOD / 2 } else { day }
    });
    stand.settle(noon());
    stand.assert_standing(&serial(0), &Standing::Good, noon(), noon());
    // Nobody renews them: never past their nextUpdate, and never `good` instead.
    let end = noon().plus_seconds(2 * PERIOD);
    stand.assert_standing(&serial(0), &Standing::Good, noon(), end.minus_seconds(1));
    stand.assert_status(&serial(0), ResponseStatus::Unauthorized, end);
    stand.assert_status(&serial(30), ResponseStatus::TryLater, end);
    assert!(stand.maker.trouble(noon().plus_seconds(PERIOD + 60)).is_none());
    assert!(stand.maker.trouble(noon().plus_seconds(PERIOD / 2 * 3)).is_some());

    // The next round leaves out who has ended, and then forgets them.
    let later = noon().plus_seconds(PERIOD);
    stand.settle(later);
    assert_eq!(stand.maker.round(later).unwrap(), (21, 0));
    stand.assert_status(&serial(0), ResponseStatus::Unauthorized, later);
    stand.assert_standing(&serial(30), &Standing::Good, later, later);

    // A clock that went back for good: answers of today, not of the future.
    let earlier = noon().plus_seconds(60);
    stand.settle(earlier);
    stand.assert_standing(&serial(30), &Standing::Good, earlier, earlier);
}

#[test]
fn a_serial_number_known_by_its_revocation_alone_is_revoked() {
    // An adopted CA's certificates.
    let stand = Stand::new();
    let act = |number: u64| {
        Act::CertificateRevoked(act::CertificateRevoked {
            serial: serial(number).as_der_content().to_vec(),
            revoked_at: noon().millis(),
            reason: 1,
            invalidity_date: None,
            not_after: None,
            key_sha256: None,
            scope: None,
        })
    };
    let entry = |number| Entry { at: noon().millis(), actor: None, act: act(number) };
    stand.register.commit((0..300).map(entry).collect(), Urgency::Reserved).unwrap();
    stand.settle(noon());
    for number in 0..300 {
        stand.assert_standing(&serial(number), &revoked(noon(), KeyCompromise), noon(), noon());
    }
    stand.register.commit(vec![entry(300)], Urgency::Reserved).unwrap();
    stand.settle(noon());
    let later = noon().plus_seconds(PERIOD);
    stand.settle(later);
    for number in [0, 299, 300] {
        stand.assert_standing(&serial(number), &revoked(noon(), KeyCompromise), later, later);
    }
    stand.assert_status(&serial(301), ResponseStatus::Unauthorized, later);
}

#[test]
fn the_responder_is_exchanged_and_no_answer_outlives_him() {
    let stand = Stand::new();
    put_on_record(stand.register.as_ref(), 5, |_| noon().seconds() + 90 * 86_400);
    stand.settle(noon());
    let first = stand.responders.responder(noon()).unwrap();
    let due = first.renewal_due();
    // Two weeks of life, two thirds of it.
    assert!(due > noon().plus_seconds(8 * 86_400) && due < noon().plus_seconds(10 * 86_400));
    let one = stand.stored(IssuerHash::Sha1, &serial(0), noon());
    assert!(holds(&one.octets, first.certificate().der()));
    stand.settle(due);
    let second = stand.responders.responder(due).unwrap();
    assert_ne!(first.certificate().serial(), second.certificate().serial());
    for number in 0..5 {
        let stored = stand.stored(IssuerHash::Sha1, &serial(number), due);
        assert!(holds(&stored.octets, second.certificate().der()));
        assert!(stored.next_update <= second.certificate().not_after());
    }
    let acts = acts(stand.register.as_ref());
    let appointed = acts.iter().filter(|act| matches!(act, Act::ResponderAppointed(_))).count();
    assert_eq!(appointed, 2);
    // It is itself answered about, like every certificate.
    let own = second.certificate().serial();
    stand.assert_standing(&own, &Standing::Good, due, due);
}

#[test]
fn another_ledgers_answers_are_not_served() {
    let stand = Stand::new();
    put_on_record(stand.register.as_ref(), 5, |_| noon().seconds() + 86_400);
    stand.settle(noon());
    // An older copy of the ledger, which went another way since.
    let other = Stand::new();
    put_on_record(other.register.as_ref(), 200, |_| noon().seconds() + 86_400);
    for file in std::fs::read_dir(stand.world.data.path().join("ocsp")).unwrap() {
        let file = file.unwrap();
        let to = other.world.data.path().join("ocsp").join(file.file_name());
        std::fs::copy(file.path(), to).unwrap();
    }
    let (maker, point) =
        maker(&other.world, &other.register, &other.authority, &other.responders, Nonces::Answered);
    let before = other.signed();
    while maker.attempt(noon()).unwrap() == Work::GoesOn {}
    assert_eq!(other.signed() - before, 2 * 201);
    let asked = other.request(IssuerHash::Sha1, &serial(150));
    assert!(matches!(point.find(&asked, noon()), Found::Stored(_)));
}
