//! How far the making of answers has come, as it stands in the first page of the file: twice, so
//! that one of the two is whole whenever the power goes.

/// Octets of one copy.
pub(super) const RECORD: usize = 128;

/// What the answers in the file tell of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Number of the last ledger entry that the answers reflect.
    pub reflected: u64,
    /// That entry's hash: of another ledger the answers say nothing.
    pub hash: [u8; 32],
    /// The round under way, or the last one.
    pub round: u64,
    /// When it began, seconds.
    pub begun_at: u64,
    /// Where it is.
    pub stage: Stage,
    /// Number of the signer that signs now.
    pub signer: u32,
    /// Certificates answered in this round so far.
    pub certificates: u64,
    /// When the last of those certificates ended that there may be no answers about because they
    /// had ended, by the clock of that time (seconds); 0 for none. By an earlier clock they are
    /// missing.
    pub left_out: u64,
    /// The latest moment, by the clock of that time, that something was signed at since the round
    /// began, seconds.
    pub latest: u64,
}

/// What one copy says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    pub progress: Progress,
    /// Counts the records; the higher one holds.
    pub count: u64,
    /// Slots that are not empty, as of a clean stop.
    pub taken: u64,
    /// Set by a clean stop.
    pub clean: bool,
}

/// Where a round is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// None was ever begun.
    #[default]
    Nothing,
    /// The first one: among the certificates, those up to this request number are answered.
    First(u64),
    /// A later one, as far; what is not answered yet has the answers of the one before.
    Later(u64),
    /// It is over.
    Over,
}

impl Record {
    pub fn encode(&self) -> [u8; RECORD] {
        let mut octets = [0; RECORD];
        let progress = &self.progress;
        let (stage, cursor) = match progress.stage {
            Stage::Nothing => (0, 0),
            Stage::First(cursor) => (1, cursor),
            Stage::Later(cursor) => (2, cursor),
            Stage::Over => (3, 0),
        };
        let numbers = [
            self.count,
            progress.reflected,
            progress.round,
            progress.begun_at,
            cursor,
            progress.certificates,
        ];
        for (place, number) in octets[8..56].chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        octets[56] = stage;
        octets[57] = u8::from(self.clean);
        octets[60..64].copy_from_slice(&progress.signer.to_le_bytes());
        octets[64..96].copy_from_slice(&progress.hash);
        octets[96..104].copy_from_slice(&self.taken.to_le_bytes());
        octets[104..112].copy_from_slice(&progress.left_out.to_le_bytes());
        octets[112..120].copy_from_slice(&progress.latest.to_le_bytes());
        let sum = crc32c::crc32c(&octets[4..]);
        octets[..4].copy_from_slice(&sum.to_le_bytes());
        octets
    }

    pub fn decode(octets: &[u8; RECORD]) -> Option<Self> {
        if crc32c::crc32c(&octets[4..]) != u32::from_le_bytes(*octets.first_chunk()?) {
            return None;
        }
        let number = |at: usize| Some(u64::from_le_bytes(*octets.get(at..)?.first_chunk()?));
        let cursor = number(40)?;
        let progress = Progress {
            reflected: number(16)?,
            round: number(24)?,
            begun_at: number(32)?,
            stage: match octets[56] {
                0 => Stage::Nothing,
                1 => Stage::First(cursor),
                2 => Stage::Later(cursor),
                3 => Stage::Over,
                _ => return None,
            },
            certificates: number(48)?,
            signer: u32::from_le_bytes(*octets.get(60..)?.first_chunk()?),
            hash: *octets.get(64..)?.first_chunk()?,
            left_out: number(104)?,
            latest: number(112)?,
        };
        Some(Self { progress, count: number(8)?, taken: number(96)?, clean: octets[57] == 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_and_nothing_else() {
        for stage in [Stage::Nothing, Stage::First(7), Stage::Later(u64::MAX), Stage::Over] {
            let progress = Progress {
                reflected: 2,
                hash: [3; 32],
                round: 4,
                begun_at: 5,
                stage,
                signer: 6,
                certificates: 7,
                left_out: 9,
                latest: 10,
            };
            let record = Record { progress, count: 1, taken: 8, clean: true };
            let mut octets = record.encode();
            assert_eq!(Record::decode(&octets), Some(record));
            octets[20] ^= 1;
            assert_eq!(Record::decode(&octets), None);
        }
        assert_eq!(Record::decode(&[0; RECORD]), None);
    }
}
