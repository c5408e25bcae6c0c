//! The files of the data directory that are this room's: keys, certificates, tokens. (The
//! register's are storage's.)

use std::path::{Path, PathBuf};

use super::failure::{Failure, at};
use super::init::chain_of;
use super::settings::{PASSPHRASE_VARIABLE, Settings};
use crate::ca::establish::generations::Generations;
use crate::ca::keys::is_revoked;
use crate::pki::bundle::certificates_to_pem;
use crate::pki::time::Timestamp;
use crate::signing::Passphrase;
use crate::storage::Register;
use crate::storage::act::AuthorityEstablished;
use crate::storage::datadir::{FileMode, write_durably};

/// What the names of files with the CRLs of CAs above begin with.
const PARENT: &str = "parent-";

/// Names in a data directory.
#[derive(Clone, Debug)]
pub struct Home(PathBuf);

impl Home {
    /// Of this data directory.
    pub fn new(data: &Path) -> Self {
        Self(data.to_owned())
    }

    /// The data directory.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The register's truth; its making is storage's.
    pub fn ledger(&self) -> PathBuf {
        self.0.join("ledger")
    }

    /// Where `chancery restore` prepares a register.
    pub fn restoring(&self) -> PathBuf {
        self.0.join("restoring")
    }

    /// That there is a register, for commands that do not make one.
    pub fn must_have_ledger(&self) -> Result<(), Failure> {
        if self.ledger().exists() { Ok(()) } else { Err(Failure::NotEstablished(self.0.clone())) }
    }

    /// That no restore was cut off half-way: it would have lost revocations.
    pub fn must_not_be_restoring(&self) -> Result<(), Failure> {
        let staging = self.restoring();
        if !staging.exists() || self.ledger().exists() && !staging.join("ledger").exists() {
            return Ok(());
        }
        Err(Failure::Restoring(staging))
    }

    /// The CA's private key of this key index (0600). Each has its file for ever: no renewal
    /// renames one, so that no crash leaves a CA without its key.
    pub fn ca_key(&self, key_index: usize) -> PathBuf {
        match key_index {
            0 => self.0.join("ca.key"),
            index => self.0.join(format!("ca-{index}.key")),
        }
    }

    /// The files of the CA's keys after the first, by their names within the data directory; also
    /// of one that still waits for its certificate.
    pub fn later_ca_keys(&self) -> Result<Vec<PathBuf>, Failure> {
        let mut found = Vec::new();
        if !self.0.exists() {
            return Ok(found);
        }
        for entry in std::fs::read_dir(&self.0).map_err(at(&self.0))? {
            let name = entry.map_err(at(&self.0))?.file_name();
            let index =
                name.to_str().and_then(|name| name.strip_prefix("ca-")?.strip_suffix(".key"));
            if index.is_some_and(|index| index.bytes().all(|digit| digit.is_ascii_digit())) {
                found.push(PathBuf::from(name));
            }
        }
        found.sort();
        Ok(found)
    }

    /// The root certificate: what `curl --cacert` needs.
    pub fn ca_pem(&self) -> PathBuf {
        self.0.join("ca.pem")
    }

    /// The CA certificate and those above it; of a root with several keys, before them, what leads
    /// to the older ones.
    pub fn chain_pem(&self) -> PathBuf {
        self.0.join("chain.pem")
    }

    /// The certificates that the CA had before, by certificate index; not there if there was
    /// none. The present one is among them only where it is not the last.
    pub fn earlier_pem(&self) -> PathBuf {
        self.0.join("earlier.pem")
    }

    /// The certificates above those, where they are not above the present one.
    pub fn earlier_parents_pem(&self) -> PathBuf {
        self.0.join("earlier-parents.pem")
    }

    /// Cross-certificates between keys of this CA; not there if there is none.
    pub fn cross_pem(&self) -> PathBuf {
        self.0.join("cross.pem")
    }

    /// A subordinate's request to its parent.
    pub fn ca_csr(&self) -> PathBuf {
        self.0.join("ca.csr")
    }

