"""Moves of leadership: planned ones, which both sites agree on, and unplanned ones, which need nobody.

Every move runs at the site that leads afterwards. A planned one hands it a lock first; from there on no courier
is needed until its end, which `finish_move` tells the other site. Absent: watching it (`watch`).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Callable, Optional, TypeVar

from protectorclient.coordination import carry, force, heads
from protectorclient.coordination.changes import hand_over
from protectorclient.coordination.pair import BLOCKED_MOVE, Pair, Roles
from protectorclient.exceptions import NoAnswer, PeerRequired, ProtectorError, Refused, Unfinished, sync_force
from protectorclient.v1 import Client

#: How often an unplanned move is asked for while no answer comes, and the pause between, seconds.
TRIES_MAX = 4
PAUSE_S = 2.0
#: The target has a request or an operation already.
BUSY = "operation_in_progress"
#: Refusals that time heals: the first recovery point is on its way; the survivor has yet to stop the source servers
#: of a site that returned. And the pause between two looks, seconds.
HEALED_BY_TIME = {"nothing_to_recover", "split_brain"}
READY_POLL_S = 2.0


T = TypeVar("T")


@dataclass(frozen=True)
class Move:
    """An operation, and the site that runs it."""

    operation: dict
    at: Client

    @property
    def id(self) -> str:
        return str(self.operation["id"])


def plan_of_move(site: Client, group: str, verb: str, asked: dict) -> dict:
    """What the move would do at `site`, with all findings. Changes nothing."""
    try:
        return site.groups.action(group, verb, {**asked, "dry_run": True})["plan"]
    except Refused as error:
        raise _with_the_one_in_the_way(error, site, group) from error


def _with_the_one_in_the_way(error: Refused, site: Client, group: str) -> ProtectorError:
    """Another operation: which, and whether it only waits for a courier that is gone."""
    if not error.has_code(BUSY):
        return error
    head = carry.see(site, group)
    operation = head.operation or {}
    if operation.get("mode") == "requested":
        # An earlier courier asked for a move and never fetched its lock.
        return error.with_action(f"it waits for a lock that nobody fetched: {sync_force('<group>')}; then repeat")
    identity = operation.get("id") or (head.lock or {}).get("operation") or "<id>"
    return error.with_action(f"openstack --os-cloud {site.cloud} protector operation show {identity}")


def when_ready(
    ask: Callable[[], T],
    limit_s: float,
    told: Callable[[str], None] = lambda text: None,
    pause: Callable[[float], None] = time.sleep,
    now_s: Callable[[], float] = time.monotonic,
) -> T:
    """Asks again while nothing speaks against it but what time heals, and tells each such thing once.

    Errors: any other refusal; this one when the time is up.
    """
    until, said = now_s() + limit_s, set()
    while True:
        try:
            return ask()
        except Refused as error:
            codes = {problem.code for problem in error.problems}
            if not codes <= HEALED_BY_TIME or now_s() > until:
                raise
            for problem in error.problems:
                if problem.code not in said:
                    said.add(problem.code)
                    told(f"Waiting: {problem.what}.")
        pause(READY_POLL_S)


def planned_roles(pair: Pair, group: str, name: str) -> Roles:
    """Leader and target of a planned move. Errors: `PeerRequired`; nothing was changed."""
    try:
        return pair.roles(group, BLOCKED_MOVE, name)
    except PeerRequired as error:
        raise error.with_action(
            "restore the link, then repeat the command; or at the site that is to take over: "
            f"openstack protector protection-group failover --type unplanned {name}"
        )


def planned_move(pair: Pair, group: str, verb: str, asked: dict, name: str = "<group>") -> Move:
    """Hands the lead to an operation at the site that follows now. `verb`: `failover` or `failback`.

    Errors: `PeerRequired`, `Refused`: nothing was changed. `Unfinished`: the leader is locked for an operation
    that may not have heard of it.
    """
    roles = planned_roles(pair, group, name)
    if not heads.in_sync(roles.leading, roles.following) or roles.leading.lock:
        force.sync_force(pair.local, pair.peer, group, pair.state)
    leader, target = roles.leader, roles.follower
    ticket = carry.expect(leader, leader.sync.lock_ticket(group), "ticket")
    # The ticket is good for one request, so its signature names the request (I3).
    wanted = {**asked, "type": "planned", "ticket": ticket}
    try:
        answer = target.groups.action(group, verb, wanted, key=ticket["signature"])
    except Refused as error:
        raise _with_the_one_in_the_way(error, target, group) from error
    move = Move(answer["operation"], target)
    reservation = carry.expect(target, answer, "reservation")
    envelope = _lock(pair, leader, move, (ticket, reservation), (group, name))
    hand_over(pair, leader, target, envelope, group, name)
    return move


def _lock(pair: Pair, leader: Client, move: Move, attested: tuple[dict, dict], group: tuple[str, str]) -> dict:
    """The leader's lock record. Until it is written nothing is touched, so a refusal takes all of it back."""
    identity, name = group
    try:
        return carry.commit(leader, attested[0], attested[1], pair.state)
    except (NoAnswer, Refused) as error:
        if isinstance(error, Refused) and error.status < 500:
            _withdraw_request(move)
            raise
        try:
            head = carry.see(leader, identity)
        except ProtectorError:
            what = f"It is not known whether {leader.cloud} is locked for operation {move.id} of {move.at.cloud}."
            raise Unfinished(what, error, sync_force(name)) from error
        if head.envelope and (head.lock or {}).get("operation") == move.id:
            return head.envelope
        _withdraw_request(move)
        raise


def _withdraw_request(move: Move) -> None:
    """It ends by itself after ten minutes; this saves the wait."""
    try:
        move.at.operations.order(move.id, "cancel")
    except ProtectorError:
        pass


def unplanned_move(
    site: Client, group: str, asked: dict, key: str, verb: str = "failover", pause: Callable[[float], None] = time.sleep
) -> Move:
    """Takes the lead at `site`, whatever became of the other one (R4). The same `key` is the same request.

    Errors: `Refused`, `NoAnswer` after several tries.
    """
    wanted = {**asked, "type": "unplanned"}
    last: Optional[ProtectorError] = None
    for tried in range(TRIES_MAX):
        if tried:
            pause(PAUSE_S)
        try:
            return Move(site.groups.action(group, verb, wanted, key=key)["operation"], site)
        except NoAnswer as error:
            last = error
        except Refused as error:
            if error.status not in (503, 504):
                raise
            last = error
    raise last or ProtectorError("No answer.")


def finish_move(pair: Pair, group: str, name: str) -> Optional[force.Synced]:
    """Tells the other site how a move ended. None: it cannot be reached, and hears of it by `sync-force`."""
    try:
        pair.connect_peer()
        return force.sync_force(pair.local, pair.peer, group, pair.state)
    except NoAnswer:
        return None
    except Refused as error:
        if error.status < 500:
            raise
        return None
