//! `chancery init`: makes a CA deliberately.

use super::arguments::Init;
use super::failure::{Failure, at};
use super::founding::{Adopted, Founding};
use super::home::{Home, key_passphrase, passphrase_file, read_certificates, read_crl};
use super::register::open_register;
use super::settings::Settings;
use super::surroundings::{host_name, now, say};
use crate::pki::certificate::Certificate;
use crate::pki::name::DistinguishedName;
use crate::signing::import::read_pkcs12;
use crate::signing::{FileKey, KeyKind};
use crate::storage::act::AuthorityEstablished;
use crate::storage::open::Scrub;

/// The default CA's key: every Windows, RADIUS and VPN client takes it.
pub const DEFAULT_KEY: KeyKind = KeyKind::Rsa3072;

/// How long the default CA's certificate is valid.
pub const DEFAULT_VALIDITY_SECONDS: u64 = 10 * 365 * 86_400;

/// Makes what the arguments ask for.
pub fn init(arguments: &Init, settings: &Settings) -> Result<(), Failure> {
    // Before anything is made: what the arguments say must be good.
    let name = match &arguments.name {
        Some(text) => DistinguishedName::from_rfc4514(text)?,
        None => default_name()?,
    };
    let adopted = adopted(arguments)?;
    let passphrase = key_passphrase(settings)?;
    let register = open_register(settings, Scrub::Not)?;
    refuse_second(&*register, settings)?;
    let sealed = passphrase.is_some();
    let founding = Founding {
        register: &register,
        home: Home::new(&settings.data),
        passphrase,
        base_urls: settings.base_urls.clone(),
    };
    let key = founding.home.ca_key(0);
    match adopted {
        Some(adopted) => {
            let (made, revoked) = founding.adopted(&adopted)?;
            say(&format!("Adopted the CA {}.", subject_of(&made)));
            say(&format!("CRL numbers are at least {}.", made.next_crl_number));
            match &adopted.previous_crl {
                Some(_) => say(&format!("{revoked} revocations were taken over from its CRL.")),
                None => say(
                    "Warning: without --previous-crl this CA knows of no earlier revocation; its \
                     first CRL makes every certificate on the old one valid again.",
                ),
            }
            founding.home.write_certificates(&made, &*register, now())?;
        }
        None if arguments.subordinate => {
            say(&format!("Generating the CA's key ({}).", arguments.key_algorithm));
            let key = FileKey::generate(arguments.key_algorithm)?;
            let (_, request) = founding.subordinate(&name, &key)?;
            say(&format!("Made the subordinate CA {name}; its request is {}.", request.display()));
            say(
                "Have it signed by the parent CA, then: chancery install-certificate FILE --chain FILE",
            );
        }
        None => {
            say(&format!("Generating the CA's key ({}).", arguments.key_algorithm));
            let key = FileKey::generate(arguments.key_algorithm)?;
            let made = founding.root(&name, &key, arguments.validity)?;
            say(&format!("Made the root CA {}.", subject_of(&made)));
            founding.home.write_certificates(&made, &*register, now())?;
        }
    }
    let how = if sealed { "encrypted with the passphrase" } else { "not encrypted, mode 0600" };
    say(&format!("The key is {} ({how}).", key.display()));
    register.close()?;
    Ok(())
}

/// `CN=<host> CA`.
pub fn default_name() -> Result<DistinguishedName, Failure> {
    // A common name has at most 64 characters (RFC 5280 appendix A.1).
    let host: String = host_name().chars().take(61).collect();
    Ok(DistinguishedName::with_common_name(&format!("{host} CA"))?)
}

/// The CA certificate and those above it.
pub fn chain_of(made: &AuthorityEstablished) -> Vec<&[u8]> {
    let parents = made.parents.iter().map(|parent| parent.0.as_slice());
    std::iter::once(made.certificate.as_slice()).chain(parents).collect()
}

/// Its name, as it stands in its certificate.
pub fn subject_of(made: &AuthorityEstablished) -> String {
    match Certificate::from_der(&made.certificate) {
        Ok(certificate) => certificate.subject().to_string(),
        Err(_) => made.slug.clone(),
    }
}

fn refuse_second(
    register: &dyn crate::storage::Register,
    settings: &Settings,
) -> Result<(), Failure> {
    match register.authority()? {
        Some(made) => Err(Failure::AlreadyEstablished(settings.data.clone(), subject_of(&made))),
        None => Ok(()),
    }
}

fn adopted(arguments: &Init) -> Result<Option<Adopted>, Failure> {
    let password = arguments.import_password_file.as_deref().map(passphrase_file).transpose()?;
    let (key, mut certificates, source) = match (&arguments.key, &arguments.pkcs12) {
        (Some(path), _) => {
            let key = FileKey::load(path, password.as_ref())?;
            let source = arguments.certificate.as_ref().unwrap_or(path);
            (key, read_certificates(source)?, source)
        }
        (None, Some(path)) => {
            let content = std::fs::read(path).map_err(at(path))?;
            let password = password.ok_or(Failure::Pkcs12PasswordNeeded)?;
            let imported = read_pkcs12(&content, &password)?;
            (imported.key, imported.certificates, path)
        }
        (None, None) => return Ok(None),
    };
    if let Some(chain) = &arguments.chain {
        certificates.extend(read_certificates(chain)?);
    }
    Ok(Some(Adopted {
        key,
        certificates,
        source: source.clone(),
        next_crl_number: arguments.next_crl_number.unwrap_or(0),
        previous_crl: arguments.previous_crl.as_deref().map(read_crl).transpose()?,
    }))
}
