//! The story: away on purpose with the target's daemon killed in the middle, home, a site lost, its return.
//!
//! Absent: what must hold (`judge`).

use super::census::{Census, Held};
use super::cloud::{HELPER, Session};
use super::daemon::{self, Daemon};
use super::judge::{Wrong, is_home, runs, stands_still, tells_of_what_stays, untouched};
use super::ledger::Ledgers;
use super::places::Places;
use super::portrait::Look;
use super::setup;
use super::tenant::{Tenant, is_full, progress};
use crate::story::{delete_server, extend_volume};
use crate::world::Which;
use anyhow::{Context, Result};
use protector_runtime::clock::{Clock, SystemClock};
use protector_runtime::remote::HttpService;
use serde_json::Value;
use std::path::Path;

/// How far the first move is when its daemon is killed, percent.
const KILLED_AT_PCT: u64 = 35;

/// What a volume grows by, GiB.
const GROWN_BY_GB: u64 = 3;

/// As far as it is told.
pub(super) struct Story<'a> {
    places: &'a Places,
    pub(super) http: &'a HttpService,
    daemons: [Daemon; 2],
    pub(super) tenant: Tenant<'a>,
    /// How both clouds have to look: as before anything moved, but for what the tenant itself has changed.
    pub(super) a: Look,
    pub(super) b: Look,
    ledgers: Ledgers,
    /// Everything before the group was made, but for what the tenant itself has taken away.
    pub(super) before: Census,
    wrong: Wrong,
    began_us: i64,
}

pub(super) fn now_us() -> i64 {
    SystemClock.now_us()
}

impl<'a> Story<'a> {
    /// Starts both daemons, introduces them, and protects the tenant's servers.
    ///
    /// # Errors
    /// Whatever does not come up; a refusal.
    pub async fn begin(
        places: &'a Places,
        http: &'a HttpService,
        state: &Path,
        programs: &Path,
        databases: [&str; 2],
    ) -> Result<Self> {
        let began_us = now_us();
        let daemons = daemon::up(places, http, state, programs, databases).await?;
        setup::introduce(http, places).await?;
        let mut story = Self {
            places,
            http,
            daemons,
            tenant: Tenant::new(http, places),
            a: Look::at(http, places, Which::A).await?,
            b: Look::at(http, places, Which::B).await?,
            ledgers: Ledgers::open(http, places, databases).await?,
            before: Census::take(places, &[Which::A, Which::B])?,
            wrong: Vec::new(),
            began_us,
        };
        story.say("two daemons on MariaDB know each other, and both arrays");
        let servers: Vec<String> = story.a.vms.iter().map(|vm| vm.id.clone()).collect();
        let clock = now_us();
        story.tenant.protect(&servers).await?;
        story.tenant.replicate(Which::A).await?;
        let (vms, volumes) = (servers.len(), story.a.volumes);
        story.took(
            &format!("{vms} VMs with {volumes} volumes protected"),
            clock,
        );
        Ok(story)
    }

    pub(super) fn say(&self, line: &str) {
        let at_s = (now_us() - self.began_us) as f64 / 1e6;
        println!("{at_s:7.1} s  {line}");
    }

    pub(super) fn took(&self, what: &str, since_us: i64) {
        let took_s = (now_us() - since_us) as f64 / 1e6;
        self.say(&format!("{what}: {took_s:.1} s"));
    }

    pub(super) fn judge(&mut self, leg: &str, wrong: Wrong) {
        for line in &wrong {
            println!("           WRONG after {leg}: {line}");
        }
        let told = wrong.into_iter().map(|line| format!("{leg}: {line}"));
        self.wrong.extend(told);
    }

