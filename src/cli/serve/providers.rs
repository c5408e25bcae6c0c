//! The OpenID Connect providers of the settings, put together with the roots from their files.

use std::path::Path;
use std::sync::Arc;

use crate::cli::failure::{Failure, at};
use crate::cli::settings::directory::OidcSection;
use crate::cli::surroundings::now;
use crate::directory::TokenIssuers;
use crate::directory::oidc::Provider;
use crate::directory::oidc::fetch::Discovery;
use crate::directory::oidc::keys::KeyStore;
use crate::directory::oidc::providers::Providers;
use crate::pki::bundle::certificates_from_pem;

/// Every provider, already fetching its keys; `None` where none is configured.
pub(super) fn providers(
    sections: &[OidcSection],
) -> Result<Option<Arc<dyn TokenIssuers>>, Failure> {
    if sections.is_empty() {
        return Ok(None);
    }
    let mut providers = Vec::new();
    for section in sections {
        let roots = match &section.root_file {
            Some(path) => roots_in(path)?,
            None => system_roots(),
        };
        let issuer = &section.settings.issuer;
        let discovery = Discovery::new(issuer, &roots, section.pace.patience);
        let keys = KeyStore::new(Box::new(discovery), section.pace);
        keys.prepare(now());
        providers.push(Provider::new(section.settings.clone(), keys));
    }
    Ok(Some(Arc::new(Providers(providers))))
}

fn roots_in(path: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    let text = std::fs::read_to_string(path).map_err(at(path))?;
    let malformed =
        |_| std::io::Error::new(std::io::ErrorKind::InvalidData, "no certificates in PEM");
    certificates_from_pem(&text).map_err(malformed).map_err(at(path))
}

fn system_roots() -> Vec<Vec<u8>> {
    let found = rustls_native_certs::load_native_certs();
    for error in found.errors {
        tracing::warn!(%error, "a root of the system's cannot be read");
    }
    found.certs.into_iter().map(|certificate| certificate.to_vec()).collect()
}
