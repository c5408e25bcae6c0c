//! The service put together out of the rooms: nothing runs yet.

use std::num::NonZeroUsize;
use std::sync::Arc;

use super::addresses::Addresses;
use super::answers::{Answers, Points};
use super::certificate::OwnCertificate;
use super::publications::{Publications, Site};
use super::service::Service;
use crate::ca::accounts::from_row;
use crate::ca::establish::generations::Generations;
use crate::ca::possession::RolesByCertificate;
use crate::ca::publish::Copies;
use crate::ca::{Authority, Parts};
use crate::cli::directories::{directories, providers};
use crate::cli::failure::Failure;
use crate::cli::home::Home;
use crate::cli::notifications;
use crate::cli::parents;
use crate::cli::settings::Settings;
use crate::cli::surroundings::random;
use crate::directory::{BuiltIn, DirectoryError};
use crate::storage::act::AuthorityEstablished;
use crate::storage::publication_copy::CopyDirectory;
use crate::storage::{LedgerRegister, Register as _, StoreError};

impl Service {
    pub(super) fn assemble(
        register: &Arc<LedgerRegister>,
        home: &Home,
        settings: &Settings,
        established: &AuthorityEstablished,
        addresses: &Addresses,
    ) -> Result<Self, Failure> {
        let base_urls = addresses.base_urls(settings, established);
        let slug = &established.slug;
        let generations = Generations::of(established);
        let publications = Publications::open(&Site {
            home,
            settings,
            register,
            generations: &generations,
            slug,
            base_urls: &base_urls,
            schedule: settings.crl_schedule(),
        })?;
        let processors = match settings.processors {
            Some(number) => number,
            None => std::thread::available_parallelism().map_or(1, usize::from),
        };
        let threads = NonZeroUsize::new(processors).unwrap_or(NonZeroUsize::MIN);

        let issuer = publications.issuer();
        let parents = Arc::new(parents::open(home, issuer, slug)?);
        let point = publications
            .taken_up(slug)
            .with_generations(&generations)
            .with_parents(Arc::clone(&parents));
        let under = publications.earlier_keys().map(|own| &own.issuer);
        let points = Points::of(settings, issuer, under, threads)?;
        let point = Arc::new(match &points {
            Some(points) => point.with_answers(Arc::clone(points.present())),
            None => point,
        });

        let rows = Arc::clone(register);
        let lookup = move |name: &str| {
            let row = rows.account(name).map_err(|error| DirectoryError(error.to_string()))?;
            Ok(row.map(|row| from_row(row).account))
        };
        let authority = Authority::new(Parts {
            register: Arc::<LedgerRegister>::clone(register),
            key: Arc::clone(publications.key()),
            directory: Arc::new(directories(BuiltIn(lookup), &settings.directories)?),
            issuer: issuer.as_ref().clone(),
            slug: slug.clone(),
            template_arc: established
                .template_arc
                .parse()
                .map_err(|_| StoreError::Damaged("the template arc is none".to_owned()))?,
            random: random(),
        })?;
        let roles = match settings.client_certificate_roles {
            true => RolesByCertificate::Given,
            false => RolesByCertificate::Withheld,
        };
        let authority = authority
            .with_earlier_keys(publications.earlier_keys().cloned().collect(), generations)
            .with_parents(parents)
            .with_roles_by_certificate(roles)
            .with_pending_life(settings.pending_expiry_seconds);
        let authority = Arc::new(match providers(&settings.directories)? {
            Some(issuers) => authority.trusting(issuers),
            None => authority,
        });
        let copies = settings.publication_directory.as_deref().map(|directory| {
            let copies = CopyDirectory::new(directory);
            Arc::new(Copies::new(Arc::clone(&point), Arc::new(copies)))
        });
        Ok(Self {
            register: Arc::clone(register),
            home: home.clone(),
            certificate: OwnCertificate::new(home, register, addresses.names(settings)),
            answers: Answers::of(
                points, home, settings, register, &authority, &base_urls, threads,
            )?,
            publishers: Arc::new(publications.publishers(&authority, &point)),
            authority,
            point,
            established: established.clone(),
            processors,
            token_life_seconds: settings.token_life_seconds,
            allowance: settings.allowance.clone(),
            endpoints: notifications::endpoints(&settings.notifications)?,
            distances: notifications::distances(&settings.notifications),
            outside_url: addresses.outside_url(settings),
            doctor_networks: settings.doctor_networks.clone(),
            self_check_seconds: settings.self_check_seconds,
            copies,
            parent_crl_fetch_seconds: settings.parent_crl_fetch_seconds,
        })
    }
}
