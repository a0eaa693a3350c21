//! Finding a group's actor, and waking it if it sleeps; the same for operations. The store is the
//! truth: an actor that is not there is made from it.
//!
//! Absent: what they do.

use crate::operation;
use crate::protection_group::{self, GroupMsg};
use crate::site::Site;
use protector_domain::ids::{GroupId, OperationId};
use protector_runtime::mailbox::Mailbox;
use protector_runtime::supervisor::{SupErr, Supervisor};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Mutex;

type Awake = BTreeMap<GroupId, Mailbox<GroupMsg>>;

/// The groups that are awake.
#[derive(Clone)]
pub(crate) struct Groups {
    supervisor: Supervisor,
    awake: Arc<Mutex<Awake>>,
}

impl Groups {
    pub fn new(supervisor: Supervisor) -> Self {
        Self {
            supervisor,
            awake: Arc::default(),
        }
    }

    /// The group's actor; started if need be. Two callers at once get the same one.
    pub async fn wake(&self, site: &Site, group: GroupId) -> Result<Mailbox<GroupMsg>, SupErr> {
        let mut awake = self.awake.lock().await;
        if let Some(mailbox) = awake.get(&group) {
            return Ok(mailbox.clone());
        }
        let (spec, mailbox) = protection_group::child_spec(site, group);
        match self.supervisor.add(spec).await {
            Ok(()) => {
                awake.insert(group, mailbox.clone());
                Ok(mailbox)
            }
            Err(error) => Err(error),
        }
    }

    /// Starts the operation's actor; one that runs already is left alone.
    pub async fn run(&self, site: &Site, operation: OperationId) -> Result<(), SupErr> {
        let (spec, _mailbox) = operation::child_spec(site, operation);
        match self.supervisor.add(spec).await {
            Ok(()) | Err(SupErr::Exists) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
