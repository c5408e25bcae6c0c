//! An act on record as an event: what does not change any more, so that every attempt says the
//! same.

use super::Announcements;
use crate::notification::Event;
use crate::notification::event::{
    Distance, EndingAnswers, EndingAuthority, EndingCertificate, EndingCertificates, EndingCrl,
    EndingParentCrl, News, PendingRequest, PublishedCrl, SelfCheck,
};
use crate::pki::certificate::Certificate;
use crate::pki::revocation_list::{CrlKind, CrlScope};
use crate::pki::serial::SerialNumber;
use crate::pki::time::Timestamp;
use crate::storage::act::{self, Act, CrlPublished, Ending, ExpiryNoticed};
use crate::storage::{AuditRow, CrlRow, Page, StoreError};

impl Announcements {
    pub(super) fn event(&self, row: AuditRow) -> Result<Event, StoreError> {
        let AuditRow { sequence, hash, entry } = row;
        let news = match entry.act {
            Act::RequestPended(mark) => self.pending_request(mark.request_id)?,
            Act::CrlPublished(published) => self.published_crl(&published)?,
            Act::ExpiryNoticed(noticed) => self.expiry(noticed)?,
            Act::SelfCheckChanged(found) => {
                let (faults, warnings) = (found.faults, found.warnings);
                News::SelfCheckChanged(SelfCheck { faults, warnings })
            }
            _ => return Err(StoreError::Damaged(format!("entry {sequence} tells of nothing"))),
        };
        Ok(Event { sequence, hash, at: Timestamp::from_millis(entry.at), news })
    }

    fn pending_request(&self, request_id: u64) -> Result<News, StoreError> {
        let row = self.authority.register.request(request_id)?;
        let row = row.ok_or_else(|| StoreError::Damaged(format!("request {request_id}")))?;
        Ok(News::RequestPending(PendingRequest {
            request_id,
            template: row.template,
            account: row.account,
            requester: row.requester,
            url: format!("{}/v1/requests/{request_id}", self.api_url),
        }))
    }

    fn published_crl(&self, published: &CrlPublished) -> Result<News, StoreError> {
        let number = published.number;
        let intended = self.crl(number)?;
        let base = intended.as_ref().and_then(base_of);
        let urls = self.crl_urls(intended.as_ref());
        Ok(News::CrlPublished(PublishedCrl {
            number,
            base,
            validity: intended.as_ref().map(|row| (row.this_update, row.next_update)),
            entries: intended.map(|row| row.entries),
            size: published.size,
            sha256: published.sha256,
            urls,
        }))
    }

    /// Where a CRL is found that is on record.
    fn crl_urls(&self, row: Option<&CrlRow>) -> Vec<String> {
        let present = CrlScope::of_key(self.authority.issuer.key_index());
        let told = row.map_or((present, CrlKind::Complete), |row| (row.scope, row.kind));
        self.authority.crl_urls_of(told.0, told.1)
    }

    fn crl(&self, number: u64) -> Result<Option<CrlRow>, StoreError> {
        let page = Page { after: Some(number.saturating_add(1)), limit: 1 };
        let row = self.authority.register.crls(None, page)?.rows.into_iter().next();
        Ok(row.filter(|row| row.number == number))
    }

    fn expiry(&self, noticed: ExpiryNoticed) -> Result<News, StoreError> {
        let ExpiryNoticed { before_seconds, told_before_seconds, ending } = noticed;
        let distance = Distance { before_seconds, told_before_seconds };
        Ok(match ending {
            Ending::Crl(own) => {
                let row = self.crl(own.number)?;
                let base = row.as_ref().and_then(base_of);
                let (number, urls) = (own.number, self.crl_urls(row.as_ref()));
                let next_update = Timestamp::from_seconds(own.next_update);
                News::CrlExpiring(distance, EndingCrl { number, base, next_update, urls })
            }
            Ending::ParentCrl(own) => {
                let (issuer, number, urls) = (own.issuer_name, own.number, own.urls);
                let next_update = Timestamp::from_seconds(own.next_update);
                let ending = EndingParentCrl { issuer, number, next_update, urls };
                News::ParentCrlExpiring(distance, ending)
            }
            Ending::Answers(own) => {
                let urls = self.authority.issuer.ocsp_urls().to_vec();
                let next_update = Timestamp::from_seconds(own.next_update);
                let (key_index, why) = (own.key, own.why);
                let ending = EndingAnswers { key_index, next_update, urls, why };
                News::AnswersExpiring(distance, ending)
            }
            Ending::Authority(own) => {
                let (subject, sha256) = (own.subject, own.sha256);
                let not_after = Timestamp::from_seconds(own.not_after);
                News::AuthorityExpiring(distance, EndingAuthority { subject, sha256, not_after })
            }
            Ending::Certificates(own) => {
                let mut certificates = Vec::with_capacity(own.certificates.len());
                for ending in &own.certificates {
                    certificates.extend(self.ending_certificate(ending)?);
                }
                let template = own.template;
                News::CertificatesExpiring(distance, EndingCertificates { template, certificates })
            }
        })
    }

    fn ending_certificate(
        &self,
        ending: &act::EndingCertificate,
    ) -> Result<Option<EndingCertificate>, StoreError> {
        let Ok(serial) = SerialNumber::from_der_content(&ending.serial) else { return Ok(None) };
        let Some(row) = self.authority.register.certificate(&serial)? else { return Ok(None) };
        let names = Certificate::from_der(&row.certificate).map(|own| own.names());
        Ok(Some(EndingCertificate {
            serial_number: serial.to_string(),
            account: row.account,
            names: names.unwrap_or_default(),
            not_after: row.not_after,
            url: format!("{}/v1/certificates/{serial}", self.api_url),
        }))
    }
}

/// The number of the base, if it is a delta CRL.
fn base_of(row: &CrlRow) -> Option<u64> {
    match row.kind {
        CrlKind::Delta { base } => Some(base),
        CrlKind::Complete => None,
    }
}
