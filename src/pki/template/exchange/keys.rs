//! Which keys an imported template certifies: `msPKI-Minimal-Key-Size`, and the algorithm that
//! version 3 and 4 templates name in `msPKI-RA-Application-Policies` ([MS-CRTD] §2.23.2).

use super::report::{Loss, Report};
use crate::pki::template::{GeneralFlags, KeyAlgorithmFile, NameFlags};

/// The parts of `msPKI-RA-Application-Policies` in its newer syntax, triplets of name, type and
/// value between grave accents. `None` if the value is a plain OID.
pub(super) fn triplets(value: &str) -> Option<Vec<(&str, &str)>> {
    if !value.contains('`') {
        return None;
    }
    let fields: Vec<&str> = value.trim_end_matches('`').split('`').collect();
    let (triplets, []) = fields.as_chunks::<3>() else { return None };
    Some(triplets.iter().map(|[name, _, value]| (*name, *value)).collect())
}

/// What the rules depend on.
pub(super) struct Wishes<'a> {
    /// `msPKI-Minimal-Key-Size`.
    pub(super) minimum_bits: u32,
    /// `msPKI-Asymmetric-Algorithm`.
    pub(super) algorithm: Option<&'a str>,
    /// `flags`.
    pub(super) general: GeneralFlags,
    /// `msPKI-Certificate-Name-Flag`.
    pub(super) names: NameFlags,
    /// Whether Server Authentication is among the purposes.
    pub(super) authenticates_servers: bool,
}

const SMALLEST_RSA: u32 = 2_048;

/// The rules, each difference from AD CS reported.
pub(super) fn rules(wishes: &Wishes<'_>, report: &mut Report) -> Vec<KeyAlgorithmFile> {
    let elliptic = |name: &str| KeyAlgorithmFile { algorithm: name.to_owned(), minimum_bits: None };
    let curves = || vec![elliptic("ECDSA_P256"), elliptic("ECDSA_P384")];
    match wishes.algorithm {
        None | Some("RSA") => {
            let mut rules = vec![rsa(wishes.minimum_bits, report)];
            if for_eap_servers(wishes) {
                report
                    .map("RSA", "RSA alone, which Microsoft asks of servers for PEAP and EAP-TLS");
            } else {
                report.differ(
                    "AD CS checks the size of a key, not its algorithm; P-256 and P-384 are taken \
                     beside RSA (narrow `key_algorithms` by an edit)",
                );
                rules.extend(curves());
            }
            rules
        }
        Some("ECDSA_P256" | "ECDH_P256") => {
            report.map("P-256", "P-256 and P-384");
            curves()
        }
        Some("ECDSA_P384" | "ECDH_P384") => {
            report.map("P-384", "P-384");
            vec![elliptic("ECDSA_P384")]
        }
        Some(other) => {
            report.lose(
                Loss::Weaker,
                format!("msPKI-Asymmetric-Algorithm {other}"),
                "keys of that kind are not certified here; P-384 is taken instead",
            );
            vec![elliptic("ECDSA_P384")]
        }
    }
}

fn rsa(minimum_bits: u32, report: &mut Report) -> KeyAlgorithmFile {
    if minimum_bits < SMALLEST_RSA {
        report.map(
            format!("msPKI-Minimal-Key-Size {minimum_bits}"),
            "2048 bits, the smallest RSA key certified here",
        );
    }
    let minimum_bits = Some(minimum_bits.max(SMALLEST_RSA));
    KeyAlgorithmFile { algorithm: "RSA".to_owned(), minimum_bits }
}

/// A duplicate of RAS and IAS Server whose names the directory gives: what NPS servers have.
fn for_eap_servers(wishes: &Wishes<'_>) -> bool {
    let names = NameFlags::SUBJECT_REQUIRE_COMMON_NAME.with(NameFlags::SUBJECT_ALT_REQUIRE_DNS);
    wishes.general.contains(GeneralFlags::MACHINE_TYPE)
        && !wishes.general.contains(GeneralFlags::ENROLLEE_SUPPLIES_SUBJECT)
        && !wishes.names.contains(NameFlags::ENROLLEE_SUPPLIES_SUBJECT)
        && wishes.names.contains(names)
        && wishes.authenticates_servers
}
