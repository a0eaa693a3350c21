"""Sites, logins at them, and arrays: what administrators register once.

Absent: mapping projects (`tenant_mapping`), and changing or looking at what is registered (`registered`).
"""

from __future__ import annotations

import getpass
import sys
from typing import Any, Optional

from protectorclient.coordination.pairing import Offer, pair_sites
from protectorclient.exceptions import ProtectorError, Refused
from protectorclient.osc import rows
from protectorclient.osc.base import Lister, ShowOne

#: Longest file that a secret or a certificate is read from, bytes.
FILE_BYTES_MAX = 64 << 10


class CreateSite(ShowOne):
    """Register the other site. Every site registers the other one; then pair them."""

    def get_parser(self, prog_name: str) -> Any:
        parser = super().get_parser(prog_name)
        parser.add_argument("--name", metavar="<name>", required=True)
        parser.add_argument("--description", metavar="<text>", default="")
        parser.add_argument("--site-type", choices=("primary", "secondary"), default="secondary", help="A label only")
        parser.add_argument("--auth-url", metavar="<url>", required=True, help="The site's Keystone")
        parser.add_argument("--region-name", metavar="<region>", default="RegionOne")
        return parser

    def take_action(self, parsed_args: Any) -> tuple:
        fields = {
            "name": parsed_args.name,
            "description": parsed_args.description,
            "type": parsed_args.site_type,
            "auth_url": parsed_args.auth_url,
            "region_name": parsed_args.region_name,
        }
        return rows.one(self.local.sites.create(fields), rows.SITE_SHOW)


class ListSite(Lister):
    """List registered sites: all about them for administrators, name and status for others."""

    def take_action(self, parsed_args: Any) -> tuple:
        try:
            return rows.many(self.local.sites.list(), rows.SITE_LIST)
        except Refused as error:
            if error.status != 403:
                raise
            return rows.many(self.local.sites.names(), ("name", "status"))


class ShowSite(ShowOne):
    """Show a registered site."""

    def get_parser(self, prog_name: str) -> Any:
        parser = super().get_parser(prog_name)
        parser.add_argument("site", metavar="<site>", help="Name or id")
        return parser

    def take_action(self, parsed_args: Any) -> tuple:
        return rows.one(self.local.sites.show(parsed_args.site), rows.SITE_SHOW)


class PairSite(Lister):
    """Have this site and another pin each other's keys. Needs administrators' logins at both clouds."""

    def get_parser(self, prog_name: str) -> Any:
        parser = super().get_parser(prog_name)
        parser.add_argument("site", metavar="<site>", help="The other site, as it is registered here")
        parser.add_argument("--local-site-name", metavar="<name>", help="This site, as it is registered there")
        parser.add_argument("--yes", action="store_true", help="The fingerprints were compared already")
        parser.add_argument("--replace", action="store_true", help="Even if other keys are pinned")
        return parser

    def take_action(self, parsed_args: Any) -> tuple:
        def confirm(mine: Offer, other: Offer) -> bool:
            for offer in (mine, other):
                self.tell(f"{offer.cloud}: {offer.fingerprint}")
            return bool(parsed_args.yes) or self._asked()

        paired = pair_sites(
            self.pair(), parsed_args.site, parsed_args.local_site_name, confirm, parsed_args.replace
        )
        return rows.many(paired, ("id", "name", "paired", "fingerprint"))

    def _asked(self) -> bool:
        if not sys.stdin.isatty():
            raise ProtectorError(
                "The sites were not paired.",
                reason="nobody can be asked whether the fingerprints are right",
                action="compare them, then repeat with --yes",
            )
        self.app.stderr.write("Do both administrators read the same? yes/no: ")
        self.app.stderr.flush()
        return sys.stdin.readline().strip().lower() == "yes"


