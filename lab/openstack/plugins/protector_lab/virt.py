"""Nova's own fake hypervisor, which here also remembers its servers over a restart.

It also gives itself an initiator name that arrays accept, and an initiator that can scan by
hand, as every current open-iscsi can: without one, os-brick cannot attach a volume that was
imported by manage. Absent: disks, consoles, and anything that runs.
"""

import collections.abc
import json
import os
import threading

import nova.conf
from nova.virt import fake
from os_brick.initiator import utils as brick_utils

CONF = nova.conf.CONF
brick_utils.ISCSI_SUPPORTS_MANUAL_SCAN = True


class _Domain(fake.FakeInstance):
    """A FakeInstance that tells its table when its power state changes."""

    def __init__(self, name, state, uuid, table):
        self._table = None
        super().__init__(name, state, uuid)
        self._table = table

    def __setattr__(self, key, value):
        super().__setattr__(key, value)
        if key == "state" and self._table is not None:
            self._table.save()


class _Domains(collections.abc.MutableMapping):
    """The servers of one compute host, kept in one file that is always whole."""

    def __init__(self, path):
        self._path = path
        self._data = {}
        self._lock = threading.Lock()
        if os.path.exists(path):
            with open(path) as file:
                for uuid, (name, state) in json.load(file).items():
                    self._data[uuid] = _Domain(name, state, uuid, self)

    def save(self):
        draft = self._path + ".new"
        with self._lock:
            rows = {u: (d.name, d.state) for u, d in list(self._data.items())}
            with open(draft, "w") as file:
                json.dump(rows, file)
            os.replace(draft, self._path)

    def __getitem__(self, uuid):
        return self._data[uuid]

    def __setitem__(self, uuid, domain):
        self._data[uuid] = _Domain(domain.name, domain.state, uuid, self)
        self.save()

    def __delitem__(self, uuid):
        del self._data[uuid]
        self.save()

    def __iter__(self):
        return iter(list(self._data))

    def __len__(self):
        return len(self._data)


class LabDriver(fake.FakeDriverWithoutFakeNodes):
    def init_host(self, host):
        super().init_host(host)
        self.instances = _Domains(os.path.join(CONF.state_path, "domains.json"))

    def get_volume_connector(self, instance):
        return {
            "ip": CONF.my_block_storage_ip,
            "host": self._host,
            "initiator": "iqn.2024-01.test.protector-lab:" + self._host,
            "multipath": True,
            "os_type": "linux",
            "platform": "x86_64",
        }
