//! One attempt: a POST over HTTPS, bounded in time, never redirected; what is answered counts by
//! its status alone and is not read.

use std::sync::Arc;
use std::time::Duration;

use ureq::Agent;
use ureq::http::{StatusCode, header};
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::Endpoint;

/// The longest that a receiver may ask us to stay away, in seconds.
const LONGEST_RETRY_AFTER: u64 = 3600;

/// A notification as it is sent.
#[derive(Clone, Copy, Debug)]
pub struct Letter<'a> {
    /// `webhook-id`.
    pub id: &'a str,
    /// `webhook-timestamp`: seconds since the epoch, of this attempt.
    pub timestamp_seconds: u64,
    /// `webhook-signature`.
    pub signature: &'a str,
    /// JSON.
    pub body: &'a [u8],
}

/// It was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotTaken {
    /// Why, without the URL, which may hold a secret.
    pub why: String,
    /// How many seconds the receiver wants to be left alone, if it said so.
    pub retry_after_seconds: Option<u64>,
}

/// Somebody who delivers to one endpoint.
pub trait Carrier: Send {
    /// Delivers, or says why not, in bounded time.
    fn carry(&self, letter: Letter<'_>) -> Result<(), NotTaken>;
}

/// Delivers over HTTP.
pub struct Post {
    agent: Agent,
    url: String,
}

impl Post {
    /// To this endpoint.
    pub fn new(endpoint: &Endpoint) -> Self {
        let roots: Vec<Certificate<'static>> =
            endpoint.roots.iter().map(|root| Certificate::from_der(root).to_owned()).collect();
        let tls = TlsConfig::builder()
            .unversioned_rustls_crypto_provider(Arc::new(
                rustls::crypto::aws_lc_rs::default_provider(),
            ))
            .root_certs(RootCerts::Specific(Arc::new(roots)))
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .max_redirects(0)
            .http_status_as_error(false)
            .timeout_global(Some(endpoint.timeout))
            .user_agent(concat!("chancery/", env!("CARGO_PKG_VERSION")))
            // The settings say where to, not the environment.
            .proxy(None)
            // A connection kept open between rare events mostly turns out to be closed.
            .max_idle_age(Duration::from_secs(5))
            .build();
        Self { agent: Agent::new_with_config(config), url: endpoint.url.clone() }
    }
}

impl Carrier for Post {
    fn carry(&self, letter: Letter<'_>) -> Result<(), NotTaken> {
        let answer = self
            .agent
            .post(&self.url)
            .header(header::CONTENT_TYPE, "application/json")
            .header("webhook-id", letter.id)
            .header("webhook-timestamp", letter.timestamp_seconds.to_string())
            .header("webhook-signature", letter.signature)
            .send(letter.body)
            .map_err(|error| NotTaken { why: sentence(&error), retry_after_seconds: None })?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        let asks =
            matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
        let told = answer.headers().get(header::RETRY_AFTER).filter(|_| asks);
        let seconds = told.and_then(|value| value.to_str().ok()?.trim().parse::<u64>().ok());
        Err(NotTaken {
            why: format!("it answered with status {}", status.as_u16()),
            retry_after_seconds: seconds.map(|seconds| seconds.min(LONGEST_RETRY_AFTER)),
        })
    }
}

fn sentence(error: &ureq::Error) -> String {
    match error {
        ureq::Error::BadUri(_) => "its URL cannot be used".to_owned(),
        ureq::Error::Timeout(_) => "it did not answer in time".to_owned(),
        other => other.to_string(),
    }
}
