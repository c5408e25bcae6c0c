//! The authority: enrol, revoke, publish, init.
