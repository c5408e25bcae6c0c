//! Tokens for whoever holds the data directory: the first administrator's, and those that
//! `chancery token` wishes for while the service has the directory.
//!
//! The wish is a file that names the account; the service answers with `admin.token` and takes the
//! wish away. Whoever can write into the directory could read the CA's key as well, so this gives
//! nobody anything.

use crate::ca::Authority;
use crate::cli::failure::Failure;
use crate::cli::home::Home;
use crate::cli::surroundings::now;
use crate::storage::Register;
use crate::storage::datadir::{FileMode, write_durably};

/// The longest account name, in octets, that is read from a wish.
const LONGEST_NAME: usize = 1024;

/// Makes a token and writes it to `admin.token`.
pub(in crate::cli) fn make_token(
    authority: &Authority,
    home: &Home,
    account: &str,
    description: &str,
    life_seconds: u64,
) -> Result<(), Failure> {
    let token = authority.create_operator_token(account, life_seconds, description, now())?;
    tracing::info!(id = token.row.token.id, account, "a token was made for the operator");
    Ok(write_durably(&home.admin_token(), token.secret.as_bytes(), FileMode::Private)?)
}

/// Grants a wish if there is one, for an account that is there.
pub(super) fn grant(
    authority: &Authority,
    register: &dyn Register,
    home: &Home,
    life_seconds: u64,
) {
    let path = home.wanted_token();
    let Ok(text) = std::fs::read_to_string(&path) else { return };
    let account = text.trim();
    let made = if account.is_empty() || account.len() > LONGEST_NAME {
        tracing::warn!(path = %path.display(), "a wish for a token names no account");
        Ok(())
    } else {
        match register.account(account) {
            Ok(Some(found)) => {
                let why = "made by `chancery token`";
                make_token(authority, home, &found.name, why, life_seconds)
            }
            Ok(None) => Err(Failure::NoAccount(account.to_owned())),
            Err(error) => Err(error.into()),
        }
    };
    if let Err(error) = made {
        tracing::error!(%error, "no token could be made");
    }
    // Taken away whatever became of it: it is not tried again every second.
    if let Err(error) = std::fs::remove_file(&path) {
        tracing::error!(%error, path = %path.display(), "a granted wish cannot be taken away");
    }
}
