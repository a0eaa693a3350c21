"""Protection groups: making them, looking at them, and what belongs to one.

Absent: moving them (`moves`) and comparing sites (`sync`).
"""

from __future__ import annotations

import time
from typing import Any, Optional

from protectorclient.coordination import Pair, change
from protectorclient.coordination.changes import create
from protectorclient.exceptions import ProtectorError
from protectorclient.osc import lookup, rows
from protectorclient.osc.base import Lister, ShowOne
from protectorclient.osc.mapped import mapping_arguments, mappings_of
from protectorclient.v1 import Client

#: Default of `--replication-interval`, seconds (C24).
INTERVAL_S = 900
#: How long `--wait` waits for a group to leave `creating`, and between two looks, seconds.
CREATE_LIMIT_S = 300.0
POLL_S = 1.0


def group_argument(parser: Any) -> Any:
    parser.add_argument("group", metavar="<group>", help="Protection group (name or id)")
    return parser


def show_group(pair: Pair, group: str) -> tuple:
    return rows.one(rows.named(pair, pair.show(group)), rows.GROUP_SHOW)


class CreateProtectionGroup(ShowOne):
    """Make a protection group. It leads at its primary site; both sites have to answer."""

    def get_parser(self, prog_name: str) -> Any:
        parser = super().get_parser(prog_name)
        parser.add_argument("name_argument", nargs="?", metavar="<name>", help="Name of the group")
        parser.add_argument("--name", metavar="<name>", help="The same, as an option")
        parser.add_argument("--description", metavar="<text>", default="")
        parser.add_argument(
            "--replication-type",
            metavar="<type>",
            default="async",
            type=replication_type,
            help="async (default) or sync; fixed for ever",
        )
        parser.add_argument("--primary-site", metavar="<site>", help="Default: the site you are logged in at")
        parser.add_argument("--secondary-site", metavar="<site>", help="Default: the other site")
        parser.add_argument("--volume-type", metavar="<type>", required=True, help="Replicated type at the primary")
        parser.add_argument("--secondary-volume-type", metavar="<type>", help="Default: the same name")
        parser.add_argument("--wait", action="store_true", help="Until the group is active")
        return parser

    def take_action(self, parsed_args: Any) -> tuple:
        name = parsed_args.name_argument or parsed_args.name
        if not name or (parsed_args.name and parsed_args.name_argument):
            raise ProtectorError("A group needs one name.", action="give it as argument, or with --name")
        pair = self.pair()
        home, other, there = _sides(pair, parsed_args)
        fields = {
            "name": name,
            "description": parsed_args.description,
            "replication_type": parsed_args.replication_type,
            "secondary_site": there,
            "volume_type": parsed_args.volume_type,
        }
        if parsed_args.secondary_volume_type:
            fields["secondary_volume_type"] = parsed_args.secondary_volume_type
        group = create(pair, home, other, lambda leader: leader.groups.draft_create(fields), name)
        pair.roles(group, name=name)  # learns what the sites are called
        if parsed_args.wait:
            _await_created(home, group)
        return show_group(pair, group)


def replication_type(text: str) -> str:
    """`async` and `<in> async` are the same (C9)."""
    return text.replace("<in>", "").strip()


def _sides(pair: Pair, parsed_args: Any) -> tuple[Client, Client, str]:
    """Who becomes home, who follows, and what home calls the follower."""
    pair.require_both("Cannot create protection group - remote site unreachable.", "restore the link, then repeat")
    knows_here = [site["name"] for site in pair.local.sites.names()]
    knows_there = [site["name"] for site in pair.peer.sites.names()]
    primary, secondary = parsed_args.primary_site, parsed_args.secondary_site
    is_turned = primary in knows_here or (primary is None and secondary is not None and secondary not in knows_here)
    home, other, known = (pair.peer, pair.local, knows_there) if is_turned else (pair.local, pair.peer, knows_here)
    by_other = knows_here if is_turned else knows_there
    if primary and primary not in by_other:
        raise _no_site(primary, other.cloud, by_other)
    if secondary is None and len(known) == 1:
        secondary = known[0]
    if secondary not in known:
        raise _no_site(secondary or "(none was given)", home.cloud, known)
    return home, other, secondary


def _no_site(name: str, cloud: str, known: list) -> ProtectorError:
    return ProtectorError(
        f"Site {name} is not registered at cloud {cloud}.",
        reason=f"registered there: {', '.join(known) or 'none'}",
        action=f"openstack --os-cloud {cloud} protector site list",
        code="no_such_site",
    )


def _await_created(home: Client, group: str) -> None:
    until = time.monotonic() + CREATE_LIMIT_S
    while home.groups.show(group)["status"] == "creating":
        if time.monotonic() > until:
            raise ProtectorError("The group is still being made.", action="openstack protector protection-group show")
        time.sleep(POLL_S)


class ListProtectionGroup(Lister):
    """List the project's protection groups as this site has them."""

    def take_action(self, parsed_args: Any) -> tuple:
        pair = self.pair()
        groups = [rows.named(pair, group) for group in self.local.groups.list() if not group.get("deleted")]
        return rows.many(groups, rows.GROUP_LIST)


class ShowProtectionGroup(ShowOne):
    """Show a protection group as this site has it."""

    def get_parser(self, prog_name: str) -> Any:
        return group_argument(super().get_parser(prog_name))

    def take_action(self, parsed_args: Any) -> tuple:
        pair = self.pair()
        group = self.local.groups.show(parsed_args.group)
        return rows.one(rows.named(pair, group), rows.GROUP_SHOW)


