//! sled under a write-behind layer of chunks.
//!
//! sled pays some 60 octets and a few microseconds for every small entry, so the index keeps few
//! large ones: fixed-width rows and hash buckets, packed into chunks of a few kilobytes. Changed
//! chunks gather in memory and are written oldest first. The watermark written beside them is
//! the commit before the oldest change that is still only in memory; replaying the ledger from
//! there brings the index up to date, since every change can be made twice.

use std::collections::{HashMap, VecDeque};
use std::ops::Bound;

use crate::storage::StoreError;

/// Which kind of chunk: the first octet of its key.
pub type Kind = u8;

/// A chain's chunks are at most this long.
const LONGEST_LINK: usize = 16 << 10;
/// What is at least this long becomes a link of its own: lengthening the last one writes that
/// whole again, which is worth it only for little.
const OWN_LINK: usize = 1 << 10;
/// Chunks in one sled batch: few, for sled's memory grows with its batches.
const BATCH: usize = 8;
/// Room that is made at once for what will be appended.
const LEAST_HELD: usize = 64;
/// What a changed chunk costs beside its octets.
const OVERHEAD: usize = 128;

const WATERMARK: &[u8] = b"\x00watermark";

#[derive(Debug)]
struct Changed {
    octets: Vec<u8>,
    /// Marker offset of the commit before the oldest change in here.
    since: u64,
    /// Whether the octets are to be appended to a chain; else they are the whole chunk.
    appended: bool,
}

/// How changes that gather in memory are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writing {
    /// The oldest, a few at a time, whenever the limit is passed: no commit waits long.
    LittleByLittle,
    /// All of them in the order of their keys, once the limit is passed, so that sled meets each
    /// of its pages once: for a rebuild, where nobody waits for a single commit.
    AllInOrder,
}

/// Chunks by kind and number, and chains of them that only grow.
#[derive(Debug)]
pub struct Chunks {
    tree: sled::Db,
    changed: HashMap<(Kind, u32), Changed>,
    oldest_first: VecDeque<(Kind, u32)>,
    octets: usize,
    /// Marker offset of the commit before the one that is being applied.
    current: u64,
    /// Changed octets that may stay in memory.
    limit: usize,
    writing: Writing,
}

fn failed(error: sled::Error) -> StoreError {
    StoreError::Io { doing: "using the index".to_owned(), reason: error.to_string() }
}

fn key(kind: Kind, number: u32) -> [u8; 5] {
    let [a, b, c, d] = number.to_be_bytes();
    [kind, a, b, c, d]
}

impl Chunks {
    /// Opens sled at `path`. `limit` is how many changed octets may stay in memory.
    pub fn open(path: &std::path::Path, cache: u64, limit: usize) -> Result<Self, StoreError> {
        let config = sled::Config::new()
            .path(path)
            .cache_capacity(cache)
            .mode(sled::Mode::HighThroughput)
            .flush_every_ms(Some(2000));
        let tree = config.open().map_err(failed)?;
        Ok(Self {
            tree,
            changed: HashMap::new(),
            oldest_first: VecDeque::new(),
            octets: 0,
            current: 0,
            limit,
            writing: Writing::LittleByLittle,
        })
    }

    /// From now on so many changed octets may stay in memory, and are written in this way.
    pub fn pace(&mut self, limit: usize, writing: Writing) {
        (self.limit, self.writing) = (limit, writing);
    }

    /// The marker offset up to which everything is in sled; `None` in a new index.
    pub fn watermark(&self) -> Result<Option<u64>, StoreError> {
        let stored = self.tree.get(WATERMARK).map_err(failed)?;
        Ok(stored.and_then(|octets| Some(u64::from_be_bytes(octets.as_ref().try_into().ok()?))))
    }

    /// Says which commit the coming changes follow.
    pub fn follow(&mut self, marker: u64) {
        self.current = marker;
    }

    /// A chunk; empty where there is none.
    pub fn read<R>(
        &self,
        kind: Kind,
        number: u32,
        look: impl FnOnce(&[u8]) -> R,
    ) -> Result<R, StoreError> {
        if let Some(changed) = self.changed.get(&(kind, number)) {
            return Ok(look(&changed.octets));
        }
        let stored = self.tree.get(key(kind, number)).map_err(failed)?;
        Ok(look(stored.as_deref().unwrap_or_default()))
    }