    /// Everything at these sites, by the stock clients, is what was there and what the ledgers say.
    ///
    /// # Errors
    /// A cloud, an array or a database does not answer.
    pub(super) async fn counted(&mut self, leg: &str, sites: &[Which]) -> Result<()> {
        let since = now_us();
        let now = Census::take(self.places, sites)?;
        let array_group = self.ledgers.array_group(&self.tenant.group).await?;
        for which in sites {
            let standing = self.ledgers.standing(*which, &self.tenant.group).await?;
            let held = Held {
                which: *which,
                now: &now,
                before: &self.before,
                standing: &standing,
                array_group: &array_group,
            };
            let wrong = held.wrong();
            self.judge(leg, wrong);
        }
        self.took("listed by the stock clients", since);
        Ok(())
    }

    pub(super) async fn look(&self, which: Which) -> Result<Look> {
        Look::at(self.http, self.places, which).await
    }

    pub(super) fn daemon(&mut self, which: Which) -> &mut Daemon {
        let [a, b] = &mut self.daemons;
        match which {
            Which::A => a,
            Which::B => b,
        }
    }

    pub(super) async fn ended(
        &mut self,
        leg: &str,
        at: Which,
        operation: &str,
        since: i64,
    ) -> Result<()> {
        let shown = self.tenant.until_over(at, operation).await?;
        self.took(leg, since);
        is_full(&shown).with_context(|| leg.to_owned())
    }

    /// Planned failover to site B, whose daemon is killed on the way and started again.
    ///
    /// # Errors
    /// A refusal; it does not end.
    pub async fn away(&mut self) -> Result<()> {
        let since = now_us();
        let operation = self.tenant.hand_over(Which::A, "failover").await?;
        let far = |shown: &Value| progress(shown) >= KILLED_AT_PCT;
        let shown = self.tenant.until(Which::B, &operation, far).await?;
        self.daemon(Which::B).kill();
        self.say(&format!("site-b's daemon killed at {} %", progress(&shown)));
        let http = self.http;
        self.daemon(Which::B).start(http).await?;
        let leg = "planned failover";
        self.ended(leg, Which::B, &operation, since).await?;
        self.tenant.sync(Which::A).await?;
        let (a, b) = (self.look(Which::A).await?, self.look(Which::B).await?);
        self.judge(leg, runs(&self.a, &b, &self.b));
        self.judge(leg, stands_still(&self.a, &a));
        self.counted(leg, &[Which::A, Which::B]).await
    }

    /// While the group is at site B: at home an administrator deletes a source server, and away from it a
    /// volume grows. Nothing of it is the product's doing, and it has to cope with it.
    ///
    /// # Errors
    /// A cloud says no.
    pub async fn meanwhile(&mut self) -> Result<()> {
        let vm = self.a.vms.last_mut().context("a source server")?;
        let (name, id) = (vm.name.clone(), std::mem::take(&mut vm.id));
        let session = self.session(Which::A).await?;
        delete_server(&session.service("compute")?, &id).await?;
        self.before.forget_server(Which::A, &id);
        self.say(&format!("{name} is deleted at site-a, its volumes are not"));
        let (session, b) = (self.session(Which::B).await?, self.look(Which::B).await?);
        let vm = self.a.vms.first_mut().context("a source server")?;
        let disk = vm.portrait.disks.last_mut().context("a disk")?;
        disk.size_gb += GROWN_BY_GB;
        let grown = b.volume(&vm.name, &disk.name).context("its volume")?;
        extend_volume(&session.service("volumev3")?, grown, disk.size_gb).await?;
        let (name, size_gb) = (disk.name.clone(), disk.size_gb);
        self.say(&format!("{name} has grown to {size_gb} GiB at site-b"));
        Ok(())
    }

    async fn session(&self, which: Which) -> Result<Session> {
        let auth_url = &self.places.cloud(which)?.auth_url;
        Session::log_in(self.http, auth_url, HELPER).await
    }

