//! The service as the holder of a certificate sees it: mutual TLS, and no token.

use std::path::Path;

use serde::{Deserialize, Serialize};
use ureq::Agent;
use ureq::tls::{Certificate as TlsCertificate, ClientCert, PrivateKey};
use zeroize::Zeroizing;

use super::pair::Held;
use crate::cli::failure::Failure;
use crate::cli::request::{Answer, NotEnrolled, agent_showing, answer, submitted};
use crate::pki::bundle::pem;
use crate::pki::certificate::Certificate;
use crate::pki::time::Timestamp;

/// A service, and the certificate that is shown to it.
pub(super) struct Holder {
    agent: Agent,
    url: String,
}

#[derive(Deserialize)]
struct Described {
    renew_after: Option<String>,
}

#[derive(Serialize)]
struct Submission<'a> {
    csr: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retire_after_seconds: Option<u64>,
}

impl Holder {
    pub(super) fn new(url: &str, ca_file: &Path, held: &Held) -> Result<Self, Failure> {
        let octets = held.key.to_pkcs8_der()?;
        let text = Zeroizing::new(pem::write("PRIVATE KEY", &octets));
        let key = PrivateKey::from_pem(text.as_bytes()).map_err(|error| {
            NotEnrolled::Unreachable { url: url.to_owned(), error: Box::new(error) }
        })?;
        let own = TlsCertificate::from_der(held.certificate.der()).to_owned();
        let shown = ClientCert::new_with_certs(&[own], key);
        let agent = agent_showing(ca_file, Some(shown))?;
        Ok(Self { agent, url: url.trim_end_matches('/').to_owned() })
    }

    /// From when on the certificate should be renewed.
    pub(super) fn renew_after(&self, certificate: &Certificate) -> Result<Timestamp, Failure> {
        let url = format!("{}/v1/certificates/{}", self.url, certificate.serial());
        let sent = self.agent.get(&url).header("Accept", "application/json").call();
        let described: Described = answer(&url, sent)?;
        let moment = described.renew_after.and_then(|moment| moment.parse().ok());
        Ok(moment.ok_or(NotEnrolled::NotUnderstood("renew_after: its template may be gone"))?)
    }

    /// Submits a renewal.
    pub(super) fn renew(
        &self,
        certificate: &Certificate,
        csr: &str,
        retire_after_seconds: Option<u64>,
    ) -> Result<Answer, Failure> {
        let url = format!("{}/v1/certificates/{}/renew", self.url, certificate.serial());
        let submission = Submission { csr, retire_after_seconds };
        submitted(&url, || self.agent.post(&url), &submission)
    }

    /// What became of a renewal that had to wait.
    pub(super) fn fetch(&self, request_id: u64) -> Result<Answer, Failure> {
        let url = format!("{}/v1/requests/{request_id}", self.url);
        let sent = self.agent.get(&url).header("Accept", "application/json").call();
        Ok(answer(&url, sent)?)
    }
}
