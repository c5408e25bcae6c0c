//! Commands of a CA that nobody serves: a root on a machine without a network, whose CRL and
//! certificates are carried over.
//!
//! They need the data directory to themselves; a service that has it is asked over its API instead.
//! Absent: rules of issuing and publishing, which are the authority's as ever. Begin with
//! [`Offline`].

pub mod arguments;
pub mod publish_crl;
pub mod revoke;
pub mod sign_subordinate;

use std::sync::Arc;

use super::failure::Failure;
use super::home::Home;
use super::register::open_established;
use super::serve::publications::{Publications, Site};
use super::settings::Settings;
use super::surroundings::{now, random, say};
use crate::ca::accounts::from_row;
use crate::ca::establish::generations::Generations;
use crate::ca::publish::Schedule;
use crate::ca::{Authority, Parts};
use crate::directory::{BuiltIn, DirectoryError};
use crate::storage::act::AuthorityEstablished;
use crate::storage::{LedgerRegister, Register as _, StoreError};

/// A CA with its keys, its register and nothing around them.
struct Offline {
    register: Arc<LedgerRegister>,
    home: Home,
    established: AuthorityEstablished,
    authority: Authority,
    publications: Publications,
}

impl Offline {
    fn open(settings: &Settings) -> Result<Self, Failure> {
        Self::open_with(settings, settings.crl_schedule())
    }

    /// The same with this rhythm of its CRLs.
    fn open_with(settings: &Settings, schedule: Schedule) -> Result<Self, Failure> {
        let home = Home::new(&settings.data);
        let register = open_established(settings)?;
        let established = register.authority()?;
        let established =
            established.ok_or_else(|| Failure::NotEstablished(settings.data.clone()))?;
        if established.certificate.is_empty() {
            return Err(Failure::AwaitingCertificate(home.ca_csr()));
        }
        let generations = Generations::of(&established);
        let publications = Publications::open(&Site {
            home: &home,
            settings: &alone(settings),
            register: &register,
            generations: &generations,
            slug: &established.slug,
            base_urls: match settings.base_urls.is_empty() {
                true => &established.base_urls,
                false => &settings.base_urls,
            },
            schedule,
        })?;
        let rows = Arc::clone(&register);
        let lookup = move |name: &str| {
            let row = rows.account(name).map_err(|error| DirectoryError(error.to_string()))?;
            Ok(row.map(|row| from_row(row).account))
        };
        let no_arc = |_| StoreError::Damaged("the template arc is none".to_owned());
        let authority = Authority::new(Parts {
            register: Arc::<LedgerRegister>::clone(&register),
            key: Arc::clone(publications.key()),
            directory: Arc::new(BuiltIn(lookup)),
            issuer: publications.issuer().as_ref().clone(),
            slug: established.slug.clone(),
            template_arc: established.template_arc.parse().map_err(no_arc)?,
            random: random(),
        })?;
        let earlier = publications.earlier_keys().cloned().collect();
        let authority = authority.with_earlier_keys(earlier, generations);
        // What a command that was cut off left behind comes first, as at every start.
        for sentence in authority.put_in_order(now())? {
            say(&format!("Warning: {sentence}"));
        }
        Ok(Self { register, home, established, authority, publications })
    }
}

/// Nobody makes deltas, answers over OCSP, or adds partitions where no service runs.
fn alone(settings: &Settings) -> Settings {
    Settings {
        crl_delta_period_seconds: None,
        crl_delta_in_certificates: false,
        crl_partitions: None,
        ocsp: false,
        ..settings.clone()
    }
}
