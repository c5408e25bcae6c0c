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
use super::home::{Home, key_passphrase};
use super::register::open_established;
use super::settings::Settings;
use super::surroundings::{now, random, say};
use crate::ca::accounts::from_row;
use crate::ca::establish::generations::Generations;
use crate::ca::{Authority, Parts};
use crate::directory::{BuiltIn, DirectoryError};
use crate::pki::issuer::Issuer;
use crate::signing::{CaKey as _, FileKey};
use crate::storage::act::AuthorityEstablished;
use crate::storage::{LedgerRegister, Register as _, StoreError};

/// A CA with its key, its register and nothing around them.
struct Offline {
    register: Arc<LedgerRegister>,
    home: Home,
    established: AuthorityEstablished,
    authority: Authority,
}

impl Offline {
    fn open(settings: &Settings) -> Result<Self, Failure> {
        let home = Home::new(&settings.data);
        let passphrase = key_passphrase(settings)?;
        let register = open_established(settings)?;
        let established = register.authority()?;
        let established =
            established.ok_or_else(|| Failure::NotEstablished(settings.data.clone()))?;
        if established.certificate.is_empty() {
            return Err(Failure::AwaitingCertificate(home.ca_csr()));
        }
        let issuer = issuer(settings, &established)?;
        let path = home.ca_key(usize::from(issuer.key_index()));
        let key = FileKey::load(&path, passphrase.as_ref())?;
        if key.spki_der() != issuer.public_key().spki_der() {
            return Err(Failure::WrongKeyFile(path));
        }
        let rows = Arc::clone(&register);
        let lookup = move |name: &str| {
            let row = rows.account(name).map_err(|error| DirectoryError(error.to_string()))?;
            Ok(row.map(|row| from_row(row).account))
        };
        let no_arc = |_| StoreError::Damaged("the template arc is none".to_owned());
        let authority = Authority::new(Parts {
            register: Arc::<LedgerRegister>::clone(&register),
            key: Arc::new(key),
            directory: Arc::new(BuiltIn(lookup)),
            issuer,
            slug: established.slug.clone(),
            template_arc: established.template_arc.parse().map_err(no_arc)?,
            random: random(),
        })?;
        // What a command that was cut off left behind comes first, as at every start.
        for sentence in authority.put_in_order(now())? {
            say(&format!("Warning: {sentence}"));
        }
        Ok(Self { register, home, established, authority })
    }

    fn close(&self) -> Result<(), Failure> {
        Ok(self.register.close()?)
    }
}

/// With the URLs that go into certificates, where they are known.
fn issuer(settings: &Settings, established: &AuthorityEstablished) -> Result<Issuer, Failure> {
    let bases = match settings.base_urls.is_empty() {
        true => &established.base_urls,
        false => &settings.base_urls,
    };
    let generations = Generations::of(established);
    Ok(generations.issuer(generations.present(), &established.slug, bases)?)
}
