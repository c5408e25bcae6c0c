//! Every certificate with nothing but how it stands, in the order of the requests: what OCSP
//! answers are made of.

use super::query::Search;
use super::rows::{BLOCK, Facts, Places};
use crate::pki::disposition::Disposition;
use crate::pki::serial::SerialNumber;
use crate::pki::time::Timestamp;
use crate::storage::act::{Act, Scope};
use crate::storage::{Listing, StandingRow, StoreError};

/// A request that has a certificate.
type Found = (u32, Facts, Places);

impl Search<'_> {
    /// Those of the requests after number `after`, at most so many.
    pub fn certificate_standings(
        &self,
        after: u64,
        limit: usize,
    ) -> Result<Listing<StandingRow>, StoreError> {
        let mut rows = Vec::new();
        let Ok(mut from) = u32::try_from(after.saturating_add(1)) else {
            return Ok(Listing { rows, next: None });
        };
        while rows.len() < limit {
            let wanted = limit - rows.len();
            let Some(requests) = self.issued_from(from, wanted)? else {
                return Ok(Listing { rows, next: None });
            };
            from = match requests.last() {
                Some((last, ..)) if requests.len() == wanted => last + 1,
                _ => (from / BLOCK + 1) * BLOCK,
            };
            for (request, facts, places) in requests {
                rows.extend(self.standing_of(request, &facts, &places)?);
            }
        }
        Ok(Listing { rows, next: Some(u64::from(from) - 1) })
    }

    /// The requests from number `first` to the end of its block, at most so many, that have a
    /// certificate; nothing after the last block.
    fn issued_from(&self, first: u32, limit: usize) -> Result<Option<Vec<Found>>, StoreError> {
        let block = first / BLOCK;
        self.look(|index| {
            let Some(summary) = index.rows.summaries().get(block as usize) else { return Ok(None) };
            let issued = [Disposition::Issued, Disposition::Revoked];
            if !issued.iter().any(|disposition| summary.may_have(*disposition)) {
                return Ok(Some(Vec::new()));
            }
            let requests = index.rows.block(&index.chunks, block)?;
            let issued = requests.into_iter().filter(|(request, facts)| {
                *request >= first && issued.contains(&facts.disposition)
            });
            let places = issued.take(limit).map(|(request, facts)| {
                Ok((request, facts, index.rows.places(&index.chunks, request)?))
            });
            places.collect::<Result<_, _>>().map(Some)
        })
    }

    /// That of one serial number.
    pub fn certificate_standing(
        &self,
        serial: &SerialNumber,
    ) -> Result<Option<StandingRow>, StoreError> {
        let Some(request) = self.look(|index| index.request_of(self.reader, serial))? else {
            return Ok(None);
        };
        let Some((facts, places)) = self.facts(request)? else { return Ok(None) };
        match facts.disposition {
            Disposition::Issued | Disposition::Revoked => {
                self.standing_of(request, &facts, &places)
            }
            _ => Ok(None),
        }
    }

    fn standing_of(
        &self,
        request: u32,
        facts: &Facts,
        at: &Places,
    ) -> Result<Option<StandingRow>, StoreError> {
        let Act::SerialReserved(reserved) = self.reader.entry(at.reserved)?.entry.act else {
            return Ok(None);
        };
        let Ok(serial) = SerialNumber::from_der_content(&reserved.serial) else { return Ok(None) };
        let revocation = match facts.disposition {
            Disposition::Revoked => self.look(|index| index.revocation(self.reader, &serial))?,
            _ => None,
        };
        Ok(Some(StandingRow {
            request_id: u64::from(request),
            serial,
            scope: Scope::read(reserved.scope),
            not_after: Timestamp::from_seconds(facts.not_after),
            revocation,
        }))
    }
}
