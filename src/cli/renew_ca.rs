//! `chancery renew-ca`: the CA's own certificate for longer, with the same key.

use super::arguments::RenewCa;
use super::failure::Failure;
use super::home::{Home, key_passphrase};
use super::init::chain_of;
use super::register::{open_established, record};
use super::settings::Settings;
use super::surroundings::{now, random_octets, say};
use crate::ca::establish::renewal::{intend_renewed_root, renewal_request, renewed};
use crate::ca::establish::sign_root;
use crate::pki::bundle::pem;
use crate::pki::issuer::Issuer;
use crate::signing::FileKey;
use crate::storage::act::Act;
use crate::storage::datadir::{FileMode, write_durably};
use crate::storage::{Register as _, Urgency};

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
    let parents: Vec<&[u8]> = present.parents.iter().map(|own| own.0.as_slice()).collect();
    let issuer = Issuer::new(&present.certificate, &parents, Vec::new(), Vec::new())?;
    let key = FileKey::load(&home.ca_key(), passphrase.as_ref())?;
    if issuer.chain().is_empty() {
        let length = issuer.not_after().seconds_since(issuer.not_before());
        let length = arguments.validity.unwrap_or(length);
        let intended = intend_renewed_root(&issuer, &key, random_octets()?, now(), length)?;
        let act = Act::AuthorityIntended(intended.clone());
        record(&register, vec![act], now(), Urgency::Ordinary)?;
        let made = renewed(present, sign_root(&intended, &key)?, Vec::new());
        let act = Act::AuthorityEstablished(made.clone());
        record(&register, vec![act], now(), Urgency::Ordinary)?;
        home.write_certificates(&chain_of(&made), &made.earlier)?;
        let next = Issuer::new::<&[u8]>(&made.certificate, &[], Vec::new(), Vec::new())?;
        say(&format!("Renewed the root CA {} until {}.", next.name(), next.not_after()));
        say(&format!(
            "Hand {} to everybody who trusts this CA before {}: what was issued verifies under \
             either certificate, for the key is the same.",
            home.ca_pem().display(),
            issuer.not_after()
        ));
    } else {
        let text = pem::write("CERTIFICATE REQUEST", &renewal_request(&issuer, &key)?);
        write_durably(&home.ca_csr(), text.as_bytes(), FileMode::Public)?;
        say(&format!("The request for the next certificate is {}.", home.ca_csr().display()));
        say(
            "Have it signed by the parent CA, then: chancery install-certificate FILE --chain FILE. \
             Until then everything goes on with the present one.",
        );
    }
    say("`chancery serve` starts the service.");
    register.close()?;
    Ok(())
}
