//! The decision tables of changes: what is refused and by which code, and what the next body says.

use super::*;
use crate::ids::*;
use crate::ports::compute::{AttachedVolume, Flavor, Server, ServerAddress, ServerStatus};
use crate::ports::network::{FixedIp, NetworkInfo, Port, SecurityGroup, Subnet};
use crate::ports::storage::ArrayVolume;
use crate::ports::volumes::{Volume, VolumeType};
use crate::record::{GroupBody, GroupStatus, Mappings, ReplicationType};
use crate::refusal::Refusals;
use crate::sync::Role;
use std::collections::BTreeMap;
use uuid::Uuid;

pub(super) fn codes(outcome: Result<GroupBody, Refusals>) -> Vec<String> {
    let refusals = outcome.map(|_| ()).unwrap_err();
    refusals.0.iter().map(|r| r.code()).collect()
}

fn kind(name: &str, specs: &[(&str, &str)]) -> VolumeType {
    let own = |(k, v): &(&str, &str)| ((*k).to_owned(), (*v).to_owned());
    VolumeType {
        id: format!("id-{name}"),
        name: name.to_owned(),
        extra_specs: specs.iter().map(own).collect(),
        is_public: true,
    }
}

fn types() -> Vec<VolumeType> {
    let enabled = ("replication_enabled", "<is> True");
    vec![
        kind("ssd", &[enabled, ("replication_type", "<in> async")]),
        kind("bare", &[enabled, ("replication_type", "async")]),
        kind("sync", &[enabled, ("replication_type", "<in> sync")]),
        kind("plain", &[]),
        kind("off", &[("replication_enabled", "<is> False")]),
    ]
}

fn ask() -> CreateAsk {
    CreateAsk {
        name: "shop".into(),
        description: String::new(),
        replication_type: ReplicationType::Async,
        secondary_site: "site-b".into(),
        volume_type: "ssd".into(),
        secondary_volume_type: None,
    }
}

fn create_facts() -> CreateFacts {
    CreateFacts {
        site: SiteId(Uuid::from_u128(1)),
        project: ProjectId::from("pa"),
        peer: Some(PeerFacts {
            site: SiteId(Uuid::from_u128(2)),
            project: Some(ProjectId::from("pb")),
            mappings: Mappings {
                keypairs: [("ops".to_owned(), "dr-ops".to_owned())].into(),
                ..Mappings::default()
            },
            volume_types: Some(types()),
        }),
        name_taken: false,
        volume_types: types(),
        now_us: 5,
    }
}

pub(super) fn group() -> GroupBody {
    create(&ask(), &create_facts()).unwrap()
}

#[test]
fn a_group_is_created_on_a_replicated_type_of_its_mode() {
    for (volume_type, expected) in [
        ("ssd", None),
        ("bare", None), // C9: both spellings
        ("sync", Some("type_not_replicated")),
        ("plain", Some("type_not_replicated")),
        ("off", Some("type_not_replicated")),
        ("none", Some("no_volume_type")),
    ] {
        let wanted = CreateAsk {
            volume_type: volume_type.into(),
            secondary_volume_type: Some("ssd".into()),
            ..ask()
        };
        let outcome = create(&wanted, &create_facts());
        match expected {
            None => assert_eq!(outcome.unwrap().sides.home.volume_type, volume_type),
            Some(code) => assert_eq!(codes(outcome), [code], "{volume_type}"),
        }
    }
}

/// VT-02, C1: of the same name as the primary's, or of a name of its own.
#[test]
fn the_peers_type_is_replicated_too_unless_nobody_can_ask_there() {
    let known = Some(types());
    let named = |name: &str| Some(name.to_owned());
    for (secondary, there, expected) in [
        (None, known.clone(), "ssd"),
        (named("bare"), known.clone(), "bare"),
        (
            named("plain"),
            known.clone(),
            "type_not_replicated: volume type does not support replication: plain at site-b",
        ),
        (
            named("gold"),
            known,
            "no_volume_type: volume type gold does not exist at site-b",
        ),
        (
            None,
            Some(vec![]),
            "no_volume_type: volume type ssd does not exist at site-b",
        ),
        (None, None, "ssd"),
        (named("gold"), None, "gold"),
    ] {
        let wanted = CreateAsk {
            secondary_volume_type: secondary,
            ..ask()
        };
        let mut facts = create_facts();
        if let Some(peer) = &mut facts.peer {
            peer.volume_types = there;
        }
        let found = match create(&wanted, &facts) {
            Ok(body) => body.sides.other.volume_type,
            Err(refusals) => format!("{}: {refusals}", refusals.0[0].code()),
        };
        assert_eq!(found, expected, "{wanted:?}");
    }
}

