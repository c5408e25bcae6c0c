//! Chancery: a certificate authority for an Always On VPN, in the place of AD CS.
//!
//! The rooms in reading order; imports go only from a later one to an earlier one, and the
//! four back ends (signing, storage, directory, notification) do not know each other.

/// What may be issued, asked, issued and revoked: pure functions over bytes.
pub mod pki;

/// What each party of a VPN will say of a certificate: pure rules.
pub mod doctor;

/// Fetching what certificates name, over plain HTTP.
pub mod retrieval;

/// Private keys: the only room that holds one.
pub mod signing;

/// The register: an append-only ledger, and the index and files derived from it.
pub mod storage;

/// Who the accounts are.
pub mod directory;

/// Signed notifications: who is told what, delivered at least once.
pub mod notification;

/// The authority: the only room that sees key and register together.
pub mod ca;

/// The doors: the REST API over HTTPS, and publication over plain HTTP.
pub mod http;

/// The operator's commands; where everything is put together.
pub mod cli;
