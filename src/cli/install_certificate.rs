//! `chancery install-certificate`: a subordinate's certificate, made by its parent.

use super::arguments::InstallCertificate;
use super::failure::Failure;
use super::founding::own_certificate;
use super::home::{Home, key_passphrase, read_certificates};
use super::init::{chain_of, subject_of};
use super::register::{open_established, record};
use super::settings::Settings;
use super::surroundings::{now, say};
use crate::ca::establish::renewal::renewed;
use crate::signing::FileKey;
use crate::storage::act::Act;
use crate::storage::{Register as _, Urgency};

/// Checks that certificate and chain belong to the key, and puts them on record. A later one for
/// the same key (the parent renewed it) takes the earlier one's place, which is served on.
pub fn install_certificate(
    arguments: &InstallCertificate,
    settings: &Settings,
) -> Result<(), Failure> {
    let mut certificates = read_certificates(&arguments.certificate)?;
    if let Some(chain) = &arguments.chain {
        certificates.extend(read_certificates(chain)?);
    }
    let home = Home::new(&settings.data);
    let passphrase = key_passphrase(settings)?;
    let register = open_established(settings)?;
    let waiting = register.authority()?;
    let waiting = waiting.ok_or_else(|| Failure::NotEstablished(settings.data.clone()))?;
    let key = FileKey::load(&home.ca_key(), passphrase.as_ref())?;
    let (certificate, chain) = own_certificate(&certificates, &key, &arguments.certificate)?;
    let made = renewed(waiting, certificate, chain);
    let act = Act::AuthorityEstablished(made.clone());
    record(&register, vec![act], now(), Urgency::Ordinary)?;
    home.write_certificates(&chain_of(&made), &made.earlier)?;
    say(&format!("Installed the certificate of {}.", subject_of(&made)));
    say("`chancery serve` starts the service.");
    register.close()?;
    Ok(())
}
