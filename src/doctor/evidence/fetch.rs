//! How documents are fetched, and why they may not be: what the room is handed from outside.

use std::sync::Arc;

use super::addresses::MOST_LOOKUPS;

/// Fetches a document. What it may reach is its own business; it never follows a redirect.
pub trait Fetch {
    /// GET.
    fn get(&self, url: &str) -> Result<Document, NotFetched>;

    /// POST of an OCSP request (RFC 6960 appendix A).
    fn ask(&self, url: &str, request: &[u8]) -> Result<Document, NotFetched>;
}

/// Makes a [`Fetch`] for each question, whose time begins to run with it.
pub trait Fetching: Send + Sync {
    /// For one question.
    fn begin(&self) -> Box<dyn Fetch>;
}

/// Fetches nothing.
#[derive(Clone, Copy, Debug)]
pub struct Offline;

impl Fetching for Offline {
    fn begin(&self) -> Box<dyn Fetch> {
        Box::new(Self)
    }
}

impl Fetch for Offline {
    fn get(&self, _: &str) -> Result<Document, NotFetched> {
        Err(NotFetched::Offline)
    }

    fn ask(&self, _: &str, _: &[u8]) -> Result<Document, NotFetched> {
        Err(NotFetched::Offline)
    }
}

/// What an address gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The body.
    pub body: Arc<Vec<u8>>,
    /// How many seconds the server's clock (RFC 9110 §6.6.1) is ahead of ours; negative if behind.
    pub clock_ahead_seconds: Option<i64>,
}

/// Why nothing was fetched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotFetched {
    /// Nothing is fetched at all.
    #[error("not looked up: nothing is fetched")]
    Offline,
    /// LDAP, HTTPS, a file: not looked up here.
    #[error("not looked up: {0} is not fetched here, only http")]
    OtherScheme(String),
    /// No URL.
    #[error("not a URL")]
    NotAUrl,
    /// An address that may not be asked from here.
    #[error("not looked up: {0} is a private address, and not among those allowed here")]
    Private(std::net::IpAddr),
    /// So many addresses were looked up already.
    #[error("not looked up: {MOST_LOOKUPS} addresses or 128 MiB were already")]
    TooMany,
    /// No such host, no connection, an answer that breaks off.
    #[error("{0}")]
    Unreachable(String),
    /// The time for all of them is over.
    #[error("not looked up: the {0} seconds for all addresses together are over")]
    OutOfTime(u64),
    /// Too long on its way.
    #[error("no answer within {0} seconds")]
    Slow(u64),
    /// Larger than is read.
    #[error("larger than {0} octets")]
    TooLarge(u64),
    /// A redirect.
    #[error("HTTP {0}: a redirect, which is not followed here")]
    Redirected(u16),
    /// Another status than 200.
    #[error("HTTP {0}")]
    Status(u16),
}

impl NotFetched {
    /// Whether it says nothing about the address: nobody went there.
    pub fn was_not_tried(&self) -> bool {
        matches!(
            self,
            Self::Offline
                | Self::OtherScheme(_)
                | Self::Private(_)
                | Self::TooMany
                | Self::OutOfTime(_)
        )
    }
}
