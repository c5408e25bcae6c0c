//! Places where a CRL should be and is not.

use super::table::{NOT_DER, REDIRECTED, UNREACHABLE};
use super::{CrlEvidence, Finding, NoCrl, NotFetched, unreachable};

pub(super) fn finding(position: usize, evidence: &CrlEvidence, why: &NoCrl) -> Finding {
    let place = evidence.url.as_deref().unwrap_or_default();
    match why {
        NoCrl::NotFetched(why @ NotFetched::Redirected(_)) => {
            Finding::new(&REDIRECTED, position, unreachable(evidence, why))
        }
        NoCrl::NotFetched(why) => Finding::new(&UNREACHABLE, position, unreachable(evidence, why)),
        NoCrl::Pem | NoCrl::NotACrl => {
            Finding::new(&NOT_DER, position, format!("At {place} there is {why}."))
        }
    }
}
