//! Which CRLs speak of which serial number.

use std::num::NonZeroU16;

use super::super::*;
use super::model::{Model, serial_of};
use crate::pki::revocation_list::CrlScope;

/// Everything, and three partitions, of which the last is nobody's.
pub fn scopes() -> [CrlScope; 4] {
    [0, 1, 2, 3].map(|number| CrlScope { key: 0, partition: NonZeroU16::new(number) })
}

pub fn scope_of(id: u64) -> CrlScope {
    scopes()[usize::try_from(id % 3).unwrap()]
}

/// Of those that only a CRL told of: none, a known one, or nobody knows which.
pub fn scope_of_foreign(number: u32) -> Option<act::RevokedScope> {
    let partition = match number % 3 {
        0 => return None,
        1 => act::Partition::Known(NonZeroU16::MIN),
        _ => act::Partition::Unknown,
    };
    Some(act::RevokedScope { key: 0, partition })
}

pub fn revoked_where(act: Act, scope: Option<act::RevokedScope>) -> Act {
    let Act::CertificateRevoked(act) = act else { return act };
    Act::CertificateRevoked(act::CertificateRevoked { scope, ..act })
}

/// Whether a serial number may be on the CRL of `scope`.
pub fn is_in(model: &Model, of: &SerialNumber, scope: CrlScope) -> bool {
    if let Some(id) = model.requests.keys().find(|id| serial_of(**id) == *of) {
        return scope.covers(scope_of(*id));
    }
    let number = (0..8).find(|number| serial(1_000_000 + number) == *of).unwrap();
    match scope_of_foreign(number).map(|own| own.partition) {
        Some(act::Partition::Known(number)) => {
            scope.covers(CrlScope { key: 0, partition: Some(number) })
        }
        Some(act::Partition::Unknown) => true,
        _ => scope.covers(CrlScope::FIRST),
    }
}