    /// The administrator's token (0600).
    pub fn admin_token(&self) -> PathBuf {
        self.0.join("admin.token")
    }

    /// The wish of `chancery token` while a service has the directory.
    pub fn wanted_token(&self) -> PathBuf {
        self.0.join("token.wanted")
    }

    /// The API's TLS key (0600).
    pub fn tls_key(&self) -> PathBuf {
        self.0.join("tls.key")
    }

    /// The API's TLS certificate.
    pub fn tls_pem(&self) -> PathBuf {
        self.0.join("tls.pem")
    }

    /// The key (0600), sealed as the CA's is, of the OCSP responder for what was issued under the
    /// CA's key of this index.
    pub fn ocsp_key(&self, key_index: u16) -> PathBuf {
        self.of_key("ocsp", key_index, ".key")
    }

    /// The certificate of that responder.
    pub fn ocsp_pem(&self, key_index: u16) -> PathBuf {
        self.of_key("ocsp", key_index, ".pem")
    }

    /// Its answers: derived, may be deleted.
    pub fn ocsp(&self, key_index: u16) -> PathBuf {
        self.of_key("ocsp", key_index, "")
    }

    fn of_key(&self, name: &str, key_index: u16, ending: &str) -> PathBuf {
        match key_index {
            0 => self.0.join(format!("{name}{ending}")),
            index => self.0.join(format!("{name}-{index}{ending}")),
        }
    }

    /// Where the CRL is published.
    pub fn publish(&self) -> PathBuf {
        self.0.join("publish")
    }

    /// The name, without its ending, of the file with the CRL of a CA above.
    pub fn parent_crl(name: &str) -> String {
        format!("{PARENT}{name}")
    }

    /// The files with the CRLs of the CAs above: names in the data directory.
    pub fn parent_crls(&self) -> Result<Vec<PathBuf>, Failure> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&self.0).map_err(at(&self.0))? {
            let name = entry.map_err(at(&self.0))?.file_name();
            let text = name.to_string_lossy();
            if text.starts_with(PARENT) && text.ends_with(".crl") {
                found.push(PathBuf::from(&name));
            }
        }
        Ok(found)
    }

    /// Puts a key that no CA on record has (an `init` was cut off, or another key is wanted) out
    /// of the way; nothing that may be somebody's key is deleted.
    pub fn put_left_over_key_aside(
        &self,
        key_index: usize,
        now: Timestamp,
    ) -> Result<Option<PathBuf>, Failure> {
        let key = self.ca_key(key_index);
        if !key.exists() {
            return Ok(None);
        }
        let mut aside = key.clone().into_os_string();
        aside.push(format!(".unused-{}", now.millis()));
        let aside = PathBuf::from(aside);
        std::fs::rename(&key, &aside).map_err(at(&key))?;
        Ok(Some(aside))
    }

    /// Writes `ca.pem`, `chain.pem`, `earlier.pem`, `earlier-parents.pem` and `cross.pem` where they
    /// do not say this already. What is revoked in `register` is in no chain.
    pub fn write_certificates(
        &self,
        made: &AuthorityEstablished,
        register: &dyn Register,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let above = chain_of(made);
        let root = above.last().copied().into_iter().collect::<Vec<_>>();
        let generations = Generations::of(made);
        let older = generations.cross_of(generations.present_key(), now);
        let older = older.filter(|der| !is_revoked(register, der));
        // OpenSSL goes on from the first that fits, and from a root to nowhere.
        let chain: Vec<&[u8]> = older.chain(above).collect();
        let last = generations.present() + 1 == generations.count();
        let earlier = generations.count() - usize::from(last);
        let earlier: Vec<&[u8]> = generations.certificates().take(earlier).collect();
        let earlier_parents = made.earlier_parents.iter().map(|own| own.0.as_slice()).collect();
        let cross: Vec<&[u8]> = made.cross.iter().map(|own| own.certificate.as_slice()).collect();
        for (path, certificates) in [
            (self.ca_pem(), root),
            (self.chain_pem(), chain),
            (self.earlier_pem(), earlier),
            (self.earlier_parents_pem(), earlier_parents),
            (self.cross_pem(), cross),
        ] {
            if certificates.is_empty() {
                continue;
            }
            let pem = certificates_to_pem(&certificates);
            if std::fs::read(&path).ok().as_deref() != Some(pem.as_bytes()) {
                write_durably(&path, pem.as_bytes(), FileMode::Public)?;
            }
        }
        Ok(())
    }

    /// The certificates of [`Home::earlier_pem`] with the present one among them at its place, and
    /// those above them.
    pub fn stored_generations(&self, present: &[u8], above: &[Vec<u8>]) -> Generations {
        let mut all = read_certificates(&self.earlier_pem()).unwrap_or_default();
        let place = all.iter().position(|own| own == present).unwrap_or(all.len());
        if place == all.len() {
            all.push(present.to_vec());
        }
        let earlier = read_certificates(&self.earlier_parents_pem()).unwrap_or_default();
        let above = above.iter().chain(&earlier).map(Vec::as_slice);
        Generations::listed(all, place, above)
    }
}

