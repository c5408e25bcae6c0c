//! `/metrics`: what this server has done since it started and how it stands (Prometheus).

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use axum::http::StatusCode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::Route;
use super::answer::{Answer, Reply};
use super::call::Call;
use super::doctor::self_check::Gauges;
use super::health;
use super::notifications::metrics::Notifications;
use super::pool::Lane;
use super::problem::Problem;
use super::publishing::metrics::Publications;
use crate::pki::revocation_list::CrlScope;
use crate::pki::time::Timestamp;

/// What is counted.
pub struct Metrics {
    registry: Registry,
    calls: Family<CallLabels, Counter>,
    seconds: Histogram,
    issued: Counter,
    denied: Counter,
    revoked: Counter,
    crl_number: Gauge<u64, AtomicU64>,
    crl_age_seconds: Gauge,
    crl_next_update_seconds: Gauge,
    publications: Publications,
    parent_crl_next_update_seconds: Family<ParentLabels, Gauge>,
    publication_directory_whole: Gauge,
    ledger_sequence: Gauge<u64, AtomicU64>,
    waiting: Family<LaneLabels, Gauge>,
    healthy: Family<ConditionLabels, Gauge>,
    notifications: Notifications,
    ocsp_answers: Family<AnswerLabels, Gauge<u64, AtomicU64>>,
    ocsp_certificates: Gauge<u64, AtomicU64>,
    ocsp_age_seconds: Gauge<u64, AtomicU64>,
    self_check: Gauges,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct AnswerLabels {
    kind: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct CallLabels {
    method: &'static str,
    route: &'static str,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ParentLabels {
    parent: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct LaneLabels {
    lane: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ConditionLabels {
    condition: &'static str,
}

/// Upper bounds of the duration's buckets, in seconds.
const BUCKETS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.0, 10.0];

impl Metrics {
    /// All at zero.
    pub fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("chancery"),
            calls: Family::default(),
            seconds: Histogram::new(BUCKETS),
            issued: Counter::default(),
            denied: Counter::default(),
            revoked: Counter::default(),
            crl_number: Gauge::default(),
            crl_age_seconds: Gauge::default(),
            crl_next_update_seconds: Gauge::default(),
            publications: Publications::default(),
            parent_crl_next_update_seconds: Family::default(),
            publication_directory_whole: Gauge::default(),
            ledger_sequence: Gauge::default(),
            waiting: Family::default(),
            healthy: Family::default(),
            notifications: Notifications::default(),
            ocsp_answers: Family::default(),
            ocsp_certificates: Gauge::default(),
            ocsp_age_seconds: Gauge::default(),
            self_check: Gauges::default(),
        };
        metrics.register();
        metrics
    }

    #[rustfmt::skip]
    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register("http_requests", "Calls answered", self.calls.clone());
        registry.register("http_request_seconds", "How long calls took", self.seconds.clone());
        registry.register("certificates_issued", "Certificates issued", self.issued.clone());
        registry.register("requests_denied", "Requests denied", self.denied.clone());
        registry.register("certificates_revoked", "Revocations, holds and releases", self.revoked.clone());
        registry.register("crl_number", "Number of the published CRL", self.crl_number.clone());
        registry.register("crl_age_seconds", "Seconds since its thisUpdate", self.crl_age_seconds.clone());
        registry.register("crl_next_update_seconds", "Seconds until its nextUpdate", self.crl_next_update_seconds.clone());
        self.publications.register(registry);
        registry.register("parent_crl_next_update_seconds", "Seconds until the nextUpdate of the CRL of a CA above; negative once it has ended", self.parent_crl_next_update_seconds.clone());
        registry.register("publication_directory_whole", "1 where everything that is published stands in publication_directory, or there is none", self.publication_directory_whole.clone());
        registry.register("ledger_sequence", "Entries in the ledger", self.ledger_sequence.clone());
        registry.register("queue_waiting", "Calls that wait for a thread", self.waiting.clone());
        registry.register("healthy", "1 where all is well", self.healthy.clone());
        self.notifications.register(registry);
        registry.register("ocsp_answers", "OCSP answers given since the start, by kind", self.ocsp_answers.clone());
        registry.register("ocsp_certificates", "Certificates answered in the round under way or over", self.ocsp_certificates.clone());
        registry.register("ocsp_age_seconds", "Seconds since that round began", self.ocsp_age_seconds.clone());
        self.self_check.register(registry);
    }

