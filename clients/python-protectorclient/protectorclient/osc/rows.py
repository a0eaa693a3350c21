"""Which fields of an object are columns, in which order. Names of columns are the API's names of fields.

Absent: fetching.
"""

from __future__ import annotations

from typing import Any, Sequence

from cliff.columns import FormattableColumn

from protectorclient.coordination import Pair

SITE_LIST = ("id", "name", "type", "auth_url", "status")
SITE_SHOW = (
    "id",
    "name",
    "description",
    "type",
    "auth_url",
    "region_name",
    "status",
    "paired",
    "fingerprint",
    "has_credential",
)
ARRAY = ("id", "name", "url", "allowed_projects")
MAPPING = ("id", "local_project", "remote_site", "remote_project", "description")
GROUP_LIST = ("id", "name", "status", "replication_type", "current_primary_site", "member_count", "synced")
GROUP_SHOW = (
    "id",
    "name",
    "description",
    "status",
    "conditions",
    "replication_type",
    "primary_site",
    "secondary_site",
    "current_primary_site",
    "volume_type",
    "secondary_volume_type",
    "failover_count",
    "last_failover_at",
    "created_at",
    "version",
    "epoch",
    "synced",
    "member_count",
    "has_policy",
)
MEMBER = ("instance_id", "name", "flavor", "volumes", "addresses")
POLICY = (
    "primary_array",
    "secondary_array",
    "pure_pg_name",
    "replication_interval",
    "rpo_minutes",
    "target_retention_s",
)
OPERATION_LIST = ("id", "operation_type", "type", "status", "outcome", "progress", "protection_group_id", "started_at")
OPERATION_SHOW = (
    "id",
    "operation_type",
    "type",
    "status",
    "outcome",
    "progress",
    "protection_group_id",
    "source_site",
    "target_site",
    "started_at",
    "completed_at",
    "steps_completed",
    "steps_failed",
    "instances_failed",
    "error_message",
    "requested_by",
)
SITE_FIELDS = ("primary_site", "secondary_site", "current_primary_site", "source_site", "target_site")


def named(pair: Pair, item: dict) -> dict:
    """Ids of sites become names, as far as they are known."""
    return {k: pair.site_name(v) if k in SITE_FIELDS and isinstance(v, str) else v for k, v in item.items()}


class Listed(FormattableColumn):
    """Short text for people, the value itself for programs."""

    def human_readable(self) -> str:
        return "; ".join(_brief(item) for item in self._value)


class Mapped(FormattableColumn):
    """A mapping: one line each for people."""

    def human_readable(self) -> str:
        return "\n".join(f"{key}={value}" for key, value in self._value.items())


def _brief(item: Any) -> str:
    if isinstance(item, dict) and "code" in item:
        return f"{item['code']}: {item.get('message', '')}. Action: {item.get('remedy', '')}"
    if isinstance(item, dict) and "kind" in item:
        return f"{item['kind']}: {item.get('reason', '')}"
    return str(item)


def row(item: dict, columns: Sequence[str]) -> tuple:
    values = (item.get(column) for column in columns)
    return tuple(Listed(value) if isinstance(value, list) else value for value in values)


def one(item: dict, columns: Sequence[str]) -> tuple[Sequence[str], tuple]:
    """For ShowOne."""
    return columns, row(item, columns)


def many(items: Sequence[dict], columns: Sequence[str]) -> tuple[Sequence[str], list[tuple]]:
    """For Lister."""
    return columns, [row(item, columns) for item in items]


def member(item: dict) -> dict:
    """A member with what is found about it in short."""
    addresses = [
        f"{nic['network_name']}={ip['address']}" for nic in item["interfaces"] for ip in nic.get("fixed_ips", [])
    ]
    return {**item, "volumes": [volume["name"] for volume in item["volumes"]], "addresses": addresses}
