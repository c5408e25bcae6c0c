//! Object identifiers that the trade knows by name.
