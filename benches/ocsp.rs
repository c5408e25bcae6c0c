//! OCSP answers: how long it takes to sign them all against the bare signer, how much memory, and
//! how many are served a second beside nginx that serves the same octets as files, and beside
//! cfssl that has the same answers.
//!
//! `cargo bench --bench ocsp [-- CERTIFICATES [KEY [SECONDS [ROUNDS]]]]` — KEY is `p256` (the default) or
//! another `ocsp_key`. Needs `nginx`, `wrk` and `cfssl` (Debian packages nginx-light, wrk, golang-cfssl).

#![allow(clippy::print_stdout, reason = "the figures are what it is for")]

mod peer;

use std::net::TcpListener;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use chancery::ca::establish::{intend_root, sign_root};
use chancery::ca::ocsp::{
    AnswerMaker, AnswerPoint, AnswerSchedule, Found, NoResponder, Nonces, Parts, Responder,
    Responders,
};
use chancery::ca::publish::{PublicationPoint, Schedule};
use chancery::http::publication::{Bounds, PublicationServer};
use chancery::pki::certificate::{Certificate, Prepared};
use chancery::pki::extension::{self, KeyUsage};
use chancery::pki::issuer::Issuer;
use chancery::pki::name::DistinguishedName;
use chancery::pki::ocsp::{IssuerHash, IssuerIdentity};
use chancery::pki::oid;
use chancery::pki::profile::{ExtensionSlot, Profile, ValidityCut};
use chancery::pki::public_key::PublicKey;
use chancery::pki::serial::SerialNumber;
use chancery::pki::time::Timestamp;
use chancery::signing::{CaKey, FileKey, KeyKind};
use chancery::storage::act::{Act, CertificateIssued, Entry, RequestReceived, SerialReserved};
use chancery::storage::answers::AnswerDirectory;
use chancery::storage::publication::PublicationDirectory;
use chancery::storage::{LedgerRegister, Options, Register, Urgency, open};
use peer::{Asking, Outcome, Side, by_turns, cfssl, nginx, processor_time};

const BATCH: u64 = 10_000;
/// What a to-be-signed certificate of the tutorial's templates weighs.
const TBS: usize = 900;
/// Certificates that are asked about in turn.
const ASKED: u64 = 1000;

fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let count: u64 = words.first().map_or(Ok(100_000), |word| word.parse())?;
    let kind = words.get(1).map_or("p256", String::as_str);
    let kind = KeyKind::from_word(kind).ok_or("no such kind of key")?;
    let seconds = words.get(2).map_or(Ok(4), |word| word.parse())?;
    let rounds = words.get(3).map_or(Ok(5), |word| word.parse())?;
    let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let (issuer, responder) = authority(kind)?;
    let register = open(Options::new(home.path().join("data")))?;
    fill(&register, count)?;
    let processors = std::thread::available_parallelism()?;

    // Half of the bare signatures before, half after: the machine is not equally busy all the time.
    let bare_before = Spent::on(|| bare_signer(kind, count, processors))?;
    let before = resident()?;
    let point = Arc::new(AnswerPoint::new(&issuer, Nonces::Answered, processors)?);
    let parts = Parts {
        register: Arc::<LedgerRegister>::clone(&register),
        issuer: Arc::new(issuer.clone()),
        directory: AnswerDirectory::open(&home.path().join("ocsp"))?,
        point: Arc::clone(&point),
        responders: Arc::new(responder),
        schedule: AnswerSchedule::every(4 * 3600),
        processors,
    };
    let maker = Arc::new(AnswerMaker::new(parts));
    let running = {
        let maker = Arc::clone(&maker);
        move || maker.run(&now)
    };
    let mut running = Some(running);
    let (mut thread, mut most) = (None, before);
    let took = Spent::on(|| {
        thread = running.take().map(std::thread::spawn);
        while maker.trouble(now()).is_some() {
            std::thread::sleep(Duration::from_millis(5));
            most = most.max(resident()?);
        }
        Ok(())
    })?;
    let bare = bare_before.and(Spent::on(|| bare_signer(kind, count, processors))?);
    println!("bare signer, {} signatures: {bare}", count * 2);
    println!(
        "pre-production of {count} certificates, both hashes: {took}; {:.2}x the bare signer by \
         the clock, {:.2}x in processor time; {} MiB above {} MiB",
        took.clock.as_secs_f64() / bare.clock.as_secs_f64(),
        took.processors.as_secs_f64() / bare.processors.as_secs_f64(),
        (most - before) >> 20,
        before >> 20,
    );
    serve(home.path(), &issuer, point, count, seconds, rounds)?;
    maker.stop();
    thread.ok_or("no maker")?.join().map_err(|_| "the maker ended early")?;
    Ok(())
}

