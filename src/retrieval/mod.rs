//! Fetching what certificates name: CRLs, issuers' certificates and OCSP answers, over plain HTTP.
//!
//! What a stranger's certificate names is a stranger's wish, so: no redirect is followed, no proxy is
//! used, size and time are bounded, an address is resolved once and judged before it is connected
//! to, and nothing that comes back goes anywhere but to the doctor. Absent: HTTPS and LDAP.
//! Begin with [`Retrieval`]; `handshake` asks a TLS server for its chain.

mod address;
pub mod handshake;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ureq::http::{Response, Uri};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Body, config::Config};

use crate::doctor::{Document, Fetch, Fetching, NotFetched};
use crate::pki::time::Timestamp;
pub use address::is_public;

/// What may be reached.
#[derive(Clone)]
pub enum Reach {
    /// Whatever resolves: the operator's own machine asks.
    Anywhere,
    /// Public addresses, and others that were allowed.
    Public {
        /// Whether an address that is not public may be asked all the same.
        besides: Arc<dyn Fn(IpAddr) -> bool + Send + Sync>,
        /// `host:port` of our own publication, wherever that resolves to.
        own: Arc<[String]>,
    },
}

impl fmt::Debug for Reach {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Anywhere => "Anywhere",
            Self::Public { .. } => "Public",
        })
    }
}

/// How much and how long.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Octets of one document at most.
    pub octets: u64,
    /// For one address.
    pub each: Duration,
    /// For all of them together.
    pub all: Duration,
}

impl Default for Limits {
    /// 64 MiB, which is a CRL of more than a million entries; 10 seconds, 60 seconds.
    fn default() -> Self {
        let (each, all) = (Duration::from_secs(10), Duration::from_secs(60));
        Self { octets: 64 * 1024 * 1024, each, all }
    }
}

/// Begins a fetching for each question, within the same bounds.
pub struct Rounds {
    /// What may be reached.
    pub reach: Reach,
    /// How much and how long.
    pub limits: Limits,
    /// The clock that servers' clocks are compared with.
    pub clock: fn() -> Timestamp,
}

impl Fetching for Rounds {
    fn begin(&self) -> Box<dyn Fetch> {
        Box::new(Retrieval::new(self.reach.clone(), self.limits, self.clock))
    }
}

/// Fetches for one question: its time runs from its making.
pub struct Retrieval {
    agent: Agent,
    limits: Limits,
    clock: fn() -> Timestamp,
    began: Instant,
}

impl Retrieval {
    /// With these limits; `clock` is compared with the servers' clocks.
    pub fn new(reach: Reach, limits: Limits, clock: fn() -> Timestamp) -> Self {
        let config = Agent::config_builder()
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .max_idle_connections(0)
            .max_response_header_size(16 * 1024)
            .user_agent("chancery-doctor")
            .build();
        let guarded = Guarded { inner: DefaultResolver::default(), reach };
        let agent = Agent::with_parts(config, DefaultConnector::default(), guarded);
        Self { agent, limits, clock, began: Instant::now() }
    }

    /// How long this address may take, of the time that is left for all.
    fn patience(&self) -> Result<Duration, NotFetched> {
        let left = self.limits.all.saturating_sub(self.began.elapsed());
        if left.is_zero() {
            return Err(NotFetched::OutOfTime(self.limits.all.as_secs()));
        }
        Ok(self.limits.each.min(left))
    }

    fn document(
        &self,
        answer: Result<Response<Body>, ureq::Error>,
        patience: Duration,
    ) -> Result<Document, NotFetched> {
        let mut answer = answer.map_err(|error| self.told(error, patience))?;
        let clock_ahead_seconds = self.clock_ahead(answer.headers());
        match answer.status().as_u16() {
            200 => {}
            status @ 300..400 => return Err(NotFetched::Redirected(status)),
            status => return Err(NotFetched::Status(status)),
        }
        let body = answer.body_mut().with_config().limit(self.limits.octets);
        let body = body.read_to_vec().map_err(|error| self.told(error, patience))?;
        Ok(Document { body: Arc::new(body), clock_ahead_seconds })
    }

