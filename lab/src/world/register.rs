//! What an administrator does once: both sites know each other's keys, the arrays, and which two
//! projects belong together.

use super::{Which, World};
use anyhow::Result;
use protector_domain::ids::{ProjectId, TenantMappingId};
use protector_domain::sync::SigningIdentity;
use protector_store::{Array, Site, SiteStatus, SiteType, Store, TenantMapping};
use protectord::identity;

/// Rows on both sides, written before either is booted.
pub(super) async fn introduce(world: &World) -> Result<()> {
    let mut stores = Vec::new();
    for site in [&world.a, &world.b] {
        let ctx = site.ctx();
        let store = site.open_store(&ctx).await?;
        let identity = identity::ensure(&store, &ctx, site.id).await?;
        stores.push((site.which, store, identity));
    }
    for (here, store, _) in &stores {
        for (which, _, identity) in &stores {
            store
                .site_create(site_row(world, *which, identity)?, None)
                .await?;
        }
        for name in [Which::A.array(), Which::B.array()] {
            register_array(world, store, name).await?;
        }
        map_tenant(world, store, *here).await?;
    }
    for (_, store, _) in stores {
        store.close().await;
    }
    Ok(())
}

fn site_row(world: &World, which: Which, identity: &SigningIdentity) -> Result<Site> {
    let site_type = match which {
        Which::A => SiteType::Primary,
        Which::B => SiteType::Secondary,
    };
    Ok(Site {
        id: world.site(which).id,
        name: which.name().to_owned(),
        description: String::new(),
        site_type,
        auth_url: format!("http://{}/identity/v3", which.cloud_host()),
        region_name: "RegionOne".to_owned(),
        status: SiteStatus::Active,
        peer_keys: serde_json::to_value(identity::public_keys(identity))?,
        checked_us: None,
    })
}

async fn register_array(world: &World, store: &Store, name: &str) -> Result<()> {
    let id = world
        .a
        .array_id(name)
        .ok_or_else(|| anyhow::anyhow!("no array {name}"))?;
    let array = Array {
        id,
        name: name.to_owned(),
        url: format!("https://{name}.test"),
        certificate: None,
        allowed_projects: None,
    };
    Ok(store.array_create(array, None).await?)
}

async fn map_tenant(world: &World, store: &Store, here: Which) -> Result<()> {
    let project = |which: Which| ProjectId(world.tenant(which).project.clone());
    let mapping = TenantMapping {
        id: TenantMappingId(uuid::Uuid::from_u128(0x7e0a)),
        local_project: project(here),
        remote_site: world.site(here.other()).id,
        remote_project: project(here.other()),
        description: String::new(),
    };
    Ok(store.tenant_mapping_create(mapping).await?)
}
