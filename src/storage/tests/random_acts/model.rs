//! What the register must answer, kept as simply as can be.

use std::collections::BTreeMap;

use super::super::*;
use crate::pki::disposition::Disposition;

#[derive(Clone, Debug)]
pub struct Known {
    pub account: String,
    pub template: String,
    pub disposition: Disposition,
    pub reserved: bool,
    pub not_after: Option<u64>,
}

#[derive(Default)]
pub struct Model {
    pub requests: BTreeMap<u64, Known>,
    /// Revoked now: reason, revocation time, end.
    pub revoked: BTreeMap<SerialNumber, (u8, u64, Option<u64>)>,
    /// When what is to be retired.
    pub retirements: BTreeMap<SerialNumber, u64>,
    /// Since when what waits for a manager.
    pub pending: BTreeMap<u64, u64>,
    pub compromised: bool,
    /// How long before its end what was told last.
    pub told: BTreeMap<u64, u64>,
    /// Numbers of the entries that notifications tell of.
    pub notable: Vec<u64>,
    /// What the service found last when it looked at itself.
    pub self_check: Option<act::SelfCheckChanged>,
    /// How each endpoint stands.
    pub standings: BTreeMap<String, act::Standing>,
    pub accounts: BTreeMap<String, u64>,
    /// How often the roles were saved.
    pub roles: u64,
    pub tokens: BTreeMap<String, bool>,
    pub templates: BTreeMap<String, bool>,
    pub entries: u64,
    pub clock: u64,
    pub history: crl_changes::History,
    /// The latest second before which ended certificates may have left the CRL.
    pub dropped_before: u64,
}

impl Model {
    pub fn pick(&self, at: u8, fits: impl Fn(&Known) -> bool) -> Option<u64> {
        let ids: Vec<u64> =
            self.requests.iter().filter(|(_, known)| fits(known)).map(|(id, _)| *id).collect();
        (!ids.is_empty()).then(|| ids[usize::from(at) % ids.len()])
    }
}

pub fn serial_of(id: u64) -> SerialNumber {
    serial(u32::try_from(id).unwrap())
}

pub fn open_now(known: &Known) -> bool {
    matches!(known.disposition, Disposition::Active | Disposition::Pending) && !known.reserved
}
