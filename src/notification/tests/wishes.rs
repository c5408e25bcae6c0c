//! Who is told what.

use super::world::{Memory, noon, wishes};
use crate::notification::endpoint::Wishes;
use crate::notification::event::{Distance, EndingCrl, Kind, News};
use crate::notification::{Board, Event};

const DAY: u64 = 86_400;

fn crl_ends(before: u64, told: Option<u64>) -> Event {
    let distance = Distance { before_seconds: before, told_before_seconds: told };
    let crl = EndingCrl { number: 1, base: None, next_update: noon(), urls: Vec::new() };
    Event { sequence: 1, hash: [0; 32], at: noon(), news: News::CrlExpiring(distance, crl) }
}

#[test]
fn kinds_and_templates_restrict() {
    let memory = Memory::default();
    let request = memory.happens(Some("VPNUserAuthentication"), noon());
    let crl = memory.happens(None, noon());
    let only = Wishes { kinds: vec![Kind::RequestPending], ..wishes() };
    assert!(only.include(&request) && !only.include(&crl));
    let templates = |cn: &str| Wishes { templates: Some(vec![cn.to_owned()]), ..wishes() };
    assert!(templates("vpnuserauthentication").include(&request));
    assert!(!templates("WebServer").include(&request));
    assert!(templates("WebServer").include(&crl), "a CRL is of no template");
}

#[test]
fn each_is_told_at_its_own_distances_and_once() {
    let far = Wishes { crl_before: vec![30 * DAY], ..wishes() };
    let near = Wishes { crl_before: vec![7 * DAY], ..wishes() };
    let both = Wishes { crl_before: vec![7 * DAY, 30 * DAY], ..wishes() };
    let told = |event: &Event| [&far, &near, &both].map(|own| own.include(event));
    assert_eq!(told(&crl_ends(30 * DAY, None)), [true, false, true]);
    assert_eq!(told(&crl_ends(7 * DAY, Some(30 * DAY))), [false, true, true]);
    // After a standstill both were passed, and it is told once.
    assert_eq!(told(&crl_ends(7 * DAY, None)), [true, true, true]);
    assert_eq!(told(&crl_ends(DAY, Some(7 * DAY))), [false, false, false]);
}

#[test]
fn an_hour_of_failures_is_worth_a_notice() {
    let board = Board::of(["tickets", "other"].into_iter());
    assert!(board.notices(noon()).is_empty());
    board.change(1, |state| {
        state.failing_since = Some(noon());
        state.failure = Some("it did not answer in time".to_owned());
    });
    assert!(board.notices(noon().plus_seconds(3599)).is_empty());
    let told = board.notices(noon().plus_seconds(3600));
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("other") && told[0].contains("in time"), "{told:?}");
}
