"""The databases of a cloud with all their tables and nothing in them, made once per version
of the services: migrations take half a minute, a copy takes none.

Absent: SQLite, on which Neutron's migrations cannot run.
"""

import concurrent.futures
import getpass
import hashlib
import shutil
import socket
import subprocess

import settings
from places import HERE, Lab, Refused
from services import MYSQL_STOP_S, Services

DATABASES = ("keystone", "glance", "placement", "nova_api", "nova", "nova_cell0")
DATABASES += ("neutron", "cinder")
TOOL_S = 600
# Taken from each service's own configuration, so that one template serves both sites.
DATABASE_HERE = "{scheme}://{username}:{password}@{hostname}:{port}/%s?{query}"
BUS_HERE = "rabbit://{username}:{password}@{hostname}:{port}/{path}"


def make(cache):
    """Makes it unless it is there. Broken off, it is made anew."""
    lab = Lab(dir=cache, cache=cache)
    stamp = lab.template / "ready"
    version = digest()
    if stamp.exists() and stamp.read_text() == version:
        return
    shutil.rmtree(lab.template, ignore_errors=True)
    cloud = lab.cloud("site-a")
    cloud.at(lab.template)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        cloud.port["mysql"] = free.getsockname()[1]
    settings.write(cloud)
    services = Services(cloud)
    create(cloud)
    services.start_mysql()
    try:
        services.processes.wait("mysql", lambda: services.listens("mysql"))
        accounts(cloud)
        migrate(cloud, services)
    finally:
        services.processes.stop("mysql", MYSQL_STOP_S)
    stamp.write_text(version)


def digest():
    """Changes when the tables may have."""
    parts = (HERE / "constraints.txt", HERE / "template.py")
    return hashlib.sha256(b"".join(part.read_bytes() for part in parts)).hexdigest()


def create(cloud):
    run(
        [
            "mariadb-install-db",
            "--no-defaults",
            f"--user={getpass.getuser()}",
            f"--datadir={cloud.dir / 'mysql'}",
            "--skip-test-db",
            "--auth-root-authentication-method=normal",
            "--innodb-file-per-table=0",
            "--innodb-log-file-size=32M",
        ]
    )


def accounts(cloud):
    sql = ["CREATE USER 'lab'@'127.0.0.1' IDENTIFIED BY 'lab';"]
    for name in DATABASES:
        sql.append(f"CREATE DATABASE {name};")
        sql.append(f"GRANT ALL ON {name}.* TO 'lab'@'127.0.0.1';")
    socket_path = cloud.run / "mysql.sock"
    client = ["mariadb", "--no-defaults", "-u", "root", "-S", str(socket_path)]
    run(client, "\n".join(sql))


def migrate(cloud, services):
    def of(file):
        return ("--config-file", cloud.etc / file)

    nova = of("nova.conf")
    work = (
        [("keystone-manage", *of("keystone.conf"), "db_sync")],
        [("glance-manage", *of("glance-api.conf"), "db_sync")],
        [("placement-manage", *of("placement.conf"), "db", "sync")],
        [("neutron-db-manage", *of("neutron.conf"), "upgrade", "heads")],
        [("cinder-manage", *of("cinder.conf"), "db", "sync")],
        [
            ("nova-manage", *nova, "api_db", "sync"),
            (
                *("nova-manage", *nova, "cell_v2", "map_cell0"),
                *("--database_connection", DATABASE_HERE % "nova_cell0"),
            ),
            ("nova-manage", *nova, "db", "sync"),
            (
                *("nova-manage", *nova, "cell_v2", "create_cell", "--name", "cell1"),
                *("--database_connection", DATABASE_HERE % "{path}"),
                *("--transport-url", BUS_HERE),
            ),
        ],
    )

    def in_order(commands):
        for command in commands:
            tool(cloud, services, *command)

    with concurrent.futures.ThreadPoolExecutor(len(work)) as pool:
        for job in [pool.submit(in_order, commands) for commands in work]:
            job.result()


def tool(cloud, services, program, *words):
    """Runs a one-shot command of the services."""
    argv = [cloud.lab.venv / "bin" / program, *words]
    run(argv, env=services.processes.environment({}))


def run(argv, text=None, env=None):
    argv = [str(word) for word in argv]
    try:
        done = subprocess.run(
            argv,
            input=text,
            env=env,
            text=True,
            timeout=TOOL_S,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    except subprocess.TimeoutExpired:
        raise Refused(f"{argv[0]} did not end within {TOOL_S} s") from None
    if done.returncode:
        raise Refused(f"{' '.join(argv)} failed:\n{done.stdout[-3000:]}")
