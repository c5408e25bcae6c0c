//! When answers are made anew and until when they hold.

use crate::pki::time::Timestamp;
use crate::storage::answers::Stage;

/// How far thisUpdate is set back for relying parties whose clocks are slow, as a CRL's is.
const SKEW_SECONDS: u64 = 600;
const SHORTEST_PERIOD_SECONDS: u64 = 60;

/// The rhythm of the rounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnswerSchedule {
    period_seconds: u64,
}

/// The times of one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times {
    pub produced_at: Timestamp,
    pub this_update: Timestamp,
    pub next_update: Timestamp,
}

/// Whether the clock was ahead at `latest` (seconds), so far that the thisUpdate of what was signed
/// then lies in the future: relying parties do not believe it (RFC 6960 §4.2.2.1).
pub(super) fn was_ahead(latest: u64, now: Timestamp) -> bool {
    now.seconds().saturating_add(SKEW_SECONDS) < latest
}

impl Default for AnswerSchedule {
    fn default() -> Self {
        Self::every(4 * 3600)
    }
}

impl AnswerSchedule {
    /// All answers anew every `period_seconds` (at least a minute). Each holds for two periods, so
    /// that a whole round may fail before a relying party notices.
    pub fn every(period_seconds: u64) -> Self {
        Self { period_seconds: period_seconds.max(SHORTEST_PERIOD_SECONDS) }
    }

    /// The times of an answer signed at `now`; none lives longer than its signer's certificate.
    pub(super) fn times(
        &self,
        now: Timestamp,
        earliest: Timestamp,
        signer_ends: Timestamp,
    ) -> Times {
        let produced_at = now.whole_seconds();
        Times {
            produced_at,
            this_update: produced_at.minus_seconds(SKEW_SECONDS).max(earliest),
            next_update: produced_at.plus_seconds(2 * self.period_seconds).min(signer_ends),
        }
    }

    /// Whether the next round is due after one that began then.
    pub(super) fn is_due(&self, begun_at: u64, now: Timestamp) -> bool {
        now.seconds() >= begun_at.saturating_add(self.period_seconds)
    }

    /// When the first answers end that are served while the round that began then is there: those
    /// of the round before, until it is over.
    pub(super) fn oldest_end(&self, begun_at: u64, stage: Stage) -> Timestamp {
        let periods = match stage {
            Stage::Later(_) => 1,
            Stage::Nothing | Stage::First(_) | Stage::Over => 2,
        };
        Timestamp::from_seconds(begun_at.saturating_add(periods * self.period_seconds))
    }

    /// When something is wrong if those still stand: half a period before.
    pub(super) fn overdue(&self, begun_at: u64, stage: Stage) -> Timestamp {
        self.oldest_end(begun_at, stage).minus_seconds(self.period_seconds / 2)
    }
}
