//! Who the accounts are.
