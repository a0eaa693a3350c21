"""What a fresh cloud is filled with, through its own APIs. Each part may run twice.

The same names on both sites, other ids. Absent: the tenant's servers (`servers`).
"""

import concurrent.futures
import os
import time

from api import connect
from keystoneauth1 import exceptions as auth_exceptions
from openstack import exceptions
from places import PASSWORD, REGION, Refused

SERVICE_USERS = ("glance", "placement", "nova", "neutron", "cinder")
CATALOGUE = (  # name, type, path
    ("glance", "image", ""),
    ("placement", "placement", ""),
    ("nova", "compute", "/v2.1"),
    ("neutron", "network", ""),
    ("cinder", "volumev3", "/v3/%(project_id)s"),
)
# Who may manage and unmanage volumes besides administrators (protectord/etc/cinder-policy.yaml).
MANAGER = "dr_manager"
FLAVORS = (  # name, vcpus, MiB of memory, GiB of disk
    ("lab.tiny", 1, 256, 0),
    ("lab.small", 1, 1024, 10),
    ("lab.medium", 2, 4096, 10),
    ("lab.large", 4, 8192, 10),
)
VOLUME_TYPES = {
    "standard": {},
    "replicated-ssd": {
        "replication_enabled": "<is> True",
        "replication_type": "<in> async",
    },
}
GROUP_TYPES = {
    "consistent": {"consistent_group_snapshot_enabled": "<is> True"},
    "consistent-replicated": {
        "consistent_group_snapshot_enabled": "<is> True",
        "consistent_group_replication_enabled": "<is> True",
    },
}
NETWORKS = ("app-net", "db-net", "mgmt-net")
# The administrator's, which every project may use but not rule.
SHARED = "shared-net"
SECURITY_GROUPS = {"ssh": (22,), "web": (80, 443), "db": (3306, 5432)}
# What the tenant may have; everybody else has the services' defaults.
COMPUTE_QUOTA = {"instances": 200, "cores": 400, "ram": 819_200}
VOLUME_QUOTA = {"volumes": 600, "gigabytes": 20_000, "snapshots": 600, "groups": 50}
NETWORK_QUOTA = {"ports": 1000, "security_groups": 50, "security_group_rules": 500}
# Each is to be alive before the cloud counts as up.
ALIVE = ("nova-conductor", "nova-scheduler", "nova-compute", "cinder-scheduler")
ALIVE += ("cinder-volume", "hypervisor", "volume pool")


def identity(cloud):
    """Projects, users, roles and the catalogue: before any other service is up."""
    conn = connect(cloud)
    ids = conn.identity
    roles = {role.name: role for role in ids.roles()}
    for name in ("service", MANAGER):
        roles[name] = roles.get(name) or ids.create_role(name=name)

    def project(name):
        found = ids.find_project(name)
        return found or ids.create_project(name=name, domain_id="default")

    def grant(name, where, *names):
        user = ids.find_user(name) or ids.create_user(
            name=name,
            domain_id="default",
            password=PASSWORD,
            default_project_id=where.id,
        )
        for role in names:
            ids.assign_project_role_to_user(where, user, roles[role])

    service, demo = project("service"), project("demo")
    for name in SERVICE_USERS:
        grant(name, service, "admin", "service")
    grant("demo", demo, "member")
    grant("admin", demo, "admin")
    grant("protector", service, "admin")
    # What a mapping of this tenant grants: it acts there as the tenant's administrator.
    grant("protector", demo, "member", "admin", MANAGER)
    catalogue(cloud, ids)


def catalogue(cloud, ids):
    known = {service.type: service for service in ids.services()}
    for name, kind, path in CATALOGUE:
        if kind in known:
            continue
        service = ids.create_service(name=name, type=kind)
        for interface in ("public", "internal", "admin"):
            ids.create_endpoint(
                service_id=service.id,
                interface=interface,
                region_id=REGION,
                url=cloud.url(name, path),
            )


def healthy(cloud, processes, seconds=180):
    """Waits until Nova and Cinder see their own agents as up.

    A row last written before our last start may tell of an agent's former life.
    """
    conn = connect(cloud)
    since = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(processes.last_start))
    end = time.monotonic() + seconds
    while True:
        alive = seen_alive(conn, since)
        if alive >= set(ALIVE):
            return
        for name in processes.names():
            processes.check(name)
        if time.monotonic() > end:
            missing = ", ".join(set(ALIVE) - alive)
            raise Refused(f"{cloud.name}: no {missing} after {seconds} s: {cloud.log}")
        time.sleep(0.5)


