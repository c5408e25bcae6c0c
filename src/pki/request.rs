//! Certificate requests (RFC 2986): parsed whole, possession of the key proven.
