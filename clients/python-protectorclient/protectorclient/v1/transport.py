"""HTTP to one site: finds the endpoint in the catalog, sends JSON, and turns every other answer into an error.

Absent: retries. Who asks knows what a second request would mean.
"""

from __future__ import annotations

import json
import re
from typing import Any, Optional
from urllib.parse import quote

from keystoneauth1 import exceptions as ksa
from keystoneauth1.session import Session

from protectorclient.exceptions import LoginFailed, NoAnswer, Problem, ProtectorError, Refused

SERVICE_TYPE = "protector"
API_VERSION = "protector 1.0"
#: How long a connection may take, and an answer, seconds.
CONNECT_LIMIT_S = 10.0
ANSWER_LIMIT_S = 150.0
#: Largest answer that is read, bytes.
ANSWER_BYTES_MAX = 16 << 20
#: Longest reason that is quoted from a library, characters.
REASON_CHARS_MAX = 300
PLACE = re.compile(r"https?://[\w.\-\[\]]+(:\d+)?")
SYSTEM_WORD = re.compile(r"\[Errno -?\d+\] [\w ,]+|timed out|certificate verify failed[^)]*")


class Transport:
    """A session at one cloud, and where its Protector is."""

    def __init__(
        self,
        session: Session,
        cloud: str,
        region_name: Optional[str] = None,
        interface: str = "public",
        endpoint_override: Optional[str] = None,
    ):
        self.session = session
        self.cloud = cloud
        self._where = {"region_name": region_name, "interface": interface}
        self._endpoint = endpoint_override.rstrip("/") if endpoint_override else None
        if session.timeout is None:
            session.timeout = CONNECT_LIMIT_S  # of logins; API calls say their own

    def endpoint(self) -> str:
        """`http://host:8788/v1/<project>` as the catalog has it. Logs in if nobody did."""
        if self._endpoint is None:
            found = self._guarded(self._find_endpoint)
            if not found:
                raise ProtectorError(
                    f"Cloud {self.cloud} has no Protector.",
                    reason=f"its catalog has no service of type {SERVICE_TYPE} in this region and interface",
                    action=f"openstack --os-cloud {self.cloud} catalog show protector",
                    code="no_service",
                )
            self._endpoint = found.rstrip("/")
        return self._endpoint

    def call(
        self,
        method: str,
        path: str,
        body: Optional[dict] = None,
        key: Optional[str] = None,
        if_match: Optional[str] = None,
        secret: bool = False,
    ) -> dict:
        """One request in the project's scope; `path` follows `/v1/<project>`. `key`: Idempotency-Key.

        `secret`: nothing of it may be logged. Errors: `Refused`, `NoAnswer`, `LoginFailed`.
        """
        return self._send(method, self.endpoint() + path, body, key, if_match, secret)

    def admin(self, method: str, path: str, body: Optional[dict] = None, secret: bool = False) -> dict:
        """One request of an administrator; `path` follows `/v1/admin`. Errors: as `call`."""
        root = self.endpoint().rsplit("/v1/", 1)[0]
        return self._send(method, f"{root}/v1/admin{path}", body, None, None, secret)

    def _find_endpoint(self) -> Optional[str]:
        return self.session.get_endpoint(service_type=SERVICE_TYPE, **self._where)

    def _send(
        self, method: str, url: str, body: Optional[dict], key: Optional[str], if_match: Optional[str], secret: bool
    ) -> dict:
        headers = {"OpenStack-API-Version": API_VERSION, "Accept": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        if if_match:
            headers["If-Match"] = if_match
        sent: dict[str, Any] = {"headers": headers, "raise_exc": False, "log": not secret}
        if body is not None:
            sent["json"] = body
        limits = (CONNECT_LIMIT_S, ANSWER_LIMIT_S)
        answer = self._guarded(lambda: self.session.request(url, method, timeout=limits, **sent))
        return self._read(answer)

    def _guarded(self, ask: Any) -> Any:
        try:
            return ask()
        except (ksa.Unauthorized, ksa.MissingAuthPlugin, ksa.MissingRequiredOptions) as error:
            raise LoginFailed(self.cloud, _said(error)) from error
        except (ksa.AuthorizationFailure, ksa.NoMatchingPlugin) as error:
            raise LoginFailed(self.cloud, _said(error)) from error
        except ksa.ClientException as error:
            raise NoAnswer(self.cloud, _said(error)) from error

    def _read(self, answer: Any) -> dict:
        text = answer.content[: ANSWER_BYTES_MAX + 1]
        if len(text) > ANSWER_BYTES_MAX:
            raise NoAnswer(self.cloud, f"its answer has more than {ANSWER_BYTES_MAX} bytes")
        try:
            value = json.loads(text) if text else {}
        except ValueError:
            value = None
        if answer.status_code >= 400:
            raise refused(self.cloud, answer.status_code, value)
        if not isinstance(value, dict):
            raise NoAnswer(self.cloud, f"its answer ({answer.status_code}) is not of Protector's API")
        return value


def refused(cloud: str, status: int, body: Any) -> ProtectorError:
    """An error answer as an error. 503 and 504 say nothing of the request's effect."""
    found = body if isinstance(body, dict) else {}
    given = found.get("errors") or [found.get("error")]
    items = [item for item in given if isinstance(item, dict)]
    if not items:
        return NoAnswer(cloud, f"it answered {status}, and not as Protector's API does")
    problems = [
        Problem(str(item.get("message", "")), item.get("reason"), item.get("remedy"), str(item.get("code", "")))
        for item in items
    ]
    request_id = str(items[0].get("request_id", ""))
    return Refused(cloud, status, list(dict.fromkeys(problems)), request_id)


def quoted(name: str) -> str:
    """A name or id as one part of a path."""
    return quote(name, safe="")


def _said(error: Exception) -> str:
    """An exception in one line: where, and the system's own word, without what libraries wrap around it."""
    text = " ".join(str(error).split())
    cause, place = SYSTEM_WORD.search(text), PLACE.search(text)
    if cause and place:
        return f"{place.group(0)}: {cause.group(0)}"
    return text[:REASON_CHARS_MAX]