def seen_alive(conn, since):
    alive = set()
    try:
        agents = [*conn.compute.services(), *conn.block_storage.services()]
        for agent in agents:
            if agent.state == "up" and (agent.updated_at or since) >= since:
                alive.add(agent.binary)
        if list(conn.compute.hypervisors()):
            alive.add("hypervisor")
        if list(conn.block_storage.backend_pools()):
            alive.add("volume pool")
        # Neutron's threads race to load their policies at the first request that needs
        # one, and the losers answer 403. So one request goes alone.
        list(conn.network.security_groups())
        list(conn.image.images())
    except (exceptions.SDKException, auth_exceptions.ClientException):
        return set()
    return alive


def resources(cloud):
    admin, demo = connect(cloud), connect(cloud, "demo")
    parts = (quotas, flavors, volume_types, group_types, networks)
    parts += (security_groups, keypair)
    with concurrent.futures.ThreadPoolExecutor(len(parts)) as pool:
        for part in [pool.submit(part, cloud, admin, demo) for part in parts]:
            part.result()


def quotas(_cloud, admin, demo):
    project = demo.current_project_id
    admin.compute.update_quota_set(project, **COMPUTE_QUOTA)
    admin.block_storage.update_quota_set(project, **VOLUME_QUOTA)
    admin.network.update_quota(project, **NETWORK_QUOTA)


def flavors(_cloud, admin, _demo):
    known = {flavor.name for flavor in admin.compute.flavors(details=False)}
    for name, vcpus, ram, disk in FLAVORS:
        if name not in known:
            admin.compute.create_flavor(name=name, vcpus=vcpus, ram=ram, disk=disk)


def volume_types(cloud, admin, _demo):
    volumes = admin.block_storage
    known = {kind.name: kind for kind in volumes.types()}
    for name, specs in VOLUME_TYPES.items():
        if name not in known:
            specs = {**specs, "volume_backend_name": cloud.backend}
            volumes.create_type(name=name, extra_specs=specs)
    # The first type came with the template's tables and has one id on both sites.
    if "__DEFAULT__" in known:
        volumes.delete_type(known["__DEFAULT__"])


def group_types(_cloud, admin, _demo):
    volumes = admin.block_storage
    known = {kind.name for kind in volumes.group_types()}
    for name, specs in GROUP_TYPES.items():
        if name not in known:
            kind = volumes.create_group_type(name=name, is_public=True)
            volumes.create_group_type_group_specs(kind, specs)


def networks(_cloud, admin, demo):
    mine = [network(demo, name, f"10.10.{n}.0/24") for n, name in enumerate(NETWORKS)]
    network(admin, SHARED, "10.20.0.0/24", shared=True)
    # No type and segment are given: what a router's gateway needs is only that it is external.
    public = network(admin, "public", "172.24.10.0/24", is_router_external=True)
    net = demo.network
    if not net.find_router("edge"):
        gateway = {"network_id": public.network_id}
        router = net.create_router(name="edge", external_gateway_info=gateway)
        for subnet in mine:
            net.add_interface_to_router(router, subnet_id=subnet.id)


def network(conn, name, cidr, shared=False, **more):
    """A network with one subnet; answers the subnet. Addresses are equal on both sites,
    which share no wire, so that servers can keep theirs."""
    net = conn.network
    found = net.find_network(name) or net.create_network(
        name=name, is_shared=shared, **more
    )
    return net.find_subnet(f"{name}-v4") or net.create_subnet(
        name=f"{name}-v4",
        network_id=found.id,
        ip_version=4,
        cidr=cidr,
        enable_dhcp=True,
    )


def security_groups(_cloud, _admin, demo):
    net = demo.network
    for name, ports in SECURITY_GROUPS.items():
        group = net.find_security_group(name) or net.create_security_group(name=name)
        have = {rule.port_range_min for rule in net.security_group_rules(
            security_group_id=group.id, direction="ingress"
        )}
        for port in set(ports) - have:
            net.create_security_group_rule(
                security_group_id=group.id,
                direction="ingress",
                protocol="tcp",
                port_range_min=port,
                port_range_max=port,
                ethertype="IPv4",
            )


def keypair(cloud, _admin, demo):
    if "lab-key" not in {key.name for key in demo.compute.keypairs()}:
        demo.compute.create_keypair(name="lab-key", public_key=public_key(cloud))


def public_key(cloud):
    """An SSH key made for this cloud; the private half stays beside it."""
    from cryptography.hazmat.primitives import serialization as s
    from cryptography.hazmat.primitives.asymmetric import ed25519

    key = ed25519.Ed25519PrivateKey.generate()
    private = (s.Encoding.PEM, s.PrivateFormat.OpenSSH, s.NoEncryption())
    path = cloud.dir / "lab-key"
    path.touch(mode=0o600)
    os.truncate(path, 0)
    path.write_bytes(key.private_bytes(*private))
    public = key.public_key()
    return public.public_bytes(s.Encoding.OpenSSH, s.PublicFormat.OpenSSH).decode()
