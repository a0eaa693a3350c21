"""How each process of a cloud, and the arrays, are started.

Absent: in which order (`up`), and what they are configured with (`settings`).
"""

import getpass
import json
import socket
import urllib.error
import urllib.request

from places import ARRAYS_PORT
from processes import Processes

# Service: WSGI module, threads.
APIS = {
    "keystone": ("keystone.wsgi.api", 6),
    "glance": ("glance.wsgi.api", 2),
    "placement": ("placement.wsgi.api", 4),
    "nova": ("nova.wsgi.osapi_compute", 8),
    "neutron": ("neutron.wsgi.api", 8),
    "cinder": ("cinder.wsgi.api", 8),
}
# Stopped after everything else, in this order.
LAST = ("rabbitmq", "epmd", "memcached", "mysql")
MYSQL_STOP_S = 60
BUS = """\
listeners.tcp.1 = 127.0.0.1:{port}
default_vhost = {vhost}
default_user = lab
default_pass = lab
log.file.level = warning
log.console = false
vm_memory_high_watermark.absolute = 1GB
disk_free_limit.absolute = 50MB
collect_statistics_interval = 60000
"""


class Arrays:
    """Both simulated arrays: one process, which keeps its state, tokens and ports."""

    NAME = "arrays"

    def __init__(self, lab):
        self.dir = lab.dir / "arrays"
        self.told = self.dir / "told.json"
        self.port = ARRAYS_PORT + lab.offset
        self.processes = Processes(self.dir, self.dir, lab.venv)

    def start(self, program):
        """Starts them unless they run, and says where they are, by name."""
        self.dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        argv = [program, "arrays", "--count", 2, "--state", self.dir / "state"]
        argv += ["--port-base", self.port]
        self.processes.start(self.NAME, argv, self.dir, out=self.told)
        self.processes.wait(self.NAME, lambda: self.told.read_text().endswith("\n"), 60)
        return self.read()

    def read(self):
        told = json.loads(self.told.read_text())
        return {array["name"]: array for array in told["arrays"]}


class Services:
    """The processes of one cloud."""

    def __init__(self, cloud):
        self.cloud = cloud
        self.processes = Processes(cloud.run, cloud.log, cloud.lab.venv)

    def start(self, name, argv, env=None):
        self.processes.start(name, argv, self.cloud.data, env)

    def listens(self, service):
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", self.cloud.port[service])) == 0

    def answers(self, service):
        try:
            with urllib.request.urlopen(self.cloud.url(service, "/"), timeout=10):
                return True
        except urllib.error.HTTPError as error:
            return error.code < 500
        except OSError:
            return False

    def start_mysql(self):
        cloud, me = self.cloud, getpass.getuser()
        argv = ["mariadbd", "--no-defaults", f"--user={me}"]
        argv += [
            f"--datadir={cloud.dir / 'mysql'}",
            f"--socket={cloud.run / 'mysql.sock'}",
            f"--pid-file={cloud.data / 'mysql.pid'}",
            f"--port={cloud.port['mysql']}",
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
            "--skip-log-bin",
            "--max-connections=600",
            "--performance-schema=OFF",
            "--innodb-file-per-table=0",
            "--innodb-buffer-pool-size=192M",
            "--innodb-log-file-size=32M",
            # A killed process loses nothing; only a machine that loses power would.
            "--innodb-flush-log-at-trx-commit=2",
            "--innodb-use-native-aio=0",
            "--character-set-server=utf8mb3",
            "--collation-server=utf8mb3_general_ci",
        ]
        self.start("mysql", argv)

    def start_memcached(self):
        argv = ["memcached", "-u", getpass.getuser(), "-l", "127.0.0.1"]
        argv += ["-m", 64, "-t", 1, "-p", self.cloud.port["memcached"]]
        self.start("memcached", argv)

    def start_epmd(self):
        argv = ["epmd", "-address", "127.0.0.1", "-port", self.cloud.port["epmd"]]
        self.start("epmd", argv)
        self.processes.wait("epmd", lambda: self.listens("epmd"), 15)

    def start_bus(self):
        """RabbitMQ, alone on its own port mapper."""
        cloud, base = self.cloud, self.cloud.dir / "rabbitmq"
        base.mkdir(exist_ok=True)
        bus = BUS.format(port=cloud.port["amqp"], vhost=cloud.name)
        (base / "rabbitmq.conf").write_text(bus)
        (base / "plugins").write_text("[].\n")
        self.start_epmd()
        env = {
            "HOME": base,
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": cloud.port["epmd"],
            "RUNNING_UNDER_SYSTEMD": "true",  # the shell makes way for the server
            # A name says where, not who: two labs on one machine differ in their epmd.
            "RABBITMQ_NODENAME": f"lab-{cloud.name}@localhost",
            "RABBITMQ_CONFIG_FILE": base / "rabbitmq.conf",
            "RABBITMQ_ENABLED_PLUGINS_FILE": base / "plugins",
            "RABBITMQ_MNESIA_BASE": base / "mnesia",
            "RABBITMQ_LOG_BASE": base / "log",
            "RABBITMQ_PID_FILE": base / "pid",
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_DIST_PORT": cloud.port["erlang"],
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "+S 1:1 +sbwt none -kernel inet_dist_use_interface {127,0,0,1}"
            ),
        }
        env = {key: str(value) for key, value in env.items()}
        self.start("rabbitmq", ["/usr/lib/rabbitmq/bin/rabbitmq-server"], env)

    def start_api(self, service):
        """One process and a few threads under uWSGI, as upstream runs them."""
        cloud, (module, threads) = self.cloud, APIS[service]
        argv = ["uwsgi", "--http-socket", f"127.0.0.1:{cloud.port[service]}"]
        argv += ["--virtualenv", cloud.lab.venv, "--module", f"{module}:application"]
        argv += ["--processes", 1, "--threads", threads, "--enable-threads"]
        argv += ["--need-app", "--die-on-term", "--buffer-size", 65535]
        argv += ["--socket-timeout", 60, "--listen", 128, "--http-chunked-input"]
        argv += ["--add-header", "Connection: close"]
        argv += ["--log-5xx", "--disable-logging"]
        if service == "cinder":
            argv += ["--pyargv", f"--config-file {cloud.etc / 'cinder.conf'}"]
        etc = str(cloud.etc)
        paste = cloud.lab.venv / "etc/nova/api-paste.ini"
        env = {
            "OS_KEYSTONE_CONFIG_DIR": etc,
            "OS_GLANCE_CONFIG_DIR": etc,
            "OS_PLACEMENT_CONFIG_DIR": etc,
            "OS_NOVA_CONFIG_DIR": etc,
            # The first must be the paste file: Nova takes it from there.
            "OS_NOVA_CONFIG_FILES": f"{paste};nova.conf",
            "OS_NEUTRON_CONFIG_DIR": etc,
            "OS_NEUTRON_CONFIG_FILES": "neutron.conf",
        }
        self.start(f"{service}-api", argv, env)

    def start_daemon(self, program, *files, env=None):
        argv = [self.cloud.lab.venv / "bin" / program]
        self.start(program, argv + self.config(*files), env)

    def start_compute(self):
        python = self.cloud.lab.venv / "bin/python"
        argv = [python, "-m", "protector_lab.compute"]
        self.start("nova-compute", argv + self.config("nova.conf", "compute.conf"))

    def config(self, *files):
        return [word for f in files for word in ("--config-file", self.cloud.etc / f)]
