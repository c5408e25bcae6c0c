//! What is wrong with a template: all of it at once, each mistake under the key it is in.

use super::danger::Danger;

/// One mistake in a template file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {problem}")]
pub struct Mistake {
    /// The key it is in; `template` where it concerns the whole file.
    pub key: String,
    /// What is wrong there.
    pub problem: Problem,
}

/// What may be wrong under one key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Not JSON, or a key twice.
    #[error("line {line}, column {column}: {detail}")]
    Json {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// The reader's words.
        detail: String,
    },
    /// The file is too large to be a template.
    #[error("longer than {0} bytes")]
    TooLarge(usize),
    /// No such key.
    #[error("no such key")]
    UnknownKey,
    /// The key is not there.
    #[error("missing")]
    Missing,
    /// The value has another JSON shape.
    #[error("{0}")]
    Shape(String),
    /// Nothing where something is needed.
    #[error("must not be empty")]
    Empty,
    /// Longer than allowed.
    #[error("longer than {0} characters")]
    TooLong(usize),
    /// More entries than allowed.
    #[error("more than {0} entries")]
    TooMany(usize),
    /// The same entry twice.
    #[error("`{0}` is there twice")]
    Twice(String),
    /// A word that is not one of the known ones.
    #[error("`{0}` is not one of {1}")]
    UnknownWord(String, &'static str),
    /// A text that does not read as what it should be.
    #[error("`{0}` is not {1}")]
    NotA(String, &'static str),
    /// A number outside its range.
    #[error("{0} is not within {1}")]
    OutOfRange(i64, &'static str),
    /// It contradicts another key.
    #[error("{0}")]
    Inconsistent(&'static str),
    /// The template would let somebody become somebody else.
    #[error("{danger}{hint}", danger = .0, hint = hint(*.0))]
    Dangerous(Danger),
    /// A danger is accepted that the template does not open.
    #[error("{} is accepted, but the template does not open it", .0.as_str())]
    NotOpen(Danger),
}

fn hint(danger: Danger) -> &'static str {
    match danger.can_be_accepted() {
        true => " (or let an administrator accept it by name: accepted_dangers)",
        false => "",
    }
}

/// Every mistake in a template file; never empty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct Mistakes(Vec<Mistake>);

impl Mistakes {
    /// A single one.
    pub(super) fn one(key: &str, problem: Problem) -> Self {
        Self(vec![Mistake { key: key.to_owned(), problem }])
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Mistake> {
        self.0.iter()
    }

    /// The dangers among them, for whoever wants to know which attack was prevented.
    pub fn dangers(&self) -> impl Iterator<Item = Danger> {
        self.0.iter().filter_map(|mistake| match mistake.problem {
            Problem::Dangerous(danger) => Some(danger),
            _ => None,
        })
    }
}

/// Collects mistakes while a file is read.
#[derive(Default)]
pub(super) struct Collector(Vec<Mistake>);

impl Collector {
    pub(super) fn note(&mut self, key: &str, problem: Problem) {
        self.0.push(Mistake { key: key.to_owned(), problem });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value if it was right; else the mistake is noted.
    pub(super) fn take<T>(&mut self, key: &str, read: Result<T, Problem>) -> Option<T> {
        read.map_err(|problem| self.note(key, problem)).ok()
    }

    /// Ends the reading: `made` unless there were mistakes.
    pub(super) fn finish<T>(self, made: Option<T>) -> Result<T, Mistakes> {
        match made {
            Some(made) if self.0.is_empty() => Ok(made),
            _ => Err(Mistakes(self.0)),
        }
    }
}
