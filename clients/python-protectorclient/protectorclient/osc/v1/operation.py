"""Operations: their records, their plans, and words to one that needs people.

Absent: starting them (`moves`). Operations are kept by the site that runs them.
"""

from __future__ import annotations

from typing import Any

from protectorclient.exceptions import ProtectorError
from protectorclient.osc import rows, texts
from protectorclient.osc.base import Lister
from protectorclient.osc.v1.moves import OperationCommand


def operation_argument(parser: Any) -> Any:
    parser.add_argument("operation", metavar="<operation>", help="Operation (id)")
    return parser


class ListOperation(Lister):
    """List operations that this site runs or ran, newest first."""

    def get_parser(self, prog_name: str) -> Any:
        parser = super().get_parser(prog_name)
        parser.add_argument("--group", metavar="<group>", help="Of one protection group only (name or id)")
        parser.add_argument("--limit", metavar="<number>", type=int, help="At most so many")
        return parser

    def take_action(self, parsed_args: Any) -> tuple:
        operations = self.local.operations.list(parsed_args.group, parsed_args.limit)
        return rows.many(operations, rows.OPERATION_LIST)


class ShowOperation(OperationCommand):
    """Show an operation of this site; with --wait, its steps until it has ended."""

    def get_parser(self, prog_name: str) -> Any:
        parser = operation_argument(super().get_parser(prog_name))
        parser.add_argument("--plan", action="store_true", help="Show the plan instead")
        return self.waiting(parser)

    def take_action(self, parsed_args: Any) -> tuple:
        pair, operation = self.pair(), self.local.operations.show(parsed_args.operation)
        if parsed_args.plan:
            plan = operation["plan"]
            self._text = texts.plan_text(plan, operation["protection_group_id"], pair.site_name, is_dry=False)
            return tuple(plan), tuple(plan.values())
        return self.shown(pair, self.watched(self.local, operation, parsed_args))


class ListEvent(Lister):
    """What an operation did, in order."""

    def get_parser(self, prog_name: str) -> Any:
        return operation_argument(super().get_parser(prog_name))

    def take_action(self, parsed_args: Any) -> tuple:
        events = self.local.operations.events(parsed_args.operation)
        return rows.many(events, ("seq", "at", "kind", "lane", "step", "text"))


class OrderCommand(OperationCommand):
    """Base of a word to an operation."""

    verb = ""

    def get_parser(self, prog_name: str) -> Any:
        return self.waiting(operation_argument(super().get_parser(prog_name)))

    def take_action(self, parsed_args: Any) -> tuple:
        operation = self.local.operations.order(parsed_args.operation, self.verb, self.fields(parsed_args))
        return self.shown(self.pair(), self.watched(self.local, operation, parsed_args))

    def fields(self, parsed_args: Any) -> dict:
        return {}


class CancelOperation(OrderCommand):
    """Take an operation back, as far as it has not passed its point of no return."""

    verb = "cancel"


class ResumeOperation(OrderCommand):
    """Let an operation that waits for people try again."""

    verb = "resume"


class RetryMembers(OrderCommand):
    """Try the members again that a forced failover left down; then: protection-group settle-members."""

    verb = "retry_members"


class ReasonedOrder(OrderCommand):
    """An administrator's order, which says why."""

    def get_parser(self, prog_name: str) -> Any:
        parser = super().get_parser(prog_name)
        parser.add_argument("--reason", metavar="<text>", required=True, help="Kept with the operation")
        return parser

    def fields(self, parsed_args: Any) -> dict:
        if not parsed_args.reason.strip():
            raise ProtectorError("A reason is needed.", action="--reason <text>")
        return {"reason": parsed_args.reason}


class SkipStep(ReasonedOrder):
    """Leave out the step an operation is stuck in. For administrators; says what stays behind."""

    verb = "skip_step"


class Adopt(ReasonedOrder):
    """Say which object is a stuck step's, though it lost its key. For administrators; it is looked at first."""

    verb = "adopt"

    def get_parser(self, prog_name: str) -> Any:
        parser = super().get_parser(prog_name)
        parser.add_argument("--step", metavar="<step>/<target>", required=True, help="As in the object's key")
        parser.add_argument("--object-id", metavar="<uuid>", required=True, help="Of a server, a port or a volume")
        return parser

    def fields(self, parsed_args: Any) -> dict:
        named = {"step": parsed_args.step, "object_id": parsed_args.object_id}
        return {**super().fields(parsed_args), **named}

