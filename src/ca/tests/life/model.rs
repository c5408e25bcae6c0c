//! What is true, kept as simply as can be: every certificate that was issued, how it stands, and
//! what may still be told of it.

use std::collections::BTreeMap;

use crate::pki::revocation::RevocationReason;
use crate::pki::revocation_list::CrlScope;
use crate::pki::serial::SerialNumber;
use crate::pki::time::Timestamp;

pub(super) const WEEK: u64 = 7 * 24 * 3600;

/// How a certificate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Good,
    Revoked(Revoked),
}

/// Reason code (RFC 5280 §5.3.1), and since which second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Revoked {
    pub(super) reason: u8,
    pub(super) at: u64,
}

/// Who is revoked, as somebody knows it.
pub(super) type Known = BTreeMap<SerialNumber, Revoked>;

/// Whether the register has the certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Record {
    Present,
    /// Its serial number was given up before anybody had it.
    GivenUp,
    /// It was issued after the backup that was put back.
    Unknown,
}

#[derive(Clone, Debug)]
pub(super) struct Issued {
    pub(super) serial: SerialNumber,
    /// Under which key it was issued, and in which part of that.
    pub(super) scope: CrlScope,
    pub(super) account: usize,
    /// DER; empty where nobody ever had it.
    pub(super) certificate: Vec<u8>,
    pub(super) not_after: Timestamp,
    pub(super) record: Record,
    pub(super) state: State,
    /// How it stood since the OCSP answers last reflected everything: any of these may be told.
    pub(super) answered: Vec<State>,
    pub(super) ever_held: bool,
    /// Number of the first CRL that told its present state.
    pub(super) first_listed: Option<u64>,
}

impl Issued {
    /// Whether the lists of a scope must tell of it: complete lists tell of everybody, whichever
    /// key signs them, and a part's of its own.
    fn is_told_in(&self, scope: CrlScope) -> bool {
        scope.partition.is_none() || scope == self.scope
    }

    /// Whether whoever has it looks at the lists of a scope.
    fn looks_at(&self, scope: CrlScope) -> bool {
        self.scope.key == scope.key && self.is_told_in(scope)
    }

    /// Whether a part may tell of it: its own, and any of which a restore could not know.
    pub(super) fn may_be_told_in(&self, scope: CrlScope) -> bool {
        self.is_told_in(scope) || self.record == Record::Unknown
    }

    /// Whether a delta must tell of it: nobody asks about what has ended.
    pub(super) fn lives(&self, now: Timestamp) -> bool {
        self.not_after >= now
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    pub(super) issued: Vec<Issued>,
    places: BTreeMap<SerialNumber, usize>,
    /// Changes of which nobody knows whether they are on record.
    unsettled: Vec<(usize, State)>,
}

impl Model {
    pub(super) fn find(&self, serial: &SerialNumber) -> Option<&Issued> {
        self.places.get(serial).map(|place| &self.issued[*place])
    }

    pub(super) fn place(&self, serial: &SerialNumber) -> Option<usize> {
        self.places.get(serial).copied()
    }

    pub(super) fn add(&mut self, certificate: Issued) {
        assert!(!self.places.contains_key(&certificate.serial), "a serial number twice");
        self.places.insert(certificate.serial, self.issued.len());
        self.issued.push(certificate);
    }

    /// One of those that fit.
    pub(super) fn pick(&self, which: u64, fits: impl Fn(&Issued) -> bool) -> Option<usize> {
        let all: Vec<usize> = (0..self.issued.len()).filter(|at| fits(&self.issued[*at])).collect();
        let which = usize::try_from(which % all.len().max(1) as u64).unwrap();
        all.get(which).copied()
    }

    /// A change that is acknowledged.
    pub(super) fn change(&mut self, place: usize, state: State) {
        let issued = &mut self.issued[place];
        issued.state = state;
        issued.answered.push(state);
        issued.ever_held |= is_held(state);
        issued.first_listed = None;
    }

    /// A change whose outcome is unknown.
    pub(super) fn change_perhaps(&mut self, place: usize, state: State) {
        self.unsettled.push((place, state));
    }