class SetSiteCredential(ShowOne):
    """Seal a login at a paired site's OpenStack. The secret is read from a file or asked for, never an argument."""

    def get_parser(self, prog_name: str) -> Any:
        parser = super().get_parser(prog_name)
        parser.add_argument("site", metavar="<site>", help="Name or id")
        return credential_arguments(parser, required=True)

    def take_action(self, parsed_args: Any) -> tuple:
        credential = credential_of(parsed_args)
        return rows.one(self.local.sites.credential_set(parsed_args.site, credential or {}), rows.SITE_SHOW)


def credential_arguments(parser: Any, required: bool) -> Any:
    who = parser.add_mutually_exclusive_group(required=required)
    who.add_argument("--username", metavar="<user>")
    who.add_argument("--application-credential-id", metavar="<id>")
    parser.add_argument("--user-domain-name", metavar="<domain>", default="Default")
    parser.add_argument("--project-name", metavar="<project>", default="service")
    parser.add_argument("--project-domain-name", metavar="<domain>", default="Default")
    parser.add_argument("--secret-file", metavar="<file>", help="Password or secret; - reads standard input")
    return parser


def credential_of(parsed_args: Any) -> Optional[dict]:
    """What the API takes as a login; nothing if none was named."""
    if not parsed_args.username and not parsed_args.application_credential_id:
        return None
    secret = read_secret(parsed_args.secret_file, "Password or secret: ")
    if not parsed_args.username:
        return {
            "type": "application_credential",
            "id": parsed_args.application_credential_id,
            "secret": secret,
        }
    return {
        "type": "password",
        "username": parsed_args.username,
        "user_domain_name": parsed_args.user_domain_name,
        "password": secret,
        "project_name": parsed_args.project_name,
        "project_domain_name": parsed_args.project_domain_name,
    }


def read_text(path: str) -> str:
    """A short file; `-` is standard input."""
    try:
        if path == "-":
            text = sys.stdin.read(FILE_BYTES_MAX + 1)
        else:
            with open(path, encoding="utf-8") as file:
                text = file.read(FILE_BYTES_MAX + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise ProtectorError(f"Cannot read {path}.", reason=str(error)) from error
    if len(text) > FILE_BYTES_MAX:
        raise ProtectorError(f"{path} is too long.", reason=f"at most {FILE_BYTES_MAX} characters are read")
    return text


def read_secret(path: Optional[str], prompt: str) -> str:
    """Without the line break at its end."""
    if path:
        return read_text(path).rstrip("\r\n")
    return getpass.getpass(prompt)


class ListArray(Lister):
    """List registered arrays."""

    def take_action(self, parsed_args: Any) -> tuple:
        return rows.many(self.local.arrays.list(), rows.ARRAY)


class CreateArray(ShowOne):
    """Register an array. Both sites register both arrays."""

    def get_parser(self, prog_name: str) -> Any:
        parser = super().get_parser(prog_name)
        parser.add_argument("--name", metavar="<name>", required=True)
        parser.add_argument("--url", metavar="<url>", required=True)
        parser.add_argument("--array-id", metavar="<id>", required=True, help="As the array reports it of itself")
        parser.add_argument("--project", action="append", metavar="<id>", help="Who may name it; default: everybody")
        parser.add_argument("--certificate", metavar="<file>", help="PEM, trusted instead of the machine's roots")
        parser.add_argument("--api-token-file", metavar="<file>", help="- reads standard input")
        return parser

    def take_action(self, parsed_args: Any) -> tuple:
        fields: dict[str, Any] = {
            "name": parsed_args.name,
            "url": parsed_args.url,
            "array_id": parsed_args.array_id,
        }
        if parsed_args.project:
            fields["allowed_projects"] = parsed_args.project
        if parsed_args.certificate:
            fields["certificate"] = read_text(parsed_args.certificate)
        if parsed_args.api_token_file:
            fields["api_token"] = read_secret(parsed_args.api_token_file, "")
        return rows.one(self.local.arrays.create(fields), rows.ARRAY)
