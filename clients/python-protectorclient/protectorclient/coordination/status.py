"""`sync-status`: both sites side by side. Looks, and changes nothing.

Absent: printing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional

from protectorclient.coordination import carry, heads
from protectorclient.coordination.heads import Head, PeerWord
from protectorclient.coordination.pair import Pair
from protectorclient.exceptions import LoginFailed, NoAnswer, ProtectorError

#: A last sync older than this is not recent, seconds.
RECENT_S = 24 * 3600


@dataclass(frozen=True)
class Status:
    """SYNC-06. Times are this courier's own; none: it did not carry that record itself."""

    group: dict
    local: Head
    peer: Optional[Head]
    peer_problem: Optional[ProtectorError]
    modified_at_s: Optional[int]
    synced_at_s: Optional[int]
    now_s: int
    carried: tuple[int, int]
    checks: list = field(default_factory=list)

    @property
    def in_sync(self) -> bool:
        return self.peer is not None and heads.in_sync(self.local, self.peer)

    @property
    def peer_word(self) -> PeerWord:
        return heads.peer_word(self.local, self.peer)

    @property
    def is_behind_courier(self) -> bool:
        """Neither site has a record that this courier carried: one was restored from a backup."""
        newest = max(self.local.pair, self.peer.pair if self.peer else (0, 0))
        return self.peer is not None and self.carried > newest


def sync_status(pair: Pair, group: str) -> Status:
    """`group` by name or id. A peer that does not answer is part of the answer, not an error."""
    shown = pair.show(group)
    local = carry.see(pair.local, shown["id"])
    peer, problem = _peer(pair, shown["id"])
    if peer is not None and peer.at is not None:
        pair.learn_names(shown, local.leads)
    kept = pair.state.kept(shown["id"])
    if peer is not None and heads.in_sync(local, peer) and kept.get("synced") != local.at:
        pair.state.keep_synced(shown["id"], local.at or {})
        kept = pair.state.kept(shown["id"])
    carried = heads.pair_of(kept.get("envelope") or {})
    status = Status(
        group=shown,
        local=local,
        peer=peer,
        peer_problem=problem,
        modified_at_s=kept.get("carried_at_s") if carried == local.pair else None,
        synced_at_s=kept.get("synced_at_s"),
        now_s=int(pair.state.now_s()),
        carried=carried,
    )
    status.checks.extend(_checks(status))
    return status


def _peer(pair: Pair, group: str) -> tuple[Optional[Head], Optional[ProtectorError]]:
    try:
        return carry.see(pair.connect_peer(), group), None
    except (NoAnswer, LoginFailed) as error:
        return None, error


def _checks(status: Status) -> list:
    same = status.peer is not None and status.local.at == status.peer.at
    recent = status.synced_at_s is not None and status.now_s - status.synced_at_s <= RECENT_S
    return [
        ("Versions match", same),
        ("Status is synced", status.peer_word is PeerWord.SYNCED),
        ("Last sync is recent", recent),
    ]
