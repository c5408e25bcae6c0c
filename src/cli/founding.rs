//! Founding a CA in an empty register: what `init` does deliberately and `serve` by default.

use std::path::PathBuf;

use super::failure::Failure;
use super::home::Home;
use super::register::record;
use super::surroundings::{now, random_octets};
use crate::ca::establish::learning::record_missing_revocations;
use crate::ca::establish::{
    accept_certificate, established, first_acts, intend_root, listed_revocations, sign_root,
    subordinate_request,
};
use crate::pki::bundle::pem;
use crate::pki::certificate::Certificate;
use crate::pki::issuer::Issuer;
use crate::pki::name::DistinguishedName;
use crate::pki::revocation_list::CrlScope;
use crate::pki::template::TemplateArc;
use crate::signing::{FileKey, Passphrase};
use crate::storage::LedgerRegister;
use crate::storage::Urgency;
use crate::storage::act::{Act, AuthorityEstablished};
use crate::storage::datadir::{FileMode, write_durably};

/// An empty register and what every kind of founding needs.
pub struct Founding<'a> {
    /// The register.
    pub register: &'a LedgerRegister,
    /// The data directory.
    pub home: Home,
    /// What the key's file is encrypted with.
    pub passphrase: Option<Passphrase>,
    /// What goes into CDP and AIA, if that was said.
    pub base_urls: Vec<String>,
}

/// A CA certificate with the others that came with it.
pub struct Adopted {
    /// The key.
    pub key: FileKey,
    /// Certificates in any order, that of the key among them (DER).
    pub certificates: Vec<Vec<u8>>,
    /// Where they came from, for messages.
    pub source: PathBuf,
    /// A floor for CRL numbers.
    pub next_crl_number: u64,
    /// The last CRL (DER).
    pub previous_crl: Option<Vec<u8>>,
}

/// What CRLs go on from.
#[derive(Default)]
struct Past {
    next_crl_number: u64,
    latest_this_update: Option<u64>,
}

impl Founding<'_> {
    /// A root with its own certificate.
    pub fn root(
        &self,
        name: &DistinguishedName,
        key: &FileKey,
        validity_seconds: u64,
    ) -> Result<AuthorityEstablished, Failure> {
        self.keep(key)?;
        let intended = intend_root(name, key, random_octets()?, now(), validity_seconds)?;
        let act = Act::AuthorityIntended(intended.clone());
        record(self.register, vec![act], now(), Urgency::Ordinary)?;
        let certificate = sign_root(&intended, key)?;
        self.conclude(name, certificate, Vec::new(), Past::default())
    }

    /// A subordinate that waits for its certificate; gives where its request is.
    pub fn subordinate(
        &self,
        name: &DistinguishedName,
        key: &FileKey,
    ) -> Result<(AuthorityEstablished, PathBuf), Failure> {
        let request = subordinate_request(name, key)?;
        self.keep(key)?;
        let path = self.home.ca_csr();
        let text = pem::write("CERTIFICATE REQUEST", &request);
        write_durably(&path, text.as_bytes(), FileMode::Public)?;
        Ok((self.conclude(name, Vec::new(), Vec::new(), Past::default())?, path))
    }

    /// An existing CA; gives how many revocations were taken over.
    pub fn adopted(&self, adopted: &Adopted) -> Result<(AuthorityEstablished, usize), Failure> {
        let (certificate, chain) =
            own_certificate(&adopted.certificates, &adopted.key, &adopted.source)?;
        let issuer = Issuer::new(&certificate, &chain, Vec::new(), Vec::new())?;
        let listed = match &adopted.previous_crl {
            Some(crl) => Some(listed_revocations(crl.as_slice(), &issuer)?),
            None => None,
        };
        self.keep(&adopted.key)?;
        let revoked = match &listed {
            // All of it was issued before there were partitions here.
            Some(listed) => {
                let scope = CrlScope::FIRST.into();
                record_missing_revocations(self.register, listed, scope, now())?
            }
            None => 0,
        };
        let after = listed.as_ref().and_then(|listed| listed.number).map_or(0, |last| last + 1);
        let past = Past {
            next_crl_number: adopted.next_crl_number.max(after),
            latest_this_update: listed.map(|listed| listed.this_update.seconds()),
        };
        Ok((self.conclude(issuer.name(), certificate, chain, past)?, revoked))
    }

    fn keep(&self, key: &FileKey) -> Result<(), Failure> {
        if let Some(aside) = self.home.put_left_over_key_aside(0, now())? {
            tracing::warn!(kept = %aside.display(), "a key that no CA has was put aside");
        }
        Ok(key.save(&self.home.ca_key(0), self.passphrase.as_ref())?)
    }

    fn conclude(
        &self,
        name: &DistinguishedName,
        certificate: Vec<u8>,
        chain: Vec<Vec<u8>>,
        past: Past,
    ) -> Result<AuthorityEstablished, Failure> {
        let arc = TemplateArc::from_random(random_octets()?).to_string();
        let base_urls = self.base_urls.clone();
        let Past { next_crl_number, latest_this_update } = past;
        let made = established(name, certificate, chain, arc, base_urls, next_crl_number);
        let made = AuthorityEstablished { latest_this_update, ..made };
        record(self.register, first_acts(made.clone(), now()), now(), Urgency::Ordinary)?;
        Ok(made)
    }
}

/// The certificate of `key` among others, and its chain up to a root.
pub fn own_certificate(
    certificates: &[Vec<u8>],
    key: &FileKey,
    source: &std::path::Path,
) -> Result<(Vec<u8>, Vec<Vec<u8>>), Failure> {
    use crate::signing::CaKey as _;
    let is_own = |der: &&Vec<u8>| {
        Certificate::from_der(der).is_ok_and(|parsed| parsed.spki_der() == key.spki_der())
    };
    let own = certificates.iter().find(is_own).or(certificates.first());
    let own = own.ok_or_else(|| Failure::NoCertificate(source.to_owned()))?;
    let chain = accept_certificate(own, certificates, key, now())?;
    Ok((own.clone(), chain))
}