#[test]
fn everything_that_speaks_against_a_group_is_told_at_once() {
    let bad = CreateAsk {
        name: "two\nlines".into(),
        replication_type: ReplicationType::Sync,
        volume_type: "plain".into(),
        ..ask()
    };
    let facts = CreateFacts {
        name_taken: true,
        peer: None,
        ..create_facts()
    };
    let expected = [
        "bad_name",
        "name_taken",
        "sync_not_supported",
        "type_not_replicated",
        "no_such_site",
    ];
    assert_eq!(codes(create(&bad, &facts)), expected);
    let unmapped = CreateFacts {
        peer: Some(PeerFacts {
            site: SiteId(Uuid::from_u128(2)),
            project: None,
            mappings: Mappings::default(),
            volume_types: None,
        }),
        ..create_facts()
    };
    assert_eq!(codes(create(&ask(), &unmapped)), ["no_tenant_mapping"]);
}

pub(super) fn policy() -> PolicyAsk {
    PolicyAsk {
        primary_array: ArrayId::from("A"),
        secondary_array: ArrayId::from("B"),
        pure_pg_name: None,
        replication_interval_s: 900,
        rpo_minutes: 30,
        on_return: None,
    }
}

pub(super) fn policy_facts() -> PolicyFacts {
    PolicyFacts {
        group: GroupId(Uuid::from_u128(0xabcdef)),
        registered: vec![ArrayId::from("A"), ArrayId::from("B")],
    }
}

#[test]
fn a_policy_names_two_registered_arrays_and_times_that_can_be_kept() {
    let with = |change: fn(&mut PolicyAsk)| {
        let mut ask = policy();
        change(&mut ask);
        set_policy(&group(), &ask, &policy_facts())
    };
    let set = with(|_| {}).unwrap().policy.unwrap();
    assert_eq!(set.array_group.as_str(), "protector-000000abcdef", "C6");
    assert_eq!((set.rpo_max_s, set.target_retention_s), (1_800, 86_400));
    let array = with(|p| p.secondary_array = ArrayId::from("C"));
    assert_eq!(codes(array), ["array_not_registered"]);
    let same = with(|p| p.secondary_array = ArrayId::from("A"));
    assert_eq!(codes(same), ["bad_policy"]);
    for change in [
        (|p: &mut PolicyAsk| p.replication_interval_s = 299) as fn(&mut PolicyAsk),
        |p| {
            p.replication_interval_s = 34_560_001;
            p.rpo_minutes = 600_000;
        },
        |p| p.rpo_minutes = 14, // C24: shorter than the interval
        |p| p.pure_pg_name = Some(ArrayGroupName::from("-edge")),
        |p| p.pure_pg_name = Some(ArrayGroupName::from("a::b")),
    ] {
        assert_eq!(codes(with(change)), ["bad_policy"]);
    }
    let twice = set_policy(&with(|_| {}).unwrap(), &policy(), &policy_facts());
    assert_eq!(codes(twice), ["bad_policy"], "PG-07");
}

fn server() -> Server {
    Server {
        id: ServerId::from("srv"),
        project_id: "pa".into(),
        user_id: "u".into(),
        name: "web".into(),
        description: None,
        hostname: None,
        status: ServerStatus::Active,
        task: None,
        locked: false,
        fault: None,
        flavor_name: "m1".into(),
        image_id: None,
        key_name: None,
        user_data: None,
        config_drive: false,
        availability_zone: None,
        metadata: BTreeMap::from([
            ("mine".to_owned(), "1".to_owned()),
            (crate::effect::METADATA_KEY.to_owned(), "old".to_owned()),
        ]),
        tags: vec![],
        volumes: vec![AttachedVolume {
            volume: VolumeId::from("vol"),
            device: Some("/dev/vda".into()),
            tag: None,
            delete_on_termination: true,
        }],
        server_groups: vec![],
        addresses: vec![],
    }
}

