"""Names to ids at one cloud's own services, so that every argument may be a name or an id.

Absent: sites, groups and operations, whose API takes both.
"""

from __future__ import annotations

import re
from typing import Any

from openstack import connection
from openstack import exceptions as sdk

from protectorclient.exceptions import NoAnswer, ProtectorError
from protectorclient.v1 import Client

#: Ids of Keystone have 32 digits, others are UUIDs.
IS_ID = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)


def is_id(text: str) -> bool:
    return IS_ID.fullmatch(text) is not None


def server_id(site: Client, server: str) -> str:
    """A Nova server of the project."""
    return server if is_id(server) else _found(site, "server", server, lambda c: c.compute.find_server)


def network_id(site: Client, network: str) -> str:
    """A Neutron network that the project sees."""
    return network if is_id(network) else _found(site, "network", network, lambda c: c.network.find_network)


def subnet_id(site: Client, subnet: str) -> str:
    return subnet if is_id(subnet) else _found(site, "subnet", subnet, lambda c: c.network.find_subnet)


def security_group_id(site: Client, group: str) -> str:
    """A Neutron security group of the project."""
    return group if is_id(group) else _found(site, "security group", group, lambda c: c.network.find_security_group)


def flavor_id(site: Client, flavor: str) -> str:
    """A Nova flavor; an id may be any word."""
    return _found(site, "flavor", flavor, lambda c: c.compute.find_flavor)


def flavor_name(site: Client, flavor: str) -> str:
    """The name of a Nova flavor: its id differs from cloud to cloud."""
    if not is_id(flavor):
        return flavor
    return _found(site, "flavor", flavor, lambda c: c.compute.find_flavor, "name")


def project_id(site: Client, project: str) -> str:
    """A Keystone project; needs an administrator for names."""
    return project if is_id(project) else _found(site, "project", project, lambda c: c.identity.find_project)


def source_network(members: list, network: str) -> str:
    """A network at the site that leads, as the group has recorded it: that site need not answer."""
    for member in members:
        for nic in member["interfaces"]:
            if network in (nic["network_id"], nic["network_name"]):
                return str(nic["network_id"])
    if is_id(network):
        return network
    known = sorted({nic["network_name"] for member in members for nic in member["interfaces"]})
    raise ProtectorError(
        f"No member has an interface in network {network}.",
        reason=f"networks of this group: {', '.join(known) or 'none'}",
        action="openstack protector protection-group member-list <group>",
        code="no_such_network",
    )


def _found(site: Client, kind: str, name: str, finder: Any, attribute: str = "id") -> str:
    try:
        found = finder(connection.Connection(session=site.transport.session))(name, ignore_missing=True)
    except sdk.DuplicateResource as error:
        raise ProtectorError(
            f"More than one {kind} at cloud {site.cloud} is called {name}.",
            action=f"use the id: openstack --os-cloud {site.cloud} {kind} list",
        ) from error
    except sdk.SDKException as error:
        raise NoAnswer(site.cloud, " ".join(str(error).split())) from error
    if found is None:
        raise ProtectorError(
            f"There is no {kind} {name} at cloud {site.cloud}.",
            action=f"openstack --os-cloud {site.cloud} {kind} list",
        )
    return str(getattr(found, attribute))
