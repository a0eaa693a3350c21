//! Finding a group's actor, and waking it if it sleeps; the same for operations. The store is the
//! truth: an actor that is not there is made from it.
//!
//! Absent: what they do.

use crate::operation::{self, OperationMsg};
use crate::protection_group::{self, GroupMsg};
use crate::site::Site;
use protector_domain::ids::{GroupId, OperationId};
use protector_runtime::mailbox::Mailbox;
use protector_runtime::supervisor::{SupErr, Supervisor};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Mutex;

type Awake = BTreeMap<GroupId, Mailbox<GroupMsg>>;
type Running = BTreeMap<OperationId, Mailbox<OperationMsg>>;

/// The groups that are awake.
#[derive(Clone)]
pub(crate) struct Groups {
    supervisor: Supervisor,
    awake: Arc<Mutex<Awake>>,
    running: Arc<Mutex<Running>>,
}

impl Groups {
    pub fn new(supervisor: Supervisor) -> Self {
        Self {
            supervisor,
            awake: Arc::default(),
            running: Arc::default(),
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

    /// The operation's actor, started if it does not run.
    pub async fn run(
        &self,
        site: &Site,
        operation: OperationId,
    ) -> Result<Mailbox<OperationMsg>, SupErr> {
        let mut running = self.running.lock().await;
        let (spec, mailbox) = operation::child_spec(site, operation);
        match (self.supervisor.add(spec).await, running.get(&operation)) {
            (Err(SupErr::Exists), Some(known)) => Ok(known.clone()),
            (Ok(()), _) => {
                running.insert(operation, mailbox.clone());
                Ok(mailbox)
            }
            (Err(error), _) => Err(error),
        }
    }

    /// An operation that runs asks the store whether it still may.
    pub async fn look_again(&self, operation: OperationId) {
        let mailbox = self.running.lock().await.get(&operation).cloned();
        if let Some(mailbox) = mailbox {
            // Full: then one of its writes will tell it.
            let _ = mailbox.try_send("look_again", OperationMsg::LookAgain);
        }
    }

    /// An operation is over: nobody sends it anything more.
    pub async fn ended(&self, operation: OperationId) {
        self.running.lock().await.remove(&operation);
    }
}
