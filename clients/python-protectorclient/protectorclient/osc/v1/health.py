"""What the arrays say of a group: its recovery points, and whether a failover could begin.

Absent: the target's cloud; `failover --dry-run` asks that, too.
"""

from __future__ import annotations

from typing import Any

from protectorclient.osc import rows
from protectorclient.osc.base import Lister, ShowOne
from protectorclient.osc.v1.protection_group import group_argument

HEALTH = (
    "failover_ready",
    "replicating",
    "newest_recovery_point",
    "recovery_point_age_s",
    "rpo_minutes",
    "rpo_met",
    "synced",
    "findings",
)
POINT = ("suffix", "created_at", "completed_at", "age_s", "complete")


class ShowHealth(ShowOne):
    """Show how well a group is protected now, as this site sees it. What speaks against a failover has its remedy."""

    def get_parser(self, prog_name: str) -> Any:
        return group_argument(super().get_parser(prog_name))

    def take_action(self, parsed_args: Any) -> tuple:
        health = self.local.groups.health(parsed_args.group)
        newest = health["newest_recovery_point"] or {}
        shown = {**health, "newest_recovery_point": newest.get("suffix"), "recovery_point_age_s": newest.get("age_s")}
        return rows.one(shown, HEALTH)


class ListRecoveryPoint(Lister):
    """List the snapshots of a group at the array that it replicates to, newest first."""

    def get_parser(self, prog_name: str) -> Any:
        return group_argument(super().get_parser(prog_name))

    def take_action(self, parsed_args: Any) -> tuple:
        return rows.many(self.local.groups.recovery_points(parsed_args.group), POINT)
