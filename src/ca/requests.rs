//! Looking up requests and certificates: everybody their own, the roles everybody's.

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
        let row = self.register.request(id)?;
        row.filter(|row| match requester.possession_alone() {
            Some(held) => renews(row, held),
            None => self.sees(requester, &row.requester, &row.account),
        })
        .ok_or_else(|| Refusal::NotFound(format!("request {id}")))
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
        Ok(self.register.requests(&filter, page)?)
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
        row.filter(|row| self.sees(requester, &row.requester, &row.account))
            .ok_or_else(|| Refusal::NotFound(format!("certificate {serial}")))
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
        Ok(self.register.certificates(&filter, page)?)
    }

    fn sees(&self, requester: &Requester, submitter: &str, account: &str) -> bool {
        let own = &requester.account.name;
        requester.may(Operation::ReadAll)
            || own.eq_ignore_ascii_case(submitter)
            || own.eq_ignore_ascii_case(account)
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

impl Requester {
    /// The certificate for which alone it speaks.
    fn possession_alone(&self) -> Option<&Possession> {
        self.possession().filter(|_| self.reach == Reach::Certificate)
    }
}
