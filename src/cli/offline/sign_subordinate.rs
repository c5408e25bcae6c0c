//! `chancery sign-subordinate`: the certificate of a CA below this one, which nobody serves.

use super::Offline;
use super::arguments::SignSubordinate;
use crate::ca::operator::OPERATOR;
use crate::cli::failure::Failure;
use crate::cli::home::read_csr;
use crate::cli::init::chain_of;
use crate::cli::settings::Settings;
use crate::cli::surroundings::{now, say};
use crate::pki::account::{Account, AccountKind};
use crate::pki::bundle::certificates_to_pem;
use crate::storage::datadir::{FileMode, write_durably};

/// The template of AD CS for it.
const TEMPLATE: &str = "SubCA";

/// Issues it under the template for subordinate CAs, on record like every certificate, and writes
/// it with the chain above it.
pub fn sign_subordinate(arguments: &SignSubordinate, settings: &Settings) -> Result<(), Failure> {
    let request = read_csr(&arguments.request)?;
    if arguments.out.exists() {
        return Err(Failure::InTheWay(arguments.out.clone()));
    }
    let offline = Offline::open(settings)?;
    if offline.authority.issuer().crl_urls().is_empty() {
        return Err(Failure::NoBaseUrl);
    }
    let operator = Account::named(OPERATOR, AccountKind::Service);
    let row = offline.authority.issue_internally(TEMPLATE, &request, &operator, now())?;
    let above = chain_of(&offline.established);
    let chain: Vec<&[u8]> = std::iter::once(row.certificate.as_slice()).chain(above).collect();
    let pem = certificates_to_pem(&chain);
    write_durably(&arguments.out, pem.as_bytes(), FileMode::Public)?;
    say(&format!("Issued {} until {}.", row.serial, row.not_after));
    say(&format!("It is {}, with the chain above it.", arguments.out.display()));
    for url in offline.authority.issuer().crl_urls_of(row.scope) {
        say(&format!("It says that the CRL of this CA is at {url}"));
    }
    say("At the subordinate: chancery install-certificate FILE.");
    Ok(offline.register.close()?)
}
