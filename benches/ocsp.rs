//! OCSP answers: how long it takes to sign them all against the bare signer, how much memory, and
//! how many are served a second beside nginx that serves the same octets as a file.
//!
//! `cargo bench --bench ocsp [-- CERTIFICATES [KEY [SECONDS]]]` — KEY is `p256` (the default) or
//! another `ocsp_key`. Needs `nginx` and `wrk` (Debian packages nginx-light and wrk).

#![allow(clippy::print_stdout, reason = "the figures are what it is for")]

use std::error::Error;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::{Child, Command, Stdio};
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

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const BATCH: u64 = 10_000;
/// What a to-be-signed certificate of the tutorial's templates weighs.
const TBS: usize = 900;
const NGINX_PORT: u16 = 18083;
const CONNECTIONS: &str = "64";

fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let count: u64 = words.first().map_or(Ok(100_000), |word| word.parse())?;
    let kind = words.get(1).map_or("p256", String::as_str);
    let kind = KeyKind::from_word(kind).ok_or("no such kind of key")?;
    let seconds = words.get(2).map_or(Ok(4), |word| word.parse())?;
    let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let (issuer, responder) = authority(kind)?;
    let register = open(Options::new(home.path().join("data")))?;
    fill(&register, count)?;
    let processors = std::thread::available_parallelism()?;

    let bare = bare_signer(kind, count * 2, processors)?;
    let each = |time: Duration| 2.0 * count as f64 / time.as_secs_f64();
    println!("bare signer: {:.2} s, {:.0} signatures/s", bare.as_secs_f64(), each(bare));
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
    let begun = Instant::now();
    let running = {
        let maker = Arc::clone(&maker);
        std::thread::spawn(move || maker.run(&now))
    };
    let mut most = before;
    while maker.trouble(now()).is_some() {
        std::thread::sleep(Duration::from_millis(5));
        most = most.max(resident()?);
    }
    let took = begun.elapsed();
    println!(
        "pre-production of {count} certificates, both hashes: {:.2} s, {:.2}x the bare signer; \
         {} MiB above {} MiB",
        took.as_secs_f64(),
        took.as_secs_f64() / bare.as_secs_f64(),
        (most - before) >> 20,
        before >> 20,
    );
    serve(home.path(), &issuer, point, count, seconds)?;
    maker.stop();
    running.join().map_err(|_| "the maker ended early")?;
    Ok(())
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
fn bare_signer(kind: KeyKind, signatures: u64, processors: NonZeroUsize) -> Outcome<Duration> {
    let key = FileKey::generate(kind)?;
    let each = signatures / processors.get() as u64;
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..processors.get())
            .map(|_| scope.spawn(|| (0..each).try_for_each(|_| key.sign(&[7; 230]).map(drop))))
            .collect();
        threads.into_iter().try_for_each(|thread| {
            thread.join().map_err(|_| "a thread ended early")?.map_err(|_| "no signature")
        })
    })?;
    Ok(begun.elapsed())
}

/// Answers to GETs about many certificates and about one, and nginx with that one's octets.
fn serve(
    home: &Path,
    issuer: &Issuer,
    answers: Arc<AnswerPoint>,
    count: u64,
    seconds: u64,
) -> Outcome<()> {
    let store = PublicationDirectory::open(&home.join("publish"), "contoso")?;
    let (point, outcome) = PublicationPoint::open(issuer, "contoso", &store, Schedule::default());
    outcome?;
    let identity = IssuerIdentity::of(issuer);
    let asked = |number: u64| request(&identity, &serial(number));
    let Found::Stored(one) = answers.find(&asked(0), now()) else {
        return Err("the first certificate has no answer".into());
    };
    let point = Arc::new(point.with_answers(answers));
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let server = PublicationServer::start(listener, point, Arc::new(now), Bounds::default())?;
    let many = count.min(1000);
    let paths: Vec<String> =
        (0..many).map(|number| path(&asked(number * (count / many)))).collect();
    let _nginx = nginx(home, &one.octets)?;
    let ours = server.address();
    let peer = SocketAddr::from(([127, 0, 0, 1], NGINX_PORT));
    let file = ["/one.ors".to_owned()];
    let theirs = wrk(home, peer, &file, seconds)?;
    println!("nginx, one answer of {} octets as a file: {theirs:.0}/s", one.octets.len());
    for (what, paths) in [("one certificate", &paths[..1]), ("many certificates", &paths)] {
        let rate = wrk(home, ours, paths, seconds)?;
        println!("answers about {what}: {rate:.0}/s, {:.2}x nginx", rate / theirs);
    }
    server.stop();
    Ok(())
}

/// A program that is stopped when it goes out of scope.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // A request to end, so that nginx takes its workers along.
        let asked = Command::new("kill").arg(self.0.id().to_string()).status();
        if !asked.is_ok_and(|status| status.success()) {
            let _ = self.0.kill();
        }
        let _ = self.0.wait();
    }
}

/// nginx without a log, as many workers as there are processors.
fn nginx(home: &Path, answer: &[u8]) -> Outcome<Running> {
    let home = home.canonicalize()?;
    std::fs::write(home.join("one.ors"), answer)?;
    let at = home.display();
    let configuration = format!(
        "worker_processes auto; pid {at}/nginx.pid; error_log stderr warn; daemon off;\n\
         events {{ worker_connections 1024; }}\n\
         http {{ sendfile on; tcp_nopush on; access_log off; keepalive_requests 1000000000;\n\
         types {{ application/ocsp-response ors; }}\n\
         server {{ listen 127.0.0.1:{NGINX_PORT}; root {at}; }} }}\n"
    );
    let file = home.join("nginx.conf");
    std::fs::write(&file, configuration)?;
    let mut command = Command::new("nginx");
    command.arg("-c").arg(&file).arg("-p").arg(&home).args(["-g", "user root;"]);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let running = Running(child.map_err(|error| format!("nginx (package nginx-light): {error}"))?);
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", NGINX_PORT)).is_err() {
        if begun.elapsed() > Duration::from_secs(10) {
            return Err("nginx does not listen".into());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(running)
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

/// Answers a second to these paths in turn; every one must be whole.
fn wrk(home: &Path, address: SocketAddr, paths: &[String], seconds: u64) -> Outcome<f64> {
    let list: Vec<String> = paths.iter().map(|path| format!("{path:?}")).collect();
    let lua = format!(
        "local asked = {{}}\nlocal at = 0\nlocal paths = {{{}}}\ninit = function()\n  for \
         i, path in ipairs(paths) do asked[i] = wrk.format(\"GET\", path) end\nend\n\
         request = function()\n  at = at % #asked + 1\n  return asked[at]\nend\n",
        list.join(",")
    );
    let script = home.join("wrk.lua");
    std::fs::write(&script, lua)?;
    let output = Command::new("wrk")
        .args(["-t", "2", "-c", CONNECTIONS, "-d", &format!("{seconds}s"), "-s"])
        .arg(script)
        .arg(format!("http://{address}/"))
        .output()
        .map_err(|error| format!("wrk (package wrk): {error}"))?;
    let said = String::from_utf8(output.stdout)?;
    if said.contains("Non-2xx") || said.contains("Socket errors") {
        return Err(said.into());
    }
    let rate = said.lines().find_map(|line| line.strip_prefix("Requests/sec:")).ok_or(said.clone());
    Ok(rate?.trim().parse()?)
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
