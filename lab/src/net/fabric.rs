//! The network itself.

use super::faults::{Armed, CallNote, Fault};
use super::meter::{Meter, ThreadCpu};
use super::witness::Witness;
use bytes::Bytes;
use futures::future::{BoxFuture, pending};
use protector_runtime::clock::Clock;
use protector_runtime::entropy::{Entropy, SeededEntropy};
use protector_runtime::remote::{BoxErr, HttpService, NotSent};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tower::ServiceExt;

/// Calls that are remembered; older ones are only counted.
const NOTES_MAX: usize = 200_000;

/// One way, milliseconds, drawn evenly.
#[derive(Debug, Clone, Copy)]
pub struct FabricOptions {
    pub latency_min_ms: u64,
    pub latency_max_ms: u64,
}

impl Default for FabricOptions {
    fn default() -> Self {
        Self {
            latency_min_ms: 1,
            latency_max_ms: 8,
        }
    }
}

struct State {
    services: BTreeMap<String, HttpService>,
    /// How often a host has come up. Answers to an earlier life are lost.
    lives: BTreeMap<String, u64>,
    down: BTreeSet<String>,
    cuts: BTreeSet<(String, String)>,
    armed: Option<Armed>,
    notes: Vec<CallNote>,
    calls: u64,
    options: FabricOptions,
}

/// The network. Clones are the same one.
#[derive(Clone)]
pub struct Fabric {
    state: Arc<Mutex<State>>,
    dice: Arc<SeededEntropy>,
    clock: Arc<dyn Clock>,
    meter: Meter,
    witness: Witness,
}

/// A caller in one of its lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    pub host: String,
    life: u64,
}

/// Nothing left the caller. Everything else that goes wrong is silence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{to} cannot be reached from {from}")]
pub struct HopError {
    pub from: String,
    pub to: String,
}

/// What was decided about one call when it was sent.
struct Flight {
    go_ms: u64,
    back_ms: u64,
    fault: Option<Fault>,
    to_life: u64,
}

