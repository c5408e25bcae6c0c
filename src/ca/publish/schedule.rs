//! When CRLs are made and until when they hold, base and delta alike, as AD CS counts
//! ([MS-CSRA] 3.1.4.1.6).

use crate::pki::time::Timestamp;

/// How far thisUpdate is set back, for relying parties whose clocks are slow: AD CS's skew.
pub(super) const SKEW_SECONDS: u64 = 600;
const WEEK_SECONDS: u64 = 7 * 24 * 3600;
const LONGEST_OVERLAP_SECONDS: u64 = 12 * 3600;
/// The next CRL is made this long before it was announced (next publish), so that whoever asks
/// at that moment finds it.
const LEAD_SECONDS: u64 = 300;

/// The rhythm of publication. The default is AD CS's: a week, with 12 h 10 min of overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    period_seconds: u64,
    overlap_seconds: u64,
}

/// The times of one CRL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times {
    pub this_update: Timestamp,
    pub next_update: Timestamp,
    pub next_publish: Timestamp,
    /// A period before it was made.
    period_ago: Timestamp,
}

impl Times {
    /// Entries of certificates that ended before this may go, if the last complete CRL was of
    /// `previous`. An entry stays a whole period after its certificate ended, and until a CRL
    /// later than that end was published: so at least one *regularly scheduled* CRL has it
    /// (RFC 5280 §3.3), however many were made in between on demand.
    pub fn ended_before(&self, previous: Option<Timestamp>) -> Timestamp {
        previous.map_or(Timestamp::from_millis(0), |last| last.min(self.period_ago))
    }

    /// The same of the last CRL that a key signs, once everything under it has ended: no other
    /// will come, so it has no well-defined end (as ETSI EN 319 411-1 has a CA's last CRL), and
    /// whoever verifies a signature of before finds a list that holds.
    pub fn of_the_last(self) -> Self {
        Self { next_update: Timestamp::NEVER, next_publish: Timestamp::NEVER, ..self }
    }
}

/// When the list before of the same kind was made, by the clock of that time, and what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Before {
    pub this_update: Timestamp,
    /// Nothing where that is not known.
    pub made: Option<Timestamp>,
}

impl Before {
    /// The earliest thisUpdate of the list that follows: a second later, or a relying party that
    /// holds both (OpenSSL takes the later one of two CRLs) may believe the older one.
    ///
    /// More than one list in a second therefore lets thisUpdate catch up with the clock, by the
    /// ten minutes that it is set back. It never overtakes it: once they are used up, lists made
    /// in one second share its thisUpdate. After a clock that went back, thisUpdate lies as far
    /// ahead as the clock went, and no further: it rises with the seconds of the clock as it is.
    pub fn follow(&self, now: Timestamp) -> Timestamp {
        let next = self.this_update.plus_seconds(1);
        let another_second = match self.made {
            Some(made) => made.whole_seconds() != now.whole_seconds(),
            // Ahead of the clock is only what was made before it went back.
            None => self.this_update > now,
        };
        if next <= now || another_second { next } else { self.this_update }
    }
}

impl Default for Schedule {
    fn default() -> Self {
        Self::every(WEEK_SECONDS)
    }
}

impl Schedule {
    /// A new CRL at least every `period_seconds` (at least one minute). The overlap is AD CS's:
    /// a tenth of the period, at most 12 hours, at least one and a half times the skew but not
    /// above the period; and the skew.
    pub fn every(period_seconds: u64) -> Self {
        let period_seconds = period_seconds.max(60);
        let overlap = (period_seconds / 10).min(LONGEST_OVERLAP_SECONDS);
        let overlap = overlap.max(SKEW_SECONDS * 3 / 2).min(period_seconds);
        Self { period_seconds, overlap_seconds: overlap + SKEW_SECONDS }
    }

    /// The same with an overlap that is set (AD CS: CRLOverlapPeriod and CRLOverlapUnits), which
    /// holds as it is: neither clamped nor lengthened by the skew.
    pub fn with_overlap(period_seconds: u64, overlap_seconds: u64) -> Self {
        let period_seconds = period_seconds.max(60);
        Self { period_seconds, overlap_seconds: overlap_seconds.max(60) }
    }