    /// A cache's answer (RFC 9111 §5.1) says when it was made, not what time it is.
    fn clock_ahead(&self, headers: &ureq::http::HeaderMap) -> Option<i64> {
        if headers.contains_key("age") {
            return None;
        }
        let date = httpdate::parse_http_date(headers.get("date")?.to_str().ok()?).ok()?;
        let theirs = date.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs();
        let ours = (self.clock)().seconds();
        i64::try_from(theirs).ok()?.checked_sub(i64::try_from(ours).ok()?)
    }

    /// In words of our own: what a server sent is not repeated.
    fn told(&self, error: ureq::Error, patience: Duration) -> NotFetched {
        match error {
            ureq::Error::Timeout(_) => NotFetched::Slow(whole_seconds(patience)),
            ureq::Error::BodyExceedsLimit(_) => NotFetched::TooLarge(self.limits.octets),
            ureq::Error::BadUri(_) | ureq::Error::Http(_) => NotFetched::NotAUrl,
            ureq::Error::HostNotFound => NotFetched::Unreachable("no such host".to_owned()),
            ureq::Error::ConnectionFailed => NotFetched::Unreachable("no connection".to_owned()),
            ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::TimedOut => {
                NotFetched::Slow(whole_seconds(patience))
            }
            // A name that does not resolve comes as an error of its own kind, without a number.
            ureq::Error::Io(error) if error.raw_os_error().is_none() => {
                NotFetched::Unreachable("no such host, or the connection broke off".to_owned())
            }
            ureq::Error::Io(error) => NotFetched::Unreachable(error.kind().to_string()),
            ureq::Error::Other(error) => match error.downcast_ref::<Refused>() {
                Some(Refused(address)) => NotFetched::Private(*address),
                None => NotFetched::Unreachable("no connection".to_owned()),
            },
            _ => NotFetched::Unreachable("the answer is no HTTP that is understood".to_owned()),
        }
    }
}

/// Rounded up: nobody is told of no seconds.
fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

impl Fetch for Retrieval {
    fn get(&self, url: &str) -> Result<Document, NotFetched> {
        let (uri, patience) = (plain(url)?, self.patience()?);
        let request = self.agent.get(uri).config().timeout_global(Some(patience)).build();
        self.document(request.call(), patience)
    }

    fn ask(&self, url: &str, request: &[u8]) -> Result<Document, NotFetched> {
        let (uri, patience) = (plain(url)?, self.patience()?);
        let post = self.agent.post(uri).header("content-type", "application/ocsp-request");
        let post = post.config().timeout_global(Some(patience)).build();
        self.document(post.send(request), patience)
    }
}

/// Neither user names nor other schemes: only what a place for CRLs needs.
fn plain(url: &str) -> Result<Uri, NotFetched> {
    let uri: Uri = url.parse().map_err(|_| NotFetched::NotAUrl)?;
    let plain = uri.authority().is_some_and(|own| !own.as_str().contains('@'));
    if plain && uri.scheme_str() == Some("http") { Ok(uri) } else { Err(NotFetched::NotAUrl) }
}

/// No address that a name has may be asked from here.
#[derive(Debug, thiserror::Error)]
#[error("{0} may not be asked from here")]
struct Refused(IpAddr);

/// Resolves once, and gives on only what may be connected to: a second answer of the name server
/// (DNS rebinding) is never asked for.
#[derive(Debug)]
struct Guarded {
    inner: DefaultResolver,
    reach: Reach,
}

impl Resolver for Guarded {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.inner.resolve(uri, config, timeout)?;
        let Reach::Public { besides, own } = &self.reach else { return Ok(found) };
        if own.iter().any(|allowed| *allowed == host_and_port(uri)) {
            return Ok(found);
        }
        let mut kept = self.empty();
        let mut refused = None;
        for address in found.iter() {
            if is_public(address.ip()) || besides(address.ip()) {
                kept.push(*address);
            } else {
                refused = Some(address.ip());
            }
        }
        match refused {
            Some(address) if kept.is_empty() => Err(ureq::Error::Other(Box::new(Refused(address)))),
            _ => Ok(kept),
        }
    }
}

/// `host:port` in lower case, the port 80 if none is written.
pub fn host_and_port(uri: &Uri) -> String {
    let host = uri.host().unwrap_or_default().to_ascii_lowercase();
    format!("{host}:{}", uri.port_u16().unwrap_or(80))
}

/// `host:port` of a URL, as [`Reach::Public`] takes it.
pub fn authority_of(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    uri.host().map(|_| host_and_port(&uri))
}

#[cfg(test)]
mod tests;
