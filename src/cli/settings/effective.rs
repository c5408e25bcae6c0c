//! What the program runs with, once every source is read.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::directory::DirectorySection;
use super::notification::NotificationSection;
use crate::ca::publish::Schedule;
use crate::http::rates::Allowance;
use crate::http::rates::forwarded::Network;
use crate::signing::KeyKind;

/// What the program runs with.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The data directory.
    pub data: PathBuf,
    /// Where the API listens.
    pub api_listen: SocketAddr,
    /// Where publication listens.
    pub publish_listen: SocketAddr,
    /// What goes into CDP and AIA, without trailing slashes; none given: what `init` recorded.
    pub base_urls: Vec<String>,
    /// Further names for the service's own TLS certificate.
    pub tls_names: Vec<String>,
    /// How log lines look.
    pub log_format: LogFormat,
    /// Which log lines there are, as `tracing` filters write it.
    pub log_level: String,
    /// Seconds from one CRL to the next.
    pub crl_period_seconds: u64,
    /// Seconds that a CRL still holds after the next one was due; computed if not given.
    pub crl_overlap_seconds: Option<u64>,
    /// Whether there is an OCSP responder.
    pub ocsp: bool,
    /// Seconds from one making of all OCSP answers to the next.
    pub ocsp_period_seconds: u64,
    /// The OCSP responder's kind of key.
    pub ocsp_key: KeyKind,
    /// Whether nonces in OCSP requests are answered.
    pub ocsp_nonce: bool,
    /// Seconds from one delta CRL to the next; none: there are no deltas.
    pub crl_delta_period_seconds: Option<u64>,
    /// Seconds that a delta CRL still holds after the next one was due; computed if not given.
    pub crl_delta_overlap_seconds: Option<u64>,
    /// Whether certificates say where the delta CRL is.
    pub crl_delta_in_certificates: bool,
    /// Among how many CRLs certificates are parted; as many as on record if not given.
    pub crl_partitions: Option<u16>,
    /// Seconds that a request may wait for a manager; none: for good.
    pub pending_expiry_seconds: Option<u64>,
    /// Seconds that tokens of `serve` and `token` live.
    pub token_life_seconds: u64,
    /// Whether client certificates carry the roles of their accounts.
    pub client_certificate_roles: bool,
    /// The file with the CA key's passphrase.
    pub key_passphrase_file: Option<PathBuf>,
    /// How many threads compute; as many as processors if not given.
    pub processors: Option<usize>,
    /// How often somebody may call.
    pub allowance: Allowance,
    /// The sections `[[directory]]`.
    pub directories: Vec<DirectorySection>,
    /// The sections `[[notification]]`.
    pub notifications: Vec<NotificationSection>,
    /// Where the API is reached, as notifications write it; derived if not given.
    pub api_url: Option<String>,
    /// A directory that what is published is copied to.
    pub publication_directory: Option<PathBuf>,
    /// Seconds from one fetching of the CRLs of CAs above to the next; none: they are handed over.
    pub parent_crl_fetch_seconds: Option<u64>,
    /// Networks that are not public and from which the doctor may fetch all the same.
    pub doctor_networks: Vec<Network>,
    /// Seconds from one look of the service at itself to the next; none: it does not look.
    pub self_check_seconds: Option<u64>,
    /// Less free space than this, in octets, stops issuing.
    pub minimum_free_octets: u64,
}

impl Settings {
    /// The rhythm of complete CRLs.
    pub fn crl_schedule(&self) -> Schedule {
        match self.crl_overlap_seconds {
            Some(overlap) => Schedule::with_overlap(self.crl_period_seconds, overlap),
            None => Schedule::every(self.crl_period_seconds),
        }
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            data: PathBuf::from("chancery-data"),
            api_listen: SocketAddr::from(([127, 0, 0, 1], 8443)),
            publish_listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            base_urls: Vec::new(),
            tls_names: Vec::new(),
            log_format: LogFormat::Text,
            log_level: "info".to_owned(),
            crl_period_seconds: 7 * 86_400,
            crl_overlap_seconds: None,
            ocsp: false,
            ocsp_period_seconds: 4 * 3600,
            ocsp_key: KeyKind::P256,
            ocsp_nonce: true,
            crl_delta_period_seconds: None,
            crl_delta_overlap_seconds: None,
            crl_delta_in_certificates: false,
            crl_partitions: None,
            pending_expiry_seconds: Some(30 * 86_400),
            token_life_seconds: 90 * 86_400,
            client_certificate_roles: false,
            key_passphrase_file: None,
            processors: None,
            allowance: Allowance::default(),
            directories: Vec::new(),
            notifications: Vec::new(),
            api_url: None,
            publication_directory: None,
            parent_crl_fetch_seconds: None,
            doctor_networks: Vec::new(),
            self_check_seconds: Some(15 * 60),
            minimum_free_octets: 64 << 20,
        }
    }
}
