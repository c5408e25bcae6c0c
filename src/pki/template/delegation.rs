//! What `Write` reaches: the keys that decide neither whose name stands in a certificate nor what
//! it is good for, nor who gets it. In AD CS whoever may write a template may make himself
//! anybody with it (ESC4).

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{KeyRule, Template};

/// The keys that are free. What is not here, a key of a later version among it, is withheld.
const FREE: [&str; 6] =
    ["display_name", "validity_period", "renewal_period", "csps", "supersedes", "minor_revision"];

impl Template {
    /// The keys in which `new` differs from this template and that `Write` does not reach. The
    /// key algorithms may become fewer and longer.
    pub fn beyond_write(&self, new: &Self) -> Vec<String> {
        // An edit marks a template as modified; that is nobody's choice.
        let old = keys(&self.clone().marked_modified());
        let changed = keys(new);
        let names: BTreeSet<&String> = old.keys().chain(changed.keys()).collect();
        let differing = names.into_iter().filter(|name| old.get(*name) != changed.get(*name));
        differing.filter(|name| !self.is_free(name, new)).cloned().collect()
    }

    fn is_free(&self, key: &str, new: &Self) -> bool {
        match key {
            "key_algorithms" => new.key_rules().iter().all(|rule| self.certifies(*rule)),
            _ => FREE.contains(&key),
        }
    }

    /// Whether every key that `rule` certifies is certified by this template.
    fn certifies(&self, rule: KeyRule) -> bool {
        self.key_rules().iter().any(|own| {
            own.key_algorithm() == rule.key_algorithm() && own.minimum_bits() <= rule.minimum_bits()
        })
    }
}

fn keys(template: &Template) -> Map<String, Value> {
    match serde_json::to_value(template.to_file()) {
        Ok(Value::Object(keys)) => keys,
        // A file of strings, numbers and lists is always an object.
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::pki::template::shipped;

    fn template(cn: &str) -> Template {
        shipped().into_iter().find(|own| own.cn() == cn).unwrap()
    }

    /// What is withheld when these keys are changed.
    fn withheld(cn: &str, changes: &Value) -> Vec<String> {
        let old = template(cn);
        let mut file = serde_json::to_value(old.to_file()).unwrap();
        for (key, value) in changes.as_object().unwrap() {
            file[key] = value.clone();
        }
        old.beyond_write(&old.edited(serde_json::from_value(file).unwrap()).unwrap())
    }

    #[test]
    fn an_edit_that_changes_nothing_withholds_nothing() {
        assert_eq!(withheld("VPNUserAuthentication", &json!({})), Vec::<String>::new());
    }

    #[test]
    fn keys_become_longer_and_never_shorter() {
        let rsa = |bits| json!({"key_algorithms": [{"algorithm": "RSA", "minimum_bits": bits}]});
        assert!(withheld("NPSServerAuthentication", &rsa(4096)).is_empty());
        let p256 = json!({"key_algorithms": [{"algorithm": "ECDSA_P256"}]});
        assert_eq!(withheld("NPSServerAuthentication", &p256), ["key_algorithms"]);
    }

    /// Every key of a template file is either tried here or free: one that is new fails this.
    #[test]
    fn every_other_key_is_withheld() {
        let user = "VPNUserAuthentication";
        let changes = [
            ("permissions", json!([{"account": "bert", "allow": ["FullControl"]}])),
            ("name_flags", json!(["SUBJECT_ALT_REQUIRE_UPN", "SUBJECT_REQUIRE_COMMON_NAME"])),
            ("extended_key_usage", json!(["Client Authentication", "Secure Email"])),
            ("application_policies", json!(["Client Authentication", "Secure Email"])),
            ("issuance_policies", json!(["1.3.6.1.4.1.99999.1"])),
            ("enrollment_flags", json!(["PEND_ALL_REQUESTS"])),
            ("ra_signatures", json!(1)),
            ("security_identifier", json!("both")),
            ("object_sid", json!("required")),
        ];
        for (key, value) in changes {
            let mut change = json!({ key: value });
            if key == "extended_key_usage" || key == "application_policies" {
                // The two must agree.
                change = json!({"extended_key_usage": value, "application_policies": value});
            }
            if key == "ra_signatures" {
                change["ra_application_policies"] = json!(["Certificate Request Agent"]);
            }
            assert!(withheld(user, &change).contains(&key.to_owned()), "{change}");
        }
        for key in keys(&template(user)).keys().filter(|key| !FREE.contains(&key.as_str())) {
            let (old, new) = (template(user), template(user));
            assert!(key == "key_algorithms" || !old.is_free(key, &new), "{key} is free");
        }
    }

    #[test]
    fn an_acceptance_is_withheld_though_the_template_had_none() {
        let accepted = json!({
            "security_identifier": "none",
            "accepted_dangers": [{"danger": "ESC9", "reason": "because"}],
        });
        let told = withheld("VPNUserAuthentication", &accepted);
        assert_eq!(told, ["accepted_dangers", "security_identifier"]);
    }
}
