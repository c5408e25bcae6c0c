//! What people ask of the service, and what the model says it must answer.

use super::lived::{Asked, Life, state_of};
use super::model::{Record, State, is_held};
use super::script::{Keyed, Life as Span};
use crate::ca::Refusal;
use crate::ca::enroll::{Enrolment, Outcome};
use crate::ca::ocsp::Found;
use crate::ca::revoke::Recorded;
use crate::ca::tests::world::{administrator, ask, csr, with_key};
use crate::pki::ocsp::{IssuerHash, IssuerIdentity, ResponseStatus};
use crate::pki::presented::{AnsweredBy, PresentedAnswer, PresentedCertificate, Said};
use crate::pki::revocation::RevocationReason;
use crate::pki::serial::SerialNumber;
use crate::storage::Register;

/// What must become of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    Done,
    Refused,
}

impl Life {
    pub(super) fn issue(&mut self, account: u64, life: Span, keyed: Keyed) {
        let account = usize::try_from(account).unwrap() % self.accounts.len();
        let template = match life {
            Span::Days => super::DAYS,
            Span::Weeks => super::WEEKS,
        };
        let key = format!("{}", self.draw.next());
        let asked = Asked { account, template, key, csr: csr(&[]) };
        let enrolment = ask(template, &asked.csr);
        let enrolment = match keyed {
            Keyed::Keyed => with_key(enrolment, &asked.key, 1),
            Keyed::Unkeyed => enrolment,
        };
        if let Err(refusal) = self.enroll(account, enrolment) {
            self.must_be_excused(&refusal);
            if keyed == Keyed::Keyed && self.machine.faults.is_dead() {
                self.asked = Some(asked);
            }
        }
    }

    fn enroll(&mut self, account: usize, asked: Enrolment<'_>) -> Result<(), Refusal> {
        let authority = &self.machine.service().authority;
        let enrolled = authority.enroll(&self.accounts[account], asked, self.now)?;
        let Outcome::Issued(row, _) = enrolled.outcome else { panic!("a request that waits") };
        if self.model.place(&row.serial).is_none() {
            self.issued(&row, account);
        }
        Ok(())
    }

    /// Whoever got no answer asks again, and has one certificate in the end.
    pub(super) fn ask_again(&mut self) {
        let Some(Asked { account, template, key, csr }) = self.asked.take() else { return };
        if let Err(refusal) = self.enroll(account, with_key(ask(template, &csr), &key, 1)) {
            self.must_be_excused(&refusal);
        }
    }

    pub(super) fn revoke(&mut self, which: u64, reason: u64) {
        let Some(place) = self.model.pick(which, |it| it.not_after >= self.now) else { return };
        self.change(place, reason_of(reason));
    }

    pub(super) fn hold(&mut self, which: u64) {
        let good = |it: &super::model::Issued| it.not_after >= self.now && it.state == State::Good;
        let Some(place) = self.model.pick(which, good) else { return };
        self.change(place, RevocationReason::CertificateHold);
    }

    /// Revokes or holds one, which may be refused.
    fn change(&mut self, place: usize, reason: RevocationReason) {
        let issued = &self.model.issued[place];
        let (serial, record, before) = (issued.serial, issued.record, issued.state);
        let hold = reason == RevocationReason::CertificateHold;
        let may = record == Record::Present && (before == State::Good || is_held(before) && !hold);
        let expected = if may { Expected::Done } else { Expected::Refused };
        let authority = &self.machine.service().authority;
        let outcome = authority.revoke(&administrator(), &serial, reason, None, self.now);
        self.note(outcome, place, State::revoked(reason, self.now), expected);
    }

    pub(super) fn release(&mut self, which: u64) {
        let Some(place) = self.model.pick(which, |it| it.ever_held) else { return };
        let issued = &self.model.issued[place];
        let expected = match issued.record == Record::Present && is_held(issued.state) {
            true => Expected::Done,
            false => Expected::Refused,
        };
        let authority = &self.machine.service().authority;
        let outcome = authority.release(&administrator(), &issued.serial, self.now);
        self.note(outcome, place, State::Good, expected);
    }

    fn note(
        &mut self,
        outcome: Result<Recorded, Refusal>,
        place: usize,
        state: State,
        expected: Expected,
    ) {
        match outcome {
            Ok(recorded) => {
                let before = &self.model.issued[place];
                assert_eq!(expected, Expected::Done, "{before:?} became {state:?}");
                self.model.change(place, state);
                self.acknowledged(&recorded);
            }
            Err(Refusal::Conflict(..) | Refusal::NotFound(_)) if expected == Expected::Refused => {}
            Err(refusal) => {
                self.must_be_excused(&refusal);
                assert!(self.machine.faults.is_dead(), "a full disk still revokes: {refusal}");
                if expected == Expected::Done {
                    self.model.change_perhaps(place, state);
                }
            }
        }
    }

    /// The caller was told that it is on record; lists and answers are asked for.
    fn acknowledged(&mut self, recorded: &Recorded) {
        self.counts.changes += 1;
        let Recorded { sequence, scopes, .. } = recorded;
        self.changed.extend(scopes.iter().map(|scope| (*scope, *sequence)));
        self.changed_at = self.now;
        let service = self.machine.service();
        service.publishers.demand(scopes, *sequence);
        service.makers.iter().for_each(|made| made.maker.demand(*sequence));
    }

