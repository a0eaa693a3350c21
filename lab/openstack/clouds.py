"""Two real OpenStack clouds on one machine, over two simulated arrays: the verbs.

Run by `cargo xtask openstack`, which first makes present what this needs. Absent: installing.
"""

import argparse
import concurrent.futures
import fcntl
import json
import os
import pathlib
import shutil
import sys
import time

from places import DIR_MAX_BYTES, LOGINS, PASSWORD, REGION, SITES
from places import Lab, Refused, write_whole
from processes import memory_kib
from services import APIS, LAST, MYSQL_STOP_S, Arrays, Services


class Clock:
    """Says how long each part took, and all of it."""

    def __init__(self, who):
        self.who, self.begin = who, time.monotonic()
        self.last = self.begin

    def __call__(self, what):
        now = time.monotonic()
        self.say(what, now - self.last)
        self.last = now

    def total(self, what):
        self.say(what, time.monotonic() - self.begin)

    def say(self, what, seconds):
        print(f"{self.who:8} {what:22} {seconds:7.1f} s", flush=True)


def up(lab, arrays_program):
    """Starts whatever of both clouds and the arrays does not run, and seeds what is fresh."""
    clock = Clock("both")
    claim(lab)
    arrays = Arrays(lab)
    at = arrays.start(arrays_program)
    clock("arrays")
    with concurrent.futures.ThreadPoolExecutor(len(SITES)) as pool:
        for job in [pool.submit(up_site, cloud, at) for cloud in lab.clouds()]:
            job.result()
    tell(lab, arrays, arrays_program)
    clock.total("up")
    print(f"export OS_CLIENT_CONFIG_FILE={lab.dir / 'clouds.yaml'}")


def claim(lab):
    """Takes the directory for this port offset: the catalogues in it name the ports."""
    if len(os.fsencode(lab.dir)) > DIR_MAX_BYTES:
        raise Refused(
            f"{lab.dir} is longer than {DIR_MAX_BYTES} bytes, too long for the sockets "
            "below it; give a shorter --dir"
        )
    lab.dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    known = lab.read()
    if known is None and any(path.name != "lock" for path in lab.dir.iterdir()):
        raise Refused(f"{lab.dir} holds something else; give an empty --dir or a new one")
    if known is None:
        write_whole(lab.told, json.dumps({"port_offset": lab.offset}))
    elif known["port_offset"] != lab.offset:
        raise Refused(
            f"{lab.dir} was made with --port-offset {known['port_offset']}; "
            "leave it out, or give another --dir"
        )


def up_site(cloud, arrays):
    import seed
    import settings
    import template

    clock = Clock(cloud.name)
    services = Services(cloud)
    processes = services.processes
    fresh = not (cloud.dir / "bootstrapped").exists()
    if fresh and not processes.pid("mysql"):
        shutil.rmtree(cloud.dir / "mysql", ignore_errors=True)
        shutil.copytree(cloud.lab.template / "mysql", cloud.dir / "mysql")
    settings.write(cloud, arrays)
    services.start_mysql()
    services.start_memcached()
    services.start_bus()
    processes.wait("mysql", lambda: services.listens("mysql"))
    if fresh:
        template.tool(cloud, services, *bootstrap(cloud))
    services.start_api("keystone")
    processes.wait("keystone-api", lambda: services.answers("keystone"))
    clock("database, Keystone")
    if fresh:
        seed.identity(cloud)
        (cloud.dir / "bootstrapped").touch()
        clock("users, catalogue")
    processes.wait("rabbitmq", lambda: services.listens("amqp"))
    start_rest(services, next(iter(arrays.values()))["ca"])
    for service in APIS:
        processes.wait(f"{service}-api", lambda: services.answers(service))
    clock("APIs")
    seed.healthy(cloud, processes)
    clock("agents")
    if not (cloud.dir / "seeded").exists():
        seed.resources(cloud)
        (cloud.dir / "seeded").touch()
        clock("seeded")


def start_rest(services, ca):
    """All that needs the message bus."""
    for service in APIS:
        services.start_api(service)
    services.start_daemon("cinder-volume", "cinder.conf", env={"SSL_CERT_FILE": ca})
    services.start_daemon("cinder-scheduler", "cinder.conf")
    services.start_daemon("nova-conductor", "nova.conf")
    services.start_daemon("nova-scheduler", "nova.conf")
    services.start_compute()


def bootstrap(cloud):
    words = ["keystone-manage", "--config-file", cloud.etc / "keystone.conf", "bootstrap"]
    words += ["--bootstrap-password", PASSWORD, "--bootstrap-region-id", REGION]
    for interface in ("public", "internal", "admin"):
        words += [f"--bootstrap-{interface}-url", cloud.auth_url]
    return words


def tell(lab, arrays, arrays_program):
    """Leaves what others need: `clouds.yaml` for clients, `openstack.json` for programs."""
    entries = {}
    for cloud in lab.clouds():
        for suffix, user, project in LOGINS:
            entries[cloud.name + suffix] = login(cloud, user, project)
    # JSON is YAML, too.
    write_whole(lab.dir / "clouds.yaml", json.dumps({"clouds": entries}, indent=2))
    told = {
        "port_offset": lab.offset,
        "clouds": str(lab.dir / "clouds.yaml"),
        "venv": str(lab.venv),
        "command": [sys.executable, __file__, "--cache", str(lab.cache), "--dir", str(lab.dir)],
        "arrays_program": str(arrays_program),
        "volume_type": "replicated-ssd",
        "arrays": list(arrays.read().values()),
        "arrays_pid": arrays.processes.pid(arrays.NAME),
        "sites": {cloud.name: site(cloud) for cloud in lab.clouds()},
    }
    write_whole(lab.told, json.dumps(told, indent=2) + "\n")


