//! Templates as ledgers have them: those written before there were permissions name the groups
//! that enrol (`enrollment_groups`, `autoenrollment_groups`) and could be read by everybody.

use serde_json::{Map, Value, json};

use super::value::MOST_ENTRIES;
use super::{AUTHENTICATED_USERS, Mistakes, Template, TemplateFile};

impl Template {
    /// Reads a template that is on record, in the form of today or the one before permissions.
    /// Only for records: what is sent today is read by [`Template::from_json`]. A record may be
    /// longer than a file: what was taken must read again, and each value is within its limit.
    pub fn from_record(text: &str) -> Result<Self, Mistakes> {
        of_any_length(text).or_else(|mistakes| match in_todays_form(text) {
            Some(text) => of_any_length(&text),
            None => Err(mistakes),
        })
    }
}

fn of_any_length(text: &str) -> Result<Template, Mistakes> {
    Template::from_file(&TemplateFile::read(text)?)
}

fn in_todays_form(text: &str) -> Option<String> {
    let mut keys: Map<String, Value> = serde_json::from_str(text).ok()?;
    let enrolling: Vec<String> = serde_json::from_value(keys.remove("enrollment_groups")?).ok()?;
    let by_themselves: Vec<String> = match keys.remove("autoenrollment_groups") {
        Some(groups) => serde_json::from_value(groups).ok()?,
        None => Vec::new(),
    };
    if keys.contains_key("permissions") {
        return None;
    }
    let mut seen = Vec::new();
    let mut entries = Vec::new();
    for group in &enrolling {
        // A group of this name was one like any other, and is everybody now: it gets no Enroll.
        let everybody = group.eq_ignore_ascii_case(AUTHENTICATED_USERS);
        if everybody || seen.contains(&group.to_lowercase()) {
            continue;
        }
        seen.push(group.to_lowercase());
        let mut allow = vec!["Read", "Enroll"];
        if by_themselves.iter().any(|own| own.eq_ignore_ascii_case(group)) {
            allow.push("Autoenroll");
        }
        entries.push(json!({"group": group, "allow": allow}));
    }
    if entries.len() < MOST_ENTRIES {
        entries.insert(0, json!({"group": AUTHENTICATED_USERS, "allow": ["Read"]}));
    }
    keys.insert("permissions".to_owned(), Value::Array(entries));
    serde_json::to_string(&keys).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::account::{Account, AccountKind};
    use crate::pki::template::{Right, shipped};

    /// A shipped template as ledgers had it before permissions.
    fn old(groups: &Value, by_themselves: &Value) -> String {
        let user = shipped().into_iter().find(|own| own.cn() == "VPNUserAuthentication").unwrap();
        let mut file: Map<String, Value> = serde_json::from_str(&user.to_json()).unwrap();
        file.remove("permissions");
        file.insert("enrollment_groups".to_owned(), groups.clone());
        file.insert("autoenrollment_groups".to_owned(), by_themselves.clone());
        serde_json::to_string(&file).unwrap()
    }

    fn rights(template: &Template, group: &str) -> String {
        let account = Account {
            groups: vec![group.to_owned()],
            ..Account::named("somebody", AccountKind::User)
        };
        let held = template.permissions().rights_of(&account);
        held.iter().map(Right::as_str).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn groups_on_record_keep_what_they_had_and_get_nothing_more() {
        let text = old(&json!(["VPN Users", "Guests", "guests"]), &json!(["vpn users"]));
        assert!(Template::from_json(&text).is_err(), "a door would take the old form");
        let template = Template::from_record(&text).unwrap();
        assert_eq!(rights(&template, "VPN Users"), "Read Enroll Autoenroll");
        assert_eq!(rights(&template, "Guests"), "Read Enroll");
        assert_eq!(rights(&template, "Others"), "Read");
        // Written again it has today's form.
        assert_eq!(Template::from_json(&template.to_json()).unwrap(), template);
    }

    #[test]
    fn nobody_enrols_by_a_group_that_now_means_everybody() {
        let text = old(&json!(["Authenticated Users"]), &json!([]));
        let template = Template::from_record(&text).unwrap();
        assert_eq!(rights(&template, "Authenticated Users"), "Read");
    }

    #[test]
    fn what_is_wrong_otherwise_stays_wrong() {
        for text in ["{}".to_owned(), "x".to_owned(), old(&json!(7), &json!([]))] {
            assert!(Template::from_record(&text).is_err(), "{text}");
        }
        let mut both: Map<String, Value> =
            serde_json::from_str(&old(&json!(["A"]), &json!([]))).unwrap();
        both.insert("permissions".to_owned(), json!([]));
        let both = serde_json::to_string(&both).unwrap();
        assert!(Template::from_record(&both).is_err());
    }
}
