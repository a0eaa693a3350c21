//! Frames: what a verifier accepts, and in which order it looks.

use super::bench::*;
use crate::ids::SiteId;
use crate::sync::*;
use std::collections::BTreeMap;
use uuid::Uuid;

fn ticket() -> (Bench, Signed) {
    let mut bench = Bench::created();
    let signed = bench
        .ticket(Role::Home, Intent::Change, Some(content("v2")))
        .unwrap();
    (bench, signed)
}

#[test]
fn a_signed_message_survives_storage_and_carrying() {
    let (bench, signed) = ticket();
    let carried: Signed = serde_json::from_str(&serde_json::to_string(&signed).unwrap()).unwrap();
    assert_eq!(carried, signed);
    let verified = bench.other.verify(&carried).unwrap();
    let MessageContent::Ticket(ticket) = &verified.message().content else {
        panic!("no ticket")
    };
    assert_eq!(ticket.draft, Some(content("v2")));
    assert_eq!(verified.message().from, home_site());
}

#[test]
fn every_altered_part_is_noticed() {
    let (bench, good) = ticket();
    let with = |change: &dyn Fn(&mut Signed)| {
        let mut signed = good.clone();
        change(&mut signed);
        code_of(bench.other.verify(&signed))
    };
    assert_eq!(with(&|_| {}), "ok");
    assert_eq!(
        with(&|s| s.payload = s.payload.replace("\"v2\"", "\"v3\"")),
        "bad_signature"
    );
    assert_eq!(with(&|s| s.payload.push(' ')), "malformed_message");
    assert_eq!(with(&|s| s.payload.truncate(40)), "malformed_message");
    assert_eq!(with(&|s| s.signature = "00".repeat(64)), "bad_signature");
    assert_eq!(with(&|s| s.signature.truncate(4)), "bad_signature");
    assert_eq!(
        with(&|s| s.message_type = MessageType::Envelope),
        "malformed_message"
    );
    assert_eq!(with(&|s| s.key_id = KeyId("0".repeat(16))), "unknown_key");
    let unknown = |s: &mut Signed| s.payload = s.payload.replacen('{', "{\"a\":1,", 1);
    assert_eq!(with(&unknown), "malformed_message");
}

#[test]
fn a_signature_covers_protocol_type_and_payload_as_documented() {
    let (bench, signed) = ticket();
    let key = bench.home.identity.verifying_key();
    let bytes: [u8; 64] = hex::decode(&signed.signature).unwrap().try_into().unwrap();
    let signature = ed25519_dalek::Signature::from_bytes(&bytes);
    let holds = |frame: &str| {
        let framed = [frame.as_bytes(), &[0], signed.payload.as_bytes()].concat();
        key.verify_strict(&framed, &signature).is_ok()
    };
    assert!(holds("protector/sync/1/ticket"));
    assert!(!holds("protector/sync/1/reservation") && !holds("protector/sync/1/"));
}

#[test]
fn no_message_passes_for_another_type() {
    let (mut bench, ticket) = ticket();
    let reservation = reply(&bench.other.hear(&ticket).unwrap());
    let envelope = bench.home.envelope();
    let receipt = reply(&bench.other.hear(&envelope).unwrap());
    for signed in [ticket, reservation, envelope, receipt] {
        for message_type in [
            MessageType::Ticket,
            MessageType::Reservation,
            MessageType::Envelope,
            MessageType::Receipt,
            MessageType::Release,
            MessageType::Rejection,
            MessageType::Head,
        ] {
            let relabelled = Signed {
                message_type,
                ..signed.clone()
            };
            let heard = bench
                .other
                .verify(&relabelled)
                .or_else(|_| bench.home.verify(&relabelled));
            assert_eq!(heard.is_ok(), message_type == signed.message_type);
        }
    }
}

#[test]
fn size_is_checked_before_anything_is_parsed() {
    let (bench, mut signed) = ticket();
    signed.payload = "x".repeat(101);
    let peers = BTreeMap::from([(home_site(), bench.home.identity.as_peer())]);
    let refusal = verify(&signed, 100, &bench.other.identity.as_peer(), &peers).unwrap_err();
    assert_eq!(
        refusal,
        SyncRefusal::TooLarge {
            bytes: 101,
            max_bytes: 100
        }
    );
}