fn volume() -> Volume {
    Volume {
        id: VolumeId::from("vol"),
        project_id: Some("pa".into()),
        name: Some("web-os".into()),
        description: None,
        status: "in-use".into(),
        size_gib: 10,
        volume_type: Some("ssd".into()),
        bootable: true,
        encrypted: false,
        multiattach: false,
        host: None,
        group_id: None,
        attached_to: vec![ServerId::from("srv")],
        metadata: BTreeMap::new(),
        image_metadata: BTreeMap::from([("hw_firmware_type".to_owned(), "uefi".to_owned())]),
        created_at: None,
    }
}

pub(super) fn member_facts() -> MemberFacts {
    MemberFacts {
        user_data: crate::record::UserData::None,
        member: MemberId(Uuid::from_u128(9)),
        disks: vec![DiskId(Uuid::from_u128(10))],
        here: Role::Home,
        project: ProjectId::from("pa"),
        wanted: ServerId::from("srv"),
        server: Some(server()),
        flavors: vec![Flavor {
            id: FlavorId::from("f"),
            name: "m1".into(),
            vcpus: 1,
            ram_mib: 1,
            disk_gib: 0,
            ephemeral_gib: 0,
            swap_mib: 0,
            extra_specs: BTreeMap::new(),
        }],
        volumes: vec![volume()],
        volume_types: types(),
        array_volumes: vec![Some(ArrayVolume {
            serial: Serial::from("S1"),
            name: "volume-vol-cinder".into(),
            size_bytes: 10 << 30,
            connected: true,
            destroyed: false,
        })],
        ports: vec![Port {
            id: PortId::from("port"),
            project_id: "pa".into(),
            name: String::new(),
            description: String::new(),
            network: NetworkId::from("net"),
            mac_address: "fa:16:3e:00:00:01".into(),
            fixed_ips: vec![FixedIp {
                subnet: SubnetId::from("sub"),
                address: "10.0.0.5".into(),
            }],
            security_groups: vec![SecurityGroupId::from("sg")],
            port_security_enabled: true,
            allowed_address_pairs: vec![],
            device: Some(ServerId::from("srv")),
            device_owner: "compute:nova".into(),
            vnic_type: Some("normal".into()),
            created_at: None,
        }],
        networks: vec![NetworkInfo {
            id: NetworkId::from("net"),
            name: "app-net".into(),
            project_id: "pa".into(),
            shared: false,
        }],
        subnets: vec![Subnet {
            id: SubnetId::from("sub"),
            name: "app-sub".into(),
            network: NetworkId::from("net"),
            cidr: "10.0.0.0/24".into(),
        }],
        security_groups: vec![SecurityGroup {
            id: SecurityGroupId::from("sg"),
            name: "web".into(),
            project_id: "pa".into(),
        }],
        protected_by: None,
        protected_volumes: vec![(VolumeId::from("another"), GroupId(Uuid::nil()))],
    }
}

pub(super) fn ready() -> GroupBody {
    set_policy(&group(), &policy(), &policy_facts()).unwrap()
}

#[test]
fn a_member_is_captured_whole() {
    let body = add_member(&ready(), &member_facts(), RebuildAsk::default()).unwrap();
    let member = &body.members[0];
    let disk = &member.disks[0];
    assert_eq!(disk.places.home.as_ref().unwrap().serial.as_str(), "S1");
    assert!(disk.delete_on_termination && disk.bootable);
    assert_eq!(disk.image_metadata["hw_firmware_type"], "uefi", "G10");
    assert_eq!(
        member.captured.metadata.len(),
        1,
        "a key of ours is not the tenant's"
    );
    let nic = &member.nics[0];
    assert_eq!(
        (nic.network_name.as_str(), nic.subnet_names[0].as_str()),
        ("app-net", "app-sub")
    );
    assert_eq!(nic.security_groups[0].name, "web");
}

