//! The actor behind `Watch`. Lists are taken in tasks; a failed one is simply taken again.

use super::Watch;
use super::waiting::{Waiting, pause_ms};
use protector_domain::effect::METADATA_KEY;
use protector_domain::ids::{ServerId, VolumeId};
use protector_domain::ports::compute::{Server, ServerFilter};
use protector_domain::ports::volumes::{Volume, VolumeFilter};
use protector_domain::ports::{Acting, Cloud, PortResult};
use protector_runtime::ctx::Ctx;
use protector_runtime::mailbox::{Behaviour, Kind, Mailbox, Reply};
use protector_runtime::supervisor::{ChildSpec, Restart};
use ractor::ActorProcessingErr;
use std::time::Duration;
use tokio::task::JoinSet;

/// Waiters that may be queued; each running step waits for one thing.
const KIND: Kind = Kind {
    name: "site_connection",
    cap: 4_096,
};
const SHUTDOWN_MS: u64 = 1_000;

pub(crate) struct SiteConnection {
    cloud: Cloud,
}

pub(crate) enum Msg {
    /// Tell me when this server has settled. Sent by steps.
    Server {
        acting: Acting,
        id: ServerId,
        reply: Reply<PortResult<Server>>,
    },
    /// Tell me when this volume has settled. Sent by steps.
    Volume {
        acting: Acting,
        id: VolumeId,
        reply: Reply<PortResult<Volume>>,
    },
    /// Time to list. Sent by our own timer.
    Poll,
    /// A listing came back. Sent by our own tasks.
    Servers {
        acting: Acting,
        listed: PortResult<Vec<Server>>,
    },
    Volumes {
        acting: Acting,
        listed: PortResult<Vec<Volume>>,
    },
}

#[derive(Default)]
pub(crate) struct State {
    servers: Waiting<Server>,
    volumes: Waiting<Volume>,
    timer_set: bool,
    lists_out: usize,
    last_error: Option<String>,
    tasks: JoinSet<()>,
}

pub(crate) fn child_spec(ctx: &Ctx, cloud: Cloud) -> (ChildSpec, Watch) {
    let make = move || {
        (
            SiteConnection {
                cloud: cloud.clone(),
            },
            (),
        )
    };
    let (spec, mailbox) =
        ChildSpec::tracked(ctx, "local", Restart::Permanent, SHUTDOWN_MS, KIND, make);
    (spec, Watch { mailbox })
}

impl Behaviour for SiteConnection {
    type Msg = Msg;
    type State = State;
    type Args = ();

    async fn init(&self, _me: &Mailbox<Msg>, _args: ()) -> Result<State, ActorProcessingErr> {
        Ok(State::default())
    }

    async fn handle(
        &self,
        me: &Mailbox<Msg>,
        msg: Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match msg {
            Msg::Server { acting, id, reply } => state.servers.add(acting, id, reply),
            Msg::Volume { acting, id, reply } => state.volumes.add(acting, id, reply),
            Msg::Poll => {
                state.timer_set = false;
                self.list(me, state);
            }
            Msg::Servers { acting, listed } => {
                state.lists_out = state.lists_out.saturating_sub(1);
                match listed {
                    Ok(servers) => state.servers.listed(&acting, &servers),
                    Err(error) => state.last_error = Some(error.what),
                }
            }
            Msg::Volumes { acting, listed } => {
                state.lists_out = state.lists_out.saturating_sub(1);
                match listed {
                    Ok(volumes) => state.volumes.listed(&acting, &volumes),
                    Err(error) => state.last_error = Some(error.what),
                }
            }
        }
        set_timer(me, state);
        Ok(())
    }

    fn snapshot(&self, state: &State) -> serde_json::Value {
        serde_json::json!({
            "waiting_for_servers": state.servers.count(),
            "waiting_for_volumes": state.volumes.count(),
            "last_error": state.last_error,
        })
    }
}

fn set_timer(me: &Mailbox<Msg>, state: &mut State) {
    let youngest = [state.servers.youngest_ms(), state.volumes.youngest_ms()];
    let Some(waited_ms) = youngest.into_iter().flatten().min() else {
        return;
    };
    if state.timer_set || state.lists_out > 0 {
        return;
    }
    state.timer_set = true;
    let pause = Duration::from_millis(pause_ms(waited_ms));
    let me = me.clone();
    state.tasks.spawn(async move {
        tokio::time::sleep(pause).await;
        let _ = me.send("poll", Msg::Poll).await;
    });
}

impl SiteConnection {
    /// Only things that we made are waited for.
    fn list(&self, me: &Mailbox<Msg>, state: &mut State) {
        while state.tasks.try_join_next().is_some() {}
        for acting in state.servers.identities() {
            let (me, compute) = (me.clone(), self.cloud.compute.clone());
            state.lists_out += 1;
            state.tasks.spawn(async move {
                let filter = ServerFilter {
                    metadata_prefix: Some((METADATA_KEY.to_owned(), String::new())),
                    ..ServerFilter::default()
                };
                let listed = compute.server_list(&acting, &filter).await;
                let _ = me.send("servers", Msg::Servers { acting, listed }).await;
            });
        }
        for acting in state.volumes.identities() {
            let (me, volumes) = (me.clone(), self.cloud.volumes.clone());
            state.lists_out += 1;
            state.tasks.spawn(async move {
                let filter = VolumeFilter {
                    key_prefix: Some(String::new()),
                    ..VolumeFilter::default()
                };
                let listed = volumes.volume_list(&acting, &filter).await;
                let _ = me.send("volumes", Msg::Volumes { acting, listed }).await;
            });
        }
    }
}
