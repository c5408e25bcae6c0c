//! How notifications do, a line for each endpoint (Prometheus).

use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::ca::announcement::Board;
use crate::pki::time::Timestamp;

type Totals = Family<EndpointLabels, Counter>;
type Numbers = Family<EndpointLabels, Gauge<u64, AtomicU64>>;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct EndpointLabels {
    endpoint: String,
}

/// What is told of each endpoint.
#[derive(Default)]
pub(in crate::http) struct Notifications {
    delivered: Totals,
    failed: Totals,
    given_up: Totals,
    waiting: Numbers,
    oldest_seconds: Numbers,
    failing_seconds: Numbers,
}

impl Notifications {
    #[rustfmt::skip]
    pub(in crate::http) fn register(&self, registry: &mut Registry) {
        registry.register("notifications_delivered", "Events that an endpoint has taken", self.delivered.clone());
        registry.register("notifications_failed", "Attempts that an endpoint did not take", self.failed.clone());
        registry.register("notifications_given_up", "Events that became too old", self.given_up.clone());
        registry.register("notifications_waiting", "Events that wait for an endpoint, at most 100", self.waiting.clone());
        registry.register("notifications_oldest_seconds", "Age of the oldest that waits", self.oldest_seconds.clone());
        registry.register("notifications_failing_seconds", "Since when an endpoint has taken nothing; 0 where it does", self.failing_seconds.clone());
    }

    pub(in crate::http) fn set(&self, board: &Board, now: Timestamp) {
        for state in board.read() {
            let age = |since: Option<Timestamp>| since.map_or(0, |since| now.seconds_since(since));
            let totals = [
                (&self.delivered, state.delivered),
                (&self.failed, state.failed),
                (&self.given_up, state.given_up),
            ];
            let numbers = [
                (&self.waiting, u64::try_from(state.waiting).unwrap_or(u64::MAX)),
                (&self.oldest_seconds, age(state.oldest)),
                (&self.failing_seconds, age(state.failing_since)),
            ];
            let labels = EndpointLabels { endpoint: state.name };
            for (family, total) in totals {
                // The couriers count; two scrapes at once must not count twice.
                family.get_or_create(&labels).inner().store(total, Ordering::Relaxed);
            }
            for (family, number) in numbers {
                family.get_or_create(&labels).set(number);
            }
        }
    }
}
