//! What is written comes back as it went, and says what the directory can hold.

use super::*;

#[test]
fn every_shipped_template_comes_back_as_it_went() {
    for format in [Format::Ldif, Format::Json] {
        for forest in [forest(), Forest::named("DC=corp,DC=example")] {
            for template in shipped() {
                let conversion = back(&template, &forest, format);
                assert_eq!(conversion.report.refused, Vec::<String>::new(), "{}", template.cn());
                assert_eq!(conversion.template.unwrap(), template);
            }
        }
    }
    let all = shipped();
    let all: Vec<&Template> = all.iter().collect();
    let written = write(&entries(&all, &arc(), &forest()).unwrap(), Format::Ldif).unwrap();
    assert_eq!(read(written.as_bytes(), None).unwrap().len(), all.len());
    assert!(written.lines().all(|line| line.len() <= 76), "a line is too long");
}

#[test]
fn without_its_note_an_export_still_says_what_the_directory_can_hold() {
    for template in shipped() {
        let entries = entries(&[&template], &arc(), &forest()).unwrap();
        let bare: Vec<Entry> =
            entries.into_iter().map(|entry| Entry { note: None, ..entry }).collect();
        let written = write(&bare, Format::Ldif).unwrap();
        let conversions = converted(written.as_bytes(), &principals(), Losses::Refused);
        let file = conversions[0]
            .template
            .as_ref()
            .unwrap_or_else(|| panic!("{:?}", conversions[0].report.refused))
            .to_file();
        let mut ours = template.to_file();
        // What Active Directory has no place for.
        ours.requested_names = None;
        ours.key_algorithms.clone_from(&file.key_algorithms);
        ours.origin.clone_from(&file.origin);
        ours.permissions.sort_by_key(|own| own.group.clone());
        let same: Vec<_> =
            ours.permissions.iter().map(|own| (own.group.clone(), own.allow.clone())).collect();
        let theirs: Vec<_> =
            file.permissions.iter().map(|own| (own.group.clone(), own.allow.clone())).collect();
        assert_eq!(theirs, same, "{}", template.cn());
        ours.permissions.clone_from(&file.permissions);
        assert_eq!(file, ours);
    }
}

#[test]
fn a_note_that_disagrees_with_its_attributes_is_not_believed() {
    let template = own("VPNUserAuthentication");
    let written = write(&entries(&[&template], &arc(), &forest()).unwrap(), Format::Ldif).unwrap();
    let longer =
        written.replace("pKIExpirationPeriod:: AEA5hy7h/v8=", "pKIExpirationPeriod:: AIByDl3C/f8=");
    assert_ne!(longer, written);
    let conversions = converted(longer.as_bytes(), &principals(), Losses::Refused);
    assert_eq!(conversions[0].template.as_ref().unwrap().validity().to_string(), "2 years");
    assert!(conversions[0].report.differences.iter().any(|own| own.contains("does not agree")));
}
