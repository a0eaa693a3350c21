//! A server that is to join, read whole: Nova, Cinder, Neutron, and the array behind its volumes.

use super::change::unavailable;
use super::patiently;
use crate::site::Site;
use protector_domain::change::MemberFacts;
use protector_domain::ids::{DiskId, GroupId, MemberId, ServerId, VolumeId};
use protector_domain::ports::compute::Server;
use protector_domain::ports::engine::EngineError;
use protector_domain::ports::network::PortFilter;
use protector_domain::ports::storage::ArrayVolume;
use protector_domain::ports::volumes::Volume;
use protector_domain::ports::{Acting, PortResult};
use protector_domain::record::{GroupBody, UserData, UserDataOf};
use protector_domain::sync::{Role, SealEntropy};
use protector_store::StoredGroup;
use secrecy::SecretString;

/// Volumes of one server that are read at most; Nova itself stops far earlier.
const VOLUMES_MAX: usize = 256;

/// Facts for `domain::change::add_member`.
pub(super) async fn facts(
    site: &Site,
    group: &StoredGroup,
    body: &GroupBody,
    wanted: &ServerId,
) -> Result<MemberFacts, EngineError> {
    let acting = Acting::ServiceIn(group.project.clone());
    let server = patiently(|| site.cloud().compute.server_fetch(&acting, wanted)).await;
    let server = server.map_err(|e| unavailable(&e))?;
    // Another project's server is not looked at any further (S14).
    let mut server = server.filter(|s| s.project_id == group.project.as_str());
    let member = MemberId(site.ctx().uuid());
    let given = server.as_mut().and_then(|s| s.user_data.take());
    let user_data = given.map(|text| sealed(site, group, body, member, text.into()));
    let (volumes, array_volumes) = volumes(site, group, body, &acting, server.as_ref()).await?;
    let cloud = site.cloud();
    let filter = PortFilter {
        device: Some(wanted.clone()),
        ..PortFilter::default()
    };
    let (flavors, volume_types, ports, networks, subnets, security_groups) = futures::join!(
        patiently(|| cloud.compute.flavor_list(&acting)),
        patiently(|| cloud.volumes.volume_type_list(&acting)),
        patiently(|| cloud.network.port_list(&acting, &filter)),
        patiently(|| cloud.network.network_list(&acting)),
        patiently(|| cloud.network.subnet_list(&acting)),
        patiently(|| cloud.network.security_group_list(&acting)),
    );
    let protected_volumes = protected_volumes(site).await?;
    let protected_by = site.store().group_of_server(&group.project, wanted).await;
    let disks = server
        .as_ref()
        .map_or(0, |s| s.volumes.len())
        .min(VOLUMES_MAX);
    Ok(MemberFacts {
        member,
        disks: (0..disks).map(|_| DiskId(site.ctx().uuid())).collect(),
        here: group.sync.role(),
        project: group.project.clone(),
        wanted: wanted.clone(),
        server,
        user_data: user_data.unwrap_or_default(),
        flavors: known(flavors)?,
        volumes,
        volume_types: known(volume_types)?,
        array_volumes,
        ports: known(ports)?,
        networks: known(networks)?,
        subnets: known(subnets)?,
        security_groups: known(security_groups)?,
        protected_by: protected_by.map_err(|e| unavailable(&e))?,
        protected_volumes,
    })
}

/// Of every group here: a volume may have gone from one server to another since it joined.
async fn protected_volumes(site: &Site) -> Result<Vec<(VolumeId, GroupId)>, EngineError> {
    let groups = site.store().group_list_active().await;
    let groups = groups.map_err(|e| unavailable(&e))?;
    let mut found = Vec::new();
    for group in &groups {
        let role = group.sync.role();
        let members = group.body.iter().flat_map(|body| &body.members);
        let places = members
            .flat_map(|m| &m.disks)
            .filter_map(|d| d.places.at(role));
        found.extend(places.map(|place| (place.volume.clone(), group.id)));
    }
    Ok(found)
}

fn known<T>(answer: PortResult<T>) -> Result<T, EngineError> {
    answer.map_err(|e| unavailable(&e))
}

type Found = (Vec<Volume>, Vec<Option<ArrayVolume>>);

async fn volumes(
    site: &Site,
    group: &StoredGroup,
    body: &GroupBody,
    acting: &Acting,
    server: Option<&Server>,
) -> Result<Found, EngineError> {
    let (mut volumes, mut on_array) = (Vec::new(), Vec::new());
    let array = body.policy.as_ref().map(|p| p.array_of(group.sync.role()));
    for attached in server.iter().flat_map(|s| &s.volumes).take(VOLUMES_MAX) {
        let volume =
            known(patiently(|| site.cloud().volumes.volume_fetch(acting, &attached.volume)).await)?;
        let Some(volume) = volume else { continue };
        let found = match array {
            Some(array) => known(patiently(|| site.storage().locate(array, &volume.id)).await)?,
            None => None,
        };
        volumes.push(volume);
        on_array.push(found);
    }
    Ok((volumes, on_array))
}

/// The server's user data, for the record.
fn sealed(
    site: &Site,
    group: &StoredGroup,
    body: &GroupBody,
    member: MemberId,
    text: SecretString,
) -> UserData {
    let own = site.identity().as_peer();
    let peers = site.peers();
    let at = |role: Role| match body.sides.of(role).site {
        here if here == own.site => Some(&own),
        there => peers.get(&there),
    };
    let Some((home, other)) = at(Role::Home).zip(at(Role::Other)) else {
        let why = "the other site is not paired".to_owned();
        return UserData::NotKept { why };
    };
    let mut entropy = SealEntropy {
        key: [0; 32],
        nonce: [0; 24],
        passing: [[0; 32]; 2],
    };
    let [first, second] = &mut entropy.passing;
    for bytes in [&mut entropy.key[..], &mut entropy.nonce[..], first, second] {
        site.ctx().entropy.fill(bytes);
    }
    let used = body.members.iter().map(|m| m.user_data.letters()).sum();
    let of = UserDataOf {
        group: group.id,
        member,
        home,
        other,
        used,
    };
    of.keep(&text, &entropy)
}
