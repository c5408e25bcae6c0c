//! What a stranger with a socket gets, and when.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::*;
use crate::ca::establish::{intend_root, sign_root};
use crate::ca::ocsp::{AnswerPoint, Nonces};
use crate::ca::publish::Schedule;
use crate::pki::issuer::Issuer;
use crate::pki::name::DistinguishedName;
use crate::pki::revocation::{Revocation, RevocationReason};
use crate::pki::revocation_list::{CrlEntry, CrlFrame, CrlHeading, CrlKind};
use crate::pki::serial::SerialNumber;
use crate::signing::{CaKey, FileKey, KeyKind};
use crate::storage::publication::{PublicationDirectory, PublicationStore};

const NOON: u64 = 1_795_435_200; // 2026-11-23T12:00:00Z

struct World {
    home: tempfile::TempDir,
    key: FileKey,
    issuer: Issuer,
    clock: Arc<AtomicU64>,
}

/// A reply as it came over the wire.
struct Reply {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Reply {
    fn header(&self, name: &str) -> Option<&str> {
        let named = |line: &&str| {
            line.split_once(':').is_some_and(|(left, _)| left.eq_ignore_ascii_case(name))
        };
        Some(self.head.lines().find(named)?.split_once(':')?.1.trim())
    }
}

impl World {
    fn new() -> Self {
        let key = FileKey::generate(KeyKind::P256).unwrap();
        let name = DistinguishedName::from_rfc4514("CN=Contoso").unwrap();
        let founded = Timestamp::from_seconds(NOON - 86_400);
        let intended = intend_root(&name, &key, [7; 20], founded, 400_000_000).unwrap();
        let certificate = sign_root(&intended, &key).unwrap();
        let none: [&[u8]; 0] = [];
        let issuer = Issuer::new(&certificate, &none, Vec::new(), Vec::new()).unwrap();
        let clock = Arc::new(AtomicU64::new(NOON));
        Self { home: tempfile::tempdir().unwrap(), key, issuer, clock }
    }

    fn at(&self, seconds: u64) {
        self.clock.store(seconds, Ordering::SeqCst);
    }

    fn store(&self) -> PublicationDirectory {
        PublicationDirectory::open(self.home.path(), "contoso").unwrap()
    }

    /// Puts a CRL of so many entries at the publication point, made at noon.
    fn publish(&self, entries: u64) -> Vec<u8> {
        self.publish_as("contoso", CrlKind::Complete, entries)
    }

    fn publish_as(&self, name: &str, kind: CrlKind, entries: u64) -> Vec<u8> {
        let revocation = Revocation {
            revoked_at: Timestamp::from_seconds(NOON),
            reason: RevocationReason::Superseded,
            invalidity_date: None,
        };
        let mut list = Vec::new();
        for number in 0..entries {
            let mut octets = [1; 20];
            octets[12..].copy_from_slice(&number.to_be_bytes());
            list.extend(CrlEntry::encode(SerialNumber::from_random(octets), &revocation));
        }
        let heading = CrlHeading {
            number: NOON * 1000,
            this_update: Timestamp::from_seconds(NOON - 600),
            next_update: Timestamp::from_seconds(NOON + 8 * 86_400),
            next_publish: Timestamp::from_seconds(NOON + 7 * 86_400),
            kind,
            freshest_urls: &[],
            distribution_point_urls: &[],
        };
        let algorithm = self.key.algorithm();
        let frame = CrlFrame::new(&self.issuer, algorithm, &heading, list.len() as u64);
        let tbs = [frame.header.as_slice(), &list, &frame.trailer].concat();
        let signature = self.key.sign(&tbs).unwrap();
        let outer = frame.outer_header(signature.len());
        let crl = [outer, tbs, frame.signature_trailer(&signature)].concat();
        let store = PublicationDirectory::open(self.home.path(), name).unwrap();
        let mut pending = store.begin().unwrap();
        pending.write_at(&crl, 0).unwrap();
        pending.seal(crl.len() as u64, Timestamp::from_seconds(NOON)).unwrap();
        pending.publish().unwrap();
        crl
    }

    fn serve(&self, bounds: Bounds) -> PublicationServer {
        let (point, outcome) =
            PublicationPoint::open(&self.issuer, "contoso", &self.store(), Schedule::default());
        outcome.unwrap();
        let deltas = PublicationDirectory::open(self.home.path(), "contoso-delta").unwrap();
        point.open_delta(&self.issuer, &deltas, Schedule::default()).unwrap();
        self.serve_point(point, bounds)
    }

