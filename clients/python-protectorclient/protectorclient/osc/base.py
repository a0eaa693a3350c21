"""What commands share: logging in at one or both clouds, exit codes, and text for people beside data for programs.

Absent: any command. Login is ours and not the shell's, so that an error names the cloud that refused it.
"""

from __future__ import annotations

import logging
from typing import Any, Optional

from cliff.formatters.table import TableFormatter
from keystoneauth1 import exceptions as ksa
from openstack import exceptions as sdk
from osc_lib.command import command

from protectorclient.coordination import Pair
from protectorclient.exceptions import LoginFailed, ProtectorError
from protectorclient.session import client_of_cloud
from protectorclient.state import State
from protectorclient.v1 import Client


class Base:
    """Mixed into osc-lib's commands."""

    auth_required = False  # see the head of this file
    app: Any

    _exit_code = 0
    _local: Optional[Client] = None
    _text: Optional[str] = None

    def run(self, parsed_args: Any) -> int:
        self.take_over_errors()
        try:
            code = super().run(parsed_args)  # type: ignore[misc]
        except ProtectorError as error:
            raise error.for_group(getattr(parsed_args, "group", None) or "")
        return self._exit_code or code or 0

    def produce_output(self, parsed_args: Any, column_names: Any, data: Any) -> int:
        """Text for people goes where the table would; `-f` anything else gets the data."""
        as_table = isinstance(self.formatter, TableFormatter)  # type: ignore[attr-defined]
        if self._text is not None and as_table and not parsed_args.columns:
            self.app.stdout.write(self._text + "\n")
            return 0
        return super().produce_output(parsed_args, column_names, data)  # type: ignore[misc]

    def take_over_errors(self) -> None:
        """Keystoneauth's own warning of a dead endpoint says less than our error does."""
        if not getattr(self.app.options, "debug", False):
            logging.getLogger("keystoneauth.identity.generic.base").setLevel(logging.ERROR)

    @property
    def local(self) -> Client:
        """The cloud that the command was given. Errors: `LoginFailed`, when it is used."""
        if self._local is None:
            self._local = _client(self.app)
        return self._local

    def pair(self) -> Pair:
        """Both clouds; the second as named now or remembered, and not logged in before it is needed."""
        state = State()
        named = self.app.options.secondary_cloud or state.peer_of(self.local.cloud)
        return Pair(self.local, client_of_cloud(named) if named else None, state)

    def tell(self, text: str) -> None:
        """For people, beside whatever the command prints."""
        self.app.stderr.write(text + "\n")

    def ended_badly(self, error: ProtectorError, code: int = 1) -> None:
        """The result is still shown; the command's exit code says that not all is well."""
        self.tell(str(error))
        self._exit_code = code


class Command(Base, command.Command):
    """Prints nothing, or text."""


class Lister(Base, command.Lister):
    """Prints rows."""


class ShowOne(Base, command.ShowOne):
    """Prints one object."""


def _client(app: Any) -> Client:
    cloud = getattr(app.options, "cloud", None) or getattr(app.options, "auth_url", None) or ""
    cloud = cloud or "(none was given)"
    try:
        region = app.cloud_config.get_one(
            cloud=getattr(app.options, "cloud", None), argparse=app.options, validate=True
        )
        cloud = region.name or cloud
        session = region.get_session()
    except (sdk.SDKException, ksa.ClientException) as error:
        raise LoginFailed(cloud, " ".join(str(error).split())) from error
    return Client(
        session,
        cloud,
        region_name=region.get_region_name("protector"),
        interface=region.get_interface("protector") or "public",
        endpoint_override=region.get_endpoint("protector"),
    )