/// Time by the clock, and of the processors.
struct Spent {
    clock: Duration,
    processors: Duration,
}

impl Spent {
    fn on(work: impl FnOnce() -> Outcome<()>) -> Outcome<Self> {
        let (begun, before) = (Instant::now(), processor_time("self")?);
        work()?;
        Ok(Self { clock: begun.elapsed(), processors: processor_time("self")? - before })
    }

    fn and(self, other: Self) -> Self {
        let (clock, processors) = (self.clock + other.clock, self.processors + other.processors);
        Self { clock, processors }
    }
}

impl std::fmt::Display for Spent {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (clock, processors) = (self.clock.as_secs_f64(), self.processors.as_secs_f64());
        write!(out, "{clock:.2} s ({processors:.2} s of processor time)")
    }
}

/// The one responder.
struct Only(Arc<Responder>);

impl Responders for Only {
    fn responder(&self, _: Timestamp) -> Result<Arc<Responder>, NoResponder> {
        Ok(Arc::clone(&self.0))
    }
}

/// A P-256 CA and a responder with this kind of key.
fn authority(kind: KeyKind) -> Outcome<(Issuer, Only)> {
    let key = FileKey::generate(KeyKind::P256)?;
    let name = DistinguishedName::from_rfc4514("CN=Contoso VPN CA,DC=contoso,DC=com")?;
    let intended = intend_root(&name, &key, [7; 20], now(), 10 * 365 * 86_400)?;
    let none: [&[u8]; 0] = [];
    let certificate = sign_root(&intended, &key)?;
    let issuer = Issuer::new(&certificate, &none, Vec::new(), Vec::new())?;
    let own = FileKey::generate(kind)?;
    let public = PublicKey::from_spki_der(own.spki_der())?;
    let fixed = ExtensionSlot::Fixed;
    let profile = Profile {
        subject: DistinguishedName::with_common_name("ocsp.contoso.com")?,
        public_key: public.clone(),
        not_before: now().minus_seconds(600).whole_seconds(),
        not_after: now().plus_seconds(14 * 86_400).whole_seconds(),
        validity_cut: ValidityCut::Whole,
        extensions: vec![
            fixed(extension::extended_key_usage(&[oid::OCSP_SIGNING])),
            fixed(extension::key_usage(KeyUsage::DIGITAL_SIGNATURE)),
            fixed(extension::ocsp_no_check()),
            fixed(extension::subject_key_identifier(&public)),
            ExtensionSlot::AuthorityKeyIdentifier,
        ],
    };
    let serial = SerialNumber::from_random([0x22; 20]);
    let prepared = Prepared::build(&profile, serial, &issuer, key.algorithm())?;
    let signature = key.sign(prepared.tbs())?;
    let made =
        Certificate::assemble(prepared.tbs(), key.algorithm(), &signature, issuer.public_key())?;
    let responder = Responder::new(made, Arc::new(own), &issuer)?;
    Ok((issuer, Only(Arc::new(responder))))
}

fn fill(register: &LedgerRegister, count: u64) -> Outcome<()> {
    let mut number = 0;
    while number < count {
        let upto = (number + BATCH).min(count);
        let entries = (number..upto).flat_map(|number| certificate(number, register)).collect();
        register.commit(entries, Urgency::Ordinary)?;
        number = upto;
    }
    Ok(())
}

/// The acts that a certificate leaves behind.
fn certificate(number: u64, register: &LedgerRegister) -> [Entry; 3] {
    let request_id = register.next_request_id();
    let mut sha256 = [0; 32];
    sha256[..8].copy_from_slice(&number.to_be_bytes());
    let (template, account) = ("VPNUserAuthentication".to_owned(), "alice".to_owned());
    [
        Act::RequestReceived(RequestReceived {
            request_id,
            account: account.clone(),
            template: template.clone(),
            csr: vec![],
            idempotency: None,
            renewal: None,
            signers: vec![],
            described: None,
        }),
        Act::SerialReserved(SerialReserved {
            request_id,
            serial: serial(number).as_der_content().to_vec(),
            tbs: vec![0; TBS],
            scope: None,
        }),
        Act::CertificateIssued(CertificateIssued {
            request_id,
            signature: vec![0; 71],
            sha1: [0; 20],
            sha256,
            template,
            account,
            not_after: now().plus_seconds(365 * 86_400).seconds(),
            names: vec![],
        }),
    ]
    .map(|act| Entry { at: now().millis(), actor: None, act })
}

