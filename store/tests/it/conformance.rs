//! One suite, three databases: SQLite in memory (inline, under paused time), a SQLite file, MariaDB.
use crate::common::world::{Kind, World};
use crate::suite;

macro_rules! on {
    ($kind:expr, $suite:path) => {
        if let Some(mut world) = World::new($kind).await {
            $suite(&mut world).await;
            world.end().await;
        }
    };
}

macro_rules! conformance {
    ($($area:ident { $($test:ident),+ $(,)? })+) => {
        mod memory {
            use super::*;
            $(mod $area { use super::*; $(
                #[tokio::test(start_paused = true)]
                async fn $test() { on!(Kind::Memory, suite::$area::$test); }
            )+ })+
        }
        mod file {
            use super::*;
            $(mod $area { use super::*; $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() { on!(Kind::File, suite::$area::$test); }
            )+ })+
        }
        mod mariadb {
            use super::*;
            $(mod $area { use super::*; $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() { on!(Kind::MariaDb, suite::$area::$test); }
            )+ })+
        }
    };
}

conformance! {
    groups {
        a_group_comes_back_as_it_was_put,
        a_stale_revision_is_a_conflict,
        a_pair_never_falls_and_never_has_two_contents,
        a_name_is_one_of_a_kind_until_its_group_is_deleted,
        projections_say_what_the_body_says,
        projections_are_rebuilt_from_the_record,
        a_tombstone_keeps_its_row_and_loses_its_projections,
        cinder_groups_outlive_the_record,
        a_body_that_cannot_be_read_is_kept_all_the_same,
        lists_are_paged_and_stay_in_their_project,
        a_server_leads_to_its_group,
    }
    operations {
        an_operation_comes_back_as_it_was_inserted,
        the_same_key_gives_the_same_operation,
        equal_requests_at_once_start_one_operation,
        only_legal_moves,
        progress_never_goes_back,
        lists_newest_first_and_unfinished_oldest_first,
        events_are_numbered_by_the_store,
    }
    effects {
        an_intent_comes_first_and_counts_its_attempts,
        settling_keeps_what_it_is_not_told,
        an_old_epoch_is_fenced,
        in_doubt_nothing_begins_and_what_had_begun_is_told,
        a_settle_without_an_intent_is_refused_whole,
        lists_by_operation_state_and_group,
        a_forced_move_and_what_followed_it_are_found_however_long_ago,
    }
    moves {
        a_move_begins_whole_or_not_at_all,
        a_move_ends_whole_or_not_at_all,
        a_repeated_request_finds_its_move,
        a_superseded_runner_cannot_end_its_move,
    }
    sites {
        sites_are_registered_once_and_changed_in_parts,
        arrays_are_registered_once_and_changed_in_parts,
        mappings_are_one_per_project_and_site,
        an_identity_is_put_once,
        the_restore_mark_is_one_number,
    }
    secrets {
        secrets_come_back_and_stay_sealed,
        a_wrong_key_is_said_so,
        a_secret_does_not_open_elsewhere,
    }
    delegations {
        a_group_has_one_delegation_and_trusts_are_counted,
    }
    logs {
        the_sync_log_has_a_record_once_per_kind,
        what_a_put_leaves_out_is_in_the_log_with_it,
        the_audit_trail_is_newest_first,
        of_equal_requests_one_is_new,
    }
    commits {
        writers_share_commits,
        one_bad_write_fails_alone,
        a_batch_is_all_or_nothing,
        acknowledged_is_there_after_a_crash,
        a_closed_store_refuses,
        two_processes_share_one_database,
        limits_are_the_same_everywhere,
    }
    steps {
        faults_among_steps_are_their_own,
        what_only_the_database_refuses_is_refused_alone,
        outcomes_side_by_side_reach_their_rows,
    }
    schema {
        a_migrated_store_is_checked_and_migrating_again_changes_nothing,
        a_newer_schema_is_refused,
        an_older_schema_is_refused_until_it_is_migrated,
        the_tables_are_those_of_the_program,
    }
}
