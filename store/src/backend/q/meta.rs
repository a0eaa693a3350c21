//! Small named values of the store itself, and this site's identity.

use super::Conn;
use crate::error::StoreError;
use crate::rows::site::IdentityRow;
use crate::schema::{site_identity, store_meta};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

/// There is one identity.
pub(crate) const SLOT: i32 = 1;
/// R13, in decimal digits.
pub(crate) const RESTORE_MARK: &str = "restore_mark";

pub(crate) async fn restore_mark_fetch(c: &mut Conn) -> Result<Option<Vec<u8>>, StoreError> {
    meta_fetch(c, RESTORE_MARK).await
}

pub(crate) async fn meta_fetch(c: &mut Conn, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let query = store_meta::table.find(name).select(store_meta::value);
    Ok(query.first(c).await.optional()?)
}

/// Errors: `AlreadyThere`.
pub(crate) async fn meta_insert(c: &mut Conn, name: &str, value: &[u8]) -> Result<(), StoreError> {
    diesel::insert_into(store_meta::table)
        .values((store_meta::name.eq(name), store_meta::value.eq(value)))
        .execute(c)
        .await?;
    Ok(())
}

/// As `meta_insert`, in place of what was there.
pub(crate) async fn meta_replace(c: &mut Conn, name: &str, value: &[u8]) -> Result<(), StoreError> {
    diesel::replace_into(store_meta::table)
        .values((store_meta::name.eq(name), store_meta::value.eq(value)))
        .execute(c)
        .await?;
    Ok(())
}

pub(crate) async fn identity_fetch(c: &mut Conn) -> Result<Option<IdentityRow>, StoreError> {
    let query = site_identity::table
        .find(SLOT)
        .select(IdentityRow::as_select());
    Ok(query.first(c).await.optional()?)
}

/// Errors: `AlreadyThere`: an identity is never replaced, the peer has pinned it.
pub(crate) async fn identity_insert(c: &mut Conn, row: IdentityRow) -> Result<(), StoreError> {
    if let Some(there) = identity_fetch(c).await? {
        return Err(StoreError::AlreadyThere {
            what: "identity",
            id: Some(there.site_id),
        });
    }
    diesel::insert_into(site_identity::table)
        .values(row)
        .execute(c)
        .await?;
    Ok(())
}
