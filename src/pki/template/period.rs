//! Validity and renewal periods in the words of the template editor: `1 year`, `6 weeks`.

/// A span of time, kept as it was written. In the directory it is a negative count of 100 ns
/// ([MS-CRTD] pKIExpirationPeriod), where a month has 30 days and a year 365.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    count: u32,
    unit: Unit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Hours,
    Days,
    Weeks,
    Months,
    Years,
}

/// The text is no period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a period such as `1 year`, `6 weeks`, `2 days` or `8 hours`")]
pub struct NotAPeriod;

/// A hundred years: longer than any certificate should live.
const LONGEST_SECONDS: u64 = 100 * 365 * 86_400;

impl Unit {
    const ALL: [(Self, &'static str, u64); 5] = [
        (Self::Hours, "hour", 3_600),
        (Self::Days, "day", 86_400),
        (Self::Weeks, "week", 604_800),
        (Self::Months, "month", 2_592_000),
        (Self::Years, "year", 31_536_000),
    ];

    fn row(self) -> (&'static str, u64) {
        Self::ALL
            .iter()
            .find(|(unit, ..)| *unit == self)
            .map_or(("hour", 3_600), |(_, word, seconds)| (word, *seconds))
    }
}

impl Period {
    /// Its length in seconds.
    pub fn seconds(self) -> u64 {
        u64::from(self.count) * self.unit.row().1
    }
}

/// A number, a space, and hour(s), day(s), week(s), month(s) or year(s).
impl std::str::FromStr for Period {
    type Err = NotAPeriod;

    fn from_str(text: &str) -> Result<Self, NotAPeriod> {
        let (count, word) = text.split_once(' ').ok_or(NotAPeriod)?;
        let plain = count.len() <= 6 && count.bytes().all(|digit| digit.is_ascii_digit());
        let count: u32 = if plain { count.parse().map_err(|_| NotAPeriod)? } else { 0 };
        let word = word.strip_suffix('s').unwrap_or(word);
        let unit = Unit::ALL.iter().find(|(_, own, _)| *own == word).ok_or(NotAPeriod)?.0;
        let period = Self { count, unit };
        match period.seconds() {
            1..=LONGEST_SECONDS => Ok(period),
            _ => Err(NotAPeriod),
        }
    }
}

impl std::fmt::Display for Period {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let plural = if self.count == 1 { "" } else { "s" };
        write!(out, "{} {}{plural}", self.count, self.unit.row().0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn seconds_are_those_of_the_directory() {
        for (text, seconds) in [
            ("8 hours", 28_800),
            ("2 days", 172_800),
            ("6 weeks", 3_628_800),
            ("1 year", 31_536_000),
            ("5 years", 157_680_000),
        ] {
            let period: Period = text.parse().unwrap();
            assert_eq!((period.seconds(), period.to_string().as_str()), (seconds, text));
        }
    }

    #[test]
    fn nothing_and_too_much_are_refused() {
        for text in ["", "1", "0 days", "-1 days", "+1 days", "1  year", "101 years", "1 fortnight"]
        {
            assert_eq!(text.parse::<Period>(), Err(NotAPeriod), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_reads_back(text in "[0-9 ]{0,7}[a-z]{0,7}") {
            if let Ok(period) = text.parse::<Period>() {
                prop_assert_eq!(period.to_string().parse::<Period>().unwrap(), period);
            }
        }
    }
}
