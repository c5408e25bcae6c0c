//! What notifications promise, with an outbox in memory and a clock that the tests move.

mod contract;
mod queue;
mod receivers;
mod signing;
mod wishes;
mod world;
