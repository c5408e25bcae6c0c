//! The one table of settings: key in the file, and from it variable and flag, with what reads the
//! value. The three sources cannot drift apart, since there is only this.

mod callers;
mod place;
mod revocation;

use std::path::PathBuf;

use super::effective::Settings;

/// A line of the table.
pub struct Setting {
    /// The key in the file. The flag is `--` with hyphens for underscores, the variable
    /// `CHANCERY_` in capitals.
    pub key: &'static str,
    /// The value's name in the help.
    pub value: &'static str,
    /// What it is for.
    pub meaning: &'static str,
    /// What holds where it is not set.
    pub default: &'static str,
    /// Whether several may be given.
    pub values: Values,
    /// Puts what was given in its place.
    read: fn(&mut Settings, &[&str]) -> Option<()>,
    /// What it must be, for the sentence when it is not.
    pub wanted: &'static str,
}

/// How many values a setting takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// One.
    One,
    /// Several: an array, a repeated flag, a comma-separated variable.
    Several,
}

impl Setting {
    /// The flag without its hyphens.
    pub fn flag(&self) -> String {
        self.key.replace('_', "-")
    }

    /// The environment variable.
    pub fn variable(&self) -> String {
        format!("CHANCERY_{}", self.key.to_ascii_uppercase())
    }

    /// Reads `given` into `settings`; `None` if it is not what is wanted.
    pub fn read(&self, settings: &mut Settings, given: &[&str]) -> Option<()> {
        match (self.values, given) {
            (Values::One, [_]) | (Values::Several, _) => (self.read)(settings, given),
            _ => None,
        }
    }
}

/// Every setting, by subject.
pub fn settings() -> impl Iterator<Item = &'static Setting> {
    [place::SERVICE, revocation::REVOCATION, callers::CALLERS].into_iter().flatten()
}

fn path(given: &[&str]) -> Option<PathBuf> {
    let text = given.first()?;
    (!text.is_empty()).then(|| PathBuf::from(text))
}

#[cfg(test)]
mod tests;
