//! Listings: requests and certificates by whatever stands in the filters, newest first, a page at a time.

use super::Search;
use crate::pki::disposition::Disposition;
use crate::pki::time::Timestamp;
use crate::storage::act::CertificateIssued;
use crate::storage::index::apply::row;
use crate::storage::index::postings::{self, Fingerprint};
use crate::storage::index::rows::{BLOCK, Facts, HELD, Places, Summary};
use crate::storage::{
    CertificateFilter, CertificateRow, CertificateStatus, Listing, Page, RequestFilter, RequestRow,
    StoreError,
};
/// What a listing looks for in the facts.
type Wanted<'a> = &'a dyn Fn(&Facts) -> bool;

/// Where candidates are posted.
struct Posted {
    kind: u8,
    fingerprint: Fingerprint,
    /// So many of the newest only.
    most: Option<usize>,
}

impl Posted {
    fn all(kind: u8, fingerprint: Fingerprint) -> Self {
        Self { kind, fingerprint, most: None }
    }
}

impl Search<'_> {
    /// Requests, newest first.
    pub fn requests(
        &self,
        filter: &RequestFilter,
        page: Page,
    ) -> Result<Listing<RequestRow>, StoreError> {
        let Some(template) = self.template(filter.template.as_deref()) else { return nothing() };
        let wanted = |facts: &Facts| {
            template.is_none_or(|template| facts.template == template)
                && filter.disposition.is_none_or(|disposition| facts.disposition == disposition)
        };
        let perhaps = |summary: &Summary| {
            template.is_none_or(|template| summary.may_have_template(template))
                && filter.disposition.is_none_or(|disposition| summary.may_have(disposition))
        };
        let answer = |facts: &Facts, places: &Places| {
            let row = self.request_row(facts, places)?;
            let named = |row: &RequestRow| {
                filter.template.as_ref().is_none_or(|template| *template == row.template)
            };
            Ok(row.filter(named).filter(|row| {
                filter.account.as_ref().is_none_or(|account| {
                    account.eq_ignore_ascii_case(&row.account)
                        || account.eq_ignore_ascii_case(&row.requester)
                })
            }))
        };
        let account = filter.account.as_deref();
        let posted = account.map(|name| Posted::all(postings::ACCOUNT, Fingerprint::of_name(name)));
        self.list(posted, page, &perhaps, &wanted, answer, |row| row.request_id)
    }

    /// Certificates, newest first.
    pub fn certificates(
        &self,
        filter: &CertificateFilter,
        page: Page,
    ) -> Result<Listing<CertificateRow>, StoreError> {
        let Some(template) = self.template(filter.template.as_deref()) else { return nothing() };
        let account = filter.account.as_deref().map(Fingerprint::of_name);
        let before = filter.expires_before.map(ends_before);
        let wanted = |facts: &Facts| {
            matches!(facts.disposition, Disposition::Issued | Disposition::Revoked)
                && template.is_none_or(|template| facts.template == template)
                && account.is_none_or(|account| facts.account == account.short())
                && before.is_none_or(|seconds| facts.not_after < seconds)
                && filter.status.is_none_or(|(status, now)| stands(facts, now) == status)
        };
        let perhaps = |summary: &Summary| {
            template.is_none_or(|template| summary.may_have_template(template))
                && before.is_none_or(|seconds| summary.may_end_before(seconds))
                && filter.status.is_none_or(|(status, now)| may_stand(summary, status, now))
        };
        let answer = |facts: &Facts, places: &Places| {
            let found = self.certificate_row(facts, places)?;
            Ok(found.filter(|(row, issued)| matches(filter, row, issued)).map(|(row, _)| row))
        };
        let posted = if let Some(hash) = &filter.sha256 {
            Some(Posted::all(postings::SHA256, Fingerprint::of_hash(hash)))
        } else if let Some(hash) = &filter.sha1 {
            Some(Posted::all(postings::SHA1, Fingerprint::of_hash(hash)))
        } else if let Some(name) = &filter.name {
            Some(Posted::all(postings::NAME, Fingerprint::of_name(name)))
        } else {
            let posted = account.map(|account| Posted::all(postings::ACCOUNT, account));
            posted.map(|own| Posted { most: filter.among_newest, ..own })
        };
        self.list(posted, page, &perhaps, &wanted, answer, |row| row.request_id)
    }

    /// `None` where the template asked for never occurred.
    fn template(&self, cn: Option<&str>) -> Option<Option<u16>> {
        match cn {
            None => Some(None),
            Some(cn) => self.look(|index| index.number_of(cn)).map(Some),
        }
    }

    /// Walks from the newest request down: through the postings where there are some, else
    /// through the chunks of facts whose summary says perhaps.
    fn list<Row>(
        &self,
        posted: Option<Posted>,
        page: Page,
        perhaps: &dyn Fn(&Summary) -> bool,
        wanted: Wanted<'_>,
        answer: impl Fn(&Facts, &Places) -> Result<Option<Row>, StoreError>,
        cursor: impl Fn(&Row) -> u64,
    ) -> Result<Listing<Row>, StoreError> {
        let below = page.after.map_or(u32::MAX, row);
        let mut listing = Listing { rows: Vec::new(), next: None };
        let mut take = |facts: &Facts, places: &Places| {
            if let Some(row) = answer(facts, places)? {
                if listing.rows.len() >= page.limit {
                    listing.next = listing.rows.last().map(&cursor);
                    return Ok(false);
                }
                listing.rows.push(row);
            }
            Ok::<bool, StoreError>(true)
        };
        if let Some(Posted { kind, fingerprint, most }) = posted {
            let found = self.look(|index| match most {
                None => postings::find(&index.chunks, kind, fingerprint),
                Some(most) => postings::newest(&index.chunks, kind, fingerprint, most),
            })?;
            let mut found: Vec<u32> = found.into_iter().map(row).filter(|at| *at < below).collect();
            found.sort_unstable_by(|one, other| other.cmp(one));
            found.dedup();
            for request in found {
                if let Some((facts, places)) = self.facts(request)?
                    && wanted(&facts)
                    && !take(&facts, &places)?
                {
                    break;
                }
            }
            return Ok(listing);
        }
        for block in self.blocks(below, perhaps).into_iter().rev() {
            let facts = self.look(|index| index.rows.block(&index.chunks, block))?;
            for (request, facts) in facts.into_iter().rev() {
                if request < below && wanted(&facts) {
                    let places = self.look(|index| index.rows.places(&index.chunks, request))?;
                    if !take(&facts, &places)? {
                        return Ok(listing);
                    }
                }
            }
        }
        Ok(listing)
    }

    pub(super) fn blocks(&self, below: u32, perhaps: &dyn Fn(&Summary) -> bool) -> Vec<u32> {
        self.look(|index| {
            let numbered = (0..=below / BLOCK).zip(index.rows.summaries());
            numbered.filter(|(_, summary)| perhaps(summary)).map(|(block, _)| block).collect()
        })
    }
}

