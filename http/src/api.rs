//! The API as a warp filter, to be served on sockets or called in process.
//!
//! One arm takes everything and dispatches by a table: warp's own routing answers 404 and 405
//! before anybody looked at a token, and its types grow with every path. Absent: sockets.

use crate::front::Front;
use crate::request::Inbound;
use bytes::{Buf, Bytes};
use futures::{Stream, StreamExt};
use http::{HeaderMap, Method};
use protector_domain::ports::{Admin, Engine, Identity};
use protector_runtime::Ctx;
use std::convert::Infallible;
use std::sync::Arc;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::path::FullPath;
use warp::reply::Response;

/// What the operator configures.
#[derive(Debug, Clone)]
pub struct ApiOptions {
    /// Keystone's public URL, named in 401 answers.
    pub keystone_uri: String,
    /// `http://controller:8788`: stands before paths in links. Empty: links are paths only, since
    /// the `Host` header is the client's word.
    pub public_endpoint: String,
    /// Roles that a tenant lends the service, as far as it has them (SEC-03).
    pub trust_roles: Vec<String>,
}

impl Default for ApiOptions {
    fn default() -> Self {
        Self {
            keystone_uri: String::new(),
            public_endpoint: String::new(),
            trust_roles: ["member", "_member_"].map(str::to_owned).to_vec(),
        }
    }
}

/// All that the API of one site needs.
#[derive(Clone)]
pub struct Api {
    pub engine: Arc<dyn Engine>,
    pub admin: Arc<dyn Admin>,
    pub identity: Arc<dyn Identity>,
    pub ctx: Ctx,
    pub options: ApiOptions,
}

/// The whole API. Every request gets an answer; nothing is rejected for another filter to match.
pub fn routes(api: Api) -> BoxedFilter<(Response,)> {
    let front = Arc::new(Front::new(api));
    warp::any()
        .and(warp::method())
        .and(warp::path::full())
        .and(raw_query())
        .and(warp::header::headers_cloned())
        .and(warp::body::stream())
        .then(
            move |method: Method, path: FullPath, query: String, headers: HeaderMap, body| {
                let path = path.as_str().to_owned();
                let inbound = Inbound {
                    method,
                    path,
                    query,
                    headers,
                };
                front.clone().answer(inbound, pieces(body).boxed())
            },
        )
        .boxed()
}

fn raw_query() -> impl Filter<Extract = (String,), Error = Infallible> + Clone {
    warp::query::raw().or_else(|_| async { Ok::<_, Infallible>((String::new(),)) })
}

fn pieces<B: Buf>(
    body: impl Stream<Item = Result<B, warp::Error>> + Send,
) -> impl Stream<Item = Result<Bytes, ()>> + Send {
    body.map(|piece| {
        piece
            .map(|mut piece| piece.copy_to_bytes(piece.remaining()))
            .map_err(drop)
    })
}
