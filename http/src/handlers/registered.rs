//! Changing, removing and looking at what administrators registered.
//!
//! Absent: registering it (`admin`), and judging any of it (the admin port does).

use super::admin::site_of;
use super::body_of;
use crate::answer::Answer;
use crate::cx::Cx;
use crate::error::ApiError;
use crate::request::{BodyStream, is_name};
use crate::wire::admin::{ArrayAnswer, SiteAnswer, TenantMappingAnswer};
use crate::wire::admin_changes::{
    ArrayUpdateRequest, SiteUpdateRequest, TenantMappingUpdateRequest,
};
use crate::wire::looks::{ValidationAnswer, VolumeTypesAnswer};
use http::StatusCode;
use protector_domain::ids::TenantMappingId;

pub(super) async fn site_update(cx: &Cx, body: BodyStream) -> Result<Answer, ApiError> {
    let site = site_of(cx)?;
    let wanted = body_of::<SiteUpdateRequest>(cx, body).await?.into();
    let done = cx
        .administer(|admin, caller| async move { admin.site_update(&caller, &site, wanted).await });
    let site = done.await?.into();
    Ok(Answer::json(StatusCode::OK, &SiteAnswer { site }))
}

pub(super) async fn site_delete(cx: &Cx) -> Result<Answer, ApiError> {
    let site = site_of(cx)?;
    cx.administer(|admin, caller| async move { admin.site_delete(&caller, &site).await })
        .await?;
    Ok(Answer::nothing())
}

pub(super) async fn site_validate(cx: &Cx) -> Result<Answer, ApiError> {
    let site = site_of(cx)?;
    let found =
        cx.administer(|admin, caller| async move { admin.site_validate(&caller, &site).await });
    let validation = found.await?.into();
    Ok(Answer::json(
        StatusCode::OK,
        &ValidationAnswer { validation },
    ))
}

pub(super) async fn volume_type_list(cx: &Cx) -> Result<Answer, ApiError> {
    let types = cx.front.admin().site_volume_types(&site_of(cx)?).await?;
    let volume_types = types.into_iter().map(Into::into).collect();
    Ok(Answer::json(
        StatusCode::OK,
        &VolumeTypesAnswer { volume_types },
    ))
}

/// The array in the path, by name or id.
fn array_of(cx: &Cx) -> Result<String, ApiError> {
    let text = cx.params.get("array").filter(|text| is_name(text));
    text.map(str::to_owned).ok_or(ApiError::NotFound)
}

pub(super) async fn array_update(cx: &Cx, body: BodyStream) -> Result<Answer, ApiError> {
    let array = array_of(cx)?;
    let wanted = body_of::<ArrayUpdateRequest>(cx, body).await?.into();
    let done =
        cx.administer(
            |admin, caller| async move { admin.array_update(&caller, &array, wanted).await },
        );
    let array = done.await?.into();
    Ok(Answer::json(StatusCode::OK, &ArrayAnswer { array }))
}

pub(super) async fn array_delete(cx: &Cx) -> Result<Answer, ApiError> {
    let array = array_of(cx)?;
    cx.administer(|admin, caller| async move { admin.array_delete(&caller, &array).await })
        .await?;
    Ok(Answer::nothing())
}

fn mapping_of(cx: &Cx) -> Result<TenantMappingId, ApiError> {
    let text = cx.params.get("mapping");
    text.and_then(|text| text.parse().ok())
        .ok_or(ApiError::NotFound)
}

pub(super) async fn tenant_mapping_update(cx: &Cx, body: BodyStream) -> Result<Answer, ApiError> {
    let mapping = mapping_of(cx)?;
    let wanted = body_of::<TenantMappingUpdateRequest>(cx, body)
        .await?
        .into();
    let done = cx.administer(|admin, caller| async move {
        admin.tenant_mapping_update(&caller, mapping, wanted).await
    });
    let tenant_mapping = done.await?.into();
    Ok(Answer::json(
        StatusCode::OK,
        &TenantMappingAnswer { tenant_mapping },
    ))
}

pub(super) async fn tenant_mapping_delete(cx: &Cx) -> Result<Answer, ApiError> {
    let mapping = mapping_of(cx)?;
    cx.administer(
        |admin, caller| async move { admin.tenant_mapping_delete(&caller, mapping).await },
    )
    .await?;
    Ok(Answer::nothing())
}
