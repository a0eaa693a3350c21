"""The configuration files of one cloud's services.

Absent: quotas. The services' own defaults hold for every project but the tenant's (`seed`),
so that what the service project may have is what a real one may have.
"""

import base64
import os

from places import PASSWORD, REGION, REPOSITORY

# What a site installs into its Cinder, as docs/operations/install.md says.
CINDER_POLICY = REPOSITORY / "protectord/etc/cinder-policy.yaml"
# Directories below `data` that services want to find.
DATA = ("images", "staging", "tasks", "lock", "conversion", "coordination", "compute")
# How often services tell that they live, and when they count as down, seconds.
ALIVE = {"report_interval": 5, "service_down_time": 30, "periodic_fuzzy_delay": 0}
# How often an array's group replicates when Cinder made it, seconds; the least there is.
REPLICATE_EVERY_S = 300


def write(cloud, arrays=None):
    """Writes them all. `arrays`: where they are, by name; Cinder has no back end without."""
    parts = (cloud.etc, cloud.run, cloud.log, cloud.data)
    for directory in (*parts, *(cloud.data / name for name in DATA)):
        directory.mkdir(parents=True, exist_ok=True)
    cloud.dir.chmod(0o700)
    ini(cloud, "keystone.conf", keystone(cloud))
    ini(cloud, "glance-api.conf", glance(cloud))
    ini(cloud, "placement.conf", placement(cloud))
    ini(cloud, "neutron.conf", neutron(cloud))
    ini(cloud, "nova.conf", nova(cloud))
    ini(cloud, "compute.conf", compute(cloud))
    ini(cloud, "cinder.conf", cinder(cloud, arrays))
    keys(cloud.etc / "fernet")
    keys(cloud.etc / "credential")


def ini(cloud, name, sections):
    lines = []
    for section, options in sections.items():
        lines.append(f"[{section}]")
        lines += [f"{key} = {value}" for key, value in options.items()]
        lines.append("")
    path = cloud.etc / name
    path.write_text("\n".join(lines))
    path.chmod(0o600)


def keys(directory):
    """Two Fernet keys, made once."""
    directory.mkdir(mode=0o700, exist_ok=True)
    for number in range(2):
        key = directory / str(number)
        if not key.exists():
            key.write_bytes(base64.urlsafe_b64encode(os.urandom(32)))
            key.chmod(0o600)


def share(cloud, path):
    """A file that came with a service."""
    return cloud.lab.venv / "etc" / path


def memcached(cloud):
    return f"127.0.0.1:{cloud.port['memcached']}"


def database(cloud, name):
    where = f"lab:lab@127.0.0.1:{cloud.port['mysql']}/{name}"
    return {
        "connection": f"mysql+pymysql://{where}?charset=utf8",
        "max_pool_size": 10,
        "max_overflow": 40,
    }


def user(cloud, name, **more):
    return {
        "auth_type": "password",
        "auth_url": cloud.auth_url,
        "username": name,
        "password": PASSWORD,
        "project_name": "service",
        "user_domain_name": "Default",
        "project_domain_name": "Default",
        "region_name": REGION,
        **more,
    }


def common(cloud, name):
    bus = f"rabbit://lab:lab@127.0.0.1:{cloud.port['amqp']}/{cloud.name}"
    return {
        "DEFAULT": {
            "transport_url": bus,
            "use_stderr": "true",
            "state_path": cloud.data,
            "host": cloud.name,
            "my_ip": "127.0.0.1",
        },
        "keystone_authtoken": user(
            cloud,
            name,
            www_authenticate_uri=cloud.auth_url,
            memcached_servers=memcached(cloud),
            service_token_roles="service",
            service_token_roles_required="true",
        ),
        "service_user": user(cloud, name, send_service_user_token="true"),
        "oslo_concurrency": {"lock_path": cloud.data / "lock"},
        "oslo_messaging_notifications": {"driver": "noop"},
        "oslo_messaging_rabbit": {
            "heartbeat_in_pthread": "false",
            "rpc_conn_pool_size": 20,
        },
    }


def keystone(cloud):
    fernet = {"key_repository": cloud.etc / "fernet"}
    return {
        **common(cloud, "keystone"),
        "database": database(cloud, "keystone"),
        "token": {"provider": "fernet", "allow_expired_window": 172_800},
        "fernet_tokens": fernet,
        "fernet_receipts": fernet,
        "credential": {"key_repository": cloud.etc / "credential"},
        "cache": {
            "enabled": "true",
            "backend": "oslo_cache.memcache_pool",
            "memcache_servers": memcached(cloud),
        },
        # Cheap hashes: the password is no secret.
        "identity": {"password_hash_rounds": 4},
    }


