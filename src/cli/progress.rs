//! A progress bar on a terminal, and nothing where there is none.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar over octets. It appears only once work has taken a moment, and goes when dropped.
pub struct Bar(ProgressBar);

/// Work shorter than this shows no bar.
const PATIENCE: Duration = Duration::from_millis(300);

impl Bar {
    /// A bar for what `doing` says.
    pub fn new(doing: &'static str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        let template = "{msg} [{bar:40}] {bytes}/{total_bytes} {eta}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_message(doing);
        Self(bar)
    }

    /// So many octets are done, of so many. (Nothing is drawn where standard error is no
    /// terminal.)
    pub fn at(&self, done: u64, all: u64) {
        if self.0.is_hidden() && self.0.elapsed() >= PATIENCE {
            self.0.set_draw_target(ProgressDrawTarget::stderr_with_hz(5));
        }
        self.0.set_length(all);
        self.0.set_position(done);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
