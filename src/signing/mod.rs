//! Private keys and what they sign.