#[test]
fn only_a_pinned_living_key_of_the_pair_counts() {
    let (bench, signed) = ticket();
    let me = bench.other.identity.as_peer();
    let home = bench.home.identity.as_peer();
    let check = |me: &Peer, peers: Vec<Peer>| {
        let peers = peers.into_iter().map(|peer| (peer.site, peer)).collect();
        code_of(verify(&signed, MAX_MESSAGE_BYTES, me, &peers))
    };
    assert_eq!(check(&me, vec![home.clone()]), "ok");
    assert_eq!(
        check(&me, vec![]),
        "wrong_pair",
        "a site that was never pinned"
    );
    assert_eq!(
        check(&home, vec![me.clone()]),
        "wrong_pair",
        "not addressed to us"
    );
    let mut retired = home.clone();
    retired
        .keys
        .values_mut()
        .for_each(|pinned| pinned.retired = true);
    assert_eq!(check(&me, vec![retired]), "unknown_key");
    let mut swapped = home.clone();
    let stranger = SigningIdentity::from_seed(home_site(), &[9; 32]);
    swapped
        .keys
        .values_mut()
        .for_each(|pinned| pinned.key = stranger.verifying_key());
    assert_eq!(check(&me, vec![swapped]), "bad_signature");
    // During a rotation both keys are pinned, and either counts.
    let mut rotating = home;
    rotating.keys.extend(stranger.as_peer().keys);
    assert_eq!(check(&me, vec![rotating]), "ok");
}

#[test]
fn a_stranger_cannot_speak_for_a_pinned_site() {
    let (bench, _) = ticket();
    let stranger = SigningIdentity::from_seed(home_site(), &[9; 32]);
    let content = MessageContent::Receipt(Receipt {
        at: bench.home.state.fence().unwrap(),
    });
    let (from, to) = (home_site(), other_site());
    let forged = sign(
        &stranger,
        &Message {
            group: group(),
            from,
            to,
            content,
        },
    )
    .unwrap();
    assert_eq!(code_of(bench.other.verify(&forged)), "unknown_key");
    let mut relabelled = forged;
    relabelled.key_id = bench.home.identity.key_id.clone();
    assert_eq!(code_of(bench.other.verify(&relabelled)), "unknown_key");
}

#[test]
fn an_envelope_of_ours_may_come_back_but_nothing_else_may() {
    let mut bench = Bench::created();
    let mine = bench.home.envelope();
    assert_eq!(code_of(bench.home.verify(&mine)), "ok");
    let ticket = bench
        .ticket(Role::Home, Intent::Change, Some(content("v2")))
        .unwrap();
    assert_eq!(code_of(bench.home.verify(&ticket)), "wrong_pair");
}

#[test]
fn messages_for_another_group_or_pair_change_nothing() {
    let (mut bench, signed) = ticket();
    let elsewhere = GroupSync::vacant(
        crate::ids::GroupId(Uuid::from_u128(8)),
        home_site(),
        other_site(),
        Role::Other,
    );
    bench.other.state = elsewhere;
    assert_eq!(code(bench.other.hear(&signed)), "wrong_group");
    let third = SiteId(Uuid::from_u128(300));
    bench.other.state = GroupSync::vacant(group(), third, other_site(), Role::Other);
    assert_eq!(code(bench.other.hear(&signed)), "wrong_pair");
}

#[test]
fn neither_keys_nor_bodies_reach_debug_output() {
    let (bench, signed) = ticket();
    let shown = format!(
        "{:?} {:?} {:?}",
        bench.home.identity, signed, bench.home.state
    );
    assert!(
        !shown.contains("\"v1\"") && !shown.contains("v2"),
        "{shown}"
    );
    let seed = hex::encode([1_u8; 32]);
    assert!(
        !shown.contains(&seed) && !shown.contains("[1, 1, 1"),
        "{shown}"
    );
}

#[test]
fn canonical_json_has_one_spelling() {
    let one: serde_json::Value = serde_json::from_str(r#"{"b":1.0,"a":"\u00e9"}"#).unwrap();
    let two: serde_json::Value = serde_json::from_str(" {\"a\":\"é\", \"b\":1}").unwrap();
    assert_eq!(canonical_json(&one).unwrap(), "{\"a\":\"é\",\"b\":1}");
    assert_eq!(
        Digest::of_json(&one).unwrap(),
        Digest::of_json(&two).unwrap()
    );
}

#[test]
fn the_digest_covers_header_body_and_sealed_secrets() {
    let bench = Bench::created();
    let record = bench.home.state.current().unwrap().record().clone();
    let digest = record.digest().unwrap();
    let mut other = record.clone();
    other.header.version = Version(2);
    assert_ne!(other.digest().unwrap(), digest);
    let mut other = record.clone();
    other.body["text"] = "v2".into();
    assert_ne!(other.digest().unwrap(), digest);
    let mut other = record;
    other.sealed.insert("array_token".into(), "AAAA".into());
    assert_ne!(other.digest().unwrap(), digest);
}
