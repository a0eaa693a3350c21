//! Databases on the test server: made, dropped, and asked behind the store's back.

use diesel_async::{AsyncConnection, AsyncMysqlConnection, SimpleAsyncConnection};
use std::sync::atomic::{AtomicU32, Ordering};

const URL: &str = "PROTECTOR_TEST_MARIADB_URL";
const ALL: &str = "PROTECTOR_TEST_ALL";

static NEXT: AtomicU32 = AtomicU32::new(1);

/// The server, or `None` where there is none and none is asked for.
pub fn server() -> Option<String> {
    match std::env::var(URL) {
        Ok(url) => Some(url.trim_end_matches('/').to_owned()),
        Err(_) if std::env::var(ALL).is_ok_and(|all| all == "1") => {
            panic!("{ALL}=1 asks for MariaDB, but {URL} is not set")
        }
        Err(_) => {
            println!("left out: {URL} is not set");
            None
        }
    }
}

/// `mysql://` scheme, also where the URL is spelled for Python.
pub fn plain(url: &str) -> String {
    url.replacen("mysql+pymysql://", "mysql://", 1)
}

pub async fn run(url: &str, sql: &str) {
    let mut c = AsyncMysqlConnection::establish(&plain(url)).await.unwrap();
    c.batch_execute(sql).await.unwrap();
}

/// A fresh database: its URL and its name.
pub async fn create(server: &str) -> (String, String) {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("protector_test_{}_{number}", std::process::id());
    let admin = format!("{server}/mysql");
    run(&admin, &format!("DROP DATABASE IF EXISTS {name}")).await;
    run(
        &admin,
        &format!("CREATE DATABASE {name} CHARACTER SET latin1"),
    )
    .await;
    (format!("{server}/{name}"), name)
}

pub async fn drop(server: &str, name: &str) {
    run(
        &format!("{server}/mysql"),
        &format!("DROP DATABASE IF EXISTS {name}"),
    )
    .await;
}
