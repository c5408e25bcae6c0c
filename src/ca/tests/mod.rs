//! The promises of the authority: order, crash, idempotency, revocation, who may what.

mod agents;
mod announcing;
mod answering;
mod attacked;
mod crash;
mod deciding;
mod ending;
mod enrolling;
mod learning;
mod life;
mod one_time;
mod refused;
mod rekeyed;
mod renewing;
mod revoking;
mod waiting;
mod world;
