"""Protection groups of a site: looking at them, drafting changes, and asking for operations.

A draft changes nothing: it is answered with a ticket, and `protectorclient.coordination` carries on from
there. Absent: the other site.
"""

from __future__ import annotations

from typing import Any, Optional

from protectorclient.exceptions import ProtectorError, Refused
from protectorclient.v1.base import Manager
from protectorclient.v1.transport import quoted

PATH = "/protection-groups"


class Groups(Manager):
    """`/v1/{project}/protection-groups`."""

    def list(self) -> list[dict]:
        """All groups of the project."""
        return self._pages(PATH, "protection_groups")

    def show(self, group: str) -> dict:
        """One group by name or id. Errors: `Refused` (`not_found`, `ambiguous_name`)."""
        try:
            return self._transport.call("GET", f"{PATH}/{quoted(group)}")["protection_group"]
        except Refused as error:
            raise _absent(error, group) from error

    def members(self, group: str) -> list[dict]:
        """The protected VMs, each with its volumes and interfaces."""
        return self._of(group, "members")

    def policy(self, group: str) -> Optional[dict]:
        """The replication policy, or nothing if there is none yet."""
        return self._of(group, "policy")

    def mappings(self, group: str) -> dict:
        """Home's ids to those of the other side."""
        return self._of(group, "mappings")

    def consistency_group(self, group: str) -> dict:
        """What the group replicates as one, with its `volumes`, at the site that leads it now."""
        try:
            return self._transport.call("GET", f"{PATH}/{quoted(group)}/consistency-group")["consistency_group"]
        except Refused as error:
            raise _absent(error, group) from error

    def recovery_points(self, group: str) -> list[dict]:
        """At the array that the group replicates to, newest first."""
        path = f"{PATH}/{quoted(group)}/recovery-points"
        return self._transport.call("GET", path)["recovery_points"]

    def health(self, group: str) -> dict:
        """Replication, loss, and `failover_ready` with `findings`."""
        return self._of(group, "health")

    def draft_create(self, fields: dict) -> dict:
        """PG-04, at the site that becomes home. Answers `ticket` and `protection_group`."""
        return self._transport.call("POST", PATH, {"protection_group": fields})

    def draft_update(self, group: str, fields: dict) -> dict:
        """PG-11: another `name` or `description`; what is left out stays."""
        return self._transport.call("PATCH", f"{PATH}/{quoted(group)}", {"protection_group": fields})

    def draft_delete(self, group: str) -> dict:
        """PG-11. No VM and no volume is deleted."""
        return self._transport.call("DELETE", f"{PATH}/{quoted(group)}")

    def abandon_peer(self, group: str) -> dict:
        """For administrators: ends the group here, for ever without its peer. Answers the envelope."""
        return self._transport.call("DELETE", f"{PATH}/{quoted(group)}?abandon_peer=true")

    def draft_member_add(self, group: str, instance_id: str, rebuild: Optional[dict] = None) -> dict:
        """MEM-01. `rebuild`: `tier`, `fixed_ip` and `mac`, how it comes up at the other side."""
        return self._draft("POST", group, "members", {"member": {"instance_id": instance_id, **(rebuild or {})}})

    def draft_policy(self, group: str, fields: dict) -> dict:
        """POL-03."""
        return self._draft("POST", group, "policy", {"policy": fields})

    def draft_mappings(self, group: str, fields: dict) -> dict:
        """Replaces what was there."""
        return self._draft("PUT", group, "mappings", {"mappings": fields})

    def draft_action(self, group: str, verb: str, fields: Optional[dict] = None) -> dict:
        """Changes that have the form of an action: `reprotect` (RP-01), `settle_members` (I14),
        `member_remove` (MEM-10) with an `instance_id`, `policy_update` (POL-07) with a whole policy.
        """
        return self._draft("POST", group, "action", {verb: fields or {}})

    def action(self, group: str, verb: str, asked: dict, key: Optional[str] = None) -> dict:
        """Starts an operation, or with `dry_run` shows its plan. The same `key` is the same request."""
        return self._transport.call("POST", f"{PATH}/{quoted(group)}/action", {verb: asked}, key=key)

    def _of(self, group: str, what: str) -> Any:
        return self._transport.call("GET", f"{PATH}/{quoted(group)}/{what}")[what]

    def _draft(self, method: str, group: str, what: str, body: dict) -> dict:
        return self._transport.call(method, f"{PATH}/{quoted(group)}/{what}", body)


def _absent(error: Refused, group: str) -> ProtectorError:
    if error.code != "not_found":
        return error
    return ProtectorError(
        f"There is no protection group {group} at cloud {error.cloud}.",
        reason="it does not exist there, or it does not belong to this project",
        action=f"openstack --os-cloud {error.cloud} protector protection-group list",
        code="not_found",
    )
