//! In whose name servers are made.

use crate::common::facts::id;
use crate::common::world::World;
use protector_domain::ids::{GroupId, TrustId};
use protector_store::Delegation;

fn delegation(group: u128, trust: Option<&str>) -> Delegation {
    Delegation {
        group: GroupId(id(group)),
        project: "pa".into(),
        user: "jos\u{e9}".into(),
        trust: trust.map(TrustId::from),
        trouble: trust
            .is_none()
            .then(|| "an application credential".to_owned()),
        checked_us: 7,
    }
}

pub async fn a_group_has_one_delegation_and_trusts_are_counted(w: &mut World) {
    let trust = TrustId::from("t1");
    for group in [1, 2] {
        let stored = w.store.delegation_put(delegation(group, Some("t1"))).await;
        assert_eq!(stored, Ok(()));
    }
    w.store.delegation_put(delegation(3, None)).await.unwrap();
    let fetched = |group: u128| w.store.delegation_fetch(GroupId(id(group)));
    assert_eq!(fetched(1).await, Ok(Some(delegation(1, Some("t1")))));
    assert_eq!(fetched(3).await, Ok(Some(delegation(3, None))));
    assert_eq!(fetched(4).await, Ok(None));
    assert_eq!(w.store.delegation_uses(&trust).await, Ok(2));
    w.store
        .delegation_put(delegation(2, Some("t2")))
        .await
        .unwrap();
    assert_eq!(fetched(2).await, Ok(Some(delegation(2, Some("t2")))));
    assert_eq!(w.store.delegation_uses(&trust).await, Ok(1));
    for _ in 0..2 {
        assert_eq!(w.store.delegation_delete(GroupId(id(1))).await, Ok(()));
    }
    assert_eq!(fetched(1).await, Ok(None));
    assert_eq!(w.store.delegation_uses(&trust).await, Ok(0));
}
