//! A provider's public keys (RFC 7517): fetched on a thread of their own, kept while the provider
//! is down, fetched again when they are old or a token names a key that is not among them.
//!
//! Nobody but who needs a key that is not there waits for the provider, and of those a few at a
//! time: the others are told at once to come again.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;

use super::fetch::Fetch;
use crate::directory::TokenRefused;
use crate::pki::time::Timestamp;

/// Keys of one provider that are looked at; further ones are not.
const MOST_KEYS: usize = 64;
/// Calls that wait for one provider at a time.
const WAITING: usize = 2;

/// A key that a token names.
#[derive(Clone, Copy, Debug)]
pub struct Sought<'a> {
    /// `kid`.
    pub kid: Option<&'a str>,
    /// `alg`.
    pub algorithm: Algorithm,
}

/// Public keys that verify signatures, by their identifiers.
#[derive(Clone, Debug, Default)]
pub struct Keys(Arc<Vec<Key>>);

#[derive(Debug)]
struct Key {
    kid: Option<String>,
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
}

impl Keys {
    /// Reads a JWK set (RFC 7517 §5): keys that are not for signatures, symmetric ones and those
    /// of kinds unknown here are passed over. `None` if it is no such set.
    pub fn read(text: &[u8]) -> Option<Self> {
        let set: Value = serde_json::from_slice(text).ok()?;
        let keys = set.get("keys")?.as_array()?;
        let readable = keys.iter().take(MOST_KEYS).filter_map(|value| {
            let jwk: Jwk = serde_json::from_value(value.clone()).ok()?;
            Key::of(&jwk)
        });
        Some(Self(Arc::new(readable.collect())))
    }

    /// The key a token names. A token that names none is taken where only one key fits.
    pub fn find(&self, sought: Sought<'_>) -> Option<&DecodingKey> {
        let mut fitting = self.0.iter().filter(|key| {
            key.algorithms.contains(&sought.algorithm)
                && sought.kid.is_none_or(|kid| key.kid.as_deref() == Some(kid))
        });
        let found = fitting.next()?;
        (sought.kid.is_some() || fitting.next().is_none()).then_some(&found.key)
    }
}

impl Key {
    fn of(jwk: &Jwk) -> Option<Self> {
        let common = &jwk.common;
        if !matches!(common.public_key_use, None | Some(PublicKeyUse::Signature)) {
            return None;
        }
        let mut algorithms = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => vec![Algorithm::RS256, Algorithm::PS256],
            AlgorithmParameters::EllipticCurve(key) => match key.curve {
                EllipticCurve::P256 => vec![Algorithm::ES256],
                EllipticCurve::P384 => vec![Algorithm::ES384],
                _ => return None,
            },
            AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
                vec![Algorithm::EdDSA]
            }
            _ => return None,
        };
        // RFC 7517 §4.4: a key that names its algorithm is for that one only.
        if let Some(own) = common.key_algorithm {
            algorithms.retain(|algorithm| is_same(own, *algorithm));
        }
        let key = DecodingKey::from_jwk(jwk).ok()?;
        (!algorithms.is_empty()).then(|| Self { kid: common.key_id.clone(), algorithms, key })
    }
}

fn is_same(own: KeyAlgorithm, algorithm: Algorithm) -> bool {
    matches!(
        (own, algorithm),
        (KeyAlgorithm::RS256, Algorithm::RS256)
            | (KeyAlgorithm::PS256, Algorithm::PS256)
            | (KeyAlgorithm::ES256, Algorithm::ES256)
            | (KeyAlgorithm::ES384, Algorithm::ES384)
            | (KeyAlgorithm::EdDSA, Algorithm::EdDSA)
    )
}

/// How old keys may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Seconds between two fetches at least, whatever tokens ask for.
    pub least_seconds: u64,
    /// Seconds after which keys are fetched again; the old ones serve meanwhile, and on while
    /// the provider is down.
    pub life_seconds: u64,
    /// How long a call waits for keys.
    pub patience: Duration,
}

/// Where a provider's keys are kept.
pub struct KeyStore {
    shared: Arc<Shared>,
    pace: Pace,
}

struct Shared {
    fetch: Box<dyn Fetch>,
    state: Mutex<State>,
    fetched: Condvar,
}

#[derive(Default)]
struct State {
    keys: Keys,
    /// When keys last arrived.
    arrived: Option<Timestamp>,
    /// When they were last asked for.
    asked: Option<Timestamp>,
    under_way: bool,
    waiting: usize,
}

impl KeyStore {
    /// No keys yet.
    pub fn new(fetch: Box<dyn Fetch>, pace: Pace) -> Self {
        let state = Mutex::new(State::default());
        Self { shared: Arc::new(Shared { fetch, state, fetched: Condvar::new() }), pace }
    }

    /// Begins to fetch, so that the first call finds keys.
    pub fn prepare(&self, now: Timestamp) {
        self.begin(&mut self.shared.state(), now);
    }

