//! Groups: compare and set, order, projections, search.

use crate::common::facts::{id, member};
use crate::common::pair::{Pair, project};
use crate::common::world::World;
use protector_domain::ids::{GroupId, ProjectId, ServerId, VolumeGroupId};
use protector_domain::record::Places;
use protector_domain::sync::Role;
use protector_store::{ConsistencyFacts, GroupPut, MappingRow, StoreError};

pub async fn a_group_comes_back_as_it_was_put(w: &mut World) {
    let pair = Pair::new(1, "Web \u{1f310}");
    let revision = w.store.group_put(pair.put(None)).await.unwrap();
    let stored = w.store.group_fetch(pair.group).await.unwrap().unwrap();
    assert_eq!(stored.sync, *pair.sync());
    assert_eq!(stored.body, Some(pair.body()));
    assert_eq!((stored.revision, stored.project), (revision, project()));
    let signed =
        |sync: &protector_domain::sync::GroupSync| sync.current().unwrap().signed().payload.clone();
    assert_eq!(signed(&stored.sync), signed(pair.sync()), "word for word");
    assert_eq!(w.store.group_fetch(GroupId(id(9))).await, Ok(None));
}

pub async fn a_stale_revision_is_a_conflict(w: &mut World) {
    let mut pair = Pair::new(1, "web");
    let first = w.store.group_put(pair.put(None)).await.unwrap();
    assert_eq!(
        w.store.group_put(pair.put(None)).await,
        Err(StoreError::Conflict)
    );
    pair.edit(|body| body.description = "second".to_owned());
    let second = w.store.group_put(pair.put(Some(first))).await.unwrap();
    assert!(second > first);
    pair.edit(|body| body.description = "third".to_owned());
    assert_eq!(
        w.store.group_put(pair.put(Some(first))).await,
        Err(StoreError::Conflict)
    );
    let stored = w.store.group_fetch(pair.group).await.unwrap().unwrap();
    assert_eq!(stored.body.unwrap().description, "second");
}

pub async fn a_pair_never_falls_and_never_has_two_contents(w: &mut World) {
    let early = Pair::new(1, "web");
    let (mut one, mut two) = (early.clone(), early.clone());
    one.edit(|body| body.description = "one".to_owned());
    two.edit(|body| body.description = "two".to_owned());
    let revision = w.store.group_put(one.put(None)).await.unwrap();
    for wrong in [&early, &two] {
        let said = w.store.group_put(wrong.put(Some(revision))).await;
        assert!(matches!(said, Err(StoreError::Illegal(_))), "{said:?}");
    }
    assert!(
        w.store.group_put(one.put(Some(revision))).await.is_ok(),
        "the same again is no fall"
    );
}

pub async fn a_name_is_one_of_a_kind_until_its_group_is_deleted(w: &mut World) {
    let (mut one, two) = (Pair::new(1, "web"), Pair::new(2, "web"));
    let revision = w.store.group_put(one.put(None)).await.unwrap();
    let taken = StoreError::AlreadyThere {
        what: "group",
        id: Some("web".to_owned()),
    };
    assert_eq!(w.store.group_put(two.put(None)).await, Err(taken));
    let case = Pair::new(3, "Web");
    w.store
        .group_put(case.put(None))
        .await
        .expect("names differ by case");
    let space = Pair::new(4, "web ");
    w.store
        .group_put(space.put(None))
        .await
        .expect("names differ by trailing spaces");
    let elsewhere = GroupPut {
        project: ProjectId::from("another"),
        ..two.put(None)
    };
    w.store
        .group_put(elsewhere)
        .await
        .expect("names are per project");
    one.delete();
    w.store.group_put(one.put(Some(revision))).await.unwrap();
    let again = Pair::new(5, "web");
    w.store
        .group_put(again.put(None))
        .await
        .expect("a tombstone frees its name");
    let found = w
        .store
        .group_find(&project(), "web")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.id, again.group);
}

