//! The files of the data directory that are this room's: keys, certificates, tokens. (The
//! register's are storage's.)

use std::path::{Path, PathBuf};

use super::failure::{Failure, at};
use super::settings::{PASSPHRASE_VARIABLE, Settings};
use crate::pki::bundle::certificates_to_pem;
use crate::pki::time::Timestamp;
use crate::signing::Passphrase;
use crate::storage::act::Der;
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

    /// The CA's private key (0600).
    pub fn ca_key(&self) -> PathBuf {
        self.0.join("ca.key")
    }

    /// The root certificate: what `curl --cacert` needs.
    pub fn ca_pem(&self) -> PathBuf {
        self.0.join("ca.pem")
    }

    /// The CA certificate and those above it.
    pub fn chain_pem(&self) -> PathBuf {
        self.0.join("chain.pem")
    }

    /// The certificates that the CA had before, oldest first; not there if there was none.
    pub fn earlier_pem(&self) -> PathBuf {
        self.0.join("earlier.pem")
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

    /// The OCSP responder's key (0600), sealed as the CA's is.
    pub fn ocsp_key(&self) -> PathBuf {
        self.0.join("ocsp.key")
    }

    /// The OCSP responder's certificate.
    pub fn ocsp_pem(&self) -> PathBuf {
        self.0.join("ocsp.pem")
    }

    /// The OCSP answers: derived, may be deleted.
    pub fn ocsp(&self) -> PathBuf {
        self.0.join("ocsp")
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

    /// Puts a key that no CA on record has (an `init` was cut off) out of the way; nothing that
    /// may be somebody's key is deleted.
    pub fn put_left_over_key_aside(&self, now: Timestamp) -> Result<Option<PathBuf>, Failure> {
        let key = self.ca_key();
        if !key.exists() {
            return Ok(None);
        }
        let aside = self.0.join(format!("ca.key.unused-{}", now.millis()));
        std::fs::rename(&key, &aside).map_err(at(&key))?;
        Ok(Some(aside))
    }

    /// Writes `ca.pem`, `chain.pem` and `earlier.pem` where they do not say this already.
    pub fn write_certificates(&self, chain: &[&[u8]], earlier: &[Der]) -> Result<(), Failure> {
        let root = chain.last().copied().into_iter().collect::<Vec<_>>();
        let earlier: Vec<&[u8]> = earlier.iter().map(|own| own.0.as_slice()).collect();
        for (path, certificates) in [
            (self.ca_pem(), root.as_slice()),
            (self.chain_pem(), chain),
            (self.earlier_pem(), earlier.as_slice()),
        ] {
            if certificates.is_empty() {
                continue;
            }
            let pem = certificates_to_pem(certificates);
            if std::fs::read(&path).ok().as_deref() != Some(pem.as_bytes()) {
                write_durably(&path, pem.as_bytes(), FileMode::Public)?;
            }
        }
        Ok(())
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
