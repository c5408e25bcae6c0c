//! One certificate's answers as they stand in the file.
//!
//! ```text
//! slot  crc32c u32 (over what follows, up to the end of the second answer) · kind u8 (0 empty,
//!       1 answers) · serial length u8 · answer lengths u16, u16 · 2 zero octets ·
//!       signer u32 · round u64 · not_after u64 · produced_at u64 · this_update u64 ·
//!       next_update u64 · serial [20] · 4 zero octets · tags [16], [16] · answers
//! ```
//! Little-endian, times in seconds. A slot's size divides a page, so that a kill tears none; what a
//! power cut or a reader in the midst of a write makes of one, the checksum shows.

use crate::pki::serial::SerialNumber;

/// Octets before the answers.
const HEAD: usize = 112;

/// The sizes a slot may have.
const SIZES: [usize; 4] = [512, 1024, 2048, 4096];

/// A certificate's answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Whose.
    pub serial: SerialNumber,
    /// Number of the signer's certificate.
    pub signer: u32,
    /// The round in which they were made, or the one before which they were.
    pub round: u64,
    /// When the certificate ends; the end of time where that is not known.
    pub not_after: u64,
    /// When they were signed.
    pub produced_at: u64,
    /// Their thisUpdate.
    pub this_update: u64,
    /// Their nextUpdate.
    pub next_update: u64,
    /// One for each hash that a CertID may have.
    pub answers: [Answer; 2],
}

/// The octets of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Half the SHA-256 of the response in which it is served.
    pub tag: [u8; 16],
    /// What is kept of it.
    pub octets: Vec<u8>,
}

/// What stands in a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// Nothing yet: a search ends here.
    Empty,
    /// Answers.
    Kept(Box<Kept>),
}

impl Kept {
    /// The smallest slot these answers fit in, if there is one.
    pub(super) fn slot_size(&self) -> Option<usize> {
        let octets: usize = self.answers.iter().map(|answer| answer.octets.len()).sum();
        SIZES.into_iter().find(|size| *size >= HEAD + octets)
    }

    /// Writes them into `slot`. Nothing where they do not fit.
    pub(super) fn write(&self, slot: &mut [u8]) -> Option<()> {
        let [first, second] = &self.answers;
        let (end_of_first, end) =
            (HEAD + first.octets.len(), HEAD + first.octets.len() + second.octets.len());
        if slot.len() < end {
            return None;
        }
        slot.fill(0);
        let serial = self.serial.as_der_content();
        slot[4] = 1;
        slot[5] = u8::try_from(serial.len()).ok()?;
        slot[6..8].copy_from_slice(&u16::try_from(first.octets.len()).ok()?.to_le_bytes());
        slot[8..10].copy_from_slice(&u16::try_from(second.octets.len()).ok()?.to_le_bytes());
        slot[12..16].copy_from_slice(&self.signer.to_le_bytes());
        let numbers =
            [self.round, self.not_after, self.produced_at, self.this_update, self.next_update];
        for (place, number) in slot[16..56].chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        slot[56..56 + serial.len()].copy_from_slice(serial);
        slot[80..96].copy_from_slice(&first.tag);
        slot[96..HEAD].copy_from_slice(&second.tag);
        slot[HEAD..end_of_first].copy_from_slice(&first.octets);
        slot[end_of_first..end].copy_from_slice(&second.octets);
        let sum = crc32c::crc32c(&slot[4..end]);
        slot[..4].copy_from_slice(&sum.to_le_bytes());
        Some(())
    }
}

/// Reads a slot; nothing where it is torn.
pub(super) fn read(slot: &[u8]) -> Option<Slot> {
    let number =
        |at: usize| slot.get(at..at + 8)?.first_chunk().map(|own| u64::from_le_bytes(*own));
    let length =
        |at: usize| Some(usize::from(u16::from_le_bytes([*slot.get(at)?, *slot.get(at + 1)?])));
    if *slot.get(4)? == 0 {
        return slot.get(..HEAD)?.iter().all(|octet| *octet == 0).then_some(Slot::Empty);
    }
    let (first, second) = (length(6)?, length(8)?);
    let end = HEAD + first + second;
    let sum = u32::from_le_bytes(*slot.first_chunk()?);
    if crc32c::crc32c(slot.get(4..end)?) != sum {
        return None;
    }
    if slot[4] != 1 {
        return None;
    }
    let serial = slot.get(56..56 + usize::from(slot[5]).min(20))?;
    let answer = |tag: usize, octets: std::ops::Range<usize>| {
        Some(Answer { tag: *slot.get(tag..)?.first_chunk()?, octets: slot.get(octets)?.to_vec() })
    };
    Some(Slot::Kept(Box::new(Kept {
        serial: SerialNumber::from_der_content(serial).ok()?,
        signer: u32::from_le_bytes(*slot.get(12..)?.first_chunk()?),
        round: number(16)?,
        not_after: number(24)?,
        produced_at: number(32)?,
        this_update: number(40)?,
        next_update: number(48)?,
        answers: [answer(80, HEAD..HEAD + first)?, answer(96, HEAD + first..end)?],
    })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn reads_back_and_shows_every_change(
            serial: [u8; 20],
            numbers: [u64; 5],
            first in prop::collection::vec(any::<u8>(), 0..400),
            second in prop::collection::vec(any::<u8>(), 0..400),
            bit in 0usize..800,
        ) {
            let [round, not_after, produced_at, this_update, next_update] = numbers;
            let kept = Kept {
                serial: SerialNumber::from_random(serial),
                signer: 7,
                round, not_after, produced_at, this_update, next_update,
                answers: [Answer { tag: [1; 16], octets: first }, Answer { tag: [2; 16], octets: second }],
            };
            let size = kept.slot_size().unwrap();
            let mut slot = vec![0xff; size];
            prop_assert_eq!(kept.write(&mut slot), Some(()));
            prop_assert_eq!(read(&slot), Some(Slot::Kept(Box::new(kept.clone()))));
            slot[bit / 8] ^= 1 << (bit % 8);
            prop_assert_ne!(read(&slot), Some(Slot::Kept(Box::new(kept.clone()))));
            prop_assert_ne!(read(&slot), Some(Slot::Empty));
        }

        #[test]
        fn any_octets_are_refused_or_read(octets in prop::collection::vec(any::<u8>(), 0..2048)) {
            let _ = read(&octets);
        }
    }
}
