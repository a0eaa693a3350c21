"""An ordinary change: drafted at the leader, attested by its peer, committed, and known to both.

Refused as a whole before anything is written, or carried to the end; if it breaks off between, the error says
that it did and `sync-force` finishes it. Absent: what is changed, which the draft says.
"""

from __future__ import annotations

from typing import Callable, Optional

from protectorclient.coordination import carry, force, heads
from protectorclient.coordination.pair import BLOCKED_CHANGE, Pair
from protectorclient.exceptions import NoAnswer, PeerRequired, ProtectorError, Refused, Unfinished, sync_force
from protectorclient.v1 import Client

Draft = Callable[[Client], dict]


def change(pair: Pair, group: str, draft: Draft, name: str = "<group>") -> str:
    """Changes the group with id `group`, at whichever site leads it. Returns the id.

    Errors: `PeerRequired`, `Refused`, `carry.Rejected`: nothing was changed. `Unfinished`: it is written at
    the leader, and its peer does not know yet.
    """
    roles = pair.roles(group, BLOCKED_CHANGE, name)
    if not heads.in_sync(roles.leading, roles.following) or roles.leading.lock:
        force.sync_force(pair.local, pair.peer, group, pair.state)
    return _carry(pair, roles.leader, roles.follower, draft, name)


def create(pair: Pair, home: Client, other: Client, draft: Draft, name: str) -> str:
    """As `change`, for a group that does not exist: it leads at `home`. Returns its id."""
    pair.require_both("Cannot create protection group - remote site unreachable.", "restore the link, then repeat")
    return _carry(pair, home, other, draft, name)


def _carry(pair: Pair, leader: Client, follower: Client, draft: Draft, name: str) -> str:
    drafted = draft(leader)
    ticket = carry.expect(leader, drafted, "ticket")
    group = str(drafted["protection_group"]["id"])
    try:
        reservation = carry.reserve(follower, ticket)
    except NoAnswer as error:
        again = f"restore the link, then: {sync_force(name)}; then repeat the command"
        raise PeerRequired(BLOCKED_CHANGE, error, again) from error
    envelope = _commit(pair, leader, (ticket, reservation), group, name)
    hand_over(pair, leader, follower, envelope, group, name)
    return group


def _commit(pair: Pair, leader: Client, attested: tuple[dict, dict], group: str, name: str) -> dict:
    ticket, reservation = attested
    try:
        return carry.commit(leader, ticket, reservation, pair.state)
    except NoAnswer as error:
        written = _written(leader, ticket, group)
        if written is None:
            raise Unfinished(f"It is not known whether {leader.cloud} wrote the change.", error, sync_force(name)) from error
        return written
    except Refused as error:
        # 503 and 504 leave open whether it was written.
        written = _written(leader, ticket, group) if error.status >= 500 else None
        if written is None:
            raise
        return written


def _written(leader: Client, ticket: dict, group: str) -> Optional[dict]:
    """After an answer that got lost: the record, if the leader has it now."""
    wanted = heads.content(ticket)
    try:
        head = carry.see(leader, group)
    except ProtectorError:
        return None
    base = wanted.get("base")
    above = (base["epoch"], base["version"] + 1) if base else (1, 1)
    draft = wanted.get("draft") or {}
    body = heads.content(head.envelope or {}).get("body")
    is_it = head.pair == above and (head.deleted if wanted.get("intent") == "delete" else body == draft.get("body"))
    return head.envelope if is_it else None


def hand_over(pair: Pair, author: Client, peer: Client, envelope: dict, group: str, name: str) -> None:
    """Brings a committed record over and its receipt home. Errors: `Unfinished`, `carry.Rejected`."""
    try:
        carry.deliver(author, peer, envelope, name)
    except (NoAnswer, Refused) as error:
        raise Unfinished(
            f"The change is written at {author.cloud}, and is not complete at both sites.", error, sync_force(name)
        ) from error
    pair.state.keep_synced(group, carry.see(author, group).at or {})