impl Fabric {
    pub fn new(seed: u64, clock: Arc<dyn Clock>, options: FabricOptions) -> Self {
        let state = State {
            services: BTreeMap::new(),
            lives: BTreeMap::new(),
            down: BTreeSet::new(),
            cuts: BTreeSet::new(),
            armed: None,
            notes: Vec::new(),
            calls: 0,
            options,
        };
        let dice = Arc::new(SeededEntropy::new(seed));
        Self {
            state: Arc::new(Mutex::new(state)),
            dice,
            clock,
            meter: Meter::default(),
            witness: Witness::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts `service` up at `host` (name, and port if its URL has one).
    pub fn serve(&self, host: &str, service: HttpService) {
        self.lock().services.insert(host.to_owned(), service);
        self.up(host);
    }

    /// The host as a caller, in its present life.
    pub fn origin(&self, host: &str) -> Origin {
        let life = self.lock().lives.get(host).copied().unwrap_or_default();
        Origin {
            host: host.to_owned(),
            life,
        }
    }

    /// Nothing reaches it, and nothing of it is heard any more.
    pub fn down(&self, host: &str) {
        let mut state = self.lock();
        state.down.insert(host.to_owned());
        *state.lives.entry(host.to_owned()).or_default() += 1;
    }

    /// Back, in a new life.
    pub fn up(&self, host: &str) {
        self.lock().down.remove(host);
    }

    /// Cuts both ways between two hosts.
    pub fn cut(&self, one: &str, two: &str) {
        let mut state = self.lock();
        state.cuts.insert((one.to_owned(), two.to_owned()));
        state.cuts.insert((two.to_owned(), one.to_owned()));
    }

    /// Mends every cut.
    pub fn heal(&self) {
        self.lock().cuts.clear();
    }

    /// `fault` strikes the call of `from` that follows `skip` more.
    pub fn arm(&self, from: &str, skip: u64, fault: Fault) {
        self.lock().armed = Some(Armed {
            from: from.to_owned(),
            skip,
            fault,
        });
    }

    /// True while a fault waits for its call.
    pub fn is_armed(&self) -> bool {
        self.lock().armed.is_some()
    }

    /// Everything that was sent, in order.
    pub fn notes(&self) -> Vec<CallNote> {
        self.lock().notes.clone()
    }

    /// How many calls there were.
    pub fn calls(&self) -> u64 {
        self.lock().calls
    }

    /// How far away everything is from now on.
    pub fn set_latency(&self, options: FabricOptions) {
        self.lock().options = options;
    }

    /// From now on `spent` tells what the work behind each host costs.
    pub fn meter(&self, clock: ThreadCpu) {
        self.meter.start(clock);
    }

    /// Processor time of the work behind `host` since `meter`.
    pub fn spent(&self, host: &str) -> Duration {
        self.meter.spent(host)
    }

    /// Hears every record that goes over this network.
    pub fn witness(&self) -> &Witness {
        &self.witness
    }

    fn draw_ms(&self) -> u64 {
        let options = self.lock().options;
        let width = options
            .latency_max_ms
            .saturating_sub(options.latency_min_ms);
        options.latency_min_ms + self.dice.next_u64() % (width + 1)
    }

    /// Whether the call leaves, and what will happen to it. `None`: the caller is dead.
    fn depart(&self, from: &Origin, to: &str, what: &str) -> Option<Result<Flight, HopError>> {
        let (go_ms, back_ms) = (self.draw_ms(), self.draw_ms());
        let at_ms = self.clock.now_us() / 1_000;
        let mut state = self.lock();
        if state.lives.get(&from.host).copied().unwrap_or_default() != from.life {
            return None;
        }
        state.calls += 1;
        if state.notes.len() < NOTES_MAX {
            let (from, to, what) = (from.host.clone(), to.to_owned(), what.to_owned());
            state.notes.push(CallNote {
                at_ms,
                from,
                to,
                what,
            });
        }
        let fault = strike(&mut state.armed, &from.host);
        let cut = state.cuts.contains(&(from.host.clone(), to.to_owned()));
        if cut || state.down.contains(to) || fault == Some(Fault::Refuse) {
            return Some(Err(HopError {
                from: from.host.clone(),
                to: to.to_owned(),
            }));
        }
        let to_life = state.lives.get(to).copied().unwrap_or_default();
        Some(Ok(Flight {
            go_ms,
            back_ms,
            fault,
            to_life,
        }))
    }

    fn alive(&self, host: &str, life: u64) -> bool {
        let state = self.lock();
        !state.down.contains(host) && state.lives.get(host).copied().unwrap_or_default() == life
    }

    /// One call from `from` to `to`: out, `act`, and back. Silence is a future that never ends: the
    /// caller's own time limit ends it.
    ///
    /// # Errors
    /// Nothing was sent.
    pub async fn hop<T: Send + 'static>(
        &self,
        from: &Origin,
        to: &str,
        what: &str,
        act: impl Fn() -> BoxFuture<'static, T> + Send + Sync + 'static,
    ) -> Result<T, HopError> {
        let flight = match self.depart(from, to, what) {
            None => pending().await,
            Some(flight) => flight?,
        };
        let (fabric, from, to) = (self.clone(), from.clone(), to.to_owned());
        let task = tokio::spawn(async move { fabric.fly(flight, from, to, act).await });
        match task.await {
            Ok(answer) => Ok(answer),
            Err(_) => pending().await,
        }
    }

    async fn fly<T: Send>(
        &self,
        flight: Flight,
        from: Origin,
        to: String,
        act: impl Fn() -> BoxFuture<'static, T> + Send,
    ) -> T {
        let late_ms = match flight.fault {
            Some(Fault::Late(ms)) => ms,
            _ => 0,
        };
        tokio::time::sleep(Duration::from_millis(flight.go_ms + late_ms)).await;
        if !self.alive(&to, flight.to_life) {
            return pending().await;
        }
        if flight.fault == Some(Fault::Twice) {
            let _first_answer = self.meter.measure(&to, act()).await;
        }
        let answer = self.meter.measure(&to, act()).await;
        tokio::time::sleep(Duration::from_millis(flight.back_ms)).await;
        let heard = self.alive(&from.host, from.life) && self.alive(&to, flight.to_life);
        if !heard || matches!(flight.fault, Some(Fault::LoseAnswer | Fault::Late(_))) {
            return pending().await;
        }
        answer
    }

    /// HTTP from `from` to whatever host a request names.
    pub fn client(&self, from: &str) -> HttpService {
        let (fabric, origin) = (self.clone(), self.origin(from));
        HttpService::new(tower::service_fn(move |request: http::Request<Bytes>| {
            let (fabric, origin) = (fabric.clone(), origin.clone());
            async move { fabric.http(&origin, request).await }
        }))
    }

    async fn http(
        &self,
        from: &Origin,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, BoxErr> {
        let to = request
            .uri()
            .authority()
            .map(ToString::to_string)
            .unwrap_or_default();
        let service = self.lock().services.get(&to).cloned();
        let Some(service) = service else {
            return Err(Box::new(NotSent(format!("no host {to}"))));
        };
        let what = format!("{} {}", request.method(), request.uri().path());
        let witness = self.witness.clone();
        let act = move || -> BoxFuture<'static, Result<http::Response<Bytes>, BoxErr>> {
            let (service, request, witness) = (service.clone(), request.clone(), witness.clone());
            Box::pin(async move {
                witness.hear(request.body());
                let answer = service.oneshot(request).await?;
                witness.hear(answer.body());
                Ok(answer)
            })
        };
        match self.hop(from, &to, &what, act).await {
            Ok(answer) => answer,
            Err(error) => Err(Box::new(NotSent(error.to_string()))),
        }
    }
}

/// The armed fault, if this is its call.
fn strike(armed: &mut Option<Armed>, from: &str) -> Option<Fault> {
    let waiting = armed.as_mut().filter(|a| a.from == from)?;
    if waiting.skip > 0 {
        waiting.skip -= 1;
        return None;
    }
    armed.take().map(|a| a.fault)
}
