//! Settings from a TOML file, environment and flags, in this rising order.
//!
//! Everything given is read, also where a higher source covers it, and every mistake is told at
//! once. Begin with [`gather`]; the settings themselves are lines of `table`.

pub mod address;
pub mod directory;
mod effective;
mod file;
pub mod mistake;
pub mod notification;
pub mod quantity;
mod section;
pub mod table;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

pub use effective::{LogFormat, Settings};
pub use mistake::{Mistake, Mistakes, Place};
pub use table::{Setting, Values, settings};

/// The variable with the CA key's passphrase: no setting, since it is a secret.
pub const PASSPHRASE_VARIABLE: &str = "CHANCERY_KEY_PASSPHRASE";

/// The variable that names the configuration file.
const FILE_VARIABLE: &str = "CHANCERY_CONFIG";

/// The file that is read where none is named, in the data directory.
const DEFAULT_FILE: &str = "chancery.toml";

/// What was given on the command line: the file, and values by key.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// `--config`.
    pub config: Option<PathBuf>,
    /// (key, values) for each setting's flag that was there.
    pub flags: Vec<(&'static str, Vec<String>)>,
}

/// Settings with the file they came from.
#[derive(Clone, Debug)]
pub struct Gathered {
    /// The settings.
    pub settings: Settings,
    /// The configuration file that was read, if one was.
    pub file: Option<PathBuf>,
}

/// Reads all three sources. `environment` is the process's.
pub fn gather(
    given: &Given,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Gathered, Mistakes> {
    let mut mistakes = Vec::new();
    let variables = variables(environment, &mut mistakes);
    // The data directory may hold the file, so what flags and variables say of it comes first.
    let mut above = Settings::default();
    apply(&mut above, &variables, &mut Vec::new());
    apply(&mut above, &flags(given), &mut Vec::new());

    let named = given.config.clone().or_else(|| {
        variables
            .iter()
            .find(|own| own.key == FILE_VARIABLE)
            .map(|own| PathBuf::from(&own.values[0]))
    });
    let path = named.clone().unwrap_or_else(|| above.data.join(DEFAULT_FILE));
    let mut settings = Settings::default();
    let mut read = None;
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            let file::Read { mut values, directories, notifications } =
                file::read(&path, &text, &mut mistakes);
            (settings.directories, settings.notifications) = (directories, notifications);
            if named.is_none() {
                refuse_data(&mut values, &mut mistakes);
            }
            apply(&mut settings, &values, &mut mistakes);
            read = Some(path);
        }
        Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => mistakes.push(Mistake::new(Place::File(path, None), error.to_string())),
    }
    apply(&mut settings, &variables, &mut mistakes);
    apply(&mut settings, &flags(given), &mut mistakes);
    together(&settings, read.as_deref(), &mut mistakes);
    match Mistakes::of(mistakes) {
        Some(mistakes) => Err(mistakes),
        None => Ok(Gathered { settings, file: read }),
    }
}

/// A value with where it was given.
struct Value {
    key: String,
    values: Vec<String>,
    place: Place,
}

fn apply(settings: &mut Settings, values: &[Value], mistakes: &mut Vec<Mistake>) {
    for value in values {
        let Some(setting) = table::settings().find(|setting| setting.key == value.key) else {
            continue; // refused where it was read
        };
        let texts: Vec<&str> = value.values.iter().map(String::as_str).collect();
        if setting.read(settings, &texts).is_none() {
            let shown = value.values.join(", ");
            let why = format!("{:?} is not {}", shown, setting.wanted);
            mistakes.push(Mistake::new(value.place.clone(), why));
        }
    }
}

fn flags(given: &Given) -> Vec<Value> {
    let value = |(key, values): &(&'static str, Vec<String>)| Value {
        key: (*key).to_owned(),
        values: values.clone(),
        place: Place::Flag(format!("--{}", key.replace('_', "-"))),
    };
    given.flags.iter().map(value).collect()
}

/// Our variables. Those that Kubernetes and container links make for a service of our name
/// (`CHANCERY_PORT…`, `CHANCERY_SERVICE_…`) are passed over; others unknown are refused.
fn variables(
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    mistakes: &mut Vec<Mistake>,
) -> Vec<Value> {
    let mut found = Vec::new();
    for (name, value) in environment {
        let Some(name) = name.to_str().filter(|name| name.starts_with("CHANCERY_")) else {
            continue;
        };
        if name == PASSPHRASE_VARIABLE
            || name.starts_with("CHANCERY_PORT")
            || name.starts_with("CHANCERY_SERVICE_")
        {
            continue;
        }
        let place = Place::Variable(name.to_owned());
        let Some(value) = value.to_str() else {
            mistakes.push(Mistake::new(place, "not UTF-8".to_owned()));
            continue;
        };
        let setting = table::settings().find(|setting| setting.variable() == name);
        let key = match setting {
            Some(setting) => setting.key,
            None if name == FILE_VARIABLE => FILE_VARIABLE,
            None => {
                mistakes.push(Mistake::new(place, "no such setting".to_owned()));
                continue;
            }
        };
        let several = setting.is_some_and(|setting| setting.values == Values::Several);
        let values = match several {
            true => value.split(',').map(|part| part.trim().to_owned()).collect(),
            false => vec![value.to_owned()],
        };
        found.push(Value { key: key.to_owned(), values, place });
    }
    found
}

/// A file that is found through the data directory cannot name another one.
fn refuse_data(values: &mut Vec<Value>, mistakes: &mut Vec<Mistake>) {
    values.retain(|value| {
        if value.key == "data" {
            let why = "data cannot be set in the file that is found in the data directory";
            mistakes.push(Mistake::new(value.place.clone(), why.to_owned()));
        }
        value.key != "data"
    });
}

/// What only shows when the settings stand together.
fn together(settings: &Settings, file: Option<&Path>, mistakes: &mut Vec<Mistake>) {
    let place = || match file {
        Some(path) => Place::File(path.to_owned(), None),
        None => Place::Together,
    };
    if settings.api_listen == settings.publish_listen && settings.api_listen.port() != 0 {
        let why = "api_listen and publish_listen are the same address";
        mistakes.push(Mistake::new(place(), why.to_owned()));
    }
    let delta = settings.crl_delta_period_seconds;
    if delta.is_some_and(|period| period >= settings.crl_period_seconds) {
        let why = "crl_delta_period is not shorter than crl_period: deltas would tell nothing new";
        mistakes.push(Mistake::new(place(), why.to_owned()));
    }
    if settings.crl_delta_in_certificates && delta.is_none() {
        let why = "crl_delta_in_certificates is true, but crl_delta_period is off";
        mistakes.push(Mistake::new(place(), why.to_owned()));
    }
    if settings.crl_overlap_seconds.is_some_and(|overlap| overlap > settings.crl_period_seconds) {
        let why = "crl_overlap is longer than crl_period";
        mistakes.push(Mistake::new(place(), why.to_owned()));
    }
}

#[cfg(test)]
mod tests;