    pub(super) fn revoke_account(&mut self, account: u64, reason: u64) {
        let account = usize::try_from(account).unwrap() % self.accounts.len();
        let reason = reason_of(reason);
        let name = self.accounts[account].account.name.clone();
        let concerned = |it: &super::model::Issued| {
            let hold = reason == RevocationReason::CertificateHold;
            it.account == account
                && it.record == Record::Present
                && match it.state {
                    State::Good => it.not_after >= self.now,
                    held => is_held(held) && !hold,
                }
        };
        let all = 0..self.model.issued.len();
        let places: Vec<usize> = all.filter(|at| concerned(&self.model.issued[*at])).collect();
        let authority = &self.machine.service().authority;
        let outcome = authority.revoke_account(&administrator(), &name, reason, None, self.now);
        match outcome {
            Ok(recorded) => {
                let mut told = recorded.certificates.clone();
                let mut expected: Vec<SerialNumber> =
                    places.iter().map(|place| self.model.issued[*place].serial).collect();
                told.sort_unstable();
                expected.sort_unstable();
                assert_eq!(told, expected);
                for place in places {
                    self.model.change(place, State::revoked(reason, self.now));
                }
                self.acknowledged(&recorded);
            }
            Err(refusal) => {
                self.must_be_excused(&refusal);
                for place in places {
                    self.model.change_perhaps(place, State::revoked(reason, self.now));
                }
            }
        }
    }

    /// Asks how one stands: by OCSP, and of the service itself.
    pub(super) fn ask(&mut self, which: u64) {
        self.counts.answers += 1;
        let Some(place) = self.model.pick(which, |it| it.not_after >= self.now) else {
            return self.ask_about_nobody(which);
        };
        if which.is_multiple_of(7) {
            return self.ask_about_nobody(which);
        }
        let issued = &self.model.issued[place];
        let key = issued.scope.key;
        let service = self.machine.service();
        let maker = service.maker(key);
        let troubled = maker.is_none_or(|maker| maker.trouble(self.now).is_some());
        match self.found(key, &issued.serial) {
            Found::Status(ResponseStatus::Unauthorized) => {
                let head = service.register.head().sequence;
                let unheard_of = issued.record != Record::Present
                    || issued.answered.len() > 1
                    || maker.is_some_and(|maker| !maker.reflects(head))
                    || maker.is_some() && troubled
                    || !self.in_time;
                assert!(unheard_of, "{} is not answered about", issued.serial);
            }
            Found::Status(ResponseStatus::TryLater) => {
                // Where all under the key has ended nothing is answered any more; and after a jump of
                // the clock the service has yet to see that answers have ended with their signer.
                let answered = issued.lives(self.now) && maker.is_some() && self.in_time;
                assert!(troubled || !answered, "no answer, no trouble");
            }
            Found::Stored(stored) => {
                assert!(stored.next_update > self.now);
                self.answer(&stored.octets, issued);
            }
            other => panic!("{other:?}"),
        }
        self.ask_for_status(place);
    }

    fn found(&self, key: u16, serial: &SerialNumber) -> Found {
        let service = self.machine.service();
        let identity = IssuerIdentity::of(service.issuer(key));
        let id = identity.certificate_id(IssuerHash::Sha1, serial);
        service.answers.find(&crate::ca::tests::answering::request(&[id], None), self.now)
    }

    /// An answer, read as the doctor reads anybody's.
    fn answer(&self, octets: &[u8], issued: &super::model::Issued) {
        if issued.certificate.is_empty() {
            return;
        }
        let issuer = self.machine.service().issuer(issued.scope.key);
        let own = PresentedCertificate::from_der(&issued.certificate).unwrap();
        let ca = PresentedCertificate::from_der(issuer.certificate_der()).unwrap();
        let answer = PresentedAnswer::from_der(octets, &own, &ca).unwrap();
        let PresentedAnswer::About { said, by, .. } = answer else { panic!("{answer:?}") };
        assert!(matches!(by, AnsweredBy::Delegate { until } if until > self.now), "{by:?}");
        let fits = |state: &State| match (state, said) {
            (State::Good, Said::Good) => true,
            (State::Revoked(revoked), Said::Revoked(at)) => at.seconds() == revoked.at,
            _ => false,
        };
        assert!(issued.answered.iter().any(fits), "{said:?} of {issued:?}");
    }

    /// A serial number that was never issued is never good, under whichever key.
    fn ask_about_nobody(&mut self, which: u64) {
        let authority = &self.machine.service().authority;
        let keys: Vec<u16> = authority.issuers().map(|issuer| issuer.key_index()).collect();
        let key = keys[usize::try_from(which).unwrap() % keys.len()];
        let mut octets = [0x5a; 20];
        octets[12..].copy_from_slice(&which.to_be_bytes());
        let found = self.found(key, &SerialNumber::from_random(octets));
        assert!(matches!(found, Found::Status(_)), "an answer about nobody: {found:?}");
    }

    /// The row that `/v1/certificates/{serial_number}/status` shows.
    fn ask_for_status(&self, place: usize) {
        let issued = &self.model.issued[place];
        let service = self.machine.service();
        let row = match service.authority.certificate(&administrator(), &issued.serial) {
            Ok(row) => row,
            Err(Refusal::NotFound(_)) if issued.record != Record::Present => return,
            Err(refusal) => panic!("{refusal}"),
        };
        let state = state_of(service.register.as_ref(), &issued.serial);
        assert_eq!(state, issued.state, "{}", issued.serial);
        assert_eq!(row.revocation.is_some(), state != State::Good);
        if row.revocation.is_some() && self.in_time {
            let first = service.authority.first_listed(&row).unwrap().map(|crl| crl.number);
            assert_eq!(first, issued.first_listed, "{}", issued.serial);
        }
    }
}

fn reason_of(number: u64) -> RevocationReason {
    let all = RevocationReason::ALL;
    all[usize::try_from(number % all.len() as u64).unwrap()]
}
