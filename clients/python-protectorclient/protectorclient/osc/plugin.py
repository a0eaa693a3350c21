"""What python-openstackclient asks of a plugin: a name, a version, a client, global options.

Absent: commands (`osc.v1`).
"""

from __future__ import annotations

from typing import Any

from osc_lib import utils

from protectorclient.v1 import Client

DEFAULT_API_VERSION = "1"
API_VERSION_OPTION = "os_protector_api_version"
API_NAME = "protector"
API_VERSIONS = ("1", "1.0")


def make_client(instance: Any) -> Client:
    """The client of the cloud that the command was given, for `app.client_manager.protector`."""
    options = instance.get_configuration()
    return Client(
        instance.session,
        options.get("cloud") or "the one given",
        region_name=instance.region_name,
        interface=instance.interface or "public",
    )


def build_option_parser(parser: Any) -> Any:
    """Adds the options that every command takes."""
    parser.add_argument(
        "--os-protector-api-version",
        metavar="<protector-api-version>",
        default=utils.env("OS_PROTECTOR_API_VERSION"),
        help="Protector API version, default: " + DEFAULT_API_VERSION + " (Env: OS_PROTECTOR_API_VERSION)",
    )
    parser.add_argument(
        "--secondary-cloud",
        metavar="<cloud>",
        default=utils.env("OS_SECONDARY_CLOUD"),
        help="The other site's entry in clouds.yaml. Needed once per pair of clouds; it is remembered. "
        "(Env: OS_SECONDARY_CLOUD)",
    )
    return parser
