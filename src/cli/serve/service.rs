//! What runs once there is a CA: the authority put together, the publisher, the API, and what
//! they need to start and to stop in order.

use std::net::TcpListener;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::watch;

use super::answers::Answers;
use super::certificate::OwnCertificate;
use super::greeting::Greeting;
use super::revocation_services::RevocationServices;
use super::{Signals, from_std, parent_crls, parent_fetching, self_check, system, wishes};
use crate::ca::Authority;
use crate::ca::announcement::{Distances, Watch};
use crate::ca::publish::{Copies, PublicationPoint, Publishers};
use crate::ca::retirement::Clockwork;
use crate::cli::failure::Failure;
use crate::cli::home::Home;
use crate::cli::notifications;
use crate::cli::surroundings::now;
use crate::http::api::{Api, router};
use crate::http::listen::{Bounds, serve_https};
use crate::http::publication::{self, PublicationServer};
use crate::http::rates::forwarded::Network;
use crate::http::rates::{Allowance, Rates};
use crate::notification::Endpoint;
use crate::retrieval::{self, Limits, Reach, Rounds};
use crate::storage::act::AuthorityEstablished;
use crate::storage::{LedgerRegister, Register};

/// How often the service looks at its own certificate and for an operator's wish.
const CERTIFICATE_LOOK: Duration = Duration::from_secs(600);
/// The same, for `chancery token`.
const WISH_LOOK: Duration = Duration::from_secs(1);
/// How long the start waits for the first CRL.
const FIRST_CRL_WAIT: Duration = Duration::from_secs(10);

/// Everything that runs.
pub(super) struct Service {
    pub(super) register: Arc<LedgerRegister>,
    pub(super) home: Home,
    pub(super) authority: Arc<Authority>,
    pub(super) publishers: Arc<Publishers>,
    pub(super) answers: Answers,
    pub(super) point: Arc<PublicationPoint>,
    pub(super) established: AuthorityEstablished,
    pub(super) certificate: OwnCertificate,
    pub(super) processors: usize,
    pub(super) token_life_seconds: u64,
    pub(super) allowance: Allowance,
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) distances: Distances,
    pub(super) outside_url: String,
    pub(super) doctor_networks: Vec<Network>,
    pub(super) self_check_seconds: Option<u64>,
    pub(super) copies: Option<Arc<Copies>>,
    pub(super) parent_crl_fetch_seconds: Option<u64>,
}

impl Service {
    pub(super) fn run(
        mut self,
        api_listener: TcpListener,
        publish_listener: TcpListener,
        mut greeting: Greeting,
    ) -> Result<(), Failure> {
        // Publication first: what is stored is served whatever becomes of the rest.
        let publication = PublicationServer::start(
            publish_listener,
            Arc::clone(&self.point),
            Arc::new(now),
            publication::Bounds::default(),
        );
        let publication = publication.map_err(system("starting the publication side"))?;
        let publishing = self.start_publisher()?;
        let copying = self.start_copying()?;

        let endpoints = std::mem::take(&mut self.endpoints);
        let outcome = self.serve_api(api_listener, &mut greeting, endpoints);

        self.publishers.stop();
        if publishing.join().is_err() {
            tracing::error!("the publisher ended early");
        }
        if let (Some(copies), Some(copying)) = (&self.copies, copying) {
            copies.stop();
            if copying.join().is_err() {
                tracing::error!("the copying of what is published ended early");
            }
        }
        publication.stop();
        outcome
    }

    /// What is on record of the last run is put in order; a register that cannot be written is
    /// told, and what can still be served is.
    fn put_in_order(&self, greeting: &mut Greeting) -> Result<(), Failure> {
        match self.authority.start(env!("CARGO_PKG_VERSION"), now()) {
            Ok(told) => told.iter().for_each(|sentence| tracing::warn!("{sentence}")),
            Err(error) => {
                tracing::error!(%error, "the register is out of order: nothing is issued")
            }
        }
        if self.register.health().damaged.is_none() && self.register.tokens(None, 1)?.is_empty() {
            wishes::make_token(
                &self.authority,
                &self.home,
                crate::ca::establish::ADMINISTRATOR,
                "made at the first start",
                self.token_life_seconds,
            )?;
            greeting.did(format!(
                "wrote the administrator's token to {} ({} days)",
                self.home.admin_token().display(),
                self.token_life_seconds / 86_400
            ));
        }
        self.home.write_certificates(&self.established, &*self.register, now())
    }

