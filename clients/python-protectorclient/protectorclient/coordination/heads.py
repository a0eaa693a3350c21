"""Where two sites stand, and what a courier does next: pure, nothing is asked here.

A *head* is one site's word on a group: its record `at` (epoch, version, digest), whether the peer is known
to have it, and the lock or operation it knows of. Section 7 of the protocol decides by heads alone.
Absent: carrying (`carry`) and judging signatures, which sites do.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import Enum
from typing import Optional


@dataclass(frozen=True)
class Head:
    """One site's head. `at`: none if it has never heard of the group."""

    at: Optional[dict] = None
    leads: bool = False
    synced: bool = False
    deleted: bool = False
    suspect: bool = False
    lock: Optional[dict] = None
    operation: Optional[dict] = None
    rejected: list = field(default_factory=list)
    envelope: Optional[dict] = None

    @property
    def pair(self) -> tuple[int, int]:
        """Epoch and version, compared as a pair; lower than any record without one."""
        return (self.at["epoch"], self.at["version"]) if self.at else (0, 0)

    @property
    def shown(self) -> str:
        """`17 (epoch 3)`."""
        return show_pair(self.pair) if self.at else "none"


def show_pair(pair: tuple[int, int]) -> str:
    return f"{pair[1]} (epoch {pair[0]})"


def head_of(sync: Optional[dict]) -> Head:
    """Reads the answer of `GET .../sync`; none is a site that knows no such group."""
    if sync is None:
        return Head()
    head = sync["head"]
    return Head(
        at=head.get("at"),
        leads=head.get("leads", False),
        synced=head.get("synced", False),
        deleted=head.get("deleted", False),
        suspect=head.get("suspect", False),
        lock=head.get("lock"),
        operation=head.get("operation"),
        rejected=head.get("rejected") or [],
        envelope=sync.get("envelope"),
    )


class PeerWord(Enum):
    """SYNC-07, for the peer of whoever asks."""

    SYNCED = "synced"
    PENDING = "pending"
    FAILED = "failed"
    UNREACHABLE = "unreachable"


def in_sync(one: Head, other: Head) -> bool:
    """Same record, known to its leader, and nobody suspect. A lock is an operation, not a fault."""
    leader_knows = (one.leads and one.synced) or (other.leads and other.synced)
    same = one.at is not None and one.at == other.at
    return same and leader_knows and not one.suspect and not other.suspect


def peer_word(local: Head, peer: Optional[Head]) -> PeerWord:
    """The peer in one word; `peer` is none if it could not be reached."""
    if peer is None:
        return PeerWord.UNREACHABLE
    if in_sync(local, peer):
        return PeerWord.SYNCED
    if (local.at and local.at in peer.rejected) or (peer.at and peer.at in local.rejected):
        return PeerWord.FAILED
    return PeerWord.PENDING


class Step(Enum):
    """What the next round of procedure S does."""

    IN_STEP = "in step"
    PUSH_ONE = "push the first site's record"
    PUSH_OTHER = "push the second site's record"
    RELEASE = "fetch the release of a lock whose operation is over"
    RUNNING = "in step, and an operation goes on"
    COMPARE_ONE = "the first site was restored from a backup: tell it where the second stands"
    COMPARE_OTHER = "the second site was restored from a backup: tell it where the first stands"
    UNKNOWN = "no site knows the group"


def next_step(one: Head, other: Head) -> Step:
    """Never pushes a lower pair over a greater one; no option does."""
    if one.suspect:
        return Step.COMPARE_ONE
    if other.suspect:
        return Step.COMPARE_OTHER
    if one.at is None and other.at is None:
        return Step.UNKNOWN
    if not in_sync(one, other):
        if one.pair != other.pair:
            return Step.PUSH_ONE if one.pair > other.pair else Step.PUSH_OTHER
        return Step.PUSH_ONE if one.leads else Step.PUSH_OTHER
    lock = one.lock
    if lock is None:
        return Step.IN_STEP
    holder = other if one.leads else one
    if lock.get("kind") == "planned" and not lives(holder, lock):
        return Step.RELEASE
    return Step.RUNNING


def lives(holder: Head, lock: dict) -> bool:
    """Whether the holder of a lock says that its operation goes on."""
    return holder.operation is not None and holder.operation.get("id") == lock.get("operation")


def content(message: dict) -> dict:
    """What a signed message says. Read for people and for bookkeeping, never believed."""
    try:
        found = json.loads(message["payload"])["content"]
    except (ValueError, KeyError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}


def pair_of(envelope: dict) -> tuple[int, int]:
    """Epoch and version of a record in an envelope."""
    header = content(envelope).get("header") or {}
    return (header.get("epoch", 0), header.get("version", 0))


def group_of(message: dict) -> str:
    """The id of the group that a message is about."""
    try:
        return str(json.loads(message["payload"])["group"])
    except (ValueError, KeyError, TypeError):
        return ""
