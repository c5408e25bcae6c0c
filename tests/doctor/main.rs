//! The doctor against certificates that are broken in one way each, against good ones, and against
//! certificates of other authorities.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should say where"
)]

mod broken;
mod damaged;
mod fetching;
mod outside;
mod web;