    fn serve_api(
        &self,
        listener: TcpListener,
        greeting: &mut Greeting,
        endpoints: Vec<Endpoint>,
    ) -> Result<(), Failure> {
        self.put_in_order(greeting)?;
        let couriers = notifications::start(endpoints, &self.authority, self.outside_url.clone())?;
        let tls = Arc::new(self.certificate.take_up(&self.authority, greeting, now())?);
        // Not before the register is in order: a responder may have to be certified.
        let answering = self.answers.start()?;
        let services = RevocationServices {
            publishers: Arc::clone(&self.publishers),
            answers: self.answers.clone(),
        };
        let api = Api::new(
            Arc::clone(&self.authority),
            Arc::new(services),
            Arc::new(now),
            self.processors,
        );
        let mut api = api.map_err(system("starting threads"))?;
        api.rates = Rates::new(self.allowance.clone());
        api.notifications = couriers.board();
        api.fetching = Arc::new(self.rounds());
        api.copies = self.copies.clone();
        let api = Arc::new(api);
        self.publishers.wait_for(&self.publishers.scopes(), 0, FIRST_CRL_WAIT);
        // Not before the register is in order: what a crash left comes first.
        let clockwork = Clockwork::new(Arc::clone(&self.authority), Arc::clone(&self.publishers));
        let answers = self.answers.clone();
        let watch = Watch::new(Arc::clone(&self.authority), self.distances.clone())
            .with_answers(Arc::new(move |now| answers.ending(now)));
        let clockwork = Arc::new(clockwork.watching(watch));
        let retiring = {
            let clockwork = Arc::clone(&clockwork);
            std::thread::Builder::new()
                .name("clockwork".to_owned())
                .spawn(move || clockwork.run(&now))
                .map_err(system("starting the clockwork"))?
        };

        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(self.processors.clamp(1, 8))
            .thread_name("api")
            .enable_all()
            .build()
            .map_err(system("starting the API"))?;
        // From here on a signal is heard: whoever reads the greeting may send one.
        let signals = {
            let _within = runtime.enter();
            Signals::heard()?
        };
        let looking = self_check::start(&api, self.self_check_seconds);
        let looking = looking.map_err(system("starting the look at itself"))?;
        let fetching = parent_fetching::start(&self.authority, self.parent_crl_fetch_seconds);
        let fetching = fetching.map_err(system("starting to fetch the CRLs of CAs above"))?;
        greeting.say(&self.authority, &self.home);
        let served = runtime.block_on(async {
            let listener = from_std(listener)?;
            let (stop, stops) = watch::channel(false);
            let serving = serve_https(
                listener,
                router(Arc::clone(&api)),
                Arc::clone(&tls),
                Bounds::default(),
                stops,
            );
            let upkeep = self.upkeep(&tls);
            let mut serving = std::pin::pin!(serving);
            tokio::select! {
                () = serving.as_mut() => {}
                () = upkeep => {}
                () = signals.one() => {}
            }
            tracing::info!("stopping: what was accepted is finished");
            api.drain();
            let _ = stop.send(true);
            serving.await;
            Ok(())
        });
        self.answers.stop(answering);
        looking.stop();
        fetching.stop();
        clockwork.stop();
        if retiring.join().is_err() {
            tracing::error!("the clockwork ended early");
        }
        couriers.stop();
        served
    }

    /// What the doctor may reach from here: public addresses, the networks of the settings, and
    /// our own publication under the names that certificates have for it.
    fn rounds(&self) -> Rounds {
        let networks = self.doctor_networks.clone();
        let issuer = self.authority.issuer();
        let urls = issuer.crl_urls().iter().chain(issuer.certificate_urls());
        let own = urls.filter_map(|url| retrieval::authority_of(url)).collect();
        let besides = Arc::new(move |address| networks.iter().any(|own| own.contains(address)));
        Rounds { reach: Reach::Public { besides, own }, limits: Limits::default(), clock: now }
    }

    /// Renews the API's certificate, and grants what `chancery token` wishes for. Never ends.
    async fn upkeep(&self, tls: &Arc<crate::http::tls::Tls>) {
        let mut certificate = tokio::time::interval(CERTIFICATE_LOOK);
        let mut wish = tokio::time::interval(WISH_LOOK);
        loop {
            tokio::select! {
                _ = certificate.tick() => self.certificate.renew(&self.authority, tls, now()),
                _ = wish.tick() => {
                    let life = self.token_life_seconds;
                    wishes::grant(&self.authority, self.register.as_ref(), &self.home, life);
                    parent_crls::grant(&self.authority, &self.home);
                }
            }
        }
    }

    fn start_copying(&self) -> Result<Option<JoinHandle<()>>, Failure> {
        let Some(copies) = self.copies.clone() else { return Ok(None) };
        let thread = std::thread::Builder::new().name("copies".to_owned());
        let thread = thread.spawn(move || copies.run(&now));
        thread.map(Some).map_err(system("starting to copy what is published"))
    }

    fn start_publisher(&self) -> Result<JoinHandle<()>, Failure> {
        let publishers = Arc::clone(&self.publishers);
        std::thread::Builder::new()
            .name("publisher".to_owned())
            .spawn(move || publishers.run(&now))
            .map_err(system("starting the publisher"))
    }
}
