//! What this site checks in a body besides order (section 11 of the protocol): a known layout, the
//! same home, a tenant mapping, a name that is free, and the array object that follows from the group's
//! own id. And what it leaves of a body when the group is deleted.

use crate::site::Site;
use protector_domain::change::is_own_array_group;
use protector_domain::ids::{GroupId, ProjectId, SiteId};
use protector_domain::record::{GroupBody, SCHEMA, Tombstone};
use protector_domain::sync::{BodyCheck, Record};
use protector_store::StoreError;
use serde_json::{Value, json};

/// What the judgement needs to know, read beforehand.
#[derive(Debug, Clone, Default)]
pub(crate) struct BodyFacts {
    me: Option<SiteId>,
    /// Projects there that are mapped to the project here that the body names.
    mapped: Vec<(SiteId, ProjectId)>,
    /// The living group of that project here that has the body's name.
    named_so: Option<GroupId>,
}

impl BodyFacts {
    /// Reads the mappings of the project that `body` names at this site.
    pub async fn gather(site: &Site, body: Option<&GroupBody>) -> Result<Self, StoreError> {
        let me = site.id();
        let role = body.and_then(|b| b.sides.role_of(me));
        let (Some(body), Some(role)) = (body, role) else {
            return Ok(Self {
                me: Some(me),
                ..Self::default()
            });
        };
        let here = &body.sides.of(role).project;
        let mappings = site.store().tenant_mapping_list(Some(here)).await?;
        let mapped = mappings
            .into_iter()
            .map(|m| (m.remote_site, m.remote_project));
        let named_so = site.store().group_find(here, &body.name).await?;
        Ok(Self {
            me: Some(me),
            mapped: mapped.collect(),
            named_so: named_so.map(|group| group.id),
        })
    }

    fn reasons(&self, next: &Record, body: &GroupBody, current: Option<&Record>) -> Vec<String> {
        let mut reasons = Vec::new();
        let mut against = |why: &str| reasons.push(why.to_owned());
        if body.schema != SCHEMA {
            against("the layout of the record is not known here");
        }
        let Some(role) = self.me.and_then(|me| body.sides.role_of(me)) else {
            against("this site is none of the group's two");
            return reasons;
        };
        let peer = body.sides.of(role.peer());
        if !self.mapped.contains(&(peer.site, peer.project.clone())) {
            against("no tenant mapping joins the two projects here");
        }
        let before: Option<GroupBody> =
            current.and_then(|r| serde_json::from_value(r.body.clone()).ok());
        if before.is_some_and(|b| b.sides != body.sides) {
            against("the group's sides never change");
        }
        let group = next.header.group;
        let policy = body.policy.as_ref();
        if policy.is_some_and(|p| !is_own_array_group(&p.array_group, group)) {
            against("the array group named is not this group's own");
        }
        if self.named_so.is_some_and(|other| other != group) {
            against("another group of this name is here already");
        }
        reasons
    }
}

impl BodyCheck for BodyFacts {
    fn lasting_reasons(&self, next: &Record, current: Option<&Record>) -> Vec<String> {
        match serde_json::from_value::<GroupBody>(next.body.clone()) {
            Ok(body) => self.reasons(next, &body, current),
            Err(error) => vec![format!("the body cannot be read: {error}")],
        }
    }

    fn tombstone_body(&self, body: &Value) -> Value {
        let name = json!({ "name": body.get("name") });
        let Ok(body) = serde_json::from_value::<GroupBody>(body.clone()) else {
            return name;
        };
        serde_json::to_value(Tombstone::of(&body)).unwrap_or(name)
    }
}
