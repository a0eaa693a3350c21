//! A group of two VMs, and a target that can take it: what the tables start from.

use super::facts::{Asked, FailoverFacts, LeftHere, TargetFacts};
use crate::ids::*;
use crate::ports::Acting;
use crate::ports::compute::{ComputeQuota, Flavor, QuotaUse};
use crate::ports::network::{FixedIp, NetworkInfo, SecurityGroup, Subnet};
use crate::ports::storage::{GroupSpec, PointVolume, RecoveryPoint};
use crate::ports::volumes::{VolumePool, VolumeQuota, VolumeService, VolumeType};
use crate::record::*;
use crate::sync::{Digest, Epoch, RecordRef, Role, Version};
use std::collections::BTreeMap;
use uuid::Uuid;

pub(super) fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

pub(super) fn flavor(name: &str) -> Flavor {
    Flavor {
        id: FlavorId::from(format!("flavor-{name}")),
        name: name.to_owned(),
        vcpus: 2,
        ram_mib: 4096,
        disk_gib: 0,
        ephemeral_gib: 0,
        swap_mib: 0,
        extra_specs: BTreeMap::new(),
    }
}

pub(super) fn member(n: u128, disks: usize) -> Member {
    let disk = |d: usize| Disk {
        id: DiskId(id(n * 100 + d as u128)),
        places: Places::only(
            Role::Home,
            DiskPlace {
                volume: VolumeId::from(format!("vol-{n}-{d}")),
                serial: Serial::from(format!("SER{n}{d}")),
                array_name: format!("volume-vol-{n}-{d}-cinder"),
            },
        ),
        name: format!("disk-{n}-{d}"),
        description: None,
        size_gib: 10,
        bootable: d == 0,
        boot_index: if d == 0 { 0 } else { -1 },
        device: None,
        tag: None,
        delete_on_termination: false,
        image_metadata: BTreeMap::new(),
    };
    Member {
        id: MemberId(id(n)),
        places: Places::only(Role::Home, ServerId::from(format!("srv-{n}"))),
        tier: 0,
        captured: Captured {
            at: crate::sync::Role::Home,
            name: format!("web-{n}"),
            description: None,
            hostname: None,
            flavor: flavor("m1"),
            key_name: None,
            config_drive: false,
            availability_zone: None,
            metadata: BTreeMap::new(),
            tags: vec![],
            server_groups: vec![],
            floating_ips: vec![],
        },
        user_data: UserData::None,
        disks: (0..disks).map(disk).collect(),
        nics: vec![Nic {
            places: Places::only(Role::Home, PortId::from(format!("port-{n}"))),
            name: String::new(),
            network: NetworkId::from("net-a"),
            network_name: "app-net".into(),
            mac_address: format!("fa:16:3e:00:00:0{n}"),
            fixed_ips: vec![FixedIp {
                subnet: SubnetId::from("sub-a"),
                address: format!("10.0.0.{n}"),
            }],
            subnet_names: vec!["app-subnet".into()],
            security_groups: vec![NicSecurityGroup {
                id: SecurityGroupId::from("sg-a"),
                name: "web".into(),
            }],
            port_security_enabled: true,
            allowed_address_pairs: vec![],
            keep_ip: true,
            keep_mac: true,
        }],
    }
}

pub(super) fn point(sequence: u64, complete: bool, age_s: u64) -> RecoveryPoint {
    RecoveryPoint {
        suffix: PointSuffix::from(format!("s{sequence}")),
        created_ms: 0,
        completed_ms: complete.then_some(1),
        age_s: Some(age_s),
        sequence,
    }
}

/// A volume of ten GiB in a point.
pub(super) fn held(name: &str) -> PointVolume {
    PointVolume {
        name: name.to_owned(),
        size_bytes: 10 << 30,
    }
}

pub(super) fn quota(limit: i64) -> QuotaUse {
    QuotaUse { used: 0, limit }
}

