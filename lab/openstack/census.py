"""Everything that clouds and arrays hold, of all projects, by the stock clients: one JSON document.

Absent: what should be there.
"""

import concurrent.futures
import json

from api import connect
from smoke import Array


def take(lab, sites):
    """Prints it; `sites` are those whose cloud is up. Arrays are always asked, both."""
    jobs = {name: lambda name=name: of_cloud(lab.cloud(name)) for name in sites}
    for told in lab.read()["arrays"]:
        jobs[told["name"]] = lambda told=told: of_array(told)
    with concurrent.futures.ThreadPoolExecutor(len(jobs)) as pool:
        futures = {name: pool.submit(job) for name, job in jobs.items()}
        found = {name: future.result() for name, future in futures.items()}
    print(json.dumps(found))


def of_cloud(cloud):
    conn = connect(cloud)
    volumes = conn.block_storage
    parts = {
        "servers": lambda: [
            {"id": s.id, "name": s.name, "status": s.status}
            for s in conn.compute.servers(all_projects=True)
        ],
        "ports": lambda: [
            {"id": p.id, "device": p.device_id, "owner": p.device_owner}
            for p in conn.network.ports()
        ],
        "volumes": lambda: [
            {"id": v.id, "name": v.name, "status": v.status}
            for v in volumes.volumes(all_projects=True)
        ],
        "groups": lambda: [{"id": g.id} for g in volumes.groups(all_projects=True)],
        "attachments": lambda: [
            {"id": a.id, "server": a.instance, "volume": a.volume_id}
            for a in volumes.attachments(all_projects=True)
        ],
        "trusts": lambda: [{"id": t.id} for t in conn.identity.trusts()],
    }
    conn.authorize()
    with concurrent.futures.ThreadPoolExecutor(len(parts)) as pool:
        futures = {name: pool.submit(part) for name, part in parts.items()}
        return {name: future.result() for name, future in futures.items()}


def of_array(told):
    array = Array(told)
    client = array.client
    volumes = array.good(client.get_volumes(destroyed=False))
    snapshots = array.good(client.get_volume_snapshots(destroyed=False))
    groups = array.good(client.get_protection_groups(destroyed=False))
    points = array.good(client.get_protection_group_snapshots(destroyed=False))
    connections = array.good(client.get_connections())
    return {
        "volumes": [{"id": v.serial, "name": v.name} for v in volumes],
        "snapshots": [{"id": s.name} for s in snapshots],
        "groups": [{"id": g.name} for g in groups],
        "points": [{"id": p.name} for p in points],
        "connections": [{"id": c.volume.name} for c in connections],
    }
