//! What a look at a site has found (SITE-05, SITE-08): each thing by name, with its cause and the way
//! out, and the status that follows from all of them.
//!
//! Absent: asking; a gatherer does, and says what it could not ask.

use crate::ids::ProjectId;
use crate::ports::admin::SiteStatus;
use crate::ports::volumes::{VolumePool, VolumeService, VolumeType};
use crate::ports::{ErrorKind, PortError, PortResult};
use crate::volume_type::{eligibility, serving_pool};
use serde::{Deserialize, Serialize};

/// The rules of Cinder's policy that the service needs at a site (SEC-04).
const CINDER_RULES: &str = "volume_extension:volume_manage, volume_extension:volume_unmanage and \
                            volume_extension:services:index in Cinder's policy.yaml at this site, then \
                            restart cinder-api and cinder-volume";

/// What is looked at, in this order. Closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckName {
    /// The site's keys are pinned here (C9).
    PeerIdentity,
    /// A login at its OpenStack is sealed here (C26).
    Credential,
    /// Keystone takes that login.
    Identity,
    /// The service may act in the tenants' projects there (E8).
    Delegation,
    Compute,
    Network,
    /// A cinder-volume is up, and may be listed.
    VolumeServices,
    /// A type is there whose volumes can be protected (VT-02).
    VolumeTypes,
    /// Cinder lets the service import volumes (E6).
    VolumeManage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckResult {
    Ok,
    Failed,
    /// Another check failed first, or there is nothing to look at.
    Skipped,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteCheck {
    pub name: CheckName,
    pub result: CheckResult,
    /// What was found, or why it was not.
    pub cause: String,
    /// `None`: there is nothing to do.
    pub remedy: Option<String>,
}

/// What was asked in one tenant's project there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectFacts {
    pub project: ProjectId,
    pub login: PortResult<()>,
    /// The answer to an import by a host that does not exist: only a policy stops it as `Denied`.
    /// `None`: not asked, since the login failed.
    pub import: Option<PortError>,
}