pub(super) fn body() -> GroupBody {
    let place = |site, project: &str| SidePlace {
        site: SiteId(id(site)),
        project: ProjectId::from(project),
        volume_type: "ssd".into(),
    };
    GroupBody {
        schema: SCHEMA,
        name: "g".into(),
        description: String::new(),
        replication_type: ReplicationType::Async,
        sides: Sides {
            home: place(1, "pa"),
            other: place(2, "pb"),
        },
        status: GroupStatus::Active,
        policy: Some(Policy {
            home_array: ArrayId::from("A"),
            other_array: ArrayId::from("B"),
            array_group: ArrayGroupName::from("pg"),
            replication_interval_s: 300,
            rpo_max_s: 900,
            target_retention_s: 86_400,
        }),
        mappings: Mappings::default(),
        members: vec![member(1, 2), member(2, 1)],
        protected: true,
        on_return: crate::fence::OnReturn::default(),
        failover_count: 0,
        last_failover_at_us: None,
        created_at_us: 0,
    }
}

pub(super) fn storage() -> GroupSpec {
    GroupSpec {
        name: ArrayGroupName::from("pg"),
        source: ArrayId::from("A"),
        target: ArrayId::from("B"),
        replication_interval_s: 300,
        target_retention_s: 86_400,
    }
}

pub(super) fn facts() -> FailoverFacts {
    let acting = Acting::ServiceIn(ProjectId::from("pb"));
    FailoverFacts {
        operation: OperationId(id(77)),
        group: GroupId(id(5)),
        site: SiteId(id(2)),
        here: Role::Other,
        fence: Epoch(2),
        fence_after: Epoch(2),
        base: RecordRef {
            epoch: Epoch(1),
            version: Version(1),
            digest: Digest::of_json(&1).unwrap(),
        },
        source: None,
        left_here: LeftHere::default(),
        body: body(),
        storage: Some(storage()),
        points: Asked::Known(vec![
            point(3, false, 10),
            point(2, true, 60),
            point(1, true, 900),
        ]),
        point_volumes: Asked::Known(
            ["1-0", "1-1", "2-0"]
                .map(|n| held(&format!("volume-vol-{n}-cinder")))
                .to_vec(),
        ),
        target: target(),
        volumes_as: acting.clone(),
        servers_as: acting,
        tenant: Asked::Known(tenant()),
    }
}

pub(super) fn tenant() -> Acting {
    Acting::Trust {
        trust: TrustId::from("trust-b"),
        project: ProjectId::from("pb"),
    }
}

pub(super) fn target() -> TargetFacts {
    let types = VolumeType {
        id: "t".into(),
        name: "ssd".into(),
        extra_specs: BTreeMap::from([("volume_backend_name".to_owned(), "pure".to_owned())]),
        is_public: true,
    };
    TargetFacts {
        delegation: Asked::Known(()),
        flavors: Asked::Known(vec![flavor("m1")]),
        networks: Asked::Known(vec![
            network("net-b", "app-net"),
            network("net-t", "drill-net"),
        ]),
        subnets: Asked::Known(vec![Subnet {
            id: SubnetId::from("sub-b"),
            name: "app-subnet".into(),
            network: NetworkId::from("net-b"),
            cidr: "10.0.0.0/24".into(),
        }]),
        availability_zones: Asked::Known(vec!["nova".into(), "zone-b".into()]),
        security_groups: Asked::Known(vec![SecurityGroup {
            id: SecurityGroupId::from("sg-b"),
            name: "web".into(),
            project_id: "pb".into(),
        }]),
        ports: Asked::Known(vec![]),
        volume_types: Asked::Known(vec![types]),
        volume_services: Asked::Known(vec![VolumeService {
            host: "b@pure".into(),
            zone: "nova".into(),
            enabled: true,
            up: true,
        }]),
        volume_pools: Asked::Known(vec![VolumePool {
            name: "b@pure#pure".into(),
            volume_backend_name: "pure".into(),
        }]),
        compute_quota: Asked::Known(ComputeQuota {
            instances: quota(10),
            cores: quota(-1),
            ram_mib: quota(-1),
        }),
        volume_quota: Asked::Known(VolumeQuota {
            volumes: quota(10),
            gigabytes: quota(1000),
        }),
        port_quota: Asked::Known(quota(10)),
        keypairs: Asked::Known(vec![]),
    }
}

fn network(id: &str, name: &str) -> NetworkInfo {
    NetworkInfo {
        id: NetworkId::from(id),
        name: name.to_owned(),
        project_id: "pb".to_owned(),
        shared: false,
    }
}
