//! `chancery renew-ca`: the CA's own certificate for longer, with the same key or a new one.
//!
//! A new key is durable, in a file of its own, before anything is signed with it; the CA on record
//! changes by one act. Whatever comes between leaves the CA as it was, and the key that waits is
//! taken up by the next attempt.

use super::arguments::RenewCa;
use super::failure::Failure;
use super::home::{Home, key_passphrase};
use super::register::{open_established, record};
use super::serve::addresses::base_urls;
use super::settings::Settings;
use super::surroundings::{now, random_octets, say};
use crate::ca::establish::cross::{Root, intend_new_with_old, intend_old_with_new, sign_cross};
use crate::ca::establish::generations::{Generations, installed};
use crate::ca::establish::renewal::{KeyUse, intend_renewed_root, renewal_request};
use crate::ca::establish::sign_root;
use crate::pki::bundle::pem;
use crate::pki::issuer::Issuer;
use crate::pki::revocation_list::CrlScope;
use crate::signing::{FileKey, KeyKind, Passphrase};
use crate::storage::act::{Act, AuthorityEstablished, AuthorityIntended};
use crate::storage::datadir::{FileMode, write_durably};
use crate::storage::{LedgerRegister, Register as _, Urgency};

/// A CA that is renewed.
struct Renewing<'a> {
    home: Home,
    register: &'a LedgerRegister,
    passphrase: Option<Passphrase>,
    present: AuthorityEstablished,
    generations: Generations,
    base_urls: Vec<String>,
    issuer: Issuer,
    key: FileKey,
}

/// Renews a root at once; writes a subordinate's request for its parent to sign.
pub fn renew_ca(arguments: &RenewCa, settings: &Settings) -> Result<(), Failure> {
    let home = Home::new(&settings.data);
    let passphrase = key_passphrase(settings)?;
    let register = open_established(settings)?;
    let present = register.authority()?;
    let present = present.ok_or_else(|| Failure::NotEstablished(settings.data.clone()))?;
    if present.certificate.is_empty() {
        return Err(Failure::AwaitingCertificate(home.ca_csr()));
    }
    let generations = Generations::of(&present);
    let base_urls = base_urls(settings, &present, settings.publish_listen);
    let issuer = generations.issuer(generations.present(), &present.slug, &base_urls)?;
    let key = FileKey::load(&home.ca_key(generations.present_key()), passphrase.as_ref())?;
    let renewing = Renewing {
        home,
        register: &register,
        passphrase,
        present,
        generations,
        base_urls,
        issuer,
        key,
    };
    let is_root = renewing.issuer.chain().is_empty();
    match (arguments.new_key, is_root) {
        (false, true) => renewing.root_with_its_key(arguments.validity)?,
        (true, true) => {
            let new = renewing.new_key(arguments.key_algorithm)?;
            renewing.root_with_new_key(&new, arguments.validity)?;
        }
        (false, false) => renewing.request(&renewing.key, KeyUse::Kept)?,
        (true, false) => {
            let new = renewing.new_key(arguments.key_algorithm)?;
            renewing.request(&new, KeyUse::New)?;
        }
    }
    say("`chancery serve` starts the service.");
    register.close()?;
    Ok(())
}

