"""What can be mapped from one cloud to the other, as arguments: names or ids of each site's own things.

Absent: carrying the change (`v1.protection_group`, `v1.registered`).
"""

from __future__ import annotations

from typing import Any, Optional

from protectorclient.exceptions import ProtectorError
from protectorclient.osc import lookup
from protectorclient.v1 import Client


def _as_given(_site: Client, name: str) -> str:
    return name


#: Each kind, and how a name of it is read at the primary and at the secondary site.
MAPPED = {
    "network": (lookup.network_id, lookup.network_id),
    "subnet": (lookup.subnet_id, lookup.subnet_id),
    "security-group": (lookup.security_group_id, lookup.security_group_id),
    "flavor": (lookup.flavor_name, lookup.flavor_id),
    "keypair": (_as_given, _as_given),
    "availability-zone": (_as_given, _as_given),
}


def mapping_arguments(parser: Any) -> Any:
    for kind in MAPPED:
        parser.add_argument(
            f"--{kind}",
            action="append",
            metavar="<home>=<other>",
            help=f"{kind.replace('-', ' ').capitalize()} at the primary site, and what it is at the secondary site",
        )
    return parser


def any_mapping(parsed_args: Any) -> bool:
    return any(getattr(parsed_args, kind.replace("-", "_")) for kind in MAPPED)


def mappings_of(parsed_args: Any, home: Client, other: Client) -> dict:
    """All kinds as the API takes them; a kind that was not named is empty."""
    fields = {}
    for kind, (left, right) in MAPPED.items():
        word = kind.replace("-", "_")
        given = pairs_of(getattr(parsed_args, word))
        fields[f"{word}s"] = {left(home, a): right(other, b) for a, b in given}
    return fields


def pairs_of(given: Optional[list]) -> list[tuple[str, str]]:
    """`<home>=<other>`, as often as wanted."""
    parts = [text.partition("=") for text in given or []]
    for left, sign, right in parts:
        if not (left and sign and right):
            raise ProtectorError(f"{left}{sign}{right} is no mapping.", action="write it as <source>=<target>")
    return [(left, right) for left, _, right in parts]
