//! Bodies, operations and effects with something in every field.

use super::pair::{home_site, other_site, project};
use protector_domain::effect::{Effect, EffectKey, EffectKind, EffectState};
use protector_domain::ids::{
    DiskId, FlavorId, GroupId, MemberId, NetworkId, OperationId, PortId, SecurityGroupId, Serial,
    ServerId, SiteId, SubnetId, UserId, VolumeId,
};
use protector_domain::operation::{
    EventKind, Operation, OperationKind, OperationMode, OperationStatus,
};
use protector_domain::plan::{PLAN_SCHEMA, Plan};
use protector_domain::ports::compute::Flavor;
use protector_domain::ports::network::FixedIp;
use protector_domain::record::{
    Captured, Disk, DiskPlace, GroupBody, Member, Nic, NicSecurityGroup, Places, SCHEMA,
};
use protector_domain::sync::{Epoch, Role};
use protector_store::NewEvent;
use serde_json::json;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Ids that sort by number, as version 7 ids sort by age.
pub fn id(number: u128) -> Uuid {
    Uuid::from_u128(0x0197_a2b0_0000_7000_8000_0000_0000_0000 + number)
}

fn disk(member: u128, number: u128) -> Disk {
    let mut places = Places::only(
        Role::Home,
        DiskPlace {
            volume: VolumeId(format!("vol-{member}-{number}")),
            serial: Serial(format!("SERIAL{member}{number}")),
            array_name: format!("volume-{member}-{number}-cinder"),
        },
    );
    if number == 1 {
        let there = DiskPlace {
            volume: VolumeId(format!("vol-b-{member}")),
            serial: Serial(format!("SERIALB{member}")),
            array_name: format!("copy-{member}"),
        };
        places.set(Role::Other, Some(there));
    }
    Disk {
        id: DiskId(id(0x3000 + 16 * member + number)),
        places,
        name: format!("web-{member}-{number} \u{1f5c4}"),
        description: None,
        size_gib: 50 * u64::try_from(number).unwrap(),
        bootable: number == 1,
        boot_index: if number == 1 { 0 } else { -1 },
        device: Some(format!("/dev/vd{number}")),
        tag: None,
        delete_on_termination: number != 1,
        image_metadata: BTreeMap::new(),
    }
}

fn nic(member: u128) -> Nic {
    Nic {
        places: Places::only(Role::Home, PortId(format!("port-{member}"))),
        name: "eth0".to_owned(),
        network: NetworkId::from("net-a"),
        network_name: "internal".to_owned(),
        mac_address: "fa:16:3e:00:00:01".to_owned(),
        fixed_ips: vec![FixedIp {
            subnet: SubnetId::from("sub-a"),
            address: "10.0.0.5".to_owned(),
        }],
        subnet_names: vec!["internal-v4".to_owned()],
        security_groups: vec![NicSecurityGroup {
            id: SecurityGroupId::from("sg-a"),
            name: "default".to_owned(),
        }],
        port_security_enabled: true,
        allowed_address_pairs: Vec::new(),
        keep_ip: true,
        keep_mac: false,
    }
}

pub fn member(number: u128) -> Member {
    Member {
        id: MemberId(id(0x2000 + number)),
        places: Places::only(Role::Home, ServerId(format!("server-{number}"))),
        tier: 3,
        user_data: Default::default(),
        captured: Captured {
            at: protector_domain::sync::Role::Home,
            name: format!("Web-{number} Zürich"),
            description: Some("front".to_owned()),
            hostname: None,
            flavor: Flavor {
                id: FlavorId::from("m1"),
                name: "m1.small".to_owned(),
                vcpus: 2,
                ram_mib: 2_048,
                disk_gib: 0,
                ephemeral_gib: 0,
                swap_mib: 0,
                extra_specs: BTreeMap::new(),
            },
            key_name: Some("ops".to_owned()),
            config_drive: false,
            availability_zone: None,
            metadata: BTreeMap::new(),
            tags: Vec::new(),
            server_groups: Vec::new(),
            floating_ips: Vec::new(),
        },
        disks: vec![disk(number, 1), disk(number, 2)],
        nics: vec![nic(number)],
    }
}

/// From JSON, as bodies come: a field that this page does not know has its default.
pub fn body(name: &str) -> GroupBody {
    let side = |site: SiteId, project: &str| json!({"site": site, "project": project, "volume_type": "tier1-async"});
    let body = json!({
        "schema": SCHEMA,
        "name": name,
        "description": "what matters",
        "replication_type": "async",
        "sides": {
            "home": side(home_site(), "tenant-at-a"),
            "other": side(other_site(), project().as_str()),
        },
        "status": "active",
        "policy": {
            "home_array": "array-a",
            "other_array": "array-b",
            "array_group": "pg-web",
            "replication_interval_s": 300,
            "rpo_max_s": 900,
            "target_retention_s": 86_400,
        },
        "mappings": {"networks": {"net-a": "net-b"}, "flavors": {"m1.small": "b1"}},
        "members": [member(2), member(1)],
        "failover_count": 0,
        "last_failover_at_us": null,
        "created_at_us": 1_000_000,
    });
    serde_json::from_value(body).unwrap()
}

/// The frozen plan of an operation, without steps.
fn plan(operation: OperationId, group: GroupId) -> Plan {
    let plan = json!({
        "schema": PLAN_SCHEMA,
        "operation": operation,
        "group": group,
        "kind": "failover",
        "site": other_site(),
        "peer": home_site(),
        "project": project(),
        "fence": 2,
        "fence_after": 2,
        "point": null,
        "on_member_failure": "continue",
        "stages": [],
        "warnings": [],
        "left_out": [],
    });
    serde_json::from_value(plan).unwrap()
}

pub fn operation(number: u128, group: GroupId) -> Operation {
    let operation = OperationId(id(0x5000 + number));
    Operation {
        id: operation,
        group,
        project: project(),
        kind: OperationKind::Failover,
        mode: OperationMode::Unplanned,
        status: OperationStatus::Pending,
        outcome: None,
        epoch: Epoch(2),
        source_site: home_site(),
        target_site: other_site(),
        plan: plan(operation, group),
        progress_pct: 0,
        steps_completed: 0,
        steps_failed: 0,
        instances_failed: 0,
        error_message: None,
        started_at_us: 2_000_000,
        completed_at_us: None,
        requested_by: UserId::from("alice"),
        request_id: "req-1".to_owned(),
        idempotency_key: None,
    }
}

pub fn effect(operation: OperationId, group: GroupId, step: &str, target: &str) -> Effect {
    Effect {
        key: EffectKey::new(operation, step, target),
        operation,
        group,
        project: project(),
        site: other_site(),
        lane: "group".to_owned(),
        stage: 1,
        place: 2,
        step: step.to_owned(),
        kind: EffectKind::ArrayVolume,
        state: EffectState::Intended,
        object_id: None,
        detail: json!({}),
        attempts: 1,
        error: None,
        intended_us: 3_000_000,
        settled_us: None,
    }
}

pub fn event(text: &str) -> NewEvent {
    NewEvent {
        at_us: 4_000_000,
        kind: EventKind::StepDone,
        lane: Some("group".to_owned()),
        step: Some("storage_promo".to_owned()),
        text: text.to_owned(),
    }
}
