"""One message from one site to the other: the strokes from which every errand is made.

Absent: errands (`changes`, `moves`, `force`).
"""

from __future__ import annotations

from typing import Optional

from protectorclient.coordination import heads
from protectorclient.coordination.heads import Head
from protectorclient.exceptions import NoAnswer, ProtectorError
from protectorclient.state import State
from protectorclient.v1 import Client


class Rejected(ProtectorError):
    """The peer will never store this. `rejection` is its signed word."""

    def __init__(self, cloud: str, rejection: dict, action: str):
        reasons = heads.content(rejection).get("reasons") or ["it gives no reason"]
        super().__init__(
            f"Cloud {cloud} cannot accept this.",
            reason="; ".join(str(reason) for reason in reasons),
            action=action,
            code="rejected_by_peer",
        )
        self.rejection = rejection


def see(site: Client, group: str) -> Head:
    """Where a site stands."""
    return heads.head_of(site.sync.show(group))


def reserve(peer: Client, ticket: dict) -> dict:
    """M1 to the peer, M2 back. Errors: `Rejected`; nothing was changed anywhere."""
    answer = peer.sync.bring("reservations", {"ticket": ticket})
    if "rejection" in answer:
        raise Rejected(peer.cloud, answer["rejection"], "mend the reasons, then repeat the command")
    return expect(peer, answer, "reservation")


def commit(leader: Client, ticket: dict, reservation: dict, state: State) -> dict:
    """M2 home; the leader writes. Keeps the envelope, so that a courier that dies now has it."""
    answer = leader.sync.bring("commits", {"ticket": ticket, "reservation": reservation})
    envelope = expect(leader, answer, "envelope")
    state.keep_envelope(heads.group_of(envelope), envelope)
    return envelope


def deliver(author: Client, peer: Client, envelope: dict, group: str) -> None:
    """M3 to the peer and M4 home: the last part of everything. Errors: `Rejected`."""
    answer = peer.sync.bring("envelopes", {"envelope": envelope})
    if "rejection" in answer:
        action = f"mend the reasons; what was written is taken back: {_force(group)}"
        raise Rejected(peer.cloud, answer["rejection"], action)
    if answer.get("written_here"):
        return  # R6, last line: the record was the peer's own, and it has it
    author.sync.bring("receipts", {"receipt": expect(peer, answer, "receipt")})


def withdraw(author: Client, rejection: dict, state: State) -> dict:
    """M6 home: the author takes back what its peer refused (R9). Answers the envelope of that."""
    answer = author.sync.bring("rejections", {"rejection": rejection})
    envelope = expect(author, answer, "envelope")
    state.keep_envelope(heads.group_of(envelope), envelope)
    return envelope


def compare(suspect: Client, peer: Client, seen: tuple[Head, Head], group: str) -> dict:
    """R13: the peer's signed head, and its record where that is the greater one, to a restored site.

    `seen`: the suspect's head, then the peer's. Answers what the suspect says: `trusted`, the `envelope` of a
    record that has to go over before it trusts itself, or a `rejection` of the peer's.
    """
    ticket = expect(suspect, suspect.sync.head_ticket(group), "ticket")
    told = {"head": expect(peer, peer.sync.sign_head(group, ticket), "head")}
    at, there = seen
    if there.envelope is not None and there.pair > at.pair:
        told["envelope"] = there.envelope
    return suspect.sync.bring("heads", told)


def release(leader: Client, holder: Client, group: str, operation: str, state: State) -> dict:
    """M5: the leader gets its lock back (R11). Answers the envelope of the unlock."""
    signed = expect(holder, holder.sync.ask_release(group, operation), "release")
    envelope = expect(leader, leader.sync.bring("releases", {"release": signed}), "envelope")
    state.keep_envelope(heads.group_of(envelope), envelope)
    return envelope


def expect(site: Client, answer: dict, name: str) -> dict:
    """A message as it stands in an answer."""
    found: Optional[dict] = answer.get(name)
    if not isinstance(found, dict):
        raise NoAnswer(site.cloud, f"its answer has no {name}")
    return found


def _force(group: str) -> str:
    return f"openstack protector protection-group sync-force {group}"
