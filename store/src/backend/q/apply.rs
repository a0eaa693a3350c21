//! One switchboard from a write, as data, to its query.

use super::{Conn, delegations, groups, ledger, logs, meta, operations, projections, sites};
use crate::error::StoreError;
use crate::rows::site::IdentityRow;
use crate::write::{BATCH_MAX, Write, Written};

/// Applies one write inside the open transaction. After an error the caller takes back whatever it
/// did, to the savepoint before it.
pub(crate) async fn apply(c: &mut Conn, write: &Write, now_us: i64) -> Result<Written, StoreError> {
    let Write::Batch(writes) = write else {
        return apply_one(c, write, now_us).await;
    };
    if writes.len() > BATCH_MAX {
        return Err(StoreError::Illegal(format!(
            "more than {BATCH_MAX} writes in one batch"
        )));
    }
    let mut answers = Vec::with_capacity(writes.len());
    for write in writes {
        answers.push(apply_one(c, write, now_us).await?);
    }
    Ok(Written::Batch(answers))
}

async fn apply_one(c: &mut Conn, write: &Write, now_us: i64) -> Result<Written, StoreError> {
    match write {
        Write::Batch(_) => Err(StoreError::Illegal("a batch inside a batch".to_owned())),
        Write::Fence { .. }
        | Write::EffectsIntend { .. }
        | Write::EffectsSettle { .. }
        | Write::EventsAppend { .. } => ledger::apply_alone(c, write, now_us).await,
        Write::IdentityPut { .. }
        | Write::RestoreMarkPut(_)
        | Write::SiteCreate { .. }
        | Write::SiteUpdate(_)
        | Write::SiteStatusSet { .. }
        | Write::SitePeerKeysSet { .. }
        | Write::SiteCredentialPut { .. }
        | Write::SiteDelete(_)
        | Write::ArrayCreate { .. }
        | Write::ArrayUpdate(_)
        | Write::ArrayTokenPut { .. }
        | Write::ArrayDelete(_)
        | Write::TenantMappingCreate(_)
        | Write::TenantMappingDelete(_) => done(apply_site(c, write, now_us).await),
        Write::GroupPut(put) => groups::group_put(c, put, now_us)
            .await
            .map(Written::Revision),
        Write::GroupRebuild(id) => done(groups::group_rebuild(c, *id).await),
        Write::GroupRetired(id) => done(groups::group_retired(c, *id).await),
        Write::ConsistencyGroupSet { group, facts } => {
            done(projections::consistency_group_set(c, *group, facts).await)
        }
        Write::GroupSecretPut { group, name, value } => {
            done(groups::group_secret_put(c, *group, name, &value.0, now_us).await)
        }
        Write::GroupSecretsDelete(group) => groups::group_secrets_delete(c, *group)
            .await
            .map(Written::Count),
        Write::DelegationPut(delegation) => done(delegations::delegation_put(c, delegation).await),
        Write::DelegationDelete(group) => done(delegations::delegation_delete(c, *group).await),
        Write::OperationInsert(operation) => done(operations::operation_insert(c, operation).await),
        Write::OperationUpdate(update) => operations::operation_update(c, update)
            .await
            .map(|operation| Written::Operation(Box::new(operation))),
        Write::SyncLogAppend(_)
        | Write::SyncLogDelete { .. }
        | Write::AuditAppend(_)
        | Write::IdempotencyClaim(_)
        | Write::IdempotencySettle { .. }
        | Write::IdempotencyForget { .. }
        | Write::IdempotencySweep { .. } => apply_log(c, write, now_us).await,
    }
}

fn done(answer: Result<(), StoreError>) -> Result<Written, StoreError> {
    answer.map(|()| Written::Done)
}

async fn apply_site(c: &mut Conn, write: &Write, now_us: i64) -> Result<(), StoreError> {
    match write {
        Write::IdentityPut {
            site,
            installation,
            key_id,
            secret,
        } => {
            let row = IdentityRow {
                slot: meta::SLOT,
                site_id: site.to_string(),
                installation_id: installation.to_string(),
                key_id: key_id.to_string(),
                secret: secret.0.clone(),
                created_us: now_us,
            };
            meta::identity_insert(c, row).await
        }
        Write::RestoreMarkPut(mark) => {
            meta::meta_replace(c, meta::RESTORE_MARK, mark.to_string().as_bytes()).await
        }
        Write::SiteCreate { site, credential } => {
            let sealed = credential.as_ref().map(|sealed| sealed.0.as_slice());
            sites::site_insert(c, site, sealed, now_us).await
        }
        Write::SiteUpdate(site) => sites::site_update(c, site, now_us).await,
        Write::SiteStatusSet { id, status } => {
            sites::site_status_set(c, *id, *status, now_us).await
        }
        Write::SitePeerKeysSet { id, keys } => {
            sites::site_peer_keys_set(c, *id, keys, now_us).await
        }
        Write::SiteCredentialPut { id, credential } => {
            sites::site_credential_put(c, *id, &credential.0, now_us).await
        }
        Write::SiteDelete(id) => sites::site_delete(c, *id).await,
        Write::ArrayCreate { array, token } => {
            let sealed = token.as_ref().map(|sealed| sealed.0.as_slice());
            sites::array_insert(c, array, sealed, now_us).await
        }
        Write::ArrayUpdate(array) => sites::array_update(c, array, now_us).await,
        Write::ArrayTokenPut { id, token } => sites::array_token_put(c, id, &token.0, now_us).await,
        Write::ArrayDelete(id) => sites::array_delete(c, id).await,
        Write::TenantMappingCreate(mapping) => {
            sites::tenant_mapping_insert(c, mapping, now_us).await
        }
        Write::TenantMappingDelete(id) => sites::tenant_mapping_delete(c, *id).await,
        other => Err(misrouted(other)),
    }
}

async fn apply_log(c: &mut Conn, write: &Write, now_us: i64) -> Result<Written, StoreError> {
    match write {
        Write::SyncLogAppend(entry) => done(logs::sync_log_append(c, entry).await),
        Write::SyncLogDelete { group, seq } => done(logs::sync_log_delete(c, *group, *seq).await),
        Write::AuditAppend(entry) => done(logs::audit_append(c, entry).await),
        Write::IdempotencyClaim(claim) => logs::idempotency_claim(c, claim, now_us)
            .await
            .map(Written::Claimed),
        Write::IdempotencySettle {
            project,
            key,
            status,
            body,
        } => done(logs::idempotency_settle(c, project, key, *status, body).await),
        Write::IdempotencyForget { project, key } => {
            done(logs::idempotency_forget(c, project, key).await)
        }
        Write::IdempotencySweep { before_us } => logs::idempotency_sweep(c, *before_us)
            .await
            .map(Written::Count),
        other => Err(misrouted(other)),
    }
}

fn misrouted(write: &Write) -> StoreError {
    StoreError::Illegal(format!(
        "no way leads to {:?}",
        std::mem::discriminant(write)
    ))
}
