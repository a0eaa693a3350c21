"""What administrators of both sites do once: pin each other's keys, and say which two projects belong together.

Each half is looked for first, so that repeating the command finishes what broke off. Absent: registering a site,
which is one site's own affair (`v1.admin`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Optional

from protectorclient.coordination.pair import Pair
from protectorclient.exceptions import ProtectorError, Refused, Unfinished
from protectorclient.v1 import Client

BLOCKED_PAIRING = "Cannot pair the sites - remote site unreachable."
BLOCKED_MAPPING = "Cannot map the projects - remote site unreachable."


@dataclass(frozen=True)
class Offer:
    """What a site shows of itself; people compare the fingerprints."""

    cloud: str
    offer: dict
    fingerprint: str


def pair_sites(
    pair: Pair, site: str, called: Optional[str], confirm: Callable[[Offer, Offer], bool], replace: bool = False
) -> list[dict]:
    """Each site pins the other's keys. `site`: the other one as registered here; `called`: this one there.

    Errors: `PeerRequired`, `Refused`; `Unfinished` when one half is done.
    """
    pair.require_both(BLOCKED_PAIRING, "restore the link, then repeat")
    there = called or name_there(pair.peer)
    mine, other = _offer(pair.local), _offer(pair.peer)
    if not confirm(mine, other):
        raise ProtectorError("The sites were not paired.", reason="the fingerprints were not confirmed")
    here = pair.local.sites.pair(site, _pinned(other, replace))
    try:
        return [here, pair.peer.sites.pair(there, _pinned(mine, replace))]
    except ProtectorError as error:
        what = f"{pair.local.cloud} has pinned {pair.peer.cloud}, and not the other way round."
        raise Unfinished(what, error, f"openstack protector site pair {site}") from error


def name_there(peer: Client) -> str:
    """What the other site calls this one, if it knows only one."""
    names = [site["name"] for site in peer.sites.list()]
    if len(names) == 1:
        return str(names[0])
    raise ProtectorError(
        f"Cloud {peer.cloud} has {len(names)} registered sites.",
        reason="it is not clear which of them is this one",
        action="register this site there (site create), or name it: --local-site-name <name>",
        code="which_site",
    )


def _offer(site: Client) -> Offer:
    shown = site.sites.offer()
    return Offer(site.cloud, shown["offer"], shown["fingerprint"])


def _pinned(offer: Offer, replace: bool) -> dict:
    return {"offer": offer.offer, "fingerprint": offer.fingerprint, "replace": replace}


@dataclass(frozen=True)
class Mapping:
    """Ids of two projects, and each site's name at the other."""

    local_project: str
    remote_project: str
    remote_site: str
    local_site: str
    description: str = ""


def map_tenants(pair: Pair, wanted: Mapping) -> dict:
    """TEN-02, TEN-03: the mapping here, and its mirror at the other site. Returns the one here.

    Errors: `PeerRequired`, `Refused`; `Unfinished` when only one site has it.
    """
    pair.require_both(BLOCKED_MAPPING, "restore the link, then repeat")
    here = _map(pair.local, (wanted.local_project, wanted.remote_site, wanted.remote_project), wanted.description)
    mirror = (wanted.remote_project, wanted.local_site, wanted.local_project)
    try:
        _map(pair.peer, mirror, wanted.description)
    except ProtectorError as error:
        what = f"The mapping is known at {pair.local.cloud}, and not at {pair.peer.cloud}."
        raise Unfinished(what, error, "repeat the command") from error
    return here


def _map(site: Client, mapped: tuple[str, str, str], description: str) -> dict:
    local, remote_site, remote = mapped
    fields = {"local_project": local, "remote_site": remote_site, "remote_project": remote, "description": description}
    site_id = str(site.sites.show(remote_site)["id"])
    found = _mapped(site, local, site_id)
    if found is None:
        try:
            return site.tenant_mappings.create(fields)
        except Refused as error:
            found = _mapped(site, local, site_id)
            if found is None:
                raise error
    if found["remote_project"] != remote:
        raise ProtectorError(
            f"Project {local} is mapped to another one already.",
            reason=f"cloud {site.cloud} maps it to {found['remote_project']}",
            action=f"openstack --os-cloud {site.cloud} dr tenant mapping list",
            code="mapped_otherwise",
        )
    return found


def _mapped(site: Client, local: str, site_id: str) -> Optional[dict]:
    for mapping in site.tenant_mappings.list():
        if mapping["local_project"] == local and mapping["remote_site"] == site_id:
            return mapping
    return None
