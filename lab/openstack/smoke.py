"""Proves on both clouds what recovery builds on, step by step and timed, and removes it again.

After a failure what it made stays, under names that begin with `smoke-`. Absent: recovery.
"""

import time
import uuid

from api import connect, gone, has_status, until, volume_request
from places import Refused
from pypureclient import flasharray
from pypureclient.configuration import Configuration
from pypureclient.flasharray import VolumePatch, VolumePost

GIB = 1 << 30
# The protection group into which Cinder puts replicated volumes of its own.
CINDER_GROUP = "cinder-group"


def run(lab):
    arrays = {array["name"]: array for array in lab.read()["arrays"]}
    for cloud in lab.clouds():
        began = time.monotonic()
        Smoke(cloud, arrays[cloud.array]).run()
        print(f"{cloud.name} ok {time.monotonic() - began:7.2f} s  all", flush=True)


def demand(truth, what):
    if not truth:
        raise Refused(what)


class Array:
    """An array as its administrator sees it, through the vendor's own client."""

    def __init__(self, told):
        configuration = Configuration(ssl_ca_cert=told["ca"])
        configuration.verify_ssl = True
        self.client = flasharray.Client(
            told["url"].removeprefix("https://"),
            api_token=told["api_token"],
            configuration=configuration,
        )

    def good(self, answer):
        demand(answer.status_code == 200, f"the array said {answer}")
        return list(answer.items)

    def create(self, name):
        volume = VolumePost(provisioned=GIB)
        self.good(self.client.post_volumes(names=[name], volume=volume))

    def names(self):
        return [v.name for v in self.good(self.client.get_volumes(destroyed=False))]

    def members(self, group):
        rows = self.client.get_protection_groups_volumes(group_names=[group])
        return [row.member.name for row in self.good(rows)]

    def eradicate(self, name):
        gone_soon = VolumePatch(destroyed=True)
        self.good(self.client.patch_volumes(names=[name], volume=gone_soon))
        demand(
            self.client.delete_volumes(names=[name]).status_code == 200,
            f"{name} is not eradicated",
        )


class Smoke:
    def __init__(self, cloud, array):
        self.cloud, self.array = cloud, Array(array)
        self.tag = "smoke-" + uuid.uuid4().hex[:8]

    def run(self):
        self.step("tokens of three users", self.log_in)
        self.step("a tenant may not manage", self.refuse_manage)
        disk = self.step("replicated volume", self.volume)
        self.step("it is bootable", self.make_bootable, disk)
        server = self.step("server from it ACTIVE", self.boot, disk)
        self.step("stop, lock, unlock, start", self.power, server)
        self.step("server gone, volume kept", self.delete_server, server, disk)
        found = self.step("volume of the array managed", self.manage)
        other = self.step("server from it ACTIVE", self.boot, found)
        self.step("server gone, volume kept", self.delete_server, other, found)
        self.step("unmanaged, still there", self.unmanage, found)
        self.step("all deleted", self.delete_volume, disk)

    def step(self, what, action, *args):
        began = time.monotonic()
        try:
            result = action(*args)
        except Exception as error:
            raise Refused(f"{self.cloud.name}: {what}: {error}") from error
        took = time.monotonic() - began
        print(f"{self.cloud.name} ok {took:7.2f} s  {what}", flush=True)
        return result

    def log_in(self):
        self.demo = connect(self.cloud, "demo")
        self.admin = connect(self.cloud)
        # The service user in the tenant's project: what it imports belongs to the tenant.
        self.protector = connect(self.cloud, "protector", project="demo")
        for conn in (self.demo, self.admin, self.protector):
            conn.authorize()

    def refuse_manage(self):
        body = {"host": self.cloud.pool, "ref": {"source-name": "x"}}
        status, _ = volume_request(
            self.demo, "POST", "/manageable_volumes", volume=body
        )
        demand(status == 403, f"the tenant's manage was answered {status}")
        status, _ = volume_request(self.demo, "GET", "/os-services")
        demand(status == 403, f"the tenant's list of services was answered {status}")
        status, _ = volume_request(self.protector, "GET", "/os-services")
        demand(status == 200, f"the service user's list was answered {status}")

    def volume(self):
        volumes = self.demo.block_storage
        made = volumes.create_volume(
            name=f"{self.tag}-disk", size=1, volume_type="replicated-ssd"
        )
        made = until(lambda: volumes.get_volume(made.id), has_status("available"))
        name = f"volume-{made.id}-cinder"
        demand(name in self.array.members(CINDER_GROUP), f"{name} is not replicated")
        return made

    def make_bootable(self, disk):
        volumes = self.demo.block_storage
        volumes.set_volume_bootable_status(disk, True)
        demand(volumes.get_volume(disk.id).is_bootable, "it is not")

    def boot(self, disk):
        compute = self.demo.compute
        server = compute.create_server(
            name=f"{self.tag}-{disk.id[:8]}",
            flavor_id=compute.find_flavor("lab.tiny").id,
            networks=[{"uuid": self.demo.network.find_network("app-net").id}],
            key_name="lab-key",
            security_groups=[{"name": "ssh"}],
            block_device_mapping=[
                {
                    "uuid": disk.id,
                    "source_type": "volume",
                    "destination_type": "volume",
                    "boot_index": 0,
                    "delete_on_termination": False,
                }
            ],
        )
        server = until(lambda: compute.get_server(server.id), has_status("ACTIVE"))
        port = next(self.demo.network.ports(device_id=server.id))
        demand(port.status == "ACTIVE", f"port {port.id} is {port.status}")
        return server

    def power(self, server):
        compute = self.demo.compute

        def now(status):
            until(lambda: compute.get_server(server.id), has_status(status))

        compute.stop_server(server)
        now("SHUTOFF")
        self.admin.compute.lock_server(server)
        demand(compute.get_server(server.id).is_locked, "it is not locked")
        self.admin.compute.unlock_server(server)
        compute.start_server(server)
        now("ACTIVE")

    def delete_server(self, server, disk):
        self.demo.compute.delete_server(server)
        gone(lambda: self.demo.compute.find_server(server.id))
        volumes = self.demo.block_storage
        until(lambda: volumes.get_volume(disk.id), has_status("available"))

    def manage(self):
        name = f"{self.tag}-found"
        self.array.create(name)
        body = {
            "host": self.cloud.pool,
            "ref": {"source-name": name},
            "name": name,
            "volume_type": "replicated-ssd",
            "bootable": True,
        }
        status, answer = volume_request(
            self.protector, "POST", "/manageable_volumes", volume=body
        )
        demand(status == 202, f"{status} {answer}")
        volumes, found = self.demo.block_storage, answer["volume"]["id"]
        return until(lambda: volumes.get_volume(found), has_status("available"))

    def unmanage(self, found):
        status, answer = volume_request(
            self.protector,
            "POST",
            f"/volumes/{found.id}/action",
            **{"os-unmanage": {}},
        )
        demand(status == 202, f"{status} {answer}")
        gone(lambda: self.demo.block_storage.find_volume(found.id))
        left = f"volume-{found.id}-cinder-unmanaged"
        demand(left in self.array.names(), f"the array has no {left}")
        self.array.eradicate(left)

    def delete_volume(self, disk):
        volumes = self.demo.block_storage
        volumes.delete_volume(disk)
        gone(lambda: volumes.find_volume(disk.id))
        left = [name for name in self.array.names() if disk.id in name]
        demand(not left, f"the array still has {left}")
