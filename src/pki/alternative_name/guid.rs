//! objectGUID, as Active Directory stores it and as people write it.

/// A GUID's text form; Active Directory stores the first three groups little-endian.
pub fn guid_text(octets: &[u8; 16]) -> String {
    let hex = |range: &[u8]| range.iter().map(|octet| format!("{octet:02x}")).collect::<String>();
    let little = |range: &[u8]| {
        let reversed: Vec<u8> = range.iter().rev().copied().collect();
        hex(&reversed)
    };
    format!(
        "{}-{}-{}-{}-{}",
        little(&octets[..4]),
        little(&octets[4..6]),
        little(&octets[6..8]),
        hex(&octets[8..10]),
        hex(&octets[10..])
    )
}

/// The octets of a GUID in the order Active Directory stores them, from its text form (with or
/// without braces).
pub fn guid_from_text(text: &str) -> Option<[u8; 16]> {
    let plain = text.trim_start_matches('{').trim_end_matches('}');
    let groups: Vec<&str> = plain.split('-').collect();
    if groups.iter().map(|group| group.len()).ne([8, 4, 4, 4, 12]) || !plain.is_ascii() {
        return None;
    }
    let digits: String = groups.concat();
    let mut octets = [0; 16];
    for (octet, at) in octets.iter_mut().zip((0..).step_by(2)) {
        let pair = digits.get(at..at + 2)?;
        if !pair.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        *octet = u8::from_str_radix(pair, 16).ok()?;
    }
    octets[..4].reverse();
    octets[4..6].reverse();
    octets[6..8].reverse();
    Some(octets)
}
