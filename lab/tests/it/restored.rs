//! A site whose database is put back to an older backup: it leads nothing and starts nothing until it has
//! heard from its peer, whoever led by then (I12). Both sites are on files, which are copied while a site is
//! down; what runs and what replicates is judged from the ground truth of clouds and arrays.

use http::Method;
use protector_domain::ports::MarkKeeper;
use protector_lab::cloud::Server;
use protector_lab::courier::{self, CourierError, Endpoint, see};
use protector_lab::story::{
    Protected, fail_over, failback, operation, planned_failover, protect, reprotect, sync_force,
    take_point, take_point_at, update,
};
use protector_lab::world::{Strike, Which, World, WorldOptions, lock};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Two turns of the sweep's clock, seconds.
const SWEPT_S: u64 = 130;

struct Scene {
    world: World,
    group: Protected,
    dir: tempfile::TempDir,
    /// Every record that was seen at a site, by its pair: one pair, one content (P1).
    book: BTreeMap<(u64, u64), String>,
}

fn database(dir: &Path, which: Which) -> PathBuf {
    dir.join(format!("{}.db", which.name()))
}

/// The database and what belongs to it, such as its write-ahead log.
fn files(dir: &Path, which: Which) -> Vec<PathBuf> {
    let name = format!("{}.db", which.name());
    let all = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path());
    let own = all.filter(|p| p.is_file() && p.to_str().unwrap().contains(&name));
    own.collect()
}

async fn scene(name: &str) -> Scene {
    let dir = tempfile::tempdir().unwrap();
    let url = |which| {
        let url = format!("sqlite:///{}", database(dir.path(), which).display());
        SecretString::from(url)
    };
    let options = WorldOptions {
        members: 1,
        volumes: 1,
        databases: Some([url(Which::A), url(Which::B)]),
        replays: true,
        ..WorldOptions::seeded(name, 51)
    };
    let world = World::build(options).await.unwrap();
    let group = protect(&world).await.unwrap();
    take_point(&world, &group, 7).await.unwrap();
    let book = BTreeMap::new();
    Scene {
        world,
        group,
        dir,
        book,
    }
}

