//! Opening the register of a data directory, with a progress bar where that takes long.

use std::sync::Arc;

use super::failure::Failure;
use super::home::Home;
use super::progress::Bar;
use super::settings::Settings;
use crate::pki::time::Timestamp;
use crate::storage::LedgerRegister;
use crate::storage::act::{Act, Entry};
use crate::storage::open::{Options, Scrub, open};
use crate::storage::{Register as _, Urgency};

/// Opens and locks it; made where it is missing.
pub fn open_register(settings: &Settings, scrub: Scrub) -> Result<Arc<LedgerRegister>, Failure> {
    Home::new(&settings.data).must_not_be_restoring()?;
    let mut options = Options::new(&settings.data);
    options.low_space = settings.minimum_free_octets;
    options.scrub = scrub;
    let bar = Bar::new("reading the ledger");
    options.progress = Some(Box::new(move |done, all| bar.at(done, all)));
    Ok(open(options)?)
}

/// Opens it for a command that needs a CA to be there; nothing is made.
pub fn open_established(settings: &Settings) -> Result<Arc<LedgerRegister>, Failure> {
    Home::new(&settings.data).must_have_ledger()?;
    open_register(settings, Scrub::Not)
}

/// Puts acts of the operator on record, in one commit.
pub fn record(
    register: &LedgerRegister,
    acts: Vec<Act>,
    now: Timestamp,
    urgency: Urgency,
) -> Result<(), Failure> {
    let entry = |act| Entry { at: now.millis(), actor: None, act };
    Ok(register.commit(acts.into_iter().map(entry).collect(), urgency)?)
}
