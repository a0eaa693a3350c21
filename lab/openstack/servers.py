"""The tenant's servers that recovery is tried on, found by name: three with all that there is to tell of a server, or the
plain ones of the client's tour.

They boot from empty volumes that were made bootable: there is no data path to write an image.
Absent: looking inside what is already there under one of these names.
"""

import concurrent.futures
import dataclasses

from api import connect, has_status, until

VOLUME_TYPE = "replicated-ssd"
DISK_GIB = 8
FLAVOR = "lab.small"
KEY = "lab-key"
GROUPS = ("web", "ssh")
# A server that somebody stopped is there, too.
THERE = ("ACTIVE", "SHUTOFF")


@dataclasses.dataclass(frozen=True)
class Wanted:
    name: str
    disks: int
    networks: tuple
    # Whether Nova deletes the boot volume with the server.
    dies_with_server: bool = False
    has_floating_ip: bool = False


FIDELITY = (
    Wanted("web-1", 2, ("app-net",), has_floating_ip=True),
    Wanted("web-2", 2, ("app-net", "db-net"), dies_with_server=True),
    # Plugged in another order than that of the names.
    Wanted("web-3", 1, ("shared-net", "app-net")),
)
TOUR = (
    Wanted("web-1", 2, ("app-net",)),
    Wanted("web-2", 1, ("app-net",)),
    Wanted("web-3", 1, ("app-net",)),
)
SETS = {"fidelity": FIDELITY, "tour": TOUR}


def seed(cloud, servers):
    conn = connect(cloud, "demo")
    with concurrent.futures.ThreadPoolExecutor(len(servers)) as pool:
        for server in pool.map(lambda wanted: one(conn, wanted), servers):
            print(f"{cloud.name:8} {server.name:22} {server.id} {server.status}")


def one(conn, wanted):
    """The server with all its volumes; what is missing of it is made."""
    names = [f"{wanted.name}-disk-{number}" for number in range(wanted.disks)]
    disks = [volume(conn, name) for name in names]
    found = conn.compute.find_server(wanted.name)
    server = found or boot(conn, wanted, disks[0])
    server = until(
        lambda: conn.compute.get_server(server.id), lambda s: s.status in THERE
    )
    for disk in disks[1:]:
        if conn.block_storage.get_volume(disk.id).status == "available":
            conn.compute.create_volume_attachment(server, volume_id=disk.id)
        until(lambda: conn.block_storage.get_volume(disk.id), has_status("in-use"))
    if wanted.has_floating_ip:
        floating_ip(conn, server)
    return server


def volume(conn, name):
    volumes = conn.block_storage
    made = volumes.find_volume(name) or volumes.create_volume(
        name=name, size=DISK_GIB, volume_type=VOLUME_TYPE
    )
    return until(
        lambda: volumes.get_volume(made.id),
        lambda v: v.status in ("available", "in-use"),
    )


def boot(conn, wanted, disk):
    if not disk.is_bootable:
        conn.block_storage.set_volume_bootable_status(disk, True)
    nets = [conn.network.find_network(name).id for name in wanted.networks]
    return conn.compute.create_server(
        name=wanted.name,
        flavor_id=conn.compute.find_flavor(FLAVOR).id,
        networks=[{"uuid": net} for net in nets],
        key_name=KEY,
        security_groups=[{"name": name} for name in GROUPS],
        metadata={"tier": "web"},
        block_device_mapping=[
            {
                "uuid": disk.id,
                "source_type": "volume",
                "destination_type": "volume",
                "boot_index": 0,
                "delete_on_termination": wanted.dies_with_server,
            }
        ],
    )


def floating_ip(conn, server):
    port = next(conn.network.ports(device_id=server.id))
    if not list(conn.network.ips(port_id=port.id)):
        public = conn.network.find_network("public")
        conn.network.create_ip(floating_network_id=public.id, port_id=port.id)
