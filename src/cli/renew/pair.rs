//! The two files, certificate and key, and their exchange.
//!
//! A new key is written beside the old one before anything is asked for, the new certificate
//! beside the old one before anything is replaced; then the key takes its place by a rename, then
//! the certificate. Wherever a crash comes between, the next run finds which of them fit and
//! finishes.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::is_for;
use crate::cli::failure::{Failure, at};
use crate::cli::home::read_certificates;
use crate::cli::request::NotEnrolled;
use crate::pki::bundle::certificates_to_pem;
use crate::pki::certificate::Certificate;
use crate::pki::signature::SignatureAlgorithm;
use crate::signing::{CaKey as _, FileKey, KeyKind};
use crate::storage::datadir::{FileMode, sync_directory_of, write_durably};

/// The files.
pub(super) struct Pair {
    certificate: PathBuf,
    key: PathBuf,
}

/// What is in them.
pub(super) struct Held {
    pub(super) certificate: Certificate,
    pub(super) key: FileKey,
    /// Whether the certificates above it stand in the file as well.
    pub(super) with_chain: bool,
}

impl Pair {
    /// Finishes an exchange that was cut off.
    pub(super) fn new(certificate: &Path, key: &Path) -> Result<Self, Failure> {
        let pair = Self { certificate: certificate.to_owned(), key: key.to_owned() };
        if !beside(certificate, RENEWED).exists() {
            return Ok(pair);
        }
        let staged = first(&beside(certificate, RENEWED))?;
        let new_key = pair.new_key_if_there()?;
        if new_key.is_some_and(|key| is_for(&staged, &key))
            || is_for(&staged, &FileKey::load(key, None)?)
        {
            pair.put_in_place(&staged)?;
        } else {
            remove(&beside(certificate, RENEWED))?;
        }
        Ok(pair)
    }

    /// Certificate and key, which must fit.
    pub(super) fn held(&self) -> Result<Held, Failure> {
        let found = read_certificates(&self.certificate)?;
        let certificate = first(&self.certificate)?;
        let key = FileKey::load(&self.key, None)?;
        if !is_for(&certificate, &key) {
            return Err(Failure::PairDoesNotFit(self.certificate.clone(), self.key.clone()));
        }
        Ok(Held { certificate, key, with_chain: found.len() > 1 })
    }

    /// A new key, written beside the old one. One that an earlier run left there was never used.
    pub(super) fn new_key(&self, kind: Option<KeyKind>, held: &Held) -> Result<FileKey, Failure> {
        let key =
            FileKey::generate(kind.unwrap_or_else(|| kind_of(held))).map_err(NotEnrolled::from)?;
        let path = beside(&self.key, RENEWED);
        key.save(&path, None)?;
        owned_like(&path, &self.key)?;
        Ok(key)
    }

    pub(super) fn new_key_if_there(&self) -> Result<Option<FileKey>, Failure> {
        let path = beside(&self.key, RENEWED);
        if path.exists() { Ok(Some(FileKey::load(&path, None)?)) } else { Ok(None) }
    }

    pub(super) fn discard_new_key(&self) -> Result<(), Failure> {
        remove(&beside(&self.key, RENEWED))
    }

    /// The request that an earlier run left waiting for an approval.
    pub(super) fn pending(&self) -> Result<Option<u64>, Failure> {
        let path = beside(&self.certificate, PENDING);
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(text.trim().parse().ok()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(at(&path)(error)),
        }
    }

    pub(super) fn remember_pending(&self, request_id: u64) -> Result<(), Failure> {
        let text = format!("{request_id}\n");
        let path = beside(&self.certificate, PENDING);
        Ok(write_durably(&path, text.as_bytes(), FileMode::Public)?)
    }

    pub(super) fn forget_pending(&self) -> Result<(), Failure> {
        remove(&beside(&self.certificate, PENDING))
    }

    /// Exchanges the files for the new certificate, and for the new key if it is for that.
    pub(super) fn exchange(
        &self,
        own: &Certificate,
        chain: &[Vec<u8>],
        held: &Held,
    ) -> Result<(), Failure> {
        let mut all = vec![own.der().to_vec()];
        if held.with_chain {
            all.extend(chain.iter().cloned());
        }
        let staged = beside(&self.certificate, RENEWED);
        write_durably(&staged, certificates_to_pem(&all).as_bytes(), FileMode::Public)?;
        owned_like(&staged, &self.certificate)?;
        self.put_in_place(own)?;
        self.forget_pending()
    }

    fn put_in_place(&self, own: &Certificate) -> Result<(), Failure> {
        if self.new_key_if_there()?.is_some_and(|key| is_for(own, &key)) {
            rename(&beside(&self.key, RENEWED), &self.key)?;
        }
        rename(&beside(&self.certificate, RENEWED), &self.certificate)
    }
}

const RENEWED: &str = ".renewed";
const PENDING: &str = ".pending";

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

fn first(path: &Path) -> Result<Certificate, Failure> {
    let found = read_certificates(path)?;
    let first = found.first().and_then(|der| Certificate::from_der(der).ok());
    first.ok_or_else(|| Failure::NoCertificate(path.to_owned()))
}

/// The kind of key that is held.
fn kind_of(held: &Held) -> KeyKind {
    match held.key.algorithm() {
        SignatureAlgorithm::EcdsaSha256 => KeyKind::P256,
        SignatureAlgorithm::EcdsaSha384 => KeyKind::P384,
        _ => match held.certificate.public_key().map_or(2048, |key| key.bits()) {
            ..=2048 => KeyKind::Rsa2048,
            2049..=3072 => KeyKind::Rsa3072,
            _ => KeyKind::Rsa4096,
        },
    }
}

/// Whoever could read the old file can read the new one: a VPN service is not root.
fn owned_like(new: &Path, old: &Path) -> Result<(), Failure> {
    let like = std::fs::metadata(old).map_err(at(old))?;
    let own = std::fs::metadata(new).map_err(at(new))?;
    if (like.uid(), like.gid()) != (own.uid(), own.gid()) {
        std::os::unix::fs::chown(new, Some(like.uid()), Some(like.gid())).map_err(at(new))?;
    }
    let mode = std::fs::Permissions::from_mode(like.permissions().mode() & 0o777);
    std::fs::set_permissions(new, mode).map_err(at(new))
}

fn rename(from: &Path, to: &Path) -> Result<(), Failure> {
    std::fs::rename(from, to).map_err(at(from))?;
    Ok(sync_directory_of(to)?)
}

fn remove(path: &Path) -> Result<(), Failure> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(at(path)(error)),
        _ => Ok(()),
    }
}