#[test]
fn interfaces_are_kept_as_they_were_plugged_and_not_as_neutron_lists_them() {
    let mut facts = member_facts();
    let like = facts.ports[0].clone();
    facts.ports = ["a", "b", "c", "d"]
        .map(|id| Port {
            id: PortId::from(id),
            mac_address: format!("mac-{id}"),
            ..like.clone()
        })
        .into();
    let address = |mac: &str, address: &str, floating| ServerAddress {
        mac_address: mac.into(),
        address: address.into(),
        floating,
    };
    // "b" has no address: Nova says nothing of it.
    facts.server.as_mut().unwrap().addresses = vec![
        address("MAC-D", "10.0.0.4", false),
        address("mac-a", "10.0.0.1", false),
        address("mac-a", "203.0.113.1", true),
        address("mac-c", "10.0.0.3", false),
    ];
    let body = add_member(&ready(), &facts, RebuildAsk::default()).unwrap();
    let nics = body.members[0].nics.iter();
    let ports: Vec<&str> = nics
        .map(|nic| nic.places.home.as_ref().unwrap().as_str())
        .collect();
    assert_eq!(ports, ["d", "a", "c", "b"]);
    assert_eq!(body.members[0].captured.floating_ips, ["203.0.113.1"]);
}

/// A code, and the change of the facts that it answers.
type Case = (&'static str, fn(&mut MemberFacts));

#[test]
fn a_member_that_cannot_be_rebuilt_is_refused_by_its_own_code() {
    let cases: [Case; 18] = [
        ("no_such_server", |f| f.server = None),
        ("no_such_server", |f| {
            f.server.as_mut().unwrap().project_id = "px".into()
        }),
        ("server_state", |f| {
            f.server.as_mut().unwrap().status = ServerStatus::Error
        }),
        ("root_not_a_volume", |f| {
            f.server.as_mut().unwrap().image_id = Some("img".into())
        }),
        ("ephemeral_disk", |f| f.flavors[0].ephemeral_gib = 1),
        ("ephemeral_disk", |f| f.flavors[0].swap_mib = 1),
        ("no_flavor", |f| f.flavors.clear()),
        ("already_protected", |f| {
            f.protected_by = Some(GroupId(Uuid::nil()))
        }),
        ("volume_type_mismatch", |f| {
            f.volumes[0].volume_type = Some("plain".into())
        }),
        ("volume_encrypted", |f| f.volumes[0].encrypted = true),
        ("volume_multiattach", |f| f.volumes[0].multiattach = true),
        ("volume_multiattach", |f| {
            f.volumes[0].attached_to.push(ServerId::from("other"))
        }),
        ("volume_of_other_project", |f| {
            f.volumes[0].project_id = Some("px".into())
        }),
        ("volume_already_protected", |f| {
            f.protected_volumes[0].0 = VolumeId::from("vol")
        }),
        ("volume_not_eligible", |f| {
            let mut gone = f.server.as_ref().unwrap().volumes[0].clone();
            gone.volume = VolumeId::from("gone");
            f.server.as_mut().unwrap().volumes.push(gone);
        }),
        ("port_not_rebuildable", |f| {
            f.ports[0].vnic_type = Some("direct".into())
        }),
        ("volume_not_on_array", |f| f.array_volumes = vec![None]),
        ("type_not_replicated", |f| {
            f.volume_types.retain(|t| t.name != "ssd")
        }),
    ];
    for (code, change) in cases {
        let mut facts = member_facts();
        change(&mut facts);
        assert_eq!(
            codes(add_member(&ready(), &facts, RebuildAsk::default())),
            [code]
        );
    }
    assert_eq!(
        codes(add_member(&group(), &member_facts(), RebuildAsk::default())),
        ["no_policy"]
    );
}

#[test]
fn only_a_group_that_moved_is_reprotected_and_only_once() {
    assert_eq!(codes(reprotect(&group())), ["no_policy"]);
    assert_eq!(codes(reprotect(&ready())), ["wrong_group_status"]);
    let moved = GroupBody {
        status: GroupStatus::FailedOver,
        protected: false,
        ..ready()
    };
    let again = reprotect(&moved).unwrap();
    assert!(again.protected);
    assert_eq!(codes(reprotect(&again)), ["wrong_group_status"]);
}
