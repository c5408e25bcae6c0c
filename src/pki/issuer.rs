//! The issuer: a CA certificate that may sign certificates and CRLs.
