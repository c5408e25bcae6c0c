//! The steps of a life, drawn from a seed alone: the same seed gives the same steps whatever they
//! lead to, so the beginning of a script is a script.

/// What happens next. Numbers choose among what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Issue {
        account: u64,
        life: Life,
        keyed: Keyed,
    },
    Revoke {
        which: u64,
        reason: u64,
    },
    Hold {
        which: u64,
    },
    Release {
        which: u64,
    },
    RevokeAccount {
        account: u64,
        reason: u64,
    },
    /// The publisher is asked for lists although nothing has changed.
    Anew,
    /// The threads of the service get their turn.
    Turn(Threads),
    Ask {
        which: u64,
    },
    /// Time goes by while the service runs.
    Wait {
        milliseconds: u64,
    },
    /// The clock is put on, or the machine slept.
    Forward {
        seconds: u64,
    },
    Back {
        seconds: u64,
    },
    /// The disk fails at one of the next durable steps, and the process dies of it.
    CrashSoon {
        steps: u64,
        when: u64,
    },
    Kill,
    Restart(Start),
    /// Places of publication refuse so many steps.
    Unpublishable {
        steps: u64,
    },
    Full,
    Freed,
    Backup,
    Restore(Publications),
    RenewAuthority(Renewal),
}

/// How long a certificate lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    Days,
    Weeks,
}

/// Whether a request has an `Idempotency-Key`, by which it can be asked about again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keyed {
    Keyed,
    Unkeyed,
}

/// Which threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Threads {
    All,
    Deltas,
    Bases,
    Parts,
    Answers,
}

/// How the service starts again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    AsBefore,
    /// All that is derived from the ledger is made anew.
    Distrusting,
    /// Deltas are turned on, or off.
    TurningDeltas,
    /// Among more CRLs than before.
    Parting,
}

/// With which key the CA is renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Renewal {
    Kept,
    New,
}

/// What becomes of the places of publication when a backup is put back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Publications {
    /// They are as they were: another disk.
    Kept,
    /// They are empty: another machine.
    Lost,
}

/// SplitMix64: short, and good enough to choose steps.
#[derive(Clone, Debug)]
pub(super) struct Draw(u64);

impl Draw {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The first `count` steps of this seed.
pub(super) fn script(seed: u64, count: usize) -> Vec<Step> {
    let mut draw = Draw::new(seed);
    (0..count).map(|_| step(&mut draw)).collect()
}

fn step(draw: &mut Draw) -> Step {
    let which = draw.next();
    let more = draw.next();
    match draw.below(1000) {
        0..170 => Step::Issue {
            account: which,
            life: if more.is_multiple_of(3) { Life::Weeks } else { Life::Days },
            keyed: if more.is_multiple_of(2) { Keyed::Keyed } else { Keyed::Unkeyed },
        },
        170..290 => Step::Revoke { which, reason: more },
        290..390 => Step::Hold { which },
        390..490 => Step::Release { which },
        490..495 => Step::RevokeAccount { account: which, reason: more },
        495..530 => Step::Anew,
        530..570 => Step::Turn(Threads::All),
        570..595 => Step::Turn(Threads::Deltas),
        595..620 => Step::Turn(Threads::Bases),
        620..635 => Step::Turn(Threads::Answers),
        635..645 => Step::Turn(Threads::Parts),
        645..735 => Step::Ask { which },
        735..835 => Step::Wait { milliseconds: which % 2000 },
        835..895 => Step::Wait { milliseconds: which % (2 * HOUR * 1000) },
        895..915 => Step::Wait { milliseconds: which % (4 * DAY * 1000) },
        915..921 => Step::Forward { seconds: which % (9 * DAY) },
        921..923 => Step::Forward { seconds: which % (60 * DAY) },
        923..925 => Step::Back { seconds: which % (12 * DAY) },
        925..931 => Step::Back { seconds: which % (2 * HOUR) },
        931..951 => Step::CrashSoon { steps: 1 + which % 24, when: more % 3 },
        951..955 => Step::Kill,
        955..960 => Step::Restart(Start::AsBefore),
        960..962 => Step::Restart(Start::Distrusting),
        962..965 => Step::Restart(Start::TurningDeltas),
        965..967 => Step::Restart(Start::Parting),
        967..975 => Step::Unpublishable { steps: 1 + which % 4 },
        975..979 => Step::Full,
        979..987 => Step::Freed,
        987..993 => Step::Backup,
        993..995 => Step::Restore(Publications::Kept),
        995..997 => Step::Restore(Publications::Lost),
        997..998 => Step::RenewAuthority(Renewal::Kept),
        _ => Step::RenewAuthority(Renewal::New),
    }
}