pub async fn projections_say_what_the_body_says(w: &mut World) {
    let pair = Pair::new(1, "web");
    w.store.group_put(pair.put(None)).await.unwrap();
    let (body, read) = (
        pair.body(),
        w.store.group_projections(pair.group).await.unwrap(),
    );
    let cg = read.consistency_group.unwrap();
    assert_eq!(cg.volume_count, 4);
    assert_eq!(cg.volume_type_name, body.sides.home.volume_type);
    let disks: Vec<_> = body.members.iter().flat_map(|m| &m.disks).collect();
    assert_eq!(read.cg_volumes.len(), disks.len());
    for (row, disk) in read.cg_volumes.iter().zip(disks) {
        assert_eq!((row.disk, &row.places), (disk.id, &disk.places));
        assert_eq!((&row.volume_name, row.size_gb), (&disk.name, disk.size_gib));
        assert_eq!(
            (row.bootable, row.boot_index),
            (disk.bootable, disk.boot_index)
        );
        assert_eq!(row.delete_on_termination, disk.delete_on_termination);
        assert_eq!(row.status, "replicating");
    }
    for (row, member) in read.members.iter().zip(&body.members) {
        assert_eq!((row.member, &row.places), (member.id, &member.places));
        assert_eq!((&row.captured, &row.nics), (&member.captured, &member.nics));
    }
    assert_eq!(read.members.len(), body.members.len());
    let policy = body.policy.unwrap();
    let row = read.policy.unwrap();
    assert_eq!(
        (row.pure_pg_name, row.rpo_max_s),
        (policy.array_group, policy.rpo_max_s)
    );
    let mapping = |kind: &str, source: &str, target: &str| MappingRow {
        kind: kind.to_owned(),
        source: source.to_owned(),
        target: target.to_owned(),
    };
    let expected = [
        mapping("flavor", "m1.small", "b1"),
        mapping("network", "net-a", "net-b"),
    ];
    assert_eq!(read.mappings, expected);
}

pub async fn projections_are_rebuilt_from_the_record(w: &mut World) {
    let pair = Pair::new(1, "web");
    w.store.group_put(pair.put(None)).await.unwrap();
    let facts = ConsistencyFacts {
        primary_cg_id: Some(VolumeGroupId::from("cg-a")),
        ..ConsistencyFacts::default()
    };
    w.store
        .consistency_group_set(pair.group, facts)
        .await
        .unwrap();
    let before = w.store.group_projections(pair.group).await.unwrap();
    for damage in [
        "DELETE FROM cg_volumes WHERE place = 1",
        "UPDATE protection_group_members SET name = 'x', tier = 9",
        "DELETE FROM replication_policies",
        "UPDATE group_mappings SET target = 'elsewhere'",
        "UPDATE consistency_groups SET volume_count = 77",
    ] {
        w.sql(damage).await;
    }
    assert_ne!(
        w.store.group_projections(pair.group).await.unwrap(),
        before,
        "it was damaged"
    );
    w.store.group_rebuild_projections(pair.group).await.unwrap();
    assert_eq!(w.store.group_projections(pair.group).await.unwrap(), before);
    let nobody = GroupId(id(9));
    assert_eq!(
        w.store.group_rebuild_projections(nobody).await,
        Err(StoreError::Missing)
    );
}

pub async fn a_tombstone_keeps_its_row_and_loses_its_projections(w: &mut World) {
    let mut pair = Pair::new(1, "web");
    let revision = w.store.group_put(pair.put(None)).await.unwrap();
    let policy = w.store.group_projections(pair.group).await.unwrap().policy;
    assert!(policy.is_some());
    let alive = w.store.group_retired(pair.group).await;
    assert!(matches!(alive, Err(StoreError::Illegal(_))), "{alive:?}");
    pair.delete();
    w.store.group_put(pair.put(Some(revision))).await.unwrap();
    let stored = w.store.group_fetch(pair.group).await.unwrap().unwrap();
    assert!(stored.sync.is_deleted());
    assert_eq!(stored.body, None);
    let left = protector_store::Projections {
        policy,
        ..Default::default()
    };
    let projections = async |w: &World| w.store.group_projections(pair.group).await.unwrap();
    assert_eq!(projections(w).await, left, "where its array objects are");
    assert_eq!(w.store.group_find(&project(), "web").await, Ok(None));
    assert_eq!(w.store.group_list(&project(), None, 10).await, Ok(vec![]));
    assert_eq!(w.store.group_list_active().await, Ok(vec![]));
    let retiring = w.store.group_list_retiring().await.unwrap();
    assert_eq!(retiring, [stored]);

    for _ in 0..2 {
        w.store.group_retired(pair.group).await.unwrap();
        assert_eq!(w.store.group_list_retiring().await, Ok(vec![]));
        assert_eq!(projections(w).await, Default::default());
    }
    let nobody = w.store.group_retired(GroupId(id(9))).await;
    assert_eq!(nobody, Err(StoreError::Missing));
}

