//! R1 to R3 and R6 to R9: ordinary changes, decision by decision.

use super::bench::*;
use crate::sync::*;

#[test]
fn a_create_and_two_edits_reach_both_sites() {
    let mut bench = Bench::created();
    bench.edit(Role::Home, "v2").unwrap();
    bench.edit(Role::Home, "v3").unwrap();
    assert_eq!(bench.home.pair(), Pair::new(1, 3));
    assert_eq!(bench.home.state.fence(), bench.other.state.fence());
    assert_eq!(bench.other.text(), "v3");
    assert!(bench.home.state.is_synced() && bench.other.state.is_synced());
}

#[test]
fn r1_opens_at_most_four_tickets_and_the_oldest_gives_way() {
    let mut bench = Bench::created();
    let asked: Vec<Signed> = (0..5)
        .map(|_| {
            bench
                .reserve(Role::Home, Intent::Change, Some(content("v2")))
                .unwrap()
        })
        .collect();
    assert_eq!(bench.home.tickets.len(), MAX_TICKETS);
    assert_eq!(code(bench.home.hear(&asked[0])), "reservation_stale");
    assert_eq!(code(bench.home.hear(&asked[4])), "ok");
}

#[test]
fn r1_asks_nothing_that_the_draft_does_not_fit() {
    let mut bench = Bench::created();
    for (intent, draft) in [
        (Intent::Change, None),
        (Intent::Lock, Some(content("v2"))),
        (Intent::Delete, Some(content("v2"))),
        (Intent::Head, None),
    ] {
        assert_eq!(
            code_of(bench.ticket(Role::Home, intent, draft)),
            "malformed_message"
        );
    }
}

#[test]
fn r2_leaves_no_state_but_a_requested_operation() {
    let mut bench = Bench::created();
    let before = bench.other.state.clone();
    bench
        .reserve(Role::Home, Intent::Change, Some(content("v2")))
        .unwrap();
    assert_eq!(bench.other.state, before);
    bench.reserve_lock(1);
    assert_eq!(bench.other.mode(), Some(OperationMode::Requested));
    assert_eq!(bench.other.state.fence(), before.fence());
}

#[test]
fn r2_repeats_the_operation_it_has_accepted() {
    let mut bench = Bench::created();
    bench.reserve_lock(1);
    let again = bench.reserve_lock(2);
    let verified = bench.home.verify(&again).unwrap();
    let MessageContent::Reservation(reservation) = &verified.message().content else {
        panic!()
    };
    assert_eq!(
        reservation.lock,
        Some(offer(1)),
        "the operation that is there, not a second one"
    );
}

#[test]
fn r2_needs_an_operation_for_a_lock() {
    let mut bench = Bench::created();
    let ticket = bench.ticket(Role::Home, Intent::Lock, None).unwrap();
    assert_eq!(code(bench.other.hear(&ticket)), "malformed_message");
}

#[test]
fn r2_attests_only_the_draft_whose_digest_it_signs() {
    let mut bench = Bench::created();
    let signed = bench
        .ticket(Role::Home, Intent::Change, Some(content("v2")))
        .unwrap();
    let message = bench.other.verify(&signed).unwrap().message().clone();
    let MessageContent::Ticket(ticket) = &message.content else {
        panic!()
    };
    let forged = Ticket {
        draft: Some(content("v3")),
        ..ticket.clone()
    };
    let forged = Message {
        content: MessageContent::Ticket(forged),
        ..message
    };
    let forged = sign(&bench.home.identity, &forged).unwrap();
    assert_eq!(code(bench.other.hear(&forged)), "malformed_message");
}

#[test]
fn r3_commits_only_what_the_ticket_said() {
    let mut bench = Bench::created();
    let signed = bench
        .reserve(Role::Home, Intent::Change, Some(content("v2")))
        .unwrap();
    let message = bench.home.verify(&signed).unwrap().message().clone();
    let MessageContent::Reservation(reservation) = &message.content else {
        panic!()
    };
    let altered = [
        Reservation {
            next_digest: Some(plan(9)),
            ..reservation.clone()
        },
        Reservation {
            next_digest: None,
            ..reservation.clone()
        },
        Reservation {
            base: None,
            ..reservation.clone()
        },
    ];
    for altered in altered {
        let content = MessageContent::Reservation(altered);
        let signed = sign(
            &bench.other.identity,
            &Message {
                content,
                ..message.clone()
            },
        )
        .unwrap();
        assert_eq!(code(bench.home.hear(&signed)), "reservation_stale");
    }
    assert_eq!(
        code(bench.home.hear(&signed)),
        "ok",
        "a refusal does not use the ticket up"
    );
}

