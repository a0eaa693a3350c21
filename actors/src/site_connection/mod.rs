//! The connection to our own cloud as an actor: one paged list call per identity and interval feeds
//! everybody who waits for a server or a volume to settle.
//!
//! Owned by `sites`. It may read; it never changes anything.

mod actor;
mod waiting;

pub(crate) use actor::child_spec;

use actor::Msg;
use protector_domain::ids::{ServerId, VolumeId};
use protector_domain::ports::compute::Server;
use protector_domain::ports::volumes::Volume;
use protector_domain::ports::{Acting, ErrorKind, PortError, PortResult};
use protector_runtime::mailbox::{AskErr, Mailbox};

/// Longest wait for a server to leave BUILD (H3), milliseconds.
const SERVER_LIMIT_MS: u64 = 900_000;
/// Longest wait for a volume to leave `creating` (G1), milliseconds.
const VOLUME_LIMIT_MS: u64 = 600_000;

/// How others wait. An answer that does not come is `Unknown`: ask again.
#[derive(Clone)]
pub(crate) struct Watch {
    mailbox: Mailbox<Msg>,
}

fn no_answer(what: &str, id: &str, error: AskErr) -> PortError {
    let kind = match error {
        AskErr::Full | AskErr::Gone => ErrorKind::Busy {
            retry_after_ms: None,
        },
        // The deadline is the answer: it has not become usable in the time we give it (G1, H3).
        AskErr::Timeout => ErrorKind::Refused,
        AskErr::NoAnswer => ErrorKind::Unknown,
    };
    PortError::new(kind, format!("waiting for {what} {id}: {error}"))
}

impl Watch {
    /// The server once it is no longer building: ACTIVE, ERROR, anything else.
    pub async fn server_settled(&self, acting: &Acting, id: &ServerId) -> PortResult<Server> {
        let (acting, wanted) = (acting.clone(), id.clone());
        let ask = |reply| Msg::Server {
            acting,
            id: wanted,
            reply,
        };
        let answer = self.mailbox.ask("server", SERVER_LIMIT_MS, ask).await;
        answer.map_err(|error| no_answer("server", id.as_str(), error))?
    }

    /// The volume once it is no longer being made.
    pub async fn volume_settled(&self, acting: &Acting, id: &VolumeId) -> PortResult<Volume> {
        let (acting, wanted) = (acting.clone(), id.clone());
        let ask = |reply| Msg::Volume {
            acting,
            id: wanted,
            reply,
        };
        let answer = self.mailbox.ask("volume", VOLUME_LIMIT_MS, ask).await;
        answer.map_err(|error| no_answer("volume", id.as_str(), error))?
    }
}
