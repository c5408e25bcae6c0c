//! Moments as the authority counts them: milliseconds since the Unix epoch, UTC.
//!
//! No clock is read here (second law): the doors read it and pass a [`Timestamp`] down.

use der::DateTime;
use time::format_description::well_known::Rfc3339;

/// A moment in UTC, in whole milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Timestamp(u64);

/// The text was not an RFC 3339 moment between 1970 and 9999.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a moment as RFC 3339 writes it, between 1970 and 9999")]
pub struct NotAMoment;

/// 9999-12-31T23:59:59Z, the "no well-defined expiration" of RFC 5280 §4.1.2.5.
const LAST_SECOND: u64 = 253_402_300_799;

impl Timestamp {
    /// 9999-12-31T23:59:59Z: what has it as its end has no well-defined one.
    pub const NEVER: Self = Self(LAST_SECOND * 1000);

    /// From milliseconds since the epoch; later than the year 9999 is held at its end.
    pub fn from_millis(milliseconds: u64) -> Self {
        Self(milliseconds.min(LAST_SECOND * 1000))
    }

    /// From seconds since the epoch.
    pub fn from_seconds(seconds: u64) -> Self {
        Self::from_millis(seconds.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    pub fn millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since the epoch, as certificates count (RFC 5280 §4.1.2.5: no fractions).
    pub fn seconds(self) -> u64 {
        self.0 / 1000
    }

    /// The same moment without its fraction of a second.
    pub fn whole_seconds(self) -> Self {
        Self(self.0 / 1000 * 1000)
    }

    /// This moment moved later by `seconds`.
    pub fn plus_seconds(self, seconds: u64) -> Self {
        Self::from_millis(self.0.saturating_add(seconds.saturating_mul(1000)))
    }

    /// This moment moved earlier by `seconds`, not before the epoch.
    pub fn minus_seconds(self, seconds: u64) -> Self {
        Self(self.0.saturating_sub(seconds.saturating_mul(1000)))
    }

    /// Seconds from `earlier` to this moment, 0 if `earlier` is the later one.
    pub fn seconds_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0) / 1000
    }

    /// UTCTime until 2049, GeneralizedTime after (RFC 5280 §4.1.2.5, §5.1.2.4).
    pub fn to_x509(self) -> x509_cert::time::Time {
        let date = DateTime::from_unix_duration(std::time::Duration::from_secs(self.seconds()));
        // `from_millis` holds every value within the years a DateTime knows.
        let date = date.unwrap_or(DateTime::INFINITY);
        match der::asn1::UtcTime::from_date_time(date) {
            Ok(utc) => x509_cert::time::Time::UtcTime(utc),
            Err(_) => x509_cert::time::Time::GeneralTime(date.into()),
        }
    }

    /// From either form of an X.509 time.
    pub fn from_x509(moment: &x509_cert::time::Time) -> Self {
        Self::from_seconds(moment.to_unix_duration().as_secs())
    }
}

/// RFC 3339 in UTC, with milliseconds only where there are any: `2026-11-23T03:34:00Z`.
impl std::fmt::Display for Timestamp {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let nanoseconds = i128::from(self.0) * 1_000_000;
        let moment = time::OffsetDateTime::from_unix_timestamp_nanos(nanoseconds)
            .map_err(|_| std::fmt::Error)?;
        out.write_str(&moment.format(&Rfc3339).map_err(|_| std::fmt::Error)?)
    }
}

impl std::str::FromStr for Timestamp {
    type Err = NotAMoment;

    fn from_str(text: &str) -> Result<Self, NotAMoment> {
        let moment = time::OffsetDateTime::parse(text, &Rfc3339).map_err(|_| NotAMoment)?;
        let milliseconds = moment.unix_timestamp_nanos() / 1_000_000;
        u64::try_from(milliseconds)
            .ok()
            .filter(|milliseconds| *milliseconds <= LAST_SECOND * 1000)
            .map(Self)
            .ok_or(NotAMoment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn utc_time_ends_with_2049() {
        let last: Timestamp = "2049-12-31T23:59:59Z".parse().unwrap();
        assert!(matches!(last.to_x509(), x509_cert::time::Time::UtcTime(_)));
        let next = last.plus_seconds(1);
        assert!(matches!(next.to_x509(), x509_cert::time::Time::GeneralTime(_)));
        assert_eq!(Timestamp::from_x509(&next.to_x509()), next);
    }

    proptest! {
        #[test]
        fn text_form_reads_back(milliseconds in 0..LAST_SECOND * 1000) {
            let moment = Timestamp::from_millis(milliseconds);
            prop_assert_eq!(moment.to_string().parse::<Timestamp>().unwrap(), moment);
        }

        #[test]
        fn any_text_is_refused_or_read(text in ".{0,40}") {
            let _ = text.parse::<Timestamp>();
        }
    }
}