impl Renewing<'_> {
    fn root_with_its_key(&self, validity_seconds: Option<u64>) -> Result<(), Failure> {
        let certificate = self.root(&self.key, KeyUse::Kept, validity_seconds)?;
        let made = installed(self.present.clone(), certificate, Vec::new());
        self.establish(&made)?;
        say(&format!(
            "Hand {} to everybody who trusts this CA before {}: what was issued verifies under \
             either certificate, for the key is the same.",
            self.home.ca_pem().display(),
            self.issuer.not_after()
        ));
        Ok(())
    }

    fn root_with_new_key(
        &self,
        new: &FileKey,
        validity_seconds: Option<u64>,
    ) -> Result<(), Failure> {
        let certificate = self.root(new, KeyUse::New, validity_seconds)?;
        let mut made = installed(self.present.clone(), certificate, Vec::new());
        let after = Generations::of(&made);
        let next = after.issuer(after.present(), &made.slug, &self.base_urls)?;
        let index = |index: usize| u32::try_from(index).unwrap_or(u32::MAX);
        let old =
            Root { issuer: &self.issuer, index: index(self.generations.present()), key: &self.key };
        let new = Root { issuer: &next, index: index(after.present()), key: new };
        let new_with_old = intend_new_with_old(old, new, random_octets()?);
        let old_with_new = intend_old_with_new(old, new, random_octets()?);
        self.intend(&[&new_with_old, &old_with_new])?;
        made.cross.push(sign_cross(&new_with_old, new, old)?);
        made.cross.push(sign_cross(&old_with_new, old, new)?);
        self.establish(&made)?;
        say(&format!(
            "The key is new. Hand {} to everybody who trusts this CA; until then the \
             cross-certificates in {} lead from one root to the other.",
            self.home.ca_pem().display(),
            self.home.cross_pem().display()
        ));
        say(&format!(
            "Keep {}: it goes on signing {}.crl until {}.",
            self.home.ca_key(self.generations.present_key()).display(),
            CrlScope::of_key(self.issuer.key_index()).file_name(&made.slug),
            self.issuer.not_after()
        ));
        Ok(())
    }

    /// The next certificate of a root, on record before it is signed.
    fn root(
        &self,
        key: &FileKey,
        key_use: KeyUse,
        validity_seconds: Option<u64>,
    ) -> Result<Vec<u8>, Failure> {
        let length = self.issuer.not_after().seconds_since(self.issuer.not_before());
        let length = validity_seconds.unwrap_or(length);
        let (issuer, generations) = (&self.issuer, &self.generations);
        let random = random_octets()?;
        let intended =
            intend_renewed_root(issuer, generations, (key, key_use), random, now(), length)?;
        self.intend(&[&intended])?;
        Ok(sign_root(&intended, key)?)
    }

    fn request(&self, key: &FileKey, key_use: KeyUse) -> Result<(), Failure> {
        let request = renewal_request(&self.issuer, &self.generations, (key, key_use))?;
        let text = pem::write("CERTIFICATE REQUEST", &request);
        write_durably(&self.home.ca_csr(), text.as_bytes(), FileMode::Public)?;
        say(&format!("The request for the next certificate is {}.", self.home.ca_csr().display()));
        say(
            "Have it signed by the parent CA, then: chancery install-certificate FILE --chain FILE. \
             Until then everything goes on with the present one.",
        );
        Ok(())
    }

    /// A key that is in its file: one that waits there from an attempt before, else a new one.
    fn new_key(&self, wanted: Option<KeyKind>) -> Result<FileKey, Failure> {
        let kind = wanted.or_else(|| self.key.kind()).ok_or(Failure::KeyAlgorithmNeeded)?;
        let index = self.generations.count();
        let path = self.home.ca_key(index);
        if path.exists() {
            let waiting = FileKey::load(&path, self.passphrase.as_ref())?;
            if waiting.kind() == Some(kind) {
                say(&format!("The key that waits in {} is taken.", path.display()));
                return Ok(waiting);
            }
        }
        if let Some(aside) = self.home.put_left_over_key_aside(index, now())? {
            say(&format!("Another key waited there; it is now {}.", aside.display()));
        }
        say(&format!("Generating the CA's new key ({kind})."));
        let key = FileKey::generate(kind)?;
        key.save(&path, self.passphrase.as_ref())?;
        let sealed = self.passphrase.is_some();
        let how = if sealed { "encrypted with the passphrase" } else { "not encrypted, mode 0600" };
        say(&format!("The new key is {} ({how}).", path.display()));
        Ok(key)
    }

    fn intend(&self, intended: &[&AuthorityIntended]) -> Result<(), Failure> {
        let acts = intended.iter().map(|own| Act::AuthorityIntended((*own).clone()));
        record(self.register, acts.collect(), now(), Urgency::Ordinary)
    }

    fn establish(&self, made: &AuthorityEstablished) -> Result<(), Failure> {
        let act = Act::AuthorityEstablished(made.clone());
        record(self.register, vec![act], now(), Urgency::Ordinary)?;
        self.home.write_certificates(made, self.register, now())?;
        let next = Issuer::new::<&[u8]>(&made.certificate, &[], Vec::new(), Vec::new())?;
        say(&format!("Renewed the root CA {} until {}.", next.name(), next.not_after()));
        Ok(())
    }
}
