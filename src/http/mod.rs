//! The REST API and the publication side.
