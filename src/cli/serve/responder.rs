//! The OCSP responder's own certificate: from the OCSPResponseSigning template by an internal
//! act, kept in `ocsp.pem` and `ocsp.key`, exchanged by itself long before it ends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::certificate::account;
use crate::ca::Authority;
use crate::ca::ocsp::{NoResponder, Responder, ResponderError, Responders};
use crate::cli::csr::make_request;
use crate::cli::failure::Failure;
use crate::cli::home::{Home, read_certificates};
use crate::cli::settings::address::is_dns_name;
use crate::cli::surroundings::host_name;
use crate::pki::account::Account;
use crate::pki::bundle::certificates_to_pem;
use crate::pki::certificate::Certificate;
use crate::pki::issuer::Issuer;
use crate::pki::name::DistinguishedName;
use crate::pki::time::Timestamp;
use crate::signing::{FileKey, KeyKind, Passphrase};
use crate::storage::datadir::{FileMode, write_durably};
use crate::storage::{LedgerRegister, Register as _};

/// The template it comes from, though nobody else can have one from it at first.
const TEMPLATE: &str = "OCSPResponseSigning";
/// Where none can be issued, it is tried again after this long.
const RETRY_SECONDS: u64 = 60;

/// The responder's certificate and key, and their files.
pub(super) struct OwnResponder {
    pub(super) home: Home,
    pub(super) register: Arc<LedgerRegister>,
    pub(super) authority: Arc<Authority>,
    /// The CA under the key that issued what it answers about.
    pub(super) issuer: Arc<Issuer>,
    pub(super) kind: KeyKind,
    pub(super) passphrase: Option<Passphrase>,
    /// The DNS name that the template wants as its subject.
    pub(super) host: String,
    pub(super) state: Mutex<State>,
}

/// What is at hand.
#[derive(Default)]
pub(super) struct State {
    current: Option<Arc<Responder>>,
    /// When issuing a new one failed.
    failed_at: Option<Timestamp>,
}

/// Why there is no responder.
#[derive(Debug, thiserror::Error)]
enum NotHad {
    #[error(transparent)]
    Failure(#[from] Failure),
    #[error(transparent)]
    Responder(#[from] ResponderError),
}

impl Responders for OwnResponder {
    fn responder(&self, now: Timestamp) -> Result<Arc<Responder>, NoResponder> {
        let mut state = self.state();
        if state.current.is_none() {
            state.current = self.stored().map(Arc::new);
        }
        if let Some(current) = &state.current
            && self.serves(current, now)
        {
            return Ok(Arc::clone(current));
        }
        let rested = state.failed_at.is_none_or(|at| now.seconds_since(at) >= RETRY_SECONDS);
        if rested || state.current.is_none() {
            match self.issue(now) {
                Ok(new) => {
                    let new = Arc::new(new);
                    state.current = Some(Arc::clone(&new));
                    state.failed_at = None;
                    return Ok(new);
                }
                Err(error) => {
                    tracing::error!(%error, "no new OCSP responder's certificate could be had");
                    state.failed_at = Some(now);
                }
            }
        }
        // The one before, while it holds, is better than none.
        match &state.current {
            Some(current) if self.holds(current, now) => Ok(Arc::clone(current)),
            _ => Err(NoResponder("its certificate cannot be issued".to_owned())),
        }
    }
}

impl OwnResponder {
    /// Whether it is neither revoked nor in the last third of its life.
    fn serves(&self, responder: &Responder, now: Timestamp) -> bool {
        now < responder.renewal_due() && self.holds(responder, now)
    }

    fn holds(&self, responder: &Responder, now: Timestamp) -> bool {
        let certificate = responder.certificate();
        certificate.not_before() <= now
            && now < certificate.not_after()
            // Where the register cannot say, nothing could be issued either.
            && !matches!(self.register.revocation(&certificate.serial()), Ok(Some(_)))
    }

    fn stored(&self) -> Option<Responder> {
        let own = read_certificates(&self.home.ocsp_pem(self.issuer.key_index())).ok()?;
        let certificate = Certificate::from_der(own.first()?).ok()?;
        let key =
            FileKey::load(&self.home.ocsp_key(self.issuer.key_index()), self.passphrase.as_ref());
        let key = key.inspect_err(|error| {
            tracing::warn!(%error, "the stored OCSP responder's key is not used");
        });
        Responder::new(certificate, Arc::new(key.ok()?), &self.issuer).ok()
    }

    /// Key first, then certificate: a crash between leaves a pair that does not fit, which is
    /// seen at the next start.
    fn issue(&self, now: Timestamp) -> Result<Responder, NotHad> {
        let key = FileKey::generate(self.kind).map_err(Failure::from)?;
        let subject = DistinguishedName::with_common_name(&self.host).map_err(Failure::from)?;
        let request = make_request(&subject, &[], &key)
            .map_err(|error| Failure::from(super::NoCertificate::from(error)))?;
        let account = Account { dns_host_name: Some(self.host.clone()), ..account() };
        let under = self.issuer.key_index();
        let row = self.authority.issue_internally_under(under, TEMPLATE, &request, &account, now);
        let row = row.map_err(Failure::from)?;
        let certificate = Certificate::from_der(&row.certificate)
            .map_err(|error| NotHad::Responder(error.into()))?;
        key.save(&self.home.ocsp_key(self.issuer.key_index()), self.passphrase.as_ref())
            .map_err(Failure::from)?;
        let pem = certificates_to_pem(&[certificate.der()]);
        write_durably(
            &self.home.ocsp_pem(self.issuer.key_index()),
            pem.as_bytes(),
            FileMode::Public,
        )
        .map_err(Failure::from)?;
        Ok(Responder::new(certificate, Arc::new(key), &self.issuer)?)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the responder's certificate is called: the host of the publication address where that is
/// a name, else this machine.
pub(super) fn responder_name(base_urls: &[String]) -> String {
    let hosts = base_urls.iter().filter_map(|url| {
        let rest = url.strip_prefix("http://")?;
        rest.split(['/', ':']).next().map(str::to_owned)
    });
    let is_name = |host: &String| {
        is_dns_name(host) && host.parse::<std::net::IpAddr>().is_err() && host.contains('.')
    };
    hosts.into_iter().find(is_name).unwrap_or_else(host_name)
}
