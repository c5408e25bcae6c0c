//! `pKIExpirationPeriod` and `pKIOverlapPeriod`: a negative count of 100 ns in 8 octets,
//! little-endian ([MS-CRTD] §2.11).

use crate::pki::template::Period;

/// Units as the template editor counts, longest first: a year has 365 days, a month 30.
const UNITS: &[(u64, &str)] = &[
    (31_536_000, "year"),
    (2_592_000, "month"),
    (604_800, "week"),
    (86_400, "day"),
    (3_600, "hour"),
];

const TICKS: u64 = 10_000_000;

/// What a span reads as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// In the words of the template editor.
    pub(super) words: String,
    /// Whether minutes were left away to get there.
    pub(super) rounded: bool,
}

/// The octets of so many seconds.
pub(super) fn octets(seconds: u64) -> Option<[u8; 8]> {
    let ticks = i64::try_from(seconds.checked_mul(TICKS)?).ok()?;
    Some(ticks.checked_neg()?.to_le_bytes())
}

/// The octets of a template's period.
pub(super) fn of(period: Period) -> Vec<u8> {
    // At most a hundred years, which fits.
    octets(period.seconds()).unwrap_or_default().to_vec()
}

/// Reads the octets.
pub(super) fn read(octets: &[u8]) -> Option<Span> {
    let ticks = i64::from_le_bytes(octets.try_into().ok()?);
    let seconds = u64::try_from(ticks.checked_neg()?).ok()? / TICKS;
    let whole = seconds / 3_600 * 3_600;
    let (length, word) = UNITS.iter().find(|(length, _)| whole.is_multiple_of(*length))?;
    let count = whole / length;
    let plural = if count == 1 { "" } else { "s" };
    Some(Span { words: format!("{count} {word}{plural}"), rounded: whole != seconds })
}

/// Seconds of what certutil prints: `1 Years`, `6 Weeks`. `None` where the words are not English.
pub(super) fn seconds_of_certutil(text: &str) -> Option<u64> {
    let (count, word) = text.trim().split_once(' ')?;
    let word = word.trim().to_ascii_lowercase();
    let word = word.strip_suffix('s').unwrap_or(&word);
    let length = match word {
        "minute" => 60,
        "second" => 1,
        word => UNITS.iter().find(|(_, own)| *own == word)?.0,
    };
    count.parse::<u32>().ok().map(|count| u64::from(count) * length)
}
