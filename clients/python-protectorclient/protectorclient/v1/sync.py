"""What a courier fetches at a site and brings to it. Messages are signed and opaque.

Absent: the order in which they are carried (`protectorclient.coordination`).
"""

from __future__ import annotations

from typing import Optional

from protectorclient.exceptions import Refused
from protectorclient.v1.base import Manager
from protectorclient.v1.transport import quoted


class Sync(Manager):
    """`/v1/{project}/.../sync`."""

    def show(self, group: str) -> Optional[dict]:
        """`head`, `envelope` and `synced`; nothing if the site has never heard of the group."""
        try:
            return self._transport.call("GET", f"/protection-groups/{quoted(group)}/sync")["sync"]
        except Refused as error:
            if error.status == 404:
                return None
            raise

    def lock_ticket(self, group: str) -> dict:
        """At the leader: offers the lead to a planned move at the peer."""
        return self._transport.call("POST", f"/protection-groups/{quoted(group)}/sync/lock-tickets", {})

    def head_ticket(self, group: str) -> dict:
        """At a restored site: asks where the peer stands."""
        return self._transport.call("POST", f"/protection-groups/{quoted(group)}/sync/head-tickets", {})

    def sign_head(self, group: str, ticket: dict) -> dict:
        """At the peer of a restored site: signs where it stands. `group` is the id: it may not be there."""
        path = f"/protection-groups/{quoted(group)}/sync/heads"
        return self._transport.call("POST", path, {"ticket": ticket})

    def ask_release(self, group: str, operation: str) -> dict:
        """At the holder of a lock: signs that the operation is over without having moved."""
        path = f"/protection-groups/{quoted(group)}/sync/release"
        return self._transport.call("POST", path, {"operation": operation})

    def bring(self, place: str, messages: dict) -> dict:
        """To `reservations`, `commits`, `envelopes`, `receipts`, `releases`, `rejections` or `heads`."""
        return self._transport.call("POST", f"/sync/{place}", messages)
