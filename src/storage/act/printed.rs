//! How octets appear in the audit view and the export.

use super::authority::Der;

pub(super) fn base64<S: serde::Serializer>(bytes: &[u8], out: S) -> Result<S::Ok, S::Error> {
    use base64::Engine as _;
    out.serialize_str(&base64::engine::general_purpose::STANDARD.encode(bytes))
}

pub(super) fn base64_list<S: serde::Serializer>(list: &[Der], out: S) -> Result<S::Ok, S::Error> {
    use base64::Engine as _;
    out.collect_seq(
        list.iter().map(|item| base64::engine::general_purpose::STANDARD.encode(&item.0)),
    )
}

pub(super) fn hex<S: serde::Serializer>(bytes: &[u8], out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(&bytes.iter().map(|octet| format!("{octet:02x}")).collect::<String>())
}

pub(super) fn hex_option<S: serde::Serializer>(
    bytes: &Option<[u8; 32]>,
    out: S,
) -> Result<S::Ok, S::Error> {
    match bytes {
        Some(bytes) => hex(bytes, out),
        None => out.serialize_none(),
    }
}
