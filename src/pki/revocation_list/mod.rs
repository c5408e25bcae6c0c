//! Certificate revocation lists (RFC 5280 §5), written and read as a stream.
//!
//! ```text
//! CertificateList ::= SEQUENCE { tbsCertList, signatureAlgorithm, signature BIT STRING }
//! TBSCertList     ::= SEQUENCE { version INTEGER { v2(1) }, signature AlgorithmIdentifier,
//!                                issuer Name, thisUpdate Time, nextUpdate Time,
//!                                revokedCertificates SEQUENCE OF Entry OPTIONAL,
//!                                crlExtensions [0] EXPLICIT Extensions }
//! ```
//! A list of a million entries is never in memory: entries are kept encoded elsewhere, a
//! [`CrlFrame`] gives the bytes before and after them, and [`CrlReader`] reads a list in
//! constant memory. Absent: which entries a list has; indirect CRLs.

mod entry;
mod frame;
mod reader;
mod scope;
mod source;

pub use entry::{CrlEntry, DeltaEntry};
pub use frame::{CrlFrame, CrlHeading, CrlKind};
pub use reader::{CrlError, CrlReader, CrlSummary};
pub use scope::CrlScope;

#[cfg(test)]
mod tests;
