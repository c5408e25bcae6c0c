//! A template's object identifier: the installation's random arc and the template's tail, as
//! AD CS makes them in each forest (`1.3.6.1.4.1.311.21.8.a.b.c.d.e.f` and `.1.31`).

use const_oid::ObjectIdentifier;

/// 1.3.6.1.4.1.311.21.8, under which every forest makes its own arc.
const ENTERPRISE: [u32; 9] = [1, 3, 6, 1, 4, 1, 311, 21, 8];

/// The random arc of this installation, made once at `init`: the 128 bits of a GUID as five
/// numbers of 24 bits and one of 8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TemplateArc([u32; 6]);

/// The text is no arc.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an arc of six numbers below 1.3.6.1.4.1.311.21.8")]
pub struct NotAnArc;

/// A template's own part of its OID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemplateOid {
    /// Two numbers below the installation's arc: `1.N` for the built-in ones, random else.
    Tail(u32, u32),
    /// A whole OID that came from elsewhere.
    Whole(ObjectIdentifier),
}

/// The text is neither a tail nor a whole OID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a tail of two numbers such as `1.31`, nor a whole OID of at most 39 octets")]
pub struct NotATemplateOid;

/// Tails stay below 2^24, so that arc and tail fit the 39 octets an OID may have here.
const TAIL_LIMIT: u32 = 1 << 24;

impl TemplateArc {
    /// From 16 random octets.
    pub fn from_random(random: [u8; 16]) -> Self {
        let mut arc = [0; 6];
        for (number, octets) in arc.iter_mut().zip(random.chunks(3)) {
            *number = octets.iter().fold(0, |sum, octet| sum << 8 | u32::from(*octet));
        }
        Self(arc)
    }
}

/// The whole arc: `1.3.6.1.4.1.311.21.8.a.b.c.d.e.f`.
impl std::fmt::Display for TemplateArc {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let numbers = ENTERPRISE.iter().chain(&self.0);
        out.write_str(&numbers.map(ToString::to_string).collect::<Vec<_>>().join("."))
    }
}

impl std::str::FromStr for TemplateArc {
    type Err = NotAnArc;

    fn from_str(text: &str) -> Result<Self, NotAnArc> {
        let numbers = numbers(text).ok_or(NotAnArc)?;
        let own = numbers.strip_prefix(&ENTERPRISE).ok_or(NotAnArc)?;
        let own: [u32; 6] = own.try_into().map_err(|_| NotAnArc)?;
        let fits = own.iter().take(5).all(|number| *number < TAIL_LIMIT) && own[5] < 256;
        if fits { Ok(Self(own)) } else { Err(NotAnArc) }
    }
}

impl TemplateOid {
    /// A tail of 48 random bits, never below the `1.` of the built-in templates.
    pub fn from_random(random: [u8; 6]) -> Self {
        let [a, b, c, d, e, f] = random.map(u32::from);
        Self::Tail((a << 16 | b << 8 | c).max(2), d << 16 | e << 8 | f)
    }

    /// The whole OID in an installation with `arc`.
    pub fn under(self, arc: &TemplateArc) -> ObjectIdentifier {
        match self {
            Self::Whole(oid) => oid,
            Self::Tail(high, low) => {
                let numbers = ENTERPRISE.iter().chain(&arc.0).copied().chain([high, low]);
                // Arc and tail are bounded so that they always fit (see the test).
                ObjectIdentifier::from_arcs(numbers).unwrap_or(ENTERPRISE_OID)
            }
        }
    }
}

const ENTERPRISE_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.311.21.8");

impl std::fmt::Display for TemplateOid {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tail(high, low) => write!(out, "{high}.{low}"),
            Self::Whole(oid) => oid.fmt(out),
        }
    }
}

impl std::str::FromStr for TemplateOid {
    type Err = NotATemplateOid;

    fn from_str(text: &str) -> Result<Self, NotATemplateOid> {
        let numbers = numbers(text).ok_or(NotATemplateOid)?;
        match numbers.as_slice() {
            [high @ 0..TAIL_LIMIT, low @ 0..TAIL_LIMIT] => Ok(Self::Tail(*high, *low)),
            [_, _, _, _, _, ..] => {
                ObjectIdentifier::new(text).map(Self::Whole).map_err(|_| NotATemplateOid)
            }
            _ => Err(NotATemplateOid),
        }
    }
}

/// Decimal numbers without leading zeros, joined by dots.
fn numbers(text: &str) -> Option<Vec<u32>> {
    text.split('.')
        .map(|number| {
            let digits = number.bytes().all(|digit| digit.is_ascii_digit());
            let minimal = number == "0" || !number.starts_with('0');
            (digits && minimal && text.len() <= 256).then(|| number.parse().ok())?
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_largest_arc_and_tail_still_fit() {
        let arc = TemplateArc::from_random([0xff; 16]);
        let oid = TemplateOid::from_random([0xff; 6]).under(&arc);
        assert_eq!(
            oid.to_string(),
            "1.3.6.1.4.1.311.21.8.16777215.16777215.16777215.16777215.16777215.255.16777215.16777215"
        );
        assert_eq!(oid.as_bytes().len(), 39);
    }

    #[test]
    fn built_in_tails_stay_free() {
        assert_eq!(TemplateOid::from_random([0; 6]), TemplateOid::Tail(2, 0));
        let arc: TemplateArc =
            "1.3.6.1.4.1.311.21.8.14022710.8053821.4148415.11041814.15190471.213".parse().unwrap();
        let oid = "1.31".parse::<TemplateOid>().unwrap().under(&arc);
        assert_eq!(oid.to_string(), format!("{arc}.1.31"));
    }

    proptest! {
        #[test]
        fn arcs_read_back(random: [u8; 16], tail: [u8; 6]) {
            let arc = TemplateArc::from_random(random);
            prop_assert_eq!(arc.to_string().parse::<TemplateArc>().unwrap(), arc);
            let tail = TemplateOid::from_random(tail);
            prop_assert_eq!(tail.to_string().parse::<TemplateOid>().unwrap(), tail);
            let whole = tail.under(&arc);
            prop_assert_eq!(
                whole.to_string().parse::<TemplateOid>().unwrap(),
                TemplateOid::Whole(whole)
            );
        }

        #[test]
        fn any_text_is_refused_or_reads_back(text in "[0-9.]{0,60}") {
            let _ = text.parse::<TemplateArc>();
            if let Ok(oid) = text.parse::<TemplateOid>() {
                prop_assert_eq!(oid.to_string(), text);
            }
        }
    }
}
