//! What comes over from AD CS, and goes back: each way of exporting, with what it loses.

mod exported;
mod hostile;
mod imported;
mod losses;
mod properties;

use proptest::prelude::*;

use super::*;
use crate::pki::security_descriptor::{Ace, Dacl, Effect, SecurityDescriptor};
use crate::pki::template::{Principal, Template, TemplateArc, TemplateFile, shipped};

const LDIF: &[u8] = include_bytes!("../../../../../tests/fixtures/ad_cs_export/templates.ldf");
const UNICODE: &[u8] =
    include_bytes!("../../../../../tests/fixtures/ad_cs_export/templates-unicode.ldf");
const PROPERTIES: &[u8] =
    include_bytes!("../../../../../tests/fixtures/ad_cs_export/certutil-template.txt");
const ATTRIBUTES: &[u8] =
    include_bytes!("../../../../../tests/fixtures/ad_cs_export/certutil-dstemplate.txt");
const MODULE: &[u8] =
    include_bytes!("../../../../../tests/fixtures/ad_cs_export/VPNUserAuthentication.json");

fn arc() -> TemplateArc {
    TemplateArc::from_random([7; 16])
}

fn principals() -> Principals {
    let group = |relative: u32, name: &str| {
        let sid = format!("S-1-5-21-1004336348-1177238915-682003330-{relative}");
        (sid.parse().unwrap(), Principal::Group(name.to_owned()))
    };
    [
        group(1104, "VPN Users"),
        group(1105, "VPN Servers"),
        group(1106, "NPS Servers"),
        group(1107, "VPN Devices"),
    ]
    .into()
}

fn converted(octets: &[u8], principals: &Principals, losses: Losses) -> Vec<Conversion> {
    let circumstances = Circumstances { arc: &arc(), principals, losses };
    let entries = read(octets, None).unwrap();
    entries.iter().map(|entry| convert(entry, &circumstances)).collect()
}

/// A text of the fixtures, changed.
fn changed(octets: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(octets.to_vec()).unwrap();
    assert!(text.contains(from), "{from} is not there");
    text.replace(from, to).into_bytes()
}

fn template<'a>(conversions: &'a [Conversion], cn: &str) -> &'a Template {
    let found = conversions.iter().find(|own| own.name == cn).unwrap();
    found.template.as_ref().unwrap_or_else(|| panic!("{cn}: {:?}", found.report.refused))
}

fn report<'a>(conversions: &'a [Conversion], cn: &str) -> &'a Report {
    &conversions.iter().find(|own| own.name == cn).unwrap().report
}

fn own(cn: &str) -> Template {
    shipped().into_iter().find(|own| own.cn() == cn).unwrap()
}

/// The same but for what identifies it.
fn same_but_for_oid(imported: &Template, cn: &str) {
    let shipped = own(cn).to_file();
    let file = TemplateFile {
        oid: shipped.oid.clone(),
        origin: shipped.origin.clone(),
        ..imported.to_file()
    };
    assert_eq!(file, shipped);
}

const TUTORIAL: [&str; 3] =
    ["VPNUserAuthentication", "VPNServerAuthentication", "NPSServerAuthentication"];

fn forest() -> Forest {
    let mut forest = Forest::named("DC=contoso,DC=com");
    forest.domain = "S-1-5-21-1004336348-1177238915-682003330".parse().unwrap();
    forest.sids = principals();
    forest
}

fn back(template: &Template, forest: &Forest, format: Format) -> Conversion {
    let written = write(&entries(&[template], &arc(), forest).unwrap(), format).unwrap();
    let principals = Principals::new();
    let circumstances =
        Circumstances { arc: &arc(), principals: &principals, losses: Losses::Refused };
    convert(&read(written.as_bytes(), None).unwrap()[0], &circumstances)
}
