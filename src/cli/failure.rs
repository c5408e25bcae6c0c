//! Why a command did not do what it was asked to; each ends the program with a sentence.

use std::num::NonZeroU16;
use std::path::{Path, PathBuf};

use crate::ca::Refusal;
use crate::ca::establish::EstablishError;
use crate::pki::issuer::IssuerError;
use crate::pki::name::NameError;
use crate::signing::KeyFileError;
use crate::storage::StoreError;
use crate::storage::backup::BackupError;
use crate::storage::open::OpenError;

use super::settings::Mistakes;

/// Why not.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The configuration has mistakes.
    #[error(transparent)]
    Mistakes(#[from] Mistakes),
    /// The register cannot be opened: locked, or no ledger of ours.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The register failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key file failed.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The CA could not be brought into being.
    #[error(transparent)]
    Establish(#[from] EstablishError),
    /// The CA certificate on record cannot be used.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// The authority refused.
    #[error(transparent)]
    Refusal(#[from] Refusal),
    /// A name on the command line.
    #[error("--name: {0}")]
    Name(#[from] NameError),
    /// The operating system refused something.
    #[error("{path}: {error}")]
    File {
        /// Which file or directory.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// An address that cannot be listened on.
    #[error("{setting} {address}: {error}")]
    Listen {
        /// The setting.
        setting: &'static str,
        /// The address.
        address: std::net::SocketAddr,
        /// What the system said.
        error: std::io::Error,
    },
    /// No random octets.
    #[error(transparent)]
    Random(#[from] crate::ca::RandomFailed),
    /// A directory cannot be put together.
    #[error("the directory {0}: its roots cannot be used: {1}")]
    Directory(String, crate::directory::ldap::server::RootsUnusable),
    /// Threads, signals.
    #[error("{doing}: {error}")]
    System {
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        error: std::io::Error,
    },
    /// The data directory has a CA already.
    #[error("{0} has a CA already ({1}); choose another directory with --data")]
    AlreadyEstablished(PathBuf, String),
    /// There is no CA.
    #[error("{0} has no CA; `chancery serve` or `chancery init` makes one")]
    NotEstablished(PathBuf),
    /// A subordinate has no certificate yet.
    #[error(
        "this subordinate CA waits for its certificate: have {0} signed by the parent CA, then \
         `chancery install-certificate FILE --chain FILE`"
    )]
    AwaitingCertificate(PathBuf),
    /// The key file is another key than the CA certificate's.
    #[error("{0} is not the key of the CA certificate on record")]
    WrongKeyFile(PathBuf),
    /// The present key is of a kind that is not made here.
    #[error("the present key is of a kind that is not made here: say --key-algorithm")]
    KeyAlgorithmNeeded,
    /// The CA got a new key while its register was being copied.
    #[error("the CA was renewed meanwhile and the copy lacks its new key: make another copy")]
    RenewedMeanwhile,
    /// A file holds no certificate.
    #[error("{0} holds no certificate (PEM or DER)")]
    NoCertificate(PathBuf),
    /// A file holds no CRL.
    #[error("{0} holds no CRL (PEM or DER)")]
    NoCrl(PathBuf),
    /// A file holds no certificate request.
    #[error("{0} holds no certificate request (PEM or DER)")]
    NoRequest(PathBuf),
    /// `request` got no certificate.
    #[error(transparent)]
    NotEnrolled(#[from] super::request::NotEnrolled),
    /// A certificate and a key that are no pair.
    #[error("{0} is not the certificate of the key {1}")]
    PairDoesNotFit(PathBuf, PathBuf),
    /// `request` could not have the request signed by others.
    #[error(transparent)]
    NotSigned(#[from] super::request::NotSigned),
    /// A passphrase file is empty.
    #[error("{0} holds no passphrase or password")]
    NoPassphrase(PathBuf),
    /// A file or variable holds no secret for notifications.
    #[error("{0} holds {1}")]
    NoSecret(PathBuf, crate::notification::signature::NotASecret),
    /// Everybody on the machine can read a secret.
    #[error("{0} can be read by everybody on this machine; chmod 600")]
    SecretReadable(PathBuf),
    /// PKCS#12 without its password.
    #[error("a PKCS#12 file needs its password: --import-password-file FILE")]
    Pkcs12PasswordNeeded,
    /// No such account.
    #[error("there is no account {0}")]
    NoAccount(String),
    /// A certificate for the API could not be had.
    #[error("the API's TLS certificate: {0}")]
    NoCertificateForApi(#[from] super::serve::NoCertificate),
    /// A copy could not be made or trusted.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// A head of another form.
    #[error("--head: {0:?} is not NUMBER:HASH nor a hash of 64 hexadecimal digits")]
    NotAHead(String),
    /// The ledger was written anew since that head.
    #[error("no entry of the ledger has the given hash: this is another chain, or an older copy")]
    HeadNotThere,
    /// A copy that would stand where the publication is.
    #[error("{0} is where this CA publishes: what is published stands there; choose another --out")]
    AmongPublished(PathBuf),
    /// A restore was cut off.
    #[error("a restore did not finish ({0}): run `chancery restore` again, or remove it")]
    Restoring(PathBuf),
    /// A CRL from before the copy.
    #[error(
        "that CRL has number {given}, the copy knows of number {recorded} already: give the newest \
         CRL that is served"
    )]
    OldCrl {
        /// The number of the CRL that was given.
        given: u64,
        /// The last number in the copy.
        recorded: u64,
    },
    /// A CA with several keys, and no CRL by one of them.
    #[error("this CA has had several keys: give the newest CRL of each, also {0}.crl, with --crl")]
    CrlOfKeyMissing(String),
    /// The CRL says that there are deltas, and none was given.
    #[error(
        "that CRL says that there are delta CRLs, which tell of revocations sooner: give the newest \
         with --delta-crl, or say --without-delta-crl"
    )]
    DeltaCrlMissing,
    /// The copy knows of partitions whose CRLs were not given.
    #[error(
        "there are partitions, whose CRLs tell of revocations sooner than the complete one: give the \
         newest of partition {0} as well, {1}.crl, with --partition-crl, or say \
         --without-partition-crls"
    )]
    PartitionCrlMissing(NonZeroU16, String),
    /// Fewer partitions than certificates name.
    #[error(
        "crl_partitions is {set}, but there are {recorded} partitions on record: certificates name \
         them, so that their number may only be raised"
    )]
    FewerPartitions {
        /// As set.
        set: u16,
        /// As on record.
        recorded: u16,
    },
    /// A CRL could not be fetched.
    #[error("{url}: {error}")]
    CrlUnreachable {
        /// Where from.
        url: String,
        /// Why.
        error: Box<ureq::Error>,
    },
    /// The running service did not pick the wish for a token up.
    #[error("the running service did not make a token within {0} seconds; look at its log")]
    ServiceSilent(u64),
    /// A parent's CRL that is not taken.
    #[error("{0}: {1}")]
    CrlNotTaken(String, String),
    /// No CRL could be made.
    #[error(transparent)]
    Publish(#[from] crate::ca::publish::PublishError),
    /// Certificates would not say where the CRL is.
    #[error(
        "nobody knows where the CRL of this CA will be found: --base-url http://HOST, the address of \
         the service that serves it"
    )]
    NoBaseUrl,
    /// Neither a serial number nor a certificate.
    #[error("give the serial number, or --certificate FILE")]
    NothingToRevoke,
    /// The running service did not look at a wish.
    #[error("the running service did not answer within {0} seconds; look at its log")]
    WishSilent(u64),
    /// A file is in the way.
    #[error("{0} is there already; it is not overwritten")]
    InTheWay(PathBuf),
    /// `check` found mistakes, which are told already.
    #[error("{0} mistakes")]
    Found(usize),
    /// `doctor` was given no certificate.
    #[error("{0}: {1}")]
    NotTaken(PathBuf, crate::doctor::intake::NotTaken),
    /// `doctor` got no chain from a server.
    #[error(transparent)]
    NoChain(#[from] crate::retrieval::handshake::NoChain),
    /// A server sent something that is no certificate.
    #[error("{0}: what it sent in the handshake is no certificate")]
    NotPresented(String),
    /// `doctor` found something, which is told already; holds the exit status.
    #[error("something was found")]
    Diagnosed(u8),
    /// `health` found the service unwell.
    #[error("{0}")]
    Unwell(String),
}

/// Turns an I/O error into one that names the file.
pub fn at(path: &Path) -> impl FnOnce(std::io::Error) -> Failure {
    let path = path.to_owned();
    move |error| Failure::File { path, error }
}
