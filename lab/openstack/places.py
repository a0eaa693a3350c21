"""Where everything of the two clouds is: directories, ports, URLs, names.

Absent: starting or changing anything.
"""

import dataclasses
import json
import os
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
PLUGINS = HERE / "plugins"

# A service listens on its usual port plus the base of its site plus the lab's offset.
SITES = {"site-a": 10_000, "site-b": 20_000}
PORTS = {
    "keystone": 5000,
    "glance": 9292,
    "placement": 8778,
    "nova": 8774,
    "neutron": 9696,
    "cinder": 8776,
    "mysql": 3306,
    "amqp": 5672,
    "memcached": 11211,
    "epmd": 4369,
    "erlang": 4370,
}
# The arrays take two ports from here on.
ARRAYS_PORT = 18_443
# Of every user. Everything listens on loopback only, and the files are the owner's.
PASSWORD = "secret"
REGION = "RegionOne"
# Users with an entry in clouds.yaml: suffix of the entry, user, project.
LOGINS = (("", "demo", "demo"), ("-admin", "admin", "admin"))
LOGINS += (("-protector", "protector", "service"),)
# The longest path that a Unix socket can have is 107 bytes.
DIR_MAX_BYTES = 80


class Refused(Exception):
    """A clear no: what, why, and what to do."""


@dataclasses.dataclass
class Lab:
    """One pair of clouds: `dir` holds its state, `cache` what all pairs share."""

    dir: pathlib.Path
    cache: pathlib.Path
    offset: int = 0

    @property
    def venv(self):
        return self.cache / "venv"

    @property
    def template(self):
        return self.cache / "template"

    @property
    def told(self):
        return self.dir / "openstack.json"

    def read(self):
        """What the last `up` wrote; None before the first."""
        try:
            return json.loads(self.told.read_text())
        except FileNotFoundError:
            return None

    def clouds(self):
        return [Cloud(self, name) for name in SITES]

    def cloud(self, name):
        if name not in SITES:
            raise Refused(f"there is no site {name}; there are {', '.join(SITES)}")
        return Cloud(self, name)


class Cloud:
    """One of the two."""

    def __init__(self, lab, name):
        self.lab, self.name = lab, name
        self.at(lab.dir / name)
        base = SITES[name] + lab.offset
        self.port = {service: port + base for service, port in PORTS.items()}

    def at(self, directory):
        self.dir = directory
        self.etc, self.run, self.log, self.data = (
            directory / part for part in ("etc", "run", "log", "data")
        )

    @property
    def other(self):
        return next(cloud for cloud in self.lab.clouds() if cloud.name != self.name)

    @property
    def backend(self):
        """Name of its Cinder back end, which differs between the sites as in real life."""
        return "pure-" + self.name[-1]

    @property
    def array(self):
        return "array-" + self.name[-1]

    @property
    def pool(self):
        """Where Cinder keeps volumes: host@backend#pool."""
        return f"{self.name}@{self.backend}#{self.backend}"

    def url(self, service, path=""):
        return f"http://127.0.0.1:{self.port[service]}{path}"

    @property
    def auth_url(self):
        return self.url("keystone", "/v3")


def write_whole(path, text):
    """Puts a file of the owner's under its name only when it is whole."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(text)
    draft.chmod(0o600)
    os.replace(draft, path)
