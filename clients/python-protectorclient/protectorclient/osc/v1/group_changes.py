"""Changes to a group that is there: its words, its policy's times, and leaving: a member, or all of it.

Absent: making groups and adding to them (`protection_group`). Each is a change that both sites agree on.
"""

from __future__ import annotations

from typing import Any

from protectorclient.coordination import change
from protectorclient.exceptions import ProtectorError
from protectorclient.osc import rows
from protectorclient.osc.base import Command, ShowOne
from protectorclient.osc.v1.protection_group import group_argument, rebuild_arguments, rebuild_of, show_group
from protectorclient.v1 import Client

#: What `policy-update` may change; the rest of a policy stays as it was created.
TIMES = ("replication_interval", "rpo_minutes", "on_return")
KEPT = ("primary_array", "secondary_array", "pure_pg_name", "replication_interval", "rpo_minutes")


class SetProtectionGroup(ShowOne):
    """Give a group another name or description. Both sites have to answer."""

    def get_parser(self, prog_name: str) -> Any:
        parser = group_argument(super().get_parser(prog_name))
        parser.add_argument("--name", metavar="<name>")
        parser.add_argument("--description", metavar="<text>")
        return parser

    def take_action(self, parsed_args: Any) -> tuple:
        given = {"name": parsed_args.name, "description": parsed_args.description}
        fields = {key: value for key, value in given.items() if value is not None}
        if not fields:
            raise ProtectorError("Nothing was to be changed.", action="give --name or --description")
        pair = self.pair()
        group = pair.find(parsed_args.group)
        change(pair, group, lambda leader: leader.groups.draft_update(group, fields), parsed_args.group)
        return show_group(pair, group)


class DeleteProtectionGroup(Command):
    """End the protection of a group, at both sites. No VM and no volume is deleted."""

    def get_parser(self, prog_name: str) -> Any:
        parser = group_argument(super().get_parser(prog_name))
        parser.add_argument(
            "--abandon-peer",
            action="store_true",
            help="For administrators: the other site is gone for good, and nothing is torn down there",
        )
        return parser

    def take_action(self, parsed_args: Any) -> None:
        pair = self.pair()
        group = pair.find(parsed_args.group)
        if parsed_args.abandon_peer:
            envelope = self.local.groups.abandon_peer(group)["envelope"]
            pair.state.keep_envelope(group, envelope)
            self.tell(f"Ended at {self.local.cloud} alone.")
            return
        change(pair, group, lambda leader: leader.groups.draft_delete(group), parsed_args.group)


class RemoveMember(Command):
    """Take a VM out of a group. The VM stays what it is. Both sites have to answer."""

    def get_parser(self, prog_name: str) -> Any:
        parser = group_argument(super().get_parser(prog_name))
        parser.add_argument(
            "--instance-id", metavar="<server>", required=True, help="The server at either site (id), or its name"
        )
        return parser

    def take_action(self, parsed_args: Any) -> None:
        pair = self.pair()
        group = pair.find(parsed_args.group)

        def draft(leader: Client) -> dict:
            server = member_server(leader.groups.members(group), parsed_args.instance_id)
            return leader.groups.draft_action(group, "member_remove", {"instance_id": server})

        change(pair, group, draft, parsed_args.group)


class SetMember(ShowOne):
    """Say how a VM is rebuilt at the other site. Both sites have to answer."""

    def get_parser(self, prog_name: str) -> Any:
        parser = group_argument(super().get_parser(prog_name))
        parser.add_argument(
            "--instance-id", metavar="<server>", required=True, help="The server at either site (id), or its name"
        )
        return rebuild_arguments(parser)

    def take_action(self, parsed_args: Any) -> tuple:
        wishes = rebuild_of(parsed_args)
        if not wishes:
            raise ProtectorError("Nothing was to be changed.", action="give --tier, --fixed-ip or --mac")
        pair = self.pair()
        group = pair.find(parsed_args.group)
        found: dict[str, str] = {}

        def draft(leader: Client) -> dict:
            found["id"] = member_server(leader.groups.members(group), parsed_args.instance_id)
            return leader.groups.draft_action(group, "member_update", {"instance_id": found["id"], **wishes})

        change(pair, group, draft, parsed_args.group)
        members = pair.local.groups.members(group)
        ids = ("instance_id", "primary_instance_id", "secondary_instance_id")
        changed = next(item for item in members if found["id"] in [item[key] for key in ids])
        return rows.one(rows.member(changed), rows.MEMBER)


def member_server(members: list, wanted: str) -> str:
    """A member's server by name, or by id at either site."""
    ids = ("instance_id", "primary_instance_id", "secondary_instance_id")
    found = [member for member in members if wanted == member["name"] or wanted in [member[key] for key in ids]]
    servers = [server for member in found for server in [next((member[k] for k in ids if member[k]), None)] if server]
    if len(found) == 1 and servers:
        return str(servers[0])
    raise ProtectorError(
        f"{'More than one member' if found else 'No member'} of the group is {wanted}.",
        action="openstack protector protection-group member-list <group>" + ("; then use the id" if found else ""),
        code="no_such_member",
    )


class UpdatePolicy(ShowOne):
    """Change a policy's times. Its arrays and its name on them stay. Both sites have to answer."""

    def get_parser(self, prog_name: str) -> Any:
        parser = group_argument(super().get_parser(prog_name))
        parser.add_argument("--replication-interval", metavar="<seconds>", type=int)
        parser.add_argument("--rpo-minutes", metavar="<minutes>", type=int)
        parser.add_argument("--on-return", choices=("stop", "report"))
        return parser

    def take_action(self, parsed_args: Any) -> tuple:
        given = {key: getattr(parsed_args, key) for key in TIMES}
        fields = {key: value for key, value in given.items() if value is not None}
        if not fields:
            raise ProtectorError(
                "Nothing was to be changed.", action="give --replication-interval, --rpo-minutes or --on-return"
            )
        pair = self.pair()
        group = pair.find(parsed_args.group)

        def draft(leader: Client) -> dict:
            policy = leader.groups.policy(group)
            if policy is None:
                raise ProtectorError(
                    "The group has no replication policy yet.",
                    action="openstack protector protection-group policy-create <group> ...",
                    code="no_policy",
                )
            kept = {key: policy[key] for key in KEPT}
            return leader.groups.draft_action(group, "policy_update", {**kept, **fields})

        change(pair, group, draft, parsed_args.group)
        return rows.one(pair.local.groups.policy(group) or {}, rows.POLICY)