fn nothing<Row>() -> Result<Listing<Row>, StoreError> {
    Ok(Listing { rows: Vec::new(), next: None })
}

/// The first second that does not end before the moment.
fn ends_before(moment: Timestamp) -> u64 {
    moment.millis().div_ceil(1000)
}

fn stands(facts: &Facts, now: Timestamp) -> CertificateStatus {
    if facts.disposition == Disposition::Revoked {
        if facts.flags & HELD != 0 { CertificateStatus::Held } else { CertificateStatus::Revoked }
    } else if facts.not_after < ends_before(now) {
        CertificateStatus::Expired
    } else {
        CertificateStatus::Good
    }
}

fn may_stand(summary: &Summary, status: CertificateStatus, now: Timestamp) -> bool {
    match status {
        CertificateStatus::Revoked => summary.may_have(Disposition::Revoked),
        CertificateStatus::Held => summary.may_have_flag(HELD),
        CertificateStatus::Expired => summary.may_end_before(ends_before(now)),
        CertificateStatus::Good => {
            summary.may_have(Disposition::Issued) && !summary.all_end_before(ends_before(now))
        }
    }
}

fn matches(filter: &CertificateFilter, row: &CertificateRow, issued: &CertificateIssued) -> bool {
    let CertificateFilter {
        template,
        account,
        status: _,
        name,
        sha1,
        sha256,
        expires_before: _,
        among_newest: _,
    } = filter;
    template.as_ref().is_none_or(|template| *template == row.template)
        && account.as_ref().is_none_or(|account| account.eq_ignore_ascii_case(&row.account))
        && sha1.is_none_or(|hash| hash == issued.sha1)
        && sha256.is_none_or(|hash| hash == issued.sha256)
        && name
            .as_ref()
            .is_none_or(|name| issued.names.iter().any(|known| known.eq_ignore_ascii_case(name)))
}
