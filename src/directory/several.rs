//! Several directories as one: which one answers for which accounts is told by the name.
//!
//! `REALM\name` is the realm's. `name@suffix` is a built-in account of that very name, else it is
//! of the directory with that UPN suffix. A name without realm is built in, except for who logs
//! on with a password: built-in accounts have none, so it is of the default realm.

use super::{Directory, DirectoryError, Guesses, Logon};
use crate::pki::account::Account;

/// A directory with the names it answers for.
pub struct Branch {
    /// What stands before the backslash.
    pub realm: String,
    /// What stands behind the `@`.
    pub upn_suffixes: Vec<String>,
    /// Who answers.
    pub directory: Box<dyn Directory>,
}

/// The built-in directory and others beside it; their realms and suffixes differ.
pub struct Several {
    /// The built-in directory.
    pub built_in: Box<dyn Directory>,
    /// The others.
    pub branches: Vec<Branch>,
    /// The realm of a name without one, where a password comes with it.
    pub default_realm: Option<String>,
}

impl Several {
    fn of_realm(&self, realm: &str) -> Option<&dyn Directory> {
        let branch = self.branches.iter().find(|own| own.realm.eq_ignore_ascii_case(realm))?;
        Some(branch.directory.as_ref())
    }

    fn of_suffix(&self, suffix: &str) -> Option<&dyn Directory> {
        let answers =
            |own: &&Branch| own.upn_suffixes.iter().any(|known| known.eq_ignore_ascii_case(suffix));
        Some(self.branches.iter().find(answers)?.directory.as_ref())
    }
}

impl Directory for Several {
    fn account(&self, name: &str) -> Result<Option<Account>, DirectoryError> {
        match name.split_once('\\') {
            None => self.built_in.account(name),
            Some((realm, _)) => match self.of_realm(realm) {
                Some(directory) => directory.account(name),
                None => Ok(None),
            },
        }
    }

    fn find(&self, written: &str) -> Result<Option<Account>, DirectoryError> {
        if let Some((realm, _)) = written.split_once('\\') {
            return match self.of_realm(realm) {
                Some(directory) => directory.find(written),
                None => Ok(None),
            };
        }
        let own = self.built_in.find(written)?;
        match written.rsplit_once('@').and_then(|(_, suffix)| self.of_suffix(suffix)) {
            Some(directory) if own.is_none() => directory.find(written),
            _ => Ok(own),
        }
    }

    fn authenticate(
        &self,
        written: &str,
        password: &str,
        guesses: &dyn Guesses,
    ) -> Result<Logon, DirectoryError> {
        let qualified;
        let (directory, written) = if let Some((realm, _)) = written.split_once('\\') {
            (self.of_realm(realm), written)
        } else if let Some((_, suffix)) = written.rsplit_once('@') {
            (self.of_suffix(suffix), written)
        } else if let Some(realm) = &self.default_realm {
            qualified = format!("{realm}\\{written}");
            (self.of_realm(realm), qualified.as_str())
        } else {
            (None, written)
        };
        match directory {
            Some(directory) => directory.authenticate(written, password, guesses),
            // Counted like every other name that is nobody's.
            None => {
                let spelling = written.to_lowercase();
                if !guesses.may_try(&spelling) {
                    return Ok(Logon::NotTried);
                }
                guesses.was_wrong(&spelling);
                Ok(Logon::Wrong)
            }
        }
    }

