//! One login for everybody.

use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

struct Desk {
    session: Session<u32, String>,
    logins: AtomicU32,
}

fn desk() -> Arc<Desk> {
    let ctx = Ctx::seeded("a", 1, 0);
    Arc::new(Desk {
        session: Session::new(ctx.clock, 1_000),
        logins: AtomicU32::new(0),
    })
}

impl Desk {
    /// A login takes 50 ms; its value is its number and lives `life_ms`.
    async fn get(&self, life_ms: Option<i64>) -> Result<Lease<u32>, String> {
        let login = || async {
            let value = self.logins.fetch_add(1, Ordering::Relaxed) + 1;
            ms(50).await;
            Ok(Fresh {
                value,
                expires_at_ms: life_ms,
            })
        };
        self.session.get(login).await
    }

    async fn fail(&self) -> Result<Lease<u32>, String> {
        let login = || async {
            let number = self.logins.fetch_add(1, Ordering::Relaxed) + 1;
            ms(50).await;
            Err(format!("wrong password, try {number}"))
        };
        self.session.get(login).await
    }

    fn logins(&self) -> u32 {
        self.logins.load(Ordering::Relaxed)
    }
}

async fn thousand<F: Future<Output = Result<Lease<u32>, String>>>(
    one: impl Fn() -> F,
) -> Vec<Result<Lease<u32>, String>> {
    futures::future::join_all((0..1_000).map(|_| one())).await
}

#[tokio::test(start_paused = true)]
async fn a_thousand_callers_that_saw_401_cause_one_login() {
    let desk = desk();
    let first = thousand(|| desk.get(None)).await;
    assert_eq!(desk.logins(), 1);
    assert!(first.iter().all(|lease| lease.as_ref().unwrap().value == 1));
    let generation = first[0].as_ref().unwrap().generation;
    let again = thousand(|| async {
        desk.session.invalidate(generation);
        desk.get(None).await
    });
    let again = again.await;
    assert_eq!(desk.logins(), 2);
    assert!(again.iter().all(|lease| lease.as_ref().unwrap().value == 2));
    // A straggler that saw 401 with the old value must not throw the new one away.
    desk.session.invalidate(generation);
    assert_eq!(desk.get(None).await.unwrap().value, 2);
}

#[tokio::test(start_paused = true)]
async fn a_failed_login_is_shared_and_not_repeated_by_each() {
    let desk = desk();
    let ends = thousand(|| desk.fail()).await;
    assert_eq!(desk.logins(), 1);
    assert!(
        ends.iter()
            .all(|end| end.as_ref().unwrap_err() == "wrong password, try 1")
    );
    assert_eq!(
        desk.fail().await.unwrap_err(),
        "wrong password, try 2",
        "who comes later tries"
    );
    assert_eq!(desk.get(None).await.unwrap().value, 3);
}

#[tokio::test(start_paused = true)]
async fn a_value_is_renewed_a_little_before_it_ends() {
    let desk = desk();
    assert_eq!(desk.get(Some(10_000)).await.unwrap().value, 1);
    ms(8_949).await;
    assert_eq!(desk.get(Some(60_000)).await.unwrap().value, 1);
    ms(1).await;
    assert_eq!(desk.get(Some(60_000)).await.unwrap().value, 2);
}

#[tokio::test(start_paused = true)]
async fn when_the_one_who_logs_in_goes_away_the_next_does() {
    let desk = desk();
    let first = {
        let desk = desk.clone();
        tokio::spawn(async move { desk.get(None).await })
    };
    ms(10).await;
    let second = {
        let desk = desk.clone();
        tokio::spawn(async move { desk.get(None).await })
    };
    ms(10).await;
    first.abort();
    assert_eq!(second.await.unwrap().unwrap().value, 2);
}
