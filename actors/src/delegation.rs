//! The tenant's leave to make servers in its name (SEC-03): a trust is taken when a request brings the
//! tenant's token, looked at before every plan, and ended with the last group that rests on it.
//!
//! It can always be missing: accounts go, and some logins may lend nothing. Then the service stands in, and
//! the group shows it (E3). Absent: administrators' trusts; servers of a tenant would be theirs.

use crate::site::Site;
use protector_domain::ids::{GroupId, ProjectId, TrustId};
use protector_domain::operation::failover::Asked;
use protector_domain::ports::engine::Caller;
use protector_domain::ports::identity::TrustAsk;
use protector_domain::ports::{Acting, ErrorKind, PortError, PortResult};
use protector_store::{Delegation, StoreError, StoredGroup};
use secrecy::SecretString;

/// Groups of one project that a token is taken for at one time; the next request takes the others.
const GROUPS_MAX: u32 = 1_000;

fn store_failed(error: &StoreError) -> PortError {
    PortError::new(ErrorKind::Unreachable, error.to_string())
}

/// Takes a trust for those of the caller's groups here that have none that serves.
pub(crate) async fn take(site: &Site, caller: &Caller, roles: &[String], token: &SecretString) {
    if caller.is_admin {
        return;
    }
    if let Err(error) = try_take(site, caller, roles, token).await {
        tracing::warn!(project = %caller.project, %error, "no trust was taken; the next request tries again");
    }
}

async fn try_take(
    site: &Site,
    caller: &Caller,
    roles: &[String],
    token: &SecretString,
) -> PortResult<()> {
    let groups = wanting(site, &caller.project).await?;
    if groups.is_empty() {
        return Ok(());
    }
    let taken = if roles.is_empty() {
        let why = "the user has none of the roles in [service_credentials] default_trust_roles";
        Err(PortError::new(ErrorKind::Denied, why))
    } else {
        let ask = TrustAsk {
            trustor: caller.user.clone(),
            project: caller.project.clone(),
            roles: roles.to_vec(),
        };
        site.cloud().identity.trust_take(token, &ask).await
    };
    let (trust, trouble) = match taken {
        Ok(trust) => (Some(trust), None),
        Err(error) if error.kind == ErrorKind::Denied => (None, Some(denied(&error))),
        Err(error) => return Err(error),
    };
    for (group, before) in groups {
        let row = Delegation {
            group,
            project: caller.project.clone(),
            user: caller.user.clone(),
            trust: trust.clone(),
            trouble: trouble.clone(),
            checked_us: site.ctx().now_us(),
        };
        replace(site, row, before).await?;
    }
    Ok(())
}

fn denied(error: &PortError) -> String {
    format!(
        "the login in use may lend nothing, as with an application credential ({})",
        error.what
    )
}

/// Groups of the project without a trust that serves, each with the row that it has. One whose trust was
/// found dead is looked at again first: an account may have been enabled since.
async fn wanting(
    site: &Site,
    project: &ProjectId,
) -> PortResult<Vec<(GroupId, Option<Delegation>)>> {
    let store = site.store();
    let groups = store.group_list(project, None, GROUPS_MAX).await;
    let mut wanting = Vec::new();
    for group in groups.map_err(|e| store_failed(&e))? {
        let row = store.delegation_fetch(group.id).await;
        let row = row.map_err(|e| store_failed(&e))?;
        let serves = match &row {
            Some(row) if row.trouble.is_none() => row.trust.is_some(),
            Some(row) => look(site, row).await.known().is_some(),
            None => false,
        };
        if !serves {
            wanting.push((group.id, row));
        }
    }
    Ok(wanting)
}

/// A trust that nobody rests on any more is ended. A login that can give none leaves what there was.
async fn replace(site: &Site, row: Delegation, before: Option<Delegation>) -> PortResult<()> {
    let old = before.and_then(|before| before.trust);
    if row.trust.is_none() && old.is_some() {
        return Ok(());
    }
    let now = row.trust.clone();
    let put = site.store().delegation_put(row).await;
    put.map_err(|e| store_failed(&e))?;
    match old.filter(|old| now.as_ref() != Some(old)) {
        Some(old) => end(site, &old, 0).await,
        None => Ok(()),
    }
}

