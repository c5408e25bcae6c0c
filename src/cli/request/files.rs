//! What a requester keeps: PEM files, or one PKCS#12 file (RFC 7292).

use std::path::{Path, PathBuf};

use p12_keystore::{
    Certificate as Pkcs12Certificate, EncryptionAlgorithm, KeyStore, KeyStoreEntry, MacAlgorithm,
    PrivateKey, PrivateKeyChain,
};

use super::NotEnrolled;
use crate::cli::failure::{Failure, at};
use crate::pki::bundle::certificates_to_pem;
use crate::pki::certificate::Certificate;
use crate::signing::{FileKey, Passphrase};
use crate::storage::datadir::{FileMode, write_durably};

/// Key derivation rounds. Windows itself writes 2000.
const ROUNDS: u32 = 10_000;

/// `<directory>/<name>.key`, `.pem` and `-chain.pem`.
pub(super) struct Files {
    directory: PathBuf,
    name: String,
}

impl Files {
    pub(super) fn new(directory: &Path, name: &str) -> Result<Self, Failure> {
        std::fs::create_dir_all(directory).map_err(at(directory))?;
        Ok(Self { directory: directory.to_owned(), name: name.to_owned() })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    fn end(&self, end: &str) -> PathBuf {
        self.directory.join(format!("{}{end}", self.name))
    }

    /// No key is overwritten: its certificate may be in use.
    pub(super) fn must_be_free(&self, pkcs12: Option<&Pkcs12>) -> Result<(), Failure> {
        let path = match pkcs12 {
            Some(pkcs12) => pkcs12.path.clone(),
            None => self.end(".key"),
        };
        if path.exists() { Err(Failure::InTheWay(path)) } else { Ok(()) }
    }

    pub(super) fn save_key(&self, key: &FileKey) -> Result<(), Failure> {
        Ok(key.save(&self.end(".key"), None)?)
    }

    pub(super) fn discard_key(&self) -> Result<(), Failure> {
        match self.key_if_there() {
            Some(path) => std::fs::remove_file(&path).map_err(at(&path)),
            None => Ok(()),
        }
    }

    pub(super) fn key_if_there(&self) -> Option<PathBuf> {
        Some(self.end(".key")).filter(|path| path.exists())
    }

    pub(super) fn load_key(&self) -> Result<Option<FileKey>, Failure> {
        match self.key_if_there() {
            Some(path) => Ok(Some(FileKey::load(&path, None)?)),
            None => Ok(None),
        }
    }

    /// Writes certificate and chain; tells what is where.
    pub(super) fn write(
        &self,
        own: &Certificate,
        chain: &[Vec<u8>],
    ) -> Result<Vec<String>, Failure> {
        let (own_path, chain_path) = (self.end(".pem"), self.end("-chain.pem"));
        let own = certificates_to_pem(&[own.der()]);
        write_durably(&own_path, own.as_bytes(), FileMode::Public)?;
        write_durably(&chain_path, certificates_to_pem(chain).as_bytes(), FileMode::Public)?;
        let mut told = Vec::new();
        if let Some(key) = self.key_if_there() {
            told.push(format!("Key          {}", key.display()));
        }
        told.push(format!("Certificate  {}", own_path.display()));
        told.push(format!("Chain        {}", chain_path.display()));
        Ok(told)
    }
}

/// A PKCS#12 file to be written.
pub(super) struct Pkcs12 {
    path: PathBuf,
    password: Passphrase,
}

impl Pkcs12 {
    pub(super) fn new(path: PathBuf, password: Passphrase) -> Self {
        Self { path, password }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes key, certificate and chain (0600). Encrypted with triple DES under SHA-1, which is
    /// the strongest that Windows Server 2016 reads; the password has to be good, and the file is
    /// for carrying, not for keeping.
    pub(super) fn write(
        &self,
        key: &FileKey,
        own: &Certificate,
        chain: &[Vec<u8>],
    ) -> Result<(), Failure> {
        let content = pkcs12(key, own, chain, &self.password)?;
        Ok(write_durably(&self.path, &content, FileMode::Private)?)
    }
}

fn pkcs12(
    key: &FileKey,
    own: &Certificate,
    chain: &[Vec<u8>],
    password: &Passphrase,
) -> Result<Vec<u8>, NotEnrolled> {
    let password = password.as_text().ok_or(NotEnrolled::PasswordNotText)?;
    let octets = key.to_pkcs8_der()?;
    let mut certificates = vec![Pkcs12Certificate::from_der(own.der())?];
    for der in chain {
        certificates.push(Pkcs12Certificate::from_der(der)?);
    }
    let identifier = own.sha1_thumbprint();
    let entry = PrivateKeyChain::new(&identifier[..], PrivateKey::from_der(&octets)?, certificates);
    let alias = own.names().into_iter().next().unwrap_or_else(|| own.serial().to_string());
    let mut store = KeyStore::new();
    store.add_entry(&alias, KeyStoreEntry::PrivateKeyChain(entry));
    let written = store
        .writer(password)
        .encryption_algorithm(EncryptionAlgorithm::PbeWithShaAnd3KeyTripleDesCbc)
        .encryption_iterations(ROUNDS)
        .mac_algorithm(MacAlgorithm::HmacSha1)
        .mac_iterations(ROUNDS)
        .write()?;
    Ok(written)
}

/// A name that stays in its directory on every file system.
pub(super) fn harmless(name: &str) -> String {
    let fits = |letter: char| letter.is_alphanumeric() || "-._@".contains(letter);
    let name: String =
        name.chars().map(|letter| if fits(letter) { letter } else { '_' }).take(100).collect();
    match name.trim_start_matches('.') {
        "" => "request".to_owned(),
        kept => kept.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::ca::establish::{intend_root, sign_root};
    use crate::pki::name::DistinguishedName;
    use crate::signing::KeyKind;

    /// OpenSSL reads it only with its legacy provider: that is the encryption Windows Server 2016
    /// knows.
    #[test]
    fn pkcs12_is_what_old_windows_reads() {
        for kind in [KeyKind::Rsa2048, KeyKind::P256] {
            let key = FileKey::generate(kind).unwrap();
            let name = DistinguishedName::with_common_name("vpn.contoso.com").unwrap();
            let now = "2026-11-23T04:00:00Z".parse().unwrap();
            let root = sign_root(&intend_root(&name, &key, [7; 20], now, 9999).unwrap(), &key);
            let own = Certificate::from_der(&root.unwrap()).unwrap();
            let home = tempfile::tempdir().unwrap();
            let path = home.path().join("vpn.p12");
            let password = Passphrase::new("Gr\u{fc}n 7".as_bytes().to_vec()).unwrap();
            Pkcs12::new(path.clone(), password).write(&key, &own, &[]).unwrap();
            let read = Command::new("openssl")
                .args([
                    "pkcs12",
                    "-legacy",
                    "-nodes",
                    "-info",
                    "-passin",
                    "pass:Gr\u{fc}n 7",
                    "-in",
                ])
                .arg(&path)
                .output()
                .unwrap();
            let (out, told) =
                (String::from_utf8(read.stdout).unwrap(), String::from_utf8(read.stderr).unwrap());
            assert!(read.status.success(), "{told}");
            assert!(out.contains("BEGIN PRIVATE KEY") && out.contains("BEGIN CERTIFICATE"));
            assert!(told.contains("pbeWithSHA1And3-KeyTripleDES-CBC"), "{told}");
            assert!(told.contains("MAC: sha1"), "{told}");
            let content = std::fs::read(&path).unwrap();
            let password = Passphrase::new("Gr\u{fc}n 7".as_bytes().to_vec()).unwrap();
            let back = crate::signing::import::read_pkcs12(&content, &password).unwrap();
            assert_eq!(back.certificates, [own.der()]);
        }
    }

    #[test]
    fn names_stay_in_their_directory() {
        assert_eq!(harmless("vpn.contoso.com"), "vpn.contoso.com");
        assert_eq!(harmless("../../etc/passwd"), "_.._etc_passwd");
        assert_eq!(harmless("*.contoso.com"), "_.contoso.com");
        assert_eq!(harmless("NPS01$"), "NPS01_");
        assert_eq!(harmless(""), "request");
        assert_eq!(harmless(".."), "request");
    }
}
