//! `chancery check`, and settings that are refused.

use super::program::{chancery, fails, init, place, succeeds};

#[test]
fn check_tells_every_mistake_with_file_and_line_and_makes_nothing() {
    let (home, data) = place();
    let config = home.path().join("chancery.toml");
    let text = "api_listen = \"here\"\nnonsense = 1\n\ncrl_period = \"never\"\n";
    std::fs::write(&config, text).unwrap();
    let template = home.path().join("mine.json");
    std::fs::write(&template, "{\"cn\": \"Mine\", \"colour\": \"red\"}").unwrap();
    let told = fails(&[
        "check",
        "--config",
        config.to_str().unwrap(),
        "--data",
        data.to_str().unwrap(),
        "--base-url",
        "ftp://x",
        template.to_str().unwrap(),
    ]);
    for expected in [
        "chancery.toml:1: \"here\"",
        "chancery.toml:2: no such setting \"nonsense\"",
        "chancery.toml:4: \"never\"",
        "--base-url: \"ftp://x\"",
        "mine.json: colour: no such key",
    ] {
        assert!(told.contains(expected), "{expected}\n in\n{told}");
    }
    assert!(!data.exists());
}

#[test]
fn check_is_content_with_what_serves() {
    let (_home, data) = place();
    let text = data.to_str().unwrap();
    assert!(succeeds(&["check", "--data", text]).contains("no mistakes"));
    init(&data, &[]);
    std::fs::write(data.join("chancery.toml"), "log_level = \"warn\"\n").unwrap();
    let said = succeeds(&["check", "--data", text]);
    assert!(said.contains("chancery.toml: read") && said.contains("no mistakes"), "{said}");
}

#[test]
fn serve_refuses_what_check_refuses() {
    let (_home, data) = place();
    let mut command = chancery(&["serve", "--data", data.to_str().unwrap()]);
    let output = command.env("CHANCERY_NONSENSE", "1").env("CHANCERY_LOG_FORMAT", "x").output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("CHANCERY_NONSENSE") && told.contains("CHANCERY_LOG_FORMAT"), "{told}");
    assert!(!data.exists());
}
