//! An outbox in memory that can fail, and a receiver that checks signatures by a program we did
//! not write.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::notification::courier::{Clock, Courier};
use crate::notification::delivery::{Carrier, Letter, NotTaken};
use crate::notification::endpoint::Wishes;
use crate::notification::event::{Kind, News, PendingRequest, PublishedCrl};
use crate::notification::signature::Secrets;
use crate::notification::{Board, Endpoint, Event, Outbox, OutboxError, Settlement, Standing};
use crate::pki::time::Timestamp;

pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// Events older than this are given up, in seconds.
pub const LIFE: u64 = 1000;

pub fn noon() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

/// The ledger: events with the numbers of other entries between them.
#[derive(Default)]
pub struct Ledger {
    pub events: Vec<Event>,
    pub end: u64,
    pub standings: BTreeMap<String, Standing>,
    pub settled: Vec<Settlement>,
    /// What the next settlement comes to, once.
    pub fault: Option<Fault>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    BeforePersisting,
    AfterPersisting,
}

#[derive(Clone, Default)]
pub struct Memory(pub Arc<Mutex<Ledger>>);

impl Memory {
    /// Puts a pending request, or a CRL that was published, on record.
    pub fn happens(&self, pending: Option<&str>, at: Timestamp) -> Event {
        let mut ledger = self.0.lock().unwrap();
        ledger.end += 1;
        let sequence = ledger.end;
        let news = match pending {
            Some(template) => News::RequestPending(PendingRequest {
                request_id: sequence,
                template: template.to_owned(),
                account: "alice".to_owned(),
                requester: "bob".to_owned(),
                url: format!("https://ca/v1/requests/{sequence}"),
            }),
            None => News::CrlPublished(PublishedCrl {
                number: sequence,
                base: None,
                validity: None,
                entries: None,
                size: 300,
                sha256: [3; 32],
                urls: Vec::new(),
            }),
        };
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&sequence.to_be_bytes());
        let event = Event { sequence, hash, at, news };
        ledger.events.push(event.clone());
        event
    }
}

impl Outbox for Memory {
    fn end(&self) -> u64 {
        self.0.lock().unwrap().end
    }

    fn standings(&self) -> Result<Vec<(String, Standing)>, OutboxError> {
        Ok(self.0.lock().unwrap().standings.clone().into_iter().collect())
    }

    fn events(&self, from: u64, limit: usize) -> Result<Vec<Event>, OutboxError> {
        let ledger = self.0.lock().unwrap();
        let found = ledger.events.iter().filter(|event| event.sequence >= from).take(limit);
        Ok(found.cloned().collect())
    }

    fn settle(&self, settlement: &Settlement, _: Timestamp) -> Result<(), OutboxError> {
        let mut ledger = self.0.lock().unwrap();
        let fault = ledger.fault.take();
        if fault != Some(Fault::BeforePersisting) {
            ledger.end += 1;
            ledger.settled.push(settlement.clone());
            let standing = settlement.standing.clone();
            ledger.standings.insert(settlement.endpoint.clone(), standing);
        }
        match fault {
            None => Ok(()),
            Some(_) => Err(OutboxError("a fault was injected".to_owned())),
        }
    }
}

/// What the receiver does with what comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    Takes,
    Refuses,
    /// It has taken it, and its answer is lost.
    TakesAndIsNotHeard,
}

/// A notification as it was taken: its identifier and its body.
pub type Taken = (String, Vec<u8>);

/// A receiver; everything it has taken, in order.
#[derive(Clone)]
pub struct Receiver {
    pub manner: Arc<Mutex<Manner>>,
    pub taken: Arc<Mutex<Vec<Taken>>>,
    pub attempts: Arc<AtomicU64>,
}

impl Receiver {
    pub fn new() -> Self {
        let manner = Arc::new(Mutex::new(Manner::Takes));
        Self { manner, taken: Arc::default(), attempts: Arc::default() }
    }

    pub fn ids(&self) -> Vec<String> {
        self.taken.lock().unwrap().iter().map(|(id, _)| id.clone()).collect()
    }
}

impl Carrier for Receiver {
    fn carry(&self, letter: Letter<'_>) -> Result<(), NotTaken> {
        self.attempts.fetch_add(1, Ordering::SeqCst);
        let manner = *self.manner.lock().unwrap();
        if manner != Manner::Refuses {
            super::signing::verifies(SECRET, letter).unwrap();
            self.taken.lock().unwrap().push((letter.id.to_owned(), letter.body.to_vec()));
        }
        match manner {
            Manner::Takes => Ok(()),
            _ => Err(NotTaken { why: "no".to_owned(), retry_after_seconds: None }),
        }
    }
}

pub fn wishes() -> Wishes {
    Wishes {
        kinds: Kind::ALL.to_vec(),
        templates: None,
        certificates_before: vec![86_400],
        authorities_before: vec![86_400],
        crl_before: vec![3600],
        parent_crl_before: vec![86_400],
        answers_before: vec![3600],
    }
}

pub fn endpoint(name: &str, url: &str) -> Endpoint {
    Endpoint {
        name: name.to_owned(),
        url: url.to_owned(),
        secrets: Secrets::read(SECRET).unwrap(),
        wishes: wishes(),
        roots: Vec::new(),
        timeout: Duration::from_secs(1),
        life_seconds: LIFE,
    }
}

/// A courier whose clock is in the tests' hands.
pub struct Hands {
    pub outbox: Memory,
    pub receiver: Receiver,
    pub now: Arc<AtomicU64>,
}

impl Hands {
    pub fn new() -> Self {
        let now = Arc::new(AtomicU64::new(noon().millis()));
        Self { outbox: Memory::default(), receiver: Receiver::new(), now }
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now.load(Ordering::SeqCst))
    }

    pub fn wait(&self, seconds: u64) {
        self.now.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    pub fn courier(&self, wishes: Wishes) -> Courier {
        let now = Arc::clone(&self.now);
        let clock: Clock = Arc::new(move || Timestamp::from_millis(now.load(Ordering::SeqCst)));
        let numbers = AtomicU64::new(7);
        Courier {
            endpoint: Endpoint { wishes, ..endpoint("tickets", "https://tickets.contoso.com/") },
            carrier: Box::new(self.receiver.clone()),
            outbox: Arc::new(self.outbox.clone()),
            clock,
            random: Arc::new(move || numbers.fetch_add(977, Ordering::SeqCst)),
            board: Board::of(["tickets"].into_iter()),
            place: 0,
            settled_at: Timestamp::from_millis(0),
        }
    }
}
