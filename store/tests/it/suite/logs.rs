//! Sync log, audit trail, idempotency keys.

use crate::common::facts::id;
use crate::common::pair::{Pair, project};
use crate::common::world::World;
use protector_domain::ids::{GroupId, ProjectId, UserId};
use protector_domain::sync::{Digest, Epoch, Kept, KeptReason, RecordRef, Signed, Version};
use protector_store::{
    AuditEntry, Claimed, GroupPut, IdempotencyClaim, StoreError, SyncLogEntry, SyncLogKind,
};
use serde_json::json;

fn entry(kind: SyncLogKind, version: u64) -> SyncLogEntry {
    let at = RecordRef {
        epoch: Epoch(3),
        version: Version(version),
        digest: Digest::of_bytes(&version.to_le_bytes()),
    };
    SyncLogEntry {
        group: GroupId(id(1)),
        seq: 0,
        kind,
        at,
        content: json!({"v": version}),
        at_us: 5,
    }
}

pub async fn the_sync_log_has_a_record_once_per_kind(w: &mut World) {
    use SyncLogKind::{Orphan, Withdrawn};
    for wanted in [
        entry(Orphan, 1),
        entry(Withdrawn, 1),
        entry(Orphan, 1),
        entry(Orphan, 2),
    ] {
        w.store.sync_log_append(wanted).await.unwrap();
    }
    let numbered = |seq, entry| SyncLogEntry { seq, ..entry };
    let all = w.store.sync_log_list(GroupId(id(1)), 0, 9).await.unwrap();
    let expected = [
        numbered(1, entry(Orphan, 1)),
        numbered(2, entry(Withdrawn, 1)),
        numbered(3, entry(Orphan, 2)),
    ];
    assert_eq!(all, expected);
    w.store.sync_log_delete(GroupId(id(1)), 2).await.unwrap();
    assert_eq!(
        w.store.sync_log_delete(GroupId(id(1)), 2).await,
        Err(StoreError::Missing)
    );
    let rest = w.store.sync_log_list(GroupId(id(1)), 1, 9).await.unwrap();
    assert_eq!(rest, [numbered(3, entry(Orphan, 2))]);
    assert_eq!(
        w.store.sync_log_list(GroupId(id(2)), 0, 9).await,
        Ok(vec![])
    );
}

pub async fn what_a_put_leaves_out_is_in_the_log_with_it(w: &mut World) {
    let mut pair = Pair::new(7, "kept");
    let first = w.store.group_put(pair.put(None)).await.unwrap();
    let left_out = |pair: &Pair| Kept {
        reason: KeptReason::Orphan,
        stored: pair.sync().current().unwrap().clone(),
    };
    let kept = left_out(&pair);
    let group = pair.sync().group();
    pair.edit(|body| "another".clone_into(&mut body.name));
    let with = |expect: Option<i64>| GroupPut {
        kept: vec![kept.clone()],
        ..pair.put(expect)
    };
    assert_eq!(
        w.store.group_put(with(None)).await,
        Err(StoreError::Conflict)
    );
    assert_eq!(w.store.sync_log_list(group, 0, 9).await, Ok(vec![]));
    let second = w.store.group_put(with(Some(first))).await.unwrap();
    w.store.group_put(with(Some(second))).await.unwrap();
    let all = w.store.sync_log_list(group, 0, 9).await.unwrap();
    assert_eq!(all.len(), 1, "once: {all:?}");
    assert_eq!(
        (all[0].kind, &all[0].at),
        (SyncLogKind::Orphan, &kept.stored.at())
    );
    let signed: Signed = serde_json::from_value(all[0].content.clone()).unwrap();
    assert_eq!(&signed, kept.stored.signed());
}

pub async fn the_audit_trail_is_newest_first(w: &mut World) {
    let audit = |number, project: &str| AuditEntry {
        id: id(number),
        at_us: 7,
        project: ProjectId::from(project),
        user: UserId::from("alice"),
        action: "failover".to_owned(),
        target: "web".to_owned(),
        outcome: "accepted".to_owned(),
        request_id: format!("req-{number}"),
        detail: json!({"mode": "unplanned"}),
    };
    for number in [2, 1, 3] {
        w.store.audit_append(audit(number, "p1")).await.unwrap();
    }
    w.store.audit_append(audit(4, "p2")).await.unwrap();
    let twice = w.store.audit_append(audit(4, "p2")).await;
    assert!(
        matches!(twice, Err(StoreError::AlreadyThere { .. })),
        "exactly one record each"
    );
    let p1 = ProjectId::from("p1");
    let page = w.store.audit_list(Some(&p1), None, 2).await.unwrap();
    assert_eq!(page, [audit(3, "p1"), audit(2, "p1")]);
    let rest = w.store.audit_list(Some(&p1), Some(id(2)), 9).await.unwrap();
    assert_eq!(rest, [audit(1, "p1")]);
    assert_eq!(w.store.audit_list(None, None, 9).await.unwrap().len(), 4);
}

pub async fn of_equal_requests_one_is_new(w: &mut World) {
    let claim = |digest: &str| IdempotencyClaim {
        project: project(),
        key: "k".to_owned(),
        request_digest: digest.to_owned(),
    };
    let beside = w.another(9).await;
    let asked = (0..10).map(|n| {
        let store = if n % 2 == 0 {
            w.store.clone()
        } else {
            beside.clone()
        };
        tokio::spawn(async move { store.idempotency_claim(claim("d")).await.unwrap() })
    });
    let answers: Vec<Claimed> = futures::future::join_all(asked)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(answers.iter().filter(|a| **a == Claimed::New).count(), 1);
    assert_eq!(
        answers.iter().filter(|a| **a == Claimed::InFlight).count(),
        9
    );
    assert_eq!(
        w.store.idempotency_claim(claim("e")).await,
        Ok(Claimed::Mismatch)
    );
    w.store
        .idempotency_settle(&project(), "k", 202, json!({"id": 1}))
        .await
        .unwrap();
    let done = Claimed::Done {
        status: 202,
        body: json!({"id": 1}),
    };
    assert_eq!(w.store.idempotency_claim(claim("d")).await, Ok(done));
    w.store.idempotency_forget(&project(), "k").await.unwrap();
    assert_eq!(
        w.store.idempotency_claim(claim("e")).await,
        Ok(Claimed::New)
    );
    assert_eq!(w.store.idempotency_sweep(0).await, Ok(0));
    assert_eq!(w.store.idempotency_sweep(i64::MAX).await, Ok(1));
    let late = w
        .store
        .idempotency_settle(&project(), "k", 200, json!(null))
        .await;
    assert_eq!(late, Err(StoreError::Missing));
}