    fn serve_point(&self, point: PublicationPoint, bounds: Bounds) -> PublicationServer {
        let clock = Arc::clone(&self.clock);
        let clock: Clock = Arc::new(move || Timestamp::from_seconds(clock.load(Ordering::SeqCst)));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        PublicationServer::start(listener, Arc::new(point), clock, bounds).unwrap()
    }
}

fn ask(server: &PublicationServer, line: &str, headers: &[(&str, &str)]) -> Reply {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let mut request = format!("{line} HTTP/1.1\r\nHost: pki\r\nConnection: close\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{request}\r\n").as_bytes()).unwrap();
    let mut octets = Vec::new();
    stream.read_to_end(&mut octets).unwrap();
    let end = octets.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(octets[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Reply { status, head, body: octets[end + 4..].to_vec() }
}

const CRL: &str = "GET /crl/contoso.crl";

#[test]
fn crl_and_certificate_with_their_types_and_nothing_else() {
    let world = World::new();
    let crl = world.publish(3);
    let server = world.serve(Bounds::default());

    let reply = ask(&server, CRL, &[]);
    assert_eq!((reply.status, &reply.body), (200, &crl));
    assert_eq!(reply.header("content-type"), Some("application/pkix-crl"));
    assert_eq!(reply.header("content-length"), Some(crl.len().to_string().as_str()));
    assert_eq!(reply.header("last-modified"), Some("Mon, 23 Nov 2026 12:00:00 GMT"));
    assert_eq!(reply.header("cache-control"), Some("max-age=600"));
    assert_eq!(reply.header("expires"), Some("Mon, 23 Nov 2026 12:10:00 GMT"));
    assert!(reply.header("etag").unwrap().starts_with('"'), "a strong tag");

    let head = ask(&server, "HEAD /crl/contoso.crl", &[]);
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), reply.header("content-length"));
    assert_eq!(head.header("etag"), reply.header("etag"));

    let certificate = ask(&server, "GET /aia/contoso.crt", &[]);
    assert_eq!(certificate.body, world.issuer.certificate_der());
    assert_eq!(certificate.header("content-type"), Some("application/pkix-cert"));
    assert!(certificate.header("last-modified").unwrap().ends_with(" GMT"));

