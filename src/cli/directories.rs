//! The directories of the settings, put together with the roots and secrets from their files.

use std::path::Path;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::failure::{Failure, at};
use super::settings::directory::{DirectorySection, LdapSection, OidcSection, Secret};
use super::surroundings::now;
use crate::directory::ldap::ActiveDirectory;
use crate::directory::ldap::server::Servers;
use crate::directory::oidc::Provider;
use crate::directory::oidc::fetch::Discovery;
use crate::directory::oidc::keys::KeyStore;
use crate::directory::oidc::providers::Providers;
use crate::directory::several::{Branch, Several};
use crate::directory::{Directory, DirectoryError, Guesses, Logon, TokenIssuers};
use crate::http::pool::aside;
use crate::pki::account::Account;
use crate::pki::bundle::certificates_from_pem;

/// Every provider, already fetching its keys; `None` where none is configured.
pub fn providers(sections: &[DirectorySection]) -> Result<Option<Arc<dyn TokenIssuers>>, Failure> {
    let mut providers = Vec::new();
    for section in sections {
        let DirectorySection::Oidc(section) = section else { continue };
        let roots = roots(section.root_file.as_deref())?;
        let issuer = &section.settings.issuer;
        let discovery = Discovery::new(issuer, &roots, section.pace.patience);
        let keys = KeyStore::new(Box::new(discovery), section.pace);
        keys.prepare(now());
        providers.push(Provider::new(section.settings.clone(), keys));
    }
    match providers.is_empty() {
        true => Ok(None),
        false => Ok(Some(Arc::new(Providers(providers)))),
    }
}

/// The built-in directory and every Active Directory domain beside it. Nobody is connected to
/// before somebody is looked up: a domain that is down does not keep the service from starting.
pub fn directories(
    built_in: impl Directory + 'static,
    sections: &[DirectorySection],
) -> Result<Several, Failure> {
    let mut branches = Vec::new();
    let mut default_realm = None;
    for section in sections {
        let DirectorySection::Ldap(section) = section else { continue };
        branches.push(branch(section)?);
        if section.is_default {
            default_realm = Some(section.domain.realm.clone());
        }
    }
    Ok(Several { built_in: Box::new(built_in), branches, default_realm })
}

/// That the files and variables that sections name are there and hold what they should.
pub fn check(section: &DirectorySection) -> Result<(), Failure> {
    match section {
        DirectorySection::Ldap(section) => branch(section).map(drop),
        DirectorySection::Oidc(OidcSection { root_file, .. }) => {
            roots(root_file.as_deref()).map(drop)
        }
    }
}

fn branch(section: &LdapSection) -> Result<Branch, Failure> {
    let password = secret(&section.bind_password)?;
    let servers = Servers::new(
        section.servers.clone(),
        &roots(section.root_file.as_deref())?,
        section.bind_name.clone(),
        password,
    );
    let servers =
        servers.map_err(|error| Failure::Directory(section.domain.realm.clone(), error))?;
    let (domain, bounds) = (section.domain.clone(), section.bounds);
    let directory = ActiveDirectory::new(domain, servers, bounds, Arc::new(now));
    Ok(Branch {
        realm: section.domain.realm.clone(),
        upn_suffixes: section.upn_suffixes.clone(),
        directory: Box::new(Elsewhere(directory)),
    })
}

/// A directory that is reached over the network: whoever waits for it stands aside meanwhile.
struct Elsewhere<Inner>(Inner);

impl<Inner: Directory> Directory for Elsewhere<Inner> {
    fn account(&self, name: &str) -> Result<Option<Account>, DirectoryError> {
        aside(|| self.0.account(name))
    }

    fn find(&self, written: &str) -> Result<Option<Account>, DirectoryError> {
        aside(|| self.0.find(written))
    }

    fn authenticate(
        &self,
        written: &str,
        password: &str,
        guesses: &dyn Guesses,
    ) -> Result<Logon, DirectoryError> {
        aside(|| self.0.authenticate(written, password, guesses))
    }

    fn takes_passwords(&self) -> bool {
        self.0.takes_passwords()
    }
}

/// A password; an empty one would have every bind succeed as nobody (RFC 4513 §5.1.2).
fn secret(from: &Secret) -> Result<Zeroizing<String>, Failure> {
    let (text, source) = match from {
        Secret::File(path) => {
            let mut text = Zeroizing::new(std::fs::read_to_string(path).map_err(at(path))?);
            let end = text.trim_end_matches(['\r', '\n']).len();
            text.truncate(end);
            (text, path.clone())
        }
        Secret::Variable(name) => {
            let text = std::env::var(name).unwrap_or_default();
            (Zeroizing::new(text), name.into())
        }
    };
    match text.is_empty() {
        true => Err(Failure::NoPassphrase(source)),
        false => Ok(text),
    }
}

/// The roots in a file, the system's where none is named.
pub(super) fn roots(file: Option<&Path>) -> Result<Vec<Vec<u8>>, Failure> {
    match file {
        Some(path) => roots_in(path),
        None => Ok(system_roots()),
    }
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
