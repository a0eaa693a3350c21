"""Moving groups: failover, failback, drills, and protecting them again.

Absent: the order of messages (`protectorclient.coordination.moves`).
"""

from __future__ import annotations

import uuid
from typing import Any, Callable, Optional, TypeVar

from protectorclient.coordination import (
    Move,
    Pair,
    change,
    finish_move,
    plan_of_move,
    planned_move,
    unplanned_move,
    watch,
)
from protectorclient.coordination.moves import planned_roles, when_ready
from protectorclient.exceptions import NoAnswer, PeerRequired, ProtectorError, Unfinished, sync_force
from protectorclient.osc import lookup, rows, texts
from protectorclient.osc.base import ShowOne
from protectorclient.osc.progress import Progress
from protectorclient.osc.mapped import pairs_of
from protectorclient.osc.v1.protection_group import group_argument, show_group
from protectorclient.v1 import Client


T = TypeVar("T")


class OperationCommand(ShowOne):
    """Base of everything that ends with an operation."""

    def waiting(self, parser: Any) -> Any:
        parser.add_argument("--wait", action="store_true", help="Until the operation has ended; shows its steps")
        parser.add_argument(
            "--wait-timeout",
            metavar="<seconds>",
            type=float,
            default=watch.WAIT_LIMIT_S,
            help="Stop waiting after this time; the operation goes on",
        )
        return parser

    def dry(self, parser: Any) -> Any:
        parser.add_argument("--dry-run", action="store_true", help="Show the plan and all findings; change nothing")
        return parser

    def dry_run(self, pair: Pair, at: Client, group: str, asked: tuple[str, dict], parsed_args: Any) -> tuple:
        """The plan as text for people, as the API's data for programs."""
        plan = self.ready(lambda: plan_of_move(at, group, *asked), parsed_args)
        self._text = texts.plan_text(plan, parsed_args.group, pair.site_name)
        return tuple(plan), tuple(plan.values())

    def ready(self, ask: Callable[[], T], parsed_args: Any) -> T:
        """With `--wait`, also for what time heals; without, the site refuses by itself."""
        return when_ready(ask, parsed_args.wait_timeout, self.tell) if parsed_args.wait else ask()

    def watched(self, at: Client, operation: dict, parsed_args: Any) -> dict:
        """The operation as it ended, or at once without `--wait`."""
        if not parsed_args.wait:
            return operation
        progress = Progress(self.app.stderr)
        try:
            ended = watch.wait(at, operation["id"], progress, parsed_args.wait_timeout)
        finally:
            progress.close()
        if ended["outcome"] != "full":
            self.ended_badly(_badly(ended, at))
        return ended

    def shown(self, pair: Pair, operation: dict) -> tuple:
        return rows.one(rows.named(pair, operation), rows.OPERATION_SHOW)


def _badly(operation: dict, at: Client) -> ProtectorError:
    return ProtectorError(
        f"Operation {operation['id']} ended {operation['status']}, {operation['outcome']}.",
        reason=operation.get("error_message"),
        action=f"openstack --os-cloud {at.cloud} protector operation show {operation['id']}",
        code="operation_failed",
    )


