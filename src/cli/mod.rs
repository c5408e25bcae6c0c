//! The operator's commands, and the composition root: the only room that knows all others, reads
//! the clock and the environment, and opens the data directory.
//!
//! Absent: decisions about certificates (the authority makes them) and HTTP routes. Begin with
//! `arguments`, then `serve`.

pub mod arguments;
pub mod csr;
pub mod settings;
