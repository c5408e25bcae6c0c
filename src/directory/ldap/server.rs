//! Domain controllers: connections over TLS with the certificate verified, host name too, and
//! what is asked over them. Everything has its time; referrals are not followed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ldap3::{
    DerefAliases, LdapConn, LdapConnSettings, LdapError, Scope, SearchEntry, SearchOptions,
};
use rustls::{ClientConfig, RootCertStore};
use zeroize::Zeroizing;

use super::deadline::{Deadline, Errands};
use super::pool::Failure;

/// Entries that one search may find at most: groups of one account, and accounts of one name.
const MOST_ENTRIES: i32 = 1000;
/// Connections that are being made at a time.
const MOST_OPENING: usize = 64;

/// The domain controllers of one domain, and the account that asks them.
pub struct Servers {
    /// `ldaps://host[:port]`, or `ldap://host[:port]`, where StartTLS comes before anything else.
    urls: Vec<String>,
    tls: Arc<ClientConfig>,
    bind_name: String,
    bind_password: Zeroizing<String>,
    /// Which of them answered last: it is asked first, so that one that hangs delays one call.
    last: AtomicUsize,
    opening: Errands,
}

/// The roots cannot be used for TLS.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RootsUnusable(String);

impl Servers {
    /// Servers whose certificates lead to one of `roots` (DER), tried in this order from the one
    /// on that answered last.
    pub fn new(
        urls: Vec<String>,
        roots: &[Vec<u8>],
        bind_name: String,
        bind_password: Zeroizing<String>,
    ) -> Result<Self, RootsUnusable> {
        let mut store = RootCertStore::empty();
        for root in roots {
            store.add(root.clone().into()).map_err(|error| RootsUnusable(error.to_string()))?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| RootsUnusable(error.to_string()))?
            .with_root_certificates(store)
            .with_no_client_auth();
        let (last, opening) = (AtomicUsize::new(0), Errands::new(MOST_OPENING));
        Ok(Self { urls, tls: Arc::new(tls), bind_name, bind_password, last, opening })
    }

    /// A session with the first server that takes one; each has its share of the time.
    pub fn connect(&self, deadline: Deadline) -> Result<Session, String> {
        let mut why = "no server is configured".to_owned();
        let (count, first) = (self.urls.len(), self.last.load(Ordering::Relaxed));
        for tried in 0..count {
            let number = (first + tried) % count;
            let Some(url) = self.urls.get(number) else { continue };
            let share = deadline.share(count - tried);
            match share.and_then(|deadline| self.session(url, deadline)) {
                Ok(session) => {
                    self.last.store(number, Ordering::Relaxed);
                    return Ok(session);
                }
                Err(failure) => {
                    tracing::warn!(server = url, %failure, "a domain controller is passed over");
                    why = format!("{url}: {failure}");
                }
            }
        }
        Err(why)
    }

    fn session(&self, url: &str, deadline: Deadline) -> Result<Session, Failure> {
        let mut search = self.open(url, deadline)?;
        match bind(&mut search, &self.bind_name, &self.bind_password, deadline)? {
            Bound::Yes => {}
            Bound::No => {
                let why = "it does not take the password of bind_name".to_owned();
                return Err(Failure::Refused(why));
            }
        }
        Ok(Session { search, proof: None, url: url.to_owned() })
    }

    fn open(&self, url: &str, deadline: Deadline) -> Result<LdapConn, Failure> {
        // With `ldaps` the library passes over StartTLS; with `ldap` it insists on it. There is no
        // way from here to a connection without TLS.
        let settings = LdapConnSettings::new()
            .set_conn_timeout(deadline.left()?)
            .set_config(Arc::clone(&self.tls))
            .set_starttls(true);
        // The library's own timeout does not end its look-up of the host's name.
        let url = url.to_owned();
        self.opening
            .run(deadline, move || guarded(deadline, || LdapConn::with_settings(settings, &url)))
    }

