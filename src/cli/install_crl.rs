//! `chancery install-crl`: a CRL of a CA above this one, carried over from where that CA is.

use std::path::Path;
use std::time::Duration;

use super::failure::{Failure, at};
use super::home::{Home, read_crl};
use super::offline::arguments::InstallCrl;
use super::parents::{not_taken, open, told};
use super::register::open_established;
use super::serve::parent_crls::{Answered, Wish};
use super::settings::Settings;
use super::surroundings::{now, say};
use crate::ca::operator::OPERATOR;
use crate::pki::issuer::Issuer;
use crate::storage::Register as _;
use crate::storage::datadir::DataDirectoryError;
use crate::storage::open::OpenError;

/// How long a running service may take.
const PATIENCE_SECONDS: u64 = 15;

/// Takes each of the files: by itself, or through the service that has the directory. All of them
/// are read before the first is taken.
pub fn install_crl(arguments: &InstallCrl, settings: &Settings) -> Result<(), Failure> {
    let home = Home::new(&settings.data);
    let read = |path: &std::path::PathBuf| Ok((path.display().to_string(), read_crl(path)?));
    let crls = arguments.crls.iter().map(read).collect::<Result<Vec<_>, Failure>>()?;
    match open_established(settings) {
        Ok(register) => {
            let made = register.authority()?;
            let made = made.ok_or_else(|| Failure::NotEstablished(settings.data.clone()))?;
            if made.certificate.is_empty() {
                return Err(Failure::AwaitingCertificate(home.ca_csr()));
            }
            let above: Vec<&[u8]> = made.parents.iter().map(|own| own.0.as_slice()).collect();
            let bases = match settings.base_urls.is_empty() {
                true => &made.base_urls,
                false => &settings.base_urls,
            };
            let urls = bases.iter().map(|base| format!("{base}/crl/{}.crl", made.slug)).collect();
            let issuer = Issuer::new(&made.certificate, &above, urls, Vec::new())?;
            let parents = open(&home, &issuer, &made.slug)?;
            let operator = Some(OPERATOR.to_owned());
            for (source, crl) in crls {
                let installed = parents.install(&*register, crl, operator.clone(), now());
                say(&told(&installed.map_err(|why| not_taken(&source, why))?));
            }
            register.close()?;
        }
        Err(Failure::Open(OpenError::Directory(DataDirectoryError::InUse(_)))) => {
            for (source, crl) in crls {
                say(&by_the_service(&home, &source, &crl)?);
            }
        }
        Err(other) => return Err(other),
    }
    Ok(())
}

/// Leaves a wish for the running service and waits until it is answered.
fn by_the_service(home: &Home, source: &str, crl: &[u8]) -> Result<String, Failure> {
    let wish = Wish::leave(home, crl)?;
    for _ in 0..PATIENCE_SECONDS * 10 {
        std::thread::sleep(Duration::from_millis(100));
        match wish.answer()? {
            Some(Answered::Taken(told)) => return Ok(told),
            Some(Answered::NotTaken(why)) => return Err(not_taken(source, why)),
            None => {}
        }
    }
    take_back(wish.path())?;
    Err(Failure::WishSilent(PATIENCE_SECONDS))
}

fn take_back(path: &Path) -> Result<(), Failure> {
    std::fs::remove_file(path).map_err(at(path))
}
