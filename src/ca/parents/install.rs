//! How a parent's CRL comes in: judged, compared with what is here, put on record, published.

use std::sync::{Arc, PoisonError};

use bytes::Bytes;

use super::crl::{NotTaken, ParentCrl, parsed};
use super::{Parent, Parents};
use crate::ca::permissions::Operation;
use crate::ca::{Authority, Refusal, Requester};
use crate::pki::presented::{Digest, Number, PresentedCrl};
use crate::pki::time::Timestamp;
use crate::storage::act::{Act, Entry, ParentCrlInstalled};
use crate::storage::{Register, StoreError, Urgency};

/// Clocks may differ by so much.
const TOLERATED_SECONDS: u64 = 300;

/// A CRL that is being served now.
#[derive(Debug)]
pub struct Installed {
    /// Its issuer (RFC 4514).
    pub issuer: String,
    /// The issuer's name in files and URLs.
    pub name: String,
    /// Where it is served.
    pub urls: Vec<String>,
    /// The CRL.
    pub crl: Arc<ParentCrl>,
    /// Whether it was served already.
    pub was_here: WasHere,
    /// What whoever installs it should know.
    pub warnings: Vec<String>,
}

/// Whether a CRL was served already before it was installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WasHere {
    /// It was; nothing was done.
    Yes,
    /// It takes the place of an older one, or of none.
    No,
}

impl Authority {
    /// Takes a parent's CRL from an administrator.
    pub fn install_parent_crl(
        &self,
        requester: &Requester,
        crl: Vec<u8>,
        now: Timestamp,
    ) -> Result<Installed, Refusal> {
        requester.must(Operation::InstallParentCrl)?;
        let actor = Some(requester.account().name.clone());
        Ok(self.parents.install(&*self.register, crl, actor, now)?)
    }

    /// The same from the operator; or, where there is no actor, fetched by the CA itself.
    pub fn take_parent_crl(
        &self,
        actor: Option<&str>,
        crl: Vec<u8>,
        now: Timestamp,
    ) -> Result<Installed, NotTaken> {
        self.parents.install(&*self.register, crl, actor.map(str::to_owned), now)
    }

    /// The CAs above this one.
    pub fn parents(&self) -> &Arc<Parents> {
        &self.parents
    }
}

impl From<NotTaken> for Refusal {
    fn from(why: NotTaken) -> Self {
        match why {
            NotTaken::Store(error) => error.into(),
            NotTaken::Older { .. } | NotTaken::Twin => {
                Self::Conflict("parent-crl-older", why.to_string())
            }
            _ => Self::Invalid("parent-crl", why.to_string()),
        }
    }
}

impl Parents {
    /// Takes a CRL (DER), if it is a parent's and nothing newer of that parent is here. One that
    /// has ended is taken as well: it is better than an older one.
    pub fn install(
        &self,
        register: &dyn Register,
        octets: Vec<u8>,
        actor: Option<String>,
        now: Timestamp,
    ) -> Result<Installed, NotTaken> {
        let _one_at_a_time = self.installing.lock().unwrap_or_else(PoisonError::into_inner);
        let (presented, octets) = parsed(octets)?;
        let (parent, crl) = self.issuer_of(&presented, octets, now)?;
        if crl.this_update > now.plus_seconds(TOLERATED_SECONDS) {
            return Err(NotTaken::NotYetValid(crl.this_update));
        }
        let current = parent.crl();
        let recorded = register.parent_crl(&parent.identifier)?;
        if let Some(current) = &current {
            not_older(&crl, current.this_update, current.number.as_ref(), &current.sha256)?;
        }
        if let Some(own) = &recorded {
            let number = (!own.number.is_empty()).then(|| Number::from_octets(own.number.clone()));
            let this_update = Timestamp::from_seconds(own.this_update);
            not_older(&crl, this_update, number.as_ref(), &own.sha256)?;
        }
        if recorded.is_none_or(|own| own.sha256 != crl.sha256) {
            let act = Act::ParentCrlInstalled(parent.record(&crl));
            register.commit(vec![Entry { at: now.millis(), actor, act }], Urgency::Reserved)?;
        }
        let warnings = parent.warnings(&crl, now);
        let (crl, was_here) = match current.filter(|own| own.sha256 == crl.sha256) {
            Some(current) => (current, WasHere::Yes),
            None => {
                parent.publish(&crl)?;
                let crl = Arc::new(crl);
                parent.crl.store(Some(Arc::clone(&crl)));
                (crl, WasHere::No)
            }
        };
        let (issuer, name) = (parent.subject(), parent.name().to_owned());
        let urls = parent.crl_urls().to_vec();
        Ok(Installed { issuer, name, urls, crl, was_here, warnings })
    }

