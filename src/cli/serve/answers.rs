//! The OCSP responders: one for each key of the CA whose certificates may still hold, since only what
//! the same key issued may answer about a certificate (RFC 6960 §4.2.2.2).

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use super::responder::{OwnResponder, responder_name};
use super::system;
use crate::ca::Authority;
use crate::ca::ocsp::{self, AnswerMaker, AnswerPoint, AnswerSchedule, EndingAnswers, Nonces};
use crate::cli::failure::Failure;
use crate::cli::home::{Home, key_passphrase};
use crate::cli::settings::Settings;
use crate::cli::surroundings::now;
use crate::http::publishing::OcspFigures;
use crate::pki::issuer::Issuer;
use crate::pki::ocsp::ResponseStatus;
use crate::pki::revocation_list::CrlScope;
use crate::pki::time::Timestamp;
use crate::storage::LedgerRegister;
use crate::storage::answers::AnswerDirectory;

/// Where answers are seen: of the present key, and of those before. Nothing is made yet.
pub(super) struct Points {
    present: Arc<AnswerPoint>,
    earlier: Vec<(Arc<Issuer>, Arc<AnswerPoint>)>,
}

/// Whoever makes them; those of the present key first.
#[derive(Clone, Default)]
pub(super) struct Answers(Vec<Made>);

/// Whoever makes those of one key, and where they are seen.
#[derive(Clone)]
struct Made {
    /// The key's index.
    key: u16,
    maker: Arc<AnswerMaker>,
    point: Arc<AnswerPoint>,
    /// When all that they are about has ended, where nothing more is issued.
    until: Timestamp,
}

impl Points {
    /// None where there is no responder.
    pub(super) fn of<'a>(
        settings: &Settings,
        issuer: &Issuer,
        earlier: impl Iterator<Item = &'a Arc<Issuer>>,
        threads: NonZeroUsize,
    ) -> Result<Option<Self>, Failure> {
        if !settings.ocsp {
            return Ok(None);
        }
        let nonces = match settings.ocsp_nonce {
            true => Nonces::Answered,
            false => Nonces::PassedOver,
        };
        let point = |issuer: &Issuer| {
            AnswerPoint::new(issuer, nonces, threads).map_err(system("starting the OCSP responder"))
        };
        let mut points = Vec::new();
        // What was issued under the others has ended.
        for issuer in earlier.filter(|issuer| now() <= issuer.not_after()) {
            points.push((Arc::clone(issuer), Arc::new(point(issuer)?)));
        }
        let others = points.iter().map(|(_, point)| Arc::clone(point)).collect();
        let present = Arc::new(point(issuer)?.beside(others));
        Ok(Some(Self { present, earlier: points }))
    }

    /// What the doors ask.
    pub(super) fn present(&self) -> &Arc<AnswerPoint> {
        &self.present
    }
}

impl Answers {
    /// Those that are seen at `points`.
    pub(super) fn of(
        points: Option<Points>,
        home: &Home,
        settings: &Settings,
        register: &Arc<LedgerRegister>,
        authority: &Arc<Authority>,
        base_urls: &[String],
        threads: NonZeroUsize,
    ) -> Result<Self, Failure> {
        let Some(Points { present, earlier }) = points else { return Ok(Self::default()) };
        let own = (Arc::new(authority.issuer().clone()), present, Timestamp::NEVER);
        let earlier = earlier.into_iter().map(|(issuer, point)| {
            let until = issuer.not_after();
            (issuer, point, until)
        });
        let mut all = Vec::new();
        for (issuer, point, until) in std::iter::once(own).chain(earlier) {
            let responders = OwnResponder {
                home: home.clone(),
                register: Arc::clone(register),
                authority: Arc::clone(authority),
                issuer: Arc::clone(&issuer),
                kind: settings.ocsp_key,
                passphrase: key_passphrase(settings)?,
                host: responder_name(base_urls),
                state: Mutex::default(),
            };
            let key = issuer.key_index();
            let maker = AnswerMaker::new(ocsp::Parts {
                register: Arc::<LedgerRegister>::clone(register),
                directory: AnswerDirectory::open(&home.ocsp(issuer.key_index()))?,
                issuer,
                point: Arc::clone(&point),
                responders: Arc::new(responders),
                schedule: AnswerSchedule::every(settings.ocsp_period_seconds),
                processors: threads,
            });
            all.push(Made { key, maker: Arc::new(maker), point, until });
        }
        Ok(Self(all))
    }

    /// A thread for each maker.
    pub(super) fn start(&self) -> Result<Vec<JoinHandle<()>>, Failure> {
        let start = |made: &Made| {
            let maker = Arc::clone(&made.maker);
            let thread = std::thread::Builder::new().name("ocsp".to_owned());
            thread.spawn(move || maker.run(&now)).map_err(system("starting the OCSP responder"))
        };
        self.0.iter().map(start).collect()
    }

    /// Ends those threads.
    pub(super) fn stop(&self, threads: Vec<JoinHandle<()>>) {
        self.0.iter().for_each(|made| made.maker.stop());
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a maker of OCSP answers ended early");
            }
        }
    }

    /// Asks for answers that reflect the ledger up to `sequence`.
    pub(super) fn demand(&self, sequence: u64) {
        self.0.iter().for_each(|made| made.maker.demand(sequence));
    }

    /// Whether those do that somebody can still want about certificates of these scopes; none of
    /// these stand for everything under the present key. One key's responder that cannot be had
    /// holds up nobody whom another's answers are about.
    pub(super) fn reflect(&self, scopes: &[CrlScope], sequence: u64) -> bool {
        let present = self.0.first().map(|made| made.key);
        let concerned = |made: &&Made| match scopes {
            [] => Some(made.key) == present,
            _ => scopes.iter().any(|scope| scope.key == made.key),
        };
        self.in_force(now()).filter(concerned).all(|made| made.maker.reflects(sequence))
    }

    fn in_force(&self, now: Timestamp) -> impl Iterator<Item = &Made> {
        self.0.iter().filter(move |made| now <= made.until)
    }

    /// Those that end soon though they were to be renewed by now.
    pub(super) fn ending(&self, now: Timestamp) -> Vec<EndingAnswers> {
        self.in_force(now).filter_map(|made| made.maker.ending(now)).collect()
    }

    /// How they do together; nothing where there is no responder.
    pub(super) fn figures(&self, now: Timestamp) -> Option<OcspFigures> {
        let rounds = self.in_force(now).map(|made| made.maker.round(now).unwrap_or_default());
        let (certificates, age_seconds) =
            rounds.reduce(|(some, one), (more, other)| (some + more, one.max(other)))?;
        let sum = |count: &dyn Fn(&AnswerPoint) -> u64| -> u64 {
            self.0.iter().map(|made| count(&made.point)).sum()
        };
        Some(OcspFigures {
            trouble: self.in_force(now).find_map(|made| made.maker.trouble(now)),
            certificates,
            age_seconds,
            stored: sum(&|point| point.counts().stored()),
            fresh: sum(&|point| point.counts().fresh()),
            statuses: ResponseStatus::ALL
                .map(|status| (status.as_str(), sum(&|point| point.counts().status(status)))),
        })
    }
}
