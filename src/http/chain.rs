//! What stands above certificates of ours, as PEM: made once for each of the CA's keys, since every
//! enrolment answers it.

use crate::ca::Authority;
use crate::pki::bundle::certificates_to_pem;
use crate::pki::time::Timestamp;

/// The chains of all keys.
pub(super) struct Chains(Vec<Chain>);

/// What stands above a certificate until some cross-certificate in it ends. A client that is sent
/// one that has ended may look no further.
struct Chain {
    key_index: u16,
    until: Option<Timestamp>,
    pem: String,
}

impl Chains {
    /// As they will be from `now` on.
    pub fn of(authority: &Authority, now: Timestamp) -> Self {
        let mut all = Vec::new();
        for issuer in authority.issuers() {
            let key_index = issuer.key_index();
            let mut from = now;
            loop {
                let until = authority.cross_holds_until(key_index, from);
                let pem = certificates_to_pem(&authority.above(key_index, from));
                all.push(Chain { key_index, until, pem });
                match until {
                    Some(until) => from = until.plus_seconds(1),
                    None => break,
                }
            }
        }
        Self(all)
    }

    /// The chain above a certificate that was issued under the key of this index.
    pub fn pem(&self, key_index: u16, now: Timestamp) -> &str {
        let mut of_key = self.0.iter().filter(|own| own.key_index == key_index);
        let holds = |own: &&Chain| own.until.is_none_or(|until| now <= until);
        of_key.find(holds).map_or("", |own| &own.pem)
    }
}
