//! Every certificate that a CA has had, and every key. AD CS counts the certificates from 0 and
//! calls a key by the index of the certificate with which it was new ([MS-CSRA], szOID_CERTSRV_
//! CA_VERSION); both are found by looking at the certificates in their order.
//!
//! Numbers here count from the first certificate on record. A CA that was adopted may have come
//! with a CA version of its own: what is written into certificates goes on from there.

use super::{EstablishError, chain_of};
use crate::pki::authority_certificate::Generation;
use crate::pki::certificate::Certificate;
use crate::pki::issuer::{Issuer, IssuerError};
use crate::pki::revocation_list::CrlScope;
use crate::pki::time::Timestamp;
use crate::storage::act::{AuthorityEstablished, CrossCertificate, Der};

/// The certificates of a CA by certificate index.
#[derive(Clone, Debug)]
pub struct Generations {
    certificates: Vec<Own>,
    present: usize,
    above: Vec<Certificate>,
    cross: Vec<CrossCertificate>,
}

#[derive(Clone, Debug)]
struct Own {
    der: Vec<u8>,
    /// None where it is no certificate: it keeps its number all the same, so that the others
    /// keep their names.
    parsed: Option<Certificate>,
    key_index: usize,
}

impl Generations {
    /// Of a CA on record; none where a subordinate waits for its first certificate.
    pub fn of(established: &AuthorityEstablished) -> Self {
        let earlier = established.earlier.iter().map(|own| own.0.clone());
        let mut ders: Vec<Vec<u8>> = earlier.collect();
        let index = established.certificate_index.and_then(|index| usize::try_from(index).ok());
        let present = index.unwrap_or(ders.len()).min(ders.len());
        if !established.certificate.is_empty() {
            ders.insert(present, established.certificate.clone());
        }
        let above = established.parents.iter().chain(&established.earlier_parents);
        let above = above.map(|own| own.0.as_slice());
        let mut all = Self::listed(ders, present, above);
        all.cross.clone_from(&established.cross);
        all
    }

