//! What the register says that answers are to be made of.

use std::collections::{BTreeMap, BTreeSet};

use super::OcspError;
use crate::pki::ocsp::Standing;
use crate::pki::revocation::Revocation;
use crate::pki::revocation_list::CrlScope;
use crate::pki::serial::SerialNumber;
use crate::pki::time::Timestamp;
use crate::storage::act::Act;
use crate::storage::{Register, StandingRow};

/// A certificate about which an answer is to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Question {
    pub serial: SerialNumber,
    /// When it ends, seconds; the end of time where that is not known.
    pub not_after: u64,
    pub standing: Standing,
}

/// Entries of the ledger that are looked at together.
const AT_ONCE: usize = 1000;

/// What changed after a ledger entry.
pub(super) struct Changes {
    pub questions: Vec<Question>,
    /// The last entry that was looked at, and its hash.
    pub sequence: u64,
    pub hash: [u8; 32],
}

impl Question {
    /// Whether the certificate has not ended: it is valid through the second of its notAfter
    /// (RFC 5280 §4.1.2.5).
    pub fn is_alive(&self, now: Timestamp) -> bool {
        self.not_after >= now.seconds()
    }
}

impl From<StandingRow> for Question {
    fn from(row: StandingRow) -> Self {
        Self {
            serial: row.serial,
            not_after: row.not_after.seconds(),
            standing: standing(row.revocation),
        }
    }
}

fn standing(revocation: Option<Revocation>) -> Standing {
    revocation.map_or(Standing::Good, Standing::Revoked)
}

/// The certificates under a key of the CA that were issued, revoked or released after ledger entry
/// `reflected`, as they stand now, whether or not they have ended; nothing where nothing came after
/// it.
pub(super) fn changes(
    register: &dyn Register,
    key: u16,
    reflected: u64,
) -> Result<Option<Changes>, OcspError> {
    if register.head().sequence <= reflected {
        return Ok(None);
    }
    let rows = register.entries(reflected + 1, AT_ONCE)?;
    let Some(last) = rows.last() else { return Ok(None) };
    let (sequence, hash) = (last.sequence, last.hash);
    let mut issued = BTreeSet::new();
    // With the key that they say, for those that no certificate here has.
    let mut revoked = BTreeMap::new();
    for row in &rows {
        match &row.entry.act {
            Act::CertificateIssued(act) => {
                issued.insert(act.request_id);
            }
            Act::CertificateRevoked(act) => {
                let told = act.scope.map_or(CrlScope::FIRST.key, |scope| scope.key);
                revoked.extend(serial(&act.serial).map(|serial| (serial, told)));
            }
            Act::CertificateReleased(act) => {
                revoked.extend(serial(&act.serial).map(|serial| (serial, key)));
            }
            _ => {}
        }
    }
    let mut questions = Vec::new();
    for request in issued {
        let found = register.certificate_standings(request.saturating_sub(1), 1)?.rows;
        let found = found.into_iter().find(|row| row.request_id == request);
        questions.extend(found.filter(|row| row.scope.key == key).map(Question::from));
    }
    for (serial, told) in revoked {
        questions.extend(question(register, key, serial, told)?);
    }
    questions.sort_by_key(|question| question.serial);
    questions.dedup_by_key(|question| question.serial);
    Ok(Some(Changes { questions, sequence, hash }))
}

/// A serial number under the key, known by a certificate or only by its revocation, which tells
/// under which key it is.
fn question(
    register: &dyn Register,
    key: u16,
    serial: SerialNumber,
    told: u16,
) -> Result<Option<Question>, OcspError> {
    match register.certificate_standing(&serial)? {
        Some(row) => Ok((row.scope.key == key).then(|| row.into())),
        None if told == key => known_by_revocation(register, serial),
        None => Ok(None),
    }
}

/// A serial number that no certificate here has, but that is revoked: an adopted CA's, or one
/// that was reserved and given up.
pub(super) fn known_by_revocation(
    register: &dyn Register,
    serial: SerialNumber,
) -> Result<Option<Question>, OcspError> {
    let revocation = register.revocation(&serial)?;
    Ok(revocation.map(|revocation| Question {
        serial,
        not_after: u64::MAX,
        standing: Standing::Revoked(revocation),
    }))
}

fn serial(octets: &[u8]) -> Option<SerialNumber> {
    SerialNumber::from_der_content(octets).ok()
}
