//! Looking up requests and certificates: everybody their own, the roles everybody's.

use super::offices::Sight;
use super::permissions::Operation;
use super::possession::{Possession, Reach};
use super::{
    Authority, CertificateFilter, CertificateRow, Listing, Page, Refusal, RequestFilter,
    RequestRow, Requester,
};
use crate::pki::serial::SerialNumber;

impl Authority {
    /// One request: one's own, or anybody's with the role. What one may not see is not there.
    pub fn request(&self, requester: &Requester, id: u64) -> Result<RequestRow, Refusal> {
        let not_found = || Refusal::NotFound(format!("request {id}"));
        let row = self.register.request(id)?.ok_or_else(not_found)?;
        let seen = match requester.possession_alone() {
            Some(held) => renews(&row, held),
            None => {
                let mut sight = Sight::of(self, requester);
                sight.takes_in(&row.requester, &row.account, &row.template)?
            }
        };
        if seen { Ok(row) } else { Err(not_found()) }
    }

    /// Requests, newest first; without the role only one's own.
    pub fn requests(
        &self,
        requester: &Requester,
        mut filter: RequestFilter,
        page: Page,
    ) -> Result<Listing<RequestRow>, Refusal> {
        let own = self.own_only(requester, filter.account.take())?;
        filter.account = own;
        if !requester.looks_closer() {
            return Ok(self.register.requests(&filter, page)?);
        }
        let mut sight = Sight::of(self, requester);
        seen(
            page,
            |page| Ok(self.register.requests(&filter, page)?),
            |row| sight.takes_in(&row.requester, &row.account, &row.template),
            |row| row.request_id,
        )
    }

    /// One certificate: one's own, or anybody's with the role.
    pub fn certificate(
        &self,
        requester: &Requester,
        serial: &SerialNumber,
    ) -> Result<CertificateRow, Refusal> {
        let row = self.register.certificate(serial)?;
        if let (Some(row), Some(held)) = (&row, requester.possession_alone())
            && row.serial != held.serial()
        {
            // What became of its renewal it may see as well.
            let answered = self.register.request(row.request_id)?;
            if !answered.is_some_and(|request| renews(&request, held)) {
                return Err(Refusal::NotFound(format!("certificate {serial}")));
            }
        }
        let not_found = || Refusal::NotFound(format!("certificate {serial}"));
        let row = row.ok_or_else(not_found)?;
        let mut sight = Sight::of(self, requester);
        let seen = sight.takes_in(&row.requester, &row.account, &row.template)?;
        if seen { Ok(row) } else { Err(not_found()) }
    }

    /// Certificates, newest first; without the role only one's own.
    pub fn certificates(
        &self,
        requester: &Requester,
        mut filter: CertificateFilter,
        page: Page,
    ) -> Result<Listing<CertificateRow>, Refusal> {
        let own = self.own_only(requester, filter.account.take())?;
        filter.account = own;
        if !requester.looks_closer() {
            return Ok(self.register.certificates(&filter, page)?);
        }
        let mut sight = Sight::of(self, requester);
        seen(
            page,
            |page| Ok(self.register.certificates(&filter, page)?),
            |row| sight.takes_in(&row.requester, &row.account, &row.template),
            |row| row.request_id,
        )
    }

    /// Without the role, another's account may not be asked for and none means one's own.
    fn own_only(
        &self,
        requester: &Requester,
        asked: Option<String>,
    ) -> Result<Option<String>, Refusal> {
        requester.must_speak_for_its_account()?;
        if requester.may(Operation::ReadAll) {
            return Ok(asked);
        }
        let own = &requester.account.name;
        match asked {
            Some(other) if !other.eq_ignore_ascii_case(own) => {
                requester.must(Operation::ReadAll)?;
                Ok(Some(other))
            }
            _ => Ok(Some(own.clone())),
        }
    }
}

/// Whether a request is for the renewal of this certificate.
fn renews(row: &RequestRow, held: &Possession) -> bool {
    let own = held.serial();
    row.renewal.as_ref().is_some_and(|renewal| renewal.serial == own.as_der_content())
}

/// How many rows are looked at for one page of what a certificate manager with limits may see.
const LOOKED_AT: usize = 4096;

/// A page of what may be seen. Where that is seldom a page is short, or empty, and there is a
/// next one all the same.
fn seen<Row>(
    page: Page,
    look: impl Fn(Page) -> Result<Listing<Row>, Refusal>,
    mut may_see: impl FnMut(&Row) -> Result<bool, Refusal>,
    number: impl Fn(&Row) -> u64,
) -> Result<Listing<Row>, Refusal> {
    let mut found = Listing { rows: Vec::new(), next: None };
    let (mut after, mut looked_at) = (page.after, 0);
    loop {
        let listing = look(Page { after, limit: page.limit.max(1) })?;
        for row in listing.rows {
            if found.rows.len() >= page.limit {
                found.next = after;
                return Ok(found);
            }
            after = Some(number(&row));
            looked_at += 1;
            if may_see(&row)? {
                found.rows.push(row);
            }
        }
        let Some(next) = listing.next else { return Ok(found) };
        after = Some(next);
        if found.rows.len() >= page.limit || looked_at >= LOOKED_AT {
            found.next = after;
            return Ok(found);
        }
    }
}

impl Requester {
    /// Whether it sees others' things, but not everybody's.
    fn looks_closer(&self) -> bool {
        self.may(Operation::ReadAll) && !self.sees_all()
    }

    /// The certificate for which alone it speaks.
    fn possession_alone(&self) -> Option<&Possession> {
        self.possession().filter(|_| self.reach == Reach::Certificate)
    }
}