    /// The keys, with the one that is sought if the provider has it: a key that is not known is
    /// fetched for, if that was not done a moment ago.
    pub fn holding(&self, sought: Sought<'_>, now: Timestamp) -> Result<Keys, TokenRefused> {
        let mut state = self.shared.state();
        // What is still to come is left of a clock that was put back: it keeps no key out.
        let soon = now.plus_seconds(self.pace.least_seconds);
        let passed = |since: Option<Timestamp>| {
            since.filter(|then| *then <= soon).map(|then| now.seconds_since(then))
        };
        let may_ask = passed(state.asked).is_none_or(|ago| ago >= self.pace.least_seconds);
        let old = passed(state.arrived).is_none_or(|age| age >= self.pace.life_seconds);
        let known = state.keys.find(sought).is_some();
        if may_ask && (old || !known) {
            self.begin(&mut state, now);
        }
        if known || !state.under_way {
            return match state.arrived {
                Some(_) => Ok(state.keys.clone()),
                None => Err(unavailable("its keys could not be fetched")),
            };
        }
        if state.waiting >= WAITING {
            return Err(unavailable("its keys are being fetched"));
        }
        state.waiting += 1;
        let under_way = |state: &mut State| state.under_way;
        let waited = self.shared.fetched.wait_timeout_while(state, self.pace.patience, under_way);
        let (mut state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        state.waiting -= 1;
        if timeout.timed_out() || state.arrived.is_none() {
            return Err(unavailable("its keys could not be fetched in time"));
        }
        Ok(state.keys.clone())
    }

    fn begin(&self, state: &mut State, now: Timestamp) {
        if state.under_way {
            return;
        }
        (state.under_way, state.asked) = (true, Some(now));
        let shared = Arc::clone(&self.shared);
        let begun = std::thread::Builder::new()
            .name("oidc-keys".to_owned())
            .spawn(move || UnderWay(shared).0.fetch_once(now));
        if let Err(error) = begun {
            tracing::warn!(%error, "no thread to fetch a provider's keys");
            state.under_way = false;
        }
    }
}

/// A fetching that is over when this is gone, also where reading what a provider sent panics:
/// else nobody would ever fetch again.
struct UnderWay(Arc<Shared>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.state().under_way = false;
        self.0.fetched.notify_all();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fetch_once(&self, now: Timestamp) {
        let fetched = self.fetch.fetch().and_then(|text| {
            Keys::read(&text).ok_or_else(|| "what was fetched is no JWK set".to_owned())
        });
        match fetched {
            Ok(keys) => {
                let mut state = self.state();
                (state.keys, state.arrived) = (keys, Some(now));
            }
            Err(error) => {
                tracing::warn!(%error, "a provider's keys could not be fetched; those known stay");
            }
        }
    }
}

fn unavailable(why: &str) -> TokenRefused {
    TokenRefused::Unavailable(format!("the token's issuer does not answer: {why}"))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    struct Counted(Arc<AtomicUsize>);

    impl Fetch for Counted {
        fn fetch(&self) -> Result<Vec<u8>, String> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Ok(br#"{"keys":[]}"#.to_vec())
        }
    }

    struct PanicsOnce(Arc<AtomicUsize>);

    impl Fetch for PanicsOnce {
        fn fetch(&self) -> Result<Vec<u8>, String> {
            match self.0.fetch_add(1, Ordering::SeqCst) {
                0 => panic!("as a library may over what it reads"),
                _ => Ok(br#"{"keys":[]}"#.to_vec()),
            }
        }
    }

    #[test]
    fn a_fetch_that_panics_is_over_and_the_next_one_is_made() {
        let fetched = Arc::new(AtomicUsize::new(0));
        let patience = Duration::from_secs(20);
        let pace = Pace { least_seconds: 30, life_seconds: 3600, patience };
        let store = KeyStore::new(Box::new(PanicsOnce(Arc::clone(&fetched))), pace);
        let sought = Sought { kid: Some("new"), algorithm: Algorithm::RS256 };
        let look = |moment: u64| store.holding(sought, Timestamp::from_seconds(moment));
        let begun = std::time::Instant::now();
        let refused = look(1_800_000_000).unwrap_err();
        assert!(matches!(refused, TokenRefused::Unavailable(_)), "{refused:?}");
        assert!(begun.elapsed() < patience, "nobody waits for what is over");
        assert!(look(1_800_000_030).is_ok());
        assert_eq!(fetched.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn keys_are_fetched_again_after_the_clock_was_put_back() {
        let fetched = Arc::new(AtomicUsize::new(0));
        let patience = Duration::from_secs(20);
        let pace = Pace { least_seconds: 30, life_seconds: 3600, patience };
        let store = KeyStore::new(Box::new(Counted(Arc::clone(&fetched))), pace);
        let sought = Sought { kid: Some("new"), algorithm: Algorithm::RS256 };
        let look = |moment: u64| {
            store.holding(sought, Timestamp::from_seconds(moment)).unwrap();
            fetched.load(Ordering::SeqCst)
        };
        let wrong = 2_000_000_000;
        assert_eq!(look(wrong), 1);
        assert_eq!(look(wrong + 29), 1, "not again at once");
        assert_eq!(look(wrong - 1), 1, "nor for a call that came a moment earlier");
        let right = 1_800_000_000;
        assert_eq!(look(right), 2);
        assert_eq!(look(right + 1), 2);
        assert_eq!(look(right + 30), 3);
    }
}
