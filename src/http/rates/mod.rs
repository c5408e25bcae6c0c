//! How often somebody may call: per account, per address, and per address after failed
//! authentications, which are refused before anything costly is done. Wrong passwords are counted
//! for the account they were tried for as well, wherever they come from and however its name is
//! written.
//!
//! Absent: enrolments, unless a limit is set for them: what they cost is bounded by their lane,
//! which says 503. A certificate manager who revokes, releases or publishes is never kept waiting,
//! save with a password or a provider's token after failures from his address.
//! Begin with [`Rates`]; `budget` counts, `forwarded` finds the caller behind a proxy.

pub mod budget;
pub mod forwarded;

use std::cell::Cell;
use std::net::{IpAddr, Ipv6Addr};

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};

use super::credentials::Credential;
use super::peer::Peer;
use super::problem::Problem;
use crate::ca::permissions::Operation;
use crate::ca::{Guesses, Requester};
use crate::pki::time::Timestamp;
use budget::{Budget, PerMinute, Wait};
use forwarded::Proxies;

/// What is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Calls a minute of one account, enrolments not counted.
    pub account: PerMinute,
    /// Calls a minute from one address, enrolments not counted.
    pub address: PerMinute,
    /// Enrolments a minute of one account.
    pub enrolments: PerMinute,
    /// Failed authentications a minute from one address.
    pub failures: PerMinute,
    /// Wrong passwords a minute for one name.
    pub passwords: PerMinute,
    /// Whose word about the address of a caller is taken.
    pub proxies: Proxies,
}

impl Default for Allowance {
    fn default() -> Self {
        Self {
            account: PerMinute::Of(30_000),
            address: PerMinute::Of(60_000),
            enrolments: PerMinute::Unlimited,
            failures: PerMinute::Of(300),
            passwords: PerMinute::Of(20),
            proxies: Proxies::default(),
        }
    }
}

/// The counters of one server.
pub struct Rates {
    account: Budget<String>,
    address: Budget<IpAddr>,
    enrolments: Budget<String>,
    failures: Budget<IpAddr>,
    passwords: Budget<String>,
    proxies: Proxies,
}

impl Rates {
    /// Nothing counted yet.
    pub fn new(allowance: Allowance) -> Self {
        Self {
            account: Budget::new(allowance.account),
            address: Budget::new(allowance.address),
            enrolments: Budget::new(allowance.enrolments),
            failures: Budget::new(allowance.failures),
            passwords: Budget::new(allowance.passwords),
            proxies: allowance.proxies,
        }
    }

    /// Where a call comes from, as these counters see it: an IPv6 caller is its /64, since that
    /// is what one machine is given (RFC 4291 §2.5.1).
    pub fn origin(&self, peer: &Peer, headers: &HeaderMap) -> IpAddr {
        match self.proxies.caller(peer.address, headers) {
            IpAddr::V6(address) => {
                IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)))
            }
            address => address,
        }
    }

    /// Before a call is read: may this address call now? Failures stop even revoking, unless what
    /// the call shows is beyond guessing: a password must not be tried there without end.
    pub fn admit(
        &self,
        origin: IpAddr,
        operation: Operation,
        credential: Option<&Credential<'_>>,
        now: Timestamp,
    ) -> Result<(), Problem> {
        if is_revoking(operation) && credential.is_some_and(Credential::is_beyond_guessing) {
            return Ok(());
        }
        let refused = |wait| too_many(wait, "failed authentications from this address");
        self.failures.look(&origin, now).map_err(refused)?;
        match operation {
            Operation::Enroll => Ok(()),
            _ if is_revoking(operation) => Ok(()),
            _ => self
                .address
                .take(origin, now)
                .map_err(|wait| too_many(wait, "calls from this address")),
        }
    }

    /// An authentication failed.
    pub fn failed(&self, origin: IpAddr, now: Timestamp) {
        // What is over the limit is refused at its next call.
        let _ = self.failures.take(origin, now);
    }

    /// Once it is known who calls: may the account call now?
    pub fn admit_account(
        &self,
        requester: &Requester,
        operation: Operation,
        now: Timestamp,
    ) -> Result<(), Problem> {
        // By a role; who revokes by a right on a template waits as with every other call.
        if is_revoking(operation) && requester.may(Operation::Revoke) {
            return Ok(());
        }
        let name = requester.account().name.to_ascii_lowercase();
        let (budget, what) = match operation {
            Operation::Enroll => (&self.enrolments, "enrolments of this account"),
            _ => (&self.account, "calls of this account"),
        };
        budget.take(name, now).map_err(|wait| too_many(wait, what))
    }
}

/// The passwords that one call tries.
pub struct Passwords<'a> {
    rates: &'a Rates,
    now: Timestamp,
    refused: Cell<Option<Wait>>,
}

impl<'a> Passwords<'a> {
    /// None yet.
    pub fn tried(rates: &'a Rates, now: Timestamp) -> Self {
        Self { rates, now, refused: Cell::new(None) }
    }

    /// Refuses the call if one could not be tried.
    pub fn were_admitted(&self) -> Result<(), Problem> {
        match self.refused.get() {
            None => Ok(()),
            Some(wait) => Err(too_many(wait, "wrong passwords for this name")),
        }
    }
}

impl Guesses for Passwords<'_> {
    fn may_try(&self, spelling: &str) -> bool {
        match self.rates.passwords.look(&spelling.to_owned(), self.now) {
            Ok(()) => true,
            Err(wait) => {
                self.refused.set(Some(wait));
                false
            }
        }
    }

    fn was_wrong(&self, spelling: &str) {
        // What is over the limit is refused at its next try.
        let _ = self.rates.passwords.take(spelling.to_owned(), self.now);
    }
}

/// What must never wait: the acts that take a certificate out of use, and back.
fn is_revoking(operation: Operation) -> bool {
    use Operation::{PublishCrl, Revoke, RevokeCertificate};
    matches!(operation, Revoke | RevokeCertificate | PublishCrl)
}

/// 429 (RFC 6585 §4).
fn too_many(wait: Wait, what: &str) -> Problem {
    let seconds = wait.seconds();
    let detail = format!("too many {what}: try again in {seconds} s");
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate-limited", detail)
        .with_header(header::RETRY_AFTER, HeaderValue::from(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_network_is_one_caller() {
        let rates = Rates::new(Allowance::default());
        let origin = |text: &str| rates.origin(&Peer::at(text.parse().unwrap()), &HeaderMap::new());
        assert_eq!(origin("2001:db8::1"), origin("2001:db8::ffff:1:2:3"));
        assert_ne!(origin("2001:db8::1"), origin("2001:db8:0:1::1"));
        assert_ne!(origin("192.0.2.1"), origin("192.0.2.2"));
        assert_eq!(origin("::ffff:192.0.2.1"), origin("192.0.2.1"));
    }
}
