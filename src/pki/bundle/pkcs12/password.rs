//! Encryption under a password, as files of PKCS #12 have it: PBES2 (RFC 8018 §6.2) today, SHA-1
//! with 3DES or 40-bit RC2 (RFC 7292 appendix C) until Windows Server 2016 and OpenSSL 1.1.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockCipherDecrypt, BlockModeDecrypt, KeyInit, KeyIvInit};
use der::asn1::{AnyRef, ObjectIdentifier, OctetStringRef};
use der::{Decode, Encode, Sequence};
use pkcs8::pkcs5::pbes2::{Kdf, PBES2_OID, Parameters};
use spki::AlgorithmIdentifierRef;
use zeroize::Zeroizing;

use super::NotOpened;

/// Rounds of key derivation that one file costs at most, all its parts together: Windows takes
/// 2,000, OpenSSL 2,048, Java 10,000, and who is anxious some hundred thousand.
pub(super) const MOST_ROUNDS: u64 = 1_000_000;
/// Octets that scrypt (RFC 7914 §2: 128 · N · r · p) may go through.
const LARGEST_SCRYPT: u64 = 64 * 1024 * 1024;
/// Octets of a salt at most: each round hashes all of it.
const LONGEST_SALT: usize = 1024;

const SHA1_3DES: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.3");
const SHA1_RC2_40: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.6");

/// What one file has cost.
#[derive(Default)]
pub(super) struct Costs {
    rounds: u64,
}

impl Costs {
    fn add(&mut self, rounds: u64) -> Result<(), NotOpened> {
        self.rounds = self.rounds.saturating_add(rounds);
        if self.rounds > MOST_ROUNDS { Err(NotOpened::TooCostly) } else { Ok(()) }
    }
}

/// ```text
/// pkcs-12PbeParams ::= SEQUENCE { salt OCTET STRING, iterations INTEGER }
/// ```
#[derive(Sequence)]
struct OldParameters<'a> {
    salt: &'a OctetStringRef,
    iterations: u32,
}

/// Decrypts `content`; `costs` is what the file has cost until now.
pub(super) fn decrypt(
    algorithm: &AnyRef<'_>,
    content: &[u8],
    password: &str,
    costs: &mut Costs,
) -> Result<Vec<u8>, NotOpened> {
    let algorithm = algorithm.decode_as::<AlgorithmIdentifierRef<'_>>()?;
    let parameters = algorithm.parameters.ok_or(NotOpened::Malformed)?;
    match algorithm.oid {
        PBES2_OID => {
            let parameters = Parameters::from_der(&parameters.to_der()?)
                .map_err(|_| NotOpened::UnknownCipher)?;
            costs.add(rounds(&parameters.kdf)?)?;
            parameters.decrypt(password, content).map_err(|why| match why {
                pkcs8::pkcs5::Error::UnsupportedAlgorithm { .. } => NotOpened::UnknownCipher,
                _ => NotOpened::WrongPassword,
            })
        }
        SHA1_3DES => old::<des::TdesEde3>(&parameters, content, password, 24, costs),
        SHA1_RC2_40 => old::<rc2::Rc2>(&parameters, content, password, 5, costs),
        _ => Err(NotOpened::UnknownCipher),
    }
}

/// Of scrypt in rounds of what it does with a KiB, of which it is slow.
fn rounds(kdf: &Kdf) -> Result<u64, NotOpened> {
    match kdf {
        Kdf::Pbkdf2(own) => Ok(u64::from(own.iteration_count)),
        Kdf::Scrypt(own) => {
            let octets = 128u64
                .checked_mul(own.cost_parameter)
                .and_then(|octets| octets.checked_mul(u64::from(own.block_size)))
                .and_then(|octets| octets.checked_mul(u64::from(own.parallelization)));
            match octets {
                Some(octets) if octets <= LARGEST_SCRYPT => Ok(octets / 1024),
                _ => Err(NotOpened::TooCostly),
            }
        }
        _ => Err(NotOpened::UnknownCipher),
    }
}

fn old<Cipher: KeyInit + BlockCipherDecrypt>(
    parameters: &AnyRef<'_>,
    content: &[u8],
    password: &str,
    key_length: usize,
    costs: &mut Costs,
) -> Result<Vec<u8>, NotOpened> {
    let OldParameters { salt, iterations } = parameters.decode_as()?;
    let salt = salt.as_bytes();
    if salt.len() > LONGEST_SALT || password.len() > LONGEST_SALT {
        return Err(NotOpened::TooCostly);
    }
    // Two blocks of key and one of initialisation vector, at most.
    costs.add(3 * u64::from(iterations))?;
    let key = derived(Purpose::Key, password, salt, iterations, key_length);
    let vector = derived(Purpose::InitialisationVector, password, salt, iterations, 8);
    let cipher = cbc::Decryptor::<Cipher>::new_from_slices(&key, &vector);
    let cipher = cipher.map_err(|_| NotOpened::UnknownCipher)?;
    cipher.decrypt_padded_vec::<Pkcs7>(content).map_err(|_| NotOpened::WrongPassword)
}

/// The diversifier (RFC 7292 appendix B.3).
#[derive(Clone, Copy)]
enum Purpose {
    Key = 1,
    InitialisationVector = 2,
}

/// RFC 7292 appendix B.2 with SHA-1: u = 20 octets of hash, v = 64 of its block.
fn derived(
    purpose: Purpose,
    password: &str,
    salt: &[u8],
    iterations: u32,
    length: usize,
) -> Zeroizing<Vec<u8>> {
    const BLOCK: usize = 64;
    // A BMPString with its NUL (appendix B.1).
    let units = password.encode_utf16().chain([0]);
    let password = Zeroizing::new(units.flat_map(u16::to_be_bytes).collect::<Vec<u8>>());
    let filled = |octets: &[u8]| -> Vec<u8> {
        octets.iter().copied().cycle().take(octets.len().next_multiple_of(BLOCK)).collect()
    };
    let mut input = Zeroizing::new([filled(salt), filled(&password)].concat());
    let mut out = Zeroizing::new(Vec::with_capacity(length + 20));
    loop {
        let mut hash = Zeroizing::new([&[purpose as u8; BLOCK][..], &input].concat());
        for _ in 0..iterations.max(1) {
            *hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, &hash).as_ref().to_vec();
        }
        out.extend_from_slice(&hash);
        if out.len() >= length {
            out.truncate(length);
            return out;
        }
        // Each block of the input plus the hash, repeated, plus one.
        for block in input.chunks_mut(BLOCK) {
            let mut carry = 1u16;
            for (place, octet) in block.iter_mut().enumerate().rev() {
                let sum = u16::from(*octet) + u16::from(hash[place % hash.len()]) + carry;
                (*octet, carry) = (sum as u8, sum >> 8);
            }
        }
    }
}