    /// Changes a chunk, made empty where there is none.
    pub fn change(
        &mut self,
        kind: Kind,
        number: u32,
        change: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), StoreError> {
        if !self.changed.contains_key(&(kind, number)) {
            let stored = self.tree.get(key(kind, number)).map_err(failed)?;
            let octets = stored.map(|octets| octets.to_vec()).unwrap_or_default();
            self.hold(kind, number, octets, false);
        }
        if let Some(changed) = self.changed.get_mut(&(kind, number)) {
            self.octets = self.octets.saturating_sub(changed.octets.capacity());
            change(&mut changed.octets);
            self.octets += changed.octets.capacity();
        }
        Ok(())
    }

    /// Appends to a chain, without looking at what it has.
    pub fn append(&mut self, kind: Kind, number: u32, octets: &[u8]) {
        match self.changed.get_mut(&(kind, number)) {
            Some(changed) => {
                self.octets = self.octets.saturating_sub(changed.octets.capacity());
                changed.octets.extend_from_slice(octets);
                self.octets += changed.octets.capacity();
            }
            None => {
                let mut more = Vec::with_capacity(octets.len().max(LEAST_HELD));
                more.extend_from_slice(octets);
                self.hold(kind, number, more, true);
            }
        }
    }

    fn hold(&mut self, kind: Kind, number: u32, octets: Vec<u8>, appended: bool) {
        self.octets += octets.capacity() + OVERHEAD;
        self.changed.insert((kind, number), Changed { octets, since: self.current, appended });
        self.oldest_first.push_back((kind, number));
    }

    /// Looks at a chain, oldest part first.
    pub fn chain(
        &self,
        kind: Kind,
        number: u32,
        mut look: impl FnMut(&[u8]),
    ) -> Result<(), StoreError> {
        for link in self.tree.scan_prefix(key(kind, number)) {
            look(&link.map_err(failed)?.1);
        }
        if let Some(changed) = self.changed.get(&(kind, number)) {
            look(&changed.octets);
        }
        Ok(())
    }

