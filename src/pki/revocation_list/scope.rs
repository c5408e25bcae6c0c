//! Which certificates a CRL speaks of.

use std::num::NonZeroU16;

/// The scope of a CRL (RFC 5280 §5): "the set of certificates that could appear on a given CRL".
/// Here: all that were issued under one key of the CA, or one part of them. As the scope of a
/// certificate, the smallest that it is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CrlScope {
    /// Which of the CA's keys signs it: AD CS's key index, 0 for the first one.
    pub key: u16,
    /// Which part of what was issued under that key, counted from 1; none: all of it.
    pub partition: Option<NonZeroU16>,
}

impl CrlScope {
    /// Everything under the CA's first key.
    pub const FIRST: Self = Self { key: 0, partition: None };

    /// Everything under one key.
    pub fn of_key(key: u16) -> Self {
        Self { key, partition: None }
    }

    /// The scope of the same key that has no partition.
    pub fn complete(self) -> Self {
        Self { partition: None, ..self }
    }

    /// Whether whatever is in `other` is in this one too.
    pub fn covers(self, other: Self) -> bool {
        self.key == other.key && (self.partition.is_none() || self.partition == other.partition)
    }

    /// Whether its CRL lists whatever is in `other`. One that has no partition lists everybody,
    /// whichever key he was issued under: it does not say that it speaks of one key alone, and who
    /// takes a CRL by its issuer's name may take it for another's.
    pub fn lists(self, other: Self) -> bool {
        self.partition.is_none() || self.covers(other)
    }

    /// The name, without ending, of the file where this CRL of the CA `slug` is found: AD CS's
    /// `%3%8%9`, with dashes for its brackets and underscore. Letters and digits, so that the
    /// name of a delta (`-delta`) or of another scope is never the same.
    pub fn file_name(self, slug: &str) -> String {
        let key = match self.key {
            0 => String::new(),
            key => format!("-{key}"),
        };
        let partition = self.partition.map(|number| format!("-p{number}")).unwrap_or_default();
        format!("{slug}{key}{partition}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(key: u16, partition: u16) -> CrlScope {
        CrlScope { key, partition: NonZeroU16::new(partition) }
    }

    #[test]
    fn a_complete_list_covers_the_parts_of_its_key_and_no_other() {
        for part in [scope(1, 0), scope(1, 1), scope(1, 7)] {
            assert!(part.covers(part) && scope(1, 0).covers(part), "{part:?}");
            assert_eq!(part.complete(), scope(1, 0));
            assert!(!scope(0, 0).covers(part) && !scope(1, 2).covers(part), "{part:?}");
        }
        assert!(!scope(1, 1).covers(scope(1, 0)), "a part knows nothing of the rest");
        assert!(scope(0, 0).lists(scope(1, 7)) && scope(1, 0).lists(scope(0, 0)));
        assert!(scope(1, 1).lists(scope(1, 1)) && !scope(1, 1).lists(scope(0, 1)));
    }

    #[test]
    fn every_scope_has_a_name_of_its_own() {
        let all = [scope(0, 0), scope(1, 0), scope(0, 1), scope(1, 1), scope(11, 0), scope(0, 11)];
        let names: Vec<String> = all.iter().map(|own| own.file_name("ca")).collect();
        assert_eq!(names, ["ca", "ca-1", "ca-p1", "ca-1-p1", "ca-11", "ca-p11"]);
    }
}
