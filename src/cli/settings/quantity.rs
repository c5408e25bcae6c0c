//! Quantities as people write them: `7d`, `12h`, `64MiB`.

/// Seconds from `90s`, `15m`, `12h`, `7d`, `2w` or `10y` (365 days each); 1 second to 100 years.
pub fn seconds(text: &str) -> Option<u64> {
    let units =
        [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400), ("w", 7 * 86_400), ("y", 365 * 86_400)];
    let seconds = counted(text, &units)?;
    (1..=100 * 365 * 86_400).contains(&seconds).then_some(seconds)
}

/// Octets from `1048576`, `512KiB`, `64MiB` or `1GiB`.
pub fn octets(text: &str) -> Option<u64> {
    counted(text, &[("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("", 1)])
}

fn counted(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let (_, factor) = units.iter().find(|(name, _)| *name == unit.trim_start())?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quantities_have_units() {
        assert_eq!(seconds("7d"), Some(604_800));
        assert_eq!(seconds("1 w"), Some(604_800));
        for wrong in ["", "7", "d", "-1d", "1.5h", "0s", "101y", "7days", "99999999999999999999s"] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
        assert_eq!(octets("64MiB"), Some(64 << 20));
        assert_eq!(octets("10"), Some(10));
        assert_eq!(octets("64MB"), None);
        assert_eq!(octets("99999999999GiB"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_a_quantity_or_none(text in ".{0,20}") {
            let _ = (seconds(&text), octets(&text));
        }
    }
}