    fn takes_passwords(&self) -> bool {
        self.branches.iter().any(|own| own.directory.takes_passwords())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::account::AccountKind;
    use std::cell::RefCell;

    /// Knows everybody; says by the account's cn who was asked for what.
    struct Echo(&'static str);

    fn told(text: String) -> Result<Option<Account>, DirectoryError> {
        Ok(Some(Account::named(&text, AccountKind::User)))
    }

    /// Counts wrong passwords; the second one for a name is the last.
    #[derive(Default)]
    struct Tally(RefCell<Vec<String>>);

    impl Guesses for Tally {
        fn may_try(&self, spelling: &str) -> bool {
            self.0.borrow().iter().filter(|own| *own == spelling).count() < 2
        }
        fn was_wrong(&self, spelling: &str) {
            self.0.borrow_mut().push(spelling.to_owned());
        }
    }

    impl Directory for Echo {
        fn account(&self, name: &str) -> Result<Option<Account>, DirectoryError> {
            told(format!("{} account {name}", self.0))
        }
        fn find(&self, written: &str) -> Result<Option<Account>, DirectoryError> {
            match (self.0, written.contains('@')) {
                ("built-in", true) if written != "own@corp.contoso.com" => Ok(None),
                _ => told(format!("{} find {written}", self.0)),
            }
        }
        fn authenticate(
            &self,
            written: &str,
            _: &str,
            guesses: &dyn Guesses,
        ) -> Result<Logon, DirectoryError> {
            assert!(guesses.may_try(written));
            let found = told(format!("{} authenticate {written}", self.0))?;
            Ok(found.map_or(Logon::Wrong, |account| Logon::Proven(Box::new(account))))
        }
        fn takes_passwords(&self) -> bool {
            self.0 != "built-in"
        }
    }

    fn several(default_realm: Option<&str>) -> Several {
        let branch = |realm: &'static str, suffix: &str| Branch {
            realm: realm.to_owned(),
            upn_suffixes: vec![suffix.to_owned()],
            directory: Box::new(Echo(realm)),
        };
        Several {
            built_in: Box::new(Echo("built-in")),
            branches: vec![branch("CORP", "corp.contoso.com"), branch("LAB", "lab.contoso.com")],
            default_realm: default_realm.map(str::to_owned),
        }
    }

    #[test]
    fn the_name_says_who_answers() {
        let all = several(Some("lab"));
        let name =
            |found: Result<Option<Account>, DirectoryError>| found.unwrap().map(|it| it.name);
        for (asked, account, find, authenticate) in [
            ("anna", "built-in account anna", "built-in find anna", "LAB authenticate lab\\anna"),
            ("corp\\a", "CORP account corp\\a", "CORP find corp\\a", "CORP authenticate corp\\a"),
            ("NONE\\a", "", "", ""),
            (
                "a@Lab.contoso.com",
                "built-in account a@Lab.contoso.com",
                "LAB find a@Lab.contoso.com",
                "LAB authenticate a@Lab.contoso.com",
            ),
            (
                "own@corp.contoso.com",
                "built-in account own@corp.contoso.com",
                "built-in find own@corp.contoso.com",
                "CORP authenticate own@corp.contoso.com",
            ),
            ("a@evil", "built-in account a@evil", "", ""),
        ] {
            let expected = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            assert_eq!(name(all.account(asked)), expected(account), "{asked}");
            assert_eq!(name(all.find(asked)), expected(find), "{asked}");
            let logon = all.authenticate(asked, "x", &Tally::default()).unwrap();
            assert_eq!(proven(logon), expected(authenticate), "{asked}");
        }
        let logon = several(None).authenticate("anna", "x", &Tally::default()).unwrap();
        assert_eq!(logon, Logon::Wrong);
    }

    fn proven(logon: Logon) -> Option<String> {
        match logon {
            Logon::Proven(account) => Some(account.name),
            Logon::Wrong | Logon::NotTried => None,
        }
    }

    #[test]
    fn names_of_no_directory_are_counted_as_well() {
        let (all, tally) = (several(None), Tally::default());
        for written in ["NONE\\anna", "none\\Anna"] {
            assert_eq!(all.authenticate(written, "x", &tally).unwrap(), Logon::Wrong);
        }
        assert_eq!(all.authenticate("NONE\\ANNA", "x", &tally).unwrap(), Logon::NotTried);
    }
}