    /// What a register that was opened anew says of the changes whose outcome was unknown.
    pub(super) fn settle(&mut self, says: impl Fn(&SerialNumber) -> State) {
        for (place, perhaps) in std::mem::take(&mut self.unsettled) {
            let before = self.issued[place].state;
            let now = says(&self.issued[place].serial);
            let serial = self.issued[place].serial;
            assert!(now == before || now == perhaps, "{serial}: {before:?}, {perhaps:?}, {now:?}");
            if now == perhaps {
                self.change(place, now);
            }
        }
    }

    /// The OCSP answers about what was issued under a key reflect all of it.
    pub(super) fn answers_reflect(&mut self, key: u16) {
        for issued in self.issued.iter_mut().filter(|issued| issued.scope.key == key) {
            issued.answered = vec![issued.state];
            // Nobody is told that it is good without a record of it.
            let known = |state: &State| issued.record == Record::Present || *state != State::Good;
            issued.answered.retain(known);
        }
    }

    /// A CRL of this scope with this number has told everything.
    pub(super) fn told_by(&mut self, scope: CrlScope, number: u64) {
        for issued in self.issued.iter_mut().filter(|issued| issued.looks_at(scope)) {
            if matches!(issued.state, State::Revoked(_)) {
                issued.first_listed.get_or_insert(number);
            }
        }
    }

    /// A backup was put back that knows of no CRL after `newest`; `published` is what each of the
    /// CRLs tells that were published last, in the order in which they are read.
    pub(super) fn restored(&mut self, backup: Self, newest: u64, published: &[Known]) {
        let later = std::mem::replace(self, backup);
        self.unsettled.clear();
        for issued in &mut self.issued {
            issued.first_listed = issued.first_listed.filter(|number| *number <= newest);
        }
        for issued in later.issued {
            match self.place(&issued.serial) {
                Some(place) => self.issued[place].ever_held |= issued.ever_held,
                None => self.add(Issued {
                    record: Record::Unknown,
                    state: State::Good,
                    answered: Vec::new(),
                    first_listed: None,
                    ..issued
                }),
            }
        }
        // The answers are made anew from nothing.
        self.issued.iter_mut().for_each(|issued| issued.answered.clear());
        for (serial, revoked) in published.iter().flatten() {
            let place = self.place(serial).expect("listed, but never issued");
            let state = State::Revoked(*revoked);
            let before = self.issued[place].state;
            // A hold that became final meanwhile must not be one that can be released.
            if before == State::Good || is_held(before) && !is_held(state) {
                self.change(place, state);
            }
        }
    }

    /// Who is revoked.
    pub(super) fn revoked(&self) -> Known {
        let revoked = self.issued.iter().filter_map(|issued| match issued.state {
            State::Revoked(revoked) => Some((issued.serial, revoked)),
            State::Good => None,
        });
        revoked.collect()
    }

    /// Who must stand in a CRL of `scope` made at `now` after one of `before` (its thisUpdate): all
    /// that are revoked, except those whose certificate ended so long ago that a scheduled list
    /// has told of it since (RFC 5280 §3.3).
    pub(super) fn must_list(
        &self,
        scope: CrlScope,
        now: Timestamp,
        before: Option<Timestamp>,
    ) -> Known {
        let ended = now.minus_seconds(WEEK).min(before.unwrap_or(Timestamp::from_millis(0)));
        let mut known = self.revoked();
        known.retain(|serial, _| {
            let issued = self.find(serial).unwrap();
            let counts = issued.record == Record::Unknown || issued.not_after >= ended;
            counts && issued.is_told_in(scope)
        });
        known
    }
}

impl State {
    pub(super) fn revoked(reason: RevocationReason, now: Timestamp) -> Self {
        Self::Revoked(Revoked { reason: reason.code(), at: now.seconds() })
    }
}

pub(super) fn is_held(state: State) -> bool {
    let hold = RevocationReason::CertificateHold.code();
    matches!(state, State::Revoked(revoked) if revoked.reason == hold)
}
