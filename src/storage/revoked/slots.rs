//! The sidecar of the encoded entries: fixed-size records, in the order of the ledger.
//!
//! ```text
//! slot  kind u8 (1 entry, 2 removal, 3 floor, 4 removed) · serial length u8 · serial [20] ·
//!       encoded length u16 · moment u64 (seconds: when the certificate ends, all ones where that
//!       is not known; when it was removed) · sequence u64 · 8 zero octets
//! ```

use crate::pki::serial::SerialNumber;
use crate::pki::time::Timestamp;

/// Octets of a slot.
pub const SLOT: usize = 48;

/// What a slot says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// An entry of this many octets was appended; its certificate ends then.
    Entry {
        /// Octets of the encoded entry.
        length: u16,
        /// When the certificate ends; the end of time where that is not known.
        not_after: u64,
    },
    /// Earlier entries of this serial number count no more.
    Removal {
        /// Since when, in seconds.
        at: u64,
    },
    /// A removal that was carried out: there are no earlier entries. Delta CRLs tell of it.
    Removed {
        /// Since when, in seconds.
        at: u64,
    },
    /// Says, of no serial number, that entries which ended before this second were dropped, if
    /// they are of the slot's ledger entry or an earlier one.
    Floor(u64),
}

/// One slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Whose.
    pub serial: SerialNumber,
    /// What happened.
    pub change: Change,
    /// Number of the ledger entry that says so.
    pub sequence: u64,
}

impl Slot {
    /// The same beside entries that were kept when it was carried out elsewhere.
    pub fn yet_to_be_carried_out(self) -> Self {
        match self.change {
            Change::Removed { at } => Self { change: Change::Removal { at }, ..self },
            _ => self,
        }
    }

    /// As stored.
    pub fn encode(&self) -> [u8; SLOT] {
        let mut octets = [0; SLOT];
        let serial = self.serial.as_der_content();
        let (kind, length, not_after) = match self.change {
            Change::Entry { length, not_after } => (1, length, not_after),
            Change::Removal { at } => (2, 0, at),
            Change::Floor(before) => (3, 0, before),
            Change::Removed { at } => (4, 0, at),
        };
        octets[0] = kind;
        // At most 20.
        octets[1] = serial.len() as u8;
        octets[2..2 + serial.len()].copy_from_slice(serial);
        octets[22..24].copy_from_slice(&length.to_le_bytes());
        octets[24..32].copy_from_slice(&not_after.to_le_bytes());
        octets[32..40].copy_from_slice(&self.sequence.to_le_bytes());
        octets
    }

    /// Reads one back.
    pub fn decode(octets: &[u8; SLOT]) -> Option<Self> {
        let number = |at: usize| Some(u64::from_le_bytes(octets.get(at..at + 8)?.try_into().ok()?));
        let serial = octets.get(2..2 + usize::from(octets[1]).min(20))?;
        let serial = SerialNumber::from_der_content(serial).ok()?;
        let change = match octets[0] {
            1 => Change::Entry {
                length: u16::from_le_bytes([octets[22], octets[23]]),
                not_after: number(24)?,
            },
            2 => Change::Removal { at: number(24)? },
            3 => Change::Floor(number(24)?),
            4 => Change::Removed { at: number(24)? },
            _ => return None,
        };
        Some(Self { serial, change, sequence: number(32)? })
    }
}

/// Seconds that stand for "not known".
pub const UNKNOWN_END: u64 = u64::MAX;

/// When a certificate ends, as a slot keeps it.
pub fn end_of(not_after: Option<Timestamp>) -> u64 {
    not_after.map_or(UNKNOWN_END, Timestamp::seconds)
}
