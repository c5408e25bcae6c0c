//! How long parents' CRLs hold, and whom to tell while there is time to have the next one made: a
//! root is fetched out of its safe for that.

use super::{Parent, ParentCrl, Parents};
use crate::pki::time::Timestamp;

/// Where the parent does not say when the next one is due, it counts as due in the last tenth of
/// its life, at most this long before its end.
const DUE_AT_MOST_SECONDS: u64 = 30 * 86_400;
/// It counts as lapsing in the last fiftieth of its life, at most this long before its end.
const LAPSING_AT_MOST_SECONDS: u64 = 86_400;

/// How a parent's CRL stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// None was installed.
    Missing,
    /// It holds.
    Good,
    /// It holds, and the next one should be here.
    Due,
    /// It ends within hours.
    Lapsing,
    /// It has ended: relying parties refuse every certificate below.
    Ended,
}

impl Standing {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Good => "good",
            Self::Due => "due",
            Self::Lapsing => "lapsing",
            Self::Ended => "ended",
        }
    }
}

impl ParentCrl {
    /// From when on the next one should be here.
    pub fn due(&self) -> Timestamp {
        let tenth = (self.life() / 10).min(DUE_AT_MOST_SECONDS);
        let by_itself = self.next_update.minus_seconds(tenth);
        self.next_publish.map_or(by_itself, |announced| announced.min(self.next_update))
    }

    /// How long it holds in all.
    pub fn life(&self) -> u64 {
        self.next_update.seconds_since(self.this_update)
    }

    fn standing(&self, now: Timestamp) -> Standing {
        let lapsing = (self.life() / 50).min(LAPSING_AT_MOST_SECONDS);
        if now > self.next_update {
            Standing::Ended
        } else if now >= self.next_update.minus_seconds(lapsing) {
            Standing::Lapsing
        } else if now >= self.due() {
            Standing::Due
        } else {
            Standing::Good
        }
    }
}

impl Parent {
    /// How its CRL stands.
    pub fn standing(&self, now: Timestamp) -> Standing {
        self.crl().map_or(Standing::Missing, |crl| crl.standing(now))
    }

    fn sentence(&self, now: Timestamp) -> Option<String> {
        let (parent, crl) = (self.subject(), self.crl());
        let ends = crl.map(|crl| crl.next_update.to_string()).unwrap_or_default();
        Some(match self.standing(now) {
            Standing::Good => return None,
            Standing::Missing if !self.is_named_here() => return None,
            Standing::Missing => format!(
                "there is no CRL of {parent} here, where certificates say that it is: \
                 chancery install-crl"
            ),
            Standing::Due => format!("the CRL of {parent} is to be replaced; it ends {ends}"),
            Standing::Lapsing => {
                format!("the CRL of {parent} ends {ends}, and there is no newer one")
            }
            Standing::Ended => {
                format!("the CRL of {parent} ended {ends}, and there is no newer one")
            }
        })
    }
}

impl Parents {
    /// What is wrong, before relying parties refuse what stands below.
    pub fn trouble(&self, now: Timestamp) -> Option<String> {
        let wrong = |own: &&Parent| !matches!(own.standing(now), Standing::Good | Standing::Due);
        let told: Vec<String> =
            self.iter().filter(wrong).filter_map(|own| own.sentence(now)).collect();
        (!told.is_empty()).then(|| told.join("; "))
    }

    /// What somebody should see to while there is time.
    pub fn notices(&self, now: Timestamp) -> Vec<String> {
        let due = self.iter().filter(|own| own.standing(now) == Standing::Due);
        due.filter_map(|own| own.sentence(now)).collect()
    }
}