fn serial(number: u64) -> SerialNumber {
    let mut octets = [0x11; 20];
    octets[12..].copy_from_slice(&number.to_be_bytes());
    SerialNumber::from_random(octets)
}

/// As many signatures over as many octets, on as many threads, and nothing else.
fn bare_signer(kind: KeyKind, signatures: u64, processors: NonZeroUsize) -> Outcome<()> {
    let key = FileKey::generate(kind)?;
    let each = signatures / processors.get() as u64;
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..processors.get())
            .map(|_| scope.spawn(|| (0..each).try_for_each(|_| key.sign(&[7; 230]).map(drop))))
            .collect();
        threads.into_iter().try_for_each(|thread| {
            thread.join().map_err(|_| "a thread ended early")?.map_err(|_| "no signature".into())
        })
    })
}

/// GETs about one certificate and about many in turn, and nginx with the same answers as files.
fn serve(
    home: &Path,
    issuer: &Issuer,
    answers: Arc<AnswerPoint>,
    count: u64,
    seconds: u64,
    rounds: usize,
) -> Outcome<()> {
    let store = PublicationDirectory::open(&home.join("publish"), "contoso")?;
    let (point, outcome) = PublicationPoint::open(issuer, "contoso", &store, Schedule::default());
    outcome?;
    let identity = IssuerIdentity::of(issuer);
    let many = count.min(ASKED);
    let (mut paths, mut file_paths, mut files) = (Vec::new(), Vec::new(), Vec::new());
    let (mut bodies, mut octets) = (Vec::new(), Vec::new());
    for number in 0..many {
        let asked = request(&identity, &serial(number * (count / many)));
        let Found::Stored(answer) = answers.find(&asked, now()) else {
            return Err("a certificate has no answer".into());
        };
        octets.push(answer.octets.to_vec());
        paths.push(path(&asked));
        bodies.push(asked);
        file_paths.push(format!("/{number}.ors"));
        files.push((format!("{number}.ors"), answer.octets.to_vec()));
    }
    let point = Arc::new(point.with_answers(answers));
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let server = PublicationServer::start(listener, point, Arc::new(now), Bounds::default())?;
    let (peer, peer_address) = nginx(home, &files)?;
    let (cfssl, cfssl_address) = cfssl(home, &octets)?;
    println!("answers of {} octets", files.first().map_or(0, |(_, octets)| octets.len()));
    for (what, number) in [("one certificate", 1), ("many certificates", paths.len())] {
        let (address, headers) = (server.address(), &[]);
        let asking =
            Asking { home, address, paths: &paths[..number], bodies: &[], headers, seconds };
        let ours = Side { name: "chancery", asking, spent: &|| processor_time("self") };
        let asking = Asking { address: peer_address, paths: &file_paths[..number], ..asking };
        let theirs = Side { name: "nginx", asking, spent: &|| peer.processor_time() };
        by_turns(what, rounds, &ours, &theirs)?;
        // By POST: this release of cfssl does not find a request in the path.
        let (post, root) = (["/ocsp".to_owned()], ["/".to_owned()]);
        let asking = Asking { address, paths: &post, bodies: &bodies[..number], ..asking };
        let ours = Side { name: "chancery", asking, spent: &|| processor_time("self") };
        let asking = Asking { address: cfssl_address, paths: &root, ..asking };
        let theirs = Side { name: "cfssl", asking, spent: &|| cfssl.processor_time() };
        by_turns(&format!("{what}, by POST"), rounds, &ours, &theirs)?;
    }
    server.stop();
    Ok(())
}

/// OCSPRequest, TBSRequest, the list, Request, CertID.
fn request(identity: &IssuerIdentity, serial: &SerialNumber) -> Vec<u8> {
    let wrapped = |content: &[u8]| {
        let mut out = vec![0x30, u8::try_from(content.len()).unwrap_or(0x7f)];
        out.extend_from_slice(content);
        out
    };
    let id = identity.certificate_id(IssuerHash::Sha1, serial);
    wrapped(&wrapped(&wrapped(&wrapped(&id))))
}

fn path(request: &[u8]) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(request);
    format!("/ocsp/{}", text.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D"))
}

/// Octets of this process that are in memory.
fn resident() -> Outcome<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS")).ok_or("no VmRSS")?;
    let kilobytes: u64 = line.split_whitespace().nth(1).ok_or("no VmRSS")?.parse()?;
    Ok(kilobytes << 10)
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
