//! Lints on to-be-signed bytes, each with its clause, run before the key sees them.
