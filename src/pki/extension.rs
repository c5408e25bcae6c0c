//! The extensions that AD CS writes, byte for byte.
