//! Which microversion a call of ours is made with, and the newest that this Nova speaks.

use crate::ask::{Ask, Microversion};
use crate::client::Client;
use crate::service::Service;
use protector_domain::ports::{Acting, ErrorKind, PortError, PortResult};
use protector_runtime::clock::Clock;
use protector_runtime::remote::{Fresh, Session};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;

/// Embedded flavor (2.47), tags at creation (2.52), flavor extra specs (2.61), tag of an attachment
/// (2.70), server groups (2.71), lock reason (2.73), `delete_on_termination` of an attachment (2.79).
/// Victoria speaks 2.87.
pub(crate) const BASE: Microversion = Microversion(2, 79);
/// Changing `delete_on_termination` of an attachment. Victoria.
pub(crate) const ATTACHMENT_UPDATE: Microversion = Microversion(2, 85);
/// A host name of one's own, and reading it without admin rights. Xena.
pub(crate) const HOSTNAME: Microversion = Microversion(2, 90);

/// Which zone a server was asked into. Caracal (2024.1).
pub(crate) const PINNED_ZONE: Microversion = Microversion(2, 96);

/// How long the server's answer is believed, milliseconds: clouds are upgraded and rolled back (B18).
const BELIEVED_MS: i64 = 600_000;

/// The newest microversion of this Nova, asked for once by all who need it.
pub(crate) struct ServerMax(Session<Microversion, PortError>);

impl ServerMax {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self(Session::new(clock, 0))
    }

    /// The version for calls that are better with host names and zones.
    pub(crate) async fn for_servers(
        &self,
        client: &Client,
        acting: &Acting,
    ) -> PortResult<Microversion> {
        let max = self.0.get(|| read(client, acting)).await?.value;
        let better = [PINNED_ZONE, HOSTNAME];
        let best = better.into_iter().find(|version| max >= *version);
        Ok(best.unwrap_or(BASE))
    }
}

#[derive(Deserialize)]
struct Document {
    version: Body,
}

#[derive(Deserialize)]
struct Body {
    version: String,
}

/// Nothing was asked of Nova yet when this fails, so the outcome of the call is never open.
async fn read(client: &Client, acting: &Acting) -> PortResult<Fresh<Microversion>> {
    let mut ask = Ask::get(Service::Compute, "version", "/");
    ask.at_version_root = true;
    let unsent = |error: PortError| match error.kind {
        ErrorKind::Unknown | ErrorKind::Missing => {
            PortError::new(ErrorKind::Unreachable, error.what)
        }
        _ => error,
    };
    let answer = client.send(acting, &ask).await.map_err(unsent)?;
    let document: Value = answer.json(&ask).map_err(unsent)?;
    let expires_at_ms = Some(client.now_ms().saturating_add(BELIEVED_MS));
    Ok(Fresh {
        value: newest(&document),
        expires_at_ms,
    })
}

/// `BASE` when the document says nothing we understand: then nothing newer is used.
fn newest(document: &Value) -> Microversion {
    let read = Document::deserialize(document).ok();
    let max = read.and_then(|d| Microversion::parse(&d.version.version));
    max.unwrap_or(BASE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_newest_version_is_read_from_the_document() {
        let document = |version: &str| json!({"version": {"id": "v2.1", "version": version, "min_version": "2.1"}});
        assert_eq!(newest(&document("2.100")), Microversion(2, 100));
        assert_eq!(newest(&document("2.60")), Microversion(2, 60));
        assert_eq!(newest(&document("")), BASE);
        assert_eq!(newest(&json!({"choices": []})), BASE);
        assert_eq!(newest(&Value::Null), BASE);
    }
}