    /// Reprotected from site B, then failback.
    ///
    /// # Errors
    /// A refusal; it does not end.
    pub async fn home(&mut self) -> Result<()> {
        let since = now_us();
        self.tenant.reprotect(Which::B).await?;
        self.tenant.replicate(Which::B).await?;
        self.took("reprotected from site-b", since);
        let since = now_us();
        let operation = self.tenant.hand_over(Which::B, "failback").await?;
        let leg = "failback";
        self.ended(leg, Which::A, &operation, since).await?;
        self.tenant.sync(Which::B).await?;
        let (a, b) = (self.look(Which::A).await?, self.look(Which::B).await?);
        self.judge(leg, is_home(&self.a, &a));
        self.judge(leg, untouched(&self.b, &b));
        // A server that was deleted at home has another id from now on.
        self.a = a;
        self.counted(leg, &[Which::A, Which::B]).await
    }

    /// A site is lost: every process of its cloud, and its daemon.
    fn lose(&mut self, which: Which) -> Result<()> {
        self.daemon(which).kill();
        self.places.tell(&["down", "--kill", which.name()])?;
        self.say(&format!(
            "{} is gone: its cloud and its daemon",
            which.name()
        ));
        Ok(())
    }

    async fn force(&mut self, at: Which, verb: &str) -> Result<()> {
        let since = now_us();
        let operation = self.tenant.force(at, verb).await?;
        self.ended("unplanned failover", at, &operation, since)
            .await
    }

    /// Site A is lost after the account of whoever made the group was closed, and everything starts at B from
    /// one point: a colleague asks for it.
    ///
    /// # Errors
    /// A refusal; it does not end.
    pub async fn loss(&mut self) -> Result<()> {
        self.arrive(Which::B, "failover").await?;
        for which in [Which::A, Which::B] {
            setup::tenant_enabled(self.http, self.places, which, false).await?;
        }
        self.tenant.user = HELPER;
        self.lose(Which::A)?;
        self.force(Which::B, "failover").await?;
        let b = self.look(Which::B).await?;
        let leg = "unplanned failover";
        self.judge(leg, runs(&self.a, &b, &self.b));
        self.counted(leg, &[Which::B]).await
    }

    /// The group is at site B when that is lost: everything starts at home again.
    ///
    /// # Errors
    /// A refusal; it does not end.
    pub async fn loss_abroad(&mut self) -> Result<()> {
        self.tenant.reprotect(Which::B).await?;
        self.arrive(Which::A, "failback").await?;
        self.lose(Which::B)?;
        self.force(Which::A, "failback").await?;
        let a = self.look(Which::A).await?;
        let leg = "unplanned failover";
        self.judge(leg, is_home(&self.a, &a));
        self.counted(leg, &[Which::A]).await
    }

    /// A new recovery point is whole at `at`, from where the group is now.
    async fn arrive(&mut self, at: Which, verb: &str) -> Result<()> {
        let since = now_us();
        self.tenant.replicate(at.other()).await?;
        let tenant = &mut self.tenant;
        let plan = tenant.until_recoverable(at, verb, since / 1_000).await?;
        if at == Which::B {
            self.judge(verb, tells_of_what_stays(&plan));
        }
        self.took(&format!("a new point is at {}", at.name()), since);
        Ok(())
    }

    /// Site A is there again, is fenced, and takes everything back.
    ///
    /// # Errors
    /// A refusal; it does not end.
    pub async fn return_of_the_lost(&mut self) -> Result<()> {
        let since = now_us();
        self.places.start()?;
        let http = self.http;
        self.daemon(Which::A).start(http).await?;
        self.tenant.until_fenced(Which::B).await?;
        let a = self.look(Which::A).await?;
        self.judge("return", stands_still(&self.a, &a));
        self.took("site-a is there again, and fenced", since);
        self.tenant.sync(Which::B).await?;
        self.home().await
    }

    /// Tells what was wrong; true if nothing was.
    pub fn end(&self) -> bool {
        let many = self.wrong.len();
        self.say(&format!(
            "the end; {many} things are not as they have to be"
        ));
        many == 0
    }
}