    /// Counts a call.
    pub(super) fn answered(&self, route: &'static Route, status: StatusCode, took: Duration) {
        let labels = CallLabels {
            method: route.method.as_str(),
            route: route.path,
            status: status.as_u16(),
        };
        self.calls.get_or_create(&labels).inc();
        self.seconds.observe(took.as_secs_f64());
    }

    /// Counts a certificate.
    pub(super) fn issued(&self) {
        self.issued.inc();
    }

    /// Counts a denial.
    pub(super) fn denied(&self) {
        self.denied.inc();
    }

    /// Counts certificates whose revocation state changed.
    pub(super) fn revoked(&self, certificates: usize) {
        self.revoked.inc_by(certificates as u64);
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// `GET /metrics`.
pub fn scrape(call: &Call<'_>) -> Result<Reply, Problem> {
    call.no_parameters()?;
    let (api, now) = (call.api, call.now);
    let metrics = &api.metrics;
    let present = CrlScope::of_key(api.authority.issuer().key_index());
    if let Some(crl) = api.publisher.current(present) {
        metrics.crl_number.set(crl.number);
        metrics.crl_age_seconds.set(signed(now.seconds_since(crl.this_update)));
        metrics.crl_next_update_seconds.set(signed(crl.next_update.seconds_since(now)));
    }
    metrics.publications.set(api.publisher.lists(), now);
    for parent in api.authority.parents().iter() {
        let Some(crl) = parent.crl() else { continue };
        let labels = ParentLabels { parent: parent.name().to_owned() };
        let left = seconds_until(crl.next_update, now);
        metrics.parent_crl_next_update_seconds.get_or_create(&labels).set(left);
    }
    let copied = api.copies.as_ref().is_none_or(|own| own.trouble().is_none());
    metrics.publication_directory_whole.set(i64::from(copied));
    metrics.ledger_sequence.set(api.authority.head().sequence);
    for lane in Lane::ALL {
        let gauge = metrics.waiting.get_or_create(&LaneLabels { lane: lane.as_str() });
        gauge.set(i64::try_from(api.pools.waiting(lane)).unwrap_or(i64::MAX));
    }
    for (condition, why) in health::conditions(api, now) {
        let gauge = metrics.healthy.get_or_create(&ConditionLabels { condition });
        gauge.set(i64::from(why.is_none()));
    }
    metrics.notifications.set(&api.notifications, now);
    if let Some(ocsp) = api.publisher.ocsp(now) {
        metrics.ocsp_certificates.set(ocsp.certificates);
        metrics.ocsp_age_seconds.set(ocsp.age_seconds);
        let kinds = [("stored", ocsp.stored), ("fresh", ocsp.fresh)];
        for (kind, count) in kinds.into_iter().chain(ocsp.statuses) {
            metrics.ocsp_answers.get_or_create(&AnswerLabels { kind }).set(count);
        }
    }
    if let Some(found) = api.self_check.load().as_ref() {
        metrics.self_check.set(found, now);
    }
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &metrics.registry).map_err(|error| {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", error.to_string())
    })?;
    let media_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(Answer::new(StatusCode::OK, media_type, text).into())
}

/// Negative once it is over.
pub(super) fn seconds_until(end: Timestamp, now: Timestamp) -> i64 {
    signed(end.seconds_since(now)) - signed(now.seconds_since(end))
}

fn signed(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX)
}
