//! What the service finds when it looks at itself goes on record when it changes, and with that
//! to whoever wants to be told.

use super::super::{Authority, Refusal};
use crate::pki::time::Timestamp;
use crate::storage::Urgency;
use crate::storage::act::{Act, Entry, SelfCheckChanged};

impl Authority {
    /// Records what was found, each a rule, a colon and a sentence, if other rules are broken than
    /// the last time; says whether that is so. The sentences may change with the time of day.
    pub fn note_self_check(
        &self,
        faults: &[String],
        warnings: &[String],
        now: Timestamp,
    ) -> Result<bool, Refusal> {
        let last = self.register.self_check()?.unwrap_or_default();
        if rules(&last.faults) == rules(faults) && rules(&last.warnings) == rules(warnings) {
            return Ok(false);
        }
        let found = SelfCheckChanged { faults: faults.to_vec(), warnings: warnings.to_vec() };
        let entry = Entry { at: now.millis(), actor: None, act: Act::SelfCheckChanged(found) };
        self.register.commit(vec![entry], Urgency::Reserved)?;
        Ok(true)
    }
}

fn rules(found: &[String]) -> Vec<&str> {
    let mut rules: Vec<&str> =
        found.iter().map(|told| told.split_once(':').map_or(told.as_str(), |it| it.0)).collect();
    rules.sort_unstable();
    rules
}
