//! What an edit may change, and what stays.

use super::*;

#[test]
fn an_edit_raises_the_revision_and_keeps_the_identity() {
    let old = template("VPNServerAuthentication");
    let mut new = template("WebServer").to_file();
    new.general_flags = vec!["ENROLLEE_SUPPLIES_SUBJECT".into()];
    new.application_policies.clone_from(&new.extended_key_usage);
    new.schema_version = 2;
    new.major_revision = 7;
    let edited = old.edited(new).unwrap();
    assert_eq!((edited.cn(), edited.origin()), (old.cn(), old.origin()));
    assert_eq!(edited.template_oid(), old.template_oid());
    assert_eq!(edited.major_revision(), old.major_revision());
    assert_eq!(edited.minor_revision(), old.minor_revision() + 1);
    assert_eq!(edited.display_name(), "Web Server");
    assert!(edited.general_flags().contains(GeneralFlags::IS_MODIFIED));
    let mut dangerous = old.to_file();
    dangerous.requested_names = Some(RequestedNamesFile { any: true, ..Default::default() });
    let NotEditable::Mistaken(mistakes) = old.edited(dangerous).unwrap_err() else { panic!() };
    assert_eq!(mistakes.dangers().collect::<Vec<_>>(), [Danger::Esc1]);
}

#[test]
fn built_in_templates_are_duplicated_not_edited() {
    let tail = TemplateOid::from_random([9; 6]);
    for own in shipped() {
        let refused = own.edited(own.to_file()).is_err();
        assert_eq!(refused, own.origin() == Origin::BuiltIn, "{}", own.cn());
        let copy = own.duplicate("Copy", "A copy", tail).unwrap();
        assert_eq!(
            (copy.cn(), copy.display_name(), copy.origin()),
            ("Copy", "A copy", Origin::Custom)
        );
        assert_eq!((copy.major_revision(), copy.minor_revision()), (100, 0));
        assert!(copy.schema_version() >= 2 && !copy.is_published_at_first());
        assert_eq!(copy.template_oid(), tail);
        assert_eq!(copy.extended_key_usage(), own.extended_key_usage());
        assert_eq!(copy.application_policies(), own.extended_key_usage());
        let flags = copy.general_flags();
        assert!(!flags.contains(GeneralFlags::IS_DEFAULT));
        assert!(flags.contains(GeneralFlags::IS_MODIFIED));
        assert_ne!(copy.compatibility(), Compatibility::default());
    }
    assert!(template("User").duplicate("no spaces", "A copy", tail).is_err());
}

#[test]
fn a_created_template_is_custom_whatever_it_says() {
    let mut sent: Value =
        serde_json::from_str(&template("VPNUserAuthentication").to_json()).unwrap();
    sent["minor_revision"] = json!(7);
    let created = Template::created(TemplateFile::parse(&sent.to_string()).unwrap()).unwrap();
    assert_eq!(created.origin(), Origin::Custom);
    assert_eq!((created.major_revision(), created.minor_revision()), (100, 0));
    // What the authority decides need not be sent; without an OID it is no template yet.
    for key in ["oid", "origin", "major_revision", "minor_revision"] {
        sent.as_object_mut().unwrap().remove(key);
    }
    let file = TemplateFile::parse(&sent.to_string()).unwrap();
    assert!(Template::created(file.clone()).is_err());
    let oid = TemplateOid::from_random([1; 6]);
    let with_oid = TemplateFile { oid: oid.to_string(), ..file };
    assert_eq!(Template::created(with_oid).unwrap().template_oid(), oid);
    assert!(Template::created(template("User").to_file()).is_err());
}
