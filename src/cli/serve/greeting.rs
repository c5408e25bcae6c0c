//! What the service says at its start: what it did, where it is, and the next line to paste.

use super::addresses::Addresses;
use crate::ca::Authority;
use crate::cli::home::Home;
use crate::cli::settings::Gathered;
use crate::cli::surroundings::say;

/// Collects what was done.
pub(super) struct Greeting {
    did: Vec<String>,
    configuration: Option<String>,
    addresses: Addresses,
}

impl Greeting {
    pub(super) fn new(gathered: &Gathered, addresses: &Addresses) -> Self {
        let configuration = gathered.file.as_ref().map(|path| path.display().to_string());
        Self { did: Vec::new(), configuration, addresses: addresses.clone() }
    }

    /// Something was done at this start.
    pub(super) fn did(&mut self, what: String) {
        tracing::info!("{what}");
        self.did.push(what);
    }

    /// Says it all.
    pub(super) fn say(&self, authority: &Authority, home: &Home) {
        match self.did.as_slice() {
            [] => say("Everything is in place; this start changed nothing."),
            did => did.iter().for_each(|what| say(&format!("- {what}"))),
        }
        let (issuer, slug) = (authority.issuer(), authority.slug());
        say(&format!("CA           {} (until {})", issuer.name(), issuer.not_after()));
        if let Some(path) = &self.configuration {
            say(&format!("Settings     {path}"));
        }
        let url = self.addresses.api_url();
        say(&format!("API          {url} (on {})", self.addresses.api));
        say(&format!("Publication  on {}", self.addresses.publication));
        for crl in issuer.crl_urls() {
            say(&format!("CRL          {crl}"));
        }
        for earlier in authority.earlier_keys() {
            let (urls, end) = (earlier.issuer.crl_urls().join(" "), earlier.issuer.not_after());
            say(&format!("Earlier key  {urls} (until {end})"));
        }
        let head = authority.head();
        let head = crate::cli::backup::head(head.sequence, &head.hash);
        say(&format!("Ledger head  {head}"));
        tracing::info!(ca = %issuer.name(), slug, head, "serving");
        for notice in authority.notices() {
            say(&format!("Warning: {notice}"));
            tracing::warn!("{notice}");
        }
        say("Next:");
        say(&format!(
            "  curl --cacert {} -H \"Authorization: Bearer $(cat {})\" {url}/v1/ca",
            home.ca_pem().display(),
            home.admin_token().display()
        ));
    }
}
