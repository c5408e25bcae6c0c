//! `chancery token`: an administrator's way back in when the token is lost or has expired.

use std::time::Duration;

use super::arguments::Token;
use super::failure::{Failure, at};
use super::home::Home;
use super::register::{open_established, record};
use super::settings::Settings;
use super::surroundings::{now, random, say};
use crate::ca::tokens::make_token;
use crate::storage::act::Act;
use crate::storage::datadir::{DataDirectoryError, FileMode, write_durably};
use crate::storage::open::OpenError;
use crate::storage::{Register as _, Urgency};

/// How long a running service may take.
const PATIENCE_SECONDS: u64 = 15;

/// Writes a new token to `admin.token`: by itself, or through the service that has the directory.
pub fn token(arguments: &Token, settings: &Settings) -> Result<(), Failure> {
    let home = Home::new(&settings.data);
    match open_established(settings) {
        Ok(register) => {
            if register.authority()?.is_none() {
                return Err(Failure::NotEstablished(settings.data.clone()));
            }
            let account = register.account(&arguments.account)?;
            let account = account.ok_or_else(|| Failure::NoAccount(arguments.account.clone()))?;
            let description = Some("made by `chancery token`".to_owned());
            let life = settings.token_life_seconds;
            let made = make_token(&random(), &account.name, life, description, now())?;
            let act = Act::TokenCreated(made.row.token);
            record(&register, vec![act], now(), Urgency::Reserved)?;
            write_durably(&home.admin_token(), made.secret.as_bytes(), FileMode::Private)?;
            register.close()?;
        }
        Err(Failure::Open(OpenError::Directory(DataDirectoryError::InUse(_)))) => {
            wish(&arguments.account, &home)?;
        }
        Err(other) => return Err(other),
    }
    let days = settings.token_life_seconds / 86_400;
    say(&format!(
        "A token for {} is in {} ({days} days).",
        arguments.account,
        home.admin_token().display()
    ));
    Ok(())
}

/// Leaves a wish for the running service and waits until it is granted.
fn wish(account: &str, home: &Home) -> Result<(), Failure> {
    let path = home.wanted_token();
    let before = std::fs::read(home.admin_token()).ok();
    write_durably(&path, account.as_bytes(), FileMode::Private)?;
    for _ in 0..PATIENCE_SECONDS * 10 {
        std::thread::sleep(Duration::from_millis(100));
        if !path.exists() {
            let granted = std::fs::read(home.admin_token()).ok() != before;
            return if granted { Ok(()) } else { Err(Failure::ServiceSilent(PATIENCE_SECONDS)) };
        }
    }
    std::fs::remove_file(&path).map_err(at(&path))?;
    Err(Failure::ServiceSilent(PATIENCE_SECONDS))
}
