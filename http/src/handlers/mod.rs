//! One function per endpoint, grouped by what they are about; a switchboard in front.
//!
//! Absent: decisions. Handlers translate to a command or a question, and back.

mod actions;
mod actors;
mod admin;
mod changes;
mod couriers;
mod events;
mod groups;
mod operations;
mod registered;
mod system;

use crate::answer::Answer;
use crate::body::read_json;
use crate::cx::Cx;
use crate::error::ApiError;
use crate::request::BodyStream;
use crate::route::Endpoint;
use serde::de::DeserializeOwned;

/// Calls the endpoint that the route names.
pub(crate) async fn dispatch(cx: Cx, body: BodyStream) -> Result<Answer, ApiError> {
    match cx.route.endpoint {
        Endpoint::Versions => system::versions(&cx),
        Endpoint::VersionShow => system::version(&cx),
        Endpoint::Health => system::health(),
        Endpoint::OpenApi => system::openapi(),
        Endpoint::ActorList => actors::list(&cx),
        Endpoint::ActorStream => actors::stream(&cx),
        Endpoint::SiteList => admin::site_list(&cx).await,
        Endpoint::SiteCreate => admin::site_create(&cx, body).await,
        Endpoint::SiteShow => admin::site_show(&cx).await,
        Endpoint::SiteUpdate => registered::site_update(&cx, body).await,
        Endpoint::SiteDelete => registered::site_delete(&cx).await,
        Endpoint::SiteValidate => registered::site_validate(&cx).await,
        Endpoint::VolumeTypeList => registered::volume_type_list(&cx).await,
        Endpoint::PairShow => admin::pair_show(&cx).await,
        Endpoint::SitePair => admin::pair(&cx, body).await,
        Endpoint::SiteCredentialSet => admin::site_credential_set(&cx, body).await,
        Endpoint::ArrayList => admin::array_list(&cx).await,
        Endpoint::ArrayCreate => admin::array_create(&cx, body).await,
        Endpoint::ArrayUpdate => registered::array_update(&cx, body).await,
        Endpoint::ArrayDelete => registered::array_delete(&cx).await,
        Endpoint::TenantMappingUpdate => registered::tenant_mapping_update(&cx, body).await,
        Endpoint::TenantMappingDelete => registered::tenant_mapping_delete(&cx).await,
        Endpoint::TenantMappingList => admin::tenant_mapping_list(&cx).await,
        Endpoint::TenantMappingCreate => admin::tenant_mapping_create(&cx, body).await,
        Endpoint::TenantSiteList => admin::tenant_site_list(&cx).await,
        Endpoint::GroupList => groups::list(&cx).await,
        Endpoint::GroupShow => groups::show(&cx).await,
        Endpoint::MemberList => groups::members(&cx).await,
        Endpoint::PolicyShow => groups::policy(&cx).await,
        Endpoint::MappingsShow => groups::mappings(&cx).await,
        Endpoint::ConsistencyGroupShow => groups::consistency_group(&cx).await,
        Endpoint::RecoveryPointList => groups::recovery_points(&cx).await,
        Endpoint::HealthShow => groups::health(&cx).await,
        Endpoint::GroupCreate => changes::create(&cx, body).await,
        Endpoint::GroupUpdate => changes::update(&cx, body).await,
        Endpoint::GroupDelete => changes::delete(&cx, body).await,
        Endpoint::MemberAdd => changes::member_add(&cx, body).await,
        Endpoint::PolicySet => changes::policy_set(&cx, body).await,
        Endpoint::MappingsSet => changes::mappings_set(&cx, body).await,
        Endpoint::GroupAction => actions::action(&cx, body).await,
        Endpoint::OperationList => operations::list(&cx).await,
        Endpoint::OperationShow => operations::show(&cx).await,
        Endpoint::OperationAction => operations::action(&cx, body).await,
        Endpoint::OperationEvents => events::events(&cx).await,
        Endpoint::SyncShow => couriers::sync_show(&cx).await,
        Endpoint::LockTicket => couriers::lock_ticket(&cx, body).await,
        Endpoint::HeadTicket => couriers::head_ticket(&cx, body).await,
        Endpoint::SignHead => couriers::sign_head(&cx, body).await,
        Endpoint::SyncHead => couriers::compare_head(&cx, body).await,
        Endpoint::SyncAskRelease => couriers::ask_release(&cx, body).await,
        Endpoint::SyncRelease => couriers::release(&cx, body).await,
        Endpoint::SyncWithdraw => couriers::withdraw(&cx, body).await,
        Endpoint::SyncReserve => couriers::reserve(&cx, body).await,
        Endpoint::SyncCommit => couriers::commit(&cx, body).await,
        Endpoint::SyncStore => couriers::store(&cx, body).await,
        Endpoint::SyncReceipt => couriers::receipt(&cx, body).await,
    }
}

/// The request's body as `T`, within the route's limit.
async fn body_of<T: DeserializeOwned>(cx: &Cx, body: BodyStream) -> Result<T, ApiError> {
    read_json(&cx.headers, body, cx.route.body_bytes_max()).await
}
