//! Nothing acknowledged is lost: a loaded register is killed, and its file system's power is cut,
//! again and again, and every acknowledgement is checked.
//!
//! The power cut needs root, a loop device, `mkfs.ext4`, `mount` and `python3`; without them it
//! fails and says so.

mod kill;
mod power;
mod writer;
