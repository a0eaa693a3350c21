//! An answer beside the OpenAPI document: its status is one that the path and method are said to have.
//!
//! Absent: bodies, which the clients' tests hold against it.

use http::{Method, StatusCode};
use protector_http::openapi_document;
use serde_json::Value;

pub fn assert_documented(method: &Method, path: &str, status: StatusCode) {
    let whole = |path: &str| path.strip_suffix('/').unwrap_or(path).to_owned();
    let (document, path) = (openapi_document(), whole(path));
    let parts: Vec<&str> = path.split('/').collect();
    let fits = |template: &str| {
        let template = whole(template);
        let wanted: Vec<&str> = template.split('/').collect();
        let fits = |(part, wanted): (&&str, &&str)| wanted.starts_with('{') || part == wanted;
        wanted.len() == parts.len() && parts.iter().zip(&wanted).all(fits)
    };
    let method = method.as_str().to_lowercase();
    let known = document["paths"].as_object().unwrap().iter();
    let found: Vec<_> = known
        .filter(|(template, _)| fits(template))
        .filter_map(|(_, methods)| methods.get(&method))
        .collect();
    let names = |operation: &&Value| operation["responses"].get(status.as_str()).is_some();
    let well = found.is_empty() || found.iter().any(names);
    assert!(
        well,
        "{method} {path} answers {status}, which the document does not know"
    );
}
