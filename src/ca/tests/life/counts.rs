//! What happened in a life, and whether it was worth living.

/// What happened, so that a run shows that it was worth something.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) issued: u64,
    pub(super) changes: u64,
    pub(super) crashes: u64,
    pub(super) starts: u64,
    pub(super) restores: u64,
    pub(super) renewals: u64,
    pub(super) lists: u64,
    pub(super) combinations: u64,
    pub(super) answers: u64,
}

impl Counts {
    pub(super) fn add(&mut self, other: &Self) {
        self.issued += other.issued;
        self.changes += other.changes;
        self.crashes += other.crashes;
        self.starts += other.starts;
        self.restores += other.restores;
        self.renewals += other.renewals;
        self.lists += other.lists;
        self.combinations += other.combinations;
        self.answers += other.answers;
    }

    /// Whether of everything so much happened as `steps` steps bring.
    pub(super) fn is_eventful(&self, steps: u64) -> bool {
        let thousands = steps / 1000;
        let many =
            [self.issued, self.changes, self.answers].into_iter().min() >= Some(40 * thousands);
        let lists = self.lists >= 200 * thousands && self.combinations >= self.lists;
        let starts = self.crashes >= 3 * thousands && self.starts > self.crashes;
        many && lists && starts && self.restores + self.renewals >= thousands / 2
    }
}