#[test]
fn a_delete_leaves_a_tombstone_with_the_name_at_both_sites() {
    let mut bench = Bench::created();
    bench.change(Role::Home, Intent::Delete, None).unwrap();
    for site in [&bench.home, &bench.other] {
        assert!(site.state.is_deleted());
        let record = site.state.current().unwrap().record();
        assert_eq!(record.body, serde_json::json!({ "name": "pg" }));
        assert!(record.sealed.is_empty());
    }
}

#[test]
fn r6_takes_gaps_and_answers_repeats_alike() {
    let mut bench = Bench::created();
    bench.other.lenient = true;
    let old = bench.edit_pending(Role::Home, bad_content("v2"));
    assert_eq!(bench.home.pair(), Pair::new(1, 2));
    // v2 was refused and withdrawn; the peer goes from 1 to 3.
    let rejection = reply(&bench.other.hear(&old).unwrap());
    let withdrawn = reply(&bench.home.hear(&rejection).unwrap());
    let receipt = reply(&bench.other.hear(&withdrawn).unwrap());
    assert_eq!(bench.other.pair(), Pair::new(1, 3));
    let before = bench.other.state.clone();
    assert_eq!(
        reply(&bench.other.hear(&withdrawn).unwrap()),
        receipt,
        "the same receipt again"
    );
    assert_eq!(bench.other.state, before);
}

#[test]
fn r6_lower_pairs_are_refused_with_the_envelope_to_carry_back() {
    let mut bench = Bench::created();
    let old = bench.home.envelope();
    bench.edit(Role::Home, "v2").unwrap();
    let Err(SyncRefusal::OlderVersion {
        mine,
        theirs,
        envelope,
    }) = bench.other.hear(&old)
    else {
        panic!("stored an older copy");
    };
    assert_eq!((mine, theirs), (Pair::new(1, 2), Pair::new(1, 1)));
    assert_eq!(*envelope, bench.home.envelope());
}

#[test]
fn r6_keeps_what_a_higher_epoch_was_not_built_on() {
    let mut bench = Bench::created();
    bench.edit_pending(Role::Home, content("lost"));
    bench.force(Role::Other, 1, false).unwrap();
    let minted = bench.other.envelope();
    let outputs = bench.home.hear(&minted).unwrap();
    assert!(outputs.contains(&Output::LeadershipLost { epoch: Epoch(2) }));
    let kept: Vec<_> = bench.home.state.kept().iter().collect();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].reason, KeptReason::Orphan);
    assert_eq!(kept[0].stored.record().body["text"], "lost");
    let logged = outputs
        .iter()
        .filter(|output| matches!(output, Output::Kept(_)))
        .count();
    assert_eq!(logged, 1, "handed out for the sync log, too");
}

#[test]
fn r6_orphans_nothing_that_the_mint_was_built_on() {
    let mut bench = Bench::created();
    let edit = bench.edit_pending(Role::Home, content("v2"));
    bench.other.hear(&edit).unwrap(); // stored; the receipt is lost
    bench.force(Role::Other, 1, false).unwrap();
    let minted = bench.other.envelope();
    bench.home.hear(&minted).unwrap();
    assert!(bench.home.state.kept().is_empty());
}

#[test]
fn r6_believes_only_the_author_that_leads() {
    let mut bench = Bench::created();
    let mut record = bench.home.state.current().unwrap().record().clone();
    record.header.parent = bench.home.state.fence();
    record.header.version = Version(2);
    record.header.kind = RecordKind::Edit;
    let content = MessageContent::Envelope(Box::new(record));
    // The other site signs what only home may write.
    let (from, to) = (other_site(), home_site());
    let forged = sign(
        &bench.other.identity,
        &Message {
            group: group(),
            from,
            to,
            content,
        },
    )
    .unwrap();
    assert_eq!(code(bench.home.hear(&forged)), "wrong_author");
    // It signs as itself, in an epoch that home leads.
    let mut record = bench.home.state.current().unwrap().record().clone();
    record.header.parent = bench.home.state.fence();
    record.header.version = Version(2);
    record.header.kind = RecordKind::Edit;
    record.header.author = Role::Other;
    let content = MessageContent::Envelope(Box::new(record));
    let (from, to) = (other_site(), home_site());
    let message = Message {
        group: group(),
        from,
        to,
        content,
    };
    let forged = sign(&bench.other.identity, &message).unwrap();
    assert_eq!(code(bench.home.hear(&forged)), "wrong_author");
}