def login(cloud, user, project):
    return {
        "auth": {
            "auth_url": cloud.auth_url,
            "username": user,
            "password": PASSWORD,
            "project_name": project,
            "user_domain_name": "Default",
            "project_domain_name": "Default",
        },
        "region_name": REGION,
        "interface": "public",
        "identity_api_version": "3",
    }


def site(cloud):
    processes = Services(cloud).processes
    return {
        "auth_url": cloud.auth_url,
        "endpoints": {service: cloud.url(service) for service in APIS},
        "cloud": cloud.name,
        "admin_cloud": f"{cloud.name}-admin",
        "protector_cloud": f"{cloud.name}-protector",
        "array": cloud.array,
        "backend": cloud.backend,
        "pool": cloud.pool,
        "private_key": str(cloud.dir / "lab-key"),
        "log": str(cloud.log),
        "pids": {name: processes.pid(name) for name in processes.names()},
    }


def down(lab):
    """Stops everything in order. What was made stays."""
    clock = Clock("both")
    with concurrent.futures.ThreadPoolExecutor(len(SITES)) as pool:
        for job in [pool.submit(down_site, cloud) for cloud in lab.clouds()]:
            job.result()
    arrays = Arrays(lab)
    arrays.processes.stop(arrays.NAME)
    clock.total("down")


def down_site(cloud):
    processes = Services(cloud).processes
    names = processes.names()
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        list(pool.map(processes.stop, [name for name in names if name not in LAST]))
    for name in (name for name in LAST if name in names):
        processes.stop(name, MYSQL_STOP_S)


def kill(cloud):
    """SIGKILL to everything of one cloud at once: a site lost, not one shut down."""
    clock = Clock(cloud.name)
    processes = Services(cloud).processes
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        list(pool.map(lambda name: processes.stop(name, 0), processes.names()))
    clock.total("killed")


def status(lab):
    """One line per process; true when all of them run."""
    arrays = Arrays(lab)
    groups = [("arrays", arrays.processes)]
    groups += [(cloud.name, Services(cloud).processes) for cloud in lab.clouds()]
    whole = True
    for who, processes in groups:
        total = 0
        names = processes.names()
        whole &= bool(names)
        for name in names:
            pid = processes.pid(name)
            whole &= bool(pid)
            size = memory_kib(pid) if pid else 0
            total += size
            print(f"{who:8} {name:18} {pid or 'dead':<8} {size / 1024:6.0f} MiB")
        print(f"{who:8} {'all' if names else 'down':27} {total / 1024:6.0f} MiB")
    return whole


def arguments():
    parser = argparse.ArgumentParser(prog="clouds.py", description=__doc__)
    parser.add_argument("--dir", type=pathlib.Path)
    parser.add_argument("--cache", type=pathlib.Path, required=True)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("template")
    starts = verbs.add_parser("up")
    starts.add_argument("--port-offset", type=int)
    starts.add_argument("--arrays-program", required=True)
    verbs.add_parser("down").add_argument("--kill", choices=list(SITES))
    verbs.add_parser("status")
    seeds = verbs.add_parser("seed-servers")
    seeds.add_argument("site", choices=list(SITES))
    seeds.add_argument("--set", choices=("fidelity", "tour"), default="fidelity")
    verbs.add_parser("smoke")
    verbs.add_parser("census").add_argument("site", choices=list(SITES), nargs="+")
    return parser.parse_args()


def locked(directory):
    """Only one verb at a time changes anything in it."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = open(directory / "lock", "w")
    fcntl.flock(file, fcntl.LOCK_EX)
    return file


def perform(asked):
    if asked.verb == "template":
        import template

        with locked(asked.cache):
            template.make(asked.cache)
        return True
    lab = Lab(dir=asked.dir.absolute(), cache=asked.cache.absolute())
    known = lab.read()
    if asked.verb == "up":
        chosen = asked.port_offset
        lab.offset = (known or {}).get("port_offset", 0) if chosen is None else chosen
        with locked(lab.dir):
            up(lab, asked.arrays_program)
        return True
    if known is None:
        print(f"there is none in {lab.dir}")
        return asked.verb == "down"
    lab.offset = known["port_offset"]
    if asked.verb == "status":
        return status(lab)
    if asked.verb == "census":
        import census

        census.take(lab, asked.site)
        return True
    with locked(lab.dir):
        return change(lab, asked)


def change(lab, asked):
    if asked.verb == "down" and asked.kill:
        kill(lab.cloud(asked.kill))
    elif asked.verb == "down":
        down(lab)
    elif asked.verb == "seed-servers":
        import servers

        servers.seed(lab.cloud(asked.site), servers.SETS[asked.set])
    else:
        import smoke

        smoke.run(lab)
    return True


def main():
    try:
        return 0 if perform(arguments()) else 1
    except Refused as refused:
        print(f"error: {refused}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
