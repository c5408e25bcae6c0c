//! Nothing acknowledged is lost: a loaded register is killed, and its file system's power is cut,
//! again and again, and every acknowledgement is checked.
//!
//! The power cut needs root, a loop device, `mkfs.ext4`, `mount` and `python3`; without them it
//! fails and says so.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's own means that fail, fail it")]

mod kill;
mod power;
mod writer;
