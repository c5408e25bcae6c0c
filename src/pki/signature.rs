//! Signature algorithms and their verification.
