//! What tests and operators of the simulation may do that no array client can: add arrays, cut
//! links, switch arrays off, write to volumes. Never reachable by the product.

use serde::{Deserialize, Serialize};

use super::Kind;
use super::array::{Array, ArrayState, Settings};
use super::names;
use super::shelf::fold;
use super::world::{ArrayWorld, Link, LinkState};

/// A turn of a knob of the simulation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Control {
    ArrayAdd {
        name: String,
    },
    ArrayState {
        array: String,
        state: ArrayState,
    },
    ArraySettings {
        array: String,
        settings: Settings,
    },
    /// Connects two arrays for asynchronous replication.
    LinkAdd {
        a: String,
        b: String,
        bandwidth_bytes_per_s: u64,
    },
    LinkState {
        a: String,
        b: String,
        state: LinkState,
    },
    /// 0 stalls transfers.
    LinkBandwidth {
        a: String,
        b: String,
        bandwidth_bytes_per_s: u64,
    },
    /// A write of `bytes` to a live volume; `counter` says which write of the test it is.
    Write {
        array: String,
        serial: String,
        counter: u64,
        bytes: u64,
    },
}

/// The knob could not be turned; nothing changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    #[error("there is already something called {0}")]
    AlreadyThere(String),
    #[error("there is no {0}")]
    Missing(String),
    #[error("{0} is no valid name")]
    Name(String),
}

impl ArrayWorld {
    /// Turns a knob at `now_ms`.
    pub fn control(&mut self, control: Control, now_ms: i64) -> Result<(), ControlError> {
        self.advance(now_ms);
        let done = self.control_apply(control);
        self.mirror();
        self.changed();
        done
    }

    fn control_apply(&mut self, control: Control) -> Result<(), ControlError> {
        match control {
            Control::ArrayAdd { name } => self.array_add(&name),
            Control::ArrayState { array, state } => {
                self.array_known(&array)?.state = state;
                Ok(())
            }
            Control::ArraySettings { array, settings } => {
                self.array_known(&array)?.settings = settings;
                Ok(())
            }
            Control::LinkAdd {
                a,
                b,
                bandwidth_bytes_per_s,
            } => self.link_add(&a, &b, bandwidth_bytes_per_s),
            Control::LinkState { a, b, state } => {
                self.link_known(&a, &b)?.state = state;
                Ok(())
            }
            Control::LinkBandwidth {
                a,
                b,
                bandwidth_bytes_per_s,
            } => {
                self.link_known(&a, &b)?.bandwidth_bytes_per_s = bandwidth_bytes_per_s;
                Ok(())
            }
            Control::Write {
                array,
                serial,
                counter,
                bytes,
            } => self.write(&array, &serial, counter, bytes),
        }
    }

    fn array_add(&mut self, name: &str) -> Result<(), ControlError> {
        if names::check(Kind::Array, name).is_some() {
            return Err(ControlError::Name(name.to_owned()));
        }
        let key = fold(name);
        if self.arrays.contains_key(&key) {
            return Err(ControlError::AlreadyThere(name.to_owned()));
        }
        let seq = self.mint.seq();
        let id = self.mint.id(seq);
        self.arrays.insert(key, Array::new(seq, id, name));
        Ok(())
    }

    fn link_add(
        &mut self,
        a: &str,
        b: &str,
        bandwidth_bytes_per_s: u64,
    ) -> Result<(), ControlError> {
        self.array_known(a)?;
        self.array_known(b)?;
        let (a, b) = (fold(a), fold(b));
        if a == b || self.link(&a, &b).is_some() {
            return Err(ControlError::AlreadyThere(format!("{a} - {b}")));
        }
        self.links.push(Link {
            a,
            b,
            state: LinkState::Connected,
            bandwidth_bytes_per_s,
        });
        Ok(())
    }

    fn write(
        &mut self,
        array: &str,
        serial: &str,
        counter: u64,
        bytes: u64,
    ) -> Result<(), ControlError> {
        let volumes = &mut self.array_known(array)?.volumes;
        let live = volumes
            .iter_mut()
            .find(|(_, v)| v.serial == serial && v.destroyed_ms.is_none());
        let (_, volume) = live.ok_or_else(|| ControlError::Missing(serial.to_owned()))?;
        volume.content.write(counter, bytes, volume.provisioned);
        Ok(())
    }

    fn array_known(&mut self, name: &str) -> Result<&mut Array, ControlError> {
        let missing = || ControlError::Missing(name.to_owned());
        self.arrays.get_mut(&fold(name)).ok_or_else(missing)
    }

    fn link_known(&mut self, a: &str, b: &str) -> Result<&mut Link, ControlError> {
        let (x, y) = (fold(a), fold(b));
        self.links
            .iter_mut()
            .find(|link| (link.a == x && link.b == y) || (link.a == y && link.b == x))
            .ok_or_else(|| ControlError::Missing(format!("link {a} - {b}")))
    }
}
