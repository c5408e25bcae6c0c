//! `chancery serve`: puts the rooms together and runs them until it is told to stop.
//!
//! In order: addresses bound, register opened, CA made if there is none, orphans resolved, the
//! publication side on a thread and runtime of its own, the API's certificate, the API. To stop:
//! accept no more, finish what was accepted, publish what was demanded, close the register.

pub(super) mod addresses;
mod answers;
mod assembly;
mod certificate;
mod deltas;
mod greeting;
mod last_resort;
mod pacing;
pub(in crate::cli) mod parent_crls;
mod parent_fetching;
pub(in crate::cli) mod publications;
mod responder;
mod revocation_services;
mod self_check;
mod service;
mod wishes;

use std::net::TcpListener;
use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::failure::Failure;
use super::founding::Founding;
use super::home::{Home, key_passphrase};
use super::init::{DEFAULT_KEY, DEFAULT_VALIDITY_SECONDS, default_name};
use super::register::open_register;
use super::settings::{Gathered, Settings};
use super::surroundings::say;
use crate::signing::FileKey;
use crate::storage::act::AuthorityEstablished;
use crate::storage::open::Scrub;
use crate::storage::{LedgerRegister, Register as _};
pub use certificate::NoCertificate;
use greeting::Greeting;
use service::Service;

/// Runs the service until SIGTERM or SIGINT.
pub fn serve(gathered: &Gathered) -> Result<(), Failure> {
    let settings = &gathered.settings;
    // Bound before anything is made: a taken port must not leave half a CA behind.
    let api_listener = addresses::bind("api_listen", settings.api_listen)?;
    let publish_listener = addresses::bind("publish_listen", settings.publish_listen)?;
    let addresses = addresses::Addresses::of(&api_listener, &publish_listener, settings)?;

    let home = Home::new(&settings.data);
    let mut greeting = Greeting::new(gathered, &addresses);
    // What is stored is served from the first moment: after a power cut the register of a large
    // CA takes a minute to open.
    let meanwhile = last_resort::meanwhile(&home, &publish_listener);
    let service = open_register(settings, Scrub::InBackground).and_then(|register| {
        let established = found(&register, &home, settings, &mut greeting)?;
        Service::assemble(&register, &home, settings, &established, &addresses)
    });
    if let Some(server) = meanwhile {
        // Downloads under way end by themselves; the socket's queue keeps who comes now.
        std::thread::spawn(move || server.stop());
    }
    let service = match service {
        Err(failure) if last_resort::concerns_the_register(&failure) => {
            return last_resort::serve(&home, api_listener, publish_listener, failure);
        }
        service => service?,
    };
    let register = Arc::clone(&service.register);
    service.run(api_listener, publish_listener, greeting)?;
    register.close()?;
    tracing::info!("stopped");
    Ok(())
}

/// The CA on record; where there is none, the default one.
fn found(
    register: &Arc<LedgerRegister>,
    home: &Home,
    settings: &Settings,
    greeting: &mut Greeting,
) -> Result<AuthorityEstablished, Failure> {
    if let Some(established) = register.authority()? {
        if established.certificate.is_empty() {
            return Err(Failure::AwaitingCertificate(home.ca_csr()));
        }
        return Ok(established);
    }
    if let Some(damage) = register.health().damaged {
        // What is unreadable may be the CA: a new one over it would be the end of it.
        return Err(crate::storage::StoreError::Damaged(damage).into());
    }
    let name = default_name()?;
    say(&format!(
        "There is no CA in {}. Generating a key for one ({DEFAULT_KEY}); this takes a second or two.",
        home.path().display()
    ));
    let key = FileKey::generate(DEFAULT_KEY)?;
    let founding = Founding {
        register,
        home: home.clone(),
        passphrase: key_passphrase(settings)?,
        base_urls: settings.base_urls.clone(),
    };
    let made = founding.root(&name, &key, DEFAULT_VALIDITY_SECONDS)?;
    greeting.did(format!("made the root CA {name} ({DEFAULT_KEY}, ten years)"));
    greeting.did(
        "published the templates VPNUserAuthentication, VPNServerAuthentication and \
         NPSServerAuthentication"
            .to_owned(),
    );
    Ok(made)
}

fn from_std(listener: TcpListener) -> Result<tokio::net::TcpListener, Failure> {
    tokio::net::TcpListener::from_std(listener).map_err(system("listening"))
}

/// The signals that end the service.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn heard() -> Result<Self, Failure> {
        let heard = |kind| signal(kind).map_err(system("waiting for signals"));
        let terminate = heard(SignalKind::terminate())?;
        Ok(Self { terminate, interrupt: heard(SignalKind::interrupt())? })
    }

    async fn one(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => tracing::info!("SIGTERM"),
            _ = self.interrupt.recv() => tracing::info!("SIGINT"),
        }
    }
}

fn system(doing: &'static str) -> impl FnOnce(std::io::Error) -> Failure {
    move |error| Failure::System { doing, error }
}
