//! What is looked at in to-be-signed bytes before a key sees them; each lint cites its clause.
//!
//! The bytes are read anew here, not the values they were made from: a fault in the encoding
//! must be found as well as one in a template. What depends on other certificates (a serial
//! number used twice, a revoked key) is the authority's to check.

mod checks;

use super::certificate::parts::TbsParts;
use super::issuer::Issuer;
use super::signature::SignatureAlgorithm;

/// A rule that to-be-signed bytes must keep.
pub struct Lint {
    /// Its stable name.
    pub name: &'static str,
    /// Where it is written.
    pub clause: &'static str,
    holds: fn(&Inspection<'_>) -> bool,
}

/// A rule that was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The lint's name.
    pub lint: &'static str,
    /// Where the rule is written.
    pub clause: &'static str,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} ({})", self.lint, self.clause)
    }
}

/// To-be-signed bytes taken apart, and whom they are judged against.
struct Inspection<'a> {
    tbs: TbsParts<'a>,
    issuer: &'a Issuer,
    algorithm: SignatureAlgorithm,
}

/// Every rule that `tbs` (a TBSCertificate to be signed by `issuer` with `algorithm`) breaks.
pub fn inspect(tbs: &[u8], issuer: &Issuer, algorithm: SignatureAlgorithm) -> Vec<Finding> {
    let Ok(tbs) = TbsParts::of(tbs) else {
        return vec![Finding { lint: "well-formed", clause: "RFC 5280 §4.1" }];
    };
    let inspection = Inspection { tbs, issuer, algorithm };
    LINTS
        .iter()
        .filter(|lint| !(lint.holds)(&inspection))
        .map(|lint| Finding { lint: lint.name, clause: lint.clause })
        .collect()
}

/// The rules.
pub const LINTS: &[Lint] = &[
    Lint { name: "version-3", clause: "RFC 5280 §4.1.2.1", holds: checks::version },
    Lint { name: "serial-number", clause: "RFC 5280 §4.1.2.2", holds: checks::serial_number },
    Lint { name: "signature-algorithm", clause: "RFC 5280 §4.1.2.3", holds: checks::algorithm },
    Lint { name: "issuer-name", clause: "RFC 5280 §4.1.2.4", holds: checks::issuer_name },
    Lint { name: "validity-order", clause: "RFC 5280 §4.1.2.5", holds: checks::validity_order },
    Lint { name: "time-form", clause: "RFC 5280 §4.1.2.5", holds: checks::time_form },
    Lint { name: "validity-nested", clause: "RFC 5280 §6.1.3", holds: checks::validity_nested },
    Lint { name: "subject", clause: "RFC 5280 §4.1.2.6", holds: checks::subject },
    Lint { name: "extensions-unique", clause: "RFC 5280 §4.2", holds: checks::extensions_unique },
    Lint { name: "extensions-known", clause: "RFC 5280 §4.2", holds: checks::critical_known },
    Lint {
        name: "authority-key-identifier",
        clause: "RFC 5280 §4.2.1.1",
        holds: checks::authority_key_identifier,
    },
    Lint {
        name: "subject-key-identifier",
        clause: "RFC 5280 §4.2.1.2",
        holds: checks::subject_key_identifier,
    },
    Lint { name: "key-usage", clause: "RFC 5280 §4.2.1.3", holds: checks::key_usage },
    Lint { name: "key-usage-of-curve", clause: "RFC 5480 §3", holds: checks::key_usage_of_curve },
    Lint {
        name: "alternative-name", clause: "RFC 5280 §4.2.1.6", holds: checks::alternative_name
    },
    Lint {
        name: "basic-constraints",
        clause: "RFC 5280 §4.2.1.9",
        holds: checks::basic_constraints,
    },
    Lint { name: "path-length", clause: "RFC 5280 §4.2.1.9", holds: checks::path_length },
    Lint {
        name: "extended-key-usage",
        clause: "RFC 5280 §4.2.1.12",
        holds: checks::extended_key_usage,
    },
    Lint {
        name: "crl-distribution-points",
        clause: "RFC 5280 §4.2.1.13",
        holds: checks::crl_distribution_points,
    },
    Lint {
        name: "authority-information-access",
        clause: "RFC 5280 §4.2.2.1",
        holds: checks::authority_information_access,
    },
];

#[cfg(test)]
mod tests;