/// The CA key's passphrase: from the environment, else from the file that the settings name.
pub fn key_passphrase(settings: &Settings) -> Result<Option<Passphrase>, Failure> {
    use std::os::unix::ffi::OsStringExt as _;
    if let Some(value) = std::env::var_os(PASSPHRASE_VARIABLE) {
        let passphrase = Passphrase::new(value.into_vec());
        return match passphrase {
            Some(passphrase) => Ok(Some(passphrase)),
            None => Err(Failure::NoPassphrase(PathBuf::from(PASSPHRASE_VARIABLE))),
        };
    }
    settings.key_passphrase_file.as_deref().map(passphrase_file).transpose()
}

/// The passphrase in a file.
pub fn passphrase_file(path: &Path) -> Result<Passphrase, Failure> {
    let content = std::fs::read(path).map_err(at(path))?;
    Passphrase::from_file_content(content).ok_or_else(|| Failure::NoPassphrase(path.to_owned()))
}

/// The certificates in a file, PEM (other blocks are passed over) or DER.
pub fn read_certificates(path: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    let found = blocks(path, &["CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"])?;
    if found.is_empty() { Err(Failure::NoCertificate(path.to_owned())) } else { Ok(found) }
}

/// The CRL in a file, PEM or DER.
pub fn read_crl(path: &Path) -> Result<Vec<u8>, Failure> {
    crl_of(std::fs::read(path).map_err(at(path))?, path)
}

/// The CRL in what came from `source`, PEM or DER.
pub fn crl_of(content: Vec<u8>, source: &Path) -> Result<Vec<u8>, Failure> {
    let mut found = blocks_of(content, &["X509 CRL"]);
    match (found.pop(), found.is_empty()) {
        (Some(crl), true) => Ok(crl),
        _ => Err(Failure::NoCrl(source.to_owned())),
    }
}

/// The certificate request in a file, PEM or DER.
pub fn read_csr(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut found = blocks(path, &["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"])?;
    match (found.pop(), found.is_empty()) {
        (Some(request), true) => Ok(request),
        _ => Err(Failure::NoRequest(path.to_owned())),
    }
}

/// What PEM blocks with these labels hold; a file without any PEM is one in DER.
fn blocks(path: &Path, labels: &[&str]) -> Result<Vec<Vec<u8>>, Failure> {
    Ok(blocks_of(std::fs::read(path).map_err(at(path))?, labels))
}

fn blocks_of(content: Vec<u8>, labels: &[&str]) -> Vec<Vec<u8>> {
    let text = std::str::from_utf8(&content).ok().filter(|text| text.contains("-----BEGIN "));
    let Some(text) = text else {
        return vec![content];
    };
    let (blocks, _) = crate::pki::bundle::pem::read(text).unwrap_or_default();
    let wanted = blocks.into_iter().filter(|block| labels.contains(&block.label.as_str()));
    wanted.map(|block| block.der).collect()
}
