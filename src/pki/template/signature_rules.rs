//! What the certificates of co-signers must be good for: `msPKI-RA-Application-Policies`
//! ([MS-CRTD] §2.23), which is a list of OIDs or, in templates of version 3 and 4, triplets of
//! name, type and value set apart by backticks.

use const_oid::ObjectIdentifier;

use super::Purpose;
use super::mistake::Problem;
use super::value::parsed;

const PURPOSE: &str = "an OID, a known name, or `name (OID)` that agree";
const TRIPLETS: &str = "triplets name`type`value` of [MS-CRTD] §2.23";

/// The application policies in the entries; of the triplets only those of the property
/// `msPKI-RA-Application-Policies` concern co-signers, the others are for clients.
pub(super) fn purposes(entries: &[String]) -> Result<Vec<ObjectIdentifier>, Problem> {
    let mut purposes = Vec::new();
    for entry in entries {
        if !entry.contains('`') {
            purposes.push(parsed::<Purpose>(entry, PURPOSE)?.oid());
            continue;
        }
        for value in values(entry)? {
            purposes.push(parsed(value, "an OID")?);
        }
    }
    purposes.dedup();
    Ok(purposes)
}

/// The values of the property in `` name`type`value`name`type`value` ``.
fn values(triplets: &str) -> Result<Vec<&str>, Problem> {
    let wrong = || Problem::NotA(triplets.chars().take(64).collect(), TRIPLETS);
    let parts: Vec<&str> = triplets.strip_suffix('`').ok_or_else(wrong)?.split('`').collect();
    let (triplets, []) = parts.as_chunks::<3>() else { return Err(wrong()) };
    let mut values = Vec::new();
    for [name, kind, value] in triplets {
        match (*name, *kind) {
            ("msPKI-RA-Application-Policies", "PZPWSTR") => {
                values.extend(value.split(',').map(str::trim));
            }
            ("msPKI-RA-Application-Policies", _) => return Err(wrong()),
            _ => {}
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::oid;

    fn read(entries: &[&str]) -> Result<Vec<ObjectIdentifier>, Problem> {
        purposes(&entries.iter().map(|&own| own.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn both_syntaxes_name_the_same_policies() {
        let agent = vec![oid::REQUEST_AGENT];
        for entries in [
            &["1.3.6.1.4.1.311.20.2.1"][..],
            &["Certificate Request Agent (1.3.6.1.4.1.311.20.2.1)"],
            &[
                "msPKI-Asymmetric-Algorithm`PZPWSTR`RSA`msPKI-RA-Application-Policies`PZPWSTR`1.3.6.1.4.1.311.20.2.1`",
            ],
            &[
                "msPKI-RA-Application-Policies`PZPWSTR`1.3.6.1.4.1.311.20.2.1`msPKI-Key-Usage`DWORD`2`",
            ],
        ] {
            assert_eq!(read(entries), Ok(agent.clone()), "{entries:?}");
        }
        let two = "msPKI-RA-Application-Policies`PZPWSTR`1.2.3,1.2.4`";
        assert_eq!(read(&[two]).map(|own| own.len()), Ok(2));
        assert_eq!(read(&["msPKI-Key-Usage`DWORD`2`"]), Ok(vec![]));
    }

    #[test]
    fn what_is_not_understood_is_refused_and_never_passed_over() {
        for entry in [
            "agents",
            "msPKI-RA-Application-Policies`PZPWSTR`1.3.6.1.4.1.311.20.2.1",
            "msPKI-RA-Application-Policies`PZPWSTR`agent`",
            "msPKI-RA-Application-Policies`PZPWSTR``",
            "msPKI-RA-Application-Policies`DWORD`1`",
            "msPKI-RA-Application-Policies`1.2.3`",
            "`",
        ] {
            assert!(read(&[entry]).is_err(), "{entry}");
        }
    }
}
