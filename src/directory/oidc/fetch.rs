//! Fetching a provider's keys: its discovery document (OpenID Connect Discovery 1.0 §4), then the
//! JWK set that names. Over HTTPS, bounded in time and size, never redirected.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// Octets of a document at most.
const LARGEST_DOCUMENT: u64 = 512 * 1024;

/// Fetches a JWK set.
pub trait Fetch: Send + Sync {
    /// The set's JSON text, or why there is none.
    fn fetch(&self) -> Result<Vec<u8>, String>;
}

/// Fetches from a provider over HTTPS.
pub struct Discovery {
    issuer: String,
    agent: Agent,
}

impl Discovery {
    /// Asks the provider with this issuer, whose TLS certificate leads to one of `roots` (DER).
    pub fn new(issuer: &str, roots: &[Vec<u8>], timeout: Duration) -> Self {
        let roots: Vec<Certificate<'static>> =
            roots.iter().map(|root| Certificate::from_der(root).to_owned()).collect();
        let tls = TlsConfig::builder()
            .unversioned_rustls_crypto_provider(Arc::new(
                rustls::crypto::aws_lc_rs::default_provider(),
            ))
            .root_certs(RootCerts::Specific(Arc::new(roots)))
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .https_only(true)
            .max_redirects(0)
            .timeout_global(Some(timeout))
            .build();
        Self { issuer: issuer.to_owned(), agent: Agent::new_with_config(config) }
    }

    fn document(&self, url: &str) -> Result<Vec<u8>, String> {
        let told = |error: ureq::Error| format!("{url}: {error}");
        let mut answer = self.agent.get(url).call().map_err(told)?;
        if answer.status() != 200 {
            return Err(format!("{url}: status {}", answer.status()));
        }
        answer.body_mut().with_config().limit(LARGEST_DOCUMENT).read_to_vec().map_err(told)
    }
}

impl Fetch for Discovery {
    fn fetch(&self) -> Result<Vec<u8>, String> {
        let base = self.issuer.trim_end_matches('/');
        let url = format!("{base}/.well-known/openid-configuration");
        let document: Value = serde_json::from_slice(&self.document(&url)?)
            .map_err(|error| format!("{url}: {error}"))?;
        // §4.3: it must be the issuer's own, or one provider could speak for another.
        if document.get("issuer").and_then(Value::as_str) != Some(self.issuer.as_str()) {
            return Err(format!("{url}: the issuer in it is not {}", self.issuer));
        }
        match document.get("jwks_uri").and_then(Value::as_str) {
            Some(keys) => self.document(keys),
            None => Err(format!("{url}: no jwks_uri")),
        }
    }
}