class MoveCommand(OperationCommand):
    """Base of failover and failback."""

    verb = ""

    def get_parser(self, prog_name: str) -> Any:
        parser = group_argument(super().get_parser(prog_name))
        parser.add_argument(
            "--type",
            choices=("planned", "unplanned"),
            help="planned: both sites take part, nothing is lost. unplanned: from the newest recovery point, "
            "needs nobody. Default: planned while the other site answers",
        )
        parser.add_argument("--force", action="store_true", help="Accept the loss that would otherwise be refused")
        parser.add_argument("--recovery-point", metavar="<suffix>", help="Default: the newest complete one")
        return self.waiting(self.dry(parser))

    def take_action(self, parsed_args: Any) -> tuple:
        pair = self.pair()
        group = pair.find(parsed_args.group)
        asked: dict[str, Any] = {"force": parsed_args.force}
        if parsed_args.recovery_point:
            asked["recovery_point"] = parsed_args.recovery_point
        kind = parsed_args.type or self._kind(pair, group, parsed_args)
        if parsed_args.dry_run:
            at = planned_roles(pair, group, parsed_args.group).follower if kind == "planned" else self.local
            return self.dry_run(pair, at, group, (self.verb, {**asked, "type": kind}), parsed_args)
        if kind == "planned":
            return self._planned(pair, group, asked, parsed_args)
        return self._unplanned(pair, group, asked, parsed_args)

    def _kind(self, pair: Pair, group: str, parsed_args: Any) -> str:
        """C14: nobody is moved without the other site by default."""
        try:
            planned_roles(pair, group, parsed_args.group)
        except PeerRequired as error:
            if parsed_args.force:
                self.tell(f"{error.problems[0].reason}; --force: the move goes on without that site.")
                return "unplanned"
            raise
        return "planned"

    def _planned(self, pair: Pair, group: str, asked: dict, parsed_args: Any) -> tuple:
        target = planned_roles(pair, group, parsed_args.group).follower
        self.before(pair, group, parsed_args)
        if parsed_args.wait:
            self.ready(lambda: plan_of_move(target, group, self.verb, {**asked, "type": "planned"}), parsed_args)
        move = planned_move(pair, group, self.verb, asked, parsed_args.group)
        return self._carried(pair, group, move, parsed_args)

    def _unplanned(self, pair: Pair, group: str, asked: dict, parsed_args: Any) -> tuple:
        self._check_place(pair, group, parsed_args.group)
        # One key for all tries: whatever gets lost, it is one request.
        move = unplanned_move(self.local, group, asked, str(uuid.uuid4()), self.verb)
        return self._carried(pair, group, move, parsed_args)

    def before(self, pair: Pair, group: str, parsed_args: Any) -> None:
        """What has to be done before a planned move."""

    def _check_place(self, pair: Pair, group: str, name: str) -> None:
        """Forced moves are never sent elsewhere: whoever forces says where."""
        sync = self.local.sync.show(group)
        head = (sync or {}).get("head") or {}
        if head.get("leads") and not head.get("lock"):
            raise ProtectorError(
                f"Cloud {self.local.cloud} leads protection group {name} already.",
                reason="an unplanned move is asked for at the site that takes over",
                action=f"openstack --os-cloud {pair.peer_cloud or '<other cloud>'} protector protection-group "
                f"{self.verb} --type unplanned {name}",
                code="already_primary",
            )

    def _carried(self, pair: Pair, group: str, move: Move, parsed_args: Any) -> tuple:
        name = parsed_args.group
        try:
            ended = self.watched(move.at, move.operation, parsed_args)
        except Unfinished as error:
            raise error.with_action(f"{error.problems[0].action}; when it has ended: {sync_force(name)}") from error
        if not parsed_args.wait:
            self.tell(f"The operation runs at {move.at.cloud}; when it has ended: {sync_force(name)}")
        elif self._finish(pair, group, name) is None:
            self.tell(f"Sync: UNREACHABLE. When the other site answers again: {sync_force(name)}")
        return self.shown(pair, ended)

    def _finish(self, pair: Pair, group: str, name: str) -> Optional[Any]:
        try:
            return finish_move(pair, group, name)
        except ProtectorError as error:
            # The move itself is over; that the other site does not know is said, not raised.
            self.tell(str(error))
            return None


class Failover(MoveCommand):
    """Move a group to its secondary site. Log in at the site that takes over."""

    verb = "failover"


