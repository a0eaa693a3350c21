//! Names of things. Ours are UUIDs; those of OpenStack and of the arrays are whatever their owner
//! says, kept verbatim. Absent: making ids (that needs a clock and entropy: `runtime::entropy`).

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

macro_rules! own_id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.fmt(f) }
        }
        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> { Uuid::parse_str(text).map(Self) }
        }
    )+};
}

macro_rules! foreign_id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);
        impl $name {
            pub fn as_str(&self) -> &str { &self.0 }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }
        impl From<&str> for $name {
            fn from(text: &str) -> Self { Self(text.to_owned()) }
        }
        impl From<String> for $name {
            fn from(text: String) -> Self { Self(text) }
        }
    )+};
}

own_id! {
    /// A protection group (PG-01). Made at its home site, the same at both.
    GroupId,
    /// One run of a DR operation (OP-01).
    OperationId,
    /// A registered site (SITE-01).
    SiteId,
    /// A member VM of a group. Outlives the Nova server, which changes at each move.
    MemberId,
    /// A protected disk of a member. Outlives the Cinder volume, which changes at each move.
    DiskId,
    /// A pairing of two projects at two sites (TEN-01).
    TenantMappingId,
}

foreign_id! {
    /// A Keystone project.
    ProjectId,
    /// A Keystone user.
    UserId,
    /// A Keystone trust.
    TrustId,
    /// A Nova server.
    ServerId,
    /// A Nova flavor.
    FlavorId,
    /// A Cinder volume.
    VolumeId,
    /// A Cinder generic volume group.
    VolumeGroupId,
    /// A Neutron port.
    PortId,
    /// A Neutron network.
    NetworkId,
    /// A Neutron subnet.
    SubnetId,
    /// A Neutron security group.
    SecurityGroupId,
    /// A Glance image.
    ImageId,
    /// An array, by the id it reports of itself (F15), never by its URL.
    ArrayId,
    /// A volume's serial on an array: its identity across renames.
    Serial,
    /// The name of a protection group on its own array.
    ArrayGroupName,
    /// A group snapshot, by suffix only: the part of the name that we choose.
    PointSuffix,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_ids_refuse_what_is_no_uuid() {
        assert!("pg-123".parse::<GroupId>().is_err());
        let id: GroupId = "0197a2b0-0000-7000-8000-000000000001".parse().unwrap();
        assert_eq!(id.to_string(), "0197a2b0-0000-7000-8000-000000000001");
    }
}