def rebuild_arguments(parser: Any) -> Any:
    """How a member is to come up at the other side."""
    parser.add_argument("--tier", metavar="<0..255>", type=int, help="Lower tiers begin first where not all can at once (default: 0)")
    for name, what in (("fixed-ip", "fixed IPs"), ("mac", "MAC addresses")):
        parser.add_argument(
            f"--{name}", choices=("keep", "new"), help=f"Whether it keeps its {what} at the other site (default: keep)"
        )
    return parser


def rebuild_of(parsed_args: Any) -> dict:
    """What of it was said."""
    given = {key: getattr(parsed_args, key) for key in ("tier", "fixed_ip", "mac")}
    return {key: value for key, value in given.items() if value is not None}


class AddMember(ShowOne):
    """Protect a VM. Its disks and interfaces are found; both sites have to answer."""

    def get_parser(self, prog_name: str) -> Any:
        parser = group_argument(super().get_parser(prog_name))
        parser.add_argument("--instance-id", metavar="<server>", required=True, help="Nova server (id or name)")
        return rebuild_arguments(parser)

    def take_action(self, parsed_args: Any) -> tuple:
        pair, group = self.pair(), parsed_args.group
        identity = pair.find(group)
        found: dict[str, str] = {}

        def draft(leader: Client) -> dict:
            found["id"] = lookup.server_id(leader, parsed_args.instance_id)
            return leader.groups.draft_member_add(identity, found["id"], rebuild_of(parsed_args))

        change(pair, identity, draft, group)
        members = pair.local.groups.members(identity)
        added = next(item for item in members if item["instance_id"] == found["id"])
        return rows.one(rows.member(added), rows.MEMBER)


class ListMember(Lister):
    """List the VMs of a protection group."""

    def get_parser(self, prog_name: str) -> Any:
        return group_argument(super().get_parser(prog_name))

    def take_action(self, parsed_args: Any) -> tuple:
        members = self.local.groups.members(parsed_args.group)
        return rows.many([rows.member(member) for member in members], rows.MEMBER)


class CreatePolicy(ShowOne):
    """Say how a group is replicated. Both sites have to answer."""

    def get_parser(self, prog_name: str) -> Any:
        parser = group_argument(super().get_parser(prog_name))
        parser.add_argument("--primary-array", metavar="<array>", required=True, help="Registered array (name or id)")
        parser.add_argument("--secondary-array", metavar="<array>", required=True)
        parser.add_argument("--pure-pg-name", metavar="<name>", help="Default: made from the group's id")
        parser.add_argument("--replication-interval", metavar="<seconds>", type=int, default=INTERVAL_S)
        parser.add_argument("--rpo-minutes", metavar="<minutes>", type=int, required=True)
        parser.add_argument(
            "--on-return",
            choices=("stop", "report"),
            help="What happens to source servers that run when a lost site returns (default: stop)",
        )
        return parser

    def take_action(self, parsed_args: Any) -> tuple:
        fields = {
            "primary_array": parsed_args.primary_array,
            "secondary_array": parsed_args.secondary_array,
            "replication_interval": parsed_args.replication_interval,
            "rpo_minutes": parsed_args.rpo_minutes,
        }
        optional = {"pure_pg_name": parsed_args.pure_pg_name, "on_return": parsed_args.on_return}
        fields.update({key: value for key, value in optional.items() if value is not None})
        pair = self.pair()
        group = pair.find(parsed_args.group)
        change(pair, group, lambda leader: leader.groups.draft_policy(group, fields), parsed_args.group)
        return rows.one(pair.local.groups.policy(group) or {}, rows.POLICY)


class ShowPolicy(ShowOne):
    """Show how a group is replicated."""

    def get_parser(self, prog_name: str) -> Any:
        return group_argument(super().get_parser(prog_name))

    def take_action(self, parsed_args: Any) -> tuple:
        policy = self.local.groups.policy(parsed_args.group)
        if policy is None:
            raise ProtectorError(
                f"Protection group {parsed_args.group} has no replication policy yet.",
                action="openstack protector protection-group policy-create <group> ...",
                code="no_policy",
            )
        return rows.one(policy, rows.POLICY)


class SetMapping(ShowOne):
    """Replace a group's mappings. What is not named maps by equal name; both sites have to answer."""

    def get_parser(self, prog_name: str) -> Any:
        parser = group_argument(super().get_parser(prog_name))
        return mapping_arguments(parser)

    def take_action(self, parsed_args: Any) -> tuple:
        pair = self.pair()
        roles = pair.roles(pair.find(parsed_args.group), name=parsed_args.group)
        group = roles.leader.groups.show(pair.find(parsed_args.group))
        is_home = group["current_primary_site"] == group["primary_site"]
        home, other = (roles.leader, roles.follower) if is_home else (roles.follower, roles.leader)
        fields = mappings_of(parsed_args, home, other)
        change(pair, group["id"], lambda at: at.groups.draft_mappings(group["id"], fields), parsed_args.group)
        return _mappings(pair.local, group["id"])


class ShowMapping(ShowOne):
    """Show a group's mappings, from ids at its primary site to ids at its secondary site."""

    def get_parser(self, prog_name: str) -> Any:
        return group_argument(super().get_parser(prog_name))

    def take_action(self, parsed_args: Any) -> tuple:
        return _mappings(self.local, parsed_args.group)


def _mappings(site: Client, group: str) -> tuple:
    mappings = site.groups.mappings(group)
    return tuple(mappings), tuple(rows.Mapped(value) for value in mappings.values())
