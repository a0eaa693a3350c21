//! Versions, health and the API's own description. Absent: any detail on open paths (K18).

use crate::answer::Answer;
use crate::cx::Cx;
use crate::error::ApiError;
use crate::openapi::openapi_document;
use crate::version::version_info;
use crate::wire::system::{Health, HealthAnswer, VersionAnswer, VersionsAnswer};
use http::StatusCode;

/// 300, as Keystone and Cinder answer at their roots.
pub(super) fn versions(cx: &Cx) -> Result<Answer, ApiError> {
    let answer = VersionsAnswer {
        versions: vec![version_info(cx.front.base())],
    };
    Ok(Answer::json(StatusCode::MULTIPLE_CHOICES, &answer))
}

pub(super) fn version(cx: &Cx) -> Result<Answer, ApiError> {
    let answer = VersionAnswer {
        version: version_info(cx.front.base()),
    };
    Ok(Answer::json(StatusCode::OK, &answer))
}

pub(super) fn health() -> Result<Answer, ApiError> {
    let answer = HealthAnswer {
        health: Health {
            status: "up".to_owned(),
        },
    };
    Ok(Answer::json(StatusCode::OK, &answer))
}

pub(super) fn openapi() -> Result<Answer, ApiError> {
    Ok(Answer::json(StatusCode::OK, &openapi_document()))
}
