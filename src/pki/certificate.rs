//! From profile to certificate: prepared (built and linted), then signed and verified.