    /// Of certificates by their index, the present one among them, and those above them.
    pub fn listed<'a>(
        ders: Vec<Vec<u8>>,
        present: usize,
        above: impl Iterator<Item = &'a [u8]>,
    ) -> Self {
        let mut certificates: Vec<Own> = Vec::new();
        for der in ders {
            let parsed = Certificate::from_der(&der).ok();
            let spki = parsed.as_ref().map(Certificate::spki_der);
            let known = certificates.iter().find(|own| spki.is_some() && own.spki() == spki);
            let key_index = known.map_or(certificates.len(), |own| own.key_index);
            certificates.push(Own { der, parsed, key_index });
        }
        let above = above.filter_map(|der| Certificate::from_der(der).ok()).collect();
        Self { certificates, present, above, cross: Vec::new() }
    }

    /// How many there are: the certificate index of the next one.
    pub fn count(&self) -> usize {
        self.certificates.len()
    }

    /// The DER of each, by certificate index.
    pub fn certificates(&self) -> impl Iterator<Item = &[u8]> {
        self.certificates.iter().map(|own| own.der.as_slice())
    }

    /// The certificate index of the present one.
    pub fn present(&self) -> usize {
        self.present
    }

    /// The key index of the present one.
    pub fn present_key(&self) -> usize {
        self.key_of(self.present)
    }

    /// The key index of the certificate of this index.
    pub fn key_of(&self, certificate_index: usize) -> usize {
        self.certificates.get(certificate_index).map_or(0, |own| own.key_index)
    }

    /// The key indexes of all keys, rising.
    pub fn key_indexes(&self) -> Vec<usize> {
        let mut all: Vec<usize> = self.certificates.iter().map(|own| own.key_index).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The key index of this key (SubjectPublicKeyInfo), if the CA has or had it.
    pub fn index_of_key(&self, spki_der: &[u8]) -> Option<usize> {
        let own = self.certificates.iter().find(|own| own.spki() == Some(spki_der));
        own.map(|own| own.key_index)
    }

    /// The certificate index of the certificate that stands for a key: the present one, else the
    /// one that lasts longest, which nothing issued under the key outlasts.
    pub fn certificate_of_key(&self, key_index: usize) -> Option<usize> {
        if self.certificates.get(self.present).is_some_and(|own| own.key_index == key_index) {
            return Some(self.present);
        }
        let of_key = self
            .certificates
            .iter()
            .enumerate()
            .filter(|(_, own)| own.key_index == key_index && own.parsed.is_some());
        let end = |own: &Own| own.parsed.as_ref().map(Certificate::not_after);
        of_key.max_by_key(|(_, own)| end(own)).map(|(index, _)| index)
    }

    /// The CA as what it signs under this certificate sees it. What it signs says where certificate
    /// and CRL are: below each of `base_urls`.
    pub fn issuer(
        &self,
        certificate_index: usize,
        slug: &str,
        base_urls: &[String],
    ) -> Result<Issuer, EstablishError> {
        let own = self.certificates.get(certificate_index);
        let parsed = own.and_then(|own| own.parsed.clone());
        let certificate = parsed.ok_or(IssuerError::from(crate::pki::encoding::NotDer))?;
        let chain = chain_of(certificate.clone(), &self.above)?;
        let key_index = u16::try_from(self.key_of(certificate_index));
        let key_index = key_index.map_err(|_| EstablishError::GenerationsExhausted)?;
        let urls = |file: String| base_urls.iter().map(|base| format!("{base}/{file}")).collect();
        let crl = urls(format!("crl/{}.crl", CrlScope::of_key(key_index).file_name(slug)));
        let own = urls(format!("aia/{}.crt", certificate_name(slug, certificate_index)));
        let issuer = Issuer::new(certificate.der(), &chain, crl, own)?.with_key_index(key_index);
        let (certificate_index, key_index) = self.version(certificate_index)?;
        Ok(issuer.numbered(certificate_index, key_index))
    }

    /// The cross-certificates, in the order of their making.
    pub fn cross(&self) -> &[CrossCertificate] {
        &self.cross
    }

    /// The cross-certificates that hold at `now` and lead from what was issued under a key to the
    /// roots of the others, nearest first.
    pub fn cross_of(&self, key_index: usize, now: Timestamp) -> impl Iterator<Item = &[u8]> {
        let key_of = |certificate_index: u32| {
            usize::try_from(certificate_index).map_or(0, |index| self.key_of(index))
        };
        let holds = |own: &&CrossCertificate| {
            Certificate::from_der(&own.certificate).is_ok_and(|own| now <= own.not_after())
        };
        let holding: Vec<&CrossCertificate> = self.cross.iter().filter(holds).collect();
        let mut reached = vec![key_index];
        let mut found = Vec::new();
        let mut next = 0;
        while let Some(key) = reached.get(next).copied() {
            for cross in holding.iter().filter(|own| key_of(own.subject) == key) {
                if !reached.contains(&key_of(cross.issuer)) {
                    reached.push(key_of(cross.issuer));
                    found.push(cross.certificate.as_slice());
                }
            }
            next += 1;
        }
        found.into_iter()
    }

    /// What the next certificate says of its place, if it is for this key.
    pub fn next(&self, spki_der: &[u8]) -> Result<Generation, EstablishError> {
        let index = self.certificates.len();
        let key = self.index_of_key(spki_der).unwrap_or(index);
        let present = self.certificates.get(self.present).and_then(|own| own.parsed.as_ref());
        Ok(Generation {
            certificate_index: self.written(index)?,
            key_index: self.written_key(key)?,
            previous_sha1: present.map(Certificate::sha1_thumbprint),
        })
    }

    /// Certificate index and key index as the CA version has them.
    fn version(&self, certificate_index: usize) -> Result<(u16, u16), EstablishError> {
        Ok((self.written(certificate_index)?, self.written_key(self.key_of(certificate_index))?))
    }

    fn written(&self, index: usize) -> Result<u16, EstablishError> {
        let index = u16::try_from(index).ok();
        let written = index.and_then(|index| index.checked_add(self.first_version().0));
        written.ok_or(EstablishError::GenerationsExhausted)
    }

    fn written_key(&self, key_index: usize) -> Result<u16, EstablishError> {
        if key_index == 0 { Ok(self.first_version().1) } else { self.written(key_index) }
    }

    /// What the first certificate says of its place: an adopted one need not be the first.
    fn first_version(&self) -> (u16, u16) {
        let first = self.certificates.first().and_then(|own| own.parsed.as_ref());
        first.and_then(Certificate::ca_version).unwrap_or_default()
    }
}

impl Own {
    fn spki(&self) -> Option<&[u8]> {
        self.parsed.as_ref().map(Certificate::spki_der)
    }
}

/// The CA on record with another certificate in the place of its present one, which stays among
/// the earlier ones. One that it had before keeps its certificate index, and so do all others:
/// what was issued under them names their files.
pub fn installed(
    present: AuthorityEstablished,
    certificate: Vec<u8>,
    parents: Vec<Vec<u8>>,
) -> AuthorityEstablished {
    let mut all: Vec<Der> =
        Generations::of(&present).certificates().map(|der| Der(der.to_vec())).collect();
    let index = match all.iter().position(|own| own.0 == certificate) {
        Some(index) => {
            all.remove(index);
            index
        }
        None => all.len(),
    };
    let certificate_index = if index == all.len() { None } else { u32::try_from(index).ok() };
    let parents: Vec<Der> = parents.into_iter().map(Der).collect();
    let mut earlier_parents = present.earlier_parents;
    for own in present.parents {
        if !earlier_parents.contains(&own) {
            earlier_parents.push(own);
        }
    }
    earlier_parents.retain(|own| !parents.contains(own));
    let earlier = all;
    AuthorityEstablished {
        certificate,
        certificate_index,
        parents,
        earlier,
        earlier_parents,
        ..present
    }
}

/// The name, without its ending, of the file in which a CA's certificate of this index is found:
/// AD CS's `%3%4`, with a dash where it has brackets. (Those of CRLs: `CrlScope::file_name`.)
pub fn certificate_name(slug: &str, certificate_index: usize) -> String {
    match certificate_index {
        0 => slug.to_owned(),
        index => format!("{slug}-{index}"),
    }
}

/// The same of a cross-certificate: AD CS's `(0-1)` would not say which of the two signed.
pub fn cross_name(slug: &str, subject: u32, issuer: u32) -> String {
    format!("{slug}-{subject}-with-{issuer}")
}

#[cfg(test)]
mod tests;
