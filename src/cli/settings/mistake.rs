//! What is wrong with the configuration, and where.

use std::path::PathBuf;

/// Where a value was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file, and the line in it, from 1.
    File(PathBuf, Option<usize>),
    /// An environment variable.
    Variable(String),
    /// A flag.
    Flag(String),
    /// Several places together.
    Together,
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    place: Place,
    why: String,
}

impl Mistake {
    /// A mistake at a place.
    pub fn new(place: Place, why: String) -> Self {
        Self { place, why }
    }
}

/// `chancery.toml:3: api_listen: …`
impl std::fmt::Display for Mistake {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.place {
            Place::File(path, Some(line)) => write!(out, "{}:{line}: ", path.display())?,
            Place::File(path, None) => write!(out, "{}: ", path.display())?,
            Place::Variable(name) => write!(out, "{name}: ")?,
            Place::Flag(flag) => write!(out, "{flag}: ")?,
            Place::Together => {}
        }
        out.write_str(&self.why)
    }
}

/// Every mistake that was found; never none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Mistakes(Vec<Mistake>);

impl Mistakes {
    /// `None` if there are none.
    pub fn of(mistakes: Vec<Mistake>) -> Option<Self> {
        (!mistakes.is_empty()).then_some(Self(mistakes))
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}