    /// Of two parents with one name (its key was changed) the one whose key fits.
    fn issuer_of(
        &self,
        presented: &PresentedCrl,
        octets: Bytes,
        now: Timestamp,
    ) -> Result<(&Parent, ParentCrl), NotTaken> {
        let mut refused = None;
        for parent in &self.above {
            match parent.read(presented, octets.clone(), parent.modified(now)) {
                Ok(crl) => return Ok((parent, crl)),
                Err(NotTaken::AnotherIssuer(name)) => {
                    refused.get_or_insert(NotTaken::AnotherIssuer(name));
                }
                Err(why) => refused = Some(why),
            }
        }
        Err(refused.unwrap_or(NotTaken::NoParents))
    }
}

impl Parent {
    /// A second of its own for each CRL: whoever asks If-Modified-Since learns of every one.
    fn modified(&self, now: Timestamp) -> Timestamp {
        let now = now.whole_seconds();
        self.crl().map_or(now, |crl| now.max(crl.modified.plus_seconds(1)))
    }

    fn record(&self, crl: &ParentCrl) -> ParentCrlInstalled {
        ParentCrlInstalled {
            issuer: self.identifier,
            issuer_name: self.subject(),
            number: crl.number.as_ref().map(|own| own.octets().to_vec()).unwrap_or_default(),
            this_update: crl.this_update.seconds(),
            next_update: crl.next_update.seconds(),
            size: crl.octets.len() as u64,
            sha256: crl.sha256,
        }
    }

    fn publish(&self, crl: &ParentCrl) -> Result<(), StoreError> {
        let mut pending = self.store.begin()?;
        pending.write_at(&crl.octets, 0)?;
        pending.seal(crl.octets.len() as u64, crl.modified)?;
        pending.publish()
    }

    fn warnings(&self, crl: &ParentCrl, now: Timestamp) -> Vec<String> {
        let mut warnings = Vec::new();
        if now > crl.next_update {
            warnings.push(format!("it ended on {}: relying parties refuse it", crl.next_update));
        }
        if let Some(listed) = crl.listed {
            let whose = self.below.subject_text();
            warnings.push(format!("it lists {whose} as revoked since {}", listed.since));
        }
        if let Digest::Broken(digest) = crl.digest {
            warnings.push(format!("it is signed over {digest}, which relying parties may refuse"));
        }
        if crl.number.is_none() {
            warnings.push("it has no CRL number (RFC 5280 §5.2.3)".to_owned());
        }
        warnings
    }
}

/// Numbers and times go forward, each by itself.
fn not_older(
    crl: &ParentCrl,
    known: Timestamp,
    number: Option<&Number>,
    sha256: &[u8; 32],
) -> Result<(), NotTaken> {
    if crl.sha256 == *sha256 {
        return Ok(());
    }
    let this_update = crl.this_update;
    let numbers = crl.number.as_ref().zip(number).map(|(new, old)| new.cmp(old));
    match (numbers, this_update.cmp(&known)) {
        (Some(std::cmp::Ordering::Less), _) | (_, std::cmp::Ordering::Less) => {
            Err(NotTaken::Older { this_update, known })
        }
        (Some(std::cmp::Ordering::Equal) | None, std::cmp::Ordering::Equal) => Err(NotTaken::Twin),
        _ => Ok(()),
    }
}
