"""The volumes of a protection group, addressed by the group's name.

Absent: ids of Cinder groups and the state of single volumes, which the API does not show.
"""

from __future__ import annotations

from typing import Any

from protectorclient.osc import rows
from protectorclient.osc.base import Lister, ShowOne
from protectorclient.osc.v1.protection_group import group_argument

SHOWN = ("protection_group_id", "volume_type_name", "pure_pg_name", "volume_count", "size_gb")
VOLUME = ("volume_id", "volume_name", "size_gb", "bootable", "instance_name")


class ShowConsistencyGroup(ShowOne):
    """Show what a protection group replicates as one."""

    def get_parser(self, prog_name: str) -> Any:
        return group_argument(super().get_parser(prog_name))

    def take_action(self, parsed_args: Any) -> tuple:
        return rows.one(self.local.groups.consistency_group(parsed_args.group), SHOWN)


class ListConsistencyGroupVolume(Lister):
    """List the volumes of a protection group, at the site that leads it now."""

    def get_parser(self, prog_name: str) -> Any:
        return group_argument(super().get_parser(prog_name))

    def take_action(self, parsed_args: Any) -> tuple:
        return rows.many(self.local.groups.consistency_group(parsed_args.group)["volumes"], VOLUME)
