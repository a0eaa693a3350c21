//! Groups, their projections and their secrets.

use super::page;
use crate::error::StoreError;
use crate::model::{
    CgVolume, ConsistencyFacts, ConsistencyGroup, GroupPut, Projections, StoredGroup,
};
use crate::seal::{Place, Sealed};
use crate::store::{Store, read};
use crate::write::Write;
use protector_domain::ids::{GroupId, ProjectId, ServerId};
use secrecy::{ExposeSecret, SecretString};

/// The row of a group's secret, as one word.
fn secret_row(group: GroupId, name: &str) -> String {
    format!("{group}/{name}")
}

fn secret_place(row: &str) -> Place<'_> {
    Place {
        table: "group_secrets",
        row,
        column: "value",
    }
}

impl Store {
    /// Stores a group's new state if it still is at the revision that was read, together with the
    /// projections of its body. Returns the new revision.
    ///
    /// Errors: `Conflict`: read again and decide again. `AlreadyThere` for a name taken in the
    /// project. `Illegal` if the pair would fall or have two contents (S8).
    pub async fn group_put(&self, put: GroupPut) -> Result<i64, StoreError> {
        self.write_revision(Write::GroupPut(Box::new(put))).await
    }

    /// Also tombstones.
    pub async fn group_fetch(&self, id: GroupId) -> Result<Option<StoredGroup>, StoreError> {
        read!(self, groups::group_fetch(id))
    }

    /// The live group of this name in the project.
    pub async fn group_find(
        &self,
        project: &ProjectId,
        name: &str,
    ) -> Result<Option<StoredGroup>, StoreError> {
        read!(self, groups::group_find(project, name))
    }

    /// Live groups of a project by id, after `marker`; at most 1,000 at once.
    pub async fn group_list(
        &self,
        project: &ProjectId,
        marker: Option<GroupId>,
        limit: u32,
    ) -> Result<Vec<StoredGroup>, StoreError> {
        read!(self, groups::group_list(project, marker, page(limit)))
    }

    /// Every group that is no tombstone, of all projects: what a starting engine takes up.
    pub async fn group_list_active(&self) -> Result<Vec<StoredGroup>, StoreError> {
        read!(self, groups::group_list_active())
    }

    /// Deleted groups of which this site's array may hold something, those that were not
    /// [`Self::group_retired`] yet, or whose delegation stands.
    pub async fn group_list_retiring(&self) -> Result<Vec<StoredGroup>, StoreError> {
        read!(self, groups::group_list_retiring())
    }

    /// Nothing of a deleted group is left at this site's array. Twice is once. Errors: `Missing`;
    /// `Illegal` for a group that lives.
    pub async fn group_retired(&self, id: GroupId) -> Result<(), StoreError> {
        self.write_done(Write::GroupRetired(id)).await
    }

    /// The project's group that has this server as a member.
    pub async fn group_of_server(
        &self,
        project: &ProjectId,
        server: &ServerId,
    ) -> Result<Option<GroupId>, StoreError> {
        read!(self, groups::group_of_server(project, server))
    }

    /// Writes the projections anew from the stored record. Errors: `Missing`.
    pub async fn group_rebuild_projections(&self, id: GroupId) -> Result<(), StoreError> {
        self.write_done(Write::GroupRebuild(id)).await
    }

    /// Everything that was read out of the group's body.
    pub async fn group_projections(&self, id: GroupId) -> Result<Projections, StoreError> {
        read!(self, projections::projections(id))
    }

    /// Local facts: the Cinder groups of both sites (CG-02). They outlive the record until they are
    /// set to nothing. Errors: `Missing` for a group without a readable record.
    pub async fn consistency_group_set(
        &self,
        group: GroupId,
        facts: ConsistencyFacts,
    ) -> Result<(), StoreError> {
        self.write_done(Write::ConsistencyGroupSet { group, facts })
            .await
    }

    pub async fn consistency_group_fetch(
        &self,
        group: GroupId,
    ) -> Result<Option<ConsistencyGroup>, StoreError> {
        read!(self, projections::consistency_group_fetch(group))
    }

    /// CG-04, in the order of the body.
    pub async fn cg_volume_list(&self, group: GroupId) -> Result<Vec<CgVolume>, StoreError> {
        read!(self, projections::cg_volume_list(group))
    }

    /// A secret of one group, such as the array token its policy was given; replaces an older one.
    pub async fn group_secret_put(
        &self,
        group: GroupId,
        name: &str,
        value: SecretString,
    ) -> Result<(), StoreError> {
        let row = secret_row(group, name);
        let value = self.seal(secret_place(&row), value.expose_secret().as_bytes())?;
        self.write_done(Write::GroupSecretPut {
            group,
            name: name.to_owned(),
            value,
        })
        .await
    }

    /// Errors: `Sealed`.
    pub async fn group_secret_fetch(
        &self,
        group: GroupId,
        name: &str,
    ) -> Result<Option<SecretString>, StoreError> {
        let Some(sealed) = read!(self, groups::group_secret_fetch(group, name))? else {
            return Ok(None);
        };
        let row = secret_row(group, name);
        Ok(Some(
            self.key()?.open_text(secret_place(&row), &Sealed(sealed))?,
        ))
    }

    /// Returns how many there were.
    pub async fn group_secrets_delete(&self, group: GroupId) -> Result<u64, StoreError> {
        self.write_count(Write::GroupSecretsDelete(group)).await
    }
}