def glance(cloud):
    sections = common(cloud, "glance")
    sections["DEFAULT"].update(
        {"enabled_backends": "store:file", "enabled_import_methods": "[]"}
    )

    def store(name):
        return {"filesystem_store_datadir": cloud.data / name}

    return {
        **sections,
        "database": database(cloud, "glance"),
        "glance_store": {"default_backend": "store"},
        "store": store("images"),
        "os_glance_staging_store": store("staging"),
        "os_glance_tasks_store": store("tasks"),
        "paste_deploy": {
            "flavor": "keystone",
            "config_file": share(cloud, "glance/glance-api-paste.ini"),
        },
    }


def placement(cloud):
    return {
        **common(cloud, "placement"),
        "placement_database": database(cloud, "placement"),
    }


def neutron(cloud):
    sections = common(cloud, "neutron")
    sections["DEFAULT"].update(
        {
            "core_plugin": "ml2",
            "service_plugins": "protector_lab.l3.LabL3Plugin",
            "api_paste_config": share(cloud, "neutron/api-paste.ini"),
            "dhcp_agent_notification": "false",
            "rpc_workers": 0,
            "rpc_state_report_workers": 0,
        }
    )
    return {
        **sections,
        "database": database(cloud, "neutron"),
        "nova": user(cloud, "neutron"),
        "placement": user(cloud, "neutron"),
        "ml2": {
            "mechanism_drivers": "protector_lab",
            "type_drivers": "flat,vxlan",
            "project_network_types": "vxlan",
            "extension_drivers": "port_security",
        },
        "ml2_type_flat": {"flat_networks": "*"},
        "ml2_type_vxlan": {"vni_ranges": "1:1000"},
    }


def nova(cloud):
    sections = common(cloud, "nova")
    sections["DEFAULT"].update(
        {
            **ALIVE,
            "compute_driver": "protector_lab.LabDriver",
            "rootwrap_config": share(cloud, "nova/rootwrap.conf"),
            "block_device_allocate_retries_interval": 1,
            "resume_guests_state_on_host_boot": "false",
            "instance_build_timeout": 600,
        }
    )
    public = {"valid_interfaces": "public"}
    return {
        **sections,
        "api_database": database(cloud, "nova_api"),
        "database": database(cloud, "nova"),
        "glance": user(cloud, "nova", **public),
        "cinder": user(
            cloud,
            "nova",
            os_region_name=REGION,
            catalog_info="volumev3::publicURL",
        ),
        "neutron": user(cloud, "nova", **public),
        "placement": user(cloud, "nova", **public),
        "conductor": {"workers": 1},
        "scheduler": {"workers": 1, "discover_hosts_in_cells_interval": 2},
        "vnc": {"enabled": "false"},
    }


def compute(cloud):
    return {
        "DEFAULT": {
            "host": f"{cloud.name}-compute-1",
            "state_path": cloud.data / "compute",
        }
    }


def cinder(cloud, arrays):
    sections = common(cloud, "cinder")
    sections["DEFAULT"].update(
        {
            **ALIVE,
            "api_paste_config": share(cloud, "cinder/api-paste.ini"),
            "resource_query_filters_file": share(cloud, "cinder/resource_filters.json"),
            "rootwrap_config": share(cloud, "cinder/rootwrap.conf"),
            "image_conversion_dir": cloud.data / "conversion",
            "enabled_backends": cloud.backend,
            "default_volume_type": "standard",
            "backend_stats_polling_interval": 10,
        }
    )
    sections = {
        **sections,
        "database": database(cloud, "cinder"),
        "oslo_policy": {"policy_file": CINDER_POLICY},
        "coordination": {"backend_url": f"file://{cloud.data / 'coordination'}"},
        "nova": user(cloud, "cinder", interface="public"),
    }
    if arrays:
        sections[cloud.backend] = pure(cloud, arrays)
    return sections


def pure(cloud, arrays):
    """Cinder's own, unmodified driver. It prepends https:// by itself, and trusts what
    SSL_CERT_FILE names (`services`): it never reads driver_ssl_cert_path."""

    def target(array):
        return array["url"].removeprefix("https://")

    own, peer = arrays[cloud.array], arrays[cloud.other.array]
    replica = {
        "backend_id": peer["name"],
        "san_ip": target(peer),
        "api_token": peer["api_token"],
        "type": "async",
        "ssl_cert_verify": "true",
    }
    return {
        "volume_driver": "cinder.volume.drivers.pure.PureISCSIDriver",
        "volume_backend_name": cloud.backend,
        "san_ip": target(own),
        "pure_api_token": own["api_token"],
        "driver_ssl_cert_verify": "true",
        "use_chap_auth": "false",
        "replication_device": ",".join(f"{k}:{v}" for k, v in replica.items()),
        "pure_replica_interval_default": REPLICATE_EVERY_S,
    }
