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
        group = self.local.groups.show(parsed_args.group)
        policy = self.local.groups.policy(group["id"]) or {}
        volumes = [volume for member in self.local.groups.members(group["id"]) for volume in member["volumes"]]
        is_home = group["current_primary_site"] == group["primary_site"]
        shown = {
            "protection_group_id": group["id"],
            "volume_type_name": group["volume_type" if is_home else "secondary_volume_type"],
            "pure_pg_name": policy.get("pure_pg_name"),
            "volume_count": len(volumes),
            "size_gb": sum(volume["size_gb"] for volume in volumes),
        }
        return rows.one(shown, SHOWN)


class ListConsistencyGroupVolume(Lister):
    """List the volumes of a protection group, at the site that leads it now."""

    def get_parser(self, prog_name: str) -> Any:
        return group_argument(super().get_parser(prog_name))

    def take_action(self, parsed_args: Any) -> tuple:
        volumes = [
            {**volume, "volume_name": volume["name"], "instance_name": member["name"]}
            for member in self.local.groups.members(parsed_args.group)
            for volume in member["volumes"]
        ]
        return rows.many(volumes, VOLUME)
