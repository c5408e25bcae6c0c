//! The service as its client sees it: HTTPS, trusting one root only.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use ureq::http::Response;
use ureq::tls::{Certificate, ClientCert, RootCerts, TlsConfig};
use ureq::typestate::WithBody;
use ureq::{Agent, Body, RequestBuilder};
use zeroize::Zeroizing;

use super::NotEnrolled;
use crate::cli::failure::{Failure, at};
use crate::cli::home::read_certificates;
use crate::cli::surroundings::random_octets;

/// For one call; an enrolment takes milliseconds, a busy service answers 503 at once.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a submission is tried again when its answer does not arrive.
const TRIES: u32 = 3;
/// Between two of these.
const PAUSE: Duration = Duration::from_secs(1);

/// A service and the credential for it.
pub(super) struct Service {
    agent: Agent,
    url: String,
    token: Zeroizing<String>,
}

/// What became of a request.
#[derive(Deserialize)]
pub(in crate::cli) struct Answer {
    pub(in crate::cli) request_id: u64,
    pub(in crate::cli) disposition: Disposition,
    pub(in crate::cli) detail: Option<String>,
    pub(in crate::cli) certificate: Option<String>,
    pub(in crate::cli) chain: Option<String>,
    pub(in crate::cli) alt_security_identities: Option<String>,
    #[serde(default)]
    pub(in crate::cli) notices: Vec<String>,
}

/// [MS-CSRA]'s words, as the service writes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::cli) enum Disposition {
    Pending,
    Denied,
    Issued,
    Revoked,
    Failed,
}

impl Disposition {
    pub(in crate::cli) fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Denied => "denied",
            Self::Issued => "issued",
            Self::Revoked => "revoked",
            Self::Failed => "failed",
        }
    }
}

/// A problem document (RFC 9457), as far as it is shown.
#[derive(Default, Deserialize)]
struct Problem {
    #[serde(default)]
    rule: String,
    #[serde(default)]
    detail: String,
}

#[derive(Serialize)]
struct Submission<'a> {
    template: &'a str,
    csr: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_behalf_of: Option<&'a str>,
}

impl Service {
    pub(super) fn new(url: &str, ca_file: &Path, token_file: &Path) -> Result<Self, Failure> {
        let token = std::fs::read_to_string(token_file).map_err(at(token_file))?;
        Ok(Self {
            agent: agent(ca_file)?,
            url: url.trim_end_matches('/').to_owned(),
            token: Zeroizing::new(Zeroizing::new(token).trim().to_owned()),
        })
    }

    /// Submits a request.
    pub(super) fn submit(
        &self,
        template: &str,
        csr: &str,
        on_behalf_of: Option<&str>,
    ) -> Result<Answer, Failure> {
        let url = format!("{}/v1/requests", self.url);
        let submission = Submission { template, csr, on_behalf_of };
        let bearer = self.bearer();
        let post = || self.agent.post(&url).header("Authorization", bearer.as_str());
        submitted(&url, post, &submission)
    }

    /// What became of an earlier request.
    pub(super) fn fetch(&self, request_id: u64) -> Result<Answer, Failure> {
        let url = format!("{}/v1/requests/{request_id}", self.url);
        let sent = self
            .agent
            .get(&url)
            .header("Authorization", self.bearer().as_str())
            .header("Accept", "application/json")
            .call();
        Ok(answer(&url, sent)?)
    }

    fn bearer(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("Bearer {}", self.token.as_str()))
    }
}

/// An HTTPS client that trusts the certificates in `ca_file` and nobody else, follows nothing and
/// asks no proxy: the service is in the house.
pub(in crate::cli) fn agent(ca_file: &Path) -> Result<Agent, Failure> {
    agent_showing(ca_file, None)
}

/// The same, showing a certificate of its own.
pub(in crate::cli) fn agent_showing(
    ca_file: &Path,
    own: Option<ClientCert>,
) -> Result<Agent, Failure> {
    let roots = read_certificates(ca_file)?;
    let roots = roots.iter().map(|der| Certificate::from_der(der).to_owned()).collect();
    let tls = TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .root_certs(RootCerts::Specific(Arc::new(roots)))
        .client_cert(own)
        .build();
    let config = Agent::config_builder()
        .tls_config(tls)
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .timeout_global(Some(PATIENCE))
        .build();
    Ok(config.new_agent())
}

/// Submits by what `post` begins. Tried again with the same `Idempotency-Key` when no answer
/// arrives, so that nothing is issued twice.
pub(in crate::cli) fn submitted(
    url: &str,
    post: impl Fn() -> RequestBuilder<WithBody>,
    submission: &impl Serialize,
) -> Result<Answer, Failure> {
    let octets: [u8; 16] = random_octets()?;
    let key: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    let mut tries = 0;
    loop {
        tries += 1;
        let post = post().header("Accept", "application/json").header("Idempotency-Key", &key);
        match post.send_json(submission) {
            Err(error) if tries < TRIES && may_pass(&error) => {
                tracing::warn!(%error, "no answer; trying again");
                std::thread::sleep(PAUSE);
            }
            sent => return Ok(answer(url, sent)?),
        }
    }
}

/// Whether the same call may do better a moment later.
fn may_pass(error: &ureq::Error) -> bool {
    matches!(error, ureq::Error::Io(_) | ureq::Error::Timeout(_) | ureq::Error::ConnectionFailed)
}

/// The JSON of an answer, or why there is none.
pub(in crate::cli) fn answer<Shape: DeserializeOwned>(
    url: &str,
    sent: Result<Response<Body>, ureq::Error>,
) -> Result<Shape, NotEnrolled> {
    let unreachable =
        |error| NotEnrolled::Unreachable { url: url.to_owned(), error: Box::new(error) };
    let mut response = sent.map_err(unreachable)?;
    let status = response.status().as_u16();
    let text = response.body_mut().read_to_string().map_err(unreachable)?;
    if (200..300).contains(&status) {
        return serde_json::from_str(&text).map_err(|_| NotEnrolled::NotUnderstood("its JSON"));
    }
    let problem: Problem = serde_json::from_str(&text).unwrap_or_default();
    Err(NotEnrolled::Refused { status, rule: problem.rule, detail: problem.detail })
}
