//! What every storage driver must do, whatever array is behind it: one suite for all drivers.
//!
//! A driver brings a `Fixture` (how its world is prepared, disturbed and looked at) and calls
//! `storage_driver_conformance!(make_fixture)` in its tests. Each case judges by the ground truth
//! and by the port's answers, never by how the driver works.
//! Absent: vendor words, real time. Cases run under tokio's paused time.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod copies;
mod fixture;
mod group;
mod hands_off;
mod overwrite;
mod points;
mod replication;
mod safety;
mod scene;

pub use copies::*;
pub use fixture::{BANDWIDTH_BYTES_PER_S, Call, Fixture, Side};
pub use group::*;
pub use hands_off::*;
pub use overwrite::*;
pub use points::*;
pub use replication::*;
pub use safety::*;

/// Makes one test per case out of `$make`, an `async fn() -> impl Fixture`.
#[macro_export]
macro_rules! storage_driver_conformance {
    ($make:path) => {
        $crate::storage_driver_conformance! { $make;
            partial_points_are_shown_and_never_offered
            order_of_points_does_not_follow_dates
            age_is_never_less_than_the_truth
            points_and_copies_need_no_source
            a_group_without_replica_has_no_points
            could_not_ask_is_not_none
            a_point_names_its_volumes
            snapshot_now_is_one_effect
            a_destroyed_point_is_not_taken_again

            copies_come_from_one_moment
            a_taken_name_is_never_overwritten
            a_name_taken_at_the_last_moment_stays
            a_name_in_the_bin_is_taken
            a_lost_answer_makes_no_second_copy
            a_request_delivered_twice_makes_one_copy
            a_call_that_was_not_sent_made_nothing
            copies_of_two_points_never_mix
            a_point_gone_before_the_copy_is_missing
            a_point_gone_half_way_is_missing
            a_volume_that_is_not_in_the_point_is_missing
            copying_leaves_the_source_as_it_was
            a_copy_has_the_size_of_its_moment
            an_array_at_its_limit_makes_no_half_group
            two_copies_cannot_share_a_name

            safety_is_one_moment_and_one_effect
            safety_needs_every_volume
            a_second_moment_is_refused
            safety_follows_renames
            restoring_puts_contents_and_size_back
            restoring_is_all_or_nothing
            letting_go_of_safety_touches_nothing_else
            letting_go_of_safety_is_one_effect

            an_overwrite_keeps_identity_and_takes_one_moment
            an_overwrite_is_one_effect
            an_overwrite_needs_its_guard
            a_point_is_no_guard
            a_connected_volume_stays_connected
            the_wrong_direction_is_refused
            what_is_being_protected_is_not_overwritten
            an_overwrite_needs_a_complete_point
            an_overwrite_changes_all_or_nothing
            a_target_renamed_at_the_last_moment_is_met
            the_way_home_and_its_undo

            release_takes_only_what_is_ours
            release_is_one_effect
            a_mark_is_made_once_and_found_by_its_name
            a_mark_lost_twice_is_one_mark
            a_marks_name_in_the_bin_is_taken
            a_foreign_group_is_left_alone
            a_swapped_array_is_found_out_before_any_write
            an_unregistered_array_is_refused

            ensure_group_can_be_repeated
            ensure_group_survives_lost_and_doubled_calls
            a_group_replicates_by_its_interval
            members_become_exactly_these
            members_survive_lost_and_doubled_calls
            members_are_found_by_serial
            an_unknown_member_changes_nothing
            only_the_switch_starts_replication
            a_stopped_group_stays_stopped
            switching_is_one_effect
            a_group_without_members_is_not_switched_on
            retiring_takes_the_group_and_nothing_else
            retiring_is_one_effect
            a_retired_group_comes_back_stopped
            a_foreign_group_is_not_retired
            volumes_are_located_by_name_and_serial
            volumes_are_found_by_key
            health_tells_what_flows
        }
    };
    ($make:path; $($case:ident)+) => {
        $(
            #[tokio::test(start_paused = true)]
            async fn $case() {
                let fixture = $make().await;
                let driver = $crate::conformance::Fixture::driver(&fixture);
                $crate::conformance::$case(&*driver, &fixture).await;
            }
        )+
    };
}
