//! `chancery install-certificate`: a subordinate's certificate, made by its parent.

use std::path::PathBuf;

use super::arguments::InstallCertificate;
use super::failure::{Failure, at};
use super::founding::own_certificate;
use super::home::{Home, key_passphrase, read_certificates};
use super::init::subject_of;
use super::register::{open_established, record};
use super::settings::Settings;
use super::surroundings::{now, say};
use crate::ca::establish::generations::{Generations, installed};
use crate::pki::certificate::Certificate;
use crate::signing::{CaKey as _, FileKey, Passphrase};
use crate::storage::act::Act;
use crate::storage::datadir::sync_directory_of;
use crate::storage::{Register as _, Urgency};

/// Checks that certificate and chain belong to a key of this CA, and puts them on record. A later
/// one (the parent renewed it) takes the earlier one's place, which is served on; it may be for the
/// same key, or for the new one that `renew-ca --new-key` made.
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
    let generations = Generations::of(&waiting);
    let (key, path) = key_of(&certificates, &home, &generations, passphrase.as_ref())?;
    let (certificate, chain) = own_certificate(&certificates, &key, &arguments.certificate)?;
    let made = installed(waiting, certificate, chain);
    // A key that waited while another certificate came: under its own index before it counts.
    let place = home.ca_key(Generations::of(&made).present_key());
    if place != path {
        std::fs::rename(&path, &place).map_err(at(&path))?;
        sync_directory_of(&place)?;
    }
    let act = Act::AuthorityEstablished(made.clone());
    record(&register, vec![act], now(), Urgency::Ordinary)?;
    home.write_certificates(&made, &*register, now())?;
    say(&format!("Installed the certificate of {}.", subject_of(&made)));
    say("`chancery serve` starts the service.");
    register.close()?;
    Ok(())
}

/// The key that one of `certificates` is for, and its file: one that waits for a certificate, else
/// that of the present one, or one of before.
fn key_of(
    certificates: &[Vec<u8>],
    home: &Home,
    generations: &Generations,
    passphrase: Option<&Passphrase>,
) -> Result<(FileKey, PathBuf), Failure> {
    let present = home.ca_key(generations.present_key());
    let later = home.later_ca_keys()?.into_iter().map(|name| home.path().join(name));
    let others = later.filter(|path| *path != present);
    let is_meant = |key: &FileKey| {
        certificates.iter().any(|der| {
            Certificate::from_der(der).is_ok_and(|parsed| parsed.spki_der() == key.spki_der())
        })
    };
    for path in others {
        let key = FileKey::load(&path, passphrase)?;
        if is_meant(&key) {
            return Ok((key, path));
        }
    }
    Ok((FileKey::load(&present, passphrase)?, present))
}
