//! The less usual accounts of an Active Directory domain, and what its groups decide: managed
//! service accounts, UPNs that two have, groups by their realm, offices by a password.

use serde_json::{Value, json};

use super::active_directory::{PASSWORD, World, login};
use super::domain::{BASE, BIND_PASSWORD, Domain, account, group};

fn people() -> String {
    let user = |name: &str, principal: &str| {
        account("user", name, name, PASSWORD, &[("userPrincipalName", principal)])
    };
    // [MS-ADA2] §2.452: what makes it one is its class; its password is the domain's to choose.
    let managed = format!(
        "dn: CN=radius,CN=Users,{BASE}\nobjectClass: msDS-GroupManagedServiceAccount\n\
         userAccountControl: 4096\nsAMAccountName: radius$\nmsDS-ManagedPasswordInterval: 30\n\
         dNSHostName: radius.corp.contoso.com\n\n"
    );
    [
        account("user", "svc-ca", "svc-ca", BIND_PASSWORD, &[]),
        user("anna", "anna@corp.contoso.com"),
        user("mara", "mara@corp.contoso.com"),
        user("left", "one@corp.contoso.com"),
        user("right", "other@corp.contoso.com"),
        managed,
        group("VPN Users", &["anna", "left", "right"]),
        group("PKI Managers", &["mara"]),
        group("NPS Servers", &["radius"]),
    ]
    .concat()
}

/// Lets the members of a group enrol under a template, and nobody else.
fn permit(world: &World, template: &str, group: &str) {
    let path = format!("/v1/templates/{template}");
    let (status, text) = world.service.call(&path, &[]);
    assert_eq!(status, 200, "{text}");
    let mut template: Value = serde_json::from_str(&text).unwrap();
    template["permissions"] = json!([{"group": group, "allow": ["Read", "Enroll"]}]);
    put(world, &path, &template);
}

fn put(world: &World, path: &str, body: &Value) {
    let body = body.to_string();
    let more = ["-X", "PUT", "-H", "Content-Type: application/json", "-d", &body];
    let (status, text) = world.service.call(path, &more);
    assert_eq!(status, 200, "{text}");
}

fn on_behalf(world: &World, name: &str, template: &str) -> (u16, Value) {
    let path = format!("/v1/requests?template={template}&on_behalf_of={name}");
    let file = format!("@{}", world.home.path().join("two.csr").display());
    let body = ["-H", "Content-Type: application/pkcs10", "--data-binary", &file];
    let (status, text) = world.service.call(&path, &body);
    (status, serde_json::from_str(&text).unwrap())
}

#[test]
fn groups_are_the_realms_and_decide_offices() {
    let domain = Domain::start(&people());
    let section = domain.section(&[domain.url()], &domain.root());
    let world = World::new(&format!("password_rate = 6\n{section}qualified_groups = true\n"));

    // The tutorial's template is for VPN Users; the domain's are called otherwise here.
    let (status, answer) = world.as_user(&login("anna"));
    assert_eq!((status, &answer["rule"]), (403, &json!("enrollment-not-permitted")), "{answer}");
    permit(&world, "VPNUserAuthentication", "CORP\\VPN Users");
    let (status, hers) = world.as_user(&login("anna"));
    assert_eq!(status, 201, "{hers}");
    assert_eq!(world.account(&hers), "CORP\\anna");

    // A managed service account, as it is called and as people call it.
    permit(&world, "NPSServerAuthentication", "CORP\\NPS Servers");
    for name in ["CORP%5Cradius$", "CORP%5Cradius", "corp%5CRADIUS"] {
        let (status, answer) = on_behalf(&world, name, "NPSServerAuthentication");
        assert_eq!(status, 201, "{name}: {answer}");
        assert_eq!(world.account(&answer), "CORP\\radius$");
        let text = world.certificate(&answer, &["-ext", "subjectAltName"]);
        assert!(text.contains("DNS:radius.corp.contoso.com"), "{text}");
    }

    // A group of the domain is made certificate manager, for the subjects of another.
    let assigned = json!({"assignments": [{
        "role": "certificate_manager", "group": "CORP\\PKI Managers",
        "subject_groups": ["CORP\\VPN Users"],
    }]});
    put(&world, "/v1/ca/roles", &assigned);
    let revoke = |login: &str, answer: &Value| {
        let path = format!("/v1/certificates/{}/revoke", answer["serial_number"].as_str().unwrap());
        let body = r#"{"reason":"superseded"}"#;
        world.curl(login, &path, &["-H", "Content-Type: application/json", "-d", body])
    };
    let (_, managed) = on_behalf(&world, "CORP%5Cradius", "NPSServerAuthentication");
    let (status, answer) = revoke(&login("anna"), &managed);
    assert_eq!((status, &answer["rule"]), (403, &json!("role-required")), "{answer}");
    let (status, answer) = revoke(&login("mara"), &managed);
    assert_eq!((status, &answer["rule"]), (403, &json!("officer-restricted")), "{answer}");
    let (status, answer) = revoke(&login("CORP\\mara"), &hers);
    assert_eq!(status, 200, "{answer}");

    // Two have one UPN: nobody can tell who is meant, so it is nobody.
    assert_eq!(world.as_user(&login("one@corp.contoso.com")).0, 201);
    domain.modify_unchecked(&super::domain::replace(
        "right",
        "userPrincipalName",
        "one@corp.contoso.com",
    ));
    let (status, answer) = world.as_user(&login("one@corp.contoso.com"));
    assert_eq!((status, &answer["rule"]), (401, &json!("unauthenticated")), "{answer}");
    let (status, answer) = on_behalf(&world, "one@corp.contoso.com", "VPNUserAuthentication");
    assert_eq!((status, &answer["rule"]), (400, &json!("account-unknown")), "{answer}");
    for name in ["CORP\\left", "CORP\\right"] {
        let (status, answer) = world.as_user(&login(name));
        assert_eq!(status, 201, "{answer}");
        assert_eq!(world.account(&answer), name);
    }

    // Six wrong passwords a minute for an account, by whichever of its names.
    let spellings = ["CORP\\left", "corp\\LEFT", "left", "Left@corp.contoso.com"];
    for number in 0..6 {
        let wrong = format!("{}:wrong", spellings[number % spellings.len()]);
        assert_eq!(world.as_user(&wrong).0, 401, "{wrong}");
    }
    for name in spellings {
        let (status, answer) = world.as_user(&login(name));
        assert_eq!((status, &answer["rule"]), (429, &json!("rate-limited")), "{answer}");
    }
    assert_eq!(world.as_user(&login("CORP\\right")).0, 201);
}
