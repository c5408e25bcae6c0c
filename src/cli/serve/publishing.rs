//! What the API asks of the publisher, asked of ours.

use std::sync::Arc;
use std::time::Duration;

use crate::ca::publish::Publisher;
use crate::http::publishing::{CurrentCrl, Publishing};

struct Through(Arc<Publisher>);

/// The publisher as the API sees it.
pub(super) fn through(publisher: &Arc<Publisher>) -> Arc<dyn Publishing> {
    Arc::new(Through(Arc::clone(publisher)))
}

impl Publishing for Through {
    fn demand(&self, sequence: u64) {
        self.0.demand(sequence);
    }

    fn published(&self, sequence: u64) -> Option<u64> {
        self.0.wait_for(sequence, Duration::ZERO)
    }

    fn current(&self) -> Option<CurrentCrl> {
        let current = self.0.current()?;
        Some(CurrentCrl {
            number: current.number,
            this_update: current.this_update,
            next_publish: current.next_publish,
            next_update: current.next_update,
        })
    }
}