pub async fn cinder_groups_outlive_the_record(w: &mut World) {
    let mut pair = Pair::new(1, "web");
    let facts = ConsistencyFacts {
        primary_cg_id: Some(VolumeGroupId::from("cg-a")),
        secondary_cg_id: Some(VolumeGroupId::from("cg-b")),
        backend_name: Some("pure@backend-a".to_owned()),
        status: Some("available".to_owned()),
    };
    let early = w
        .store
        .consistency_group_set(pair.group, facts.clone())
        .await;
    assert_eq!(early, Err(StoreError::Missing));
    let mut revision = w.store.group_put(pair.put(None)).await.unwrap();
    w.store
        .consistency_group_set(pair.group, facts.clone())
        .await
        .unwrap();
    pair.edit(|body| body.members.truncate(1));
    revision = w.store.group_put(pair.put(Some(revision))).await.unwrap();
    let read = w
        .store
        .consistency_group_fetch(pair.group)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((read.volume_count, &read.facts), (2, &facts));
    pair.delete();
    w.store.group_put(pair.put(Some(revision))).await.unwrap();
    let read = w
        .store
        .consistency_group_fetch(pair.group)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (read.volume_count, &read.facts),
        (0, &facts),
        "still to be torn down"
    );
    let none = ConsistencyFacts::default();
    w.store
        .consistency_group_set(pair.group, none)
        .await
        .unwrap();
    assert_eq!(w.store.consistency_group_fetch(pair.group).await, Ok(None));
}

pub async fn a_body_that_cannot_be_read_is_kept_all_the_same(w: &mut World) {
    let mut pair = Pair::new(1, "web");
    pair.edit(|body| body.schema = 99);
    let revision = w.store.group_put(pair.put(None)).await.unwrap();
    let stored = w
        .store
        .group_find(&project(), "web")
        .await
        .unwrap()
        .unwrap();
    assert_eq!((stored.body, &stored.sync), (None, pair.sync()));
    let read = w.store.group_projections(pair.group).await.unwrap();
    assert_eq!(read, protector_store::Projections::default());
    pair.edit(|body| body.schema = 1);
    w.store.group_put(pair.put(Some(revision))).await.unwrap();
    assert_eq!(w.store.cg_volume_list(pair.group).await.unwrap().len(), 4);
}

pub async fn lists_are_paged_and_stay_in_their_project(w: &mut World) {
    let pairs: Vec<Pair> = (1..=5).map(|n| Pair::new(n, &format!("g{n}"))).collect();
    for pair in pairs.iter().rev() {
        w.store.group_put(pair.put(None)).await.unwrap();
    }
    let foreign = Pair::new(0, "g0");
    let put = GroupPut {
        project: ProjectId::from("another"),
        ..foreign.put(None)
    };
    w.store.group_put(put).await.unwrap();
    let mut seen = Vec::new();
    let mut marker = None;
    for _ in 0..3 {
        let page = w.store.group_list(&project(), marker, 2).await.unwrap();
        marker = page.last().map(|g| g.id);
        seen.extend(page.into_iter().map(|g| g.id));
    }
    let expected: Vec<GroupId> = pairs.iter().map(|p| p.group).collect();
    assert_eq!(seen, expected);
    assert_eq!(w.store.group_find(&project(), "g0").await, Ok(None));
    assert_eq!(w.store.group_list_active().await.unwrap().len(), 6);
}

pub async fn a_server_leads_to_its_group(w: &mut World) {
    let mut pair = Pair::new(1, "web");
    let find = async |w: &World, project: &ProjectId, server: &str| {
        w.store
            .group_of_server(project, &ServerId::from(server))
            .await
            .unwrap()
    };
    let revision = w.store.group_put(pair.put(None)).await.unwrap();
    assert_eq!(find(w, &project(), "server-1").await, Some(pair.group));
    assert_eq!(find(w, &project(), "server-9").await, None);
    assert_eq!(find(w, &ProjectId::from("another"), "server-1").await, None);
    pair.edit(|body| {
        let mut places = Places::only(Role::Other, ServerId::from("server-1b"));
        places.set(Role::Home, None);
        body.members = vec![protector_domain::record::Member {
            places,
            ..member(1)
        }];
    });
    w.store.group_put(pair.put(Some(revision))).await.unwrap();
    assert_eq!(find(w, &project(), "server-1b").await, Some(pair.group));
    assert_eq!(find(w, &project(), "server-1").await, None);
}
