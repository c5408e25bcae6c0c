//! Subject alternative names (RFC 5280 §4.2.1.6), with the otherNames that Windows knows.
