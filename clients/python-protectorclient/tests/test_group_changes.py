"""Another name, other times, a member less, and the end of a group: at both sites, also over a dead courier."""

from __future__ import annotations

import signal

import pytest

from tests.dying import die_at, lose_answer_of
from tests.groups import make_group
from tests.lab import User

LINE = "--os-cloud site-a protector protection-group"
#: Of a deletion: ticket, reservation, commit, envelope, receipt.
COMMITTED, STORED, RECEIVED = 3, 4, 5


@pytest.fixture
def maker(lab, tmp_path):
    return lab.pair(tmp_path / "maker")


def test_words_are_changed_at_both_sites(user, lab, maker):
    group = make_group(maker, "old-name")
    shown = user.good(f"{LINE} set old-name --name new-name --description words -f json").json
    assert (shown["name"], shown["description"], shown["synced"]) == ("new-name", "words", True)
    for site in ("site-a", "site-b"):
        assert lab.client(site).groups.show("new-name")["id"] == group
    assert "Nothing was to be changed." in user.run(f"{LINE} set new-name").err


def test_a_policys_times_are_changed_and_nothing_else(user, maker):
    group = make_group(maker, "timed")
    before = maker.local.groups.policy(group)
    changed = user.good(f"{LINE} policy-update timed --rpo-minutes 45 -f json").json
    assert changed == {**before, "rpo_minutes": 45}
    assert maker.peer.groups.policy(group)["rpo_minutes"] == 45


@pytest.mark.parametrize("site", ["site-a", "site-b"])
def test_a_member_leaves_by_name_or_by_id_from_either_site(user, maker, vms, site):
    vm = next(vms)
    group = make_group(maker, f"left-at-{site}", vm)
    server = maker.local.groups.members(group)[0]["instance_id"]
    called = vm if site == "site-a" else server
    user.good(f"--os-cloud {site} dr member remove left-at-{site} --instance-id {called}")
    assert maker.local.groups.members(group) == maker.peer.groups.members(group) == []
    again = user.run(f"--os-cloud {site} dr member remove left-at-{site} --instance-id {vm}")
    assert again.code == 1 and f"No member of the group is {vm}." in again.err


def test_a_group_ends_at_both_sites_and_its_name_is_free(user, maker, vms):
    make_group(maker, "ended", next(vms))
    user.good(f"{LINE} delete ended")
    for site in (maker.local, maker.peer):
        assert "ended" not in [group["name"] for group in site.groups.list()]
    told = user.run(f"{LINE} show ended")
    assert told.code == 1 and "There is no protection group ended" in told.err
    make_group(maker, "ended")


@pytest.mark.parametrize("number", [COMMITTED, STORED, RECEIVED])
def test_a_deletion_whose_courier_is_killed_is_finished_by_name(user, lab, maker, number):
    """The tear-down waits for the receipt, so the tombstone must be found again, though it has no name any more."""
    name = f"killed-end-{number}"
    group = make_group(maker, name)
    assert user.run(f"{LINE} delete {name}", die_at(number, "after")).code == -signal.SIGKILL
    left = user.run(f"{LINE} sync-status {name}")
    assert ("OUT OF SYNC" in left.out) == (number < RECEIVED), left.out + left.err
    if number < RECEIVED:
        user.good(f"{LINE} sync-force {name}")
    for site in (maker.local, maker.peer):
        head = site.sync.show(group)["head"]
        assert head["deleted"] and head["synced"], site.cloud
    whole = user.good(f"{LINE} sync-status {name}").out
    assert "Sync Status: IN SYNC" in whole and "none, the group is deleted" in whole


def test_a_deletion_of_which_the_commits_answer_gets_lost(user, maker):
    group = make_group(maker, "lost-end")
    ran = user.run(f"{LINE} delete lost-end", lose_answer_of(COMMITTED))
    assert ran.code == 0, ran.err
    for site in (maker.local, maker.peer):
        head = site.sync.show(group)["head"]
        assert head["deleted"] and head["synced"], site.cloud


def test_a_stranger_finishes_a_deletion_by_id(user, lab, maker):
    group = make_group(maker, "strange-end")
    assert user.run(f"{LINE} delete strange-end", die_at(STORED, "after")).code == -signal.SIGKILL
    stranger = User(lab, "stranger-to-the-end")
    stranger.good(f"--os-cloud site-b --secondary-cloud site-a protector protection-group sync-force {group}")
    assert maker.local.sync.show(group)["head"]["synced"]


def test_the_peer_is_abandoned_by_administrators_only(user, maker):
    group = make_group(maker, "abandoned")
    refused = user.run(f"{LINE} delete abandoned --abandon-peer")
    assert refused.code == 1 and "The roles of this token do not allow this." in refused.err
    assert not maker.local.sync.show(group)["head"]["deleted"]