    /// For delta CRLs, a new one at least every `period_seconds` (at least one minute), beside
    /// complete ones of this schedule. The overlap is AD CS's: the period, at most 12 hours, at
    /// least one and a half times the skew but not above the complete one's period; and the skew.
    pub fn delta_every(&self, period_seconds: u64) -> Self {
        let period_seconds = period_seconds.max(60);
        let overlap = period_seconds.min(LONGEST_OVERLAP_SECONDS);
        let overlap = overlap.max(SKEW_SECONDS * 3 / 2).min(self.period_seconds);
        Self { period_seconds, overlap_seconds: overlap + SKEW_SECONDS }
    }

    /// The times of a CRL made at `now` whose thisUpdate is not before `earliest`, by a CA whose
    /// certificate begins with `not_before`.
    ///
    /// A clock that went back does not take the CRL with it: the moment counts that the one before
    /// was made. What has ended, though, is judged by the clock as it is now.
    pub(super) fn times(
        &self,
        now: Timestamp,
        earliest: Option<Timestamp>,
        not_before: Timestamp,
    ) -> Times {
        let made = earliest.map_or(now, |earliest| now.max(earliest.plus_seconds(SKEW_SECONDS)));
        let made = made.whole_seconds();
        let this_update = made.minus_seconds(SKEW_SECONDS).max(not_before);
        let next_publish = made.plus_seconds(self.period_seconds);
        Times {
            this_update,
            next_update: next_publish.plus_seconds(self.overlap_seconds),
            next_publish,
            period_ago: now.minus_seconds(self.period_seconds),
        }
    }

    /// When to replace a CRL that announced `next_publish`.
    pub(super) fn due(&self, next_publish: Timestamp) -> Timestamp {
        next_publish.minus_seconds(LEAD_SECONDS.min(self.period_seconds / 10))
    }

