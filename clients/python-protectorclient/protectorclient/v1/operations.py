"""DR operations of a site: their records, their story, and words to them.

Absent: starting them (`groups`) and waiting for them (`protectorclient.coordination.watch`).
"""

from __future__ import annotations

from typing import Optional

from protectorclient.exceptions import ProtectorError, Refused
from protectorclient.v1.base import Manager
from protectorclient.v1.transport import quoted

PATH = "/operations"
#: Events asked for at a time.
EVENTS_MAX = 1_000
ENDED = ("completed", "failed")


class Operations(Manager):
    """`/v1/{project}/operations`."""

    def list(self, group: Optional[str] = None, most: Optional[int] = None) -> list[dict]:
        """Newest first, of one group or of all."""
        return self._pages(PATH, "operations", {"group": group} if group else None, most)

    def show(self, operation: str) -> dict:
        """One operation with its plan. Errors: `ProtectorError` (`not_found`)."""
        try:
            return self._transport.call("GET", f"{PATH}/{quoted(operation)}")["operation"]
        except Refused as error:
            if error.code != "not_found":
                raise
            raise ProtectorError(
                f"There is no operation {operation} at cloud {error.cloud}.",
                reason="operations are kept by the site that runs them",
                action="repeat it with --os-cloud of the other site",
                code="not_found",
            ) from error

    def events(self, operation: str, after: int = 0) -> list[dict]:
        """What happened since event `after`, in order."""
        path = f"{PATH}/{quoted(operation)}/events?after={after}&limit={EVENTS_MAX}"
        return self._transport.call("GET", path)["events"]

    def order(self, operation: str, verb: str, fields: Optional[dict] = None) -> dict:
        """`cancel`, `resume`, `retry_members` or, for administrators with a `reason`, `skip_step` or `adopt`."""
        path = f"{PATH}/{quoted(operation)}/action"
        return self._transport.call("POST", path, {verb: fields or {}})["operation"]
