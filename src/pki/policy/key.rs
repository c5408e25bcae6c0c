//! Which key is certified, and what for.

use crate::pki::denial::{Denial, Rule};
use crate::pki::extension::KeyUsage;
use crate::pki::public_key::{KeyAlgorithm, PublicKey};
use crate::pki::template::{KeyRule, Template};

/// The key usage of a certificate for `key`, if the template takes that key.
pub(super) fn check(template: &Template, key: &PublicKey) -> Result<KeyUsage, Denial> {
    let algorithm = key.algorithm();
    let rules = template.key_rules();
    let Some(rule) = rules.iter().find(|rule| rule.key_algorithm() == algorithm) else {
        let allowed: Vec<_> = rules.iter().map(|rule| rule.algorithm()).collect();
        return Err(not_allowed(format!(
            "the template {} takes {} keys, not {}",
            template.cn(),
            allowed.join(", "),
            algorithm.as_str()
        )));
    };
    if let KeyRule::Rsa { minimum_bits } = *rule
        && key.bits() < minimum_bits
    {
        return Err(Denial::new(
            Rule::KeyTooSmall,
            format!(
                "the RSA key has {} bits, the template {} needs {minimum_bits}",
                key.bits(),
                template.cn()
            ),
        ));
    }
    match algorithm {
        KeyAlgorithm::Rsa => Ok(template.key_usage()),
        KeyAlgorithm::P256 | KeyAlgorithm::P384 => without_encipherment(template),
    }
}

/// Nothing is enciphered with an elliptic curve key (RFC 8813 §3), though AD CS writes it.
fn without_encipherment(template: &Template) -> Result<KeyUsage, Denial> {
    let encipherment = KeyUsage::KEY_ENCIPHERMENT.union(KeyUsage::DATA_ENCIPHERMENT);
    let usage = template.key_usage().without(encipherment);
    if usage.is_empty() {
        return Err(not_allowed(format!(
            "the key usage of {} is encipherment, which an elliptic curve key cannot do",
            template.cn()
        )));
    }
    Ok(usage)
}

fn not_allowed(detail: String) -> Denial {
    Denial::new(Rule::KeyAlgorithmNotAllowed, detail)
}
