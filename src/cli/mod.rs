//! The operator's commands; the composition root.