/// Ends a trust that no more than `uses` groups rest on.
async fn end(site: &Site, trust: &TrustId, uses: u64) -> PortResult<()> {
    let resting = site.store().delegation_uses(trust).await;
    if resting.map_err(|e| store_failed(&e))? > uses {
        return Ok(());
    }
    match site.cloud().identity.trust_end(trust).await {
        // Not ours to end: told, left alone, and not asked for again.
        Err(error) if error.is_definite_no() => {
            tracing::warn!(%trust, %error, "a trust that nobody needs any more stays");
            Ok(())
        }
        other => other,
    }
}

/// Whether the trust serves now, written down if that is news.
async fn look(site: &Site, row: &Delegation) -> Asked<Acting> {
    let Some(trust) = row.trust.clone() else {
        let why = row.trouble.clone().unwrap_or_else(|| NONE.to_owned());
        return Asked::CouldNotAsk(why);
    };
    let project = row.project.clone();
    let acting = Acting::Trust { trust, project };
    let trouble = match site.cloud().identity.delegation_check(&acting).await {
        Ok(()) => None,
        Err(error) if error.kind == ErrorKind::Denied => Some(format!(
            "the trust of user {} is dead: the account is disabled or has lost the role",
            row.user
        )),
        Err(error) => return Asked::CouldNotAsk(error.what),
    };
    if trouble != row.trouble {
        let news = Delegation {
            trouble: trouble.clone(),
            checked_us: site.ctx().now_us(),
            ..row.clone()
        };
        if let Err(error) = site.store().delegation_put(news).await {
            tracing::warn!(group = %row.group, %error, "what was seen of a trust is not written down");
        }
    }
    trouble.map_or(Asked::Known(acting), Asked::CouldNotAsk)
}

const NONE: &str = "no user of the project has lent the service a trust yet";

/// In whose name the group's servers are made, or why in the service's own.
pub(crate) async fn of(site: &Site, group: &StoredGroup) -> Asked<Acting> {
    match site.store().delegation_fetch(group.id).await {
        // The tenant's project here never changes; a row of another one would lend to nobody.
        Ok(Some(row)) if row.project == group.project => look(site, &row).await,
        Ok(_) => Asked::CouldNotAsk(NONE.to_owned()),
        Err(error) => Asked::CouldNotAsk(error.to_string()),
    }
}

/// What there is to say of it beside the group's status.
///
/// # Errors
/// The store does not answer.
pub(crate) async fn condition(site: &Site, group: GroupId) -> Result<Option<String>, StoreError> {
    let row = site.store().delegation_fetch(group).await?;
    let why = match row {
        None => Some(NONE.to_owned()),
        Some(row) => row.trouble,
    };
    Ok(
        why.map(|why| {
            format!("servers would be made here by the service, without keypairs: {why}")
        }),
    )
}

/// A deleted group lends no more: the trust goes if it was the last one's, and then the row.
pub(crate) async fn retire(site: &Site, group: &StoredGroup) -> PortResult<()> {
    if !(group.sync.is_deleted() && group.sync.is_synced()) {
        return Ok(());
    }
    let store = site.store();
    let row = store.delegation_fetch(group.id).await;
    let Some(row) = row.map_err(|e| store_failed(&e))? else {
        return Ok(());
    };
    // The row is what remembers the trust, so it goes last.
    if let Some(trust) = &row.trust {
        end(site, trust, 1).await?;
    }
    let gone = store.delegation_delete(group.id).await;
    gone.map_err(|e| store_failed(&e))?;
    match &row.trust {
        // The other group that rested on it may have gone at the same moment.
        Some(trust) => end(site, trust, 0).await,
        None => Ok(()),
    }
}
