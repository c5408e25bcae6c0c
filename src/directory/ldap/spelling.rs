//! One spelling for each account, however its name was written: by it wrong passwords are counted.
//!
//! Active Directory compares names without case and without accents, so one account answers to
//! any number of spellings, each of which would otherwise have tries of its own. Names that are
//! nobody's are spelled by the same rules, so that counting tells nobody which names there are.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::Domain;

/// `REALM\name` of a `sAMAccountName`, in that one spelling.
pub fn of_account(domain: &Domain, name: &str) -> String {
    let name = name.strip_suffix('$').unwrap_or(name);
    folded(&format!("{}\\{name}", domain.realm))
}

/// The spelling of a name that was not found, as if there were such an account.
pub fn of_nobody(domain: &Domain, written: &str) -> String {
    if let Some((_, name)) = written.split_once('\\') {
        return of_account(domain, name);
    }
    match written.rsplit_once('@') {
        Some((name, suffix)) if suffix.eq_ignore_ascii_case(&domain.dns_name) => {
            of_account(domain, name)
        }
        Some(_) => folded(written),
        None => of_account(domain, written),
    }
}

/// Without case, accents and width.
fn folded(text: &str) -> String {
    text.nfkd().filter(|one| !is_combining_mark(*one)).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::domain;
    use super::*;

    #[test]
    fn every_spelling_of_a_name_is_one() {
        let domain = domain();
        let anna = of_account(&domain, "anna");
        for written in [
            "CORP\\anna",
            "corp\\ANNA",
            "anna",
            "anna@corp.contoso.com",
            "Ánnà",
            "ａｎｎａ",
            "anna$",
        ] {
            assert_eq!(of_nobody(&domain, written), anna, "{written}");
        }
        for other in ["annb", "anna@contoso.com", "bert@corp.contoso.com", "a nna"] {
            assert_ne!(of_nobody(&domain, other), anna, "{other}");
        }
    }
}