    /// From when on an overdue CRL is a reason to alarm: hours before a relying party notices.
    pub(super) fn overdue(&self, next_publish: Timestamp) -> Timestamp {
        next_publish.plus_seconds((self.overlap_seconds / 10).min(LEAD_SECONDS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin() -> Timestamp {
        Timestamp::from_millis(0)
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn default_is_that_of_ad_cs() {
        let times = Schedule::default().times(at("2026-11-23T12:00:00.789Z"), None, begin());
        assert_eq!(times.this_update, at("2026-11-23T11:50:00Z"));
        assert_eq!(times.next_publish, at("2026-11-30T12:00:00Z"));
        // adcs: nextUpdate − thisUpdate = 7 d 12 h 20 min.
        assert_eq!(times.next_update.seconds_since(times.this_update), (7 * 24 + 12) * 3600 + 1200);
    }

    #[test]
    fn an_overlap_that_is_set_replaces_the_computed_one() {
        const HOUR: u64 = 3600;
        for (period, set) in [(168 * HOUR, 72 * HOUR), (168 * HOUR, 900), (24 * HOUR, 24 * HOUR)] {
            let schedule = Schedule::with_overlap(period, set);
            let times = schedule.times(at("2026-11-23T12:00:00Z"), None, begin());
            assert_eq!(times.next_publish, at("2026-11-23T12:00:00Z").plus_seconds(period));
            assert_eq!(times.next_update.seconds_since(times.next_publish), set, "{period} {set}");
            let overdue = schedule.overdue(times.next_publish);
            assert!(times.next_publish < overdue && overdue < times.next_update, "{period} {set}");
        }
    }

    #[test]
    fn deltas_have_the_overlap_of_ad_cs() {
        const HOUR: u64 = 3600;
        let base = Schedule::default();
        // Period, then its overlap with the skew of ten minutes.
        for (period, overlap) in [(24 * HOUR, 12 * HOUR), (4 * HOUR, 4 * HOUR), (60, 900)] {
            let times = base.delta_every(period).times(at("2026-11-23T12:00:00Z"), None, begin());
            assert_eq!(times.next_publish, at("2026-11-23T12:00:00Z").plus_seconds(period));
            assert_eq!(times.next_update.seconds_since(times.next_publish), overlap + 600);
        }
        let hasty = Schedule::every(600).delta_every(24 * HOUR);
        assert_eq!(hasty.overlap_seconds, 1200, "not above the period of complete ones");
    }

    #[test]
    fn this_update_is_never_before_the_last_nor_the_ca() {
        let schedule = Schedule::default();
        let now = at("2026-11-23T12:00:00Z");
        let first = schedule.times(now, None, at("2026-11-23T11:55:00Z"));
        assert_eq!(first.this_update, at("2026-11-23T11:55:00Z"));
        let second = schedule.times(now, Some(first.this_update), begin());
        assert_eq!(second.this_update, first.this_update);
        let back = schedule.times(at("2020-01-01T00:00:00Z"), Some(second.this_update), begin());
        assert_eq!(back.this_update, second.this_update);
        assert!(back.next_update >= second.next_update);
    }

    #[test]
    fn this_update_rises_with_every_list_and_never_overtakes_the_clock() {
        let schedule = Schedule::every(3600);
        let mut now = at("2026-11-23T12:00:00Z");
        let mut before: Option<Before> = None;
        let mut shared = 0;
        // Ten lists a second for five minutes, then one a second.
        for list in 0..3600 {
            let earliest = before.map(|before| before.follow(now));
            let times = schedule.times(now, earliest, begin());
            assert!(times.this_update <= now, "{list}");
            if let Some(before) = before {
                assert!(times.this_update >= before.this_update);
                let shares = times.this_update == before.this_update;
                // Only within a second, and only once the ten minutes are used up.
                let same_second =
                    before.made.map(Timestamp::whole_seconds) == Some(now.whole_seconds());
                assert!(!shares || same_second && times.this_update == now.whole_seconds());
                shared += u64::from(shares);
            }
            before = Some(Before { this_update: times.this_update, made: Some(now) });
            let step = if list < 3000 { 100 } else { 1000 };
            now = Timestamp::from_millis(now.millis() + step);
        }
        assert_eq!(shared, 3000 - 600 - 300, "a list a second, and the ten minutes");
    }

    /// As after an adoption: a CA that sets nothing back made its last list a moment ago.
    #[test]
    fn this_update_never_overtakes_the_clock_where_nobody_knows_when_the_last_was_made() {
        let schedule = Schedule::every(3600);
        let last = at("2026-11-23T12:00:00Z");
        let unknown = Before { this_update: last, made: None };
        let made = |milliseconds: u64| {
            let now = Timestamp::from_millis(last.millis() + milliseconds);
            schedule.times(now, Some(unknown.follow(now)), begin()).this_update
        };
        assert_eq!(made(900), last, "shared within the second");
        assert_eq!(made(1000), last.plus_seconds(1));
        assert_eq!(made(1900), last.plus_seconds(1));
    }

    #[test]
    fn a_clock_that_went_back_leaves_this_update_no_further_ahead_than_it_went() {
        let schedule = Schedule::every(3600);
        let wrong = at("2027-11-23T12:00:00Z");
        let ahead = schedule.times(wrong, None, begin()).this_update;
        let mut before = Before { this_update: ahead, made: Some(wrong) };
        let right = at("2026-11-23T12:00:00Z");
        for list in 0..100u64 {
            let now = Timestamp::from_millis(right.millis() + list * 250);
            let times = schedule.times(now, Some(before.follow(now)), begin());
            let next = times.this_update;
            let same_second = list % 4 != 0;
            assert_eq!(next > before.this_update, !same_second, "{list}");
            // The second of the first list is counted, too.
            assert!(next.seconds_since(now) <= wrong.seconds_since(right) - 599);
            assert_eq!(times.ended_before(None), begin());
            let period_ago = now.minus_seconds(3600);
            assert_eq!(times.ended_before(Some(next)), period_ago, "judged by the clock of now");
            before = Before { this_update: next, made: Some(now) };
        }
        // Another process does not know when the last one was made.
        let unknown = Before { made: None, ..before };
        assert_eq!(unknown.follow(right), before.this_update.plus_seconds(1));
    }

    #[test]
    fn short_periods_keep_their_order() {
        for period in [60, 600, 3600, 86_400] {
            let schedule = Schedule::every(period);
            let now = at("2026-11-23T12:00:00Z");
            let times = schedule.times(now, None, begin());
            let due = schedule.due(times.next_publish);
            assert!(now < due && due < times.next_publish, "{period}");
            let overdue = schedule.overdue(times.next_publish);
            assert!(times.next_publish < overdue && overdue < times.next_update, "{period}");
        }
    }
}