async fn rest(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

fn code(answer: Result<Value, CourierError>) -> String {
    answer.unwrap_err().code().to_owned()
}

impl Scene {
    async fn at(&self, which: Which) -> Endpoint {
        self.world.endpoint(which).await.unwrap()
    }

    async fn pair(&self, which: Which) -> (u64, u64) {
        let seen = see(&self.at(which).await, &self.group.group).await.unwrap();
        let pair = seen.head.at.unwrap().pair();
        (pair.epoch.0, pair.version.0)
    }

    async fn is_suspect(&self, which: Which) -> bool {
        let seen = see(&self.at(which).await, &self.group.group).await;
        seen.unwrap().head.suspect
    }

    /// Writes down what both sites have. No pair has had another content before.
    async fn note(&mut self) {
        for which in [Which::A, Which::B] {
            let seen = see(&self.at(which).await, &self.group.group).await.unwrap();
            let at = seen.head.at.unwrap();
            let (pair, digest) = (at.pair(), at.digest.to_string());
            let pair = (pair.epoch.0, pair.version.0);
            let before = self.book.insert(pair, digest.clone());
            assert!(before.is_none_or(|b| b == digest), "P1: {pair:?}");
        }
    }

    async fn rename(&mut self, words: &str) {
        let words = json!({ "description": words });
        update(&self.world, &self.group, &words).await.unwrap();
        self.note().await;
    }

    async fn description(&self, which: Which) -> String {
        let path = format!("/protection-groups/{}", self.group.group);
        let at = self.at(which).await;
        let shown = at.call(Method::GET, &path, None).await.unwrap();
        let group = &shown["protection_group"];
        group["description"].as_str().unwrap().to_owned()
    }

    /// Copies the site's database while it is down.
    async fn backed_up(&mut self, which: Which) -> PathBuf {
        self.world.site_mut(which).crash();
        let to = self.copied(which);
        self.world.site_mut(which).boot().await.unwrap();
        to
    }

    fn copied(&self, which: Which) -> PathBuf {
        let to = self.dir.path().join(format!("backup-of-{}", which.name()));
        std::fs::create_dir(&to).unwrap();
        for file in files(self.dir.path(), which) {
            std::fs::copy(&file, to.join(file.file_name().unwrap())).unwrap();
        }
        to
    }

    /// Stops the site and puts the backup in the place of its database.
    fn put_back(&mut self, which: Which, backup: &Path) {
        self.world.site_mut(which).crash();
        for file in files(self.dir.path(), which) {
            std::fs::remove_file(file).unwrap();
        }
        for file in files(backup, which) {
            std::fs::copy(&file, self.dir.path().join(file.file_name().unwrap())).unwrap();
        }
    }

    fn servers(&self, which: Which) -> Vec<Server> {
        let truth = lock(&self.world.site(which).cloud).ground_truth(self.world.now_ms());
        let live = truth.servers.into_iter();
        live.filter(|s| s.vm_state != "deleted").collect()
    }

    /// How often each server was started or stopped, and what replicates: what an engine could have done.
    fn done(&self) -> (BTreeMap<String, usize>, BTreeMap<String, bool>) {
        let servers = [Which::A, Which::B].map(|which| self.servers(which));
        let power = servers.concat().into_iter().map(|s| (s.id, s.power.len()));
        let arrays = self.world.arrays.ground_truth().arrays;
        let replicates = arrays.iter().flat_map(|(name, array)| {
            let own = array.groups.iter().filter(|g| g.is_local);
            own.map(move |g| (format!("{name} {}", g.name), g.replicates))
        });
        (power.collect(), replicates.collect())
    }

    /// What the site says to everything that would have it lead, start or attest.
    async fn asked_to_act(&self, which: Which) -> BTreeSet<String> {
        let at = self.at(which).await;
        let group = format!("/protection-groups/{}", self.group.group);
        let mut codes = BTreeSet::new();
        for (method, path, body) in [
            (
                Method::PATCH,
                "",
                json!({"protection_group": {"description": "x"}}),
            ),
            (Method::POST, "/sync/lock-tickets", json!({})),
            (Method::POST, "/action", json!({"sync_volumes": {}})),
            (Method::POST, "/action", json!({"reprotect": {}})),
            (Method::POST, "/action", json!({"test_cleanup": {}})),
            (
                Method::POST,
                "/action",
                json!({"test_failover": {"network_mapping": {}}}),
            ),
        ] {
            let path = format!("{group}{path}");
            codes.insert(code(at.call(method, &path, Some(&body)).await));
        }
        codes
    }

    /// Nothing is led, started, stopped or replicated in doubt, however long it lasts.
    async fn assert_idle(&mut self, which: Which) {
        let before = self.done();
        assert!(self.is_suspect(which).await);
        let refused = BTreeSet::from(["site_suspect".to_owned()]);
        assert_eq!(self.asked_to_act(which).await, refused);
        rest(SWEPT_S).await;
        assert_eq!(self.done(), before, "in doubt nothing is done");
        let path = format!("/protection-groups/{}", self.group.group);
        let at = self.at(which).await;
        let shown = at.call(Method::GET, &path, None).await.unwrap();
        let why = shown["protection_group"]["conditions"].to_string();
        assert!(why.contains("restored from a backup"), "{why}");
    }

    /// Any courier brings both into step: nobody is in doubt, and both have the same record.
    async fn assert_mended(&mut self) {
        let (a, b) = (self.at(Which::A).await, self.at(Which::B).await);
        courier::sync(&a, &b, &self.group.group).await.unwrap();
        assert!(!self.is_suspect(Which::A).await && !self.is_suspect(Which::B).await);
        assert_eq!(self.pair(Which::A).await, self.pair(Which::B).await);
        self.note().await;
    }
}

/// A led; since the backup a change was acknowledged everywhere, and the lead has gone over to B.
#[tokio::test(start_paused = true)]
async fn a_site_that_has_forgotten_its_successor_does_not_lead() {
    let mut s = scene("restored-move").await;
    let backup = s.backed_up(Which::A).await;
    s.rename("newer").await;
    let run = planned_failover(&mut s.world, &s.group).await.unwrap();
    assert_eq!(run.operation["status"], "completed", "{}", run.operation);
    reprotect(&s.world, &s.group, Which::B).await.unwrap();
    rest(SWEPT_S).await;
    s.note().await;
    let newest = s.pair(Which::B).await;

    s.put_back(Which::A, &backup);
    let doubted = s.world.a.db_restored().await.unwrap();
    assert_eq!(doubted.groups.len(), 1);
    let again = s.world.a.db_restored().await.unwrap();
    assert!(
        again.mark > doubted.mark,
        "twice is harmless, and not the same mark"
    );
    s.world.a.boot().await.unwrap();
    s.assert_idle(Which::A).await;
    assert!(s.pair(Which::A).await < newest, "it is the old database");

    s.assert_mended().await;
    assert_eq!(
        s.pair(Which::A).await,
        newest,
        "the newer record is in force"
    );
    assert_eq!(s.description(Which::A).await, "newer");
    // Everything goes on, and the next epoch of A's lies above all that it may have forgotten.
    take_point_at(&s.world, Which::B, &s.group, 8)
        .await
        .unwrap();
    let run = failback(&mut s.world, &s.group).await.unwrap();
    assert_eq!(run.operation["status"], "completed", "{}", run.operation);
    s.note().await;
    assert!(s.pair(Which::A).await.0 >= again.mark);
    assert!(s.servers(Which::A).iter().all(|server| server.running));
}

/// A led, and leads still; a change was acknowledged, and another one is on its way when A's memory goes.
#[tokio::test(start_paused = true)]
async fn a_restored_leader_writes_above_all_that_it_has_forgotten() {
    let mut s = scene("restored-leader").await;
    let backup = s.backed_up(Which::A).await;
    s.rename("acknowledged").await;
    let lost = pending(&s, "lost").await;
    let forgotten = s.pair(Which::A).await;
    s.note().await;

    s.put_back(Which::A, &backup);
    let mark = s.world.a.db_restored().await.unwrap().mark;
    s.world.a.boot().await.unwrap();
    s.assert_idle(Which::A).await;
    s.assert_mended().await;
    let (epoch, version) = s.pair(Which::A).await;
    assert_eq!(epoch, 1, "nobody has taken the lead from it");
    assert!(version >= mark && (epoch, version) > forgotten);
    assert_eq!(s.description(Which::A).await, "acknowledged");
    // The lost record is still in some courier's bag: it is an old one everywhere.
    for which in [Which::A, Which::B] {
        let record = json!({ "envelope": lost });
        let at = s.at(which).await;
        let late = at
            .call(Method::POST, "/sync/envelopes", Some(&record))
            .await;
        assert_eq!(code(late), "older_version");
    }
    s.rename("after").await;
    assert_eq!(s.description(Which::B).await, "after");
}

/// A change at A that its peer attests and never gets. Returns the envelope.
async fn pending(s: &Scene, words: &str) -> Value {
    let (a, b) = (s.at(Which::A).await, s.at(Which::B).await);
    let path = format!("/protection-groups/{}", s.group.group);
    let body = json!({ "protection_group": { "description": words } });
    let asked = a.call(Method::PATCH, &path, Some(&body)).await.unwrap();
    let ticket = json!({ "ticket": asked["ticket"] });
    let attested = b
        .call(Method::POST, "/sync/reservations", Some(&ticket))
        .await;
    let committed = a
        .call(Method::POST, "/sync/commits", Some(&attested.unwrap()))
        .await;
    committed.unwrap()["envelope"].clone()
}

/// B follows: it attests nothing until it has heard.
#[tokio::test(start_paused = true)]
async fn a_restored_follower_lends_its_word_to_nothing() {
    let mut s = scene("restored-follower").await;
    let backup = s.backed_up(Which::B).await;
    s.rename("newer").await;
    s.put_back(Which::B, &backup);
    s.world.b.db_restored().await.unwrap();
    s.world.b.boot().await.unwrap();
    s.assert_idle(Which::B).await;
    let path = format!("/protection-groups/{}", s.group.group);
    let body = json!({ "protection_group": { "description": "x" } });
    let (a, b) = (s.at(Which::A).await, s.at(Which::B).await);
    let asked = a.call(Method::PATCH, &path, Some(&body)).await.unwrap();
    let ticket = json!({ "ticket": asked["ticket"] });
    let attested = b
        .call(Method::POST, "/sync/reservations", Some(&ticket))
        .await;
    assert_eq!(code(attested), "site_suspect");
    s.assert_mended().await;
    assert_eq!(s.description(Which::B).await, "newer");
    s.rename("after").await;
    let run = planned_failover(&mut s.world, &s.group).await.unwrap();
    assert_eq!(run.operation["status"], "completed", "{}", run.operation);
    s.note().await;
}

/// Nobody runs the command: the mark beside the key is ahead of the database.
#[tokio::test(start_paused = true)]
async fn a_mark_ahead_of_the_database_is_heeded_by_the_engine() {
    let mut s = scene("restored-by-mark").await;
    let backup = s.backed_up(Which::A).await;
    s.world.a.crash();
    let first = s.world.a.db_restored().await.unwrap().mark;
    s.world.a.boot().await.unwrap();
    s.assert_mended().await;
    assert_eq!(s.world.a.marks.fetch(), Ok(first));
    s.rename("newer").await;
    // A start on the database that it has had all the time asks nobody anything.
    s.world.a.crash();
    s.world.a.boot().await.unwrap();
    assert!(!s.is_suspect(Which::A).await);

    s.put_back(Which::A, &backup);
    s.world.a.boot().await.unwrap();
    assert!(
        s.world.a.marks.fetch().unwrap() > first,
        "one mark is for one restore"
    );
    s.assert_idle(Which::A).await;
    s.assert_mended().await;
    assert_eq!(s.description(Which::A).await, "newer");
}

/// Nobody runs the command, and no mark tells: B's own record comes back to it, which it does not know. The
/// database is one for all groups, so all of them are in doubt.
#[tokio::test(start_paused = true)]
async fn an_unknown_record_of_its_own_puts_every_group_of_a_site_in_doubt() {
    let mut s = scene("restored-by-record").await;
    let (a, b) = (s.at(Which::A).await, s.at(Which::B).await);
    let create = json!({ "protection_group": {
        "name": "spare",
        "replication_type": "async",
        "secondary_site": Which::B.name(),
        "volume_type": "replicated-ssd",
    }});
    let made = courier::change(&a, &b, Method::POST, "/protection-groups", &create).await;
    let spare = made.unwrap();
    let backup = s.backed_up(Which::B).await;
    let run = fail_over(&mut s.world, &s.group, |_| {}).await.unwrap();
    assert_eq!(run.operation["status"], "completed", "{}", run.operation);
    sync_force(&s.world, &s.group).await.unwrap();
    s.note().await;
    let newest = s.pair(Which::B).await;
    let servers = s.servers(Which::B).len();

    s.put_back(Which::B, &backup);
    s.world.b.boot().await.unwrap();
    let b = s.at(Which::B).await;
    assert!(!s.is_suspect(Which::B).await, "nothing has told it yet");
    s.assert_mended().await;
    assert!(s.pair(Which::B).await > newest, "a base record above both");
    assert_eq!(s.pair(Which::B).await.0, newest.0);
    rest(1).await;
    let other = see(&b, &spare).await.unwrap();
    assert!(other.head.suspect, "of the same database");
    let a = s.at(Which::A).await;
    courier::sync(&a, &b, &spare).await.unwrap();
    assert!(!see(&b, &spare).await.unwrap().head.suspect);
    assert!(s.world.b.marks.fetch().unwrap() > 0);
    assert_eq!(s.servers(Which::B).len(), servers);
}

/// The backup was taken in the middle of a planned move, which has ended since: nothing of it is done again,
/// nothing is taken back, and its lock is not given away while its servers run.
#[tokio::test(start_paused = true)]
async fn a_move_in_the_backup_is_neither_resumed_nor_undone_nor_released() {
    let mut s = scene("restored-in-a-move").await;
    s.world.b.crash.arm(Strike {
        place: "after_record:do:import_volumes".to_owned(),
        skip: 0,
    });
    let (a, b) = (s.at(Which::A).await, s.at(Which::B).await);
    let body = json!({ "type": "planned" });
    let id = courier::planned_move(&a, &b, &s.group.group, "failover", &body).await;
    let id = id.unwrap();
    s.world.b.crash.clone().struck().await;
    let backup = s.backed_up(Which::B).await;
    rest(SWEPT_S).await;
    let ended = operation(&s.at(Which::B).await, &id).await.unwrap();
    assert_eq!(ended["status"], "completed", "{ended}");
    let (servers, done) = (s.servers(Which::B), s.done());
    assert!(servers.len() == 1 && servers[0].running);

    s.put_back(Which::B, &backup);
    let doubted = s.world.b.db_restored().await.unwrap();
    assert_eq!(doubted.ended.len(), 1);
    s.world.b.boot().await.unwrap();
    rest(SWEPT_S).await;
    let over = operation(&s.at(Which::B).await, &id).await.unwrap();
    let end = (over["status"].as_str(), over["outcome"].as_str());
    assert_eq!(end, (Some("failed"), Some("needs_operator")), "{over}");
    let (a, b) = (s.at(Which::A).await, s.at(Which::B).await);
    courier::sync(&a, &b, &s.group.group).await.unwrap();
    rest(SWEPT_S).await;
    assert_eq!(s.done(), done, "trusted again, it still touches nothing");
    let kept: Vec<String> = s.servers(Which::B).into_iter().map(|s| s.id).collect();
    assert_eq!(kept, [servers[0].id.clone()]);
    let given = courier::release(&a, &b, &s.group.group, &id).await;
    assert_eq!(given.unwrap_err().code(), "operation_in_progress");
}
