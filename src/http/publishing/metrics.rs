//! What is published, for `/metrics`: number and end of the CRL of each key, of each partition, and
//! of their deltas.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::ca::publish::{Current, PublishedLists};
use crate::http::metrics::seconds_until;
use crate::pki::time::Timestamp;

/// Which list: `partition` is 0 for one that has none.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Labels {
    key: u16,
    partition: u16,
    kind: &'static str,
}

/// Its gauges.
#[derive(Default)]
pub(in crate::http) struct Publications {
    number: Family<Labels, Gauge<u64, AtomicU64>>,
    next_update_seconds: Family<Labels, Gauge>,
}

impl Publications {
    #[rustfmt::skip]
    pub(in crate::http) fn register(&self, registry: &mut Registry) {
        registry.register("crl_published_number", "Number of each published CRL", self.number.clone());
        registry.register("crl_published_next_update_seconds", "Seconds until its nextUpdate; negative once it has ended", self.next_update_seconds.clone());
    }

    pub(in crate::http) fn set(&self, lists: &[Arc<PublishedLists>], now: Timestamp) {
        for own in lists {
            let scope = own.scope();
            let partition = scope.partition.map_or(0, std::num::NonZeroU16::get);
            let labels = |kind| Labels { key: scope.key, partition, kind };
            self.set_one(&labels("complete"), own.current(), now);
            self.set_one(&labels("delta"), own.delta(), now);
        }
    }

    /// One that is withdrawn leaves no gauge behind.
    fn set_one(&self, labels: &Labels, crl: Option<Arc<Current>>, now: Timestamp) {
        let Some(crl) = crl else {
            self.number.remove(labels);
            self.next_update_seconds.remove(labels);
            return;
        };
        self.number.get_or_create(labels).set(crl.number);
        let left = seconds_until(crl.next_update, now);
        self.next_update_seconds.get_or_create(labels).set(left);
    }
}
