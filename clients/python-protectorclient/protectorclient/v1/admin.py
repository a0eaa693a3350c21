"""What administrators register at a site: the other sites, arrays, tenant mappings; and what tenants see of it.

Absent: doing it at both sites (`protectorclient.coordination.pairing`).
"""

from __future__ import annotations

from protectorclient.exceptions import ProtectorError, Refused
from protectorclient.v1.base import Manager
from protectorclient.v1.transport import quoted


class Sites(Manager):
    """Sites that are registered here. A site does not list itself."""

    def names(self) -> list[dict]:
        """Name and status, for tenants."""
        return self._transport.call("GET", "/sites")["sites"]

    def list(self) -> list[dict]:
        """All of it, for administrators."""
        return self._transport.admin("GET", "/sites")["sites"]

    def show(self, site: str) -> dict:
        """One site by name or id. Errors: `ProtectorError` (`not_found`)."""
        try:
            return self._transport.admin("GET", f"/sites/{quoted(site)}")["site"]
        except Refused as error:
            if error.code != "not_found":
                raise
            raise ProtectorError(
                f"Site {site} is not registered at cloud {error.cloud}.",
                reason="a site lists the others, and not itself",
                action=f"openstack --os-cloud {error.cloud} protector site list",
                code="not_found",
            ) from error

    def create(self, fields: dict) -> dict:
        """SITE-04."""
        return self._transport.admin("POST", "/sites", {"site": fields})["site"]

    def update(self, site: str, fields: dict) -> dict:
        """What is not in `fields` stays. A `credential` in it is never logged."""
        secret = "credential" in fields
        return self._transport.admin("PATCH", f"/sites/{quoted(site)}", {"site": fields}, secret=secret)["site"]

    def delete(self, site: str) -> None:
        """Errors: `Refused` (`in_use`), naming who uses it."""
        self._transport.admin("DELETE", f"/sites/{quoted(site)}")

    def validate(self, site: str) -> dict:
        """SITE-05: `name`, `status`, and `checks` with result, cause and remedy. An own id: the site itself."""
        return self._transport.admin("POST", f"/sites/{quoted(site)}/validate")["validation"]

    def volume_types(self, site: str) -> list[dict]:
        """All of them, those that cannot be protected with a `reason`."""
        return self._transport.admin("GET", f"/sites/{quoted(site)}/volume-types")["volume_types"]

    def offer(self) -> dict:
        """What this site shows of itself: `offer` and `fingerprint`."""
        return self._transport.admin("GET", "/pair")["pair"]

    def pair(self, site: str, fields: dict) -> dict:
        """Pins the keys in another site's `offer`."""
        return self._transport.admin("POST", f"/sites/{quoted(site)}/pair", {"pair": fields})["site"]

    def credential_set(self, site: str, credential: dict) -> dict:
        """Seals a login at another site's OpenStack. Never logged."""
        path = f"/sites/{quoted(site)}/credential"
        return self._transport.admin("PUT", path, {"credential": credential}, secret=True)["site"]


class Arrays(Manager):
    """Registered arrays."""

    def list(self) -> list[dict]:
        return self._transport.admin("GET", "/arrays")["arrays"]

    def create(self, fields: dict) -> dict:
        """`api_token` in it is never logged."""
        return self._transport.admin("POST", "/arrays", {"array": fields}, secret=True)["array"]

    def update(self, array: str, fields: dict) -> dict:
        """What is not in `fields` stays. `api_token` in it is never logged."""
        return self._transport.admin("PATCH", f"/arrays/{quoted(array)}", {"array": fields}, secret=True)["array"]

    def delete(self, array: str) -> None:
        """Errors: `Refused` (`in_use`)."""
        self._transport.admin("DELETE", f"/arrays/{quoted(array)}")


class TenantMappings(Manager):
    """TEN-01: which two projects belong together."""

    def list(self) -> list[dict]:
        return self._transport.admin("GET", "/tenant-mappings")["tenant_mappings"]

    def create(self, fields: dict) -> dict:
        body = {"tenant_mapping": fields}
        return self._transport.admin("POST", "/tenant-mappings", body)["tenant_mapping"]

    def update(self, mapping: str, fields: dict) -> dict:
        """`remote_project` is refused while a group joins the two projects (`in_use`)."""
        path = f"/tenant-mappings/{quoted(mapping)}"
        return self._transport.admin("PATCH", path, {"tenant_mapping": fields})["tenant_mapping"]

    def delete(self, mapping: str) -> None:
        """Errors: `Refused` (`in_use`)."""
        self._transport.admin("DELETE", f"/tenant-mappings/{quoted(mapping)}")
