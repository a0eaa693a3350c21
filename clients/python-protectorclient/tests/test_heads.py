"""What a courier does next, from two heads alone (section 7, S)."""

from __future__ import annotations

import pytest

from protectorclient.coordination.heads import Head, PeerWord, Step, head_of, in_sync, next_step, peer_word

LOCK = {"operation": "op", "holder": "other", "kind": "planned"}
FORCED = {**LOCK, "kind": "forced"}
RUNNING = {"id": "op", "mode": "planned"}


def at(epoch: int, version: int, digest: str = "d") -> dict:
    return {"epoch": epoch, "version": version, "digest": digest}


def leader(pair: tuple, synced: bool = True, **more) -> Head:
    return Head(at=at(*pair), leads=True, synced=synced, **more)


def follower(pair: tuple, **more) -> Head:
    return Head(at=at(*pair), synced=True, **more)


@pytest.mark.parametrize(
    "one,other,step",
    [
        (leader((1, 3)), follower((1, 3)), Step.IN_STEP),
        (leader((1, 4), synced=False), follower((1, 3)), Step.PUSH_ONE),
        (follower((1, 3)), leader((1, 4), synced=False), Step.PUSH_OTHER),
        # The receipt got lost: the same record is carried again for a new one.
        (leader((1, 4), synced=False), follower((1, 4)), Step.PUSH_ONE),
        (follower((1, 4)), leader((1, 4), synced=False), Step.PUSH_OTHER),
        # Epochs before versions: a forced move wins over any later change of the old leader.
        (leader((1, 9), synced=False), leader((2, 4), synced=False), Step.PUSH_OTHER),
        (leader((1, 1), synced=False), Head(), Step.PUSH_ONE),
        (Head(), leader((1, 1), synced=False), Step.PUSH_OTHER),
        (Head(), Head(), Step.UNKNOWN),
        # A restored site hears first where its peer stands, whatever either has, and whoever leads.
        (leader((1, 3)), follower((1, 3), suspect=True), Step.COMPARE_OTHER),
        (leader((1, 3), suspect=True), follower((1, 3)), Step.COMPARE_ONE),
        (leader((1, 3), suspect=True), leader((2, 4)), Step.COMPARE_ONE),
        (leader((1, 3), suspect=True), Head(), Step.COMPARE_ONE),
        (leader((1, 3), suspect=True), follower((1, 2), suspect=True), Step.COMPARE_ONE),
        (leader((1, 3), lock=LOCK), follower((1, 3), suspect=True, lock=LOCK), Step.COMPARE_OTHER),
        (leader((1, 3), lock=LOCK), follower((1, 3), lock=LOCK, operation=RUNNING), Step.RUNNING),
        (leader((1, 3), lock=LOCK), follower((1, 3), lock=LOCK), Step.RELEASE),
        (follower((1, 3), lock=LOCK), leader((1, 3), lock=LOCK), Step.RELEASE),
        (leader((1, 3), lock=LOCK), follower((1, 3), lock=LOCK, operation={"id": "newer"}), Step.RELEASE),
        (leader((2, 3), lock=FORCED), follower((2, 3), lock=FORCED), Step.RUNNING),
    ],
)
def test_next_step(one, other, step):
    assert next_step(one, other) is step


def test_equal_versions_with_other_contents_are_not_in_sync():
    one, other = leader((1, 3)), Head(at=at(1, 3, "e"), synced=True)
    assert not in_sync(one, other)
    assert peer_word(one, other) is PeerWord.PENDING


@pytest.mark.parametrize(
    "local,peer,word",
    [
        (leader((1, 3)), follower((1, 3)), PeerWord.SYNCED),
        (leader((1, 3)), None, PeerWord.UNREACHABLE),
        (leader((1, 4), synced=False), follower((1, 3)), PeerWord.PENDING),
        (leader((1, 4), synced=False), follower((1, 3), rejected=[at(1, 4)]), PeerWord.FAILED),
        (follower((1, 3), rejected=[at(1, 4)]), leader((1, 4), synced=False), PeerWord.FAILED),
    ],
)
def test_peer_word(local, peer, word):
    assert peer_word(local, peer) is word


def test_a_site_that_never_heard_of_the_group_stands_nowhere():
    assert head_of(None) == Head() and head_of(None).shown == "none"