    for path in [
        "/",
        "/crl",
        "/crl/",
        "/crl/other.crl",
        "/crl/contoso.crl/",
        "/crl/contoso",
        "/aia/",
        "/aia/contoso.crl",
        "/crl/contoso.crt",
        "/crl/../crl/contoso.crl",
        "//crl/contoso.crl",
        "/crl/contoso.crl.next",
        "/crl/contoso-delta.crl",
        "/crl/contoso-delta.crl.next",
        "/crl/contoso+.crl",
        "/healthz",
        "/v1/ca",
        "/crl/%2e%2e/contoso.crl",
    ] {
        assert_eq!(ask(&server, &format!("GET {path}"), &[]).status, 404, "{path}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND", "TRACE"] {
        let reply = ask(&server, &format!("{method} /crl/contoso.crl"), &[]);
        assert_eq!((reply.status, reply.header("allow")), (405, Some("GET, HEAD")), "{method}");
    }
    server.stop();
}

#[test]
fn conditions_are_answered_as_rfc_9110_has_them() {
    let world = World::new();
    world.publish(1);
    let server = world.serve(Bounds::default());
    world.at(NOON + 60);
    let tag = ask(&server, CRL, &[]).header("etag").unwrap().to_owned();
    let (same, weak) = (tag.clone(), format!("W/{tag}"));
    let list = format!("\"other\", {tag}");
    let table: &[(&[(&str, &str)], u16)] = &[
        (&[("If-None-Match", &same)], 304),
        (&[("If-None-Match", &weak)], 304),
        (&[("If-None-Match", &list)], 304),
        (&[("If-None-Match", "*")], 304),
        (&[("If-None-Match", "\"other\"")], 200),
        (&[("If-None-Match", "contoso")], 200),
        (&[("If-Modified-Since", "Mon, 23 Nov 2026 12:00:00 GMT")], 304),
        (&[("If-Modified-Since", "Mon, 23 Nov 2026 12:00:30 GMT")], 304),
        (&[("If-Modified-Since", "Monday, 23-Nov-26 12:00:00 GMT")], 304),
        (&[("If-Modified-Since", "Mon Nov 23 12:00:00 2026")], 304),
        (&[("If-Modified-Since", "Mon, 23 Nov 2026 11:59:59 GMT")], 200),
        (&[("If-Modified-Since", "yesterday")], 200),
        // The entity tag decides where both are given.
        (
            &[
                ("If-None-Match", "\"other\""),
                ("If-Modified-Since", "Mon, 23 Nov 2026 12:00:00 GMT"),
            ],
            200,
        ),
        (&[("If-None-Match", &same), ("If-Modified-Since", "Mon, 23 Nov 2020 12:00:00 GMT")], 304),
    ];
    for (headers, status) in table {
        for method in ["GET", "HEAD"] {
            let reply = ask(&server, &format!("{method} /crl/contoso.crl"), headers);
            assert_eq!(reply.status, *status, "{method} {headers:?}");
            assert_eq!(reply.header("etag"), Some(tag.as_str()));
            assert!(reply.header("cache-control").is_some());
            assert_eq!(reply.body.is_empty(), *status == 304 || method == "HEAD");
        }
    }
    server.stop();
}

#[test]
fn nobody_keeps_a_crl_past_the_next_publication() {
    let world = World::new();
    world.publish(1);
    let server = world.serve(Bounds::default());
    let due = NOON + 7 * 86_400 - 300;
    let table = [
        (NOON, 600),
        (due - 601, 600),
        (due - 599, 599),
        (due - 1, 1),
        (due, 0),
        (NOON + 7 * 86_400 + 60, 0),
        (NOON + 9 * 86_400, 0),
    ];
    for (now, seconds) in table {
        world.at(now);
        let reply = ask(&server, CRL, &[]);
        assert_eq!(reply.header("cache-control"), Some(format!("max-age={seconds}").as_str()));
        let expires = httpdate::parse_http_date(reply.header("expires").unwrap()).unwrap();
        let expires = expires.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        assert_eq!(expires, now + seconds);
    }
    server.stop();
}

#[test]
fn a_delta_is_served_beside_the_complete_one_and_kept_for_a_minute() {
    let world = World::new();
    let complete = world.publish(3);
    let delta = world.publish_as("contoso-delta", CrlKind::Delta { base: NOON * 1000 }, 1);
    let server = world.serve(Bounds::default());
    let reply = ask(&server, "GET /crl/contoso-delta.crl", &[]);
    assert_eq!((reply.status, &reply.body), (200, &delta));
    assert_eq!(reply.header("content-type"), Some("application/pkix-crl"));
    assert_eq!(reply.header("cache-control"), Some("max-age=60"));
    let tag = reply.header("etag").unwrap();
    let again = ask(&server, "GET /crl/contoso-delta.crl", &[("If-None-Match", tag)]);
    assert_eq!((again.status, again.body.len()), (304, 0));
    let of_it = ask(&server, CRL, &[("If-None-Match", tag)]);
    assert_eq!((of_it.status, &of_it.body), (200, &complete));
    server.stop();
}

/// Neither takes the place of the other, whatever was put there.
#[test]
fn a_delta_is_not_taken_for_the_complete_list() {
    let world = World::new();
    let kind = CrlKind::Delta { base: 1 };
    world.publish_as("contoso", kind, 1);
    world.publish_as("contoso-delta", CrlKind::Complete, 1);
    let (point, outcome) =
        PublicationPoint::open(&world.issuer, "contoso", &world.store(), Schedule::default());
    assert!(outcome.is_err() && point.current().is_none());
    let deltas = PublicationDirectory::open(world.home.path(), "contoso-delta").unwrap();
    let taken_up = point.open_delta(&world.issuer, &deltas, Schedule::default());
    assert!(taken_up.is_err() && point.delta().is_none());
}

#[test]
fn before_the_first_crl_the_answer_is_to_come_again() {
    let world = World::new();
    let server = world.serve(Bounds::default());
    let reply = ask(&server, CRL, &[]);
    assert_eq!((reply.status, reply.header("retry-after")), (503, Some("5")));
    assert_eq!(ask(&server, "GET /aia/contoso.crt", &[]).status, 200);
    server.stop();
}

#[test]
fn a_download_under_way_is_not_disturbed_by_the_next_crl() {
    let world = World::new();
    let crl = world.publish(100_000);
    assert!(crl.len() > 3_000_000);
    let server = world.serve(Bounds::default());
    let mut slow = TcpStream::connect(server.address()).unwrap();
    let request = b"GET /crl/contoso.crl HTTP/1.1\r\nHost: pki\r\nConnection: close\r\n\r\n";
    slow.write_all(request).unwrap();
    let mut first = vec![0; 1000];
    slow.read_exact(&mut first).unwrap();
    world.publish(2);
    let mut rest = Vec::new();
    slow.read_to_end(&mut rest).unwrap();
    let whole = [first, rest].concat();
    assert!(whole.ends_with(&crl));
    server.stop();
}

#[test]
fn who_reads_too_slowly_or_asks_too_slowly_is_let_go() {
    let world = World::new();
    let crl = world.publish(300_000);
    let bounds = Bounds {
        connections: 1,
        head: Duration::from_millis(300),
        pace: Duration::from_millis(300),
        ..Bounds::default()
    };
    let server = world.serve(bounds);
    let soon_served = || {
        let before = Instant::now();
        assert_eq!(ask(&server, "HEAD /crl/contoso.crl", &[]).status, 200);
        assert!(before.elapsed() < Duration::from_secs(5));
    };
    // A stranger takes the only place: with half a request, then by not reading the answer.
    let mut half = TcpStream::connect(server.address()).unwrap();
    half.write_all(b"GET /crl/cont").unwrap();
    soon_served();
    let mut deaf = TcpStream::connect(server.address()).unwrap();
    deaf.write_all(b"GET /crl/contoso.crl HTTP/1.1\r\nHost: pki\r\n\r\n").unwrap();
    soon_served();
    let mut octets = Vec::new();
    let cut_off = deaf.read_to_end(&mut octets);
    assert!(cut_off.is_err() || octets.len() < crl.len(), "it was cut off");
    server.stop();
}

/// What OCSP answers where nothing can be answered yet; `ca::tests::answering` has the rest.
#[test]
fn an_ocsp_request_is_read_within_bounds_and_answered_in_ocsp() {
    let world = World::new();
    world.publish(1);
    let one = std::num::NonZeroUsize::MIN;
    let answers = AnswerPoint::new(&world.issuer, Nonces::Answered, one).unwrap();
    let (point, _) =
        PublicationPoint::open(&world.issuer, "contoso", &world.store(), Schedule::default());
    let bounds = Bounds { head: Duration::from_millis(300), ..Bounds::default() };
    let server = world.serve_point(point.with_answers(Arc::new(answers)), bounds);
    let (malformed, try_later) = ([0x30, 3, 10, 1, 1], [0x30, 3, 10, 1, 3]);
    let sha1 = include_bytes!("../../../tests/fixtures/ocsp/sha1.der");
    let post = |announced: usize, sent: &[u8]| {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        let head = format!("POST /ocsp HTTP/1.1\r\nHost: x\r\nContent-Length: {announced}\r\n\r\n");
        stream.write_all(&[head.as_bytes(), sent].concat()).unwrap();
        let began = Instant::now();
        let mut octets = [0; 4096];
        let mut read = 0;
        while !octets[..read].ends_with(&malformed) && !octets[..read].ends_with(&try_later) {
            let had = stream.read(&mut octets[read..]).unwrap();
            assert!(had > 0, "{:?}", String::from_utf8_lossy(&octets[..read]));
            read += had;
        }
        let text = String::from_utf8_lossy(&octets[..read]).into_owned();
        assert!(text.starts_with("HTTP/1.1 200 "), "{text}");
        // Whoever did not send all of it is let go.
        let closed = text.to_lowercase().contains("connection: close");
        (octets[read - 1], closed, began.elapsed())
    };
    let (code, closed, _) = post(sha1.len(), sha1);
    assert_eq!((code, closed), (3, false));
    let (code, closed, waited) = post(sha1.len(), &sha1[..20]);
    assert_eq!((code, closed), (1, true));
    assert!(waited >= Duration::from_millis(200), "{waited:?}");
    let (code, closed, waited) = post(100_000, &[0x30; 100]);
    assert_eq!((code, closed), (1, true), "{waited:?}");
    // The CRL goes on beside it.
    assert_eq!(ask(&server, CRL, &[]).status, 200);
    assert_eq!(ask(&server, "GET /ocsp/MA==", &[]).body, malformed);
    assert_eq!(ask(&server, "GET /ocspx", &[]).status, 404);
    server.stop();
}

#[test]
fn bytes_that_are_no_request_get_an_error_or_nothing() {
    let world = World::new();
    world.publish(1);
    let server = world.serve(Bounds::default());
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(100_000));
    for request in
        ["\r\n\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\0\0\0\0\r\n\r\n", &long]
    {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        // The server may close before it has taken everything.
        let _ = stream.write_all(request.as_bytes());
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut octets = Vec::new();
        let _ = stream.read_to_end(&mut octets);
        assert!(!octets.starts_with(b"HTTP/1.1 200"), "{request:.20}");
    }
    assert_eq!(ask(&server, CRL, &[]).status, 200);
    server.stop();
}
