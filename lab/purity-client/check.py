"""The vendor's own client against `protector-lab arrays`: what it sends is understood, and what it gets
is what it reads. Run by `cargo xtask test`; by hand: check.py ARRAYS_JSON, the line that the arrays print.
"""

import json
import sys
import time

from pypureclient import flasharray
from pypureclient.configuration import Configuration
from pypureclient.flasharray import (
    ProtectionGroup,
    ProtectionGroupSnapshot,
    Tag,
    VolumePatch,
    VolumePost,
    VolumeSnapshotPost,
)

GIB = 1 << 30
# How long a first replication may take, seconds.
ARRIVES_S = 120


def good(response):
    assert response.status_code == 200, response.errors[0].message
    return list(response.items or [])


def refused(response, fragment):
    assert response.status_code == 400, response
    message = response.errors[0].message
    assert fragment in message, message


def names(response):
    return [row.name for row in good(response)]


def until(what, look):
    end = time.monotonic() + ARRIVES_S
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.5)
    raise AssertionError(f"{what} has not come about after {ARRIVES_S} s")


def connect(array):
    target = array["url"].removeprefix("https://")
    configuration = Configuration(ssl_ca_cert=array["ca"])
    configuration.verify_ssl = True
    return flasharray.Client(
        target, api_token=array["api_token"], configuration=configuration
    )


def volumes(a):
    good(a.post_volumes(names=["v1", "v2"], volume=VolumePost(provisioned=GIB)))
    refused(a.post_volumes(names=["v1"], volume=VolumePost(provisioned=GIB)), "already exists")
    rows = good(a.get_volumes(names=["V1"]))
    assert rows[0].name == "v1" and len(rows[0].serial) == 24 and rows[0].provisioned == GIB
    assert names(a.get_volumes(filter="name='v*'", sort=["name-"])) == ["v2", "v1"]
    assert [row.name for row in a.get_volumes(limit=10).items] == ["v1", "v2"]
    assert a.get_volumes(limit=0, total_item_count=True).total_item_count == 2
    good(a.patch_volumes(names=["v1"], volume=VolumePatch(provisioned=2 * GIB)))
    refused(a.get_volumes(names=["none"]), "does not exist")
    good(a.put_volumes_tags_batch(resource_names=["v1"], tag=[Tag(key="k", value="v", namespace="ns")]))
    assert good(a.get_volumes_tags(resource_names=["v1"], namespaces=["ns"]))[0].value == "v"
    good(a.post_volume_snapshots(source_names=["v1"], volume_snapshot=VolumeSnapshotPost(suffix="s1")))
    assert names(a.get_volume_snapshots(source_names=["v1"])) == ["v1.s1"]


def many(a):
    """More than a page: the client's iterator walks them all, each once."""
    for start in range(0, 1200, 400):
        batch = [f"many-{n}" for n in range(start, start + 400)]
        for part in range(0, 400, 50):
            good(a.post_volumes(names=batch[part : part + 50], volume=VolumePost(provisioned=GIB)))
    seen = [row.name for row in a.get_volumes(filter="name='many-*'").items]
    assert len(seen) == 1200 and len(set(seen)) == 1200, len(seen)


def replication(a, b):
    good(a.post_protection_groups(names=["pg"]))
    good(a.post_protection_groups_volumes(group_names=["pg"], member_names=["v1", "v2"]))
    good(a.post_protection_groups_targets(group_names=["pg"], member_names=["array-b"]))
    until("array-a:pg", lambda: b.get_protection_groups(names=["array-a:pg"]).status_code == 200)
    b.patch_protection_groups_targets(
        group_names=["array-a:pg"], target=flasharray.TargetProtectionGroupPostPatch(allowed=True)
    )
    assert good(a.get_protection_groups_targets(group_names=["pg"]))[0].allowed
    schedule = flasharray.ReplicationSchedule(enabled=True, frequency=900_000)
    good(a.patch_protection_groups(names=["pg"], protection_group=ProtectionGroup(replication_schedule=schedule)))
    taken = a.post_protection_group_snapshots(
        source_names=["pg"],
        replicate_now=True,
        protection_group_snapshot=ProtectionGroupSnapshot(suffix="s1"),
    )
    good(taken)

    def arrived():
        rows = b.get_protection_group_snapshots_transfer(
            names=["array-a:pg"], destroyed=False, filter='progress="1.0"', sort=["started-"]
        )
        return [row for row in good(rows) if row.name == "array-a:pg.s1"]

    assert until("array-a:pg.s1", arrived)[0].completed
    copy = VolumePost(source=flasharray.Reference(name="array-a:pg.s1.v1"))
    made = good(b.post_volumes(names=["copy"], volume=copy, with_default_protection=False))
    assert made[0].provisioned == 2 * GIB


def away(a, b):
    good(b.patch_volumes(names=["copy"], volume=VolumePatch(destroyed=True)))
    good(b.delete_volumes(names=["copy"]))
    refused(b.get_volumes(names=["copy"]), "does not exist")
    good(a.patch_protection_groups(names=["pg"], protection_group=ProtectionGroup(destroyed=True)))
    refused(a.post_protection_groups(names=["pg"]), "has been destroyed")


def main():
    told = json.loads(sys.argv[1])["arrays"]
    a, b = connect(told[0]), connect(told[1])
    assert good(a.get_arrays())[0].name == "array-a"
    assert good(a.get_array_connections())[0].status == "connected"
    for step in (volumes, many):
        step(a)
    replication(a, b)
    away(a, b)
    print("py-pure-client: 5 passed, 0 failed")


main()
