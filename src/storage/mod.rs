//! The register: a ledger and its index.
