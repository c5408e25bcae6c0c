//! Public keys a certificate may hold: parsed, measured, and checked for known weaknesses.
