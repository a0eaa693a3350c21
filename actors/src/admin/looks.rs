//! Looking at a site's cloud for an administrator (SITE-05, VT-03): asked, judged by `domain::admin`,
//! and the status that follows is kept.
//!
//! Absent: reports by the clock; somebody asks.

use super::{ActorAdmin, Row, pairing, unavailable};
use crate::gather::patiently;
use futures::future::join_all;
use protector_domain::admin::{
    AdminRefusal, CloudFacts, ProjectFacts, ServiceFacts, SiteFacts, judge_site, served_by,
};
use protector_domain::ids::{ProjectId, SiteId};
use protector_domain::ports::admin::{AdminError, SiteStatus, SiteValidation};
use protector_domain::ports::engine::Caller;
use protector_domain::ports::volumes::VolumeManage;
use protector_domain::ports::{Acting, Cloud, ErrorKind, PortError};
use protector_domain::sync::fingerprint;
use protector_domain::volume_type::{Eligibility, eligibility};
use protector_store::Write;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Projects that are asked in at most: a look is answered while somebody waits.
const PROJECTS_MAX: usize = 20;
/// A host that no cloud has: an import there ends at Cinder's policy, or behind it for want of a service.
const NO_HOST: &str = "protector-look@none#none";

/// What is looked at: a registered site, or this one.
struct Looked {
    name: String,
    auth_url: String,
    /// `None`: this site.
    row: Option<Row>,
    cloud: Option<Cloud>,
}

impl ActorAdmin {
    async fn looked_at(&self, wanted: &str) -> Result<Looked, AdminError> {
        if wanted.parse::<SiteId>() == Ok(self.site.id()) {
            return Ok(Looked {
                name: self.site.ctx().site.clone(),
                auth_url: "its own Keystone".to_owned(),
                row: None,
                cloud: Some(self.site.cloud().clone()),
            });
        }
        let row = self.site_row(wanted).await?;
        Ok(Looked {
            name: row.name.clone(),
            auth_url: row.auth_url.clone(),
            cloud: self.site.peer_cloud(row.id),
            row: Some(row),
        })
    }

    /// Projects at that site which tenant mappings name.
    async fn mapped_projects(&self, row: Option<&Row>) -> Result<BTreeSet<ProjectId>, AdminError> {
        let mappings = self.site.store().tenant_mapping_list(None).await;
        let mappings = mappings.map_err(|e| unavailable(&e))?.into_iter();
        Ok(match row {
            None => mappings.map(|m| m.local_project).collect(),
            Some(row) => mappings
                .filter(|m| m.remote_site == row.id)
                .map(|m| m.remote_project)
                .collect(),
        })
    }

    /// Looks, keeps the status, and says what was found.
    pub(super) async fn look(
        &self,
        caller: &Caller,
        wanted: &str,
    ) -> Result<SiteValidation, AdminError> {
        let looked = self.looked_at(wanted).await?;
        let projects = self.mapped_projects(looked.row.as_ref()).await?;
        let pins = match &looked.row {
            None => Some(self.own_fingerprint().await?),
            Some(row) => pairing::pinned(row).map(|offer| fingerprint(&offer)),
        };
        let cloud = match &looked.cloud {
            None => None,
            Some(cloud) => Some(cloud_facts(cloud, projects).await),
        };
        let (checks, status) = judge_site(&SiteFacts {
            site: looked.name.clone(),
            auth_url: looked.auth_url,
            is_own: looked.row.is_none(),
            fingerprint: pins,
            cloud,
        });
        let kept = looked.row.as_ref().zip(status);
        let changes = kept.map(|(row, status)| Write::SiteStatusSet {
            id: row.id,
            status: stored(status),
        });
        let results: BTreeMap<String, _> =
            checks.iter().map(|c| (word(&c.name), c.result)).collect();
        let detail = json!({ "status": status, "checks": results });
        let named = ("site_validate", looked.name.as_str());
        self.write(caller, changes.into_iter().collect(), named, detail)
            .await?;
        Ok(SiteValidation {
            name: looked.name,
            status,
            checks,
        })
    }

