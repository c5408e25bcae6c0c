//! RSA public keys: size, exponent, and the weaknesses that a modulus shows by itself.
//!
//! Not here: lists of keys that leaked (Debian's OpenSSL of 2006–2008 and others). They are large,
//! and none is shipped; a key revoked for keyCompromise is refused by the authority.

use ::rsa::BoxedUint;
use ::rsa::pkcs1::RsaPublicKeyRef;
use der::Decode;

use super::{KeyError, Weakness};

const SMALLEST_BITS: u32 = 2048;
const LARGEST_BITS: u32 = 8192;

/// Judges `RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }`; its size in
/// bits. Nothing costly happens before the size is known to be within bounds.
pub(super) fn check(raw: &[u8]) -> Result<u32, KeyError> {
    // rsa's own RsaPublicKey refuses what is above 4096 bits.
    let key = RsaPublicKeyRef::from_der(raw)?;
    let (modulus, exponent) = (key.modulus.as_bytes(), key.public_exponent.as_bytes());
    let bits = u32::try_from(modulus.len() * 8).unwrap_or(u32::MAX) - modulus[0].leading_zeros();
    if bits < SMALLEST_BITS {
        return Err(KeyError::TooSmall { bits });
    }
    if bits > LARGEST_BITS {
        return Err(KeyError::TooLarge { bits });
    }
    check_exponent(exponent)?;
    let limbs = limbs(modulus);
    if has_small_factor(&limbs) {
        return Err(KeyError::KnownWeak(Weakness::SmallFactor));
    }
    if is_roca(&limbs) {
        return Err(KeyError::KnownWeak(Weakness::Roca));
    }
    if has_close_primes(modulus, &limbs) {
        return Err(KeyError::KnownWeak(Weakness::ClosePrimes));
    }
    Ok(bits)
}

/// Odd and from 65537 (FIPS 186-5 A.1.1) to 32 bits: 1 signs nothing, 3 has a history, and what is
/// above only costs time.
fn check_exponent(exponent: &[u8]) -> Result<(), KeyError> {
    let value = exponent.iter().fold(0u64, |value, octet| value << 8 | u64::from(*octet));
    if exponent.len() <= 4 && value % 2 == 1 && value >= 65537 {
        Ok(())
    } else {
        Err(KeyError::BadExponent)
    }
}

/// Most significant first.
fn limbs(modulus: &[u8]) -> Vec<u64> {
    let padding = (8 - modulus.len() % 8) % 8;
    let padded: Vec<u8> = std::iter::repeat_n(0, padding).chain(modulus.iter().copied()).collect();
    let (limbs, _) = padded.as_chunks::<8>();
    limbs.iter().map(|limb| u64::from_be_bytes(*limb)).collect()
}

fn remainder(limbs: &[u64], divisor: u64) -> u64 {
    // In halves of limbs, so that the machine's own division serves.
    let wide = u128::from(divisor);
    let value = limbs.iter().fold(0u128, |rest, limb| ((rest << 64) | u128::from(*limb)) % wide);
    // Smaller than a 64-bit divisor.
    value as u64
}

const fn is_prime(number: u64) -> bool {
    let mut divisor = 2;
    while divisor * divisor <= number {
        if number.is_multiple_of(divisor) {
            return false;
        }
        divisor += 1;
    }
    number > 1
}

/// Products of consecutive primes from 3 to 751 (NIST SP 800-89 §5.3.3), each within 64 bits.
const PRODUCTS: [u64; 22] = {
    let mut products = [1u64; 22];
    let mut at = 0;
    let mut number = 3;
    while number < 752 {
        if is_prime(number) {
            match products[at].checked_mul(number) {
                Some(product) => products[at] = product,
                None => {
                    at += 1;
                    products[at] = number;
                }
            }
        }
        number += 2;
    }
    products
};

fn has_small_factor(limbs: &[u64]) -> bool {
    let even = limbs.last().is_none_or(|last| last.is_multiple_of(2));
    even || PRODUCTS.iter().any(|product| gcd(remainder(limbs, *product), *product) != 1)
}

/// Stein's way: shifts and subtractions, for divisions are what costs here.
fn gcd(mut one: u64, mut odd: u64) -> u64 {
    while one != 0 {
        one >>= one.trailing_zeros();
        (one, odd) = (one.abs_diff(odd), one.min(odd));
    }
    odd
}

/// The fingerprint of CVE-2017-15361 (Nemec et al., "The Return of Coppersmith's Attack", §3):
/// modulo each of these primes the modulus lies in the subgroup that 65537 generates. For other
/// keys the chance is below 2^-27.
fn is_roca(limbs: &[u64]) -> bool {
    const PRIMES: [u64; 17] =
        [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157];
    PRIMES.iter().all(|prime| {
        let residue = remainder(limbs, *prime);
        let mut power = 1;
        loop {
            if power == residue {
                return true;
            }
            power = power * 65537 % prime;
            if power == 1 {
                return false;
            }
        }
    })
}

/// Rounds of Fermat's method: enough for every key of CVE-2022-26320, which fall in the first.
const FERMAT_ROUNDS: u64 = 100;

/// Whether Fermat's method finds the primes in a few rounds: n = a² − b² with a just above √n.
fn has_close_primes(modulus: &[u8], limbs: &[u64]) -> bool {
    // Room for the square of a number a little above the root.
    let precision = u32::try_from(modulus.len() * 8 + 64).unwrap_or(u32::MAX);
    let Ok(number) = BoxedUint::from_be_slice(modulus, precision) else { return false };
    let root = number.floor_sqrt_vartime();
    let root_limbs = self::limbs(&root.to_be_bytes());
    // Most differences a² − n are no squares, which small primes tell without large numbers.
    let product = SIEVE.iter().product();
    let (root_rest, number_rest) = (remainder(&root_limbs, product), remainder(limbs, product));
    let residues = SIEVE.map(|prime| (prime, root_rest % prime, number_rest % prime));
    (0..=FERMAT_ROUNDS).any(|round| {
        let may_be_square = residues.iter().all(|(prime, root, number)| {
            let a = (root + round) % prime;
            is_square_modulo((a * a + prime - number) % prime, *prime)
        });
        may_be_square && is_difference_of_squares(&number, &root, round)
    })
}

const SIEVE: [u64; 12] = [3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41];

fn is_square_modulo(value: u64, prime: u64) -> bool {
    (0..=prime / 2).any(|candidate| candidate * candidate % prime == value)
}

fn is_difference_of_squares(number: &BoxedUint, root: &BoxedUint, round: u64) -> bool {
    let a = root.wrapping_add(BoxedUint::from(round));
    let square = a.wrapping_mul(&a);
    if square < *number {
        return false;
    }
    let difference = square.wrapping_sub(number);
    let b = difference.floor_sqrt_vartime();
    b.wrapping_mul(&b) == difference
}
