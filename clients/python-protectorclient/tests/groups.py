"""Groups for tests, made with the library: quicker than a shell, and the shell's commands have tests of their own."""

from __future__ import annotations

from typing import Optional

from protectorclient.coordination import Pair, change, plan_of_move
from protectorclient.coordination.changes import create
from protectorclient.exceptions import Refused
from protectorclient.osc.lookup import server_id
from tests.lab import until

POLICY = {"primary_array": "array-a", "secondary_array": "array-b", "replication_interval": 300, "rpo_minutes": 15}
#: How long the first recovery point may take to arrive, seconds.
POINT_LIMIT_S = 60.0


def make_group(pair: Pair, name: str, vm: Optional[str] = None) -> str:
    """At site-a, with a policy and maybe one VM. Returns its id."""
    fields = {
        "name": name,
        "replication_type": "async",
        "secondary_site": "site-b",
        "volume_type": "replicated-ssd",
    }
    group = create(pair, pair.local, pair.peer, lambda at: at.groups.draft_create(fields), name)
    change(pair, group, lambda at: at.groups.draft_policy(group, POLICY), name)
    if vm:
        add_member(pair, group, vm)
    return group


def add_member(pair: Pair, group: str, vm: str) -> None:
    change(pair, group, lambda at: at.groups.draft_member_add(group, server_id(at, vm)))


def until_movable(pair: Pair, group: str) -> None:
    """A recovery point has arrived at site-b."""

    def has_plan() -> bool:
        try:
            plan_of_move(pair.peer, group, "failover", {"type": "planned"})
        except Refused as error:
            assert error.code == "nothing_to_recover", error
            return False
        return True

    until(POINT_LIMIT_S, f"a recovery point of {group}", has_plan, pause_s=0.3)
