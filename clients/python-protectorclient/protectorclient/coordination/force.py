"""Procedure S: brings two sites into step from whatever an earlier courier, or a restored backup, has left. The
last part of everything.

Absent: deciding what comes next (`heads`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from protectorclient.coordination import carry, heads
from protectorclient.coordination.heads import Head, Step
from protectorclient.exceptions import ProtectorError, Refused
from protectorclient.state import State
from protectorclient.v1 import Client

#: Rounds after which the sites are said not to come into step.
ROUNDS_MAX = 8


@dataclass(frozen=True)
class Synced:
    """Both sites hold the same record. `operation`: one that goes on, by a lock in it."""

    one: Head
    other: Head
    rounds: int
    operation: Optional[str] = None


def sync_force(one: Client, other: Client, group: str, state: State, withdraw: bool = False) -> Synced:
    """`group` is the id. `withdraw`: also takes back requests for planned moves that wait for a lock which a dead
    courier never fetched; a living one that is just at work has to begin again.

    Errors: a site that does not answer; sites that do not come into step.
    """
    left: Optional[ProtectorError] = None
    for carried in range(ROUNDS_MAX):
        a, b = carry.see(one, group), carry.see(other, group)
        step = heads.next_step(a, b)
        if step in (Step.IN_STEP, Step.RUNNING):
            state.keep_synced(group, a.at or {})
            if withdraw and step is Step.IN_STEP:
                _withdraw(((one, a), (other, b)))
            running = (a.lock or {}).get("operation") if step is Step.RUNNING else None
            return Synced(a, b, carried, running)
        try:
            _do(step, one, other, (a, b), group, state)
        except Refused as error:
            if error.status != 409:
                raise
            left = error  # a site went on while its record was on its way: look again
    raise left or ProtectorError(
        f"The sites do not come into step after {ROUNDS_MAX} rounds.",
        action=f"openstack protector protection-group sync-status {group}",
    )


def _do(step: Step, one: Client, other: Client, seen: tuple[Head, Head], group: str, state: State) -> None:
    if step is Step.PUSH_ONE:
        _push(one, other, seen[0], group, state)
    elif step is Step.PUSH_OTHER:
        _push(other, one, seen[1], group, state)
    elif step is Step.RELEASE:
        leader, holder = (one, other) if seen[0].leads else (other, one)
        operation = str((seen[0].lock or {}).get("operation"))
        envelope = carry.release(leader, holder, group, operation, state)
        carry.deliver(leader, holder, envelope, group)
    elif step is Step.COMPARE_ONE:
        _compare(one, other, seen, group, state)
    elif step is Step.COMPARE_OTHER:
        _compare(other, one, (seen[1], seen[0]), group, state)
    else:
        raise ProtectorError(
            f"No site knows group {group}.",
            action="openstack protector protection-group list",
            code="not_found",
        )


def _withdraw(seen: tuple[tuple[Client, Head], ...]) -> None:
    """Nothing was touched by a request without its lock. One that has ended meanwhile is as good."""
    for site, head in seen:
        if head.operation and head.operation.get("mode") == "requested":
            try:
                site.operations.order(str(head.operation["id"]), "cancel")
            except Refused as error:
                if error.status >= 500:
                    raise


def _compare(suspect: Client, peer: Client, seen: tuple[Head, Head], group: str, state: State) -> None:
    """A restored site hears where its peer stands; if it leads, its next record has to go over, too."""
    answer = carry.compare(suspect, peer, seen, group)
    base = answer.get("envelope")
    if base is not None:
        state.keep_envelope(group, base)
        carry.deliver(suspect, peer, base, group)
    elif "rejection" in answer:
        taken_back = carry.withdraw(peer, answer["rejection"], state)
        carry.deliver(peer, suspect, taken_back, group)


def _push(author: Client, peer: Client, seen: Head, group: str, state: State) -> None:
    """The greater record goes over. What its reader refuses for good, its author takes back."""
    envelope = seen.envelope or {}
    state.keep_envelope(group, envelope)
    try:
        carry.deliver(author, peer, envelope, group)
    except carry.Rejected as error:
        taken_back = carry.withdraw(author, error.rejection, state)
        carry.deliver(author, peer, taken_back, group)
