"""Changing, removing and looking at what administrators registered: sites, arrays, tenant mappings.

Absent: registering it (`site`, `tenant_mapping`).
"""

from __future__ import annotations

from typing import Any, Optional, Sequence

from protectorclient.exceptions import ProtectorError
from protectorclient.osc import lookup, rows
from protectorclient.osc.base import Command, Lister, ShowOne
from protectorclient.osc.mapped import any_mapping, mapping_arguments, mappings_of
from protectorclient.osc.v1.site import credential_arguments, credential_of, read_secret, read_text

CHECK = ("name", "result", "cause", "remedy")
VOLUME_TYPE = ("id", "name", "replication_enabled", "replication_type")


def given(parsed_args: Any, names: Sequence[str]) -> dict:
    """The fields that were named on the line."""
    return {name: value for name in names if (value := getattr(parsed_args, name)) is not None}


def some(fields: dict) -> dict:
    if not fields:
        raise ProtectorError("There is nothing to change.", action="name at least one option; --help lists them")
    return fields


class SetSite(ShowOne):
    """Change a registered site. Another URL needs the login for it, if one is sealed."""

    def get_parser(self, prog_name: str) -> Any:
        parser = super().get_parser(prog_name)
        parser.add_argument("site", metavar="<site>", help="Name or id")
        parser.add_argument("--name", metavar="<name>")
        parser.add_argument("--description", metavar="<text>")
        parser.add_argument("--site-type", dest="type", choices=("primary", "secondary"), help="A label only")
        parser.add_argument("--auth-url", metavar="<url>", help="The site's Keystone")
        parser.add_argument("--region-name", metavar="<region>")
        return credential_arguments(parser, required=False)

    def take_action(self, parsed_args: Any) -> tuple:
        fields = given(parsed_args, ("name", "description", "type", "auth_url", "region_name"))
        credential = credential_of(parsed_args)
        if credential:
            fields["credential"] = credential
        return rows.one(self.local.sites.update(parsed_args.site, some(fields)), rows.SITE_SHOW)


class DeleteSite(Command):
    """Forget a site that no group and no tenant mapping uses."""

    def get_parser(self, prog_name: str) -> Any:
        parser = super().get_parser(prog_name)
        parser.add_argument("site", metavar="<site>", help="Name or id")
        return parser

    def take_action(self, parsed_args: Any) -> None:
        self.local.sites.delete(parsed_args.site)


class OfSite(Lister):
    """What is asked of a registered site, or of the one you are logged in at."""

    def get_parser(self, prog_name: str) -> Any:
        parser = super().get_parser(prog_name)
        parser.add_argument("site", metavar="<site>", nargs="?", help="Name or id; default: this very site")
        return parser

    def site_of(self, named: Optional[str]) -> str:
        return named or str(self.local.sites.offer()["offer"]["site"])


class ValidateSite(OfSite):
    """Look at a site's cloud, check by check. What fails is named with its remedy; the command does not fail."""

    def take_action(self, parsed_args: Any) -> tuple:
        found = self.local.sites.validate(self.site_of(parsed_args.site))
        self.tell(f"Site {found['name']}: {found['status'] or 'could not be looked at'}")
        return rows.many(found["checks"], CHECK)


class ListVolumeType(OfSite):
    """List the volume types of a site whose volumes can be protected."""

    def get_parser(self, prog_name: str) -> Any:
        parser = super().get_parser(prog_name)
        parser.add_argument("--all", action="store_true", help="Also those that cannot, with the reason")
        return parser

    def take_action(self, parsed_args: Any) -> tuple:
        types = self.local.sites.volume_types(self.site_of(parsed_args.site))
        if parsed_args.all:
            return rows.many(types, (*VOLUME_TYPE, "reason"))
        return rows.many([found for found in types if found["eligible"]], VOLUME_TYPE)


class SetArray(ShowOne):
    """Change a registered array. Another URL needs the token for it, if one is sealed."""

    def get_parser(self, prog_name: str) -> Any:
        parser = super().get_parser(prog_name)
        parser.add_argument("array", metavar="<array>", help="Name or id")
        parser.add_argument("--name", metavar="<name>")
        parser.add_argument("--url", metavar="<url>")
        who = parser.add_mutually_exclusive_group()
        who.add_argument("--project", action="append", metavar="<id>", help="Who may name it; replaces the list")
        who.add_argument("--all-projects", action="store_true", help="Everybody may name it")
        parser.add_argument("--certificate", metavar="<file>", help="PEM, trusted instead of the machine's roots")
        parser.add_argument("--api-token-file", metavar="<file>", help="- reads standard input")
        return parser

    def take_action(self, parsed_args: Any) -> tuple:
        fields: dict[str, Any] = given(parsed_args, ("name", "url"))
        if parsed_args.project or parsed_args.all_projects:
            fields["allowed_projects"] = parsed_args.project
        if parsed_args.certificate:
            fields["certificate"] = read_text(parsed_args.certificate)
        if parsed_args.api_token_file:
            fields["api_token"] = read_secret(parsed_args.api_token_file, "")
        return rows.one(self.local.arrays.update(parsed_args.array, some(fields)), rows.ARRAY)


class DeleteArray(Command):
    """Forget an array that no replication policy uses. Nothing on it is touched."""

    def get_parser(self, prog_name: str) -> Any:
        parser = super().get_parser(prog_name)
        parser.add_argument("array", metavar="<array>", help="Name or id")
        return parser

    def take_action(self, parsed_args: Any) -> None:
        self.local.arrays.delete(parsed_args.array)


class SetTenantMapping(ShowOne):
    """Change a tenant mapping of this site; mappings replace all that new groups start with. The other has its own."""

    def get_parser(self, prog_name: str) -> Any:
        parser = super().get_parser(prog_name)
        parser.add_argument("mapping", metavar="<id>")
        parser.add_argument("--remote-tenant", dest="remote_project", metavar="<id>", help="The project's id there")
        parser.add_argument("--description", metavar="<text>")
        parser.add_argument("--no-mapping", action="store_true", help="New groups start with no mappings")
        return mapping_arguments(parser)

    def take_action(self, parsed_args: Any) -> tuple:
        fields: dict[str, Any] = given(parsed_args, ("remote_project", "description"))
        if any_mapping(parsed_args):
            pair = self.pair()
            fields["mappings"] = mappings_of(parsed_args, pair.local, pair.peer)
        elif parsed_args.no_mapping:
            fields["mappings"] = {}
        some(fields)
        if not lookup.is_id(fields.get("remote_project", "0" * 32)):
            raise ProtectorError(
                "A project at the other site is named by its id here.",
                action=f"openstack --os-cloud <other site> project show {fields['remote_project']}",
            )
        mapping = self.local.tenant_mappings.update(parsed_args.mapping, fields)
        kinds = {kind: value for kind, value in mapping["mappings"].items() if value}
        return rows.one({**mapping, "mappings": rows.Mapped(kinds)}, (*rows.MAPPING, "mappings"))


class DeleteTenantMapping(Command):
    """Forget a tenant mapping of this site that no group uses. The other site has one of its own."""

    def get_parser(self, prog_name: str) -> Any:
        parser = super().get_parser(prog_name)
        parser.add_argument("mapping", metavar="<id>")
        return parser

    def take_action(self, parsed_args: Any) -> None:
        self.local.tenant_mappings.delete(parsed_args.mapping)