class Failback(MoveCommand):
    """Bring a group home to its primary site. Log in there."""

    verb = "failback"

    def get_parser(self, prog_name: str) -> Any:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--reverse-replication", action="store_true", help="Reprotect the group first, if it is not protected"
        )
        return parser

    def before(self, pair: Pair, group: str, parsed_args: Any) -> None:
        if not parsed_args.reverse_replication:
            return
        conditions = planned_roles(pair, group, parsed_args.group).leader.groups.show(group)["conditions"]
        if any(condition["kind"] == "unprotected" for condition in conditions):
            name = parsed_args.group
            self.ready(lambda: change(pair, group, lambda at: at.groups.draft_action(group, "reprotect"), name), parsed_args)


class TestFailover(OperationCommand):
    """Boot copies of a group at the site that does not lead, in isolated networks. Log in there."""

    def get_parser(self, prog_name: str) -> Any:
        parser = group_argument(super().get_parser(prog_name))
        parser.add_argument(
            "--network-mapping",
            action="append",
            required=True,
            metavar="<source>=<isolated>",
            help="A network of the group, and an isolated one of this site (names or ids); repeat as needed",
        )
        parser.add_argument("--recovery-point", metavar="<suffix>", help="Default: the newest complete one")
        parser.add_argument("--retain-primary", action="store_true", default=True, help="Always true")
        return self.waiting(self.dry(parser))

    def take_action(self, parsed_args: Any) -> tuple:
        pair, group = self.pair(), self.local.groups.show(parsed_args.group)["id"]
        members = self.local.groups.members(group)
        networks = {
            lookup.source_network(members, source): lookup.network_id(self.local, isolated)
            for source, isolated in pairs_of(parsed_args.network_mapping)
        }
        asked: dict[str, Any] = {"network_mapping": networks, "retain_primary": True}
        if parsed_args.recovery_point:
            asked["recovery_point"] = parsed_args.recovery_point
        if parsed_args.dry_run:
            return self.dry_run(pair, self.local, group, ("test_failover", asked), parsed_args)
        key = str(uuid.uuid4())
        started = self.ready(lambda: self.local.groups.action(group, "test_failover", asked, key), parsed_args)["operation"]
        return self.shown(pair, self.watched(self.local, started, parsed_args))


class TestCleanup(OperationCommand):
    """Remove what a drill has made. Log in at the site where it ran."""

    def get_parser(self, prog_name: str) -> Any:
        return self.waiting(group_argument(super().get_parser(prog_name)))

    def take_action(self, parsed_args: Any) -> tuple:
        pair, group = self.pair(), self.local.groups.show(parsed_args.group)["id"]
        started = self.local.groups.action(group, "test_cleanup", {}, key=str(uuid.uuid4()))["operation"]
        return self.shown(pair, self.watched(self.local, started, parsed_args))


class Reprotect(ShowOne):
    """Replicate a group from where it is now to the other site. Both sites have to answer."""

    verb = "reprotect"

    def get_parser(self, prog_name: str) -> Any:
        return group_argument(super().get_parser(prog_name))

    def take_action(self, parsed_args: Any) -> tuple:
        pair = self.pair()
        group = pair.find(parsed_args.group)
        change(pair, group, lambda leader: leader.groups.draft_action(group, self.verb), parsed_args.group)
        return show_group(pair, group)


class SettleMembers(Reprotect):
    """Write down at both sites what `operation retry-members` achieved."""

    verb = "settle_members"


class SyncVolumes(ShowOne):
    """Take an extra snapshot of all volumes of a group now, and replicate it."""

    def get_parser(self, prog_name: str) -> Any:
        return group_argument(super().get_parser(prog_name))

    def take_action(self, parsed_args: Any) -> tuple:
        pair = self.pair()
        group = pair.find(parsed_args.group)
        leader = self._leader(pair, group)
        snapshot = leader.groups.action(group, "sync_volumes", {})["snapshot"]
        return tuple(snapshot), tuple(snapshot.values())

    def _leader(self, pair: Pair, group: str) -> Client:
        head = (self.local.sync.show(group) or {}).get("head") or {}
        if head.get("leads") or pair.peer_cloud is None:
            return self.local
        try:
            return pair.roles(group).leader
        except (NoAnswer, PeerRequired):
            return self.local
