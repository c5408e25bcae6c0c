//! Certificate requests (RFC 2986), good ones and bad ones.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, DistinguishedName, DnType, DnValue, KeyPair, SanType};

/// A new request as DER. `wanted` is `p256`, `p384` or `rsa2048`, then `CN=…`, `O=…`, `DNS:…`, `IP:…`.
pub fn der(wanted: &str) -> Vec<u8> {
    let mut words = wanted.split_whitespace();
    let algorithm = match words.next() {
        Some("p256") => &rcgen::PKCS_ECDSA_P256_SHA256,
        Some("rsa2048") => &rcgen::PKCS_RSA_SHA256,
        Some("p384") => &rcgen::PKCS_ECDSA_P384_SHA384,
        other => panic!("{other:?} is no kind of key"),
    };
    let key = KeyPair::generate_for(algorithm).unwrap();
    let mut subject = Vec::new();
    let mut names = Vec::new();
    for word in words {
        match word.split_once(['=', ':']).unwrap() {
            ("CN", name) => subject.push((DnType::CommonName, name.to_owned())),
            ("O", name) => subject.push((DnType::OrganizationName, name.to_owned())),
            ("DNS", name) => names.push(SanType::DnsName(name.try_into().unwrap())),
            ("IP", address) => names.push(SanType::IpAddress(address.parse().unwrap())),
            _ => panic!("{word} is no name"),
        }
    }
    signed(&key, subject, names)
}

/// A new request in base64, one line.
pub fn base64(wanted: &str) -> String {
    STANDARD.encode(der(wanted))
}

/// A new request as PEM.
pub fn pem(wanted: &str) -> String {
    to_pem(&der(wanted))
}

pub fn to_pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let label = "CERTIFICATE REQUEST";
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn signed(key: &KeyPair, subject: Vec<(DnType, String)>, names: Vec<SanType>) -> Vec<u8> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    for (kind, value) in subject {
        params.distinguished_name.push(kind, DnValue::Utf8String(value));
    }
    params.subject_alt_names = names;
    params.serialize_request(key).unwrap().der().to_vec()
}

/// With a common name of any text.
pub fn named(common_name: &str) -> Vec<u8> {
    let key = KeyPair::generate().unwrap();
    signed(&key, vec![(DnType::CommonName, common_name.to_owned())], Vec::new())
}

/// With a dNSName of any ASCII text.
pub fn dns(name: &str) -> Vec<u8> {
    let key = KeyPair::generate().unwrap();
    signed(&key, Vec::new(), vec![SanType::DnsName(name.try_into().unwrap())])
}

/// With one octet of the signature changed.
pub fn broken() -> Vec<u8> {
    let mut der = der("p256 CN=vpn1.corp.contoso.com");
    let last = der.len() - 1;
    der[last] ^= 1;
    der
}

/// One key's request under another key's signature.
pub fn foreign() -> Vec<u8> {
    let own = der("p256 CN=vpn1.corp.contoso.com");
    let other = der("p256 CN=vpn1.corp.contoso.com");
    let (body, _) = parts(&own);
    let (_, signature) = parts(&other);
    sequence(&[body, signature].concat())
}

/// The point of the key moved off its curve.
pub fn off_curve() -> Vec<u8> {
    let mut der = der("p256 CN=vpn1.corp.contoso.com");
    let start = der.windows(4).position(|window| window == [0x03, 0x42, 0x00, 0x04]).unwrap();
    der[start + 4 + 40] ^= 1;
    der
}

/// An RSA key of so many octets with that exponent, under a signature of zeros.
pub fn rsa(modulus_octets: usize, exponent: &[u8]) -> Vec<u8> {
    let mut modulus = vec![0x5a; modulus_octets];
    modulus[0] = 0xc3;
    modulus[modulus_octets - 1] = 0x6b;
    modulus.insert(0, 0);
    let key = sequence(&[tlv(0x02, &modulus), tlv(0x02, exponent)].concat());
    let oid = |octets: &[u8]| sequence(&[tlv(0x06, octets), vec![0x05, 0x00]].concat());
    // rsaEncryption and sha256WithRSAEncryption (RFC 8017 appendix C).
    let encryption = oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01]);
    let algorithm = oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b]);
    let bits = |octets: &[u8]| tlv(0x03, &[&[0], octets].concat());
    let info = sequence(
        &[
            vec![0x02, 0x01, 0x00],
            sequence(&[]),
            sequence(&[encryption, bits(&key)].concat()),
            vec![0xa0, 0x00],
        ]
        .concat(),
    );
    sequence(&[info, algorithm, bits(&vec![0; modulus_octets])].concat())
}

/// The to-be-signed part, and algorithm with signature.
fn parts(request: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (header, _) = lengths(request);
    let content = &request[header..];
    let (header, length) = lengths(content);
    (content[..header + length].to_vec(), content[header + length..].to_vec())
}

/// Length of a DER header, and of its content.
fn lengths(der: &[u8]) -> (usize, usize) {
    match der[1] {
        short @ 0..0x80 => (2, usize::from(short)),
        long => {
            let count = usize::from(long & 0x7f);
            let length = der[2..2 + count].iter();
            (2 + count, length.fold(0, |sum, octet| sum << 8 | usize::from(*octet)))
        }
    }
}

pub fn sequence(content: &[u8]) -> Vec<u8> {
    tlv(0x30, content)
}

pub fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut der = vec![tag];
    if length < 0x80 {
        der.push(u8::try_from(length).unwrap());
    } else {
        let octets = length.to_be_bytes();
        let skip = octets.iter().take_while(|octet| **octet == 0).count();
        der.push(0x80 | u8::try_from(octets.len() - skip).unwrap());
        der.extend(&octets[skip..]);
    }
    der.extend(content);
    der
}
