//! A profile: every field of a certificate decided, before a serial number and an issuer make it bytes.
