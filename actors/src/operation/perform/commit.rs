//! `commit_new_primary`: the record that says where everything is now (R5, FO-06). The point of no
//! return: our own store, one transaction, found again by reading the record.

use super::{Job, nothing_made};
use crate::journal::Made;
use crate::protection_group::finish;
use protector_domain::ports::PortResult;

pub(super) async fn make(job: &Job) -> PortResult<Vec<Made>> {
    finish::finish_move(&job.site, &job.plan, &job.journal).await?;
    Ok(nothing_made(job))
}
