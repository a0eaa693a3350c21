"""One site, as a program sees it: everything that can be asked there, by kind.

Absent: commands (`protectorclient.osc`) and the second site (`protectorclient.coordination`).
"""

from __future__ import annotations

from typing import Optional

from keystoneauth1.session import Session

from protectorclient.v1.admin import Arrays, Sites, TenantMappings
from protectorclient.v1.groups import Groups
from protectorclient.v1.operations import Operations
from protectorclient.v1.sync import Sync
from protectorclient.v1.transport import Transport


class Client:
    """`cloud` is what errors call this site: the entry in clouds.yaml, or where Keystone is."""

    def __init__(
        self,
        session: Session,
        cloud: str,
        region_name: Optional[str] = None,
        interface: str = "public",
        endpoint_override: Optional[str] = None,
    ):
        self.cloud = cloud
        self.transport = Transport(session, cloud, region_name, interface, endpoint_override)
        self.groups = Groups(self.transport)
        self.operations = Operations(self.transport)
        self.sync = Sync(self.transport)
        self.sites = Sites(self.transport)
        self.arrays = Arrays(self.transport)
        self.tenant_mappings = TenantMappings(self.transport)

    def connect(self) -> None:
        """Logs in and finds the endpoint. Errors: `LoginFailed`, `NoAnswer`, `ProtectorError`."""
        self.transport.endpoint()
