//! Registering sites, arrays and tenant mappings, and pairing; and what tenants see of sites.
//!
//! Absent: judging any of it (the admin port does).

use super::body_of;
use crate::answer::Answer;
use crate::cx::Cx;
use crate::error::ApiError;
use crate::request::{BodyStream, is_name};
use crate::wire::admin::{
    ArrayAnswer, ArrayCreateRequest, ArrayInfo, ArraysAnswer, OfferAnswer, PairRequest, SiteAnswer,
    SiteCreateRequest, SiteCredentialRequest, SiteInfo, SitesAnswer, TenantMappingAnswer,
    TenantMappingCreateRequest, TenantMappingInfo, TenantMappingsAnswer, TenantSite,
    TenantSitesAnswer,
};
use http::StatusCode;

/// The site in the path, by name or id.
pub(super) fn site_of(cx: &Cx) -> Result<String, ApiError> {
    let text = cx.params.get("site").filter(|text| is_name(text));
    text.map(str::to_owned).ok_or(ApiError::NotFound)
}

pub(super) async fn site_list(cx: &Cx) -> Result<Answer, ApiError> {
    let sites = cx.front.admin().site_list().await?;
    let sites = sites.into_iter().map(SiteInfo::from).collect();
    Ok(Answer::json(StatusCode::OK, &SitesAnswer { sites }))
}

pub(super) async fn tenant_site_list(cx: &Cx) -> Result<Answer, ApiError> {
    let sites = cx.front.admin().site_list().await?;
    let sites = sites.into_iter().map(TenantSite::from).collect();
    Ok(Answer::json(StatusCode::OK, &TenantSitesAnswer { sites }))
}

pub(super) async fn site_show(cx: &Cx) -> Result<Answer, ApiError> {
    let site = cx.front.admin().site_show(&site_of(cx)?).await?.into();
    Ok(Answer::json(StatusCode::OK, &SiteAnswer { site }))
}

pub(super) async fn site_create(cx: &Cx, body: BodyStream) -> Result<Answer, ApiError> {
    let wanted = body_of::<SiteCreateRequest>(cx, body).await?.into();
    let made =
        cx.administer(|admin, caller| async move { admin.site_create(&caller, wanted).await });
    let site = made.await?.into();
    Ok(Answer::json(StatusCode::CREATED, &SiteAnswer { site }))
}

pub(super) async fn pair_show(cx: &Cx) -> Result<Answer, ApiError> {
    let pair = cx.front.admin().pair_offer().await?.into();
    Ok(Answer::json(StatusCode::OK, &OfferAnswer { pair }))
}

pub(super) async fn pair(cx: &Cx, body: BodyStream) -> Result<Answer, ApiError> {
    let site = site_of(cx)?;
    let ask = body_of::<PairRequest>(cx, body).await?.into();
    let paired =
        cx.administer(|admin, caller| async move { admin.pair(&caller, &site, ask).await });
    let site = paired.await?.into();
    Ok(Answer::json(StatusCode::OK, &SiteAnswer { site }))
}

pub(super) async fn site_credential_set(cx: &Cx, body: BodyStream) -> Result<Answer, ApiError> {
    let site = site_of(cx)?;
    let asked = body_of::<SiteCredentialRequest>(cx, body).await?.credential;
    let sealed = cx.administer(|admin, caller| async move {
        admin.site_credential_set(&caller, &site, asked).await
    });
    let site = sealed.await?.into();
    Ok(Answer::json(StatusCode::OK, &SiteAnswer { site }))
}

pub(super) async fn array_list(cx: &Cx) -> Result<Answer, ApiError> {
    let arrays = cx.front.admin().array_list().await?;
    let arrays = arrays.into_iter().map(ArrayInfo::from).collect();
    Ok(Answer::json(StatusCode::OK, &ArraysAnswer { arrays }))
}

pub(super) async fn array_create(cx: &Cx, body: BodyStream) -> Result<Answer, ApiError> {
    let wanted = body_of::<ArrayCreateRequest>(cx, body).await?.into();
    let made =
        cx.administer(|admin, caller| async move { admin.array_create(&caller, wanted).await });
    let array = made.await?.into();
    Ok(Answer::json(StatusCode::CREATED, &ArrayAnswer { array }))
}

pub(super) async fn tenant_mapping_list(cx: &Cx) -> Result<Answer, ApiError> {
    let mappings = cx.front.admin().tenant_mapping_list().await?;
    let tenant_mappings = mappings.into_iter().map(TenantMappingInfo::from).collect();
    Ok(Answer::json(
        StatusCode::OK,
        &TenantMappingsAnswer { tenant_mappings },
    ))
}

pub(super) async fn tenant_mapping_create(cx: &Cx, body: BodyStream) -> Result<Answer, ApiError> {
    let wanted = body_of::<TenantMappingCreateRequest>(cx, body)
        .await?
        .into();
    let made =
        cx.administer(
            |admin, caller| async move { admin.tenant_mapping_create(&caller, wanted).await },
        );
    let tenant_mapping = made.await?.into();
    Ok(Answer::json(
        StatusCode::CREATED,
        &TenantMappingAnswer { tenant_mapping },
    ))
}
