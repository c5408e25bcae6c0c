//! How long a certificate lives.

use super::Case;
use crate::pki::denial::{Denial, Rule};
use crate::pki::profile::ValidityCut;
use crate::pki::time::Timestamp;

/// AD CS's ClockSkewMinutes: clients whose clocks are behind take a new certificate at once.
const CLOCK_SKEW_SECONDS: u64 = 600;

/// The span of a certificate's validity.
pub(super) struct Validity {
    pub(super) not_before: Timestamp,
    pub(super) not_after: Timestamp,
    pub(super) cut: ValidityCut,
}

/// From ten minutes ago, for as long as the template says, within the CA's own validity.
pub(super) fn of(case: &Case<'_>) -> Result<Validity, Denial> {
    let (first, last) = case.authority_validity;
    if case.now < first || case.now >= last {
        return Err(Denial::new(
            Rule::AuthorityExpired,
            format!("the CA's certificate is valid from {first} to {last}, and it is {}", case.now),
        ));
    }
    let now = case.now.whole_seconds();
    let not_before = now.minus_seconds(CLOCK_SKEW_SECONDS).max(first);
    let wanted = not_before.plus_seconds(case.template.validity().seconds());
    let (not_after, cut) = if wanted > last {
        (last, ValidityCut::EndsWithAuthority)
    } else {
        (wanted, ValidityCut::Whole)
    };
    Ok(Validity { not_before, not_after, cut })
}
