//! The API's own TLS certificate: from the WebServer template by an internal act, kept in
//! `tls.pem` and `tls.key`, renewed by itself long before it ends.

use std::sync::{Arc, Mutex};

use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::greeting::Greeting;
use crate::ca::Authority;
use crate::cli::csr::{RequestNotMade, make_request};
use crate::cli::failure::Failure;
use crate::cli::home::{Home, read_certificates};
use crate::http::tls::{Tls, UnusableCertificate};
use crate::pki::account::{Account, AccountKind};
use crate::pki::alternative_name::AlternativeName;
use crate::pki::bundle::certificates_to_pem;
use crate::pki::certificate::Certificate;
use crate::pki::name::DistinguishedName;
use crate::pki::time::Timestamp;
use crate::signing::{FileKey, KeyKind};
use crate::storage::datadir::{FileMode, write_durably};
use crate::storage::{LedgerRegister, Register as _};

/// The template it comes from, though nobody else can have one from it at first.
const TEMPLATE: &str = "WebServer";

/// The account that stands on record for it.
const ACCOUNT: &str = "chancery";

/// Why the API has no certificate.
#[derive(Debug, thiserror::Error)]
pub enum NoCertificate {
    /// The request could not be made.
    #[error(transparent)]
    Request(#[from] RequestNotMade),
    /// rustls does not take it.
    #[error(transparent)]
    Unusable(#[from] UnusableCertificate),
}

/// The certificate, which names it shall have, and its files.
pub(super) struct OwnCertificate {
    home: Home,
    register: Arc<LedgerRegister>,
    names: Vec<AlternativeName>,
    current: Mutex<Option<Certificate>>,
}

impl OwnCertificate {
    pub(super) fn new(
        home: &Home,
        register: &Arc<LedgerRegister>,
        names: Vec<AlternativeName>,
    ) -> Self {
        let register = Arc::clone(register);
        Self { home: home.clone(), register, names, current: Mutex::new(None) }
    }

    /// The stored certificate if it still serves, else a new one. Where none can be issued now,
    /// an old one is better than no API.
    pub(super) fn take_up(
        &self,
        authority: &Authority,
        greeting: &mut Greeting,
        now: Timestamp,
    ) -> Result<Tls, Failure> {
        let stored = self.stored();
        if let Some((certificate, key)) = &stored
            && self.serves(certificate, authority, now)
        {
            self.remember(certificate.clone());
            return tls(authority, certificate, key, now);
        }
        match (self.issue(authority, now), stored) {
            (Ok((certificate, key)), _) => {
                let tls = tls(authority, &certificate, &key, now)?;
                greeting.did(format!(
                    "issued the API's own TLS certificate {} (template {TEMPLATE}, until {})",
                    certificate.serial(),
                    certificate.not_after()
                ));
                self.remember(certificate);
                Ok(tls)
            }
            (Err(error), Some((certificate, key))) => {
                tracing::error!(%error, "the API keeps its old TLS certificate");
                tls(authority, &certificate, &key, now)
            }
            (Err(error), None) => Err(error),
        }
    }

    /// Exchanges the certificate if it no longer serves for long.
    pub(super) fn renew(&self, authority: &Authority, tls: &Tls, now: Timestamp) {
        let serves = match &*self.current() {
            Some(certificate) => self.serves(certificate, authority, now),
            None => false,
        };
        if serves {
            return;
        }
        let renewed = self.issue(authority, now).and_then(|(certificate, key)| {
            tls.exchange(chain(authority, &certificate, now), &private(&key)?)
                .map_err(NoCertificate::from)?;
            Ok(certificate)
        });
        match renewed {
            Ok(certificate) => {
                tracing::info!(serial = %certificate.serial(), "the API's TLS certificate is renewed");
                self.remember(certificate);
            }
            Err(error) => tracing::error!(%error, "the API's TLS certificate cannot be renewed"),
        }
    }

    /// Whether it is of this CA, not revoked, has the right names, and the last third of its life
    /// is still to come.
    fn serves(&self, certificate: &Certificate, authority: &Authority, now: Timestamp) -> bool {
        let issuer = authority.issuer();
        let (start, end) = (certificate.not_before(), certificate.not_after());
        let renewal = start.plus_seconds(end.seconds_since(start) / 3 * 2);
        certificate.issuer() == issuer.name()
            && certificate.verify(issuer.public_key()).is_ok()
            && certificate.alternative_names() == self.names
            && now < renewal
            // Where the register cannot say, nothing could be issued either.
            && !matches!(self.register.revocation(&certificate.serial()), Ok(Some(_)))
    }

    fn stored(&self) -> Option<(Certificate, FileKey)> {
        let own = read_certificates(&self.home.tls_pem()).ok()?;
        let certificate = Certificate::from_der(own.first()?).ok()?;
        let key = FileKey::load(&self.home.tls_key(), None).ok()?;
        use crate::signing::CaKey as _;
        (certificate.spki_der() == key.spki_der()).then_some((certificate, key))
    }

    /// Key first, then certificate: a crash between leaves a pair that does not fit, which is
    /// seen at the next start.
    fn issue(
        &self,
        authority: &Authority,
        now: Timestamp,
    ) -> Result<(Certificate, FileKey), Failure> {
        let key = FileKey::generate(KeyKind::P256)?;
        let mut host = self.names.iter().filter_map(|name| match name {
            AlternativeName::Dns(name) if name.len() <= 64 => Some(name.as_str()),
            _ => None,
        });
        let subject = match host.next_back() {
            Some(host) => DistinguishedName::with_common_name(host)?,
            None => DistinguishedName::empty(),
        };
        let request = make_request(&subject, &self.names, &key).map_err(NoCertificate::from)?;
        let row = authority.issue_internally(TEMPLATE, &request, &account(), now)?;
        let certificate = Certificate::from_der(&row.certificate)
            .map_err(crate::ca::establish::EstablishError::from)?;
        key.save(&self.home.tls_key(), None)?;
        let above = chain(authority, &certificate, now);
        let pem = certificates_to_pem(&above);
        write_durably(&self.home.tls_pem(), pem.as_bytes(), FileMode::Public)?;
        Ok((certificate, key))
    }

    fn current(&self) -> std::sync::MutexGuard<'_, Option<Certificate>> {
        self.current.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn remember(&self, certificate: Certificate) {
        *self.current() = Some(certificate);
    }
}

fn tls(
    authority: &Authority,
    certificate: &Certificate,
    key: &FileKey,
    now: Timestamp,
) -> Result<Tls, Failure> {
    let made = Tls::new(
        &[authority.issuer().name().as_der()],
        chain(authority, certificate, now),
        &private(key)?,
    );
    Ok(made.map_err(NoCertificate::from)?)
}

/// The certificate and those above it, without the root: who trusts it has it. Who trusts the root
/// of a key before gets what leads to that.
fn chain(
    authority: &Authority,
    certificate: &Certificate,
    now: Timestamp,
) -> Vec<CertificateDer<'static>> {
    let issuer = authority.issuer_of(certificate).map_or(authority.issuer(), Arc::as_ref);
    let above = std::iter::once(issuer.certificate()).chain(issuer.chain());
    let not_root = above.filter(|above| above.issuer() != above.subject()).map(Certificate::der);
    std::iter::once(certificate.der())
        .chain(not_root)
        .chain(authority.cross_of(issuer.key_index(), now))
        .map(|der| CertificateDer::from(der.to_vec()))
        .collect()
}

pub(super) fn private(key: &FileKey) -> Result<PrivateKeyDer<'static>, Failure> {
    let octets = key.to_pkcs8_der()?;
    Ok(PrivatePkcs8KeyDer::from(octets.to_vec()).into())
}

pub(super) fn account() -> Account {
    Account {
        name: ACCOUNT.to_owned(),
        kind: AccountKind::Service,
        cn: None,
        display_name: Some("This service".to_owned()),
        distinguished_name: None,
        user_principal_name: None,
        mail: None,
        dns_host_name: None,
        object_sid: None,
        object_guid: None,
        service_principal_names: vec![],
        groups: Vec::new(),
        enabled: true,
    }
}

#[cfg(test)]
pub(super) mod tests;
