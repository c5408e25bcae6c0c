//! What happened in a life, and whether it was worth living.

/// What happened, so that a run shows that it was worth something.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) issued: u64,
    pub(super) changes: u64,
    pub(super) crashes: u64,
    pub(super) starts: u64,
    pub(super) restores: u64,
    /// With the same key.
    pub(super) renewals: u64,
    pub(super) new_keys: u64,
    /// Renewals that a crash cut short.
    pub(super) cut_short: u64,
    /// Lists after which a key signs none.
    pub(super) last_lists: u64,
    /// How often what is issued was parted, or parted further.
    pub(super) partings: u64,
    /// Lists of all kinds, those among them of keys of before, and of parts.
    pub(super) lists: u64,
    pub(super) by_old_keys: u64,
    pub(super) of_parts: u64,
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
        self.new_keys += other.new_keys;
        self.cut_short += other.cut_short;
        self.last_lists += other.last_lists;
        self.partings += other.partings;
        self.lists += other.lists;
        self.by_old_keys += other.by_old_keys;
        self.of_parts += other.of_parts;
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
        let keys = self.new_keys >= thousands && self.last_lists >= thousands / 4;
        let others = self.by_old_keys >= 20 * thousands && self.of_parts >= 20 * thousands;
        let rare = self.restores >= thousands / 4
            && self.renewals >= thousands / 8
            && self.partings >= thousands / 4
            && self.cut_short >= thousands / 8;
        many && lists && starts && keys && others && rare
    }
}