    /// Looks at a chain, newest part first, as long as `look` wants more.
    pub fn chain_backwards(
        &self,
        kind: Kind,
        number: u32,
        mut look: impl FnMut(&[u8]) -> std::ops::ControlFlow<()>,
    ) -> Result<(), StoreError> {
        if let Some(changed) = self.changed.get(&(kind, number))
            && look(&changed.octets).is_break()
        {
            return Ok(());
        }
        for link in self.tree.scan_prefix(key(kind, number)).rev() {
            if look(&link.map_err(failed)?.1).is_break() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Writes changes until no more than the limit is held. `applied` is the marker offset of the
    /// last commit that was applied.
    pub fn settle(&mut self, applied: u64) -> Result<(), StoreError> {
        if self.octets <= self.limit {
            return Ok(());
        }
        match self.writing {
            Writing::AllInOrder => self.write_all(applied),
            Writing::LittleByLittle => {
                while self.octets > self.limit {
                    self.write_some(applied)?;
                }
                Ok(())
            }
        }
    }

    /// Writes every change, and waits until sled has handed it to the system.
    pub fn settle_all(&mut self, applied: u64) -> Result<(), StoreError> {
        self.write_all(applied)?;
        self.tree.flush().map_err(failed)?;
        Ok(())
    }

    fn write_all(&mut self, applied: u64) -> Result<(), StoreError> {
        self.oldest_first = VecDeque::new();
        let mut all: Vec<_> = std::mem::take(&mut self.changed).into_iter().collect();
        self.octets = 0;
        all.sort_unstable_by_key(|(key, _)| *key);
        let mut all = all.into_iter();
        while all.len() > 0 {
            let mut batch = sled::Batch::default();
            for ((kind, number), changed) in all.by_ref().take(BATCH) {
                self.put(&mut batch, kind, number, changed)?;
            }
            self.tree.apply_batch(batch).map_err(failed)?;
        }
        // Only now: what a kill meets half written is applied once more.
        self.tree.insert(WATERMARK, &applied.to_be_bytes()).map_err(failed)?;
        Ok(())
    }

    fn write_some(&mut self, applied: u64) -> Result<(), StoreError> {
        let mut batch = sled::Batch::default();
        for _ in 0..BATCH {
            let Some((kind, number)) = self.oldest_first.pop_front() else { break };
            let Some(changed) = self.changed.remove(&(kind, number)) else { continue };
            self.octets = self.octets.saturating_sub(changed.octets.capacity() + OVERHEAD);
            self.put(&mut batch, kind, number, changed)?;
        }
        let oldest = self.oldest_first.front().and_then(|oldest| self.changed.get(oldest));
        let watermark = oldest.map_or(applied, |changed| changed.since);
        batch.insert(WATERMARK, &watermark.to_be_bytes());
        self.tree.apply_batch(batch).map_err(failed)
    }

    fn put(
        &self,
        batch: &mut sled::Batch,
        kind: Kind,
        number: u32,
        changed: Changed,
    ) -> Result<(), StoreError> {
        if changed.appended {
            return self.lengthen(batch, &key(kind, number), &changed.octets);
        }
        batch.insert(&key(kind, number), changed.octets);
        Ok(())
    }

    /// Adds to a chain's last link, or begins a new one.
    fn lengthen(
        &self,
        batch: &mut sled::Batch,
        prefix: &[u8; 5],
        more: &[u8],
    ) -> Result<(), StoreError> {
        let last = self.tree.scan_prefix(prefix).next_back().transpose().map_err(failed)?;
        let (link, mut octets) = match last {
            Some((link, octets))
                if more.len() < OWN_LINK && octets.len() + more.len() <= LONGEST_LINK =>
            {
                (link.to_vec(), octets.to_vec())
            }
            Some((link, _)) => {
                let number = link.last_chunk::<4>().map_or(0, |octets| u32::from_be_bytes(*octets));
                ([&prefix[..], &(number + 1).to_be_bytes()].concat(), Vec::new())
            }
            None => ([&prefix[..], &[0; 4]].concat(), Vec::new()),
        };
        octets.extend_from_slice(more);
        batch.insert(link, octets);
        Ok(())
    }

    /// A small entry by name, for what there is little of (templates, accounts, tokens, CRLs).
    pub fn named(&self, kind: Kind, name: &[u8]) -> Result<Option<sled::IVec>, StoreError> {
        self.tree.get([&[kind], name].concat()).map_err(failed)
    }

    /// Sets a small entry, or takes it away. Written at once: sled keeps the order.
    pub fn set_named(
        &self,
        kind: Kind,
        name: &[u8],
        value: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        let name = [&[kind], name].concat();
        match value {
            Some(value) => self.tree.insert(name, value).map(|_| ()).map_err(failed),
            None => self.tree.remove(name).map(|_| ()).map_err(failed),
        }
    }

    /// Small entries by name, those after `after`: name (without its kind) and value.
    pub fn all_named(
        &self,
        kind: Kind,
        after: Option<&[u8]>,
    ) -> impl DoubleEndedIterator<Item = Result<(Vec<u8>, sled::IVec), StoreError>> + use<> {
        let start = match after {
            Some(name) => Bound::Excluded([&[kind], name].concat()),
            None => Bound::Included(vec![kind]),
        };
        self.range((start, Bound::Excluded(vec![kind + 1])))
    }

    /// The same from the name `from` on, up to the one before `to`.
    pub fn named_between(
        &self,
        kind: Kind,
        from: &[u8],
        to: &[u8],
    ) -> impl DoubleEndedIterator<Item = Result<(Vec<u8>, sled::IVec), StoreError>> + use<> {
        let bound = |name: &[u8]| [&[kind], name].concat();
        self.range((Bound::Included(bound(from)), Bound::Excluded(bound(to))))
    }

    fn range(
        &self,
        names: (Bound<Vec<u8>>, Bound<Vec<u8>>),
    ) -> impl DoubleEndedIterator<Item = Result<(Vec<u8>, sled::IVec), StoreError>> + use<> {
        self.tree.range::<Vec<u8>, _>(names).map(|entry| {
            let (name, value) = entry.map_err(failed)?;
            Ok((name.get(1..).unwrap_or_default().to_vec(), value))
        })
    }
}
