//! Distinguished names (RFC 5280 §4.1.2.4), kept as the bytes they came in.
