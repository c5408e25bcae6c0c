//! Time as RFC 5280 §4.1.2.5 has it: UTCTime until 2049, GeneralizedTime after, in UTC and whole
//! seconds.

use super::{Element, GENERALIZED_TIME, NotDer, UTC_TIME, element};
use crate::pki::time::Timestamp;

/// A Time: UTCTime until 2049, GeneralizedTime after.
pub fn encode(moment: Timestamp) -> Vec<u8> {
    let digits = digits(moment);
    if digits[..4] < b"2050"[..] {
        element(UTC_TIME, &[&digits[2..]])
    } else {
        element(GENERALIZED_TIME, &[&digits])
    }
}

/// GeneralizedTime, whatever the year (RFC 5280 §5.3.2).
pub fn encode_generalized(moment: Timestamp) -> Vec<u8> {
    element(GENERALIZED_TIME, &[&digits(moment)])
}

/// Reads a Time from 1970 on.
pub fn decode(element: Element<'_>) -> Result<Timestamp, NotDer> {
    let digits = element.content.strip_suffix(b"Z").ok_or(NotDer)?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(NotDer);
    }
    let (years, rest) = match (element.tag, digits.len()) {
        (UTC_TIME, 12) => digits.split_at(2),
        (GENERALIZED_TIME, 14) => digits.split_at(4),
        _ => return Err(NotDer),
    };
    let number = |digits: &[u8]| {
        digits.iter().fold(0u16, |value, digit| value * 10 + u16::from(digit - b'0'))
    };
    let year = match (years.len(), number(years)) {
        (2, short @ 50..) => 1900 + short,
        (2, short) => 2000 + short,
        (_, year) => year,
    };
    // Two digits always fit an octet.
    let field = |at: usize| number(&rest[2 * at..2 * at + 2]) as u8;
    let moment = der::DateTime::new(year, field(0), field(1), field(2), field(3), field(4));
    let seconds = moment.map_err(|_| NotDer)?.unix_duration().as_secs();
    Ok(Timestamp::from_seconds(seconds))
}

/// `YYYYMMDDHHMMSSZ`.
fn digits(moment: Timestamp) -> [u8; 15] {
    let seconds = i64::try_from(moment.seconds()).unwrap_or_default();
    // A Timestamp lies between 1970 and 9999, which this always can.
    let date = ::time::OffsetDateTime::from_unix_timestamp(seconds)
        .unwrap_or(::time::OffsetDateTime::UNIX_EPOCH);
    let mut digits = *b"00000000000000Z";
    let mut write = |at: usize, width: usize, mut value: u32| {
        for place in (at..at + width).rev() {
            digits[place] = b'0' + (value % 10) as u8;
            value /= 10;
        }
    };
    write(0, 4, date.year().unsigned_abs());
    write(4, 2, u8::from(date.month()).into());
    write(6, 2, date.day().into());
    write(8, 2, date.hour().into());
    write(10, 2, date.minute().into());
    write(12, 2, date.second().into());
    digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::encoding::Elements;
    use der::{Decode, Encode};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn is_x509_certs_and_reads_back(seconds in 0u64..253_402_300_799) {
            let moment = Timestamp::from_seconds(seconds);
            let written = encode(moment);
            prop_assert_eq!(&written, &moment.to_x509().to_der().unwrap());
            prop_assert_eq!(decode(Elements::of(&written).take().unwrap()).unwrap(), moment);
            let general = encode_generalized(moment);
            prop_assert!(der::asn1::GeneralizedTime::from_der(&general).is_ok());
            prop_assert_eq!(decode(Elements::of(&general).take().unwrap()).unwrap(), moment);
        }

        #[test]
        fn any_content_is_refused_or_read(tag in prop::sample::select(vec![UTC_TIME, GENERALIZED_TIME]), text in "[0-9]{10,15}Z?") {
            let written = element(tag, &[text.as_bytes()]);
            if let Ok(moment) = decode(Elements::of(&written).take().unwrap()) {
                let known = x509_cert::time::Time::from_der(&written).map(|time| Timestamp::from_x509(&time));
                prop_assert_eq!(known.ok(), Some(moment));
            }
        }
    }
}
