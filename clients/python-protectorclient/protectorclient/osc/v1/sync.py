"""`sync-status` and `sync-force`: where two sites stand, and bringing them into step.

Absent: both of it (`protectorclient.coordination`).
"""

from __future__ import annotations

from typing import Any

from protectorclient.coordination import sync_force, sync_status
from protectorclient.coordination.pair import BLOCKED_CHANGE
from protectorclient.osc import texts
from protectorclient.osc.base import ShowOne
from protectorclient.osc.v1.protection_group import group_argument

COLUMNS = (
    "in_sync",
    "local_version",
    "local_epoch",
    "current_site",
    "last_modified",
    "remote_status",
    "remote_version",
    "remote_epoch",
    "last_sync",
    "operation",
)


class SyncStatus(ShowOne):
    """Compare a group's metadata at both sites. Changes nothing; exit code 1 if they are not in sync."""

    def get_parser(self, prog_name: str) -> Any:
        return group_argument(super().get_parser(prog_name))

    def take_action(self, parsed_args: Any) -> tuple:
        pair = self.pair()
        status = sync_status(pair, parsed_args.group)
        self._text = texts.sync_text(status, pair.site_name, pair.peer_cloud)
        self._exit_code = 0 if status.in_sync else 1
        peer = status.peer
        values = (
            status.in_sync,
            status.local.pair[1],
            status.local.pair[0],
            texts.current_site(status, pair.site_name),
            texts.utc(status.modified_at_s),
            status.peer_word.value,
            peer.pair[1] if peer else None,
            peer.pair[0] if peer else None,
            texts.utc(status.synced_at_s),
            (status.local.lock or {}).get("operation"),
        )
        return COLUMNS, values


class SyncForce(ShowOne):
    """Bring both sites into step, whatever an interrupted command left. Never puts an older version over a newer."""

    def get_parser(self, prog_name: str) -> Any:
        return group_argument(super().get_parser(prog_name))

    def take_action(self, parsed_args: Any) -> tuple:
        pair = self.pair()
        group = pair.find(parsed_args.group)
        pair.roles(group, BLOCKED_CHANGE, parsed_args.group)
        done = sync_force(pair.local, pair.peer, group, pair.state, withdraw=True)
        columns = ("in_sync", "version", "epoch", "rounds", "operation")
        self._text = f"IN SYNC at version {done.one.shown}"
        if done.operation:
            self._text += f"; operation {done.operation} is running"
        return columns, (True, done.one.pair[1], done.one.pair[0], done.rounds, done.operation)
