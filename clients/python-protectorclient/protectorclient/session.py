"""Logging in: a cloud's entry in clouds.yaml becomes a client of its Protector.

Absent: the cloud that a command itself was given; `openstack` has logged in there already.
"""

from __future__ import annotations

import os
from typing import Optional

from keystoneauth1 import exceptions as ksa
from openstack import config
from openstack import exceptions as sdk
from openstack.config import loader

from protectorclient.exceptions import LoginFailed
from protectorclient.v1.client import Client


def client_of_cloud(cloud: str, interface: Optional[str] = None) -> Client:
    """A client of the cloud that clouds.yaml calls `cloud`; does not log in yet.

    Errors: `LoginFailed` if there is no such entry, or one that cannot be used.
    """
    try:
        # Environment variables speak of the first cloud: only the file counts here.
        files = config.OpenStackConfig(
            load_envvars=False,
            config_files=_named("OS_CLIENT_CONFIG_FILE", loader.CONFIG_FILES),
            secure_files=_named("OS_CLIENT_SECURE_FILE", loader.SECURE_FILES),
        )
        found = files.get_one(cloud=cloud)
        session = found.get_session()
    except (sdk.ConfigException, ksa.ClientException) as error:
        raise LoginFailed(cloud, " ".join(str(error).split())) from error
    return Client(
        session,
        cloud,
        region_name=found.get_region_name("protector"),
        interface=interface or found.get_interface("protector") or "public",
        endpoint_override=found.get_endpoint("protector"),
    )


def _named(variable: str, usual: list[str]) -> list[str]:
    """The file that a variable names, before the usual ones, as `openstack` itself does."""
    named = os.environ.get(variable)
    return [named, *usual] if named else list(usual)