/// What a site's cloud answered. `None`: not asked, since the login failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudFacts {
    pub login: PortResult<()>,
    pub services: Option<ServiceFacts>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceFacts {
    pub compute: PortResult<()>,
    pub network: PortResult<()>,
    pub volume_services: PortResult<Vec<VolumeService>>,
    pub volume_pools: PortResult<Vec<VolumePool>>,
    pub volume_types: PortResult<Vec<VolumeType>>,
    /// Of projects that a tenant mapping names.
    pub projects: Vec<ProjectFacts>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteFacts {
    /// Its name here.
    pub site: String,
    pub auth_url: String,
    /// This very site is looked at, with its own service login.
    pub is_own: bool,
    /// Of what is pinned.
    pub fingerprint: Option<String>,
    /// `None`: no login is sealed here.
    pub cloud: Option<CloudFacts>,
}

/// All checks, and what the site's status is after them; `None`: nobody could look, it stays as it was.
pub fn judge_site(facts: &SiteFacts) -> (Vec<SiteCheck>, Option<SiteStatus>) {
    let mut checks = vec![peer_identity(facts), credential(facts)];
    let mut status = None;
    if let Some(cloud) = &facts.cloud {
        checks.push(identity(facts, &cloud.login));
        if let Some(services) = &cloud.services {
            checks.extend(of_services(services));
        }
        status = Some(status_of(&cloud.login, &checks));
    }
    let skipped = ALL
        .iter()
        .filter(|name| !checks.iter().any(|c| c.name == **name));
    let skipped: Vec<SiteCheck> = skipped
        .map(|name| {
            check(
                *name,
                CheckResult::Skipped,
                "not asked: without a login nobody answers",
            )
        })
        .collect();
    checks.extend(skipped);
    checks.sort_by_key(|check| check.name);
    (checks, status)
}

const ALL: [CheckName; 9] = [
    CheckName::PeerIdentity,
    CheckName::Credential,
    CheckName::Identity,
    CheckName::Delegation,
    CheckName::Compute,
    CheckName::Network,
    CheckName::VolumeServices,
    CheckName::VolumeTypes,
    CheckName::VolumeManage,
];

fn status_of(login: &PortResult<()>, checks: &[SiteCheck]) -> SiteStatus {
    let failed = checks.iter().any(|c| c.result == CheckResult::Failed);
    match login {
        Err(error) if !error.is_definite_no() => SiteStatus::Unreachable,
        _ if failed => SiteStatus::Error,
        _ => SiteStatus::Active,
    }
}

fn check(name: CheckName, result: CheckResult, cause: impl Into<String>) -> SiteCheck {
    SiteCheck {
        name,
        result,
        cause: cause.into(),
        remedy: None,
    }
}

fn ok(name: CheckName, cause: impl Into<String>) -> SiteCheck {
    check(name, CheckResult::Ok, cause)
}

fn failed(name: CheckName, cause: impl Into<String>, remedy: impl Into<String>) -> SiteCheck {
    SiteCheck {
        remedy: Some(remedy.into()),
        ..check(name, CheckResult::Failed, cause)
    }
}

fn peer_identity(facts: &SiteFacts) -> SiteCheck {
    let name = CheckName::PeerIdentity;
    match &facts.fingerprint {
        Some(fingerprint) => ok(name, format!("its keys have fingerprint {fingerprint}")),
        None => failed(
            name,
            "no keys of it are pinned here: nothing it signs is believed",
            format!("openstack protector site pair {}", facts.site),
        ),
    }
}

fn credential(facts: &SiteFacts) -> SiteCheck {
    let name = CheckName::Credential;
    match (&facts.cloud, facts.is_own) {
        (Some(_), true) => ok(name, "this site's own service login"),
        (Some(_), false) => ok(name, "a login is sealed here"),
        (None, _) => failed(
            name,
            "no login at its OpenStack is sealed here: planned moves cannot stop its servers",
            format!("openstack protector site credential set {}", facts.site),
        ),
    }
}

fn identity(facts: &SiteFacts, login: &PortResult<()>) -> SiteCheck {
    let name = CheckName::Identity;
    let error = match login {
        Ok(()) => return ok(name, format!("{} lets the service in", facts.auth_url)),
        Err(error) => error,
    };
    let remedy = match (error.kind, facts.is_own) {
        (ErrorKind::Denied, true) => {
            "correct [keystone_authtoken] in /etc/protector/protector.conf at this site".to_owned()
        }
        (ErrorKind::Denied, false) => {
            format!("openstack protector site credential set {}", facts.site)
        }
        (_, true) => "openstack token issue, at this site; is keystone running, and [keystone_authtoken] auth_url right?".to_owned(),
        (_, false) => format!(
            "look there for: keystone running, its port listening, the firewall between, and whether \
             {} is right (openstack protector site set {} --auth-url <url>)",
            facts.auth_url, facts.site
        ),
    };
    failed(name, error.what.clone(), remedy)
}

fn of_services(facts: &ServiceFacts) -> Vec<SiteCheck> {
    let answered = |name, answer: &PortResult<()>, command: &str| match answer {
        Ok(()) => ok(name, "it answers"),
        Err(error) => failed(name, error.what.clone(), command),
    };
    vec![
        delegation(&facts.projects),
        answered(
            CheckName::Compute,
            &facts.compute,
            "openstack catalog show compute",
        ),
        answered(
            CheckName::Network,
            &facts.network,
            "openstack catalog show network",
        ),
        volume_services(facts),
        volume_types(facts),
        volume_manage(&facts.projects),
    ]
}

/// Every project counts: the one that fails is the one that cannot be recovered.
fn delegation(projects: &[ProjectFacts]) -> SiteCheck {
    let name = CheckName::Delegation;
    let refused = projects
        .iter()
        .find_map(|p| p.login.as_ref().err().map(|e| (p, e)));
    match (refused, projects.len()) {
        (Some((project, error)), _) => failed(
            name,
            format!("project {}: {}", project.project, error.what),
            format!(
                "openstack role add --user protector --project {} member, at this site",
                project.project
            ),
        ),
        (None, 0) => check(
            name,
            CheckResult::Skipped,
            "no tenant mapping names a project there",
        ),
        (None, count) => ok(
            name,
            format!("the service may act in {count} mapped projects"),
        ),
    }
}

fn volume_services(facts: &ServiceFacts) -> SiteCheck {
    let name = CheckName::VolumeServices;
    match &facts.volume_services {
        Err(error) if error.kind == ErrorKind::Denied => {
            failed(name, error.what.clone(), format!("allow {CINDER_RULES}"))
        }
        Err(error) => failed(
            name,
            error.what.clone(),
            "openstack catalog show block-storage",
        ),
        Ok(services) => {
            let up = services.iter().filter(|s| s.up && s.enabled).count();
            if up == 0 {
                let cause = format!("none of {} cinder-volume services is up", services.len());
                return failed(
                    name,
                    cause,
                    "openstack volume service list; start cinder-volume",
                );
            }
            ok(
                name,
                format!("{up} of {} cinder-volume services are up", services.len()),
            )
        }
    }
}

fn volume_types(facts: &ServiceFacts) -> SiteCheck {
    let name = CheckName::VolumeTypes;
    let types = match &facts.volume_types {
        Ok(types) => types,
        Err(error) => {
            return failed(
                name,
                error.what.clone(),
                "openstack catalog show block-storage",
            );
        }
    };
    let good = types.iter().filter(|found| {
        let served = served_by(found, &facts.volume_services, &facts.volume_pools);
        eligibility(found, served).against.is_none()
    });
    match good.count() {
        0 => failed(
            name,
            format!("none of {} volume types can be protected", types.len()),
            "openstack protector site list-volume-types --all says why; openstack volume type set \
             --property replication_enabled='<is> True' --property replication_type='<in> async' <type>",
        ),
        count => ok(
            name,
            format!("{count} of {} volume types can be protected", types.len()),
        ),
    }
}

/// Whether a running cinder-volume serves the type; `None`: could not be asked.
pub fn served_by(
    found: &VolumeType,
    services: &PortResult<Vec<VolumeService>>,
    pools: &PortResult<Vec<VolumePool>>,
) -> Option<bool> {
    let (services, pools) = (services.as_ref().ok()?, pools.as_ref().ok()?);
    Some(serving_pool(found, services, pools).is_some())
}

/// The rule is asked first by Cinder, then the host, which does not exist: any other "no" means yes.
fn volume_manage(projects: &[ProjectFacts]) -> SiteCheck {
    let name = CheckName::VolumeManage;
    let asked: Vec<_> = projects
        .iter()
        .filter_map(|p| p.import.as_ref().map(|import| (p, import)))
        .collect();
    let open = |kind| !matches!(kind, ErrorKind::Refused | ErrorKind::Missing);
    let first = asked.iter().find(|(_, import)| open(import.kind));
    match (first, asked.len()) {
        (Some((project, import)), _) => failed(
            name,
            format!("project {}: {}", project.project, import.what),
            format!("allow {CINDER_RULES}"),
        ),
        (None, 0) => check(
            name,
            CheckResult::Skipped,
            "no mapped project could be asked in",
        ),
        (None, count) => ok(
            name,
            format!("Cinder lets the service import in {count} mapped projects"),
        ),
    }
}
