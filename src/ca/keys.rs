//! The keys that a CA had before its present one. They issue nothing new: each signs the CRL of
//! what was issued under it until all of that has ended, and finishes what was begun with it.

use std::sync::Arc;

use super::Authority;
use super::establish::generations::Generations;
use crate::pki::certificate::Certificate;
use crate::pki::issuer::Issuer;
use crate::pki::revocation_list::{CrlKind, CrlScope};
use crate::pki::serial::SerialNumber;
use crate::pki::time::Timestamp;
use crate::signing::CaKey;
use crate::storage::Register;

/// A key of before, with the certificate that stands for it.
#[derive(Clone)]
pub struct EarlierKey {
    /// The CA as what was issued under the key sees it.
    pub issuer: Arc<Issuer>,
    /// The key.
    pub key: Arc<dyn CaKey>,
}

impl Authority {
    /// The same with keys of before, and every certificate that the CA has had.
    #[must_use]
    pub fn with_earlier_keys(self, earlier: Vec<EarlierKey>, generations: Generations) -> Self {
        Self { earlier, generations, ..self }
    }

    /// The keys of before, by key index.
    pub fn earlier_keys(&self) -> &[EarlierKey] {
        &self.earlier
    }

    /// The CA under each of its keys, the present one first.
    pub fn issuers(&self) -> impl Iterator<Item = &Arc<Issuer>> {
        std::iter::once(&self.issuer).chain(self.earlier.iter().map(|own| &own.issuer))
    }

    /// The CA as it issued this certificate; none if it did not.
    pub fn issuer_of(&self, certificate: &Certificate) -> Option<&Arc<Issuer>> {
        self.issuers().find(|issuer| {
            certificate.issuer() == issuer.name() && certificate.verify(issuer.public_key()).is_ok()
        })
    }

    /// Where the CRLs of a scope and a kind are found, by the addresses that certificates have for
    /// them now: a delta stands beside its complete CRL.
    pub fn crl_urls_of(&self, scope: CrlScope, kind: CrlKind) -> Vec<String> {
        let issuer = self.issuers().find(|issuer| issuer.key_index() == scope.key);
        let complete = issuer.map_or(&[][..], |issuer| issuer.crl_urls_of(scope));
        match kind {
            CrlKind::Complete => complete.to_vec(),
            CrlKind::Delta { .. } => complete.iter().map(|url| beside(url)).collect(),
        }
    }

    /// The CA under the key of this index, and the key.
    pub(super) fn under_key(&self, key_index: u16) -> Option<(&Arc<Issuer>, &Arc<dyn CaKey>)> {
        if key_index == self.issuer.key_index() {
            return Some((&self.issuer, &self.key));
        }
        let own = self.earlier.iter().find(|own| own.issuer.key_index() == key_index);
        own.map(|own| (&own.issuer, &own.key))
    }

    /// The same; the present key where there is none of this index.
    pub(super) fn under_key_or_present(&self, key_index: u16) -> (&Arc<Issuer>, &Arc<dyn CaKey>) {
        self.under_key(key_index).unwrap_or((&self.issuer, &self.key))
    }

    /// What stands above a certificate that was issued under the key of this index: the CA's
    /// certificate and its chain, nearest first, and before them [`Authority::cross_of`]. OpenSSL
    /// goes on from the first that fits, and from a root to nowhere. Nothing where there is no such
    /// key.
    pub fn above(&self, key_index: u16, now: Timestamp) -> Vec<&[u8]> {
        let issuer = self.issuers().find(|issuer| issuer.key_index() == key_index);
        let Some(issuer) = issuer else { return Vec::new() };
        let own = std::iter::once(issuer.certificate_der());
        let chain = own.chain(issuer.chain().iter().map(Certificate::der));
        self.cross_of(key_index, now).chain(chain).collect()
    }

    /// The cross-certificates by which whoever trusts the root of another key believes what was
    /// issued under this one, as far as they hold and are not revoked.
    pub fn cross_of(&self, key_index: u16, now: Timestamp) -> impl Iterator<Item = &[u8]> {
        let holding = self.generations.cross_of(usize::from(key_index), now);
        holding.filter(|der| !is_revoked(&*self.register, der))
    }

    /// The cross-certificate of this serial number, and the index of the key that signed it.
    pub(super) fn cross_certificate(&self, serial: &SerialNumber) -> Option<(Certificate, u16)> {
        let all = self.generations.cross().iter();
        let read = all.filter_map(|own| {
            let certificate = Certificate::from_der(&own.certificate).ok()?;
            Some((certificate, usize::try_from(own.issuer).ok()?))
        });
        let (certificate, issuer) = read.into_iter().find(|(own, _)| own.serial() == *serial)?;
        Some((certificate, u16::try_from(self.generations.key_of(issuer)).ok()?))
    }

    /// When one of those ends next.
    pub fn cross_holds_until(&self, key_index: u16, now: Timestamp) -> Option<Timestamp> {
        let cross = self.cross_of(key_index, now);
        cross.filter_map(|der| Some(Certificate::from_der(der).ok()?.not_after())).min()
    }
}

/// Whether this certificate of the CA's own (DER) is revoked. Where the register cannot say, whoever
/// is sent it looks for himself.
pub fn is_revoked(register: &dyn Register, der: &[u8]) -> bool {
    let serial = Certificate::from_der(der).map(|own| own.serial());
    serial.is_ok_and(|serial| matches!(register.revocation(&serial), Ok(Some(_))))
}

/// `http://…/ca-delta.crl`, where the complete one is `http://…/ca.crl`.
fn beside(url: &str) -> String {
    url.strip_suffix(".crl").map_or_else(|| url.to_owned(), |start| format!("{start}-delta.crl"))
}
