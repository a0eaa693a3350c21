//! The API version: discovery documents and the header that asks for one.
//!
//! Absent: more than one version.

use crate::error::ApiError;
use crate::wire::system::{Link, VersionInfo};
use http::HeaderMap;

/// In lower case, as HTTP/2 has it.
pub(crate) const VERSION_HEADER: &str = "openstack-api-version";
/// What every answer says.
pub(crate) const API_VERSION: &str = "protector 1.0";
const SERVICE: &str = "protector";
const NUMBER: &str = "1.0";

/// Checks the version that a request asks for. Entries of other services are not ours to judge.
///
/// Errors: `NotAcceptable` for a version that does not exist, `BadRequest` for what is none.
pub(crate) fn check_version(headers: &HeaderMap) -> Result<(), ApiError> {
    for value in headers.get_all(VERSION_HEADER) {
        let text = value
            .to_str()
            .map_err(|_| ApiError::bad("OpenStack-API-Version is not plain text"))?;
        text.split(',').try_for_each(check_entry)?;
    }
    Ok(())
}

fn check_entry(entry: &str) -> Result<(), ApiError> {
    let mut words = entry.split_whitespace();
    if !words
        .next()
        .is_some_and(|service| service.eq_ignore_ascii_case(SERVICE))
    {
        return Ok(());
    }
    match (words.next(), words.next()) {
        (Some(NUMBER | "latest"), None) => Ok(()),
        (Some(asked), None) if is_version(asked) => Err(ApiError::NotAcceptable {
            asked: asked.to_owned(),
        }),
        _ => Err(ApiError::bad(
            "OpenStack-API-Version reads: protector <major>.<minor>, or protector latest",
        )),
    }
}

fn is_version(text: &str) -> bool {
    let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once('.')
        .is_some_and(|(major, minor)| number(major) && number(minor))
}

/// Version 1 as discovery shows it; `base` stands before the path.
pub(crate) fn version_info(base: &str) -> VersionInfo {
    VersionInfo {
        id: "v1.0".to_owned(),
        status: "CURRENT".to_owned(),
        version: NUMBER.to_owned(),
        min_version: NUMBER.to_owned(),
        links: vec![Link {
            rel: "self".to_owned(),
            href: format!("{base}/v1/"),
        }],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(values: &[&str], expected: &str) {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(VERSION_HEADER, value.parse().unwrap());
        }
        let shown = match check_version(&headers) {
            Ok(()) => "ok".to_owned(),
            Err(ApiError::NotAcceptable { asked }) => format!("406 {asked}"),
            Err(ApiError::BadRequest { .. }) => "400".to_owned(),
            Err(other) => format!("{other:?}"),
        };
        assert_eq!(shown, expected, "{values:?}");
    }

    #[test]
    fn only_our_own_entries_are_judged() {
        check(&[], "ok");
        check(&["protector 1.0"], "ok");
        check(&["compute 2.96, protector latest"], "ok");
        check(&["compute 2.96"], "ok");
        check(&["protector 1.1"], "406 1.1");
        check(&["compute 2.96", "Protector 2.0"], "406 2.0");
        check(&["protector"], "400");
        check(&["protector new"], "400");
        check(&["protector 1.0 1.1"], "400");
    }
}
