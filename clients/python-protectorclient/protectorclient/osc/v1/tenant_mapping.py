"""Tenant mappings: which project at the other site belongs to one here.

Absent: the mirror at the other site (`protectorclient.coordination.pairing`).
"""

from __future__ import annotations

from typing import Any

from protectorclient.coordination.pairing import BLOCKED_MAPPING, Mapping, map_tenants, name_there
from protectorclient.osc import lookup, rows
from protectorclient.osc.base import Lister, ShowOne


class CreateTenantMapping(ShowOne):
    """Map a project to one of the other site, at both sites. Needs administrators' logins at both clouds."""

    def get_parser(self, prog_name: str) -> Any:
        parser = super().get_parser(prog_name)
        parser.add_argument("--local-tenant", metavar="<project>", required=True, help="Name or id")
        parser.add_argument("--remote-site", metavar="<site>", required=True, help="As it is registered here")
        parser.add_argument("--remote-tenant", metavar="<project>", required=True, help="Name or id")
        parser.add_argument("--local-site-name", metavar="<name>", help="This site, as it is registered there")
        parser.add_argument("--description", metavar="<text>", default="")
        return parser

    def take_action(self, parsed_args: Any) -> tuple:
        pair = self.pair()
        pair.require_both(BLOCKED_MAPPING, "restore the link, then repeat")
        wanted = Mapping(
            local_project=lookup.project_id(pair.local, parsed_args.local_tenant),
            remote_project=lookup.project_id(pair.peer, parsed_args.remote_tenant),
            remote_site=parsed_args.remote_site,
            local_site=parsed_args.local_site_name or name_there(pair.peer),
            description=parsed_args.description,
        )
        return rows.one(map_tenants(pair, wanted), rows.MAPPING)


class ListTenantMapping(Lister):
    """List the tenant mappings of this site."""

    def take_action(self, parsed_args: Any) -> tuple:
        return rows.many(self.local.tenant_mappings.list(), rows.MAPPING)