    async fn own_fingerprint(&self) -> Result<String, AdminError> {
        use protector_domain::ports::Admin;
        Ok(self.pair_offer().await?.fingerprint)
    }

    pub(super) async fn types_of(&self, wanted: &str) -> Result<Vec<Eligibility>, AdminError> {
        let looked = self.looked_at(wanted).await?;
        let Some(cloud) = looked.cloud else {
            let site = looked.name;
            return Err(AdminRefusal::NoCredential { site }.into());
        };
        let (types, services, pools) = futures::join!(
            patiently(|| cloud.volumes.volume_type_list(&Acting::Service)),
            patiently(|| cloud.volumes.volume_service_list(&Acting::Service)),
            patiently(|| cloud.volumes.volume_pool_list(&Acting::Service)),
        );
        let types = types.map_err(|error| AdminRefusal::CouldNotAsk {
            site: looked.name,
            why: error.what,
        })?;
        let judged = types
            .iter()
            .map(|found| eligibility(found, served_by(found, &services, &pools)));
        Ok(judged.collect())
    }
}

fn word<T: serde::Serialize>(value: &T) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

fn stored(status: SiteStatus) -> protector_store::SiteStatus {
    match status {
        SiteStatus::Active => protector_store::SiteStatus::Active,
        SiteStatus::Unreachable => protector_store::SiteStatus::Unreachable,
        SiteStatus::Error => protector_store::SiteStatus::Error,
    }
}

async fn cloud_facts(cloud: &Cloud, projects: BTreeSet<ProjectId>) -> CloudFacts {
    let login = patiently(|| cloud.identity.delegation_check(&Acting::Service)).await;
    let services = match &login {
        Ok(()) => Some(service_facts(cloud, projects).await),
        Err(_) => None,
    };
    CloudFacts { login, services }
}

async fn service_facts(cloud: &Cloud, projects: BTreeSet<ProjectId>) -> ServiceFacts {
    let acting = &Acting::Service;
    let (flavors, networks, services, pools, types) = futures::join!(
        patiently(|| cloud.compute.flavor_list(acting)),
        patiently(|| cloud.network.network_list(acting)),
        patiently(|| cloud.volumes.volume_service_list(acting)),
        patiently(|| cloud.volumes.volume_pool_list(acting)),
        patiently(|| cloud.volumes.volume_type_list(acting)),
    );
    let projects = projects.into_iter().take(PROJECTS_MAX);
    ServiceFacts {
        compute: flavors.map(drop),
        network: networks.map(drop),
        volume_services: services,
        volume_pools: pools,
        volume_types: types,
        projects: join_all(projects.map(|project| project_facts(cloud, project))).await,
    }
}

async fn project_facts(cloud: &Cloud, project: ProjectId) -> ProjectFacts {
    let acting = Acting::ServiceIn(project.clone());
    let login = patiently(|| cloud.identity.delegation_check(&acting)).await;
    let import = match &login {
        Ok(()) => Some(import_answer(cloud, &acting).await),
        Err(_) => None,
    };
    ProjectFacts {
        project,
        login,
        import,
    }
}

/// Asked once: it is a write, though of nothing.
async fn import_answer(cloud: &Cloud, acting: &Acting) -> PortError {
    let ask = VolumeManage {
        host: NO_HOST.to_owned(),
        source_name: "protector-look".to_owned(),
        name: "protector-look".to_owned(),
        description: None,
        volume_type: "protector-look".to_owned(),
        bootable: false,
        availability_zone: None,
        metadata: BTreeMap::new(),
    };
    match cloud.volumes.volume_manage(acting, &ask).await {
        Err(error) => error,
        Ok(volume) => {
            let what = format!("an import by host {NO_HOST} was accepted, as volume {volume}");
            PortError::new(ErrorKind::Unknown, what)
        }
    }
}
