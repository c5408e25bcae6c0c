//! Accounts and the tokens that speak for them.

use minicbor::{Decode, Encode};
use serde::Serialize;

#[cfg(doc)]
use super::Act;

/// See [`Act::AccountSaved`]; the fields are those of `pki::account::Account`.
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct AccountSaved {
    /// sAMAccountName.
    #[n(0)]
    pub name: String,
    /// `user`, `computer` or `service`.
    #[n(1)]
    pub kind: String,
    /// cn.
    #[n(2)]
    pub cn: Option<String>,
    /// displayName.
    #[n(3)]
    pub display_name: Option<String>,
    /// distinguishedName.
    #[n(4)]
    pub distinguished_name: Option<String>,
    /// userPrincipalName.
    #[n(5)]
    pub user_principal_name: Option<String>,
    /// mail.
    #[n(6)]
    pub mail: Option<String>,
    /// dNSHostName.
    #[n(7)]
    pub dns_host_name: Option<String>,
    /// objectSid.
    #[n(8)]
    pub object_sid: Option<String>,
    /// objectGUID.
    #[n(9)]
    pub object_guid: Option<String>,
    /// Groups.
    #[n(10)]
    pub groups: Vec<String>,
    /// Whether it may authenticate and be certified.
    #[n(11)]
    pub enabled: bool,
    /// Roles on this CA: `administrator`, `certificate_manager`, `auditor`, `enrollment_agent`.
    #[n(12)]
    pub roles: Vec<String>,
    /// Milliseconds since the epoch.
    #[n(13)]
    pub created_at: u64,
    /// Counts the changes from 1: the entity tag.
    #[n(14)]
    pub revision: u64,
    /// servicePrincipalName; none in what older programs wrote.
    #[n(15)]
    #[cbor(default)]
    pub service_principal_names: Vec<String>,
}

/// Names an account.
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct AccountMark {
    /// sAMAccountName.
    #[n(0)]
    pub name: String,
}

/// See [`Act::TokenCreated`].
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct TokenCreated {
    /// Public identifier, `[a-z0-9]+`.
    #[n(0)]
    pub id: String,
    /// SHA-256 of the secret.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    #[serde(skip)]
    pub sha256: [u8; 32],
    /// The account it speaks for.
    #[n(2)]
    pub account: String,
    /// Milliseconds since the epoch.
    #[n(3)]
    pub expires_at: u64,
    /// What it is for, in the maker's words.
    #[n(4)]
    pub description: Option<String>,
    /// The one template it may ask for; absent where it may ask for any.
    #[n(5)]
    pub template: Option<String>,
    /// Whether one enrolment spends it.
    #[n(6)]
    #[cbor(default)]
    pub single_use: bool,
}

/// See [`Act::TokenUsed`] and [`Act::TokenReturned`].
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct TokenUse {
    /// The token's public identifier.
    #[n(0)]
    pub id: String,
    /// The request that spent it.
    #[n(1)]
    pub request_id: u64,
}

/// Names a token.
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct TokenMark {
    /// Its public identifier.
    #[n(0)]
    pub id: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fields of an account as the program wrote them before service principal names.
    #[derive(Encode)]
    struct Older(
        #[n(0)] &'static str,
        #[n(1)] &'static str,
        #[n(10)] Vec<String>,
        #[n(11)] bool,
        #[n(12)] Vec<String>,
        #[n(13)] u64,
        #[n(14)] u64,
    );

    #[test]
    fn an_account_of_an_older_program_has_no_service_principal_names() {
        let older = Older("anna", "user", vec!["VPN Users".to_owned()], true, vec![], 7, 1);
        let read: AccountSaved = minicbor::decode(&minicbor::to_vec(older).unwrap()).unwrap();
        assert_eq!((read.name.as_str(), read.revision), ("anna", 1));
        assert_eq!(read.service_principal_names, Vec::<String>::new());
    }
}
