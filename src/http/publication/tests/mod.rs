//! What a stranger with a socket gets, and when.

mod deltas;
mod lists;
mod ocsp_requests;
mod strangers;

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
