//! Which representation of a certificate a caller takes (RFC 9110 §12.5.1).

use axum::http::{HeaderMap, StatusCode, header};

use super::problem::Problem;

/// A representation of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Representation {
    /// Everything this CA knows about it.
    Json,
    /// The certificate alone, PEM.
    Pem,
    /// The certificate and those above it, PEM (RFC 8555 §9.1).
    PemChain,
    /// The certificate alone, DER (RFC 2585 §4.1).
    Der,
    /// The certificate and those above it in a degenerate SignedData (RFC 8551 §3.2.2).
    Pkcs7,
}

impl Representation {
    /// In the order of preference where the caller has none.
    pub const ALL: [Self; 5] = [Self::Json, Self::Pem, Self::PemChain, Self::Der, Self::Pkcs7];

    /// The media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Pem => "application/x-pem-file",
            Self::PemChain => "application/pem-certificate-chain",
            Self::Der => "application/pkix-cert",
            Self::Pkcs7 => "application/pkcs7-mime",
        }
    }

    /// The caller's choice: the highest quality, the most specific range deciding for each
    /// type; 406 where nothing of ours is acceptable.
    pub fn chosen(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut ranges = Vec::new();
        for value in headers.get_all(header::ACCEPT) {
            let text = value.to_str().map_err(|_| malformed())?;
            for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
                ranges.push(Range::read(part).ok_or_else(malformed)?);
            }
        }
        if ranges.is_empty() {
            return Ok(Self::Json);
        }
        let mut best: Option<(u16, Self)> = None;
        for own in Self::ALL {
            let quality = quality(&ranges, own.media_type());
            if quality > best.map_or(0, |(quality, _)| quality) {
                best = Some((quality, own));
            }
        }
        best.map(|(_, own)| own).ok_or_else(|| {
            let types = Self::ALL.map(Self::media_type).join(", ");
            Problem::new(
                StatusCode::NOT_ACCEPTABLE,
                "not-acceptable",
                format!("a certificate is answered as one of {types}"),
            )
        })
    }
}

fn malformed() -> Problem {
    Problem::bad_request("accept-malformed", "the Accept header does not read (RFC 9110 §12.5.1)")
}

/// The quality of the most specific range that covers `media_type`; 0 if none does.
fn quality(ranges: &[Range<'_>], media_type: &str) -> u16 {
    let covering = ranges.iter().filter(|range| range.covers(media_type));
    covering.max_by_key(|range| range.specificity()).map_or(0, |range| range.thousandths)
}

struct Range<'a> {
    range: &'a str,
    thousandths: u16,
}

impl<'a> Range<'a> {
    fn read(part: &'a str) -> Option<Self> {
        let mut pieces = part.split(';').map(str::trim);
        let range = pieces.next()?;
        let (kind, subtype) = range.split_once('/')?;
        if kind.is_empty() || subtype.is_empty() || (kind == "*" && subtype != "*") {
            return None;
        }
        let mut thousandths = 1000;
        for parameter in pieces {
            if let Some(value) = parameter.strip_prefix("q=").or(parameter.strip_prefix("Q=")) {
                thousandths = read_quality(value)?;
            }
        }
        Some(Self { range, thousandths })
    }

    fn covers(&self, media_type: &str) -> bool {
        match self.range.strip_suffix("/*") {
            Some("*") => true,
            Some(kind) => {
                media_type.split('/').next().is_some_and(|own| own.eq_ignore_ascii_case(kind))
            }
            None => self.range.eq_ignore_ascii_case(media_type),
        }
    }

    fn specificity(&self) -> u8 {
        match self.range.strip_suffix("/*") {
            Some("*") => 0,
            Some(_) => 1,
            None => 2,
        }
    }
}

/// `qvalue` (RFC 9110 §12.4.2) in thousandths.
fn read_quality(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let fraction: u16 = format!("{fraction:0<3}").parse().ok()?;
    match (whole, fraction) {
        ("0", _) => Some(fraction),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    fn chosen(accept: &str) -> Result<Representation, Problem> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_str(accept).unwrap());
        Representation::chosen(&headers)
    }

    #[test]
    fn the_caller_chooses() {
        assert_eq!(Representation::chosen(&HeaderMap::new()).unwrap(), Representation::Json);
        let cases = [
            ("*/*", Representation::Json),
            ("application/*", Representation::Json),
            ("application/x-pem-file", Representation::Pem),
            ("Application/PKIX-Cert", Representation::Der),
            ("application/json;q=0.5, application/pkcs7-mime;q=0.8", Representation::Pkcs7),
            ("application/pem-certificate-chain, */*;q=0.1", Representation::PemChain),
            ("*/*, application/json;q=0", Representation::Pem),
        ];
        for (accept, representation) in cases {
            assert_eq!(chosen(accept).unwrap(), representation, "{accept}");
        }
        assert_eq!(chosen("text/html").unwrap_err().rule(), "not-acceptable");
        assert_eq!(chosen("application/json;q=0").unwrap_err().rule(), "not-acceptable");
        for accept in ["json", "/", "*/json", "a/b;q=2", "a/b;q=0.1234"] {
            assert_eq!(chosen(accept).unwrap_err().rule(), "accept-malformed", "{accept}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_chosen(accept in "[ -~]{0,60}") {
            let _ = chosen(&accept);
        }
    }
}
