//! `chancery check`: every mistake in configuration and templates at once; issues nothing.

use super::arguments::Check;
use super::directories;
use super::failure::{Failure, at};
use super::notifications;
use super::partitions::wanted;
use super::register::open_register;
use super::settings::{Gathered, Mistakes};
use super::surroundings::say;
use crate::ca::establish::generations::Generations;
use crate::pki::template::{Mistakes as TemplateMistakes, Template, mistakes_in_shipped};
use crate::storage::Register as _;
use crate::storage::datadir::DataDirectoryError;
use crate::storage::open::{OpenError, Scrub};

/// Tells what is wrong with the configuration as gathered, with the template files given, and
/// with the templates shipped and on record.
pub fn check(arguments: &Check, gathered: Result<Gathered, Mistakes>) -> Result<(), Failure> {
    let mut told = Told(0);
    match &gathered {
        Ok(Gathered { settings, file }) => {
            match file {
                Some(path) => say(&format!("{}: read", path.display())),
                None => say("no configuration file; defaults, environment and flags hold"),
            }
            say(&format!(
                "data {}, API {}, publication {}",
                settings.data.display(),
                settings.api_listen,
                settings.publish_listen
            ));
            if let Some(directory) = &settings.publication_directory
                && !directory.is_dir()
            {
                let why = "publication_directory: there is no such directory; it is not made";
                told.lines(1, &format!("{}: {why}", directory.display()));
            }
            for section in &settings.notifications {
                if let Err(failure) = notifications::check(section) {
                    told.lines(1, &failure.to_string());
                }
            }
            for section in &settings.directories {
                if let Err(failure) = directories::check(section) {
                    told.lines(1, &failure.to_string());
                }
            }
        }
        Err(mistakes) => told.lines(mistakes.count(), &mistakes.to_string()),
    }
    for path in &arguments.templates {
        let text = std::fs::read_to_string(path).map_err(at(path))?;
        told.template(&path.display().to_string(), Template::from_json(&text).err());
    }
    for (cn, mistakes) in mistakes_in_shipped() {
        told.template(&format!("shipped template {cn}"), Some(mistakes));
    }
    if let Ok(Gathered { settings, .. }) = &gathered
        && settings.data.join("ledger").exists()
    {
        match open_register(settings, Scrub::Not) {
            Ok(register) => {
                for row in register.templates()? {
                    let mistakes = Template::from_record(&row.json).err();
                    told.template(&format!("template {} on record", row.cn), mistakes);
                }
                let key =
                    register.authority()?.map_or(0, |own| Generations::of(&own).present_key());
                // A CA has had few keys.
                let key = u16::try_from(key).unwrap_or(u16::MAX);
                if let Err(failure) = wanted(&register, settings, key) {
                    told.lines(1, &failure.to_string());
                }
                if let Some(damage) = register.health().damaged {
                    told.lines(1, &format!("{}: {damage}", settings.data.display()));
                }
                register.close()?;
            }
            Err(Failure::Open(OpenError::Directory(DataDirectoryError::InUse(_)))) => {
                say("a service is running: its templates were checked when it started");
            }
            Err(other) => told.lines(1, &other.to_string()),
        }
    }
    match told.0 {
        0 => {
            say("no mistakes");
            Ok(())
        }
        count => Err(Failure::Found(count)),
    }
}

/// How many mistakes were told.
struct Told(usize);

impl Told {
    fn lines(&mut self, count: usize, lines: &str) {
        self.0 += count;
        say(lines);
    }

    fn template(&mut self, what: &str, mistakes: Option<TemplateMistakes>) {
        for mistake in mistakes.iter().flat_map(TemplateMistakes::iter) {
            self.lines(1, &format!("{what}: {mistake}"));
        }
    }
}