    /// Whether `dn` has this password. On a connection of its own, which is never searched on:
    /// what a user could bind to must not be what the next look-up runs as.
    pub fn prove(
        &self,
        session: &mut Session,
        dn: &str,
        password: &str,
        deadline: Deadline,
    ) -> Result<Bound, Failure> {
        if password.is_empty() {
            // RFC 4513 §5.1.2: it would be an unauthenticated bind, which servers let pass.
            return Ok(Bound::No);
        }
        let mut proof = match session.proof.take() {
            Some(proof) => proof,
            None => self.open(&session.url, deadline)?,
        };
        let bound = bind(&mut proof, dn, password, deadline)?;
        session.proof = Some(proof);
        Ok(bound)
    }
}

/// Whether a server took a name and password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// They belong together.
    Yes,
    /// They do not, or the account may not log on.
    No,
}

/// Connections to one server.
pub struct Session {
    search: LdapConn,
    proof: Option<LdapConn>,
    url: String,
}

impl Session {
    /// The entries that `filter` finds; none where there is no `base`.
    pub fn search(
        &mut self,
        base: &str,
        scope: Scope,
        filter: &str,
        attributes: &[&str],
        deadline: Deadline,
    ) -> Result<Vec<SearchEntry>, Failure> {
        let left = deadline.left()?;
        let seconds = i32::try_from(left.as_secs().max(1)).unwrap_or(i32::MAX);
        let options = SearchOptions::new()
            .deref(DerefAliases::Never)
            .timelimit(seconds)
            .sizelimit(MOST_ENTRIES);
        let search = &mut self.search;
        search.with_timeout(left).with_search_options(options);
        let attributes = attributes.to_vec();
        let mut found =
            guarded(deadline, || search.streaming_search(base, scope, filter, attributes))?;
        let mut entries = Vec::new();
        // The library's timeout is for each entry: without the deadline, whoever sends them one by
        // one could hold a session for hours.
        while let Some(entry) = guarded(deadline, || found.next())? {
            if entries.len() as i32 >= MOST_ENTRIES {
                return Err(Failure::Lost("it sends more entries than were asked for".to_owned()));
            }
            deadline.left()?;
            if !entry.is_ref() && !entry.is_intermediate() {
                entries.push(guarded(deadline, || Ok(SearchEntry::construct(entry)))?);
            }
        }
        let result = found.result();
        match result.rc {
            0 => Ok(entries),
            32 => Ok(Vec::new()),
            3 | 51 | 52 => Err(Failure::Lost(result.to_string())),
            _ => Err(Failure::Refused(result.to_string())),
        }
    }
}

fn bind(
    connection: &mut LdapConn,
    name: &str,
    password: &str,
    deadline: Deadline,
) -> Result<Bound, Failure> {
    let left = deadline.left()?;
    let answer = guarded(deadline, || connection.with_timeout(left).simple_bind(name, password))?;
    match answer.rc {
        0 => Ok(Bound::Yes),
        // RFC 4511 §A.2: noSuchObject, invalidDNSyntax, inappropriateAuthentication,
        // invalidCredentials, insufficientAccessRights, constraintViolation, unwillingToPerform.
        19 | 32 | 34 | 48 | 49 | 50 | 53 => Ok(Bound::No),
        51 | 52 => Err(Failure::Lost(answer.to_string())),
        _ => Err(Failure::Refused(answer.to_string())),
    }
}

/// The library panics on some of what is no LDAP; here it is a server that does not answer.
fn guarded<T>(
    deadline: Deadline,
    work: impl FnOnce() -> Result<T, LdapError>,
) -> Result<T, Failure> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(LdapError::Timeout { .. })) => Err(deadline.passed()),
        Ok(Err(error)) => Err(Failure::Lost(error.to_string())),
        Err(_) => Err(Failure::Lost("its answer does not read".to_owned())),
    }
}
