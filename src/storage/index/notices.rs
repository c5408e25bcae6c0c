//! What notifications need: which acts they tell of, how far each endpoint has been told, and at
//! which distance from an end that end was told last.

use super::{ENDPOINT, Index, NOTABLE, SELF_CHECK, TOLD, both, pair};
use crate::pki::serial::SerialNumber;
use crate::storage::act::{
    Act, Ending, ExpiryNoticed, NotificationsSettled, SelfCheckChanged, Standing,
};
use crate::storage::index::query::Search;
use crate::storage::ledger::Located;
use crate::storage::{AuditRow, StoreError, Subject};

impl Index {
    pub(super) fn notable(&self, sequence: u64, offset: u64) -> Result<(), StoreError> {
        self.chunks.set_named(NOTABLE, &sequence.to_be_bytes(), Some(&pair(offset, 0)))
    }

    pub(super) fn settled(
        &self,
        offset: u64,
        settled: &NotificationsSettled,
    ) -> Result<(), StoreError> {
        let place = settled.standing.as_ref().map(|_| pair(offset, 0));
        self.chunks.set_named(
            ENDPOINT,
            settled.endpoint.as_bytes(),
            place.as_ref().map(|it| &it[..]),
        )
    }

    pub(super) fn self_check_changed(&self, offset: u64) -> Result<(), StoreError> {
        self.chunks.set_named(SELF_CHECK, b"", Some(&pair(offset, 0)))
    }

    pub(super) fn told(&self, noticed: &ExpiryNoticed) -> Result<(), StoreError> {
        let place = pair(noticed.before_seconds, 0);
        for subject in Subject::all_of(&noticed.ending) {
            self.chunks.set_named(TOLD, &subject.key(), Some(&place))?;
        }
        Ok(())
    }
}

impl Subject {
    fn all_of(ending: &Ending) -> Vec<Self> {
        match ending {
            Ending::Certificates(own) => {
                let serials = own.certificates.iter().map(|own| own.serial.as_slice());
                // What is no serial number was never told of a certificate of ours.
                let serials = serials.filter_map(|own| SerialNumber::from_der_content(own).ok());
                serials.map(Self::Certificate).collect()
            }
            Ending::Crl(own) => vec![Self::Crl(own.number)],
            Ending::Authority(own) => vec![Self::Authority(own.sha256)],
            Ending::ParentCrl(own) => vec![Self::ParentCrl(own.sha256)],
            Ending::Answers(own) => vec![Self::Answers(own.key, own.next_update)],
        }
    }

    fn key(&self) -> Vec<u8> {
        match self {
            Self::Certificate(serial) => [b"c", serial.as_der_content()].concat(),
            Self::Crl(number) => [&b"l"[..], &number.to_be_bytes()].concat(),
            Self::Authority(sha256) => [&b"a"[..], sha256].concat(),
            Self::ParentCrl(sha256) => [&b"p"[..], sha256].concat(),
            Self::Answers(key, end) => [&b"o"[..], &key.to_be_bytes(), &end.to_be_bytes()].concat(),
        }
    }
}

impl Search<'_> {
    /// See [`crate::storage::Register::notable`].
    pub fn notable(&self, from: u64, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
        let after = from.checked_sub(1).map(u64::to_be_bytes);
        let after = after.as_ref().map(|name| &name[..]);
        // Under the lock, so that no entry is passed over because it arrives meanwhile.
        let places = self.look(|index| {
            let entries = index.chunks.all_named(NOTABLE, after).take(limit);
            entries.map(|entry| Ok(both(&entry?.1).0)).collect::<Result<Vec<u64>, StoreError>>()
        })?;
        let mut rows = Vec::with_capacity(places.len());
        for place in places {
            let Located { sequence, hash, entry, .. } = self.reader.entry(place)?;
            rows.push(AuditRow { sequence, hash, entry });
        }
        Ok(rows)
    }

    /// See [`crate::storage::Register::standings`].
    pub fn standings(&self) -> Result<Vec<(String, Standing)>, StoreError> {
        let entries = self.look(|index| index.chunks.all_named(ENDPOINT, None));
        let mut standings = Vec::new();
        for entry in entries {
            if let Act::NotificationsSettled(settled) =
                self.reader.entry(both(&entry?.1).0)?.entry.act
                && let Some(standing) = settled.standing
            {
                standings.push((settled.endpoint, standing));
            }
        }
        Ok(standings)
    }

    /// See [`crate::storage::Register::self_check`].
    pub fn self_check(&self) -> Result<Option<SelfCheckChanged>, StoreError> {
        let Some(place) = self.look(|index| index.chunks.named(SELF_CHECK, b""))? else {
            return Ok(None);
        };
        match self.reader.entry(both(&place).0)?.entry.act {
            Act::SelfCheckChanged(found) => Ok(Some(found)),
            _ => Err(StoreError::Damaged("the self-check is not where it was".to_owned())),
        }
    }

    /// See [`crate::storage::Register::told`].
    pub fn told(&self, subject: &Subject) -> Result<Option<u64>, StoreError> {
        let known = self.look(|index| index.chunks.named(TOLD, &subject.key()))?;
        Ok(known.map(|known| both(&known).0))
    }
}
