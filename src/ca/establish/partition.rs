//! What a partition's CRL tells of what was revoked: a restored copy of the ledger may not know it,
//! and the complete CRL may not have it yet.

use std::io::Read;
use std::num::NonZeroU16;

use super::{EstablishError, ListedRevocations, read_list};
use crate::pki::issuer::Issuer;
use crate::pki::revocation_list::{CrlKind, CrlScope, DeltaEntry};

/// The CRL of a partition, read whole and believed.
pub struct ListedPartition {
    /// Which partition it is of.
    pub scope: CrlScope,
    /// Where certificates say that CRLs are, without a trailing slash.
    pub base_urls: Vec<String>,
    /// What it lists.
    pub listed: ListedRevocations,
}

/// Reads the CRL (DER) of a partition of the CA `slug`, verifies our signature on it, and says
/// which partition it is of.
pub fn listed_in_partition(
    crl: impl Read,
    issuer: &Issuer,
    slug: &str,
) -> Result<ListedPartition, EstablishError> {
    let (summary, changes) = read_list(crl, issuer)?;
    let urls = &summary.distribution_point_urls;
    let scope = urls.iter().find_map(|url| scope_of(url, issuer.key_index(), slug));
    let (CrlKind::Complete, Some(scope)) = (summary.kind, scope) else {
        return Err(EstablishError::NotAPartition);
    };
    let place = format!("/crl/{}.crl", scope.file_name(slug));
    let base_urls = urls.iter().filter_map(|url| Some(url.strip_suffix(&place)?.to_owned()));
    let base_urls = base_urls.collect();
    let listed = changes.into_iter().filter_map(|change| match change {
        DeltaEntry::Listed(entry) => Some(entry),
        DeltaEntry::Removed { .. } => None,
    });
    let listed = ListedRevocations {
        number: summary.number,
        this_update: summary.this_update,
        names_deltas: false,
        entries: listed.collect(),
    };
    Ok(ListedPartition { scope, base_urls, listed })
}

/// The partition whose CRL is found at `url`.
fn scope_of(url: &str, key: u16, slug: &str) -> Option<CrlScope> {
    let (_, name) = url.strip_suffix(".crl")?.rsplit_once('/')?;
    let whole = CrlScope::of_key(key).file_name(slug);
    let number: NonZeroU16 = name.strip_prefix(&whole)?.strip_prefix("-p")?.parse().ok()?;
    Some(CrlScope { key, partition: Some(number) })
}