#[test]
fn r7_takes_the_receipt_of_exactly_the_current_record() {
    let mut bench = Bench::created();
    let first = reply(&bench.other.hear(&bench.home.envelope()).unwrap());
    let edit = bench.edit_pending(Role::Home, content("v2"));
    assert_eq!(code(bench.home.hear(&first)), "older_version");
    assert!(!bench.home.state.is_synced());
    let receipt = reply(&bench.other.hear(&edit).unwrap());
    let outputs = bench.home.hear(&receipt).unwrap();
    assert!(matches!(outputs.as_slice(), [Output::Synced { at }] if at.version == Version(2)));
    assert_eq!(
        bench.home.hear(&receipt).unwrap(),
        [],
        "the second time nothing happens"
    );
}

#[test]
fn r8_a_refused_body_stays_refused_and_nothing_is_stored() {
    let mut bench = Bench::created();
    bench.other.lenient = true;
    let bad = bench.edit_pending(Role::Home, bad_content("v2"));
    let rejection = reply(&bench.other.hear(&bad).unwrap());
    assert_eq!(rejection.message_type, MessageType::Rejection);
    assert_eq!(bench.other.pair(), Pair::new(1, 1));
    assert_eq!(bench.other.state.head().rejected.len(), 1);
    assert_eq!(reply(&bench.other.hear(&bad).unwrap()), rejection);
}

#[test]
fn r8_never_refuses_the_body_of_a_move() {
    let mut bench = Bench::created();
    bench
        .home
        .act(Input::TakeLocal {
            operation: crate::ids::OperationId(uuid::Uuid::nil()),
        })
        .unwrap();
    let minted = Input::ForcedMove {
        operation: op(1),
        plan_digest: plan(1),
        content: bad_content("failing_over"),
        reclaim: false,
    };
    let minted = reply(&bench.other.act(minted).unwrap());
    assert_eq!(
        reply(&bench.home.hear(&minted).unwrap()).message_type,
        MessageType::Receipt
    );
}

#[test]
fn r9_takes_the_rejected_change_back_and_shows_it() {
    let mut bench = Bench::created();
    bench.other.lenient = true;
    let bad = bench.edit_pending(Role::Home, bad_content("v2"));
    let rejection = reply(&bench.other.hear(&bad).unwrap());
    bench.home.hear(&rejection).unwrap();
    assert_eq!(
        (bench.home.text().as_str(), bench.home.kind()),
        ("v1", RecordKind::Withdraw)
    );
    assert_eq!(bench.home.state.kept()[0].reason, KeptReason::Withdrawn);
    assert_eq!(
        code(bench.home.hear(&rejection)),
        "older_version",
        "no second effect"
    );
    bench.carry(Role::Home);
    bench.edit(Role::Home, "v4").unwrap();
    assert_eq!(bench.other.text(), "v4");
    let digest = bench.home.state.kept()[0].stored.digest().clone();
    bench.home.act(Input::PurgeKept { digest }).unwrap();
    assert!(bench.home.state.kept().is_empty());
}

#[test]
fn r9_a_rejected_create_becomes_a_tombstone() {
    let mut bench = Bench::empty();
    bench.other.lenient = true;
    let reservation = bench
        .reserve(Role::Home, Intent::Create, Some(bad_content("v1")))
        .unwrap();
    let envelope = reply(&bench.home.hear(&reservation).unwrap());
    let rejection = reply(&bench.other.hear(&envelope).unwrap());
    let tombstone = reply(&bench.home.hear(&rejection).unwrap());
    assert!(bench.home.state.is_deleted());
    bench.other.hear(&tombstone).unwrap();
    assert!(bench.other.state.is_deleted());
}

#[test]
fn r9_only_a_change_of_our_own_is_taken_back() {
    let mut bench = Bench::created();
    let (from, to) = (other_site(), home_site());
    bench.lock_at_leader(1);
    let at = bench.home.state.fence().unwrap();
    let content = MessageContent::Rejection(Rejection {
        at,
        reasons: vec!["no".to_owned()],
    });
    let message = Message {
        group: group(),
        from,
        to,
        content,
    };
    let rejection = sign(&bench.other.identity, &message).unwrap();
    assert_eq!(
        code(bench.home.hear(&rejection)),
        "rejected_by_peer",
        "a lock is no change"
    );
}
