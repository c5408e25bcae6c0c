//! The endpoints of the settings, put together with the secrets and roots from their files.

use std::path::PathBuf;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::directories::roots;
use super::failure::{Failure, at};
use super::settings::directory::Secret;
use super::settings::notification::NotificationSection;
use super::surroundings::{now, random_octets};
use crate::ca::Authority;
use crate::ca::announcement::{Announcements, Distances};
use crate::notification::courier::{Clock, Random};
use crate::notification::event::Kind;
use crate::notification::signature::Secrets;
use crate::notification::{Couriers, Endpoint, Outbox};

/// The endpoints, with what their files and variables hold.
pub fn endpoints(sections: &[NotificationSection]) -> Result<Vec<Endpoint>, Failure> {
    sections.iter().map(endpoint).collect()
}

/// Starts the couriers, one for each endpoint.
pub fn start(
    endpoints: Vec<Endpoint>,
    authority: &Arc<Authority>,
    api_url: String,
) -> Result<Couriers, Failure> {
    let outbox: Arc<dyn Outbox> = Arc::new(Announcements::new(Arc::clone(authority), api_url));
    let clock: Clock = Arc::new(now);
    // Without randomness attempts are not spread, which is no reason to make none.
    let random: Random = Arc::new(|| random_octets().map_or(0, u64::from_be_bytes));
    let doing = "starting the couriers of notifications";
    Couriers::start(&outbox, endpoints, &clock, &random)
        .map_err(|error| Failure::System { doing, error })
}

/// At which distances from an end somebody wants to be told.
pub fn distances(sections: &[NotificationSection]) -> Distances {
    let of = |kind: Kind, own: fn(&NotificationSection) -> &Vec<u64>| {
        let wanting = sections.iter().filter(|section| section.wishes.kinds.contains(&kind));
        wanting.flat_map(own).copied().collect::<Vec<u64>>()
    };
    Distances {
        certificates: of(Kind::CertificatesExpiring, |own| &own.wishes.certificates_before),
        authorities: of(Kind::AuthorityExpiring, |own| &own.wishes.authorities_before),
        crl: of(Kind::CrlExpiring, |own| &own.wishes.crl_before),
        parent_crls: of(Kind::CrlExpiring, |own| &own.wishes.parent_crl_before),
        answers: of(Kind::AnswersExpiring, |own| &own.wishes.answers_before),
    }
}

/// That the files and variables that a section names are there and hold what they should.
pub fn check(section: &NotificationSection) -> Result<(), Failure> {
    endpoint(section).map(drop)
}

fn endpoint(section: &NotificationSection) -> Result<Endpoint, Failure> {
    let mut secrets: Option<Secrets> = None;
    for source in &section.secrets {
        let (text, place) = text_of(source)?;
        let wrong = |error| Failure::NoSecret(place.clone(), error);
        let read = Secrets::read(&text).map_err(wrong)?;
        secrets = Some(match secrets {
            Some(before) => before.with(read),
            None => read,
        });
    }
    let unset = || Failure::NoPassphrase(PathBuf::from(&section.name));
    Ok(Endpoint {
        name: section.name.clone(),
        url: section.url.clone(),
        secrets: secrets.ok_or_else(unset)?,
        wishes: section.wishes.clone(),
        roots: roots(section.root_file.as_deref())?,
        timeout: section.timeout,
        life_seconds: section.life_seconds,
    })
}

fn text_of(source: &Secret) -> Result<(Zeroizing<String>, PathBuf), Failure> {
    match source {
        Secret::File(path) => {
            private(path)?;
            let text = Zeroizing::new(std::fs::read_to_string(path).map_err(at(path))?);
            Ok((text, path.clone()))
        }
        Secret::Variable(name) => {
            let text = Zeroizing::new(std::env::var(name).unwrap_or_default());
            Ok((text, name.into()))
        }
    }
}

/// Whoever reads the secret can have receivers believe anything.
fn private(path: &std::path::Path) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path).map_err(at(path))?.permissions().mode();
    if mode & 0o007 == 0 { Ok(()) } else { Err(Failure::SecretReadable(path.to_owned())) }
}
