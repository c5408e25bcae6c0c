//! What became of a template that was read: the answer of an import.

/// What was taken over, what was changed on the way, and what was not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Attributes taken over as they are: the attribute and what it says in the words of the
    /// template file.
    pub taken: Vec<(&'static str, String)>,
    /// What has another form here.
    pub mapped: Vec<Mapped>,
    /// What cannot be done here.
    pub not_honoured: Vec<NotHonoured>,
    /// How the template differs from what AD CS makes of the same attributes.
    pub differences: Vec<String>,
    /// Attributes that are the directory's own bookkeeping.
    pub left_behind: Vec<String>,
    /// Why it is not imported; empty if it is.
    pub refused: Vec<String>,
}

/// One thing that has another form here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapped {
    /// In the file.
    pub from: String,
    /// Here.
    pub to: String,
}

/// One thing that cannot be done here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotHonoured {
    /// Attribute, flag or entry.
    pub what: String,
    /// Why not.
    pub why: String,
    /// What that means.
    pub loss: Loss,
}

/// What it means that something is not honoured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Nobody gets a certificate that AD CS would have refused.
    None,
    /// Somebody might: a condition of AD CS is not checked here.
    Weaker,
}

impl Report {
    pub(super) fn take(&mut self, attribute: &'static str, value: impl Into<String>) {
        self.taken.push((attribute, value.into()));
    }

    pub(super) fn map(&mut self, from: impl Into<String>, to: impl Into<String>) {
        self.mapped.push(Mapped { from: from.into(), to: to.into() });
    }

    pub(super) fn lose(&mut self, loss: Loss, what: impl Into<String>, why: impl Into<String>) {
        self.not_honoured.push(NotHonoured { what: what.into(), why: why.into(), loss });
    }

    pub(super) fn differ(&mut self, how: impl Into<String>) {
        self.differences.push(how.into());
    }

    pub(super) fn refuse(&mut self, why: impl Into<String>) {
        self.refused.push(why.into());
    }
}
