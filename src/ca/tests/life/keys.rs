//! The CA's keys, each of which signs nothing that is not first on record (law 1), and the OCSP
//! responders that are certified with them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_lc_rs::digest::Digest;

use super::faults::Faults;
use crate::ca::Authority;
use crate::ca::ocsp::{NoResponder, Responder, Responders};
use crate::pki::account::{Account, AccountKind};
use crate::pki::certificate::Certificate;
use crate::pki::issuer::Issuer;
use crate::pki::signature::SignatureAlgorithm;
use crate::pki::time::Timestamp;
use crate::signing::{CaKey, FileKey, KeyKind, SigningError};
use crate::storage::{LedgerRegister, Page, Register};

type Watched = Arc<Mutex<Option<Arc<LedgerRegister>>>>;

/// The files of keys, by key index.
#[derive(Default)]
pub(super) struct Keys {
    files: BTreeMap<usize, Arc<WatchfulKey>>,
    register: Watched,
}

/// A key of the CA.
pub(super) struct WatchfulKey {
    /// Without the watch, for what only the operator's commands sign.
    pub(super) key: FileKey,
    register: Watched,
}

impl Keys {
    pub(super) fn of(&self, key_index: usize) -> Arc<WatchfulKey> {
        Arc::clone(self.files.get(&key_index).expect("the file of a key"))
    }

    /// A key in its file: one that waits there from an attempt before, else a new one. Nothing
    /// where the process died of it.
    pub(super) fn make(&mut self, key_index: usize, faults: &Faults) -> Option<Arc<WatchfulKey>> {
        if !self.files.contains_key(&key_index) {
            let key = FileKey::generate(KeyKind::P256).unwrap();
            let made = Arc::new(WatchfulKey { key, register: Arc::clone(&self.register) });
            let files = &mut self.files;
            let saved = faults.durably(|| {
                files.insert(key_index, made);
            });
            saved.then_some(())?;
        }
        Some(self.of(key_index))
    }

    /// A process holds this register, or none does.
    pub(super) fn watch(&self, register: Option<Arc<LedgerRegister>>) {
        *self.register.lock().unwrap() = register;
    }
}

impl WatchfulKey {
    /// The point of its public key.
    pub(super) fn point(&self) -> Vec<u8> {
        let info = spki::SubjectPublicKeyInfoRef::try_from(self.spki_der()).unwrap();
        info.subject_public_key.as_bytes().unwrap().to_vec()
    }

    fn register(&self) -> Arc<LedgerRegister> {
        self.register.lock().unwrap().clone().expect("a running process")
    }
}

impl CaKey for WatchfulKey {
    fn spki_der(&self) -> &[u8] {
        self.key.spki_der()
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.key.algorithm()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        let orphans = self.register().orphans().unwrap();
        let reserved = orphans.iter().any(|orphan| orphan.tbs == message);
        assert!(reserved, "asked to sign a certificate that is not on record");
        self.key.sign(message)
    }

    fn sign_digest(&self, digest: &Digest) -> Result<Vec<u8>, SigningError> {
        let newest = self.register().crls(None, Page { after: None, limit: 2 }).unwrap().rows;
        let intended = newest.iter().any(|row| row.tbs_digest == digest.as_ref());
        assert!(intended, "asked to sign a CRL that is not on record");
        self.key.sign_digest(digest)
    }
}

/// The responders at hand, by the key that certified each.
pub(super) type Kept = Arc<Mutex<BTreeMap<u16, Arc<Responder>>>>;

/// Issues the responder of one key as the composition root does.
pub(super) struct Certified {
    pub(super) authority: Arc<Authority>,
    pub(super) issuer: Arc<Issuer>,
    pub(super) kept: Kept,
}

impl Certified {
    fn issue(&self, now: Timestamp) -> Result<Arc<Responder>, NoResponder> {
        let host = Some("ocsp.contoso.com".to_owned());
        let account =
            Account { dns_host_name: host, ..Account::named("chancery", AccountKind::Service) };
        let key = FileKey::generate(KeyKind::P256).unwrap();
        let pair = rcgen::KeyPair::try_from(key.to_pkcs8_der().unwrap().as_slice()).unwrap();
        let request = rcgen::CertificateParams::new(Vec::new()).unwrap();
        let request = request.serialize_request(&pair).unwrap().der().to_vec();
        let (under, template) = (self.issuer.key_index(), "OCSPResponseSigning");
        let row = self.authority.issue_internally_under(under, template, &request, &account, now);
        let row = row.map_err(|error| NoResponder(error.to_string()))?;
        let certificate = Certificate::from_der(&row.certificate).unwrap();
        Ok(Arc::new(Responder::new(certificate, Arc::new(key), &self.issuer).unwrap()))
    }
}

impl Responders for Certified {
    fn responder(&self, now: Timestamp) -> Result<Arc<Responder>, NoResponder> {
        let under = self.issuer.key_index();
        let kept = self.kept.lock().unwrap().get(&under).cloned();
        let holds = |own: &Arc<Responder>| {
            let certificate = own.certificate();
            certificate.not_before() <= now && now < certificate.not_after()
        };
        let kept = kept.filter(holds);
        if let Some(kept) = &kept
            && now < kept.renewal_due()
        {
            return Ok(Arc::clone(kept));
        }
        match (self.issue(now), kept) {
            (Ok(made), _) => {
                self.kept.lock().unwrap().insert(under, Arc::clone(&made));
                Ok(made)
            }
            // The one before, while it holds, is better than none.
            (Err(_), Some(kept)) => Ok(kept),
            (Err(error), None) => Err(error),
        }
    }
}
