//! Which arrays can be reached: the way of the mock driver, with a switch per array.
//!
//! Absent: slow and lying ways (`net`); here an array answers, or it does not.

use async_trait::async_trait;
use protector_storage_drivers::link::{ArrayLink, LinkError, SharedWorld};
use protector_storage_drivers::model::{Answer, Command};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// Clones share the switches.
#[derive(Clone)]
pub(super) struct Reach {
    world: SharedWorld,
    down: Arc<Mutex<BTreeSet<String>>>,
}

impl Reach {
    pub fn new(world: SharedWorld) -> Self {
        let down = Arc::default();
        Self { world, down }
    }

    pub fn set(&self, array: &str, up: bool) {
        let mut down = self.down.lock().unwrap_or_else(PoisonError::into_inner);
        if up {
            down.remove(array);
        } else {
            down.insert(array.to_owned());
        }
    }

    fn is_down(&self, array: &str) -> bool {
        let down = self.down.lock().unwrap_or_else(PoisonError::into_inner);
        down.contains(array)
    }
}

#[async_trait]
impl ArrayLink for Reach {
    async fn call(&self, array: &str, command: Command) -> Result<Answer, LinkError> {
        if self.is_down(array) {
            let why = format!("{array} does not answer");
            return Err(LinkError::NotSent(why));
        }
        self.world.call(array, command).await
    }
}
